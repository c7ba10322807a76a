/* SPDX-License-Identifier: MIT */
#include "bench/comparison.h"

#include "base/clock.h"
#include "bench/affinity.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define BATCH_TIME 2e-3 /* seconds */
#define WARM_TIME 5e-4  /* of untimed running before a turn: the caches hold another's data */
#define WAKE_TIME 5e-3  /* the same after a pause: cores have slept */
#define WARM_RUNS 3     /* at least: a single one does not bring all of its weights back */
#define MOST_REPEATS 256
#define MOST_SINGLES 16

struct bench_implementation *bench_comparison_add(struct bench_comparison *comparison,
                                                  const char *name)
{
    if (comparison->count == BENCH_MAX_IMPLEMENTATIONS)
        return NULL;
    struct bench_implementation *entry = &comparison->entries[comparison->count++];
    *entry = (struct bench_implementation){.error_ratio = NAN};
    snprintf(entry->name, sizeof entry->name, "%s", name);
    return entry;
}

void bench_comparison_release(struct bench_comparison *comparison)
{
    for (size_t i = 0; i < comparison->count; i++) {
        struct bench_implementation *entry = &comparison->entries[i];
        if (entry->release)
            entry->release(entry->self);
        entry->release = NULL;
        entry->self = NULL;
    }
}

void bench_comparison_fini(struct bench_comparison *comparison)
{
    bench_comparison_release(comparison);
    for (size_t i = 0; i < comparison->count; i++) {
        struct bench_implementation *entry = &comparison->entries[i];
        free(entry->batched);
        free(entry->device);
        free(entry->single);
    }
    *comparison = (struct bench_comparison){.count = 0};
}

static enum anole_status check(struct bench_implementation *entry, struct anole_error *error)
{
    double error_ratio;
    enum anole_status status = entry->check(entry->self, &error_ratio, error);
    if (status == ANOLE_DONE && !(error_ratio <= entry->error_ratio))
        entry->error_ratio = error_ratio;
    return status;
}

/* How many runs make a batch: doubled until they last long enough. */
static enum anole_status calibrate(struct bench_implementation *entry, struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    double host = 0.0, device;
    entry->repeats = 1;
    for (int i = 0; status == ANOLE_DONE && i < 14; i++) {
        status = entry->run(entry->self, entry->repeats, &host, &device, error);
        if (host * entry->repeats >= 0.6 * BATCH_TIME || entry->repeats >= MOST_REPEATS)
            break;
        /* No leaps: what took long only once must not look so for good. */
        double wanted = fmin(ceil(BATCH_TIME / fmax(host, 1e-7)), 4.0 * entry->repeats);
        entry->repeats = (uint32_t)fmin(fmax(wanted, entry->repeats + 1.0), MOST_REPEATS);
    }
    return status;
}

static enum anole_status warm_up(struct bench_implementation *entry, double seconds,
                                 struct anole_error *error)
{
    double begin = anole_clock(), host, device;
    enum anole_status status;
    uint32_t few = (entry->repeats + 3) / 4, runs = 0;
    do {
        status = entry->run(entry->self, few, &host, &device, error);
        runs += few;
    } while (status == ANOLE_DONE && (runs < WARM_RUNS || anole_clock() - begin < seconds));
    return status;
}

static enum anole_status take_turn(struct bench_implementation *entry, size_t round, double warm,
                                   struct anole_error *error)
{
    enum anole_status status = warm_up(entry, warm, error);
    if (status == ANOLE_DONE)
        status = entry->run(entry->self, entry->repeats, &entry->batched[round],
                            &entry->device[round], error);
    uint32_t singles = entry->repeats < MOST_SINGLES ? entry->repeats : MOST_SINGLES;
    double sum = 0.0, host = 0.0, device;
    for (uint32_t i = 0; status == ANOLE_DONE && i < singles; i++) {
        status = entry->run(entry->self, 1, &host, &device, error);
        sum += host;
    }
    entry->single[round] = sum / singles;
    return status;
}

static enum anole_status prepare(struct bench_comparison *comparison, struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    for (size_t i = 0; status == ANOLE_DONE && i < comparison->count; i++) {
        struct bench_implementation *entry = &comparison->entries[i];
        entry->batched = calloc(comparison->rounds, sizeof *entry->batched);
        entry->device = calloc(comparison->rounds, sizeof *entry->device);
        entry->single = calloc(comparison->rounds, sizeof *entry->single);
        if (!entry->batched || !entry->device || !entry->single)
            return anole_fail_memory(error);
        status = check(entry, error);
        if (status == ANOLE_DONE)
            status = calibrate(entry, error);
    }
    return status;
}

enum anole_status bench_comparison_run(struct bench_comparison *comparison, size_t rounds,
                                       bool (*stop)(void *), struct anole_error *error)
{
    comparison->rounds = rounds;
    double warm = WAKE_TIME;
    enum anole_status status = prepare(comparison, error);
    for (size_t round = 0; status == ANOLE_DONE && round < rounds; round++) {
        for (size_t i = 0; status == ANOLE_DONE && i < comparison->count; i++) {
            /* Who follows whom changes, and is turned round every other time: what one leaves
             * behind disturbs each in turn. */
            size_t turn = round % 2 ? comparison->count - 1 - i : i;
            struct bench_implementation *entry =
                &comparison->entries[(turn + round / 2) % comparison->count];
            status = take_turn(entry, round, warm, error);
            warm = entry->spins ? WAKE_TIME : WARM_TIME;
            if (entry->spins)
                bench_threads_settle();
        }
        if (status == ANOLE_DONE && stop && stop(NULL))
            status = anole_fail(error, ANOLE_ERR_INTERRUPTED, "interrupted");
    }
    for (size_t i = 0; status == ANOLE_DONE && i < comparison->count; i++)
        status = check(&comparison->entries[i], error);
    return status;
}
