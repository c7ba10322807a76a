/* SPDX-License-Identifier: MIT
 *
 * The default sampler: k-means over all knobs; of each cluster the member that the
 * model likes best, so that a batch is spread but nothing is measured that the
 * model does not like: of all candidates for half of the trials, of the best few for
 * a quarter.  The others are beside one of the best configs so far of several
 * regions (samplers.h: peaks), the incumbent among them.  Where the candidates are
 * too few, configs are composed of their values (sample synthesis).
 */
#include "search/kmeans.h"
#include "search/samplers.h"

#include <stdlib.h>
#include <string.h>

#define SHARE 4      /* one in so many beside a peak */
#define WIDE_SHARE 2 /* one in so many from all candidates, the others from the best few */
#define NARROW 16    /* candidates a trial */
#define MOST_CANDIDATES 1024
#define LARGE_TIMES 3 /* as many where not all configs are scored */
#define FAR 6         /* knobs from the incumbent, of at least twice as many */
#define TRIES 200     /* of making up a config */

/* Many: so that the clusters are regions of the space and not corners of one good
 * region.  With 16 a trial the search finds a remote optimum later.  Where the space
 * cannot be scored as a whole most candidates come from climbs near the incumbent, so
 * that it takes more of them to have those that are far from it. */
static size_t candidates_for(const struct anole_explorer_context *context, size_t batch)
{
    size_t wide = 256 * batch < MOST_CANDIDATES ? 256 * batch : MOST_CANDIDATES;
    return context->small ? wide : LARGE_TIMES * wide;
}

/* Takes up to `wanted` configs: the best open member of each cluster that nothing
 * was taken from yet.  Candidates come best first. */
static enum anole_status take_clusters(struct anole_picks *picks, size_t wanted,
                                       const struct anole_candidate *candidates, size_t count,
                                       struct anole_rng *rng, struct anole_error *error)
{
    const struct anole_space *space = picks->context->space;
    size_t had = picks->count;
    struct anole_kmeans kmeans;
    if (!count || !wanted)
        return ANOLE_DONE;
    float *points = anole_candidates_positions(space, candidates, count);
    if (!points)
        return anole_fail_memory(error);
    enum anole_status status = anole_kmeans_init_knee(
        &kmeans, points, count, anole_space_knob_count(space), 1, had + wanted, rng, error);
    free(points);
    if (status != ANOLE_DONE)
        return status;
    for (size_t i = 0; i < count && picks->count < had + wanted; i++) {
        bool new = true;
        for (size_t j = 0; j < i && new; j++)
            new = kmeans.labels[j] != kmeans.labels[i];
        if (new)
            anole_picks_take(picks, candidates[i].config);
    }
    anole_kmeans_fini(&kmeans);
    return ANOLE_DONE;
}

/* The same from those candidates that are far from the incumbent. */
static enum anole_status take_far_clusters(struct anole_picks *picks, size_t wanted,
                                           const struct anole_candidate *candidates, size_t count,
                                           struct anole_rng *rng, struct anole_error *error)
{
    const struct anole_space *space = picks->context->space;
    const struct anole_trial *best = anole_trials_best(picks->context->trials);
    if (!best)
        return take_clusters(picks, wanted, candidates, count, rng, error);
    uint16_t incumbent[ANOLE_MAX_KNOBS], digits[ANOLE_MAX_KNOBS];
    size_t knobs = anole_space_knob_count(space), far_count = 0;
    size_t least = knobs / 2 < FAR ? knobs / 2 : FAR;
    struct anole_candidate *far = calloc(count + 1, sizeof *far);
    if (!far)
        return anole_fail_memory(error);
    anole_space_decode(space, best->config, incumbent);
    for (size_t i = 0; i < count; i++) {
        anole_space_decode(space, candidates[i].config, digits);
        if (anole_digits_distance(incumbent, digits, knobs) >= least)
            far[far_count++] = candidates[i];
    }
    enum anole_status status = take_clusters(picks, wanted, far, far_count, rng, error);
    free(far);
    return status;
}

/* Makes configs up: first of the most frequent values, then each knob from a
 * candidate of its own. */
static void take_synthetic(struct anole_picks *picks, const struct anole_candidate *candidates,
                           size_t count, struct anole_rng *rng)
{
    const struct anole_space *space = picks->context->space;
    uint16_t made[ANOLE_MAX_KNOBS], donor[ANOLE_MAX_KNOBS];
    if (count && picks->count < picks->capacity)
        anole_picks_take(picks, anole_candidates_synthesise(space, candidates, count, NULL, 0));
    for (int i = 0; i < TRIES && count && picks->count < picks->capacity; i++) {
        for (size_t k = 0; k < anole_space_knob_count(space); k++) {
            anole_space_decode(space, candidates[anole_rng_below(rng, count)].config, donor);
            made[k] = donor[k];
        }
        anole_picks_take(picks, anole_space_encode(space, made));
    }
}

static enum anole_status pick(const struct anole_explorer_context *context,
                              const struct anole_candidate *candidates, size_t count,
                              struct anole_rng *rng, size_t batch, uint64_t *configs,
                              size_t *picked, struct anole_error *error)
{
    struct anole_picks picks = {context, configs, 0, batch};
    /* On average where the batch is no multiple of it. */
    size_t near = (batch + anole_rng_below(rng, SHARE)) / SHARE;
    size_t wide = (batch + anole_rng_below(rng, WIDE_SHARE)) / WIDE_SHARE;
    size_t narrow = batch > near + wide ? batch - near - wide : 0;
    size_t few = NARROW * batch < count ? NARROW * batch : count;
    enum anole_status status = take_clusters(&picks, narrow, candidates, few, rng, error);
    if (status == ANOLE_DONE && context->small)
        status = take_clusters(&picks, wide, candidates, count, rng, error);
    else if (status == ANOLE_DONE)
        status = take_far_clusters(&picks, wide, candidates, count, rng, error);
    if (status != ANOLE_DONE)
        return status;
    if (anole_cost_model_informed(context->model))
        status = anole_picks_take_beside_peaks(&picks, near, rng, error);
    if (status != ANOLE_DONE)
        return status;
    anole_picks_fill(&picks, candidates, count);
    take_synthetic(&picks, candidates, count, rng);
    *picked = picks.count;
    return ANOLE_DONE;
}

const struct anole_sampler_ops anole_sampler_adaptive = {
    .name = "adaptive",
    .summary = "the best of each cluster, and neighbours of the best of several regions",
    .candidates = candidates_for,
    .pick = pick,
};
