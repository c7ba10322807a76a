/* SPDX-License-Identifier: MIT
 *
 * resize: each axis by itself to another size, by the nearest element, linearly or by cubic
 * convolution, as ONNX defines it.
 *
 * How large the output is say `scales` (third input) or `sizes` (fourth input, or attribute),
 * for all axes or for those of `axes`.  `coordinates` says which place of the input is behind
 * a place of the output; with tf_crop_and_resize that is within the region of interest
 * (second input: starts, then ends, as parts of the axis), and `extrapolation_value` where it
 * lies outside of the input.
 */
#include "kernels/op_resize.cl.h"
#include "op/iterate.h"
#include "op/parameters.h"
#include "op/plain.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { NEAREST, LINEAR, CUBIC };
enum {
    HALF_PIXEL,
    HALF_PIXEL_SYMMETRIC,
    PYTORCH_HALF_PIXEL,
    ALIGN_CORNERS,
    ASYMMETRIC,
    TF_CROP_AND_RESIZE,
    TF_HALF_PIXEL_FOR_NN
};
enum { ROUND_PREFER_FLOOR, ROUND_PREFER_CEIL, FLOOR, CEIL };
enum { STRETCH, NOT_LARGER, NOT_SMALLER };

static const char *const modes[] = {"nearest", "linear", "cubic", NULL};
static const char *const coordinates[] = {
    "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel",   "align_corners",
    "asymmetric", "tf_crop_and_resize",   "tf_half_pixel_for_nn", NULL};
static const char *const nearest_modes[] = {"round_prefer_floor", "round_prefer_ceil", "floor",
                                            "ceil", NULL};
static const char *const policies[] = {"stretch", "not_larger", "not_smaller", NULL};

struct resize {
    uint32_t mode, coordinates, nearest_mode, policy;
    bool exclude_outside;
    double cubic_coeff_a, extrapolation_value;
    struct anole_ints axes, sizes;
};

static const struct resize defaults = {.cubic_coeff_a = -0.75};

#define CHOICE(key, field, list)                                                                   \
    {                                                                                              \
        .name = key, .kind = ANOLE_KEY_CHOICE, .offset = offsetof(struct resize, field),           \
        .choices = list                                                                            \
    }

static const struct anole_op_key keys[] = {
    CHOICE("mode", mode, modes),
    CHOICE("coordinates", coordinates, coordinates),
    CHOICE("nearest_mode", nearest_mode, nearest_modes),
    CHOICE("keep_aspect_ratio_policy", policy, policies),
    {.name = "exclude_outside",
     .kind = ANOLE_KEY_BOOL,
     .offset = offsetof(struct resize, exclude_outside)},
    {.name = "cubic_coeff_a",
     .kind = ANOLE_KEY_REAL,
     .offset = offsetof(struct resize, cubic_coeff_a)},
    {.name = "extrapolation_value",
     .kind = ANOLE_KEY_REAL,
     .offset = offsetof(struct resize, extrapolation_value)},
    {.name = "axes",
     .kind = ANOLE_KEY_INTS,
     .offset = offsetof(struct resize, axes),
     .low = -ANOLE_MAX_RANK,
     .high = ANOLE_MAX_RANK - 1,
     .most = ANOLE_MAX_RANK},
    {.name = "sizes",
     .kind = ANOLE_KEY_INTS,
     .offset = offsetof(struct resize, sizes),
     .high = INT32_MAX,
     .most = ANOLE_MAX_RANK},
    {.name = NULL},
};

/* --------------------------------------------------------------------- sizes */

/* What becomes of one axis. */
struct resized_axis {
    int64_t from, to;
    double scale;   /* as given, or to / from */
    double resized; /* from * scale, which `to` is rounded from */
    double roi_start, roi_end;
};

/* Scales of `axes`, from the third input. */
static enum anole_status read_scales(struct resized_axis *plan, const struct anole_operand *scales,
                                     const uint32_t *axes, uint32_t count,
                                     struct anole_error *error)
{
    char shape[128];
    enum anole_status status = anole_check_type(scales, ANOLE_TYPES_REAL, "the scales", error);
    if (status)
        return status;
    if (!scales->data)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "the scales: known only when the network runs; expected a constant");
    if (scales->rank != 1 || scales->dims[0] != count)
        return anole_fail(error, ANOLE_ERR_INPUT, "the scales have the shape %s; expected [%u]",
                          anole_operand_shape_text(shape, sizeof shape, scales), count);
    for (uint32_t i = 0; i < count; i++) {
        struct resized_axis *axis = &plan[axes[i]];
        axis->scale = anole_operand_real(scales, i);
        axis->resized = axis->scale * (double)axis->from;
        if (!(axis->scale > 0 && axis->resized < 0x1p31))
            return anole_fail(error, ANOLE_ERR_INPUT,
                              "a scale of %g for %" PRId64 " elements; expected what is positive, "
                              "and makes fewer than 2^31",
                              axis->scale, axis->from);
        /* In the scales' own precision: 10 * 0.7f is 7. */
        axis->to = (int64_t)floor(scales->dtype == ANOLE_F64 ? axis->resized
                                                             : (double)(float)axis->resized);
    }
    return ANOLE_DONE;
}

static enum anole_status apply_sizes(struct resized_axis *plan, const struct anole_ints *sizes,
                                     const uint32_t *axes, uint32_t count, uint32_t policy,
                                     struct anole_error *error)
{
    double common = policy == NOT_LARGER ? INFINITY : 0;
    if (sizes->count != count)
        return anole_fail(error, ANOLE_ERR_INPUT, "%u sizes; expected %u, one each axis",
                          sizes->count, count);
    for (uint32_t i = 0; i < count; i++) {
        struct resized_axis *axis = &plan[axes[i]];
        int64_t size = sizes->values[i];
        if (size < 0 || size > INT32_MAX || (axis->from == 0 && size > 0))
            return anole_fail(error, ANOLE_ERR_INPUT,
                              "a size of %" PRId64 " for %" PRId64
                              " elements; expected 0 to 2^31 - 1, and 0 of nothing",
                              size, axis->from);
        axis->to = size;
        axis->resized = (double)size;
        axis->scale = axis->from > 0 ? (double)size / (double)axis->from : 1;
        common = policy == NOT_LARGER ? fmin(common, axis->scale) : fmax(common, axis->scale);
    }
    for (uint32_t i = 0; i < count && policy != STRETCH; i++) {
        struct resized_axis *axis = &plan[axes[i]];
        axis->scale = common;
        axis->resized = common * (double)axis->from;
        if (!(axis->resized < 0x1p31))
            return anole_fail(error, ANOLE_ERR_INPUT,
                              "a size of %g; expected fewer than 2^31 elements", axis->resized);
        axis->to = (int64_t)floor(axis->resized + 0.5);
    }
    return ANOLE_DONE;
}

static enum anole_status read_roi(struct resized_axis *plan, const struct anole_call *call,
                                  const uint32_t *axes, uint32_t count, struct anole_error *error)
{
    const struct resize *resize = call->attributes;
    const struct anole_operand *roi = anole_call_input(call, 1);
    char shape[128];
    if (resize->coordinates != TF_CROP_AND_RESIZE)
        return ANOLE_DONE;
    if (!roi)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "there is no region of interest; expected one for tf_crop_and_resize");
    enum anole_status status =
        anole_check_type(roi, ANOLE_TYPES_REAL, "the region of interest", error);
    if (status == ANOLE_DONE && (roi->rank != 1 || roi->dims[0] != 2 * (int64_t)count))
        status = anole_fail(error, ANOLE_ERR_INPUT,
                            "the region of interest has the shape %s; expected [%u]",
                            anole_operand_shape_text(shape, sizeof shape, roi), 2 * count);
    for (uint32_t i = 0; i < count && status == ANOLE_DONE && roi->data; i++) {
        plan[axes[i]].roi_start = anole_operand_real(roi, i);
        plan[axes[i]].roi_end = anole_operand_real(roi, i + count);
    }
    return status;
}

/* plan[rank of the input] */
static enum anole_status make_plan(struct resized_axis *plan, const struct anole_call *call,
                                   struct anole_error *error)
{
    const struct resize *resize = call->attributes;
    const struct anole_operand *input = call->inputs[0], *scales = anole_call_input(call, 2);
    struct anole_ints sizes = resize->sizes;
    uint32_t axes[ANOLE_MAX_RANK], count = resize->axes.count ? resize->axes.count : input->rank;
    bool set[ANOLE_MAX_RANK], given;
    enum anole_status status = anole_axes_set(set, &resize->axes, input->rank, true, error);
    for (uint32_t i = 0; i < count && status == ANOLE_DONE; i++)
        status = anole_operand_axis(&axes[i], resize->axes.count ? resize->axes.values[i] : i,
                                    input->rank, error);
    for (uint32_t i = 0; i < input->rank; i++)
        plan[i] = (struct resized_axis){.from = input->dims[i],
                                        .to = input->dims[i],
                                        .scale = 1,
                                        .resized = (double)input->dims[i],
                                        .roi_end = 1};
    if (status == ANOLE_DONE)
        status = anole_input_ints(&sizes, &given, call, 3, ANOLE_MAX_RANK, "the sizes", error);
    if (status == ANOLE_DONE)
        status = read_roi(plan, call, axes, count, error);
    if (status)
        return status;
    bool scaled = scales && (scales->rank != 1 || scales->dims[0] > 0); /* older files: empty */
    if (scaled == (sizes.count > 0) && input->rank > 0)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          scaled ? "there are scales and sizes; expected one of them"
                                 : "there are no scales and no sizes; expected one of them");
    return scaled ? read_scales(plan, scales, axes, count, error)
                  : apply_sizes(plan, &sizes, axes, count, resize->policy, error);
}

static enum anole_status infer(struct anole_call *call, struct anole_error *error)
{
    const struct resize *resize = call->attributes;
    const struct anole_operand *input = call->inputs[0];
    struct resized_axis plan[ANOLE_MAX_RANK];
    enum anole_status status = anole_check_type(
        input, resize->mode == NEAREST ? ANOLE_TYPES_ANY : ANOLE_TYPES_NUMBER, "the input", error);
    if (status == ANOLE_DONE)
        status = make_plan(plan, call, error);
    if (status)
        return status;
    call->outputs[0] = *input;
    call->outputs[0].data = NULL;
    for (uint32_t i = 0; i < input->rank; i++)
        call->outputs[0].dims[i] = plan[i].to;
    return anole_check_size(&call->outputs[0], error);
}

/* -------------------------------------------------------------------- places */

/* The place of the input that is behind place i of the output. */
static double place_of(const struct resized_axis *axis, int64_t i, uint32_t how)
{
    double x = (double)i, last = (double)axis->from - 1;
    switch (how) {
    case ALIGN_CORNERS:
        return axis->resized == 1 ? 0 : x * last / (axis->resized - 1);
    case ASYMMETRIC:
        return x / axis->scale;
    case TF_CROP_AND_RESIZE: {
        double part = axis->roi_end - axis->roi_start;
        double within =
            axis->resized == 1 ? part * last / 2 : x * part * last / (axis->resized - 1);
        return axis->roi_start * last + within;
    }
    case TF_HALF_PIXEL_FOR_NN:
        return (x + 0.5) / axis->scale;
    case PYTORCH_HALF_PIXEL:
        return axis->resized == 1 ? 0 : (x + 0.5) / axis->scale - 0.5;
    case HALF_PIXEL_SYMMETRIC:
        return (double)axis->from / 2 * (1 - (double)axis->to / axis->resized) +
               (x + 0.5) / axis->scale - 0.5;
    default:
        return (x + 0.5) / axis->scale - 0.5;
    }
}

static bool is_outside(const struct resized_axis *axis, double place, uint32_t how)
{
    return how == TF_CROP_AND_RESIZE && !(place >= 0 && place <= (double)axis->from - 1);
}

static bool is_kept(const struct resized_axis *axis, uint32_t how)
{
    return axis->scale == 1 && axis->to == axis->from &&
           (how != TF_CROP_AND_RESIZE || (axis->roi_start == 0 && axis->roi_end == 1));
}

static int64_t clamp_index(double place, int64_t size)
{
    return !(place > 0) ? 0 : place > (double)(size - 1) ? size - 1 : (int64_t)place;
}

static int64_t nearest(double place, int64_t size, uint32_t mode)
{
    double below = floor(place), rest = place - below;
    bool up = mode == CEIL                ? rest > 0
              : mode == ROUND_PREFER_CEIL ? rest >= 0.5
                                          : mode == ROUND_PREFER_FLOOR && rest > 0.5;
    return clamp_index(up ? below + 1 : below, size);
}

/* ------------------------------------------------------------------- nearest */

/* Where each place of the output is from, along each dimension; *map is what to free. */
static enum anole_status make_maps(int64_t **map, const int64_t *maps[ANOLE_MAX_RANK],
                                   const struct anole_call *call, const struct resized_axis *plan,
                                   struct anole_error *error)
{
    const struct resize *resize = call->attributes;
    const struct anole_operand *output = &call->outputs[0];
    size_t places = 1;
    for (uint32_t d = 0; d < output->rank; d++)
        places += (size_t)output->dims[d];
    int64_t *next = *map = malloc(places * sizeof *next);
    if (!next)
        return anole_fail_memory(error);
    for (uint32_t d = 0; d < output->rank; d++) {
        bool kept = is_kept(&plan[d], resize->coordinates);
        maps[d] = next;
        for (int64_t i = 0; i < output->dims[d]; i++) {
            /* In the precision of scales: 11 / 1.1f is 10. */
            double place = (double)(float)place_of(&plan[d], i, resize->coordinates);
            *next++ = kept ? i
                      : is_outside(&plan[d], place, resize->coordinates)
                          ? -1
                          : nearest(place, plan[d].from, resize->nearest_mode);
        }
    }
    return ANOLE_DONE;
}

/* The bits of the element that lies outside. */
static uint64_t filler_of(const struct anole_call *call)
{
    const struct resize *resize = call->attributes;
    uint64_t fill = 0;
    struct anole_operand filler = {.dtype = call->outputs[0].dtype, .data = &fill};
    anole_operand_set_real(&filler, 0, resize->extrapolation_value);
    return fill;
}

static enum anole_status compute_nearest(const struct anole_call *call,
                                         const struct resized_axis *plan, struct anole_error *error)
{
    const int64_t *maps[ANOLE_MAX_RANK];
    const uint64_t fill = filler_of(call);
    int64_t *map;
    enum anole_status status = make_maps(&map, maps, call, plan, error);
    if (status)
        return status;
    anole_copy_mapped(&call->outputs[0], call->inputs[0], maps, &fill);
    free(map);
    return ANOLE_DONE;
}

/* ----------------------------------------------------------- linear and cubic */

#define TAPS 4

/* What a place of the output is made of. */
struct taps {
    int64_t from[TAPS];
    double weight[TAPS];
    bool outside;
};

/* The kernel of Keys, "Cubic convolution interpolation for digital image processing", 1981. */
static double cubic_weight(double distance, double a)
{
    double x = fabs(distance);
    if (x <= 1)
        return ((a + 2) * x - (a + 3)) * x * x + 1;
    return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
}

static struct taps make_taps(const struct resized_axis *axis, int64_t i,
                             const struct resize *resize)
{
    struct taps taps = {{0}, {0}, false};
    double place = place_of(axis, i, resize->coordinates), below = floor(place), sum = 0;
    double rest = place - below;
    taps.outside = is_outside(axis, place, resize->coordinates);
    for (int t = 0; t < TAPS; t++) {
        double at = below + t - 1;
        if (resize->mode == CUBIC)
            taps.weight[t] = cubic_weight(rest - (t - 1), resize->cubic_coeff_a);
        else
            taps.weight[t] = t == 1 ? 1 - rest : t == 2 ? rest : 0;
        if (resize->exclude_outside && (at < 0 || at > (double)axis->from - 1))
            taps.weight[t] = 0;
        taps.from[t] = clamp_index(at, axis->from);
        sum += taps.weight[t];
    }
    for (int t = 0; t < TAPS && resize->exclude_outside && sum != 0; t++)
        taps.weight[t] /= sum;
    return taps;
}

/* One axis of `in` [outer][from][inner] to `out` [outer][to][inner]. */
static void resize_axis(double *out, const double *in, const struct resized_axis *axis,
                        size_t outer, size_t inner, const struct resize *resize)
{
    for (int64_t i = 0; i < axis->to; i++) {
        struct taps taps = make_taps(axis, i, resize);
        for (size_t o = 0; o < outer; o++) {
            double *line = out + (o * (size_t)axis->to + (size_t)i) * inner;
            for (size_t j = 0; j < inner; j++)
                line[j] = taps.outside ? resize->extrapolation_value : 0;
            for (int t = 0; t < TAPS && !taps.outside; t++) {
                const double *from = in + (o * (size_t)axis->from + (size_t)taps.from[t]) * inner;
                double weight = taps.weight[t];
                if (weight != 0)
                    for (size_t j = 0; j < inner; j++)
                        line[j] += weight * from[j];
            }
        }
    }
}

/* *values, of the shape `now`, with axis d resized. */
static enum anole_status resize_values(double **values, struct anole_operand *now, uint32_t d,
                                       const struct resized_axis *axis, const struct resize *resize,
                                       struct anole_error *error)
{
    struct anole_axis split = anole_axis_split(now, d);
    now->dims[d] = axis->to;
    double *next = malloc((anole_operand_elements(now) + 1) * sizeof *next);
    if (!next)
        return anole_fail_memory(error);
    resize_axis(next, *values, axis, (size_t)split.outer, (size_t)split.inner, resize);
    free(*values);
    *values = next;
    return ANOLE_DONE;
}

static enum anole_status compute_smooth(const struct anole_call *call,
                                        const struct resized_axis *plan, struct anole_error *error)
{
    const struct resize *resize = call->attributes;
    struct anole_operand now = *call->inputs[0];
    size_t elements = anole_operand_elements(&now);
    double *values = malloc((elements + 1) * sizeof *values);
    enum anole_status status = ANOLE_DONE;
    if (!values)
        return anole_fail_memory(error);
    anole_load_reals(values, &now, 0, 1, elements);
    /* Axes that shrink come first: what lies between is no larger than input or output. */
    for (uint32_t i = 0; i < 2 * now.rank && status == ANOLE_DONE; i++) {
        uint32_t d = i % now.rank;
        bool shrinks = plan[d].to < plan[d].from;
        if (shrinks == (i < now.rank) && !is_kept(&plan[d], resize->coordinates))
            status = resize_values(&values, &now, d, &plan[d], resize, error);
    }
    if (status == ANOLE_DONE)
        anole_store_reals(&call->outputs[0], 0, 1, values, anole_operand_elements(&now));
    free(values);
    return status;
}

static enum anole_status compute(const struct anole_call *call, struct anole_error *error)
{
    const struct resize *resize = call->attributes;
    struct resized_axis plan[ANOLE_MAX_RANK];
    enum anole_status status = make_plan(plan, call, error);
    if (status || anole_operand_elements(&call->outputs[0]) == 0)
        return status;
    return resize->mode == NEAREST ? compute_nearest(call, plan, error)
                                   : compute_smooth(call, plan, error);
}

/* -------------------------------------------------------------------- kernels */

#define MOST_AXES 3      /* resized at once */
#define MOST_TABLES 4096 /* places of the output that tables describe, of all axes together */

/* The tables of axis `a`; false: a place lies outside of the input. */
static bool define_axis(struct anole_plain_source *source, uint32_t a,
                        const struct resized_axis *axis, int64_t stride, int first, int count,
                        const struct resize *resize)
{
    struct anole_text weights = {.data = NULL};
    bool inside = true;
    anole_text_printf(&source->text, "constant int from_%u[] = {", a);
    anole_text_printf(&weights, "constant float weight_%u[] = {", a);
    for (int64_t i = 0; i < axis->to && inside; i++) {
        const struct taps taps = make_taps(axis, i, resize);
        inside = !taps.outside;
        for (int t = first; t < first + count; t++) {
            const char *between = i == 0 && t == first       ? ""
                                  : t == first && i % 4 == 0 ? ",\n"
                                                             : ", ";
            anole_text_printf(&source->text, "%s%" PRId64, between, taps.from[t] * stride);
            anole_text_printf(&weights, "%s%af", between, (double)(float)taps.weight[t]);
        }
    }
    anole_text_append(&weights, "};\n", 3);
    anole_text_append(&source->text, "};\n", 3);
    if (!weights.failed)
        anole_text_append(&source->text, weights.data, weights.length);
    source->text.failed |= weights.failed;
    anole_text_fini(&weights);
    return inside;
}

/* False: it is not for kernels. */
static bool define_smooth(struct anole_plain_source *source, const struct anole_call *call,
                          const struct resized_axis *plan, int64_t *items)
{
    const struct resize *resize = call->attributes;
    const struct anole_operand *output = &call->outputs[0];
    const bool linear = resize->mode == LINEAR;
    int64_t strides[ANOLE_MAX_RANK], length = 1, rows = 1, behind = 1, tables = 0;
    uint32_t rank = output->rank, axes = 0;
    bool resized[ANOLE_MAX_RANK], inside = true;
    for (uint32_t d = 0; d < output->rank; d++)
        resized[d] = !is_kept(&plan[d], resize->coordinates);
    anole_dense_strides(strides, call->inputs[0]);
    for (; rank > 0 && !resized[rank - 1]; rank--)
        length *= output->dims[rank - 1];
    for (uint32_t d = 0; d < rank; d++) {
        rows *= output->dims[d];
        tables += resized[d] ? plan[d].to : 0;
        axes += resized[d];
    }
    if (axes < 1 || axes > MOST_AXES || tables > MOST_TABLES)
        return false;
    anole_plain_define_int(source, "AXES", axes);
    anole_plain_define_int(source, "TAPS", linear ? 2 : TAPS);
    for (uint32_t d = rank, a = axes; d-- > 0 && inside; behind *= output->dims[d]) {
        if (!resized[d])
            continue;
        a--;
        inside =
            define_axis(source, a, &plan[d], strides[d], linear ? 1 : 0, linear ? 2 : TAPS, resize);
        anole_text_printf(&source->text,
                          "#define INDEX_%u(row) ((row) / %" PRId64 " %% %" PRId64 ")\n", a, behind,
                          output->dims[d]);
        strides[d] = 0;
    }
    anole_plain_define_sum(source, "AT_IN", rank, output->dims, strides, 0);
    *items = anole_plain_define_rows(source, rows, length);
    return inside;
}

static enum anole_status kernel(const struct anole_call *call, struct anole_kernel_builder *builder,
                                struct anole_error *error)
{
    const struct resize *resize = call->attributes;
    struct anole_plain_source source = {.builder = builder};
    struct resized_axis plan[ANOLE_MAX_RANK];
    const int64_t *maps[ANOLE_MAX_RANK];
    int64_t *map, items;
    enum anole_status status = make_plan(plan, call, error);
    if (status)
        return status;
    if (anole_operand_elements(call->inputs[0]) == 0 ||
        (anole_call_input(call, 1) && !anole_call_input(call, 1)->data &&
         resize->coordinates == TF_CROP_AND_RESIZE))
        return anole_plain_none("what is not known yet", error);
    if (resize->mode == NEAREST) {
        status = make_maps(&map, maps, call, plan, error);
        if (status)
            return status;
        status = anole_plain_mapped(call, maps, filler_of(call), 0, builder, error);
        free(map);
        return status;
    }
    if (anole_dtype_bytes(call->inputs[0]->dtype) != sizeof(float) ||
        !anole_dtype_is_real(call->inputs[0]->dtype) ||
        !define_smooth(&source, call, plan, &items)) {
        anole_text_fini(&source.text);
        return anole_plain_none("this type or size", error);
    }
    anole_plain_text(&source, kernel_op_resize);
    const struct anole_arg args[] = {ANOLE_PLAIN_INPUT(0), ANOLE_PLAIN_OUTPUT(0)};
    anole_plain_launch(&source, "resize", items, args, 2);
    return anole_plain_finish(&source, error);
}

const struct anole_op anole_op_resize = {
    .name = "resize",
    .fewest_inputs = 1,
    .most_inputs = 4,
    .fewest_outputs = 1,
    .most_outputs = 1,
    .attribute_bytes = sizeof(struct resize),
    .defaults = &defaults,
    .keys = keys,
    .infer = infer,
    .compute = compute,
    .kernel = kernel,
};
