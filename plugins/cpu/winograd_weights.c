/* SPDX-License-Identifier: MIT */
#include "winograd.h"

#include <string.h>

/* The points of F(tile, 3), except infinity. */
static const double points_of[WINO_MAX_ALPHA - 1][WINO_MAX_ALPHA - 1] = {
    [2] = {0, 1, -1},
    [4] = {0, 1, -1, 2, -2},
    [5] = {0, 1, -1, 2, -2, 0.5},
    [6] = {0, 1, -1, 2, -2, 0.5, -0.5},
};

void wino_filter_transform(int64_t tile, double g[WINO_MAX_ALPHA][3])
{
    const double *points = points_of[tile];
    const int64_t count = tile + 1;
    for (int64_t i = 0; i < count; i++) {
        double scale = 1;
        for (int64_t j = 0; j < count; j++)
            if (j != i)
                scale *= points[i] - points[j];
        /* transform_input() has the opposite sign in this row. */
        if (i == 0 && (tile == 2 || tile == 6))
            scale = -scale;
        g[i][0] = 1 / scale;
        g[i][1] = points[i] / scale;
        g[i][2] = points[i] * points[i] / scale;
    }
    g[count][0] = 0;
    g[count][1] = 0;
    g[count][2] = 1;
}

/* u[alpha][alpha] = G w G^T; element (r, s) of w is w[(r * 3 + s) * step]. */
static void transform_filter(int64_t alpha, const double g[WINO_MAX_ALPHA][3], const float *w,
                             int64_t step, double *u)
{
    double rows[WINO_MAX_ALPHA][3];
    for (int64_t i = 0; i < alpha; i++)
        for (int s = 0; s < 3; s++)
            rows[i][s] =
                g[i][0] * w[s * step] + g[i][1] * w[(3 + s) * step] + g[i][2] * w[(6 + s) * step];
    for (int64_t i = 0; i < alpha; i++)
        for (int64_t j = 0; j < alpha; j++)
            u[i * alpha + j] = rows[i][0] * g[j][0] + rows[i][1] * g[j][1] + rows[i][2] * g[j][2];
}

void wino_pack(const struct anole_task *task, const int64_t *v, const float *weights, float *packed)
{
    const struct wino_plan p = wino_plan_of(task, v);
    const int64_t c_count = task->in_c, k_count = task->out_c;
    const int64_t panel = c_count * p.block_k; /* of one point and block of channels */
    double g[WINO_MAX_ALPHA][3], u[WINO_MAX_ALPHA * WINO_MAX_ALPHA];
    wino_filter_transform(v[WINO_TILE], g);
    memset(packed, 0, (size_t)p.weights * sizeof *packed);

    for (int64_t k0 = 0; k0 < k_count; k0 += p.block_k) {
        const int64_t phase = k0 / p.phase_k, block = k0 % p.phase_k / p.block_k;
        for (int64_t c = 0; c < c_count; c++)
            for (int64_t k = k0; k < gen_min(k0 + p.block_k, k_count); k++) {
                transform_filter(p.alpha, g, weights + k * 9 * c_count + c, c_count, u);
                for (int64_t i = 0; i < p.points; i++) {
                    const int64_t at = (phase * p.points + i) * v[WINO_PHASE] + block;
                    packed[at * panel + c * p.block_k + k - k0] = (float)u[i];
                }
            }
    }
}
