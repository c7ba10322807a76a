/* SPDX-License-Identifier: MIT */
#include "op/convolution.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ELEMENTS_END ANOLE_TASK_ELEMENTS_END

const char *const anole_auto_pads[] = {"explicit", "same_upper", "same_lower", "valid", NULL};

static const char fix[] = "correct the layer that asks for it";

/* -------------------------------------------------------------------- checks */

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

enum anole_status anole_convolution_infer_output(struct anole_task *task, struct anole_error *error)
{
    uint32_t out_h, out_w;
    enum anole_status status =
        infer_extent(&out_h, "height", task->in_h, task->kernel_h, task->stride_h, task->dilation_h,
                     (uint64_t)task->pad_top + task->pad_bottom, error);
    if (!status)
        status = infer_extent(&out_w, "width", task->in_w, task->kernel_w, task->stride_w,
                              task->dilation_w, (uint64_t)task->pad_left + task->pad_right, error);
    if (status)
        return status;
    task->out_h = out_h;
    task->out_w = out_w;
    return ANOLE_DONE;
}

enum anole_status anole_convolution_check(const struct anole_task *task, struct anole_error *error)
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
        if (fields[i].value < fields[i].low || fields[i].value > ANOLE_TASK_MAX_WINDOW)
            status = anole_fail(error, ANOLE_ERR_INPUT,
                                "%s is %" PRIu32 "; expected %" PRIu32 " to %" PRIu32 ": %s",
                                fields[i].what, fields[i].value, fields[i].low,
                                ANOLE_TASK_MAX_WINDOW, fix);
    if (status)
        return status;
    if (!task->groups || task->in_c % task->groups || task->out_c % task->groups)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "%" PRIu32 " groups do not divide %" PRIu32 " input and %" PRIu32
                          " output channels; expected a divisor of both: change groups or channels",
                          task->groups, task->in_c, task->out_c);
    return ANOLE_DONE;
}

/* --------------------------------------------------------------- keys and labels */

void anole_convolution_write_key(char *out, size_t size, const struct anole_task *t)
{
    snprintf(out, size,
             " n%" PRIu32 " %" PRIu32 "x%" PRIu32 "x%" PRIu32 " k%" PRIu32 "x%" PRIu32 " s%" PRIu32
             "x%" PRIu32 " p%" PRIu32 ",%" PRIu32 ",%" PRIu32 ",%" PRIu32 " d%" PRIu32 "x%" PRIu32
             " g%" PRIu32 " o%" PRIu32,
             t->batch, t->in_h, t->in_w, t->in_c, t->kernel_h, t->kernel_w, t->stride_h,
             t->stride_w, t->pad_top, t->pad_left, t->pad_bottom, t->pad_right, t->dilation_h,
             t->dilation_w, t->groups, t->out_c);
}

void anole_convolution_scan_key(const char **at, struct anole_task *t)
{
    anole_key_scan(at, " n", &t->batch);
    anole_key_scan(at, " ", &t->in_h);
    anole_key_scan(at, "x", &t->in_w);
    anole_key_scan(at, "x", &t->in_c);
    anole_key_scan(at, " k", &t->kernel_h);
    anole_key_scan(at, "x", &t->kernel_w);
    anole_key_scan(at, " s", &t->stride_h);
    anole_key_scan(at, "x", &t->stride_w);
    anole_key_scan(at, " p", &t->pad_top);
    anole_key_scan(at, ",", &t->pad_left);
    anole_key_scan(at, ",", &t->pad_bottom);
    anole_key_scan(at, ",", &t->pad_right);
    anole_key_scan(at, " d", &t->dilation_h);
    anole_key_scan(at, "x", &t->dilation_w);
    anole_key_scan(at, " g", &t->groups);
    anole_key_scan(at, " o", &t->out_c);
}

void anole_convolution_label(struct anole_text *text, const struct anole_task *task,
                             const char *name)
{
    anole_text_printf(text, "%s %" PRIu32 "x%" PRIu32 "/%" PRIu32, name, task->kernel_h,
                      task->kernel_w, task->stride_h);
    if (task->stride_w != task->stride_h)
        anole_text_printf(text, "x%" PRIu32, task->stride_w);
    anole_text_printf(text, " %" PRIu32 ">%" PRIu32 " @%" PRIu32 "x%" PRIu32, task->in_c,
                      task->out_c, task->in_h, task->in_w);
    if (task->dilation_h > 1 || task->dilation_w > 1)
        anole_text_printf(text, " d%" PRIu32 "x%" PRIu32, task->dilation_h, task->dilation_w);
}

/* ------------------------------------------------------------------- numbers */

uint32_t anole_convolution_weights(uint32_t dims[4], const struct anole_task *task)
{
    dims[0] = task->out_c;
    dims[1] = task->kernel_h;
    dims[2] = task->kernel_w;
    dims[3] = task->in_c / (task->groups ? task->groups : 1);
    return 4;
}

size_t anole_convolution_reduction(const struct anole_task *task)
{
    return (size_t)task->kernel_h * task->kernel_w *
           (task->in_c / (task->groups ? task->groups : 1));
}

/* ---------------------------------------------------------------- the reference */

#define LANES ANOLE_REFERENCE_LANES /* output channels worked on together */
#define PIXELS 16                   /* output pixels worked on together */
#define DEPTH 64 /* input channels worked on together: their weights stay in the L1 cache */
#define CHUNK ANOLE_REFERENCE_CHUNK /* pixels of one piece of work */

/* The input pixel under kernel position (kh, kw) of an output pixel, or NULL in
 * the padding. */
const double *anole_convolution_pixel(const struct anole_reference *r, size_t pixel, size_t kh,
                                      size_t kw)
{
    const struct anole_task *task = r->task;
    size_t ow = pixel % task->out_w;
    size_t oh = pixel / task->out_w % task->out_h;
    size_t n = pixel / task->out_w / task->out_h;
    int64_t ih = (int64_t)(oh * task->stride_h + kh * task->dilation_h) - task->pad_top;
    int64_t iw = (int64_t)(ow * task->stride_w + kw * task->dilation_w) - task->pad_left;
    if (ih < 0 || ih >= task->in_h || iw < 0 || iw >= task->in_w)
        return NULL;
    return r->input + ((n * task->in_h + (size_t)ih) * task->in_w + (size_t)iw) * task->in_c;
}

/* A block: up to LANES output channels of one group. */
struct block {
    size_t group, first, count; /* output channels first .. first + count - 1 */
};

static size_t blocks_of_group(const struct anole_task *task)
{
    return (task->out_c / task->groups + LANES - 1) / LANES;
}

static struct block find_block(const struct anole_task *task, size_t index)
{
    size_t of_group = task->out_c / task->groups, within = index % blocks_of_group(task) * LANES;
    size_t group = index / blocks_of_group(task);
    return (struct block){
        .group = group,
        .first = group * of_group + within,
        .count = of_group - within < LANES ? of_group - within : LANES,
    };
}

/* packed[i][lane]; lanes that have no channel are 0. */
static void pack_weights(double *packed, const struct anole_reference *r, const struct block *block)
{
    size_t n = anole_convolution_reduction(r->task);
    memset(packed, 0, n * LANES * sizeof *packed);
    for (size_t first = 0; first < n; first += DEPTH) { /* a part of `packed` that is cached */
        size_t end = n - first < DEPTH ? n : first + DEPTH;
        for (size_t lane = 0; lane < block->count; lane++) {
            const float *w = r->weights + (block->first + lane) * n;
            for (size_t i = first; i < end; i++)
                packed[i * LANES + lane] = w[i];
        }
    }
}

/* One block of channels for pixels first .. first + count - 1, count <= PIXELS. */
static void convolve_pixels(const struct anole_reference *r, const struct block *block,
                            const double *packed, size_t first, size_t count,
                            anole_find_pixel *find)
{
    const struct anole_task *task = r->task;
    size_t channels = task->in_c / task->groups;
    double sums[PIXELS][LANES] = {{0.0}};
    for (size_t kh = 0; kh < task->kernel_h; kh++) {
        for (size_t kw = 0; kw < task->kernel_w; kw++, packed += channels * LANES) {
            const double *x[PIXELS];
            for (size_t p = 0; p < count; p++)
                x[p] = find(r, first + p, kh, kw);
            for (size_t c = 0; c < channels; c += DEPTH) {
                size_t depth = channels - c < DEPTH ? channels - c : DEPTH;
                for (size_t p = 0; p < count; p++)
                    if (x[p])
                        r->multiply(sums[p], x[p] + block->group * channels + c, packed + c * LANES,
                                    depth);
            }
        }
    }
    for (size_t p = 0; p < count; p++)
        for (size_t lane = 0; lane < block->count; lane++)
            anole_reference_finish(r, first + p, block->first + lane, sums[p][lane]);
}

/* Takes pieces of work until there are none: a piece is a block of channels for
 * CHUNK pixels.  Pieces of one block follow each other and share its weights. */
void *anole_convolution_work(struct anole_reference *r, anole_find_pixel *find)
{
    size_t chunks = (r->pixels + CHUNK - 1) / CHUNK, packed_block = SIZE_MAX, piece;
    double *packed = calloc(anole_convolution_reduction(r->task) * LANES, sizeof *packed);
    if (!packed) {
        atomic_store(&r->out_of_memory, true);
        return NULL;
    }
    while ((piece = atomic_fetch_add(&r->next, 1)) < r->pieces) {
        struct block block = find_block(r->task, piece / chunks);
        if (packed_block != piece / chunks)
            pack_weights(packed, r, &block);
        packed_block = piece / chunks;
        size_t first = piece % chunks * CHUNK;
        size_t end = r->pixels - first < CHUNK ? r->pixels : first + CHUNK;
        for (; first < end; first += PIXELS)
            convolve_pixels(r, &block, packed, first, end - first < PIXELS ? end - first : PIXELS,
                            find);
    }
    free(packed);
    return NULL;
}

size_t anole_convolution_pieces(const struct anole_task *task)
{
    size_t pixels = (size_t)task->batch * task->out_h * task->out_w;
    return (pixels + CHUNK - 1) / CHUNK * task->groups * blocks_of_group(task);
}

/* -------------------------------------------------------------- as an operator */

static enum anole_status check_type(const struct anole_operand *operand, const char *what,
                                    uint32_t dtype, const uint32_t *dims, uint32_t rank,
                                    struct anole_error *error)
{
    struct anole_operand wanted = {.dtype = dtype, .rank = rank};
    char expected[128], found[128];
    for (uint32_t i = 0; i < rank; i++)
        wanted.dims[i] = dims[i];
    if (operand->dtype == 0 || /* a parameter, which gets this shape */
        (operand->dtype == dtype && anole_operand_same_shape(operand, &wanted)))
        return ANOLE_DONE;
    return anole_fail(
        error, ANOLE_ERR_INPUT, "the %s is %s of %s; expected %s of %s, the type of the input",
        what, anole_operand_shape_text(found, sizeof found, operand),
        anole_dtype_text(operand->dtype),
        anole_operand_shape_text(expected, sizeof expected, &wanted), anole_dtype_text(dtype));
}

enum anole_status anole_task_of_call(struct anole_task *task, struct anole_call *call,
                                     struct anole_error *error)
{
    const struct anole_task_ops *ops = call->op->task_ops;
    const struct anole_operand *bias = call->input_count > 2 ? call->inputs[2] : NULL;
    uint32_t dims[4], rank;
    if (bias)
        task->flags |= ANOLE_TASK_BIAS;
    enum anole_status status = ops->infer_output(task, error);
    if (!status)
        status = anole_task_check_fields(task, ops, error);
    if (status)
        return status;
    rank = ops->weights(dims, task);
    status = check_type(call->inputs[1], "tensor of weights", task->dtype, dims, rank, error);
    if (!status && bias)
        status = check_type(bias, "bias", task->dtype, &task->out_c, 1, error);
    return status;
}

enum anole_status anole_task_call_infer(struct anole_call *call, struct anole_error *error)
{
    struct anole_task task;
    return call->op->task_ops->describe(&task, call, error);
}

bool anole_task_call_task(const struct anole_call *call, struct anole_task *task)
{
    struct anole_operand output;
    struct anole_call copy = *call;
    copy.outputs = &output;
    return call->op->task_ops->describe(task, &copy, NULL) == ANOLE_DONE;
}

bool anole_task_call_parameter(struct anole_operand *type, const struct anole_call *call,
                               uint32_t i)
{
    struct anole_task task;
    uint32_t dims[4], rank = 1;
    if (i < 1 || i > 2 || !anole_task_call_task(call, &task))
        return false;
    if (i == 1)
        rank = call->op->task_ops->weights(dims, &task);
    else
        dims[0] = task.out_c;
    *type = (struct anole_operand){.dtype = task.dtype, .rank = rank};
    for (uint32_t d = 0; d < rank; d++)
        type->dims[d] = dims[d];
    return true;
}

static uint32_t at(const struct anole_ints *ints, uint32_t i, uint32_t otherwise)
{
    return i < ints->count ? (uint32_t)ints->values[i] : otherwise;
}

/* As much padding as makes the output ceil(in / stride). */
static void pad_same(uint32_t *before, uint32_t *after, bool lower, uint64_t in, uint64_t kernel,
                     uint64_t stride, uint64_t dilation)
{
    uint64_t out = (in + stride - 1) / stride;
    uint64_t needed = (out - 1) * stride + (kernel - 1) * dilation + 1;
    uint64_t padding = needed > in ? needed - in : 0;
    *before = (uint32_t)(lower ? padding - padding / 2 : padding / 2);
    *after = (uint32_t)padding - *before;
}

/* From the input, and the window's attributes. */
static void describe(struct anole_task *task, const struct anole_operand *input,
                     const struct anole_convolution *a, uint32_t kind)
{
    *task = (struct anole_task){
        .size = sizeof *task,
        .kind = kind,
        .dtype = input->dtype,
        .groups = 1,
        .batch = (uint32_t)input->dims[0],
        .in_h = (uint32_t)input->dims[1],
        .in_w = (uint32_t)input->dims[2],
        .in_c = (uint32_t)input->dims[3],
        .kernel_h = at(&a->kernel, 0, 1),
        .kernel_w = at(&a->kernel, 1, 1),
        .stride_h = at(&a->strides, 0, 1),
        .stride_w = at(&a->strides, 1, 1),
        .dilation_h = at(&a->dilations, 0, 1),
        .dilation_w = at(&a->dilations, 1, 1),
        .pad_top = at(&a->pads, 0, 0),
        .pad_left = at(&a->pads, 1, 0),
        .pad_bottom = at(&a->pads, 2, 0),
        .pad_right = at(&a->pads, 3, 0),
        .output_pad_h = at(&a->output_padding, 0, 0),
        .output_pad_w = at(&a->output_padding, 1, 0),
    };
}

enum anole_status anole_convolution_task(struct anole_task *task, struct anole_call *call,
                                         uint32_t kind, uint32_t kernel_at,
                                         struct anole_error *error)
{
    struct anole_convolution *a = call->attributes;
    const struct anole_operand *input = call->inputs[0], *weights = call->inputs[1];
    char shape[128];
    if (input->rank != 4)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "the input has the shape %s; expected [batch, height, width, channels]",
                          anole_operand_shape_text(shape, sizeof shape, input));
    if (weights->dtype != 0) {
        bool fits = weights->rank == (kernel_at ? 4 : 3);
        for (uint32_t i = 0; i < weights->rank && fits; i++)
            fits = weights->dims[i] >= 1;
        for (uint32_t i = 0; i < 2 && fits; i++)
            fits = weights->dims[kernel_at + i] <= ANOLE_TASK_MAX_WINDOW &&
                   (!a->kernel.count || a->kernel.values[i] == weights->dims[kernel_at + i]);
        if (!fits)
            return anole_fail(error, ANOLE_ERR_INPUT,
                              "the weights have the shape %s; expected %s, none 0, and the "
                              "kernel's size as the attribute has it",
                              anole_operand_shape_text(shape, sizeof shape, weights),
                              kernel_at ? "[output channels, height, width, channels of a group]"
                                        : "[height, width, output channels]");
        a->kernel.count = 2;
        memcpy(a->kernel.values, &weights->dims[kernel_at], 2 * sizeof *a->kernel.values);
    }
    if (!a->kernel.count)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "neither weights nor the attribute \"kernel\" say how large the kernel "
                          "is; expected one of them");
    describe(task, input, a, kind);
    return ANOLE_DONE;
}

/* Padding that follows from the input.  The attribute stays as it is: the input's size may
 * change. */
static void set_padding(struct anole_task *task, const struct anole_convolution *a)
{
    if (a->auto_pad == ANOLE_AUTO_PAD_EXPLICIT)
        return;
    task->pad_top = task->pad_left = task->pad_bottom = task->pad_right = 0;
    if (a->auto_pad == ANOLE_AUTO_PAD_VALID || !task->in_h || !task->in_w)
        return;
    bool lower = a->auto_pad == ANOLE_AUTO_PAD_SAME_LOWER;
    pad_same(&task->pad_top, &task->pad_bottom, lower, task->in_h, task->kernel_h, task->stride_h,
             task->dilation_h);
    pad_same(&task->pad_left, &task->pad_right, lower, task->in_w, task->kernel_w, task->stride_w,
             task->dilation_w);
}

enum anole_status anole_convolution_finish(struct anole_task *task, struct anole_call *call,
                                           struct anole_error *error)
{
    set_padding(task, call->attributes);
    return anole_convolution_output(task, call, error);
}

enum anole_status anole_convolution_output(struct anole_task *task, struct anole_call *call,
                                           struct anole_error *error)
{
    enum anole_status status = anole_task_of_call(task, call, error);
    if (status)
        return status;
    call->outputs[0] = (struct anole_operand){
        .dtype = task->dtype,
        .rank = 4,
        .dims = {task->batch, task->out_h, task->out_w, task->out_c},
    };
    return ANOLE_DONE;
}
