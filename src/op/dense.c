/* SPDX-License-Identifier: MIT
 *
 * dense: y[...][k] = sum over c of x[...][c] w[k][c] + bias[k].
 *
 * Inputs: x of any rank from 1 on, weights [channels][c], and optionally a bias [channels].
 */
#include "op/convolution.h"

#include <inttypes.h>
#include <stdio.h>

/* ---------------------------------------------------------------- as a task */

static enum anole_status infer_output(struct anole_task *task, struct anole_error *error)
{
    (void)error;
    task->out_h = task->out_w = 1;
    return ANOLE_DONE;
}

/* A 1x1 convolution of one pixel, in one canonical form. */
static enum anole_status check(const struct anole_task *task, struct anole_error *error)
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

static void set_ones(struct anole_task *t)
{
    t->in_h = t->in_w = t->out_h = t->out_w = 1;
    t->kernel_h = t->kernel_w = t->stride_h = t->stride_w = 1;
    t->dilation_h = t->dilation_w = t->groups = 1;
}

static void write_key(char *out, size_t size, const struct anole_task *t)
{
    snprintf(out, size, " n%" PRIu32 " i%" PRIu32 " o%" PRIu32, t->batch, t->in_c, t->out_c);
}

static void scan_key(const char **at, struct anole_task *t)
{
    anole_key_scan(at, " n", &t->batch);
    anole_key_scan(at, " i", &t->in_c);
    anole_key_scan(at, " o", &t->out_c);
    set_ones(t);
}

static void label(struct anole_text *text, const struct anole_task *task)
{
    anole_text_printf(text, "dense %" PRIu32 ">%" PRIu32, task->in_c, task->out_c);
}

static uint32_t output(uint32_t dims[4], const struct anole_task *task)
{
    dims[0] = task->batch;
    dims[1] = task->out_c;
    return 2;
}

static uint32_t weights(uint32_t dims[4], const struct anole_task *task)
{
    dims[0] = task->out_c;
    dims[1] = task->in_c;
    return 2;
}

static size_t reduction(const struct anole_task *task)
{
    return task->in_c;
}

static void *work(void *reference)
{
    return anole_convolution_work(reference, anole_convolution_pixel);
}

/* -------------------------------------------------------------- as an operator */

struct dense {
    int64_t channels; /* 0: as the weights say */
};

static const struct anole_op_key keys[] = {
    {.name = "channels",
     .kind = ANOLE_KEY_INT,
     .offset = offsetof(struct dense, channels),
     .low = 1,
     .high = INT32_MAX},
    {.name = NULL},
};

static enum anole_status describe(struct anole_task *task, struct anole_call *call,
                                  struct anole_error *error)
{
    const struct dense *a = call->attributes;
    const struct anole_operand *input = call->inputs[0], *matrix = call->inputs[1];
    char shape[128];
    size_t elements = anole_operand_elements(input);
    if (input->rank < 1 || elements == 0 || elements == SIZE_MAX)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "the input has the shape %s; expected one or more sizes, none of them 0",
                          anole_operand_shape_text(shape, sizeof shape, input));
    if (matrix->dtype && (matrix->rank != 2 || matrix->dims[0] < 1))
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "the weights have the shape %s; expected [output channels, channels]",
                          anole_operand_shape_text(shape, sizeof shape, matrix));
    *task = (struct anole_task){.size = sizeof *task,
                                .kind = ANOLE_TASK_DENSE,
                                .dtype = input->dtype,
                                .in_c = (uint32_t)input->dims[input->rank - 1]};
    set_ones(task);
    task->batch = (uint32_t)(elements / task->in_c);
    task->out_c = (uint32_t)(matrix->dtype ? matrix->dims[0] : a->channels);
    enum anole_status status = anole_task_of_call(task, call, error);
    if (status)
        return status;
    call->outputs[0] = *input;
    call->outputs[0].data = NULL;
    call->outputs[0].dims[input->rank - 1] = task->out_c;
    return ANOLE_DONE;
}

static const struct anole_task_ops task_ops = {
    .kind = ANOLE_TASK_DENSE,
    .name = "dense",
    .flags = ANOLE_TASK_BIAS | ANOLE_TASK_RESIDUAL,
    .infer_output = infer_output,
    .check = check,
    .write_key = write_key,
    .scan_key = scan_key,
    .label = label,
    .output = output,
    .weights = weights,
    .reduction = reduction,
    .pieces = anole_convolution_pieces,
    .work = work,
    .describe = describe,
};

const struct anole_op anole_op_dense = {
    .name = "dense",
    .flags = ANOLE_OP_CHANNEL_WEIGHTS | ANOLE_OP_TAKES_ACTIVATION,
    .fewest_inputs = 2,
    .most_inputs = 3,
    .fewest_outputs = 1,
    .most_outputs = 1,
    .attribute_bytes = sizeof(struct dense),
    .keys = keys,
    .infer = anole_task_call_infer,
    .compute = anole_reference_call,
    .task = anole_task_call_task,
    .task_ops = &task_ops,
    .parameter = anole_task_call_parameter,
    .flops = anole_reference_call_flops,
};
