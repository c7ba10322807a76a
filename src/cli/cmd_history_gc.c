/* SPDX-License-Identifier: MIT
 *
 * anole history gc: makes a history smaller.
 */
#include "cli/cmd_history.h"
#include "cli/history_filter.h"
#include "record/history_merge.h"

#include <stdio.h>

struct arguments {
    struct anole_history_filter filter;
    bool remove, dry;
};

enum { REMOVE = ANOLE_FILTER_OPTIONS, DRY_RUN };

static const struct anole_option options[] = {
    ANOLE_FILTER_TABLE,
    [REMOVE] = {"remove", NULL, "trials that the options above choose go, too"},
    [DRY_RUN] = {"dry-run", NULL, "say what would go, and change nothing"},
    {0},
};

static enum anole_status take(void *context, size_t index, const char *value,
                              struct anole_error *error)
{
    struct arguments *arguments = context;
    if (index < ANOLE_FILTER_OPTIONS)
        return anole_filter_take(&arguments->filter, index, value, error);
    if (index == REMOVE)
        arguments->remove = true;
    else
        arguments->dry = true;
    return ANOLE_DONE;
}

static void report(const char *path, const struct anole_history_swept *swept, bool dry)
{
    char before[32], after[32];
    printf("%s: %s%s, %s%s; %zu lines stay\n", anole_command_shown(path),
           anole_text_bytes(before, sizeof before, swept->before), dry ? "" : " before",
           anole_text_bytes(after, sizeof after, swept->after), dry ? " would be left" : " now",
           swept->kept);
    printf("%s: %zu announcements of trials that ended, %zu repeated lines, %zu damaged ones, %zu "
           "trials\n",
           dry ? "would go" : "gone", swept->ended, swept->repeated, swept->damaged,
           swept->unwanted);
}

/* Removing what nobody has chosen, or choosing what is not to be removed, is a slip. */
static enum anole_status check(const struct arguments *arguments, struct anole_error *error)
{
    const bool any = anole_history_filter_any(&arguments->filter);
    if (arguments->remove && !any)
        return anole_fail(error, ANOLE_ERR_USAGE,
                          "--remove: expected options that choose the trials to remove, such as "
                          "--driver or --until, found none; nothing was changed");
    if (any && !arguments->remove)
        return anole_fail(error, ANOLE_ERR_USAGE,
                          "anole history gc: expected --remove beside options that choose trials: "
                          "those are removed; nothing was changed");
    return ANOLE_DONE;
}

static enum anole_status run(int argc, char **argv, struct anole_error *error)
{
    struct arguments arguments = {.dry = false};
    char **files;
    size_t count;
    bool help;
    enum anole_status status = anole_options_parse(&anole_cmd_history_gc, argc, argv, take,
                                                   &arguments, &files, &count, &help, error);
    if (status != ANOLE_DONE || help)
        return status;
    status = check(&arguments, error);
    for (size_t i = 0; status == ANOLE_DONE && i < count; i++) {
        struct anole_history_swept swept;
        status = anole_history_sweep(&swept, files[i], arguments.remove ? &arguments.filter : NULL,
                                     arguments.dry, error);
        if (status == ANOLE_DONE)
            report(files[i], &swept, arguments.dry);
    }
    return status;
}

static void print_details(void)
{
    printf(
        "\nWithout --remove nothing is lost: what goes are lines that announce trials which have\n"
        "ended, that stand there twice, or that are damaged.  A removed trial may be tried "
        "again.\n");
}

const struct anole_command anole_cmd_history_gc = {
    .name = "history gc",
    .arguments = "HISTORY...",
    .summary = "Rewrite histories without lines that say nothing, or trials nobody needs",
    .details = print_details,
    .options = options,
    .least = 1,
    .most = ANOLE_HISTORY_FILES,
    .run = run,
};
