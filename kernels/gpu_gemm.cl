/* SPDX-License-Identifier: MIT
 *
 * A product of matrices that a layer amounts to, with tiles in local memory and in
 * registers.  Needs gpu.cl before it.
 *
 *   out[m][n] = sum over k of a[m][k] b[k][n]
 *
 * Rows m are pixels, columns n output channels, the depth k goes through the
 * filter's taps and, innermost, the input channels: "implicit GEMM", for a[m][k]
 * is read from the input where it stands (Chetlur et al., "cuDNN: Efficient
 * primitives for deep learning", 2014).  The tiling is that of CLBlast (Nugteren,
 * IWOCL 2018).
 *
 *   a         PIXELS 1: the input [N][H][W][C]
 *             PIXELS 0: rows of A_PITCH floats; matrix z begins at z * A_BATCH
 *   weights   [Z][N_TILES][DEPTH_PADDED][TILE_N], zeros where the layer has none
 *   out       rows of OUT_PITCH floats; matrix z begins at z * OUT_BATCH
 *
 *   Z          matrices: groups of channels, or points of a transform
 *   ROWS, COLUMNS, DEPTH
 *   CHECKED    1: a filter's taps may miss the input
 *   FINISH     1: bias, residual and activation come here
 *
 * A work-group is ITEMS_M x ITEMS_N work-items, each with WORK_M x WORK_N sums, and
 * goes through the depth by TILE_K.
 *
 *   VEC_A, VEC_B  floats of a load of inputs, along the depth, and of weights
 *   VEC_M, VEC_N  floats that are next to each other in a work-item's rows and columns
 *   STAGE_A, STAGE_B  1: inputs, weights come by way of local memory
 *   PAD_A      floats between two rows of inputs in local memory
 *   PIPELINE   0: load, then compute; 1: the next tile's loads are under way
 *              meanwhile, in registers; 2: and two tiles are in local memory
 *   UNROLL     steps of the depth that are one piece of code
 *   SWIZZLE    tiles of rows that take turns before the next columns come
 *   SPLIT      parts of the depth, each a work-group's; gemm_sum() adds them up
 */
#define THREADS (ITEMS_M * ITEMS_N)
#define TILE_M (ITEMS_M * WORK_M)
#define TILE_N (ITEMS_N * WORK_N)
#define M_TILES ((ROWS + TILE_M - 1) / TILE_M)
#define N_TILES ((COLUMNS + TILE_N - 1) / TILE_N)
#define K_TILES ((DEPTH + TILE_K - 1) / TILE_K)
#define DEPTH_PADDED (K_TILES * TILE_K)
#define PITCH_A (TILE_M + PAD_A)
#define BUFFERS (PIPELINE == 2 ? 2 : 1)
/* Vectors of a tile, and how many of them each work-item brings. */
#define A_VECTORS (TILE_M * TILE_K / VEC_A)
#define B_VECTORS (TILE_K * TILE_N / VEC_B)
#define A_LOADS ((A_VECTORS + THREADS - 1) / THREADS)
#define B_LOADS ((B_VECTORS + THREADS - 1) / THREADS)
#define STAGED (STAGE_A || STAGE_B)

/* Bias and residual go with those who finish a sum. */
#if FINISH && SPLIT == 1
#define END_PARAMETERS EXTRA_PARAMETERS
#define END_ARGUMENTS EXTRA_ARGUMENTS
#else
#define END_PARAMETERS
#define END_ARGUMENTS
#endif

typedef VEC(VEC_A) vec_a;
typedef VEC(VEC_B) vec_b;
typedef VEC(VEC_M) vec_m;
typedef VEC(VEC_N) vec_n;

/* ---------------------------------------------------------------- the inputs */

/* Where a row begins, and for pixels, where in the image its filter does. */
struct row {
    int at, y, x;
};

/* Rows past the last one read that one, and are not written. */
INLINE void find_row(struct row *r, int m, const int z)
{
    m = min(m, ROWS - 1);
#if PIXELS
    r->y = m / Q % P * STRIDE_H - PAD_H;
    r->x = m % Q * STRIDE_W - PAD_W;
    r->at = ((m / (P * Q) * H + r->y) * W + r->x) * C + z * CG;
#else
    r->at = m * A_PITCH + z * A_BATCH;
    r->y = r->x = 0;
#endif
}

/* a[row][k0 + k], ... VEC_A of them; k0 is a multiple of TILE_K. */
INLINE vec_a fetch_a(source a, const struct row *r, const int k0, const int k)
{
#if PIXELS
#if CG % TILE_K == 0 /* the tile is of one tap */
    const int tap = k0 / CG, c = k0 % CG + k;
#else
    const int tap = (k0 + k) / CG, c = (k0 + k) % CG;
#endif
    const int dy = tap / S * DILATION_H, dx = tap % S * DILATION_W;
#if CHECKED
    if (r->y + dy < 0 || r->y + dy >= H || r->x + dx < 0 || r->x + dx >= W)
        return (vec_a)(0.0f);
#endif
    const int at = r->at + (dy * W + dx) * C + c;
#else
    const int at = r->at + k0 + k;
#endif
#if DEPTH % TILE_K != 0
    if (k0 + k >= DEPTH)
        return (vec_a)(0.0f);
#endif
    return *(__global const vec_a *)(a + at);
}

/* ------------------------------------------------------------- in work-items */

/* The i-th row and j-th vector of columns of a work-item, in its tile. */
#define ROW(i) ((((i) / VEC_M) * ITEMS_M + tm) * VEC_M + (i) % VEC_M)
#define COLUMN(j) (((j) * ITEMS_N + tn) * VEC_N)

/* Everything that a work-item works with. */
struct item {
    int tm, tn, id;
    source a, b; /* b: the tiles of its columns */
#if STAGED
    vec_a next_a[STAGE_A ? A_LOADS : 1];
    vec_b next_b[STAGE_B ? B_LOADS : 1];
#endif
    struct row rows[STAGE_A ? A_LOADS : WORK_M];
    vec_n sums[WORK_M][WORK_N / VEC_N];
};

/* From global memory to registers: tile t of the depth. */
INLINE void load_tiles(struct item *it, const int t)
{
#if STAGE_A
#pragma unroll
    for (int l = 0; l < A_LOADS; l++) {
        const int i = l * THREADS + it->id;
        if (A_VECTORS % THREADS == 0 || i < A_VECTORS)
            it->next_a[l] =
                fetch_a(it->a, &it->rows[l], t * TILE_K, i % (TILE_K / VEC_A) * VEC_A);
    }
#endif
#if STAGE_B
#pragma unroll
    for (int l = 0; l < B_LOADS; l++) {
        const int i = l * THREADS + it->id;
        if (B_VECTORS % THREADS == 0 || i < B_VECTORS)
            it->next_b[l] = *(__global const vec_b *)(it->b + t * (TILE_K * TILE_N) + i * VEC_B);
    }
#endif
}

/* From registers to local memory: inputs as [TILE_K][PITCH_A]. */
INLINE void store_tiles(struct item *it, __local float *as, __local float *bs)
{
#if STAGE_A
#pragma unroll
    for (int l = 0; l < A_LOADS; l++) {
        const int i = l * THREADS + it->id;
        if (A_VECTORS % THREADS == 0 || i < A_VECTORS) {
            const int m = i / (TILE_K / VEC_A), k = i % (TILE_K / VEC_A) * VEC_A;
#pragma unroll
            for (int j = 0; j < VEC_A; j++)
                as[(k + j) * PITCH_A + m] = GET(VEC_A)(it->next_a[l], j);
        }
    }
#endif
#if STAGE_B
#pragma unroll
    for (int l = 0; l < B_LOADS; l++) {
        const int i = l * THREADS + it->id;
        if (B_VECTORS % THREADS == 0 || i < B_VECTORS)
            *(__local vec_b *)(bs + i * VEC_B) = it->next_b[l];
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
        b[j] = *(__global const vec_n *)(it->b + (t * TILE_K + k) * TILE_N + COLUMN(j));
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
            v[i] = fetch_a(it->a, &it->rows[i], t * TILE_K, k);
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

/* ----------------------------------------------------------------- the result */

/* A vector of a row; what is past the last column stays out. */
INLINE void put(const vec_n v, __global float *out, END_PARAMETERS const int m, const int n,
                const int z)
{
#if COLUMNS % VEC_N == 0
    if (n >= COLUMNS)
        return;
#endif
    const int at = z * OUT_BATCH + m * OUT_PITCH + n;
    float result[VEC_N];
#pragma unroll
    for (int j = 0; j < VEC_N; j++) {
        result[j] = GET(VEC_N)(v, j);
#if FINISH && SPLIT == 1
        if (COLUMNS % VEC_N == 0 || n + j < COLUMNS)
            result[j] = finish(result[j], EXTRA_ARGUMENTS z * COLUMNS + n + j, at + j);
#endif
    }
#if COLUMNS % VEC_N == 0
    *(__global vec_n *)(out + at) = MAKE(VEC_N)(result);
#else
#pragma unroll
    for (int j = 0; j < VEC_N; j++)
        if (n + j < COLUMNS)
            out[at + j] = result[j];
#endif
}

/* Tiles in the order of work-groups: SWIZZLE tiles of rows, then the next column. */
INLINE void place(const int group, int *m, int *n)
{
    const int block = group / (SWIZZLE * N_TILES), rest = group % (SWIZZLE * N_TILES);
    const int height = min(SWIZZLE, M_TILES - block * SWIZZLE);
    *m = block * SWIZZLE + rest % height;
    *n = rest / height;
}

INLINE void product(source a, source weights, END_PARAMETERS __global float *out,
                    __local float *as, __local float *bs)
{
    struct item it;
    int m_tile, n_tile, buffer = 0;
    const int z = get_group_id(1), part = get_group_id(2);
    const int first = part * K_TILES / SPLIT, last = (part + 1) * K_TILES / SPLIT;
    place(get_group_id(0), &m_tile, &n_tile);
    it.id = get_local_id(0);
    it.tm = it.id / ITEMS_N;
    it.tn = it.id % ITEMS_N;
    it.a = a;
    it.b = weights + (z * N_TILES + n_tile) * (DEPTH_PADDED * TILE_N);

    const int tm = it.tm, tn = it.tn;
#if STAGE_A
#pragma unroll
    for (int l = 0; l < A_LOADS; l++)
        find_row(&it.rows[l], m_tile * TILE_M + (l * THREADS + it.id) / (TILE_K / VEC_A), z);
#else
#pragma unroll
    for (int i = 0; i < WORK_M; i++)
        find_row(&it.rows[i], m_tile * TILE_M + ROW(i), z);
#endif
#pragma unroll
    for (int i = 0; i < WORK_M; i++)
#pragma unroll
        for (int j = 0; j < WORK_N / VEC_N; j++)
            it.sums[i][j] = (vec_n)(0.0f);

#if STAGED
    load_tiles(&it, first);
    store_tiles(&it, as, bs);
    barrier(CLK_LOCAL_MEM_FENCE);
#endif
    for (int t = first; t < last; t++) {
#if PIPELINE > 0
        if (t + 1 < last)
            load_tiles(&it, t + 1);
#endif
        compute(&it, as + buffer * (TILE_K * PITCH_A), bs + buffer * (TILE_K * TILE_N), t);
#if STAGED
#if PIPELINE == 2
        buffer ^= 1;
        if (t + 1 < last)
            store_tiles(&it, as + buffer * (TILE_K * PITCH_A), bs + buffer * (TILE_K * TILE_N));
        barrier(CLK_LOCAL_MEM_FENCE);
#else
        barrier(CLK_LOCAL_MEM_FENCE);
        if (t + 1 < last) {
#if PIPELINE == 0
            load_tiles(&it, t + 1);
#endif
            store_tiles(&it, as, bs);
        }
        barrier(CLK_LOCAL_MEM_FENCE);
#endif
#endif
    }

#pragma unroll
    for (int i = 0; i < WORK_M; i++) {
        const int m = m_tile * TILE_M + ROW(i);
#pragma unroll
        for (int j = 0; j < WORK_N / VEC_N; j++) {
            const int n = n_tile * TILE_N + COLUMN(j);
            if (m >= ROWS)
                continue;
#if SPLIT > 1
            *(__global vec_n *)(out + ((part * Z + z) * ROWS + m) * (N_TILES * TILE_N) + n) =
                it.sums[i][j];
#else
            put(it.sums[i][j], out, END_ARGUMENTS m, n, z);
#endif
        }
    }
}

/* Local memory of the kernel that calls product(). */
#define LOCAL_TILES                                                                                \
    __local float as[STAGE_A ? BUFFERS * TILE_K * PITCH_A : 1] __attribute__((aligned(64)));       \
    __local float bs[STAGE_B ? BUFFERS * TILE_K * TILE_N : 1] __attribute__((aligned(64)))

#if FINISH

__kernel __attribute__((reqd_work_group_size(THREADS, 1, 1))) void
gemm(source a, source weights, END_PARAMETERS __global float *out)
{
    LOCAL_TILES;
    product(a, weights, END_ARGUMENTS out, as, bs);
}

#endif

#if SPLIT > 1

/* A work-item adds up the parts of an output. */
__kernel __attribute__((reqd_work_group_size(SUM_ITEMS, 1, 1))) void
gemm_sum(source parts, EXTRA_PARAMETERS __global float *out)
{
    const int id = get_global_id(0), z = get_group_id(1);
    const int m = id / COLUMNS, n = id % COLUMNS;
    if (m >= ROWS)
        return;
    float sum = 0.0f;
    for (int part = 0; part < SPLIT; part++)
        sum += parts[((part * Z + z) * ROWS + m) * (N_TILES * TILE_N) + n];
    const int at = z * OUT_BATCH + m * OUT_PITCH + n;
    out[at] = finish(sum, EXTRA_ARGUMENTS z * COLUMNS + n, at);
}

#endif
