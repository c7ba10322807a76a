/* SPDX-License-Identifier: MIT
 *
 * A function of each element of one to three operands that broadcast.
 *
 * The output is ROWS rows of LENGTH elements; a work-item makes WIDTH neighbours of one row, or
 * what is left of it.  Before this text come:
 *   TYPE           that FUNCTION computes in; OUT_TYPE, and RESULT, which converts to it
 *   OPERANDS, TYPE_k, AT_k(row), STEP_k (0 or 1): of each operand
 *   AT_OUT(row), LENGTH, WIDTH, CHUNKS (of a row), ITEMS
 *   FUNCTION       one of those below, an expression of T, x, y and z
 *   ALPHA, BETA, LOW, HIGH: what some of them need
 * An element is read before it is written, so that the output may lie where an operand does.
 */

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define VECTOR(type) JOIN(type, WIDTH)
#define CONVERT(type) JOIN(convert_, type)

/* erf(x) = x P(x^2) / Q(x^2) up to 4, where it is 1 but for rounding: coefficients of the least
 * relative error, 2.5e-8, by iterated least squares.  Within 7 units in the last place, and a
 * tenth of what drivers without a vector erf take. */
#define ERF_BOUND(v) (((v) < (T)(-4)) ? (T)(-4) : (((v) > (T)(4)) ? (T)(4) : (v)))
#define ERF(v) ERF_OF(ERF_BOUND(v))
#define ERF_OF(v) ((v) * ERF_P((v) * (v)) / ERF_Q((v) * (v)))
#define ERF_P(y)                                                                                   \
    (((((((T)(1.98651455144e-6f) * (y) + (T)(0.000284497800981f)) * (y) +                          \
         (T)(0.00388197946583f)) * (y) + (T)(0.0530974860669f)) * (y) +                            \
       (T)(0.193518540493f)) * (y) + (T)(1.12837913978f)))
#define ERF_Q(y)                                                                                   \
    (((((((T)(3.74137910594e-5f) * (y) + (T)(0.00118516860957f)) * (y) +                           \
         (T)(0.015204575828f)) * (y) + (T)(0.11533834954f)) * (y) +                                \
       (T)(0.504833907674f)) * (y) + (T)(1.0f)))

/* -- of one element -- */
#define FUNCTION_identity x
#define FUNCTION_number ((x == x) ? x : (T)(0)) /* for integers, which have no NaN */
#define FUNCTION_is_true ((x != (T)(0)) ? (T)(1) : (T)(0))
#define FUNCTION_abs fabs(x)
#define FUNCTION_acos acos(x)
#define FUNCTION_acosh acosh(x)
#define FUNCTION_asin asin(x)
#define FUNCTION_asinh asinh(x)
#define FUNCTION_atan atan(x)
#define FUNCTION_atanh atanh(x)
#define FUNCTION_ceil ceil(x)
#define FUNCTION_celu ((x < (T)(0)) ? (T)(ALPHA) * expm1(x / (T)(ALPHA)) : x)
#define FUNCTION_clip clamp_to(x, LOW, HIGH)
#define FUNCTION_cos cos(x)
#define FUNCTION_cosh cosh(x)
#define FUNCTION_elu ((x < (T)(0)) ? (T)(ALPHA) * expm1(x) : x)
#define FUNCTION_erf ERF(x)
#define FUNCTION_exp exp(x)
#define FUNCTION_floor floor(x)
#define FUNCTION_gelu ((T)(0.5f) * x * ((T)(1) + ERF(x * (T)(0.70710678f))))
#define FUNCTION_gelu_tanh                                                                         \
    ((T)(0.5f) * x *                                                                               \
     ((T)(1) + tanh((T)(0.79788456f) * (x + (T)(0.044715f) * x * x * x))))
#define FUNCTION_hard_sigmoid clamp_to((T)(ALPHA) * x + (T)(BETA), (T)(0), (T)(1))
#define FUNCTION_hard_swish (x * clamp_to(x / (T)(6) + (T)(0.5f), (T)(0), (T)(1)))
#define FUNCTION_is_inf                                                                            \
    ((x == (T)(INFINITY)) ? (T)(BETA != 0) : ((x == (T)(-INFINITY)) ? (T)(ALPHA != 0) : (T)(0)))
#define FUNCTION_is_nan ((x == x) ? (T)(0) : (T)(1))
#define FUNCTION_leaky_relu ((x < (T)(0)) ? (T)(ALPHA) * x : x)
#define FUNCTION_log log(x)
#define FUNCTION_mish (x * tanh(SOFTPLUS))
#define FUNCTION_neg (-x)
#define FUNCTION_reciprocal ((T)(1) / x)
#define FUNCTION_relu ((x < (T)(0)) ? (T)(0) : x)
#define FUNCTION_round rint(x)
#define FUNCTION_selu ((T)(BETA) * ((x < (T)(0)) ? (T)(ALPHA) * expm1(x) : x))
#define FUNCTION_sigmoid ((T)(1) / ((T)(1) + exp(-x)))
#define FUNCTION_sign ((x > (T)(0)) ? (T)(1) : ((x < (T)(0)) ? (T)(-1) : x))
#define FUNCTION_silu (x / ((T)(1) + exp((T)(-ALPHA) * x)))
#define FUNCTION_sin sin(x)
#define FUNCTION_sinh sinh(x)
#define SOFTPLUS ((x > (T)(30)) ? x : log1p(exp(x)))
#define FUNCTION_softplus SOFTPLUS
#define FUNCTION_softsign (x / ((T)(1) + fabs(x)))
#define FUNCTION_sqrt sqrt(x)
#define FUNCTION_tan tan(x)
#define FUNCTION_tanh tanh(x)
#define FUNCTION_thresholded_relu ((x <= (T)(ALPHA)) ? (T)(0) : x)

/* -- powers, as pow() has them: the root of -0 is +0, and that of -INFINITY is INFINITY.  What is
 * squared overflows, or becomes 0, only where the power does. -- */
#define FUNCTION_pow_0 ((T)(1))
#define FUNCTION_pow_2 (x * x)
#define FUNCTION_pow_3 (x * x * x)
#define FUNCTION_pow_4 ((x * x) * (x * x))
#define FUNCTION_pow_minus_2 (((T)(1) / x) * ((T)(1) / x))
#define FUNCTION_pow_half ((x == (T)(-INFINITY)) ? (T)(INFINITY) : fabs(sqrt(x)))
#define FUNCTION_pow_minus_half ((T)(1) / FUNCTION_pow_half)
#define FUNCTION_pow_3_halves (fabs(x) * FUNCTION_pow_half)

/* -- of an integer -- */
#define FUNCTION_int_abs ((x < (T)(0)) ? (T)(0) - x : x)
#define FUNCTION_int_neg ((T)(0) - x)
#define FUNCTION_int_not ((x == (T)(0)) ? (T)(1) : (T)(0))
#define FUNCTION_int_relu FUNCTION_relu
#define FUNCTION_int_sign FUNCTION_sign
#define FUNCTION_int_clip clamp_to(x, LOW, HIGH)

/* -- of two; a NaN is the least and the greatest -- */
#define FUNCTION_add (x + y)
#define FUNCTION_sub (x - y)
#define FUNCTION_mul (x * y)
#define FUNCTION_div (x / y)
#define FUNCTION_pow pow(x, y)
#define FUNCTION_min (((x < y) | (x != x)) ? x : y)
#define FUNCTION_max (((x > y) | (x != x)) ? x : y)
#define FUNCTION_fmod fmod(x, y)
#define FUNCTION_mod OF_DIVISOR(fmod(x, y))
#define OF_DIVISOR(rest) (((rest != (T)(0)) & ((rest < (T)(0)) != (y < (T)(0)))) ? rest + y : rest)
#define FUNCTION_prelu ((x < (T)(0)) ? x * y : x)
#define FUNCTION_equal ((x == y) ? (T)(1) : (T)(0))
#define FUNCTION_less ((x < y) ? (T)(1) : (T)(0))
#define FUNCTION_less_or_equal ((x <= y) ? (T)(1) : (T)(0))
#define FUNCTION_greater ((x > y) ? (T)(1) : (T)(0))
#define FUNCTION_greater_or_equal ((x >= y) ? (T)(1) : (T)(0))
#define FUNCTION_and (x & y)
#define FUNCTION_or (x | y)
#define FUNCTION_xor (x ^ y)

/* -- of two integers: nothing divides by 0, and the lowest by -1 wraps -- */
#define DIVISOR (((y == (T)(0)) | (y == (T)(-1))) ? (T)(1) : y)
#define NOT_ZERO ((y == (T)(0)) ? (T)(1) : y)
#define FUNCTION_int_div                                                                           \
    ((y == (T)(0)) ? (T)(0) : ((y == (T)(-1)) ? (T)(0) - x : x / DIVISOR))
#define FUNCTION_int_fmod ((y == (T)(0)) ? (T)(0) : x % DIVISOR)
#define FUNCTION_int_mod ((y == (T)(0)) ? (T)(0) : OF_DIVISOR((x % DIVISOR)))
#define FUNCTION_uint_div ((y == (T)(0)) ? (T)(0) : x / NOT_ZERO)
#define FUNCTION_uint_mod ((y == (T)(0)) ? (T)(0) : x % NOT_ZERO)

/* -- of three -- */
#define FUNCTION_where ((x != (T)(0)) ? y : z)

#define clamp_to(value, low, high)                                                                 \
    (((value) < (low)) ? (low) : (((value) > (high)) ? (high) : (value)))

kernel void elementwise(global const TYPE_0 *a,
#if OPERANDS > 1
                        global const TYPE_1 *b,
#endif
#if OPERANDS > 2
                        global const TYPE_2 *c,
#endif
                        global OUT_TYPE *out)
{
    const int item = (int)get_global_id(0), row = item / CHUNKS, first = item % CHUNKS * WIDTH;
    if (item >= ITEMS)
        return;
    a += AT_0(row) + first * STEP_0;
#if OPERANDS > 1
    b += AT_1(row) + first * STEP_1;
#endif
#if OPERANDS > 2
    c += AT_2(row) + first * STEP_2;
#endif
    out += AT_OUT(row) + first;

#if LENGTH >= WIDTH
    if (first + WIDTH <= LENGTH) {
        typedef VECTOR(TYPE) T;
#if STEP_0
        const T x = CONVERT(VECTOR(TYPE))(JOIN(vload, WIDTH)(0, a));
#else
        const T x = (T)(CONVERT(TYPE)(*a));
#endif
#if OPERANDS > 1
#if STEP_1
        const T y = CONVERT(VECTOR(TYPE))(JOIN(vload, WIDTH)(0, b));
#else
        const T y = (T)(CONVERT(TYPE)(*b));
#endif
#endif
#if OPERANDS > 2
#if STEP_2
        const T z = CONVERT(VECTOR(TYPE))(JOIN(vload, WIDTH)(0, c));
#else
        const T z = (T)(CONVERT(TYPE)(*c));
#endif
#endif
        JOIN(vstore, WIDTH)(RESULT_VECTOR(FUNCTION), 0, out);
        return;
    }
#endif
#if LENGTH % WIDTH
    for (int i = 0; i < LENGTH % WIDTH; i++) {
        typedef TYPE T;
        const T x = CONVERT(TYPE)(a[i * STEP_0]);
#if OPERANDS > 1
        const T y = CONVERT(TYPE)(b[i * STEP_1]);
#endif
#if OPERANDS > 2
        const T z = CONVERT(TYPE)(c[i * STEP_2]);
#endif
        out[i] = RESULT((T)(FUNCTION));
    }
#endif
}
