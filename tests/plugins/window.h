/* SPDX-License-Identifier: MIT
 *
 * What the test plugin computes: a convolution or a dense layer, and whether it can.
 */
#ifndef WINDOW_H
#define WINDOW_H

#include "misdeeds.h"

#include <stdbool.h>

static bool is_half(const struct anole_task *t)
{
    return t->dtype == ANOLE_F16;
}

static size_t element_bytes(const struct anole_task *t)
{
    return is_half(t) ? 2 : sizeof(float);
}

/* Halves are for those compilers that have a type for them. */
static float get(const struct anole_task *t, const void *tensor, size_t i)
{
#ifdef __FLT16_MANT_DIG__
    if (is_half(t))
        return (float)((const _Float16 *)tensor)[i];
#endif
    return ((const float *)tensor)[i];
}

static void put(const struct anole_task *t, void *tensor, size_t i, float value)
{
#ifdef __FLT16_MANT_DIG__
    if (is_half(t))
        ((_Float16 *)tensor)[i] = (_Float16)value;
    else
#endif
        ((float *)tensor)[i] = value;
}

static size_t weight_bytes(const struct anole_task *task)
{
    return (size_t)task->out_c * (task->in_c / task->groups) * task->kernel_h * task->kernel_w *
           element_bytes(task);
}

static float sum_window(const struct anole_task *t, const void *x, const void *w, uint32_t n,
                        uint32_t y, uint32_t z, uint32_t k)
{
    uint32_t depth = t->in_c / t->groups, first = k / (t->out_c / t->groups) * depth;
    float sum = 0;
    for (uint32_t r = 0; r < t->kernel_h; r++) {
        for (uint32_t s = 0; s < t->kernel_w; s++) {
            int64_t h = (int64_t)y * t->stride_h + r * t->dilation_h - t->pad_top;
            int64_t v = (int64_t)z * t->stride_w + s * t->dilation_w - t->pad_left;
            if (h < 0 || h >= t->in_h || v < 0 || v >= t->in_w)
                continue;
            const size_t from = ((n * t->in_h + h) * t->in_w + v) * t->in_c + first;
            const size_t with = ((k * t->kernel_h + r) * t->kernel_w + s) * depth;
            for (uint32_t c = 0; c < depth; c++)
                sum += get(t, x, from + c) * get(t, w, with + c);
        }
    }
    return sum;
}

static void convolve(const struct anole_build *made, const struct anole_binding *bindings)
{
    const struct anole_task *t = &made->task;
    const void *x = at(bindings, ANOLE_ROLE_INPUT), *w = at(bindings, ANOLE_ROLE_WEIGHTS);
    const void *bias = at(bindings, ANOLE_ROLE_BIAS);
    const void *residual = at(bindings, ANOLE_ROLE_RESIDUAL);
    void *out = at(bindings, ANOLE_ROLE_OUTPUT);
    if (made->packed > 0)
        w = (const char *)w + 64;
    size_t i = 0;
    for (uint32_t n = 0; n < t->batch; n++)
        for (uint32_t y = 0; y < t->out_h; y++)
            for (uint32_t z = 0; z < t->out_w; z++)
                for (uint32_t k = 0; k < t->out_c; k++, i++) {
                    float sum = sum_window(t, x, w, n, y, z, k);
                    if (bias)
                        sum += get(t, bias, k);
                    if (residual)
                        sum += get(t, residual, i);
                    if (t->activation != ANOLE_ACT_NONE && sum < 0)
                        sum = 0;
                    if (t->activation == ANOLE_ACT_RELU6 && sum > 6)
                        sum = 6;
                    if (made->deed != DEED_unwritten || i != 3)
                        put(t, out, i, sum);
                }
}

/* Whether all tensors are there, and large enough. */
static bool are_whole(const struct anole_build *made, const struct anole_binding *bindings)
{
    const struct anole_task *t = &made->task;
    size_t pixels = (size_t)t->batch * t->out_h * t->out_w;
    size_t inputs = (size_t)t->batch * t->in_h * t->in_w * t->in_c * element_bytes(t);
    size_t weights = made->packed ? made->packed : weight_bytes(t);
    return bindings[ANOLE_ROLE_INPUT].buffer && bindings[ANOLE_ROLE_INPUT].bytes >= inputs &&
           bindings[ANOLE_ROLE_WEIGHTS].buffer && bindings[ANOLE_ROLE_WEIGHTS].bytes >= weights &&
           bindings[ANOLE_ROLE_OUTPUT].buffer &&
           bindings[ANOLE_ROLE_OUTPUT].bytes >= pixels * t->out_c * element_bytes(t) &&
           (made->tile != 4 || (bindings[ANOLE_ROLE_WORKSPACE].buffer &&
                                bindings[ANOLE_ROLE_WORKSPACE].bytes >= 1000));
}

#endif
