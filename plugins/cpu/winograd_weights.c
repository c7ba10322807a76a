/* SPDX-License-Identifier: MIT */
#include "winograd.h"

#include "gen_winograd.h"

#include <string.h>

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
