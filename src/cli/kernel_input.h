/* SPDX-License-Identifier: MIT
 *
 * Kernels of the user's own where a network is expected: one "layer", one task.
 */
#ifndef ANOLE_KERNEL_INPUT_H
#define ANOLE_KERNEL_INPUT_H

#include "kernel/custom.h"
#include "plugin/backend.h"
#include "graph/network.h"
#include "record/lockfile.h"

/* Reads a T1 file as if it were a network of that one kernel; `device` NULL: none in
 * particular, so that it has to be one that can be run.  *custom is what its task
 * borrows: to be destroyed after the network and all that works on it. */
enum anole_status anole_kernel_network(struct anole_network **network,
                                       struct anole_custom_kernel **custom, const char *path,
                                       const struct anole_device *device,
                                       struct anole_error *error);

/* The task of an entry of a lock file.  If it is a custom one, *custom (else NULL),
 * the caller's, comes from the file that it was tuned from; ERR_INPUT if that does
 * not say the same any more. */
enum anole_status anole_kernel_entry(struct anole_task *task, struct anole_custom_kernel **custom,
                                     const struct anole_lock_task *entry,
                                     const struct anole_lockfile *lockfile,
                                     const struct anole_device *device, struct anole_error *error);

/* Looks for that kernel in another file than the one that it was tuned from. */
enum anole_status anole_kernel_set_path(struct anole_lockfile *lockfile, const char *path,
                                        struct anole_error *error);

/* Exactly one of a network (positional[0]) and --kernel has to be given. */
enum anole_status anole_kernel_or_network(const char *kernel, size_t positional, const char *verb,
                                          struct anole_error *error);

#endif
