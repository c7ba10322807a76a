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
 * does 2 and 3 for PHASE_BLOCKS * KB output channels at a time, and 1 / SPLIT of
 * these phases.  Staged, each step is a launch of its own, and V and M are in the
 * workspace: better where V of a few tiles overflows L2, or where there are too
 * few tiles to share out.
 *
 * The products go over REGISTER_TILES tiles and KB channels at a time, whose sums
 * stay in registers; weights are loaded as vectors, V is broadcast.  Rows of V and
 * M are ROW_PAD floats longer than needed, so that they do not share cache sets.
 */
#define KB (KV * VW)
#define POINTS (ALPHA * ALPHA)
#define TILES_H ((P + TILE - 1) / TILE)
#define TILES_W ((Q + TILE - 1) / TILE)
#define TILES (N * TILES_H * TILES_W)
#define PHASE_K (PHASE_BLOCKS * KB)
#define PHASES ((K + PHASE_K - 1) / PHASE_K)
#define V_ROW ((C + VW - 1) / VW * VW + ROW_PAD)

#if STAGED
#define SCRATCH __global
#define V_TILES ((TILES + REGISTER_TILES - 1) / REGISTER_TILES * REGISTER_TILES)
#define M_ROW (PHASES * PHASE_K + ROW_PAD)
#define M_POINT (V_TILES * M_ROW)
#else
#define SCRATCH __local
#define V_TILES BLOCK_TILES
#define M_ROW PHASE_K
#define M_POINT (V_TILES * M_ROW + ROW_PAD)
#endif
#define V_POINT (V_TILES * V_ROW)

#define VECTOR(p) (*(SCRATCH vec *)(p)) /* in V or M, where all vectors are aligned */

typedef __global const float *source;

struct tensors {
    source in, weights, bias, residual;
    __global float *out;
};

/* The first output of a tile. */
struct place {
    int n, y, x;
};

INLINE void find_place(struct place *at, const int tile)
{
    at->n = tile / (TILES_H * TILES_W);
    at->y = tile / TILES_W % TILES_H * TILE;
    at->x = tile % TILES_W * TILE;
}

INLINE vec load_channels(source p, const int c)
{
    return C % VW == 0 || c + VW <= C ? load(p) : load_first(p, C - c);
}

/* Step 1: channels begin .. end - 1 of one tile.  v: the tile's row of V at point 0. */
INLINE void input_tile(source in, const int tile, SCRATCH float *v, const int begin, const int end)
{
    struct place at;
    find_place(&at, tile);
    const int y0 = at.y - PAD_H, x0 = at.x - PAD_W;
    const bool inside = y0 >= 0 && x0 >= 0 && y0 + ALPHA <= H && x0 + ALPHA <= W;
    const source corner = in + ((long)(at.n * H + y0) * W + x0) * C;
    for (int c = begin; c < end; c += VW) {
        vec d[POINTS];
#pragma unroll
        for (int i = 0; i < POINTS; i++) {
            const int dy = i / ALPHA, dx = i % ALPHA;
            const int y = y0 + dy, x = x0 + dx;
            d[i] = (vec)(0.0f);
            if (inside || (y >= 0 && y < H && x >= 0 && x < W))
                d[i] = load_channels(corner + (dy * W + dx) * C + c, c);
        }
#pragma unroll
        for (int i = 0; i < ALPHA; i++)
            transform_input(d + i, ALPHA);
#pragma unroll
        for (int i = 0; i < ALPHA; i++)
            transform_input(d + i * ALPHA, 1);
#pragma unroll
        for (int i = 0; i < POINTS; i++)
            VECTOR(v + i * (long)V_POINT + c) = d[i];
    }
}

/* The same for a tile that does not exist. */
INLINE void zero_tile(SCRATCH float *v, const int begin, const int end)
{
    for (int i = 0; i < POINTS; i++)
        for (int c = begin; c < end; c += VW)
            VECTOR(v + i * (long)V_POINT + c) = (vec)(0.0f);
}

/* Step 2 for REGISTER_TILES tiles and KB channels of one point.  Weights are asked
 * for `ahead` floats before their use; 0, if they are in a cache already. */
INLINE void multiply(const SCRATCH float *v, source w, SCRATCH float *m, const int ahead)
{
    vec acc[REGISTER_TILES][KV];
#pragma unroll
    for (int t = 0; t < REGISTER_TILES; t++)
#pragma unroll
        for (int k = 0; k < KV; k++)
            acc[t][k] = (vec)(0.0f);
#pragma unroll UNROLL_C
    for (int c = 0; c < C; c++) {
        vec weight[KV];
#pragma unroll
        for (int k = 0; k < KV; k++)
            weight[k] = load(w + k * VW);
#if PREFETCH > 0
        prefetch_lines(w + ahead, KB);
#endif
#pragma unroll
        for (int t = 0; t < REGISTER_TILES; t++) {
            const vec x = (vec)(v[t * V_ROW + c]);
#pragma unroll
            for (int k = 0; k < KV; k++)
                acc[t][k] = fma(x, weight[k], acc[t][k]);
        }
        w += KB;
    }
#pragma unroll
    for (int t = 0; t < REGISTER_TILES; t++)
#pragma unroll
        for (int k = 0; k < KV; k++)
            VECTOR(m + t * (long)M_ROW + k * VW) = acc[t][k];
}

/* Step 2 for `tiles` tiles (rounded up) and all channels of a phase, of one point. */
INLINE void multiply_phase(const SCRATCH float *v, source weights, SCRATCH float *m,
                           const int tiles, const int phase, const int point)
{
    const int blocks = min(PHASE_BLOCKS, (K - phase * PHASE_K + KB - 1) / KB);
    source w = weights + ((long)phase * POINTS + point) * PHASE_BLOCKS * C * KB;
    for (int block = 0; block < blocks; block++) {
        for (int t = 0; t < tiles; t += REGISTER_TILES)
            multiply(v + t * V_ROW, w, m + t * (long)M_ROW + block * KB,
                     t == 0 ? PREFETCH * KB : 0);
        w += C * KB;
    }
}

/* Step 3: channels begin .. end - 1 of one tile.  m: the tile's row of M at point
 * 0, from channel `begin` on. */
INLINE void output_tile(const SCRATCH float *m, const int tile, const struct tensors *t,
                        const int begin, const int end)
{
    struct place at;
    find_place(&at, tile);
    for (int k = begin; k < end; k += VW) {
        vec d[POINTS];
#pragma unroll
        for (int i = 0; i < POINTS; i++)
            d[i] = VECTOR(m + i * (long)M_POINT + k - begin);
#pragma unroll
        for (int i = 0; i < ALPHA; i++)
            transform_output(d + i, ALPHA);
#pragma unroll
        for (int i = 0; i < TILE; i++) {
            const int y = at.y + i;
            transform_output(d + i * ALPHA, 1);
            if (P % TILE != 0 && y >= P)
                continue;
#pragma unroll
            for (int j = 0; j < TILE; j++) {
                const int x = at.x + j;
                const long to = ((long)(at.n * P + y) * Q + x) * K + k;
                if (Q % TILE == 0 || x < Q)
                    finish(d[i * ALPHA + j], K % VW == 0 ? VW : K - k, false, true, t->bias + k,
                           t->residual + to, t->out + to);
            }
        }
    }
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

/* Work-groups: [SPLIT][ceil(TILES / BLOCK_TILES)]. */
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void winograd(PARAMETERS)
{
    __local vec v_vectors[POINTS * V_POINT / VW];
    __local vec m_vectors[POINTS * M_POINT / VW];
    __local float *v = (__local float *)v_vectors;
    __local float *m = (__local float *)m_vectors;
    const int first = GROUP(0) * BLOCK_TILES;
    const int tiles = min(BLOCK_TILES, TILES - first);
    const int rows = (tiles + REGISTER_TILES - 1) / REGISTER_TILES * REGISTER_TILES;
    struct tensors t;
    t.out = out;
    SET_BIAS(t);
    SET_RESIDUAL(t);

    for (int i = 0; i < tiles; i++)
        input_tile(in, first + i, v + i * V_ROW, 0, C);
    for (int i = tiles; i < rows; i++)
        zero_tile(v + i * V_ROW, 0, C);

    const int split = GROUP(1);
    for (int phase = split * PHASES / SPLIT; phase < (split + 1) * PHASES / SPLIT; phase++) {
        for (int i = 0; i < POINTS; i++)
            multiply_phase(v + i * V_POINT, weights, m + i * M_POINT, rows, phase, i);
        for (int i = 0; i < tiles; i++)
            output_tile(m + i * M_ROW, first + i, &t, phase * PHASE_K,
                        min(K, (phase + 1) * PHASE_K));
    }
}

#else

#define V_OF(workspace) (workspace)
#define M_OF(workspace) ((workspace) + POINTS * (long)V_POINT)

/* Work-groups: [ceil(C / STAGE_CHANNELS)][V_TILES]. */
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void
winograd_input(PARAMETERS, __global float *workspace)
{
    const int tile = GROUP(0), begin = GROUP(1) * STAGE_CHANNELS;
    const int end = min(C, begin + STAGE_CHANNELS);
    __global float *v = V_OF(workspace) + tile * (long)V_ROW;
    if (tile < TILES)
        input_tile(in, tile, v, begin, end);
    else
        zero_tile(v, begin, end);
}

/* Work-groups: [PHASES][POINTS][ceil(TILES / BLOCK_TILES)]: those that share
 * weights follow each other. */
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void
winograd_multiply(PARAMETERS, __global float *workspace)
{
    const int first = GROUP(0) * BLOCK_TILES, point = GROUP(1);
    const int phase = GROUP(2);
    const int tiles = min(BLOCK_TILES, TILES - first);
    multiply_phase(V_OF(workspace) + point * (long)V_POINT + first * (long)V_ROW, weights,
                   M_OF(workspace) + point * (long)M_POINT + first * (long)M_ROW + phase * PHASE_K,
                   tiles, phase, point);
}

/* Work-groups: [ceil(K / STAGE_CHANNELS)][TILES]. */
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void
winograd_output(PARAMETERS, __global float *workspace)
{
    const int tile = GROUP(0), begin = GROUP(1) * STAGE_CHANNELS;
    struct tensors t;
    t.out = out;
    SET_BIAS(t);
    SET_RESIDUAL(t);
    output_tile(M_OF(workspace) + tile * (long)M_ROW + begin, tile, &t, begin,
                min(K, begin + STAGE_CHANNELS));
}

#endif
