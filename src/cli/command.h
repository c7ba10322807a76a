/* SPDX-License-Identifier: MIT
 *
 * The verbs of the program: one file each, cmd_VERB.c, and the few things that
 * they share.  Only main.c and these know the command line.
 */
#ifndef ANOLE_COMMAND_H
#define ANOLE_COMMAND_H

#include <anole/anole.h>

#include "base/json.h"
#include "base/text.h"
#include "cli/options.h"
#include "plugin/backend.h"

extern const struct anole_command anole_cmd_devices;
extern const struct anole_command anole_cmd_tasks;
extern const struct anole_command anole_cmd_tune;
extern const struct anole_command anole_cmd_best;
extern const struct anole_command anole_cmd_pack;
extern const struct anole_command anole_cmd_verify;
extern const struct anole_command anole_cmd_check;
extern const struct anole_command anole_cmd_doctor;
extern const struct anole_command anole_cmd_replay;
extern const struct anole_command anole_cmd_plugin;
extern const struct anole_command anole_cmd_compare;
extern const struct anole_command anole_cmd_export;
extern const struct anole_command anole_cmd_run;
extern const struct anole_command anole_cmd_history;
extern const struct anole_command anole_cmd_report;

/* Default names of what tuning writes: "NAME.history" and "NAME.lock.json" in the
 * current folder, for the network NAME.  Returns out. */
const char *anole_command_history_path(char *out, size_t size, const char *network);
const char *anole_command_lock_path(char *out, size_t size, const char *network);

/* The context in which verbs use the library: messages go to stderr, a signal stops it. */
ANOLE_CHECKED enum anole_status anole_command_context(struct anole_context **context,
                                                      struct anole_error *error);

/* What --precision says: *dtype is of enum anole_dtype.  ERR_USAGE if it is none. */
enum anole_status anole_command_precision(uint32_t *dtype, const char *value,
                                          struct anole_error *error);

/* Takes up one --shape of a verb: shapes[*count], of ANOLE_COMMAND_SHAPES.  ERR_USAGE if there are
 * too many. */
#define ANOLE_COMMAND_SHAPES 64
enum anole_status anole_command_shape(const char **shapes, size_t *count, const char *value,
                                      struct anole_error *error);

/* What the precision of a device's results adds to its name: "" for fp32, " tf32". */
const char *anole_precision_suffix(uint32_t dtype);

/* Exactly one of a network (positional[0]) and --kernel has to be given. */
enum anole_status anole_kernel_or_network(const char *kernel, size_t positional, const char *verb,
                                          struct anole_error *error);

/* Appends a text as a word for a shell, in quotes where it needs them. */
void anole_command_quote(struct anole_text *out, const char *text);

/* Text from outside (names of files, of devices, of networks) as a terminal may see it: whatever is
 * printed of such goes through this, or is a cell of a table.  Good for one printf() of up to
 * eight. */
const char *anole_command_shown(const char *text);

/* Prints JSON to stdout, with a final newline.  Takes over the reference; NULL
 * is out of memory. */
enum anole_status anole_command_print_json(json_t *root, struct anole_error *error);

#endif
