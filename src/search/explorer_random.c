/* SPDX-License-Identifier: MIT
 *
 * Random configs: the floor that every other explorer has to clear.
 */
#include "search/explorers.h"

#include <math.h>
#include <stdlib.h>

struct anole_explorer {
    struct anole_explorer_base base;
    struct anole_config_map drawn;
};

static void destroy(struct anole_explorer *explorer)
{
    if (!explorer)
        return;
    anole_config_map_fini(&explorer->drawn);
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

static enum anole_status propose(struct anole_explorer *explorer,
                                 struct anole_candidate *candidates, size_t capacity, size_t *count,
                                 struct anole_error *error)
{
    struct anole_explorer_base *base = &explorer->base;
    size_t made = 0;
    anole_config_map_clear(&explorer->drawn);
    for (size_t tries = 0; made < capacity && tries < 20 * capacity + 100; tries++) {
        uint64_t config;
        if (!anole_space_sample(base->context.space, &base->rng, &config) ||
            !anole_explorer_open(&base->context, config) ||
            anole_config_map_has(&explorer->drawn, config))
            continue;
        if (!anole_config_map_put(&explorer->drawn, config, 0))
            return anole_fail_memory(error);
        candidates[made++] = (struct anole_candidate){config, 0.0f};
    }
    *count = made;
    return ANOLE_DONE;
}

const struct anole_explorer_ops anole_explorer_random = {
    .name = "random",
    .summary = "random configs, no cost model",
    .batch = 4,
    .target = ANOLE_TARGET_RANK,
    .sampler = "top",
    .model_free = true,
    .create = create,
    .destroy = destroy,
    .propose = propose,
};
