/* SPDX-License-Identifier: MIT
 *
 * The cost model: predicts how good a config is from its features.  Gradient-
 * boosted trees, fitted anew to the trials so far, with what earlier tasks teach
 * (prior.h) as features.  Scores only order configs; higher is better.
 */
#ifndef ANOLE_MODEL_H
#define ANOLE_MODEL_H

#include "base/status.h"
#include "search/prior.h"
#include "space/feature.h"
#include "space/trials.h"

#include <stdint.h>

/* What the trees are fitted to. */
enum anole_cost_model_target {
    ANOLE_TARGET_PREFERRED, /* what the explorer prefers; to a model alone: rank */
    ANOLE_TARGET_RANK,      /* (1 - rank/n)^4 among the measured, failures last */
    ANOLE_TARGET_SPEED,     /* best time / time, failures 0: as AutoTVM and Chameleon publish */
};

struct anole_cost_model_options {
    enum anole_cost_model_target target;
    unsigned trees;       /* 0: the default */
    unsigned depth;       /* 0: the default */
    double learning_rate; /* 0: the default */
    uint64_t seed;
};

struct anole_cost_model;

/* `features` must outlive the model. */
enum anole_status anole_cost_model_create(struct anole_cost_model **model,
                                          const struct anole_features *features,
                                          const struct anole_cost_model_options *options,
                                          struct anole_error *error);
void anole_cost_model_destroy(struct anole_cost_model *model);

/* Takes up what similar tasks teach, in place of what it was told before: from now
 * on the model has an opinion before it is trained.  The sources are needed during
 * this call only.  To be fitted anew before it is asked again. */
enum anole_status anole_cost_model_inform(struct anole_cost_model *model,
                                          const struct anole_prior_source *sources, size_t count,
                                          struct anole_error *error);

/* Fits to all trials, and judges by them which of the groups of similar tasks to
 * listen to.  With fewer than two distinct targets the model stays untrained, which
 * is no error; so it does with only a few trials if it knows better from others. */
enum anole_status anole_cost_model_fit(struct anole_cost_model *model,
                                       const struct anole_trials *trials,
                                       struct anole_error *error);
bool anole_cost_model_trained(const struct anole_cost_model *model);

/* True if similar tasks tell it something, and it listens. */
bool anole_cost_model_guided(const struct anole_cost_model *model);

/* True if predictions say anything: it is trained or guided. */
bool anole_cost_model_informed(const struct anole_cost_model *model);

/* scores[count]; a model that is not informed gives 0 for all. */
void anole_cost_model_predict(struct anole_cost_model *model, const uint64_t *configs, size_t count,
                              float *scores);

/* What the trees are fitted to: targets[i] for trial i, in [0, 1], higher is
 * better; NaN for a trial whose config was tried again later.  *count is the
 * number of the others. */
enum anole_status anole_cost_model_targets(double *targets, size_t *count,
                                           const struct anole_trials *trials,
                                           enum anole_cost_model_target target,
                                           struct anole_error *error);

#endif
