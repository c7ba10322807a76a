/* SPDX-License-Identifier: MIT
 *
 * gather: slices of the input along an axis, by index.
 * gather_elements: of each element its place along the axis.
 * gather_nd: the input's slices at tuples of indices, the last dimension of the indices;
 * the first `batch_dims` dimensions are shared.
 */
#include "kernels/op_gather.cl.h"
#include "op/iterate.h"
#include "op/parameters.h"
#include "op/plain.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct gather {
    int64_t axis; /* gather_nd: batch_dims */
};

static const struct anole_op_key keys[] = {
    {.name = "axis",
     .kind = ANOLE_KEY_INT,
     .offset = offsetof(struct gather, axis),
     .low = -ANOLE_MAX_RANK,
     .high = ANOLE_MAX_RANK - 1},
    {.name = NULL},
};

static const struct anole_op_key nd_keys[] = {
    {.name = "batch_dims",
     .kind = ANOLE_KEY_INT,
     .offset = offsetof(struct gather, axis),
     .high = ANOLE_MAX_RANK - 1},
    {.name = NULL},
};

static enum anole_status check(const struct anole_call *call, struct anole_error *error)
{
    enum anole_status status =
        anole_check_type(call->inputs[0], ANOLE_TYPES_ANY, "the input", error);
    return status ? status
                  : anole_check_type(call->inputs[1], ANOLE_TYPES_INDEX, "the indices", error);
}

static enum anole_status fail_rank(uint32_t rank, struct anole_error *error)
{
    return anole_fail(error, ANOLE_ERR_INPUT, "the output has %u dimensions; expected at most %d",
                      rank, ANOLE_MAX_RANK);
}

/* --------------------------------------------------------------------- gather */

static enum anole_status infer(struct anole_call *call, struct anole_error *error)
{
    const struct gather *gather = call->attributes;
    const struct anole_operand *input = call->inputs[0], *indices = call->inputs[1];
    struct anole_operand *output = &call->outputs[0];
    uint32_t axis;
    enum anole_status status = check(call, error);
    if (status == ANOLE_DONE)
        status = anole_operand_axis(&axis, gather->axis, input->rank, error);
    if (status)
        return status;
    if (input->rank + indices->rank - 1 > ANOLE_MAX_RANK)
        return fail_rank(input->rank + indices->rank - 1, error);
    output->dtype = input->dtype;
    output->rank = input->rank + indices->rank - 1;
    memcpy(output->dims, input->dims, axis * sizeof *output->dims);
    memcpy(output->dims + axis, indices->dims, indices->rank * sizeof *output->dims);
    memcpy(output->dims + axis + indices->rank, input->dims + axis + 1,
           (input->rank - axis - 1) * sizeof *output->dims);
    return anole_check_size(output, error);
}

static enum anole_status compute(const struct anole_call *call, struct anole_error *error)
{
    const struct gather *gather = call->attributes;
    const struct anole_operand *input = call->inputs[0], *indices = call->inputs[1];
    uint32_t axis;
    enum anole_status status = anole_operand_axis(&axis, gather->axis, input->rank, error);
    if (status)
        return status;
    struct anole_axis split = anole_axis_split(input, axis);
    size_t count = anole_operand_elements(indices);
    size_t bytes = (size_t)split.inner * anole_dtype_bytes(input->dtype);
    for (size_t i = 0; i < count; i++) {
        int64_t at;
        status = anole_check_index(&at, anole_operand_int(indices, i), split.length, error);
        if (status)
            return status;
        for (int64_t o = 0; o < split.outer && bytes > 0; o++)
            memcpy((char *)call->outputs[0].data + ((size_t)o * count + i) * bytes,
                   (const char *)input->data + (size_t)(o * split.length + at) * bytes, bytes);
    }
    return ANOLE_DONE;
}

/* ------------------------------------------------------------ gather_elements */

static enum anole_status infer_elements(struct anole_call *call, struct anole_error *error)
{
    const struct gather *gather = call->attributes;
    const struct anole_operand *input = call->inputs[0], *indices = call->inputs[1];
    struct anole_operand *output = &call->outputs[0];
    char shape[128], other[128];
    uint32_t axis;
    enum anole_status status = check(call, error);
    if (status == ANOLE_DONE)
        status = anole_operand_axis(&axis, gather->axis, input->rank, error);
    if (status)
        return status;
    bool fits = indices->rank == input->rank;
    for (uint32_t i = 0; i < input->rank && fits; i++)
        fits = i == axis || indices->dims[i] <= input->dims[i];
    if (!fits)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "the indices have the shape %s, the input has %s; expected no more but "
                          "along axis %u",
                          anole_operand_shape_text(shape, sizeof shape, indices),
                          anole_operand_shape_text(other, sizeof other, input), axis);
    *output = *indices;
    output->data = NULL;
    output->dtype = input->dtype;
    return ANOLE_DONE;
}

static enum anole_status compute_elements(const struct anole_call *call, struct anole_error *error)
{
    const struct gather *gather = call->attributes;
    const struct anole_operand *input = call->inputs[0], *indices = call->inputs[1];
    size_t bytes = anole_dtype_bytes(input->dtype);
    int64_t strides[2][ANOLE_MAX_RANK];
    struct anole_walk walk;
    uint32_t axis;
    enum anole_status status = anole_operand_axis(&axis, gather->axis, input->rank, error);
    if (status)
        return status;
    anole_dense_strides(strides[0], input);
    anole_dense_strides(strides[1], indices);
    int64_t along = strides[0][axis];
    strides[0][axis] = 0;
    for (bool more = anole_walk_begin(&walk, indices->rank, indices->dims, 2, strides); more;
         more = anole_walk_next(&walk))
        for (int64_t i = 0; i < walk.length; i++) {
            int64_t at, to = walk.at[1] + i;
            status = anole_check_index(&at, anole_operand_int(indices, (size_t)to),
                                       input->dims[axis], error);
            if (status)
                return status;
            at = walk.at[0] + i * walk.step[0] + at * along;
            memcpy((char *)call->outputs[0].data + (size_t)to * bytes,
                   (const char *)input->data + (size_t)at * bytes, bytes);
        }
    return ANOLE_DONE;
}

/* ------------------------------------------------------------------ gather_nd */

static enum anole_status infer_nd(struct anole_call *call, struct anole_error *error)
{
    const struct gather *gather = call->attributes;
    const struct anole_operand *input = call->inputs[0], *indices = call->inputs[1];
    struct anole_operand *output = &call->outputs[0];
    uint32_t shared = (uint32_t)gather->axis;
    char shape[128], other[128];
    enum anole_status status = check(call, error);
    if (status)
        return status;
    bool fits = indices->rank > shared && input->rank >= shared;
    for (uint32_t i = 0; i < shared && fits; i++)
        fits = indices->dims[i] == input->dims[i];
    int64_t width = indices->rank > 0 ? indices->dims[indices->rank - 1] : 0;
    if (!fits || width < 1 || width > (int64_t)input->rank - shared)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "indices of shape %s into a tensor of shape %s, of which they share %u "
                          "dimensions; expected tuples of 1 to %d numbers",
                          anole_operand_shape_text(shape, sizeof shape, indices),
                          anole_operand_shape_text(other, sizeof other, input), shared,
                          (int)input->rank - (int)shared);
    uint32_t tail = input->rank - shared - (uint32_t)width;
    if (indices->rank - 1 + tail > ANOLE_MAX_RANK)
        return fail_rank(indices->rank - 1 + tail, error);
    output->dtype = input->dtype;
    output->rank = indices->rank - 1 + tail;
    memcpy(output->dims, indices->dims, (indices->rank - 1) * sizeof *output->dims);
    memcpy(output->dims + indices->rank - 1, input->dims + input->rank - tail,
           tail * sizeof *output->dims);
    return anole_check_size(output, error);
}

static enum anole_status compute_nd(const struct anole_call *call, struct anole_error *error)
{
    const struct gather *gather = call->attributes;
    const struct anole_operand *input = call->inputs[0], *indices = call->inputs[1];
    uint32_t shared = (uint32_t)gather->axis;
    uint32_t width = (uint32_t)indices->dims[indices->rank - 1];
    size_t tuples = anole_operand_elements(indices) / width, groups = 1;
    int64_t strides[ANOLE_MAX_RANK], unit;
    anole_dense_strides(strides, input);
    unit = strides[shared + width - 1];
    for (uint32_t i = 0; i < shared; i++)
        groups *= (size_t)input->dims[i];
    size_t bytes = (size_t)unit * anole_dtype_bytes(input->dtype);
    size_t each = groups > 0 ? tuples / groups : 0;
    int64_t of_group = shared > 0 ? strides[shared - 1] : 0;
    for (size_t i = 0; i < tuples; i++) {
        int64_t from;
        enum anole_status status = anole_check_tuple(&from, indices, i, width, input->dims + shared,
                                                     strides + shared, error);
        if (status)
            return status;
        from += (int64_t)(i / each) * of_group;
        memcpy((char *)call->outputs[0].data + i * bytes,
               (const char *)input->data + (size_t)from * anole_dtype_bytes(input->dtype), bytes);
    }
    return ANOLE_DONE;
}

/* -------------------------------------------------------------------- kernels */

/* What a kernel takes for an index: `width` numbers, each below a size. */
struct numbers {
    uint32_t width;
    int64_t sizes[ANOLE_MAX_RANK], strides[ANOLE_MAX_RANK];
};

/* `slices` of `length` elements.  `source` has AT_IN. */
static enum anole_status make_kernel(struct anole_plain_source *source,
                                     const struct anole_call *call, const struct numbers *numbers,
                                     int64_t slices, int64_t length, const char *first,
                                     struct anole_error *error)
{
    const struct anole_operand *indices = call->inputs[1];
    const char *type = anole_plain_move_type(call->outputs[0].dtype);
    if (!type || slices == 0 || length == 0 || anole_operand_elements(call->inputs[0]) == 0 ||
        !anole_plain_numbers_fit(indices, numbers->width, numbers->sizes)) {
        anole_text_fini(&source->text);
        return anole_plain_none("this type or size", error);
    }
    anole_plain_define(source, "TYPE", "%s", type);
    anole_plain_define(source, "INDEX", "%s", anole_plain_type(indices->dtype));
    anole_plain_define(source, "FIRST(i)", "%s", first);
    anole_plain_define_numbers(source, numbers->width, numbers->sizes, numbers->strides);
    const int64_t items = anole_plain_define_rows(source, slices, length);
    anole_plain_text(source, kernel_op_gather);
    const struct anole_arg args[] = {ANOLE_PLAIN_INPUT(0), ANOLE_PLAIN_INPUT(1),
                                     ANOLE_PLAIN_OUTPUT(0)};
    anole_plain_launch(source, "gather", items, args, 3);
    return anole_plain_finish(source, error);
}

static enum anole_status kernel(const struct anole_call *call, struct anole_kernel_builder *builder,
                                struct anole_error *error)
{
    const struct gather *gather = call->attributes;
    const struct anole_operand *input = call->inputs[0];
    struct anole_plain_source source = {.builder = builder};
    char first[64];
    uint32_t axis;
    enum anole_status status = anole_operand_axis(&axis, gather->axis, input->rank, error);
    if (status)
        return status;
    const struct anole_axis split = anole_axis_split(input, axis);
    const int64_t count = (int64_t)anole_operand_elements(call->inputs[1]);
    const int64_t dims[] = {split.outer, count}, strides[] = {split.length * split.inner, 0};
    const struct numbers numbers = {1, {split.length}, {split.inner}};
    anole_plain_define_sum(&source, "AT_IN", 2, dims, strides, 0);
    snprintf(first, sizeof first, "((i) %% %" PRId64 ")", count);
    return make_kernel(&source, call, &numbers, split.outer * count, split.inner, first, error);
}

static enum anole_status kernel_elements(const struct anole_call *call,
                                         struct anole_kernel_builder *builder,
                                         struct anole_error *error)
{
    const struct gather *gather = call->attributes;
    const struct anole_operand *input = call->inputs[0], *indices = call->inputs[1];
    struct anole_plain_source source = {.builder = builder};
    int64_t strides[ANOLE_MAX_RANK];
    uint32_t axis;
    enum anole_status status = anole_operand_axis(&axis, gather->axis, input->rank, error);
    if (status)
        return status;
    anole_dense_strides(strides, input);
    const struct numbers numbers = {1, {input->dims[axis]}, {strides[axis]}};
    strides[axis] = 0;
    anole_plain_define_sum(&source, "AT_IN", indices->rank, indices->dims, strides, 0);
    return make_kernel(&source, call, &numbers, (int64_t)anole_operand_elements(indices), 1, "(i)",
                       error);
}

static enum anole_status kernel_nd(const struct anole_call *call,
                                   struct anole_kernel_builder *builder, struct anole_error *error)
{
    const struct gather *gather = call->attributes;
    const struct anole_operand *input = call->inputs[0], *indices = call->inputs[1];
    const uint32_t shared = (uint32_t)gather->axis;
    struct anole_plain_source source = {.builder = builder};
    struct numbers numbers = {.width = (uint32_t)indices->dims[indices->rank - 1]};
    int64_t strides[ANOLE_MAX_RANK], dims[2] = {1, 1}, of_group[2] = {0, 0};
    char first[64];
    anole_dense_strides(strides, input);
    for (uint32_t j = 0; j < numbers.width; j++) {
        numbers.sizes[j] = input->dims[shared + j];
        numbers.strides[j] = strides[shared + j];
    }
    const int64_t tuples = (int64_t)anole_operand_elements(indices) / numbers.width;
    for (uint32_t i = 0; i < shared; i++)
        dims[0] *= input->dims[i];
    of_group[0] = shared > 0 ? strides[shared - 1] : 0;
    dims[1] = dims[0] > 0 ? tuples / dims[0] : 0;
    if (dims[1] == 0)
        return anole_plain_none("nothing", error);
    anole_plain_define_sum(&source, "AT_IN", 2, dims, of_group, 0);
    snprintf(first, sizeof first, "((i) * %u)", numbers.width);
    return make_kernel(&source, call, &numbers, tuples, strides[shared + numbers.width - 1], first,
                       error);
}

#define GATHER(NAME, KEYS, INFER, COMPUTE, KERNEL)                                                 \
    const struct anole_op anole_op_##NAME = {                                                      \
        .name = #NAME,                                                                             \
        .fewest_inputs = 2,                                                                        \
        .most_inputs = 2,                                                                          \
        .fewest_outputs = 1,                                                                       \
        .most_outputs = 1,                                                                         \
        .attribute_bytes = sizeof(struct gather),                                                  \
        .keys = KEYS,                                                                              \
        .infer = INFER,                                                                            \
        .compute = COMPUTE,                                                                        \
        .kernel = KERNEL,                                                                          \
    }

GATHER(gather, keys, infer, compute, kernel);
GATHER(gather_elements, keys, infer_elements, compute_elements, kernel_elements);
GATHER(gather_nd, nd_keys, infer_nd, compute_nd, kernel_nd);
