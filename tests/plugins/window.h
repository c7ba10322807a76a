/* SPDX-License-Identifier: MIT
 *
 * What the test plugin computes: one element of a convolution or a dense layer.
 */
#ifndef WINDOW_H
#define WINDOW_H

#include <anole/plugin.h>

static size_t weight_bytes(const struct anole_task *task)
{
    return (size_t)task->out_c * (task->in_c / task->groups) * task->kernel_h * task->kernel_w *
           sizeof(float);
}

static float sum_window(const struct anole_task *t, const float *x, const float *w, uint32_t n,
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
            const float *from = x + ((n * t->in_h + h) * t->in_w + v) * t->in_c + first;
            const float *with = w + ((k * t->kernel_h + r) * t->kernel_w + s) * depth;
            for (uint32_t c = 0; c < depth; c++)
                sum += from[c] * with[c];
        }
    }
    return sum;
}

#endif
