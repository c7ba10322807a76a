/* SPDX-License-Identifier: MIT
 *
 * Operators of the domain com.microsoft that ONNX Runtime writes when it saves what it made of a
 * file: what several of ONNX's operators were, in one.  Those on quantized numbers are in
 * onnx_quantized.c.
 */
#include "frontend/onnx_translate.h"

#include <string.h>

/* f(x + bias); the bias may be absent. */
static void biased(struct anole_onnx_context *context)
{
    size_t x = anole_onnx_need(context, 0), bias = anole_onnx_input(context, 1);
    if (bias != ANOLE_NONE)
        x = anole_onnx_binary(context, "add", x, bias);
    context->outputs[0] = anole_onnx_unary(context, context->translator->function, x);
}

static void quick_gelu(struct anole_onnx_context *context)
{
    size_t y = anole_onnx_add1(context, "unary", anole_onnx_need(context, 0));
    anole_onnx_set_choice(context, "function", "silu");
    anole_onnx_set_real(context, "alpha", anole_onnx_get_real(context, "alpha", 1.702f));
    context->outputs[0] = anole_onnx_done(context, y);
}

/* The matrix with its last two dimensions exchanged, if the attribute says so. */
static size_t swap_if(struct anole_onnx_context *context, size_t matrix, const char *attribute)
{
    int64_t perm[ANOLE_MAX_RANK];
    const uint32_t rank = anole_onnx_rank(context, matrix);
    if (anole_onnx_get_int(context, attribute, 0) == 0 || rank < 2)
        return matrix;
    for (uint32_t i = 0; i < rank; i++)
        perm[i] = i;
    perm[rank - 1] = rank - 2;
    perm[rank - 2] = rank - 1;
    return anole_onnx_transpose(context, matrix, perm, rank);
}

static void fused_matmul(struct anole_onnx_context *context)
{
    size_t a = anole_onnx_need(context, 0), b = anole_onnx_need(context, 1);
    const double alpha = anole_onnx_get_real(context, "alpha", 1);
    if (anole_onnx_get_int(context, "transBatchA", 0) ||
        anole_onnx_get_int(context, "transBatchB", 0))
        anole_onnx_refuse(context, "it exchanges dimensions of batches (transBatchA, transBatchB); "
                                   "expected the last two alone");
    size_t y =
        anole_onnx_product(context, swap_if(context, a, "transA"), swap_if(context, b, "transB"));
    if (alpha != 1.0)
        y = anole_onnx_binary(
            context, "mul", y,
            anole_onnx_constant_real(context, anole_onnx_type(context, a)->dtype, alpha));
    context->outputs[0] = y;
}

/* The activation that a convolution ends with, with its parameters. */
static size_t activate(struct anole_onnx_context *context, size_t x)
{
    static const struct {
        const char *name, *function;
        const char *parameters[2];
    } known[] = {{"Relu", "relu", {NULL, NULL}},
                 {"Sigmoid", "sigmoid", {NULL, NULL}},
                 {"Tanh", "tanh", {NULL, NULL}},
                 {"LeakyRelu", "leaky_relu", {"alpha", NULL}},
                 {"Clip", "clip", {"low", "high"}},
                 {"HardSigmoid", "hard_sigmoid", {"alpha", "beta"}},
                 {"HardSwish", "hard_swish", {NULL, NULL}}};
    const char *name = anole_onnx_get_text(context, "activation", "");
    const struct anole_onnx_attribute *numbers =
        anole_onnx_need_kind(context, "activation_params", ANOLE_ONNX_ATTRIBUTE_FLOATS);
    size_t i = 0;
    if (!*name)
        return x;
    while (i < sizeof known / sizeof *known && strcmp(known[i].name, name) != 0)
        i++;
    if (i == sizeof known / sizeof *known) {
        anole_onnx_refuse(context, "its activation is not known; expected Relu, Sigmoid, Tanh, "
                                   "LeakyRelu, Clip, HardSigmoid or HardSwish");
        return ANOLE_NONE;
    }
    size_t y = anole_onnx_add1(context, "unary", x);
    anole_onnx_set_choice(context, "function", known[i].function);
    for (size_t k = 0; k < 2 && known[i].parameters[k]; k++) {
        if (!numbers || numbers->count <= k)
            anole_onnx_refuse(context, "its activation %s lacks parameters", name);
        else
            anole_onnx_set_real(context, known[i].parameters[k], (double)numbers->floats[k]);
    }
    return anole_onnx_done(context, y);
}

/* A convolution, what is added to it, and an activation. */
static void fused_conv(struct anole_onnx_context *context)
{
    const size_t addend = anole_onnx_input(context, 3);
    anole_onnx_conv(context);
    size_t y = context->outputs[0];
    if (addend != ANOLE_NONE)
        y = anole_onnx_binary(context, "add", y, addend);
    context->outputs[0] = activate(context, y);
}

/* Layer normalisation of input + skip + bias; the fourth output is that sum. */
static void skip_layer_normalization(struct anole_onnx_context *context)
{
    const size_t gamma = anole_onnx_need(context, 2), beta = anole_onnx_input(context, 3);
    const size_t bias = anole_onnx_input(context, 4);
    size_t sum =
        anole_onnx_binary(context, "add", anole_onnx_need(context, 0), anole_onnx_need(context, 1));
    if (bias != ANOLE_NONE)
        sum = anole_onnx_binary(context, "add", sum, bias);
    const size_t inputs[] = {sum, gamma, beta};
    const size_t y = anole_onnx_add(context, "layer_norm", inputs, beta == ANOLE_NONE ? 2 : 3);
    anole_onnx_set_int(context, "axis", -1);
    anole_onnx_set_real(context, "epsilon", anole_onnx_get_real(context, "epsilon", 1e-12f));
    context->outputs[0] = anole_onnx_done(context, y);
    if (context->node->output_count > 3)
        context->outputs[3] = sum;
}

const struct anole_onnx_translator anole_onnx_microsoft[] = {
    {"BiasGelu", biased, "gelu"},
    {"FastGelu", biased, "gelu_tanh"},
    {"FusedConv", fused_conv, NULL},
    {"FusedMatMul", fused_matmul, NULL},
    {"Gelu", biased, "gelu"},
    {"QuickGelu", quick_gelu, NULL},
    {"SkipLayerNormalization", skip_layer_normalization, NULL},
    {NULL, NULL, NULL},
};
