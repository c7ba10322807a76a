/* SPDX-License-Identifier: MIT
 *
 * anole plugin VERB ...: what concerns backends and those who write them.
 */
#include "cli/cmd_plugin.h"
#include "cli/verbs.h"

static const struct anole_command *const verbs[] = {
    &anole_cmd_plugin_list,
    &anole_cmd_plugin_new,
    &anole_cmd_plugin_check,
};

static const struct anole_option options[] = {{0}};

static enum anole_status run(int argc, char **argv, struct anole_error *error)
{
    return anole_verbs_run(&anole_cmd_plugin, verbs, sizeof verbs / sizeof *verbs, argc, argv,
                           error);
}

const struct anole_command anole_cmd_plugin = {
    .name = "plugin",
    .arguments = "VERB",
    .summary = "List backends, hold one to its contract, or begin a new one",
    .options = options,
    .run = run,
};
