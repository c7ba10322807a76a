/* SPDX-License-Identifier: MIT
 *
 * Depthwise convolution: output channel k is the convolution of input channel
 * k / MULTIPLIER with a filter of its own.  Needs gpu.cl and gpu_patch.cl before it.
 *
 *   in       [N][H][W][C]
 *   weights  [R][S][K]
 *   out      [N][P][Q][K], K = C * MULTIPLIER
 *
 * A work-group computes BLOCK_K = ITEMS_K * VEC_C channels of STRIPS tiles of
 * GROUP_H x GROUP_W pixels, one below the other; a work-item WORK_H x WORK_W pixels
 * of one vector in each.  VEC_C divides K, and is 1 if MULTIPLIER is not.
 *
 *   BY_ROWS         1: a row of inputs is loaded once for all outputs that see it;
 *                   0: each output loads what it sees
 *   KEEP_WEIGHTS    1: the filter stays in registers
 *   CHANNELS_FIRST  1: work-groups of the same pixels follow each other
 */
#define BLOCK_K (ITEMS_K * VEC_C)
#define K_BLOCKS ((K + BLOCK_K - 1) / BLOCK_K)
#define ROWS_OF_TILES ((TILES_H + STRIPS - 1) / STRIPS)

/* Where weights come from: w[r][s] or memory. */
struct filter {
    source from; /* of the work-item's first channel */
#if KEEP_WEIGHTS
    vec_c w[R][S];
#endif
};

INLINE vec_c weight_at(const struct filter *f, const int r, const int s)
{
#if KEEP_WEIGHTS
    return f->w[r][s];
#else
    return LOAD(VEC_C, f->from + (r * S + s) * K);
#endif
}

/* The sums of a tile whose first output is at (top, left) of the patch; the
 * channels begin at c of it, and those from `end` on do not exist. */
INLINE void add_tile(vec_c sums[WORK_H][WORK_W], const struct patch *p, const struct filter *f,
                     const int top, const int left, const int c)
{
#if BY_ROWS
#pragma unroll
    for (int y = 0; y < SEEN_H(WORK_H); y++) {
        vec_c row[SEEN_W(WORK_W)];
#pragma unroll
        for (int x = 0; x < SEEN_W(WORK_W); x++)
            row[x] = patch_at(p, top * STRIDE_H + y, left * STRIDE_W + x, c, C);
#pragma unroll
        for (int h = 0; h < WORK_H; h++) {
            const int r = (y - h * STRIDE_H) / DILATION_H;
            if (y < h * STRIDE_H || r >= R || r * DILATION_H != y - h * STRIDE_H)
                continue;
#pragma unroll
            for (int s = 0; s < S; s++)
#pragma unroll
                for (int w = 0; w < WORK_W; w++)
                    sums[h][w] =
                        MAD(row[w * STRIDE_W + s * DILATION_W], weight_at(f, r, s), sums[h][w]);
        }
    }
#else
    /* Unrolled, or a filter that is kept would have to be in memory after all. */
#if KEEP_WEIGHTS
#pragma unroll
#endif
    for (int r = 0; r < R; r++)
#if KEEP_WEIGHTS
#pragma unroll
#endif
        for (int s = 0; s < S; s++) {
            const vec_c weight = weight_at(f, r, s);
#pragma unroll
            for (int h = 0; h < WORK_H; h++)
#pragma unroll
                for (int w = 0; w < WORK_W; w++)
                    sums[h][w] = MAD(patch_at(p, (top + h) * STRIDE_H + r * DILATION_H,
                                              (left + w) * STRIDE_W + s * DILATION_W, c, C),
                                     weight, sums[h][w]);
        }
#endif
}

INLINE void put_tile(vec_c sums[WORK_H][WORK_W], sink out, EXTRA_PARAMETERS const int n,
                     const int y, const int x, const int k)
{
#pragma unroll
    for (int h = 0; h < WORK_H; h++)
#pragma unroll
        for (int w = 0; w < WORK_W; w++) {
            const int at = ((n * P + y + h) * Q + x + w) * K + k;
            if (y + h >= P || x + w >= Q || k >= K)
                continue;
            float result[VEC_C];
#pragma unroll
            for (int j = 0; j < VEC_C; j++)
                result[j] = finish(GET(VEC_C)(sums[h][w], j), EXTRA_ARGUMENTS k + j, at + j);
            STORE(VEC_C, out + at, MAKE(VEC_C)(result));
        }
}

__kernel __attribute__((reqd_work_group_size(THREADS, 1, 1))) void
depthwise(source in, source weights, EXTRA_PARAMETERS sink out)
{
#if STAGE
    __local float copy[PATCH_FLOATS] __attribute__((aligned(64)));
#endif
    const int id = get_local_id(0);
    const int tk = id % ITEMS_K, tw = id / ITEMS_K % ITEMS_W, th = id / ITEMS_K / ITEMS_W;
    const int group = get_group_id(0), tiles = ROWS_OF_TILES * TILES_W;
    const int tile = CHANNELS_FIRST ? group / K_BLOCKS : group % tiles;
    const int block = CHANNELS_FIRST ? group % K_BLOCKS : group / tiles;
    const int n = get_group_id(1);
    const int x0 = tile % TILES_W * GROUP_W;
    const int k = block * BLOCK_K + tk * VEC_C;

    /* Work-items past the last channel work on it too, and write nothing. */
    struct filter f;
    f.from = weights + min(k, K - VEC_C);
#if KEEP_WEIGHTS
#pragma unroll
    for (int r = 0; r < R; r++)
#pragma unroll
        for (int s = 0; s < S; s++)
            f.w[r][s] = LOAD(VEC_C, f.from + (r * S + s) * K);
#endif

    struct patch p;
    p.image = in + n * (H * W * C);
    p.x = x0 * STRIDE_W - PAD_W;
    /* A patch has the channels of a work-group; in the input they begin here. */
    p.c = block * BLOCK_K / MULTIPLIER;
    const int c = k / MULTIPLIER - p.c;
    for (int strip = 0; strip < STRIPS; strip++) {
        const int y0 = (tile / TILES_W * STRIPS + strip) * GROUP_H;
        p.y = y0 * STRIDE_H - PAD_H;
        if (y0 >= P)
            break;
#if STAGE
        barrier(CLK_LOCAL_MEM_FENCE);
        copy_patch(&p, copy, C);
        p.copy = copy;
        barrier(CLK_LOCAL_MEM_FENCE);
#endif
        vec_c sums[WORK_H][WORK_W];
#pragma unroll
        for (int h = 0; h < WORK_H; h++)
#pragma unroll
            for (int w = 0; w < WORK_W; w++)
                sums[h][w] = (vec_c)(0.0f);
        add_tile(sums, &p, &f, th * WORK_H, tw * WORK_W, c);
        put_tile(sums, out, EXTRA_ARGUMENTS n, y0 + th * WORK_H, x0 + tw * WORK_W, k);
    }
}
