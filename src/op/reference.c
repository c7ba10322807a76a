/* SPDX-License-Identifier: MIT
 *
 * Outputs in double precision, and how far off a right kernel may be.
 *
 * The factor of the tolerance was chosen by measuring, on the data of task_data.c,
 * the largest error of fp32 implementations in units of u S (10^3 to 10^6 outputs
 * each; the test repeats this on a smaller scale):
 *
 *     n                                9      36     144     576    4608   25088
 *     direct, any order, fma or not    3.2    3.5     3.5     3.3     2.7     1.6
 *     Winograd F(2x2,3x3)              3.8    1.8     1.3     1.1     1.1
 *     Winograd F(4x4,3x3)             90     40      31      19      20
 *     Winograd F(6x6,3x3)            194     81      51      34      28
 *     the factor                     235    149     107      85      72      67
 *     smallest product, |x w|     829000 207000   52000   13000    1620     297
 *
 * The last line is what one product too few or too many costs at least: it is
 * caught, in any output that the activation does not flatten, up to n = 10^5.
 * Products of 10-bit mantissas (TF32) are caught up to n = 10^4.
 *
 * Where they are asked for, an input x in [1/2, 1) is off by up to 2^-12, a weight by up
 * to 2^-11 of itself; a product then by up to 2.67 2^-11 of the mean of |x w|, and a sum
 * of n of them, whose errors are independent, by a deviation of at most
 * 0.61 2^-11 / sqrt(n) S.  The tolerance's term 4 2^-11 / sqrt(n) S is more than can be
 * where n <= 2, and more than six deviations elsewhere.  The largest found, in units of
 * 2^-11 / sqrt(n) S, of 3000 outputs or fewer (test_tolerance): 2.1 (n = 9), 1.9 (64),
 * 2.0 (576), 1.4 (4608).  One product too few is still caught up to n = 25088.
 *
 * Halves in and out: outputs, of a deviation near 1, are rounded by up to 2^-11 then; a
 * product too few is still caught up to n = 25088, sums in halves are caught at any n.
 */
#include "op/reference_private.h"

#include "base/half.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define MEAN_PRODUCT (0.75 * 0.75) /* of |x w|, before scaling */
#define UNIT 0x1p-24

#define LANES 32  /* output channels worked on together */
#define PIXELS 16 /* output pixels worked on together */
#define DEPTH 64  /* input channels worked on together: their weights stay in the L1 cache */
#define CHUNK (8 * PIXELS) /* pixels of one piece of work */
#define MAX_THREADS 64

typedef void multiply_add(double *restrict sums, const double *restrict x, const double *restrict w,
                          size_t n);

/* The whole computation; shared by its threads. */
struct reference {
    const struct anole_task *task;
    struct anole_task_data *data;
    double *input;                          /* as data->input */
    const float *weights, *bias, *residual; /* as those of data */
    multiply_add *multiply;
    size_t reduction;
    size_t pixels;         /* batch x out_h x out_w */
    size_t pieces;         /* of work */
    double unit_tolerance; /* tolerance is this times (sum + |bias| + |residual|) */
    double sum;            /* mean of the sum of |x w| */
    atomic_size_t next;    /* the piece of work to be taken next */
    atomic_bool out_of_memory;
};

/* ---------------------------------------------------------------- inner loop */

/* sums[lane] += x[i] * w[i][lane], for all i.  Four i at a time, for the sums are
 * in memory; loops of constant length, for compilers vectorise those. */
static inline __attribute__((always_inline)) void multiply_add_body(double *restrict sums,
                                                                    const double *restrict x,
                                                                    const double *restrict w,
                                                                    size_t n)
{
    size_t i = 0;
    for (; i + 4 <= n; i += 4, w += 4 * LANES) {
        double x0 = x[i], x1 = x[i + 1], x2 = x[i + 2], x3 = x[i + 3];
        for (size_t k = 0; k < LANES; k++)
            sums[k] +=
                x0 * w[k] + x1 * w[k + LANES] + x2 * w[k + 2 * LANES] + x3 * w[k + 3 * LANES];
    }
    for (; i < n; i++, w += LANES)
        for (size_t k = 0; k < LANES; k++)
            sums[k] += x[i] * w[k];
}

static void multiply_add_plain(double *restrict sums, const double *restrict x,
                               const double *restrict w, size_t n)
{
    multiply_add_body(sums, x, w, n);
}

#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) static void multiply_add_avx2(double *restrict sums,
                                                                  const double *restrict x,
                                                                  const double *restrict w,
                                                                  size_t n)
{
    multiply_add_body(sums, x, w, n);
}
#endif

static multiply_add *pick_multiply(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return multiply_add_avx2;
#endif
    return multiply_add_plain;
}

/* ------------------------------------------------------------------- outputs */

static void finish(const struct reference *r, size_t pixel, size_t channel, double value)
{
    const struct anole_task *task = r->task;
    size_t i = pixel * task->out_c + channel;
    double sum = r->sum;
    if (r->bias) {
        value += (double)r->bias[channel];
        sum += fabs((double)r->bias[channel]);
    }
    if (r->residual) {
        value += (double)r->residual[i];
        sum += fabs((double)r->residual[i]);
    }
    if (task->activation != ANOLE_ACT_NONE && value < 0.0)
        value = 0.0;
    if (task->activation == ANOLE_ACT_RELU6 && value > 6.0)
        value = 6.0;
    r->data->expected[i] = value;
    double tolerance = r->unit_tolerance * sum;
    if (task->dtype == ANOLE_F16)
        tolerance += anole_half_rounding(fabs(value) + tolerance);
    r->data->tolerance[i] = (float)tolerance;
}

/* The input pixel under kernel position (kh, kw) of an output pixel, or NULL in
 * the padding. */
static const double *input_pixel(const struct reference *r, size_t pixel, size_t kh, size_t kw)
{
    const struct anole_task *task = r->task;
    size_t ow = pixel % task->out_w;
    size_t oh = pixel / task->out_w % task->out_h;
    size_t n = pixel / task->out_w / task->out_h;
    int64_t ih = (int64_t)(oh * task->stride_h + kh * task->dilation_h) - task->pad_top;
    int64_t iw = (int64_t)(ow * task->stride_w + kw * task->dilation_w) - task->pad_left;
    if (ih < 0 || ih >= task->in_h || iw < 0 || iw >= task->in_w)
        return NULL;
    return r->input + ((n * task->in_h + (size_t)ih) * task->in_w + (size_t)iw) * task->in_c;
}

/* --------------------------------------------------------- conv2d and dense */

/* A block: up to LANES output channels of one group. */
struct block {
    size_t group, first, count; /* output channels first .. first + count - 1 */
};

static size_t blocks_of_group(const struct anole_task *task)
{
    return (task->out_c / task->groups + LANES - 1) / LANES;
}

static struct block find_block(const struct anole_task *task, size_t index)
{
    size_t of_group = task->out_c / task->groups, within = index % blocks_of_group(task) * LANES;
    size_t group = index / blocks_of_group(task);
    return (struct block){
        .group = group,
        .first = group * of_group + within,
        .count = of_group - within < LANES ? of_group - within : LANES,
    };
}

/* packed[i][lane]; lanes that have no channel are 0. */
static void pack_weights(double *packed, const struct reference *r, const struct block *block)
{
    size_t n = r->reduction;
    memset(packed, 0, n * LANES * sizeof *packed);
    for (size_t first = 0; first < n; first += DEPTH) { /* a part of `packed` that is cached */
        size_t end = n - first < DEPTH ? n : first + DEPTH;
        for (size_t lane = 0; lane < block->count; lane++) {
            const float *w = r->weights + (block->first + lane) * n;
            for (size_t i = first; i < end; i++)
                packed[i * LANES + lane] = w[i];
        }
    }
}

/* One block of channels for pixels first .. first + count - 1, count <= PIXELS. */
static void convolve_pixels(const struct reference *r, const struct block *block,
                            const double *packed, size_t first, size_t count)
{
    const struct anole_task *task = r->task;
    size_t channels = task->in_c / task->groups;
    double sums[PIXELS][LANES] = {{0.0}};
    for (size_t kh = 0; kh < task->kernel_h; kh++) {
        for (size_t kw = 0; kw < task->kernel_w; kw++, packed += channels * LANES) {
            const double *x[PIXELS];
            for (size_t p = 0; p < count; p++)
                x[p] = input_pixel(r, first + p, kh, kw);
            for (size_t c = 0; c < channels; c += DEPTH) {
                size_t depth = channels - c < DEPTH ? channels - c : DEPTH;
                for (size_t p = 0; p < count; p++)
                    if (x[p])
                        r->multiply(sums[p], x[p] + block->group * channels + c, packed + c * LANES,
                                    depth);
            }
        }
    }
    for (size_t p = 0; p < count; p++)
        for (size_t lane = 0; lane < block->count; lane++)
            finish(r, first + p, block->first + lane, sums[p][lane]);
}

/* Takes pieces of work until there are none: a piece is a block of channels for
 * CHUNK pixels.  Pieces of one block follow each other and share its weights. */
static void *convolve(void *argument)
{
    struct reference *r = argument;
    size_t chunks = (r->pixels + CHUNK - 1) / CHUNK, packed_block = SIZE_MAX, piece;
    double *packed =
        r->reduction > SIZE_MAX / LANES ? NULL : calloc(r->reduction * LANES, sizeof *packed);
    if (!packed) {
        atomic_store(&r->out_of_memory, true);
        return NULL;
    }
    while ((piece = atomic_fetch_add(&r->next, 1)) < r->pieces) {
        struct block block = find_block(r->task, piece / chunks);
        if (packed_block != piece / chunks)
            pack_weights(packed, r, &block);
        packed_block = piece / chunks;
        size_t first = piece % chunks * CHUNK;
        size_t end = r->pixels - first < CHUNK ? r->pixels : first + CHUNK;
        for (; first < end; first += PIXELS)
            convolve_pixels(r, &block, packed, first, end - first < PIXELS ? end - first : PIXELS);
    }
    free(packed);
    return NULL;
}

/* ----------------------------------------------------------------- depthwise */

static void convolve_pixel_depthwise(const struct reference *r, double *sums, size_t pixel)
{
    const struct anole_task *task = r->task;
    size_t multiplier = task->out_c / task->in_c;
    memset(sums, 0, task->out_c * sizeof *sums);
    for (size_t kh = 0; kh < task->kernel_h; kh++) {
        for (size_t kw = 0; kw < task->kernel_w; kw++) {
            const double *x = input_pixel(r, pixel, kh, kw);
            const float *w = r->weights + (kh * task->kernel_w + kw) * task->out_c;
            for (size_t c = 0, k = 0; x && c < task->in_c; c++)
                for (size_t m = 0; m < multiplier; m++, k++)
                    sums[k] += x[c] * (double)w[k];
        }
    }
    for (size_t k = 0; k < task->out_c; k++)
        finish(r, pixel, k, sums[k]);
}

/* A piece is CHUNK pixels. */
static void *convolve_depthwise(void *argument)
{
    struct reference *r = argument;
    double *sums = calloc(r->task->out_c, sizeof *sums);
    size_t piece;
    if (!sums) {
        atomic_store(&r->out_of_memory, true);
        return NULL;
    }
    while ((piece = atomic_fetch_add(&r->next, 1)) < r->pieces) {
        size_t end = (piece + 1) * CHUNK < r->pixels ? (piece + 1) * CHUNK : r->pixels;
        for (size_t pixel = piece * CHUNK; pixel < end; pixel++)
            convolve_pixel_depthwise(r, sums, pixel);
    }
    free(sums);
    return NULL;
}

/* ------------------------------------------------------------------- threads */

/* Runs `work` on this thread and up to `threads` - 1 others; makes do with fewer
 * where the system grants no more. */
static void run(struct reference *r, void *(*work)(void *), unsigned threads)
{
    pthread_t others[MAX_THREADS];
    size_t limit = threads < MAX_THREADS ? threads : MAX_THREADS, started = 0;
    if (limit > r->pieces)
        limit = r->pieces;
    while (started + 1 < limit && pthread_create(&others[started], NULL, work, r) == 0)
        started++;
    work(r);
    for (size_t i = 0; i < started; i++)
        pthread_join(others[i], NULL);
}

/* What rounding inputs and weights to TF32 may add, as a part of S. */
static double tf32_tolerance(size_t n)
{
    return 0x1p-9 / sqrt((double)n);
}

enum anole_status anole_reference_compute(struct anole_task_data *data,
                                          const struct anole_task *task, double scale,
                                          unsigned threads, struct anole_error *error)
{
    const float *input = data->input;
    bool depthwise = task->kind == ANOLE_TASK_DEPTHWISE_CONV2D;
    size_t n = anole_task_reduction(task), elements = anole_task_input_elements(task);
    struct reference r = {
        .task = task,
        .data = data,
        .input = calloc(elements, sizeof(double)),
        .weights = data->weights,
        .bias = data->bias,
        .residual = data->residual,
        .multiply = pick_multiply(),
        .reduction = n,
        .pixels = (size_t)task->batch * task->out_h * task->out_w,
        .unit_tolerance = (64.0 + 512.0 / sqrt((double)n)) * UNIT +
                          (task->dtype == ANOLE_TF32 ? tf32_tolerance(n) : 0.0),
        .sum = (double)n * MEAN_PRODUCT * scale,
    };
    size_t chunks = (r.pixels + CHUNK - 1) / CHUNK;
    r.pieces = depthwise ? chunks : chunks * task->groups * blocks_of_group(task);
    enum anole_status status = ANOLE_DONE;
    if (r.input) {
        for (size_t i = 0; i < elements; i++)
            r.input[i] = (double)input[i];
        run(&r, depthwise ? convolve_depthwise : convolve, threads);
    }
    if (!r.input || atomic_load(&r.out_of_memory))
        status = anole_fail_memory(error);
    free(r.input);
    return status;
}
