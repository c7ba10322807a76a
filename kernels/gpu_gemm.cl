/* SPDX-License-Identifier: MIT
 *
 * Products of tiles in registers, by multiply-adds: the tiling is that of CLBlast
 * (Nugteren, IWOCL 2018).  Needs gpu_matrix.cl before it and gpu_product.cl after it.
 *
 * A work-group is ITEMS_M x ITEMS_N work-items, each with WORK_M x WORK_N sums.
 * Tiles of weights are [TILE_K][TILE_N], those of inputs in local memory
 * [TILE_K][PITCH_A].
 *
 *   VEC_M, VEC_N  floats that are next to each other in a work-item's rows and columns
 *   PAD_A      floats between two rows of inputs in local memory
 *   UNROLL     steps of the depth that are one piece of code
 */
#define PITCH_A (TILE_M + PAD_A)
#define A_FLOATS (TILE_K * PITCH_A) /* of tiles in local memory */
#define B_FLOATS (TILE_K * TILE_N)

typedef VEC(VEC_M) vec_m;

/* The i-th row and j-th vector of columns of a work-item, in its tile. */
#define ROW(i) ((((i) / VEC_M) * ITEMS_M + tm) * VEC_M + (i) % VEC_M)
#define COLUMN(j) (((j) * ITEMS_N + tn) * VEC_N)

/* Everything that a work-item works with. */
struct item {
    struct loads in;
    int tm, tn;
#if !STAGE_A
    struct row rows[WORK_M];
#endif
    vec_n sums[WORK_M][WORK_N / VEC_N];
};

INLINE void begin_tile(struct item *it, const int m_tile, const int z)
{
    it->tm = it->in.id / ITEMS_N;
    it->tn = it->in.id % ITEMS_N;
#if !STAGE_A
    const int tm = it->tm;
#pragma unroll
    for (int i = 0; i < WORK_M; i++)
        find_row(&it->rows[i], m_tile * TILE_M + ROW(i), z);
#endif
#pragma unroll
    for (int i = 0; i < WORK_M; i++)
#pragma unroll
        for (int j = 0; j < WORK_N / VEC_N; j++)
            it->sums[i][j] = (vec_n)(0.0f);
}

/* Inputs from registers to local memory. */
INLINE void store_a(struct loads *in, __local float *as)
{
#if STAGE_A
#pragma unroll
    for (int l = 0; l < A_LOADS; l++) {
        const int i = l * THREADS + in->id;
        if (A_VECTORS % THREADS == 0 || i < A_VECTORS) {
            const int m = i / (TILE_K / VEC_A), k = i % (TILE_K / VEC_A) * VEC_A;
#pragma unroll
            for (int j = 0; j < VEC_A; j++)
                as[(k + j) * PITCH_A + m] = GET(VEC_A)(in->next_a[l], j);
        }
    }
#endif
}

/* One step of the depth: `a` of each row times a row of weights. */
INLINE void multiply(struct item *it, const float *a, __local const float *bs, const int t,
                     const int k)
{
    const int tn = it->tn;
    vec_n b[WORK_N / VEC_N];
#pragma unroll
    for (int j = 0; j < WORK_N / VEC_N; j++)
#if STAGE_B
        b[j] = *(__local const vec_n *)(bs + k * TILE_N + COLUMN(j));
#else
        b[j] = LOAD_OPERAND(VEC_N, it->in.b + (t * TILE_K + k) * TILE_N + COLUMN(j));
#endif
#pragma unroll
    for (int i = 0; i < WORK_M; i++)
#pragma unroll
        for (int j = 0; j < WORK_N / VEC_N; j++)
            it->sums[i][j] = MAD((vec_n)(a[i]), b[j], it->sums[i][j]);
}

INLINE void compute(struct item *it, __local const float *as, __local const float *bs, const int t)
{
#if STAGE_A
    const int tm = it->tm;
#pragma unroll UNROLL
    for (int k = 0; k < TILE_K; k++) {
        float a[WORK_M];
#pragma unroll
        for (int i = 0; i < WORK_M; i += VEC_M) {
            const vec_m v = *(__local const vec_m *)(as + k * PITCH_A + ROW(i));
#pragma unroll
            for (int j = 0; j < VEC_M; j++)
                a[i + j] = GET(VEC_M)(v, j);
        }
        multiply(it, a, bs, t, k);
    }
#else
#pragma unroll UNROLL
    for (int k = 0; k < TILE_K; k += VEC_A) {
        vec_a v[WORK_M];
#pragma unroll
        for (int i = 0; i < WORK_M; i++)
            v[i] = fetch_a(it->in.a, &it->rows[i], t * TILE_K, k);
#pragma unroll
        for (int j = 0; j < VEC_A; j++) {
            float a[WORK_M];
#pragma unroll
            for (int i = 0; i < WORK_M; i++)
                a[i] = GET(VEC_A)(v[i], j);
            multiply(it, a, bs, t, k + j);
        }
    }
#endif
}

INLINE void end_tile(const struct item *it, END_PARAMETERS result out, const int m_tile,
                     const int n_tile, const int z)
{
    const int tm = it->tm, tn = it->tn;
#pragma unroll
    for (int i = 0; i < WORK_M; i++)
#pragma unroll
        for (int j = 0; j < WORK_N / VEC_N; j++)
            put_sums(it->sums[i][j], END_ARGUMENTS out, m_tile * TILE_M + ROW(i),
                     n_tile * TILE_N + COLUMN(j), z);
}
