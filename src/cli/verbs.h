/* SPDX-License-Identifier: MIT
 *
 * Verbs that have verbs of their own: `anole plugin list`, `anole history ls`.
 */
#ifndef ANOLE_CLI_VERBS_H
#define ANOLE_CLI_VERBS_H

#include "cli/options.h"

/* Runs the one of verbs[count] that argv[1] names; their names begin with that of `command` and a
 * blank: "plugin list".  ERR_USAGE, with the nearest, if it names none. */
enum anole_status anole_verbs_run(const struct anole_command *command,
                                  const struct anole_command *const *verbs, size_t count, int argc,
                                  char **argv, struct anole_error *error);

#endif
