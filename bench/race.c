/* SPDX-License-Identifier: MIT
 *
 * Times what several lock files hold for one task in turn, A B C A B C: whose kernel
 * is the fastest, whatever the machine does meanwhile.
 *
 * anole-bench-race [--device D] [--threads N] [--seconds T] LOCKFILE...
 *
 * The task is the first lock file's only one.  One line a file, on stdout: its path,
 * then seconds of one run in each round.  A config that several files name is timed
 * once for all of them.  N is what they were tuned with (0, the default: all cores).
 */
#include "base/text.h"
#include "cli/interrupt.h"
#include "measure/measure.h"
#include "program/tuned.h"
#include "measure/compare.h"
#include "devices/selection.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_LOCKS 256
#define MOST_CONFIGS 32 /* of anole_measure_compare() */
#define LEAST_ROUNDS 10
#define DEFAULT_SECONDS 20.0

struct race {
    struct anole_registry *registry;
    const struct anole_registry_device *device;
    struct anole_generator *generator;
    char task[ANOLE_TASK_KEY];
    uint32_t threads;
    uint64_t configs[MOST_CONFIGS];
    size_t count;
    size_t place[MOST_LOCKS]; /* of each lock file's config among these */
};

/* The task and space of the race are those of the first file. */
static enum anole_status set_task(struct race *race, const struct anole_lock_device *locked,
                                  const char *path, struct anole_error *error)
{
    struct anole_task task;
    if (locked->task_count != 1)
        return anole_fail(error, ANOLE_ERR_INPUT, "%s: expected one task, found %zu", path,
                          locked->task_count);
    snprintf(race->task, sizeof race->task, "%s", locked->tasks[0].task);
    enum anole_status status = anole_task_parse_key(&task, race->task, error);
    if (status != ANOLE_DONE)
        return status;
    return anole_generator_create(&race->generator,
                                  race->registry->entries[race->device->backend].backend,
                                  &race->device->device, &task, error);
}

static enum anole_status enter(struct race *race, size_t entry, uint64_t config,
                               struct anole_error *error)
{
    size_t i = 0;
    while (i < race->count && race->configs[i] != config)
        i++;
    if (i == MOST_CONFIGS)
        return anole_fail(error, ANOLE_ERR_INPUT, "more than %d different configs", MOST_CONFIGS);
    race->configs[i] = config;
    race->count += i == race->count;
    race->place[entry] = i;
    return ANOLE_DONE;
}

static enum anole_status take(struct race *race, size_t entry, const char *path,
                              struct anole_error *error)
{
    struct anole_lockfile *lockfile = NULL;
    const struct anole_lock_device *locked;
    uint64_t config;
    enum anole_status status = anole_lockfile_load(&lockfile, path, error);
    if (status == ANOLE_DONE)
        status = anole_lockfile_find(&locked, lockfile, path, race->registry, race->device,
                                     ANOLE_F32, ANOLE_ANY_THREADS, NULL, error);
    if (status == ANOLE_DONE && !race->generator)
        status = set_task(race, locked, path, error);
    if (status == ANOLE_DONE &&
        (locked->task_count != 1 || strcmp(locked->tasks[0].task, race->task) != 0 ||
         locked->threads != race->threads))
        status = anole_fail(error, ANOLE_ERR_INPUT,
                            "%s: expected the task '%s' alone, tuned with --threads %u (0: all "
                            "cores)",
                            path, race->task, race->threads);
    if (status == ANOLE_DONE)
        status = anole_lock_task_config(&config, &locked->tasks[0],
                                        anole_generator_space(race->generator), error);
    if (status == ANOLE_DONE)
        status = enter(race, entry, config, error);
    anole_lockfile_destroy(lockfile);
    return status;
}

static enum anole_status run(const struct race *race, double seconds, char **paths, size_t count,
                             struct anole_error *error)
{
    const struct anole_measure_options options = {
        .seed = 1, .threads = race->threads, .stop = anole_interrupted};
    struct anole_measure *measure = NULL;
    struct anole_result results[MOST_CONFIGS];
    double *samples = NULL;
    size_t rounds = 0;
    enum anole_status status =
        anole_measure_create(&measure, race->registry, race->device, &options, error);
    if (status == ANOLE_DONE)
        status = anole_measure_compare(measure, race->generator, race->configs, race->count,
                                       seconds, LEAST_ROUNDS, results, &samples, &rounds, error);
    for (size_t i = 0; i < race->count && status == ANOLE_DONE; i++)
        if (results[i].outcome != ANOLE_OUTCOME_OK)
            status = anole_fail(error, ANOLE_ERR_NOTHING_VALID, "a config failed: %s",
                                results[i].message);
    for (size_t i = 0; i < count && status == ANOLE_DONE; i++) {
        printf("%s", paths[i]);
        for (size_t r = 0; r < rounds; r++)
            printf("\t%.6g", samples[race->place[i] * rounds + r]);
        printf("\n");
    }
    free(samples);
    anole_measure_destroy(measure);
    return status;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"device", required_argument, NULL, 'd'},
                                            {"threads", required_argument, NULL, 't'},
                                            {"seconds", required_argument, NULL, 's'},
                                            {0}};
    struct anole_error error = {0};
    struct race race = {.registry = NULL};
    const char *device = NULL;
    double seconds = DEFAULT_SECONDS;
    enum anole_status status = ANOLE_DONE;
    uint64_t threads = 0;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1 && status == ANOLE_DONE;) {
        if (c == '?')
            return 2;
        if (c == 'd')
            device = optarg;
        else if (c == 't')
            status = anole_text_parse_u64(&threads, optarg, "--threads", 0, 4096, &error);
        else
            status = anole_text_parse_duration(&seconds, optarg, &error);
    }
    race.threads = (uint32_t)threads;
    size_t count = (size_t)(argc - optind);
    if (count == 0 || count > MOST_LOCKS) {
        fprintf(stderr, "anole-bench-race: expected 1 to %d lock files, found %zu\n", MOST_LOCKS,
                count);
        return 2;
    }
    anole_interrupt_install();
    if (status == ANOLE_DONE)
        status = anole_registry_create(&race.registry, race.threads, &error);
    if (status == ANOLE_DONE)
        status = anole_registry_find(&race.device, race.registry, device, &error);
    for (size_t i = 0; i < count && status == ANOLE_DONE; i++)
        status = take(&race, i, argv[optind + (int)i], &error);
    if (status == ANOLE_DONE)
        status = run(&race, seconds, argv + optind, count, &error);
    if (status != ANOLE_DONE)
        fprintf(stderr, "anole-bench-race: %s\n", error.text);
    anole_generator_destroy(race.generator);
    anole_registry_destroy(race.registry);
    return anole_status_exit_code(status);
}
