/* SPDX-License-Identifier: MIT
 *
 * The loops that references share: over the rows of a shape that several operands broadcast
 * to, over what lies before and behind an axis, and copies with strides or by index.
 * Elements travel as doubles or as int64_t, a chunk at a time, so that the type is asked for
 * once a chunk.
 */
#ifndef ANOLE_ITERATE_H
#define ANOLE_ITERATE_H

#include "op/op.h"

/* Elements that are converted at a time: a buffer for the stack. */
#define ANOLE_CHUNK 256

/* -- Chunks: `count` elements from element `first` on, each `stride` behind the one before -- */

void anole_load_reals(double *values, const struct anole_operand *operand, int64_t first,
                      int64_t stride, size_t count);
/* Real types are rounded to nearest even; integers truncated and saturated. */
void anole_store_reals(struct anole_operand *operand, int64_t first, int64_t stride,
                       const double *values, size_t count);
/* Real types are truncated; U64 beyond INT64_MAX wraps. */
void anole_load_ints(int64_t *values, const struct anole_operand *operand, int64_t first,
                     int64_t stride, size_t count);
/* Integers wrap, as they do in C; BOOL is 1 for all that is not 0. */
void anole_store_ints(struct anole_operand *operand, int64_t first, int64_t stride,
                      const int64_t *values, size_t count);

/* -- Rows -- */

#define ANOLE_WALK_MOST 4 /* operands */

/* A walk over all elements of a shape, one row at a time.  Dimensions that every operand
 * passes through evenly are merged, so that rows are as long as they can be. */
struct anole_walk {
    /* The row: its elements, where it begins in each operand, and the distance between two
     * elements of it there (all in elements). */
    int64_t length;
    int64_t at[ANOLE_WALK_MOST];
    int64_t step[ANOLE_WALK_MOST];
    /* Private: the dimensions around the row. */
    uint32_t rank, count;
    int64_t dims[ANOLE_MAX_RANK], index[ANOLE_MAX_RANK];
    int64_t strides[ANOLE_WALK_MOST][ANOLE_MAX_RANK];
};

/* Begins a walk over dims[rank] with `count` operands, each seen from it by its strides[rank].
 * For each row: `for (bool more = anole_walk_begin(...); more; more = anole_walk_next(&walk))`;
 * false at once where there are no elements. */
bool anole_walk_begin(struct anole_walk *walk, uint32_t rank, const int64_t *dims, uint32_t count,
                      const int64_t strides[][ANOLE_MAX_RANK]);
bool anole_walk_next(struct anole_walk *walk);

/* Strides in elements of a dense tensor: strides[rank]. */
void anole_dense_strides(int64_t *strides, const struct anole_operand *operand);

/* -- An axis -- */

/* Element (o, a, i) lies at (o * length + a) * inner + i.  Where there are no elements, outer
 * and inner are 0. */
struct anole_axis {
    int64_t outer, length, inner;
};

struct anole_axis anole_axis_split(const struct anole_operand *operand, uint32_t axis);

/* -- Copies of elements of `bytes` bytes (1, 2, 4, 8) -- */

/* out[sum index * out_strides] = in[sum index * in_strides], for each index below dims[rank]. */
void anole_copy_strided(void *out, const int64_t *out_strides, const void *in,
                        const int64_t *in_strides, uint32_t rank, const int64_t *dims,
                        size_t bytes);

/* out[i, j, …] = in[maps[0][i], maps[1][j], …]; where any of these is negative *fill (of
 * `bytes` bytes; NULL: none is).  Ranks are the same; maps[d] has out->dims[d] numbers. */
void anole_copy_mapped(struct anole_operand *out, const struct anole_operand *in,
                       const int64_t *const *maps, const void *fill);

#endif
