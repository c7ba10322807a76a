/* SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------- parsing */

/* For want of memory, Jansson may tell of an error of syntax, or even leave a
 * character out and say nothing: so its allocations are watched. */
static _Thread_local bool starved;

static void *allocate(size_t bytes)
{
    void *memory = malloc(bytes);
    starved |= !memory;
    return memory;
}

static void watch_memory(void)
{
    json_set_alloc_funcs(allocate, free);
}

static void begin_watch(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch_memory);
    starved = false;
}

static bool is_blank(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!memchr(" \t\r\n", text[i], 4))
            return false;
    return true;
}

enum anole_status anole_json_parse(json_t **root, const char *text, size_t length, const char *path,
                                   struct anole_error *error)
{
    char file[256], why[JSON_ERROR_TEXT_LENGTH * 2];
    json_error_t problem;
    begin_watch();
    json_t *value = json_loadb(text, length, JSON_REJECT_DUPLICATES, &problem);
    if (value && !starved) {
        *root = value;
        return ANOLE_DONE;
    }
    json_decref(value);
    if (starved)
        return anole_fail_memory(error);
    anole_text_printable(file, sizeof file, path);
    if (is_blank(text, length))
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "%s: the file is empty; expected a JSON object: { ... }", file);
    return anole_fail(error, ANOLE_ERR_INPUT,
                      "%s:%d: column %d: not JSON: %s; expected a whole JSON object, with text in "
                      "double quotes and no comma after a last element",
                      file, problem.line, problem.column,
                      anole_text_printable(why, sizeof why, problem.text));
}

enum anole_status anole_json_parse_part(json_t **value, const char *text, size_t length,
                                        const char *path, size_t line, struct anole_error *error)
{
    char file[256], why[JSON_ERROR_TEXT_LENGTH * 2];
    json_error_t problem;
    begin_watch();
    json_t *made = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &problem);
    if (made && !starved) {
        *value = made;
        return ANOLE_DONE;
    }
    json_decref(made);
    if (starved)
        return anole_fail_memory(error);
    return anole_fail(error, ANOLE_ERR_INPUT, "%s:%zu: not JSON: %s",
                      anole_text_printable(file, sizeof file, path),
                      line + (size_t)(problem.line > 0 ? problem.line - 1 : 0),
                      anole_text_printable(why, sizeof why, problem.text));
}

enum anole_status anole_json_load(json_t **root, const char *path, size_t limit,
                                  struct anole_error *error)
{
    char *text;
    size_t length;
    enum anole_status status = anole_file_read(&text, &length, path, limit, error);
    if (status)
        return status;
    status = anole_json_parse(root, text, length, path, error);
    free(text);
    return status;
}

/* ------------------------------------------------------------------ messages */

/* A short array as it stands; false if it is not short. */
static bool array_text(char *out, size_t size, const json_t *array)
{
    if (json_array_size(array) == 0 || json_array_size(array) > 8)
        return false;
    char raw[64];
    size_t length = json_dumpb(array, raw, sizeof raw, 0);
    if (length == 0 || length >= sizeof raw)
        return false;
    raw[length] = '\0';
    anole_text_printable(out, size, raw);
    return true;
}

const char *anole_json_found(char *out, size_t size, const json_t *value)
{
    char shown[72];
    switch (value ? json_typeof(value) : JSON_NULL) {
    case JSON_OBJECT:
        snprintf(out, size, "an object");
        break;
    case JSON_ARRAY:
        if (array_text(shown, sizeof shown, value))
            snprintf(out, size, "the array %s", shown);
        else
            snprintf(out, size, "an array of %zu", json_array_size(value));
        break;
    case JSON_STRING:
        snprintf(out, size, "the text \"%s\"",
                 anole_text_printable(shown, sizeof shown, json_string_value(value)));
        break;
    case JSON_INTEGER:
        snprintf(out, size, "the number %" JSON_INTEGER_FORMAT, json_integer_value(value));
        break;
    case JSON_REAL:
        /* 2.0 shall not look as if it were the integer 2. */
        snprintf(shown, sizeof shown, "%.6g", json_real_value(value));
        snprintf(out, size, "the number %s%s", shown,
                 shown[strspn(shown, "-0123456789")] ? "" : ".0");
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        snprintf(out, size, "%s", json_is_true(value) ? "true" : "false");
        break;
    case JSON_NULL:
        snprintf(out, size, "%s", value ? "null" : "nothing");
        break;
    }
    return out;
}

const char *anole_json_place_text(char *out, size_t size, const struct anole_json_place *place)
{
    struct anole_text text = {0};
    anole_text_printf(&text, "%s%s%s", place->file, place->path[0] ? ": " : "", place->path);
    anole_text_printable(out, size, text.data ? text.data : place->file);
    anole_text_fini(&text);
    return out;
}

/* "PLACE: "key" is FOUND; expected EXPECTED", or "is missing". */
static enum anole_status fail_field(const json_t *value, const char *key, const char *expected,
                                    const struct anole_json_place *place, struct anole_error *error)
{
    char where[512], found[128];
    anole_json_place_text(where, sizeof where, place);
    if (!value)
        return anole_fail(error, ANOLE_ERR_INPUT, "%s: \"%s\" is missing; expected %s: add it",
                          where, key, expected);
    return anole_fail(error, ANOLE_ERR_INPUT, "%s: \"%s\" is %s; expected %s", where, key,
                      anole_json_found(found, sizeof found, value), expected);
}

/* ------------------------------------------------------------------- objects */

enum anole_status anole_json_only(const json_t *object, const char *const *keys,
                                  const struct anole_json_place *place, struct anole_error *error)
{
    size_t count = 0;
    while (keys[count])
        count++;
    json_t *borrowed = (json_t *)object; /* Jansson's iterators only read */
    for (void *at = json_object_iter(borrowed); at; at = json_object_iter_next(borrowed, at)) {
        const char *key = json_object_iter_key(at);
        size_t i = 0;
        while (i < count && strcmp(key, keys[i]) != 0)
            i++;
        if (i < count)
            continue;
        char where[512], shown[80];
        anole_json_place_text(where, sizeof where, place);
        anole_text_printable(shown, sizeof shown, key);
        const char *near = anole_text_nearest(key, keys, count);
        struct anole_text list = {0};
        for (i = 0; i < count; i++)
            anole_text_printf(&list, "%s%s", i ? ", " : "", keys[i]);
        anole_fail(error, ANOLE_ERR_INPUT, "%s: unknown key \"%s\"%s%s%s; expected one of: %s",
                   where, shown, near ? "; did you mean \"" : "", near ? near : "",
                   near ? "\"?" : "", list.data ? list.data : "(no key at all)");
        anole_text_fini(&list);
        return ANOLE_ERR_INPUT;
    }
    return ANOLE_DONE;
}

enum anole_status anole_json_text(const char **value, const json_t *object, const char *key,
                                  const struct anole_json_place *place, struct anole_error *error)
{
    const json_t *field = json_object_get(object, key);
    if (!json_is_string(field))
        return fail_field(field, key, "a text in double quotes", place, error);
    *value = json_string_value(field);
    return ANOLE_DONE;
}

enum anole_status anole_json_u64(uint64_t *value, const json_t *object, const char *key,
                                 uint64_t low, uint64_t high, const struct anole_json_place *place,
                                 struct anole_error *error)
{
    const json_t *field = json_object_get(object, key);
    json_int_t number = json_integer_value(field);
    if (!json_is_integer(field) || number < 0 || (uint64_t)number < low ||
        (uint64_t)number > high) {
        char expected[80];
        snprintf(expected, sizeof expected, "a whole number from %" PRIu64 " to %" PRIu64, low,
                 high);
        return fail_field(field, key, expected, place, error);
    }
    *value = (uint64_t)number;
    return ANOLE_DONE;
}

enum anole_status anole_json_number(double *value, const json_t *object, const char *key,
                                    const struct anole_json_place *place, struct anole_error *error)
{
    const json_t *field = json_object_get(object, key);
    if (!json_is_number(field) && !json_is_null(field))
        return fail_field(field, key, "a number (or null)", place, error);
    *value = json_is_null(field) ? (double)NAN : json_number_value(field);
    return ANOLE_DONE;
}

enum anole_status anole_json_array(json_t **value, const json_t *object, const char *key,
                                   const struct anole_json_place *place, struct anole_error *error)
{
    json_t *field = json_object_get(object, key);
    if (!json_is_array(field))
        return fail_field(field, key, "an array: [ ... ]", place, error);
    *value = field;
    return ANOLE_DONE;
}

enum anole_status anole_json_object(json_t **value, const json_t *object, const char *key,
                                    const struct anole_json_place *place, struct anole_error *error)
{
    json_t *field = json_object_get(object, key);
    if (!json_is_object(field))
        return fail_field(field, key, "an object: { ... }", place, error);
    *value = field;
    return ANOLE_DONE;
}

char *anole_json_dump(const json_t *value, size_t flags)
{
    begin_watch();
    char *text = json_dumps(value, flags);
    if (!starved)
        return text;
    free(text);
    return NULL;
}

json_t *anole_json_real(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}
