/* SPDX-License-Identifier: MIT
 *
 * Products of matrices, for all generators that come down to one; and that of
 * kernels/gpu_gemm.cl: its knobs, constraints, default, features and packed weights.
 */
#ifndef ANOLE_GPU_GEMM_H
#define ANOLE_GPU_GEMM_H

#include "generator.h"

enum gemm_knob {
    GEMM_ITEMS_M,  /* work-items of a work-group, by rows */
    GEMM_ITEMS_N,  /* and by columns */
    GEMM_WORK_M,   /* sums of a work-item, by rows */
    GEMM_WORK_N,   /* and by columns */
    GEMM_TILE_K,   /* products of a sum between two barriers */
    GEMM_VECTOR_A, /* floats of a load of inputs */
    GEMM_VECTOR_B, /* floats of a load of weights */
    GEMM_VECTOR_M, /* rows next to each other in a work-item */
    GEMM_VECTOR_N, /* columns next to each other in a work-item */
    GEMM_UNROLL,   /* steps of the innermost loop that are one piece of code */
    GEMM_STAGE,    /* what goes by way of local memory */
    GEMM_PAD,      /* vectors between rows of inputs in local memory */
    GEMM_PIPELINE, /* how loads and arithmetic overlap */
    GEMM_SWIZZLE,  /* tiles of rows that take turns before the next columns */
    GEMM_SPLIT,    /* parts of a sum */
    GEMM_KNOBS
};

enum gemm_stage { GEMM_STAGE_BOTH, GEMM_STAGE_WEIGHTS, GEMM_STAGE_INPUTS, GEMM_STAGE_NONE };
enum gemm_pipeline { GEMM_SERIAL, GEMM_REGISTERS, GEMM_TWO_TILES };

/* The product. */
struct gemm_shape {
    int64_t matrices, rows, columns, depth; /* of each matrix */
    int64_t vector; /* most floats along the depth that are next to each other: 1, 2, 4, 8 */
    bool pixels;    /* rows are pixels of the input, under a filter */
    bool checked;   /* whose taps may miss it */
    bool may_split; /* the depth, over work-groups */
    bool finish;    /* bias, residual, activation come with it */
    bool wide;      /* loads may have 8 elements: of halves, those are 16 bytes */
    int64_t a_pitch, a_batch, out_pitch, out_batch; /* floats */
    /* For the features: floats of the tensors, and sums that each input serves. */
    double tensors;
};

/* What follows from a shape and a config. */
struct gemm_plan {
    int64_t threads, tile_m, tile_n, m_tiles, n_tiles, k_tiles, groups;
    bool stage_a, stage_b;
    int64_t registers;   /* floats of a work-item, estimated */
    int64_t local_bytes; /* of a work-group */
    int64_t weights;     /* floats, packed */
    int64_t split;       /* work-groups that share a sum */
    int64_t parts;       /* floats of the workspace for partial sums */
    int64_t scratch;     /* and those behind them, for tests: see gpu_mma.cl */
};

/* Those that do not depend on how tiles are multiplied: from threads, tile_m and
 * tile_n, the tile's depth and split, fills in the tiles, groups, weights and parts. */
void gemm_plan_tiles(struct gemm_plan *plan, const struct gemm_shape *shape, int64_t tile_k);
/* Sizes keep within 32-bit indices, and every part of a sum has a tile. */
bool gemm_plan_fits(const struct gemm_plan *plan, const struct gemm_shape *shape);

struct gemm_plan gemm_plan_of(const struct gemm_shape *shape, const int64_t *v);

/* Knobs and constraints.  preferred[GEMM_KNOBS] is the default, as of gemm_choose()
 * for this shape or for one with fewer rows. */
void gemm_declare(const struct anole_device *device, const struct gemm_shape *shape,
                  const int64_t *preferred, struct gen_space *space);
/* v[GEMM_KNOBS]: what the work-groups that the device has to go through, and how
 * much each does for a load, let expect to be fast. */
void gemm_choose(const struct anole_device *device, const struct gemm_shape *shape, int64_t *v);
/* What the constraints do not say: sizes that would not fit 32-bit indices. */
bool gemm_valid(const struct gemm_shape *shape, const int64_t *v);
void gemm_features(const struct anole_device *device, const struct gemm_shape *shape,
                   const int64_t *v, struct gen_features *f);

/* What gemm_features() knows of any plan, for tiles of depth tile_k: a_loads and
 * b_loads are the rows and columns that a work-group loads for a step of the depth. */
void gemm_plan_features(const struct anole_device *device, const struct gemm_shape *shape,
                        const struct gemm_plan *plan, int64_t tile_k, double a_loads,
                        double b_loads, struct gen_features *f);
/* The largest tile of so many rows, columns or depth, of which more than half is of
 * use; small ones are let pass. */
int64_t gemm_largest(int64_t size, int64_t small);

/* The macros that any template of a product takes of shape and plan. */
void gemm_emit_plan(const struct anole_device *device, const struct gemm_shape *shape,
                    const struct gemm_plan *plan, struct gen_emit *emit);
/* The macros of the template, and its text. */
void gemm_emit(const struct anole_device *device, const struct gemm_shape *shape, const int64_t *v,
               struct gen_emit *emit);
/* Launches of kernels `gemm` and, if the depth is split, `gemm_sum`. */
void gemm_launch(const struct anole_device *device, const struct anole_task *task,
                 const struct gemm_shape *shape, const struct gemm_plan *plan,
                 struct gen_emit *emit);

/* Puts element (k, n) of matrix z of the weights in its place: packed[plan.weights],
 * zero before. */
static inline size_t gemm_place(const struct gemm_plan *p, const int64_t *v, int64_t z, int64_t k,
                                int64_t n)
{
    int64_t tile = z * p->n_tiles + n / p->tile_n;
    return (size_t)((tile * p->k_tiles * v[GEMM_TILE_K] + k) * p->tile_n + n % p->tile_n);
}

#endif
