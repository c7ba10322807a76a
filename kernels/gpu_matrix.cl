/* SPDX-License-Identifier: MIT
 *
 * What all products of matrices have in common that a layer amounts to: where inputs
 * are, how tiles come in, where results go.  Needs gpu.cl before it; gpu_gemm.cl or
 * gpu_mma.cl, which multiply tiles, and then gpu_product.cl come after it.
 *
 *   out[m][n] = sum over k of a[m][k] b[k][n]
 *
 * Rows m are pixels, columns n output channels, the depth k goes through the
 * filter's taps and, innermost, the input channels: "implicit GEMM", for a[m][k]
 * is read from the input where it stands (Chetlur et al., "cuDNN: Efficient
 * primitives for deep learning", 2014).
 *
 *   a         PIXELS 1: the input [N][H][W][C]
 *             PIXELS 0: rows of A_PITCH floats; matrix z begins at z * A_BATCH
 *   weights   [Z][N_TILES][K_TILES], tiles of TILE_K x TILE_N as those who multiply
 *             want them, zeros where the layer has none
 *   out       rows of OUT_PITCH floats; matrix z begins at z * OUT_BATCH
 *
 *   Z          matrices: groups of channels, or points of a transform
 *   ROWS, COLUMNS, DEPTH
 *   CHECKED    1: a filter's taps may miss the input
 *   FINISH     1: bias, residual and activation come here
 *
 * A work-group of THREADS work-items has TILE_M x TILE_N sums, and goes through the
 * depth by TILE_K.
 *
 *   VEC_A, VEC_B  floats of a load of inputs, along the depth, and of weights
 *   VEC_N      floats of a store
 *   RAW        1: halves stay halves on their way in
 *   STAGE_A, STAGE_B  1: inputs, weights come by way of local memory
 *   PIPELINE   0: load, then compute; 1: the next tile's loads are under way
 *              meanwhile, in registers; 2: and two tiles are in local memory
 *   SWIZZLE    tiles of rows that take turns before the next columns come
 *   SPLIT      parts of the depth, each a work-group's; gemm_sum() adds them up
 */
#define M_TILES ((ROWS + TILE_M - 1) / TILE_M)
#define N_TILES ((COLUMNS + TILE_N - 1) / TILE_N)
#define K_TILES ((DEPTH + TILE_K - 1) / TILE_K)
#define DEPTH_PADDED (K_TILES * TILE_K)
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

/* What is multiplied, and what comes out: tensors of the layer where this is all
 * there is to it, and floats in between else. */
#if RAW
typedef source operand;
#define LOAD_OPERAND(w, p) (*(__global const CONCAT(bits_, w) *)(p))
#elif FINISH
typedef source operand;
#define LOAD_OPERAND(w, p) LOAD(w, p)
#else
typedef floats operand;
#define LOAD_OPERAND(w, p) LOAD_FLOATS(w, p)
#endif
#if FINISH && SPLIT == 1
typedef sink result;
#define STORE_RESULT(w, p, v) STORE(w, p, v)
#else
typedef __global float *result;
#define STORE_RESULT(w, p, v) STORE_FLOATS(w, p, v)
#endif

#if RAW
typedef CONCAT(bits_, VEC_A) vec_a;
typedef CONCAT(bits_, VEC_B) vec_b;
typedef element in_local;
#else
typedef VEC(VEC_A) vec_a;
typedef VEC(VEC_B) vec_b;
typedef float in_local;
#endif
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
INLINE vec_a fetch_a(operand a, const struct row *r, const int k0, const int k)
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
        return (vec_a)(0);
#endif
    const int at = r->at + (dy * W + dx) * C + c;
#else
    const int at = r->at + k0 + k;
#endif
#if DEPTH % TILE_K != 0
    if (k0 + k >= DEPTH)
        return (vec_a)(0);
#endif
    return LOAD_OPERAND(VEC_A, a + at);
}

/* What a work-item brings of each tile, and has under way. */
struct loads {
    int id;
    operand a, b; /* b: the tiles of its columns */
#if STAGE_A
    struct row rows[A_LOADS];
    vec_a next_a[A_LOADS];
#endif
#if STAGE_B
    vec_b next_b[B_LOADS];
#endif
};

INLINE void find_loads(struct loads *in, const int m_tile, const int z)
{
#if STAGE_A
#pragma unroll
    for (int l = 0; l < A_LOADS; l++)
        find_row(&in->rows[l], m_tile * TILE_M + (l * THREADS + in->id) / (TILE_K / VEC_A), z);
#endif
}

/* From global memory to registers: tile t of the depth. */
INLINE void load_tiles(struct loads *in, const int t)
{
#if STAGE_A
#pragma unroll
    for (int l = 0; l < A_LOADS; l++) {
        const int i = l * THREADS + in->id;
        if (A_VECTORS % THREADS == 0 || i < A_VECTORS)
            in->next_a[l] =
                fetch_a(in->a, &in->rows[l], t * TILE_K, i % (TILE_K / VEC_A) * VEC_A);
    }
#endif
#if STAGE_B
#pragma unroll
    for (int l = 0; l < B_LOADS; l++) {
        const int i = l * THREADS + in->id;
        if (B_VECTORS % THREADS == 0 || i < B_VECTORS)
            in->next_b[l] = LOAD_OPERAND(VEC_B, in->b + t * (TILE_K * TILE_N) + i * VEC_B);
    }
#endif
}

/* ----------------------------------------------------------------- the result */

/* A vector of a row; what is past the last column stays out. */
INLINE void put(const vec_n v, END_PARAMETERS result out, const int m, const int n,
                const int z)
{
#if COLUMNS % VEC_N == 0
    if (n >= COLUMNS)
        return;
#endif
    const int at = z * OUT_BATCH + m * OUT_PITCH + n;
    float done[VEC_N];
#pragma unroll
    for (int j = 0; j < VEC_N; j++) {
        done[j] = GET(VEC_N)(v, j);
#if FINISH && SPLIT == 1
        if (COLUMNS % VEC_N == 0 || n + j < COLUMNS)
            done[j] = finish(done[j], EXTRA_ARGUMENTS z * COLUMNS + n + j, at + j);
#endif
    }
#if COLUMNS % VEC_N == 0
    STORE_RESULT(VEC_N, out + at, MAKE(VEC_N)(done));
#else
#pragma unroll
    for (int j = 0; j < VEC_N; j++)
        if (n + j < COLUMNS)
            STORE_RESULT(1, out + at + j, done[j]);
#endif
}

/* The sums of row m, from column n on: of this part of the depth, or the result. */
INLINE void put_sums(const vec_n v, END_PARAMETERS result out, const int m, const int n,
                     const int z)
{
    if (m >= ROWS)
        return;
#if SPLIT > 1
    const int part = get_group_id(2);
    STORE_FLOATS(VEC_N, out + ((part * Z + z) * ROWS + m) * (N_TILES * TILE_N) + n, v);
#else
    put(v, END_ARGUMENTS out, m, n, z);
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
