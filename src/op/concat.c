/* SPDX-License-Identifier: MIT
 *
 * concat: the inputs one behind the other along an axis.
 */
#include "op/iterate.h"
#include "op/parameters.h"
#include "op/plain.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct concat {
    int64_t axis;
};

static const struct anole_op_key keys[] = {
    {.name = "axis",
     .kind = ANOLE_KEY_INT,
     .is_axis = true,
     .offset = offsetof(struct concat, axis),
     .low = -ANOLE_MAX_RANK,
     .high = ANOLE_MAX_RANK - 1,
     .required = true},
    {.name = NULL},
};

static enum anole_status add_input(struct anole_operand *output, const struct anole_operand *input,
                                   uint32_t i, uint32_t axis, struct anole_error *error)
{
    char what[40], first[128], shape[128];
    snprintf(what, sizeof what, "input %u", i + 1);
    enum anole_status status = anole_check_same_type(input, output, what, error);
    bool fits = input->rank == output->rank;
    for (uint32_t d = 0; d < output->rank && fits; d++)
        fits = d == axis || input->dims[d] == output->dims[d];
    if (status == ANOLE_DONE && !fits)
        status = anole_fail(error, ANOLE_ERR_INPUT,
                            "%s has the shape %s, those before it together %s; expected the same "
                            "but for axis %u",
                            what, anole_operand_shape_text(shape, sizeof shape, input),
                            anole_operand_shape_text(first, sizeof first, output), axis);
    if (status)
        return status;
    output->dims[axis] += input->dims[axis];
    return anole_check_size(output, error);
}

static enum anole_status infer(struct anole_call *call, struct anole_error *error)
{
    const struct concat *concat = call->attributes;
    struct anole_operand *output = &call->outputs[0];
    uint32_t axis;
    enum anole_status status =
        anole_operand_axis(&axis, concat->axis, call->inputs[0]->rank, error);
    *output = *call->inputs[0];
    output->data = NULL;
    for (uint32_t i = 1; i < call->input_count && status == ANOLE_DONE; i++) {
        if (!call->inputs[i])
            return anole_fail(error, ANOLE_ERR_INPUT,
                              "input %u is missing; expected none to be left out", i + 1);
        status = add_input(output, call->inputs[i], i, axis, error);
    }
    return status;
}

static enum anole_status compute(const struct anole_call *call, struct anole_error *error)
{
    const struct concat *concat = call->attributes;
    struct anole_operand *output = &call->outputs[0];
    uint32_t axis;
    enum anole_status status = anole_operand_axis(&axis, concat->axis, output->rank, error);
    if (status)
        return status;
    struct anole_axis whole = anole_axis_split(output, axis);
    size_t unit = (size_t)whole.inner * anole_dtype_bytes(output->dtype);
    char *to = output->data;
    for (uint32_t i = 0; i < call->input_count; i++) {
        size_t bytes = (size_t)call->inputs[i]->dims[axis] * unit;
        for (int64_t o = 0; o < whole.outer && bytes > 0; o++)
            memcpy(to + (size_t)(o * whole.length) * unit,
                   (const char *)call->inputs[i]->data + (size_t)o * bytes, bytes);
        to += bytes;
    }
    return ANOLE_DONE;
}

static enum anole_status kernel(const struct anole_call *call, struct anole_kernel_builder *builder,
                                struct anole_error *error)
{
    const struct concat *concat = call->attributes;
    const struct anole_operand *output = &call->outputs[0];
    struct anole_strided copies[ANOLE_MAX_LAUNCHES] = {{0}};
    uint32_t axis;
    int64_t first = 0;
    enum anole_status status = anole_operand_axis(&axis, concat->axis, output->rank, error);
    if (status)
        return status;
    if (call->input_count > ANOLE_MAX_LAUNCHES)
        return anole_plain_none("so many inputs", error);
    int64_t inner = anole_axis_split(output, axis).inner;
    for (uint32_t i = 0; i < call->input_count; i++) {
        struct anole_strided *copy = &copies[i];
        copy->input = i;
        copy->first_out = first;
        copy->rank = output->rank;
        memcpy(copy->dims, call->inputs[i]->dims, sizeof copy->dims);
        anole_dense_strides(copy->in_strides, call->inputs[i]);
        anole_dense_strides(copy->out_strides, output);
        first += call->inputs[i]->dims[axis] * inner;
    }
    return anole_plain_strided(builder, output->dtype, copies, call->input_count, error);
}

const struct anole_op anole_op_concat = {
    .name = "concat",
    .flags = ANOLE_OP_ALONG_AXES,
    .fewest_inputs = 1,
    .most_inputs = UINT32_MAX,
    .fewest_outputs = 1,
    .most_outputs = 1,
    .attribute_bytes = sizeof(struct concat),
    .keys = keys,
    .infer = infer,
    .compute = compute,
    .kernel = kernel,
};
