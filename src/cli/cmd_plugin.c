/* SPDX-License-Identifier: MIT
 *
 * anole plugin VERB ...: what concerns backends and those who write them.
 */
#include "base/text.h"
#include "cli/cmd_plugin.h"

#include <stdio.h>
#include <string.h>

static const struct anole_command *const verbs[] = {
    &anole_cmd_plugin_list,
    &anole_cmd_plugin_new,
    &anole_cmd_plugin_check,
};

#define VERB_COUNT (sizeof verbs / sizeof *verbs)
#define PREFIX sizeof "plugin" /* of the verbs' names: "plugin list" */

static const struct anole_option options[] = {{0}};

static void print_help(void)
{
    printf("Usage: anole plugin VERB [OPTION]... [ARGUMENT]...\n\n%s.\n\nVerbs:\n",
           anole_cmd_plugin.summary);
    for (size_t i = 0; i < VERB_COUNT; i++)
        printf("  %-8s  %s\n", verbs[i]->name + PREFIX, verbs[i]->summary);
    printf("\n`anole plugin VERB --help` tells the rest.\n");
}

static enum anole_status unknown_verb(const char *given, struct anole_error *error)
{
    const char *names[VERB_COUNT];
    for (size_t i = 0; i < VERB_COUNT; i++)
        names[i] = verbs[i]->name + PREFIX;
    char safe[128];
    const char *nearest = anole_text_nearest(given, names, VERB_COUNT);
    return anole_fail(
        error, ANOLE_ERR_USAGE, "anole plugin: unknown verb '%s'%s%s%s; see `anole plugin --help`",
        anole_text_printable(safe, sizeof safe, given), nearest ? "; did you mean '" : "",
        nearest ? nearest : "", nearest ? "'" : "");
}

static enum anole_status run(int argc, char **argv, struct anole_error *error)
{
    if (argc < 2)
        return anole_fail(error, ANOLE_ERR_USAGE,
                          "anole plugin: expected a verb, found nothing; see "
                          "`anole plugin --help`");
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help();
        return ANOLE_DONE;
    }
    for (size_t i = 0; i < VERB_COUNT; i++)
        if (strcmp(argv[1], verbs[i]->name + PREFIX) == 0)
            return verbs[i]->run(argc - 1, argv + 1, error);
    return unknown_verb(argv[1], error);
}

const struct anole_command anole_cmd_plugin = {
    .name = "plugin",
    .arguments = "VERB",
    .summary = "List backends, hold one to its contract, or begin a new one",
    .options = options,
    .run = run,
};
