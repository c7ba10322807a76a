/* SPDX-License-Identifier: MIT */
#include "algorithms.h"
#include "gen_family.h"
#include "generator.h"

static const struct gen_generator *const generators[] = {
    &cpu_conv_direct, &cpu_conv_grouped, &cpu_pointwise,      &cpu_winograd,
    &cpu_depthwise,   &cpu_dense,        &cpu_conv_transpose, &cpu_matmul,
};

static const char *const feature_names[] = {
    "operations", "accumulators", "registers", "vector_width", "loads",   "inner_length",
    "l1_bytes",   "l2_bytes",     "traffic",   "groups",       "balance", "code",
};

#define FEATURES (sizeof feature_names / sizeof *feature_names)
_Static_assert(sizeof(struct gen_features) == FEATURES * sizeof(double), "a name for each feature");

static const struct gen_family family = {
    .backend = "The CPU backend",
    .generators = generators,
    .generator_count = sizeof generators / sizeof *generators,
    .feature_names = feature_names,
    .feature_count = FEATURES,
};

int cpu_supports(const struct anole_device *device, const struct anole_task *task)
{
    return gen_family_supports(&family, device, task);
}

int cpu_space(const struct anole_device *device, const struct anole_task *task,
              struct anole_space_builder *builder, struct anole_message *message)
{
    return gen_family_space(&family, device, task, builder, message);
}

int cpu_valid(const struct anole_device *device, const struct anole_task *task,
              const int64_t *values, uint32_t count)
{
    return gen_family_valid(&family, device, task, values, count);
}

uint32_t cpu_features(const struct anole_device *device, const struct anole_task *task,
                      const int64_t *values, uint32_t count, double *out)
{
    return gen_family_features(&family, device, task, values, count, out);
}

const char *cpu_feature_name(uint32_t task_kind, uint32_t i)
{
    (void)task_kind;
    return i < FEATURES ? feature_names[i] : NULL;
}

int cpu_generate(const struct anole_device *device, const struct anole_task *task,
                 const int64_t *values, uint32_t count, struct anole_kernel_builder *builder,
                 struct anole_message *message)
{
    return gen_family_generate(&family, device, task, values, count, builder, message);
}

int cpu_pack(const struct anole_device *device, const struct anole_task *task,
             const int64_t *values, uint32_t count, const void *weights, size_t weights_bytes,
             void *packed, size_t packed_bytes, struct anole_message *message)
{
    return gen_family_pack(&family, device, task, values, count, weights, weights_bytes, packed,
                           packed_bytes, message);
}
