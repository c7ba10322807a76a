/* SPDX-License-Identifier: MIT
 *
 * ONNX's operators that slide a window or sample: convolutions, pooling, resizing.
 */
#include "frontend/onnx_translate.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What convolutions and pooling have in common, for each of `spatial` directions. */
struct window {
    uint32_t spatial;
    struct anole_ints kernel, strides, dilations;
    struct anole_ints pads; /* all begins, then all ends */
    const char *auto_pad;   /* "NOTSET": as pads say */
};

static void fill(struct anole_ints *ints, uint32_t count, int64_t value)
{
    ints->count = count;
    for (uint32_t i = 0; i < count; i++)
        ints->values[i] = value;
}

static void read_list(struct anole_onnx_context *context, struct anole_ints *ints, const char *name,
                      uint32_t count, int64_t otherwise, int64_t low)
{
    fill(ints, count, otherwise);
    anole_onnx_get_ints(context, name, ints);
    if (ints->count != count)
        anole_onnx_refuse(context, "%s has %u numbers; expected %u", name, ints->count, count);
    for (uint32_t i = 0; i < ints->count && i < count; i++)
        if (ints->values[i] < low || ints->values[i] > INT32_MAX)
            anole_onnx_refuse(context, "%s has %" PRId64 "; expected %" PRId64 " or more", name,
                              ints->values[i], low);
}

/* `kernel`: the sizes, where the attribute is absent; NULL: it must be there. */
static void read_window(struct anole_onnx_context *context, struct window *w, uint32_t rank,
                        const int64_t *kernel)
{
    *w = (struct window){.spatial = rank - 2};
    if (rank < 3 || rank > 5) {
        anole_onnx_refuse(context, "its input has %u dimensions; expected 3 to 5", rank);
        return;
    }
    if (!anole_onnx_has(context, "kernel_shape") && !kernel)
        anole_onnx_refuse(context, "it has no kernel_shape");
    read_list(context, &w->kernel, "kernel_shape", w->spatial, 1, 1);
    for (uint32_t i = 0; i < w->spatial && kernel; i++) {
        if (anole_onnx_has(context, "kernel_shape") && w->kernel.values[i] != kernel[i])
            anole_onnx_refuse(context,
                              "kernel_shape has %" PRId64 "; expected %" PRId64
                              ", as the weights have it",
                              w->kernel.values[i], kernel[i]);
        w->kernel.values[i] = kernel[i];
    }
    read_list(context, &w->strides, "strides", w->spatial, 1, 1);
    read_list(context, &w->dilations, "dilations", w->spatial, 1, 1);
    read_list(context, &w->pads, "pads", 2 * w->spatial, 0, -INT32_MAX);
    w->auto_pad = anole_onnx_get_text(context, "auto_pad", "NOTSET");
    if (strcmp(w->auto_pad, "NOTSET") != 0)
        fill(&w->pads, 2 * w->spatial, 0);
}

/* As much padding as makes the output ceil(size / stride). */
static void pad_same(const struct anole_onnx_context *context, struct window *w,
                     const int64_t *sizes)
{
    if (context->status)
        return;
    bool lower = strcmp(w->auto_pad, "SAME_LOWER") == 0;
    if (!lower && strcmp(w->auto_pad, "SAME_UPPER") != 0)
        return;
    for (uint32_t i = 0; i < w->spatial; i++) {
        int64_t stride = w->strides.values[i], out = (sizes[i] + stride - 1) / stride;
        int64_t reach = (w->kernel.values[i] - 1) * w->dilations.values[i] + 1;
        int64_t needed = (out - 1) * stride + reach - sizes[i];
        if (needed < 0)
            needed = 0;
        w->pads.values[i] = (needed + lower) / 2;
        w->pads.values[w->spatial + i] = needed - w->pads.values[i];
    }
}

/* One-dimensional windows get a height of 1. */
static void widen(struct window *w)
{
    if (w->spatial != 1)
        return;
    w->kernel = (struct anole_ints){2, {1, w->kernel.values[0]}};
    w->strides = (struct anole_ints){2, {1, w->strides.values[0]}};
    w->dilations = (struct anole_ints){2, {1, w->dilations.values[0]}};
    w->pads = (struct anole_ints){4, {0, w->pads.values[0], 0, w->pads.values[1]}};
}

/* [n, l, c] as [n, 1, l, c]. */
static size_t insert_height(struct anole_onnx_context *context, size_t x)
{
    const struct anole_operand *type = anole_onnx_type(context, x);
    if (type->rank != 3)
        return x;
    const int64_t dims[] = {type->dims[0], 1, type->dims[1], type->dims[2]};
    return anole_onnx_reshape(context, x, dims, 4);
}

static size_t remove_height(struct anole_onnx_context *context, size_t x, bool inserted)
{
    const struct anole_operand *type = anole_onnx_type(context, x);
    if (!inserted || type->rank != 4)
        return x;
    const int64_t dims[] = {type->dims[0], type->dims[2], type->dims[3]};
    return anole_onnx_reshape(context, x, dims, 3);
}

/* -------------------------------------------------------------- convolutions */

/* Negative padding cuts: only a pad can do that. */
static size_t cut(struct anole_onnx_context *context, size_t x, struct window *w)
{
    struct anole_ints pads = {.count = 8};
    bool any = false;
    for (uint32_t i = 0; i < 4; i++)
        if (w->pads.values[i] < 0) {
            /* [n, h, w, c]: begins, then ends. */
            pads.values[i < 2 ? 1 + i : 3 + i] = w->pads.values[i];
            w->pads.values[i] = 0;
            any = true;
        }
    if (!any)
        return x;
    size_t y = anole_onnx_add1(context, "pad", x);
    anole_onnx_set_ints(context, "pads", &pads);
    return anole_onnx_done(context, y);
}

/* `bias` ANOLE_NONE: there is none. */
static size_t add_convolution(struct anole_onnx_context *context, const char *op, size_t x,
                              size_t weights, size_t bias, const struct window *w, int64_t groups)
{
    const size_t inputs[] = {x, weights, bias};
    size_t y = anole_onnx_add(context, op, inputs, bias == ANOLE_NONE ? 2 : 3);
    anole_onnx_set_ints(context, "strides", &w->strides);
    anole_onnx_set_ints(context, "dilations", &w->dilations);
    anole_onnx_set_ints(context, "pads", &w->pads);
    if (groups > 0)
        anole_onnx_set_int(context, "groups", groups);
    return y;
}

static bool check_convolution(struct anole_onnx_context *context, const struct anole_operand *x,
                              const struct anole_operand *weights, uint32_t most)
{
    if (context->status == ANOLE_DONE &&
        (x->rank != weights->rank || x->rank < 3 || x->rank > most))
        anole_onnx_refuse(context,
                          "its input has %u and its weights have %u dimensions; expected 3 %s %u "
                          "of both",
                          x->rank, weights->rank, most > 4 ? "to" : "or", most);
    return context->status == ANOLE_DONE;
}

/* Weights [c * m][1][kh][kw] of a convolution that has as many groups as channels, as
 * [kh][kw][c * m]. */
static size_t depthwise_weights(struct anole_onnx_context *context, size_t weights,
                                const struct anole_operand *shape)
{
    static const int64_t perm[] = {1, 2, 0};
    const int64_t dims[] = {shape->dims[0], shape->rank == 4 ? shape->dims[2] : 1,
                            shape->dims[shape->rank - 1]};
    return anole_onnx_transpose(context, anole_onnx_reshape(context, weights, dims, 3), perm, 3);
}

/* [n, h, w, c] with weights [channels][c / groups][kh][kw], or without heights. */
static size_t convolve(struct anole_onnx_context *context, size_t x, size_t weights, size_t bias,
                       struct window w, int64_t groups)
{
    static const int64_t plane[] = {0, 2, 3, 1}, line[] = {0, 2, 1};
    if (context->status)
        return ANOLE_NONE;
    const struct anole_operand shape = *anole_onnx_type(context, weights);
    const struct anole_operand *type = anole_onnx_type(context, x);
    const bool depthwise = groups > 1 && groups == type->dims[type->rank - 1] && shape.dims[1] == 1;
    x = cut(context, x, &w);
    if (depthwise)
        weights = depthwise_weights(context, weights, &shape);
    else
        weights = insert_height(
            context,
            anole_onnx_transpose(context, weights, shape.rank == 3 ? line : plane, shape.rank));
    size_t y = add_convolution(context, depthwise ? "depthwise_conv2d" : "conv2d", x, weights, bias,
                               &w, depthwise ? 0 : groups);
    if (depthwise)
        anole_onnx_set_int(context, "multiplier", shape.dims[0] / groups);
    return anole_onnx_done(context, y);
}

/* ------------------------------------------------------------ three dimensions */

/* Places first, first + step, ..., `count` of them, along an axis. */
static size_t take_places(struct anole_onnx_context *context, size_t x, int64_t axis, int64_t first,
                          int64_t step, int64_t count)
{
    const struct anole_ints starts = {1, {first}}, ends = {1, {first + (count - 1) * step + 1}};
    const struct anole_ints axes = {1, {axis}}, steps = {1, {step}};
    if (count == anole_onnx_type(context, x)->dims[axis])
        return x;
    size_t y = anole_onnx_add1(context, "slice", x);
    anole_onnx_set_ints(context, "starts", &starts);
    anole_onnx_set_ints(context, "ends", &ends);
    anole_onnx_set_ints(context, "axes", &axes);
    anole_onnx_set_ints(context, "steps", &steps);
    return anole_onnx_done(context, y);
}

/* Padding along the depth of [n, d, h, w, c]. */
static size_t pad_depth(struct anole_onnx_context *context, size_t x, const struct window *w)
{
    const struct anole_ints pads = {10, {0, w->pads.values[0], 0, 0, 0, 0, w->pads.values[3]}};
    if (w->pads.values[0] == 0 && w->pads.values[3] == 0)
        return x;
    size_t y = anole_onnx_add1(context, "pad", x);
    anole_onnx_set_ints(context, "pads", &pads);
    return anole_onnx_done(context, y);
}

/* What a window in depth is within each of its planes. */
static struct window plane_of(const struct window *w)
{
    const int64_t *pads = w->pads.values;
    return (struct window){.spatial = 2,
                           .kernel = {2, {w->kernel.values[1], w->kernel.values[2]}},
                           .strides = {2, {w->strides.values[1], w->strides.values[2]}},
                           .dilations = {2, {w->dilations.values[1], w->dilations.values[2]}},
                           .pads = {4, {pads[1], pads[2], pads[4], pads[5]}},
                           .auto_pad = w->auto_pad};
}

/* Depth `k` of the weights [channels][c / groups][kd][kh][kw]. */
static size_t weights_at(struct anole_onnx_context *context, size_t weights, int64_t k)
{
    size_t y = take_places(context, weights, 2, k, 1, 1);
    const int64_t *from = anole_onnx_type(context, y)->dims;
    const int64_t dims[] = {from[0], from[1], from[3], from[4]};
    return anole_onnx_reshape(context, y, dims, 4);
}

/* A sum over the depth of the window: of each a convolution of planes, all of a depth's at once, as
 * if they were more images. */
static void convolve_depth(struct anole_onnx_context *context, size_t x, size_t weights,
                           const struct window *w, int64_t groups)
{
    x = pad_depth(context, anole_onnx_channels_last(context, x), w);
    const struct anole_operand type = *anole_onnx_type(context, x);
    const int64_t stride = w->strides.values[0], dilation = w->dilations.values[0];
    const int64_t places = type.dims[1] - (w->kernel.values[0] - 1) * dilation - 1;
    size_t sum = ANOLE_NONE;
    if (context->status == ANOLE_DONE && (places < 0 || w->kernel.values[0] > 1024)) {
        anole_onnx_refuse(context,
                          "a window of depth %" PRId64 " (dilation %" PRId64 ") in a depth of "
                          "%" PRId64 ", with its padding; expected it to fit, and 1024 at most",
                          w->kernel.values[0], dilation, type.dims[1]);
        return;
    }
    const int64_t out = places / stride + 1;
    const int64_t images[] = {type.dims[0] * out, type.dims[2], type.dims[3], type.dims[4]};
    for (int64_t k = 0; k < w->kernel.values[0] && context->status == ANOLE_DONE; k++) {
        size_t from = take_places(context, x, 1, k * dilation, stride, out);
        size_t y = convolve(
            context, anole_onnx_reshape(context, from, images, 4), weights_at(context, weights, k),
            k == 0 ? anole_onnx_input(context, 2) : ANOLE_NONE, plane_of(w), groups);
        sum = k == 0 ? y : anole_onnx_binary(context, "add", y, sum);
    }
    if (context->status)
        return;
    const int64_t *made = anole_onnx_type(context, sum)->dims;
    const int64_t dims[] = {type.dims[0], out, made[1], made[2], made[3]};
    context->outputs[0] =
        anole_onnx_channels_second(context, anole_onnx_reshape(context, sum, dims, 5));
}

void anole_onnx_conv(struct anole_onnx_context *context)
{
    struct window w;
    size_t x = anole_onnx_need(context, 0), weights = anole_onnx_need(context, 1);
    const struct anole_operand type = *anole_onnx_type(context, x);
    const struct anole_operand shape = *anole_onnx_type(context, weights);
    if (!check_convolution(context, &type, &shape, 5))
        return;
    read_window(context, &w, type.rank, shape.dims + 2);
    pad_same(context, &w, type.dims + 2);
    const int64_t groups = anole_onnx_get_int(context, "group", 1);
    if (context->status)
        return;
    if (type.rank == 5) {
        convolve_depth(context, x, weights, &w, groups);
        return;
    }
    widen(&w);
    x = insert_height(context, anole_onnx_channels_last(context, x));
    size_t y = convolve(context, x, weights, anole_onnx_input(context, 2), w, groups);
    context->outputs[0] =
        anole_onnx_channels_second(context, remove_height(context, y, type.rank == 3));
}

/* Weights [in][out / groups][kh][kw] as [out][kh][kw][in / groups]. */
static size_t transposed_weights(struct anole_onnx_context *context, size_t weights,
                                 const struct anole_operand *shape, int64_t groups)
{
    static const int64_t perm[] = {0, 2, 3, 4, 1};
    int64_t height = shape->rank == 4 ? shape->dims[2] : 1, width = shape->dims[shape->rank - 1];
    int64_t in = shape->dims[0], out = shape->dims[1];
    if (groups < 1 || in % groups != 0) {
        anole_onnx_refuse(context, "%" PRId64 " groups do not divide %" PRId64 " channels", groups,
                          in);
        return ANOLE_NONE;
    }
    const int64_t apart[] = {groups, in / groups, out, height, width};
    const int64_t together[] = {groups * out, height, width, in / groups};
    weights = anole_onnx_reshape(context, weights, apart, 5);
    weights = anole_onnx_transpose(context, weights, perm, 5);
    return anole_onnx_reshape(context, weights, together, 4);
}

/* Padding that gives the output asked for; see ONNX's ConvTranspose. */
static void pad_transposed(struct anole_onnx_context *context, struct window *w,
                           const int64_t *sizes, struct anole_ints *extra)
{
    struct anole_ints wanted;
    bool given = anole_onnx_get_ints(context, "output_shape", &wanted);
    bool same = strncmp(w->auto_pad, "SAME", 4) == 0;
    /* Some files have all dimensions there. */
    uint32_t skip = given && wanted.count == w->spatial + 2 ? 2 : 0;
    if (given && wanted.count - skip != w->spatial)
        anole_onnx_refuse(context, "output_shape has %u numbers; expected %u", wanted.count,
                          w->spatial);
    for (uint32_t i = 0; i < w->spatial && context->status == ANOLE_DONE && (given || same); i++) {
        int64_t stride = w->strides.values[i];
        int64_t out = given ? wanted.values[skip + i] : sizes[i] * stride;
        int64_t reach = (w->kernel.values[i] - 1) * w->dilations.values[i] + 1;
        int64_t total = stride * (sizes[i] - 1) + extra->values[i] + reach - out;
        if (total < 0) { /* more than there is: zeroes at the end */
            extra->values[i] -= total;
            total = 0;
        }
        bool upper = strcmp(w->auto_pad, "SAME_UPPER") == 0;
        int64_t half = total / 2;
        w->pads.values[i] = upper ? half : total - half;
        w->pads.values[w->spatial + i] = upper ? total - half : half;
    }
}

static void conv_transpose(struct anole_onnx_context *context)
{
    struct window w;
    struct anole_ints extra;
    size_t x = anole_onnx_need(context, 0), weights = anole_onnx_need(context, 1);
    const struct anole_operand type = *anole_onnx_type(context, x);
    const struct anole_operand shape = *anole_onnx_type(context, weights);
    int64_t groups = anole_onnx_get_int(context, "group", 1);
    if (!check_convolution(context, &type, &shape, 4))
        return;
    read_window(context, &w, type.rank, shape.dims + 2);
    read_list(context, &extra, "output_padding", type.rank - 2, 0, 0);
    pad_transposed(context, &w, type.dims + 2, &extra);
    bool one = type.rank == 3;
    if (one)
        extra = (struct anole_ints){2, {0, extra.values[0]}};
    widen(&w);
    x = insert_height(context, anole_onnx_channels_last(context, x));
    weights = transposed_weights(context, weights, &shape, groups);
    size_t y = add_convolution(context, "conv_transpose2d", x, weights,
                               anole_onnx_input(context, 2), &w, groups);
    anole_onnx_set_ints(context, "output_padding", &extra);
    y = anole_onnx_done(context, y);
    context->outputs[0] = anole_onnx_channels_second(context, remove_height(context, y, one));
}

/* ------------------------------------------------------------------- pooling */

static void pool(struct anole_onnx_context *context)
{
    const char *op = context->translator->function;
    struct window w;
    size_t x = anole_onnx_need(context, 0);
    const struct anole_operand type = *anole_onnx_type(context, x);
    read_window(context, &w, type.rank, NULL);
    if (context->status)
        return;
    pad_same(context, &w, type.dims + 2);
    const bool indices = anole_onnx_wants(context, 1);
    size_t y[2] = {ANOLE_NONE, ANOLE_NONE};
    x = anole_onnx_channels_last(context, x);
    if (indices)
        anole_onnx_add_many(context, op, &x, 1, y, 2);
    else
        y[0] = anole_onnx_add1(context, op, x);
    if (indices)
        anole_onnx_set_bool(context, "column_major",
                            anole_onnx_get_int(context, "storage_order", 0) != 0);
    anole_onnx_set_ints(context, "kernel", &w.kernel);
    anole_onnx_set_ints(context, "strides", &w.strides);
    anole_onnx_set_ints(context, "dilations", &w.dilations);
    anole_onnx_set_ints(context, "pads", &w.pads);
    anole_onnx_set_bool(context, "ceil_mode", anole_onnx_get_int(context, "ceil_mode", 0) != 0);
    if (strcmp(op, "average_pool") == 0)
        anole_onnx_set_bool(context, "count_include_pad",
                            anole_onnx_get_int(context, "count_include_pad", 0) != 0);
    anole_onnx_done(context, y[0]);
    context->outputs[0] = anole_onnx_channels_second(context, y[0]);
    if (indices)
        context->outputs[1] = anole_onnx_channels_second(context, y[1]);
}

/* What MaxUnpool makes where it is not told: dims[rank]. */
static void unpooled_shape(struct anole_onnx_context *context, int64_t *dims,
                           const struct anole_operand *type)
{
    struct anole_ints kernel = {.count = 0}, strides = {.count = 0}, pads = {.count = 0};
    const uint32_t axes = type->rank - 2;
    anole_onnx_get_ints(context, "kernel_shape", &kernel);
    const bool stepped = anole_onnx_get_ints(context, "strides", &strides);
    const bool padded = anole_onnx_get_ints(context, "pads", &pads);
    if (kernel.count != axes || (stepped && strides.count != axes) ||
        (padded && pads.count != 2 * axes))
        anole_onnx_refuse(context, "its attributes are not of %u dimensions", axes);
    if (context->status)
        return;
    for (uint32_t i = 0; i < type->rank; i++)
        dims[i] = type->dims[i];
    for (uint32_t i = 0; i < axes; i++)
        dims[i + 2] = (type->dims[i + 2] - 1) * (stepped ? strides.values[i] : 1) +
                      kernel.values[i] - (padded ? pads.values[i] + pads.values[i + axes] : 0);
}

/* Elements at the places that MaxPool told, zeros elsewhere: scattered over a list.  Indices are
 * those of the shape that follows from the attributes; a larger one that is asked for is filled up
 * at its ends. */
static void max_unpool(struct anole_onnx_context *context)
{
    size_t x = anole_onnx_need(context, 0), places = anole_onnx_need(context, 1), zeros;
    const struct anole_operand type = *anole_onnx_type(context, x);
    int64_t dims[ANOLE_MAX_RANK], count = 1, all = -1;
    struct anole_ints wanted = {.count = 0}, pads = {.count = 0};
    if (type.rank < 3)
        anole_onnx_refuse(context, "its input has %u dimensions; expected 3 or more", type.rank);
    if (context->status)
        return;
    unpooled_shape(context, dims, &type);
    for (uint32_t i = 0; i < type.rank && !context->status; i++) {
        if (dims[i] < 0 || (dims[i] > 0 && count > INT32_MAX / dims[i]))
            anole_onnx_refuse(context, "what it makes is of no size, or too large");
        count *= dims[i];
    }
    if (context->status)
        return;
    float *data = calloc((size_t)count + 1, sizeof *data);
    const struct anole_operand list = {
        .dtype = ANOLE_F32, .rank = 1, .dims = {count}, .data = data};
    enum anole_status status =
        data ? anole_graph_add_constant(context->graph, &zeros, NULL, &list, false, context->error)
             : anole_fail_memory(context->error);
    free(data);
    if (status) {
        context->status = status;
        return;
    }
    const size_t inputs[] = {anole_onnx_cast(context, zeros, type.dtype),
                             anole_onnx_reshape(context, places, &all, 1),
                             anole_onnx_reshape(context, x, &all, 1)};
    size_t y = anole_onnx_done(context, anole_onnx_add(context, "scatter_elements", inputs, 3));
    y = anole_onnx_reshape(context, y, dims, type.rank);
    if (anole_onnx_input(context, 2) != ANOLE_NONE &&
        anole_onnx_numbers(context, "output_shape", 2, &wanted)) {
        if (wanted.count != type.rank)
            anole_onnx_refuse(context, "%u sizes of its output; expected %u", wanted.count,
                              type.rank);
        for (uint32_t i = 0; i < 2 * type.rank && !context->status; i++)
            pads.values[pads.count++] =
                i < type.rank ? 0 : wanted.values[i - type.rank] - dims[i - type.rank];
        y = anole_onnx_add1(context, "pad", y);
        anole_onnx_set_ints(context, "pads", &pads);
        y = anole_onnx_done(context, y);
    }
    context->outputs[0] = y;
}

/* The names of modes changed at opset 20. */
static void grid_sample(struct anole_onnx_context *context)
{
    const char *mode = anole_onnx_get_text(context, "mode", "linear");
    const size_t inputs[] = {anole_onnx_channels_last(context, anole_onnx_need(context, 0)),
                             anole_onnx_need(context, 1)};
    if (strcmp(mode, "bilinear") == 0)
        mode = "linear";
    if (strcmp(mode, "bicubic") == 0)
        mode = "cubic";
    size_t y = anole_onnx_add(context, "grid_sample", inputs, 2);
    anole_onnx_set_choice(context, "mode", mode);
    anole_onnx_set_choice(context, "padding",
                          anole_onnx_get_text(context, "padding_mode", "zeros"));
    anole_onnx_set_bool(context, "align_corners",
                        anole_onnx_get_int(context, "align_corners", 0) != 0);
    context->outputs[0] = anole_onnx_channels_second(context, anole_onnx_done(context, y));
}

/* Before opset 16 elements lay at the corners of pixels. */
static void roi_align(struct anole_onnx_context *context)
{
    const char *mode = anole_onnx_get_text(context, "mode", "avg");
    const char *coordinates =
        anole_onnx_get_text(context, "coordinate_transformation_mode",
                            context->opset >= 16 ? "half_pixel" : "output_half_pixel");
    const bool half_pixel = strcmp(coordinates, "half_pixel") == 0;
    const size_t inputs[] = {anole_onnx_channels_last(context, anole_onnx_need(context, 0)),
                             anole_onnx_need(context, 1), anole_onnx_need(context, 2)};
    if (!half_pixel && strcmp(coordinates, "output_half_pixel") != 0)
        anole_onnx_refuse(context,
                          "coordinate_transformation_mode is \"%.40s\"; expected half_pixel or "
                          "output_half_pixel",
                          coordinates);
    size_t y = anole_onnx_add(context, "roi_align", inputs, 3);
    anole_onnx_set_choice(context, "mode", strcmp(mode, "avg") == 0 ? "average" : mode);
    anole_onnx_set_int(context, "height", anole_onnx_get_int(context, "output_height", 1));
    anole_onnx_set_int(context, "width", anole_onnx_get_int(context, "output_width", 1));
    anole_onnx_set_int(context, "sampling_ratio", anole_onnx_get_int(context, "sampling_ratio", 0));
    anole_onnx_set_real(context, "scale", anole_onnx_get_real(context, "spatial_scale", 1));
    anole_onnx_set_bool(context, "half_pixel", half_pixel);
    context->outputs[0] = anole_onnx_channels_second(context, anole_onnx_done(context, y));
}

static void global_pool(struct anole_onnx_context *context)
{
    size_t x = anole_onnx_need(context, 0);
    uint32_t rank = anole_onnx_rank(context, x);
    struct anole_ints axes = {.count = 0};
    if (rank < 3)
        anole_onnx_refuse(context, "its input has %u dimensions; expected 3 or more", rank);
    for (uint32_t i = 2; i < rank; i++)
        axes.values[axes.count++] = i;
    context->outputs[0] = anole_onnx_reduce(context, context->translator->function, x, &axes, true);
}

/* ------------------------------------------------------------------ resizing */

/* An input; ANOLE_NONE also if it is an empty list, as exporters write what is absent. */
static size_t unless_empty(struct anole_onnx_context *context, size_t i)
{
    size_t tensor = anole_onnx_input(context, i);
    if (tensor == ANOLE_NONE || anole_operand_elements(anole_onnx_type(context, tensor)) == 0)
        return ANOLE_NONE;
    return tensor;
}

/* The scales of an Upsample of opset 7 as a constant. */
static size_t scales_attribute(struct anole_onnx_context *context)
{
    const struct anole_onnx_attribute *scales = anole_onnx_attribute_find(context->node, "scales");
    size_t tensor;
    if (!scales || scales->kind != ANOLE_ONNX_ATTRIBUTE_FLOATS) {
        anole_onnx_refuse(context, "it has no scales");
        return ANOLE_NONE;
    }
    const struct anole_operand type = {
        .dtype = ANOLE_F32, .rank = 1, .dims = {(int64_t)scales->count}, .data = scales->floats};
    enum anole_status status =
        anole_graph_add_constant(context->graph, &tensor, NULL, &type, false, context->error);
    if (status)
        context->status = status;
    return status ? ANOLE_NONE : tensor;
}

/* What scales or sizes say beyond batch and channels, if these stay as they are; else, or if
 * they are not known, ANOLE_NONE. */
static size_t beyond_channels(struct anole_onnx_context *context, size_t x, size_t list,
                              bool are_sizes)
{
    const struct anole_operand type = *anole_onnx_type(context, list);
    const struct anole_operand *input = anole_onnx_type(context, x);
    size_t bytes = anole_dtype_bytes(type.dtype), tensor;
    if (context->status || !type.data || type.rank != 1 || input->rank < 3 ||
        anole_operand_elements(&type) != input->rank)
        return ANOLE_NONE;
    for (uint32_t i = 0; i < 2; i++)
        if (anole_operand_real(&type, i) != (are_sizes ? (double)input->dims[i] : 1.0))
            return ANOLE_NONE;
    const struct anole_operand rest = {.dtype = type.dtype,
                                       .rank = 1,
                                       .dims = {type.dims[0] - 2},
                                       .data = (char *)type.data + 2 * bytes};
    enum anole_status status =
        anole_graph_add_constant(context->graph, &tensor, NULL, &rest, false, context->error);
    if (status)
        context->status = status;
    return status ? ANOLE_NONE : tensor;
}

struct resizing {
    size_t x, roi, scales, sizes;
    bool last; /* channels are; axes are those between */
};

/* Resizes with the channels last, where they are not resized: neighbours of a pixel then are
 * as wide as its channels. */
static void put_channels_last(struct anole_onnx_context *context, struct resizing *r)
{
    bool by_sizes = r->sizes != ANOLE_NONE;
    size_t list = by_sizes ? r->sizes : r->scales;
    if (list == ANOLE_NONE || anole_onnx_has(context, "axes") || r->roi != ANOLE_NONE)
        return;
    size_t rest = beyond_channels(context, r->x, list, by_sizes);
    if (rest == ANOLE_NONE)
        return;
    *(by_sizes ? &r->sizes : &r->scales) = rest;
    r->x = anole_onnx_channels_last(context, r->x);
    r->last = true;
}

static size_t add_resize(struct anole_onnx_context *context, struct resizing *r)
{
    struct anole_ints axes = {.count = 0};
    put_channels_last(context, r);
    const size_t inputs[] = {r->x, r->roi, r->scales, r->sizes};
    uint32_t rank = anole_onnx_rank(context, r->x);
    size_t y = anole_onnx_add(context, "resize", inputs,
                              r->sizes != ANOLE_NONE    ? 4
                              : r->scales != ANOLE_NONE ? 3
                                                        : 2);
    for (uint32_t i = 1; r->last && i + 1 < rank; i++)
        axes.values[axes.count++] = i;
    if (r->last || anole_onnx_get_ints(context, "axes", &axes))
        anole_onnx_set_ints(context, "axes", &axes);
    return y;
}

static void finish_resize(struct anole_onnx_context *context, const struct resizing *r, size_t y)
{
    y = anole_onnx_done(context, y);
    context->outputs[0] = r->last ? anole_onnx_channels_second(context, y) : y;
}

/* The scales of one side, as a constant: those that enlarge, or those that do not; for the others
 * 1 stands there.  ANOLE_NONE: all are 1, or they are not known. */
static size_t one_side(struct anole_onnx_context *context, size_t scales, bool enlarging)
{
    const struct anole_operand *type = anole_onnx_type(context, scales);
    float values[ANOLE_MAX_RANK];
    bool any = false;
    size_t tensor, count = anole_operand_elements(type);
    if (context->status || !type->data || type->rank != 1 || count > ANOLE_MAX_RANK)
        return ANOLE_NONE;
    for (size_t i = 0; i < count; i++) {
        const float scale = (float)anole_operand_real(type, i);
        values[i] = scale < 1 ? (enlarging ? 1 : scale) : (enlarging ? scale : 1);
        any |= values[i] != 1;
    }
    const struct anole_operand side = {
        .dtype = ANOLE_F32, .rank = 1, .dims = {(int64_t)count}, .data = values};
    if (!any)
        return ANOLE_NONE;
    enum anole_status status =
        anole_graph_add_constant(context->graph, &tensor, NULL, &side, false, context->error);
    if (status)
        context->status = status;
    return status ? ANOLE_NONE : tensor;
}

static size_t resize_asymmetric(struct anole_onnx_context *context, size_t x, size_t scales,
                                const char *mode, const char *nearest_mode)
{
    struct resizing r = {.x = x, .roi = ANOLE_NONE, .scales = scales, .sizes = ANOLE_NONE};
    size_t y = add_resize(context, &r);
    anole_onnx_set_choice(context, "mode", mode);
    anole_onnx_set_choice(context, "coordinates", "asymmetric");
    anole_onnx_set_choice(context, "nearest_mode", nearest_mode);
    finish_resize(context, &r, y);
    return context->outputs[0];
}

/* Upsample, and Resize of opset 10: asymmetric, of the nearest the one before; where an axis
 * shrinks, the one behind. */
static void upsample(struct anole_onnx_context *context)
{
    const char *mode = anole_onnx_get_text(context, "mode", "nearest");
    size_t x = anole_onnx_need(context, 0);
    size_t scales =
        context->node->input_count > 1 ? anole_onnx_need(context, 1) : scales_attribute(context);
    size_t smaller = ANOLE_NONE;
    mode = strcmp(mode, "nearest") == 0 ? "nearest" : "linear";
    if (strcmp(mode, "nearest") == 0)
        smaller = one_side(context, scales, false);
    if (smaller != ANOLE_NONE) {
        x = resize_asymmetric(context, x, smaller, mode, "ceil");
        scales = one_side(context, scales, true);
    }
    if (scales != ANOLE_NONE)
        (void)resize_asymmetric(context, x, scales, mode, "floor");
}

static void resize(struct anole_onnx_context *context)
{
    if (context->opset < 11) {
        upsample(context);
        return;
    }
    const char *coordinates =
        anole_onnx_get_text(context, "coordinate_transformation_mode", "half_pixel");
    struct resizing r = {.x = anole_onnx_need(context, 0),
                         .roi = unless_empty(context, 1),
                         .scales = unless_empty(context, 2),
                         .sizes = unless_empty(context, 3)};
    if (strcmp(coordinates, "tf_crop_and_resize") != 0)
        r.roi = ANOLE_NONE; /* it is for that mode alone, and often there all the same */
    if (anole_onnx_get_int(context, "antialias", 0) != 0)
        anole_onnx_refuse(context, "antialias is not supported");
    size_t y = add_resize(context, &r);
    anole_onnx_set_choice(context, "mode", anole_onnx_get_text(context, "mode", "nearest"));
    anole_onnx_set_choice(context, "coordinates", coordinates);
    anole_onnx_set_choice(context, "nearest_mode",
                          anole_onnx_get_text(context, "nearest_mode", "round_prefer_floor"));
    anole_onnx_set_real(context, "cubic_coeff_a",
                        anole_onnx_get_real(context, "cubic_coeff_a", -0.75));
    anole_onnx_set_bool(context, "exclude_outside",
                        anole_onnx_get_int(context, "exclude_outside", 0) != 0);
    anole_onnx_set_real(context, "extrapolation_value",
                        anole_onnx_get_real(context, "extrapolation_value", 0));
    anole_onnx_set_choice(context, "keep_aspect_ratio_policy",
                          anole_onnx_get_text(context, "keep_aspect_ratio_policy", "stretch"));
    finish_resize(context, &r, y);
}

const struct anole_onnx_translator anole_onnx_windows[] = {
    {"AveragePool", pool, "average_pool"},
    {"Conv", anole_onnx_conv, NULL},
    {"ConvTranspose", conv_transpose, NULL},
    {"GlobalAveragePool", global_pool, "mean"},
    {"GlobalMaxPool", global_pool, "max"},
    {"GridSample", grid_sample, NULL},
    {"MaxPool", pool, "max_pool"},
    {"MaxUnpool", max_unpool, NULL},
    {"Resize", resize, NULL},
    {"RoiAlign", roi_align, NULL},
    {"Upsample", upsample, NULL},
    {NULL, NULL, NULL},
};
