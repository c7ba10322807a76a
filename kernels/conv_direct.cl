/* SPDX-License-Identifier: MIT
 *
 * Direct 2-D convolution.  Needs vector.cl before it.
 *
 *   in       [N][H][W][C]
 *   weights  [G][K_BLOCKS][CG / CB][R][S][CB][KB], then CB floats of 0
 *   bias     [K]
 *   residual [N][P][Q][K]
 *   out      [N][P][Q][K]
 *
 * CG = C / G and KG = K / G are the channels of a group; KB = KV * VW, and the
 * weights of channels past KG are 0.
 *
 * A work-group is a single work-item.  It computes some blocks of KB channels, of some
 * strips of TILE_H rows, of one of the parts of a row: one tile of TILE_H x TILE_W pixels x KB
 * channels after the other.  The sums of a tile stay in registers.  Weights are loaded as vectors
 * over channels, inputs are broadcast; a vector of weights serves all pixels of the tile.
 *
 *   CB            input channels that are gone through for the whole filter at once
 *   C_PASSES      parts of the input channels; between them the sums are in `out`
 *   UNROLL_C      copies of the innermost loop, over input channels
 *   PREFETCH      1: weights are asked for ahead
 *   EDGES_STATIC  1: the TILES_LEFT and TILES_RIGHT tiles of a row, whose input does
 *                 not all exist, are each compiled on their own; 0: they share code
 *                 that reads zeros.
 *
 * Arguments, which no inner loop needs to know:
 *
 *   group_rows    strips of a work-group
 *   group_blocks  and blocks
 *   row_parts     parts of a row
 *   weights_stay  1: a block of weights meets all strips before the next one comes
 *   rows_first    1: work-groups of the same channels follow each other
 *   ahead         rows of weights that are asked for ahead
 */
#define KB (KV * VW)
#define TILES_H ((P + TILE_H - 1) / TILE_H)
#define TILES_W ((Q + TILE_W - 1) / TILE_W)
#define SLAB ((long)CG * R * S * KB) /* weights of one block of channels */

/* Inputs that lie together under one filter row: all of them, if no gap. */
#if CB == C && DILATION_W == 1
#define RUNS 1
#define RUN (S * C)
#else
#define RUNS S
#define RUN CB
#endif

/* How much of a tile's input exists. */
enum edge {
    INSIDE,      /* all of it */
    EDGE_STATIC, /* columns may be missing; x0 is a constant, and no code is made for those */
    EDGE_DYNAMIC /* rows and columns may be missing; reads zeros in their place */
};

typedef __global const float *source;

struct tensors {
    source in, weights, zeros, bias, residual;
    __global float *out;
    int ahead; /* floats of weights */
};

/* acc[pixel][channel] += pixel[c] * w[channel], for the pixels that are `used`. */
INLINE void multiply(vec acc[TILE_H][TILE_W][KV], source w, source pixel[TILE_H][TILE_W], int c,
                     const bool used[TILE_W])
{
    vec weight[KV];
#pragma unroll
    for (int v = 0; v < KV; v++)
        weight[v] = load(w + v * VW);
#pragma unroll
    for (int ty = 0; ty < TILE_H; ty++) {
#pragma unroll
        for (int tx = 0; tx < TILE_W; tx++) {
            if (!used[tx])
                continue;
            const vec x = (vec)(pixel[ty][tx][c]);
#pragma unroll
            for (int v = 0; v < KV; v++)
                acc[ty][tx][v] = fma(x, weight[v], acc[ty][tx][v]);
        }
    }
}

/* Adds to acc what `run` inputs of filter row r, from column s on, give, for one
 * block of input channels at t->in.  The tile's input begins at (in_y, in_x), its
 * output at column x0. */
INLINE void filter_run(vec acc[TILE_H][TILE_W][KV], const struct tensors *t, source w,
                       const int run, const int r, const int s, const int in_y, const int x0,
                       const enum edge edge)
{
    const int in_x = x0 * STRIDE_W - PAD_W + s * DILATION_W;
    const source corner = t->in + ((long)(in_y + r * DILATION_H) * W + in_x) * C;
    source pixel[TILE_H][TILE_W];
    bool used[TILE_W];
#pragma unroll
    for (int tx = 0; tx < TILE_W; tx++) {
        const int x = in_x + tx * STRIDE_W;
        const bool inside = x >= 0 && x < W && x0 + tx < Q;
        used[tx] = edge != EDGE_STATIC || inside;
#pragma unroll
        for (int ty = 0; ty < TILE_H; ty++) {
            const int y = in_y + ty * STRIDE_H + r * DILATION_H;
            pixel[ty][tx] = corner + (ty * STRIDE_H * W + tx * STRIDE_W) * C;
            if (edge == EDGE_DYNAMIC && !(inside && y >= 0 && y < H))
                pixel[ty][tx] = t->zeros;
        }
    }
#pragma unroll UNROLL_C
    for (int c = 0; c < run; c++) {
#if PREFETCH
        prefetch_lines(w + t->ahead, KB);
#endif
        multiply(acc, w, pixel, c, used);
        w += KB;
    }
}

/* All of filter row r.  Loops over s are unrolled only where s must be known. */
INLINE void filter_row(vec acc[TILE_H][TILE_W][KV], const struct tensors *t, const int r,
                       const int in_y, const int x0, const enum edge edge)
{
    const source w = t->weights + r * (S * CB * KB);
    if (edge == INSIDE) {
        for (int i = 0; i < RUNS; i++)
            filter_run(acc, t, w + i * (RUN * KB), RUN, r, i, in_y, x0, edge);
    } else if (edge == EDGE_STATIC) {
#pragma unroll
        for (int s = 0; s < S; s++)
            filter_run(acc, t, w + s * (CB * KB), CB, r, s, in_y, x0, edge);
    } else {
        for (int s = 0; s < S; s++)
            filter_run(acc, t, w + s * (CB * KB), CB, r, s, in_y, x0, edge);
    }
}

/* The tile whose first output is row y0, column x0, channel k0 of the group. */
INLINE void tile(struct tensors t, const int pass, const int y0, const int x0, const int k0,
                 const enum edge edge)
{
    vec acc[TILE_H][TILE_W][KV];
#pragma unroll
    for (int i = 0; i < TILE_H * TILE_W * KV; i++)
        acc[i / KV / TILE_W][i / KV % TILE_W][i % KV] = (vec)(0.0f);

    /* The filter rows that meet the input for some row of the tile. */
    const int in_y = y0 * STRIDE_H - PAD_H;
    const int last_y = in_y + (TILE_H - 1) * STRIDE_H;
    const int r_begin = last_y >= 0 ? 0 : (-last_y + DILATION_H - 1) / DILATION_H;
    const int r_end = in_y >= H ? 0 : min(R, (H - 1 - in_y) / DILATION_H + 1);

    for (int cb = 0; cb < CG / CB / C_PASSES; cb++) {
        for (int r = r_begin; r < r_end; r++)
            filter_row(acc, &t, r, in_y, x0, edge);
        t.weights += R * S * CB * KB;
        t.in += CB;
    }

#pragma unroll
    for (int ty = 0; ty < TILE_H; ty++) {
#pragma unroll
        for (int tx = 0; tx < TILE_W; tx++) {
            if ((TILE_H > 1 && y0 + ty >= P) || (edge != INSIDE && x0 + tx >= Q))
                continue;
            const long pixel = (long)(y0 + ty) * Q + x0 + tx;
            const long at = pixel * K + k0, to = pixel * OUT_K + k0;
#pragma unroll
            for (int v = 0; v < KV; v++)
                if (KG % KB == 0 || k0 + v * VW < KG)
                    finish(acc[ty][tx][v], KG % KB == 0 ? VW : KG - k0 - v * VW, pass > 0,
                           pass == C_PASSES - 1, t.bias + k0 + v * VW, t.residual + at + v * VW,
                           t.out + to + v * VW);
        }
    }
}

/* Tiles begin .. end - 1 of a strip of rows. */
INLINE void strip(struct tensors t, const int pass, const int y0, const int k0, const int begin,
                  const int end)
{
    const int in_y = y0 * STRIDE_H - PAD_H;
    const int last_y = in_y + (TILE_H - 1) * STRIDE_H + (R - 1) * DILATION_H;

    /* A single row leaves out the filter rows that miss the input. */
    if (TILE_H > 1 && (in_y < 0 || last_y >= H)) {
        for (int i = begin; i < end; i++)
            tile(t, pass, y0, i * TILE_W, k0, EDGE_DYNAMIC);
        return;
    }
#if EDGES_STATIC
#define TILE_IF_MINE(i)                                                                            \
    if ((i) >= begin && (i) < end)                                                                 \
    tile(t, pass, y0, (i)*TILE_W, k0, EDGE_STATIC)
#if TILES_LEFT > 0
    TILE_IF_MINE(0);
#endif
#if TILES_LEFT > 1
    TILE_IF_MINE(1);
#endif
#if TILES_LEFT > 2
    TILE_IF_MINE(2);
#endif
    for (int i = max(begin, TILES_LEFT); i < min(end, TILES_W - TILES_RIGHT); i++)
        tile(t, pass, y0, i * TILE_W, k0, INSIDE);
#if TILES_RIGHT > 2
    TILE_IF_MINE(TILES_W - 3);
#endif
#if TILES_RIGHT > 1
    TILE_IF_MINE(TILES_W - 2);
#endif
#if TILES_RIGHT > 0
    TILE_IF_MINE(TILES_W - 1);
#endif
#else
    for (int i = begin; i < end; i++) {
        if (i >= TILES_LEFT && i < TILES_W - TILES_RIGHT)
            tile(t, pass, y0, i * TILE_W, k0, INSIDE);
        else
            tile(t, pass, y0, i * TILE_W, k0, EDGE_DYNAMIC);
    }
#endif
}

__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void
conv_direct(source in, source weights,
#if BIAS
            source bias,
#endif
#if RESIDUAL
            source residual,
#endif
            __global float *out, const int group_rows, const int group_blocks, const int row_parts,
            const int weights_stay, const int rows_first, const int ahead)
{
    const int place_x = GROUP(0), place_y = GROUP(1);
    const int id = rows_first ? place_x : place_y; /* strips, part of a row */
    const int kg = rows_first ? place_y : place_x;
    const int n = GROUP(2) / G;
    const int g = GROUP(2) % G;
    const int part = (TILES_W + row_parts - 1) / row_parts;
    const int begin = id % row_parts * part;
    const int end = min(TILES_W, begin + part);
    const int y_begin = id / row_parts * group_rows;
    const int ys = min(TILES_H - y_begin, group_rows);
    const int k_begin = kg * group_blocks;
    const int ks = min(K_BLOCKS - k_begin, group_blocks);

    struct tensors t;
    t.zeros = weights + G * K_BLOCKS * SLAB;
    t.out = out + (long)n * P * Q * OUT_K + g * KG;
    t.ahead = ahead * KB;
#if BIAS
    t.bias = bias + g * KG;
#endif
#if RESIDUAL
    t.residual = residual + (long)n * P * Q * K + g * KG;
#endif

    for (int pass = 0; pass < C_PASSES; pass++) {
        t.in = in + (long)n * H * W * C + g * CG + pass * (CG / C_PASSES);
        for (int i = 0; i < ks * ys; i++) {
            const int k = k_begin + (weights_stay ? i / ys : i % ks);
            const int y = y_begin + (weights_stay ? i % ys : i / ks);
            t.weights = weights + (g * K_BLOCKS + k) * SLAB + pass * (SLAB / C_PASSES);
            strip(t, pass, y * TILE_H, k * KB, begin, end);
        }
    }
}
