/* SPDX-License-Identifier: MIT
 *
 * What can be said of a task without knowing all kinds: the files of operators use this, and
 * the table of operators knows them.
 */
#include "op/activation.h"
#include "op/op.h"
#include "op/task_ops.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#define ELEMENTS_END ANOLE_TASK_ELEMENTS_END

/* -------------------------------------------------------------------- checks */

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

static enum anole_status check_tensors(const struct anole_task *task,
                                       const struct anole_task_ops *ops, struct anole_error *error)
{
    uint32_t dims[4] = {1, 1, 1, 1};
    for (uint32_t rank = ops->weights(dims, task); rank < 4; rank++)
        dims[rank] = 1;
    enum anole_status status =
        check_elements("input", task->batch, task->in_h, task->in_w, task->in_c, error);
    if (!status)
        status =
            check_elements("output", task->batch, task->out_h, task->out_w, task->out_c, error);
    if (!status)
        status = check_elements("weight tensor", dims[0], dims[1], dims[2], dims[3], error);
    return status;
}

/* What came with a later version of the struct. */
static enum anole_status check_later(const struct anole_task *task,
                                     const struct anole_task_ops *ops, struct anole_error *error)
{
    const struct {
        const char *what;
        uint32_t pitch, channels;
        bool there;
    } pitches[] = {
        {"input", task->in_pitch, task->in_c, true},
        {"output", task->out_pitch, task->out_c, true},
        {"residual", task->residual_pitch, task->out_c, task->flags & ANOLE_TASK_RESIDUAL}};
    if (!ops->output_pad && (task->output_pad_h || task->output_pad_w))
        return anole_fail(error, ANOLE_ERR_INPUT, "a %s task has output padding; expected none",
                          ops->name);
    for (size_t i = 0; i < sizeof pitches / sizeof *pitches; i++)
        if (pitches[i].pitch && (!pitches[i].there || pitches[i].pitch <= pitches[i].channels ||
                                 pitches[i].pitch >= ELEMENTS_END))
            return anole_fail(error, ANOLE_ERR_INPUT,
                              "the pitch of the %s is %" PRIu32
                              "; expected 0, or more than its %" PRIu32 " channels",
                              pitches[i].what, pitches[i].pitch,
                              pitches[i].there ? pitches[i].channels : 0);
    return ANOLE_DONE;
}

/* The fields that each kind has. */
static enum anole_status check_words(const struct anole_task *task,
                                     const struct anole_task_ops *ops, struct anole_error *error)
{
    const uint32_t flags = ops ? ops->flags : ANOLE_TASK_BIAS | ANOLE_TASK_RESIDUAL;
    const struct anole_activate activate = {task->activation, task->alpha, task->beta};
    if (task->dtype < ANOLE_F32 || task->dtype > ANOLE_TF32)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "a task's data type is %" PRIu32
                          "; expected f32 (1), f16 (2) or tf32 (3)",
                          task->dtype);
    enum anole_status status = anole_activation_check(&activate, error);
    if (status)
        return status;
    if ((task->flags & ~flags) || task->reserved || task->reserved2)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "a task has unknown flags (%#" PRIx32
                          "); expected bias (1), residual (2) "
                          "or both",
                          task->flags);
    return ANOLE_DONE;
}

enum anole_status anole_task_check_fields(const struct anole_task *task,
                                          const struct anole_task_ops *ops,
                                          struct anole_error *error)
{
    const uint32_t most = (uint32_t)(ELEMENTS_END - 1);
    if (task->size != sizeof *task)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "a task's size is %" PRIu32
                          " bytes; expected %zu: it was made by another "
                          "version",
                          task->size, sizeof *task);
    enum anole_status status = check_words(task, ops, error);
    if (status)
        return status;
    if (!ops)
        return ANOLE_DONE;
    if (task->name[0] || task->custom)
        return anole_fail(error, ANOLE_ERR_INPUT, "a %s task has a %s; expected none", ops->name,
                          task->name[0] ? "name" : "kernel");
    status = check_range("batch", task->batch, 1, most, error);
    if (!status)
        status = check_range("number of input channels", task->in_c, 1, most, error);
    if (!status)
        status = check_range("number of output channels", task->out_c, 1, most, error);
    if (!status)
        status = ops->check(task, error);
    if (status)
        return status;
    struct anole_task again = *task;
    status = ops->infer_output(&again, error);
    if (status)
        return status;
    if (again.out_h != task->out_h || again.out_w != task->out_w)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "the output is %" PRIu32 "x%" PRIu32 "; expected %" PRIu32 "x%" PRIu32
                          ", which input, kernel, stride, padding and dilation give",
                          task->out_h, task->out_w, again.out_h, again.out_w);
    status = check_later(task, ops, error);
    return status ? status : check_tensors(task, ops, error);
}

/* ---------------------------------------------------------------------- keys */

void anole_key_skip(const char **at, const char *literal)
{
    size_t length = strlen(literal);
    if (*at)
        *at = strncmp(*at, literal, length) == 0 ? *at + length : NULL;
}

void anole_key_scan(const char **at, const char *before, uint32_t *value)
{
    uint64_t number = 0;
    anole_key_skip(at, before);
    if (!*at)
        return;
    const char *s = *at;
    for (; isdigit((unsigned char)*s) && number <= UINT32_MAX; s++)
        number = number * 10 + (uint64_t)(*s - '0');
    *at = s > *at && number <= UINT32_MAX ? s : NULL;
    *value = (uint32_t)number;
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
    return task->custom ? sizeof(float) : anole_dtype_bytes(task->dtype);
}

double anole_task_ops_flops(const struct anole_task_ops *ops, const struct anole_task *task)
{
    if (ops->flops)
        return ops->flops(task);
    return 2.0 * (double)anole_task_output_elements(task) * (double)ops->reduction(task);
}
