/* SPDX-License-Identifier: MIT */
#include "algorithms.h"
#include "generator.h"
#include "space.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct cpu_generator *const generators[] = {
    &cpu_conv_direct, &cpu_conv_grouped, &cpu_pointwise, &cpu_winograd, &cpu_depthwise, &cpu_dense,
};

uint32_t cpu_generators_for(const struct anole_device *device, const struct anole_task *task,
                            const struct cpu_generator *found[CPU_MAX_GENERATORS],
                            uint32_t *preferred)
{
    uint32_t count = 0;
    int highest = 0;
    for (size_t i = 0; i < sizeof generators / sizeof *generators; i++) {
        int rank = generators[i]->supports(device, task);
        if (rank <= 0 || count == CPU_MAX_GENERATORS)
            continue;
        if (rank > highest) {
            highest = rank;
            *preferred = count;
        }
        found[count++] = generators[i];
    }
    return count;
}

static int __attribute__((format(printf, 3, 4)))
say(struct anole_message *message, int status, const char *format, ...)
{
    if (message) {
        va_list args;
        va_start(args, format);
        vsnprintf(message->text, sizeof message->text, format, args);
        va_end(args);
    }
    return status;
}

int cpu_supports(const struct anole_device *device, const struct anole_task *task)
{
    const struct cpu_generator *found[CPU_MAX_GENERATORS];
    uint32_t preferred;
    return cpu_generators_for(device, task, found, &preferred) > 0;
}

/* ----------------------------------------------------------- design space */

static int add_algorithm_knob(struct anole_space_builder *builder,
                              const struct cpu_generator *const *found, uint32_t count,
                              uint32_t preferred)
{
    int64_t values[CPU_MAX_GENERATORS];
    const char *labels[CPU_MAX_GENERATORS];
    for (uint32_t i = 0; i < count; i++) {
        values[i] = i;
        labels[i] = found[i]->name;
    }
    struct anole_knob knob = {.size = sizeof knob,
                              .kind = ANOLE_KNOB_CATEGORICAL,
                              .name = "algorithm",
                              .values = values,
                              .count = count,
                              .default_index = preferred,
                              .labels = labels};
    return builder->knob(builder, &knob);
}

int cpu_space(const struct anole_device *device, const struct anole_task *task,
              struct anole_space_builder *builder, struct anole_message *message)
{
    const struct cpu_generator *found[CPU_MAX_GENERATORS];
    uint32_t preferred = 0;
    uint32_t count = cpu_generators_for(device, task, found, &preferred);
    if (!count)
        return say(message, ANOLE_UNSUPPORTED, "The CPU backend has no kernel for this task.");

    int status = count > 1 ? add_algorithm_knob(builder, found, count, preferred) : ANOLE_OK;
    for (int phase = CPU_SPACE_KNOBS; phase <= CPU_SPACE_CONSTRAINTS; phase++) {
        for (uint32_t i = 0; i < count && !status; i++) {
            struct cpu_space space = {.builder = builder,
                                      .phase = phase,
                                      .several = count > 1,
                                      .chosen = i == preferred,
                                      .algorithm = i};
            found[i]->space(device, task, &space);
            status = space.status;
            if (!status && space.knob_count != found[i]->knob_count)
                status = say(message, ANOLE_BAD_REQUEST,
                             "Generator %s declares %u knobs but says that it has %u.",
                             found[i]->name, space.knob_count, found[i]->knob_count);
        }
    }
    return status;
}

/* The generator of a config, and where its values begin; NULL if the config does
 * not fit the task's space. */
static const struct cpu_generator *chosen_by(const struct anole_device *device,
                                             const struct anole_task *task, const int64_t **values,
                                             uint32_t count)
{
    const struct cpu_generator *found[CPU_MAX_GENERATORS];
    uint32_t preferred, knobs = 0, chosen = 0;
    uint32_t found_count = cpu_generators_for(device, task, found, &preferred);

    if (found_count > 1) {
        if (count < 1 || (*values)[0] < 0 || (*values)[0] >= found_count)
            return NULL;
        chosen = (uint32_t)(*values)[0];
        knobs = 1;
    }
    const int64_t *own = NULL;
    for (uint32_t i = 0; i < found_count; i++) {
        if (i == chosen)
            own = *values + knobs;
        knobs += found[i]->knob_count;
    }
    if (!own || count != knobs)
        return NULL;
    *values = own;
    return found[chosen];
}

int cpu_valid(const struct anole_device *device, const struct anole_task *task,
              const int64_t *values, uint32_t count)
{
    const struct cpu_generator *generator = chosen_by(device, task, &values, count);
    return generator && (!generator->valid || generator->valid(device, task, values));
}

/* ---------------------------------------------------------------- features */

static const char *const feature_names[] = {
    "operations", "accumulators", "registers", "vector_width", "loads",   "inner_length",
    "l1_bytes",   "l2_bytes",     "traffic",   "groups",       "balance", "code",
};

#define FEATURES (sizeof feature_names / sizeof *feature_names)
_Static_assert(sizeof(struct cpu_features) == FEATURES * sizeof(double), "a name for each feature");

uint32_t cpu_features(const struct anole_device *device, const struct anole_task *task,
                      const int64_t *values, uint32_t count, double *out)
{
    if (!out)
        return FEATURES;
    struct cpu_features features = {0};
    const struct cpu_generator *generator = chosen_by(device, task, &values, count);
    if (generator && generator->features)
        generator->features(device, task, values, &features);
    memcpy(out, &features, sizeof features);
    return FEATURES;
}

const char *cpu_feature_name(uint32_t task_kind, uint32_t i)
{
    (void)task_kind;
    return i < FEATURES ? feature_names[i] : NULL;
}

/* ----------------------------------------------------------------- kernel */

static int refuse_config(struct anole_message *message, uint32_t count)
{
    return say(message, ANOLE_BAD_REQUEST,
               "The config (%u values) does not belong to the design space of this task.", count);
}

int cpu_generate(const struct anole_device *device, const struct anole_task *task,
                 const int64_t *values, uint32_t count, struct anole_kernel_builder *builder,
                 struct anole_message *message)
{
    const struct cpu_generator *generator = chosen_by(device, task, &values, count);
    if (!generator)
        return refuse_config(message, count);
    struct cpu_emit emit = {.builder = builder};
    generator->generate(device, task, values, &emit);
    return emit.status;
}

int cpu_pack(const struct anole_device *device, const struct anole_task *task,
             const int64_t *values, uint32_t count, const void *weights, size_t weights_bytes,
             void *packed, size_t packed_bytes, struct anole_message *message)
{
    const struct cpu_generator *generator = chosen_by(device, task, &values, count);
    if (!generator)
        return refuse_config(message, count);
    if (generator->pack)
        generator->pack(device, task, values, weights, packed, packed_bytes);
    else
        memcpy(packed, weights, weights_bytes < packed_bytes ? weights_bytes : packed_bytes);
    return ANOLE_OK;
}
