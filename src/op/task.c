/* SPDX-License-Identifier: MIT */
#include "op/task.h"

#include "base/text.h"
#include "op/activation.h"
#include "op/op.h"
#include "op/task_ops.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ELEMENTS_END ANOLE_TASK_ELEMENTS_END

const struct anole_task_ops *anole_task_ops_of(uint32_t kind)
{
    const struct anole_op *op;
    for (size_t i = 0; (op = anole_op_at(i)); i++)
        if (op->task_ops && op->task_ops->kind == kind)
            return op->task_ops;
    return NULL;
}

/* --------------------------------------------------------------------- words */

const char *anole_task_kind_text(uint32_t kind)
{
    const struct anole_task_ops *ops = anole_task_ops_of(kind);
    return ops ? ops->name : kind == ANOLE_TASK_CUSTOM ? "custom" : "unknown";
}

/* "conv2d (1), ..., and custom (4)": all kinds. */
static const char *kinds_text(char *out, size_t size)
{
    const struct anole_op *op;
    size_t length = 0;
    out[0] = 0;
    for (size_t i = 0; (op = anole_op_at(i)) && length < size; i++)
        if (op->task_ops)
            length += (size_t)snprintf(out + length, size - length, "%s (%" PRIu32 "), ",
                                       op->task_ops->name, op->task_ops->kind);
    if (length < size)
        snprintf(out + length, size - length, "or custom (%d)", ANOLE_TASK_CUSTOM);
    return out;
}

static const char *const dtypes[] = {
#define X(name, value, text, bytes, kind) [value] = text,
    ANOLE_DTYPE_MAP(X)
#undef X
};

const char *anole_dtype_text(uint32_t dtype)
{
    return dtype >= 1 && dtype < sizeof dtypes / sizeof *dtypes ? dtypes[dtype] : "unknown";
}

/* In what precision a network may be asked for. */
static const struct {
    uint32_t dtype;
    const char *text;
} precisions[] = {{ANOLE_F32, "fp32"}, {ANOLE_F16, "fp16"}, {ANOLE_TF32, "tf32"}};

#define PRECISIONS (sizeof precisions / sizeof *precisions)

const char *anole_precision_text(uint32_t dtype)
{
    for (size_t i = 0; i < PRECISIONS; i++)
        if (precisions[i].dtype == dtype)
            return precisions[i].text;
    return "unknown";
}

uint32_t anole_precision_parse(const char *text)
{
    for (size_t i = 0; i < PRECISIONS; i++)
        if (strcmp(precisions[i].text, text) == 0)
            return precisions[i].dtype;
    return 0;
}

const char *anole_task_label(char *out, size_t size, const struct anole_task *task)
{
    const struct anole_task_ops *ops = anole_task_ops_of(task->kind);
    struct anole_text text = {0};
    if (ops) {
        ops->label(&text, task);
    } else {
        anole_text_printf(&text, "custom ");
        anole_text_append_printable(&text, task->name, strnlen(task->name, sizeof task->name));
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

enum anole_status anole_task_infer_output(struct anole_task *task, struct anole_error *error)
{
    const struct anole_task_ops *ops = anole_task_ops_of(task->kind);
    if (!ops)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "a task of kind %s has no shape; expected one of a network's layers",
                          anole_task_kind_text(task->kind));
    return ops->infer_output(task, error);
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
    char kinds[256];
    if (!ops && task->kind != ANOLE_TASK_CUSTOM)
        return anole_fail(error, ANOLE_ERR_INPUT, "a task's kind is %" PRIu32 "; expected %s",
                          task->kind, kinds_text(kinds, sizeof kinds));
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

enum anole_status anole_task_check(const struct anole_task *task, struct anole_error *error)
{
    const uint32_t most = (uint32_t)(ELEMENTS_END - 1);
    const struct anole_task_ops *ops = anole_task_ops_of(task->kind);
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
        return check_custom(task, error);
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

/* ------------------------------------------------------------------ keys: writing */

static bool is_plain(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.' || c == '/';
}

/* A custom task's name is whatever a backend likes: %XX for what is not plain. */
static void write_custom(char *key, const struct anole_task *task)
{
    int at = snprintf(key, ANOLE_TASK_KEY, "custom ");
    for (size_t i = 0; i < sizeof task->name && task->name[i]; i++)
        at += snprintf(key + at, ANOLE_TASK_KEY - (size_t)at,
                       is_plain(task->name[i]) ? "%c" : "%%%02X", (unsigned char)task->name[i]);
    snprintf(key + at, ANOLE_TASK_KEY - (size_t)at, " %s", anole_dtype_text(task->dtype));
}

static void append(char *key, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void append(char *key, const char *format, ...)
{
    size_t length = strlen(key);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(key + length, ANOLE_TASK_KEY - length, format, arguments);
    va_end(arguments);
}

void anole_task_key(char *key, const struct anole_task *t)
{
    const struct anole_task_ops *ops = anole_task_ops_of(t->kind);
    if (!ops) {
        write_custom(key, t);
        return;
    }
    size_t length = (size_t)snprintf(key, ANOLE_TASK_KEY, "%s", ops->name);
    ops->write_key(key + length, ANOLE_TASK_KEY - length, t);
    append(key, " %s%s%s", anole_dtype_text(t->dtype), t->flags & ANOLE_TASK_BIAS ? " bias" : "",
           t->flags & ANOLE_TASK_RESIDUAL ? " residual" : "");
    if (t->activation != ANOLE_ACT_NONE)
        append(key, " %s", anole_activation_text(t->activation));
    uint32_t parameters = anole_activation_parameters(t->activation);
    if (parameters > 0)
        append(key, "(%.9g", (double)t->alpha);
    if (parameters > 1)
        append(key, ",%.9g", (double)t->beta);
    if (parameters > 0)
        append(key, ")");
    if (t->in_pitch || t->out_pitch || t->residual_pitch)
        append(key, " pitch%" PRIu32 ",%" PRIu32 ",%" PRIu32, t->in_pitch, t->out_pitch,
               t->residual_pitch);
}

/* ------------------------------------------------------------------ keys: reading */

/* Each of these moves the cursor past what it expects, or sets it to NULL. */

void anole_key_skip(const char **at, const char *literal)
{
    size_t length = strlen(literal);
    if (*at)
        *at = strncmp(*at, literal, length) == 0 ? *at + length : NULL;
}

static bool accept(const char **at, const char *literal)
{
    const char *next = *at;
    anole_key_skip(&next, literal);
    if (!next || (*next && *next != ' '))
        return false;
    *at = next;
    return true;
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

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static void scan_name(const char **at, struct anole_task *task)
{
    const char *s = *at;
    size_t length = 0;
    while (s && *s && *s != ' ' && length + 1 < sizeof task->name) {
        if (*s != '%') {
            task->name[length++] = *s++;
            continue;
        }
        int high = hex_digit(s[1]), low = high < 0 ? -1 : hex_digit(s[2]);
        if (low >= 0)
            task->name[length++] = (char)(high * 16 + low);
        s = low >= 0 ? s + 3 : NULL;
    }
    *at = s && length ? s : NULL;
}

/* The word up to a space, a parenthesis or the end. */
static void scan_word(char *word, size_t size, const char *at)
{
    size_t length = strcspn(at, " (");
    snprintf(word, size, "%.*s", (int)(length < size ? length : size - 1), at);
}

static void scan_real(const char **at, const char *before, float *value)
{
    char *end;
    anole_key_skip(at, before);
    if (!*at || isspace((unsigned char)**at))
        return;
    *value = strtof(*at, &end);
    *at = end > *at ? end : NULL;
}

static void scan_activation(const char **at, struct anole_task *t)
{
    char word[32];
    if (**at != ' ')
        return;
    scan_word(word, sizeof word, *at + 1);
    if (!anole_activation_find(&t->activation, word))
        return;
    *at += 1 + strlen(word);
    uint32_t parameters = anole_activation_parameters(t->activation);
    if (parameters > 0)
        scan_real(at, "(", &t->alpha);
    if (parameters > 1)
        scan_real(at, ",", &t->beta);
    if (parameters > 0)
        anole_key_skip(at, ")");
}

/* The data type and what is fused: " f32 bias residual relu". */
static void scan_tail(const char **at, struct anole_task *t)
{
    char word[32];
    if (!*at || **at != ' ') {
        *at = NULL;
        return;
    }
    scan_word(word, sizeof word, *at + 1);
    t->dtype = 0;
    for (uint32_t i = 1; i < sizeof dtypes / sizeof *dtypes; i++)
        if (strcmp(dtypes[i], word) == 0)
            t->dtype = i;
    *at = t->dtype ? *at + 1 + strlen(word) : NULL;
    if (!*at || t->kind == ANOLE_TASK_CUSTOM)
        return;
    if (accept(at, " bias"))
        t->flags |= ANOLE_TASK_BIAS;
    if (accept(at, " residual"))
        t->flags |= ANOLE_TASK_RESIDUAL;
    scan_activation(at, t);
    if (*at && **at) {
        anole_key_scan(at, " pitch", &t->in_pitch);
        anole_key_scan(at, ",", &t->out_pitch);
        anole_key_scan(at, ",", &t->residual_pitch);
    }
}

static bool scan_task(struct anole_task *task, const char *key)
{
    const char *at = key;
    const struct anole_op *op;
    for (size_t i = 0; (op = anole_op_at(i)); i++) {
        if (op->task_ops && accept(&at, op->task_ops->name)) {
            task->kind = op->task_ops->kind;
            op->task_ops->scan_key(&at, task);
            scan_tail(&at, task);
            return at && !*at;
        }
    }
    if (!accept(&at, "custom"))
        return false;
    task->kind = ANOLE_TASK_CUSTOM;
    anole_key_skip(&at, " ");
    scan_name(&at, task);
    scan_tail(&at, task);
    return at && !*at;
}

enum anole_status anole_task_parse_key(struct anole_task *task, const char *key,
                                       struct anole_error *error)
{
    struct anole_task parsed = {.size = sizeof parsed, .dtype = ANOLE_F32};
    char again[ANOLE_TASK_KEY], shown[160];
    anole_text_printable(shown, sizeof shown, key);
    bool scanned = strnlen(key, ANOLE_TASK_KEY) < ANOLE_TASK_KEY && scan_task(&parsed, key);
    /* Written again it must be the same: leading zeros, say, are refused. */
    if (scanned)
        anole_task_key(again, &parsed);
    if (!scanned || strcmp(again, key) != 0)
        return anole_fail(
            error, ANOLE_ERR_INPUT,
            "\"%s\" is no task; expected, for example, \"conv2d n1 56x56x64 k3x3 s1x1 "
            "p1,1,1,1 d1x1 g1 o64 f32 bias relu\" or \"dense n1 i512 o1000 f32 bias\"",
            shown);
    enum anole_status status = ANOLE_DONE;
    if (parsed.kind != ANOLE_TASK_CUSTOM)
        status = anole_task_infer_output(&parsed, error);
    if (!status)
        status = anole_task_check(&parsed, error);
    if (status) {
        anole_error_prefix(error, "task \"%s\"", shown);
        return status;
    }
    *task = parsed;
    return ANOLE_DONE;
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
    const struct anole_task_ops *ops = anole_task_ops_of(task->kind);
    return ops ? ops->reduction(task) : 0;
}

uint32_t anole_task_weights(uint32_t dims[4], const struct anole_task *task)
{
    const struct anole_task_ops *ops = anole_task_ops_of(task->kind);
    return ops ? ops->weights(dims, task) : 0;
}

size_t anole_task_weight_elements(const struct anole_task *task)
{
    uint32_t dims[4] = {0}, rank = anole_task_weights(dims, task);
    size_t elements = rank > 0;
    for (uint32_t i = 0; i < rank; i++)
        elements *= dims[i];
    return elements;
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

double anole_task_flops(const struct anole_task *task)
{
    if (task->custom)
        return task->custom->operations;
    const struct anole_task_ops *ops = anole_task_ops_of(task->kind);
    if (ops && ops->flops)
        return ops->flops(task);
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
