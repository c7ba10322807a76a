/* SPDX-License-Identifier: MIT
 *
 * Shapes: what each layer makes of its inputs, and what does not fit.
 */
#include "base/text.h"
#include "graph/network_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ELEMENTS_END (UINT64_C(1) << 31)
#define SHAPE_TEXT 64

static const char *shape_text(char out[SHAPE_TEXT], struct anole_shape s)
{
    snprintf(out, SHAPE_TEXT, "[%" PRIu32 ", %" PRIu32 ", %" PRIu32 ", %" PRIu32 "]", s.n, s.h, s.w,
             s.c);
    return out;
}

static bool same_shape(struct anole_shape a, struct anole_shape b)
{
    return a.n == b.n && a.h == b.h && a.w == b.w && a.c == b.c;
}

static const struct anole_layer *input_of(const struct anole_network *network,
                                          const struct anole_layer *layer, size_t i)
{
    return &network->layers[layer->inputs[i]];
}

static enum anole_status check_elements(const struct anole_network *network,
                                        const struct anole_layer *layer, struct anole_error *error)
{
    const uint32_t factors[] = {layer->shape.n, layer->shape.h, layer->shape.w, layer->shape.c};
    uint64_t elements = 1;
    char shape[SHAPE_TEXT];
    for (size_t i = 0; i < 4; i++)
        if (elements < ELEMENTS_END)
            elements *= factors[i];
    if (elements == 0)
        return anole_network_fail(network, layer, error,
                                  "the output %s is empty; expected 1 or more of each of batch, "
                                  "height, width and channels",
                                  shape_text(shape, layer->shape));
    if (elements >= ELEMENTS_END)
        return anole_network_fail(network, layer, error,
                                  "the output %s is too large; expected fewer than 2^31 elements: "
                                  "make the batch, the image or the channels smaller",
                                  shape_text(shape, layer->shape));
    return ANOLE_DONE;
}

/* ------------------------------------------------------- windows that slide */

/* One direction of a convolution or pooling. */
struct window {
    const char *what;
    uint64_t in, kernel, stride, dilation;
    uint32_t *before, *after; /* padding */
    uint32_t *out;
};

/* As much padding as makes the output ceil(in / stride). */
static void pad_same(const struct window *w)
{
    uint64_t out = (w->in + w->stride - 1) / w->stride;
    uint64_t needed = (out - 1) * w->stride + (w->kernel - 1) * w->dilation + 1;
    uint64_t padding = needed > w->in ? needed - w->in : 0;
    *w->before = (uint32_t)(padding / 2);
    *w->after = (uint32_t)(padding - padding / 2);
}

static enum anole_status slide(const struct anole_network *network, struct anole_layer *layer,
                               const struct window *w, struct anole_error *error)
{
    if (layer->pad_mode == ANOLE_PAD_SAME)
        pad_same(w);
    uint64_t reach = (w->kernel - 1) * w->dilation + 1;
    uint64_t padded = w->in + *w->before + *w->after;
    bool pooling = layer->kind == ANOLE_LAYER_MAX_POOL || layer->kind == ANOLE_LAYER_AVERAGE_POOL;
    if (reach > padded)
        return anole_network_fail(
            network, layer, error,
            "a kernel that reaches over %" PRIu64 " does not fit into the input's %s of %" PRIu64
            " (padding of %" PRIu32 " and %" PRIu32 " included); expected a smaller kernel or "
            "dilation, or more padding, e.g. \"padding\": \"same\"",
            reach, w->what, padded, *w->before, *w->after);
    if (pooling && (*w->before >= reach || *w->after >= reach))
        return anole_network_fail(network, layer, error,
                                  "padding of %" PRIu32 " and %" PRIu32
                                  " leaves windows of %" PRIu64
                                  " with nothing but padding (%s); expected less padding than the "
                                  "kernel's size",
                                  *w->before, *w->after, reach, w->what);
    uint64_t out = (padded - reach) / w->stride + 1;
    if (layer->ceil && (padded - reach) % w->stride != 0 && out * w->stride < w->in + *w->before)
        out++; /* one more window, which starts within the input */
    *w->out = out < ELEMENTS_END ? (uint32_t)out : UINT32_MAX; /* refused for its elements */
    return ANOLE_DONE;
}

static enum anole_status slide_both(const struct anole_network *network, struct anole_layer *layer,
                                    struct anole_error *error)
{
    const struct anole_shape in = input_of(network, layer, 0)->shape;
    const struct window vertical = {"height",           in.h,
                                    layer->kernel_h,    layer->stride_h,
                                    layer->dilation_h,  &layer->pad_top,
                                    &layer->pad_bottom, &layer->shape.h};
    const struct window horizontal = {"width",           in.w,
                                      layer->kernel_w,   layer->stride_w,
                                      layer->dilation_w, &layer->pad_left,
                                      &layer->pad_right, &layer->shape.w};
    enum anole_status status = slide(network, layer, &vertical, error);
    return status ? status : slide(network, layer, &horizontal, error);
}

static enum anole_status infer_conv(const struct anole_network *network, struct anole_layer *layer,
                                    struct anole_error *error)
{
    const struct anole_shape in = input_of(network, layer, 0)->shape;
    if (layer->kind == ANOLE_LAYER_DEPTHWISE_CONV2D) {
        uint64_t channels = (uint64_t)in.c * layer->multiplier;
        if (channels >= ELEMENTS_END)
            return anole_network_fail(
                network, layer, error,
                "%" PRIu32 " channels times a multiplier of %" PRIu32
                " are too many; expected fewer than 2^31: lower \"multiplier\"",
                in.c, layer->multiplier);
        layer->groups = in.c;
        layer->out_c = (uint32_t)channels;
    }
    if (in.c % layer->groups || layer->out_c % layer->groups)
        return anole_network_fail(network, layer, error,
                                  "%" PRIu32 " groups do not divide %" PRIu32 " input and %" PRIu32
                                  " output channels; expected \"groups\" to be a divisor of both",
                                  layer->groups, in.c, layer->out_c);
    layer->shape = (struct anole_shape){.n = in.n, .c = layer->out_c};
    return slide_both(network, layer, error);
}

static enum anole_status infer_dense(const struct anole_network *network, struct anole_layer *layer,
                                     struct anole_error *error)
{
    const struct anole_layer *input = input_of(network, layer, 0);
    char shape[SHAPE_TEXT];
    if (input->shape.h != 1 || input->shape.w != 1)
        return anole_network_fail(
            network, layer, error,
            "the input \"%s\" is %s; expected height and width 1 before a dense layer: put a layer "
            "of kind \"flatten\" or \"global_average_pool\" in between",
            input->name, shape_text(shape, input->shape));
    layer->shape = (struct anole_shape){input->shape.n, 1, 1, layer->out_c};
    return ANOLE_DONE;
}

/* ------------------------------------------------------------ several inputs */

static enum anole_status fail_fit(const struct anole_network *network,
                                  const struct anole_layer *layer, size_t i, const char *expected,
                                  struct anole_error *error)
{
    char one[SHAPE_TEXT], other[SHAPE_TEXT];
    const struct anole_layer *a = input_of(network, layer, 0), *b = input_of(network, layer, i);
    return anole_network_fail(
        network, layer, error,
        "the inputs \"%s\" %s and \"%s\" %s do not fit together; expected %s: "
        "check strides, padding and channels on the way to both",
        a->name, shape_text(one, a->shape), b->name, shape_text(other, b->shape), expected);
}

static enum anole_status infer_add(const struct anole_network *network, struct anole_layer *layer,
                                   struct anole_error *error)
{
    layer->shape = input_of(network, layer, 0)->shape;
    for (size_t i = 1; i < layer->input_count; i++)
        if (!same_shape(layer->shape, input_of(network, layer, i)->shape))
            return fail_fit(network, layer, i, "the same shape [batch, height, width, channels]",
                            error);
    return ANOLE_DONE;
}

static enum anole_status infer_concat(const struct anole_network *network,
                                      struct anole_layer *layer, struct anole_error *error)
{
    uint64_t channels = 0;
    layer->shape = input_of(network, layer, 0)->shape;
    for (size_t i = 0; i < layer->input_count; i++) {
        struct anole_shape shape = input_of(network, layer, i)->shape;
        channels += shape.c;
        shape.c = layer->shape.c;
        if (!same_shape(layer->shape, shape))
            return fail_fit(network, layer, i, "the same batch, height and width", error);
    }
    layer->shape.c = channels < ELEMENTS_END ? (uint32_t)channels : UINT32_MAX;
    return ANOLE_DONE;
}

/* -------------------------------------------------------------------- layers */

/* What a reader has promised; ours keeps it, so this speaks of a defect. */
static bool inputs_are_earlier(const struct anole_network *network, size_t index)
{
    const struct anole_layer *layer = &network->layers[index];
    if ((layer->kind == ANOLE_LAYER_INPUT) != (layer->input_count == 0))
        return false;
    for (size_t i = 0; i < layer->input_count; i++)
        if (layer->inputs[i] >= index)
            return false;
    return true;
}

static enum anole_status infer_layer(const struct anole_network *network, struct anole_layer *layer,
                                     struct anole_error *error)
{
    struct anole_shape in = {0};
    if (layer->input_count)
        in = input_of(network, layer, 0)->shape;
    switch (layer->kind) {
    case ANOLE_LAYER_CONV2D:
    case ANOLE_LAYER_DEPTHWISE_CONV2D:
        return infer_conv(network, layer, error);
    case ANOLE_LAYER_DENSE:
        return infer_dense(network, layer, error);
    case ANOLE_LAYER_MAX_POOL:
    case ANOLE_LAYER_AVERAGE_POOL:
        layer->shape = in;
        return slide_both(network, layer, error);
    case ANOLE_LAYER_ADD:
        return infer_add(network, layer, error);
    case ANOLE_LAYER_CONCAT:
        return infer_concat(network, layer, error);
    case ANOLE_LAYER_GLOBAL_AVERAGE_POOL:
        layer->shape = (struct anole_shape){in.n, 1, 1, in.c};
        return ANOLE_DONE;
    case ANOLE_LAYER_FLATTEN: /* fits: the input has under 2^31 elements */
        layer->shape = (struct anole_shape){in.n, 1, 1, in.h * in.w * in.c};
        return ANOLE_DONE;
    case ANOLE_LAYER_INPUT: /* the reader has set it */
        return ANOLE_DONE;
    default:
        layer->shape = in;
        return ANOLE_DONE;
    }
}

enum anole_status anole_network_infer(struct anole_network *network, struct anole_error *error)
{
    for (size_t i = 0; i < network->layer_count; i++) {
        struct anole_layer *layer = &network->layers[i];
        if (!inputs_are_earlier(network, i))
            return anole_fail(error, ANOLE_ERR_INTERNAL,
                              "layer %zu of a network reads layers that do not come before it", i);
        enum anole_status status = infer_layer(network, layer, error);
        if (!status)
            status = check_elements(network, layer, error);
        if (status)
            return status;
    }
    return ANOLE_DONE;
}
