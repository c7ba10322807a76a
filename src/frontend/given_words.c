/* SPDX-License-Identifier: MIT */
#include "frontend/given_words.h"

#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static enum anole_status fail(const char *text, struct anole_error *error)
{
    char safe[200];
    return anole_fail(error, ANOLE_ERR_USAGE,
                      "shape \"%s\": expected NAME=SIZES with up to %d sizes, such as "
                      "images=1x3x640x640, or NAME=[ELEMENTS] with up to %d whole numbers, such as "
                      "sizes=[1,3,80,80]",
                      anole_text_printable(safe, sizeof safe, text), ANOLE_MAX_RANK,
                      ANOLE_GIVEN_MOST);
}

/* "1x3x640x640" */
static bool parse_sizes(struct anole_given_word *word, const char *at)
{
    while (word->rank < ANOLE_MAX_RANK) {
        char *end;
        long long size = *at >= '0' && *at <= '9' ? strtoll(at, &end, 10) : -1;
        if (size < 0 || size > INT32_MAX || (*end != 'x' && *end != '\0'))
            return false;
        word->dims[word->rank++] = size;
        if (*end == '\0')
            return true;
        at = end + 1;
    }
    return false;
}

/* "[1,-1,80]", the bracket being behind us; values[ANOLE_GIVEN_MOST]. */
static bool parse_elements(int64_t *values, int64_t *count, const char *at)
{
    *count = 0;
    if (strcmp(at, "]") == 0)
        return true;
    while (*count < ANOLE_GIVEN_MOST) {
        char *end;
        if (*at != '-' && (*at < '0' || *at > '9'))
            return false;
        errno = 0;
        values[(*count)++] = strtoll(at, &end, 10);
        if (errno || end == at || (*end != ',' && *end != ']'))
            return false;
        if (*end == ']')
            return end[1] == '\0';
        at = end + 1;
    }
    return false;
}

enum anole_status anole_given_word_parse(struct anole_given_word *word, const char *text,
                                         struct anole_error *error)
{
    const char *equals = strrchr(text, '='), *said = equals ? equals + 1 : text;
    struct anole_given_word new = {.name = equals ? text : NULL,
                                   .length = equals ? (size_t)(equals - text) : 0};
    if (*said != '[') {
        if (!parse_sizes(&new, said))
            return fail(text, error);
        *word = new;
        return ANOLE_DONE;
    }
    new.rank = 1;
    new.values = malloc(ANOLE_GIVEN_MOST * sizeof *new.values);
    if (!new.values)
        return anole_fail_memory(error);
    if (!parse_elements(new.values, &new.dims[0], said + 1)) {
        free(new.values);
        return fail(text, error);
    }
    *word = new;
    return ANOLE_DONE;
}

void anole_given_word_fini(struct anole_given_word *word)
{
    free(word->values);
    word->values = NULL;
}

/* Whether its elements may be known beforehand, and an int64_t holds them. */
static bool has_elements(const struct anole_operand *value)
{
    const size_t elements = anole_operand_elements(value);
    if (!value->data || value->rank > 1 || value->dtype == 0 || anole_dtype_is_real(value->dtype) ||
        elements > ANOLE_GIVEN_MOST)
        return false;
    for (size_t i = 0; i < elements && value->dtype == ANOLE_U64; i++)
        if (anole_operand_int(value, i) < 0)
            return false;
    return true;
}

enum anole_status anole_given_word_make(char **text, const char *name,
                                        const struct anole_operand *value,
                                        struct anole_error *error)
{
    struct anole_text out = {.data = NULL};
    anole_text_printf(&out, "%s=", name);
    if (has_elements(value)) {
        anole_text_append(&out, "[", 1);
        for (size_t i = 0; i < anole_operand_elements(value); i++)
            anole_text_printf(&out, "%s%" PRId64, i ? "," : "", anole_operand_int(value, i));
        anole_text_append(&out, "]", 1);
    }
    for (uint32_t d = 0; d < value->rank && !has_elements(value); d++)
        anole_text_printf(&out, "%s%" PRId64, d ? "x" : "", value->dims[d]);
    if (out.failed || !out.data) {
        anole_text_fini(&out);
        return anole_fail_memory(error);
    }
    *text = out.data;
    return ANOLE_DONE;
}
