/* SPDX-License-Identifier: MIT
 *
 * Many seeded searches over recorded spaces, by several strategies.
 */
#ifndef BENCH_SEARCH_RUN_H
#define BENCH_SEARCH_RUN_H

#include "recorded_spaces.h"
#include "search/search.h"

struct bench_strategy {
    char label[64]; /* as on the command line */
    const struct anole_explorer_ops *explorer;
    const struct anole_sampler_ops *sampler; /* NULL: the explorer's own */
    size_t batch;                            /* 0: the explorer's own */
    bool transfers;                          /* learns from the logs of the plan's sources */
};

struct bench_plan {
    struct bench_spaces spaces;
    struct bench_spaces sources; /* spaces that logs to learn from are made in */
    struct bench_strategy *strategies;
    size_t strategy_count;
    size_t trials, repeats, processes;
    size_t batch, initial; /* 0: each explorer's own */
    size_t log_trials;     /* in a log to learn from */
    uint64_t seed;
    bool own_time; /* the explorer's processor time counts as simulated time, too */
    bool quiet;
};

/* One search. */
struct bench_run {
    double batch_seconds; /* of the processor, for a batch, on average */
    double worst_batch;   /* the longest of them */
    uint32_t batches, failed;
};

/* All of them; best and clock are [spaces][strategies][repeats][trials]. */
struct bench_runs {
    const struct bench_plan *plan;
    void *memory;
    size_t bytes;
    struct bench_run *runs; /* [spaces][strategies][repeats] */
    float *best;  /* excess: log(best so far / optimum); before any kernel ran, of the worst */
    float *clock; /* simulated time, in average trials of the space */
};

/* Runs everything, in plan->processes processes at a time. */
enum anole_status bench_run_all(struct bench_runs *runs, const struct bench_plan *plan,
                                struct anole_error *error) __attribute__((warn_unused_result));
void bench_runs_fini(struct bench_runs *runs);

static inline size_t bench_run_index(const struct bench_plan *plan, size_t space, size_t strategy,
                                     size_t repeat)
{
    return (space * plan->strategy_count + strategy) * plan->repeats + repeat;
}

#endif
