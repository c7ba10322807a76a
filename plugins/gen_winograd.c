/* SPDX-License-Identifier: MIT */
#include "gen_winograd.h"

/* The points of F(tile, 3), except infinity. */
static const double points_of[GEN_WINOGRAD_ALPHA - 1][GEN_WINOGRAD_ALPHA - 1] = {
    [1] = {0, 1},
    [2] = {0, 1, -1},
    [4] = {0, 1, -1, 2, -2},
    [5] = {0, 1, -1, 2, -2, 0.5},
    [6] = {0, 1, -1, 2, -2, 0.5, -0.5},
};

void gen_winograd_filter(int64_t tile, double g[GEN_WINOGRAD_ALPHA][3])
{
    const double *points = points_of[tile];
    const int64_t count = tile + 1;
    for (int64_t i = 0; i < count; i++) {
        double scale = 1;
        for (int64_t j = 0; j < count; j++)
            if (j != i)
                scale *= points[i] - points[j];
        /* transform_input() has the opposite sign in this row. */
        if (i == 0 && (tile == 1 || tile == 2 || tile == 6))
            scale = -scale;
        g[i][0] = 1 / scale;
        g[i][1] = points[i] / scale;
        g[i][2] = points[i] * points[i] / scale;
    }
    g[count][0] = 0;
    g[count][1] = 0;
    g[count][2] = 1;
}

void gen_winograd_weights(int64_t alpha, const double g[GEN_WINOGRAD_ALPHA][3], const float *w,
                          int64_t step, double *u)
{
    double rows[GEN_WINOGRAD_ALPHA][3];
    for (int64_t i = 0; i < alpha; i++)
        for (int s = 0; s < 3; s++)
            rows[i][s] =
                g[i][0] * w[s * step] + g[i][1] * w[(3 + s) * step] + g[i][2] * w[(6 + s) * step];
    for (int64_t i = 0; i < alpha; i++)
        for (int64_t j = 0; j < alpha; j++)
            u[i * alpha + j] = rows[i][0] * g[j][0] + rows[i][1] * g[j][1] + rows[i][2] * g[j][2];
}
