/* SPDX-License-Identifier: MIT
 *
 * What the GPU templates share.  Comes before every one of them.
 *
 *   ACTIVATION      0 none, 1 ReLU, 2 ReLU6, more: as the macro ACTIVATE(type, x) says
 *   BIAS, RESIDUAL  1 if there is one
 *   HALF            0: tensors are floats; else they are halves, and floats once they
 *                   are in registers or in local memory.  2: cl_khr_fp16 converts them
 *
 * The templates also take the shape of the layer as macros: N images, H x W x C in,
 * P x Q x K out, filters of R x S, G groups of CG input and KG output channels,
 * STRIDE_, DILATION_ and PAD_ (above, left) with H and W.
 */
#define CONCAT_(a, b) a##b
#define CONCAT(a, b) CONCAT_(a, b)
#define INLINE static inline __attribute__((always_inline))

/* Vectors of w floats, w a macro. */
#define VEC(w) CONCAT(float_, w)
typedef float float_1;
typedef float2 float_2;
typedef float4 float_4;
typedef float8 float_8;

/* Element i, a constant once loops are unrolled, of a vector of w floats. */
#define GET(w) CONCAT(GET_, w)
#define GET_1(v, i) (v)
#define GET_2(v, i) ((i) == 0 ? (v).s0 : (v).s1)
#define GET_4(v, i) ((i) < 2 ? GET_2((v).lo, i) : GET_2((v).hi, (i)-2))
#define GET_8(v, i) ((i) < 4 ? GET_4((v).lo, i) : GET_4((v).hi, (i)-4))

/* The vector of the w floats of an array. */
#define MAKE(w) CONCAT(MAKE_, w)
#define MAKE_1(a) ((a)[0])
#define MAKE_2(a) ((float2)((a)[0], (a)[1]))
#define MAKE_4(a) ((float4)((a)[0], (a)[1], (a)[2], (a)[3]))
#define MAKE_8(a)                                                                                  \
    ((float8)((a)[0], (a)[1], (a)[2], (a)[3], (a)[4], (a)[5], (a)[6], (a)[7]))

/* A fused multiply-add where it is one instruction. */
#ifdef FP_FAST_FMAF
#define MAD(a, b, c) fma(a, b, c)
#else
#define MAD(a, b, c) mad(a, b, c)
#endif

/* Tensors of the layer, and what there is in between. */
#if HALF
typedef ushort element; /* its bits: only cl_khr_fp16 has variables of type half */
#else
typedef float element;
#endif
typedef __global const element *source;
typedef __global element *sink;
typedef __global const float *floats;

/* The w floats at p, aligned to as many; and the way back. */
#define LOAD_FLOATS(w, p) (*(__global const VEC(w) *)(p))
#define STORE_FLOATS(w, p, v) (*(__global VEC(w) *)(p) = (v))

#if HALF
typedef ushort bits_1;
typedef ushort2 bits_2;
typedef ushort4 bits_4;
typedef ushort8 bits_8;

#if HALF == 2
#pragma OPENCL EXTENSION cl_khr_fp16 : enable
#define WIDEN(x) convert_float(as_half(x))
#define NARROW(x) as_ushort(convert_half_rte(x))
#else /* memory may hold halves on every device, that of a work-item, too */
INLINE float WIDEN(const ushort x)
{
    return vload_half(0, (__private const half *)&x);
}

INLINE ushort NARROW(const float x)
{
    ushort bits;
    vstore_half_rte(x, 0, (__private half *)&bits);
    return bits;
}
#endif

INLINE float widen_1(const ushort x)
{
    return WIDEN(x);
}

INLINE float2 widen_2(const ushort2 x)
{
    return (float2)(WIDEN(x.s0), WIDEN(x.s1));
}

/* Element by element: Oclgrind 21.10 crashes where vectors of 16 bits are shuffled. */
INLINE float4 widen_4(const ushort4 x)
{
    return (float4)(WIDEN(x.s0), WIDEN(x.s1), WIDEN(x.s2), WIDEN(x.s3));
}

INLINE float8 widen_8(const ushort8 x)
{
    return (float8)(WIDEN(x.s0), WIDEN(x.s1), WIDEN(x.s2), WIDEN(x.s3), WIDEN(x.s4), WIDEN(x.s5),
                    WIDEN(x.s6), WIDEN(x.s7));
}

INLINE ushort narrow_1(const float x)
{
    return NARROW(x);
}

INLINE ushort2 narrow_2(const float2 x)
{
    return (ushort2)(NARROW(x.s0), NARROW(x.s1));
}

INLINE ushort4 narrow_4(const float4 x)
{
    return (ushort4)(NARROW(x.s0), NARROW(x.s1), NARROW(x.s2), NARROW(x.s3));
}

INLINE ushort8 narrow_8(const float8 x)
{
    return (ushort8)(NARROW(x.s0), NARROW(x.s1), NARROW(x.s2), NARROW(x.s3), NARROW(x.s4),
                     NARROW(x.s5), NARROW(x.s6), NARROW(x.s7));
}

/* The same with elements of a tensor. */
#define LOAD(w, p) CONCAT(widen_, w)(*(__global const CONCAT(bits_, w) *)(p))
#define STORE(w, p, v) (*(__global CONCAT(bits_, w) *)(p) = CONCAT(narrow_, w)(v))
#else
#define LOAD(w, p) LOAD_FLOATS(w, p)
#define STORE(w, p, v) STORE_FLOATS(w, p, v)
#endif

/* Comparisons that a NaN fails, so that it shows in the output. */
INLINE float activate(float x)
{
#if ACTIVATION > 2
    x = ACTIVATE(float, x);
#elif ACTIVATION > 0
    x = x < 0.0f ? 0.0f : x;
#endif
#if ACTIVATION == 2
    x = x > 6.0f ? 6.0f : x;
#endif
    return x;
}

/* Bias and residual, where the layer has them, as a template's parameters and as
 * arguments from one function to the next. */
#if BIAS && RESIDUAL
#define EXTRA_PARAMETERS source bias, source residual,
#define EXTRA_ARGUMENTS bias, residual,
#elif BIAS
#define EXTRA_PARAMETERS source bias,
#define EXTRA_ARGUMENTS bias,
#elif RESIDUAL
#define EXTRA_PARAMETERS source residual,
#define EXTRA_ARGUMENTS residual,
#else
#define EXTRA_PARAMETERS
#define EXTRA_ARGUMENTS
#endif

/* A finished sum for channel k of output element `at`. */
INLINE float finish(float sum, EXTRA_PARAMETERS const int k, const int at)
{
#if BIAS
    sum += LOAD(1, bias + k);
#endif
#if RESIDUAL
    sum += LOAD(1, residual + at);
#endif
    return activate(sum);
}
