/* SPDX-License-Identifier: MIT
 *
 * max_pool, average_pool: the largest element, or the mean, of a window that moves over the
 * spatial dimensions, channels last.
 *
 * `pads` has the begins of all dimensions, then the ends.  Padding counts for nothing; with
 * `count_include_pad` it counts as zeros, but never what lies beyond it (ceil_mode).
 *
 * A second output of max_pool says where the largest elements are, as I64: their numbers among all
 * of the input as if channels were its second dimension; with `column_major` the first spatial
 * dimension is the one whose elements are neighbours.
 */
#include "kernels/op_window.cl.h"
#include "op/iterate.h"
#include "op/parameters.h"
#include "op/plain.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>

#define MOST 3 /* spatial dimensions */

enum { PADS_EXPLICIT, PADS_SAME_UPPER, PADS_SAME_LOWER, PADS_VALID };

static const char *const auto_pads[] = {"explicit", "same_upper", "same_lower", "valid", NULL};

struct pool {
    struct anole_ints kernel, strides, dilations;
    struct anole_ints pads; /* infer() fills in all of these */
    uint32_t auto_pad;
    bool ceil_mode, count_include_pad, column_major;
};

#define SIZES(field)                                                                               \
    {                                                                                              \
        .name = #field, .kind = ANOLE_KEY_INTS, .offset = offsetof(struct pool, field), .low = 1,  \
        .high = 1 << 24, .most = MOST                                                              \
    }
#define COMMON_KEYS                                                                                \
    {.name = "kernel",                                                                             \
     .kind = ANOLE_KEY_INTS,                                                                       \
     .offset = offsetof(struct pool, kernel),                                                      \
     .low = 1,                                                                                     \
     .high = 1 << 24,                                                                              \
     .fewest = 1,                                                                                  \
     .most = MOST,                                                                                 \
     .required = true},                                                                            \
        SIZES(strides), SIZES(dilations),                                                          \
        {.name = "pads",                                                                           \
         .kind = ANOLE_KEY_INTS,                                                                   \
         .offset = offsetof(struct pool, pads),                                                    \
         .high = 1 << 24,                                                                          \
         .most = 2 * MOST},                                                                        \
        {.name = "auto_pad",                                                                       \
         .kind = ANOLE_KEY_CHOICE,                                                                 \
         .offset = offsetof(struct pool, auto_pad),                                                \
         .choices = auto_pads},                                                                    \
    {                                                                                              \
        .name = "ceil_mode", .kind = ANOLE_KEY_BOOL, .offset = offsetof(struct pool, ceil_mode)    \
    }

static const struct anole_op_key max_keys[] = {
    COMMON_KEYS,
    {.name = "column_major", .kind = ANOLE_KEY_BOOL, .offset = offsetof(struct pool, column_major)},
    {.name = NULL},
};

static const struct anole_op_key average_keys[] = {
    COMMON_KEYS,
    {.name = "count_include_pad",
     .kind = ANOLE_KEY_BOOL,
     .offset = offsetof(struct pool, count_include_pad)},
    {.name = NULL},
};

/* -------------------------------------------------------------------- shapes */

/* Fills in a list that was left out. */
static enum anole_status complete(struct anole_ints *list, const char *name, uint32_t count,
                                  int64_t value, struct anole_error *error)
{
    if (list->count == 0)
        for (; list->count < count; list->count++)
            list->values[list->count] = value;
    if (list->count != count)
        return anole_fail(error, ANOLE_ERR_INPUT, "%u numbers in %s; expected %u, for the window",
                          list->count, name, count);
    return ANOLE_DONE;
}

/* The output's size along spatial dimension i; sets the pads of `same`. */
static int64_t output_size(struct pool *pool, uint32_t i, int64_t size)
{
    int64_t *begin = &pool->pads.values[i], *end = begin + pool->kernel.count;
    int64_t stride = pool->strides.values[i];
    int64_t window = pool->dilations.values[i] * (pool->kernel.values[i] - 1) + 1;
    if (pool->auto_pad == PADS_VALID)
        *begin = *end = 0;
    if (pool->auto_pad == PADS_SAME_UPPER || pool->auto_pad == PADS_SAME_LOWER) {
        int64_t out = (size + stride - 1) / stride;
        int64_t total = (out - 1) * stride + window - size;
        total = total > 0 ? total : 0;
        *begin = pool->auto_pad == PADS_SAME_UPPER ? total / 2 : total - total / 2;
        *end = total - *begin;
        return out;
    }
    int64_t places = size + *begin + *end - window;
    if (places < 0) /* when sizes are rounded up, one window may reach over both ends */
        return pool->ceil_mode && places > -stride;
    if (!pool->ceil_mode)
        return places / stride + 1;
    int64_t out = (places + stride - 1) / stride + 1;
    return (out - 1) * stride >= size + *begin ? out - 1 : out; /* none begins in the padding */
}

static enum anole_status infer(struct anole_call *call, struct anole_error *error)
{
    struct pool *pool = call->attributes;
    const struct anole_operand *input = call->inputs[0];
    struct anole_operand *output = &call->outputs[0];
    uint32_t count = pool->kernel.count;
    char shape[128];
    enum anole_status status = anole_check_type(
        input, ANOLE_TYPES_NUMBER & ~(ANOLE_TYPE(I64) | ANOLE_TYPE(U64)), "the input", error);
    if (status == ANOLE_DONE)
        status = anole_check_rank(input, count + 2, count + 2, "the input", error);
    if (status == ANOLE_DONE)
        status = complete(&pool->strides, "strides", count, 1, error);
    if (status == ANOLE_DONE)
        status = complete(&pool->dilations, "dilations", count, 1, error);
    if (status == ANOLE_DONE)
        status = complete(&pool->pads, "pads", 2 * count, 0, error);
    if (status)
        return status;
    *output = *input;
    output->data = NULL;
    for (uint32_t i = 0; i < count; i++) {
        output->dims[i + 1] = output_size(pool, i, input->dims[i + 1]);
        if (output->dims[i + 1] < 1)
            return anole_fail(
                error, ANOLE_ERR_INPUT,
                "a window of %" PRId64 " (dilation %" PRId64
                ") in spatial dimension %u of an input of shape %s with padding %" PRId64
                " and %" PRId64 "; expected it to fit",
                pool->kernel.values[i], pool->dilations.values[i], i,
                anole_operand_shape_text(shape, sizeof shape, input), pool->pads.values[i],
                pool->pads.values[i + count]);
    }
    if (call->output_count > 1) {
        call->outputs[1] = *output;
        call->outputs[1].dtype = ANOLE_I64;
    }
    return anole_check_size(output, error);
}

/* ------------------------------------------------------------------- windows */

/* Of one window along one dimension: taps first..end-1 (of the kernel) lie inside of the
 * input, tap t at begin + t * step; `counted` lie inside of input and padding. */
struct taps {
    int64_t first, end, begin, step, counted;
};

/* Taps t with low <= begin + t * step < high, of 0..count-1: from *first to before the result. */
static int64_t taps_within(int64_t *first, int64_t begin, int64_t step, int64_t count, int64_t low,
                           int64_t high)
{
    *first = begin >= low ? 0 : (low - begin + step - 1) / step;
    int64_t end = begin >= high ? 0 : (high - begin + step - 1) / step;
    return end > count ? count : end;
}

static struct taps taps_of(const struct pool *pool, uint32_t i, int64_t at, int64_t size)
{
    struct taps taps = {.begin = at * pool->strides.values[i] - pool->pads.values[i],
                        .step = pool->dilations.values[i]};
    int64_t first, kernel = pool->kernel.values[i];
    int64_t end = taps_within(&first, taps.begin, taps.step, kernel, -pool->pads.values[i],
                              size + pool->pads.values[i + pool->kernel.count]);
    taps.counted = end > first ? end - first : 0;
    taps.end = taps_within(&taps.first, taps.begin, taps.step, kernel, 0, size);
    return taps;
}

/* What computing needs of a call: the input as [batch][MOST spatial dimensions][channels]. */
struct frame {
    const struct pool *pool;
    const struct anole_operand *input;
    struct anole_operand *output, *indices; /* the latter NULL: not wanted */
    int64_t sizes[MOST], channels;
    bool average;
};

/* `count` channels from `channel` on of the window of `taps`, in image `batch`. */
static void reduce_window(double *result, const struct frame *frame, const struct taps taps[MOST],
                          int64_t batch, int64_t channel, size_t count)
{
    double values[ANOLE_CHUNK];
    int64_t found = 0, counted = taps[0].counted * taps[1].counted * taps[2].counted;
    for (size_t c = 0; c < count; c++)
        result[c] = frame->average ? 0 : -INFINITY;
    for (int64_t i = taps[0].first; i < taps[0].end; i++)
        for (int64_t j = taps[1].first; j < taps[1].end; j++)
            for (int64_t k = taps[2].first; k < taps[2].end; k++, found++) {
                int64_t at = batch * frame->sizes[0] + taps[0].begin + i * taps[0].step;
                at = at * frame->sizes[1] + taps[1].begin + j * taps[1].step;
                at = at * frame->sizes[2] + taps[2].begin + k * taps[2].step;
                anole_load_reals(values, frame->input, at * frame->channels + channel, 1, count);
                if (frame->average)
                    for (size_t c = 0; c < count; c++)
                        result[c] += values[c];
                else
                    for (size_t c = 0; c < count; c++)
                        result[c] =
                            values[c] > result[c] || isnan(values[c]) ? values[c] : result[c];
            }
    double divisor = (double)(frame->pool->count_include_pad ? counted : found);
    for (size_t c = 0; c < count && frame->average && divisor > 0; c++)
        result[c] /= divisor;
}

/* The number that says where an element is. */
static int64_t index_of(const struct frame *frame, int64_t batch, int64_t channel,
                        const int64_t at[MOST])
{
    const int64_t *sizes = frame->sizes;
    const int64_t plane = batch * frame->channels + channel;
    if (frame->pool->column_major)
        return plane * sizes[0] * sizes[1] * sizes[2] + at[0] +
               sizes[0] * (at[1] + sizes[1] * at[2]);
    return ((plane * sizes[0] + at[0]) * sizes[1] + at[1]) * sizes[2] + at[2];
}

/* The index of the first element of a window, in one channel, that is the largest; one that is
 * not a number is. */
static int64_t find_largest(const struct frame *frame, const struct taps taps[MOST], int64_t batch,
                            int64_t channel)
{
    int64_t found = -1;
    double best = -INFINITY, value;
    for (int64_t i = taps[0].first; i < taps[0].end; i++)
        for (int64_t j = taps[1].first; j < taps[1].end; j++)
            for (int64_t k = taps[2].first; k < taps[2].end; k++) {
                const int64_t at[MOST] = {taps[0].begin + i * taps[0].step,
                                          taps[1].begin + j * taps[1].step,
                                          taps[2].begin + k * taps[2].step};
                const int64_t place =
                    ((batch * frame->sizes[0] + at[0]) * frame->sizes[1] + at[1]) *
                        frame->sizes[2] +
                    at[2];
                value =
                    anole_operand_real(frame->input, (size_t)(place * frame->channels + channel));
                if (found >= 0 && !(value > best || (isnan(value) && !isnan(best))))
                    continue;
                best = value;
                found = index_of(frame, batch, channel, at);
            }
    return found;
}

/* All channels of the window whose place in the output is `at` (counted over all places). */
static void pool_place(const struct frame *frame, const int64_t outputs[MOST], int64_t at)
{
    struct taps taps[MOST];
    double result[ANOLE_CHUNK];
    uint32_t absent = MOST - frame->pool->kernel.count;
    int64_t rest = at;
    for (uint32_t i = MOST; i-- > 0; rest /= outputs[i])
        taps[i] = i < absent ? (struct taps){.end = 1, .step = 1, .counted = 1}
                             : taps_of(frame->pool, i - absent, rest % outputs[i], frame->sizes[i]);
    for (int64_t c = 0; c < frame->channels; c += ANOLE_CHUNK) {
        size_t count =
            (size_t)(frame->channels - c < ANOLE_CHUNK ? frame->channels - c : ANOLE_CHUNK);
        reduce_window(result, frame, taps, rest, c, count);
        anole_store_reals(frame->output, at * frame->channels + c, 1, result, count);
    }
    for (int64_t c = 0; frame->indices && c < frame->channels; c++)
        ((int64_t *)frame->indices->data)[at * frame->channels + c] =
            find_largest(frame, taps, rest, c);
}

static void run(const struct anole_call *call, bool average)
{
    const struct pool *pool = call->attributes;
    const struct anole_operand *input = call->inputs[0];
    uint32_t absent = MOST - pool->kernel.count;
    struct frame frame = {.pool = pool,
                          .input = input,
                          .output = &call->outputs[0],
                          .indices = call->output_count > 1 ? &call->outputs[1] : NULL,
                          .channels = input->dims[input->rank - 1],
                          .average = average};
    int64_t outputs[MOST], places = input->dims[0];
    if (anole_operand_elements(frame.output) == 0)
        return;
    for (uint32_t i = 0; i < MOST; i++) {
        frame.sizes[i] = i < absent ? 1 : input->dims[i - absent + 1];
        outputs[i] = i < absent ? 1 : call->outputs[0].dims[i - absent + 1];
        places *= outputs[i];
    }
    for (int64_t at = 0; at < places; at++)
        pool_place(&frame, outputs, at);
}

static enum anole_status compute_max(const struct anole_call *call, struct anole_error *error)
{
    (void)error;
    run(call, false);
    return ANOLE_DONE;
}

static enum anole_status compute_average(const struct anole_call *call, struct anole_error *error)
{
    (void)error;
    run(call, true);
    return ANOLE_DONE;
}

/* Whether no window reaches over an end of the input. */
static bool is_inside(const struct pool *pool, const struct anole_operand *input,
                      const struct anole_operand *output)
{
    for (uint32_t i = 0; i < pool->kernel.count; i++) {
        const int64_t last = (output->dims[i + 1] - 1) * pool->strides.values[i] +
                             pool->dilations.values[i] * (pool->kernel.values[i] - 1);
        if (pool->pads.values[i] > 0 || last >= input->dims[i + 1])
            return false;
    }
    return true;
}

static enum anole_status make_kernel(const struct anole_call *call, bool average,
                                     struct anole_kernel_builder *builder,
                                     struct anole_error *error)
{
    const struct pool *pool = call->attributes;
    const struct anole_operand *input = call->inputs[0], *output = &call->outputs[0];
    const char *type = anole_plain_type(input->dtype);
    const uint32_t count = pool->kernel.count, absent = MOST - count;
    struct anole_plain_source source = {.builder = builder};
    const int64_t channels = input->dims[input->rank - 1];
    if (!type || (average && !anole_dtype_is_real(input->dtype)) ||
        anole_operand_elements(input) == 0)
        return anole_plain_none("this type", error);
    anole_plain_define(&source, "TYPE", "%s", type);
    anole_plain_define_int(&source, "AVERAGE", average);
    anole_plain_define_int(&source, "COUNT_PADDING", pool->count_include_pad);
    anole_plain_define_int(&source, "INDICES", call->output_count > 1 ? 1 + pool->column_major : 0);
    anole_plain_define_int(&source, "INSIDE", is_inside(pool, input, output));
    anole_plain_define_bounds(&source, input->dtype);
    for (uint32_t d = 0; d < MOST; d++) {
        const bool there = d >= absent;
        const uint32_t i = there ? d - absent : 0;
        const struct {
            const char *name;
            int64_t value;
        } numbers[] = {
            {"IN", there ? input->dims[i + 1] : 1},
            {"OUT", there ? output->dims[i + 1] : 1},
            {"KERNEL", there ? pool->kernel.values[i] : 1},
            {"STRIDE", there ? pool->strides.values[i] : 1},
            {"DILATION", there ? pool->dilations.values[i] : 1},
            {"PAD", there ? pool->pads.values[i] : 0},
            {"PAD_END", there ? pool->pads.values[i + count] : 0},
        };
        for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++) {
            char name[16];
            snprintf(name, sizeof name, "%s_%u", numbers[k].name, d);
            anole_plain_define_int(&source, name, numbers[k].value);
        }
    }
    const int64_t places = (int64_t)anole_operand_elements(output) / channels;
    const int64_t items = anole_plain_define_rows(&source, places, channels);
    anole_plain_text(&source, kernel_op_window);
    const struct anole_arg args[] = {ANOLE_PLAIN_INPUT(0), ANOLE_PLAIN_OUTPUT(0),
                                     ANOLE_PLAIN_OUTPUT(1)};
    anole_plain_launch(&source, "pool", items, args, 1 + call->output_count);
    return anole_plain_finish(&source, error);
}

static enum anole_status kernel_max(const struct anole_call *call,
                                    struct anole_kernel_builder *builder, struct anole_error *error)
{
    return make_kernel(call, false, builder, error);
}

static enum anole_status kernel_average(const struct anole_call *call,
                                        struct anole_kernel_builder *builder,
                                        struct anole_error *error)
{
    return make_kernel(call, true, builder, error);
}

#define POOL(NAME, KEYS, OUTPUTS, COMPUTE, KERNEL)                                                 \
    const struct anole_op anole_op_##NAME = {                                                      \
        .name = #NAME,                                                                             \
        .fewest_inputs = 1,                                                                        \
        .most_inputs = 1,                                                                          \
        .fewest_outputs = 1,                                                                       \
        .most_outputs = OUTPUTS,                                                                   \
        .attribute_bytes = sizeof(struct pool),                                                    \
        .keys = KEYS,                                                                              \
        .infer = infer,                                                                            \
        .compute = COMPUTE,                                                                        \
        .kernel = KERNEL,                                                                          \
    }

POOL(max_pool, max_keys, 2, compute_max, kernel_max);
POOL(average_pool, average_keys, 1, compute_average, kernel_average);
