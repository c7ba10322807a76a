/* SPDX-License-Identifier: MIT
 *
 * Backends: finding plugins, loading or refusing them, and asking the pure half
 * of one (space, features, kernel source) in the terms of the core.
 */
#ifndef ANOLE_BACKEND_H
#define ANOLE_BACKEND_H

#include "base/status.h"
#include "network/task.h"
#include "space/feature.h"
#include "space/space.h"

#include <anole/plugin.h>

/* -- Loading one (loader.c) -- */

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
    void *handle; /* of dlopen */
    /* The plugin's struct, completed: ops that it is too old to know are NULL. */
    struct anole_plugin plugin;
};

/* Loads and checks one file in *this* process.  On refusal *refusal says which
 * check failed, and `error` (ERR_PLUGIN) the file, what was expected, what was
 * found, what to do.  Does not check for duplicates. */
enum anole_status anole_backend_load(struct anole_backend **backend, enum anole_refusal *refusal,
                                     const char *path, struct anole_error *error);
void anole_backend_destroy(struct anole_backend *backend);

/* The host table handed to plugins (host.c); topology by hwloc.  `threads` as in
 * anole_host.  Valid for the life of the process.  NULL if memory is used up. */
const struct anole_host *anole_host_get(uint32_t threads);
/* Who gets the lines that plugins log, already printable; NULL (the default):
 * our own log. */
typedef void anole_host_log(enum anole_log_level level, const char *text);
void anole_host_set_log(anole_host_log *log);

/* -- The pure half, for one task on one device (generator.c) -- */

/* Binds a backend, a device description and a task; owns the space and the
 * features made from them. */
struct anole_generator;

/* A generated kernel; owns everything it points to. */
struct anole_generated {
    struct anole_kernel kernel; /* as anole/plugin.h has it */
    uint64_t source_hash;       /* of source, options and launches */
};

bool anole_backend_supports(const struct anole_backend *backend, const struct anole_device *device,
                            const struct anole_task *task);
/* ERR_PLUGIN if the plugin's space is ill-formed.  Backend must outlive it. */
enum anole_status anole_generator_create(struct anole_generator **generator,
                                         const struct anole_backend *backend,
                                         const struct anole_device *device,
                                         const struct anole_task *task, struct anole_error *error);
void anole_generator_destroy(struct anole_generator *generator);
const struct anole_space *anole_generator_space(const struct anole_generator *generator);
const struct anole_features *anole_generator_features(const struct anole_generator *generator);
const struct anole_task *anole_generator_task(const struct anole_generator *generator);
const struct anole_device *anole_generator_device(const struct anole_generator *generator);
/* The kernel of a config.  ERR_INPUT if the plugin refuses the config (the
 * message is the plugin's). */
enum anole_status anole_generator_kernel(struct anole_generated **generated,
                                         const struct anole_generator *generator, uint64_t config,
                                         struct anole_error *error);
void anole_generated_destroy(struct anole_generated *generated);

/* The same two without a generator, from the knobs' values: for workers, which
 * need no space. */
enum anole_status anole_backend_generate(struct anole_generated **generated,
                                         const struct anole_backend *backend,
                                         const struct anole_device *device,
                                         const struct anole_task *task, const int64_t *values,
                                         size_t count, struct anole_error *error);
enum anole_status anole_backend_pack(const struct anole_backend *backend,
                                     const struct anole_device *device,
                                     const struct anole_task *task, const int64_t *values,
                                     size_t count, const void *weights, size_t weights_bytes,
                                     void *packed, size_t packed_bytes, struct anole_error *error);

/* Lays weights out as the config's kernel reads them; out[kernel.packed_weights]. */
enum anole_status anole_generator_pack(const struct anole_generator *generator, uint64_t config,
                                       const void *weights, size_t weights_bytes, void *packed,
                                       size_t packed_bytes, struct anole_error *error);

/* -- Finding them all (registry.c) -- */

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
enum anole_status anole_registry_create(struct anole_registry **registry, uint32_t threads,
                                        struct anole_error *error);
/* The same of one file alone, wherever it lies. */
enum anole_status anole_registry_create_file(struct anole_registry **registry, const char *path,
                                             uint32_t threads, struct anole_error *error);
void anole_registry_destroy(struct anole_registry *registry);

/* The one device that `selector` means: an id ("cpu:0"), a backend's name if it
 * has one device ("cpu"), part of a device's, vendor's or driver's name, not
 * minding case, or such a part and the number of one among those that it fits ("xyz:1").  NULL or
 * "": the only device there is.  ERR_NO_DEVICE with the list of what there is if none or several
 * match; ERR_NO_BACKEND, with the reasons for refusal, if no plugin loaded. */
enum anole_status anole_registry_find(const struct anole_registry_device **device,
                                      const struct anole_registry *registry, const char *selector,
                                      struct anole_error *error);

#endif
