/* SPDX-License-Identifier: MIT
 *
 * Adaptive exploration as Chameleon publishes it (Ahn et al., ICLR 2020): a PPO
 * agent that sees the config, each knob's position over its size, decides for
 * every knob at once to decrement, stay or increment, and is rewarded with the
 * cost model's prediction.
 *
 * Where the paper leaves something open: a step that the constraints forbid leaves
 * the walker where it was; the agent learns after every 16 of the 128 episodes.
 */
#include "search/explorers.h"
#include "search/ppo.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define EPISODES 128 /* a proposal */
#define WALKERS 16   /* episodes side by side */
#define HORIZON 500
#define STEADY 0.75 /* an episode ends when so many of the knobs stay */

enum { DECREMENT, STAY, INCREMENT, ACTIONS };

struct anole_explorer {
    struct anole_explorer_base base;
    struct anole_ppo *agent;
    size_t knobs;
    uint16_t digits[WALKERS][ANOLE_MAX_KNOBS];
    double entropy, reward; /* of the last proposal */
};

static void destroy(struct anole_explorer *explorer)
{
    if (!explorer)
        return;
    anole_ppo_destroy(explorer->agent);
    anole_explorer_base_fini(&explorer->base);
    free(explorer);
}

static enum anole_status create_agent(struct anole_explorer *explorer, struct anole_error *error)
{
    const struct anole_ppo_options options = {
        .hidden = 20,
        .rate = 1e-3,
        .discount = 0.9,
        .gae = 0.99,
        .clip = 0.3,
        .value_coefficient = 1.0,
        .entropy_coefficient = 0.1,
        .max_norm = 0.5,
        .epochs = 3,
        .minibatch = 32,
    };
    const struct anole_ppo_shape shape = {
        .items = 1,
        .width = explorer->knobs,
        .outputs = ACTIONS * explorer->knobs,
        .heads = explorer->knobs,
        .context = explorer->knobs,
    };
    struct anole_rng rng;
    anole_rng_fork(&rng, &explorer->base.rng, "agent");
    return anole_ppo_create(&explorer->agent, &shape, &options, &rng, error);
}

static enum anole_status create(struct anole_explorer **explorer,
                                const struct anole_explorer_context *context,
                                struct anole_error *error)
{
    struct anole_explorer *made = calloc(1, sizeof *made);
    if (!made)
        return anole_fail_memory(error);
    made->knobs = anole_space_knob_count(context->space);
    made->entropy = made->reward = NAN;
    enum anole_status status = anole_explorer_base_init(&made->base, context, error);
    if (status == ANOLE_DONE)
        status = create_agent(made, error);
    if (status != ANOLE_DONE) {
        destroy(made);
        return status;
    }
    *explorer = made;
    return ANOLE_DONE;
}

static enum anole_status reset(void *context, size_t walker, struct anole_error *error)
{
    struct anole_explorer *explorer = context;
    const struct anole_space *space = explorer->base.context.space;
    uint64_t config;
    (void)error;
    if (!anole_space_sample(space, &explorer->base.rng, &config))
        config = anole_space_default(space);
    anole_space_decode(space, config, explorer->digits[walker]);
    return ANOLE_DONE;
}

static void observe(void *context, size_t walker, float *items, float *critic, uint8_t *mask)
{
    const struct anole_explorer *explorer = context;
    const struct anole_space *space = explorer->base.context.space;
    for (size_t k = 0; k < explorer->knobs; k++) {
        uint32_t count = anole_space_knob(space, k)->count;
        uint16_t digit = explorer->digits[walker][k];
        items[k] = critic[k] = (float)digit / (float)count;
        mask[ACTIONS * k + DECREMENT] = digit > 0;
        mask[ACTIONS * k + INCREMENT] = digit + 1u < count;
    }
}

static enum anole_status step(void *context, size_t walker, const uint16_t *choices, double *reward,
                              bool *done, struct anole_error *error)
{
    struct anole_explorer *explorer = context;
    const struct anole_space *space = explorer->base.context.space;
    uint16_t *here = explorer->digits[walker], there[ANOLE_MAX_KNOBS];
    size_t steady = 0;
    float score;
    for (size_t k = 0; k < explorer->knobs; k++) {
        there[k] = (uint16_t)(here[k] + choices[k] - STAY);
        steady += choices[k] == STAY;
    }
    if (anole_space_valid_digits(space, there))
        memcpy(here, there, explorer->knobs * sizeof *here);
    enum anole_status status =
        anole_pool_score(explorer->base.pool, &score, NULL, anole_space_encode(space, here), error);
    if (status != ANOLE_DONE)
        return status;
    *reward = (double)score;
    *done = (double)steady >= STEADY * (double)explorer->knobs;
    return ANOLE_DONE;
}

static enum anole_status propose(struct anole_explorer *explorer,
                                 struct anole_candidate *candidates, size_t capacity, size_t *count,
                                 struct anole_error *error)
{
    struct anole_explorer_base *base = &explorer->base;
    const struct anole_ppo_environment environment = {
        .context = explorer,
        .reset = reset,
        .observe = observe,
        .step = step,
    };
    enum anole_status status = ANOLE_DONE;
    anole_pool_clear(base->pool);
    for (int i = 0; i < EPISODES / WALKERS && status == ANOLE_DONE; i++) {
        struct anole_ppo_stats stats;
        status =
            anole_ppo_run(explorer->agent, &environment, WALKERS, HORIZON, true, &stats, error);
        if (status != ANOLE_DONE)
            break;
        explorer->entropy = stats.entropy;
        explorer->reward = stats.reward;
    }
    if (status == ANOLE_DONE)
        status = anole_pool_best(base->pool, candidates, capacity, count, &base->rng, error);
    return status;
}

static void stats(const struct anole_explorer *explorer, struct anole_explorer_stats *out)
{
    anole_explorer_stats_of_pool(out, explorer->base.pool);
    out->entropy = explorer->entropy;
    out->reward = explorer->reward;
}

const struct anole_explorer_ops anole_explorer_chameleon = {
    .name = "chameleon",
    .summary = "reinforcement learning (PPO) as Chameleon publishes it: batches of 64",
    .batch = 64,
    .target = ANOLE_TARGET_SPEED,
    .sampler = "chameleon",
    .create = create,
    .destroy = destroy,
    .propose = propose,
    .stats = stats,
};
