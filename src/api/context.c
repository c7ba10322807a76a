/* SPDX-License-Identifier: MIT
 *
 * Contexts, and what every call of the library does first and last.
 */
#include "api/api.h"

#include "base/text.h"
#include "op/task.h"

#include <stdlib.h>
#include <string.h>

const char *anole_version(void)
{
    return ANOLE_VERSION;
}

int anole_version_number(void)
{
    return ANOLE_VERSION_NUMBER;
}

enum anole_status anole_options_copy(void *options, size_t size, const void *given,
                                     const char *name, struct anole_error *error)
{
    size_t theirs = 0;
    memset(options, 0, size);
    if (given)
        memcpy(&theirs, given, sizeof theirs);
    if (given && theirs < sizeof theirs)
        return anole_fail(
            error, ANOLE_ERR_USAGE,
            "%s: expected its size in its first member, found %zu; initialise it with "
            "{.size = sizeof options}",
            name, theirs);
    for (size_t i = size; i < theirs; i++)
        if (((const unsigned char *)given)[i])
            return anole_fail(error, ANOLE_ERR_VERSION,
                              "%s: this is libanole %s, which does not know all that is set in it; "
                              "use the library that the program was compiled for",
                              name, ANOLE_VERSION);
    if (given)
        memcpy(options, given, theirs < size ? theirs : size);
    return ANOLE_DONE;
}

enum anole_status anole_precision_option(uint32_t *dtype, const char *text,
                                         struct anole_error *error)
{
    char found[64];
    uint32_t parsed = text ? anole_precision_parse(text) : 0;
    if (text && !parsed)
        return anole_fail(error, ANOLE_ERR_USAGE,
                          "precision: expected fp32, fp16 or tf32, found '%s'",
                          anole_text_printable(found, sizeof found, text));
    *dtype = parsed;
    return ANOLE_DONE;
}

char *anole_printable_copy(const char *text)
{
    struct anole_text printable = {0};
    anole_text_append_printable(&printable, text, strlen(text));
    char *copy = printable.failed ? NULL : strdup(printable.data ? printable.data : "");
    anole_text_fini(&printable);
    return copy;
}

/* ---------------------------------------------------------------- contexts */

static void say_nothing(void *unused, enum anole_level level, const char *text)
{
    (void)unused;
    (void)level;
    (void)text;
}

enum anole_status anole_context_create(struct anole_context **context,
                                       const struct anole_context_options *options,
                                       struct anole_error *error)
{
    struct anole_context_options own;
    enum anole_status status =
        anole_options_copy(&own, sizeof own, options, "struct anole_context_options", error);
    if (status != ANOLE_DONE)
        return status;
    struct anole_context *new = calloc(1, sizeof *new);
    if (!new)
        return anole_fail_memory(error);
    new->stop = own.stop;
    new->stop_context = own.stop_context;
    new->plugin_path = own.plugin_path ? strdup(own.plugin_path) : NULL;
    new->worker = own.worker ? strdup(own.worker) : NULL;
    new->cache = own.cache ? strdup(own.cache) : NULL;
    new->plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if ((own.plugin_path && !new->plugin_path) || (own.worker && !new->worker) ||
        (own.cache && !new->cache) || !new->plain) {
        anole_context_destroy(new);
        return anole_fail_memory(error);
    }
    new->environment = (struct anole_environment){
        .level = own.log ? (int)own.level : -1,
        .write = own.log ? own.log : say_nothing,
        .write_context = own.log_context,
        .plugin_path = new->plugin_path,
        .worker = new->worker,
        .cache = new->cache,
        .guest = true,
    };
    *context = new;
    return ANOLE_DONE;
}

void anole_context_destroy(struct anole_context *context)
{
    if (!context)
        return;
    if (context->plain)
        freelocale(context->plain);
    free(context->plugin_path);
    free(context->worker);
    free(context->cache);
    free(context);
}

bool anole_context_stopped(void *context)
{
    const struct anole_context *own = context;
    return own->stop && own->stop(own->stop_context);
}

/* The locale is the thread's alone, and with it the decimal point of whatever is written and
 * read, by libraries and plugins too. */
void anole_scope_enter(struct anole_scope *scope, const struct anole_context *context)
{
    scope->environment = anole_environment_enter(&context->environment);
    scope->locale = uselocale(context->plain);
}

void anole_scope_leave(const struct anole_scope *scope)
{
    uselocale(scope->locale);
    anole_environment_enter(scope->environment);
}
