/* SPDX-License-Identifier: MIT
 *
 * Partial sums of a vector: each work-group adds up SPAN consecutive elements.
 *
 * WG      work-items in a group
 * VECTOR  elements that a work-item loads at once
 * SPLIT   sums that a work-item keeps side by side
 * STRIDED 1: neighbouring work-items load neighbouring vectors; 0: each its own run
 * SPAN    elements of a work-group (a fact of the problem, not a choice)
 */
#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)
#if VECTOR == 1
typedef float vector;
#define LOAD(p, i) (p)[i]
#define TOTAL(v) (v)
#else
typedef JOIN(float, VECTOR) vector;
#define LOAD(p, i) JOIN(vload, VECTOR)(i, p)
#if VECTOR == 2
#define TOTAL(v) ((v).s0 + (v).s1)
#elif VECTOR == 4
#define TOTAL(v) (((v).s0 + (v).s1) + ((v).s2 + (v).s3))
#else
#define TOTAL(v) ((((v).s0 + (v).s1) + ((v).s2 + (v).s3)) + (((v).s4 + (v).s5) + ((v).s6 + (v).s7)))
#endif
#endif

#define STEPS (SPAN / (WG * VECTOR * SPLIT))

__kernel __attribute__((reqd_work_group_size(WG, 1, 1))) void
reduction(__global const float *restrict in, __global float *restrict out, __local float *scratch)
{
    const uint item = get_local_id(0);
    __global const float *mine = in + get_group_id(0) * SPAN;
    vector sums[SPLIT];
    for (uint k = 0; k < SPLIT; k++)
        sums[k] = (vector)(0.0f);
    for (uint i = 0; i < STEPS; i++) {
#pragma unroll
        for (uint k = 0; k < SPLIT; k++) {
#if STRIDED
            const uint at = (i * SPLIT + k) * WG + item;
#else
            const uint at = item * (STEPS * SPLIT) + i * SPLIT + k;
#endif
            sums[k] += LOAD(mine, at);
        }
    }
    float sum = 0.0f;
    for (uint k = 0; k < SPLIT; k++)
        sum += TOTAL(sums[k]);
    scratch[item] = sum;
    for (uint width = WG / 2; width > 0; width /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (item < width)
            scratch[item] += scratch[item + width];
    }
    if (item == 0)
        out[get_group_id(0)] = scratch[0];
}
