/* SPDX-License-Identifier: MIT
 *
 * Recurrent layers.  A work-group makes one sequence in one direction, step after step; its
 * work-items take turns at the hidden units.
 *
 * Before this text come:
 *   KIND                      0: lstm, 1: gru, 2: rnn
 *   STEPS, BATCH, WAYS, HIDDEN, GATES
 *   INPUTS                    elements of a step; PROJECTED: x holds the gates' parts of the
 *                             input, [STEPS][BATCH][WAYS][GATES * HIDDEN], and there is no w
 *   REVERSE                   the first direction begins at the end
 *   BIAS, LENGTHS, FIRST_H, FIRST_C, PEEPHOLES, WANT_Y, WANT_H, WANT_C    1: there is one
 *   INDEX                     the type of lengths
 *   CLIP(x), INPUT_FORGET, LINEAR_BEFORE_RESET
 *   F_0_0(x), ...             function 0 of direction 0, one of ACT_...
 */

#define WIDE (GATES * HIDDEN)

#define ACT_affine(x, a, b) ((a) * (x) + (b))
#define ACT_elu(x, a, b) ((x) < 0 ? (a)*expm1(x) : (x))
#define ACT_hard_sigmoid(x, a, b) fmin(fmax((a) * (x) + (b), 0.0f), 1.0f)
#define ACT_leaky_relu(x, a, b) ((x) < 0 ? (a) * (x) : (x))
#define ACT_relu(x, a, b) ((x) < 0 ? 0.0f : (x))
#define ACT_scaled_tanh(x, a, b) ((a)*tanh((b) * (x)))
#define ACT_sigmoid(x, a, b) (1.0f / (1.0f + exp(-(x))))
#define ACT_softplus(x, a, b) ((x) > 30.0f ? (x) : log1p(exp(x)))
#define ACT_softsign(x, a, b) ((x) / (1.0f + fabs(x)))
#define ACT_tanh(x, a, b) tanh(x)
#define ACT_thresholded_relu(x, a, b) ((x) > (a) ? (x) : 0.0f)

#if WAYS == 2
#define F(i, x) (way ? F_1_##i(x) : F_0_##i(x))
#else
#define F(i, x) F_0_##i(x)
#endif

#define DOT(name, space, length)                                                                   \
    float name(global const float *a, space const float *b)                                        \
    {                                                                                              \
        float8 sums = (float8)(0.0f);                                                              \
        for (int i = 0; i + 8 <= length; i += 8)                                                   \
            sums += vload8(0, a + i) * vload8(0, b + i);                                           \
        const float4 four = sums.lo + sums.hi;                                                     \
        float sum = (four.x + four.y) + (four.z + four.w);                                         \
        for (int i = length / 8 * 8; i < length; i++)                                              \
            sum += a[i] * b[i];                                                                    \
        return sum;                                                                                \
    }

DOT(dot_hidden, local, HIDDEN)
#if PROJECTED
#define FROM_INPUT(g) step[g]
#else
DOT(dot_input, global, INPUTS)
#if BIAS
#define FROM_INPUT(g) (dot_input(w + (g)*INPUTS, step) + b[g])
#else
#define FROM_INPUT(g) dot_input(w + (g)*INPUTS, step)
#endif
#endif

#if BIAS
#define FROM_HIDDEN(g, h) (dot_hidden(r + (g)*HIDDEN, h) + b[WIDE + (g)])
#else
#define FROM_HIDDEN(g, h) dot_hidden(r + (g)*HIDDEN, h)
#endif

#if PEEPHOLES
#define PEEP(g) (p[(g)*HIDDEN + j] * c[j])
#else
#define PEEP(g) 0.0f
#endif

kernel void recurrent(global const float *x
#if !PROJECTED
                      ,
                      global const float *w
#endif
                      ,
                      global const float *r
#if BIAS
                      ,
                      global const float *b
#endif
#if LENGTHS
                      ,
                      global const INDEX *lengths
#endif
#if FIRST_H
                      ,
                      global const float *first_h
#endif
#if FIRST_C
                      ,
                      global const float *first_c
#endif
#if PEEPHOLES
                      ,
                      global const float *p
#endif
#if WANT_Y
                      ,
                      global float *y
#endif
#if WANT_H
                      ,
                      global float *last_h
#endif
#if WANT_C
                      ,
                      global float *last_c
#endif
)
{
    local float h[HIDDEN], gate[WIDE];
#if KIND == 0
    local float c[HIDDEN];
#endif
    const int id = (int)get_local_id(0), items = (int)get_local_size(0);
    const int way = (int)get_group_id(0) / BATCH, n = (int)get_group_id(0) % BATCH;
    const int state = (way * BATCH + n) * HIDDEN;
    const bool backwards = REVERSE || way == 1;
#if LENGTHS
    const int length = (int)clamp(lengths[n], (INDEX)0, (INDEX)STEPS);
#else
    const int length = STEPS;
#endif
    r += way * WIDE * HIDDEN;
#if !PROJECTED
    w += way * WIDE * INPUTS;
#endif
#if BIAS
    b += way * 2 * WIDE;
#endif
#if PEEPHOLES
    p += way * 3 * HIDDEN;
#endif
    for (int j = id; j < HIDDEN; j += items) {
#if FIRST_H
        h[j] = first_h[state + j];
#else
        h[j] = 0.0f;
#endif
#if FIRST_C
        c[j] = first_c[state + j];
#elif KIND == 0
        c[j] = 0.0f;
#endif
    }
    barrier(CLK_LOCAL_MEM_FENCE);

    for (int i = 0; i < length; i++) {
        const int t = backwards ? length - 1 - i : i;
#if PROJECTED
        global const float *step = x + ((t * BATCH + n) * WAYS + way) * WIDE;
#else
        global const float *step = x + (t * BATCH + n) * INPUTS;
#endif
#if KIND == 1
        for (int g = id; g < 2 * HIDDEN; g += items)
            gate[g] = F(0, CLIP(FROM_INPUT(g) + FROM_HIDDEN(g, h)));
#if LINEAR_BEFORE_RESET
        for (int g = 2 * HIDDEN + id; g < 3 * HIDDEN; g += items)
            gate[g] = FROM_HIDDEN(g, h);
        barrier(CLK_LOCAL_MEM_FENCE);
#else
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int j = id; j < HIDDEN; j += items)
            gate[2 * HIDDEN + j] = gate[HIDDEN + j] * h[j];
        barrier(CLK_LOCAL_MEM_FENCE);
#endif
        for (int j = id; j < HIDDEN; j += items) {
            const int g = 2 * HIDDEN + j;
#if LINEAR_BEFORE_RESET
            const float sum = FROM_INPUT(g) + gate[HIDDEN + j] * gate[g];
#else
            const float sum = FROM_INPUT(g) + FROM_HIDDEN(g, gate + 2 * HIDDEN);
#endif
            h[j] = (1.0f - gate[j]) * F(1, CLIP(sum)) + gate[j] * h[j];
        }
#else
        for (int g = id; g < WIDE; g += items)
            gate[g] = FROM_INPUT(g) + FROM_HIDDEN(g, h);
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int j = id; j < HIDDEN; j += items) {
#if KIND == 0
            const float in = F(0, CLIP(gate[j] + PEEP(0)));
#if INPUT_FORGET
            const float forget = 1.0f - in;
#else
            const float forget = F(0, CLIP(gate[2 * HIDDEN + j] + PEEP(2)));
#endif
            c[j] = forget * c[j] + in * F(1, CLIP(gate[3 * HIDDEN + j]));
            h[j] = F(0, CLIP(gate[HIDDEN + j] + PEEP(1))) * F(2, c[j]);
#else
            h[j] = F(0, CLIP(gate[j]));
#endif
        }
#endif
#if WANT_Y
        for (int j = id; j < HIDDEN; j += items)
            y[((t * WAYS + way) * BATCH + n) * HIDDEN + j] = h[j];
#endif
        barrier(CLK_LOCAL_MEM_FENCE);
    }

#if WANT_Y
    for (int t = length; t < STEPS; t++)
        for (int j = id; j < HIDDEN; j += items)
            y[((t * WAYS + way) * BATCH + n) * HIDDEN + j] = 0.0f;
#endif
    for (int j = id; j < HIDDEN; j += items) {
#if WANT_H
        last_h[state + j] = h[j];
#endif
#if WANT_C
        last_c[state + j] = c[j];
#endif
    }
}
