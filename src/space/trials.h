/* SPDX-License-Identifier: MIT
 *
 * The trials of one task, in memory, in the order in which they were made: who
 * was visited, what came of it, which is best.  The history fills it; explorer,
 * sampler and model read it.
 */
#ifndef ANOLE_TRIALS_H
#define ANOLE_TRIALS_H

#include "base/status.h"
#include "space/result.h"

#include <stddef.h>
#include <stdint.h>

struct anole_trial {
    uint64_t config; /* index in the task's design space */
    struct anole_result result;
};

/* Owns its trials.  Pointers to them stay good until it is destroyed.  Not for
 * several threads while one adds. */
struct anole_trials;

enum anole_status anole_trials_create(struct anole_trials **trials, struct anole_error *error);
void anole_trials_destroy(struct anole_trials *trials);

/* Appends; a config may come again (measured again): the latest counts, in all
 * that follows.  ERR_INPUT for an ok trial without a finite value of its metric, and for
 * one of another metric than those before it. */
enum anole_status anole_trials_add(struct anole_trials *trials, uint64_t config,
                                   const struct anole_result *result, struct anole_error *error);

size_t anole_trials_count(const struct anole_trials *trials);
/* NULL beyond the last. */
const struct anole_trial *anole_trials_get(const struct anole_trials *trials, size_t i);
/* The latest trial of a config, or NULL. */
const struct anole_trial *anole_trials_find(const struct anole_trials *trials, uint64_t config);
bool anole_trials_visited(const struct anole_trials *trials, uint64_t config);
/* The best trial that is ok and not abandoned, or NULL. */
const struct anole_trial *anole_trials_best(const struct anole_trials *trials);
/* Distinct configs with the given outcome. */
size_t anole_trials_with_outcome(const struct anole_trials *trials, enum anole_outcome outcome);
/* Up to `limit` ok configs, the best first (abandoned ones behind the others), of
 * equal ones the earliest; returns how many.  `costs` (anole_result_cost()) may be NULL. */
size_t anole_trials_elites(const struct anole_trials *trials, uint64_t *configs, double *costs,
                           size_t limit);

#endif
