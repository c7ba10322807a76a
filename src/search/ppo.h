/* SPDX-License-Identifier: MIT
 *
 * An agent that learns by proximal policy optimisation (Schulman et al., 2017):
 * an actor and a critic, advantages by GAE, the clipped objective, an entropy
 * bonus.  It learns in any environment that the interface below describes.
 *
 * What the actor sees is one or more *items*, a row of numbers each; one network
 * looks at every row alone and gives a few logits for it.  All the logits of a
 * step, one item after the other, are cut into equal *heads*; each head is one
 * decision between its choices.  So
 * - one item and many heads is a plain network with several decisions a step;
 * - many items and one head is a network shared by all items, which decides on
 *   one item and what to do with it: its size does not depend on their number.
 *
 * One thread at a time.
 */
#ifndef ANOLE_PPO_H
#define ANOLE_PPO_H

#include "base/rng.h"
#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

struct anole_ppo;

struct anole_ppo_shape {
    size_t items;
    size_t width;   /* numbers an item */
    size_t outputs; /* logits an item */
    size_t heads;   /* decisions a step; divides items x outputs */
    size_t context; /* numbers that the critic sees */
};

struct anole_ppo_options {
    size_t hidden; /* units of the one hidden layer of actor and critic */
    double rate;   /* of Adam */
    double discount;
    double gae;
    double clip;
    double value_coefficient;
    double entropy_coefficient;
    double max_norm; /* gradients are scaled down to it; actor and critic apart */
    unsigned epochs; /* passes over what an iteration gathered */
    size_t minibatch;
};

/* Where the agent acts: a number of walkers, each in an episode of its own. */
struct anole_ppo_environment {
    void *context;
    /* Begins an episode. */
    enum anole_status (*reset)(void *context, size_t walker, struct anole_error *error);
    /* What a walker sees: items[items x width] for the actor, context[] for the
     * critic; and which choices it has: mask[items x outputs], 1 or 0, all 1
     * initially. */
    void (*observe)(void *context, size_t walker, float *items, float *critic, uint8_t *mask);
    /* (optional) The last word on one choice, for what is costly to know in
     * advance: asked when it has been drawn; if false, another one is drawn. */
    bool (*allowed)(void *context, size_t walker, size_t head, size_t choice);
    /* choices[heads].  *done ends the walker's episode. */
    enum anole_status (*step)(void *context, size_t walker, const uint16_t *choices, double *reward,
                              bool *done, struct anole_error *error);
};

/* What an iteration was like. */
struct anole_ppo_stats {
    size_t steps;
    double reward;     /* mean of an episode's sum */
    double entropy;    /* mean of a decision's, nats, when it was made */
    double divergence; /* between the policies before and after learning, nats a step */
};

enum anole_status anole_ppo_create(struct anole_ppo **ppo, const struct anole_ppo_shape *shape,
                                   const struct anole_ppo_options *options,
                                   const struct anole_rng *rng, struct anole_error *error);
void anole_ppo_destroy(struct anole_ppo *ppo);

/* One iteration: an episode of up to `horizon` steps for each of the walkers, all
 * in step; then learning, if `learn`.  A walker that is left without a choice
 * ends its episode. */
enum anole_status anole_ppo_run(struct anole_ppo *ppo,
                                const struct anole_ppo_environment *environment, size_t walkers,
                                size_t horizon, bool learn, struct anole_ppo_stats *stats,
                                struct anole_error *error);

void anole_ppo_set_entropy_coefficient(struct anole_ppo *ppo, double coefficient);
double anole_ppo_entropy_coefficient(const struct anole_ppo *ppo);

/* Forgets everything learned. */
enum anole_status anole_ppo_forget(struct anole_ppo *ppo, struct anole_error *error);

#endif
