/* SPDX-License-Identifier: MIT
 *
 * A made-up problem for explorers, samplers and searches: a space whose every
 * time is known, and its optimum.
 */
#ifndef SEARCH_FIXTURE_H
#define SEARCH_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "search/model.h"
#include "space/feature.h"
#include "space/space.h"
#include "space/trials.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct problem {
    struct anole_space *space;
    struct anole_features *features;
    struct anole_trials *trials;
    struct anole_cost_model *model;
    size_t knobs;
    double failing; /* share of the configs that fail */
    double shift;   /* moves the optimum a little: makes it another, similar task */
    bool reversed;  /* what is good elsewhere is bad here */
    bool luring;    /* like the others, but that their best configs are slow */
    bool around;    /* the best position of all knobs is their default's */
};

/* `values` values for each knob, 1 to values; the last knob is categorical.
 * Configs whose first two values add up to more than values + 2 are invalid. */
static inline void problem_init_default(struct problem *problem, size_t knobs, size_t values,
                                        size_t standard)
{
    int64_t list[64];
    char text[64];
    *problem = (struct problem){.knobs = knobs};
    for (size_t v = 0; v < values; v++)
        list[v] = (int64_t)v + 1;
    assert_int_equal(anole_space_create(&problem->space, NULL), ANOLE_DONE);
    for (size_t k = 0; k < knobs; k++) {
        snprintf(text, sizeof text, "k%zu", k);
        assert_int_equal(anole_space_add_knob(problem->space, text, k > 1 && k + 1 == knobs, list,
                                              NULL, values, standard, NULL),
                         ANOLE_DONE);
    }
    if (knobs > 1) {
        snprintf(text, sizeof text, "k0 + k1 <= %zu", values + 2);
        assert_int_equal(anole_space_add_constraint(problem->space, text, "made up", NULL),
                         ANOLE_DONE);
    }
    assert_int_equal(anole_space_finish(problem->space, NULL), ANOLE_DONE);
    assert_int_equal(
        anole_features_create(&problem->features, problem->space, NULL, 0, NULL, NULL, 0, NULL),
        ANOLE_DONE);
    assert_int_equal(anole_trials_create(&problem->trials, NULL), ANOLE_DONE);
}

static inline void problem_init(struct problem *problem, size_t knobs, size_t values)
{
    problem_init_default(problem, knobs, values, 0);
}

/* The best config is the default, and that is somewhere else in each such problem: at
 * this share of every knob's values. */
static inline void problem_init_around(struct problem *problem, size_t knobs, size_t values,
                                       double position)
{
    problem_init_default(problem, knobs, values, (size_t)(position * (double)(values - 1)));
    problem->around = true;
}

static inline void problem_fini(struct problem *problem)
{
    anole_cost_model_destroy(problem->model);
    anole_trials_destroy(problem->trials);
    anole_features_destroy(problem->features);
    anole_space_destroy(problem->space);
}

/* A number in [0, 1) that depends on the config alone. */
static inline double problem_chance(uint64_t config)
{
    struct anole_rng rng;
    anole_rng_init(&rng, config);
    return anole_rng_uniform(&rng);
}

/* 1 ms at best: each knob has a best position of its own, some of them matter more,
 * and neighbouring knobs want to agree. */
static inline double problem_seconds(const struct problem *problem, uint64_t config)
{
    uint16_t digits[ANOLE_MAX_KNOBS];
    double cost = 1.0;
    double before = 0.0;
    anole_space_decode(problem->space, config, digits);
    for (size_t k = 0; k < problem->knobs; k++) {
        double last = (double)anole_space_knob(problem->space, k)->count - 1.0;
        double want = (k < 2 ? 0.4 : (double)(k % 3) * 0.3 + 0.1) + problem->shift;
        if (problem->around)
            want = (double)anole_space_knob(problem->space, k)->default_digit / fmax(last, 1.0);
        double off = fabs((last > 0 ? (double)digits[k] / last : 0.0) - want);
        cost += (double)(k % 4 + 1) * off * off + 0.5 * fabs(off - before) * off;
        before = off;
    }
    if (problem->luring && cost < 1.6)
        cost = 3.2 - cost;
    return problem->reversed ? 1e-3 / cost : 1e-3 * cost;
}

static inline void problem_measure(struct problem *problem, uint64_t config)
{
    bool fails = problem_chance(config) < problem->failing;
    double seconds = fails ? NAN : problem_seconds(problem, config);
    struct anole_result result = {
        .outcome = fails ? ANOLE_OUTCOME_COMPILE : ANOLE_OUTCOME_OK,
        .samples = 1,
        .seconds = seconds,
        .low = seconds,
        .high = seconds,
        .error = NAN,
    };
    assert_int_equal(anole_trials_add(problem->trials, config, &result, NULL), ANOLE_DONE);
}

/* Measures so many distinct random configs. */
static inline void problem_measure_random(struct problem *problem, size_t count, uint64_t seed)
{
    struct anole_rng rng;
    anole_rng_init(&rng, seed);
    while (count) {
        uint64_t config;
        if (!anole_space_sample(problem->space, &rng, &config) ||
            anole_trials_visited(problem->trials, config))
            continue;
        problem_measure(problem, config);
        count--;
    }
}

static inline void problem_fit(struct problem *problem, enum anole_cost_model_target target)
{
    struct anole_cost_model_options options = {.target = target, .seed = 1};
    anole_cost_model_destroy(problem->model);
    assert_int_equal(anole_cost_model_create(&problem->model, problem->features, &options, NULL),
                     ANOLE_DONE);
    assert_int_equal(anole_cost_model_fit(problem->model, problem->trials, NULL), ANOLE_DONE);
}

#endif
