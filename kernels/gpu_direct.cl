/* SPDX-License-Identifier: MIT
 *
 * Direct convolution, for any stride, padding, dilation and number of groups of
 * channels.  Needs gpu.cl and gpu_patch.cl before it.
 *
 *   in       [N][H][W][C]
 *   weights  [G][K_BLOCKS][R][S][CG][BLOCK_K], zeros for channels past the last
 *   out      [N][P][Q][K]
 *
 * A work-group computes BLOCK_K = ITEMS_K * WORK_K * VEC_K channels of GROUP_H x
 * GROUP_W pixels; a work-item WORK_H x WORK_W pixels of WORK_K vectors.
 *
 *   CHANNELS_FIRST  1: work-groups of the same pixels follow each other
 *   UNROLL          of the loop over input channels
 *
 * Input channels come by PATCH_C, which divides CG if the input is staged.
 */
#define BLOCK_K (ITEMS_K * WORK_K * VEC_K)
#define K_BLOCKS ((KG + BLOCK_K - 1) / BLOCK_K)

typedef VEC(VEC_K) vec_k;

/* The products of a patch's channels; `weights` are those of its first channel. */
INLINE void add_patch(vec_k sums[WORK_H][WORK_W][WORK_K], const struct patch *p, source weights,
                      const int top, const int left)
{
    for (int r = 0; r < R; r++)
        for (int s = 0; s < S; s++)
#pragma unroll UNROLL
            for (int c = 0; c < PATCH_C; c += VEC_C) {
                vec_c in[WORK_H][WORK_W];
#pragma unroll
                for (int h = 0; h < WORK_H; h++)
#pragma unroll
                    for (int w = 0; w < WORK_W; w++)
                        in[h][w] =
                            patch_at(p, (top + h) * STRIDE_H + r * DILATION_H,
                                     (left + w) * STRIDE_W + s * DILATION_W, c, C);
#pragma unroll
                for (int j = 0; j < VEC_C; j++)
#pragma unroll
                    for (int k = 0; k < WORK_K; k++) {
                        const vec_k weight =
                            LOAD(VEC_K, weights + ((r * S + s) * CG + c + j) * BLOCK_K +
                                            k * (ITEMS_K * VEC_K));
#pragma unroll
                        for (int h = 0; h < WORK_H; h++)
#pragma unroll
                            for (int w = 0; w < WORK_W; w++)
                                sums[h][w][k] =
                                    MAD((vec_k)(GET(VEC_C)(in[h][w], j)), weight, sums[h][w][k]);
                    }
            }
}

/* A vector of channels from k on, of the group's KG, of one pixel. */
INLINE void put(const vec_k sum, sink out, EXTRA_PARAMETERS const int g, const int k,
                const int pixel)
{
    const int at = pixel * K + g * KG + k;
    float result[VEC_K];
#pragma unroll
    for (int j = 0; j < VEC_K; j++)
        if (KG % BLOCK_K == 0 || k + j < KG)
            result[j] = finish(GET(VEC_K)(sum, j), EXTRA_ARGUMENTS g * KG + k + j, at + j);
#if KG % VEC_K == 0
    if (KG % BLOCK_K == 0 || k < KG)
        STORE(VEC_K, out + at, MAKE(VEC_K)(result));
#else
#pragma unroll
    for (int j = 0; j < VEC_K; j++)
        if (k + j < KG)
            STORE(1, out + at + j, result[j]);
#endif
}

__kernel __attribute__((reqd_work_group_size(THREADS, 1, 1))) void
direct(source in, source weights, EXTRA_PARAMETERS sink out)
{
#if STAGE
    __local float copy[PATCH_FLOATS] __attribute__((aligned(64)));
#endif
    const int id = get_local_id(0);
    const int tk = id % ITEMS_K, tw = id / ITEMS_K % ITEMS_W, th = id / ITEMS_K / ITEMS_W;
    const int group = get_group_id(0), tiles = TILES_H * TILES_W;
    const int tile = CHANNELS_FIRST ? group / K_BLOCKS : group % tiles;
    const int block = CHANNELS_FIRST ? group % K_BLOCKS : group / tiles;
    const int g = get_group_id(1), n = get_group_id(2);
    const int y0 = tile / TILES_W * GROUP_H, x0 = tile % TILES_W * GROUP_W;

    vec_k sums[WORK_H][WORK_W][WORK_K];
#pragma unroll
    for (int h = 0; h < WORK_H; h++)
#pragma unroll
        for (int w = 0; w < WORK_W; w++)
#pragma unroll
            for (int k = 0; k < WORK_K; k++)
                sums[h][w][k] = (vec_k)(0.0f);

    struct patch p;
    p.image = in + n * (H * W * C);
    p.y = y0 * STRIDE_H - PAD_H;
    p.x = x0 * STRIDE_W - PAD_W;
    weights += (g * K_BLOCKS + block) * (R * S * CG * BLOCK_K) + tk * VEC_K;
    for (int c = 0; c < CG; c += PATCH_C) {
        p.c = g * CG + c;
#if STAGE
        barrier(CLK_LOCAL_MEM_FENCE);
        copy_patch(&p, copy, C);
        p.copy = copy;
        barrier(CLK_LOCAL_MEM_FENCE);
#endif
        add_patch(sums, &p, weights + c * BLOCK_K, th * WORK_H, tw * WORK_W);
    }

#pragma unroll
    for (int h = 0; h < WORK_H; h++)
#pragma unroll
        for (int w = 0; w < WORK_W; w++) {
            const int y = y0 + th * WORK_H + h, x = x0 + tw * WORK_W + w;
            if (y < P && x < Q)
#pragma unroll
                for (int k = 0; k < WORK_K; k++)
                    put(sums[h][w][k], out, EXTRA_ARGUMENTS g,
                        block * BLOCK_K + (k * ITEMS_K + tk) * VEC_K, (n * P + y) * Q + x);
        }
}
