/* SPDX-License-Identifier: MIT
 *
 * The kernel that a backend generates for a task and the values of its knobs, checked and
 * completed; and its weights, as it reads them.
 */
#ifndef ANOLE_KERNEL_H
#define ANOLE_KERNEL_H

#include "op/task.h"
#include "plugin/backend.h"

/* A generated kernel; owns everything it points to. */
struct anole_generated {
    struct anole_kernel kernel; /* as anole/plugin.h has it */
    /* Of source, options and launches with their arguments; where source or launches are not
     * there, of task and config as well. */
    uint64_t source_hash;
    uint64_t executable; /* of what a build is made of: source, options, kernels' names */
};

/* From the knobs' values, without a space.  ERR_INPUT if the plugin refuses the config
 * (the message is the plugin's). */
ANOLE_CHECKED enum anole_status
anole_backend_generate(struct anole_generated **generated, const struct anole_backend *backend,
                       const struct anole_device *device, const struct anole_task *task,
                       const int64_t *values, size_t count, struct anole_error *error);
ANOLE_CHECKED enum anole_status
anole_backend_pack(const struct anole_backend *backend, const struct anole_device *device,
                   const struct anole_task *task, const int64_t *values, size_t count,
                   const void *weights, size_t weights_bytes, void *packed, size_t packed_bytes,
                   struct anole_error *error);
/* A plain kernel for one operator, on tensors of its own. */
struct anole_plain {
    const char *name; /* of the operator */
    uint32_t dtype;   /* enum anole_dtype: of its first output */
    uint32_t tensor_count;
    uint32_t input_count;         /* the first ones are read, the others written */
    const uint64_t *tensor_bytes; /* [tensor_count]; 0: absent, or without elements */
    /* Hands it to the builder: arguments as struct anole_op's kernel() has them. */
    enum anole_status (*make)(void *context, struct anole_kernel_builder *builder,
                              struct anole_error *error);
    void *context;
};

/* Its launches are of ANOLE_ROLE_TENSOR alone: inputs first, then outputs.  Everything is
 * copied.  ERR_INPUT: make() has none, or the backend does not take such kernels; ERR_PLUGIN:
 * it breaks the rules. */
ANOLE_CHECKED enum anole_status anole_backend_generate_plain(struct anole_generated **generated,
                                                             const struct anole_backend *backend,
                                                             const struct anole_device *device,
                                                             const struct anole_plain *plain,
                                                             struct anole_error *error);
void anole_generated_destroy(struct anole_generated *generated);

#endif
