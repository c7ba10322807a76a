/* SPDX-License-Identifier: MIT
 *
 * What a lock file holds, taken up again: the entry of a device, the tasks and configs in it, and
 * their kernels, generated anew.
 */
#ifndef ANOLE_LOCKED_H
#define ANOLE_LOCKED_H

#include "devices/registry.h"
#include "kernel/custom.h"
#include "plugin/generator.h"
#include "record/lockfile.h"

/* The entry of the lock file that was tuned on this device (same backend, same
 * device name) in this precision (enum anole_dtype; 0: the first one that is there, and
 * says which others are); ERR_NO_DEVICE if there is none.  Warns where versions differ.
 * `path` is for messages. */
enum anole_status anole_lockfile_find(const struct anole_lock_device **found,
                                      const struct anole_lockfile *lockfile, const char *path,
                                      const struct anole_registry *registry,
                                      const struct anole_registry_device *device, uint32_t dtype,
                                      struct anole_error *error);

/* The task of an entry of a lock file.  If it is a custom one, *custom (else NULL),
 * the caller's, comes from the file that it was tuned from; ERR_INPUT if that does
 * not say the same any more. */
enum anole_status anole_lock_task_read(struct anole_task *task, struct anole_custom_kernel **custom,
                                       const struct anole_lock_task *entry,
                                       const struct anole_lockfile *lockfile,
                                       const struct anole_device *device,
                                       struct anole_error *error);

/* Looks for that kernel in another file than the one that it was tuned from. */
enum anole_status anole_lockfile_set_path(struct anole_lockfile *lockfile, const char *path,
                                          struct anole_error *error);

/* The config that an entry names, in the space of this generator. */
enum anole_status anole_lock_task_config(uint64_t *config, const struct anole_lock_task *entry,
                                         const struct anole_space *space,
                                         struct anole_error *error);

/* The kernel that an entry of a lock file names, and what made it. */
struct anole_locked_kernel {
    struct anole_task task;
    struct anole_custom_kernel *custom; /* NULL: no kernel of the user's own */
    struct anole_generator *generator;
    struct anole_generated *generated;
    uint64_t config;
};

/* Generates it for this device.  To be finished after a failure, too, before the backend
 * and the lock file are destroyed. */
enum anole_status
anole_locked_kernel_init(struct anole_locked_kernel *locked, const struct anole_lock_task *entry,
                         const struct anole_lockfile *lockfile, const struct anole_backend *backend,
                         const struct anole_device *device, struct anole_error *error);
void anole_locked_kernel_fini(struct anole_locked_kernel *locked);

#endif
