/* SPDX-License-Identifier: MIT
 *
 * group_norm: (x - mean) / sqrt(variance + epsilon) * scale + bias, where mean and variance
 * are those of one image and one group of neighbouring channels; scale and bias are one a
 * channel.  Channels last.
 * instance_norm: the same with every channel as a group.
 */
#include "kernels/op_norm.cl.h"
#include "op/iterate.h"
#include "op/parameters.h"
#include "op/plain.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct group_norm {
    double epsilon;
    int64_t groups; /* of instance_norm: 0, one a channel */
};

static const struct group_norm defaults = {.epsilon = 1e-5};

#define EPSILON                                                                                    \
    {                                                                                              \
        .name = "epsilon", .kind = ANOLE_KEY_REAL, .offset = offsetof(struct group_norm, epsilon)  \
    }

static const struct anole_op_key instance_keys[] = {EPSILON, {.name = NULL}};

static const struct anole_op_key group_keys[] = {
    EPSILON,
    {.name = "groups",
     .kind = ANOLE_KEY_INT,
     .offset = offsetof(struct group_norm, groups),
     .low = 1,
     .high = INT32_MAX,
     .required = true},
    {.name = NULL},
};

static enum anole_status infer(struct anole_call *call, struct anole_error *error)
{
    static const char *const names[] = {"the input", "the scale", "the bias"};
    const struct group_norm *norm = call->attributes;
    const struct anole_operand *input = call->inputs[0];
    enum anole_status status = anole_check_rank(input, 2, ANOLE_MAX_RANK, names[0], error);
    if (status)
        return status;
    int64_t channels = input->dims[input->rank - 1];
    for (uint32_t i = 0; i < 3 && status == ANOLE_DONE; i++) {
        status = anole_check_type(call->inputs[i], ANOLE_TYPES_REAL, names[i], error);
        if (status == ANOLE_DONE && i > 0)
            status = anole_check_list(call->inputs[i], channels, names[i], error);
    }
    if (status == ANOLE_DONE && norm->groups > 0 && channels % norm->groups)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "%" PRId64 " channels in %" PRId64 " groups; expected groups of one size",
                          channels, norm->groups);
    call->outputs[0] = *input;
    call->outputs[0].data = NULL;
    return status;
}

/* One image: `places` rows of `channels` from element `first` on. */
struct image {
    const struct anole_operand *input;
    int64_t first, places, channels, groups;
};

/* sums[channels] of x - base, or of its square. */
static void sum_channels(double *sums, double *x, const struct image *image, const double *base,
                         bool squares)
{
    size_t channels = (size_t)image->channels;
    memset(sums, 0, channels * sizeof *sums);
    for (int64_t i = 0; i < image->places; i++) {
        anole_load_reals(x, image->input, image->first + i * image->channels, 1, channels);
        for (size_t c = 0; c < channels; c++) {
            double y = x[c] - base[c];
            sums[c] += squares ? y * y : y;
        }
    }
}

/* Each channel's sum becomes the mean of its group. */
static void mean_of_groups(double *sums, const struct image *image)
{
    int64_t width = image->groups > 0 ? image->channels / image->groups : 0;
    for (int64_t g = 0; g < image->groups; g++) {
        double sum = 0;
        for (int64_t c = g * width; c < (g + 1) * width; c++)
            sum += sums[c];
        for (int64_t c = g * width; c < (g + 1) * width; c++)
            sums[c] = sum / (double)(width * image->places);
    }
}

/* work[4 * channels] */
static void normalise(const struct anole_call *call, const struct image *image, double *work)
{
    const struct group_norm *norm = call->attributes;
    size_t channels = (size_t)image->channels;
    double *x = work, *mean = x + channels, *spread = mean + channels, *zero = spread + channels;
    memset(zero, 0, channels * sizeof *zero);
    sum_channels(mean, x, image, zero, false);
    mean_of_groups(mean, image);
    sum_channels(spread, x, image, mean, true);
    mean_of_groups(spread, image);
    for (size_t c = 0; c < channels; c++)
        spread[c] = anole_operand_real(call->inputs[1], c) / sqrt(spread[c] + norm->epsilon);
    for (int64_t i = 0; i < image->places; i++) {
        int64_t at = image->first + i * image->channels;
        anole_load_reals(x, image->input, at, 1, channels);
        for (size_t c = 0; c < channels; c++)
            x[c] = (x[c] - mean[c]) * spread[c] + anole_operand_real(call->inputs[2], c);
        anole_store_reals(&call->outputs[0], at, 1, x, channels);
    }
}

static enum anole_status compute(const struct anole_call *call, struct anole_error *error)
{
    const struct group_norm *norm = call->attributes;
    const struct anole_operand *input = call->inputs[0];
    struct image image = {.input = input, .places = 1, .channels = input->dims[input->rank - 1]};
    if (anole_operand_elements(input) == 0)
        return ANOLE_DONE;
    image.groups = norm->groups > 0 ? norm->groups : image.channels;
    for (uint32_t i = 1; i < input->rank - 1; i++)
        image.places *= input->dims[i];
    double *work = malloc((4 * (size_t)image.channels + 1) * sizeof *work);
    if (!work)
        return anole_fail_memory(error);
    for (int64_t n = 0; n < input->dims[0]; n++) {
        image.first = n * image.places * image.channels;
        normalise(call, &image, work);
    }
    free(work);
    return ANOLE_DONE;
}

static enum anole_status kernel(const struct anole_call *call, struct anole_kernel_builder *builder,
                                struct anole_error *error)
{
    const struct group_norm *norm = call->attributes;
    const struct anole_operand *input = call->inputs[0];
    const int64_t channels = input->dims[input->rank - 1];
    const int64_t groups = norm->groups > 0 ? norm->groups : channels;
    struct anole_plain_source source = {.builder = builder};
    for (uint32_t i = 0; i < 3; i++)
        if (anole_dtype_bytes(call->inputs[i]->dtype) != sizeof(float))
            return anole_plain_none("these types", error);
    if (anole_operand_elements(input) == 0)
        return anole_plain_none("nothing", error);
    const int64_t places = (int64_t)anole_operand_elements(input) / channels / input->dims[0];
    anole_plain_define_int(&source, "GROUP_NORM", 1);
    anole_plain_define_real(&source, "EPSILON", norm->epsilon);
    anole_plain_define_int(&source, "PLACES", places);
    anole_plain_define_int(&source, "SPAN", channels / groups);
    int64_t items = input->dims[0] * groups;
    if (channels == groups) {
        items = anole_plain_define_rows(&source, input->dims[0], channels);
    } else {
        anole_plain_define_int(&source, "LENGTH", channels);
        anole_plain_define_int(&source, "WIDTH", 4);
        anole_plain_define_int(&source, "ITEMS", items);
    }
    anole_plain_text(&source, kernel_op_norm);
    const struct anole_arg args[] = {ANOLE_PLAIN_INPUT(0), ANOLE_PLAIN_INPUT(1),
                                     ANOLE_PLAIN_INPUT(2), ANOLE_PLAIN_OUTPUT(0)};
    anole_plain_launch(&source, "norm", items, args, 4);
    return anole_plain_finish(&source, error);
}

#define NORM(NAME, KEYS)                                                                           \
    const struct anole_op anole_op_##NAME = {                                                      \
        .name = #NAME,                                                                             \
        .fewest_inputs = 3,                                                                        \
        .most_inputs = 3,                                                                          \
        .fewest_outputs = 1,                                                                       \
        .most_outputs = 1,                                                                         \
        .attribute_bytes = sizeof(struct group_norm),                                              \
        .defaults = &defaults,                                                                     \
        .keys = KEYS,                                                                              \
        .infer = infer,                                                                            \
        .compute = compute,                                                                        \
        .kernel = kernel,                                                                          \
    }

NORM(group_norm, group_keys);
NORM(instance_norm, instance_keys);
