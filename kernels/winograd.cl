/* SPDX-License-Identifier: MIT
 *
 * Winograd convolution F(TILE x TILE, 3 x 3), stride 1: each TILE x TILE tile of
 * outputs takes POINTS products a pair of channels instead of 9 TILE^2.  Needs
 * vector.cl and winograd_transform.cl before it.
 *
 *   in       [N][H][W][C]
 *   weights  [PHASES][POINTS][PHASE_BLOCKS][C][KB], transformed
 *   bias     [K]
 *   residual [N][P][Q][K]
 *   out      [N][P][Q][K]
 *
 * KB = KV * VW; the weights of channels past K are 0.  A work-group is a single
 * work-item.  There are three steps:
 *
 *   1  V[POINTS][tile][C]  the transform of the inputs of each tile
 *   2  M[POINTS][tile][K]  POINTS matrix products V[i] weights[i]
 *   3  out                 the transform of M, with bias, residual, activation
 *
 * Fused (STAGED 0), a work-group does all of them for BLOCK_TILES tiles, with V
 * and M in local memory, which on a CPU is memory that stays in its core's L2; it
 * does 2 and 3 for PHASE_BLOCKS * KB output channels at a time, and 1 / splits of
 * these phases.  Staged, each step is a launch of its own, and V and M are in the
 * workspace: better where V of a few tiles overflows L2, or where there are too
 * few tiles to share out.
 *
 * The products go over REGISTER_TILES tiles and KB channels at a time, whose sums
 * stay in registers; weights are loaded as vectors, V is broadcast.  Where fewer
 * tiles are left, so many are multiplied: ROWS_USED has a bit for each count that
 * occurs, and only these are compiled.  Rows of V and M are ROW_PAD floats longer
 * than needed, so that they do not share cache sets.
 *
 * Where TILE does not divide P or Q, tiles at the lower and the right edge may be
 * smaller: REST outputs across or down, REST < TILE (TILE: none are).  These make do
 * with REST + 2 of a row's points, and the filters of the others.  A point then has
 * rows in V and M for those tiles alone that need it.
 *
 * What no inner loop needs to know are arguments: `splits`; `block_tiles` and
 * `stage_channels`, of a work-group of a stage; `ahead`, how many rows of weights are asked
 * for ahead of their use, if any are (PREFETCH).
 *
 * To see what a step costs, have it done twice: -DTWICE=1, 2 or 3.
 */
#define KB (KV * VW)
#define POINTS (ALPHA * ALPHA)
#define TILES_H ((P + TILE - 1) / TILE)
#define TILES_W ((Q + TILE - 1) / TILE)
#define TILES (N * TILES_H * TILES_W)
#if REST < TILE
#define RESTS_H min(TILES_H, (TILES_H * TILE - P) / (TILE - REST)) /* rows of smaller tiles */
#define RESTS_W min(TILES_W, (TILES_W * TILE - Q) / (TILE - REST)) /* and columns */
#else
#define RESTS_H 0
#define RESTS_W 0
#endif
#define FULL_H (TILES_H - RESTS_H)
#define FULL_W (TILES_W - RESTS_W)
#define PHASE_K (PHASE_BLOCKS * KB)
#define PHASES ((K + PHASE_K - 1) / PHASE_K)
#define V_ROW ((C + VW - 1) / VW * VW + ROW_PAD)

#if STAGED
#define SCRATCH __global
#define V_TILES TILES
#define M_ROW (PHASES * PHASE_K + ROW_PAD)
#define M_POINT (V_TILES * M_ROW)
#else
#define SCRATCH __local
#define V_TILES BLOCK_TILES
#define M_ROW PHASE_K
#define M_POINT (V_TILES * M_ROW + ROW_PAD)
#endif
#define V_POINT (V_TILES * V_ROW)

#ifndef TWICE
#define TWICE 0
#endif
#define TIMES(step) ((step) == TWICE ? 2 : 1)

#define VECTOR(p) (*(SCRATCH vec *)(p)) /* in V or M, where all vectors are aligned */

typedef __global const float *source;

struct tensors {
    source in, weights, bias, residual;
    __global float *out;
};

/* Of a tile: its first output, and whether it is a smaller one. */
struct place {
    int n, y, x;
    bool rest_h, rest_w;
};

INLINE void find_place(struct place *at, const int tile)
{
    const int row = tile / TILES_W % TILES_H, column = tile % TILES_W;
    at->n = tile / (TILES_H * TILES_W);
    at->rest_h = row >= FULL_H;
    at->rest_w = column >= FULL_W;
    at->y = at->rest_h ? FULL_H * TILE + (row - FULL_H) * REST : row * TILE;
    at->x = at->rest_w ? FULL_W * TILE + (column - FULL_W) * REST : column * TILE;
}

/* ---------------------------------------------------------- points and rows */

/* The points in a row of a tile of `outputs` are 0 .. outputs, and the last. */
#define POINT(i, outputs) ((i) <= (outputs) ? (i) : TILE + 1)
#define IN_REST(i) ((i) <= REST || (i) == TILE + 1)

/* Points are of a class by which tiles need them: bit 0, those that are smaller
 * down as well; bit 1, those that are smaller across. */
#define CLASSES (REST < TILE ? 4 : 1)
#define CLASS(point) (REST < TILE ? IN_REST((point) / ALPHA) + 2 * IN_REST((point) % ALPHA) : 0)

/* How many of the first `tiles` tiles have points of a class. */
INLINE int rows_before(const int tiles, const int class)
{
    if (REST == TILE)
        return tiles;
    const int rows = class & 1 ? TILES_H : FULL_H, columns = class & 2 ? TILES_W : FULL_W;
    const int row = tiles / TILES_W % TILES_H, column = tiles % TILES_W;
    return (tiles / (TILES_H * TILES_W) * rows + min(row, rows)) * columns +
           (row < rows ? min(column, columns) : 0);
}

INLINE vec load_channels(source p, const int c)
{
    return C % VW == 0 || c + VW <= C ? load(p) : load_first(p, C - c);
}

/* Transforms what a row of `outputs` outputs needs of the input. */
INLINE void to_points(vec *d, const int s, const int outputs)
{
    transform_input_of(outputs, d, s);
    if (outputs == TILE)
        return;
#pragma unroll
    for (int i = 0; i <= outputs; i++)
        d[i * s] *= rest_scale(TILE, outputs, i);
}

/* Step 1: channels begin .. end - 1 of a tile of h x w outputs.  v: point 0, and for
 * each class the tile's row there.  Columns before rows, each as soon as it is loaded:
 * a tile has more elements than there are registers. */
INLINE void input_part(source in, const struct place *at, SCRATCH float *v, const int *rows,
                       const int begin, const int end, const int h, const int w, const bool inside)
{
    const int y0 = at->y - PAD_H, x0 = at->x - PAD_W;
    const source corner = in + ((long)(at->n * H + y0) * W + x0) * C;
    for (int c = begin; c < end; c += VW) {
        vec d[POINTS];
#pragma unroll
        for (int dx = 0; dx < w + 2; dx++) {
#pragma unroll
            for (int dy = 0; dy < h + 2; dy++) {
                const int y = y0 + dy, x = x0 + dx;
                vec *const to = d + dy * ALPHA + dx;
                *to = (vec)(0.0f);
                if (inside || (y >= 0 && y < H && x >= 0 && x < W))
                    *to = load_channels(corner + (dy * W + dx) * C + c, c);
            }
            to_points(d + dx, ALPHA, h);
        }
#pragma unroll
        for (int i = 0; i < h + 2; i++) {
            to_points(d + i * ALPHA, 1, w);
#pragma unroll
            for (int j = 0; j < w + 2; j++) {
                const int point = POINT(i, h) * ALPHA + POINT(j, w);
                VECTOR(v + point * (long)V_POINT + rows[CLASS(point)] * V_ROW + c) =
                    d[i * ALPHA + j];
            }
        }
    }
}

/* rows: that of the tile, for each class. */
INLINE void input_tile(source in, const int tile, SCRATCH float *v, const int *rows,
                       const int begin, const int end)
{
    struct place at;
    find_place(&at, tile);
    const int y0 = at.y - PAD_H, x0 = at.x - PAD_W;
    if (RESTS_H > 0 && RESTS_W > 0 && at.rest_h && at.rest_w)
        input_part(in, &at, v, rows, begin, end, REST, REST, false);
    else if (RESTS_H > 0 && at.rest_h)
        input_part(in, &at, v, rows, begin, end, REST, TILE, false);
    else if (RESTS_W > 0 && at.rest_w)
        input_part(in, &at, v, rows, begin, end, TILE, REST, false);
    else if (y0 >= 0 && x0 >= 0 && y0 + ALPHA <= H && x0 + ALPHA <= W)
        input_part(in, &at, v, rows, begin, end, TILE, TILE, true);
    else
        input_part(in, &at, v, rows, begin, end, TILE, TILE, false);
}

/* Step 2 for `rows` tiles and KB channels of one point.  Weights are asked
 * for `ahead` floats before their use; 0, if they are in a cache already. */
INLINE void multiply(const SCRATCH float *v, source w, SCRATCH float *m, const int ahead,
                     const int rows)
{
    vec acc[REGISTER_TILES][KV];
#pragma unroll
    for (int t = 0; t < rows; t++)
#pragma unroll
        for (int k = 0; k < KV; k++)
            acc[t][k] = (vec)(0.0f);
#pragma unroll UNROLL_C
    for (int c = 0; c < C; c++) {
        vec weight[KV];
#pragma unroll
        for (int k = 0; k < KV; k++)
            weight[k] = load(w + k * VW);
#if PREFETCH
        prefetch_lines(w + ahead, KB);
#endif
#pragma unroll
        for (int t = 0; t < rows; t++) {
            const vec x = (vec)(v[t * V_ROW + c]);
#pragma unroll
            for (int k = 0; k < KV; k++)
                acc[t][k] = fma(x, weight[k], acc[t][k]);
        }
        w += KB;
    }
#pragma unroll
    for (int t = 0; t < rows; t++)
#pragma unroll
        for (int k = 0; k < KV; k++)
            VECTOR(m + t * (long)M_ROW + k * VW) = acc[t][k];
}

#define MULTIPLY(n)                                                                                \
    case n:                                                                                        \
        if (ROWS_USED & 1 << n)                                                                    \
            multiply(v, w, m, ahead, n < REGISTER_TILES ? n : REGISTER_TILES);                     \
        break;

INLINE void multiply_rows(const SCRATCH float *v, source w, SCRATCH float *m, const int ahead,
                          const int rows)
{
    switch (rows) {
        MULTIPLY(1)
        MULTIPLY(2) MULTIPLY(3) MULTIPLY(4) MULTIPLY(5) MULTIPLY(6) MULTIPLY(7) MULTIPLY(8)
            MULTIPLY(9) MULTIPLY(10) MULTIPLY(11) MULTIPLY(12) MULTIPLY(13) MULTIPLY(14)
                MULTIPLY(15) MULTIPLY(16) MULTIPLY(17) MULTIPLY(18) MULTIPLY(19) MULTIPLY(20)
                    MULTIPLY(21) MULTIPLY(22) MULTIPLY(23) MULTIPLY(24) MULTIPLY(25) MULTIPLY(26)
                        MULTIPLY(27) MULTIPLY(28)
    }
}

/* Step 2 for `rows` tiles and all channels of a phase, of one point. */
INLINE void multiply_phase(const SCRATCH float *v, source weights, SCRATCH float *m, const int rows,
                           const int phase, const int point, const int ahead)
{
    const int blocks = min(PHASE_BLOCKS, (K - phase * PHASE_K + KB - 1) / KB);
    source w = weights + ((long)phase * POINTS + point) * PHASE_BLOCKS * C * KB;
    for (int block = 0; block < blocks; block++) {
        for (int t = 0; t < rows; t += REGISTER_TILES)
            multiply_rows(v + t * V_ROW, w, m + t * (long)M_ROW + block * KB,
                          t == 0 ? ahead * KB : 0, min(REGISTER_TILES, rows - t));
        w += C * KB;
    }
}

/* Step 3: channels begin .. end - 1 of a tile of h x w outputs.  m: channel `begin` at
 * point 0, and for each class the tile's row there. */
INLINE void output_part(const SCRATCH float *m, const int *rows, const struct place *at,
                        const struct tensors *t, const int begin, const int end, const int h,
                        const int w)
{
    for (int k = begin; k < end; k += VW) {
        vec d[POINTS];
#pragma unroll
        for (int j = 0; j < w + 2; j++) {
#pragma unroll
            for (int i = 0; i < h + 2; i++) {
                const int point = POINT(i, h) * ALPHA + POINT(j, w);
                d[i * ALPHA + j] = VECTOR(m + point * (long)M_POINT +
                                          rows[CLASS(point)] * (long)M_ROW + k - begin);
            }
            transform_output_of(h, d + j, ALPHA);
        }
#pragma unroll
        for (int i = 0; i < h; i++) {
            const int y = at->y + i;
            transform_output_of(w, d + i * ALPHA, 1);
            if (P % TILE != 0 && y >= P)
                continue;
#pragma unroll
            for (int j = 0; j < w; j++) {
                const int x = at->x + j;
                const long pixel = (long)(at->n * P + y) * Q + x;
                if (Q % TILE == 0 || x < Q)
                    finish(d[i * ALPHA + j], K % VW == 0 ? VW : K - k, false, true, t->bias + k,
                           t->residual + pixel * K + k, t->out + pixel * OUT_K + k);
            }
        }
    }
}

INLINE void output_tile(const SCRATCH float *m, const int *rows, const int tile,
                        const struct tensors *t, const int begin, const int end)
{
    struct place at;
    find_place(&at, tile);
    if (RESTS_H > 0 && RESTS_W > 0 && at.rest_h && at.rest_w)
        output_part(m, rows, &at, t, begin, end, REST, REST);
    else if (RESTS_H > 0 && at.rest_h)
        output_part(m, rows, &at, t, begin, end, REST, TILE);
    else if (RESTS_W > 0 && at.rest_w)
        output_part(m, rows, &at, t, begin, end, TILE, REST);
    else
        output_part(m, rows, &at, t, begin, end, TILE, TILE);
}

/* The row of a tile at the points of each class, if tile `first` has row 0. */
INLINE void find_rows(int *rows, const int tile, const int first)
{
#pragma unroll
    for (int i = 0; i < CLASSES; i++)
        rows[i] = rows_before(tile, i) - rows_before(first, i);
}

#if BIAS
#define BIAS_PARAMETER source bias,
#else
#define BIAS_PARAMETER
#endif
#if RESIDUAL
#define RESIDUAL_PARAMETER source residual,
#else
#define RESIDUAL_PARAMETER
#endif
#define PARAMETERS source in, source weights, BIAS_PARAMETER RESIDUAL_PARAMETER __global float *out

#if BIAS
#define SET_BIAS(t) (t).bias = bias
#else
#define SET_BIAS(t) (t).bias = 0
#endif
#if RESIDUAL
#define SET_RESIDUAL(t) (t).residual = residual
#else
#define SET_RESIDUAL(t) (t).residual = 0
#endif

#if !STAGED

/* Work-groups: [splits][ceil(TILES / BLOCK_TILES)]. */
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void winograd(PARAMETERS, const int splits,
                                                                      const int ahead)
{
    __local vec v_vectors[POINTS * V_POINT / VW];
    __local vec m_vectors[POINTS * M_POINT / VW];
    __local float *v = (__local float *)v_vectors;
    __local float *m = (__local float *)m_vectors;
    const int first = GROUP(0) * BLOCK_TILES;
    const int tiles = min(BLOCK_TILES, TILES - first);
    int rows[CLASSES], all_rows[CLASSES];
    find_rows(all_rows, first + tiles, first);
    struct tensors t;
    t.out = out;
    SET_BIAS(t);
    SET_RESIDUAL(t);

    for (int i = 0; i < tiles * TIMES(1); i++) {
        find_rows(rows, first + i % tiles, first);
        input_tile(in, first + i % tiles, v, rows, 0, C);
    }

    const int split = GROUP(1);
    for (int phase = split * PHASES / splits; phase < (split + 1) * PHASES / splits; phase++) {
        for (int i = 0; i < POINTS * TIMES(2); i++) {
            const int point = i % POINTS;
            multiply_phase(v + point * V_POINT, weights, m + point * M_POINT,
                           all_rows[CLASS(point)], phase, point, ahead);
        }
        for (int i = 0; i < tiles * TIMES(3); i++) {
            find_rows(rows, first + i % tiles, first);
            output_tile(m, rows, first + i % tiles, &t, phase * PHASE_K,
                        min(K, (phase + 1) * PHASE_K));
        }
    }
}

#else

#define V_OF(workspace) (workspace)
#define M_OF(workspace) ((workspace) + POINTS * (long)V_POINT)

/* Work-groups: [ceil(C / stage_channels)][TILES]. */
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void
winograd_input(PARAMETERS, __global float *workspace, const int stage_channels)
{
    const int tile = GROUP(0), begin = GROUP(1) * stage_channels;
    int rows[CLASSES];
    find_rows(rows, tile, 0);
    input_tile(in, tile, V_OF(workspace), rows, begin, min(C, begin + stage_channels));
}

/* Work-groups: [PHASES][POINTS][ceil(TILES / block_tiles)]: those that share
 * weights follow each other. */
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void
winograd_multiply(PARAMETERS, __global float *workspace, const int block_tiles, const int ahead)
{
    const int first = GROUP(0) * block_tiles, point = GROUP(1);
    const int phase = GROUP(2);
    const int rows = min(block_tiles, rows_before(TILES, CLASS(point)) - first);
    multiply_phase(V_OF(workspace) + point * (long)V_POINT + first * (long)V_ROW, weights,
                   M_OF(workspace) + point * (long)M_POINT + first * (long)M_ROW + phase * PHASE_K,
                   rows, phase, point, ahead);
}

/* Work-groups: [ceil(K / stage_channels)][TILES]. */
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void
winograd_output(PARAMETERS, __global float *workspace, const int stage_channels)
{
    const int tile = GROUP(0), begin = GROUP(1) * stage_channels;
    struct tensors t;
    t.out = out;
    SET_BIAS(t);
    SET_RESIDUAL(t);
    int rows[CLASSES];
    find_rows(rows, tile, 0);
    output_tile(M_OF(workspace) + begin, rows, tile, &t, begin, min(K, begin + stage_channels));
}

#endif
