/* SPDX-License-Identifier: MIT
 *
 * roi_align: what boxes of images hold, each as a small image of one size.  x [n, h, w, c], boxes
 * [boxes, 4] of left, top, right, bottom, and the image of each [boxes] make [boxes, height, width,
 * c].  Each element is the mean, or the largest, of samples spread evenly over its part of the box;
 * a sample is weighed from the four elements around it, and 0 outside of the image.
 *
 * Boxes are multiplied by `scale`.  With `half_pixel` elements lie at the centres of pixels;
 * without it they lie at their corners, and a box is at least one element wide and high.  The
 * largest is, as ONNX has it, that of the four products of element and weight.  A box with an edge
 * that is no finite number has zeroes.
 */
#include "op/iterate.h"
#include "op/parameters.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>

enum { MODE_AVERAGE, MODE_MAX };

static const char *const modes[] = {"average", "max", NULL};

struct roi_align {
    uint32_t mode;
    int64_t height, width, sampling_ratio; /* 0: as many samples as elements, rounded up */
    double scale;
    bool half_pixel;
};

static const struct roi_align defaults = {.height = 1, .width = 1, .scale = 1, .half_pixel = true};

static const struct anole_op_key keys[] = {
    {.name = "mode",
     .kind = ANOLE_KEY_CHOICE,
     .offset = offsetof(struct roi_align, mode),
     .choices = modes},
    {.name = "height",
     .kind = ANOLE_KEY_INT,
     .offset = offsetof(struct roi_align, height),
     .low = 1,
     .high = 1 << 24},
    {.name = "width",
     .kind = ANOLE_KEY_INT,
     .offset = offsetof(struct roi_align, width),
     .low = 1,
     .high = 1 << 24},
    {.name = "sampling_ratio",
     .kind = ANOLE_KEY_INT,
     .offset = offsetof(struct roi_align, sampling_ratio),
     .high = 1 << 12},
    {.name = "scale", .kind = ANOLE_KEY_REAL, .offset = offsetof(struct roi_align, scale)},
    {.name = "half_pixel",
     .kind = ANOLE_KEY_BOOL,
     .offset = offsetof(struct roi_align, half_pixel)},
    {.name = NULL},
};

static enum anole_status infer(struct anole_call *call, struct anole_error *error)
{
    const struct roi_align *align = call->attributes;
    const struct anole_operand *input = call->inputs[0], *boxes = call->inputs[1];
    const struct anole_operand *images = call->inputs[2];
    struct anole_operand *output = &call->outputs[0];
    char shapes[2][128];
    enum anole_status status = anole_check_type(input, ANOLE_TYPES_REAL, "the input", error);
    if (status == ANOLE_DONE)
        status = anole_check_rank(input, 4, 4, "the input", error);
    if (status == ANOLE_DONE)
        status = anole_check_type(boxes, ANOLE_TYPES_REAL, "the boxes", error);
    if (status == ANOLE_DONE)
        status = anole_check_type(images, ANOLE_TYPES_INTEGER, "the boxes' images", error);
    if (status)
        return status;
    if (boxes->rank != 2 || boxes->dims[1] != 4 || images->rank != 1 ||
        images->dims[0] != boxes->dims[0])
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "boxes of shape %s with images of shape %s; expected [boxes, 4] and "
                          "[boxes]",
                          anole_operand_shape_text(shapes[0], sizeof shapes[0], boxes),
                          anole_operand_shape_text(shapes[1], sizeof shapes[1], images));
    *output = (struct anole_operand){
        .dtype = input->dtype,
        .rank = 4,
        .dims = {boxes->dims[0], align->height, align->width, input->dims[3]}};
    return anole_check_size(output, error);
}

/* ------------------------------------------------------------------- samples */

/* Of a part of a box, along one axis: sample i lies at first + (i + 0.5) step. */
struct samples {
    double first, step, count;
    int64_t from, to; /* those that may lie inside of the image: from..to-1 */
};

/* Part `part` of the `parts` that a box is divided into, which begins at `start`. */
static struct samples samples_of(double start, double length, int64_t part, int64_t parts,
                                 int64_t ratio, int64_t size)
{
    const double bin = (double)((float)length / (float)parts); /* as others round it up */
    struct samples samples = {.first = start + (double)part * bin,
                              .count = ratio > 0 ? (double)ratio : ceil(bin)};
    if (!(samples.count > 0))
        return samples;
    samples.step = bin / samples.count;
    double from = 0, to = samples.count;
    if (samples.step > 0) { /* a box may be far larger than the image */
        from = fmax(from, floor((-1 - samples.first) / samples.step - 1.5));
        to = fmin(to, ceil(((double)size - samples.first) / samples.step + 1.5));
    }
    if (from < to && to - from < 1e9 && from < 1e15) {
        samples.from = (int64_t)from;
        samples.to = (int64_t)to;
    }
    return samples;
}

/* The elements on both sides of a place, and what they weigh; false: it is outside. */
struct tap {
    int64_t at[2];
    double weight[2];
};

static bool make_tap(struct tap *tap, const struct samples *samples, int64_t i, int64_t size)
{
    double at = samples->first + ((double)i + 0.5) * samples->step;
    if (!(at >= -1 && at <= (double)size) || size == 0)
        return false;
    at = fmax(at, 0);
    tap->at[0] = (int64_t)at < size - 1 ? (int64_t)at : size - 1;
    tap->at[1] = tap->at[0] < size - 1 ? tap->at[0] + 1 : tap->at[0];
    tap->weight[1] = tap->at[1] > tap->at[0] ? at - (double)tap->at[0] : 0;
    tap->weight[0] = 1 - tap->weight[1];
    return true;
}

/* ----------------------------------------------------------------- reference */

/* What computing needs of one part of a box. */
struct part {
    const struct anole_operand *input;
    int64_t image;
    bool max;
    struct samples y, x;
};

/* `count` channels from `channel` on of one sample, added to result[]. */
static void add_sample(double *result, const struct part *part, const struct tap *y,
                       const struct tap *x, int64_t channel, size_t count)
{
    const struct anole_operand *input = part->input;
    double values[ANOLE_CHUNK];
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++) {
            const int64_t row = part->image * input->dims[1] + y->at[i];
            const int64_t at = (row * input->dims[2] + x->at[j]) * input->dims[3] + channel;
            const double weight = y->weight[i] * x->weight[j];
            anole_load_reals(values, input, at, 1, count);
            for (size_t c = 0; c < count; c++) {
                const double value = weight * values[c];
                if (!part->max)
                    result[c] += value;
                else if (value > result[c] || isnan(value))
                    result[c] = value;
            }
        }
}

static void reduce_part(double *result, const struct part *part, int64_t channel, size_t count)
{
    const double all = fmax(part->y.count, 0) * fmax(part->x.count, 0);
    double inside = 0;
    struct tap y, x;
    for (size_t c = 0; c < count; c++)
        result[c] = part->max ? -INFINITY : 0;
    for (int64_t i = part->y.from; i < part->y.to; i++) {
        if (!make_tap(&y, &part->y, i, part->input->dims[1]))
            continue;
        for (int64_t j = part->x.from; j < part->x.to; j++) {
            if (!make_tap(&x, &part->x, j, part->input->dims[2]))
                continue;
            add_sample(result, part, &y, &x, channel, count);
            inside++;
        }
    }
    for (size_t c = 0; c < count; c++)
        if (!part->max)
            result[c] /= fmax(all, 1);
        else if (inside < fmax(all, 1))
            result[c] = result[c] < 0 ? 0 : result[c]; /* some were 0, or there was none */
}

/* Box `box`; `image` is one of the input's. */
static void align_box(const struct anole_call *call, int64_t box, int64_t image)
{
    const struct roi_align *align = call->attributes;
    const struct anole_operand *input = call->inputs[0];
    struct anole_operand *output = &call->outputs[0];
    const int64_t channels = input->dims[3];
    const double offset = align->half_pixel ? 0.5 : 0;
    float edges[4], sizes[2];
    double result[ANOLE_CHUNK];
    bool finite = true;
    for (int i = 0; i < 4; i++) {
        const double edge = anole_operand_real(call->inputs[1], (size_t)(4 * box + i));
        edges[i] = (float)edge * (float)align->scale - (float)offset;
        finite = finite && isfinite(edges[i]);
    }
    for (int i = 0; i < 2; i++) {
        sizes[i] = edges[2 + i] - edges[i];
        if (!align->half_pixel)
            sizes[i] = fmaxf(sizes[i], 1);
    }
    for (int64_t place = 0; place < align->height * align->width; place++) {
        struct part part = {.input = input, .image = image, .max = align->mode == MODE_MAX};
        if (finite) {
            part.y = samples_of((double)edges[1], (double)sizes[1], place / align->width,
                                align->height, align->sampling_ratio, input->dims[1]);
            part.x = samples_of((double)edges[0], (double)sizes[0], place % align->width,
                                align->width, align->sampling_ratio, input->dims[2]);
        }
        for (int64_t c = 0; c < channels; c += ANOLE_CHUNK) {
            size_t count = (size_t)(channels - c < ANOLE_CHUNK ? channels - c : ANOLE_CHUNK);
            reduce_part(result, &part, c, count);
            anole_store_reals(output, (box * align->height * align->width + place) * channels + c,
                              1, result, count);
        }
    }
}

static enum anole_status compute(const struct anole_call *call, struct anole_error *error)
{
    const struct anole_operand *input = call->inputs[0], *images = call->inputs[2];
    if (anole_operand_elements(&call->outputs[0]) == 0)
        return ANOLE_DONE;
    for (int64_t box = 0; box < images->dims[0]; box++) {
        const int64_t image = anole_operand_int(images, (size_t)box);
        if (image < 0 || image >= input->dims[0])
            return anole_fail(error, ANOLE_ERR_INPUT,
                              "box %" PRId64 " is of image %" PRId64 "; expected 0 to %" PRId64,
                              box, image, input->dims[0] - 1);
        align_box(call, box, image);
    }
    return ANOLE_DONE;
}

const struct anole_op anole_op_roi_align = {
    .name = "roi_align",
    .flags = ANOLE_OP_HOST,
    .fewest_inputs = 3,
    .most_inputs = 3,
    .fewest_outputs = 1,
    .most_outputs = 1,
    .attribute_bytes = sizeof(struct roi_align),
    .defaults = &defaults,
    .keys = keys,
    .infer = infer,
    .compute = compute,
};
