/* SPDX-License-Identifier: MIT
 *
 * Which tasks a backend has kernels for.
 */
#ifndef ANOLE_SUPPORTS_H
#define ANOLE_SUPPORTS_H

#include "op/task.h"
#include "plugin/backend.h"

/* False, with a warning, where the backend could not be asked. */
bool anole_backend_supports(const struct anole_backend *backend, const struct anole_device *device,
                            const struct anole_task *task);

/* What a backend does of a task: all of it, or all but what was fused into the layer, which a
 * kernel of its own then does (program/epilogue.h).  False: nothing. */
bool anole_backend_serves(struct anole_task *served, const struct anole_backend *backend,
                          const struct anole_device *device, const struct anole_task *task);

#endif
