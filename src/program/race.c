/* SPDX-License-Identifier: MIT */
#include "program/race.h"

#include "base/clock.h"

#include <stdlib.h>

#define MOST_ROUNDS 1000

/* Samples of both, and room for their ratios. */
struct samples {
    double *of[2], *scratch;
    bool disturbed[MOST_ROUNDS];
};

static enum anole_status take_turn(double *seconds, struct anole_instance *instance,
                                   const struct anole_variant *variant, struct anole_error *error)
{
    enum anole_status status = anole_variant_run(instance, variant, NULL, NULL, error);
    return status ? status : anole_variant_run(instance, variant, NULL, seconds, error);
}

/* Who comes first changes: what a round does to the machine falls on both. */
static enum anole_status one_round(struct samples *samples, size_t round,
                                   struct anole_instance *instance,
                                   const struct anole_variant *const variants[2],
                                   struct anole_error *error)
{
    const size_t begins = round % 2;
    if (variants[0] == variants[1]) {
        enum anole_status status = take_turn(&samples->of[0][round], instance, variants[0], error);
        samples->of[1][round] = samples->of[0][round];
        return status;
    }
    enum anole_status status =
        take_turn(&samples->of[begins][round], instance, variants[begins], error);
    return status
               ? status
               : take_turn(&samples->of[1 - begins][round], instance, variants[1 - begins], error);
}

/* Keeps the rounds that were not disturbed; false, and all stay, if these are too few. */
static bool leave_out(struct samples *samples, size_t *rounds, size_t least)
{
    size_t kept = 0;
    for (size_t i = 0; i < *rounds; i++)
        kept += !samples->disturbed[i];
    if (kept < least)
        return false;
    kept = 0;
    for (size_t i = 0; i < *rounds; i++) {
        if (samples->disturbed[i])
            continue;
        samples->of[0][kept] = samples->of[0][i];
        samples->of[1][kept++] = samples->of[1][i];
    }
    *rounds = kept;
    return true;
}

enum anole_status anole_race_run(struct anole_race *race, struct anole_instance *instance,
                                 const struct anole_variant *first,
                                 const struct anole_variant *second, double deadline, size_t least,
                                 struct anole_quiet *quiet, struct anole_error *error)
{
    const struct anole_variant *const variants[2] = {first, second};
    double *memory = calloc(3 * MOST_ROUNDS, sizeof *memory);
    struct samples samples = {.of = {memory, memory + MOST_ROUNDS},
                              .scratch = memory + 2 * MOST_ROUNDS};
    enum anole_status status = ANOLE_DONE;
    size_t rounds = 0;
    if (!memory)
        return anole_fail_memory(error);
    while (status == ANOLE_DONE && rounds < MOST_ROUNDS &&
           (rounds < least || anole_clock() < deadline)) {
        anole_quiet_begin(quiet);
        status = one_round(&samples, rounds, instance, variants, error);
        samples.disturbed[rounds] = anole_quiet_end(quiet);
        rounds += status == ANOLE_DONE;
    }
    if (status == ANOLE_DONE) {
        race->disturbed = !leave_out(&samples, &rounds, least);
        race->rounds = rounds;
        anole_summarise_ratio(&race->ratio, samples.of[1], samples.of[0], rounds, samples.scratch);
        anole_summarise(&race->first, samples.of[0], rounds);
        anole_summarise(&race->second, samples.of[1], rounds);
    }
    free(memory);
    return status;
}
