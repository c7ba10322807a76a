/* SPDX-License-Identifier: MIT
 *
 * The expressions of a kernel's sizes and arguments.
 */
#include "kernel/t1_kernel_private.h"

#include "base/text.h"
#include "space/expression.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* All that an expression may name. */
static size_t all_names(const char **names, const struct anole_t1 *t1)
{
    size_t count = 0;
    for (size_t i = 0; i < t1->parameter_count; i++)
        names[count++] = t1->parameters[i].name;
    for (const char *const *fact = anole_device_fact_names(); *fact; fact++)
        names[count++] = *fact;
    return count;
}

#define MAX_NAMES (ANOLE_MAX_KNOBS + 32)

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static const char *skip_space(const char *at)
{
    while (*at == ' ' || *at == '\t')
        at++;
    return at;
}

/* "ProblemSize[2]": its number.  *end: behind it. */
static enum anole_status put_problem(struct anole_text *out, const char **end,
                                     const struct anole_t1_reader *reader, const char *key,
                                     const char *at)
{
    double number = NAN;
    char *behind = NULL;
    at = skip_space(at);
    unsigned long index = *at == '[' ? strtoul(at + 1, &behind, 10) : 0;
    bool bare = reader->one_size && *at != '['; /* as Kernel Tuner has it then */
    if (!bare && (!behind || behind == at + 1 || *skip_space(behind) != ']'))
        return anole_t1_fail(reader, key, "expected ProblemSize[0], with a number in the brackets");
    const json_t *value =
        index < json_array_size(reader->problem) ? json_array_get(reader->problem, index) : NULL;
    if (json_is_number(value))
        number = json_number_value(value);
    else if (json_is_string(value) &&
             anole_t1_number(&number, json_string_value(value), NULL) != ANOLE_DONE)
        number = NAN;
    const char *text = json_string_value(value);
    if (text && strstr(text, "ProblemSize"))
        return anole_t1_fail(reader, key, "ProblemSize[%lu] speaks of ProblemSize itself", index);
    if (!text && !isfinite(number))
        return anole_t1_fail(reader, key, "there is no number ProblemSize[%lu]", index);
    if (isfinite(number))
        anole_text_printf(out, "%.17g", number);
    else /* over parameters; whole, as Kernel Tuner has it */
        anole_text_printf(out, "int((%s))", text);
    *end = bare ? at : skip_space(behind) + 1;
    return ANOLE_DONE;
}

/* "max(NAME)", of one parameter: the largest of its values.  False: it is not that. */
static bool put_extreme(struct anole_text *out, const char **end, const struct anole_t1 *t1,
                        bool largest, const char *at)
{
    char name[ANOLE_KNOB_NAME];
    size_t length = 0;
    at = skip_space(at);
    if (*at++ != '(')
        return false;
    at = skip_space(at);
    while (is_word(at[length]))
        length++;
    if (length == 0 || length >= sizeof name || *skip_space(at + length) != ')')
        return false;
    memcpy(name, at, length);
    name[length] = '\0';
    size_t index = anole_t1_find(t1, name);
    if (index == SIZE_MAX || !t1->parameters[index].numbers)
        return false;
    const struct anole_t1_parameter *parameter = &t1->parameters[index];
    anole_text_printf(out, "%.17g", parameter->numbers[largest ? parameter->count - 1 : 0]);
    *end = skip_space(at + length) + 1;
    return true;
}

static enum anole_status resolve(char **resolved, const struct anole_t1_reader *reader,
                                 const char *key, const char *text)
{
    struct anole_text out = {.data = NULL};
    enum anole_status status = ANOLE_DONE;
    const char *at = text;
    anole_text_append(&out, "", 0);
    while (*at && status == ANOLE_DONE) {
        size_t length = 0;
        while (is_word(at[length]))
            length++;
        bool least = length == 3 && memcmp(at, "min", 3) == 0;
        bool most = length == 3 && memcmp(at, "max", 3) == 0;
        if (length == 11 && memcmp(at, "ProblemSize", 11) == 0) {
            status = put_problem(&out, &at, reader, key, at + length);
        } else if (!((least || most) && put_extreme(&out, &at, reader->t1, most, at + length))) {
            length = length > 0 ? length : 1;
            anole_text_append(&out, at, length);
            at += length;
        }
    }
    if (status == ANOLE_DONE && (out.failed || !out.data))
        status = anole_fail_memory(reader->error);
    if (status == ANOLE_DONE)
        *resolved = out.data;
    else
        anole_text_fini(&out);
    return status;
}

/* Whether it can be compiled. */
static enum anole_status check(const struct anole_t1_reader *reader, const char *text,
                               struct anole_expression **kept)
{
    const char *names[MAX_NAMES];
    struct anole_expression *expression;
    size_t count = all_names(names, reader->t1);
    enum anole_status status =
        anole_expression_create(&expression, text, names, count, reader->error);
    if (status == ANOLE_DONE && kept)
        *kept = expression;
    else if (status == ANOLE_DONE)
        anole_expression_destroy(expression);
    return status;
}

static enum anole_status placed(enum anole_status status, const struct anole_t1_reader *reader,
                                const char *key)
{
    char file[256];
    if (status == ANOLE_ERR_INPUT && reader->error &&
        !strstr(reader->error->text, ": KernelSpecification"))
        anole_error_prefix(reader->error, "%s: KernelSpecification.%s",
                           anole_text_printable(file, sizeof file, reader->t1->path), key);
    return status;
}

enum anole_status anole_t1_expression_text(char **expression, const struct anole_t1_reader *reader,
                                           const char *key, const char *text)
{
    char *resolved, *translated = NULL;
    enum anole_status status = resolve(&resolved, reader, key, text);
    if (status != ANOLE_DONE)
        return status;
    status = anole_t1_translate(&translated, reader->t1, resolved, reader->error);
    free(resolved);
    if (status == ANOLE_DONE)
        status = check(reader, translated, NULL);
    if (status == ANOLE_DONE)
        *expression = translated;
    else
        free(translated);
    return placed(status, reader, key);
}

enum anole_status anole_t1_expression(char **expression, const struct anole_t1_reader *reader,
                                      const char *key, const json_t *value)
{
    char text[40], found[96];
    if (json_is_string(value))
        return anole_t1_expression_text(expression, reader, key, json_string_value(value));
    if (!json_is_number(value) || !isfinite(json_number_value(value)))
        return anole_t1_fail(reader, key, "expected a number or an expression, found %s",
                             anole_json_found(found, sizeof found, value));
    snprintf(text, sizeof text, "%.17g", json_number_value(value));
    return anole_t1_expression_text(expression, reader, key, text);
}

enum anole_status anole_t1_constant(double *number, const struct anole_t1_reader *reader,
                                    const char *key, const json_t *value)
{
    const struct anole_t1 *t1 = reader->t1;
    char *text;
    int64_t values[MAX_NAMES] = {0};
    struct anole_expression *expression;
    enum anole_status status = anole_t1_expression(&text, reader, key, value);
    if (status != ANOLE_DONE)
        return status;
    status = check(reader, text, &expression);
    free(text);
    if (status != ANOLE_DONE)
        return placed(status, reader, key);
    for (size_t i = 0; i < t1->parameter_count; i++) {
        values[i] = t1->parameters[i].values[0];
        if (t1->parameters[i].count > 1 && anole_expression_uses(expression, i))
            status = anole_t1_fail(reader, key,
                                   "expected the same for every config, but '%s' has %u values: "
                                   "write max(%s) for the largest",
                                   t1->parameters[i].name, t1->parameters[i].count,
                                   t1->parameters[i].name);
    }
    for (size_t i = t1->parameter_count; i < MAX_NAMES; i++)
        if (anole_expression_uses(expression, i))
            status = anole_t1_fail(reader, key, "expected the same for every device");
    if (status == ANOLE_DONE && !anole_expression_evaluate(expression, values, number))
        status = anole_t1_fail(reader, key, "the expression has no value");
    anole_expression_destroy(expression);
    return status;
}
