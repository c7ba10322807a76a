/* SPDX-License-Identifier: MIT
 *
 * grid_sample: the input, channels last, at places that a grid says: [n, sizes..., c] and
 * [n, out sizes..., axes] make [n, out sizes..., c].  A place has a number for each spatial
 * dimension, the last one first; -1 and 1 are the ends of it: the outer edges of the elements
 * there, or, with `align_corners`, their centres.
 */
#include "kernels/op_grid.cl.h"
#include "op/iterate.h"
#include "op/parameters.h"
#include "op/plain.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>

#define MOST_AXES 3
#define MOST_TAPS 4

enum { MODE_LINEAR, MODE_NEAREST, MODE_CUBIC };
enum { PADDING_ZEROS, PADDING_BORDER, PADDING_REFLECTION };

static const char *const modes[] = {"linear", "nearest", "cubic", NULL};
static const char *const paddings[] = {"zeros", "border", "reflection", NULL};

struct grid_sample {
    uint32_t mode, padding;
    bool align_corners;
};

static const struct anole_op_key keys[] = {
    {.name = "mode",
     .kind = ANOLE_KEY_CHOICE,
     .offset = offsetof(struct grid_sample, mode),
     .choices = modes},
    {.name = "padding",
     .kind = ANOLE_KEY_CHOICE,
     .offset = offsetof(struct grid_sample, padding),
     .choices = paddings},
    {.name = "align_corners",
     .kind = ANOLE_KEY_BOOL,
     .offset = offsetof(struct grid_sample, align_corners)},
    {.name = NULL},
};

static enum anole_status infer(struct anole_call *call, struct anole_error *error)
{
    const struct anole_operand *input = call->inputs[0], *grid = call->inputs[1];
    struct anole_operand *output = &call->outputs[0];
    char shape[128], other[128];
    enum anole_status status = anole_check_type(input, ANOLE_TYPES_REAL, "the input", error);
    if (status == ANOLE_DONE)
        status = anole_check_type(grid, ANOLE_TYPES_REAL, "the grid", error);
    if (status == ANOLE_DONE)
        status = anole_check_rank(input, 3, MOST_AXES + 2, "the input", error);
    if (status)
        return status;
    const uint32_t rank = input->rank;
    bool empty = false;
    for (uint32_t i = 1; i + 1 < rank; i++)
        empty |= input->dims[i] == 0;
    if (grid->rank != rank || grid->dims[0] != input->dims[0] || grid->dims[rank - 1] != rank - 2 ||
        empty)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "a grid of shape %s for an input of shape %s, channels last; expected as "
                          "many dimensions and images, and %u numbers a place",
                          anole_operand_shape_text(shape, sizeof shape, grid),
                          anole_operand_shape_text(other, sizeof other, input), rank - 2);
    *output = *input;
    output->data = NULL;
    for (uint32_t i = 1; i + 1 < rank; i++)
        output->dims[i] = grid->dims[i];
    return anole_check_size(output, error);
}

static uint32_t tap_count(uint32_t mode)
{
    return mode == MODE_NEAREST ? 1 : mode == MODE_LINEAR ? 2 : 4;
}

/* ----------------------------------------------------------------- the reference */

/* Neighbours along an axis, and what each weighs. */
struct taps {
    int64_t from[MOST_TAPS]; /* -1: outside, where there is 0 */
    double weight[MOST_TAPS];
};

/* Where the element is that is seen at `at`, which may lie outside. */
static int64_t source(int64_t at, int64_t size, const struct grid_sample *sample)
{
    if (at >= 0 && at < size)
        return at;
    if (sample->padding == PADDING_ZEROS)
        return -1;
    if (sample->padding == PADDING_BORDER)
        return at < 0 ? 0 : size - 1;
    /* Mirrored at the centres of the outer elements, or at their edges. */
    const int64_t period = sample->align_corners ? 2 * (size - 1) : 2 * size;
    if (period == 0)
        return 0;
    at = (at % period + period) % period;
    return at < size ? at : period - at - !sample->align_corners;
}

static void cubic_weights(double weight[MOST_TAPS], double x)
{
    const double a = -0.75;
    weight[0] = ((a * (x + 1) - 5 * a) * (x + 1) + 8 * a) * (x + 1) - 4 * a;
    weight[1] = ((a + 2) * x - (a + 3)) * x * x + 1;
    weight[2] = ((a + 2) * (1 - x) - (a + 3)) * (1 - x) * (1 - x) + 1;
    weight[3] = ((a * (2 - x) - 5 * a) * (2 - x) + 8 * a) * (2 - x) - 4 * a;
}

static void find_taps(struct taps *taps, double number, int64_t size,
                      const struct grid_sample *sample)
{
    /* In float, as ONNX's evaluator: of two neighbours it may be the nearest by a hair. */
    const float n = (float)number, length = (float)size;
    float x = sample->align_corners ? (n + 1) / 2 * (length - 1) : ((n + 1) * length - 1) / 2;
    if (!(x > -1e9f)) /* or not a number */
        x = -1e9f;
    if (x > 1e9f)
        x = 1e9f;
    /* Outside of the edges, and not of the centres: as ONNX's evaluator has it. */
    const float edge = sample->align_corners ? 0 : 0.5f;
    if (sample->padding == PADDING_BORDER && (x < -edge || x > length - 1 + edge))
        x = x < 0 ? 0 : length - 1;
    const double low = sample->mode == MODE_NEAREST ? nearbyint((double)x) : floor((double)x);
    const double rest = (double)x - low;
    const int64_t first = (int64_t)low - (sample->mode == MODE_CUBIC);
    taps->weight[0] = sample->mode == MODE_NEAREST ? 1 : 1 - rest;
    taps->weight[1] = rest;
    if (sample->mode == MODE_CUBIC)
        cubic_weights(taps->weight, rest);
    for (uint32_t t = 0; t < tap_count(sample->mode); t++)
        taps->from[t] = source(first + t, size, sample);
}

/* Channels `channel` on, `count` of them, of one place. */
static void sample_place(double *sums, const struct anole_operand *input, const struct taps *taps,
                         uint32_t tap_count, int64_t batch, int64_t channel, size_t count)
{
    const uint32_t axes = input->rank - 2;
    const int64_t channels = input->dims[input->rank - 1];
    double values[ANOLE_CHUNK];
    uint32_t combinations = 1;
    for (uint32_t a = 0; a < axes; a++)
        combinations *= tap_count;
    for (size_t c = 0; c < count; c++)
        sums[c] = 0;
    for (uint32_t i = 0; i < combinations; i++) {
        int64_t at = batch;
        double weight = 1;
        bool outside = false;
        uint32_t part = combinations;
        for (uint32_t a = 0; a < axes; a++) {
            part /= tap_count;
            const uint32_t t = i / part % tap_count;
            outside |= taps[a].from[t] < 0;
            at = at * input->dims[a + 1] + taps[a].from[t];
            weight *= taps[a].weight[t];
        }
        if (outside)
            continue;
        anole_load_reals(values, input, at * channels + channel, 1, count);
        for (size_t c = 0; c < count; c++)
            sums[c] += weight * values[c];
    }
}

static enum anole_status compute(const struct anole_call *call, struct anole_error *error)
{
    (void)error;
    const struct grid_sample *sample = call->attributes;
    const struct anole_operand *input = call->inputs[0], *grid = call->inputs[1];
    struct anole_operand *output = &call->outputs[0];
    const uint32_t axes = input->rank - 2, count = tap_count(sample->mode);
    const int64_t channels = input->dims[input->rank - 1];
    double sums[ANOLE_CHUNK];
    struct taps taps[MOST_AXES];
    if (anole_operand_elements(output) == 0)
        return ANOLE_DONE;
    const int64_t places = (int64_t)anole_operand_elements(output) / channels;
    const int64_t images = input->dims[0];
    for (int64_t place = 0; place < places; place++) {
        for (uint32_t a = 0; a < axes; a++)
            find_taps(&taps[a], anole_operand_real(grid, (size_t)(place * axes + axes - 1 - a)),
                      input->dims[a + 1], sample);
        for (int64_t c = 0; c < channels; c += ANOLE_CHUNK) {
            const size_t some = (size_t)(channels - c < ANOLE_CHUNK ? channels - c : ANOLE_CHUNK);
            sample_place(sums, input, taps, count, place / (places / images), c, some);
            anole_store_reals(output, place * channels + c, 1, sums, some);
        }
    }
    return ANOLE_DONE;
}

/* -------------------------------------------------------------------- the kernel */

static enum anole_status kernel(const struct anole_call *call, struct anole_kernel_builder *builder,
                                struct anole_error *error)
{
    const struct grid_sample *sample = call->attributes;
    const struct anole_operand *input = call->inputs[0], *output = &call->outputs[0];
    const uint32_t axes = input->rank - 2;
    const int64_t channels = input->dims[input->rank - 1];
    struct anole_plain_source source = {.builder = builder};
    if (input->dtype != ANOLE_F32 || call->inputs[1]->dtype != ANOLE_F32 ||
        anole_operand_elements(output) == 0)
        return anole_plain_none("this type or size", error);
    const int64_t places = (int64_t)anole_operand_elements(output) / channels;
    anole_plain_define_int(&source, "AXES", axes);
    anole_plain_define_int(&source, "TAPS", tap_count(sample->mode));
    anole_plain_define_int(&source, "PADDING", sample->padding);
    anole_plain_define_int(&source, "ALIGN_CORNERS", sample->align_corners);
    anole_plain_define_int(&source, "PLACES", places / input->dims[0]);
    for (uint32_t a = 0; a < MOST_AXES; a++) {
        char name[] = "SIZE_0";
        name[5] = (char)('0' + a);
        anole_plain_define_int(&source, name, a < axes ? input->dims[a + 1] : 1);
    }
    const int64_t items = anole_plain_define_rows(&source, places, channels);
    anole_plain_text(&source, kernel_op_grid);
    const struct anole_arg args[] = {ANOLE_PLAIN_INPUT(0), ANOLE_PLAIN_INPUT(1),
                                     ANOLE_PLAIN_OUTPUT(0)};
    anole_plain_launch(&source, "grid_sample", items, args, 3);
    return anole_plain_finish(&source, error);
}

const struct anole_op anole_op_grid_sample = {
    .name = "grid_sample",
    .fewest_inputs = 2,
    .most_inputs = 2,
    .fewest_outputs = 1,
    .most_outputs = 1,
    .attribute_bytes = sizeof(struct grid_sample),
    .keys = keys,
    .infer = infer,
    .compute = compute,
    .kernel = kernel,
};
