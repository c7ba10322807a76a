/* SPDX-License-Identifier: MIT */
#include "cli/command.h"

#include "base/log.h"
#include "cli/interrupt.h"
#include "op/task.h"

#include <stdio.h>
#include <string.h>

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

const char *anole_precision_suffix(uint32_t dtype)
{
    return dtype == ANOLE_F16 ? " fp16" : dtype == ANOLE_TF32 ? " tf32" : "";
}

void anole_command_quote(struct anole_text *out, const char *text)
{
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

enum anole_status anole_command_print_json(json_t *root, struct anole_error *error)
{
    if (!root)
        return anole_fail_memory(error);
    int failed = json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    json_decref(root);
    if (failed || putchar('\n') == EOF)
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
