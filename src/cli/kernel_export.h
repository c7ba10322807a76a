/* SPDX-License-Identifier: MIT
 *
 * Handing over: the kernels of a lock file as OpenCL C files, with a JSON file
 * that says how to build and launch each.
 */
#ifndef ANOLE_KERNEL_EXPORT_H
#define ANOLE_KERNEL_EXPORT_H

#include "kernel/custom.h"
#include "devices/registry.h"
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

/* Makes `folder` (which must not exist yet) with NN_LABEL.cl for each task and
 * kernels.json.  `dtype`: as of anole_lockfile_find(). */
enum anole_status anole_kernels_export(const char *folder, const struct anole_lockfile *lockfile,
                                       const struct anole_registry *registry,
                                       const struct anole_registry_device *device, uint32_t dtype,
                                       struct anole_error *error);

#endif
