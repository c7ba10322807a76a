/* SPDX-License-Identifier: MIT
 *
 * unary: a function of each element.
 *
 * `alpha` and `beta` have the defaults that ONNX gives the function.  `clip` takes its bounds
 * from the attributes `low` and `high`, or from the second and third inputs.
 */
#include "op/iterate.h"
#include "op/parameters.h"
#include "op/plain.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>

/* Name, alpha and beta where none are given. */
#define FUNCTIONS(X)                                                                               \
    X(abs, 0, 0)                                                                                   \
    X(acos, 0, 0)                                                                                  \
    X(acosh, 0, 0)                                                                                 \
    X(asin, 0, 0)                                                                                  \
    X(asinh, 0, 0)                                                                                 \
    X(atan, 0, 0)                                                                                  \
    X(atanh, 0, 0)                                                                                 \
    X(ceil, 0, 0)                                                                                  \
    X(celu, 1, 0)                                                                                  \
    X(clip, 0, 0)                                                                                  \
    X(cos, 0, 0)                                                                                   \
    X(cosh, 0, 0)                                                                                  \
    X(elu, 1, 0)                                                                                   \
    X(erf, 0, 0)                                                                                   \
    X(exp, 0, 0)                                                                                   \
    X(floor, 0, 0)                                                                                 \
    X(gelu, 0, 0)                                                                                  \
    X(gelu_tanh, 0, 0)                                                                             \
    X(hard_sigmoid, 0.2, 0.5)                                                                      \
    X(hard_swish, 0, 0)                                                                            \
    X(is_inf, 1, 1)                                                                                \
    X(is_nan, 0, 0)                                                                                \
    X(leaky_relu, 0.01, 0)                                                                         \
    X(log, 0, 0)                                                                                   \
    X(mish, 0, 0)                                                                                  \
    X(neg, 0, 0)                                                                                   \
    X(not, 0, 0)                                                                                   \
    X(reciprocal, 0, 0)                                                                            \
    X(relu, 0, 0)                                                                                  \
    X(round, 0, 0)                                                                                 \
    X(selu, 1.67326319217681884765625, 1.05070102214813232421875)                                  \
    X(sigmoid, 0, 0)                                                                               \
    X(sign, 0, 0)                                                                                  \
    X(silu, 1, 0)                                                                                  \
    X(sin, 0, 0)                                                                                   \
    X(sinh, 0, 0)                                                                                  \
    X(softplus, 0, 0)                                                                              \
    X(softsign, 0, 0)                                                                              \
    X(sqrt, 0, 0)                                                                                  \
    X(tan, 0, 0)                                                                                   \
    X(tanh, 0, 0)                                                                                  \
    X(thresholded_relu, 1, 0)

enum function {
#define X(name, alpha, beta) FUNCTION_##name,
    FUNCTIONS(X)
#undef X
};

static const char *const functions[] = {
#define X(name, alpha, beta) #name,
    FUNCTIONS(X)
#undef X
        NULL,
};

static const double default_alpha[] = {
#define X(name, alpha, beta) alpha,
    FUNCTIONS(X)
#undef X
};

static const double default_beta[] = {
#define X(name, alpha, beta) beta,
    FUNCTIONS(X)
#undef X
};

struct unary {
    uint32_t function;
    double alpha, beta; /* NaN: the function's own */
    double low, high;
};

static const struct unary defaults = {
    .alpha = NAN, .beta = NAN, .low = -INFINITY, .high = INFINITY};

static const struct anole_op_key keys[] = {
    {.name = "function",
     .kind = ANOLE_KEY_CHOICE,
     .offset = offsetof(struct unary, function),
     .choices = functions,
     .required = true},
    {.name = "alpha", .kind = ANOLE_KEY_REAL, .offset = offsetof(struct unary, alpha)},
    {.name = "beta", .kind = ANOLE_KEY_REAL, .offset = offsetof(struct unary, beta)},
    {.name = "low", .kind = ANOLE_KEY_REAL, .offset = offsetof(struct unary, low)},
    {.name = "high", .kind = ANOLE_KEY_REAL, .offset = offsetof(struct unary, high)},
    {.name = NULL},
};

static uint32_t types_of(uint32_t function)
{
    switch (function) {
    case FUNCTION_not:
        return ANOLE_TYPE(BOOL);
    case FUNCTION_abs:
    case FUNCTION_clip:
    case FUNCTION_neg:
    case FUNCTION_relu:
    case FUNCTION_sign:
        return ANOLE_TYPES_NUMBER;
    default:
        return ANOLE_TYPES_REAL;
    }
}

static enum anole_status infer(struct anole_call *call, struct anole_error *error)
{
    const struct unary *unary = call->attributes;
    const struct anole_operand *input = call->inputs[0];
    struct anole_operand *output = &call->outputs[0];
    enum anole_status status =
        anole_check_type(input, types_of(unary->function), "the input", error);
    for (uint32_t i = 1; i < 3 && status == ANOLE_DONE; i++) {
        static const char *const names[] = {[1] = "the lower bound", [2] = "the upper bound"};
        const struct anole_operand *bound = anole_call_input(call, i);
        if (!bound)
            continue;
        if (unary->function != FUNCTION_clip)
            return anole_fail(error, ANOLE_ERR_INPUT,
                              "%s has %u inputs; expected 1: only clip has bounds",
                              functions[unary->function], call->input_count);
        status = anole_check_same_type(bound, input, names[i], error);
        if (status == ANOLE_DONE && anole_operand_elements(bound) != 1)
            status = anole_fail(error, ANOLE_ERR_INPUT, "%s has %zu elements; expected 1", names[i],
                                anole_operand_elements(bound));
    }
    if (status)
        return status;
    *output = *input;
    output->data = NULL;
    if (unary->function == FUNCTION_is_nan || unary->function == FUNCTION_is_inf)
        output->dtype = ANOLE_BOOL;
    return ANOLE_DONE;
}

static double sigmoid(double x)
{
    return x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x));
}

static double softplus(double x)
{
    return x > 30 ? x + exp(-x) : log1p(exp(x));
}

static double gelu_tanh(double x)
{
    return 0.5 * x * (1 + tanh(0.79788456080286535588 * (x + 0.044715 * x * x * x)));
}

static double clamp(double x, double low, double high)
{
    x = x < low ? low : x; /* a NaN stays one */
    return x > high ? high : x;
}

#define EACH(expression)                                                                           \
    for (size_t i = 0; i < count; i++) {                                                           \
        double x = values[i];                                                                      \
        values[i] = expression;                                                                    \
    }                                                                                              \
    break

static void apply_steps(double *values, size_t count, const struct unary *unary)
{
    double a = unary->alpha, b = unary->beta;
    switch (unary->function) {
    case FUNCTION_abs:
        EACH(fabs(x));
    case FUNCTION_ceil:
        EACH(ceil(x));
    case FUNCTION_clip:
        EACH(clamp(x, unary->low, unary->high));
    case FUNCTION_floor:
        EACH(floor(x));
    case FUNCTION_hard_sigmoid:
        EACH(clamp(a * x + b, 0, 1));
    case FUNCTION_hard_swish:
        EACH(x * clamp(x / 6 + 0.5, 0, 1));
    case FUNCTION_is_inf:
        EACH(isinf(x) && (x > 0 ? b != 0 : a != 0));
    case FUNCTION_is_nan:
        EACH(isnan(x));
    case FUNCTION_leaky_relu:
        EACH(x < 0 ? a * x : x);
    case FUNCTION_neg:
        EACH(-x);
    case FUNCTION_reciprocal:
        EACH(1 / x);
    case FUNCTION_relu:
        EACH(x < 0 ? 0 : x);
    case FUNCTION_round:
        EACH(nearbyint(x));
    case FUNCTION_sign:
        EACH(x > 0 ? 1 : x < 0 ? -1 : x);
    case FUNCTION_softsign:
        EACH(x / (1 + fabs(x)));
    case FUNCTION_sqrt:
        EACH(sqrt(x));
    case FUNCTION_thresholded_relu:
        EACH(x > a ? x : isnan(x) ? x : 0);
    default:
        break;
    }
}

static void apply_curves(double *values, size_t count, const struct unary *unary)
{
    double a = unary->alpha, b = unary->beta;
    switch (unary->function) {
    case FUNCTION_acos:
        EACH(acos(x));
    case FUNCTION_acosh:
        EACH(acosh(x));
    case FUNCTION_asin:
        EACH(asin(x));
    case FUNCTION_asinh:
        EACH(asinh(x));
    case FUNCTION_atan:
        EACH(atan(x));
    case FUNCTION_atanh:
        EACH(atanh(x));
    case FUNCTION_celu:
        EACH(x < 0 ? a * expm1(x / a) : x);
    case FUNCTION_cos:
        EACH(cos(x));
    case FUNCTION_cosh:
        EACH(cosh(x));
    case FUNCTION_elu:
        EACH(x < 0 ? a * expm1(x) : x);
    case FUNCTION_erf:
        EACH(erf(x));
    case FUNCTION_exp:
        EACH(exp(x));
    case FUNCTION_gelu:
        EACH(0.5 * x * (1 + erf(x * 0.70710678118654752440)));
    case FUNCTION_gelu_tanh:
        EACH(gelu_tanh(x));
    case FUNCTION_log:
        EACH(log(x));
    case FUNCTION_mish:
        EACH(x * tanh(softplus(x)));
    case FUNCTION_selu:
        EACH(b * (x < 0 ? a * expm1(x) : x));
    case FUNCTION_sigmoid:
        EACH(sigmoid(x));
    case FUNCTION_silu:
        EACH(x * sigmoid(a * x));
    case FUNCTION_sin:
        EACH(sin(x));
    case FUNCTION_sinh:
        EACH(sinh(x));
    case FUNCTION_softplus:
        EACH(softplus(x));
    case FUNCTION_tan:
        EACH(tan(x));
    case FUNCTION_tanh:
        EACH(tanh(x));
    default:
        apply_steps(values, count, unary);
    }
}
#undef EACH

static int64_t apply_int(int64_t x, const struct unary *unary, bool is_signed)
{
    switch (unary->function) {
    case FUNCTION_abs:
        return is_signed && x < 0 ? (int64_t)(0 - (uint64_t)x) : x;
    case FUNCTION_neg:
        return (int64_t)(0 - (uint64_t)x);
    case FUNCTION_relu:
        return is_signed && x < 0 ? 0 : x;
    case FUNCTION_sign:
        return is_signed && x < 0 ? -1 : x != 0;
    default: /* not */
        return x == 0;
    }
}

/* The bounds of clip for integers: from inputs, or attributes as far as they fit. */
static void int_bounds(int64_t *low, int64_t *high, const struct anole_call *call,
                       const struct unary *unary)
{
    const struct anole_operand *from = anole_call_input(call, 1), *to = anole_call_input(call, 2);
    *low = from                   ? anole_operand_int(from, 0)
           : unary->low > -9.2e18 ? (int64_t)ceil(clamp(unary->low, -9.2e18, 9.2e18))
                                  : INT64_MIN;
    *high = to                     ? anole_operand_int(to, 0)
            : unary->high < 9.2e18 ? (int64_t)floor(clamp(unary->high, -9.2e18, 9.2e18))
                                   : INT64_MAX;
}

static void compute_ints(const struct anole_call *call, const struct unary *unary, size_t elements)
{
    int64_t values[ANOLE_CHUNK], low, high;
    uint32_t dtype = call->inputs[0]->dtype;
    bool is_signed = ANOLE_TYPES_SIGNED >> dtype & 1;
    int_bounds(&low, &high, call, unary);
    for (size_t first = 0; first < elements; first += ANOLE_CHUNK) {
        size_t count = elements - first < ANOLE_CHUNK ? elements - first : ANOLE_CHUNK;
        anole_load_ints(values, call->inputs[0], (int64_t)first, 1, count);
        if (unary->function == FUNCTION_clip)
            for (size_t i = 0; i < count; i++) {
                int64_t x = values[i] < low ? low : values[i];
                values[i] = x > high ? high : x;
            }
        else
            for (size_t i = 0; i < count; i++)
                values[i] = apply_int(values[i], unary, is_signed);
        anole_store_ints(&call->outputs[0], (int64_t)first, 1, values, count);
    }
}

static enum anole_status compute(const struct anole_call *call, struct anole_error *error)
{
    (void)error;
    struct unary unary = *(const struct unary *)call->attributes;
    const struct anole_operand *input = call->inputs[0];
    const struct anole_operand *low = anole_call_input(call, 1), *high = anole_call_input(call, 2);
    size_t elements = anole_operand_elements(input);
    double values[ANOLE_CHUNK];
    if (!anole_dtype_is_real(input->dtype)) {
        compute_ints(call, &unary, elements);
        return ANOLE_DONE;
    }
    if (isnan(unary.alpha))
        unary.alpha = default_alpha[unary.function];
    if (isnan(unary.beta))
        unary.beta = default_beta[unary.function];
    if (low)
        unary.low = anole_operand_real(low, 0);
    if (high)
        unary.high = anole_operand_real(high, 0);
    for (size_t first = 0; first < elements; first += ANOLE_CHUNK) {
        size_t count = elements - first < ANOLE_CHUNK ? elements - first : ANOLE_CHUNK;
        anole_load_reals(values, input, (int64_t)first, 1, count);
        apply_curves(values, count, &unary);
        anole_store_reals(&call->outputs[0], (int64_t)first, 1, values, count);
    }
    return ANOLE_DONE;
}

/* A bound of clip: the attribute, or a constant input; false: not known. */
static bool bound_of(double *bound, const struct anole_call *call, uint32_t i)
{
    const struct anole_operand *input = anole_call_input(call, i);
    if (input && !input->data)
        return false;
    if (input)
        *bound = anole_operand_real(input, 0);
    return true;
}

static bool activation_of(const struct anole_call *call, struct anole_activate *activate)
{
    const struct unary *unary = call->attributes;
    double alpha = unary->alpha, beta = unary->beta, low = unary->low, high = unary->high;
    uint32_t activation;
    if (!anole_dtype_is_real(call->inputs[0]->dtype) ||
        !anole_activation_find(&activation, functions[unary->function]))
        return false;
    *activate = (struct anole_activate){.activation = activation};
    if (unary->function == FUNCTION_clip) {
        if (!bound_of(&low, call, 1) || !bound_of(&high, call, 2))
            return false;
        bool rectifies = low == 0 && (high == INFINITY || high == 6);
        alpha = rectifies ? 0 : low;
        beta = rectifies ? 0 : high;
        if (rectifies)
            activate->activation = high == 6 ? ANOLE_ACT_RELU6 : ANOLE_ACT_RELU;
    } else {
        alpha = isnan(alpha) ? default_alpha[unary->function] : alpha;
        beta = isnan(beta) ? default_beta[unary->function] : beta;
    }
    uint32_t parameters = anole_activation_parameters(activate->activation);
    activate->alpha = parameters > 0 ? (float)alpha + 0.0f : 0;
    activate->beta = parameters > 1 ? (float)beta + 0.0f : 0;
    return anole_activation_check(activate, NULL) == ANOLE_DONE;
}

/* Bounds of clip are further operands where they are inputs. */
static void define_bounds(struct anole_plain_source *source, struct anole_elementwise *elementwise,
                          const struct anole_call *call, const struct unary *unary, bool real)
{
    static const char *const names[] = {"LOW", "HIGH"}, *const places[] = {"", "y", "z"};
    for (uint32_t i = 0; i < 2; i++)
        if (anole_call_input(call, i + 1)) {
            anole_plain_define(source, names[i], "%s", places[elementwise->count]);
            elementwise->inputs[elementwise->count++] = i + 1;
        } else if (real) {
            anole_plain_define_real(source, i ? "HIGH_REAL" : "LOW_REAL",
                                    i ? unary->high : unary->low);
            anole_plain_define(source, names[i], "(T)(%s_REAL)", names[i]);
        }
}

static enum anole_status kernel(const struct anole_call *call, struct anole_kernel_builder *builder,
                                struct anole_error *error)
{
    const struct unary *unary = call->attributes;
    const uint32_t function = unary->function;
    struct anole_plain_source source = {.builder = builder};
    const bool real = anole_dtype_is_real(call->inputs[0]->dtype);
    char name[64];
    if (!real && function == FUNCTION_clip &&
        !(anole_call_input(call, 1) && anole_call_input(call, 2)))
        return anole_plain_none("bounds of integers that are attributes", error);
    snprintf(name, sizeof name, "FUNCTION_%s%s", real ? "" : "int_", functions[function]);
    struct anole_elementwise elementwise = {.function = name,
                                            .type = anole_plain_type(call->inputs[0]->dtype),
                                            .suffix = "",
                                            .count = 1};
    if (function == FUNCTION_clip)
        define_bounds(&source, &elementwise, call, unary, real);
    anole_plain_define_real(&source, "ALPHA",
                            isnan(unary->alpha) ? default_alpha[function] : unary->alpha);
    anole_plain_define_real(&source, "BETA",
                            isnan(unary->beta) ? default_beta[function] : unary->beta);
    return anole_plain_elementwise(&source, call, &elementwise, error);
}

const struct anole_op anole_op_unary = {
    .name = "unary",
    .flags = ANOLE_OP_ELEMENTWISE,
    .fewest_inputs = 1,
    .most_inputs = 3,
    .fewest_outputs = 1,
    .most_outputs = 1,
    .attribute_bytes = sizeof(struct unary),
    .defaults = &defaults,
    .keys = keys,
    .infer = infer,
    .compute = compute,
    .activation = activation_of,
    .kernel = kernel,
};
