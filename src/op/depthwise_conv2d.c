/* SPDX-License-Identifier: MIT
 *
 * depthwise_conv2d: each channel is convolved by itself, with `multiplier` kernels.
 *
 * Inputs: x [n][h][w][c], weights [height][width][c * multiplier], and optionally a bias
 * [c * multiplier]: output channel k reads input channel k / multiplier.
 */
#include "op/convolution.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- as a task */

static enum anole_status check(const struct anole_task *task, struct anole_error *error)
{
    enum anole_status status = anole_convolution_check(task, error);
    if (!status && task->groups != task->in_c)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "a depthwise task has %" PRIu32
                          " groups; expected as many as its %" PRIu32 " input channels",
                          task->groups, task->in_c);
    return status;
}

static void label(struct anole_text *text, const struct anole_task *task)
{
    anole_convolution_label(text, task, "depthwise");
}

static uint32_t weights(uint32_t dims[4], const struct anole_task *task)
{
    dims[0] = task->kernel_h;
    dims[1] = task->kernel_w;
    dims[2] = task->out_c;
    return 3;
}

static size_t reduction(const struct anole_task *task)
{
    return (size_t)task->kernel_h * task->kernel_w;
}

#define CHUNK ANOLE_REFERENCE_CHUNK

static size_t pieces(const struct anole_task *task)
{
    return ((size_t)task->batch * task->out_h * task->out_w + CHUNK - 1) / CHUNK;
}

static void convolve_pixel(const struct anole_reference *r, double *sums, size_t pixel)
{
    const struct anole_task *task = r->task;
    size_t multiplier = task->out_c / task->in_c;
    memset(sums, 0, task->out_c * sizeof *sums);
    for (size_t kh = 0; kh < task->kernel_h; kh++) {
        for (size_t kw = 0; kw < task->kernel_w; kw++) {
            const double *x = anole_convolution_pixel(r, pixel, kh, kw);
            const float *w = r->weights + (kh * task->kernel_w + kw) * task->out_c;
            for (size_t c = 0, k = 0; x && c < task->in_c; c++)
                for (size_t m = 0; m < multiplier; m++, k++)
                    sums[k] += x[c] * (double)w[k];
        }
    }
    for (size_t k = 0; k < task->out_c; k++)
        anole_reference_finish(r, pixel, k, sums[k]);
}

/* A piece is CHUNK pixels. */
static void *work(void *reference)
{
    struct anole_reference *r = reference;
    double *sums = calloc(r->task->out_c, sizeof *sums);
    size_t piece;
    if (!sums) {
        atomic_store(&r->out_of_memory, true);
        return NULL;
    }
    while ((piece = atomic_fetch_add(&r->next, 1)) < r->pieces) {
        size_t end = (piece + 1) * CHUNK < r->pixels ? (piece + 1) * CHUNK : r->pixels;
        for (size_t pixel = piece * CHUNK; pixel < end; pixel++)
            convolve_pixel(r, sums, pixel);
    }
    free(sums);
    return NULL;
}

/* -------------------------------------------------------------- as an operator */

static const struct anole_convolution defaults = {.groups = 1};

static const struct anole_op_key keys[] = {
    ANOLE_CONVOLUTION_INT("multiplier", multiplier),
    ANOLE_CONVOLUTION_KEYS,
    {.name = NULL},
};

static enum anole_status describe(struct anole_task *task, struct anole_call *call,
                                  struct anole_error *error)
{
    enum anole_status status =
        anole_convolution_task(task, call, ANOLE_TASK_DEPTHWISE_CONV2D, 0, error);
    if (status)
        return status;
    const struct anole_convolution *a = call->attributes;
    const struct anole_operand *kernels = call->inputs[1];
    uint64_t multiplier = a->multiplier ? (uint64_t)a->multiplier : 1;
    uint64_t channels = kernels->dtype ? (uint64_t)kernels->dims[2] : task->in_c * multiplier;
    if (channels >= ANOLE_TASK_ELEMENTS_END)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "%" PRIu32 " channels times a multiplier of %" PRIu64
                          " are too many; expected fewer than 2^31: lower \"multiplier\"",
                          task->in_c, multiplier);
    task->groups = task->in_c;
    task->out_c = (uint32_t)channels;
    return anole_convolution_finish(task, call, error);
}

static const struct anole_task_ops task_ops = {
    .kind = ANOLE_TASK_DEPTHWISE_CONV2D,
    .name = "depthwise_conv2d",
    .flags = ANOLE_TASK_BIAS | ANOLE_TASK_RESIDUAL,
    .infer_output = anole_convolution_infer_output,
    .check = check,
    .write_key = anole_convolution_write_key,
    .scan_key = anole_convolution_scan_key,
    .label = label,
    .weights = weights,
    .reduction = reduction,
    .pieces = pieces,
    .work = work,
    .describe = describe,
};

const struct anole_op anole_op_depthwise_conv2d = {
    .name = "depthwise_conv2d",
    .flags = ANOLE_OP_CHANNEL_WEIGHTS | ANOLE_OP_CHANNELS_LAST_WEIGHTS | ANOLE_OP_TAKES_ACTIVATION |
             ANOLE_OP_TAKES_RESIDUAL,
    .fewest_inputs = 2,
    .most_inputs = 3,
    .fewest_outputs = 1,
    .most_outputs = 1,
    .attribute_bytes = sizeof(struct anole_convolution),
    .defaults = &defaults,
    .keys = keys,
    .infer = anole_task_call_infer,
    .compute = anole_reference_call,
    .task = anole_task_call_task,
    .task_ops = &task_ops,
    .parameter = anole_task_call_parameter,
    .flops = anole_reference_call_flops,
};
