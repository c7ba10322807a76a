/* SPDX-License-Identifier: MIT */
#include "cli/command.h"

#include "base/log.h"
#include "cli/interrupt.h"
#include "op/task.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 8

/* The network's name as part of a file's name. */
static const char *file_name(char *out, size_t size, const char *network, const char *ending)
{
    snprintf(out, size, "%.200s%s", network, ending);
    for (char *p = out; *p; p++) {
        bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                     (*p >= '0' && *p <= '9') || *p == '_' || *p == '-' || (*p == '.' && p > out);
        if (!plain)
            *p = '_';
    }
    return out;
}

const char *anole_command_history_path(char *out, size_t size, const char *network)
{
    return file_name(out, size, network, ".history");
}

const char *anole_command_lock_path(char *out, size_t size, const char *network)
{
    return file_name(out, size, network, ".lock.json");
}

enum anole_status anole_command_context(struct anole_context **context, struct anole_error *error)
{
    struct anole_context_options options = {
        .size = sizeof options,
        .level = ANOLE_LEVEL_DEBUG, /* anole_log_print() leaves out what is not wanted */
        .log = anole_log_print,
        .stop = anole_interrupted,
    };
    return anole_context_create(context, &options, error);
}

enum anole_status anole_command_precision(uint32_t *dtype, const char *value,
                                          struct anole_error *error)
{
    char found[64];
    uint32_t parsed = anole_precision_parse(value);
    if (!parsed)
        return anole_fail(error, ANOLE_ERR_USAGE,
                          "--precision: expected fp32, fp16 or tf32, found '%s'",
                          anole_text_printable(found, sizeof found, value));
    *dtype = parsed;
    return ANOLE_DONE;
}

enum anole_status anole_command_shape(const char **shapes, size_t *count, const char *value,
                                      struct anole_error *error)
{
    if (*count == ANOLE_COMMAND_SHAPES)
        return anole_fail(error, ANOLE_ERR_USAGE, "--shape: expected at most %d of them",
                          ANOLE_COMMAND_SHAPES);
    shapes[(*count)++] = value;
    return ANOLE_DONE;
}

const char *anole_precision_suffix(uint32_t dtype)
{
    return dtype == ANOLE_F16 ? " fp16" : dtype == ANOLE_TF32 ? " tf32" : "";
}

/* "$'a\\x1bb'": what a terminal would act upon, as bash, ksh and zsh read it. */
static void quote_escaped(struct anole_text *out, const char *text)
{
    anole_text_append(out, "$'", 2);
    for (const char *p = text; *p; p++) {
        if (*p == '\'' || *p == '\\')
            anole_text_printf(out, "\\%c", *p);
        else if (*p >= ' ' && *p <= '~')
            anole_text_append(out, p, 1);
        else
            anole_text_printf(out, "\\x%02x", (unsigned)(unsigned char)*p);
    }
    anole_text_append(out, "'", 1);
}

static bool is_shown_as_it_is(const char *text)
{
    struct anole_text shown = {0};
    size_t length = strlen(text);
    anole_text_append_printable(&shown, text, length);
    bool same = !shown.failed && shown.length == length &&
                (length == 0 || memcmp(shown.data, text, length) == 0);
    anole_text_fini(&shown);
    return same;
}

void anole_command_quote(struct anole_text *out, const char *text)
{
    if (!is_shown_as_it_is(text)) {
        quote_escaped(out, text);
        return;
    }

    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:,+=@";
    if (*text && text[strspn(text, plain)] == '\0') {
        anole_text_printf(out, "%s", text);
        return;
    }
    anole_text_append(out, "'", 1);
    for (const char *p = text; *p; p++) {
        if (*p == '\'')
            anole_text_append(out, "'\\''", 4);
        else
            anole_text_append(out, p, 1);
    }
    anole_text_append(out, "'", 1);
}

const char *anole_command_shown(const char *text)
{
    static char rooms[SHOWN][4096];
    static size_t next;
    char *room = rooms[next++ % SHOWN];
    return anole_text_printable(room, sizeof rooms[0], text ? text : "");
}

/* JSON leaves DEL and the control characters of U+0080 to U+009F as they are; a terminal may not.
 */
static void put_json(const char *text)
{
    for (const char *p = text; *p; p++) {
        unsigned char c = (unsigned char)*p, next = (unsigned char)p[1];
        if (c == 0x7f) {
            printf("\\u007f");
        } else if (c == 0xc2 && next >= 0x80 && next < 0xa0) {
            printf("\\u%04x", (unsigned)next);
            p++;
        } else {
            putchar(c);
        }
    }
}

enum anole_status anole_command_print_json(json_t *root, struct anole_error *error)
{
    if (!root)
        return anole_fail_memory(error);
    char *text = anole_json_dump(root, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    json_decref(root);
    if (!text)
        return anole_fail_memory(error);
    put_json(text);
    free(text);
    if (putchar('\n') == EOF || ferror(stdout))
        return anole_fail_errno(error, "cannot write JSON to stdout");
    return ANOLE_DONE;
}

enum anole_status anole_kernel_or_network(const char *kernel, size_t positional, const char *verb,
                                          struct anole_error *error)
{
    if (!kernel == (positional > 0))
        return ANOLE_DONE;
    return anole_fail(error, ANOLE_ERR_USAGE,
                      "anole %s: expected NETWORK or --kernel T1, found %s; see `anole %s --help`",
                      verb, kernel ? "both" : "nothing", verb);
}
