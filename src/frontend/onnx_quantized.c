/* SPDX-License-Identifier: MIT
 *
 * ONNX's operators on quantized numbers: (q - zero point) * scale is what q stands for.
 *
 * What is quantized is computed in f32: differences of bytes, their products, and sums of up to
 * 258 of these are whole numbers that f32 holds exactly; longer sums are rounded at the end.
 */
#include "frontend/onnx_translate.h"

#include <math.h>
#include <string.h>

/* What a vector of scales needs to meet axis `axis` of x. */
static size_t along_axis(struct anole_onnx_context *context, size_t vector, size_t x, int64_t axis)
{
    int64_t dims[ANOLE_MAX_RANK];
    uint32_t rank = anole_onnx_rank(context, x);
    if (context->status || anole_onnx_rank(context, vector) != 1 ||
        anole_onnx_type(context, vector)->dims[0] == 1)
        return vector;
    if (axis < 0)
        axis += rank;
    if (axis < 0 || axis >= rank) {
        anole_onnx_refuse(context, "axis is %lld; expected one of %u dimensions", (long long)axis,
                          rank);
        return ANOLE_NONE;
    }
    for (uint32_t i = 0; i < rank; i++)
        dims[i] = i == axis ? anole_onnx_type(context, vector)->dims[0] : 1;
    return anole_onnx_reshape(context, vector, dims, rank);
}

/* (x - zero point) * scale. */
static void dequantize(struct anole_onnx_context *context)
{
    size_t x = anole_onnx_need(context, 0), scale = anole_onnx_need(context, 1);
    size_t zero = anole_onnx_input(context, 2);
    int64_t axis = anole_onnx_get_int(context, "axis", 1);
    if (anole_onnx_get_int(context, "block_size", 0) != 0)
        anole_onnx_refuse(context, "blocked quantization is not supported");
    uint32_t dtype = anole_onnx_type(context, scale)->dtype;
    size_t y = anole_onnx_cast(context, x, dtype);
    if (zero != ANOLE_NONE)
        y = anole_onnx_binary(context, "sub", y,
                              along_axis(context, anole_onnx_cast(context, zero, dtype), x, axis));
    context->outputs[0] = anole_onnx_binary(context, "mul", y, along_axis(context, scale, x, axis));
}

/* x as real numbers, less the zero point. */
static size_t centre(struct anole_onnx_context *context, size_t x, size_t zero, int64_t axis)
{
    size_t y = anole_onnx_cast(context, x, ANOLE_F32);
    if (zero == ANOLE_NONE)
        return y;
    return anole_onnx_binary(
        context, "sub", y, along_axis(context, anole_onnx_cast(context, zero, ANOLE_F32), x, axis));
}

/* Rounds x, which is in steps of the scale already; adds the zero point, and keeps what the type
 * holds. */
static size_t saturate(struct anole_onnx_context *context, size_t x, size_t zero, uint32_t dtype)
{
    const double low = dtype == ANOLE_I8 ? -128 : dtype == ANOLE_I16 ? -32768 : 0;
    const double high = dtype == ANOLE_I8    ? 127
                        : dtype == ANOLE_U8  ? 255
                        : dtype == ANOLE_I16 ? 32767
                                             : 65535;
    if (context->status == ANOLE_DONE && dtype != ANOLE_I8 && dtype != ANOLE_U8 &&
        dtype != ANOLE_I16 && dtype != ANOLE_U16)
        anole_onnx_refuse(context, "it makes neither int8, uint8, int16 nor uint16");
    size_t y = anole_onnx_unary(context, "round", x);
    if (zero != ANOLE_NONE)
        y = anole_onnx_binary(context, "add", y, zero);
    y = anole_onnx_add1(context, "unary", y);
    anole_onnx_set_choice(context, "function", "clip");
    anole_onnx_set_real(context, "low", low);
    anole_onnx_set_real(context, "high", high);
    return anole_onnx_cast(context, anole_onnx_done(context, y), dtype);
}

/* The same, where the zero point says the type. */
static size_t saturate_as(struct anole_onnx_context *context, size_t x, size_t zero)
{
    uint32_t dtype = anole_onnx_type(context, zero)->dtype;
    return saturate(context, x, anole_onnx_cast(context, zero, ANOLE_F32), dtype);
}

static void quantize(struct anole_onnx_context *context)
{
    size_t x = anole_onnx_need(context, 0), scale = anole_onnx_need(context, 1);
    size_t zero = anole_onnx_input(context, 2);
    int64_t axis = anole_onnx_get_int(context, "axis", 1);
    int64_t element = anole_onnx_get_int(context, "output_dtype", 0);
    uint32_t dtype = zero != ANOLE_NONE ? anole_onnx_type(context, zero)->dtype
                     : element != 0     ? anole_onnx_dtype(context, element)
                                        : ANOLE_U8;
    if (anole_onnx_get_int(context, "block_size", 0) != 0)
        anole_onnx_refuse(context, "blocked quantization is not supported");
    size_t y =
        anole_onnx_binary(context, "div", anole_onnx_cast(context, x, ANOLE_F32),
                          anole_onnx_cast(context, along_axis(context, scale, x, axis), ANOLE_F32));
    if (zero != ANOLE_NONE)
        zero = along_axis(context, anole_onnx_cast(context, zero, ANOLE_F32), x, axis);
    context->outputs[0] = saturate(context, y, zero, dtype);
}

/* The scale is such that the range of x, and 0, take all of uint8. */
static void dynamic_quantize(struct anole_onnx_context *context)
{
    size_t x = anole_onnx_need(context, 0);
    size_t nothing = anole_onnx_constant_real(context, ANOLE_F32, 0);
    size_t high = anole_onnx_binary(context, "max",
                                    anole_onnx_reduce(context, "max", x, NULL, false), nothing);
    size_t low = anole_onnx_binary(context, "min",
                                   anole_onnx_reduce(context, "min", x, NULL, false), nothing);
    size_t scale = anole_onnx_binary(context, "div", anole_onnx_binary(context, "sub", high, low),
                                     anole_onnx_constant_real(context, ANOLE_F32, 255));
    /* Where all of x is 0, any scale will do. */
    size_t divisor = anole_onnx_binary(context, "max", scale,
                                       anole_onnx_constant_real(context, ANOLE_F32, 0x1p-120));
    size_t zero = anole_onnx_binary(context, "div", low, divisor);
    zero = saturate(context, anole_onnx_unary(context, "neg", zero), ANOLE_NONE, ANOLE_U8);
    context->outputs[0] = saturate_as(context, anole_onnx_binary(context, "div", x, divisor), zero);
    if (context->node->output_count > 1)
        context->outputs[1] = scale;
    if (context->node->output_count > 2)
        context->outputs[2] = zero;
}

/* Zero points of the rows of a matrix: [m] as [m, 1]. */
static size_t of_rows(struct anole_onnx_context *context, size_t zero)
{
    const struct anole_operand *type = anole_onnx_type(context, zero);
    if (context->status || type->rank != 1 || type->dims[0] == 1)
        return zero;
    const int64_t dims[] = {type->dims[0], 1};
    return anole_onnx_reshape(context, zero, dims, 2);
}

static void matmul_integer(struct anole_onnx_context *context)
{
    size_t a = centre(context, anole_onnx_need(context, 0),
                      of_rows(context, anole_onnx_input(context, 2)), -2);
    size_t b = centre(context, anole_onnx_need(context, 1), anole_onnx_input(context, 3), -1);
    context->outputs[0] = anole_onnx_cast(context, anole_onnx_product(context, a, b), ANOLE_I32);
}

/* The convolution of x and weights, centred: whole numbers. */
static size_t convolve(struct anole_onnx_context *context, size_t x, size_t weights, size_t bias)
{
    if (context->status)
        return ANOLE_NONE;
    context->inputs[0] = x;
    context->inputs[1] = weights;
    if (context->node->input_count > 2)
        context->inputs[2] = bias;
    anole_onnx_conv(context);
    return anole_onnx_unary(context, "round", context->outputs[0]);
}

static void conv_integer(struct anole_onnx_context *context)
{
    size_t x = centre(context, anole_onnx_need(context, 0), anole_onnx_input(context, 2), 1);
    size_t weights = centre(context, anole_onnx_need(context, 1), anole_onnx_input(context, 3), 0);
    context->outputs[0] =
        anole_onnx_cast(context, convolve(context, x, weights, ANOLE_NONE), ANOLE_I32);
}

/* What a product of quantized numbers is worth in steps of the output's scale. */
static size_t factor(struct anole_onnx_context *context, size_t a, size_t b, size_t out)
{
    return anole_onnx_binary(context, "div", anole_onnx_binary(context, "mul", a, b), out);
}

static void qlinear_conv(struct anole_onnx_context *context)
{
    size_t bias = anole_onnx_input(context, 8);
    size_t scale = factor(context, anole_onnx_need(context, 1), anole_onnx_need(context, 4),
                          anole_onnx_need(context, 6));
    size_t zero = anole_onnx_need(context, 7);
    size_t x = centre(context, anole_onnx_need(context, 0), anole_onnx_need(context, 2), 1);
    size_t weights = centre(context, anole_onnx_need(context, 3), anole_onnx_need(context, 5), 0);
    if (bias != ANOLE_NONE)
        bias = anole_onnx_cast(context, bias, ANOLE_F32);
    size_t y = convolve(context, x, weights, bias);
    y = anole_onnx_binary(context, "mul", y, along_axis(context, scale, y, 1));
    context->outputs[0] = saturate_as(context, y, zero);
}

static void qlinear_matmul(struct anole_onnx_context *context)
{
    size_t scale = factor(context, of_rows(context, anole_onnx_need(context, 1)),
                          anole_onnx_need(context, 4), anole_onnx_need(context, 6));
    size_t a = centre(context, anole_onnx_need(context, 0),
                      of_rows(context, anole_onnx_need(context, 2)), -2);
    size_t b = centre(context, anole_onnx_need(context, 3), anole_onnx_need(context, 5), -1);
    size_t y = anole_onnx_binary(context, "mul", anole_onnx_product(context, a, b), scale);
    context->outputs[0] = saturate_as(context, y, anole_onnx_need(context, 7));
}

/* ------------------------------------------------- of the domain com.microsoft */

/* What inputs i, its scale i + 1 and its zero point i + 2 stand for. */
static size_t real_of(struct anole_onnx_context *context, size_t i)
{
    size_t x = centre(context, anole_onnx_need(context, i), anole_onnx_input(context, i + 2), 1);
    return anole_onnx_binary(context, "mul", x, anole_onnx_need(context, i + 1));
}

/* y by the scale that is input i, and the zero point after it. */
static size_t stored(struct anole_onnx_context *context, size_t y, size_t i)
{
    const size_t zero = anole_onnx_input(context, i + 1);
    y = anole_onnx_binary(context, "div", y, anole_onnx_need(context, i));
    return zero == ANOLE_NONE ? saturate(context, y, zero, ANOLE_U8)
                              : saturate_as(context, y, zero);
}

static void qlinear_binary(struct anole_onnx_context *context)
{
    const size_t y = anole_onnx_binary(context, context->translator->function, real_of(context, 0),
                                       real_of(context, 3));
    context->outputs[0] = stored(context, y, 6);
}

static void qlinear_unary(struct anole_onnx_context *context)
{
    const bool leaky = strcmp(context->translator->function, "leaky_relu") == 0;
    size_t y = anole_onnx_add1(context, "unary", real_of(context, 0));
    anole_onnx_set_choice(context, "function", context->translator->function);
    if (leaky)
        anole_onnx_set_real(context, "alpha", anole_onnx_get_real(context, "alpha", 0.01f));
    context->outputs[0] = stored(context, anole_onnx_done(context, y), 3);
}

static void qlinear_global_average(struct anole_onnx_context *context)
{
    const size_t x = real_of(context, 0);
    const uint32_t last = anole_onnx_get_int(context, "channels_last", 0) != 0;
    struct anole_ints axes = {.count = 0};
    for (uint32_t i = 2; i < anole_onnx_rank(context, x); i++)
        axes.values[axes.count++] = i - last;
    context->outputs[0] = stored(context, anole_onnx_reduce(context, "mean", x, &axes, true), 3);
}

static void qlinear_concat(struct anole_onnx_context *context)
{
    size_t parts[ANOLE_MAX_OPERANDS], count = 0;
    for (size_t i = 2; i + 1 < context->node->input_count && count < ANOLE_MAX_OPERANDS; i += 3)
        parts[count++] = real_of(context, i);
    if (2 + 3 * count != context->node->input_count)
        anole_onnx_refuse(context,
                          "it has %zu inputs; expected two, and three for each of up to %d "
                          "parts",
                          context->node->input_count, ANOLE_MAX_OPERANDS);
    const size_t y = anole_onnx_add(context, "concat", parts, count);
    anole_onnx_set_int(context, "axis", anole_onnx_get_int(context, "axis", 0));
    context->outputs[0] = stored(context, anole_onnx_done(context, y), 0);
}

static size_t swap_rows(struct anole_onnx_context *context, size_t matrix, const char *attribute)
{
    static const int64_t perm[] = {1, 0};
    return anole_onnx_get_int(context, attribute, 0) != 0
               ? anole_onnx_transpose(context, matrix, perm, 2)
               : matrix;
}

/* alpha a b + c, of whole numbers; c is in steps of alpha times both scales. */
static void qgemm(struct anole_onnx_context *context)
{
    const size_t bias = anole_onnx_input(context, 6);
    const int64_t columns = anole_onnx_get_int(context, "transB", 0) != 0 ? 0 : 1;
    size_t a = centre(context, anole_onnx_need(context, 0), anole_onnx_input(context, 2), 1);
    size_t b = centre(context, anole_onnx_need(context, 3), anole_onnx_input(context, 5), columns);
    size_t y = anole_onnx_product(context, swap_rows(context, a, "transA"),
                                  swap_rows(context, b, "transB"));
    if (bias != ANOLE_NONE)
        y = anole_onnx_binary(context, "add", y, anole_onnx_cast(context, bias, ANOLE_F32));
    y = anole_onnx_binary(context, "mul", y,
                          anole_onnx_binary(context, "mul", anole_onnx_need(context, 1),
                                            anole_onnx_need(context, 4)));
    y = anole_onnx_binary(
        context, "mul", y,
        anole_onnx_constant_real(context, ANOLE_F32, anole_onnx_get_real(context, "alpha", 1)));
    context->outputs[0] = anole_onnx_input(context, 7) == ANOLE_NONE ? y : stored(context, y, 7);
}

const struct anole_onnx_translator anole_onnx_microsoft_quantized[] = {
    {"QGemm", qgemm, NULL},
    {"QLinearAdd", qlinear_binary, "add"},
    {"QLinearConcat", qlinear_concat, NULL},
    {"QLinearGlobalAveragePool", qlinear_global_average, NULL},
    {"QLinearLeakyRelu", qlinear_unary, "leaky_relu"},
    {"QLinearMul", qlinear_binary, "mul"},
    {"QLinearSigmoid", qlinear_unary, "sigmoid"},
    {NULL, NULL, NULL},
};

const struct anole_onnx_translator anole_onnx_quantized[] = {
    {"ConvInteger", conv_integer, NULL},
    {"DequantizeLinear", dequantize, NULL},
    {"DynamicQuantizeLinear", dynamic_quantize, NULL},
    {"MatMulInteger", matmul_integer, NULL},
    {"QLinearConv", qlinear_conv, NULL},
    {"QLinearMatMul", qlinear_matmul, NULL},
    {"QuantizeLinear", quantize, NULL},
    {NULL, NULL, NULL},
};
