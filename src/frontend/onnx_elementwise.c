/* SPDX-License-Identifier: MIT
 *
 * ONNX's operators that work on one element at a time.
 */
#include "frontend/onnx_translate.h"

#include <math.h>
#include <string.h>

static void plain_unary(struct anole_onnx_context *context)
{
    context->outputs[0] =
        anole_onnx_unary(context, context->translator->function, anole_onnx_need(context, 0));
}

/* A function with parameters: name and default of ONNX's attributes for our alpha and beta. */
static void with_parameters(struct anole_onnx_context *context, const char *alpha, double alpha_is,
                            const char *beta, double beta_is)
{
    size_t y = anole_onnx_add1(context, "unary", anole_onnx_need(context, 0));
    anole_onnx_set_choice(context, "function", context->translator->function);
    anole_onnx_set_real(context, "alpha", anole_onnx_get_real(context, alpha, alpha_is));
    if (beta)
        anole_onnx_set_real(context, "beta", anole_onnx_get_real(context, beta, beta_is));
    context->outputs[0] = anole_onnx_done(context, y);
}

static void leaky_relu(struct anole_onnx_context *context)
{
    with_parameters(context, "alpha", 0.01f, NULL, 0);
}

static void with_alpha_1(struct anole_onnx_context *context)
{
    with_parameters(context, "alpha", 1.0, NULL, 0);
}

static void hard_sigmoid(struct anole_onnx_context *context)
{
    with_parameters(context, "alpha", 0.2f, "beta", 0.5);
}

static void selu(struct anole_onnx_context *context)
{
    with_parameters(context, "alpha", 1.67326319217681884765625, "gamma",
                    1.05070102214813232421875);
}

static void is_inf(struct anole_onnx_context *context)
{
    size_t y = anole_onnx_add1(context, "unary", anole_onnx_need(context, 0));
    anole_onnx_set_choice(context, "function", "is_inf");
    anole_onnx_set_real(context, "alpha",
                        (double)anole_onnx_get_int(context, "detect_negative", 1));
    anole_onnx_set_real(context, "beta", (double)anole_onnx_get_int(context, "detect_positive", 1));
    context->outputs[0] = anole_onnx_done(context, y);
}

static void gelu(struct anole_onnx_context *context)
{
    const char *form = anole_onnx_get_text(context, "approximate", "none");
    const char *function = strcmp(form, "tanh") == 0 ? "gelu_tanh" : "gelu";
    context->outputs[0] = anole_onnx_unary(context, function, anole_onnx_need(context, 0));
}

/* Bounds are attributes before opset 11, then inputs. */
static void clip(struct anole_onnx_context *context)
{
    size_t inputs[3] = {anole_onnx_need(context, 0), anole_onnx_input(context, 1),
                        anole_onnx_input(context, 2)};
    size_t count = inputs[2] != ANOLE_NONE ? 3 : inputs[1] != ANOLE_NONE ? 2 : 1;
    size_t y = anole_onnx_add(context, "unary", inputs, count);
    anole_onnx_set_choice(context, "function", "clip");
    if (context->opset < 11) {
        if (anole_onnx_has(context, "min"))
            anole_onnx_set_real(context, "low", anole_onnx_get_real(context, "min", 0));
        if (anole_onnx_has(context, "max"))
            anole_onnx_set_real(context, "high", anole_onnx_get_real(context, "max", 0));
    }
    context->outputs[0] = anole_onnx_done(context, y);
}

static void plain_binary(struct anole_onnx_context *context)
{
    context->outputs[0] =
        anole_onnx_binary(context, context->translator->function, anole_onnx_need(context, 0),
                          anole_onnx_need(context, 1));
}

static void mod(struct anole_onnx_context *context)
{
    context->outputs[0] =
        anole_onnx_binary(context, anole_onnx_get_int(context, "fmod", 0) ? "fmod" : "mod",
                          anole_onnx_need(context, 0), anole_onnx_need(context, 1));
}

/* Any number of operands, two at a time. */
static size_t chain(struct anole_onnx_context *context, const char *function)
{
    size_t sum = anole_onnx_need(context, 0);
    for (size_t i = 1; i < context->node->input_count; i++)
        sum = anole_onnx_binary(context, function, sum, anole_onnx_need(context, i));
    return sum;
}

static void variadic(struct anole_onnx_context *context)
{
    context->outputs[0] = chain(context, context->translator->function);
}

static void mean(struct anole_onnx_context *context)
{
    size_t sum = chain(context, "add");
    uint32_t dtype = anole_onnx_type(context, sum)->dtype;
    size_t count = anole_onnx_constant_real(context, dtype, (double)context->node->input_count);
    context->outputs[0] = anole_onnx_binary(context, "div", sum, count);
}

static void where(struct anole_onnx_context *context)
{
    const size_t inputs[] = {anole_onnx_need(context, 0), anole_onnx_need(context, 1),
                             anole_onnx_need(context, 2)};
    context->outputs[0] = anole_onnx_done(context, anole_onnx_add(context, "where", inputs, 3));
}

static void cast(struct anole_onnx_context *context)
{
    uint32_t dtype = anole_onnx_dtype(context, anole_onnx_get_int(context, "to", 0));
    context->outputs[0] = anole_onnx_cast(context, anole_onnx_need(context, 0), dtype);
}

static void cast_like(struct anole_onnx_context *context)
{
    size_t like = anole_onnx_need(context, 1);
    uint32_t dtype = anole_onnx_type(context, like)->dtype;
    context->outputs[0] = anole_onnx_cast(context, anole_onnx_need(context, 0), dtype);
}

/* In training a mask comes along; here nothing is dropped. */
static void dropout(struct anole_onnx_context *context)
{
    context->outputs[0] = anole_onnx_need(context, 0);
    if (anole_onnx_wants(context, 1)) {
        size_t shape = anole_onnx_done(
            context, anole_onnx_add1(context, "shape", anole_onnx_need(context, 0)));
        size_t yes = anole_onnx_constant_real(context, ANOLE_BOOL, 1);
        context->outputs[1] =
            anole_onnx_done(context, anole_onnx_add2(context, "constant_of_shape", shape, yes));
    }
    size_t training = anole_onnx_input(context, 2);
    const struct anole_operand *type = anole_onnx_type(context, training);
    if (training != ANOLE_NONE && (!type->data || anole_operand_int(type, 0)))
        anole_onnx_refuse(context, "it is in training mode; expected a network for inference");
}

static void identity(struct anole_onnx_context *context)
{
    context->outputs[0] = anole_onnx_need(context, 0);
}

const struct anole_onnx_translator anole_onnx_elementwise[] = {
    {"Abs", plain_unary, "abs"},
    {"Acos", plain_unary, "acos"},
    {"Acosh", plain_unary, "acosh"},
    {"Asin", plain_unary, "asin"},
    {"Asinh", plain_unary, "asinh"},
    {"Atan", plain_unary, "atan"},
    {"Atanh", plain_unary, "atanh"},
    {"Ceil", plain_unary, "ceil"},
    {"Celu", with_alpha_1, "celu"},
    {"Clip", clip, NULL},
    {"Cos", plain_unary, "cos"},
    {"Cosh", plain_unary, "cosh"},
    {"Elu", with_alpha_1, "elu"},
    {"Erf", plain_unary, "erf"},
    {"Exp", plain_unary, "exp"},
    {"Floor", plain_unary, "floor"},
    {"Gelu", gelu, NULL},
    {"HardSigmoid", hard_sigmoid, "hard_sigmoid"},
    {"HardSwish", plain_unary, "hard_swish"},
    {"IsInf", is_inf, NULL},
    {"IsNaN", plain_unary, "is_nan"},
    {"LeakyRelu", leaky_relu, "leaky_relu"},
    {"Log", plain_unary, "log"},
    {"Mish", plain_unary, "mish"},
    {"Neg", plain_unary, "neg"},
    {"Not", plain_unary, "not"},
    {"Reciprocal", plain_unary, "reciprocal"},
    {"Relu", plain_unary, "relu"},
    {"Round", plain_unary, "round"},
    {"Selu", selu, "selu"},
    {"Sigmoid", plain_unary, "sigmoid"},
    {"Sign", plain_unary, "sign"},
    {"Sin", plain_unary, "sin"},
    {"Sinh", plain_unary, "sinh"},
    {"Softplus", plain_unary, "softplus"},
    {"Softsign", plain_unary, "softsign"},
    {"Sqrt", plain_unary, "sqrt"},
    {"Swish", with_alpha_1, "silu"},
    {"Tan", plain_unary, "tan"},
    {"Tanh", plain_unary, "tanh"},
    {"ThresholdedRelu", with_alpha_1, "thresholded_relu"},

    {"Add", plain_binary, "add"},
    {"And", plain_binary, "and"},
    {"Div", plain_binary, "div"},
    {"Equal", plain_binary, "equal"},
    {"Greater", plain_binary, "greater"},
    {"GreaterOrEqual", plain_binary, "greater_or_equal"},
    {"Less", plain_binary, "less"},
    {"LessOrEqual", plain_binary, "less_or_equal"},
    {"Mod", mod, NULL},
    {"Mul", plain_binary, "mul"},
    {"Or", plain_binary, "or"},
    {"Pow", plain_binary, "pow"},
    {"PRelu", plain_binary, "prelu"},
    {"Sub", plain_binary, "sub"},
    {"Xor", plain_binary, "xor"},

    {"Max", variadic, "max"},
    {"Mean", mean, NULL},
    {"Min", variadic, "min"},
    {"Sum", variadic, "add"},

    {"Where", where, NULL},
    {"Cast", cast, NULL},
    {"CastLike", cast_like, NULL},
    {"Dropout", dropout, NULL},
    {"Identity", identity, NULL},
    {NULL, NULL, NULL},
};
