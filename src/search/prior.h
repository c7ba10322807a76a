/* SPDX-License-Identifier: MIT
 *
 * What earlier tasks teach about a new one.  Trees are fitted to the trials of
 * similar tasks together (layers of a network, or the same kernel on another
 * device), by the features of configs, tasks and devices.  They guess before
 * anything was measured, and their guess is a feature of the new task's own model.
 *
 * Tasks differ, and so do their good configs; what it does to change a task's own
 * default is more alike.  So the trees see how far a config is from its task's
 * default, besides the config itself, and learn how much faster it is than that.
 *
 * What was learned elsewhere can mislead, so sources come in groups, each with
 * trees and a guess of its own: a group whose guesses disagree with what is
 * measured is not listened to, for as long as they do (anole_prior_agrees()); one
 * whose design spaces have little in common with the new task's, not until they agree.
 */
#ifndef ANOLE_PRIOR_H
#define ANOLE_PRIOR_H

#include "base/status.h"
#include "space/feature.h"
#include "space/trials.h"

#include <stdint.h>

#define ANOLE_PRIOR_GROUPS 4 /* with the most trials; further ones are passed over */

/* A task that was tuned before.  Its space may differ: columns of its features are
 * matched with the new task's by anole_features_align(). */
struct anole_prior_source {
    const struct anole_features *features;
    const struct anole_trials *trials;
    /* Sources that are trusted or mistrusted together have the same number: those
     * of one device, say, or of one file. */
    unsigned group;
};

struct anole_prior;

/* `features`: the new task's, borrowed.  The sources are needed during this call
 * only.  *prior is NULL if they hold too little to learn from. */
enum anole_status anole_prior_create(struct anole_prior **prior,
                                     const struct anole_features *features,
                                     const struct anole_prior_source *sources, size_t count,
                                     uint64_t seed, struct anole_error *error);
void anole_prior_destroy(struct anole_prior *prior);

/* Groups that there was something to learn from. */
size_t anole_prior_count(const struct anole_prior *prior);

/* guesses[anole_prior_count()], one a group, for a row of the new task's features:
 * logarithms of speed relative to the best of a task; higher is better. */
void anole_prior_guess(const struct anole_prior *prior, const float *row, float *guesses);

/* The same for a config whose row this is, from memory where it was asked for before. */
void anole_prior_recall(struct anole_prior *prior, uint64_t config, const float *row,
                        float *guesses);

/* True if most of the new task's knobs, or of their values, are unknown to a group:
 * it learned from another kernel, say. */
bool anole_prior_is_stranger(const struct anole_prior *prior, size_t group);

/* How well guesses order what was measured, from -1 to 1: Kendall's tau with `count`
 * targets, higher being better in both, each pair weighted by how far its targets are
 * apart.  Where targets are spread among the best and crowded below (as
 * ANOLE_TARGET_RANK's are), what counts is to tell the best from the rest.  0 if there
 * is nothing to compare.  guesses[i * stride]. */
double anole_prior_correlation(const float *guesses, size_t stride, const float *targets,
                               size_t count);

/* True if a group is worth listening to.  One that is no stranger is, unless there are
 * enough targets to tell that its guesses are of no use; a stranger is not until there
 * are enough to tell that they are. */
bool anole_prior_agrees(const float *guesses, size_t stride, const float *targets, size_t count,
                        bool stranger);

#endif
