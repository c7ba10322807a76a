/* SPDX-License-Identifier: MIT
 *
 * pad: more (or, where a number is negative, less) at the ends of dimensions: filled with a
 * value, mirrored without the edge, the edge again, or the tensor from the other side.
 *
 * `pads` has one number for the begin of each axis, then one for the end of each.
 */
#include "op/iterate.h"
#include "op/parameters.h"
#include "op/plain.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>

enum { PAD_CONSTANT, PAD_REFLECT, PAD_EDGE, PAD_WRAP };

static const char *const modes[] = {"constant", "reflect", "edge", "wrap", NULL};

struct pad {
    uint32_t mode;
    struct anole_ints pads, axes;
    double value;
};

static const struct anole_op_key keys[] = {
    {.name = "mode",
     .kind = ANOLE_KEY_CHOICE,
     .offset = offsetof(struct pad, mode),
     .choices = modes},
    {.name = "pads",
     .kind = ANOLE_KEY_INTS,
     .offset = offsetof(struct pad, pads),
     .low = -INT32_MAX,
     .high = INT32_MAX},
    {.name = "axes",
     .kind = ANOLE_KEY_INTS,
     .is_axis = true,
     .offset = offsetof(struct pad, axes),
     .low = -ANOLE_MAX_RANK,
     .high = ANOLE_MAX_RANK - 1,
     .most = ANOLE_MAX_RANK},
    {.name = "value", .kind = ANOLE_KEY_REAL, .offset = offsetof(struct pad, value)},
    {.name = NULL},
};

struct borders {
    int64_t begin[ANOLE_MAX_RANK], end[ANOLE_MAX_RANK];
};

static bool is_huge(int64_t pad)
{
    return pad < -INT32_MAX || pad > INT32_MAX;
}

static enum anole_status read_borders(struct borders *borders, const struct anole_call *call,
                                      struct anole_error *error)
{
    const struct pad *pad = call->attributes;
    uint32_t rank = call->inputs[0]->rank;
    struct anole_ints pads = pad->pads, axes = pad->axes;
    bool given, set[ANOLE_MAX_RANK];
    enum anole_status status =
        anole_input_ints(&pads, &given, call, 1, 2 * ANOLE_MAX_RANK, "the pads", error);
    if (status == ANOLE_DONE)
        status = anole_input_ints(&axes, &given, call, 3, ANOLE_MAX_RANK, "the axes", error);
    if (status == ANOLE_DONE)
        status = anole_axes_set(set, &axes, rank, true, error);
    if (status)
        return status;
    uint32_t count = axes.count ? axes.count : rank;
    if (pads.count != 2 * count)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "%u pads; expected %u: a begin and an end for each axis", pads.count,
                          2 * count);
    for (uint32_t i = 0; i < rank; i++)
        borders->begin[i] = borders->end[i] = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t axis = i;
        if (axes.count && anole_operand_axis(&axis, axes.values[i], rank, error))
            return ANOLE_ERR_INPUT;
        borders->begin[axis] = pads.values[i];
        borders->end[axis] = pads.values[i + count];
        if (is_huge(borders->begin[axis]) || is_huge(borders->end[axis]))
            return anole_fail(error, ANOLE_ERR_INPUT,
                              "pads of %" PRId64 " and %" PRId64 "; expected less than 2^31",
                              borders->begin[axis], borders->end[axis]);
    }
    return ANOLE_DONE;
}

static enum anole_status infer(struct anole_call *call, struct anole_error *error)
{
    struct pad *pad = call->attributes;
    const struct anole_operand *input = call->inputs[0], *value = anole_call_input(call, 2);
    struct anole_operand *output = &call->outputs[0];
    struct borders borders;
    char shape[128];
    enum anole_status status = read_borders(&borders, call, error);
    if (status == ANOLE_DONE && value)
        status = anole_check_same_type(value, input, "the value", error);
    if (status == ANOLE_DONE && value && anole_operand_elements(value) != 1)
        status = anole_fail(error, ANOLE_ERR_INPUT, "the value has the shape %s; expected one",
                            anole_operand_shape_text(shape, sizeof shape, value));
    if (status)
        return status;
    *output = *input;
    output->data = NULL;
    for (uint32_t i = 0; i < input->rank; i++) {
        output->dims[i] += borders.begin[i] + borders.end[i];
        if (output->dims[i] < 0 ||
            (input->dims[i] == 0 && output->dims[i] > 0 && pad->mode != PAD_CONSTANT))
            return anole_fail(error, ANOLE_ERR_INPUT,
                              "pads of %" PRId64 " and %" PRId64 " (%s) at axis %u of shape %s; "
                              "expected what leaves something",
                              borders.begin[i], borders.end[i], modes[pad->mode], i,
                              anole_operand_shape_text(shape, sizeof shape, input));
    }
    /* Who permutes dimensions renumbers axes: none may be meant by their places alone. */
    if (pad->axes.count == 0 && !anole_call_input(call, 3))
        for (; pad->axes.count < input->rank; pad->axes.count++)
            pad->axes.values[pad->axes.count] = pad->axes.count;
    return anole_check_size(output, error);
}

/* The place of the input that is seen at `at`, which may lie outside; -1: the value. */
static int64_t source(int64_t at, int64_t size, uint32_t mode)
{
    if (at >= 0 && at < size)
        return at;
    switch (mode) {
    case PAD_CONSTANT:
        return -1;
    case PAD_EDGE:
        return at < 0 ? 0 : size - 1;
    case PAD_WRAP:
        return (at % size + size) % size;
    default: {
        int64_t period = 2 * (size - 1);
        if (period == 0)
            return 0;
        at = (at % period + period) % period;
        return at < size ? at : period - at;
    }
    }
}

/* Where each place of the output is from, along each dimension; *map is what to free. */
static enum anole_status make_maps(int64_t **map, const int64_t *maps[ANOLE_MAX_RANK],
                                   const struct anole_call *call, struct anole_error *error)
{
    const struct pad *pad = call->attributes;
    const struct anole_operand *input = call->inputs[0], *output = &call->outputs[0];
    struct borders borders;
    size_t places = 0;
    enum anole_status status = read_borders(&borders, call, error);
    if (status)
        return status;
    for (uint32_t i = 0; i < output->rank; i++)
        places += (size_t)output->dims[i];
    int64_t *next = *map = malloc((places + 1) * sizeof *next);
    if (!next)
        return anole_fail_memory(error);
    for (uint32_t i = 0; i < output->rank; i++) {
        maps[i] = next;
        for (int64_t j = 0; j < output->dims[i]; j++)
            *next++ = source(j - borders.begin[i], input->dims[i], pad->mode);
    }
    return ANOLE_DONE;
}

/* The bits of the filler that is an attribute. */
static uint64_t filler_of(const struct anole_call *call)
{
    uint64_t fill = 0;
    struct anole_operand filler = {.dtype = call->outputs[0].dtype, .data = &fill};
    anole_operand_set_real(&filler, 0, ((const struct pad *)call->attributes)->value);
    return fill;
}

static enum anole_status compute(const struct anole_call *call, struct anole_error *error)
{
    const struct anole_operand *input = call->inputs[0], *value = anole_call_input(call, 2);
    struct anole_operand *output = &call->outputs[0];
    const uint64_t fill = filler_of(call);
    const int64_t *maps[ANOLE_MAX_RANK];
    int64_t *map;
    enum anole_status status = make_maps(&map, maps, call, error);
    if (status)
        return status;
    anole_copy_mapped(output, input, maps, value ? value->data : &fill);
    free(map);
    return ANOLE_DONE;
}

static enum anole_status kernel(const struct anole_call *call, struct anole_kernel_builder *builder,
                                struct anole_error *error)
{
    const int64_t *maps[ANOLE_MAX_RANK];
    int64_t *map;
    enum anole_status status = make_maps(&map, maps, call, error);
    if (status)
        return status;
    status = anole_plain_mapped(call, maps, filler_of(call), anole_call_input(call, 2) ? 2 : 0,
                                builder, error);
    free(map);
    return status;
}

const struct anole_op anole_op_pad = {
    .name = "pad",
    .flags = ANOLE_OP_ALONG_AXES,
    .fewest_inputs = 1,
    .most_inputs = 4,
    .fewest_outputs = 1,
    .most_outputs = 1,
    .attribute_bytes = sizeof(struct pad),
    .keys = keys,
    .infer = infer,
    .compute = compute,
    .kernel = kernel,
};
