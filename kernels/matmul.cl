/* SPDX-License-Identifier: MIT
 *
 * Products of matrices that are both made while the network runs.  Needs vector.cl before it.
 *
 *   in       [N][Q][C]
 *   right    [N][C][K]; TRANSPOSED: [N][K][C]
 *   bias     [K]
 *   residual [N][Q][K]
 *   out      [N][Q][K]
 *
 * A work-group is a single work-item.  It computes `tiles` times ROWS rows of BLOCK_K =
 * VECTORS * VW columns, a tile of ROWS rows at a time, from DEPTH inputs at a time: sums that
 * are not complete wait in `out`.  PACK: it copies its columns of these inputs to local memory
 * first, where all tiles find them in one piece, and padded with zeros.
 */
#define BLOCK_K (VECTORS * VW)

typedef __global const float *source;

#if PACK
#define PANEL __local
#define PITCH BLOCK_K
#else
#define PANEL __global
#define PITCH K
#endif

typedef PANEL const float *panel;
typedef PANEL const vec_unaligned *panel_vector;

struct tensors {
    source bias, residual;
    __global float *out;
};

/* The tile from row `row` on; `b` points to its columns, of which `columns` exist. */
INLINE void tile(source a, panel b, const struct tensors *t, const int row, const int columns,
                 const int depth, const bool more, const bool last)
{
    vec acc[ROWS][VECTORS];
    long at[ROWS];
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
        at[r] = (long)min(row + r, Q - 1) * C;
#pragma unroll
        for (int v = 0; v < VECTORS; v++)
            acc[r][v] = (vec)(0.0f);
    }
    for (int c = 0; c < depth; c++, b += PITCH) {
        vec part[VECTORS];
#pragma unroll
        for (int v = 0; v < VECTORS; v++) {
#if PACK
            part[v] = *(panel_vector)(b + v * VW);
#else
            part[v] = columns - v * VW >= VW ? load(b + v * VW)
                                             : load_first(b + v * VW, columns - v * VW);
#endif
        }
#pragma unroll
        for (int r = 0; r < ROWS; r++)
#pragma unroll
            for (int v = 0; v < VECTORS; v++)
                acc[r][v] = fma((vec)(a[at[r] + c]), part[v], acc[r][v]);
    }
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
        if (row + r >= Q)
            continue;
        const long to = (long)(row + r) * K;
#pragma unroll
        for (int v = 0; v < VECTORS; v++)
            if (v * VW < columns)
                finish(acc[r][v], columns - v * VW, more, last, t->bias + v * VW,
                       t->residual + to + v * VW, t->out + to + v * VW);
    }
}

#if PACK
INLINE void pack(__local float *to, source right, const int columns, const int depth)
{
#if TRANSPOSED
    for (int k = 0; k < BLOCK_K; k++)
        for (int c = 0; c < depth; c++)
            to[c * BLOCK_K + k] = k < columns ? right[(long)k * C + c] : 0.0f;
#else
    for (int c = 0; c < depth; c++, right += K)
#pragma unroll
        for (int v = 0; v < VECTORS; v++)
            *(__local vec_unaligned *)(to + c * BLOCK_K + v * VW) =
                columns - v * VW >= VW ? load(right + v * VW)
                                       : load_first(right + v * VW, columns - v * VW);
#endif
}
#define COPY_PARAMETER , __local float *copy
#define COPY , copy
#else
#define COPY_PARAMETER
#define COPY
#endif

/* Inputs c to c + DEPTH - 1, as far as they exist, for all rows of the work-group. */
INLINE void pass(source in, source right, const struct tensors *t, const int c, const int first,
                 const int end, const int columns COPY_PARAMETER)
{
    const int depth = min(DEPTH, C - c);
#if PACK
    pack(copy, right + (long)c * (TRANSPOSED ? 1 : K), columns, depth);
    const panel b = copy;
#else
    const panel b = right + (long)c * K;
#endif
    for (int row = first; row < end; row += ROWS)
        tile(in + c, b, t, row, columns, depth, c > 0, c + DEPTH >= C);
}

/* Work-groups: [N][ceil(K / BLOCK_K)][ceil(Q / (tiles * ROWS))]. */
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void matmul(source in, source right,
#if BIAS
                                                                    source bias,
#endif
#if RESIDUAL
                                                                    source residual,
#endif
                                                                    __global float *out,
                                                                    const int tiles)
{
#if PACK
    __local vec copy_vectors[DEPTH * VECTORS];
    __local float *copy = (__local float *)copy_vectors;
#endif
    const int first = GROUP(0) * (tiles * ROWS), end = min(Q, first + tiles * ROWS);
    const int k = GROUP(1) * BLOCK_K;
    const long n = GROUP(2);
    struct tensors t;
#if BIAS
    t.bias = bias + k;
#else
    t.bias = 0;
#endif
#if RESIDUAL
    t.residual = residual + n * (Q * K) + k;
#else
    t.residual = 0;
#endif
    t.out = out + n * (Q * K) + k;
    in += n * (Q * C);
    right += n * (C * K) + (long)k * (TRANSPOSED ? C : 1);
    for (int c = 0; c < C; c += DEPTH) {
        if (K % BLOCK_K == 0 || k + BLOCK_K <= K)
            pass(in, right, &t, c, first, end, BLOCK_K COPY);
        else
            pass(in, right, &t, c, first, end, K - k COPY);
    }
}
