/* SPDX-License-Identifier: MIT
 *
 * anole history merge: the histories of many machines as one.
 */
#include "cli/cmd_history.h"
#include "record/history_merge.h"

#include <stdio.h>

struct arguments {
    const char *output;
};

enum { OUTPUT };

static const struct anole_option options[] = {
    [OUTPUT] = {"output", "FILE", "the history to add to; made if there is none"},
    {0},
};

static enum anole_status take(void *context, size_t index, const char *value,
                              struct anole_error *error)
{
    struct arguments *arguments = context;
    (void)index;
    (void)error;
    arguments->output = value;
    return ANOLE_DONE;
}

static enum anole_status run(int argc, char **argv, struct anole_error *error)
{
    struct arguments arguments = {.output = NULL};
    struct anole_history_merged merged;
    char **files;
    size_t count;
    bool help;
    enum anole_status status = anole_options_parse(&anole_cmd_history_merge, argc, argv, take,
                                                   &arguments, &files, &count, &help, error);
    if (status != ANOLE_DONE || help)
        return status;
    if (!arguments.output || !arguments.output[0])
        return anole_fail(error, ANOLE_ERR_USAGE,
                          "anole history merge: expected --output FILE, the history to add to");
    status = anole_history_merge(&merged, arguments.output, files, count, error);
    if (status == ANOLE_DONE)
        printf("%s: %zu lines added, %zu were there already, %zu damaged ones left out\n",
               anole_command_shown(arguments.output), merged.taken, merged.repeated,
               merged.damaged);
    return status;
}

static void print_details(void)
{
    printf("\nLines are copied as they are, each once; what FILE holds stays.  Merging the same\n"
           "files again changes nothing.\n");
}

const struct anole_command anole_cmd_history_merge = {
    .name = "history merge",
    .arguments = "HISTORY...",
    .summary = "Add the trials of other histories to one, each once",
    .details = print_details,
    .options = options,
    .least = 1,
    .most = ANOLE_HISTORY_FILES,
    .run = run,
};
