/* SPDX-License-Identifier: MIT
 *
 * A config as a row of numbers for the cost model: for each knob its value (log2
 * of it where all values are positive and ordinal, one column a value for
 * categorical knobs of up to eight values), then what the backend adds, or where it
 * adds nothing, what kernels are commonly sensitive to: the largest power of two
 * that divides each size, and the products of all pairs of sizes (of up to twelve).
 * Facts about task and device come as further columns, equal for all configs of a
 * task, so that rows of several tasks can be pooled.
 */
#ifndef ANOLE_FEATURE_H
#define ANOLE_FEATURE_H

#include "base/status.h"
#include "space/space.h"

#define ANOLE_MAX_EXTRA_FEATURES 1024
#define ANOLE_MAX_CONTEXT_FEATURES 4096

struct anole_features;

/* Extra features of a config: writes `count` numbers.  Pure, thread-safe. */
typedef void anole_features_extra(void *context, const int64_t *values, size_t value_count,
                                  double *out);

/* `context_values`: facts about task and device, copied; may be NULL with count
 * 0.  `extra` may be NULL with count 0.  The space must outlive this.  ERR_INPUT
 * for more than the limits above. */
enum anole_status anole_features_create(struct anole_features **features,
                                        const struct anole_space *space,
                                        const double *context_values, size_t context_count,
                                        anole_features_extra *extra, void *extra_context,
                                        size_t extra_count, struct anole_error *error);
void anole_features_destroy(struct anole_features *features);

/* Columns of a row. */
size_t anole_features_count(const struct anole_features *features);
/* row[anole_features_count()]; finite always: what is no number becomes 0, what
 * is too large the largest float.  Thread-safe. */
void anole_features_row(const struct anole_features *features, uint64_t config, float *row);

const struct anole_space *anole_features_space(const struct anole_features *features);

/* Where the rows of another space hold what each column of these means: knobs are
 * matched by name, their values by equality; what the backend adds and the facts by
 * position, if both have as many.  columns[anole_features_count(to)]: a column of
 * `from`, or SIZE_MAX where it has none. */
void anole_features_align(size_t *columns, const struct anole_features *to,
                          const struct anole_features *from);

/* What a column holds, for logs: "tile_w", "algorithm=winograd", "extra 0",
 * "context 3".  Returns out. */
const char *anole_features_name(const struct anole_features *features, size_t column, char *out,
                                size_t size);

#endif
