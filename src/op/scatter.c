/* SPDX-License-Identifier: MIT
 *
 * scatter_elements: the input with each update at its place, but for the axis, where the
 * index says it.
 * scatter_nd: the input with slices updated at tuples of indices, the last dimension of the
 * indices.
 *
 * `reduction` says how an update meets what is there.
 */
#include "kernels/op_scatter.cl.h"
#include "op/iterate.h"
#include "op/parameters.h"
#include "op/plain.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

enum { REDUCE_NONE, REDUCE_ADD, REDUCE_MUL, REDUCE_MAX, REDUCE_MIN };

static const char *const reductions[] = {"none", "add", "mul", "max", "min", NULL};

struct scatter {
    int64_t axis;
    uint32_t reduction;
};

#define REDUCTION                                                                                  \
    {                                                                                              \
        .name = "reduction", .kind = ANOLE_KEY_CHOICE,                                             \
        .offset = offsetof(struct scatter, reduction), .choices = reductions                       \
    }

static const struct anole_op_key keys[] = {
    {.name = "axis",
     .kind = ANOLE_KEY_INT,
     .offset = offsetof(struct scatter, axis),
     .low = -ANOLE_MAX_RANK,
     .high = ANOLE_MAX_RANK - 1},
    REDUCTION,
    {.name = NULL},
};

static const struct anole_op_key nd_keys[] = {REDUCTION, {.name = NULL}};

static enum anole_status check(struct anole_call *call, struct anole_error *error)
{
    const struct anole_operand *input = call->inputs[0];
    enum anole_status status = anole_check_type(input, ANOLE_TYPES_ANY, "the input", error);
    if (status == ANOLE_DONE)
        status = anole_check_type(call->inputs[1], ANOLE_TYPES_INDEX, "the indices", error);
    if (status == ANOLE_DONE)
        status = anole_check_same_type(call->inputs[2], input, "the updates", error);
    call->outputs[0] = *input;
    call->outputs[0].data = NULL;
    return status;
}

static double reduce_real(double x, double y, uint32_t reduction)
{
    switch (reduction) {
    case REDUCE_ADD:
        return x + y;
    case REDUCE_MUL:
        return x * y;
    case REDUCE_MAX:
        return x > y || isnan(x) ? x : y;
    default:
        return x < y || isnan(x) ? x : y;
    }
}

static int64_t reduce_int(int64_t x, int64_t y, uint32_t reduction)
{
    switch (reduction) {
    case REDUCE_ADD:
        return (int64_t)((uint64_t)x + (uint64_t)y);
    case REDUCE_MUL:
        return (int64_t)((uint64_t)x * (uint64_t)y);
    case REDUCE_MAX:
        return x > y ? x : y;
    default:
        return x < y ? x : y;
    }
}

/* `count` elements of the output from `to` on meet as many updates. */
static void update(struct anole_operand *output, int64_t to, const struct anole_operand *updates,
                   int64_t from, int64_t count, uint32_t reduction)
{
    size_t bytes = anole_dtype_bytes(output->dtype);
    if (reduction == REDUCE_NONE) {
        memcpy((char *)output->data + (size_t)to * bytes,
               (const char *)updates->data + (size_t)from * bytes, (size_t)count * bytes);
        return;
    }
    for (int64_t i = 0; i < count; i++) {
        if (anole_dtype_is_real(output->dtype)) {
            double value = reduce_real(anole_operand_real(output, (size_t)(to + i)),
                                       anole_operand_real(updates, (size_t)(from + i)), reduction);
            anole_store_reals(output, to + i, 1, &value, 1);
        } else {
            int64_t value = reduce_int(anole_operand_int(output, (size_t)(to + i)),
                                       anole_operand_int(updates, (size_t)(from + i)), reduction);
            anole_store_ints(output, to + i, 1, &value, 1);
        }
    }
}

static void copy_input(const struct anole_call *call)
{
    size_t bytes =
        anole_operand_elements(call->inputs[0]) * anole_dtype_bytes(call->inputs[0]->dtype);
    if (bytes > 0)
        memcpy(call->outputs[0].data, call->inputs[0]->data, bytes);
}

/* ----------------------------------------------------------- scatter_elements */

static enum anole_status infer_elements(struct anole_call *call, struct anole_error *error)
{
    const struct scatter *scatter = call->attributes;
    const struct anole_operand *input = call->inputs[0], *indices = call->inputs[1];
    char shapes[3][128];
    uint32_t axis;
    enum anole_status status = check(call, error);
    if (status == ANOLE_DONE)
        status = anole_operand_axis(&axis, scatter->axis, input->rank, error);
    if (status)
        return status;
    bool fits = indices->rank == input->rank && anole_operand_same_shape(indices, call->inputs[2]);
    for (uint32_t i = 0; i < input->rank && fits; i++)
        fits = i == axis || indices->dims[i] <= input->dims[i];
    if (!fits)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "indices of shape %s with updates of %s into an input of %s; expected "
                          "the first two equal, and no larger than the last but along axis %u",
                          anole_operand_shape_text(shapes[0], sizeof shapes[0], indices),
                          anole_operand_shape_text(shapes[1], sizeof shapes[1], call->inputs[2]),
                          anole_operand_shape_text(shapes[2], sizeof shapes[2], input), axis);
    return ANOLE_DONE;
}

static enum anole_status compute_elements(const struct anole_call *call, struct anole_error *error)
{
    const struct scatter *scatter = call->attributes;
    const struct anole_operand *input = call->inputs[0], *indices = call->inputs[1];
    int64_t strides[2][ANOLE_MAX_RANK];
    struct anole_walk walk;
    uint32_t axis;
    enum anole_status status = anole_operand_axis(&axis, scatter->axis, input->rank, error);
    if (status)
        return status;
    copy_input(call);
    anole_dense_strides(strides[0], input);
    anole_dense_strides(strides[1], indices);
    int64_t along = strides[0][axis];
    strides[0][axis] = 0;
    for (bool more = anole_walk_begin(&walk, indices->rank, indices->dims, 2, strides); more;
         more = anole_walk_next(&walk))
        for (int64_t i = 0; i < walk.length; i++) {
            int64_t at, from = walk.at[1] + i;
            status = anole_check_index(&at, anole_operand_int(indices, (size_t)from),
                                       input->dims[axis], error);
            if (status)
                return status;
            update(&call->outputs[0], walk.at[0] + i * walk.step[0] + at * along, call->inputs[2],
                   from, 1, scatter->reduction);
        }
    return ANOLE_DONE;
}

/* ----------------------------------------------------------------- scatter_nd */

static enum anole_status infer_nd(struct anole_call *call, struct anole_error *error)
{
    const struct anole_operand *input = call->inputs[0], *indices = call->inputs[1];
    const struct anole_operand *updates = call->inputs[2];
    char shapes[3][128];
    enum anole_status status = check(call, error);
    if (status)
        return status;
    int64_t width = indices->rank > 0 ? indices->dims[indices->rank - 1] : 0;
    bool fits = width >= 1 && width <= input->rank &&
                updates->rank == indices->rank - 1 + input->rank - (uint32_t)width;
    for (uint32_t i = 0; fits && i < updates->rank; i++)
        fits = updates->dims[i] == (i < indices->rank - 1
                                        ? indices->dims[i]
                                        : input->dims[i + width - (indices->rank - 1)]);
    if (!fits)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "indices of shape %s with updates of %s into an input of %s; expected a "
                          "slice of the input for each tuple of indices",
                          anole_operand_shape_text(shapes[0], sizeof shapes[0], indices),
                          anole_operand_shape_text(shapes[1], sizeof shapes[1], updates),
                          anole_operand_shape_text(shapes[2], sizeof shapes[2], input));
    return ANOLE_DONE;
}

static enum anole_status compute_nd(const struct anole_call *call, struct anole_error *error)
{
    const struct scatter *scatter = call->attributes;
    const struct anole_operand *input = call->inputs[0], *indices = call->inputs[1];
    uint32_t width = (uint32_t)indices->dims[indices->rank - 1];
    size_t tuples = anole_operand_elements(indices) / width;
    int64_t strides[ANOLE_MAX_RANK];
    copy_input(call);
    anole_dense_strides(strides, input);
    int64_t unit = strides[width - 1];
    for (size_t i = 0; i < tuples; i++) {
        int64_t to;
        enum anole_status status =
            anole_check_tuple(&to, indices, i, width, input->dims, strides, error);
        if (status)
            return status;
        update(&call->outputs[0], to, call->inputs[2], (int64_t)i * unit, unit, scatter->reduction);
    }
    return ANOLE_DONE;
}

static enum anole_status kernel_nd(const struct anole_call *call,
                                   struct anole_kernel_builder *builder, struct anole_error *error)
{
    const struct scatter *scatter = call->attributes;
    const struct anole_operand *input = call->inputs[0], *indices = call->inputs[1];
    const char *type = anole_plain_move_type(input->dtype);
    const uint32_t width = (uint32_t)indices->dims[indices->rank - 1];
    const size_t numbers = anole_operand_elements(indices);
    struct anole_plain_source source = {.builder = builder};
    struct anole_strided copy = {.rank = input->rank};
    if (!type || scatter->reduction != REDUCE_NONE || numbers == 0 ||
        anole_operand_elements(input) == 0)
        return anole_plain_none("this type, size or reduction", error);
    if (!anole_plain_numbers_fit(indices, width, input->dims))
        return anole_plain_none("indices that are out of range", error);
    anole_dense_strides(copy.in_strides, input);
    anole_dense_strides(copy.out_strides, input);
    memcpy(copy.dims, input->dims, sizeof copy.dims);
    anole_plain_add_copy(&source, type, 0, &copy);
    anole_plain_define(&source, "TYPE", "%s", type);
    anole_plain_define(&source, "INDEX", "%s", anole_plain_type(indices->dtype));
    anole_plain_define_int(&source, "TUPLES", (int64_t)numbers / width);
    anole_plain_define_int(&source, "TUPLE", width);
    anole_plain_define_numbers(&source, width, input->dims, copy.in_strides);
    const int64_t items = anole_plain_define_rows(&source, 1, copy.in_strides[width - 1]);
    anole_plain_text(&source, kernel_op_scatter);
    const struct anole_arg args[] = {ANOLE_PLAIN_INPUT(1), ANOLE_PLAIN_INPUT(2),
                                     ANOLE_PLAIN_OUTPUT(0)};
    anole_plain_launch(&source, "scatter", items, args, 3);
    return anole_plain_finish(&source, error);
}

#define SCATTER(NAME, KEYS, INFER, COMPUTE, KERNEL)                                                \
    const struct anole_op anole_op_##NAME = {                                                      \
        .name = #NAME,                                                                             \
        .fewest_inputs = 3,                                                                        \
        .most_inputs = 3,                                                                          \
        .fewest_outputs = 1,                                                                       \
        .most_outputs = 1,                                                                         \
        .attribute_bytes = sizeof(struct scatter),                                                 \
        .keys = KEYS,                                                                              \
        .infer = INFER,                                                                            \
        .compute = COMPUTE,                                                                        \
        .kernel = KERNEL,                                                                          \
    }

SCATTER(scatter_elements, keys, infer_elements, compute_elements, NULL);
SCATTER(scatter_nd, nd_keys, infer_nd, compute_nd, kernel_nd);
