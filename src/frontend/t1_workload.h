/* SPDX-License-Identifier: MIT
 *
 * Kernels of the user's own where a network is expected: a workload of one task.
 */
#ifndef ANOLE_T1_WORKLOAD_H
#define ANOLE_T1_WORKLOAD_H

#include "graph/workload.h"
#include "kernel/custom.h"

/* Reads a T1 file: a workload of that one kernel.  `runnable`: it has to be one that can be run,
 * and not only a design space.  *custom is what its task borrows: to be destroyed after the
 * workload and all that works on it. */
ANOLE_CHECKED enum anole_status anole_kernel_workload(struct anole_workload **workload,
                                                      struct anole_custom_kernel **custom,
                                                      const char *path, bool runnable,
                                                      struct anole_error *error);

#endif
