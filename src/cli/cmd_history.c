/* SPDX-License-Identifier: MIT
 *
 * anole history VERB ...: histories as a database of results.
 */
#include "cli/cmd_history.h"
#include "cli/verbs.h"

static const struct anole_command *const verbs[] = {
    &anole_cmd_history_ls,     &anole_cmd_history_show, &anole_cmd_history_merge,
    &anole_cmd_history_gc,     &anole_cmd_history_diff, &anole_cmd_history_export,
    &anole_cmd_history_import,
};

static const struct anole_option options[] = {{0}};

static enum anole_status run(int argc, char **argv, struct anole_error *error)
{
    return anole_verbs_run(&anole_cmd_history, verbs, sizeof verbs / sizeof *verbs, argc, argv,
                           error);
}

const struct anole_command anole_cmd_history = {
    .name = "history",
    .arguments = "VERB",
    .summary = "Look into histories, merge, compact, compare, export and import them",
    .options = options,
    .run = run,
};
