/* SPDX-License-Identifier: MIT
 *
 * The cost model: predicts how good a config is from its features.  Gradient-
 * boosted trees (XGBoost, through its C interface), fitted anew to the trials so
 * far.  Scores only order configs; higher is better.
 */
#ifndef ANOLE_MODEL_H
#define ANOLE_MODEL_H

#include "base/status.h"
#include "space/feature.h"
#include "space/trials.h"

#include <stdint.h>

/* What the trees are fitted to. */
enum anole_model_target {
    ANOLE_TARGET_PREFERRED, /* what the explorer prefers; to a model alone: rank */
    ANOLE_TARGET_RANK, /* (1 - rank/n)^4 among the measured, failures last */
    ANOLE_TARGET_SPEED, /* best time / time, failures 0: as AutoTVM and Chameleon publish */
};

struct anole_model_options {
    enum anole_model_target target;
    unsigned trees; /* 0: the default */
    unsigned depth; /* 0: the default */
    double learning_rate; /* 0: the default */
    uint64_t seed;
};

struct anole_model;

/* `features` must outlive the model. */
enum anole_status anole_model_create(struct anole_model **model,
                                     const struct anole_features *features,
                                     const struct anole_model_options *options,
                                     struct anole_error *error);
void anole_model_destroy(struct anole_model *model);

/* Fits to all trials.  With fewer than two distinct targets the model stays
 * untrained, which is no error. */
enum anole_status anole_model_fit(struct anole_model *model, const struct anole_trials *trials,
                                  struct anole_error *error);
bool anole_model_trained(const struct anole_model *model);

/* scores[count]; an untrained model gives 0 for all. */
void anole_model_predict(struct anole_model *model, const uint64_t *configs, size_t count,
                         float *scores);

/* What the trees are fitted to: targets[i] for trial i, in [0, 1], higher is
 * better; NaN for a trial whose config was tried again later.  *count is the
 * number of the others. */
enum anole_status anole_model_targets(double *targets, size_t *count,
                                      const struct anole_trials *trials,
                                      enum anole_model_target target, struct anole_error *error);

#endif
