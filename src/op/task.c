/* SPDX-License-Identifier: MIT */
#include "op/task.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --------------------------------------------------------------------- words */

const char *anole_task_kind_text(uint32_t kind)
{
    switch (kind) {
    case ANOLE_TASK_CONV2D:
        return "conv2d";
    case ANOLE_TASK_DEPTHWISE_CONV2D:
        return "depthwise_conv2d";
    case ANOLE_TASK_DENSE:
        return "dense";
    case ANOLE_TASK_CUSTOM:
        return "custom";
    default:
        return "unknown";
    }
}

const char *anole_dtype_text(uint32_t dtype)
{
    switch (dtype) {
#define X(name, value, text, bytes, kind)                                                          \
    case value:                                                                                    \
        return text;
        ANOLE_DTYPE_MAP(X)
#undef X
    default:
        return "unknown";
    }
}

const char *anole_precision_text(uint32_t dtype)
{
    static const char *const texts[] = {
        [ANOLE_F32] = "fp32", [ANOLE_F16] = "fp16", [ANOLE_TF32] = "tf32"};
    return dtype >= ANOLE_F32 && dtype <= ANOLE_TF32 ? texts[dtype] : "unknown";
}

uint32_t anole_precision_parse(const char *text)
{
    for (uint32_t dtype = ANOLE_F32; dtype <= ANOLE_TF32; dtype++)
        if (strcmp(text, anole_precision_text(dtype)) == 0)
            return dtype;
    return 0;
}

const char *anole_activation_text(uint32_t activation)
{
    switch (activation) {
    case ANOLE_ACT_NONE:
        return "none";
    case ANOLE_ACT_RELU:
        return "relu";
    case ANOLE_ACT_RELU6:
        return "relu6";
    default:
        return "unknown";
    }
}

const char *anole_task_label(char *out, size_t size, const struct anole_task *task)
{
    struct anole_text text = {0};
    switch (task->kind) {
    case ANOLE_TASK_CUSTOM:
        anole_text_printf(&text, "custom ");
        anole_text_append_printable(&text, task->name, strnlen(task->name, sizeof task->name));
        break;
    case ANOLE_TASK_DENSE:
        anole_text_printf(&text, "dense %" PRIu32 ">%" PRIu32, task->in_c, task->out_c);
        break;
    default:
        anole_text_printf(&text, "%s %" PRIu32 "x%" PRIu32 "/%" PRIu32,
                          task->kind == ANOLE_TASK_DEPTHWISE_CONV2D ? "depthwise" : "conv",
                          task->kernel_h, task->kernel_w, task->stride_h);
        if (task->stride_w != task->stride_h)
            anole_text_printf(&text, "x%" PRIu32, task->stride_w);
        anole_text_printf(&text, " %" PRIu32 ">%" PRIu32 " @%" PRIu32 "x%" PRIu32, task->in_c,
                          task->out_c, task->in_h, task->in_w);
        if (task->dilation_h > 1 || task->dilation_w > 1)
            anole_text_printf(&text, " d%" PRIu32 "x%" PRIu32, task->dilation_h, task->dilation_w);
        if (task->kind == ANOLE_TASK_CONV2D && task->groups > 1)
            anole_text_printf(&text, " g%" PRIu32, task->groups);
    }
    if (task->batch > 1)
        anole_text_printf(&text, " n%" PRIu32, task->batch);
    if (task->dtype == ANOLE_F16)
        anole_text_printf(&text, " f16");
    if (task->flags & ANOLE_TASK_RESIDUAL)
        anole_text_printf(&text, " +add");
    if (task->activation != ANOLE_ACT_NONE)
        anole_text_printf(&text, " %s", anole_activation_text(task->activation));
    snprintf(out, size, "%s", text.data && !text.failed ? text.data : "?");
    anole_text_fini(&text);
    return out;
}

/* ------------------------------------------------------------------- numbers */

/* The tensors of a task that passed anole_task_check() have under 2^31 elements,
 * so none of these products overflows. */

static size_t product(size_t a, size_t b, size_t c, size_t d)
{
    return a * b * c * d;
}

size_t anole_task_input_elements(const struct anole_task *task)
{
    if (task->custom)
        return (size_t)task->custom->input_bytes / sizeof(float);
    return product(task->batch, task->in_h, task->in_w, task->in_c);
}

size_t anole_task_reduction(const struct anole_task *task)
{
    switch (task->kind) {
    case ANOLE_TASK_CONV2D:
        return product(task->kernel_h, task->kernel_w,
                       task->in_c / (task->groups ? task->groups : 1), 1);
    case ANOLE_TASK_DEPTHWISE_CONV2D:
        return product(task->kernel_h, task->kernel_w, 1, 1);
    case ANOLE_TASK_DENSE:
        return task->in_c;
    default:
        return 0;
    }
}

size_t anole_task_weight_elements(const struct anole_task *task)
{
    return task->out_c * anole_task_reduction(task);
}

size_t anole_task_bias_elements(const struct anole_task *task)
{
    return task->flags & ANOLE_TASK_BIAS ? task->out_c : 0;
}

size_t anole_task_residual_elements(const struct anole_task *task)
{
    return task->flags & ANOLE_TASK_RESIDUAL ? anole_task_output_elements(task) : 0;
}

size_t anole_task_output_elements(const struct anole_task *task)
{
    if (task->custom)
        return (size_t)task->custom->output_bytes / sizeof(float);
    return product(task->batch, task->out_h, task->out_w, task->out_c);
}

size_t anole_task_element_bytes(const struct anole_task *task)
{
    return task->dtype == ANOLE_F16 && !task->custom ? 2 : 4;
}

double anole_task_flops(const struct anole_task *task)
{
    if (task->custom)
        return task->custom->operations;
    return 2.0 * (double)anole_task_output_elements(task) * (double)anole_task_reduction(task);
}

double anole_task_bytes(const struct anole_task *task)
{
    double elements =
        (double)anole_task_input_elements(task) + (double)anole_task_weight_elements(task) +
        (double)anole_task_bias_elements(task) + (double)anole_task_residual_elements(task) +
        (double)anole_task_output_elements(task);
    return elements * (double)anole_task_element_bytes(task);
}
