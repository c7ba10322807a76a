/* SPDX-License-Identifier: MIT
 *
 * The parts of anole-bench-large: search in design spaces too large to be measured
 * whole.  Their results come from surrogates, fitted to trials of real kernels.
 *
 *   large.c          options, and tables
 *   large_run.c      many seeded searches, on all cores
 *   large_world.c    spaces, trials and surrogates
 *   large_collect.c  (a program of its own) takes the trials out of histories
 *
 * A file of trials is text, one item a line:
 *
 *   anole-trials 1
 *   task conv2d n1 56x56x64 ...     what was tuned: anole_task_key()
 *   device AMD EPYC                 where
 *   facts x x x ...                 about the task, as numbers
 *   knob NAME ordinal|categorical DEFAULT-DIGIT value value ...
 *   constraint EXPRESSION
 *   trial digit,digit,... SECONDS NOISE    noise: standard deviation, relative
 *   trial digit,digit,... failed
 */
#ifndef ANOLE_BENCH_LARGE_H
#define ANOLE_BENCH_LARGE_H

#include "search/forest.h"
#include "search/search.h"

#include <stdio.h>

#define LARGE_MAX_WORLDS 16
#define LARGE_MAX_CONTENDERS 12

/* A design space whose every result can be had: a model of a real one. */
struct large_world {
    char task[256];
    struct anole_space *space;
    struct anole_features *features;
    struct anole_trials *real;   /* what was measured */
    struct anole_forest *forest; /* fitted to the logarithm of their times */
    float base;
    double noise;   /* of a measurement: standard deviation, relative */
    double failing; /* share of configs that fail */
    double optimum; /* seconds of the best that a long search on the model itself finds */
    double fit;     /* rank correlation of prediction and measurement, by cross-validation */
    double configs; /* valid ones */
};

enum anole_status large_world_load(struct large_world *world, const char *path,
                                   struct anole_error *error);
void large_world_fini(struct large_world *world);

/* The true time of a config, seconds; NaN if it fails. */
double large_world_seconds(const struct large_world *world, uint64_t config);

struct large_contender {
    char label[64];
    const struct anole_explorer_ops *explorer;
    const struct anole_sampler_ops *sampler; /* NULL: the explorer's own */
    bool transfer;                           /* is told the real trials of the other tasks */
};

struct large_plan {
    struct large_world *worlds;
    size_t world_count;
    struct large_contender contenders[LARGE_MAX_CONTENDERS];
    size_t contender_count;
    size_t trials, repeats, processes;
    uint64_t seed;
};

/* Both are [worlds][contenders][repeats][trials]: the true time of the best so far,
 * as the search sees it, over the optimum; and the processor seconds that the search
 * itself had taken by then. */
struct large_runs {
    const struct large_plan *plan;
    void *memory;
    size_t bytes;
    float *ratio, *spent;
};

enum anole_status large_run_all(struct large_runs *runs, const struct large_plan *plan,
                                struct anole_error *error);
void large_runs_fini(struct large_runs *runs);

static inline size_t large_run_index(const struct large_plan *plan, size_t world, size_t contender,
                                     size_t repeat)
{
    return ((world * plan->contender_count + contender) * plan->repeats + repeat) * plan->trials;
}

#endif
