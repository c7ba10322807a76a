/* SPDX-License-Identifier: MIT
 *
 * arg_max, arg_min: the place of the largest (smallest) element along an axis, as I64; of
 * several the first, or the last.  A NaN is both.
 */
#include "kernels/op_arg.cl.h"
#include "op/iterate.h"
#include "op/parameters.h"
#include "op/plain.h"

#include <math.h>
#include <stddef.h>

struct arg {
    int64_t axis;
    bool keep_dims, select_last_index;
};

static const struct arg defaults = {.keep_dims = true};

static const struct anole_op_key keys[] = {
    {.name = "axis",
     .kind = ANOLE_KEY_INT,
     .is_axis = true,
     .offset = offsetof(struct arg, axis),
     .low = -ANOLE_MAX_RANK,
     .high = ANOLE_MAX_RANK - 1},
    {.name = "keep_dims", .kind = ANOLE_KEY_BOOL, .offset = offsetof(struct arg, keep_dims)},
    {.name = "select_last_index",
     .kind = ANOLE_KEY_BOOL,
     .offset = offsetof(struct arg, select_last_index)},
    {.name = NULL},
};

static enum anole_status infer(struct anole_call *call, struct anole_error *error)
{
    const struct arg *arg = call->attributes;
    const struct anole_operand *input = call->inputs[0];
    struct anole_operand *output = &call->outputs[0];
    uint32_t axis;
    enum anole_status status = anole_check_type(input, ANOLE_TYPES_NUMBER, "the input", error);
    if (status == ANOLE_DONE)
        status = anole_operand_axis(&axis, arg->axis, input->rank, error);
    if (status)
        return status;
    output->dtype = ANOLE_I64;
    output->rank = 0;
    for (uint32_t i = 0; i < input->rank; i++)
        if (i != axis || arg->keep_dims)
            output->dims[output->rank++] = i == axis ? 1 : input->dims[i];
    if (input->dims[axis] == 0 && anole_operand_elements(output) > 0)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "there is nothing along axis %u; expected at least one element", axis);
    return anole_check_size(output, error);
}

/* Whether x comes before y in the order that is looked for. */
static bool real_before(double x, double y, bool smallest)
{
    if (isnan(x) || isnan(y))
        return isnan(x) && !isnan(y);
    return smallest ? x < y : x > y;
}

static bool before(const struct anole_operand *input, size_t x, size_t y, bool smallest)
{
    if (anole_dtype_is_real(input->dtype) || input->dtype == ANOLE_U64)
        return real_before(anole_operand_real(input, x), anole_operand_real(input, y), smallest);
    int64_t a = anole_operand_int(input, x), b = anole_operand_int(input, y);
    return smallest ? a < b : a > b;
}

static enum anole_status find(const struct anole_call *call, bool smallest,
                              struct anole_error *error)
{
    const struct arg *arg = call->attributes;
    const struct anole_operand *input = call->inputs[0];
    uint32_t axis;
    enum anole_status status = anole_operand_axis(&axis, arg->axis, input->rank, error);
    if (status)
        return status;
    struct anole_axis split = anole_axis_split(input, axis);
    for (int64_t o = 0; o < split.outer; o++)
        for (int64_t i = 0; i < split.inner; i++) {
            size_t line = (size_t)(o * split.length * split.inner + i);
            int64_t best = 0;
            for (int64_t j = 1; j < split.length; j++) {
                size_t at = line + (size_t)(j * split.inner);
                size_t found = line + (size_t)(best * split.inner);
                if (arg->select_last_index ? !before(input, found, at, smallest)
                                           : before(input, at, found, smallest))
                    best = j;
            }
            ((int64_t *)call->outputs[0].data)[o * split.inner + i] = best;
        }
    return ANOLE_DONE;
}

static enum anole_status compute_max(const struct anole_call *call, struct anole_error *error)
{
    return find(call, false, error);
}

static enum anole_status compute_min(const struct anole_call *call, struct anole_error *error)
{
    return find(call, true, error);
}

static enum anole_status make_kernel(const struct anole_call *call, bool smallest,
                                     struct anole_kernel_builder *builder,
                                     struct anole_error *error)
{
    const struct arg *arg = call->attributes;
    const struct anole_operand *input = call->inputs[0];
    const char *type = anole_plain_type(input->dtype);
    struct anole_plain_source source = {.builder = builder};
    uint32_t axis;
    enum anole_status status = anole_operand_axis(&axis, arg->axis, input->rank, error);
    if (status)
        return status;
    if (!type || anole_operand_elements(input) == 0)
        return anole_plain_none("this type", error);
    const struct anole_axis split = anole_axis_split(input, axis);
    const int64_t items = split.outer * split.inner;
    anole_plain_define(&source, "TYPE", "%s", type);
    anole_plain_define(&source, "BEFORE", smallest ? "<" : ">");
    anole_plain_define_int(&source, "LAST", arg->select_last_index);
    anole_plain_define_int(&source, "AXIS", split.length);
    anole_plain_define_int(&source, "INNER", split.inner);
    anole_plain_define_int(&source, "ITEMS", items);
    anole_plain_text(&source, kernel_op_arg);
    const struct anole_arg args[] = {ANOLE_PLAIN_INPUT(0), ANOLE_PLAIN_OUTPUT(0)};
    anole_plain_launch(&source, "arg", items, args, 2);
    return anole_plain_finish(&source, error);
}

static enum anole_status kernel_max(const struct anole_call *call,
                                    struct anole_kernel_builder *builder, struct anole_error *error)
{
    return make_kernel(call, false, builder, error);
}

static enum anole_status kernel_min(const struct anole_call *call,
                                    struct anole_kernel_builder *builder, struct anole_error *error)
{
    return make_kernel(call, true, builder, error);
}

#define ARG(NAME, COMPUTE, KERNEL)                                                                 \
    const struct anole_op anole_op_##NAME = {                                                      \
        .name = #NAME,                                                                             \
        .flags = ANOLE_OP_ALONG_AXES,                                                              \
        .fewest_inputs = 1,                                                                        \
        .most_inputs = 1,                                                                          \
        .fewest_outputs = 1,                                                                       \
        .most_outputs = 1,                                                                         \
        .attribute_bytes = sizeof(struct arg),                                                     \
        .defaults = &defaults,                                                                     \
        .keys = keys,                                                                              \
        .infer = infer,                                                                            \
        .compute = COMPUTE,                                                                        \
        .kernel = KERNEL,                                                                          \
    }

ARG(arg_max, compute_max, kernel_max);
ARG(arg_min, compute_min, kernel_min);
