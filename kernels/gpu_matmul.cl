/* SPDX-License-Identifier: MIT
 *
 * Products of matrices that are both made while the network runs.  Needs gpu.cl before it.
 *
 *   in       [N][Q][C]
 *   right    [N][C][K]; TRANSPOSED: [N][K][C]
 *   out      [N][Q][K]
 *
 * A work-group computes BLOCK_Q x BLOCK_K elements of one product, a work-item WORK_Q x WORK_K
 * of these, ITEMS_Q and ITEMS_K apart.  Both matrices pass through local memory, DEPTH inputs
 * at a time; its rows are longer by 1, so that writes across meet other banks.
 */
#define THREADS (ITEMS_Q * ITEMS_K)
#define BLOCK_Q (ITEMS_Q * WORK_Q)
#define BLOCK_K (ITEMS_K * WORK_K)
#define LEFT_ROW (BLOCK_Q + 1)
#define RIGHT_ROW (BLOCK_K + 1)

INLINE void copy_left(__local float *to, source in, const int id, const int q0, const int c0)
{
    for (int i = id; i < DEPTH * BLOCK_Q; i += THREADS) {
        const int c = i % DEPTH, q = i / DEPTH;
        const bool there = q0 + q < Q && c0 + c < C;
        to[c * LEFT_ROW + q] = there ? LOAD(1, in + (q0 + q) * C + c0 + c) : 0.0f;
    }
}

INLINE void copy_right(__local float *to, source right, const int id, const int k0, const int c0)
{
    for (int i = id; i < DEPTH * BLOCK_K; i += THREADS) {
#if TRANSPOSED
        const int c = i % DEPTH, k = i / DEPTH;
        const int from = (k0 + k) * C + c0 + c;
#else
        const int c = i / BLOCK_K, k = i % BLOCK_K;
        const int from = (c0 + c) * K + k0 + k;
#endif
        const bool there = k0 + k < K && c0 + c < C;
        to[c * RIGHT_ROW + k] = there ? LOAD(1, right + from) : 0.0f;
    }
}

/* Work-groups: [N][ceil(Q / BLOCK_Q)][ceil(K / BLOCK_K)]. */
__kernel __attribute__((reqd_work_group_size(THREADS, 1, 1))) void matmul(source in, source right,
                                                                          EXTRA_PARAMETERS sink out)
{
    __local float left_copy[DEPTH * LEFT_ROW], right_copy[DEPTH * RIGHT_ROW];
    const int id = get_local_id(0), tk = id % ITEMS_K, tq = id / ITEMS_K;
    const int k0 = get_group_id(0) * BLOCK_K, q0 = get_group_id(1) * BLOCK_Q;
    const int n = get_group_id(2);
    float sums[WORK_Q][WORK_K];
#pragma unroll
    for (int i = 0; i < WORK_Q; i++)
#pragma unroll
        for (int j = 0; j < WORK_K; j++)
            sums[i][j] = 0.0f;

    for (int c0 = 0; c0 < C; c0 += DEPTH) {
        barrier(CLK_LOCAL_MEM_FENCE);
        copy_left(left_copy, in + n * (Q * C), id, q0, c0);
        copy_right(right_copy, right + n * (C * K), id, k0, c0);
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int c = 0; c < DEPTH; c++) {
            float x[WORK_Q], y[WORK_K];
#pragma unroll
            for (int i = 0; i < WORK_Q; i++)
                x[i] = left_copy[c * LEFT_ROW + i * ITEMS_Q + tq];
#pragma unroll
            for (int j = 0; j < WORK_K; j++)
                y[j] = right_copy[c * RIGHT_ROW + j * ITEMS_K + tk];
#pragma unroll
            for (int i = 0; i < WORK_Q; i++)
#pragma unroll
                for (int j = 0; j < WORK_K; j++)
                    sums[i][j] = MAD(x[i], y[j], sums[i][j]);
        }
    }

#pragma unroll
    for (int i = 0; i < WORK_Q; i++)
#pragma unroll
        for (int j = 0; j < WORK_K; j++) {
            const int q = q0 + i * ITEMS_Q + tq, k = k0 + j * ITEMS_K + tk;
            const int at = (n * Q + q) * K + k;
            if (q < Q && k < K)
                STORE(1, out + at, finish(sums[i][j], EXTRA_ARGUMENTS k, at));
        }
}
