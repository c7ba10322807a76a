/* SPDX-License-Identifier: MIT
 *
 * How Winograd's tiles cover an image, what a config makes of them, and its weights.
 */
#include "winograd_plan.h"

#include "gen_winograd.h"

#include <string.h>

int64_t wino_rests(int64_t outputs, int64_t tile, int64_t rest)
{
    if (rest <= 0 || rest >= tile)
        return 0;
    const int64_t tiles = gen_ceil_div(outputs, tile);
    return gen_min(tiles, (tiles * tile - outputs) / (tile - rest));
}

bool wino_rest_pays(const struct anole_task *task, int64_t tile, int64_t rest)
{
    return gen_ceil_div(task->out_h, tile) <= WINO_REST_MOST_TILES &&
           gen_ceil_div(task->out_w, tile) <= WINO_REST_MOST_TILES &&
           (wino_rests(task->out_h, tile, rest) > 0 || wino_rests(task->out_w, tile, rest) > 0);
}

struct wino_plan wino_plan_of(const struct anole_task *task, const int64_t *v)
{
    const int64_t vw = v[WINO_VECTOR_WIDTH];
    struct wino_plan p;
    p.alpha = v[WINO_TILE] + 2;
    p.points = p.alpha * p.alpha;
    p.rest = v[WINO_REST] > 0 ? v[WINO_REST] : v[WINO_TILE];
    p.tiles_h = gen_ceil_div(task->out_h, v[WINO_TILE]);
    p.tiles_w = gen_ceil_div(task->out_w, v[WINO_TILE]);
    p.full_h = p.tiles_h - wino_rests(task->out_h, v[WINO_TILE], p.rest);
    p.full_w = p.tiles_w - wino_rests(task->out_w, v[WINO_TILE], p.rest);
    p.tiles = (int64_t)task->batch * p.tiles_h * p.tiles_w;
    p.block_tiles = v[WINO_REGISTER_TILES] * v[WINO_BLOCK];
    p.block_k = v[WINO_VECTORS] * vw;
    p.phase_k = v[WINO_PHASE] * p.block_k;
    p.phases = gen_ceil_div(task->out_c, p.phase_k);
    p.v_row = gen_ceil_div(task->in_c, vw) * vw + v[WINO_PAD];
    if (v[WINO_STAGES] == WINO_STAGED) {
        p.m_row = p.phases * p.phase_k + v[WINO_PAD];
        p.v_floats = p.points * p.tiles * p.v_row;
        p.m_floats = p.points * p.tiles * p.m_row;
    } else {
        p.m_row = p.phase_k;
        p.v_floats = p.points * p.block_tiles * p.v_row;
        p.m_floats = p.points * (p.block_tiles * p.m_row + v[WINO_PAD]);
    }
    p.weights = p.phases * p.phase_k * p.points * task->in_c;
    return p;
}

int64_t wino_class_points(const struct wino_plan *p, int class)
{
    const int64_t shared = p->rest + 2, other = p->alpha - shared;
    return (class & 1 ? shared : other) * (class & 2 ? shared : other);
}

int64_t wino_rows_before(const struct wino_plan *p, int64_t tiles, int class)
{
    const int64_t rows = class & 1 ? p->tiles_h : p->full_h;
    const int64_t columns = class & 2 ? p->tiles_w : p->full_w;
    const int64_t row = tiles / p->tiles_w % p->tiles_h, column = tiles % p->tiles_w;
    return (tiles / (p->tiles_h * p->tiles_w) * rows + gen_min(row, rows)) * columns +
           (row < rows ? gen_min(column, columns) : 0);
}

uint32_t wino_rows_used(const struct wino_plan *p, const int64_t *v)
{
    const bool staged = v[WINO_STAGES] == WINO_STAGED;
    const int64_t most = v[WINO_REGISTER_TILES];
    uint32_t used = 0;
    for (int class = 0; class < WINO_CLASSES; class ++) {
        if (wino_class_points(p, class) == 0)
            continue;
        /* A stage takes blocks of a class's tiles, a fused kernel its share of a block. */
        const int64_t all = staged ? wino_rows_before(p, p->tiles, class) : p->tiles;
        for (int64_t first = 0; first < all; first += p->block_tiles) {
            const int64_t end = gen_min(all, first + p->block_tiles);
            const int64_t rows =
                staged ? end - first
                       : wino_rows_before(p, end, class) - wino_rows_before(p, first, class);
            if (rows >= most)
                used |= UINT32_C(1) << most;
            if (rows % most > 0)
                used |= UINT32_C(1) << rows % most;
        }
    }
    return used;
}

void wino_pack(const struct anole_task *task, const int64_t *v, const float *weights, float *packed)
{
    const struct wino_plan p = wino_plan_of(task, v);
    const int64_t c_count = task->in_c, k_count = task->out_c;
    const int64_t panel = c_count * p.block_k; /* of one point and block of channels */
    double g[GEN_WINOGRAD_ALPHA][3], u[GEN_WINOGRAD_ALPHA * GEN_WINOGRAD_ALPHA];
    gen_winograd_filter(v[WINO_TILE], g);
    memset(packed, 0, (size_t)p.weights * sizeof *packed);

    for (int64_t k0 = 0; k0 < k_count; k0 += p.block_k) {
        const int64_t phase = k0 / p.phase_k, block = k0 % p.phase_k / p.block_k;
        for (int64_t c = 0; c < c_count; c++)
            for (int64_t k = k0; k < gen_min(k0 + p.block_k, k_count); k++) {
                gen_winograd_weights(p.alpha, g, weights + k * 9 * c_count + c, c_count, u);
                for (int64_t i = 0; i < p.points; i++) {
                    const int64_t at = (phase * p.points + i) * v[WINO_PHASE] + block;
                    packed[at * panel + c * p.block_k + k - k0] = (float)u[i];
                }
            }
    }
}
