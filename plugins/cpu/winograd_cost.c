/* SPDX-License-Identifier: MIT
 *
 * A plain model of what a Winograd config costs on a core with two multiply-adds
 * and two loads a cycle.  It is right to some 20 %, which is enough to begin with
 * a good config; the tuner finds the better ones.
 */
#include "winograd_cost.h"

#include <math.h>
#include <string.h>

/* Cycles to transform the inputs, or the products, of a vector of channels of one
 * tile: arithmetic, loads and stores. */
static const double input_cycles[] = {[2] = 58, [4] = 180, [5] = 350, [6] = 600};
static const double output_cycles[] = {[2] = 48, [4] = 125, [5] = 240, [6] = 430};

#define NEAR_BYTES 20.0 /* a cycle, from L3 */
#define FAR_BYTES 8.0   /* a cycle, from memory */
#define LAUNCH_CYCLES 10000.0

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

/* A call of the matrix product: so many tiles, and the vectors of a block of channels. */
static double call_cycles(const struct anole_task *task, double tiles, const int64_t *v,
                          bool v_from_l2)
{
    const double vectors = (double)v[WINO_VECTORS], sums = tiles * vectors;
    const double step = max2(max2(sums / 2, 4), 0.55 * (tiles + vectors)) + 0.25 * vectors +
                        (v_from_l2 ? 0.06 * tiles : 0);
    return (double)task->in_c * step + 20 + sums;
}

/* The matrix products, on one core. */
static double product_cycles(const struct anole_device *device, const struct anole_task *task,
                             const int64_t *v, const struct wino_plan *p)
{
    const double most = (double)v[WINO_REGISTER_TILES];
    const double blocks = (double)gen_ceil_div(p->tiles, p->block_tiles);
    const bool v_from_l2 = 8 * v[WINO_REGISTER_TILES] * p->v_row > cpu_l1_bytes(device);
    double cycles = 0;
    for (int class = 0; class < WINO_CLASSES; class ++) {
        /* As if each block had the same number of the tiles. */
        const double rows = (double)wino_rows_before(p, p->tiles, class) / blocks;
        const double whole = floor(rows / most), left = rows - whole * most;
        const double of_block = whole * call_cycles(task, most, v, v_from_l2) +
                                (left > 0.01 ? call_cycles(task, left, v, v_from_l2) : 0);
        cycles += (double)wino_class_points(p, class) * blocks * of_block;
    }
    /* F(6 x 6) keeps the multipliers less busy: 78 to 90 % of the peak where F(4 x 4) is at
     * 87 to 100 (bench/steps.sh); the size of its weights is not the reason. */
    const double busy = v[WINO_TILE] == 6 && v[WINO_REST] > 0 ? 1 / 0.85 : 1;
    return busy * cycles * (double)gen_ceil_div(task->out_c, p->block_k);
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
    if (v[WINO_REST] > 0 && !wino_rest_pays(task, v[WINO_TILE], v[WINO_REST]))
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

static void search_default(const struct anole_device *device, const struct anole_task *task,
                           int64_t *best)
{
    static const int64_t shapes[][2] = {{2, 0}, {2, 1}, {4, 0}, {4, 1}, {4, 2}, {5, 0}, {5, 1},
                                        {5, 2}, {5, 4}, {6, 0}, {6, 1}, {6, 2}, {6, 4}, {6, 5}};
    int64_t v[WINO_KNOBS];
    double least = -1;
    wino_plainest(device, task, v);
    wino_plainest(device, task, best);

    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const int64_t tile = v[WINO_TILE] = shapes[i][0], rest = v[WINO_REST] = shapes[i][1];
        if (i > 0 && tile > gen_max(task->out_h, task->out_w))
            break;
        if (rest > 0 && !wino_rest_pays(task, tile, rest))
            continue;
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
    /* With few registers a turn has few multiply-adds: see cpu_unroll(). */
    if (cpu_has_few_registers(device) && task->in_c >= 16)
        best[WINO_UNROLL] = 2;
}

/* Asked for with every kernel that is generated, of one task at a time: the last answer is kept. */
void wino_choose(const struct anole_device *device, const struct anole_task *task, int64_t *best)
{
    static _Thread_local struct {
        bool known;
        struct anole_device device;
        struct anole_task task;
        int64_t values[WINO_KNOBS];
    } last;
    if (!last.known || memcmp(&last.device, device, sizeof *device) != 0 ||
        memcmp(&last.task, task, sizeof *task) != 0) {
        search_default(device, task, last.values);
        last.device = *device;
        last.task = *task;
        last.known = true;
    }
    memcpy(best, last.values, sizeof last.values);
}
