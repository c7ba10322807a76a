/* SPDX-License-Identifier: MIT
 *
 * range: start, start + delta, … to before the limit: max(ceil((limit - start) / delta), 0)
 * numbers.
 */
#include "op/parameters.h"

#include <math.h>

static enum anole_status check_number(const struct anole_call *call, uint32_t i,
                                      struct anole_error *error)
{
    static const char *const names[] = {"the start", "the limit", "the delta"};
    double value;
    enum anole_status status =
        anole_check_type(call->inputs[i], ANOLE_TYPES_NUMBER, names[i], error);
    if (status == ANOLE_DONE)
        status = anole_check_same_type(call->inputs[i], call->inputs[0], names[i], error);
    return status ? status : anole_input_real(&value, call, i, names[i], error);
}

static enum anole_status infer(struct anole_call *call, struct anole_error *error)
{
    struct anole_operand *output = &call->outputs[0];
    double count;
    for (uint32_t i = 0; i < 3; i++) {
        enum anole_status status = check_number(call, i, error);
        if (status)
            return status;
    }
    if (anole_dtype_is_real(call->inputs[0]->dtype)) {
        count =
            ceil((anole_operand_real(call->inputs[1], 0) - anole_operand_real(call->inputs[0], 0)) /
                 anole_operand_real(call->inputs[2], 0));
    } else {
        int64_t start = anole_operand_int(call->inputs[0], 0);
        int64_t limit = anole_operand_int(call->inputs[1], 0);
        int64_t delta = anole_operand_int(call->inputs[2], 0);
        uint64_t distance =
            delta > 0 ? (uint64_t)limit - (uint64_t)start : (uint64_t)start - (uint64_t)limit;
        uint64_t step = delta > 0 ? (uint64_t)delta : 0 - (uint64_t)delta;
        bool any = delta > 0 ? limit > start : limit < start;
        count = delta == 0 ? NAN : any ? (double)((distance - 1) / step + 1) : 0;
    }
    if (!(count < 0x1p31))
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "a range from %g to %g by %g has no end, or more numbers than 2^31; "
                          "expected fewer",
                          anole_operand_real(call->inputs[0], 0),
                          anole_operand_real(call->inputs[1], 0),
                          anole_operand_real(call->inputs[2], 0));
    output->dtype = call->inputs[0]->dtype;
    output->rank = 1;
    output->dims[0] = count > 0 ? (int64_t)count : 0;
    return anole_check_size(output, error);
}

static enum anole_status compute(const struct anole_call *call, struct anole_error *error)
{
    (void)error;
    const struct anole_operand *start = call->inputs[0], *delta = call->inputs[2];
    struct anole_operand *output = &call->outputs[0];
    if (anole_dtype_is_real(output->dtype)) {
        double first = anole_operand_real(start, 0), step = anole_operand_real(delta, 0);
        for (int64_t i = 0; i < output->dims[0]; i++)
            anole_operand_set_real(output, (size_t)i, first + (double)i * step);
    } else {
        uint64_t first = (uint64_t)anole_operand_int(start, 0);
        uint64_t step = (uint64_t)anole_operand_int(delta, 0);
        for (int64_t i = 0; i < output->dims[0]; i++)
            anole_operand_set_int(output, (size_t)i, (int64_t)(first + (uint64_t)i * step));
    }
    return ANOLE_DONE;
}

const struct anole_op anole_op_range = {
    .name = "range",
    .fewest_inputs = 3,
    .most_inputs = 3,
    .fewest_outputs = 1,
    .most_outputs = 1,
    .infer = infer,
    .compute = compute,
};
