/* SPDX-License-Identifier: MIT
 *
 * Transposed convolution, as a sum over the kernel positions that meet an input pixel.
 * Needs vector.cl before it.
 *
 *   in       [N][H][W][C]
 *   weights  [G][ceil(KG / BLOCK_K)][R][S][CG][BLOCK_K], padded with zeros
 *   bias     [K]
 *   residual [N][P][Q][K]
 *   out      [N][P][Q][K]
 *
 * A work-group is a single work-item.  It computes ROWS rows of BLOCK_K = VECTORS * VW output
 * channels, in tiles of TILE_W pixels that are STRIDE_W apart: those meet the same kernel
 * positions, at input pixels that lie side by side, so that a weight is loaded once for all.
 */
#define BLOCK_K (VECTORS * VW)
#define BLOCKS ((KG + BLOCK_K - 1) / BLOCK_K)

typedef __global const float *source;

/* Adds one kernel position: x points to channel 0 of the group of the tile's first input
 * pixel, of which `first` to `last` - 1 exist. */
INLINE void add_position(vec acc[TILE_W][VECTORS], source x, source w, const int first,
                         const int last)
{
    for (int c = 0; c < CG; c++, w += BLOCK_K) {
        vec part[VECTORS];
#pragma unroll
        for (int v = 0; v < VECTORS; v++)
            part[v] = load(w + v * VW);
#pragma unroll
        for (int j = 0; j < TILE_W; j++) {
            if (j < first || j >= last)
                continue;
            const vec value = (vec)(x[j * C + c]);
#pragma unroll
            for (int v = 0; v < VECTORS; v++)
                acc[j][v] = fma(value, part[v], acc[j][v]);
        }
    }
}

/* The tile of row p whose first pixel is q. */
INLINE void tile(source in, source weights, source bias, source residual, __global float *out,
                 const int p, const int q, const int k0)
{
    vec acc[TILE_W][VECTORS];
#pragma unroll
    for (int i = 0; i < TILE_W * VECTORS; i++)
        acc[i / VECTORS][i % VECTORS] = (vec)(0.0f);

    for (int r = 0; r < R; r++) {
        const int down = p + PAD_H - r * DILATION_H;
        if (down < 0 || down % STRIDE_H != 0 || down / STRIDE_H >= H)
            continue;
        for (int s = 0; s < S; s++) {
            const int across = q + PAD_W - s * DILATION_W;
            if (across % STRIDE_W != 0)
                continue;
            const int x = across / STRIDE_W;
            source row = in + (long)(down / STRIDE_H) * W * C;
            source w = weights + (long)(r * S + s) * CG * BLOCK_K;
            if (x >= 0 && x + TILE_W <= W)
                add_position(acc, row + (long)x * C, w, 0, TILE_W);
            else if (x > -TILE_W && x < W)
                add_position(acc, row + (long)x * C, w, -x, W - x);
        }
    }

#pragma unroll
    for (int j = 0; j < TILE_W; j++) {
        const int column = q + j * STRIDE_W;
        const long to = ((long)p * Q + column) * K;
#pragma unroll
        for (int v = 0; v < VECTORS; v++)
            if (column < Q && k0 + v * VW < KG)
                finish(acc[j][v], KG - k0 - v * VW, false, true, bias + v * VW,
                       residual + to + v * VW, out + to + v * VW);
    }
}

/* Work-groups: [N][G * BLOCKS][ceil(P / rows)]. */
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void conv_transpose(source in,
                                                                            source weights,
#if BIAS
                                                                            source bias,
#endif
#if RESIDUAL
                                                                            source residual,
#endif
                                                                            __global float *out,
                                                                            const int rows)
{
    const int first = GROUP(0) * rows, last = min(P, first + rows);
    const int group = GROUP(1) / BLOCKS, k0 = GROUP(1) % BLOCKS * BLOCK_K;
    const long image = GROUP(2);
    const int k = group * KG + k0;
    in += image * (H * W * C) + group * CG;
    weights += (long)GROUP(1) * (R * S * CG * BLOCK_K);
    out += image * (P * Q * K) + k;
#if BIAS
    source b = bias + k;
#else
    source b = 0;
#endif
#if RESIDUAL
    source add = residual + image * (P * Q * K) + k;
#else
    source add = 0;
#endif

    for (int p = first; p < last; p++)
        for (int phase = 0; phase < STRIDE_W; phase++)
            for (int q = phase; q < Q; q += TILE_W * STRIDE_W)
                tile(in, weights, b, add, out, p, q, k0);
}
