/* SPDX-License-Identifier: MIT
 *
 * What the code that works for a caller is told about where it runs: where its messages
 * go, and where its parts lie.  A thread has one at a time; the library enters that of the
 * caller's context at the beginning of each call.  A thread that is started takes over that
 * of the thread that starts it, if it is to log anything: hand it anole_environment(), and
 * enter that in it.
 */
#ifndef ANOLE_ENVIRONMENT_H
#define ANOLE_ENVIRONMENT_H

#include "base/status.h"

#include <stdbool.h>

struct anole_environment {
    int level; /* messages above this enum anole_level are dropped; -1: all are */
    void (*write)(void *context, enum anole_level level, const char *text); /* not NULL */
    void *write_context;
    const char *plugin_path; /* NULL: $ANOLE_PLUGIN_PATH */
    const char *worker;      /* NULL: $ANOLE_WORKER */
    bool guest;              /* the process is a caller's: what belongs to it stays as it is */
    const char *cache;       /* NULL: $ANOLE_CACHE_DIR; "": nothing is cached */
};

/* That of this thread, or NULL: as a program of ours has it, which logs to stderr. */
const struct anole_environment *anole_environment(void);

/* Sets it, and returns the one before, to be entered again.  NULL: a program's. */
const struct anole_environment *
anole_environment_enter(const struct anole_environment *environment);

#endif
