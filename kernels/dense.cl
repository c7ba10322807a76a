/* SPDX-License-Identifier: MIT
 *
 * Fully connected layer: the product of a few rows with a matrix of weights that
 * is read once, from memory.  Needs vector.cl before it.
 *
 *   in       [N][C]
 *   weights  [K_BLOCKS][C][KB]
 *   bias     [K]
 *   residual [N][K]
 *   out      [N][K]
 *
 * KB = KV * VW; the weights of outputs past K are 0.
 *
 * A work-group is a single work-item.  It computes KB outputs of ROWS rows, from
 * one of `parts` parts of the inputs.  It reads its weights at STREAMS places at
 * once, each with sums of its own: more loads are then under way, and sums wait
 * less for each other.  If there are several parts (SPLIT), the sums go to the workspace,
 * [parts][N][K_BLOCKS * KB], and a second launch adds them up.  PREFETCH: weights of
 * `ahead` inputs ahead are asked for.
 */
#define KB (KV * VW)
#define K_PADDED (K_BLOCKS * KB)

typedef __global const float *source;

struct tensors {
    source bias, residual;
    __global float *out;
};

/* acc[row][k] += x[row][c] w[c][k] for one c; row n is at x + offset[n].  `ahead`: floats. */
INLINE void multiply(vec acc[ROWS][KV], source x, const long offset[ROWS], source w,
                     const int ahead)
{
    vec weight[KV];
#pragma unroll
    for (int k = 0; k < KV; k++)
        weight[k] = load(w + k * VW);
#if PREFETCH
    prefetch_lines(w + ahead, KB);
#endif
#pragma unroll
    for (int n = 0; n < ROWS; n++)
#pragma unroll
        for (int k = 0; k < KV; k++)
            acc[n][k] = fma((vec)(x[offset[n]]), weight[k], acc[n][k]);
}

/* The sums over c = begin .. end - 1, `stream` of them at each place; w: the weights of c = 0. */
INLINE void accumulate(vec acc[STREAMS][ROWS][KV], source x, const long offset[ROWS], source w,
                       const int begin, const int end, const int stream, const int ahead)
{
#pragma unroll UNROLL_C
    for (int i = 0; i < stream; i++) {
#pragma unroll
        for (int s = 0; s < STREAMS; s++) {
            const int c = begin + s * stream + i;
            multiply(acc[s], x + c, offset, w + (long)c * KB, ahead);
        }
    }
    for (int c = begin + STREAMS * stream; c < end; c++)
        multiply(acc[0], x + c, offset, w + (long)c * KB, ahead);
#pragma unroll
    for (int s = 1; s < STREAMS; s++)
#pragma unroll
        for (int n = 0; n < ROWS; n++)
#pragma unroll
            for (int k = 0; k < KV; k++)
                acc[0][n][k] += acc[s][n][k];
}

/* Outputs k .. k + VW - 1, as far as they exist, of row n. */
INLINE void put(vec sum, const struct tensors *t, const int n, const int k)
{
    const long to = (long)n * K + k;
    if (K % VW == 0 ? k < K : k + VW <= K)
        finish(sum, VW, false, true, t->bias + k, t->residual + to, t->out + to);
    else if (k < K)
        finish(sum, K - k, false, true, t->bias + k, t->residual + to, t->out + to);
}

#if BIAS
#define BIAS_PARAMETER source bias,
#define BIAS_OR_NULL bias
#else
#define BIAS_PARAMETER
#define BIAS_OR_NULL 0
#endif
#if RESIDUAL
#define RESIDUAL_PARAMETER source residual,
#define RESIDUAL_OR_NULL residual
#else
#define RESIDUAL_PARAMETER
#define RESIDUAL_OR_NULL 0
#endif
#if SPLIT
#define WORKSPACE_PARAMETER , __global float *workspace
#else
#define WORKSPACE_PARAMETER
#endif
#define PARAMETERS                                                                                 \
    source in, source weights,                                                                     \
        BIAS_PARAMETER RESIDUAL_PARAMETER __global float *out WORKSPACE_PARAMETER,                 \
        const int parts, const int ahead

/* Work-groups: [parts][K_BLOCKS][ceil(N / ROWS)]. */
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void dense(PARAMETERS)
{
    const int n0 = GROUP(0) * ROWS, k0 = GROUP(1) * KB;
#if SPLIT
    const int part = C / parts; /* of the inputs; the last one has the rest besides */
    const int begin = GROUP(2) * part;
    const int end = GROUP(2) == parts - 1 ? C : begin + part;
#else
    const int part = C, begin = 0, end = C;
#endif
    vec acc[STREAMS][ROWS][KV];
    long offset[ROWS];
#pragma unroll
    for (int i = 0; i < STREAMS * ROWS * KV; i++)
        acc[i / KV / ROWS][i / KV % ROWS][i % KV] = (vec)(0.0f);
#pragma unroll
    for (int n = 0; n < ROWS; n++)
        offset[n] = (long)min(n0 + n, N - 1) * C;

    accumulate(acc, in, offset, weights + (long)k0 * C, begin, end, part / STREAMS, ahead * KB);

#if !SPLIT
    const struct tensors t = {BIAS_OR_NULL, RESIDUAL_OR_NULL, out};
#endif
#pragma unroll
    for (int n = 0; n < ROWS; n++) {
        if (n0 + n >= N)
            continue;
#pragma unroll
        for (int k = 0; k < KV; k++) {
#if !SPLIT
            put(acc[0][n][k], &t, n0 + n, k0 + k * VW);
#else
            store(acc[0][n][k], workspace + ((long)GROUP(2) * N + n0 + n) * K_PADDED + k0 + k * VW);
#endif
        }
    }
}

#if SPLIT
/* Work-groups: [N][K_BLOCKS]. */
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void dense_sum(PARAMETERS)
{
    const struct tensors t = {BIAS_OR_NULL, RESIDUAL_OR_NULL, out};
    const int k0 = GROUP(0) * KB, n = GROUP(1);
    for (int k = k0; k < k0 + KB; k += VW) {
        vec sum = (vec)(0.0f);
        for (int i = 0; i < parts; i++)
            sum += load(workspace + ((long)i * N + n) * K_PADDED + k);
        put(sum, &t, n, k);
    }
}
#endif
