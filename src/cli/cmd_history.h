/* SPDX-License-Identifier: MIT
 *
 * The verbs of `anole history`: one file each, cmd_history_VERB.c.
 */
#ifndef ANOLE_CMD_HISTORY_H
#define ANOLE_CMD_HISTORY_H

#include "cli/command.h"

extern const struct anole_command anole_cmd_history_ls;
extern const struct anole_command anole_cmd_history_show;
extern const struct anole_command anole_cmd_history_merge;
extern const struct anole_command anole_cmd_history_gc;
extern const struct anole_command anole_cmd_history_diff;
extern const struct anole_command anole_cmd_history_export;
extern const struct anole_command anole_cmd_history_import;

#define ANOLE_HISTORY_FILES 4096 /* that one command takes, at most */

#endif
