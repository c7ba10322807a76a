/* SPDX-License-Identifier: MIT
 *
 * The kernels of newt, behind what a device's compiler and runtime would offer:
 * make a kernel from its source, run it on tensors.
 */
#ifndef DEVICE_KERNELS_H
#define DEVICE_KERNELS_H

#include <anole/plugin.h>

#include <stdbool.h>

#define MAX_THREADS 64
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* How a kernel may be made: the output is computed in tiles of `pixels` neighbours
 * in a row times `channels` output channels, whose sums are kept in registers.  A
 * row of tiles is an item of work: `order` says whether neighbouring items share
 * weights or input, and `threads` take equal parts of all items. */
extern const int64_t all_pixels[5], all_channels[3];
enum order { ROWS_INSIDE, CHANNELS_INSIDE, ORDERS };

/* The source of a kernel is what it is made from, and nothing else: configs with
 * the same source are the same kernel.  Here a line does. */
#define SOURCE "pixels %d, channels %d, order %d, threads %d\n"

struct tensors {
    const float *input, *weights, *bias, *residual; /* NULL: absent */
    float *output;
};

struct kernel;

/* NULL and *why (a literal) if the source is none, or memory is used up.  `task`:
 * a convolution, dense or depthwise, see as_convolution(). */
struct kernel *kernel_create(const char *source, const struct anole_task *task, const char **why);
void kernel_destroy(struct kernel *kernel);
/* Computes the layer once. */
void kernel_run(const struct kernel *kernel, const struct tensors *tensors);

const struct anole_task *kernel_task(const struct kernel *kernel);
/* Elements of the weights as kernel_run() reads them: for dense and convolution
 * [tile][kernel_h][kernel_w][in_c][channels], the last tile filled up with zeros. */
size_t kernel_weights(const struct kernel *kernel);

/* A dense layer is a convolution of one row with a 1x1 kernel: as many pixels as
 * there are in the batch. */
struct anole_task as_convolution(const struct anole_task *task);
bool is_depthwise(const struct anole_task *task);
uint64_t ceil_div(uint64_t a, uint64_t b);
/* Elements of the packed weights; 0: they stay as they are. */
size_t packed_weights(const struct anole_task *task, int64_t channels);

#endif
