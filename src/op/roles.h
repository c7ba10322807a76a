/* SPDX-License-Identifier: MIT
 *
 * What the arguments of a kernel are bound to: the one table of enum anole_role.
 */
#ifndef ANOLE_ROLES_H
#define ANOLE_ROLES_H

#include "op/reference.h"

/* A literal: "input", "weights", "bias", "residual", "output", "workspace", "int", "local",
 * "value", "tensor"; "unknown" for what is none. */
const char *anole_role_name(uint32_t role);

/* Bytes of each tensor of a task, in the canonical layout; 0: absent. */
struct anole_task_sizes {
    size_t element;                 /* bytes of an element, of all tensors alike */
    size_t bytes[ANOLE_ROLE_COUNT]; /* by role; WORKSPACE: 0, it is the kernel's */
};

void anole_task_sizes(struct anole_task_sizes *sizes, const struct anole_task *task);

/* Bytes of what a kernel of the task finds under a role: of its weights as it packs
 * them, of its workspace, and of the task's tensors; 0: absent. */
size_t anole_role_bytes(const struct anole_task_sizes *sizes, const struct anole_kernel *kernel,
                        uint32_t role);

/* What a tensor holds before a run; NULL: nothing that matters, or it is absent. */
const void *anole_role_data(const struct anole_task_data *data, uint32_t role);

#endif
