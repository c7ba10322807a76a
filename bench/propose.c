/* SPDX-License-Identifier: MIT
 *
 * How long the learning half takes to propose a batch: fit the model, explore,
 * sample, in design spaces of about 10^4, 10^6 and 10^9 points, with as many trials
 * behind it as a task gets.  No device is involved.
 *
 * anole-bench-propose [EXPLORER [SAMPLER]]
 */
#include "base/clock.h"
#include "base/statistics.h"
#include "search/search.h"
#include "space/feature.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIALS 400
#define BATCH 8

static const int64_t powers[] = {1, 2, 4, 8, 16, 32, 64, 128};

/* `knobs` knobs of eight values, two constraints that a third of all configs
 * meet. */
static struct anole_space *make_space(size_t knobs)
{
    struct anole_space *space = NULL;
    struct anole_error error = {0};
    enum anole_status status = anole_space_create(&space, &error);
    for (size_t i = 0; status == ANOLE_DONE && i < knobs; i++) {
        char name[8];
        snprintf(name, sizeof name, "k%zu", i);
        status = anole_space_add_knob(space, name, false, powers, NULL, 8, 3, &error);
    }
    if (status == ANOLE_DONE)
        status = anole_space_add_constraint(space, "k0 * k1 <= 1024", "a tile fits", &error);
    if (status == ANOLE_DONE)
        status = anole_space_add_constraint(space, "k2 * k3 * k4 <= 4096", "registers fit", &error);
    if (status == ANOLE_DONE)
        status = anole_space_finish(space, &error);
    if (status != ANOLE_DONE) {
        fprintf(stderr, "anole-bench-propose: %s\n", error.text);
        exit(1);
    }
    return space;
}

/* A bumpy bowl: knobs interact in pairs, and 1 % noise lies on it. */
static double seconds_of(const struct anole_space *space, uint64_t config, struct anole_rng *rng)
{
    int64_t values[ANOLE_MAX_KNOBS];
    size_t count = anole_space_knob_count(space);
    anole_space_values(space, config, values);
    double cost = 1.0;
    for (size_t i = 0; i < count; i++) {
        double a = log2((double)values[i]), b = log2((double)values[(i + 1) % count]);
        cost += 0.05 * fabs(a - 4.0) + 0.03 * fabs(a + b - 7.0);
    }
    return 1e-3 * cost * (1.0 + 0.01 * anole_rng_normal(rng));
}

/* Medians of the proposals made when trials run from 8 to TRIALS. */
static void measure(size_t knobs, const struct anole_explorer_ops *explorer,
                    const struct anole_sampler_ops *sampler)
{
    struct anole_space *space = make_space(knobs);
    struct anole_features *features = NULL;
    struct anole_trials *trials = NULL;
    struct anole_search *search = NULL;
    struct anole_search_options options = {.explorer = explorer, .sampler = sampler, .seed = 1};
    struct anole_error error = {0};
    struct anole_rng rng;
    anole_rng_init(&rng, 1);
    enum anole_status status =
        anole_features_create(&features, space, NULL, 0, NULL, NULL, 0, &error);
    if (status == ANOLE_DONE)
        status = anole_trials_create(&trials, &error);
    if (status == ANOLE_DONE)
        status = anole_search_create(&search, space, features, trials, &options, &error);
    double times[TRIALS];
    size_t proposals = 0, count = 1;
    double last = 0.0;
    while (status == ANOLE_DONE && anole_trials_count(trials) < TRIALS && count > 0) {
        uint64_t configs[BATCH];
        double start = anole_clock();
        status = anole_search_next(search, BATCH, configs, BATCH, &count, &error);
        last = anole_clock() - start;
        times[proposals++] = last;
        for (size_t i = 0; status == ANOLE_DONE && i < count; i++) {
            struct anole_result result = {.outcome = ANOLE_OUTCOME_OK, .samples = 1};
            result.seconds = result.low = result.high = seconds_of(space, configs[i], &rng);
            status = anole_trials_add(trials, configs[i], &result, &error);
        }
    }
    if (status != ANOLE_DONE) {
        fprintf(stderr, "anole-bench-propose: %s\n", error.text);
        exit(1);
    }
    struct anole_summary summary;
    anole_summarise(&summary, times, proposals);
    printf("%-14s %-10s %9.2g points  median %6.2f ms  at %d trials %6.2f ms  best %.3f ms\n",
           explorer->name, sampler->name, (double)anole_space_size(space), 1e3 * summary.median,
           TRIALS, 1e3 * last, 1e3 * anole_trials_best(trials)->result.seconds);
    anole_search_destroy(search);
    anole_trials_destroy(trials);
    anole_features_destroy(features);
    anole_space_destroy(space);
}

int main(int argc, char **argv)
{
    struct anole_error error = {0};
    const struct anole_explorer_ops *explorer = anole_explorers()[0];
    const struct anole_sampler_ops *sampler = anole_samplers()[0];
    if (argc > 1 && anole_explorer_find(&explorer, argv[1], &error) != ANOLE_DONE) {
        fprintf(stderr, "anole-bench-propose: %s\n", error.text);
        return 2;
    }
    if (argc > 2 && anole_sampler_find(&sampler, argv[2], &error) != ANOLE_DONE) {
        fprintf(stderr, "anole-bench-propose: %s\n", error.text);
        return 2;
    }
    measure(5, explorer, sampler);  /* 8^5 = 3 x 10^4, of which 10^4 are valid: all are scored */
    measure(7, explorer, sampler);  /* 8^7 = 2 x 10^6 */
    measure(10, explorer, sampler); /* 8^10 = 10^9 */
    return 0;
}
