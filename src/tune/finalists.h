/* SPDX-License-Identifier: MIT
 *
 * The last word on a task: its fastest configs are built again and timed in turn
 * with the default config, so that all see the same disturbances.
 */
#ifndef ANOLE_FINALISTS_H
#define ANOLE_FINALISTS_H

#include "measure/measure.h"
#include "space/trials.h"
#include "tune/tuner.h"

/* Configs that are compared at most, the default aside. */
#define ANOLE_FINALISTS_MOST 3

/* How a task's comparison is to spend its share of a time budget. */
struct anole_finalists_plan {
    size_t count;   /* finalists beside the default, 1 to ANOLE_FINALISTS_MOST */
    double seconds; /* for timing; the rest goes into loading kernels */
};

/* Fits as many finalists as can be both loaded, `load` seconds a kernel, and timed in
 * `share` seconds; at least the fastest.  `most`: seconds of timing that are enough. */
void anole_finalists_plan(struct anole_finalists_plan *plan, double share, double load,
                          double most);

/* Those that are compared, how many: configs[1 + ANOLE_FINALISTS_MOST], first `fallback`, which is
 * the default, then the fastest others, `limit` of them.  Where those all read about as many bytes
 * of weights, the last gives its place to the fastest of others that is close to the best: in a
 * network the bytes count, and it is there that the candidates are judged in the end. */
size_t anole_finalists_choose(uint64_t *configs, const struct anole_generator *generator,
                              const struct anole_trials *trials, uint64_t fallback, size_t limit);

/* Which of the configs is chosen where other work disturbed the comparison, results[count], all the
 * time: by the trials that it left in peace.  0, the default, unless such a trial is better than
 * such a trial of the default. */
size_t anole_finalists_quiet(const uint64_t *configs, const struct anole_result *results,
                             size_t count, const struct anole_trials *trials);

/* About plan->seconds of timing.  final->found is false if nothing valid is known or
 * none of the finalists passed again. */
enum anole_status
anole_finalists_decide(struct anole_tuner_final *final, struct anole_measure *measure,
                       const struct anole_generator *generator, const struct anole_trials *trials,
                       const struct anole_finalists_plan *plan, struct anole_error *error);

/* Configs that were timed in turn, the first of them the default. */
struct anole_finalists_timed {
    const uint64_t *configs;
    const struct anole_result *results;
    const double *samples; /* as of anole_measure_compare() */
    size_t rounds;
};

/* Decides for one of them, whichever is best.  What was known of the task in the network goes. */
enum anole_status anole_finalists_settle(struct anole_tuner_final *final,
                                         const struct anole_generator *generator,
                                         const struct anole_finalists_timed *timed, size_t chosen,
                                         struct anole_error *error);

/* The same comparison for one given config against the default: `anole verify`. */
enum anole_status anole_finalists_compare(struct anole_tuner_final *final,
                                          struct anole_result *result,
                                          struct anole_result *default_result,
                                          struct anole_measure *measure,
                                          const struct anole_generator *generator, uint64_t config,
                                          double seconds, struct anole_error *error);

#endif
