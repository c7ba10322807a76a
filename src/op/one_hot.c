/* SPDX-License-Identifier: MIT
 *
 * one_hot: for each index a line of `depth` values along a new axis, all of them "off" but the
 * one at the index, which is "on".  What is out of range is off everywhere.
 */
#include "op/iterate.h"
#include "op/parameters.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

struct one_hot {
    int64_t axis;
};

static const struct one_hot defaults = {.axis = -1};

static const struct anole_op_key keys[] = {
    {.name = "axis",
     .kind = ANOLE_KEY_INT,
     .offset = offsetof(struct one_hot, axis),
     .low = -ANOLE_MAX_RANK,
     .high = ANOLE_MAX_RANK - 1},
    {.name = NULL},
};

static enum anole_status infer(struct anole_call *call, struct anole_error *error)
{
    const struct one_hot *one_hot = call->attributes;
    const struct anole_operand *indices = call->inputs[0], *values = call->inputs[2];
    struct anole_operand *output = &call->outputs[0];
    double depth = -1;
    uint32_t axis;
    enum anole_status status = anole_check_type(indices, ANOLE_TYPES_NUMBER, "the indices", error);
    if (status == ANOLE_DONE)
        status = anole_check_rank(indices, 0, ANOLE_MAX_RANK - 1, "the indices", error);
    if (status == ANOLE_DONE)
        status = anole_input_real(&depth, call, 1, "the depth", error);
    if (status == ANOLE_DONE)
        status = anole_check_list(values, 2, "the values", error);
    if (status == ANOLE_DONE)
        status = anole_operand_axis(&axis, one_hot->axis, indices->rank + 1, error);
    if (status)
        return status;
    if (!(depth >= 0 && depth <= INT32_MAX))
        return anole_fail(error, ANOLE_ERR_INPUT, "a depth of %g; expected 0 to 2^31 - 1", depth);
    output->dtype = values->dtype;
    output->rank = indices->rank + 1;
    memcpy(output->dims, indices->dims, axis * sizeof *output->dims);
    output->dims[axis] = (int64_t)depth;
    memcpy(output->dims + axis + 1, indices->dims + axis,
           (indices->rank - axis) * sizeof *output->dims);
    return anole_check_size(output, error);
}

static enum anole_status compute(const struct anole_call *call, struct anole_error *error)
{
    const struct one_hot *one_hot = call->attributes;
    const struct anole_operand *indices = call->inputs[0], *values = call->inputs[2];
    struct anole_operand *output = &call->outputs[0];
    size_t bytes = anole_dtype_bytes(output->dtype), elements = anole_operand_elements(output);
    const char *off = values->data, *on = off + bytes;
    uint32_t axis;
    enum anole_status status = anole_operand_axis(&axis, one_hot->axis, output->rank, error);
    if (status || elements == 0)
        return status;
    struct anole_axis split = anole_axis_split(output, axis);
    for (size_t i = 0; i < elements; i++)
        memcpy((char *)output->data + i * bytes, off, bytes);
    for (int64_t i = 0; i < split.outer * split.inner; i++) {
        int64_t at = anole_operand_int(indices, (size_t)i);
        if (at < -split.length || at >= split.length)
            continue;
        at = at < 0 ? at + split.length : at;
        int64_t to = (i / split.inner * split.length + at) * split.inner + i % split.inner;
        memcpy((char *)output->data + (size_t)to * bytes, on, bytes);
    }
    return ANOLE_DONE;
}

const struct anole_op anole_op_one_hot = {
    .name = "one_hot",
    .fewest_inputs = 3,
    .most_inputs = 3,
    .fewest_outputs = 1,
    .most_outputs = 1,
    .attribute_bytes = sizeof(struct one_hot),
    .defaults = &defaults,
    .keys = keys,
    .infer = infer,
    .compute = compute,
};
