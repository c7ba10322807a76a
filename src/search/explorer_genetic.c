/* SPDX-License-Identifier: MIT
 *
 * A genetic algorithm on the cost model: tournaments, uniform crossover,
 * mutation; starts from the elites and random configs at each proposal.
 */
#include "search/explorers.h"

#include <stdlib.h>
#include <string.h>

#define POPULATION 64
#define GENERATIONS 30
#define KEPT 4   /* the best survive as they are */
#define RIVALS 3 /* in a tournament */
#define TRIES 16 /* draws of a child that meets the constraints */

struct anole_explorer {
    struct anole_explorer_base base;
    struct anole_candidate population[POPULATION], children[POPULATION];
};

static void destroy(struct anole_explorer *explorer)
{
    if (!explorer)
        return;
    anole_explorer_base_fini(&explorer->base);
    free(explorer);
}

static enum anole_status create(struct anole_explorer **explorer,
                                const struct anole_explorer_context *context,
                                struct anole_error *error)
{
    struct anole_explorer *made = calloc(1, sizeof *made);
    if (!made)
        return anole_fail_memory(error);
    enum anole_status status = anole_explorer_base_init(&made->base, context, error);
    if (status != ANOLE_DONE) {
        destroy(made);
        return status;
    }
    *explorer = made;
    return ANOLE_DONE;
}

static enum anole_status found_population(struct anole_explorer *explorer,
                                          struct anole_error *error)
{
    struct anole_explorer_base *base = &explorer->base;
    uint64_t elites[POPULATION / 4];
    double costs[POPULATION / 4];
    size_t count = anole_trials_elites(base->context.trials, elites, costs, POPULATION / 4);
    enum anole_status status = ANOLE_DONE;
    for (size_t i = 0; i < POPULATION && status == ANOLE_DONE; i++) {
        struct anole_candidate *one = &explorer->population[i];
        if (i < count)
            one->config = elites[i];
        else if (!anole_space_sample(base->context.space, &base->rng, &one->config))
            one->config = anole_space_default(base->context.space);
        status = anole_pool_score(base->pool, &one->score, NULL, one->config, error);
    }
    return status;
}

/* The best of a few; the population is sorted, best first. */
static const struct anole_candidate *select_parent(struct anole_explorer *explorer)
{
    size_t best = POPULATION;
    for (int i = 0; i < RIVALS; i++) {
        size_t rival = anole_rng_below(&explorer->base.rng, POPULATION);
        best = rival < best ? rival : best;
    }
    return &explorer->population[best];
}

static uint64_t make_child(struct anole_explorer *explorer)
{
    const struct anole_space *space = explorer->base.context.space;
    struct anole_rng *rng = &explorer->base.rng;
    size_t knobs = anole_space_knob_count(space);
    uint16_t mother[ANOLE_MAX_KNOBS], father[ANOLE_MAX_KNOBS];
    const struct anole_candidate *one = select_parent(explorer);
    for (int i = 0; i < TRIES; i++) {
        anole_space_decode(space, one->config, mother);
        anole_space_decode(space, select_parent(explorer)->config, father);
        for (size_t k = 0; k < knobs; k++) {
            if (anole_rng_below(rng, 2))
                mother[k] = father[k];
            if (anole_rng_below(rng, knobs + 1) == 0)
                mother[k] = (uint16_t)anole_rng_below(rng, anole_space_knob(space, k)->count);
        }
        if (anole_space_valid_digits(space, mother))
            return anole_space_encode(space, mother);
    }
    return one->config;
}

static enum anole_status breed(struct anole_explorer *explorer, struct anole_error *error)
{
    struct anole_explorer_base *base = &explorer->base;
    enum anole_status status = found_population(explorer, error);
    for (size_t g = 0; g < GENERATIONS && status == ANOLE_DONE; g++) {
        anole_candidates_sort(explorer->population, POPULATION, &base->rng);
        memcpy(explorer->children, explorer->population, KEPT * sizeof *explorer->children);
        for (size_t i = KEPT; i < POPULATION && status == ANOLE_DONE; i++) {
            struct anole_candidate *child = &explorer->children[i];
            child->config = make_child(explorer);
            status = anole_pool_score(base->pool, &child->score, NULL, child->config, error);
        }
        memcpy(explorer->population, explorer->children, sizeof explorer->population);
    }
    return status;
}

static enum anole_status propose(struct anole_explorer *explorer,
                                 struct anole_candidate *candidates, size_t capacity, size_t *count,
                                 struct anole_error *error)
{
    struct anole_explorer_base *base = &explorer->base;
    anole_pool_clear(base->pool);
    enum anole_status status = breed(explorer, error);
    if (status == ANOLE_DONE)
        status = anole_pool_best(base->pool, candidates, capacity, count, &base->rng, error);
    return status;
}

static void stats(const struct anole_explorer *explorer, struct anole_explorer_stats *out)
{
    anole_explorer_stats_of_pool(out, explorer->base.pool);
}

const struct anole_explorer_ops anole_explorer_genetic = {
    .name = "genetic",
    .summary = "a genetic algorithm on the cost model",
    .batch = 4,
    .target = ANOLE_TARGET_RANK,
    .sampler = "adaptive",
    .create = create,
    .destroy = destroy,
    .propose = propose,
    .stats = stats,
};
