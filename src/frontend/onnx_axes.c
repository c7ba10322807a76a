/* SPDX-License-Identifier: MIT
 *
 * ONNX's operators that go along axes: reductions, softmax, normalisation, sorting.
 */
#include "frontend/onnx_translate.h"

#include <string.h>

static const char *own_function(const struct anole_onnx_context *context)
{
    return context->translator->function;
}

/* Takes the reduced dimensions away (axes NULL: all): a step of its own, so that the reduction
 * has as many as its input, and can be moved to another layout. */
static size_t drop_axes(struct anole_onnx_context *context, size_t y, const struct anole_ints *axes)
{
    const struct anole_operand *type = anole_onnx_type(context, y);
    int64_t dims[ANOLE_MAX_RANK];
    uint32_t left = 0;
    for (uint32_t i = 0; i < type->rank; i++) {
        bool gone = !axes;
        for (uint32_t j = 0; axes && j < axes->count; j++)
            gone |= axes->values[j] == i || axes->values[j] + type->rank == i;
        if (!gone)
            dims[left++] = type->dims[i];
    }
    return anole_onnx_reshape(context, y, dims, left);
}

/* Axes are an attribute, or an input from opset 18 on (13 of ReduceSum). */
static void reduce(struct anole_onnx_context *context)
{
    struct anole_ints axes;
    size_t x = anole_onnx_need(context, 0);
    bool given = anole_onnx_numbers(context, "axes", 1, &axes);
    bool empty_is_none = anole_onnx_get_int(context, "noop_with_empty_axes", 0) != 0;
    if ((!given || axes.count == 0) && empty_is_none) {
        /* The reduction of each element alone: log_sum and the like still do something. */
        size_t y = anole_onnx_add1(context, "reduce", x);
        anole_onnx_set_choice(context, "function", own_function(context));
        anole_onnx_set_bool(context, "noop_with_empty_axes", true);
        context->outputs[0] = anole_onnx_done(context, y);
        return;
    }
    bool keep = anole_onnx_get_int(context, "keepdims", 1) != 0;
    size_t y =
        anole_onnx_done(context, anole_onnx_reduce(context, own_function(context), x,
                                                   given && axes.count > 0 ? &axes : NULL, true));
    context->outputs[0] = keep ? y : drop_axes(context, y, given && axes.count > 0 ? &axes : NULL);
}

static void arg(struct anole_onnx_context *context)
{
    size_t y = anole_onnx_add1(context, own_function(context), anole_onnx_need(context, 0));
    anole_onnx_set_int(context, "axis", anole_onnx_get_int(context, "axis", 0));
    anole_onnx_set_bool(context, "keep_dims", anole_onnx_get_int(context, "keepdims", 1) != 0);
    anole_onnx_set_bool(context, "select_last_index",
                        anole_onnx_get_int(context, "select_last_index", 0) != 0);
    context->outputs[0] = anole_onnx_done(context, y);
}

/* 1 where the first of the largest is along an axis, else 0. */
static size_t add_hardmax(struct anole_onnx_context *context, size_t x, int64_t axis)
{
    const struct anole_operand type = *anole_onnx_type(context, x);
    uint64_t room[2] = {0};
    struct anole_operand pair = {.dtype = type.dtype, .rank = 1, .dims = {2}, .data = room};
    size_t inputs[3];
    if (context->status || type.rank == 0)
        return x;
    anole_operand_set_real(&pair, 1, 1);
    inputs[0] = anole_onnx_add1(context, "arg_max", x);
    anole_onnx_set_int(context, "axis", axis);
    anole_onnx_set_bool(context, "keep_dims", false);
    (void)anole_onnx_done(context, ANOLE_NONE);
    inputs[1] = anole_onnx_constant_real(context, ANOLE_I64, (double)type.dims[axis]);
    if (context->status == ANOLE_DONE)
        anole_onnx_fail_with(context, anole_graph_add_constant(context->graph, &inputs[2], NULL,
                                                               &pair, false, context->error));
    size_t y = anole_onnx_add(context, "one_hot", inputs, 3);
    anole_onnx_set_int(context, "axis", axis);
    return y;
}

/* Before opset 13 everything from `axis` on was one dimension. */
static void softmax(struct anole_onnx_context *context)
{
    size_t x = anole_onnx_need(context, 0);
    bool flatten = context->opset < 13;
    int64_t axis = anole_onnx_get_int(context, "axis", flatten ? 1 : -1);
    const struct anole_operand type = *anole_onnx_type(context, x);
    if (axis < 0)
        axis += type.rank;
    if (context->status)
        return;
    if (axis < 0 || axis >= (type.rank ? type.rank : 1)) {
        anole_onnx_refuse(context, "axis is %lld; expected one of %u dimensions", (long long)axis,
                          type.rank);
        return;
    }
    bool last = axis + 1 == (int64_t)type.rank;
    if (flatten && !last) {
        int64_t dims[2] = {1, 1};
        for (uint32_t i = 0; i < type.rank; i++)
            dims[i >= axis] *= type.dims[i];
        x = anole_onnx_reshape(context, x, dims, 2);
    }
    size_t y;
    axis = flatten && !last ? 1 : axis;
    if (own_function(context)) {
        y = anole_onnx_add1(context, own_function(context), x);
        anole_onnx_set_int(context, "axis", axis);
    } else {
        y = add_hardmax(context, x, axis);
    }
    y = anole_onnx_done(context, y);
    if (flatten && !last)
        y = anole_onnx_reshape(context, y, type.dims, type.rank);
    context->outputs[0] = y;
}

static void cum_sum(struct anole_onnx_context *context)
{
    const size_t inputs[] = {anole_onnx_need(context, 0), anole_onnx_need(context, 1)};
    size_t y = anole_onnx_add(context, "cum_sum", inputs, 2);
    anole_onnx_set_bool(context, "exclusive", anole_onnx_get_int(context, "exclusive", 0) != 0);
    anole_onnx_set_bool(context, "reverse", anole_onnx_get_int(context, "reverse", 0) != 0);
    context->outputs[0] = anole_onnx_done(context, y);
}

static void top_k(struct anole_onnx_context *context)
{
    size_t outputs[2];
    size_t inputs[2] = {anole_onnx_need(context, 0), ANOLE_NONE};
    if (context->opset >= 10)
        inputs[1] = anole_onnx_need(context, 1);
    /* From opset 10 on k may be known only when the network runs. */
    const bool known =
        context->opset < 10 || context->status || anole_onnx_type(context, inputs[1])->data;
    anole_onnx_add_many(context, known ? "top_k" : "top_k_found", inputs,
                        context->opset >= 10 ? 2 : 1, outputs, 2);
    if (context->opset < 10)
        anole_onnx_set_int(context, "k", anole_onnx_get_int(context, "k", 0));
    anole_onnx_set_int(context, "axis", anole_onnx_get_int(context, "axis", -1));
    anole_onnx_set_bool(context, "largest", anole_onnx_get_int(context, "largest", 1) != 0);
    anole_onnx_set_bool(context, "sorted", anole_onnx_get_int(context, "sorted", 1) != 0);
    anole_onnx_done(context, outputs[0]);
    context->outputs[0] = outputs[0];
    if (context->node->output_count > 1)
        context->outputs[1] = outputs[1];
}

static void non_max_suppression(struct anole_onnx_context *context)
{
    size_t count = context->node->input_count < 5 ? context->node->input_count : 5;
    size_t y = anole_onnx_add(context, "non_max_suppression", context->inputs, count);
    anole_onnx_set_bool(context, "center_point_box",
                        anole_onnx_get_int(context, "center_point_box", 0) != 0);
    context->outputs[0] = anole_onnx_done(context, y);
}

/* ------------------------------------------------------------- normalisation */

/* [c] as [c, 1, ...], which broadcasts against [n, c, ...]. */
static size_t per_channel(struct anole_onnx_context *context, size_t vector, uint32_t rank)
{
    int64_t dims[ANOLE_MAX_RANK];
    if (context->status || rank < 3)
        return vector;
    for (uint32_t i = 0; i + 1 < rank; i++)
        dims[i] = i == 0 ? anole_onnx_type(context, vector)->dims[0] : 1;
    return anole_onnx_reshape(context, vector, dims, rank - 1);
}

/* In training mode the mean and the variance are those of x; the further outputs are what they make
 * of the running ones.  Networks whose weights are standardised have this on their weights, which
 * are constant. */
static void statistics(struct anole_onnx_context *context, size_t x, size_t *mean, size_t *variance)
{
    struct anole_ints axes = {.count = 0};
    const uint32_t rank = anole_onnx_rank(context, x), dtype = anole_onnx_type(context, x)->dtype;
    const double momentum = anole_onnx_get_real(context, "momentum", 0.9f);
    size_t *const running[] = {mean, variance};
    for (uint32_t i = 0; i < rank; i++)
        if (i != 1)
            axes.values[axes.count++] = i;
    const size_t centre =
        anole_onnx_done(context, anole_onnx_reduce(context, "mean", x, &axes, true));
    const size_t off = anole_onnx_binary(context, "sub", x, centre);
    const size_t square = anole_onnx_binary(context, "mul", off, off);
    const size_t now[] = {anole_onnx_reduce(context, "mean", x, &axes, false),
                          anole_onnx_reduce(context, "mean", square, &axes, false)};
    for (size_t i = 0; i < 2; i++) {
        const size_t before =
            anole_onnx_binary(context, "mul", *running[i],
                              anole_onnx_constant_real(
                                  context, anole_onnx_type(context, *running[i])->dtype, momentum));
        *running[i] = anole_onnx_done(context, now[i]);
        if (context->node->output_count > i + 1)
            context->outputs[i + 1] = anole_onnx_binary(
                context, "add", before,
                anole_onnx_binary(context, "mul", *running[i],
                                  anole_onnx_constant_real(context, dtype, 1 - momentum)));
    }
}

/* A factor and an offset for each channel, folded where all are constant: what is left is
 * for the graph to fold into the convolution before it. */
static void batch_normalization(struct anole_onnx_context *context)
{
    size_t x = anole_onnx_need(context, 0), scale = anole_onnx_need(context, 1);
    size_t offset = anole_onnx_need(context, 2), mean = anole_onnx_need(context, 3);
    size_t variance = anole_onnx_need(context, 4);
    if (anole_onnx_get_int(context, "training_mode", 0) != 0)
        statistics(context, x, &mean, &variance);
    uint32_t rank = anole_onnx_rank(context, x), dtype = anole_onnx_type(context, variance)->dtype;
    double epsilon = anole_onnx_get_real(context, "epsilon", 1e-5f);
    size_t deviation =
        anole_onnx_unary(context, "sqrt",
                         anole_onnx_binary(context, "add", variance,
                                           anole_onnx_constant_real(context, dtype, epsilon)));
    size_t factor = anole_onnx_binary(context, "div", scale, deviation);
    size_t shift =
        anole_onnx_binary(context, "sub", offset, anole_onnx_binary(context, "mul", mean, factor));
    /* Before opset 9 each place may have statistics of its own, which are of the shape of one x. */
    if (anole_onnx_get_int(context, "spatial", 1) != 0) {
        factor = per_channel(context, factor, rank);
        shift = per_channel(context, shift, rank);
    }
    context->outputs[0] =
        anole_onnx_binary(context, "add", anole_onnx_binary(context, "mul", x, factor), shift);
}

static void instance_normalization(struct anole_onnx_context *context)
{
    const size_t inputs[] = {anole_onnx_channels_last(context, anole_onnx_need(context, 0)),
                             anole_onnx_need(context, 1), anole_onnx_need(context, 2)};
    size_t y = anole_onnx_add(context, "instance_norm", inputs, 3);
    anole_onnx_set_real(context, "epsilon", anole_onnx_get_real(context, "epsilon", 1e-5f));
    context->outputs[0] = anole_onnx_channels_second(context, anole_onnx_done(context, y));
}

/* Up to opset 20 scale and bias are one a group, then one a channel. */
static size_t spread_groups(struct anole_onnx_context *context, size_t vector, int64_t groups,
                            int64_t channels)
{
    if (context->status || context->opset >= 21 || groups <= 0)
        return vector;
    const int64_t column[] = {groups, 1}, flat[] = {channels};
    const int64_t wide[] = {groups, channels / groups};
    size_t y = anole_onnx_reshape(context, vector, column, 2);
    y = anole_onnx_done(
        context, anole_onnx_add2(context, "expand", y, anole_onnx_constant_ints(context, wide, 2)));
    return anole_onnx_reshape(context, y, flat, 1);
}

static void group_normalization(struct anole_onnx_context *context)
{
    size_t x = anole_onnx_need(context, 0);
    int64_t groups = anole_onnx_get_int(context, "num_groups", 1);
    int64_t channels = anole_onnx_rank(context, x) > 1 ? anole_onnx_type(context, x)->dims[1] : 1;
    const size_t inputs[] = {anole_onnx_channels_last(context, x),
                             spread_groups(context, anole_onnx_need(context, 1), groups, channels),
                             spread_groups(context, anole_onnx_need(context, 2), groups, channels)};
    size_t y = anole_onnx_add(context, "group_norm", inputs, 3);
    anole_onnx_set_int(context, "groups", groups);
    anole_onnx_set_real(context, "epsilon", anole_onnx_get_real(context, "epsilon", 1e-5f));
    context->outputs[0] = anole_onnx_channels_second(context, anole_onnx_done(context, y));
}

static void layer_normalization(struct anole_onnx_context *context)
{
    size_t outputs[3];
    size_t count = context->node->input_count < 3 ? context->node->input_count : 3;
    size_t wanted = context->node->output_count < 3 ? context->node->output_count : 3;
    anole_onnx_add_many(context, "layer_norm", context->inputs, count, outputs, wanted);
    anole_onnx_set_int(context, "axis", anole_onnx_get_int(context, "axis", -1));
    anole_onnx_set_real(context, "epsilon", anole_onnx_get_real(context, "epsilon", 1e-5f));
    anole_onnx_done(context, ANOLE_NONE);
    for (size_t i = 0; i < wanted; i++)
        context->outputs[i] = outputs[i];
}

/* The axes from `axis` on. */
static void axes_from(struct anole_onnx_context *context, struct anole_ints *axes, int64_t axis,
                      uint32_t rank)
{
    *axes = (struct anole_ints){.count = 0};
    if (axis < 0)
        axis += rank;
    if (axis < 0 || axis >= rank)
        anole_onnx_refuse(context, "axis is %lld; expected one of %u dimensions", (long long)axis,
                          rank);
    for (int64_t i = axis; context->status == ANOLE_DONE && i < rank; i++)
        axes->values[axes->count++] = i;
}

/* x / sqrt(mean of squares + epsilon) * scale. */
static void rms_normalization(struct anole_onnx_context *context)
{
    struct anole_ints axes;
    size_t x = anole_onnx_need(context, 0), scale = anole_onnx_need(context, 1);
    uint32_t dtype = anole_onnx_type(context, x)->dtype;
    axes_from(context, &axes, anole_onnx_get_int(context, "axis", -1), anole_onnx_rank(context, x));
    size_t square = anole_onnx_binary(context, "mul", x, x);
    size_t mean = anole_onnx_done(context, anole_onnx_reduce(context, "mean", square, &axes, true));
    size_t epsilon =
        anole_onnx_constant_real(context, dtype, anole_onnx_get_real(context, "epsilon", 1e-5f));
    size_t root =
        anole_onnx_unary(context, "sqrt", anole_onnx_binary(context, "add", mean, epsilon));
    context->outputs[0] =
        anole_onnx_binary(context, "mul", anole_onnx_binary(context, "div", x, root), scale);
}

/* (x - mean) / deviation. */
static void mean_variance_normalization(struct anole_onnx_context *context)
{
    struct anole_ints axes = {.count = 3, .values = {0, 2, 3}};
    size_t x = anole_onnx_need(context, 0);
    uint32_t dtype = anole_onnx_type(context, x)->dtype;
    anole_onnx_get_ints(context, "axes", &axes);
    size_t mean = anole_onnx_done(context, anole_onnx_reduce(context, "mean", x, &axes, true));
    size_t centred = anole_onnx_binary(context, "sub", x, mean);
    size_t variance = anole_onnx_done(
        context,
        anole_onnx_reduce(context, "mean", anole_onnx_binary(context, "mul", centred, centred),
                          &axes, true));
    size_t root = anole_onnx_unary(context, "sqrt", variance);
    size_t epsilon = anole_onnx_constant_real(context, dtype, 1e-9);
    context->outputs[0] = anole_onnx_binary(context, "div", centred,
                                            anole_onnx_binary(context, "add", root, epsilon));
}

/* x / norm along an axis. */
static void lp_normalization(struct anole_onnx_context *context)
{
    struct anole_ints axes = {.count = 1, .values = {anole_onnx_get_int(context, "axis", -1)}};
    size_t x = anole_onnx_need(context, 0);
    int64_t p = anole_onnx_get_int(context, "p", 2);
    if (p != 1 && p != 2)
        anole_onnx_refuse(context, "p is %lld; expected 1 or 2", (long long)p);
    size_t norm =
        anole_onnx_done(context, anole_onnx_reduce(context, p == 1 ? "l1" : "l2", x, &axes, true));
    context->outputs[0] = anole_onnx_binary(context, "div", x, norm);
}

static void lrn(struct anole_onnx_context *context)
{
    size_t y = anole_onnx_add1(context, "lrn",
                               anole_onnx_channels_last(context, anole_onnx_need(context, 0)));
    anole_onnx_set_int(context, "size", anole_onnx_get_int(context, "size", 1));
    anole_onnx_set_real(context, "alpha", anole_onnx_get_real(context, "alpha", 1e-4f));
    anole_onnx_set_real(context, "beta", anole_onnx_get_real(context, "beta", 0.75));
    anole_onnx_set_real(context, "bias", anole_onnx_get_real(context, "bias", 1.0));
    context->outputs[0] = anole_onnx_channels_second(context, anole_onnx_done(context, y));
}

const struct anole_onnx_translator anole_onnx_axes[] = {
    {"ArgMax", arg, "arg_max"},
    {"ArgMin", arg, "arg_min"},
    {"BatchNormalization", batch_normalization, NULL},
    {"CumSum", cum_sum, NULL},
    {"GroupNormalization", group_normalization, NULL},
    {"Hardmax", softmax, NULL},
    {"InstanceNormalization", instance_normalization, NULL},
    {"LayerNormalization", layer_normalization, NULL},
    {"LogSoftmax", softmax, "log_softmax"},
    {"LpNormalization", lp_normalization, NULL},
    {"LRN", lrn, NULL},
    {"MeanVarianceNormalization", mean_variance_normalization, NULL},
    {"NonMaxSuppression", non_max_suppression, NULL},
    {"ReduceL1", reduce, "l1"},
    {"ReduceL2", reduce, "l2"},
    {"ReduceLogSum", reduce, "log_sum"},
    {"ReduceLogSumExp", reduce, "log_sum_exp"},
    {"ReduceMax", reduce, "max"},
    {"ReduceMean", reduce, "mean"},
    {"ReduceMin", reduce, "min"},
    {"ReduceProd", reduce, "prod"},
    {"ReduceSum", reduce, "sum"},
    {"ReduceSumSquare", reduce, "sum_square"},
    {"RMSNormalization", rms_normalization, NULL},
    {"Softmax", softmax, "softmax"},
    {"TopK", top_k, NULL},
    {NULL, NULL, NULL},
};
