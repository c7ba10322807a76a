/* SPDX-License-Identifier: MIT
 *
 * cast: the elements as another type.
 *
 * Reals become integers towards zero, saturated where they do not fit (C leaves that open, and
 * numpy with it).  Integers wrap.  What is not 0 becomes true.
 */
#include "op/iterate.h"
#include "op/parameters.h"
#include "op/plain.h"

#include <stddef.h>

struct cast {
    uint32_t to; /* enum anole_dtype, less 1 */
};

static const struct anole_op_key keys[] = {
    {.name = "to",
     .kind = ANOLE_KEY_CHOICE,
     .offset = offsetof(struct cast, to),
     .choices = anole_dtype_choices,
     .required = true},
    {.name = NULL},
};

static enum anole_status infer(struct anole_call *call, struct anole_error *error)
{
    const struct cast *cast = call->attributes;
    enum anole_status status =
        anole_check_type(call->inputs[0], ANOLE_TYPES_ANY, "the input", error);
    if (status)
        return status;
    call->outputs[0] = *call->inputs[0];
    call->outputs[0].data = NULL;
    call->outputs[0].dtype = cast->to + 1;
    return ANOLE_DONE;
}

static enum anole_status compute(const struct anole_call *call, struct anole_error *error)
{
    (void)error;
    const struct anole_operand *input = call->inputs[0];
    struct anole_operand *output = &call->outputs[0];
    bool real = anole_dtype_is_real(input->dtype) ||
                (anole_dtype_is_real(output->dtype) && input->dtype == ANOLE_U64);
    size_t elements = anole_operand_elements(input);
    for (size_t first = 0; first < elements; first += ANOLE_CHUNK) {
        size_t count = elements - first < ANOLE_CHUNK ? elements - first : ANOLE_CHUNK;
        double reals[ANOLE_CHUNK];
        int64_t ints[ANOLE_CHUNK];
        if (real) {
            anole_load_reals(reals, input, (int64_t)first, 1, count);
            anole_store_reals(output, (int64_t)first, 1, reals, count);
        } else {
            anole_load_ints(ints, input, (int64_t)first, 1, count);
            anole_store_ints(output, (int64_t)first, 1, ints, count);
        }
    }
    return ANOLE_DONE;
}

static enum anole_status kernel(const struct anole_call *call, struct anole_kernel_builder *builder,
                                struct anole_error *error)
{
    const uint32_t from = call->inputs[0]->dtype, to = call->outputs[0].dtype;
    const bool truncates = anole_dtype_is_real(from) && !anole_dtype_is_real(to);
    struct anole_plain_source source = {.builder = builder};
    const struct anole_elementwise elementwise = {.function = to == ANOLE_BOOL ? "FUNCTION_is_true"
                                                              : truncates      ? "FUNCTION_number"
                                                                          : "FUNCTION_identity",
                                                  .type = anole_plain_type(from),
                                                  .suffix = truncates ? "_sat_rtz" : "",
                                                  .count = 1};
    return anole_plain_elementwise(&source, call, &elementwise, error);
}

const struct anole_op anole_op_cast = {
    .name = "cast",
    .flags = ANOLE_OP_ELEMENTWISE,
    .fewest_inputs = 1,
    .most_inputs = 1,
    .fewest_outputs = 1,
    .most_outputs = 1,
    .attribute_bytes = sizeof(struct cast),
    .keys = keys,
    .infer = infer,
    .compute = compute,
    .kernel = kernel,
};
