/* SPDX-License-Identifier: MIT
 *
 * The way of a work-group through the depth of a product of matrices, and its
 * kernels.  Needs gpu_matrix.cl and one of those before it that multiply tiles, with
 *
 *   struct item   what a work-item works with, `in` among it
 *   begin_tile()  finds its place in the tile, and clears its sums
 *   store_a()     puts inputs that have come into local memory: A_FLOATS a tile, and
 *                 B_FLOATS of weights
 *   compute()     multiplies a tile of the depth
 *   end_tile()    stores the sums
 */

#if MMA_EMULATED /* see gpu_mma.cl */
#define SCRATCH_PARAMETER , __global uint *scratch
#define SCRATCH_ARGUMENT , scratch
#else
#define SCRATCH_PARAMETER
#define SCRATCH_ARGUMENT
#endif

/* From registers to local memory. */
INLINE void store_tiles(struct loads *in, __local float *as, __local float *bs)
{
    store_a(in, as);
#if STAGE_B
#pragma unroll
    for (int l = 0; l < B_LOADS; l++) {
        const int i = l * THREADS + in->id;
        if (B_VECTORS % THREADS == 0 || i < B_VECTORS)
            *(__local vec_b *)((__local in_local *)bs + i * VEC_B) = in->next_b[l];
    }
#endif
}

/* Multiplies tile t, and sees to it that the next one, if there is one, is in local
 * memory afterwards.  Returns which of the buffers that is. */
INLINE int advance(struct item *it, __local float *as, __local float *bs, const int t,
                   const bool more, const int buffer)
{
#if PIPELINE > 0
    if (more)
        load_tiles(&it->in, t + 1);
#endif
    compute(it, as + buffer * A_FLOATS, bs + buffer * B_FLOATS, t);
#if PIPELINE == 2
    const int next = buffer ^ 1;
    if (more)
        store_tiles(&it->in, as + next * A_FLOATS, bs + next * B_FLOATS);
    barrier(CLK_LOCAL_MEM_FENCE);
    return next;
#else
#if STAGED
    barrier(CLK_LOCAL_MEM_FENCE);
    if (more) {
#if PIPELINE == 0
        load_tiles(&it->in, t + 1);
#endif
        store_tiles(&it->in, as, bs);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
#endif
    return 0;
#endif
}

INLINE void product(operand a, operand weights, END_PARAMETERS result out, __local float *as,
                    __local float *bs SCRATCH_PARAMETER)
{
    struct item it;
    int m_tile, n_tile, buffer = 0;
    const int z = get_group_id(1), part = get_group_id(2);
    const int first = part * K_TILES / SPLIT, last = (part + 1) * K_TILES / SPLIT;
    place(get_group_id(0), &m_tile, &n_tile);
    it.in.id = get_local_id(0);
    it.in.a = a;
    it.in.b = weights + (z * N_TILES + n_tile) * (DEPTH_PADDED * TILE_N);
#if MMA_EMULATED
    const int group = (part * Z + z) * get_num_groups(0) + get_group_id(0);
    it.scratch = scratch + SCRATCH_AT + (group * THREADS + it.in.id / 32 * 32) * FRAGMENTS;
#endif
    find_loads(&it.in, m_tile, z);
    begin_tile(&it, m_tile, z);

#if STAGED
    load_tiles(&it.in, first);
    store_tiles(&it.in, as, bs);
    barrier(CLK_LOCAL_MEM_FENCE);
#endif
    for (int t = first; t < last; t++)
        buffer = advance(&it, as, bs, t, t + 1 < last, buffer);
    end_tile(&it, END_ARGUMENTS out, m_tile, n_tile, z);
}

/* Local memory of the kernel that calls product(). */
#define LOCAL_TILES                                                                                \
    __local float as[STAGE_A ? BUFFERS * A_FLOATS : 1] __attribute__((aligned(64)));               \
    __local float bs[STAGE_B ? BUFFERS * B_FLOATS : 1] __attribute__((aligned(64)))

#if FINISH

__kernel __attribute__((reqd_work_group_size(THREADS, 1, 1))) void
gemm(source a, source weights, END_PARAMETERS result out SCRATCH_PARAMETER)
{
    LOCAL_TILES;
    product(a, weights, END_ARGUMENTS out, as, bs SCRATCH_ARGUMENT);
}

#endif

#if SPLIT > 1

/* A work-item adds up the parts of an output. */
__kernel __attribute__((reqd_work_group_size(SUM_ITEMS, 1, 1))) void
gemm_sum(floats parts, EXTRA_PARAMETERS sink out)
{
    const int id = get_global_id(0), z = get_group_id(1);
    const int m = id / COLUMNS, n = id % COLUMNS;
    if (m >= ROWS)
        return;
    float sum = 0.0f;
    for (int part = 0; part < SPLIT; part++)
        sum += parts[((part * Z + z) * ROWS + m) * (N_TILES * TILE_N) + n];
    const int at = z * OUT_BATCH + m * OUT_PITCH + n;
    STORE(1, out + at, finish(sum, EXTRA_ARGUMENTS z * COLUMNS + n, at));
}

#endif
