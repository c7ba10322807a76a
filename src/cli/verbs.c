/* SPDX-License-Identifier: MIT */
#include "cli/verbs.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define MOST_VERBS 16

/* The verb's own name: what is behind "plugin ". */
static const char *own_name(const struct anole_command *command, const struct anole_command *verb)
{
    return verb->name + strlen(command->name) + 1;
}

static void print_help(const struct anole_command *command,
                       const struct anole_command *const *verbs, size_t count)
{
    printf("Usage: anole %s VERB [OPTION]... [ARGUMENT]...\n\n%s.\n\nVerbs:\n", command->name,
           command->summary);
    for (size_t i = 0; i < count; i++)
        printf("  %-8s  %s\n", own_name(command, verbs[i]), verbs[i]->summary);
    printf("\n`anole %s VERB --help` tells the rest.\n", command->name);
}

static enum anole_status unknown_verb(const struct anole_command *command,
                                      const struct anole_command *const *verbs, size_t count,
                                      const char *given, struct anole_error *error)
{
    const char *names[MOST_VERBS];
    char safe[128];
    for (size_t i = 0; i < count && i < MOST_VERBS; i++)
        names[i] = own_name(command, verbs[i]);
    const char *nearest = anole_text_nearest(given, names, count < MOST_VERBS ? count : MOST_VERBS);
    return anole_fail(error, ANOLE_ERR_USAGE,
                      "anole %s: unknown verb '%s'%s%s%s; see `anole %s --help`", command->name,
                      anole_text_printable(safe, sizeof safe, given),
                      nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'" : "",
                      command->name);
}

enum anole_status anole_verbs_run(const struct anole_command *command,
                                  const struct anole_command *const *verbs, size_t count, int argc,
                                  char **argv, struct anole_error *error)
{
    if (argc < 2)
        return anole_fail(error, ANOLE_ERR_USAGE,
                          "anole %s: expected a verb, found nothing; see `anole %s --help`",
                          command->name, command->name);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help(command, verbs, count);
        return ANOLE_DONE;
    }
    for (size_t i = 0; i < count; i++)
        if (strcmp(argv[1], own_name(command, verbs[i])) == 0)
            return verbs[i]->run(argc - 1, argv + 1, error);
    return unknown_verb(command, verbs, count, argv[1], error);
}
