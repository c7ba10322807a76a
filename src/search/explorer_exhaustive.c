/* SPDX-License-Identifier: MIT
 *
 * The model's score of every valid config, where they can be listed; of a large
 * random sample of them elsewhere.
 */
#include "base/log.h"
#include "search/explorers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_CONFIGS 100000
#define SAMPLE 20000
#define CHUNK 512

struct anole_explorer {
    struct anole_explorer_base base;
    uint64_t *configs;
    size_t count;
    bool sampled; /* the space is too large: a sample, drawn anew each time */
    size_t evaluations;
};

static void destroy(struct anole_explorer *explorer)
{
    if (!explorer)
        return;
    free(explorer->configs);
    anole_explorer_base_fini(&explorer->base);
    free(explorer);
}

/* Ties are broken by the order of the configs: make that a random one. */
static void shuffle(struct anole_explorer *explorer)
{
    for (size_t i = explorer->count; i > 1; i--) {
        size_t j = anole_rng_below(&explorer->base.rng, i);
        uint64_t swapped = explorer->configs[i - 1];
        explorer->configs[i - 1] = explorer->configs[j];
        explorer->configs[j] = swapped;
    }
}

static enum anole_status list_configs(struct anole_explorer *explorer, struct anole_error *error)
{
    enum anole_status status = anole_space_enumerate(explorer->base.context.space, MOST_CONFIGS,
                                                     &explorer->configs, &explorer->count, error);
    if (status != ANOLE_DONE)
        return status;
    if (explorer->configs) {
        shuffle(explorer);
        return ANOLE_DONE;
    }
    anole_log_warning("the design space has more than %d configs: the exhaustive explorer scores "
                      "%d random ones a batch instead",
                      MOST_CONFIGS, SAMPLE);
    explorer->sampled = true;
    explorer->configs = calloc(SAMPLE, sizeof *explorer->configs);
    return explorer->configs ? ANOLE_DONE : anole_fail_memory(error);
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
        status = list_configs(made, error);
    if (status != ANOLE_DONE) {
        destroy(made);
        return status;
    }
    *explorer = made;
    return ANOLE_DONE;
}

/* Draws a new sample, without duplicates. */
static enum anole_status draw(struct anole_explorer *explorer, struct anole_error *error)
{
    struct anole_config_map drawn = {0};
    enum anole_status status = ANOLE_DONE;
    explorer->count = 0;
    for (size_t i = 0; i < SAMPLE && status == ANOLE_DONE; i++) {
        uint64_t config;
        if (!anole_space_sample(explorer->base.context.space, &explorer->base.rng, &config) ||
            anole_config_map_has(&drawn, config))
            continue;
        if (!anole_config_map_put(&drawn, config, 0))
            status = anole_fail_memory(error);
        explorer->configs[explorer->count++] = config;
    }
    anole_config_map_fini(&drawn);
    return status;
}

/* Puts a candidate where it belongs among the best so far. */
static size_t insert(struct anole_candidate *best, size_t count, size_t capacity,
                     struct anole_candidate candidate)
{
    size_t at = count;
    if (count == capacity)
        at--;
    else
        count++;
    for (; at > 0 && best[at - 1].score < candidate.score; at--)
        best[at] = best[at - 1];
    best[at] = candidate;
    return count;
}

static enum anole_status propose(struct anole_explorer *explorer,
                                 struct anole_candidate *candidates, size_t capacity, size_t *count,
                                 struct anole_error *error)
{
    const struct anole_explorer_context *context = &explorer->base.context;
    float scores[CHUNK];
    size_t kept = 0;
    if (explorer->sampled) {
        enum anole_status status = draw(explorer, error);
        if (status != ANOLE_DONE)
            return status;
    }
    for (size_t at = 0; at < explorer->count && capacity; at += CHUNK) {
        size_t rows = explorer->count - at < CHUNK ? explorer->count - at : CHUNK;
        anole_cost_model_predict(context->model, explorer->configs + at, rows, scores);
        for (size_t r = 0; r < rows; r++) {
            struct anole_candidate candidate = {explorer->configs[at + r], scores[r]};
            if ((kept < capacity || candidate.score > candidates[kept - 1].score) &&
                anole_explorer_open(context, candidate.config))
                kept = insert(candidates, kept, capacity, candidate);
        }
    }
    explorer->evaluations = explorer->count;
    *count = kept;
    return ANOLE_DONE;
}

static void stats(const struct anole_explorer *explorer, struct anole_explorer_stats *out)
{
    *out = (struct anole_explorer_stats){
        .evaluations = explorer->evaluations,
        .distinct = explorer->evaluations,
        .entropy = NAN,
        .reward = NAN,
    };
}

const struct anole_explorer_ops anole_explorer_exhaustive = {
    .name = "exhaustive",
    .summary = "the cost model's best of all configs (of a sample in large spaces)",
    .batch = 4,
    .target = ANOLE_TARGET_RANK,
    .sampler = "adaptive",
    .create = create,
    .destroy = destroy,
    .propose = propose,
    .stats = stats,
};
