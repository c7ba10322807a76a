/* SPDX-License-Identifier: MIT
 *
 * Handing over: the kernels of a lock file as OpenCL C files, with a JSON file
 * that says how to build and launch each, and, where the network is still where it was, what
 * the network is made of: docs/export.md.
 */
#ifndef ANOLE_KERNEL_EXPORT_H
#define ANOLE_KERNEL_EXPORT_H

#include "cli/run_network.h"
#include "devices/registry.h"
#include "program/tuned.h"

/* Makes `folder` (which must not exist yet) with NN_LABEL.cl for each task and
 * kernels.json.  `dtype`, `threads`: as of anole_lockfile_find().  `sizes`: what the network leaves
 * open; where any is given, a network that cannot be read is an error, and no folder is made. */
enum anole_status anole_kernels_export(const char *folder, struct anole_lockfile *lockfile,
                                       const struct anole_registry *registry,
                                       const struct anole_registry_device *device, uint32_t dtype,
                                       uint32_t threads, const struct anole_run_sizes *sizes,
                                       struct anole_error *error);

#endif
