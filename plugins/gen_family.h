/* SPDX-License-Identifier: MIT
 *
 * The kernel generators of a backend as one: their common design space, and the
 * generate group of a plugin's ops.  See gen.h for what a generator is.
 *
 * Everything here is pure: no global state, no device, any thread.
 */
#ifndef ANOLE_GEN_FAMILY_H
#define ANOLE_GEN_FAMILY_H

#include "gen.h"

/* The generators of a backend. */
struct gen_family {
    const char *backend; /* its name in messages: "The CPU backend" */
    const struct gen_generator *const *generators;
    uint32_t generator_count;
    const char *const *feature_names; /* of the doubles in struct gen_features */
    uint32_t feature_count;
};

/* Those that serve a task on a device: at most GEN_MAX_GENERATORS; returns how
 * many (0: none) and the index of the default one. */
uint32_t gen_family_for(const struct gen_family *family, const struct anole_device *device,
                        const struct anole_task *task,
                        const struct gen_generator *found[GEN_MAX_GENERATORS], uint32_t *preferred);

/* The generate group of a plugin's ops: each picks the generator that a config
 * speaks of, and asks it.  See anole/plugin.h. */
int gen_family_supports(const struct gen_family *family, const struct anole_device *device,
                        const struct anole_task *task);
int gen_family_space(const struct gen_family *family, const struct anole_device *device,
                     const struct anole_task *task, struct anole_space_builder *builder,
                     struct anole_message *message) __attribute__((warn_unused_result));
int gen_family_valid(const struct gen_family *family, const struct anole_device *device,
                     const struct anole_task *task, const int64_t *values, uint32_t count);
uint32_t gen_family_features(const struct gen_family *family, const struct anole_device *device,
                             const struct anole_task *task, const int64_t *values, uint32_t count,
                             double *out);
/* BAD_REQUEST if these are not values of the task's knobs. */
int gen_family_check(const struct gen_family *family, const struct anole_device *device,
                     const struct anole_task *task, const int64_t *values, uint32_t count,
                     struct anole_message *message) __attribute__((warn_unused_result));
int gen_family_generate(const struct gen_family *family, const struct anole_device *device,
                        const struct anole_task *task, const int64_t *values, uint32_t count,
                        struct anole_kernel_builder *builder, struct anole_message *message)
    __attribute__((warn_unused_result));
int gen_family_pack(const struct gen_family *family, const struct anole_device *device,
                    const struct anole_task *task, const int64_t *values, uint32_t count,
                    const void *weights, size_t weights_bytes, void *packed, size_t packed_bytes,
                    struct anole_message *message) __attribute__((warn_unused_result));

#endif
