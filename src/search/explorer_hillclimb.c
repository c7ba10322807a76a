/* SPDX-License-Identifier: MIT
 *
 * Hill climbing with restarts on the cost model: a plain and strong control.
 */
#include "search/climb.h"
#include "search/explorers.h"

#include <stdlib.h>

#define EVALUATIONS 2000

struct anole_explorer {
    struct anole_explorer_base base;
    struct anole_climber *climber;
};

static void destroy(struct anole_explorer *explorer)
{
    if (!explorer)
        return;
    anole_climber_destroy(explorer->climber);
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
    if (status == ANOLE_DONE)
        status = anole_climber_create(&made->climber, &made->base.context, made->base.pool, error);
    if (status != ANOLE_DONE) {
        destroy(made);
        return status;
    }
    *explorer = made;
    return ANOLE_DONE;
}

static enum anole_status propose(struct anole_explorer *explorer,
                                 struct anole_candidate *candidates, size_t capacity, size_t *count,
                                 struct anole_error *error)
{
    struct anole_explorer_base *base = &explorer->base;
    enum anole_status status = anole_climber_begin(explorer->climber, error);
    if (status == ANOLE_DONE)
        status = anole_climber_run(explorer->climber, EVALUATIONS, error);
    if (status == ANOLE_DONE)
        status = anole_pool_best(base->pool, candidates, capacity, count, &base->rng, error);
    return status;
}

static void stats(const struct anole_explorer *explorer, struct anole_explorer_stats *out)
{
    anole_explorer_stats_of_pool(out, explorer->base.pool);
}

const struct anole_explorer_ops anole_explorer_hillclimb = {
    .name = "hillclimb",
    .summary = "hill climbing with restarts on the cost model",
    .batch = 4,
    .target = ANOLE_TARGET_RANK,
    .sampler = "adaptive",
    .create = create,
    .destroy = destroy,
    .propose = propose,
    .stats = stats,
};
