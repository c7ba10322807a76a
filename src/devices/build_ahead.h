/* SPDX-License-Identifier: MIT
 *
 * Kernels built by several worker processes at a time, each on a core: within one process
 * drivers compile one after another.
 */
#ifndef ANOLE_BUILD_AHEAD_H
#define ANOLE_BUILD_AHEAD_H

#include "plugin/backend.h"

/* Kernels with one source, and their binary, as the backend's build() takes it. */
struct anole_built {
    const struct anole_kernel *const *kernels; /* [count], borrowed */
    size_t count;
    void *binary; /* the caller's to free; NULL: there is none */
    size_t bytes;
};

/* Fills in binaries of items[count] for a device, as anole_registry_device names it: as many as
 * could be had.  What goes wrong with one, or with a worker, leaves the others; why is for whoever
 * builds the kernel from its source to find out. */
ANOLE_CHECKED enum anole_status anole_build_ahead(struct anole_built *items, size_t count,
                                                  const struct anole_backend *backend,
                                                  const char *driver, uint32_t index,
                                                  uint32_t threads, struct anole_error *error);

#endif
