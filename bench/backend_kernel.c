/* SPDX-License-Identifier: MIT */
#include "bench/backend_kernel.h"
#include "plugin/generator.h"

#include <stdio.h>
#include <stdlib.h>

struct backend_kernel {
    struct anole_runner *runner;
    uint32_t slot;
};

static enum anole_status kernel_fail(struct anole_error *error, const struct anole_result *result)
{
    enum anole_status status = result->outcome == ANOLE_OUTCOME_WRONG_ANSWER
                                   ? ANOLE_ERR_WRONG_RESULT
                                   : ANOLE_ERR_NOTHING_VALID;
    return anole_fail(error, status, "%s: %s", anole_outcome_words(result->outcome),
                      result->message);
}

static enum anole_status run(void *context, uint32_t repeats, double *host, double *device,
                             struct anole_error *error)
{
    struct backend_kernel *self = context;
    struct anole_result result;
    return anole_runner_batch(self->runner, self->slot, repeats, host, device, &result)
               ? ANOLE_DONE
               : kernel_fail(error, &result);
}

static enum anole_status check(void *context, double *error_ratio, struct anole_error *error)
{
    struct backend_kernel *self = context;
    struct anole_result result;
    if (!anole_runner_prove(self->runner, self->slot, &result))
        return kernel_fail(error, &result);
    *error_ratio = result.error;
    return ANOLE_DONE;
}

/* Of all its launches; 0 where the kernel cannot be made. */
static uint32_t count_groups(const struct anole_generator *generator, uint64_t config)
{
    struct anole_generated *generated = NULL;
    uint64_t groups = 0;
    if (anole_generator_kernel(&generated, generator, config, NULL) != ANOLE_DONE)
        return 0;
    for (uint32_t i = 0; i < generated->kernel.launch_count; i++) {
        const struct anole_launch *launch = &generated->kernel.launches[i];
        uint64_t product = 1;
        for (uint32_t d = 0; d < launch->dimensions; d++)
            product *= launch->global[d] / launch->local[d];
        groups += product;
    }
    anole_generated_destroy(generated);
    return groups < UINT32_MAX ? (uint32_t)groups : UINT32_MAX;
}

enum anole_status bench_backend_kernel_add(struct bench_comparison *comparison, const char *name,
                                           struct anole_runner *runner,
                                           const struct anole_generator *generator, uint64_t config,
                                           struct anole_error *error)
{
    const struct anole_space *space = anole_generator_space(generator);
    int64_t values[ANOLE_MAX_KNOBS];
    struct anole_result result;
    uint32_t slot = (uint32_t)anole_runner_slots(runner);
    anole_space_values(space, config, values);
    enum anole_status status =
        anole_runner_load(runner, values, anole_space_knob_count(space), NULL, 0, &result, error);
    if (status == ANOLE_DONE && result.outcome != ANOLE_OUTCOME_OK)
        status = kernel_fail(error, &result);
    if (status != ANOLE_DONE)
        return status;
    struct backend_kernel *self = calloc(1, sizeof *self);
    struct bench_implementation *entry = self ? bench_comparison_add(comparison, name) : NULL;
    if (!entry) {
        free(self);
        return anole_fail_memory(error);
    }
    *self = (struct backend_kernel){runner, slot};
    anole_space_describe(space, entry->detail, sizeof entry->detail, config);
    entry->groups = count_groups(generator, config);
    entry->self = self;
    entry->run = run;
    entry->check = check;
    entry->release = free;
    return ANOLE_DONE;
}
