/* SPDX-License-Identifier: MIT
 *
 * What the tests of the reference share: tasks by their keys, and the products
 * behind an output by the definition.
 */
#ifndef REFERENCE_FIXTURE_H
#define REFERENCE_FIXTURE_H

#include "op/reference.h"

#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static inline struct anole_task parse(const char *key)
{
    struct anole_task task;
    struct anole_error error = {0};
    if (anole_task_parse_key(&task, key, &error))
        fail_msg("%s", error.text);
    return task;
}

static inline struct anole_task_data *create(const struct anole_task *task, uint64_t seed,
                                             unsigned threads)
{
    struct anole_task_data *data = NULL;
    struct anole_error error = {0};
    if (anole_task_data_create(&data, task, seed, threads, &error))
        fail_msg("%s", error.text);
    return data;
}

static inline void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    assert_non_null(memory);
    return memory;
}

/* Of a transposed convolution: the input place that is spread to this place of the output,
 * padding included, by a kernel position that far from the first; -1: none. */
static inline long spread_from(size_t out, size_t offset, uint32_t stride, uint32_t size)
{
    for (size_t in = 0; in < size; in++)
        if (in * stride + offset == out)
            return (long)in;
    return -1;
}

/* The products behind one output, in the order of the weights; returns how many
 * are not in the padding.  Written from the definition in plugin.h. */
static inline size_t products(double *x, double *w, const struct anole_task *t,
                              const struct anole_task_data *data, size_t output)
{
    size_t k = output % t->out_c, ow = output / t->out_c % t->out_w;
    size_t oh = output / t->out_c / t->out_w % t->out_h;
    size_t n = output / t->out_c / t->out_w / t->out_h, count = 0;
    size_t depth = t->kind == ANOLE_TASK_DEPTHWISE_CONV2D ? 1 : t->in_c / t->groups;
    for (uint32_t i = 0; i < t->kernel_h; i++) {
        for (uint32_t j = 0; j < t->kernel_w; j++) {
            long h = (long)(oh * t->stride_h + i * t->dilation_h) - (long)t->pad_top;
            long v = (long)(ow * t->stride_w + j * t->dilation_w) - (long)t->pad_left;
            if (t->kind == ANOLE_TASK_CONV_TRANSPOSE2D) {
                h = spread_from(oh + t->pad_top, i * t->dilation_h, t->stride_h, t->in_h);
                v = spread_from(ow + t->pad_left, j * t->dilation_w, t->stride_w, t->in_w);
            }
            if (h < 0 || v < 0 || h >= (long)t->in_h || v >= (long)t->in_w)
                continue;
            for (size_t c = 0; c < depth; c++, count++) {
                if (t->kind == ANOLE_TASK_MATMUL) {
                    bool ta = t->flags & ANOLE_TASK_TRANSPOSE_A;
                    bool tb = t->flags & ANOLE_TASK_TRANSPOSE_B;
                    x[count] = anole_task_value(t, data->input,
                                                ta ? (n * depth + c) * t->out_w + ow
                                                   : (n * t->out_w + ow) * depth + c);
                    w[count] = anole_task_value(t, data->weights,
                                                tb ? (n * t->out_c + k) * depth + c
                                                   : (n * depth + c) * t->out_c + k);
                    continue;
                }
                size_t first = k / (t->out_c / t->groups) * depth;
                size_t at = t->kind == ANOLE_TASK_DEPTHWISE_CONV2D
                                ? (i * t->kernel_w + j) * t->out_c + k
                                : ((k * t->kernel_h + i) * t->kernel_w + j) * depth + c;
                size_t from = ((n * t->in_h + (size_t)h) * t->in_w + (size_t)v) * t->in_c;
                x[count] = anole_task_value(t, data->input, from + first + c);
                w[count] = anole_task_value(t, data->weights, at);
            }
        }
    }
    return count;
}

static inline double activate(const struct anole_task *task, double value)
{
    const double alpha = (double)task->alpha;
    switch (task->activation) {
    case ANOLE_ACT_NONE:
        return value;
    case ANOLE_ACT_LEAKY_RELU:
        return fmax(value, 0.0) + alpha * fmin(value, 0.0);
    case ANOLE_ACT_HARD_SWISH:
        return value * fmin(fmax(value + 3, 0), 6) / 6;
    case ANOLE_ACT_SILU:
        return value / (1 + exp(-alpha * value));
    default:
        value = fmax(value, 0.0);
        return task->activation == ANOLE_ACT_RELU6 ? fmin(value, 6.0) : value;
    }
}

static inline double added(const struct anole_task *task, const struct anole_task_data *data,
                           size_t output)
{
    return (data->bias ? anole_task_value(task, data->bias, output % task->out_c) : 0.0) +
           (data->residual ? anole_task_value(task, data->residual, output) : 0.0);
}

#endif
