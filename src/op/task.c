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

const char *anole_task_element_text(char *out, size_t size, const struct anole_task *task,
                                    size_t at)
{
    const struct anole_task_ops *ops = anole_task_ops_of(task->kind);
    uint32_t dims[4] = {task->batch, task->out_h, task->out_w, task->out_c}, rank = 4;
    size_t stride = 1, length = 0;
    if (ops && ops->output)
        rank = ops->output(dims, task);
    for (uint32_t d = 1; d < rank; d++)
        stride *= dims[d];
    out[0] = 0;
    for (uint32_t d = 0; d < rank && length < size; d++) {
        length += (size_t)snprintf(out + length, size - length, "[%zu]", at / stride);
        at %= stride;
        if (d + 1 < rank)
            stride /= dims[d + 1];
    }
    return out;
}

/* -------------------------------------------------------------------- checks */

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

enum anole_status anole_task_check(const struct anole_task *task, struct anole_error *error)
{
    const struct anole_task_ops *ops = anole_task_ops_of(task->kind);
    char kinds[256];
    if (task->size == sizeof *task && !ops && task->kind != ANOLE_TASK_CUSTOM)
        return anole_fail(error, ANOLE_ERR_INPUT, "a task's kind is %" PRIu32 "; expected %s",
                          task->kind, kinds_text(kinds, sizeof kinds));
    enum anole_status status = anole_task_check_fields(task, ops, error);
    return status || ops ? status : check_custom(task, error);
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

static bool accept(const char **at, const char *literal)
{
    const char *next = *at;
    anole_key_skip(&next, literal);
    if (!next || (*next && *next != ' '))
        return false;
    *at = next;
    return true;
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
    for (uint32_t i = 1; anole_dtype_bytes(i) > 0; i++)
        if (strcmp(anole_dtype_text(i), word) == 0)
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

size_t anole_task_parameter_elements(const struct anole_task *task)
{
    const struct anole_task_ops *ops = anole_task_ops_of(task->kind);
    return (ops && !ops->dynamic ? anole_task_weight_elements(task) : 0) +
           anole_task_bias_elements(task);
}

bool anole_task_strip(struct anole_task *task)
{
    const bool any = task->activation != ANOLE_ACT_NONE || task->flags & ANOLE_TASK_RESIDUAL;
    task->activation = ANOLE_ACT_NONE;
    task->alpha = task->beta = 0;
    task->flags &= ~(uint32_t)ANOLE_TASK_RESIDUAL;
    return any;
}

double anole_task_flops(const struct anole_task *task)
{
    if (task->custom)
        return task->custom->operations;
    const struct anole_task_ops *ops = anole_task_ops_of(task->kind);
    return ops ? anole_task_ops_flops(ops, task) : 0;
}

double anole_task_bytes(const struct anole_task *task)
{
    double elements =
        (double)anole_task_input_elements(task) + (double)anole_task_weight_elements(task) +
        (double)anole_task_bias_elements(task) + (double)anole_task_residual_elements(task) +
        (double)anole_task_output_elements(task);
    return elements * (double)anole_task_element_bytes(task);
}
