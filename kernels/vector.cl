/* SPDX-License-Identifier: MIT
 *
 * What the CPU templates share: the vector type that they compute in, and how
 * it goes to and from memory.  Comes before every one of them.
 *
 *   VW              floats in a vector: 1, 4, 8 or 16
 *   ACTIVATION      0 none, 1 ReLU, 2 ReLU6, more: as the macro ACTIVATE(type, x) says
 *   BIAS, RESIDUAL  1 if there is one
 *
 * The templates also take the shape of the layer as macros: N images, H x W x C in,
 * P x Q x K out, filters of R x S, G groups of CG input and KG output channels,
 * STRIDE_, DILATION_ and PAD_ (above, left) with H and W.  From one pixel of the output to the
 * next are OUT_K floats: K, or more where it is a part of the channels of a wider tensor.
 */
#define CONCAT_(a, b) a##b
#define CONCAT(a, b) CONCAT_(a, b)

/*
 * The place of this work-group.  All groups are single work-items, so it is that of the
 * item, which counts from where a launch begins: a launch of many groups can be made by
 * parts, each with its offset.  FIRST_GROUP says what the first group of all has for an
 * offset, in each dimension, if that is not 0: compilers that make another variant for
 * launches without one then need not make two.  Which of two places is meant is chosen after
 * both are known: PoCL 3.1 makes code that it cannot load of a dimension that is no constant,
 * and compilers make one of two calls in the arms of a choice.
 */
#ifndef FIRST_GROUP
#define FIRST_GROUP 0
#endif
#define GROUP(d) ((int)get_global_id(d) - FIRST_GROUP)

/* Static, or the compiler also makes a copy that nobody calls. */
#define INLINE static inline __attribute__((always_inline))

#if VW == 1
typedef float vec;
#else
typedef CONCAT(float, VW) vec;
#endif

/*
 * A vector anywhere in memory.  Going through a pointer to this type gives one
 * unaligned instruction, where vload and vstore may become one per lane.
 */
typedef vec vec_unaligned __attribute__((aligned(4)));

INLINE vec load(__global const float *p)
{
    return *(__global const vec_unaligned *)p;
}

INLINE void store(vec v, __global float *p)
{
    *(__global vec_unaligned *)p = v;
}

/* The first n lanes only, for the end of a row; the others read as 0. */
INLINE vec load_first(__global const float *p, int n)
{
    vec v = (vec)(0.0f);
    for (int i = 0; i < VW; i++)
        if (i < n)
            ((float *)&v)[i] = p[i];
    return v;
}

INLINE void store_first(vec v, __global float *p, int n)
{
    for (int i = 0; i < VW; i++)
        if (i < n)
            p[i] = ((float *)&v)[i];
}

/* Comparisons that a NaN fails, so that it shows in the output. */
INLINE vec activate(vec v)
{
#if ACTIVATION > 2
    v = ACTIVATE(vec, v);
#elif ACTIVATION > 0
    v = v < (vec)(0.0f) ? (vec)(0.0f) : v;
#endif
#if ACTIVATION == 2
    v = v > (vec)(6.0f) ? (vec)(6.0f) : v;
#endif
    return v;
}

/* Asks for the cache lines of n floats.  Compilers for CPUs make nothing of the
 * prefetch() of OpenCL C, but know the one of GCC and Clang; those that go through
 * a portable form first know only the former.  Not all of them say that they do:
 * what tells them apart is that they name no machine. */
INLINE void prefetch_lines(__global const float *p, int n)
{
#if defined(__x86_64__) || defined(__i386__) || defined(__aarch64__) || defined(__arm__) ||        \
    defined(__riscv) || defined(__powerpc64__)
#pragma unroll
    for (int i = 0; i < n; i += 16)
        __builtin_prefetch((const void *)(uintptr_t)(p + i), 0, 2);
#else
    prefetch(p, n);
#endif
}

/*
 * The end of every layer: n lanes of a sum that is complete get bias, residual
 * and activation, and go to out; all pointers are those of lane 0.  Sums that
 * are gathered in several passes stay in `out` in between: `more` then says that
 * there are earlier ones, `last` that these are the last.
 */
INLINE void
finish(vec sum, const int n, const bool more, const bool last, __global const float *bias,
       __global const float *residual, __global float *out)
{
    const bool whole = n >= VW;
    if (more)
        sum += whole ? load(out) : load_first(out, n);
    if (last) {
#if BIAS
        sum += whole ? load(bias) : load_first(bias, n);
#endif
#if RESIDUAL
        sum += whole ? load(residual) : load_first(residual, n);
#endif
        sum = activate(sum);
    }
    if (whole)
        store(sum, out);
    else
        store_first(sum, out, n);
}
