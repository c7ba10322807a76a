/* SPDX-License-Identifier: MIT
 *
 * What is read of an argument, and of a reference for one: words, numbers, files.
 */
#include "kernel/t1_kernel_private.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FILE ((size_t)1 << 30)

/* The text of one of a few words; *index: which. */
enum anole_status anole_t1_word(const struct anole_t1_draft *draft, const char *key,
                                const char *const *words, size_t count, size_t usual, size_t *index)
{
    char found[96];
    const json_t *value = json_object_get(draft->object, key);
    *index = usual;
    if (!value && usual < count)
        return ANOLE_DONE;
    for (*index = 0; *index < count; (*index)++)
        if (json_is_string(value) && strcmp(json_string_value(value), words[*index]) == 0)
            return ANOLE_DONE;
    struct anole_text list = {.data = NULL};
    for (size_t i = 0; i < count; i++)
        anole_text_printf(&list, "%s%s", i ? ", " : "", words[i]);
    enum anole_status status =
        anole_t1_fail(draft->reader, draft->place, "\"%s\" is %s; expected one of %s", key,
                      anole_json_found(found, sizeof found, value), list.data ? list.data : "");
    anole_text_fini(&list);
    return status;
}

static uint64_t vector_bytes(const struct anole_custom_argument *argument)
{
    return argument->count * anole_element_bytes(argument->element);
}

/* A file of raw numbers, as many as the vector has. */
enum anole_status anole_t1_raw(char **full, const struct anole_t1_draft *draft,
                               const json_t *source, const char *place)
{
    char *text, found[96], *path;
    size_t length;
    const struct anole_custom_argument *argument = draft->argument;
    if (!json_is_string(source))
        return anole_t1_fail(draft->reader, place, "\"DataSource\" is %s; expected a file's name",
                             anole_json_found(found, sizeof found, source));
    if (vector_bytes(argument) > MAX_FILE)
        return anole_t1_fail(draft->reader, place, "files of at most 1 GiB are read");
    enum anole_status status = anole_t1_read_file(&text, &length, &path, draft->reader, place,
                                                  json_string_value(source), MAX_FILE);
    if (status != ANOLE_DONE)
        return status;
    free(text);
    if (length != vector_bytes(argument)) {
        free(path);
        return anole_t1_fail(
            draft->reader, place,
            "%.200s has %zu bytes; expected %llu, for %llu numbers of type %s",
            json_string_value(source), length, (unsigned long long)vector_bytes(argument),
            (unsigned long long)argument->count, anole_element_text(argument->element));
    }
    *full = path;
    return ANOLE_DONE;
}

enum anole_status anole_t1_draft_number(double *number, const struct anole_t1_draft *draft,
                                        const json_t *object, const char *key, double usual)
{
    char place[192];
    const json_t *value = json_object_get(object, key);
    *number = usual;
    if (!value || json_is_null(value))
        return ANOLE_DONE;
    snprintf(place, sizeof place, "%s.%s", draft->place, key);
    return anole_t1_constant(number, draft->reader, place, value);
}
