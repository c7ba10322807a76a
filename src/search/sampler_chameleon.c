/* SPDX-License-Identifier: MIT
 *
 * Adaptive sampling as Chameleon publishes it (Ahn et al., ICLR 2020): k-means
 * over the candidates for growing k, up to the knee of the loss; the centre of
 * each cluster is measured; where that config was visited already, one is
 * composed of the values that are most frequent among the candidates (sample
 * synthesis).  The batch is as large as the number of clusters.
 *
 * Unlike the published code it clusters by all knobs, composes from the members of
 * the cluster, and ends always: where the composed config cannot be used either,
 * the member nearest to the centre is.
 */
#include "search/kmeans.h"
#include "search/samplers.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#define LEAST_CLUSTERS 8

static size_t candidates_for(const struct anole_explorer_context *context, size_t batch)
{
    (void)context;
    return 8 * batch;
}

/* The config whose knobs are nearest to a centre; it may violate the
 * constraints. */
static uint64_t round_centre(const struct anole_space *space, const float *centre)
{
    uint16_t digits[ANOLE_MAX_KNOBS];
    for (size_t k = 0; k < anole_space_knob_count(space); k++) {
        uint32_t last = anole_space_knob(space, k)->count - 1;
        digits[k] = (uint16_t)lrintf(fminf(fmaxf(centre[k], 0.0f), 1.0f) * (float)last);
    }
    return anole_space_encode(space, digits);
}

/* Takes the open member of a cluster that is nearest to its centre. */
static void take_nearest(struct anole_picks *picks, const struct anole_kmeans *kmeans,
                         size_t cluster, const float *points, size_t knobs,
                         const struct anole_candidate *candidates, size_t count)
{
    size_t wanted = picks->count + 1;
    float beyond = -1.0f;
    while (picks->count < wanted) {
        /* The nearest that is farther than those that could not be taken. */
        size_t nearest = count;
        float least = FLT_MAX;
        for (size_t i = 0; i < count; i++) {
            float distance = 0.0f;
            if (kmeans->labels[i] != cluster)
                continue;
            for (size_t k = 0; k < knobs; k++) {
                float d = points[i * knobs + k] - kmeans->centres[cluster * knobs + k];
                distance += d * d;
            }
            if (distance > beyond && distance < least) {
                least = distance;
                nearest = i;
            }
        }
        if (nearest == count)
            return;
        anole_picks_take(picks, candidates[nearest].config);
        beyond = least;
    }
}

static enum anole_status pick(const struct anole_explorer_context *context,
                              const struct anole_candidate *candidates, size_t count,
                              struct anole_rng *rng, size_t batch, uint64_t *configs,
                              size_t *picked, struct anole_error *error)
{
    const struct anole_space *space = context->space;
    size_t knobs = anole_space_knob_count(space);
    struct anole_picks picks = {context, configs, 0, batch};
    struct anole_kmeans kmeans;
    *picked = 0;
    if (!count || !batch)
        return ANOLE_DONE;
    float *points = anole_candidates_positions(space, candidates, count);
    if (!points)
        return anole_fail_memory(error);
    size_t least = batch < LEAST_CLUSTERS ? batch : LEAST_CLUSTERS;
    enum anole_status status =
        anole_kmeans_init_knee(&kmeans, points, count, knobs, least, batch, rng, error);
    if (status == ANOLE_DONE) {
        for (size_t c = 0; c < kmeans.k; c++)
            if (!anole_picks_take(&picks, round_centre(space, kmeans.centres + c * knobs)) &&
                !anole_picks_take(&picks, anole_candidates_synthesise(space, candidates, count,
                                                                      kmeans.labels, c)))
                take_nearest(&picks, &kmeans, c, points, knobs, candidates, count);
        anole_kmeans_fini(&kmeans);
        *picked = picks.count;
    }
    free(points);
    return status;
}

const struct anole_sampler_ops anole_sampler_chameleon = {
    .name = "chameleon",
    .summary = "the centres of as many clusters as the candidates have (Chameleon)",
    .candidates = candidates_for,
    .pick = pick,
};
