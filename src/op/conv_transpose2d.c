/* SPDX-License-Identifier: MIT
 *
 * conv_transpose2d: the transposed convolution, which spreads each input pixel over the
 * output pixels under the kernel (`strides` apart).
 *
 * Inputs: x [n][h][w][c], weights [channels][height][width][c / groups], and optionally a bias
 * [channels].  The output is (h - 1) * stride + (kernel - 1) * dilation + 1 - padding +
 * output_padding high; with `auto_pad` same it is h * stride high.
 */
#include "op/convolution.h"

#include <inttypes.h>
#include <stdio.h>

/* ---------------------------------------------------------------- as a task */

static enum anole_status infer_extent(uint32_t *out, const char *what, uint64_t in, uint64_t kernel,
                                      uint64_t stride, uint64_t dilation, uint64_t pad,
                                      uint64_t output_pad, struct anole_error *error)
{
    if (!in || !kernel || !stride || !dilation)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "the %s of input, kernel, stride and dilation are %" PRIu64 ", %" PRIu64
                          ", %" PRIu64 " and %" PRIu64 "; expected 1 or more of each",
                          what, in, kernel, stride, dilation);
    uint64_t whole = (in - 1) * stride + (kernel - 1) * dilation + 1 + output_pad;
    if (whole <= pad || whole - pad >= ANOLE_TASK_ELEMENTS_END)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "the output's %s would be %" PRIu64 " less %" PRIu64
                          " of padding; expected 1 to 2^31 - 1: change padding or stride",
                          what, whole, pad);
    *out = (uint32_t)(whole - pad);
    return ANOLE_DONE;
}

static enum anole_status infer_output(struct anole_task *t, struct anole_error *error)
{
    uint32_t out_h, out_w;
    enum anole_status status =
        infer_extent(&out_h, "height", t->in_h, t->kernel_h, t->stride_h, t->dilation_h,
                     (uint64_t)t->pad_top + t->pad_bottom, t->output_pad_h, error);
    if (!status)
        status = infer_extent(&out_w, "width", t->in_w, t->kernel_w, t->stride_w, t->dilation_w,
                              (uint64_t)t->pad_left + t->pad_right, t->output_pad_w, error);
    if (status)
        return status;
    t->out_h = out_h;
    t->out_w = out_w;
    return ANOLE_DONE;
}

static enum anole_status check(const struct anole_task *t, struct anole_error *error)
{
    enum anole_status status = anole_convolution_check(t, error);
    if (!status && (t->output_pad_h >= t->stride_h || t->output_pad_w >= t->stride_w))
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "the output padding is %" PRIu32 "x%" PRIu32
                          "; expected less than the stride, %" PRIu32 "x%" PRIu32,
                          t->output_pad_h, t->output_pad_w, t->stride_h, t->stride_w);
    return status;
}

static void write_key(char *out, size_t size, const struct anole_task *t)
{
    anole_convolution_write_key(out, size, t);
    size_t length = strlen(out);
    snprintf(out + length, size - length, " e%" PRIu32 "x%" PRIu32, t->output_pad_h,
             t->output_pad_w);
}

static void scan_key(const char **at, struct anole_task *t)
{
    anole_convolution_scan_key(at, t);
    anole_key_scan(at, " e", &t->output_pad_h);
    anole_key_scan(at, "x", &t->output_pad_w);
}

static void label(struct anole_text *text, const struct anole_task *task)
{
    anole_convolution_label(text, task, "transposed");
    if (task->groups > 1)
        anole_text_printf(text, " g%" PRIu32, task->groups);
}

/* As many as an output can have: one kernel position in `stride` meets an input pixel. */
static size_t reduction(const struct anole_task *t)
{
    size_t rows = (t->kernel_h + t->stride_h - 1) / t->stride_h;
    size_t columns = (t->kernel_w + t->stride_w - 1) / t->stride_w;
    /* Where stride and dilation have a common factor, all positions may meet one. */
    if (t->dilation_h > 1)
        rows = t->kernel_h;
    if (t->dilation_w > 1)
        columns = t->kernel_w;
    return rows * columns * (t->in_c / (t->groups ? t->groups : 1));
}

/* By the input: each of its elements is multiplied by each kernel position. */
static double flops(const struct anole_task *t)
{
    return 2.0 * t->batch * t->in_h * t->in_w * t->out_c * (double)anole_convolution_reduction(t);
}

/* The place in the input that kernel position k of an output place meets; -1: none. */
static int64_t place(size_t out, uint32_t pad, size_t k, uint32_t dilation, uint32_t stride,
                     uint32_t size)
{
    int64_t at = (int64_t)(out + pad) - (int64_t)(k * dilation);
    return at < 0 || at % stride || at / stride >= size ? -1 : at / stride;
}

static const double *find_pixel(const struct anole_reference *r, size_t pixel, size_t kh, size_t kw)
{
    const struct anole_task *t = r->task;
    size_t n = pixel / t->out_w / t->out_h;
    int64_t ih =
        place(pixel / t->out_w % t->out_h, t->pad_top, kh, t->dilation_h, t->stride_h, t->in_h);
    int64_t iw = place(pixel % t->out_w, t->pad_left, kw, t->dilation_w, t->stride_w, t->in_w);
    if (ih < 0 || iw < 0)
        return NULL;
    return r->input + ((n * t->in_h + (size_t)ih) * t->in_w + (size_t)iw) * t->in_c;
}

static void *work(void *reference)
{
    return anole_convolution_work(reference, find_pixel);
}

/* -------------------------------------------------------------- as an operator */

static const struct anole_convolution defaults = {.groups = 1};

static const struct anole_op_key keys[] = {
    ANOLE_CONVOLUTION_INT("channels", channels),
    ANOLE_CONVOLUTION_INT("groups", groups),
    ANOLE_CONVOLUTION_INTS("output_padding", output_padding, 0, 2, 2),
    ANOLE_CONVOLUTION_KEYS,
    {.name = NULL},
};

/* What is to be cut off so that the output is `stride` times the input. */
static void pad_same(uint32_t *before, uint32_t *after, bool lower, uint64_t kernel,
                     uint64_t stride, uint64_t dilation, uint64_t output_pad)
{
    uint64_t reach = (kernel - 1) * dilation + 1 + output_pad;
    uint64_t padding = reach > stride ? reach - stride : 0;
    *before = (uint32_t)(lower ? padding - padding / 2 : padding / 2);
    *after = (uint32_t)padding - *before;
}

static enum anole_status describe(struct anole_task *task, struct anole_call *call,
                                  struct anole_error *error)
{
    enum anole_status status =
        anole_convolution_task(task, call, ANOLE_TASK_CONV_TRANSPOSE2D, 1, error);
    if (status)
        return status;
    const struct anole_convolution *a = call->attributes;
    bool lower = a->auto_pad == ANOLE_AUTO_PAD_SAME_LOWER;
    task->groups = (uint32_t)a->groups;
    task->out_c = (uint32_t)(call->inputs[1]->dtype ? call->inputs[1]->dims[0] : a->channels);
    if (a->auto_pad == ANOLE_AUTO_PAD_VALID)
        task->pad_top = task->pad_left = task->pad_bottom = task->pad_right = 0;
    if (lower || a->auto_pad == ANOLE_AUTO_PAD_SAME_UPPER) {
        pad_same(&task->pad_top, &task->pad_bottom, lower, task->kernel_h, task->stride_h,
                 task->dilation_h, task->output_pad_h);
        pad_same(&task->pad_left, &task->pad_right, lower, task->kernel_w, task->stride_w,
                 task->dilation_w, task->output_pad_w);
    }
    return anole_convolution_output(task, call, error);
}

static const struct anole_task_ops task_ops = {
    .kind = ANOLE_TASK_CONV_TRANSPOSE2D,
    .name = "conv_transpose2d",
    .flags = ANOLE_TASK_BIAS | ANOLE_TASK_RESIDUAL,
    .output_pad = true,
    .infer_output = infer_output,
    .check = check,
    .write_key = write_key,
    .scan_key = scan_key,
    .label = label,
    .weights = anole_convolution_weights,
    .reduction = reduction,
    .flops = flops,
    .pieces = anole_convolution_pieces,
    .work = work,
    .describe = describe,
};

const struct anole_op anole_op_conv_transpose2d = {
    .name = "conv_transpose2d",
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
