/* SPDX-License-Identifier: MIT
 *
 * non_zero: the indices of all elements that are not 0, [rank][how many] of I64.
 */
#include "op/parameters.h"

static enum anole_status infer(struct anole_call *call, struct anole_error *error)
{
    const struct anole_operand *input = call->inputs[0];
    enum anole_status status = anole_check_type(input, ANOLE_TYPES_ANY, "the input", error);
    if (status)
        return status;
    call->outputs[0] =
        (struct anole_operand){.dtype = ANOLE_I64,
                               .rank = 2,
                               .dims = {input->rank, (int64_t)anole_operand_elements(input)}};
    return anole_check_size(&call->outputs[0], error);
}

static enum anole_status compute(const struct anole_call *call, struct anole_error *error)
{
    (void)error;
    const struct anole_operand *input = call->inputs[0];
    size_t elements = anole_operand_elements(input), found = 0, count = 0;
    int64_t *out = call->outputs[0].data;
    for (size_t i = 0; i < elements; i++)
        count += anole_operand_real(input, i) != 0;
    for (size_t i = 0; i < elements; i++) {
        if (anole_operand_real(input, i) == 0)
            continue;
        size_t rest = i;
        for (uint32_t d = input->rank; d-- > 0; rest /= (size_t)input->dims[d])
            out[d * count + found] = (int64_t)(rest % (size_t)input->dims[d]);
        found++;
    }
    call->outputs[0].dims[1] = (int64_t)count;
    return ANOLE_DONE;
}

const struct anole_op anole_op_non_zero = {
    .name = "non_zero",
    .flags = ANOLE_OP_HOST | ANOLE_OP_DATA_SIZED,
    .fewest_inputs = 1,
    .most_inputs = 1,
    .fewest_outputs = 1,
    .most_outputs = 1,
    .infer = infer,
    .compute = compute,
};
