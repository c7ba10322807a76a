/* SPDX-License-Identifier: MIT
 *
 * Where the parts of an installation lie: the worker program and the plugins.
 */
#ifndef ANOLE_PATHS_H
#define ANOLE_PATHS_H

#include "base/status.h"

#include <stddef.h>

/* The worker program: what the thread's environment says, or $ANOLE_WORKER; else the one beside the
 * running program, if that runs from its build tree; else the installed one.  *path: the caller's
 * to free. */
ANOLE_CHECKED enum anole_status anole_paths_worker(char **path, struct anole_error *error);

struct anole_folders {
    char **paths;
    size_t count;
    size_t named; /* the first ones are from $ANOLE_PLUGIN_PATH */
};

/* The folders to look for plugins in, best first: those of the thread's environment, or of
 * $ANOLE_PLUGIN_PATH
 * (empty and relative parts are refused with a warning: a plugin is code), then
 * that of the build tree or else the installed one.  $ANOLE_PLUGIN_DIR, if it is
 * set, stands for the latter; empty: there is none. */
ANOLE_CHECKED enum anole_status anole_paths_plugins(struct anole_folders *folders,
                                                    struct anole_error *error);
void anole_folders_fini(struct anole_folders *folders);

#endif
