/* SPDX-License-Identifier: MIT
 *
 * Convolution in groups that are narrower than a vector.  Needs vector.cl before
 * it.
 *
 *   in       [N][H][W][C]
 *   weights  [BLOCKS][R][S][CG][VW], then SPAN floats of 0
 *   bias     [K]
 *   residual [N][P][Q][K]
 *   out      [N][P][Q][K]
 *
 * A vector of output channels, a block, covers VW / KG whole groups; BLOCKS = K /
 * VW.  The inputs of those groups, SPAN = VW / KG * CG channels, lie together and
 * are loaded at once.  SPREAD(x, c) makes a vector of them that holds, in each
 * lane, channel c of that lane's group.
 *
 * A work-group is a single work-item.  It computes `group_rows` strips of TILE_H rows of
 * `group_blocks` blocks, a tile of TILE_H x TILE_W pixels at a time.  The weights of a
 * block stay for all its strips, or the strip for all blocks.
 */
#define TILES_H ((P + TILE_H - 1) / TILE_H)
#define TILES_W ((Q + TILE_W - 1) / TILE_W)
#define SLAB (R * S * CG * VW) /* weights of one block */

typedef __global const float *source;

typedef CONCAT(float, SPAN) span;
typedef span span_unaligned __attribute__((aligned(4)));

struct tensors {
    source in, weights, zeros, bias, residual; /* at this block's channels */
    __global float *out;
};

/* Adds what one tap of the filter, whose weights are at w, gives. */
INLINE void tap(vec acc[TILE_H][TILE_W], source w, source pixel[TILE_H][TILE_W])
{
    vec weight[CG];
#pragma unroll
    for (int c = 0; c < CG; c++)
        weight[c] = load(w + c * VW);
#pragma unroll
    for (int ty = 0; ty < TILE_H; ty++) {
#pragma unroll
        for (int tx = 0; tx < TILE_W; tx++) {
            const span x = *(__global const span_unaligned *)pixel[ty][tx];
#pragma unroll
            for (int c = 0; c < CG; c++)
                acc[ty][tx] = fma(SPREAD(x, c), weight[c], acc[ty][tx]);
        }
    }
}

/* The tile whose first output is row y0, column x0; inside: all of its input
 * exists, else zeros stand for what does not. */
INLINE void tile(const struct tensors *t, const int y0, const int x0, const bool inside)
{
    vec acc[TILE_H][TILE_W];
#pragma unroll
    for (int i = 0; i < TILE_H * TILE_W; i++)
        acc[i / TILE_W][i % TILE_W] = (vec)(0.0f);

    for (int r = 0; r < R; r++) {
#pragma unroll UNROLL_S
        for (int s = 0; s < S; s++) {
            const int in_y = y0 * STRIDE_H - PAD_H + r * DILATION_H;
            const int in_x = x0 * STRIDE_W - PAD_W + s * DILATION_W;
            const source corner = t->in + ((long)in_y * W + in_x) * C;
            source pixel[TILE_H][TILE_W];
#pragma unroll
            for (int ty = 0; ty < TILE_H; ty++) {
#pragma unroll
                for (int tx = 0; tx < TILE_W; tx++) {
                    const int y = in_y + ty * STRIDE_H, x = in_x + tx * STRIDE_W;
                    pixel[ty][tx] = corner + (ty * STRIDE_H * W + tx * STRIDE_W) * C;
                    if (!inside && !(y >= 0 && y < H && x >= 0 && x < W))
                        pixel[ty][tx] = t->zeros;
                }
            }
            tap(acc, t->weights + (r * S + s) * (CG * VW), pixel);
        }
    }

#pragma unroll
    for (int ty = 0; ty < TILE_H; ty++) {
#pragma unroll
        for (int tx = 0; tx < TILE_W; tx++) {
            if ((TILE_H > 1 && y0 + ty >= P) || (!inside && x0 + tx >= Q))
                continue;
            const long pixel = (long)(y0 + ty) * Q + x0 + tx;
            finish(acc[ty][tx], VW, false, true, t->bias, t->residual + pixel * K,
                   t->out + pixel * OUT_K);
        }
    }
}

/* One strip of rows. */
INLINE void strip(const struct tensors *t, const int y0)
{
    const int in_y = y0 * STRIDE_H - PAD_H;
    const int last_y = in_y + (TILE_H - 1) * STRIDE_H + (R - 1) * DILATION_H;
    for (int i = 0; i < TILES_W; i++) {
        const int in_x = i * TILE_W * STRIDE_W - PAD_W;
        const int last_x = in_x + (TILE_W - 1) * STRIDE_W + (S - 1) * DILATION_W;
        if (in_y >= 0 && last_y < H && in_x >= 0 && last_x < W && (i + 1) * TILE_W <= Q)
            tile(t, y0, i * TILE_W, true);
        else
            tile(t, y0, i * TILE_W, false);
    }
}

__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void
conv_grouped(source in, source weights,
#if BIAS
             source bias,
#endif
#if RESIDUAL
             source residual,
#endif
             __global float *out, const int group_rows, const int group_blocks,
             const int weights_stay, const int rows_first)
{
    const int n = GROUP(2);
    const int place_x = GROUP(0), place_y = GROUP(1);
    const int y_begin = (rows_first ? place_x : place_y) * group_rows;
    const int b_begin = (rows_first ? place_y : place_x) * group_blocks;
    const int ys = min(TILES_H - y_begin, group_rows);
    const int bs = min(BLOCKS - b_begin, group_blocks);

    for (int i = 0; i < bs * ys; i++) {
        const int b = b_begin + (weights_stay ? i / ys : i % bs);
        const int y = y_begin + (weights_stay ? i % ys : i / bs);
        struct tensors t;
        t.in = in + (long)n * H * W * C + b * SPAN;
        t.weights = weights + (long)b * SLAB;
        t.zeros = weights + (long)BLOCKS * SLAB;
        t.out = out + (long)n * P * Q * OUT_K + b * VW;
#if BIAS
        t.bias = bias + b * VW;
#endif
#if RESIDUAL
        t.residual = residual + (long)n * P * Q * K + b * VW;
#endif
        strip(&t, y * TILE_H);
    }
}
