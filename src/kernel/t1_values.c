/* SPDX-License-Identifier: MIT
 *
 * Lists of values in Python's notation, as far as T1 files use it:
 *
 *   list    = part { "+" part }
 *   part    = "[" items "]" | "(" items ")" | "range(" start, stop, step ")"
 *           | ("list" | "sorted" | "tuple" | "set") "(" list ")"
 *   items   = item { "," item } | item "for" NAME "in" list [ "if" condition ]
 *   item    = a text in quotes | an expression (space/expression.h)
 */
#include "kernel/t1_private.h"

#include "base/text.h"
#include "space/expression.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 16
#define WHOLE 0x1p53 /* beyond, not every integer is a double */

struct reader {
    const char *at;
    struct anole_t1_list *list;
    int depth;
    struct anole_error *error;
};

static enum anole_status read_list(struct reader *reader);

/* ------------------------------------------------------------------ the list */

void anole_t1_list_fini(struct anole_t1_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i].text);
    free(list->items);
    *list = (struct anole_t1_list){.items = NULL};
}

enum anole_status anole_t1_list_add(struct anole_t1_list *list, double number, char *text,
                                    struct anole_error *error)
{
    if (list->count == ANOLE_MAX_KNOB_VALUES) {
        free(text);
        return anole_fail(error, ANOLE_ERR_INPUT, "expected at most %d values, found more",
                          ANOLE_MAX_KNOB_VALUES);
    }
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 16;
        struct anole_t1_value *grown = reallocarray(list->items, capacity, sizeof *grown);
        if (!grown) {
            free(text);
            return anole_fail_memory(error);
        }
        list->items = grown;
        list->capacity = capacity;
    }
    list->items[list->count++] = (struct anole_t1_value){.number = number, .text = text};
    return ANOLE_DONE;
}

/* ------------------------------------------------------------------ scanning */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_name_part(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9');
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *skip_space(const char *at)
{
    while (is_space(*at))
        at++;
    return at;
}

/* Behind the text in quotes that begins here; NULL if it does not end. */
static const char *skip_quoted(const char *at)
{
    char quote = *at++;
    while (*at && *at != quote)
        at += *at == '\\' && at[1] ? 2 : 1;
    return *at ? at + 1 : NULL;
}

/* The end of what stands here on this level of brackets: the next `stop`, or
 * `word`, or closing bracket, or the end.  NULL if quotes are left open. */
static const char *find_end(const char *at, char stop, const char *word)
{
    int open = 0;
    size_t length = word ? strlen(word) : 0;
    while (*at) {
        if (*at == '\'' || *at == '"') {
            at = skip_quoted(at);
            if (!at)
                return NULL;
            continue;
        }
        if (is_name_part(*at)) {
            const char *start = at;
            while (is_name_part(*at))
                at++;
            if (open == 0 && word && (size_t)(at - start) == length &&
                memcmp(start, word, length) == 0)
                return start;
            continue;
        }
        if (open == 0 && (*at == stop || *at == ')' || *at == ']' || *at == '}'))
            return at;
        open += (*at == '(' || *at == '[' || *at == '{') - (*at == ')' || *at == ']' || *at == '}');
        at++;
    }
    return at;
}

static enum anole_status fail_here(const struct reader *reader, const char *expected)
{
    char around[32], shown[80];
    snprintf(around, sizeof around, "%.24s", reader->at);
    if (!*reader->at)
        return anole_fail(reader->error, ANOLE_ERR_INPUT, "expected %s, found the end", expected);
    return anole_fail(reader->error, ANOLE_ERR_INPUT, "expected %s, found '%s'", expected,
                      anole_text_printable(shown, sizeof shown, around));
}

/* -------------------------------------------------------------------- values */

/* What `length` bytes of expression are worth; `name` (or NULL) stands for
 * `value`. */
static enum anole_status evaluate(double *result, const char *text, size_t length, const char *name,
                                  int64_t value, struct anole_error *error)
{
    struct anole_expression *expression;
    char shown[80], *copy = strndup(text, length);
    if (!copy)
        return anole_fail_memory(error);
    enum anole_status status =
        anole_expression_create(&expression, copy, &name, name ? 1 : 0, error);
    if (status == ANOLE_DONE) {
        if (!anole_expression_evaluate(expression, &value, result))
            status = anole_fail(error, ANOLE_ERR_INPUT, "'%s' has no value",
                                anole_text_printable(shown, sizeof shown, copy));
        anole_expression_destroy(expression);
    }
    free(copy);
    return status;
}

enum anole_status anole_t1_number(double *number, const char *text, struct anole_error *error)
{
    return evaluate(number, text, strlen(text), NULL, 0, error);
}

static enum anole_status add_quoted(struct reader *reader, const char *end)
{
    const char *at = reader->at + 1;
    char *text = malloc((size_t)(end - at)), *to = text;
    if (!text)
        return anole_fail_memory(reader->error);
    for (; at < end - 1; at++) {
        if (*at == '\\' && at < end - 2)
            at++;
        *to++ = *at;
    }
    *to = '\0';
    return anole_t1_list_add(reader->list, NAN, text, reader->error);
}

/* One item, which ends at `end`. */
static enum anole_status read_item(struct reader *reader, const char *end)
{
    double number;
    if (*reader->at == '\'' || *reader->at == '"') {
        const char *behind = skip_quoted(reader->at);
        if (!behind || skip_space(behind) != end)
            return fail_here(reader, "one text in quotes, then a comma");
        enum anole_status status = add_quoted(reader, behind);
        reader->at = end;
        return status;
    }
    enum anole_status status =
        evaluate(&number, reader->at, (size_t)(end - reader->at), NULL, 0, reader->error);
    reader->at = end;
    return status != ANOLE_DONE ? status
                                : anole_t1_list_add(reader->list, number, NULL, reader->error);
}

static enum anole_status read_items(struct reader *reader, char close)
{
    for (;;) {
        reader->at = skip_space(reader->at);
        if (*reader->at == close)
            return ANOLE_DONE;
        const char *end = find_end(reader->at, ',', NULL);
        if (!end)
            return fail_here(reader, "a closing quote");
        if (end == reader->at)
            return fail_here(reader, "a value");
        enum anole_status status = read_item(reader, end);
        if (status != ANOLE_DONE)
            return status;
        if (*reader->at == ',')
            reader->at++;
        else if (*reader->at != close)
            return fail_here(reader, close == ']' ? "',' or ']'" : "',' or ')'");
    }
}

/* ----------------------------------------------------------- comprehensions */

/* "item for NAME in list [if condition]" */
struct comprehension {
    const char *item, *condition; /* condition: NULL if there is none */
    size_t item_length, condition_length;
    char name[32];
};

static enum anole_status read_variable(struct reader *reader, struct comprehension *made)
{
    reader->at = skip_space(reader->at);
    size_t length = 0;
    while (is_name_part(reader->at[length]))
        length++;
    if (!is_letter(*reader->at) || length >= sizeof made->name)
        return fail_here(reader, "the name of a variable behind 'for'");
    memcpy(made->name, reader->at, length);
    made->name[length] = '\0';
    reader->at = skip_space(reader->at + length);
    if (strncmp(reader->at, "in", 2) != 0 || is_name_part(reader->at[2]))
        return fail_here(reader, "'in'");
    reader->at += 2;
    return ANOLE_DONE;
}

static enum anole_status fill(struct reader *reader, const struct comprehension *made,
                              const struct anole_t1_list *range)
{
    for (size_t i = 0; i < range->count; i++) {
        double number = range->items[i].number, kept = 1;
        if (range->items[i].text || number != floor(number) || fabs(number) > WHOLE)
            return anole_fail(reader->error, ANOLE_ERR_INPUT,
                              "expected whole numbers behind 'in', found something else");
        enum anole_status status = ANOLE_DONE;
        if (made->condition)
            status = evaluate(&kept, made->condition, made->condition_length, made->name,
                              (int64_t)number, reader->error);
        if (status == ANOLE_DONE && kept != 0)
            status = evaluate(&number, made->item, made->item_length, made->name, (int64_t)number,
                              reader->error);
        if (status == ANOLE_DONE && kept != 0)
            status = anole_t1_list_add(reader->list, number, NULL, reader->error);
        if (status != ANOLE_DONE)
            return status;
    }
    return ANOLE_DONE;
}

/* `word` is where its "for" stands. */
static enum anole_status read_comprehension(struct reader *reader, const char *word)
{
    struct anole_t1_list range = {.items = NULL}, *outer = reader->list;
    struct comprehension made = {.item = reader->at, .item_length = (size_t)(word - reader->at)};
    reader->at = word + 3;
    enum anole_status status = read_variable(reader, &made);
    if (status != ANOLE_DONE)
        return status;
    reader->list = &range;
    status = read_list(reader);
    reader->list = outer;
    if (status == ANOLE_DONE && strncmp(reader->at, "if", 2) == 0 && !is_name_part(reader->at[2])) {
        made.condition = reader->at += 2;
        const char *end = find_end(reader->at, ',', "for");
        if (!end)
            status = fail_here(reader, "a closing quote");
        else
            reader->at = end;
        made.condition_length = end ? (size_t)(end - made.condition) : 0;
    }
    if (status == ANOLE_DONE)
        status = fill(reader, &made, &range);
    anole_t1_list_fini(&range);
    return status;
}

/* --------------------------------------------------------------------- parts */

static enum anole_status read_range(struct reader *reader)
{
    double bounds[3] = {0, 0, 1};
    struct anole_t1_list arguments = {.items = NULL}, *outer = reader->list;
    reader->list = &arguments;
    enum anole_status status = read_items(reader, ')');
    reader->list = outer;
    size_t count = arguments.count;
    for (size_t i = 0; status == ANOLE_DONE && i < count && i < 3; i++) {
        double number = arguments.items[i].number;
        if (arguments.items[i].text || number != floor(number) || fabs(number) > WHOLE)
            status = anole_fail(reader->error, ANOLE_ERR_INPUT,
                                "range() takes whole numbers, found something else");
        bounds[count == 1 ? 1 : i] = number;
    }
    anole_t1_list_fini(&arguments);
    if (status == ANOLE_DONE && (count < 1 || count > 3 || bounds[2] == 0))
        status = anole_fail(reader->error, ANOLE_ERR_INPUT,
                            "range() takes one to three whole numbers, the last of them not 0");
    for (double at = bounds[0];
         status == ANOLE_DONE && (bounds[2] > 0 ? at < bounds[1] : at > bounds[1]); at += bounds[2])
        status = anole_t1_list_add(reader->list, at, NULL, reader->error);
    return status;
}

/* What stands in brackets, of which the first is behind us. */
static enum anole_status read_bracket(struct reader *reader, char close)
{
    reader->at = skip_space(reader->at);
    const char *word = find_end(reader->at, ',', "for");
    if (!word)
        return fail_here(reader, "a closing quote");
    if (strncmp(word, "for", 3) == 0)
        return read_comprehension(reader, word);
    if (close == ')' && *word != ',' && (*reader->at == '[' || *reader->at == '('))
        return read_list(reader); /* brackets that only group */
    return read_items(reader, close);
}

static enum anole_status read_part(struct reader *reader)
{
    static const char *const words[] = {"range", "list", "sorted", "tuple", "set"};
    size_t length = 0, word = 0;
    reader->at = skip_space(reader->at);
    while (is_name_part(reader->at[length]))
        length++;
    while (word < 5 && !(strlen(words[word]) == length && !memcmp(reader->at, words[word], length)))
        word++;
    if (length > 0 && word == 5)
        return fail_here(reader, "a list such as \"[1, 2, 4]\" or \"range(1, 9)\"");
    reader->at = skip_space(reader->at + length);
    char open = *reader->at, close = open == '[' ? ']' : ')';
    if (open != '(' && (open != '[' || length > 0))
        return fail_here(reader, length > 0 ? "'('" : "a list such as \"[1, 2, 4]\"");
    if (reader->depth == MAX_DEPTH)
        return fail_here(reader, "brackets that are less deep");
    reader->at++;
    reader->depth++;
    enum anole_status status = ANOLE_DONE;
    if (length > 0 && word == 0)
        status = read_range(reader);
    else if (length > 0)
        status = read_list(reader);
    else
        status = read_bracket(reader, close);
    reader->depth--;
    if (status != ANOLE_DONE)
        return status;
    reader->at = skip_space(reader->at);
    if (*reader->at != close)
        return fail_here(reader, close == ']' ? "']'" : "')'");
    reader->at = skip_space(reader->at + 1);
    return ANOLE_DONE;
}

static enum anole_status read_list(struct reader *reader)
{
    enum anole_status status = read_part(reader);
    while (status == ANOLE_DONE && *reader->at == '+') {
        reader->at++;
        status = read_part(reader);
    }
    return status;
}

enum anole_status anole_t1_list_read(struct anole_t1_list *list, const char *text,
                                     struct anole_error *error)
{
    struct reader reader = {.at = text, .list = list, .error = error};
    enum anole_status status = read_list(&reader);
    if (status == ANOLE_DONE && *reader.at)
        status = fail_here(&reader, "'+' and another list, or the end");
    if (status != ANOLE_DONE) {
        char shown[80];
        anole_error_prefix(error, "\"%s\"", anole_text_printable(shown, sizeof shown, text));
    }
    return status;
}
