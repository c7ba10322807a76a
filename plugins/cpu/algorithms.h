/* SPDX-License-Identifier: MIT
 *
 * The generate group of the plugin's ops: picks the generator that a config
 * speaks of, and asks it.  See anole/plugin.h for what each op does.
 */
#ifndef ANOLE_CPU_ALGORITHMS_H
#define ANOLE_CPU_ALGORITHMS_H

#include <anole/plugin.h>

int cpu_supports(const struct anole_device *device, const struct anole_task *task);
int cpu_space(const struct anole_device *device, const struct anole_task *task,
              struct anole_space_builder *builder, struct anole_message *message)
    __attribute__((warn_unused_result));
int cpu_valid(const struct anole_device *device, const struct anole_task *task,
              const int64_t *values, uint32_t count);
uint32_t cpu_features(const struct anole_device *device, const struct anole_task *task,
                      const int64_t *values, uint32_t count, double *out);
const char *cpu_feature_name(uint32_t task_kind, uint32_t i);
int cpu_generate(const struct anole_device *device, const struct anole_task *task,
                 const int64_t *values, uint32_t count, struct anole_kernel_builder *builder,
                 struct anole_message *message) __attribute__((warn_unused_result));
int cpu_pack(const struct anole_device *device, const struct anole_task *task,
             const int64_t *values, uint32_t count, const void *weights, size_t weights_bytes,
             void *packed, size_t packed_bytes, struct anole_message *message)
    __attribute__((warn_unused_result));

#endif
