/* SPDX-License-Identifier: MIT
 *
 * What an agent's life (ppo.c) and its learning (ppo_learn.c) share.
 */
#ifndef ANOLE_SEARCH_PPO_PRIVATE_H
#define ANOLE_SEARCH_PPO_PRIVATE_H

#include "search/mlp.h"
#include "search/ppo.h"

#define ANOLE_PPO_NONE SIZE_MAX

/* What one step left behind.  The arrays beside it hold the rest, row by row. */
struct anole_ppo_sample {
    size_t walker;
    size_t next;           /* the walker's next; ANOLE_PPO_NONE at the end of its episode */
    float log_probability; /* of what it chose, all heads together */
    float value;           /* the critic's */
    float after;           /* the critic's for the state that follows, where there is no next */
    float reward;
    float advantage;
    float target; /* of the critic */
};

struct anole_ppo {
    struct anole_ppo_shape shape;
    struct anole_ppo_options options;
    struct anole_rng rng;
    struct anole_mlp *actor, *critic;
    size_t logits;  /* a step */
    size_t choices; /* a head */

    /* Samples of an iteration, in the order in which they were made. */
    size_t count, capacity, walker_capacity;
    struct anole_ppo_sample *samples;
    float *items;     /* capacity x items x width */
    float *contexts;  /* capacity x context */
    uint8_t *masks;   /* capacity x logits */
    uint16_t *chosen; /* capacity x heads */
    size_t *order;    /* capacity: for shuffling */

    /* A minibatch, gathered. */
    float *batch_items, *batch_contexts, *actor_slopes, *critic_slopes;
    float *probabilities; /* of one head */

    size_t *last; /* a walker's last sample, or ANOLE_PPO_NONE */
    bool *active;
};

/* Softmax of one head over its unmasked choices, into `probabilities`; false if there is
 * none. */
bool anole_ppo_softmax(const struct anole_ppo *ppo, const float *logits, const uint8_t *mask);
/* Of the probabilities that anole_ppo_softmax() left; nats. */
double anole_ppo_entropy(const struct anole_ppo *ppo);
/* Learns from the samples there are; *divergence, of the new policy from the old, in nats
 * a sample. */
enum anole_status anole_ppo_learn(struct anole_ppo *ppo, double *divergence,
                                  struct anole_error *error);

#endif
