/* SPDX-License-Identifier: MIT
 *
 * Do a driver and its device take the instructions that gpu_mma.cl is made of?  Only
 * compiled.
 */
__kernel void probe(__global float *x)
{
    const int id = get_global_id(0);
    float c0 = x[id], c1 = c0 * 2.0f, c2 = c0 * 3.0f, c3 = c0 * 4.0f;
    uint a;
    asm volatile("cvt.rna.tf32.f32 %0, %1;" : "=r"(a) : "f"(c0));
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
                 "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(c0), "+f"(c1), "+f"(c2), "+f"(c3)
                 : "r"(a), "r"(a), "r"(a), "r"(a), "r"(a), "r"(a));
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
                 "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(c0), "+f"(c1), "+f"(c2), "+f"(c3)
                 : "r"(a), "r"(a), "r"(a), "r"(a), "r"(a), "r"(a));
    x[id] = c0 + c1 + c2 + c3;
}
