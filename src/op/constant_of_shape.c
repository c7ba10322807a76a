/* SPDX-License-Identifier: MIT
 *
 * constant_of_shape: a tensor of the shape that the first input lists, of one value: that of
 * the second input (and its type), or of the attributes.
 */
#include "op/parameters.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

struct constant_of_shape {
    double value;
    uint32_t dtype; /* enum anole_dtype, less 1 */
};

static const struct constant_of_shape defaults = {.dtype = ANOLE_F32 - 1};

static const struct anole_op_key keys[] = {
    {.name = "value", .kind = ANOLE_KEY_REAL, .offset = offsetof(struct constant_of_shape, value)},
    {.name = "dtype",
     .kind = ANOLE_KEY_CHOICE,
     .offset = offsetof(struct constant_of_shape, dtype),
     .choices = anole_dtype_choices},
    {.name = NULL},
};

static enum anole_status infer(struct anole_call *call, struct anole_error *error)
{
    const struct constant_of_shape *attributes = call->attributes;
    const struct anole_operand *value = anole_call_input(call, 1);
    struct anole_operand *output = &call->outputs[0];
    struct anole_ints shape = {0};
    char text[128];
    bool given;
    enum anole_status status =
        anole_input_ints(&shape, &given, call, 0, ANOLE_MAX_RANK, "the shape", error);
    if (status == ANOLE_DONE && value && anole_operand_elements(value) != 1)
        status = anole_fail(error, ANOLE_ERR_INPUT, "the value has the shape %s; expected one",
                            anole_operand_shape_text(text, sizeof text, value));
    if (status)
        return status;
    output->dtype = value ? value->dtype : attributes->dtype + 1;
    output->rank = shape.count;
    memcpy(output->dims, shape.values, shape.count * sizeof *shape.values);
    return anole_check_size(output, error);
}

static enum anole_status compute(const struct anole_call *call, struct anole_error *error)
{
    (void)error;
    const struct constant_of_shape *attributes = call->attributes;
    const struct anole_operand *value = anole_call_input(call, 1);
    struct anole_operand *output = &call->outputs[0];
    size_t bytes = anole_dtype_bytes(output->dtype), elements = anole_operand_elements(output);
    uint64_t element = 0;
    struct anole_operand own = {.dtype = output->dtype, .data = &element};
    anole_operand_set_real(&own, 0, attributes->value);
    for (size_t i = 0; i < elements; i++)
        memcpy((char *)output->data + i * bytes, value ? value->data : &element, bytes);
    return ANOLE_DONE;
}

const struct anole_op anole_op_constant_of_shape = {
    .name = "constant_of_shape",
    .fewest_inputs = 1,
    .most_inputs = 2,
    .fewest_outputs = 1,
    .most_outputs = 1,
    .attribute_bytes = sizeof(struct constant_of_shape),
    .defaults = &defaults,
    .keys = keys,
    .infer = infer,
    .compute = compute,
};
