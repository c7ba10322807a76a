/* SPDX-License-Identifier: MIT
 *
 * A dense layer of few rows: what takes time is to read the weights, once.  Needs
 * gpu.cl before it.
 *
 *   in       [N][C]
 *   weights  [K][C]
 *   out      [N][K]
 *
 * LANES work-items go through a row of weights together, WIDTH floats each; there are
 * ITEMS_K such teams in a work-group, and each has WORK_K outputs of WORK_N rows.
 * What the work-items of a team have found is added up in local memory.
 *
 *   UNROLL  of the loop along a row
 *   SPLIT   work-groups that share a row; dense_sum() adds up what they found
 */
#define THREADS (LANES * ITEMS_K)
#define STEP (LANES * WIDTH)
#define STEPS ((C + STEP - 1) / STEP)

typedef VEC(WIDTH) vec;

INLINE float sum_of(const vec v)
{
    float sum = 0.0f;
#pragma unroll
    for (int j = 0; j < WIDTH; j++)
        sum += GET(WIDTH)(v, j);
    return sum;
}

INLINE void put(const float sum, sink out, EXTRA_PARAMETERS const int n, const int k)
{
    const int at = n * K + k;
    STORE(1, out + at, finish(sum, EXTRA_ARGUMENTS k, at));
}

/* Adds up found[THREADS] over the lanes of each team; the first lane has the sum. */
INLINE float add_up(__local float *found, const float mine)
{
    const int id = get_local_id(0), lane = id % LANES;
    barrier(CLK_LOCAL_MEM_FENCE); /* what was there before has been read */
    found[id] = mine;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int half_lanes = LANES / 2; half_lanes > 0; half_lanes /= 2) {
        if (lane < half_lanes)
            found[id] += found[id + half_lanes];
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    return found[id];
}

__kernel __attribute__((reqd_work_group_size(THREADS, 1, 1))) void
dense(source in, source weights,
#if SPLIT == 1
      EXTRA_PARAMETERS sink out)
#else
      __global float *out)
#endif
{
    __local float found[THREADS];
    const int lane = get_local_id(0) % LANES, team = get_local_id(0) / LANES;
    const int k0 = (get_group_id(0) * ITEMS_K + team) * WORK_K;
    const int n0 = get_group_id(1) * WORK_N;
    const int part = get_group_id(2);
    const int first = part * STEPS / SPLIT, last = (part + 1) * STEPS / SPLIT;

    vec sums[WORK_N][WORK_K];
#pragma unroll
    for (int n = 0; n < WORK_N; n++)
#pragma unroll
        for (int k = 0; k < WORK_K; k++)
            sums[n][k] = (vec)(0.0f);

#pragma unroll UNROLL
    for (int step = first; step < last; step++) {
        const int c = step * STEP + lane * WIDTH;
        if (C % STEP != 0 && c >= C)
            continue;
        vec x[WORK_N];
#pragma unroll
        for (int n = 0; n < WORK_N; n++)
            x[n] = LOAD(WIDTH, in + min(n0 + n, N - 1) * C + c);
#pragma unroll
        for (int k = 0; k < WORK_K; k++) {
            const vec w = LOAD(WIDTH, weights + min(k0 + k, K - 1) * C + c);
#pragma unroll
            for (int n = 0; n < WORK_N; n++)
                sums[n][k] = MAD(x[n], w, sums[n][k]);
        }
    }

#pragma unroll
    for (int n = 0; n < WORK_N; n++)
#pragma unroll
        for (int k = 0; k < WORK_K; k++) {
            const float sum = add_up(found, sum_of(sums[n][k]));
            if (lane == 0 && k0 + k < K && n0 + n < N)
#if SPLIT > 1
                out[(part * N + n0 + n) * K + k0 + k] = sum;
#else
                put(sum, out, EXTRA_ARGUMENTS n0 + n, k0 + k);
#endif
        }
}

#if SPLIT > 1

__kernel __attribute__((reqd_work_group_size(SUM_ITEMS, 1, 1))) void
dense_sum(floats parts, EXTRA_PARAMETERS sink out)
{
    const int id = get_global_id(0);
    if (id >= N * K)
        return;
    float sum = 0.0f;
    for (int part = 0; part < SPLIT; part++)
        sum += parts[part * (N * K) + id];
    put(sum, out, EXTRA_ARGUMENTS id / K, id % K);
}

#endif
