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

/* Element i, a constant once loops are unrolled, of a vector. */
#define AT(v, i) (((float *)&(v))[i])

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
