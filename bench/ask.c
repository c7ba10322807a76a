/* SPDX-License-Identifier: MIT
 *
 * What it costs that a backend's pure ops are asked in a process of their own: a space made, its
 * features, and a search of 400 trials whose times are made up, with that process and, right
 * after, without.  Processor time counts, of all processes, for it says the same on a busy machine.
 *
 * anole-bench-ask DEVICE TASK
 */
#include "base/clock.h"
#include "devices/selection.h"
#include "plugin/generator.h"
#include "search/search.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#define TRIALS 400
#define BATCH 8
#define ROWS 20000

static double processor_time(int who)
{
    struct rusage usage;
    getrusage(who, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static enum anole_status search(const struct anole_generator *generator, struct anole_error *error)
{
    struct anole_trials *trials = NULL;
    struct anole_search *search = NULL;
    const struct anole_search_options options = {
        .explorer = anole_explorers()[0], .sampler = anole_samplers()[0], .seed = 1};
    size_t count = 1;
    enum anole_status status = anole_trials_create(&trials, error);
    if (status == ANOLE_DONE)
        status = anole_search_create(&search, anole_generator_space(generator),
                                     anole_generator_features(generator), trials, &options, error);
    while (status == ANOLE_DONE && anole_trials_count(trials) < TRIALS && count > 0) {
        uint64_t configs[BATCH];
        status = anole_search_next(search, BATCH, configs, BATCH, &count, error);
        for (size_t i = 0; status == ANOLE_DONE && i < count; i++) {
            struct anole_result result = {.outcome = ANOLE_OUTCOME_OK, .samples = 1};
            result.seconds = result.low = result.high =
                1e-3 * (1.5 + sin((double)(configs[i] % 1009)));
            status = anole_trials_add(trials, configs[i], &result, error);
        }
    }
    anole_search_destroy(search);
    anole_trials_destroy(trials);
    return status;
}

/* Microseconds of wall time for the features of a config. */
static double time_rows(const struct anole_generator *generator)
{
    const struct anole_features *features = anole_generator_features(generator);
    float *row = calloc(anole_features_count(features), sizeof *row);
    uint64_t config = anole_space_default(anole_generator_space(generator));
    double start = anole_clock();
    for (int i = 0; row && i < ROWS; i++)
        anole_features_row(features, config, row);
    free(row);
    return 1e6 * (anole_clock() - start) / ROWS;
}

static enum anole_status turn(struct anole_backend *backend, const struct anole_device *device,
                              const struct anole_task *task, struct anole_error *error)
{
    const char *where = backend->elsewhere ? "elsewhere" : "here";
    struct anole_generator *generator = NULL;
    double start = anole_clock();
    double own = processor_time(RUSAGE_SELF), others = processor_time(RUSAGE_CHILDREN);
    enum anole_status status = anole_generator_create(&generator, backend, device, task, error);
    double made = anole_clock() - start, row = status == ANOLE_DONE ? time_rows(generator) : 0.0;
    double searched = anole_clock();
    if (status == ANOLE_DONE)
        status = search(generator, error);
    if (status == ANOLE_DONE)
        status = anole_generator_trouble(generator, error);
    searched = anole_clock() - searched;
    anole_generator_destroy(generator);
    anole_backend_ask_here(backend); /* only then its time is known */
    own = processor_time(RUSAGE_SELF) - own;
    others = processor_time(RUSAGE_CHILDREN) - others;
    if (status == ANOLE_DONE)
        printf("%-9s space %6.1f ms  features %5.2f us a config  search %7.1f ms  processor time "
               "%.2f s + %.2f s of the other process\n",
               where, 1e3 * made, row, 1e3 * searched, own, others);
    return status;
}

int main(int argc, char **argv)
{
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_registry *registry = NULL;
    const struct anole_registry_device *device = NULL;
    struct anole_task task;
    if (argc != 3) {
        fputs("Usage: anole-bench-ask DEVICE TASK\n", stderr);
        return 2;
    }
    enum anole_status status = anole_task_parse_key(&task, argv[2], &error);
    if (status == ANOLE_DONE)
        status = anole_registry_create(&registry, 0, &error);
    if (status == ANOLE_DONE)
        status = anole_registry_find(&device, registry, argv[1], &error);
    for (int i = 0; i < 2 && status == ANOLE_DONE; i++)
        status = turn(registry->entries[device->backend].backend, &device->device, &task, &error);
    if (status != ANOLE_DONE)
        fprintf(stderr, "anole-bench-ask: %s\n", error.text);
    anole_registry_destroy(registry);
    return status == ANOLE_DONE ? 0 : 1;
}
