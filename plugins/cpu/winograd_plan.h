/* SPDX-License-Identifier: MIT
 *
 * Winograd convolution: the knobs, how tiles cover an image, what a config makes of
 * them, and its weights.
 */
#ifndef ANOLE_CPU_WINOGRAD_PLAN_H
#define ANOLE_CPU_WINOGRAD_PLAN_H

#include "generator.h"

enum wino_knob {
    WINO_TILE,           /* outputs of a tile in a row: F(tile x tile, 3 x 3) */
    WINO_REST,           /* outputs in a row of smaller tiles at the edge; 0: none are smaller */
    WINO_VECTOR_WIDTH,   /* floats in a vector */
    WINO_VECTORS,        /* vectors of output channels whose sums are in registers */
    WINO_REGISTER_TILES, /* tiles whose sums are in registers */
    WINO_BLOCK,          /* so many times that make the tiles of a work-group */
    WINO_PHASE,          /* blocks of output channels between two output transforms */
    WINO_STAGES,         /* one launch or three */
    WINO_SPLIT,          /* work-groups that share the output channels of a block of tiles */
    WINO_STAGE_CHANNELS, /* of a work-group of the first and the third launch */
    WINO_UNROLL,         /* of the loop over input channels */
    WINO_PREFETCH,       /* distance of weights that are asked for ahead, in input channels */
    WINO_PAD,            /* floats between rows of intermediate results */
    WINO_KNOBS
};

enum wino_stages { WINO_FUSED, WINO_STAGED };

/* What follows from a task and a config.  Tiles are counted over the batch. */
struct wino_plan {
    int64_t alpha;  /* elements of an input tile in a row */
    int64_t points; /* alpha^2: products for each tile and pair of channels */
    int64_t tiles;
    int64_t rest;             /* outputs in a row of smaller tiles; those of others if none are */
    int64_t tiles_h, tiles_w; /* of an image */
    int64_t full_h, full_w;   /* of these, rows and columns that are not of smaller tiles */
    int64_t block_tiles;      /* of a work-group */
    int64_t block_k;          /* output channels that share a vector of weights' row */
    int64_t phase_k;          /* output channels of a phase */
    int64_t phases;
    int64_t v_row, m_row;       /* floats of a tile at one point, of input and product */
    int64_t v_floats, m_floats; /* of all points, of a work-group or of all tiles */
    int64_t weights;            /* floats, transformed and packed */
};

struct wino_plan wino_plan_of(const struct anole_task *task, const int64_t *v);

/* How many rows or columns of tiles are smaller, of those that cover `outputs`. */
int64_t wino_rests(int64_t outputs, int64_t tile, int64_t rest);

/* Tiles in a row or column up to which smaller ones are tried.  Measured by racing defaults
 * with and without: on larger maps the few that are smaller cost up to a quarter more than
 * without, as the kernel has more to spill, and twice as long to build. */
#define WINO_REST_MOST_TILES 5

/* Whether smaller tiles may save something. */
bool wino_rest_pays(const struct anole_task *task, int64_t tile, int64_t rest);

/* Points that so many tiles of an image in all need, as kernels/winograd.cl has it:
 * class bit 0, smaller tiles down too; bit 1, smaller tiles across. */
#define WINO_CLASSES 4
int64_t wino_class_points(const struct wino_plan *p, int class);
int64_t wino_rows_before(const struct wino_plan *p, int64_t tiles, int class);
/* Bit n: n tiles (n <= WINO_REGISTER_TILES <= 28) are multiplied at a time somewhere. */
uint32_t wino_rows_used(const struct wino_plan *p, const int64_t *v);

/* Weights [K][3][3][C] -> packed [phases][points][phase][C][block_k]: G w G^T in
 * double, rounded once.  packed[plan.weights]. */
void wino_pack(const struct anole_task *task, const int64_t *v, const float *weights,
               float *packed);

#endif
