/* SPDX-License-Identifier: MIT */
#include "search/kmeans.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 50 /* Lloyd converges sooner, nearly always */
#define KNEE 0.1

static double distance2(const float *a, const float *b, size_t dims)
{
    float sum = 0.0f;
    for (size_t d = 0; d < dims; d++)
        sum += (a[d] - b[d]) * (a[d] - b[d]);
    return (double)sum;
}

/* k-means++: each further centre is a point drawn with a probability in
 * proportion to its squared distance from the nearest centre so far.  Stops
 * early where all points are centres; returns the number of centres. */
static size_t seed_centres(float *centres, const float *points, size_t count, size_t dims, size_t k,
                           struct anole_rng *rng, double *nearest)
{
    const float *chosen = points + anole_rng_below(rng, count) * dims;
    for (size_t i = 0; i < count; i++)
        nearest[i] = DBL_MAX;
    for (size_t made = 0;; made++) {
        if (made == k)
            return k;
        memcpy(centres + made * dims, chosen, dims * sizeof *centres);
        double total = 0.0;
        for (size_t i = 0; i < count; i++) {
            nearest[i] = fmin(nearest[i], distance2(points + i * dims, chosen, dims));
            total += nearest[i];
        }
        if (total <= 0.0)
            return made + 1;
        double point = anole_rng_uniform(rng) * total;
        for (size_t i = 0; i < count; i++) {
            if (nearest[i] <= 0.0)
                continue;
            chosen = points + i * dims;
            point -= nearest[i];
            if (point < 0.0)
                break;
        }
    }
}

/* Sends every point to its nearest centre; true if one changed its centre. */
static bool assign(struct anole_kmeans *kmeans, const float *points, size_t count, size_t dims)
{
    bool changed = false;
    kmeans->loss = 0.0;
    for (size_t i = 0; i < count; i++) {
        size_t best = 0;
        double least = DBL_MAX;
        for (size_t c = 0; c < kmeans->k; c++) {
            double d = distance2(points + i * dims, kmeans->centres + c * dims, dims);
            if (d < least) {
                least = d;
                best = c;
            }
        }
        changed = changed || kmeans->labels[i] != best;
        kmeans->labels[i] = best;
        kmeans->loss += least;
    }
    return changed;
}

/* Moves every centre to the mean of its points; one without points stays. */
static void move_centres(struct anole_kmeans *kmeans, const float *points, size_t count,
                         size_t dims, double *sums, size_t *members)
{
    memset(sums, 0, kmeans->k * dims * sizeof *sums);
    memset(members, 0, kmeans->k * sizeof *members);
    for (size_t i = 0; i < count; i++) {
        size_t c = kmeans->labels[i];
        members[c]++;
        for (size_t d = 0; d < dims; d++)
            sums[c * dims + d] += (double)points[i * dims + d];
    }
    for (size_t c = 0; c < kmeans->k; c++)
        for (size_t d = 0; d < dims && members[c]; d++)
            kmeans->centres[c * dims + d] = (float)(sums[c * dims + d] / (double)members[c]);
}

enum anole_status anole_kmeans_init(struct anole_kmeans *kmeans, const float *points, size_t count,
                                    size_t dims, size_t k, struct anole_rng *rng,
                                    struct anole_error *error)
{
    if (!count || !dims || !k)
        return anole_fail(error, ANOLE_ERR_INTERNAL,
                          "k-means needs points and clusters, found %zu points of %zu numbers "
                          "and %zu clusters",
                          count, dims, k);
    if (k > count)
        k = count;
    struct anole_kmeans made = {.k = k};
    made.centres = calloc(k * dims, sizeof *made.centres);
    made.labels = calloc(count, sizeof *made.labels);
    double *nearest = calloc(count, sizeof *nearest);
    double *sums = calloc(k * dims, sizeof *sums);
    size_t *members = calloc(k, sizeof *members);
    bool whole = made.centres && made.labels && nearest && sums && members;
    if (whole) {
        made.k = seed_centres(made.centres, points, count, dims, k, rng, nearest);
        assign(&made, points, count, dims);
        for (int round = 0; round < ROUNDS; round++) {
            move_centres(&made, points, count, dims, sums, members);
            if (!assign(&made, points, count, dims))
                break;
        }
    }
    free(members);
    free(sums);
    free(nearest);
    if (!whole) {
        anole_kmeans_fini(&made);
        return anole_fail_memory(error);
    }
    *kmeans = made;
    return ANOLE_DONE;
}

void anole_kmeans_fini(struct anole_kmeans *kmeans)
{
    free(kmeans->centres);
    free(kmeans->labels);
    kmeans->centres = NULL;
    kmeans->labels = NULL;
}

enum anole_status anole_kmeans_init_knee(struct anole_kmeans *kmeans, const float *points,
                                         size_t count, size_t dims, size_t low, size_t high,
                                         struct anole_rng *rng, struct anole_error *error)
{
    struct anole_kmeans best, next;
    enum anole_status status = anole_kmeans_init(&best, points, count, dims, 1, rng, error);
    if (status != ANOLE_DONE)
        return status;
    double whole = best.loss;
    for (size_t k = low > 2 ? low : 2; k <= high && best.loss > 0.0; k++) {
        status = anole_kmeans_init(&next, points, count, dims, k, rng, error);
        if (status != ANOLE_DONE) {
            anole_kmeans_fini(&best);
            return status;
        }
        bool knee = k > low && best.loss - next.loss < KNEE * whole;
        struct anole_kmeans *loser = knee ? &next : &best;
        anole_kmeans_fini(loser);
        if (knee)
            break;
        best = next;
    }
    *kmeans = best;
    return ANOLE_DONE;
}
