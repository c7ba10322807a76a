/* SPDX-License-Identifier: MIT
 *
 * The verbs of `anole plugin`: one file each, cmd_plugin_VERB.c.
 */
#ifndef ANOLE_CMD_PLUGIN_H
#define ANOLE_CMD_PLUGIN_H

#include "cli/command.h"

extern const struct anole_command anole_cmd_plugin_list;
extern const struct anole_command anole_cmd_plugin_new;
extern const struct anole_command anole_cmd_plugin_check;

#endif
