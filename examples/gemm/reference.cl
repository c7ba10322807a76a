/* SPDX-License-Identifier: MIT
 *
 * What gemm.cl and CLBlast's Xgemm compute, as plainly as can be: a work-item an
 * element of C.
 */
__kernel void plain(const int size_m, const int size_n, const int size_k, const float alpha,
                    const float beta, __global const float *a, __global const float *b,
                    __global float *c
#ifdef CLBLAST
                    , const int b_offset, const int c_offset
#endif
)
{
    const int m = get_global_id(0), n = get_global_id(1);
    float sum = 0.0f;
    for (int k = 0; k < size_k; k++)
        sum += a[k * size_m + m] * b[k * size_n + n];
    c[n * size_m + m] = alpha * sum + beta * c[n * size_m + m];
}
