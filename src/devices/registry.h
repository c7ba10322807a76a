/* SPDX-License-Identifier: MIT
 *
 * The registry: every plugin that was found, loaded or refused, and the devices that
 * the plugins show.
 */
#ifndef ANOLE_REGISTRY_H
#define ANOLE_REGISTRY_H

#include "plugin/backend.h"

struct anole_registry_device {
    size_t backend;   /* index into the registry's entries */
    char driver[256]; /* as the plugin names it */
    char id[96];      /* unique and stable, e.g. "cpu:0", "gpu:1": what --device takes */
    struct anole_device device;
};

/* A driver that a backend names. */
struct anole_registry_driver {
    size_t backend;
    char name[256]; /* as the plugin names it: opaque; may be empty */
    uint32_t devices;
    char problem[1024]; /* what went wrong when it was asked; "" if nothing */
    bool answered;      /* the plugin did, be it with a problem: it did not crash or hang */
};

struct anole_registry_entry {
    char *path;
    enum anole_refusal refusal;
    char reason[1024]; /* the whole message if refused */
    char name[64], version[64];
    uint32_t generator_version;
    struct anole_backend *backend; /* loaded in this process too (pure half), or NULL */
    char probe_problem[1024];      /* what went wrong when its drivers were asked; "" if nothing */
};

struct anole_registry {
    struct anole_registry_entry *entries; /* sorted by path within each folder */
    size_t entry_count;
    struct anole_registry_device *devices; /* by entry, driver and index */
    size_t device_count;
    struct anole_registry_driver *drivers; /* by entry, in the plugin's order */
    size_t driver_count;
    char *searched; /* the folders that were looked at, for messages */
};

/* Every NAME.so in the folders of $ANOLE_PLUGIN_PATH (colon-separated; empty
 * parts and relative paths are refused with a warning), then in the installed
 * folder; in the build tree, that of the build; $ANOLE_PLUGIN_DIR replaces this
 * one (empty: there is none).  A file that is met twice counts
 * once; of two with one name the first counts.  Each is vetted and probed in a
 * worker process, every driver in one of its own; only then is it loaded here.
 * A refused plugin is an entry, no failure. */
ANOLE_CHECKED enum anole_status anole_registry_create(struct anole_registry **registry,
                                                      uint32_t threads, struct anole_error *error);
/* The same of one file alone, wherever it lies. */
ANOLE_CHECKED enum anole_status anole_registry_create_file(struct anole_registry **registry,
                                                           const char *path, uint32_t threads,
                                                           struct anole_error *error);
void anole_registry_destroy(struct anole_registry *registry);

#endif
