/* SPDX-License-Identifier: MIT
 *
 * Depthwise convolution: output channel c * MULTIPLIER + m is the convolution of
 * input channel c with a filter of its own.  Needs vector.cl before it.
 *
 *   in       [N][H][W][C]
 *   weights  [MULTIPLIER][ceil(C / VW)][R][S][VW]
 *   bias     [K], K = C * MULTIPLIER
 *   residual [N][P][Q][K]
 *   out      [N][P][Q][K]
 *
 * A work-group is a single work-item.  It computes `block` channels of `group_rows`
 * strips of TILE_H rows, in tiles of TILE_H x TILE_W pixels by VW
 * channels: a vector of inputs is loaded once for all the sums of a tile that it
 * goes into.  `step` is the number of channels of a tile that follow each other: `block`,
 * or VW, where all tiles of a strip do.
 */
#define TILES_H ((P + TILE_H - 1) / TILE_H)
#define TILES_W ((Q + TILE_W - 1) / TILE_W)
#define IN_ROWS ((TILE_H - 1) * STRIDE_H + (R - 1) * DILATION_H + 1)
#define IN_COLUMNS ((TILE_W - 1) * STRIDE_W + (S - 1) * DILATION_W + 1)

typedef __global const float *source;

struct tensors {
    source in, weights, bias, residual;
    __global float *out;
};

/* The end of VW channels, from c on, of which `left` exist.  Pointers are those
 * of channel c * MULTIPLIER + m. */
INLINE void finish_channels(vec sum, const int left, source bias, source residual,
                            __global float *out)
{
#if MULTIPLIER == 1
    finish(sum, left, false, true, bias, residual, out);
#else
    for (int i = 0; i < VW; i++) {
        if (i >= left)
            break;
        float lane = ((float *)&sum)[i];
#if BIAS
        lane += bias[i * MULTIPLIER];
#endif
#if RESIDUAL
        lane += residual[i * MULTIPLIER];
#endif
        ((float *)&sum)[i] = lane;
    }
    sum = activate(sum);
    for (int i = 0; i < VW; i++)
        if (i < left)
            out[i * MULTIPLIER] = ((float *)&sum)[i];
#endif
}

/* Adds row i of a tile's input to the sums: the inputs from `row` on, which is at
 * column x0 of the image; `edge`: some columns may not exist. */
INLINE void add_row(vec acc[TILE_H][TILE_W], const vec w[R][S], source row, const int i,
                    const int x0, const int left, const bool edge)
{
#pragma unroll
    for (int j = 0; j < IN_COLUMNS; j++) {
        if (edge && (x0 + j < 0 || x0 + j >= W))
            continue;
        const vec x = C % VW == 0 || left >= VW ? load(row + j * C) : load_first(row + j * C, left);
#pragma unroll
        for (int r = 0; r < R; r++) {
#pragma unroll
            for (int s = 0; s < S; s++) {
                const int y_at = i - r * DILATION_H, x_at = j - s * DILATION_W;
                const int ty = y_at / STRIDE_H, tx = x_at / STRIDE_W;
                if (y_at >= 0 && y_at % STRIDE_H == 0 && ty < TILE_H && x_at >= 0 &&
                    x_at % STRIDE_W == 0 && tx < TILE_W)
                    acc[ty][tx] = fma(x, w[r][s], acc[ty][tx]);
            }
        }
    }
}

/* Channels c .. c + VW - 1, as far as they exist, of the tile at row y, column x. */
INLINE void tile_channels(const struct tensors *t, const int y, const int x, const int c,
                          const int m, const bool edge)
{
    vec w[R][S], acc[TILE_H][TILE_W];
    source packed = t->weights + (m * ((C + VW - 1) / VW) + c / VW) * (R * S * VW);
#pragma unroll
    for (int i = 0; i < R * S; i++)
        w[i / S][i % S] = load(packed + i * VW);
#pragma unroll
    for (int i = 0; i < TILE_H * TILE_W; i++)
        acc[i / TILE_W][i % TILE_W] = (vec)(0.0f);

    const int y0 = y * STRIDE_H - PAD_H, x0 = x * STRIDE_W - PAD_W;
#pragma unroll
    for (int i = 0; i < IN_ROWS; i++)
        if (y0 + i >= 0 && y0 + i < H)
            add_row(acc, w, t->in + ((long)(y0 + i) * W + x0) * C + c, i, x0, C - c, edge);

    const int k = c * MULTIPLIER + m;
#pragma unroll
    for (int ty = 0; ty < TILE_H; ty++)
#pragma unroll
        for (int tx = 0; tx < TILE_W; tx++) {
            const long pixel = (long)(y + ty) * Q + x + tx;
            if ((P % TILE_H == 0 || y + ty < P) && (!edge || x + tx < Q))
                finish_channels(acc[ty][tx], C % VW == 0 ? VW : C - c, t->bias + k,
                                t->residual + pixel * K + k, t->out + pixel * OUT_K + k);
        }
}

INLINE void tile(const struct tensors *t, const int y, const int x, const int begin, const int end,
                 const bool edge)
{
    for (int c = begin; c < end; c += VW)
        for (int m = 0; m < MULTIPLIER; m++)
            tile_channels(t, y, x, c, m, edge);
}

/* A strip of tiles. */
INLINE void strip(const struct tensors *t, const int y, const int begin, const int end)
{
#if EDGES_STATIC
    /* Which columns are missing is known: no code is made for those. */
#if TILES_LEFT > 0
    tile(t, y, 0, begin, end, true);
#endif
    for (int i = TILES_LEFT; i < TILES_W - TILES_RIGHT; i++)
        tile(t, y, i * TILE_W, begin, end, false);
#if TILES_RIGHT > 0
    tile(t, y, (TILES_W - 1) * TILE_W, begin, end, true);
#endif
#else
    for (int i = 0; i < TILES_W; i++)
        tile(t, y, i * TILE_W, begin, end, true);
#endif
}

/* Work-groups: [N][ceil(C / block)][ceil(TILES_H / group_rows)]. */
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void
depthwise(source in, source weights,
#if BIAS
          source bias,
#endif
#if RESIDUAL
          source residual,
#endif
          __global float *out, const int block, const int group_rows, const int step)
{
    const int first = GROUP(0) * group_rows;
    const int last = min(TILES_H, first + group_rows);
    const int begin = GROUP(1) * block, end = min(C, begin + block);
    const long image = GROUP(2);
    struct tensors t;
    t.in = in + image * (H * W * C);
    t.weights = weights;
    t.out = out + image * (P * Q * OUT_K);
#if BIAS
    t.bias = bias;
#else
    t.bias = 0;
#endif
#if RESIDUAL
    t.residual = residual + image * (P * Q * K);
#else
    t.residual = 0;
#endif

    for (int i = first; i < last; i++)
        for (int c = begin; c < end; c += step)
            strip(&t, i * TILE_H, c, min(end, c + step));
}
