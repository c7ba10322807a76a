/* SPDX-License-Identifier: MIT */
#include "gen_family.h"
#include "gen_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

uint32_t gen_family_for(const struct gen_family *family, const struct anole_device *device,
                        const struct anole_task *task,
                        const struct gen_generator *found[GEN_MAX_GENERATORS], uint32_t *preferred)
{
    uint32_t count = 0;
    int highest = 0;
    for (uint32_t i = 0; i < family->generator_count; i++) {
        int rank = family->generators[i]->supports(device, task);
        if (rank <= 0 || count == GEN_MAX_GENERATORS)
            continue;
        if (rank > highest) {
            highest = rank;
            *preferred = count;
        }
        found[count++] = family->generators[i];
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

int gen_family_supports(const struct gen_family *family, const struct anole_device *device,
                        const struct anole_task *task)
{
    const struct gen_generator *found[GEN_MAX_GENERATORS];
    uint32_t preferred;
    /* A kernel that comes with its task needs no generator. */
    if (task->kind == ANOLE_TASK_CUSTOM || task->kind == ANOLE_TASK_OPERATOR)
        return task->size >= offsetof(struct anole_task, custom) + sizeof task->custom &&
               task->custom && task->custom->language == ANOLE_OPENCL_C;
    return gen_family_for(family, device, task, found, &preferred) > 0;
}

/* ----------------------------------------------------------- design space */

static int add_algorithm_knob(struct anole_space_builder *builder,
                              const struct gen_generator *const *found, uint32_t count,
                              uint32_t preferred)
{
    int64_t values[GEN_MAX_GENERATORS];
    const char *labels[GEN_MAX_GENERATORS];
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

/* The generator that uses found[owner]'s knobs as well, or `count`. */
static uint32_t sharer_of(const struct gen_generator *const *found, uint32_t count, uint32_t owner)
{
    uint32_t i = 0;
    while (i < count && found[i]->shares != found[owner])
        i++;
    return i;
}

/* One generator's part of the space, in one phase. */
static int declare(const struct anole_device *device, const struct anole_task *task,
                   const struct gen_generator *const *found, uint32_t at, struct gen_space *space,
                   struct anole_message *message)
{
    space->generator = found[at];
    space->algorithm = at;
    space->knob_count = 0;
    found[at]->space(device, task, space);
    if (!space->status && space->knob_count != found[at]->knob_count)
        return say(message, ANOLE_BAD_REQUEST,
                   "Generator %s declares %u knobs but says that it has %u.", found[at]->name,
                   space->knob_count, found[at]->knob_count);
    return space->status;
}

int gen_family_space(const struct gen_family *family, const struct anole_device *device,
                     const struct anole_task *task, struct anole_space_builder *builder,
                     struct anole_message *message)
{
    const struct gen_generator *found[GEN_MAX_GENERATORS];
    int64_t preferences[GEN_MAX_KNOBS];
    uint32_t preferred = 0;
    uint32_t count = gen_family_for(family, device, task, found, &preferred);
    if (!count)
        return task->dtype != ANOLE_F32
                   ? say(message, ANOLE_UNSUPPORTED,
                         "%s has no %s kernel for this task on this device: tune it in fp32 "
                         "here, or on another device.",
                         family->backend, task->dtype == ANOLE_F16 ? "fp16" : "tf32")
                   : say(message, ANOLE_UNSUPPORTED, "%s has no kernel for this task.",
                         family->backend);

    struct gen_space first = {.builder = builder,
                              .phase = GEN_SPACE_PREFERENCES,
                              .several = count > 1,
                              .preferences = preferences};
    int status = ANOLE_OK;
    if (found[preferred]->shares)
        status = declare(device, task, found, preferred, &first, message);
    if (!status && count > 1)
        status = add_algorithm_knob(builder, found, count, preferred);
    for (int phase = GEN_SPACE_KNOBS; phase <= GEN_SPACE_CONSTRAINTS; phase++) {
        for (uint32_t i = 0; i < count && !status; i++) {
            const uint32_t sharer = sharer_of(found, count, i);
            struct gen_space space = {.builder = builder,
                                      .phase = phase,
                                      .several = count > 1,
                                      .chosen = i == preferred,
                                      .sharer = sharer};
            if (sharer < count)
                space.sharer_count = found[sharer]->shared_count;
            if (sharer == preferred) {
                space.preferences = preferences;
                space.preference_count = first.preference_count;
            }
            status = declare(device, task, found, i, &space, message);
        }
    }
    return status;
}

/* The generator of a config, and its values: those in *values, or, if it shares some,
 * put together in `own`.  NULL if the config does not fit the task's space. */
static const struct gen_generator *chosen_by(const struct gen_family *family,
                                             const struct anole_device *device,
                                             const struct anole_task *task, const int64_t **values,
                                             uint32_t count, int64_t own[GEN_MAX_KNOBS])
{
    const struct gen_generator *found[GEN_MAX_GENERATORS];
    const int64_t *begin = NULL, *shared = NULL;
    uint32_t preferred, knobs = 0, chosen = 0;
    uint32_t found_count = gen_family_for(family, device, task, found, &preferred);

    if (found_count > 1) {
        if (count < 1 || (*values)[0] < 0 || (*values)[0] >= found_count)
            return NULL;
        chosen = (uint32_t)(*values)[0];
        knobs = 1;
    }
    for (uint32_t i = 0; i < found_count; i++) {
        if (i == chosen)
            begin = *values + knobs;
        if (found[i] == found[chosen]->shares)
            shared = *values + knobs;
        knobs += found[i]->knob_count - (found_count > 1 ? found[i]->shared_count : 0);
    }
    if (!begin || count != knobs)
        return NULL;
    *values = begin;
    if (shared) {
        const uint32_t rest = found[chosen]->knob_count - found[chosen]->shared_count;
        memcpy(own, begin, rest * sizeof *own);
        memcpy(own + rest, shared, found[chosen]->shared_count * sizeof *own);
        *values = own;
    }
    return found[chosen];
}

int gen_family_valid(const struct gen_family *family, const struct anole_device *device,
                     const struct anole_task *task, const int64_t *values, uint32_t count)
{
    int64_t own[GEN_MAX_KNOBS];
    const struct gen_generator *generator = chosen_by(family, device, task, &values, count, own);
    return generator && (!generator->valid || generator->valid(device, task, values));
}

/* ------------------------------------------------------------------ config
 *
 * Whether a config's values are ones that its knobs have.  They may come from a
 * file: the history of another version, or a lock file that someone edited. */

/* A builder that takes down nothing, and compares. */
struct comparison {
    struct anole_space_builder builder;
    const int64_t *values;
    uint32_t count, at;
    char foreign[64]; /* the first knob without the value; "": none */
    int64_t value;
};

static int compare_knob(struct anole_space_builder *builder, const struct anole_knob *knob)
{
    struct comparison *comparison = builder->host;
    uint32_t at = comparison->at++;
    if (at >= comparison->count || comparison->foreign[0])
        return ANOLE_OK;
    for (uint32_t i = 0; i < knob->count; i++)
        if (knob->values[i] == comparison->values[at])
            return ANOLE_OK;
    snprintf(comparison->foreign, sizeof comparison->foreign, "%s", knob->name);
    comparison->value = comparison->values[at];
    return ANOLE_OK;
}

static int pass_constraint(struct anole_space_builder *builder, const char *expression,
                           const char *why)
{
    (void)builder;
    (void)expression;
    (void)why;
    return ANOLE_OK;
}

int gen_family_check(const struct gen_family *family, const struct anole_device *device,
                     const struct anole_task *task, const int64_t *values, uint32_t count,
                     struct anole_message *message)
{
    struct comparison comparison = {.values = values, .count = count};
    comparison.builder = (struct anole_space_builder){.size = sizeof comparison.builder,
                                                      .host = &comparison,
                                                      .knob = compare_knob,
                                                      .constraint = pass_constraint};
    int status = gen_family_space(family, device, task, &comparison.builder, message);
    if (status)
        return status;
    if (comparison.at != count)
        snprintf(message->text, sizeof message->text,
                 "The config has %u values, the design space of this task %u knobs.", count,
                 comparison.at);
    else if (comparison.foreign[0])
        snprintf(message->text, sizeof message->text,
                 "The config has %s=%lld, which is not among the values of this knob.",
                 comparison.foreign, (long long)comparison.value);
    else
        return ANOLE_OK;
    return ANOLE_BAD_REQUEST;
}

/* ---------------------------------------------------------------- features */

uint32_t gen_family_features(const struct gen_family *family, const struct anole_device *device,
                             const struct anole_task *task, const int64_t *values, uint32_t count,
                             double *out)
{
    int64_t own[GEN_MAX_KNOBS];
    if (!out)
        return family->feature_count;
    for (uint32_t i = 0; i < family->feature_count; i++)
        out[i] = 0;
    const struct gen_generator *generator = chosen_by(family, device, task, &values, count, own);
    if (generator && generator->features)
        generator->features(device, task, values, (struct gen_features *)out);
    return family->feature_count;
}

/* ----------------------------------------------------------------- kernel */

static int refuse_config(struct anole_message *message, uint32_t count)
{
    return say(message, ANOLE_BAD_REQUEST,
               "The config (%u values) does not belong to the design space of this task.", count);
}

int gen_family_generate(const struct gen_family *family, const struct anole_device *device,
                        const struct anole_task *task, const int64_t *values, uint32_t count,
                        struct anole_kernel_builder *builder, struct anole_message *message)
{
    int64_t own[GEN_MAX_KNOBS];
    int code = gen_family_check(family, device, task, values, count, message);
    if (code)
        return code;
    const struct gen_generator *generator = chosen_by(family, device, task, &values, count, own);
    if (!generator)
        return refuse_config(message, count);
    struct gen_emit emit = {.builder = builder};
    generator->generate(device, task, values, &emit);
    return emit.status;
}

int gen_family_pack(const struct gen_family *family, const struct anole_device *device,
                    const struct anole_task *task, const int64_t *values, uint32_t count,
                    const void *weights, size_t weights_bytes, void *packed, size_t packed_bytes,
                    struct anole_message *message)
{
    int64_t own[GEN_MAX_KNOBS];
    const struct gen_generator *generator = chosen_by(family, device, task, &values, count, own);
    if (!generator)
        return refuse_config(message, count);
    if (generator->pack)
        generator->pack(device, task, values, weights, packed, packed_bytes);
    else
        memcpy(packed, weights, weights_bytes < packed_bytes ? weights_bytes : packed_bytes);
    return ANOLE_OK;
}
