/* SPDX-License-Identifier: MIT
 *
 * C = alpha A B' + beta C in the parametrisation of CLBlast's Xgemm: A is [K][M],
 * B is [K][N], C is [N][M], innermost last; M, N and K are multiples of MWG, NWG and
 * KWG.
 *
 * MWG, NWG, KWG   the tile of a work-group
 * MDIMC, NDIMC    the work-items of a work-group
 * MDIMA, NDIMB    how they line up to load A and B into local memory
 * KWI             steps of K that are unrolled
 * VWM, VWN        elements of a vector along M and N
 * STRM, STRN      1: a work-item's vectors lie apart; 0: next to each other
 * SA, SB          1: A, B go through local memory
 */
#define MWI (MWG / MDIMC)
#define NWI (NWG / NDIMC)
#define KDIMA ((MDIMC * NDIMC) / MDIMA)
#define KDIMB ((MDIMC * NDIMC) / NDIMB)

#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)
#if VWM == 1
typedef float floatm;
#define LOADM(i, p) (p)[i]
#define STOREM(v, i, p) (p)[i] = (v)
#else
typedef JOIN(float, VWM) floatm;
#define LOADM(i, p) JOIN(vload, VWM)(i, p)
#define STOREM(v, i, p) JOIN(vstore, VWM)(v, i, p)
#endif
#if VWN == 1
typedef float floatn;
#define LOADN(i, p) (p)[i]
#define STOREN(v, i, p) (p)[i] = (v)
#else
typedef JOIN(float, VWN) floatn;
#define LOADN(i, p) JOIN(vload, VWN)(i, p)
#define STOREN(v, i, p) JOIN(vstore, VWN)(v, i, p)
#endif

/* Where a work-item's vector i lies in the tile, in vectors. */
#if STRM
#define AT_M(i) (get_local_id(0) + (i) * MDIMC)
#else
#define AT_M(i) (get_local_id(0) * (MWI / VWM) + (i))
#endif
#if STRN
#define AT_N(i) (get_local_id(1) + (i) * NDIMC)
#else
#define AT_N(i) (get_local_id(1) * (NWI / VWN) + (i))
#endif

__kernel __attribute__((reqd_work_group_size(MDIMC, NDIMC, 1))) void
gemm(const int size_m, const int size_n, const int size_k, const float alpha, const float beta,
     __global const float *restrict a, __global const float *restrict b, __global float *restrict c)
{
    const int item = get_local_id(0) + get_local_id(1) * MDIMC;
    const int first_m = get_group_id(0) * MWG, first_n = get_group_id(1) * NWG;
    floatm sums[NWI][MWI / VWM];
#if SA
    __local float tile_a[KWG * MWG];
#endif
#if SB
    __local float tile_b[KWG * NWG];
#endif
#pragma unroll
    for (int n = 0; n < NWI; n++)
#pragma unroll
        for (int m = 0; m < MWI / VWM; m++)
            sums[n][m] = (floatm)(0.0f);

    for (int k = 0; k < size_k; k += KWG) {
#if SA
        for (int i = item / MDIMA; i < KWG; i += KDIMA)
            for (int m = item % MDIMA; m < MWG / VWM; m += MDIMA)
                STOREM(LOADM(m, a + (k + i) * size_m + first_m), m, tile_a + i * MWG);
#endif
#if SB
        for (int i = item / NDIMB; i < KWG; i += KDIMB)
            for (int n = item % NDIMB; n < NWG / VWN; n += NDIMB)
                STOREN(LOADN(n, b + (k + i) * size_n + first_n), n, tile_b + i * NWG);
#endif
#if SA || SB
        barrier(CLK_LOCAL_MEM_FENCE);
#endif
        for (int outer = 0; outer < KWG; outer += KWI) {
#pragma unroll
            for (int inner = 0; inner < KWI; inner++) {
                const int i = outer + inner;
#if SA
                __local const float *row_a = tile_a + i * MWG;
#else
                __global const float *row_a = a + (k + i) * size_m + first_m;
#endif
#if SB
                __local const float *row_b = tile_b + i * NWG;
#else
                __global const float *row_b = b + (k + i) * size_n + first_n;
#endif
                floatm as[MWI / VWM];
                float bs[NWI];
#pragma unroll
                for (int m = 0; m < MWI / VWM; m++)
                    as[m] = LOADM(AT_M(m), row_a);
#pragma unroll
                for (int n = 0; n < NWI / VWN; n++)
                    STOREN(LOADN(AT_N(n), row_b), n, bs);
#pragma unroll
                for (int n = 0; n < NWI; n++)
#pragma unroll
                    for (int m = 0; m < MWI / VWM; m++)
                        sums[n][m] += as[m] * bs[n];
            }
        }
#if SA || SB
        barrier(CLK_LOCAL_MEM_FENCE);
#endif
    }

    for (int n = 0; n < NWI; n++) {
        __global float *row = c + (first_n + AT_N(n / VWN) * VWN + n % VWN) * size_m + first_m;
        for (int m = 0; m < MWI / VWM; m++)
            STOREM(alpha * sums[n][m] + beta * LOADM(AT_M(m), row), AT_M(m), row);
    }
}
