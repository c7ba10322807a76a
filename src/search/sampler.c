/* SPDX-License-Identifier: MIT */
#include "search/samplers.h"

#include <stdlib.h>

bool anole_picks_take(struct anole_picks *picks, uint64_t config)
{
    if (picks->count == picks->capacity)
        return false;
    for (size_t i = 0; i < picks->count; i++)
        if (picks->configs[i] == config)
            return false;
    if (!anole_explorer_open(picks->context, config) ||
        !anole_space_valid(picks->context->space, config))
        return false;
    picks->configs[picks->count++] = config;
    return true;
}

void anole_picks_fill(struct anole_picks *picks, const struct anole_candidate *candidates,
                      size_t count)
{
    for (size_t i = 0; i < count && picks->count < picks->capacity; i++)
        anole_picks_take(picks, candidates[i].config);
}

size_t anole_digits_distance(const uint16_t *a, const uint16_t *b, size_t knobs)
{
    size_t differing = 0;
    for (size_t k = 0; k < knobs; k++)
        differing += a[k] != b[k];
    return differing;
}

float *anole_candidates_positions(const struct anole_space *space,
                                  const struct anole_candidate *candidates, size_t count)
{
    size_t knobs = anole_space_knob_count(space);
    float *points = reallocarray(NULL, count * knobs, sizeof *points);
    uint16_t digits[ANOLE_MAX_KNOBS];
    for (size_t i = 0; i < count && points; i++) {
        anole_space_decode(space, candidates[i].config, digits);
        for (size_t k = 0; k < knobs; k++) {
            uint32_t last = anole_space_knob(space, k)->count - 1;
            points[i * knobs + k] = last ? (float)digits[k] / (float)last : 0.0f;
        }
    }
    return points;
}

uint64_t anole_candidates_synthesise(const struct anole_space *space,
                                     const struct anole_candidate *candidates, size_t count,
                                     const size_t *labels, size_t label)
{
    size_t knobs = anole_space_knob_count(space);
    uint16_t made[ANOLE_MAX_KNOBS] = {0}, digits[ANOLE_MAX_KNOBS];
    uint16_t votes[ANOLE_MAX_KNOB_VALUES];
    for (size_t k = 0; k < knobs; k++) {
        uint32_t values = anole_space_knob(space, k)->count;
        for (uint32_t v = 0; v < values; v++)
            votes[v] = 0;
        for (size_t i = 0; i < count; i++) {
            if (labels && labels[i] != label)
                continue;
            anole_space_decode(space, candidates[i].config, digits);
            votes[digits[k]]++;
            if (votes[digits[k]] > votes[made[k]])
                made[k] = digits[k];
        }
    }
    return anole_space_encode(space, made);
}

/* -- The plain ones -- */

static size_t take_batch(const struct anole_explorer_context *context, size_t batch)
{
    (void)context;
    return batch;
}

static enum anole_status pick_top(const struct anole_explorer_context *context,
                                  const struct anole_candidate *candidates, size_t count,
                                  struct anole_rng *rng, size_t batch, uint64_t *configs,
                                  size_t *picked, struct anole_error *error)
{
    struct anole_picks picks = {context, configs, 0, batch};
    (void)rng;
    (void)error;
    anole_picks_fill(&picks, candidates, count);
    *picked = picks.count;
    return ANOLE_DONE;
}

const struct anole_sampler_ops anole_sampler_top = {
    .name = "top",
    .summary = "the explorer's best, as they come",
    .candidates = take_batch,
    .pick = pick_top,
};

/* One in twenty is random, on average. */
static enum anole_status pick_greedy(const struct anole_explorer_context *context,
                                     const struct anole_candidate *candidates, size_t count,
                                     struct anole_rng *rng, size_t batch, uint64_t *configs,
                                     size_t *picked, struct anole_error *error)
{
    struct anole_picks picks = {context, configs, 0, batch};
    (void)error;
    for (size_t i = 0; i < batch; i++) {
        uint64_t config;
        if (anole_rng_below(rng, 20) == 0 && anole_space_sample(context->space, rng, &config))
            anole_picks_take(&picks, config);
    }
    anole_picks_fill(&picks, candidates, count);
    *picked = picks.count;
    return ANOLE_DONE;
}

const struct anole_sampler_ops anole_sampler_greedy = {
    .name = "greedy",
    .summary = "the explorer's best, and 5 % random configs, as AutoTVM publishes it",
    .candidates = take_batch,
    .pick = pick_greedy,
};
