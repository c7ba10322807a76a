/* SPDX-License-Identifier: MIT
 *
 * Takes the trials of one task out of histories, with its design space: a file for
 * anole-bench-large, on stdout.  The device must be here, for its backend describes
 * the space.
 *
 * anole-bench-collect --task KEY [--device D] HISTORY...
 */
#include "devices/selection.h"
#include "plugin/generator.h"
#include "record/history.h"
#include "space/space_private.h" /* the constraints' texts */

#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void die(const struct anole_error *error)
{
    fprintf(stderr, "anole-bench-collect: %s\n", error->text);
    exit(1);
}

static void print_facts(const struct anole_task *task)
{
    printf("facts %.4f %.4f %.4f %.4f %u %u %u %u %u %u\n", log2(task->in_h), log2(task->in_w),
           log2(task->in_c), log2(task->out_c), task->kernel_h, task->kernel_w, task->stride_h,
           task->stride_w, task->groups, task->flags);
}

static void print_space(const struct anole_space *space)
{
    for (size_t k = 0; k < anole_space_knob_count(space); k++) {
        const struct anole_space_knob *knob = anole_space_knob(space, k);
        printf("knob %s %s %" PRIu32, knob->name, knob->categorical ? "categorical" : "ordinal",
               knob->default_digit);
        for (uint32_t v = 0; v < knob->count; v++)
            printf(" %" PRId64, knob->values[v]);
        printf("\n");
    }
    for (size_t c = 0; c < space->constraint_count; c++)
        printf("constraint %s\n", space->constraints[c].text);
}

/* The standard deviation behind a 95 % interval. */
static double noise_of(const struct anole_result *result)
{
    double noise = (result->high - result->low) / (2.0 * 1.96 * result->seconds);
    return isfinite(noise) ? noise : 0.0;
}

static void print_trials(const struct anole_space *space, const struct anole_trials *trials)
{
    for (size_t i = 0; i < anole_trials_count(trials); i++) {
        const struct anole_trial *trial = anole_trials_get(trials, i);
        uint16_t digits[ANOLE_MAX_KNOBS];
        if (anole_trials_find(trials, trial->config) != trial)
            continue;
        anole_space_decode(space, trial->config, digits);
        printf("trial ");
        for (size_t k = 0; k < anole_space_knob_count(space); k++)
            printf("%s%u", k ? "," : "", digits[k]);
        if (trial->result.outcome == ANOLE_OUTCOME_OK)
            printf(" %.4g %.2g\n", trial->result.seconds, noise_of(&trial->result));
        else
            printf(" failed\n");
    }
}

/* All trials of the task in a file, whatever versions they were made with. */
static enum anole_status collect(struct anole_trials *trials, const char *path, const char *task,
                                 const struct anole_space *space, struct anole_error *error)
{
    struct anole_history *history;
    struct anole_history_found found;
    size_t next = 0;
    enum anole_status status = anole_history_open(&history, path, ANOLE_HISTORY_READ, error);
    if (status != ANOLE_DONE)
        return status;
    while (status == ANOLE_DONE && anole_history_next_key(history, &next, &found))
        if (strcmp(found.key.task, task) == 0)
            status = anole_history_collect(history, &found.key, space, trials, NULL, NULL, error);
    anole_history_close(history);
    return status;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"task", required_argument, NULL, 't'}, {"device", required_argument, NULL, 'd'}, {0}};
    const char *key = NULL, *selector = NULL;
    struct anole_error error = {0};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == '?')
            return 2;
        *(c == 't' ? &key : &selector) = optarg;
    }
    if (!key || optind == argc) {
        fprintf(stderr, "anole-bench-collect: expected --task KEY and histories\n");
        return 2;
    }
    struct anole_registry *registry = NULL;
    const struct anole_registry_device *device = NULL;
    struct anole_generator *generator = NULL;
    struct anole_trials *trials = NULL;
    struct anole_task task;
    enum anole_status status = anole_task_parse_key(&task, key, &error);
    if (status == ANOLE_DONE)
        status = anole_registry_create(&registry, 0, &error);
    if (status == ANOLE_DONE)
        status = anole_registry_find(&device, registry, selector, &error);
    if (status == ANOLE_DONE)
        status = anole_generator_create(&generator, registry->entries[device->backend].backend,
                                        &device->device, &task, &error);
    if (status == ANOLE_DONE)
        status = anole_trials_create(&trials, &error);
    for (int i = optind; i < argc && status == ANOLE_DONE; i++)
        status = collect(trials, argv[i], key, anole_generator_space(generator), &error);
    if (status != ANOLE_DONE)
        die(&error);
    printf("anole-trials 1\ntask %s\ndevice %s\n", key, device->device.name);
    print_facts(&task);
    print_space(anole_generator_space(generator));
    print_trials(anole_generator_space(generator), trials);
    anole_trials_destroy(trials);
    anole_generator_destroy(generator);
    anole_registry_destroy(registry);
    return 0;
}
