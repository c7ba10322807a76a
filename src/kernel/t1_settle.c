/* SPDX-License-Identifier: MIT
 *
 * From values and conditions as a file has them to those of a design space, which
 * knows integers alone.
 */
#include "kernel/t1_private.h"

#include "base/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHOLE 0x1p53 /* beyond, not every integer is a double */
#define MAX_TEXTS ((size_t)ANOLE_MAX_KNOBS * ANOLE_MAX_KNOB_VALUES)

/* -------------------------------------------------------------------- values */

static int by_number(const void *a, const void *b)
{
    double x = ((const struct anole_t1_value *)a)->number;
    double y = ((const struct anole_t1_value *)b)->number;
    return (x > y) - (x < y);
}

/* Copies numbers in ascending order, texts as they come, each once. */
static enum anole_status copy_distinct(struct anole_t1_value *items, size_t *count, bool texts,
                                       const struct anole_t1_list *list)
{
    size_t kept = 0;
    memcpy(items, list->items, list->count * sizeof *items);
    if (!texts)
        qsort(items, list->count, sizeof *items, by_number);
    for (size_t i = 0; i < list->count; i++) {
        bool known = false;
        if (texts)
            for (size_t j = 0; j < kept && !known; j++)
                known = strcmp(items[j].text, items[i].text) == 0;
        else
            known = kept > 0 && items[kept - 1].number == items[i].number;
        if (!known)
            items[kept++] = items[i];
    }
    *count = kept;
    return ANOLE_DONE;
}

/* The least power of ten that makes all of them integers, such that dividing gives
 * the very same numbers back; 0 if there is none. */
static double find_scale(const struct anole_t1_value *items, size_t count)
{
    double scale = 1;
    for (int digits = 0; digits <= 15; digits++, scale *= 10) {
        size_t i = 0;
        while (i < count) {
            double times = nearbyint(items[i].number * scale);
            if (fabs(times) >= WHOLE || times / scale != items[i].number)
                break;
            i++;
        }
        if (i == count)
            return scale;
    }
    return 0;
}

/* The shortest text that reads as the same number. */
static char *number_label(double number)
{
    char text[40];
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g",
                 number == floor(number) && fabs(number) < WHOLE ? 17 : digits, number);
        if (strtod(text, NULL) == number)
            break;
    }
    return strdup(text);
}

static enum anole_status check_items(const struct anole_t1_list *list, bool *texts,
                                     struct anole_error *error)
{
    if (list->count == 0)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "expected at least one value, found an empty list");
    *texts = list->items[0].text;
    for (size_t i = 0; i < list->count; i++) {
        if (!!list->items[i].text != *texts)
            return anole_fail(error, ANOLE_ERR_INPUT,
                              "expected numbers alone or texts alone, found both");
        if (!*texts && !isfinite(list->items[i].number))
            return anole_fail(error, ANOLE_ERR_INPUT, "expected finite numbers");
    }
    return ANOLE_DONE;
}

static enum anole_status fill(struct anole_t1 *t1, struct anole_t1_parameter *parameter,
                              const struct anole_t1_value *items, bool texts,
                              struct anole_error *error)
{
    for (size_t i = 0; i < parameter->count; i++) {
        parameter->labels[i] = texts ? strdup(items[i].text) : number_label(items[i].number);
        if (!parameter->labels[i])
            return anole_fail_memory(error);
        if (texts) {
            parameter->values[i] = anole_t1_text_number(t1, items[i].text);
            if (parameter->values[i] < 0)
                return anole_fail_memory(error);
            continue;
        }
        parameter->numbers[i] = items[i].number;
        parameter->values[i] = parameter->scale > 0
                                   ? (int64_t)nearbyint(items[i].number * parameter->scale)
                                   : (int64_t)i;
    }
    return ANOLE_DONE;
}

enum anole_status anole_t1_settle(struct anole_t1 *t1, struct anole_t1_parameter *parameter,
                                  const struct anole_t1_list *list, struct anole_error *error)
{
    bool texts = false;
    size_t count;
    enum anole_status status = check_items(list, &texts, error);
    if (status != ANOLE_DONE)
        return status;
    struct anole_t1_value *items = calloc(list->count, sizeof *items);
    if (!items)
        return anole_fail_memory(error);
    copy_distinct(items, &count, texts, list);
    parameter->count = (uint32_t)count;
    parameter->scale = texts ? 1 : find_scale(items, count);
    parameter->kind = texts                   ? ANOLE_T1_TEXT
                      : parameter->scale == 1 ? ANOLE_T1_WHOLE
                                              : ANOLE_T1_FRACTION;
    parameter->values = calloc(count, sizeof *parameter->values);
    parameter->labels = calloc(count, sizeof *parameter->labels);
    parameter->numbers = texts ? NULL : calloc(count, sizeof *parameter->numbers);
    if (!parameter->values || !parameter->labels || (!texts && !parameter->numbers))
        status = anole_fail_memory(error);
    else
        status = fill(t1, parameter, items, texts, error);
    free(items);
    return status;
}

int64_t anole_t1_text_number(struct anole_t1 *t1, const char *text)
{
    for (size_t i = 0; i < t1->text_count; i++)
        if (strcmp(t1->texts[i], text) == 0)
            return (int64_t)i;
    char **grown = t1->text_count < MAX_TEXTS
                       ? reallocarray(t1->texts, t1->text_count + 1, sizeof *grown)
                       : NULL;
    if (!grown)
        return -1;
    t1->texts = grown;
    t1->texts[t1->text_count] = strdup(text);
    if (!t1->texts[t1->text_count])
        return -1;
    return (int64_t)t1->text_count++;
}

/* ---------------------------------------------------------------- conditions */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t name_length(const char *at)
{
    size_t length = 0;
    while (is_letter(at[length]) || is_digit(at[length]))
        length++;
    return length;
}

static enum anole_status add_name(struct anole_text *out, const struct anole_t1 *t1, const char *at,
                                  size_t length, struct anole_error *error)
{
    for (size_t i = 0; i < t1->parameter_count; i++) {
        const struct anole_t1_parameter *parameter = &t1->parameters[i];
        if (strlen(parameter->name) != length || memcmp(parameter->name, at, length) != 0 ||
            parameter->kind != ANOLE_T1_FRACTION)
            continue;
        if (parameter->scale == 0)
            return anole_fail(error, ANOLE_ERR_INPUT,
                              "the values of '%s' have too many digits to be compared in "
                              "conditions: round them to 15 at most",
                              parameter->name);
        anole_text_printf(out, "(%s / %.0f)", parameter->name, parameter->scale);
        return ANOLE_DONE;
    }
    anole_text_append(out, at, length);
    return ANOLE_DONE;
}

/* A text in quotes, as its number. */
static enum anole_status add_text(struct anole_text *out, struct anole_t1 *t1, const char **at,
                                  struct anole_error *error)
{
    const char *start = *at + 1, *end = strchr(start, **at);
    if (!end)
        return anole_fail(error, ANOLE_ERR_INPUT, "a text in quotes does not end");
    char *text = strndup(start, (size_t)(end - start));
    int64_t number = text ? anole_t1_text_number(t1, text) : -1;
    free(text);
    if (number < 0)
        return anole_fail_memory(error);
    anole_text_printf(out, "%" PRId64, number);
    *at = end + 1;
    return ANOLE_DONE;
}

/* Functions of Python's that expressions do not have, by one that they have: what
 * goes before and behind their arguments.  int() is for numbers that are not negative. */
static const struct {
    const char *name, *before, *behind;
} functions[] = {
    {"floor", "(-ceil_div(-(", "), 1))"},
    {"int", "(-ceil_div(-(", "), 1))"},
    {"ceil", "ceil_div((", "), 1)"},
};
#define FUNCTIONS (sizeof functions / sizeof *functions)
#define MAX_DEPTH 128 /* more than expressions take */

/* What is read, and which brackets end such a function. */
struct translation {
    const char *at;
    struct anole_text out;
    size_t depth;
    unsigned char pending[MAX_DEPTH]; /* by depth: 1 + index of a function; 0: none */
};

/* "ceil(" or "math.ceil(": true if it was one, and is behind us. */
static bool read_function(struct translation *t)
{
    const char *at = strncmp(t->at, "math.", 5) == 0 ? t->at + 5 : t->at;
    size_t length = name_length(at), i = 0;
    const char *open = at + length;
    while (*open == ' ')
        open++;
    while (i < FUNCTIONS &&
           !(strlen(functions[i].name) == length && memcmp(functions[i].name, at, length) == 0))
        i++;
    if (i == FUNCTIONS || *open != '(' || t->depth + 1 >= MAX_DEPTH)
        return false;
    anole_text_printf(&t->out, "%s", functions[i].before);
    t->pending[++t->depth] = (unsigned char)(i + 1);
    t->at = open + 1;
    return true;
}

/* A bracket, or what else is no name: a number goes as a whole, 1e5 has no name in it. */
static void read_other(struct translation *t)
{
    size_t length = name_length(t->at);
    length = length > 0 ? length : 1;
    if (*t->at == '(' && t->depth + 1 < MAX_DEPTH)
        t->pending[++t->depth] = 0;
    if (*t->at == ')' && t->depth > 0 && t->pending[t->depth--] > 0)
        anole_text_printf(&t->out, "%s", functions[t->pending[t->depth + 1] - 1].behind);
    else
        anole_text_append(&t->out, t->at, length);
    t->at += length;
}

enum anole_status anole_t1_translate(char **expression, struct anole_t1 *t1, const char *text,
                                     struct anole_error *error)
{
    struct translation t = {.at = text};
    enum anole_status status = ANOLE_DONE;
    while (*t.at && status == ANOLE_DONE) {
        size_t length = name_length(t.at);
        if (*t.at == '\'' || *t.at == '"') {
            status = add_text(&t.out, t1, &t.at, error);
        } else if (length > 0 && is_letter(*t.at)) {
            if (read_function(&t))
                continue;
            status = add_name(&t.out, t1, t.at, length, error);
            t.at += length;
        } else {
            read_other(&t);
        }
    }
    if (status == ANOLE_DONE && (t.out.failed || !t.out.data))
        status = t.out.failed
                     ? anole_fail_memory(error)
                     : anole_fail(error, ANOLE_ERR_INPUT, "expected an expression, found ''");
    if (status == ANOLE_DONE)
        status = anole_t1_check_texts(t1, text, error);
    if (status == ANOLE_DONE)
        *expression = t.out.data;
    else
        anole_text_fini(&t.out);
    return status;
}
