/* SPDX-License-Identifier: MIT
 *
 * What the GPU templates share.  Comes before every one of them.
 *
 *   ACTIVATION      0 none, 1 ReLU, 2 ReLU6
 *   BIAS, RESIDUAL  1 if there is one
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

typedef __global const float *source;

/* Comparisons that a NaN fails, so that it shows in the output. */
INLINE float activate(float x)
{
#if ACTIVATION > 0
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
    sum += bias[k];
#endif
#if RESIDUAL
    sum += residual[at];
#endif
    return activate(sum);
}
