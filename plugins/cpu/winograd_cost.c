/* SPDX-License-Identifier: MIT
 *
 * A plain model of what a Winograd config costs on a core with two multiply-adds
 * and two loads a cycle.  It is right to some 20 %, which is enough to begin with
 * a good config; the tuner finds the better ones.
 */
#include "winograd.h"

/* Cycles to transform the inputs, or the products, of a vector of channels of one
 * tile: arithmetic, loads and stores. */
static const double input_cycles[] = {[2] = 58, [4] = 180, [5] = 350, [6] = 600};
static const double output_cycles[] = {[2] = 48, [4] = 125, [5] = 240, [6] = 430};

#define NEAR_BYTES 20.0 /* a cycle, from L3 */
#define FAR_BYTES 8.0   /* a cycle, from memory */
#define LAUNCH_CYCLES 10000.0

struct wino_plan wino_plan_of(const struct anole_task *task, const int64_t *v)
{
    const int64_t vw = v[WINO_VECTOR_WIDTH];
    struct wino_plan p;
    p.alpha = v[WINO_TILE] + 2;
    p.points = p.alpha * p.alpha;
    p.tiles = (int64_t)task->batch * gen_ceil_div(task->out_h, v[WINO_TILE]) *
              gen_ceil_div(task->out_w, v[WINO_TILE]);
    p.block_tiles = v[WINO_REGISTER_TILES] * v[WINO_BLOCK];
    p.block_k = v[WINO_VECTORS] * vw;
    p.phase_k = v[WINO_PHASE] * p.block_k;
    p.phases = gen_ceil_div(task->out_c, p.phase_k);
    p.v_row = gen_ceil_div(task->in_c, vw) * vw + v[WINO_PAD];
    if (v[WINO_STAGES] == WINO_STAGED) {
        int64_t rows = gen_ceil_div(p.tiles, v[WINO_REGISTER_TILES]) * v[WINO_REGISTER_TILES];
        p.m_row = p.phases * p.phase_k + v[WINO_PAD];
        p.v_floats = p.points * rows * p.v_row;
        p.m_floats = p.points * rows * p.m_row;
    } else {
        p.m_row = p.phase_k;
        p.v_floats = p.points * p.block_tiles * p.v_row;
        p.m_floats = p.points * (p.block_tiles * p.m_row + v[WINO_PAD]);
    }
    p.weights = p.phases * p.phase_k * p.points * task->in_c;
    return p;
}

int64_t wino_local_floats(const struct anole_device *device)
{
    /* Drivers keep some for themselves. */
    return device->local_memory ? (int64_t)(device->local_memory - 1024) / 4 : 4096;
}

static double max2(double a, double b)
{
    return a > b ? a : b;
}

/* Cycles to move `bytes` of something of `whole` bytes in all to or from the core.
 * It stays in L3 if that is `spare` times as large. */
static double transfer(const struct anole_device *device, double bytes, double whole, double spare)
{
    if (whole < 0.9 * (double)cpu_l2_bytes(device))
        return 0;
    return bytes / (spare * whole < (double)device->cache_l3 ? NEAR_BYTES : FAR_BYTES);
}

/* Transforms wait for what is not in a cache. */
static double cold(const struct anole_device *device, const struct anole_task *task)
{
    const double in = (double)task->in_h * task->in_w * task->in_c;
    const double out = (double)task->out_h * task->out_w * task->out_c;
    return 4.0 * task->batch * (in + out) > 0.25 * (double)device->cache_l3 ? 1.8 : 1;
}

/* The matrix products, on one core. */
static double product_cycles(const struct anole_device *device, const struct anole_task *task,
                             const int64_t *v, const struct wino_plan *p)
{
    const double tiles = (double)v[WINO_REGISTER_TILES], vectors = (double)v[WINO_VECTORS];
    const double sums = tiles * vectors;
    const bool v_from_l2 = 8 * v[WINO_REGISTER_TILES] * p->v_row > cpu_l1_bytes(device);
    const double step = max2(max2(sums / 2, 4), 0.55 * (tiles + vectors)) + 0.25 * vectors +
                        (v_from_l2 ? 0.06 * tiles : 0);
    const double calls = (double)p->points *
                         (double)gen_ceil_div(p->tiles, v[WINO_REGISTER_TILES]) *
                         (double)gen_ceil_div(task->out_c, p->block_k);
    return calls * (task->in_c * step + 20 + sums);
}

double wino_cost(const struct anole_device *device, const struct anole_task *task, const int64_t *v)
{
    const struct wino_plan p = wino_plan_of(task, v);
    const bool staged = v[WINO_STAGES] == WINO_STAGED;
    const int64_t units = cpu_units(device), blocks = gen_ceil_div(p.tiles, p.block_tiles);
    const double in_vectors = (double)(gen_ceil_div(task->in_c, v[WINO_VECTOR_WIDTH]) * p.tiles);
    const double out_vectors = (double)(gen_ceil_div(task->out_c, v[WINO_VECTOR_WIDTH]) * p.tiles);
    const double transforms = in_vectors * input_cycles[v[WINO_TILE]] * (double)v[WINO_SPLIT] +
                              out_vectors * output_cycles[v[WINO_TILE]];
    const double scratch = 4.0 * (double)(p.v_floats + p.m_floats);
    const double weights = 4.0 * (double)p.weights;
    /* Work-groups of one stage leave the weights of a phase in L2; those of a fused
     * kernel come back to them after all the others. */
    double moved =
        transfer(device, weights * (double)(staged ? 1 : blocks), weights + scratch, 1.3);
    if (staged)
        moved += transfer(device, 4 * scratch, scratch, 3.5);
    else if (scratch > 0.6 * (double)cpu_l2_bytes(device)) /* for weights pass through as well */
        moved += (double)blocks * (double)p.phases * scratch / NEAR_BYTES;

    int64_t pieces = staged ? blocks * p.points * p.phases : blocks * v[WINO_SPLIT];
    double work = product_cycles(device, task, v, &p) + transforms * cold(device, task);
    /* What is moved is moved meanwhile, mostly. */
    work = max2(work, moved) + 0.3 * (work < moved ? work : moved);
    return work / ((double)units * gen_balance(pieces, units)) + (staged ? 3 : 1) * LAUNCH_CYCLES;
}

bool wino_acceptable(const struct anole_device *device, const struct anole_task *task,
                     const int64_t *v)
{
    const struct wino_plan p = wino_plan_of(task, v);
    const int64_t sums = v[WINO_REGISTER_TILES] * v[WINO_VECTORS];
    if (sums + v[WINO_VECTORS] + 1 > cpu_registers(device))
        return false;
    if ((v[WINO_VECTORS] - 1) * v[WINO_VECTOR_WIDTH] >= task->out_c ||
        (v[WINO_PHASE] - 1) * p.block_k >= task->out_c || v[WINO_SPLIT] > p.phases)
        return false;
    if (v[WINO_REGISTER_TILES] > p.tiles || (v[WINO_BLOCK] - 1) * v[WINO_REGISTER_TILES] >= p.tiles)
        return false;
    if (p.weights > cpu_buffer_floats(device))
        return false;
    return p.v_floats + p.m_floats <=
           (v[WINO_STAGES] == WINO_STAGED ? cpu_buffer_floats(device) : wino_local_floats(device));
}

/* Adapts the knobs that follow from others, and keeps v in `best` if it is cheaper. */
static void consider(const struct anole_device *device, const struct anole_task *task, int64_t *v,
                     int64_t *best, double *least)
{
    const bool staged = v[WINO_STAGES] == WINO_STAGED;
    const int64_t widest = staged ? 1 : 4 * cpu_units(device);
    for (v[WINO_PHASE] = 1; v[WINO_PHASE] <= 4; v[WINO_PHASE] *= 2)
        for (v[WINO_SPLIT] = 1; v[WINO_SPLIT] <= widest; v[WINO_SPLIT] *= 2) {
            if (!wino_acceptable(device, task, v))
                continue;
            double cost = wino_cost(device, task, v);
            if (*least < 0 || cost < *least) {
                *least = cost;
                for (int i = 0; i < WINO_KNOBS; i++)
                    best[i] = v[i];
            }
        }
}

void wino_plainest(const struct anole_device *device, const struct anole_task *task, int64_t *v)
{
    static const int64_t plainest[WINO_KNOBS] = {[WINO_TILE] = 2,
                                                 [WINO_VECTOR_WIDTH] = 4,
                                                 [WINO_VECTORS] = 1,
                                                 [WINO_REGISTER_TILES] = 1,
                                                 [WINO_BLOCK] = 1,
                                                 [WINO_PHASE] = 1,
                                                 [WINO_STAGES] = WINO_STAGED,
                                                 [WINO_SPLIT] = 1,
                                                 [WINO_STAGE_CHANNELS] = 16,
                                                 [WINO_UNROLL] = 1,
                                                 [WINO_PREFETCH] = 0,
                                                 [WINO_PAD] = 16};
    for (int i = 0; i < WINO_KNOBS; i++)
        v[i] = plainest[i];
    while (v[WINO_VECTOR_WIDTH] < cpu_simd_width(device) && v[WINO_VECTOR_WIDTH] < task->out_c)
        v[WINO_VECTOR_WIDTH] *= 2;
    /* All tiles in a workspace or, of large images, one at a time in local memory. */
    if (!wino_acceptable(device, task, v))
        v[WINO_STAGES] = WINO_FUSED;
}

void wino_choose(const struct anole_device *device, const struct anole_task *task, int64_t *best)
{
    static const int64_t sizes[] = {2, 4, 5, 6};
    int64_t v[WINO_KNOBS];
    double least = -1;
    wino_plainest(device, task, v);
    wino_plainest(device, task, best);

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        v[WINO_TILE] = sizes[i];
        if (i > 0 && sizes[i] > gen_max(task->out_h, task->out_w))
            break;
        for (v[WINO_VECTORS] = 1; v[WINO_VECTORS] <= 4; v[WINO_VECTORS]++)
            for (v[WINO_REGISTER_TILES] = 1; v[WINO_REGISTER_TILES] <= 28; v[WINO_REGISTER_TILES]++)
                for (v[WINO_BLOCK] = 1; v[WINO_BLOCK] <= 4; v[WINO_BLOCK]++)
                    for (int stages = WINO_FUSED; stages <= WINO_STAGED; stages++) {
                        v[WINO_STAGES] = stages;
                        consider(device, task, v, best, &least);
                    }
    }
    /* Weights that pass through L2 come late without a word ahead: far ahead, for a
     * row of a block takes some ten cycles. */
    if (4 * wino_plan_of(task, best).weights > 2 * cpu_l2_bytes(device))
        best[WINO_PREFETCH] = 128;
}
