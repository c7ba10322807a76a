/* SPDX-License-Identifier: MIT
 *
 * Random layer shapes, made to be awkward: primes, ones, sizes that no tile
 * divides and that are below one, strides, paddings and dilations that leave out
 * or step over parts of the input.
 */
#ifndef RANDOM_TASKS_H
#define RANDOM_TASKS_H

#include "base/rng.h"
#include "op/activation.h"
#include "op/task.h"

/* Sets the shape of a task of some kind; it may make no sense yet. */
typedef void random_draw(struct anole_task *task, struct anole_rng *rng);

static inline uint32_t pick(struct anole_rng *rng, const uint32_t *list, size_t count)
{
    return list[anole_rng_below(rng, count)];
}

#define PICK(rng, ...)                                                                             \
    pick(rng, (const uint32_t[]){__VA_ARGS__},                                                     \
         sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

static inline uint32_t random_channels(struct anole_rng *rng)
{
    return PICK(rng, 1, 2, 3, 4, 5, 7, 8, 11, 16, 17, 24, 31, 32, 33, 48, 53, 64, 67);
}

static inline uint32_t random_side(struct anole_rng *rng)
{
    return PICK(rng, 1, 2, 3, 5, 7, 8, 13, 14, 16, 17, 23, 28, 31);
}

static inline void random_extras(struct anole_task *task, struct anole_rng *rng)
{
    task->size = sizeof *task;
    task->dtype = ANOLE_F32;
    const struct anole_activate activate =
        anole_activation_default(PICK(rng, ANOLE_ACT_NONE, ANOLE_ACT_RELU, ANOLE_ACT_RELU6,
                                      (uint32_t)anole_rng_below(rng, ANOLE_ACT_GELU_TANH + 1)));
    task->activation = activate.activation;
    task->alpha = activate.alpha;
    task->beta = activate.beta;
    task->flags = (uint32_t)anole_rng_below(rng, 4);
    task->batch = PICK(rng, 1, 1, 1, 2, 3);
}

static inline void random_window(struct anole_task *task, struct anole_rng *rng)
{
    task->in_h = random_side(rng);
    task->in_w = random_side(rng);
    task->kernel_h = PICK(rng, 1, 2, 3, 3, 5, 7);
    task->kernel_w = PICK(rng, 1, 2, 3, 3, 5, 7, 11);
    task->stride_h = PICK(rng, 1, 1, 2, 3, 4);
    task->stride_w = PICK(rng, 1, 1, 2, 3, 4);
    task->dilation_h = PICK(rng, 1, 1, 1, 2, 3);
    task->dilation_w = PICK(rng, 1, 1, 1, 2, 3);
    task->pad_top = (uint32_t)anole_rng_below(rng, task->kernel_h + 1);
    task->pad_left = (uint32_t)anole_rng_below(rng, task->kernel_w + 1);
    task->pad_bottom = (uint32_t)anole_rng_below(rng, task->kernel_h + 1);
    task->pad_right = (uint32_t)anole_rng_below(rng, task->kernel_w + 1);
}

static inline void square_window(struct anole_task *task, struct anole_rng *rng, uint32_t kernel)
{
    task->in_h = random_side(rng);
    task->in_w = random_side(rng);
    task->kernel_h = task->kernel_w = kernel;
    task->stride_h = task->stride_w = task->dilation_h = task->dilation_w = 1;
    if (kernel > 1) {
        task->pad_top = (uint32_t)anole_rng_below(rng, kernel);
        task->pad_left = (uint32_t)anole_rng_below(rng, kernel);
        task->pad_bottom = (uint32_t)anole_rng_below(rng, kernel);
        task->pad_right = (uint32_t)anole_rng_below(rng, kernel);
    }
}

/* Any window, any number of groups. */
static inline void random_conv(struct anole_task *task, struct anole_rng *rng)
{
    task->kind = ANOLE_TASK_CONV2D;
    random_window(task, rng);
    task->groups = PICK(rng, 1, 1, 1, 2, 3, 5, 8);
    bool grouped = task->groups > 1;
    task->in_c = task->groups * (grouped ? PICK(rng, 1, 2, 3, 4, 8, 17) : random_channels(rng));
    task->out_c = task->groups * (grouped ? PICK(rng, 1, 2, 5, 8, 19) : random_channels(rng));
}

/* Groups of few channels, by powers of two. */
static inline void random_narrow_groups(struct anole_task *task, struct anole_rng *rng)
{
    task->kind = ANOLE_TASK_CONV2D;
    random_window(task, rng);
    task->groups = PICK(rng, 2, 4, 8, 12, 16, 32);
    uint32_t depth = PICK(rng, 1, 2, 4, 8);
    task->in_c = task->groups * depth;
    task->out_c = task->in_c * PICK(rng, 1, 1, 2, 4);
}

/* 1 x 1, stride 1. */
static inline void random_pointwise(struct anole_task *task, struct anole_rng *rng)
{
    task->kind = ANOLE_TASK_CONV2D;
    square_window(task, rng, 1);
    task->groups = 1;
    task->in_c = random_channels(rng);
    task->out_c = random_channels(rng);
}

/* 3 x 3, stride 1. */
static inline void random_winograd(struct anole_task *task, struct anole_rng *rng)
{
    task->kind = ANOLE_TASK_CONV2D;
    square_window(task, rng, 3);
    task->groups = 1;
    task->in_c = random_channels(rng);
    task->out_c = random_channels(rng);
}

static inline void random_depthwise(struct anole_task *task, struct anole_rng *rng)
{
    task->kind = ANOLE_TASK_DEPTHWISE_CONV2D;
    random_window(task, rng);
    task->groups = task->in_c = random_channels(rng);
    task->out_c = task->in_c * PICK(rng, 1, 1, 1, 2, 3);
}

static inline void random_dense(struct anole_task *task, struct anole_rng *rng)
{
    task->kind = ANOLE_TASK_DENSE;
    task->in_h = task->in_w = task->groups = 1;
    task->kernel_h = task->kernel_w = task->stride_h = task->stride_w = 1;
    task->dilation_h = task->dilation_w = 1;
    task->batch = PICK(rng, 1, 1, 2, 5, 17);
    task->in_c = PICK(rng, 1, 3, 16, 31, 64, 129, 500);
    task->out_c = PICK(rng, 1, 2, 7, 16, 33, 100, 257);
}

static inline void random_conv_transpose(struct anole_task *task, struct anole_rng *rng)
{
    random_conv(task, rng);
    task->kind = ANOLE_TASK_CONV_TRANSPOSE2D;
    task->output_pad_h = (uint32_t)anole_rng_below(rng, task->stride_h);
    task->output_pad_w = (uint32_t)anole_rng_below(rng, task->stride_w);
}

/* Products of two matrices that are both made while the network runs. */
static inline void random_matmul(struct anole_task *task, struct anole_rng *rng)
{
    random_dense(task, rng);
    task->kind = ANOLE_TASK_MATMUL;
    task->flags |= PICK(rng, 0, ANOLE_TASK_TRANSPOSE_B);
    task->batch = PICK(rng, 1, 2, 3, 5);
    task->in_w = PICK(rng, 1, 2, 7, 16, 33, 65);
}

/* A task that passes anole_task_check() and takes fewer than so many
 * floating-point operations; flags, activation and batch are random too. */
static inline struct anole_task random_task(struct anole_rng *rng, random_draw *draw,
                                            double operations)
{
    for (;;) {
        struct anole_task task = {0};
        struct anole_error error = {0};
        random_extras(&task, rng);
        draw(&task, rng);
        if (!anole_task_infer_output(&task, &error) && !anole_task_check(&task, &error) &&
            anole_task_flops(&task) < operations)
            return task;
    }
}

#endif
