/* SPDX-License-Identifier: MIT
 *
 * Multi-start local search on measurements, without a model: from a random
 * config to the first neighbour (by one knob) that was measured to be faster,
 * until there is none; then from another random config.
 */
#include "search/explorers.h"

#include <math.h>
#include <stdlib.h>

#define TRIES 1000 /* draws of a start that is still to be tried */

struct anole_explorer {
    struct anole_explorer_base base;
    bool started;
    uint64_t here;
    size_t *order; /* of the knobs' values, shuffled for each neighbourhood */
    size_t values; /* of all knobs together */
};

static void destroy(struct anole_explorer *explorer)
{
    if (!explorer)
        return;
    free(explorer->order);
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
    for (size_t k = 0; k < anole_space_knob_count(context->space); k++)
        made->values += anole_space_knob(context->space, k)->count;
    made->order = calloc(made->values, sizeof *made->order);
    if (status == ANOLE_DONE && !made->order)
        status = anole_fail_memory(error);
    if (status != ANOLE_DONE) {
        destroy(made);
        return status;
    }
    for (size_t i = 0; i < made->values; i++)
        made->order[i] = i;
    anole_rng_shuffle(&made->base.rng, made->order, made->values);
    *explorer = made;
    return ANOLE_DONE;
}

/* The i-th neighbour of a config: one knob has another value.  False if that is
 * the config itself, or violates the constraints. */
static bool neighbour(const struct anole_explorer *explorer, size_t i, uint64_t *config)
{
    const struct anole_space *space = explorer->base.context.space;
    uint16_t digits[ANOLE_MAX_KNOBS];
    size_t knob = 0;
    for (; i >= anole_space_knob(space, knob)->count; knob++)
        i -= anole_space_knob(space, knob)->count;
    anole_space_decode(space, explorer->here, digits);
    if (digits[knob] == i)
        return false;
    digits[knob] = (uint16_t)i;
    *config = anole_space_encode(space, digits);
    return anole_space_valid_digits(space, digits);
}

/* Goes to a faster neighbour as long as one is known. */
static void descend(struct anole_explorer *explorer)
{
    const struct anole_trials *trials = explorer->base.context.trials;
    const struct anole_trial *at = anole_trials_find(trials, explorer->here);
    for (bool moved = at != NULL; moved;) {
        moved = false;
        for (size_t i = 0; i < explorer->values && !moved; i++) {
            uint64_t config;
            if (!neighbour(explorer, explorer->order[i], &config))
                continue;
            const struct anole_trial *there = anole_trials_find(trials, config);
            if (there && anole_result_cost(&there->result) < anole_result_cost(&at->result)) {
                at = there;
                explorer->here = config;
                moved = true;
            }
        }
    }
}

static bool restart(struct anole_explorer *explorer)
{
    struct anole_explorer_base *base = &explorer->base;
    for (int i = 0; i < TRIES; i++) {
        uint64_t config;
        if (!anole_space_sample(base->context.space, &base->rng, &config) ||
            !anole_explorer_open(&base->context, config))
            continue;
        explorer->here = config;
        anole_rng_shuffle(&base->rng, explorer->order, explorer->values);
        return true;
    }
    return false;
}

static enum anole_status propose(struct anole_explorer *explorer,
                                 struct anole_candidate *candidates, size_t capacity, size_t *count,
                                 struct anole_error *error)
{
    const struct anole_explorer_context *context = &explorer->base.context;
    size_t made = 0;
    (void)error;
    if (!explorer->started) {
        const struct anole_trial *best = anole_trials_best(context->trials);
        explorer->here = best ? best->config : anole_space_default(context->space);
        explorer->started = true;
    }
    descend(explorer);
    for (;;) {
        if (anole_explorer_open(context, explorer->here) && made < capacity)
            candidates[made++] = (struct anole_candidate){explorer->here, 0.0f};
        for (size_t i = 0; i < explorer->values && made < capacity; i++) {
            uint64_t config;
            if (neighbour(explorer, explorer->order[i], &config) &&
                anole_explorer_open(context, config))
                candidates[made++] = (struct anole_candidate){config, 0.0f};
        }
        if (made || !restart(explorer))
            break;
    }
    *count = made;
    return ANOLE_DONE;
}

const struct anole_explorer_ops anole_explorer_local = {
    .name = "local",
    .summary = "multi-start local search on measurements, no cost model",
    .batch = 1,
    .target = ANOLE_TARGET_RANK,
    .sampler = "top",
    .model_free = true,
    .create = create,
    .destroy = destroy,
    .propose = propose,
};
