/* SPDX-License-Identifier: MIT
 *
 * Kernels of the user's own where a network is expected: a workload of one task.
 */
#ifndef ANOLE_KERNEL_INPUT_H
#define ANOLE_KERNEL_INPUT_H

#include "kernel/custom.h"
#include "plugin/backend.h"
#include "graph/workload.h"

/* Reads a T1 file: a workload of that one kernel; `device` NULL: none in
 * particular, so that it has to be one that can be run.  *custom is what its task
 * borrows: to be destroyed after the workload and all that works on it. */
enum anole_status anole_kernel_network(struct anole_workload **workload,
                                       struct anole_custom_kernel **custom, const char *path,
                                       const struct anole_device *device,
                                       struct anole_error *error);

/* Exactly one of a network (positional[0]) and --kernel has to be given. */
enum anole_status anole_kernel_or_network(const char *kernel, size_t positional, const char *verb,
                                          struct anole_error *error);

#endif
