/* SPDX-License-Identifier: MIT
 *
 * A backend: a plugin's file, loaded and checked, or refused.
 */
#ifndef ANOLE_BACKEND_H
#define ANOLE_BACKEND_H

#include "base/status.h"
#include "plugin/pure.h"

#include <anole/plugin.h>

/* Why a plugin was refused, in the order in which it is checked. */
#define ANOLE_REFUSAL_MAP(X)                                                                       \
    X(NONE, "loaded")                                                                              \
    X(NOT_LOADABLE, "cannot be loaded")                                                            \
    X(NO_SYMBOL, "has no symbol anole_plugin")                                                     \
    X(FOREIGN_SYMBOL, "its anole_plugin comes from another file")                                  \
    X(BAD_MAGIC, "has the wrong magic number")                                                     \
    X(ABI_TOO_OLD, "is made for an older ABI")                                                     \
    X(ABI_TOO_NEW, "is made for a newer ABI")                                                      \
    X(TOO_SMALL, "its struct is too small")                                                        \
    X(BAD_NAME, "its name is not its file's")                                                      \
    X(DUPLICATE, "its name is taken by another file")                                              \
    X(MISSING_OP, "a required op is missing")                                                      \
    X(VETTING_FAILED, "it took down the process that tried to load it")

enum anole_refusal {
#define X(name, text) ANOLE_REFUSAL_##name,
    ANOLE_REFUSAL_MAP(X)
#undef X
        ANOLE_REFUSAL_COUNT
};

const char *anole_refusal_text(enum anole_refusal refusal);

/* True if a backend may be called that: 1 to ANOLE_BACKEND_NAME of a-z, 0-9, _, -. */
#define ANOLE_BACKEND_NAME 48
bool anole_backend_is_name(const char *name);

/* A loaded plugin.  Never unloaded: drivers that it brought in may not survive
 * that. */
struct anole_backend {
    char *path;
    char label[ANOLE_BACKEND_NAME + 1]; /* its name, wherever the plugin's memory goes */
    void *handle;                       /* of dlopen */
    /* The plugin's struct, completed: ops that it is too old to know are NULL. */
    struct anole_plugin plugin;
    /* Who asks its pure ops in a process of their own; NULL: they are called here.  Owned. */
    struct anole_pure *elsewhere;
};

/* Loads and checks one file in *this* process.  On refusal *refusal says which
 * check failed, and `error` (ERR_PLUGIN) the file, what was expected, what was
 * found, what to do.  Does not check for duplicates. */
ANOLE_CHECKED enum anole_status anole_backend_load(struct anole_backend **backend,
                                                   enum anole_refusal *refusal, const char *path,
                                                   struct anole_error *error);
void anole_backend_destroy(struct anole_backend *backend);
/* From here on its pure ops are called in this process, which is there to be lost: a sandbox. */
void anole_backend_ask_here(struct anole_backend *backend);

#endif
