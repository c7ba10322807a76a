/* SPDX-License-Identifier: MIT
 *
 * What the files of the library share: the insides of what anole.h hands out.
 */
#ifndef ANOLE_API_H
#define ANOLE_API_H

#include <anole/anole.h>

#include "base/environment.h"
#include "base/status.h"
#include "devices/registry.h"
#include "graph/workload.h"
#include "inplace/inplace.h"
#include "kernel/custom.h"
#include "record/lockfile.h"

#include <locale.h>

struct anole_context {
    struct anole_environment environment;
    locale_t plain; /* in which numbers have a decimal point */
    anole_stop_callback *stop;
    void *stop_context;
    char *plugin_path, *worker, *cache; /* or NULL */
};

/* What a call of the library changes of its thread, to be put back. */
struct anole_scope {
    const struct anole_environment *environment;
    locale_t locale;
};
void anole_scope_enter(struct anole_scope *scope, const struct anole_context *context);
void anole_scope_leave(const struct anole_scope *scope);

/* The stop callback of a context, for the core. */
bool anole_context_stopped(void *context);

/* Copies what a caller of another version filled in into a struct of this one, `size` bytes:
 * both begin with their size.  What the caller does not know is 0.  `given` NULL: all is.
 * ERR_USAGE if the size was not set, ERR_VERSION if it asks for what this version does not
 * know. */
ANOLE_CHECKED enum anole_status anole_options_copy(void *options, size_t size, const void *given,
                                                   const char *name, struct anole_error *error);

/* *dtype is of enum anole_dtype, 0 for NULL; ERR_USAGE if the text is no precision. */
ANOLE_CHECKED enum anole_status anole_precision_option(uint32_t *dtype, const char *text,
                                                       struct anole_error *error);

/* A printable copy; NULL if memory is used up. */
char *anole_printable_copy(const char *text);

/* One device of a list: `info` is what the caller has of it. */
struct anole_listed_device {
    struct anole_device_info info;
    const struct anole_devices *devices;
    const struct anole_registry_device *entry;
    char *name, *vendor, *driver, *driver_version; /* printable */
    struct anole_device_property properties[ANOLE_MAX_PROPERTIES];
};

struct anole_devices {
    struct anole_context *context;
    struct anole_registry *registry;
    uint32_t threads;
    struct anole_listed_device *items;   /* [registry->device_count] */
    struct anole_backend_info *backends; /* [registry->entry_count] */
};

const struct anole_listed_device *anole_listed_device(const struct anole_device_info *info);

struct anole_tasks {
    struct anole_context *context;
    struct anole_workload *workload;
    struct anole_custom_kernel *custom; /* NULL: a network; what its task borrows */
    struct anole_listed_task *items;    /* [workload->task_count] */
};

struct anole_listed_task {
    struct anole_task_info info;
    char key[ANOLE_TASK_KEY], label[64];
    size_t outcomes[ANOLE_OUTCOME_COUNT];
};

struct anole_tuned {
    struct anole_context *context;
    struct anole_lockfile *lockfile;
    char *path;
    struct anole_tuned_entry *entries; /* [lockfile->device_count] */
};

/* A network as a whole, for the caller: `info` borrows from the rest, which must not move. */
struct anole_whole {
    struct anole_in_place info;
    char problem[ANOLE_ERROR_TEXT];
    char output[128]; /* the one that is farthest off */
};
/* Why it was not run: nothing is known of it. */
void anole_whole_skip(struct anole_whole *whole, const char *why);
/* What a run came to, with the kernels of `device`. */
void anole_whole_take(struct anole_whole *whole, const struct anole_inplace_report *report,
                      const struct anole_lock_device *device);
/* What a lock file has of it. */
void anole_whole_read(struct anole_whole *whole, const struct anole_lock_device *device);

struct anole_tuned_entry {
    struct anole_tuned_device info;
    char sizes[512];
    struct anole_whole whole;
    struct anole_locked_result *tasks; /* [info.task_count] */
};

/* A task of a lock file, for the caller; borrows from it. */
struct anole_locked_result {
    struct anole_result_info info;
    char label[64];
    struct anole_knob_value *knobs;
    const char **labels;
};
ANOLE_CHECKED enum anole_status anole_locked_result_init(struct anole_locked_result *result,
                                                         const struct anole_lock_task *task,
                                                         struct anole_error *error);
/* The times of a result in the running network. */
void anole_result_in_place(struct anole_result_info *result, const struct anole_lock_task *task);
/* The labels of its knobs, [knob_count], borrowed from it; NULL: out of memory. */
const char **anole_locked_labels(const struct anole_lock_task *task);
/* What few kernels for several sizes cost it. */
void anole_result_slowdown(struct anole_result_info *result, const struct anole_lock_task *task);
void anole_locked_result_fini(struct anole_locked_result *result);

#endif
