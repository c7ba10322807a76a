/* SPDX-License-Identifier: MIT
 *
 * The canonical text of a task, there and back.
 */
#include "base/text.h"
#include "op/task.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------------- writing */

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

void anole_task_key(char *key, const struct anole_task *t)
{
    int at = 0;
    if (t->kind == ANOLE_TASK_CUSTOM) {
        write_custom(key, t);
        return;
    }
    if (t->kind == ANOLE_TASK_DENSE)
        at = snprintf(key, ANOLE_TASK_KEY, "dense n%" PRIu32 " i%" PRIu32, t->batch, t->in_c);
    else
        at = snprintf(key, ANOLE_TASK_KEY,
                      "%s n%" PRIu32 " %" PRIu32 "x%" PRIu32 "x%" PRIu32 " k%" PRIu32 "x%" PRIu32
                      " s%" PRIu32 "x%" PRIu32 " p%" PRIu32 ",%" PRIu32 ",%" PRIu32 ",%" PRIu32
                      " d%" PRIu32 "x%" PRIu32 " g%" PRIu32,
                      anole_task_kind_text(t->kind), t->batch, t->in_h, t->in_w, t->in_c,
                      t->kernel_h, t->kernel_w, t->stride_h, t->stride_w, t->pad_top, t->pad_left,
                      t->pad_bottom, t->pad_right, t->dilation_h, t->dilation_w, t->groups);
    snprintf(key + at, ANOLE_TASK_KEY - (size_t)at, " o%" PRIu32 " %s%s%s%s%s", t->out_c,
             anole_dtype_text(t->dtype), t->flags & ANOLE_TASK_BIAS ? " bias" : "",
             t->flags & ANOLE_TASK_RESIDUAL ? " residual" : "",
             t->activation == ANOLE_ACT_NONE ? "" : " ",
             t->activation == ANOLE_ACT_NONE ? "" : anole_activation_text(t->activation));
}

/* ------------------------------------------------------------------- reading */

/* Each of these moves the cursor past what it expects, or sets it to NULL. */

static void skip(const char **at, const char *literal)
{
    size_t length = strlen(literal);
    if (*at)
        *at = strncmp(*at, literal, length) == 0 ? *at + length : NULL;
}

static bool accept(const char **at, const char *literal)
{
    const char *next = *at;
    skip(&next, literal);
    if (!next || (*next && *next != ' '))
        return false;
    *at = next;
    return true;
}

static void scan(const char **at, const char *before, uint32_t *value)
{
    uint64_t number = 0;
    skip(at, before);
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

static void scan_window(const char **at, struct anole_task *t)
{
    scan(at, " n", &t->batch);
    scan(at, " ", &t->in_h);
    scan(at, "x", &t->in_w);
    scan(at, "x", &t->in_c);
    scan(at, " k", &t->kernel_h);
    scan(at, "x", &t->kernel_w);
    scan(at, " s", &t->stride_h);
    scan(at, "x", &t->stride_w);
    scan(at, " p", &t->pad_top);
    scan(at, ",", &t->pad_left);
    scan(at, ",", &t->pad_bottom);
    scan(at, ",", &t->pad_right);
    scan(at, " d", &t->dilation_h);
    scan(at, "x", &t->dilation_w);
    scan(at, " g", &t->groups);
    scan(at, " o", &t->out_c);
}

static void scan_dense(const char **at, struct anole_task *t)
{
    scan(at, " n", &t->batch);
    scan(at, " i", &t->in_c);
    scan(at, " o", &t->out_c);
    t->in_h = t->in_w = t->out_h = t->out_w = 1;
    t->kernel_h = t->kernel_w = t->stride_h = t->stride_w = 1;
    t->dilation_h = t->dilation_w = t->groups = 1;
}

/* The data type and what is fused: " f32 bias residual relu". */
static void scan_tail(const char **at, struct anole_task *t)
{
    if (!*at)
        return;
    if (accept(at, " f16"))
        t->dtype = ANOLE_F16;
    else if (accept(at, " tf32"))
        t->dtype = ANOLE_TF32;
    else
        skip(at, " f32");
    if (!*at || t->kind == ANOLE_TASK_CUSTOM)
        return;
    if (accept(at, " bias"))
        t->flags |= ANOLE_TASK_BIAS;
    if (accept(at, " residual"))
        t->flags |= ANOLE_TASK_RESIDUAL;
    if (accept(at, " relu"))
        t->activation = ANOLE_ACT_RELU;
    else if (accept(at, " relu6"))
        t->activation = ANOLE_ACT_RELU6;
}

static bool scan_task(struct anole_task *task, const char *key)
{
    const char *at = key;
    if (accept(&at, "conv2d"))
        task->kind = ANOLE_TASK_CONV2D;
    else if (accept(&at, "depthwise_conv2d"))
        task->kind = ANOLE_TASK_DEPTHWISE_CONV2D;
    else if (accept(&at, "dense"))
        task->kind = ANOLE_TASK_DENSE;
    else if (accept(&at, "custom"))
        task->kind = ANOLE_TASK_CUSTOM;
    else
        return false;
    if (task->kind == ANOLE_TASK_DENSE)
        scan_dense(&at, task);
    else if (task->kind == ANOLE_TASK_CUSTOM) {
        skip(&at, " ");
        scan_name(&at, task);
    } else
        scan_window(&at, task);
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
