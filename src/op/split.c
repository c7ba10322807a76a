/* SPDX-License-Identifier: MIT
 *
 * split: the input cut along an axis, one output a part.
 *
 * Parts have the sizes of the attribute or of the second input; without either they are
 * equal, the last one smaller where that does not come out even.
 */
#include "op/iterate.h"
#include "op/parameters.h"
#include "op/plain.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

struct split {
    int64_t axis;
    struct anole_ints sizes;
};

static const struct anole_op_key keys[] = {
    {.name = "axis",
     .kind = ANOLE_KEY_INT,
     .is_axis = true,
     .offset = offsetof(struct split, axis),
     .low = -ANOLE_MAX_RANK,
     .high = ANOLE_MAX_RANK - 1},
    {.name = "sizes",
     .kind = ANOLE_KEY_INTS,
     .offset = offsetof(struct split, sizes),
     .high = INT32_MAX},
    {.name = NULL},
};

static enum anole_status read_sizes(struct anole_ints *sizes, uint32_t *axis,
                                    const struct anole_call *call, struct anole_error *error)
{
    const struct split *split = call->attributes;
    const struct anole_operand *input = call->inputs[0];
    bool given;
    *sizes = split->sizes;
    enum anole_status status = anole_operand_axis(axis, split->axis, input->rank, error);
    if (status == ANOLE_DONE)
        status = anole_input_ints(sizes, &given, call, 1, ANOLE_MAX_INTS, "the sizes", error);
    if (status)
        return status;
    int64_t size = input->dims[*axis], total = 0;
    if (sizes->count == 0) {
        int64_t parts = call->output_count, part = (size + parts - 1) / parts;
        for (sizes->count = 0; sizes->count < parts; sizes->count++) {
            int64_t left = size - part * sizes->count;
            sizes->values[sizes->count] = left < 0 ? 0 : left < part ? left : part;
        }
    }
    if (sizes->count != call->output_count)
        return anole_fail(error, ANOLE_ERR_INPUT, "%u sizes for %u outputs; expected one each",
                          sizes->count, call->output_count);
    for (uint32_t i = 0; i < sizes->count; i++) {
        if (sizes->values[i] < 0 || sizes->values[i] > size - total)
            return anole_fail(error, ANOLE_ERR_INPUT,
                              "part %u has the size %" PRId64 "; expected 0 to the %" PRId64
                              " that are left of %" PRId64,
                              i + 1, sizes->values[i], size - total, size);
        total += sizes->values[i];
    }
    if (total != size)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "the parts have %" PRId64 " together; expected %" PRId64, total, size);
    return ANOLE_DONE;
}

static enum anole_status infer(struct anole_call *call, struct anole_error *error)
{
    struct anole_ints sizes;
    uint32_t axis;
    enum anole_status status = read_sizes(&sizes, &axis, call, error);
    for (uint32_t i = 0; i < call->output_count && status == ANOLE_DONE; i++) {
        call->outputs[i] = *call->inputs[0];
        call->outputs[i].data = NULL;
        call->outputs[i].dims[axis] = sizes.values[i];
    }
    return status;
}

static enum anole_status compute(const struct anole_call *call, struct anole_error *error)
{
    const struct anole_operand *input = call->inputs[0];
    struct anole_ints sizes;
    uint32_t axis;
    enum anole_status status = read_sizes(&sizes, &axis, call, error);
    if (status)
        return status;
    struct anole_axis whole = anole_axis_split(input, axis);
    size_t unit = (size_t)whole.inner * anole_dtype_bytes(input->dtype);
    const char *from = input->data;
    for (uint32_t i = 0; i < call->output_count; i++) {
        size_t bytes = (size_t)sizes.values[i] * unit;
        for (int64_t o = 0; o < whole.outer && bytes > 0 && call->outputs[i].data; o++)
            memcpy((char *)call->outputs[i].data + (size_t)o * bytes,
                   from + (size_t)(o * whole.length) * unit, bytes);
        from += bytes;
    }
    return ANOLE_DONE;
}

static enum anole_status kernel(const struct anole_call *call, struct anole_kernel_builder *builder,
                                struct anole_error *error)
{
    const struct anole_operand *input = call->inputs[0];
    struct anole_strided copies[ANOLE_MAX_OPERANDS] = {{0}};
    struct anole_ints sizes;
    uint32_t axis;
    int64_t first = 0;
    enum anole_status status = read_sizes(&sizes, &axis, call, error);
    if (status)
        return status;
    int64_t inner = anole_axis_split(input, axis).inner;
    for (uint32_t i = 0; i < call->output_count; i++) {
        struct anole_strided *copy = &copies[i];
        copy->output = i;
        copy->first_in = first;
        copy->rank = call->outputs[i].rank;
        memcpy(copy->dims, call->outputs[i].dims, sizeof copy->dims);
        anole_dense_strides(copy->in_strides, input);
        anole_dense_strides(copy->out_strides, &call->outputs[i]);
        first += sizes.values[i] * inner;
    }
    return anole_plain_strided(builder, input->dtype, copies, call->output_count, error);
}

const struct anole_op anole_op_split = {
    .name = "split",
    .flags = ANOLE_OP_ALONG_AXES,
    .fewest_inputs = 1,
    .most_inputs = 2,
    .fewest_outputs = 1,
    .most_outputs = ANOLE_MAX_OPERANDS,
    .attribute_bytes = sizeof(struct split),
    .keys = keys,
    .infer = infer,
    .compute = compute,
    .kernel = kernel,
};
