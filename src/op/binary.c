/* SPDX-License-Identifier: MIT
 *
 * binary: a function of two elements, whose shapes broadcast as numpy's do.
 *
 * Integers wrap; division truncates, and makes 0 where the divisor is 0.
 */
#include "op/iterate.h"
#include "op/parameters.h"
#include "op/plain.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define FUNCTIONS(X)                                                                               \
    X(add)                                                                                         \
    X(sub)                                                                                         \
    X(mul)                                                                                         \
    X(div)                                                                                         \
    X(pow)                                                                                         \
    X(min)                                                                                         \
    X(max)                                                                                         \
    X(mod)                                                                                         \
    X(fmod)                                                                                        \
    X(prelu)                                                                                       \
    X(equal)                                                                                       \
    X(less)                                                                                        \
    X(less_or_equal)                                                                               \
    X(greater)                                                                                     \
    X(greater_or_equal)                                                                            \
    X(and)                                                                                         \
    X(or)                                                                                          \
    X(xor)

enum function {
#define X(name) FUNCTION_##name,
    FUNCTIONS(X)
#undef X
};

static const char *const functions[] = {
#define X(name) #name,
    FUNCTIONS(X)
#undef X
        NULL,
};

struct binary {
    uint32_t function;
};

static const struct anole_op_key keys[] = {
    {.name = "function",
     .kind = ANOLE_KEY_CHOICE,
     .offset = offsetof(struct binary, function),
     .choices = functions,
     .required = true},
    {.name = NULL},
};

static bool is_comparison(uint32_t function)
{
    return function >= FUNCTION_equal && function <= FUNCTION_greater_or_equal;
}

static uint32_t types_of(uint32_t function)
{
    if (function >= FUNCTION_and)
        return ANOLE_TYPE(BOOL);
    return function == FUNCTION_equal ? ANOLE_TYPES_ANY : ANOLE_TYPES_NUMBER;
}

static enum anole_status infer(struct anole_call *call, struct anole_error *error)
{
    const struct binary *binary = call->attributes;
    const struct anole_operand *a = call->inputs[0], *b = call->inputs[1];
    struct anole_operand *output = &call->outputs[0];
    uint32_t types = types_of(binary->function);
    enum anole_status status = anole_check_type(a, types, "the first input", error);
    if (status == ANOLE_DONE)
        status = anole_check_type(b, types, "the second input", error);
    if (status == ANOLE_DONE && binary->function != FUNCTION_pow)
        status = anole_check_same_type(b, a, "the second input", error);
    if (status == ANOLE_DONE)
        status = anole_operand_broadcast(output, a, b, error);
    if (status == ANOLE_DONE)
        status = anole_check_size(output, error);
    output->dtype = is_comparison(binary->function) ? ANOLE_BOOL : a->dtype;
    return status;
}

/* ----------------------------------------------------------------------- real */

static double modulo(double x, double y)
{
    double rest = fmod(x, y);
    return rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest;
}

#define EACH(expression)                                                                           \
    for (size_t i = 0; i < count; i++) {                                                           \
        double x = a[i], y = b[i];                                                                 \
        a[i] = expression;                                                                         \
    }                                                                                              \
    break

/* a[i] = function(a[i], b[i]) */
static void apply_reals(double *a, const double *b, size_t count, uint32_t function)
{
    switch (function) {
    case FUNCTION_add:
        EACH(x + y);
    case FUNCTION_sub:
        EACH(x - y);
    case FUNCTION_mul:
        EACH(x * y);
    case FUNCTION_div:
        EACH(x / y);
    case FUNCTION_pow:
        EACH(pow(x, y));
    case FUNCTION_min: /* a NaN wins */
        EACH(x < y || isnan(x) ? x : y);
    case FUNCTION_max:
        EACH(x > y || isnan(x) ? x : y);
    case FUNCTION_mod:
        EACH(modulo(x, y));
    case FUNCTION_fmod:
        EACH(fmod(x, y));
    case FUNCTION_prelu:
        EACH(x < 0 ? x * y : x);
    case FUNCTION_equal:
        EACH(x == y);
    case FUNCTION_less:
        EACH(x < y);
    case FUNCTION_less_or_equal:
        EACH(x <= y);
    case FUNCTION_greater:
        EACH(x > y);
    default:
        EACH(x >= y);
    }
}
#undef EACH

/* Rows of F32 and functions that are as exact in float; false: another case. */
static bool apply_floats(const struct anole_call *call, const struct anole_walk *walk,
                         uint32_t function)
{
    const float *a = (const float *)call->inputs[0]->data + walk->at[0];
    const float *b = (const float *)call->inputs[1]->data + walk->at[1];
    float *out = (float *)call->outputs[0].data + walk->at[2];
    int64_t of_a = walk->step[0], of_b = walk->step[1];
#define EACH(operator)                                                                             \
    for (int64_t i = 0; i < walk->length; i++)                                                     \
        out[i] = a[i * of_a] operator b[i * of_b];                                                 \
    return true
    switch (function) {
    case FUNCTION_add:
        EACH(+);
    case FUNCTION_sub:
        EACH(-);
    case FUNCTION_mul:
        EACH(*);
    case FUNCTION_div:
        EACH(/);
    default:
        return false;
    }
#undef EACH
}

/* ------------------------------------------------------------------- integers */

static int64_t int_divide(int64_t x, int64_t y, bool is_signed)
{
    if (y == 0)
        return 0;
    if (!is_signed)
        return (int64_t)((uint64_t)x / (uint64_t)y);
    return y == -1 ? (int64_t)(0 - (uint64_t)x) : x / y;
}

static int64_t int_modulo(int64_t x, int64_t y, bool is_signed, bool of_divisor)
{
    if (y == 0)
        return 0;
    if (!is_signed)
        return (int64_t)((uint64_t)x % (uint64_t)y);
    int64_t rest = y == -1 ? 0 : x % y;
    return of_divisor && rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest;
}

static int64_t int_power(int64_t x, int64_t y, bool is_signed)
{
    uint64_t power = 1, base = (uint64_t)x;
    if (is_signed && y < 0)
        return x == 1 ? 1 : x == -1 ? (y % 2 ? -1 : 1) : 0;
    for (uint64_t left = (uint64_t)y; left > 0; left >>= 1) {
        if (left & 1)
            power *= base;
        base *= base;
    }
    return (int64_t)power;
}

#define LESS(x, y) (is_signed ? (x) < (y) : (uint64_t)(x) < (uint64_t)(y))
#define EACH(expression)                                                                           \
    for (size_t i = 0; i < count; i++) {                                                           \
        int64_t x = a[i], y = b[i];                                                                \
        a[i] = expression;                                                                         \
    }                                                                                              \
    break

static void compare_ints(int64_t *a, const int64_t *b, size_t count, uint32_t function,
                         bool is_signed)
{
    switch (function) {
    case FUNCTION_equal:
        EACH(x == y);
    case FUNCTION_less:
        EACH(LESS(x, y));
    case FUNCTION_less_or_equal:
        EACH(!LESS(y, x));
    case FUNCTION_greater:
        EACH(LESS(y, x));
    case FUNCTION_greater_or_equal:
        EACH(!LESS(x, y));
    case FUNCTION_and:
        EACH(x && y);
    case FUNCTION_or:
        EACH(x || y);
    default:
        EACH(!x != !y);
    }
}

static void apply_ints(int64_t *a, const int64_t *b, size_t count, uint32_t function,
                       bool is_signed)
{
    switch (function) {
    case FUNCTION_add:
        EACH((int64_t)((uint64_t)x + (uint64_t)y));
    case FUNCTION_sub:
        EACH((int64_t)((uint64_t)x - (uint64_t)y));
    case FUNCTION_mul:
        EACH((int64_t)((uint64_t)x * (uint64_t)y));
    case FUNCTION_div:
        EACH(int_divide(x, y, is_signed));
    case FUNCTION_pow:
        EACH(int_power(x, y, is_signed));
    case FUNCTION_min:
        EACH(LESS(y, x) ? y : x);
    case FUNCTION_max:
        EACH(LESS(x, y) ? y : x);
    case FUNCTION_mod:
        EACH(int_modulo(x, y, is_signed, true));
    case FUNCTION_fmod:
        EACH(int_modulo(x, y, is_signed, false));
    case FUNCTION_prelu:
        EACH(is_signed && x < 0 ? (int64_t)((uint64_t)x * (uint64_t)y) : x);
    default:
        compare_ints(a, b, count, function, is_signed);
    }
}
#undef EACH

/* ------------------------------------------------------------------------ rows */

static void compute_row(const struct anole_call *call, const struct anole_walk *walk,
                        uint32_t function, bool real)
{
    const struct anole_operand *a = call->inputs[0], *b = call->inputs[1];
    bool is_signed = a->dtype != ANOLE_U64;
    for (int64_t first = 0; first < walk->length; first += ANOLE_CHUNK) {
        size_t count =
            (size_t)(walk->length - first < ANOLE_CHUNK ? walk->length - first : ANOLE_CHUNK);
        int64_t at_a = walk->at[0] + first * walk->step[0];
        int64_t at_b = walk->at[1] + first * walk->step[1];
        int64_t at_out = walk->at[2] + first;
        if (real) {
            double x[ANOLE_CHUNK], y[ANOLE_CHUNK];
            anole_load_reals(x, a, at_a, walk->step[0], count);
            anole_load_reals(y, b, at_b, walk->step[1], count);
            apply_reals(x, y, count, function);
            anole_store_reals(&call->outputs[0], at_out, 1, x, count);
        } else {
            int64_t x[ANOLE_CHUNK], y[ANOLE_CHUNK];
            anole_load_ints(x, a, at_a, walk->step[0], count);
            anole_load_ints(y, b, at_b, walk->step[1], count);
            apply_ints(x, y, count, function, is_signed);
            anole_store_ints(&call->outputs[0], at_out, 1, x, count);
        }
    }
}

static enum anole_status compute(const struct anole_call *call, struct anole_error *error)
{
    (void)error;
    const struct binary *binary = call->attributes;
    const struct anole_operand *output = &call->outputs[0];
    bool real =
        anole_dtype_is_real(call->inputs[0]->dtype) || anole_dtype_is_real(call->inputs[1]->dtype);
    bool floats = call->inputs[0]->dtype == ANOLE_F32 && call->inputs[1]->dtype == ANOLE_F32;
    int64_t strides[3][ANOLE_MAX_RANK];
    struct anole_walk walk;
    anole_operand_strides(strides[0], call->inputs[0], output);
    anole_operand_strides(strides[1], call->inputs[1], output);
    anole_dense_strides(strides[2], output);
    for (bool more = anole_walk_begin(&walk, output->rank, output->dims, 3, strides); more;
         more = anole_walk_next(&walk))
        if (!floats || !apply_floats(call, &walk, binary->function))
            compute_row(call, &walk, binary->function, real);
    return ANOLE_DONE;
}

static bool adds(const struct anole_call *call)
{
    const struct binary *binary = call->attributes;
    return binary->function == FUNCTION_add && anole_dtype_is_real(call->inputs[0]->dtype) &&
           anole_operand_same_shape(call->inputs[0], call->inputs[1]);
}

/* Whether an operand is known, and all its elements are one number. */
static bool is_one_number(double *number, const struct anole_operand *operand)
{
    const size_t elements = operand->data ? anole_operand_elements(operand) : 0;
    if (elements == 0)
        return false;
    *number = anole_operand_real(operand, 0);
    for (size_t i = 1; i < elements; i++)
        if (anole_operand_real(operand, i) != *number)
            return false;
    return true;
}

/* The expression of op_elementwise.cl for a real power that is always the same; NULL: there is
 * none but pow(). */
static const char *power_of(const struct anole_call *call)
{
    static const struct {
        double exponent;
        const char *name;
    } powers[] = {{-2, "FUNCTION_pow_minus_2"},
                  {-1, "FUNCTION_reciprocal"},
                  {-0.5, "FUNCTION_pow_minus_half"},
                  {0, "FUNCTION_pow_0"},
                  {0.5, "FUNCTION_pow_half"},
                  {1, "FUNCTION_identity"},
                  {1.5, "FUNCTION_pow_3_halves"},
                  {2, "FUNCTION_pow_2"},
                  {3, "FUNCTION_pow_3"},
                  {4, "FUNCTION_pow_4"}};
    const struct binary *binary = call->attributes;
    double exponent;
    if (binary->function != FUNCTION_pow || !anole_dtype_is_real(call->inputs[0]->dtype) ||
        !is_one_number(&exponent, call->inputs[1]))
        return NULL;
    for (size_t i = 0; i < sizeof powers / sizeof *powers; i++)
        if (!(exponent < powers[i].exponent) && !(exponent > powers[i].exponent) &&
            !isnan(exponent))
            return powers[i].name;
    return NULL;
}

static enum anole_status kernel(const struct anole_call *call, struct anole_kernel_builder *builder,
                                struct anole_error *error)
{
    const uint32_t function = ((const struct binary *)call->attributes)->function;
    const uint32_t dtype = call->inputs[0]->dtype;
    const char *power = power_of(call);
    const bool divides =
        function == FUNCTION_div || function == FUNCTION_mod || function == FUNCTION_fmod;
    const bool real = anole_dtype_is_real(dtype);
    struct anole_plain_source source = {.builder = builder};
    const char *kind = real || !divides ? "" : ANOLE_TYPES_SIGNED >> dtype & 1 ? "int_" : "uint_";
    char name[64];
    if (power) {
        const struct anole_elementwise known = {
            .function = power, .type = anole_plain_type(dtype), .suffix = "", .count = 1};
        return anole_plain_elementwise(&source, call, &known, error);
    }
    if (call->inputs[1]->dtype != dtype || (function == FUNCTION_pow && !real))
        return anole_plain_none("powers of these types", error);
    snprintf(name, sizeof name, "FUNCTION_%s%s", kind,
             kind[0] == 'u' && function == FUNCTION_fmod ? "mod" : functions[function]);
    const struct anole_elementwise elementwise = {.function = name,
                                                  .type = anole_plain_type(dtype),
                                                  .suffix = "",
                                                  .count = 2,
                                                  .inputs = {0, 1}};
    return anole_plain_elementwise(&source, call, &elementwise, error);
}

const struct anole_op anole_op_binary = {
    .name = "binary",
    .flags = ANOLE_OP_ELEMENTWISE,
    .fewest_inputs = 2,
    .most_inputs = 2,
    .fewest_outputs = 1,
    .most_outputs = 1,
    .attribute_bytes = sizeof(struct binary),
    .keys = keys,
    .infer = infer,
    .compute = compute,
    .adds = adds,
    .kernel = kernel,
};
