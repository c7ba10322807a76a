/* SPDX-License-Identifier: MIT
 *
 * Simulated annealing on the cost model, as in AutoTVM (Chen et al., 2018): many
 * chains side by side, each step changes one knob of each; the chains go on where
 * the last proposal left them.
 */
#include "search/explorers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CHAINS 128
#define STEPS 500
#define PATIENCE 50 /* steps without a better candidate */
#define TRIES 16    /* draws of a step that meets the constraints */

struct anole_explorer {
    struct anole_explorer_base base;
    uint64_t chains[CHAINS];
    size_t count; /* of the chains; 0 until the first proposal */
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

/* Another value for one knob; the config itself where none was found. */
static uint64_t step_from(struct anole_explorer *explorer, uint64_t config)
{
    const struct anole_space *space = explorer->base.context.space;
    struct anole_rng *rng = &explorer->base.rng;
    uint16_t digits[ANOLE_MAX_KNOBS];
    anole_space_decode(space, config, digits);
    const size_t knobs = anole_space_knob_count(space);
    for (int i = 0; i < TRIES && knobs > 0; i++) {
        size_t knob = anole_rng_below(rng, knobs);
        uint32_t count = anole_space_knob(space, knob)->count;
        uint16_t old = digits[knob];
        digits[knob] = (uint16_t)anole_rng_below(rng, count);
        if (digits[knob] != old && anole_space_valid_digits(space, digits))
            return anole_space_encode(space, digits);
        digits[knob] = old;
    }
    return config;
}

static enum anole_status start(struct anole_explorer *explorer, float *scores,
                               struct anole_error *error)
{
    struct anole_explorer_base *base = &explorer->base;
    enum anole_status status = ANOLE_DONE;
    for (; explorer->count < CHAINS; explorer->count++)
        if (!anole_space_sample(base->context.space, &base->rng,
                                &explorer->chains[explorer->count]))
            explorer->chains[explorer->count] = anole_space_default(base->context.space);
    for (size_t c = 0; c < CHAINS && status == ANOLE_DONE; c++)
        status = anole_pool_score(base->pool, &scores[c], NULL, explorer->chains[c], error);
    return status;
}

static enum anole_status anneal(struct anole_explorer *explorer, struct anole_error *error)
{
    struct anole_explorer_base *base = &explorer->base;
    float scores[CHAINS], found, bar = -INFINITY;
    enum anole_status status = start(explorer, scores, error);
    for (size_t step = 0, waited = 0; step < STEPS && waited < PATIENCE; step++, waited++) {
        double temperature = 1.0 - (double)step / (STEPS + 1);
        for (size_t c = 0; c < CHAINS && status == ANOLE_DONE; c++) {
            uint64_t config = step_from(explorer, explorer->chains[c]);
            status = anole_pool_score(base->pool, &found, NULL, config, error);
            double gain = (double)found - (double)scores[c];
            if (status == ANOLE_DONE &&
                anole_rng_uniform(&base->rng) < exp(gain / (temperature + 1e-5))) {
                explorer->chains[c] = config;
                scores[c] = found;
            }
        }
        if (status != ANOLE_DONE)
            return status;
        float now = anole_pool_rank_score(base->pool, ANOLE_POOL_RANKS - 1);
        if (now > bar)
            waited = 0;
        bar = now;
    }
    return status;
}

static enum anole_status propose(struct anole_explorer *explorer,
                                 struct anole_candidate *candidates, size_t capacity, size_t *count,
                                 struct anole_error *error)
{
    struct anole_explorer_base *base = &explorer->base;
    anole_pool_clear(base->pool);
    enum anole_status status = anneal(explorer, error);
    if (status == ANOLE_DONE)
        status = anole_pool_best(base->pool, candidates, capacity, count, &base->rng, error);
    return status;
}

static void stats(const struct anole_explorer *explorer, struct anole_explorer_stats *out)
{
    anole_explorer_stats_of_pool(out, explorer->base.pool);
}

const struct anole_explorer_ops anole_explorer_annealing = {
    .name = "annealing",
    .summary = "simulated annealing on the cost model, small batches",
    .batch = 4,
    .target = ANOLE_TARGET_RANK,
    .sampler = "adaptive",
    .create = create,
    .destroy = destroy,
    .propose = propose,
    .stats = stats,
};

const struct anole_explorer_ops anole_explorer_autotvm = {
    .name = "autotvm",
    .summary = "simulated annealing as AutoTVM publishes it: batches of 64, 5 % random",
    .batch = 64,
    .target = ANOLE_TARGET_SPEED,
    .sampler = "greedy",
    .create = create,
    .destroy = destroy,
    .propose = propose,
    .stats = stats,
};
