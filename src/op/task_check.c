/* SPDX-License-Identifier: MIT
 *
 * What makes a task a possible one.
 */
#include "base/text.h"
#include "op/task.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ELEMENTS_END (UINT64_C(1) << 31)

static const char fix[] = "correct the layer that asks for it";

static enum anole_status check_range(const char *what, uint32_t value, uint32_t low, uint32_t high,
                                     struct anole_error *error)
{
    if (value >= low && value <= high)
        return ANOLE_DONE;
    return anole_fail(error, ANOLE_ERR_INPUT,
                      "%s is %" PRIu32 "; expected %" PRIu32 " to %" PRIu32 ": %s", what, value,
                      low, high, fix);
}

/* Fails unless n*h*w*c is less than 2^31. */
static enum anole_status check_elements(const char *what, uint64_t n, uint64_t h, uint64_t w,
                                        uint64_t c, struct anole_error *error)
{
    uint64_t factors[] = {n, h, w, c}, elements = 1;
    for (size_t i = 0; i < 4; i++) {
        if (factors[i] && elements >= ELEMENTS_END / factors[i] + 1)
            elements = ELEMENTS_END;
        else
            elements *= factors[i];
    }
    if (elements < ELEMENTS_END)
        return ANOLE_DONE;
    return anole_fail(error, ANOLE_ERR_INPUT,
                      "the %s of %" PRIu64 "x%" PRIu64 "x%" PRIu64 "x%" PRIu64
                      " elements is too large; expected fewer than 2^31 elements: make the batch, "
                      "the image or the channels smaller",
                      what, n, h, w, c);
}

/* One dimension of the output: what `in` gives with this window. */
static enum anole_status infer_extent(uint32_t *out, const char *what, uint64_t in, uint64_t kernel,
                                      uint64_t stride, uint64_t dilation, uint64_t pad,
                                      struct anole_error *error)
{
    if (!in || !kernel || !stride || !dilation)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "the %s of input, kernel, stride and dilation are %" PRIu64 ", %" PRIu64
                          ", %" PRIu64 " and %" PRIu64 "; expected 1 or more of each: %s",
                          what, in, kernel, stride, dilation, fix);
    uint64_t reach = (kernel - 1) * dilation + 1, padded = in + pad;
    if (reach > padded)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "a kernel that reaches over %" PRIu64
                          " does not fit into the %s of %" PRIu64 " (%" PRIu64 " and %" PRIu64
                          " of padding); expected a smaller "
                          "kernel or dilation, or more padding",
                          reach, what, padded, in, pad);
    uint64_t extent = (padded - reach) / stride + 1;
    if (extent >= ELEMENTS_END)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "the output's %s would be %" PRIu64 "; expected less than 2^31: %s", what,
                          extent, fix);
    *out = (uint32_t)extent;
    return ANOLE_DONE;
}

enum anole_status anole_task_infer_output(struct anole_task *task, struct anole_error *error)
{
    uint32_t out_h = 1, out_w = 1;
    enum anole_status status = ANOLE_DONE;
    if (task->kind == ANOLE_TASK_CONV2D || task->kind == ANOLE_TASK_DEPTHWISE_CONV2D) {
        status = infer_extent(&out_h, "height", task->in_h, task->kernel_h, task->stride_h,
                              task->dilation_h, (uint64_t)task->pad_top + task->pad_bottom, error);
        if (!status)
            status =
                infer_extent(&out_w, "width", task->in_w, task->kernel_w, task->stride_w,
                             task->dilation_w, (uint64_t)task->pad_left + task->pad_right, error);
    } else if (task->kind != ANOLE_TASK_DENSE) {
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "a task of kind %s has no shape; expected conv2d, depthwise_conv2d or "
                          "dense",
                          anole_task_kind_text(task->kind));
    }
    if (status)
        return status;
    task->out_h = out_h;
    task->out_w = out_w;
    return ANOLE_DONE;
}

/* A custom task is its name alone. */
static enum anole_status check_custom(const struct anole_task *task, struct anole_error *error)
{
    struct anole_task bare = {
        .size = task->size, .kind = task->kind, .dtype = task->dtype, .custom = task->custom};
    size_t length = strnlen(task->name, sizeof task->name);
    if (length == 0 || length == sizeof task->name)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "a custom task's name has %zu bytes; expected 1 to %zu", length,
                          sizeof task->name - 1);
    memcpy(bare.name, task->name, length);
    if (memcmp(&bare, task, sizeof bare) != 0)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "a custom task has a shape, flags or an activation; expected zeros");
    return ANOLE_DONE;
}

/* A dense layer is a 1x1 convolution of one pixel, in one canonical form. */
static enum anole_status check_dense(const struct anole_task *task, struct anole_error *error)
{
    const uint32_t ones[] = {task->in_h,     task->in_w,       task->out_h,     task->out_w,
                             task->kernel_h, task->kernel_w,   task->stride_h,  task->stride_w,
                             task->groups,   task->dilation_h, task->dilation_w};
    for (size_t i = 0; i < sizeof ones / sizeof ones[0]; i++)
        if (ones[i] != 1)
            return anole_fail(error, ANOLE_ERR_INPUT,
                              "a dense task has a size of %" PRIu32 " besides batch and channels; "
                              "expected heights, widths, stride, dilation and groups of 1",
                              ones[i]);
    if (task->pad_top || task->pad_left || task->pad_bottom || task->pad_right)
        return anole_fail(error, ANOLE_ERR_INPUT, "a dense task has padding; expected none");
    return ANOLE_DONE;
}

static enum anole_status check_window(const struct anole_task *task, struct anole_error *error)
{
    const struct {
        const char *what;
        uint32_t value, low;
    } fields[] = {{"kernel height", task->kernel_h, 1},
                  {"kernel width", task->kernel_w, 1},
                  {"vertical stride", task->stride_h, 1},
                  {"horizontal stride", task->stride_w, 1},
                  {"vertical dilation", task->dilation_h, 1},
                  {"horizontal dilation", task->dilation_w, 1},
                  {"padding at the top", task->pad_top, 0},
                  {"padding at the left", task->pad_left, 0},
                  {"padding at the bottom", task->pad_bottom, 0},
                  {"padding at the right", task->pad_right, 0}};
    enum anole_status status = ANOLE_DONE;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0] && !status; i++)
        status = check_range(fields[i].what, fields[i].value, fields[i].low, ANOLE_TASK_MAX_WINDOW,
                             error);
    if (status)
        return status;
    if (!task->groups || task->in_c % task->groups || task->out_c % task->groups)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "%" PRIu32 " groups do not divide %" PRIu32 " input and %" PRIu32
                          " output channels; expected a divisor of both: change groups or channels",
                          task->groups, task->in_c, task->out_c);
    if (task->kind == ANOLE_TASK_DEPTHWISE_CONV2D && task->groups != task->in_c)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "a depthwise task has %" PRIu32
                          " groups; expected as many as its %" PRIu32 " input channels",
                          task->groups, task->in_c);
    struct anole_task again = *task;
    status = anole_task_infer_output(&again, error);
    if (status)
        return status;
    if (again.out_h != task->out_h || again.out_w != task->out_w)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "the output is %" PRIu32 "x%" PRIu32 "; expected %" PRIu32 "x%" PRIu32
                          ", which input, kernel, stride, padding and dilation give",
                          task->out_h, task->out_w, again.out_h, again.out_w);
    return ANOLE_DONE;
}

static enum anole_status check_tensors(const struct anole_task *task, struct anole_error *error)
{
    bool depthwise = task->kind == ANOLE_TASK_DEPTHWISE_CONV2D;
    enum anole_status status =
        check_elements("input", task->batch, task->in_h, task->in_w, task->in_c, error);
    if (!status)
        status =
            check_elements("output", task->batch, task->out_h, task->out_w, task->out_c, error);
    if (!status)
        status = check_elements("weight tensor", task->kernel_h, task->kernel_w,
                                depthwise ? 1 : task->in_c / task->groups, task->out_c, error);
    return status;
}

enum anole_status anole_task_check(const struct anole_task *task, struct anole_error *error)
{
    const uint32_t most = (uint32_t)(ELEMENTS_END - 1);
    if (task->size != sizeof *task)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "a task's size is %" PRIu32
                          " bytes; expected %zu: it was made by another "
                          "version",
                          task->size, sizeof *task);
    if (task->kind < ANOLE_TASK_CONV2D || task->kind > ANOLE_TASK_CUSTOM)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "a task's kind is %" PRIu32
                          "; expected conv2d (1), depthwise_conv2d (2), "
                          "dense (3) or custom (4)",
                          task->kind);
    if (task->dtype < ANOLE_F32 || task->dtype > ANOLE_TF32)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "a task's data type is %" PRIu32
                          "; expected f32 (1), f16 (2) or tf32 (3)",
                          task->dtype);
    if (task->activation > ANOLE_ACT_RELU6)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "a task's activation is %" PRIu32 "; expected none (0), relu (1) or "
                          "relu6 (2)",
                          task->activation);
    if ((task->flags & ~(uint32_t)(ANOLE_TASK_BIAS | ANOLE_TASK_RESIDUAL)) || task->reserved)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "a task has unknown flags (%#" PRIx32
                          "); expected bias (1), residual (2) "
                          "or both",
                          task->flags);
    if (task->kind == ANOLE_TASK_CUSTOM)
        return check_custom(task, error);
    if (task->name[0] || task->custom)
        return anole_fail(error, ANOLE_ERR_INPUT, "a %s task has a %s; expected none",
                          anole_task_kind_text(task->kind), task->name[0] ? "name" : "kernel");
    enum anole_status status = check_range("batch", task->batch, 1, most, error);
    if (!status)
        status = check_range("number of input channels", task->in_c, 1, most, error);
    if (!status)
        status = check_range("number of output channels", task->out_c, 1, most, error);
    if (!status)
        status =
            task->kind == ANOLE_TASK_DENSE ? check_dense(task, error) : check_window(task, error);
    return status ? status : check_tensors(task, error);
}
