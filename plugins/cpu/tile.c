/* SPDX-License-Identifier: MIT */
#include "tile.h"

/* A model of a core that can start two multiply-adds and two loads a cycle, and
 * needs four cycles to end a multiply-add.  The constants were fitted to
 * measured tiles of 8 to 28 sums; they only have to put tiles in order. */

/* Cycles for one step of the innermost loop: one row of weights times `pixels`
 * inputs.  Weights come from L2 if they do not fit L1. */
static double step_cycles(double pixels, double vectors, bool weights_in_l1)
{
    double multiply_adds = pixels * vectors;
    double loads = vectors + (vectors > 1 ? pixels : pixels + 1);
    double cycles = multiply_adds > loads ? multiply_adds / 2 : loads / 2;
    if (cycles < 4) /* each sum waits for its predecessor */
        cycles = 4;
    return cycles + 0.3 + (weights_in_l1 ? 0 : 0.25 * vectors);
}

/* Cycles to begin and to end a tile.  As long as few instructions are in flight,
 * the next tile's overlap with them; with many sums they no longer do. */
static double turn_cycles(double sums)
{
    return sums + (sums > 14 ? 5 * (sums - 14) : 0);
}

/* Do more lines than L1 has ways for share a set? */
static bool conflicts(const struct anole_device *device, const struct cpu_tile *t, double pixels)
{
    const int64_t way = 4096; /* bytes, on every core that indexes L1 by page offset */
    return t->stride && t->stride % way == 0 && pixels + 2 > (double)cpu_l1_bytes(device) / way;
}

static double one_tile(const struct anole_device *device, const struct cpu_tile *t, int64_t pixels)
{
    const int64_t weights = t->vectors * t->vector_width * t->depth * 4;
    double step = step_cycles(pixels, t->vectors, weights < cpu_l1_bytes(device) / 2);
    if (conflicts(device, t, pixels))
        step *= 1.06;
    /* Weights that do not stay in L2 come anew for every strip. */
    if (weights > cpu_l2_bytes(device) * 3 / 4)
        step *= 1.1;
    return (double)t->depth * step + turn_cycles((double)pixels * t->vectors);
}

static double tile_cost(const struct anole_device *device, const struct cpu_tile *t)
{
    int64_t rest = t->row % t->pixels;
    double cost = (double)(t->row / t->pixels) * one_tile(device, t, t->pixels);
    if (rest)
        cost += one_tile(device, t, t->exact_tail ? rest : t->pixels);
    return cost * (double)gen_ceil_div(t->channels, t->vectors * t->vector_width);
}

void cpu_tile_choose(const struct anole_device *device, struct cpu_tile *tile)
{
    struct cpu_tile t = *tile;
    double best = -1;

    t.vector_width = 4;
    while (t.vector_width < cpu_simd_width(device) && t.vector_width < t.channels)
        t.vector_width *= 2;
    for (t.vectors = 1; t.vectors <= 6; t.vectors++) {
        if (t.vectors > 1 && (t.vectors - 1) * t.vector_width >= t.channels)
            break;
        for (t.pixels = 1; t.pixels <= gen_min(t.row, 28); t.pixels++) {
            if (t.pixels * t.vectors + t.vectors + 1 > cpu_registers(device))
                break;
            double cost = tile_cost(device, &t);
            if (best < 0 || cost < best) {
                best = cost;
                *tile = t;
            }
        }
    }
}

/* What the unit with most groups does, over what each would do of equal shares: >= 1. */
static double imbalance(const struct anole_device *device, int64_t pieces, int64_t others,
                        int64_t per_group)
{
    const int64_t units = cpu_units(device);
    const int64_t most = gen_ceil_div(gen_ceil_div(pieces, per_group) * others, units);
    return (double)(most * per_group * units) / ((double)pieces * (double)others);
}

int64_t cpu_pieces_per_group(const struct anole_device *device, int64_t pieces, int64_t others)
{
    int64_t per_group = 1;
    while (2 * per_group <= pieces &&
           gen_ceil_div(pieces, 2 * per_group) * others >= 8 * cpu_units(device))
        per_group *= 2;
    /* A group costs some nanoseconds: less than a unit that waits for another. */
    while (cpu_units(device) > 1 && per_group > 1 &&
           imbalance(device, pieces, others, per_group / 2) + 0.01 <
               imbalance(device, pieces, others, per_group))
        per_group /= 2;
    return per_group;
}

int64_t cpu_unroll(const struct anole_device *device, int64_t length)
{
    return cpu_has_few_registers(device) && length >= 16 ? 4 : 1;
}
