/* SPDX-License-Identifier: MIT
 *
 * conv2d: a convolution, over groups of channels.
 *
 * Inputs: x [n][h][w][c], weights [channels][height][width][c / groups], and optionally a bias
 * [channels].  `channels` and `kernel` are the weights' own where those are known.
 */
#include "op/convolution.h"

#include <inttypes.h>

/* ---------------------------------------------------------------- as a task */

static void label(struct anole_text *text, const struct anole_task *task)
{
    anole_convolution_label(text, task, "conv");
    if (task->groups > 1)
        anole_text_printf(text, " g%" PRIu32, task->groups);
}

static void *work(void *reference)
{
    return anole_convolution_work(reference, anole_convolution_pixel);
}

/* -------------------------------------------------------------- as an operator */

static const struct anole_convolution defaults = {.groups = 1};

static const struct anole_op_key keys[] = {
    ANOLE_CONVOLUTION_INT("channels", channels),
    ANOLE_CONVOLUTION_INT("groups", groups),
    ANOLE_CONVOLUTION_KEYS,
    {.name = NULL},
};

static enum anole_status describe(struct anole_task *task, struct anole_call *call,
                                  struct anole_error *error)
{
    enum anole_status status = anole_convolution_task(task, call, ANOLE_TASK_CONV2D, 1, error);
    if (status)
        return status;
    const struct anole_convolution *a = call->attributes;
    task->groups = (uint32_t)a->groups;
    task->out_c = (uint32_t)(call->inputs[1]->dtype ? call->inputs[1]->dims[0] : a->channels);
    return anole_convolution_finish(task, call, error);
}

static const struct anole_task_ops task_ops = {
    .kind = ANOLE_TASK_CONV2D,
    .name = "conv2d",
    .flags = ANOLE_TASK_BIAS | ANOLE_TASK_RESIDUAL,
    .infer_output = anole_convolution_infer_output,
    .check = anole_convolution_check,
    .write_key = anole_convolution_write_key,
    .scan_key = anole_convolution_scan_key,
    .label = label,
    .weights = anole_convolution_weights,
    .reduction = anole_convolution_reduction,
    .pieces = anole_convolution_pieces,
    .work = work,
    .describe = describe,
};

const struct anole_op anole_op_conv2d = {
    .name = "conv2d",
    .flags = ANOLE_OP_CHANNEL_WEIGHTS | ANOLE_OP_TAKES_ACTIVATION | ANOLE_OP_TAKES_RESIDUAL,
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
