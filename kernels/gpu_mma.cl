/* SPDX-License-Identifier: MIT
 *
 * Products of tiles by NVIDIA's tensor cores, with the instruction mma.sync of PTX, for
 * devices of compute capability 8.0 and above.  Needs gpu_matrix.cl before it and
 * gpu_product.cl after it.
 *
 * A work-group is WARPS_M x WARPS_N warps of 32 work-items, each with MMA_M x MMA_N
 * tiles of 16 x 8 sums in fp32; one instruction adds products of a depth of 8 words to
 * such a tile: 8 floats, or 16 halves.  Which work-item (lane) of the warp has which word
 * stands in the PTX ISA, "Matrix Fragments for mma.m16n8k8" (.tf32) and "mma.m16n8k16"
 * (.f16); with g = lane / 4, t = lane % 4, and depth in words:
 *
 *   a0, a1, a2, a3  (row g, depth t), (g + 8, t), (g, t + 4), (g + 8, t + 4)
 *   b0, b1          (depth t, column g), (t + 4, g)
 *   c0, c1, c2, c3  (row g, column 2 t), (g, 2 t + 1), (g + 8, 2 t), (g + 8, 2 t + 1)
 *
 * A sum does not mind the order of its products: what is called depth t here may be
 * any of the eight, as long as inputs and weights agree.  So a work-item takes words
 * that are next to each other in local memory:
 *
 *   READ_A     words of inputs of one read: 1, 2, or 4 for two instructions
 *   READ_B     tiles of columns of one read of weights, which are packed in the order
 *              of lanes: 1, 2
 *   PAD_A      words between two rows of inputs in local memory: against two lanes
 *              that want the same bank
 *
 * Floats are rounded to TF32: 8 bits of exponent, 10 of mantissa.  Weights come rounded.
 * Halves go in as they are, and their products are exact.
 *
 * MMA_EMULATED 1: the same in plain OpenCL C, for tests on any device.  Lanes exchange
 * fragments by way of global memory, with fences for that alone, so that a checker of
 * races sees local memory as it is without them.
 */
#if HALF
#define WORDS_K (TILE_K / 2) /* of a row of a tile */
#else
#define WORDS_K TILE_K
#endif
#define STEPS (WORDS_K / 8)
#define PITCH_A (WORDS_K + PAD_A)
#define A_FLOATS (TILE_M * PITCH_A) /* of tiles in local memory */
#define B_FLOATS (WORDS_K * TILE_N)
/* Steps of the depth that go together. */
#define BLOCK (READ_A == 4 ? 2 : 1)

typedef VEC(READ_A) vec_ra;
#if READ_B == 2
typedef float4 vec_rb;
#define GET_B GET_4
#else
typedef float2 vec_rb;
#define GET_B GET_2
#endif

/* Everything that a work-item works with. */
struct item {
    struct loads in;
    int lane, row, column; /* of the warp's first sum in the tile */
#if MMA_EMULATED
    __global uint *scratch; /* of the warp: FRAGMENTS words a lane */
#endif
    float sums[MMA_M][MMA_N][4];
};

/* What a work-item has of a step's inputs and weights. */
struct fragments {
    uint a[MMA_M][4];
    uint b[MMA_N][2];
};
#define FRAGMENTS (MMA_M * 4 + MMA_N * 2)

INLINE void begin_tile(struct item *it, const int m_tile, const int z)
{
    const int warp = it->in.id / 32;
    it->lane = it->in.id % 32;
    it->row = warp / WARPS_N * (MMA_M * 16);
    it->column = warp % WARPS_N * (MMA_N * 8);
#pragma unroll
    for (int i = 0; i < MMA_M; i++)
#pragma unroll
        for (int j = 0; j < MMA_N; j++)
#pragma unroll
            for (int k = 0; k < 4; k++)
                it->sums[i][j][k] = 0.0f;
}

/* ------------------------------------------------------------ the instruction */

#if MMA_EMULATED

/* To the nearest, ties away from zero. */
INLINE float round_tf32(const float x)
{
    return isnan(x) ? x : as_float((as_uint(x) + 0x1000u) & 0xffffe000u);
}

/* The sum of the products of the elements of two words. */
INLINE float multiply_words(const uint a, const uint b)
{
#if HALF
    const ushort low_a = a & 0xffff, low_b = b & 0xffff, high_a = a >> 16, high_b = b >> 16;
    return WIDEN(low_a) * WIDEN(low_b) + WIDEN(high_a) * WIDEN(high_b);
#else
    return as_float(a) * as_float(b);
#endif
}

INLINE void multiply(struct item *it, const struct fragments *f)
{
    const int g = it->lane / 4, t = it->lane % 4;
    __global uint *own = it->scratch + it->lane * FRAGMENTS;
    for (int i = 0; i < MMA_M * 4; i++)
        own[i] = f->a[i / 4][i % 4];
    for (int j = 0; j < MMA_N * 2; j++)
        own[MMA_M * 4 + j] = f->b[j / 2][j % 2];
    barrier(CLK_GLOBAL_MEM_FENCE);
    for (int i = 0; i < MMA_M; i++)
        for (int j = 0; j < MMA_N; j++)
            for (int c = 0; c < 4; c++) {
                const int row = g + c / 2 * 8, column = 2 * t + c % 2;
                float sum = 0.0f;
                for (int k = 0; k < 8; k++) {
                    const int a = (row % 8 * 4 + k % 4) * FRAGMENTS + i * 4 + row / 8 + k / 4 * 2;
                    const int b = (column * 4 + k % 4) * FRAGMENTS + MMA_M * 4 + j * 2 + k / 4;
                    sum += multiply_words(it->scratch[a], it->scratch[b]);
                }
                it->sums[i][j][c] += sum;
            }
    barrier(CLK_GLOBAL_MEM_FENCE);
}

#else

INLINE float round_tf32(const float x)
{
    uint rounded;
    asm volatile("cvt.rna.tf32.f32 %0, %1;" : "=r"(rounded) : "f"(x));
    return as_float(rounded);
}

#if HALF
#define INSTRUCTION "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32"
#else
#define INSTRUCTION "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32"
#endif

INLINE void mma(float *c, const uint *a, const uint *b)
{
    float c0 = c[0], c1 = c[1], c2 = c[2], c3 = c[3];
    asm volatile(INSTRUCTION
                 " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(c0), "+f"(c1), "+f"(c2), "+f"(c3)
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
    c[0] = c0;
    c[1] = c1;
    c[2] = c2;
    c[3] = c3;
}

INLINE void multiply(struct item *it, const struct fragments *f)
{
#pragma unroll
    for (int i = 0; i < MMA_M; i++)
#pragma unroll
        for (int j = 0; j < MMA_N; j++)
            mma(it->sums[i][j], f->a[i], f->b[j]);
}

#endif

/* ------------------------------------------------------------------ the tile */

/* Inputs from registers to local memory, as [TILE_M][PITCH_A]. */
INLINE void store_a(struct loads *in, __local float *as)
{
#pragma unroll
    for (int l = 0; l < A_LOADS; l++) {
        const int i = l * THREADS + in->id;
        if (A_VECTORS % THREADS == 0 || i < A_VECTORS) {
            const int m = i / (TILE_K / VEC_A), k = i % (TILE_K / VEC_A) * VEC_A;
#if HALF
            *(__local vec_a *)((__local in_local *)as + m * (2 * PITCH_A) + k) = in->next_a[l];
#else
            float v[VEC_A];
#pragma unroll
            for (int j = 0; j < VEC_A; j++)
                v[j] = round_tf32(GET(VEC_A)(in->next_a[l], j));
            *(__local vec_a *)(as + m * PITCH_A + k) = MAKE(VEC_A)(v);
#endif
        }
    }
}

/* Those of a tile of 16 rows, for BLOCK steps; `from` is a work-item's own row. */
INLINE void read_a(struct fragments *f, const int i, __local const float *from, const int t)
{
#pragma unroll
    for (int h = 0; h < 2; h++) {
        __local const float *row = from + h * 8 * PITCH_A;
#if READ_A == 1
        f->a[i][h] = as_uint(row[t]);
        f->a[i][h + 2] = as_uint(row[t + 4]);
#else
        const vec_ra v = *(__local const vec_ra *)(row + t * READ_A);
#pragma unroll
        for (int s = 0; s < BLOCK; s++) {
            f[s].a[i][h] = as_uint(GET(READ_A)(v, 2 * s));
            f[s].a[i][h + 2] = as_uint(GET(READ_A)(v, 2 * s + 1));
        }
#endif
    }
}

INLINE void compute(struct item *it, __local const float *as, __local const float *bs, const int t)
{
    __local const float *a = as + (it->row + it->lane / 4) * PITCH_A;
#if STAGE_B
    __local const vec_rb *b = (__local const vec_rb *)bs;
#else
    __global const vec_rb *b = (__global const vec_rb *)(it->in.b + t * (TILE_K * TILE_N));
#endif
    b += it->column / (8 * READ_B) * 32 + it->lane;
#pragma unroll
    for (int s = 0; s < STEPS; s += BLOCK) {
        struct fragments f[BLOCK];
#pragma unroll
        for (int i = 0; i < MMA_M; i++)
            read_a(f, i, a + i * 16 * PITCH_A + s * 8, it->lane % 4);
#pragma unroll
        for (int u = 0; u < BLOCK; u++) {
#pragma unroll
            for (int j = 0; j < MMA_N; j += READ_B) {
                const vec_rb v = b[((s + u) * (TILE_N / 8) + j) / READ_B * 32];
#pragma unroll
                for (int k = 0; k < 2 * READ_B; k++)
                    f[u].b[j + k / 2][k % 2] = as_uint(GET_B(v, k));
            }
            multiply(it, &f[u]);
        }
    }
}

/* A sum's neighbour is in the next column. */
INLINE void end_tile(const struct item *it, END_PARAMETERS result out, const int m_tile,
                     const int n_tile, const int z)
{
    const int row = m_tile * TILE_M + it->row + it->lane / 4;
    const int column = n_tile * TILE_N + it->column + it->lane % 4 * 2;
#pragma unroll
    for (int i = 0; i < MMA_M; i++)
#pragma unroll
        for (int j = 0; j < MMA_N; j++)
#pragma unroll
            for (int h = 0; h < 2; h++)
                put_sums((float2)(it->sums[i][j][2 * h], it->sums[i][j][2 * h + 1]),
                         END_ARGUMENTS out, row + i * 16 + h * 8, column + j * 8, z);
}
