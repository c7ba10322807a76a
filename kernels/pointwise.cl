/* SPDX-License-Identifier: MIT
 *
 * Pointwise (1x1, stride 1) convolution: a matrix product over all pixels.
 * Needs vector.cl before it.
 *
 *   in       [M][C], M = N * P * Q
 *   weights  [K_BLOCKS][C][KB]
 *   bias     [K]
 *   residual [M][K]
 *   out      [M][K]
 *
 * KB = KV * VW; the weights of channels past K are 0.
 *
 * A work-group is a single work-item.  It computes some blocks of KB channels of some
 * tiles of TILE_M pixels.  The sums of a tile stay in registers.
 *
 *   C_PASSES      parts of the input channels, so that weights or inputs of one part
 *                 stay in a cache; between them the sums are in `out`
 *   UNROLL_C      copies of the innermost loop, over input channels
 *   PREFETCH      1: weights are asked for ahead
 *   STAGE         1: the inputs of a tile are copied together first
 *
 * Arguments, which no inner loop needs to know:
 *
 *   group_tiles   tiles of a work-group
 *   group_blocks  and blocks
 *   step          blocks that a tile meets before the next one comes: 1, all tiles meet a
 *                 block of weights before the next one comes; or group_blocks
 *   pixels_first  1: work-groups of the same channels follow each other
 *   ahead         rows of weights that are asked for ahead
 */
#define KB (KV * VW)
#define TILES (M / TILE_M)
#define REST (M % TILE_M) /* pixels of the last tile, if it is a smaller one */
#define CP (C / C_PASSES)

typedef __global const float *source;

struct tensors {
    source weights, bias, residual;
    __global float *out;
    int ahead; /* floats of weights */
};

/* The address of an input: pixel m of the tile, channel c of the pass. */
#if STAGE
typedef const float *input;
#define INPUT_STRIDE (CP + 16) /* not a power of two: pixels do not share cache sets */
#else
typedef __global const float *input;
#define INPUT_STRIDE C
#endif

/* `pixels` (a constant) pixels from m on, channels k0 .. k0 + KB - 1. */
INLINE void tile(input in, const struct tensors *t, const int pass, const long m, const int k0,
                 const int pixels)
{
    vec acc[TILE_M][KV];
#pragma unroll
    for (int p = 0; p < pixels; p++)
#pragma unroll
        for (int v = 0; v < KV; v++)
            acc[p][v] = (vec)(0.0f);

#if RESIDUAL
    /* By the time that the sums are complete, it is here: it is read once, in pieces of a line or
     * two, which no prefetcher of the hardware sees coming. */
    if (pass == C_PASSES - 1)
#pragma unroll
        for (int p = 0; p < pixels; p++)
            prefetch_lines(t->residual + (m + p) * K + k0, KB);
#endif

    source w = t->weights + (long)k0 * C + pass * (CP * KB);
#pragma unroll UNROLL_C
    for (int c = 0; c < CP; c++) {
        vec weight[KV];
#if PREFETCH
        prefetch_lines(w + t->ahead, KB);
#endif
#pragma unroll
        for (int v = 0; v < KV; v++)
            weight[v] = load(w + v * VW);
#pragma unroll
        for (int p = 0; p < pixels; p++) {
            const vec x = (vec)(in[p * INPUT_STRIDE + c]);
#pragma unroll
            for (int v = 0; v < KV; v++)
                acc[p][v] = fma(x, weight[v], acc[p][v]);
        }
        w += KB;
    }

#pragma unroll
    for (int p = 0; p < pixels; p++)
#pragma unroll
        for (int v = 0; v < KV; v++)
            if (K % KB == 0 || k0 + v * VW < K) {
                const int k = k0 + v * VW;
                const long at = (m + p) * K + k, to = (m + p) * OUT_K + k;
                finish(acc[p][v], K % KB == 0 ? VW : K - k, pass > 0, pass == C_PASSES - 1,
                       t->bias + k, t->residual + at, t->out + to);
            }
}

/* All blocks of channels of one tile. */
INLINE void blocks(source in, const struct tensors *t, const int pass, const long m,
                   const int k_begin, const int k_end, const int pixels)
{
    source first = in + m * C + pass * CP;
#if STAGE
    float staged[TILE_M * INPUT_STRIDE];
    for (int p = 0; p < pixels; p++)
        for (int c = 0; c < CP; c++)
            staged[p * INPUT_STRIDE + c] = first[p * C + c];
    for (int k = k_begin; k < k_end; k++)
        tile(staged, t, pass, m, k * KB, pixels);
#else
    for (int k = k_begin; k < k_end; k++)
        tile(first, t, pass, m, k * KB, pixels);
#endif
}

INLINE void tiles(source in, const struct tensors *t, const int pass, const int begin,
                  const int end, const int k_begin, const int k_end)
{
    for (int i = begin; i < min(end, TILES); i++)
        blocks(in, t, pass, (long)i * TILE_M, k_begin, k_end, TILE_M);
#if REST > 0
    if (end > TILES)
        blocks(in, t, pass, (long)TILES * TILE_M, k_begin, k_end, REST);
#endif
}

__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void
pointwise(source in, source weights,
#if BIAS
          source bias,
#endif
#if RESIDUAL
          source residual,
#endif
          __global float *out, const int group_tiles, const int group_blocks, const int step,
          const int pixels_first, const int ahead)
{
    const int x = GROUP(0), y = GROUP(1);
    const int mg = pixels_first ? x : y;
    const int kg = pixels_first ? y : x;
    const int begin = mg * group_tiles;
    const int end = begin + group_tiles;
    const int k_begin = kg * group_blocks;
    const int k_end = min(K_BLOCKS, k_begin + group_blocks);

    struct tensors t;
    t.weights = weights;
    t.out = out;
    t.ahead = ahead * KB;
#if BIAS
    t.bias = bias;
#endif
#if RESIDUAL
    t.residual = residual;
#endif

    for (int pass = 0; pass < C_PASSES; pass++)
        for (int k = k_begin; k < k_end; k += step)
            tiles(in, &t, pass, begin, end, k, min(k_end, k + step));
}
