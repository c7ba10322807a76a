/* SPDX-License-Identifier: MIT
 *
 * Gradient-boosted regression trees: fitted by XGBoost (forest_fit.c, the only
 * file that knows it), then taken out of its model once and laid out for scoring
 * one row after the other: a call of the library costs more than the trees
 * themselves.
 *
 * Immutable once loaded; safe to read from several threads.
 */
#ifndef ANOLE_FOREST_H
#define ANOLE_FOREST_H

#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

struct anole_forest;

struct anole_forest_options {
    unsigned trees;
    unsigned depth;
    double learning_rate; /* above 0, at most 1 */
    uint64_t seed;
};

/* Fits by least squares, in one thread and without a word.  rows[count * columns],
 * row after row, finite; labels[count].  count, columns >= 1. */
enum anole_status anole_forest_fit(struct anole_forest **forest, const float *rows,
                                   const float *labels, size_t count, size_t columns,
                                   const struct anole_forest_options *options,
                                   struct anole_error *error);

/* From a model saved as UBJSON (XGBoost 1.6 and later: learner /
 * gradient_booster / model / trees).  Only numerical splits; rows have
 * `features` numbers.  ERR_INTERNAL if the bytes are not such a model. */
enum anole_status anole_forest_load(struct anole_forest **forest, const void *ubjson, size_t length,
                                    size_t features, struct anole_error *error);
void anole_forest_destroy(struct anole_forest *forest);

size_t anole_forest_trees(const struct anole_forest *forest);

/* The sum of the leaves that a row falls into; the numbers must be finite. */
float anole_forest_score(const struct anole_forest *forest, const float *row);

#endif
