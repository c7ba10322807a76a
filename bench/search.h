/* SPDX-License-Identifier: MIT
 *
 * The parts of anole-bench-search.
 *
 *   search.c          options, and what is printed in which order
 *   search_world.c    recorded spaces, and logs to learn from
 *   search_run.c      many seeded searches, on all cores
 *   search_figures.c  what they come to: means, intervals, differences
 *   search_report.c   tables and JSON
 *   search_plot.c     curves as SVG
 */
#ifndef ANOLE_BENCH_SEARCH_H
#define ANOLE_BENCH_SEARCH_H

#include "formats/recording.h"
#include "search/search.h"

#include <stdio.h>

/* ------------------------------------------------------------------ worlds */

/* A space whose every result is known. */
struct bench_world {
    char label[160]; /* "convolution_milo A100" */
    char *path;      /* of the results, as realpath() has it */
    char *t1_path;
    struct anole_t1 *t1;
    struct anole_space *space;
    struct anole_features *features;
    struct anole_recording *recording;
    double optimum, worst; /* seconds of the fastest and the slowest kernel that ran */
    double trial_seconds;  /* what a trial costs on average: build, validation, runs */
    size_t unrecorded;     /* valid configs without a result */
};

struct bench_worlds {
    struct bench_world *items;
    size_t count;
};

/* Appends the space of a results file. */
enum anole_status bench_worlds_add(struct bench_worlds *worlds, const char *path,
                                   const char *t1_path, struct anole_error *error);
/* Appends results to learn from, of which there may be few. */
enum anole_status bench_worlds_add_log(struct bench_worlds *worlds, const char *path,
                                       const char *t1_path, struct anole_error *error);
/* Appends all of a folder and its folders: files of results beside a T1.json. */
enum anole_status bench_worlds_add_folder(struct bench_worlds *worlds, const char *path,
                                          struct anole_error *error);
void bench_worlds_fini(struct bench_worlds *worlds);

/* What trying a config came to: its result, and the simulated seconds that it took.
 * A valid config without a result counts as one that failed at once. */
double bench_world_try(const struct bench_world *world, uint64_t config,
                       struct anole_result *result);

/* -------------------------------------------------------------------- runs */

struct bench_contender {
    char label[64]; /* as on the command line */
    const struct anole_explorer_ops *explorer;
    const struct anole_sampler_ops *sampler; /* NULL: the explorer's own */
    size_t batch;                            /* 0: the explorer's own */
    bool transfers;                          /* learns from the logs of the plan's sources */
};

struct bench_plan {
    struct bench_worlds worlds;
    struct bench_worlds sources; /* spaces that logs to learn from are made in */
    struct bench_contender *contenders;
    size_t contender_count;
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

/* All of them; best and clock are [worlds][contenders][repeats][trials]. */
struct bench_runs {
    const struct bench_plan *plan;
    void *memory;
    size_t bytes;
    struct bench_run *runs; /* [worlds][contenders][repeats] */
    float *best;  /* excess: log(best so far / optimum); before any kernel ran, of the worst */
    float *clock; /* simulated time, in average trials of the space */
};

/* Runs everything, in plan->processes processes at a time. */
enum anole_status bench_run_all(struct bench_runs *runs, const struct bench_plan *plan,
                                struct anole_error *error);
void bench_runs_fini(struct bench_runs *runs);

static inline size_t bench_run_index(const struct bench_plan *plan, size_t world, size_t contender,
                                     size_t repeat)
{
    return (world * plan->contender_count + contender) * plan->repeats + repeat;
}

/* ----------------------------------------------------------------- figures */

/* A mean and the half width of its 95 % interval (Student's t), of logarithms; the
 * half width is NaN for a single repeat. */
struct bench_mean {
    double mean, half;
};

/* As a change in per cent: 100 (e^x - 1). */
static inline double bench_percent(double logarithm)
{
    return 100.0 * __builtin_expm1(logarithm);
}

#define BENCH_ALL_WORLDS SIZE_MAX

/* The excess after `trials` (at least 1) trials, or after simulated time of so
 * many average trials; of one world, or the mean of all. */
struct bench_mean bench_excess(const struct bench_runs *runs, size_t world, size_t contender,
                               size_t trials);
struct bench_mean bench_excess_at(const struct bench_runs *runs, size_t world, size_t contender,
                                  double time);
/* The same less what another contender has with the same seeds. */
struct bench_mean bench_difference(const struct bench_runs *runs, size_t world, size_t contender,
                                   size_t other, size_t trials);

/* Trials after which a contender's mean excess is that of `other` after all its
 * trials, with a 95 % interval by bootstrap over repeats; one more than all where
 * it never is. */
struct bench_equal {
    double trials, low, high;
};
enum anole_status bench_trials_to_equal(struct bench_equal *equal, const struct bench_runs *runs,
                                        size_t world, size_t contender, size_t other,
                                        struct anole_error *error);

/* Processor time of an explorer and its model, seconds: of a batch on average, of
 * the longest, and of a whole search on average. */
struct bench_thinking {
    double batch, longest, search;
};
void bench_thinking(struct bench_thinking *thinking, const struct bench_runs *runs,
                    size_t contender);

/* ----------------------------------------------------------------- reports */

/* `equal`: the contender whose final result is to be equalled. */
enum anole_status bench_print_tables(const struct bench_runs *runs, size_t equal, FILE *out,
                                     struct anole_error *error);
enum anole_status bench_print_json(const struct bench_runs *runs, size_t equal, FILE *out,
                                   struct anole_error *error);
/* Excess against trials and against simulated time, all worlds together. */
enum anole_status bench_plot(const struct bench_runs *runs, const char *path,
                             struct anole_error *error);

#endif
