/* SPDX-License-Identifier: MIT
 *
 * How to spend a batch: a policy that draws, for each trial, the way in which its
 * config is picked, by what the search of the task has been like so far.  It is learned
 * across tasks, from measured results, by bench/anole-bench-across; a search only
 * follows it, and adapts by what it sees.
 *
 * The policy is a softmax over operators, linear in a few features of the state of a
 * search, so that a few hundred searches are enough to learn it.
 */
#ifndef ANOLE_PLAN_H
#define ANOLE_PLAN_H

#include "search/explorer.h"

enum anole_operator {
    ANOLE_OPERATOR_BEST,   /* the best candidate */
    ANOLE_OPERATOR_APART,  /* the best that is some knobs away from the rest of the batch */
    ANOLE_OPERATOR_FAR,    /* the best that is some knobs away from the batch and the elites */
    ANOLE_OPERATOR_NEAR,   /* the best-predicted neighbour, by one knob, of the incumbent */
    ANOLE_OPERATOR_ELITE,  /* the same of another elite, drawn at random */
    ANOLE_OPERATOR_CHANCE, /* any of the better candidates */
    ANOLE_OPERATOR_COUNT
};

/* See anole_plan_observe() for each. */
#define ANOLE_PLAN_FEATURES 8

struct anole_plan {
    float weights[ANOLE_OPERATOR_COUNT][ANOLE_PLAN_FEATURES];
};

/* The one that was learned before; static. */
const struct anole_plan *anole_plan_shipped(void);

/* features[ANOLE_PLAN_FEATURES], each about 0 to 1: 1; logarithm of the number of trials;
 * of the space's size; of the trials since the incumbent was found; how good lately
 * trials were that differed from the incumbent of then by one knob; the same of all
 * others; spread of the times; whether similar tasks guide. */
void anole_plan_observe(float *features, const struct anole_explorer_context *context);

/* shares[ANOLE_OPERATOR_COUNT]: probability of each operator, none below 0.01. */
void anole_plan_shares(double *shares, const struct anole_plan *plan, const float *features);

/* As a sampler's pick() does.  operators[batch] (which may be NULL): what was drawn for
 * each config picked. */
enum anole_status anole_plan_pick(const struct anole_plan *plan,
                                  const struct anole_explorer_context *context,
                                  const struct anole_candidate *candidates, size_t count,
                                  struct anole_rng *rng, size_t batch, uint64_t *configs,
                                  uint8_t *operators, size_t *picked, struct anole_error *error);

#endif
