/* SPDX-License-Identifier: MIT
 *
 * The same as reduction.cl, as plainly as can be: a work-item a sum, compensated
 * (Kahan), so that it is more exact than what is held to it.
 */
__kernel void plain(__global const float *in, __global float *out, __local float *unused)
{
    float sum = 0.0f, lost = 0.0f;
    for (uint i = 0; i < SPAN; i++) {
        const float next = in[get_global_id(0) * SPAN + i] - lost;
        const float more = sum + next;
        lost = (more - sum) - next;
        sum = more;
    }
    out[get_global_id(0)] = sum;
}
