/* SPDX-License-Identifier: MIT
 *
 * Plain C loops, in as many variants as there are sizes of tiles.  What a compiler
 * would make of a kernel's source, on another device.
 */
#include "newt_kernels.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define LANES 8 /* floats in a vector of the compiler's */
#define MAX_PIXELS 8
#define MAX_CHANNELS 32

const int64_t all_pixels[5] = {1, 2, 4, 6, MAX_PIXELS};
const int64_t all_channels[3] = {8, 16, MAX_CHANNELS};

typedef float vector __attribute__((vector_size(LANES * sizeof(float))));

/* Computes the tile whose first output is at this place: `row` over all images. */
typedef void tile_function(const struct kernel *kernel, const struct tensors *tensors, uint32_t row,
                           uint32_t column, uint32_t channel);

struct kernel {
    struct anole_task task; /* as a convolution */
    int pixels, channels, order, threads;
    tile_function *tile;
    float *zeros; /* [in_c]: what lies outside the input */
};

bool is_depthwise(const struct anole_task *task)
{
    return task->kind == ANOLE_TASK_DEPTHWISE_CONV2D;
}

struct anole_task as_convolution(const struct anole_task *task)
{
    struct anole_task same = *task;
    if (task->kind == ANOLE_TASK_DENSE) {
        same.in_w = same.out_w = task->batch;
        same.batch = 1;
    }
    return same;
}

uint64_t ceil_div(uint64_t a, uint64_t b)
{
    return (a + b - 1) / b;
}

size_t packed_weights(const struct anole_task *task, int64_t channels)
{
    if (is_depthwise(task))
        return 0;
    return (size_t)ceil_div(task->out_c, (uint64_t)channels) * (size_t)channels * task->kernel_h *
           task->kernel_w * task->in_c;
}

size_t kernel_weights(const struct kernel *kernel)
{
    const struct anole_task *task = &kernel->task;
    size_t packed = packed_weights(task, kernel->channels);
    return packed ? packed : (size_t)task->kernel_h * task->kernel_w * task->out_c;
}

const struct anole_task *kernel_task(const struct kernel *kernel)
{
    return &kernel->task;
}

/* -- Tiles -- */

/* The channels of one pixel of the input, of output row `row` (of all images) and
 * column `column`, seen through tap (r, s) of the kernel. */
static const float *input_at(const struct kernel *kernel, const float *input, uint32_t row,
                             uint32_t column, uint32_t r, uint32_t s)
{
    const struct anole_task *task = &kernel->task;
    uint32_t image = row / task->out_h;
    int64_t y = (int64_t)(row % task->out_h) * task->stride_h + (int64_t)r * task->dilation_h -
                task->pad_top;
    int64_t x = (int64_t)column * task->stride_w + (int64_t)s * task->dilation_w - task->pad_left;
    if (y < 0 || y >= task->in_h || x < 0 || x >= task->in_w || column >= task->out_w)
        return kernel->zeros;
    return input + (((size_t)image * task->in_h + (size_t)y) * task->in_w + (size_t)x) * task->in_c;
}

/* Writes the sums of one pixel: bias, residual and activation come last. */
static void store(const struct kernel *kernel, const struct tensors *tensors, uint32_t row,
                  uint32_t column, uint32_t channel, const float *sums)
{
    const struct anole_task *task = &kernel->task;
    if (column >= task->out_w)
        return; /* the last tile of a row may be wider than what is left */
    uint32_t count = task->out_c - channel;
    if (count > (uint32_t)kernel->channels)
        count = (uint32_t)kernel->channels;
    size_t at = ((size_t)row * task->out_w + column) * task->out_c + channel;
    for (uint32_t k = 0; k < count; k++) {
        float value = sums[k];
        if (tensors->bias)
            value += tensors->bias[channel + k];
        if (tensors->residual)
            value += tensors->residual[at + k];
        if (task->activation != ANOLE_ACT_NONE && value < 0)
            value = 0;
        if (task->activation == ANOLE_ACT_RELU6 && value > 6)
            value = 6;
        tensors->output[at + k] = value;
    }
}

/* `pixels` and `vectors` are constants wherever this is called: the sums stay in
 * registers, the loops over them go. */
static inline __attribute__((always_inline)) void
convolve_tile(const struct kernel *kernel, const struct tensors *tensors, uint32_t row,
              uint32_t column, uint32_t channel, int pixels, int vectors)
{
    const struct anole_task *task = &kernel->task;
    size_t taps = (size_t)task->kernel_h * task->kernel_w * task->in_c;
    const vector *w = (const vector *)(tensors->weights + channel * taps);
    vector sums[MAX_PIXELS][MAX_CHANNELS / LANES] = {0};
    for (uint32_t r = 0; r < task->kernel_h; r++) {
        for (uint32_t s = 0; s < task->kernel_w; s++) {
            const float *x[MAX_PIXELS];
            for (int p = 0; p < pixels; p++)
                x[p] = input_at(kernel, tensors->input, row, column + (uint32_t)p, r, s);
            for (uint32_t c = 0; c < task->in_c; c++, w += vectors)
                for (int p = 0; p < pixels; p++)
                    for (int v = 0; v < vectors; v++)
                        sums[p][v] += x[p][c] * w[v];
        }
    }
    for (int p = 0; p < pixels; p++)
        store(kernel, tensors, row, column + (uint32_t)p, channel, (const float *)sums[p]);
}

#define TILE(p, c)                                                                                 \
    static void tile_##p##_##c(const struct kernel *kernel, const struct tensors *tensors,         \
                               uint32_t row, uint32_t column, uint32_t channel)                    \
    {                                                                                              \
        convolve_tile(kernel, tensors, row, column, channel, p, c / LANES);                        \
    }
#define TILES(p) TILE(p, 8) TILE(p, 16) TILE(p, 32)
TILES(1)
TILES(2)
TILES(4)
TILES(6)
TILES(8)
#define ROW(p)                                                                                     \
    {                                                                                              \
        tile_##p##_8, tile_##p##_16, tile_##p##_32                                                 \
    }

static tile_function *find_tile(int pixels, int channels)
{
    static tile_function *const tiles[COUNT(all_pixels)][COUNT(all_channels)] = {
        ROW(1), ROW(2), ROW(4), ROW(6), ROW(8)};
    for (size_t p = 0; p < COUNT(all_pixels); p++)
        for (size_t c = 0; c < COUNT(all_channels); c++)
            if (all_pixels[p] == pixels && all_channels[c] == channels)
                return tiles[p][c];
    return NULL;
}

/* A depthwise layer sees each channel by itself: no reduction, and no packing. */
static void tile_depthwise(const struct kernel *kernel, const struct tensors *tensors, uint32_t row,
                           uint32_t column, uint32_t channel)
{
    const struct anole_task *task = &kernel->task;
    uint32_t count = task->out_c - channel;
    if (count > (uint32_t)kernel->channels)
        count = (uint32_t)kernel->channels;
    for (int p = 0; p < kernel->pixels; p++) {
        float sums[MAX_CHANNELS] = {0};
        const float *w = tensors->weights + channel;
        for (uint32_t r = 0; r < task->kernel_h; r++) {
            for (uint32_t s = 0; s < task->kernel_w; s++, w += task->out_c) {
                const float *x =
                    input_at(kernel, tensors->input, row, column + (uint32_t)p, r, s) + channel;
                for (uint32_t k = 0; k < count; k++)
                    sums[k] += x[k] * w[k];
            }
        }
        store(kernel, tensors, row, column + (uint32_t)p, channel, sums);
    }
}

/* -- Threads -- */

/* One thread's part of the work: items [first, end). */
struct part {
    const struct kernel *kernel;
    const struct tensors *tensors;
    uint64_t first, end;
};

static void *work(void *argument)
{
    const struct part *part = argument;
    const struct kernel *kernel = part->kernel;
    uint64_t rows = (uint64_t)kernel->task.batch * kernel->task.out_h;
    uint64_t blocks = ceil_div(kernel->task.out_c, (uint64_t)kernel->channels);
    for (uint64_t item = part->first; item < part->end; item++) {
        bool inside = kernel->order == ROWS_INSIDE;
        uint64_t row = inside ? item % rows : item / blocks;
        uint64_t block = inside ? item / rows : item % blocks;
        for (uint32_t x = 0; x < kernel->task.out_w; x += (uint32_t)kernel->pixels)
            kernel->tile(kernel, part->tensors, (uint32_t)row, x,
                         (uint32_t)block * (uint32_t)kernel->channels);
    }
    return NULL;
}

/* The layer once.  Threads are made anew each time, which costs microseconds: the
 * tuner finds out where that pays.  Where none can be made, the caller does it. */
void kernel_run(const struct kernel *kernel, const struct tensors *tensors)
{
    pthread_t threads[MAX_THREADS];
    struct part parts[MAX_THREADS];
    bool started[MAX_THREADS];
    uint64_t count = (uint64_t)kernel->threads;
    uint64_t items = (uint64_t)kernel->task.batch * kernel->task.out_h *
                     ceil_div(kernel->task.out_c, (uint64_t)kernel->channels);
    for (uint64_t i = count; i-- > 0;) {
        parts[i] = (struct part){kernel, tensors, items * i / count, items * (i + 1) / count};
        started[i] = i > 0 && pthread_create(&threads[i], NULL, work, &parts[i]) == 0;
        if (!started[i])
            work(&parts[i]);
    }
    for (uint64_t i = 1; i < count; i++)
        if (started[i])
            pthread_join(threads[i], NULL);
}

/* -- Making one -- */

static bool read_source(struct kernel *kernel, const char *source)
{
    if (sscanf(source, SOURCE, &kernel->pixels, &kernel->channels, &kernel->order,
               &kernel->threads) != 4)
        return false;
    kernel->tile =
        is_depthwise(&kernel->task) ? tile_depthwise : find_tile(kernel->pixels, kernel->channels);
    return find_tile(kernel->pixels, kernel->channels) && kernel->order >= 0 &&
           kernel->order < ORDERS && kernel->threads >= 1 && kernel->threads <= MAX_THREADS;
}

struct kernel *kernel_create(const char *source, const struct anole_task *task, const char **why)
{
    struct kernel *kernel = calloc(1, sizeof *kernel);
    if (!kernel) {
        *why = "Out of memory.";
        return NULL;
    }
    kernel->task = as_convolution(task);
    if (!read_source(kernel, source))
        *why = "This is no source of a kernel: pixels, channels, order and threads were expected.";
    else if (!(kernel->zeros = calloc(task->in_c, sizeof(float))))
        *why = "Out of memory.";
    else
        return kernel;
    kernel_destroy(kernel);
    return NULL;
}

void kernel_destroy(struct kernel *kernel)
{
    if (!kernel)
        return;
    free(kernel->zeros);
    free(kernel);
}
