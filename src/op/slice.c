/* SPDX-License-Identifier: MIT
 *
 * slice: every step-th place from a start to before an end, along some axes.  Starts and ends
 * are clamped to the tensor, and count from the end where they are negative; a negative step
 * goes backwards.
 */
#include "op/iterate.h"
#include "op/parameters.h"
#include "op/plain.h"

#include <inttypes.h>
#include <stddef.h>

struct slice {
    struct anole_ints starts, ends, axes, steps;
};

#define LIST(field, axis)                                                                          \
    {                                                                                              \
        .name = #field, .kind = ANOLE_KEY_INTS, .offset = offsetof(struct slice, field),           \
        .most = ANOLE_MAX_RANK, .is_axis = axis                                                    \
    }

static const struct anole_op_key keys[] = {
    LIST(starts, false), LIST(ends, false), LIST(axes, true), LIST(steps, false), {.name = NULL}};

/* What is taken of each dimension. */
struct cut {
    int64_t start[ANOLE_MAX_RANK], step[ANOLE_MAX_RANK], size[ANOLE_MAX_RANK];
};

static enum anole_status read_lists(struct slice *slice, const struct anole_call *call,
                                    struct anole_error *error)
{
    static const char *const names[] = {"the starts", "the ends", "the axes", "the steps"};
    struct anole_ints *lists[] = {&slice->starts, &slice->ends, &slice->axes, &slice->steps};
    enum anole_status status = ANOLE_DONE;
    bool given;
    *slice = *(const struct slice *)call->attributes;
    for (uint32_t i = 0; i < 4 && status == ANOLE_DONE; i++)
        status = anole_input_ints(lists[i], &given, call, i + 1, ANOLE_MAX_RANK, names[i], error);
    for (uint32_t i = 1; i < 4 && status == ANOLE_DONE; i++)
        if (lists[i]->count != slice->starts.count && (i == 1 || lists[i]->count > 0))
            status = anole_fail(error, ANOLE_ERR_INPUT,
                                "%u numbers in %s; expected %u, as many as starts", lists[i]->count,
                                names[i], slice->starts.count);
    return status;
}

/* A place of a dimension as files have it, within low..high. */
static int64_t place(int64_t value, int64_t size, int64_t low, int64_t high)
{
    if (value < 0)
        value = value < -size ? -1 : value + size;
    return value < low ? low : value > high ? high : value;
}

static int64_t cut_size(int64_t start, int64_t end, int64_t step)
{
    if (step > 0)
        return end > start ? (end - start - 1) / step + 1 : 0;
    /* -step of INT64_MIN does not exist; one element is what any such step takes. */
    return start > end ? (start - end - 1) / (step < -INT32_MAX ? INT32_MAX : -step) + 1 : 0;
}

static enum anole_status make_cut(struct cut *cut, const struct anole_call *call,
                                  struct anole_error *error)
{
    const struct anole_operand *input = call->inputs[0];
    struct slice slice;
    bool set[ANOLE_MAX_RANK];
    enum anole_status status = read_lists(&slice, call, error);
    if (status == ANOLE_DONE)
        status = anole_axes_set(set, &slice.axes, input->rank, false, error);
    for (uint32_t i = 0; i < input->rank; i++) {
        cut->start[i] = 0;
        cut->step[i] = 1;
        cut->size[i] = input->dims[i];
    }
    for (uint32_t i = 0; i < slice.starts.count && status == ANOLE_DONE; i++) {
        uint32_t axis;
        int64_t step = slice.steps.count ? slice.steps.values[i] : 1;
        status = anole_operand_axis(&axis, slice.axes.count ? slice.axes.values[i] : i, input->rank,
                                    error);
        if (status == ANOLE_DONE && step == 0)
            status = anole_fail(error, ANOLE_ERR_INPUT,
                                "a step of 0 along axis %u; expected any other", axis);
        if (status)
            break;
        int64_t size = input->dims[axis];
        int64_t start = step > 0 ? place(slice.starts.values[i], size, 0, size)
                                 : place(slice.starts.values[i], size, -1, size - 1);
        int64_t end = step > 0 ? place(slice.ends.values[i], size, 0, size)
                               : place(slice.ends.values[i], size, -1, size - 1);
        cut->start[axis] = start;
        cut->size[axis] = cut_size(start, end, step);
        cut->step[axis] = cut->size[axis] > 1 ? step : 1;
        if (cut->size[axis] == 0)
            cut->start[axis] = 0;
    }
    return status;
}

static enum anole_status infer(struct anole_call *call, struct anole_error *error)
{
    struct slice *slice = call->attributes;
    struct anole_operand *output = &call->outputs[0];
    struct cut cut;
    enum anole_status status = make_cut(&cut, call, error);
    if (status)
        return status;
    /* Who permutes dimensions renumbers axes: none may be meant by their places alone. */
    if (slice->axes.count == 0 && !anole_call_input(call, 3))
        for (; slice->axes.count < slice->starts.count; slice->axes.count++)
            slice->axes.values[slice->axes.count] = slice->axes.count;
    *output = *call->inputs[0];
    output->data = NULL;
    for (uint32_t i = 0; i < output->rank; i++)
        output->dims[i] = cut.size[i];
    return ANOLE_DONE;
}

static enum anole_status compute(const struct anole_call *call, struct anole_error *error)
{
    const struct anole_operand *input = call->inputs[0];
    struct anole_operand *output = &call->outputs[0];
    size_t bytes = anole_dtype_bytes(input->dtype);
    int64_t from[ANOLE_MAX_RANK], to[ANOLE_MAX_RANK], first = 0;
    struct cut cut;
    enum anole_status status = make_cut(&cut, call, error);
    if (status || anole_operand_elements(output) == 0)
        return status;
    anole_dense_strides(from, input);
    anole_dense_strides(to, output);
    for (uint32_t i = 0; i < input->rank; i++) {
        first += cut.start[i] * from[i];
        from[i] *= cut.step[i];
    }
    anole_copy_strided(output->data, to, (const char *)input->data + (size_t)first * bytes, from,
                       input->rank, output->dims, bytes);
    return ANOLE_DONE;
}

static enum anole_status kernel(const struct anole_call *call, struct anole_kernel_builder *builder,
                                struct anole_error *error)
{
    const struct anole_operand *input = call->inputs[0];
    const struct anole_operand *output = &call->outputs[0];
    struct anole_strided copy = {.rank = output->rank};
    struct cut cut;
    enum anole_status status = make_cut(&cut, call, error);
    if (status)
        return status;
    anole_dense_strides(copy.in_strides, input);
    anole_dense_strides(copy.out_strides, output);
    for (uint32_t i = 0; i < output->rank; i++) {
        copy.dims[i] = output->dims[i];
        copy.first_in += cut.start[i] * copy.in_strides[i];
        copy.in_strides[i] *= cut.step[i];
    }
    return anole_plain_strided(builder, output->dtype, &copy, 1, error);
}

const struct anole_op anole_op_slice = {
    .name = "slice",
    .flags = ANOLE_OP_ALONG_AXES,
    .fewest_inputs = 1,
    .most_inputs = 5,
    .fewest_outputs = 1,
    .most_outputs = 1,
    .attribute_bytes = sizeof(struct slice),
    .keys = keys,
    .infer = infer,
    .compute = compute,
    .kernel = kernel,
};
