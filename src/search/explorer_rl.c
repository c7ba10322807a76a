/* SPDX-License-Identifier: MIT
 *
 * The default explorer: adaptive exploration by reinforcement learning.  An agent
 * with one small policy for all knobs walks over the cost model and is rewarded
 * for good configs that are new.  It comes on top of hill climbing as the explorer of
 * that name has it, and is given as many steps as pay: while few of the best candidates
 * are owed to it, it walks in one proposal of a few only.  One pool takes all.
 * Where a space is small enough there is nothing to explore: then every config is
 * scored, and the agent rests.
 */
#include "base/log.h"
#include "search/climb.h"
#include "search/explorers.h"
#include "search/walk.h"

#include <math.h>
#include <stdlib.h>

#define EVALUATIONS 2000 /* of climbing, as in explorer_hillclimb.c */
#define WALKERS 16
#define HORIZON 20
#define ROUNDS 2  /* of walking and learning a proposal */
#define STARTS 16 /* of the agent's best that are climbed from */
#define PATIENCE 24
#define BEST 64    /* candidates that an agent's walks are judged by */
#define PAYS 0.25  /* share of them that makes walking worth its time */
#define REST 4     /* one proposal in so many has walks while they do not pay */
#define MEMORY 0.3 /* weight of the last walks */

/* A policy has collapsed when it keeps coming back to where it was. */
#define FRESH_LEAST 0.3
#define ENTROPY 0.1 /* the bonus's coefficient, when all is well */
#define ENTROPY_MOST 1.0

struct anole_explorer {
    struct anole_explorer_base base;
    struct anole_explorer *whole; /* of a small space, and nothing below; else NULL */
    struct anole_climber *climber;
    struct anole_walk *walk;
    struct anole_ppo *agent;
    bool learns;
    size_t proposals, collapses;
    double use;             /* share of the best candidates that were owed to walks, lately */
    double entropy, reward; /* of the last walks */
};

static void destroy(struct anole_explorer *explorer)
{
    if (!explorer)
        return;
    anole_explorer_exhaustive.destroy(explorer->whole);
    anole_ppo_destroy(explorer->agent);
    anole_walk_destroy(explorer->walk);
    anole_climber_destroy(explorer->climber);
    anole_explorer_base_fini(&explorer->base);
    free(explorer);
}

static enum anole_status create_agent(struct anole_explorer *explorer, struct anole_error *error)
{
    const struct anole_ppo_options options = {
        .hidden = 20,
        .rate = 3e-3,
        .discount = 0.9,
        .gae = 0.95,
        .clip = 0.2,
        .value_coefficient = 1.0,
        .entropy_coefficient = ENTROPY,
        .max_norm = 0.5,
        .epochs = 2,
        .minibatch = 64,
    };
    struct anole_ppo_shape shape = anole_walk_shape(explorer->walk);
    struct anole_rng rng;
    anole_rng_fork(&rng, &explorer->base.rng, "agent");
    return anole_ppo_create(&explorer->agent, &shape, &options, &rng, error);
}

static enum anole_status create_parts(struct anole_explorer *made, struct anole_error *error)
{
    struct anole_explorer_base *base = &made->base;
    if (base->context.small)
        return anole_explorer_exhaustive.create(&made->whole, &base->context, error);
    enum anole_status status =
        anole_climber_create(&made->climber, &base->context, base->pool, error);
    if (status == ANOLE_DONE)
        status = anole_walk_create(&made->walk, made->climber, WALKERS, HORIZON, &base->rng, error);
    if (status == ANOLE_DONE)
        status = create_agent(made, error);
    return status;
}

static enum anole_status create(struct anole_explorer **explorer,
                                const struct anole_explorer_context *context, bool learns,
                                struct anole_error *error)
{
    struct anole_explorer *made = calloc(1, sizeof *made);
    if (!made)
        return anole_fail_memory(error);
    made->learns = learns;
    made->use = 1.0;
    made->entropy = made->reward = NAN;
    enum anole_status status = anole_explorer_base_init(&made->base, context, error);
    if (status == ANOLE_DONE)
        status = create_parts(made, error);
    if (status != ANOLE_DONE) {
        destroy(made);
        return status;
    }
    *explorer = made;
    return ANOLE_DONE;
}

static enum anole_status create_learning(struct anole_explorer **explorer,
                                         const struct anole_explorer_context *context,
                                         struct anole_error *error)
{
    return create(explorer, context, true, error);
}

static enum anole_status create_untrained(struct anole_explorer **explorer,
                                          const struct anole_explorer_context *context,
                                          struct anole_error *error)
{
    return create(explorer, context, false, error);
}

/* Raises the entropy bonus of a policy that walks in circles, makes it forget if
 * that does not help, and lowers the bonus again when all is well. */
static enum anole_status mind_collapse(struct anole_explorer *explorer, double fresh,
                                       struct anole_error *error)
{
    double bonus = anole_ppo_entropy_coefficient(explorer->agent);
    if (fresh >= FRESH_LEAST) {
        anole_ppo_set_entropy_coefficient(explorer->agent, fmax(ENTROPY, 0.8 * bonus));
        return ANOLE_DONE;
    }
    explorer->collapses++;
    anole_log_debug("the agent walks in circles: %.0f %% of its steps led to new configs",
                    100.0 * fresh);
    if (bonus < ENTROPY_MOST) {
        anole_ppo_set_entropy_coefficient(explorer->agent, fmin(ENTROPY_MOST, 2.0 * bonus));
        return ANOLE_DONE;
    }
    anole_ppo_set_entropy_coefficient(explorer->agent, ENTROPY);
    return anole_ppo_forget(explorer->agent, error);
}

static enum anole_status walk(struct anole_explorer *explorer, struct anole_error *error)
{
    struct anole_pool *pool = explorer->base.pool;
    struct anole_ppo_environment environment = anole_walk_environment(explorer->walk);
    enum anole_status status = ANOLE_DONE;
    for (int round = 0; round < ROUNDS && status == ANOLE_DONE; round++) {
        size_t before = anole_pool_distinct(pool);
        struct anole_ppo_stats stats;
        status = anole_ppo_run(explorer->agent, &environment, WALKERS, HORIZON, explorer->learns,
                               &stats, error);
        if (status != ANOLE_DONE)
            break;
        explorer->entropy = stats.entropy;
        explorer->reward = stats.reward;
        size_t made = anole_pool_distinct(pool) - before;
        if (stats.steps && explorer->learns)
            status = mind_collapse(explorer, (double)made / (double)stats.steps, error);
    }
    return status;
}

/* Climbs from the best that there is after the walks. */
static enum anole_status refine(struct anole_explorer *explorer, struct anole_error *error)
{
    struct anole_explorer_base *base = &explorer->base;
    struct anole_candidate starts[STARTS];
    size_t count;
    enum anole_status status =
        anole_pool_best(base->pool, starts, STARTS, &count, &base->rng, error);
    for (size_t i = 0; i < count && status == ANOLE_DONE; i++)
        status = anole_climber_climb(explorer->climber, starts[i].config, PATIENCE, error);
    return status;
}

static bool walks_pay(const struct anole_explorer *explorer)
{
    return explorer->use >= PAYS || explorer->proposals % REST == 0;
}

/* Which of the best candidates came into the pool by the walks: after the first
 * `before`. */
static void judge_walks(struct anole_explorer *explorer, size_t before,
                        const struct anole_candidate *candidates, size_t count)
{
    const struct anole_pool *pool = explorer->base.pool;
    size_t best = count < BEST ? count : BEST, owed = 0;
    if (!best)
        return;
    for (size_t i = before; i < anole_pool_distinct(pool); i++) {
        struct anole_candidate found = anole_pool_get(pool, i);
        owed += found.score > candidates[best - 1].score &&
                anole_explorer_open(&explorer->base.context, found.config);
    }
    explorer->use += MEMORY * ((double)owed / (double)best - explorer->use);
}

static enum anole_status propose(struct anole_explorer *explorer,
                                 struct anole_candidate *candidates, size_t capacity, size_t *count,
                                 struct anole_error *error)
{
    struct anole_explorer_base *base = &explorer->base;
    if (explorer->whole)
        return anole_explorer_exhaustive.propose(explorer->whole, candidates, capacity, count,
                                                 error);
    enum anole_status status = anole_climber_begin(explorer->climber, error);
    if (status == ANOLE_DONE)
        status = anole_climber_run(explorer->climber, EVALUATIONS, error);
    size_t before = anole_pool_distinct(base->pool);
    bool walks = walks_pay(explorer);
    if (status == ANOLE_DONE && walks)
        status = walk(explorer, error);
    if (status == ANOLE_DONE && walks)
        status = refine(explorer, error);
    if (status == ANOLE_DONE)
        status = anole_pool_best(base->pool, candidates, capacity, count, &base->rng, error);
    if (status == ANOLE_DONE && walks)
        judge_walks(explorer, before, candidates, *count);
    explorer->proposals++;
    return status;
}

static void stats(const struct anole_explorer *explorer, struct anole_explorer_stats *out)
{
    if (explorer->whole) {
        anole_explorer_exhaustive.stats(explorer->whole, out);
        return;
    }
    anole_explorer_stats_of_pool(out, explorer->base.pool);
    out->entropy = explorer->entropy;
    out->reward = explorer->reward;
    out->collapses = explorer->collapses;
}

const struct anole_explorer_ops anole_explorer_rl = {
    .name = "rl",
    .summary = "reinforcement learning (PPO) and hill climbing on the cost model",
    .batch = 4,
    .target = ANOLE_TARGET_RANK,
    .sampler = "adaptive",
    .create = create_learning,
    .destroy = destroy,
    .propose = propose,
    .stats = stats,
};

const struct anole_explorer_ops anole_explorer_rl_untrained = {
    .name = "rl-untrained",
    .summary = "the same with an agent that never learns: a control",
    .batch = 4,
    .target = ANOLE_TARGET_RANK,
    .sampler = "adaptive",
    .create = create_untrained,
    .destroy = destroy,
    .propose = propose,
    .stats = stats,
};
