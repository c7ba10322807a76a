/* SPDX-License-Identifier: MIT
 *
 * k-means: Lloyd's algorithm from k-means++ seeds (Arthur and Vassilvitskii,
 * 2007), and the number of clusters at the knee of the loss.
 */
#ifndef ANOLE_KMEANS_H
#define ANOLE_KMEANS_H

#include "base/rng.h"
#include "base/status.h"

#include <stddef.h>

struct anole_kmeans {
    size_t k;       /* at most what was asked for: as many as there are distinct points */
    double loss;    /* sum of squared distances to the centres */
    float *centres; /* k x dims */
    size_t *labels; /* count */
};

/* points[count * dims], count >= 1, k >= 1.  _fini() frees what _init() made. */
enum anole_status anole_kmeans_init(struct anole_kmeans *kmeans, const float *points, size_t count,
                                    size_t dims, size_t k, struct anole_rng *rng,
                                    struct anole_error *error);
void anole_kmeans_fini(struct anole_kmeans *kmeans);

/* Grows k from `low` on, until one more cluster saves less than a tenth of what
 * there is to save (the loss of a single cluster), or to `high`. */
enum anole_status anole_kmeans_init_knee(struct anole_kmeans *kmeans, const float *points,
                                         size_t count, size_t dims, size_t low, size_t high,
                                         struct anole_rng *rng, struct anole_error *error);

#endif
