/* SPDX-License-Identifier: MIT
 *
 * A fitted ensemble of regression trees, taken out of an XGBoost model once and
 * laid out for scoring one row after the other: a call of the library costs more
 * than the trees themselves.
 *
 * Immutable once loaded; safe to read from several threads.
 */
#ifndef ANOLE_FOREST_H
#define ANOLE_FOREST_H

#include "base/status.h"

#include <stddef.h>

struct anole_forest;

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
