/* SPDX-License-Identifier: MIT
 *
 * ONNX's matrix products and recurrent layers.
 */
#include "frontend/onnx_translate.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ------------------------------------------------------------------ products */

/* x [..., c] times a constant matrix, given as [k][c], is a dense layer, which is tuned. */
static size_t dense(struct anole_onnx_context *context, size_t x, size_t weights, size_t bias)
{
    const struct anole_operand type = *anole_onnx_type(context, x);
    const struct anole_operand shape = *anole_onnx_type(context, weights);
    int64_t rows = 1, dims[ANOLE_MAX_RANK];
    if (context->status)
        return ANOLE_NONE;
    for (uint32_t i = 0; i + 1 < type.rank; i++)
        rows *= dims[i] = type.dims[i];
    dims[type.rank - 1] = shape.dims[0];
    const int64_t flat[] = {rows, 1, 1, type.dims[type.rank - 1]};
    const size_t inputs[] = {anole_onnx_reshape(context, x, flat, 4), weights, bias};
    size_t y = anole_onnx_done(
        context, anole_onnx_add(context, "dense", inputs, bias == ANOLE_NONE ? 2 : 3));
    return anole_onnx_reshape(context, y, dims, type.rank);
}

static size_t swap(struct anole_onnx_context *context, size_t matrix)
{
    static const int64_t perm[] = {1, 0};
    return anole_onnx_transpose(context, matrix, perm, 2);
}

/* Whether a product is that of all rows on the left with one matrix on the right: of its
 * dimensions before the last two each is 1, and there are no more than on the left. */
static bool is_one_matrix(const struct anole_operand *left, const struct anole_operand *right)
{
    if (right->rank < 2 || left->rank < right->rank ||
        left->dims[left->rank - 1] != right->dims[right->rank - 2])
        return false;
    for (uint32_t i = 0; i + 2 < right->rank; i++)
        if (right->dims[i] != 1)
            return false;
    return true;
}

/* Where the last two dimensions of b were exchanged to make it, *b without that exchange. */
static bool untranspose(struct anole_onnx_context *context, size_t *b)
{
    const struct anole_graph *graph = context->graph;
    const uint32_t rank = anole_onnx_rank(context, *b);
    const size_t producer = rank < 2 ? ANOLE_NONE : graph->tensors[*b].producer;
    struct anole_ints perm = {.count = 0};
    bool moved = false;
    if (producer == ANOLE_NONE || strcmp(graph->nodes[producer].op->name, "transpose") != 0)
        return false;
    const struct anole_node *node = &graph->nodes[producer];
    const size_t x = node->inputs[0];
    if (!anole_op_get_ints(node->op, node->attributes, "perm", &perm) || perm.count != rank ||
        perm.values[rank - 2] < perm.values[rank - 1])
        return false;
    const int64_t last = perm.values[rank - 1];
    perm.values[rank - 1] = perm.values[rank - 2];
    perm.values[rank - 2] = last;
    for (uint32_t i = 0; i < rank; i++)
        moved |= perm.values[i] != i;
    *b = moved ? anole_onnx_transpose(context, x, perm.values, rank) : x;
    return true;
}

/* Below this many products that each element of a copy takes part in, copying is not worth it. */
#define LEAST_REUSE 16
#define MOST_CONSTANT ((size_t)1 << 20) /* elements of a constant that is repeated */

/* One side of a product as many matrices as both broadcast to, batch->dims[batch->rank]: itself
 * where it has as many, or where `reuse`, the number of products of each element, is small. */
static size_t repeat(struct anole_onnx_context *context, size_t matrix,
                     const struct anole_operand *batch, int64_t reuse)
{
    const struct anole_operand type = *anole_onnx_type(context, matrix);
    struct anole_ints shape = {.count = 0};
    size_t elements = 1;
    bool same = true;
    for (uint32_t i = 0; i < batch->rank; i++) {
        const uint32_t behind = batch->rank - i + 2; /* places from the end */
        same &= (type.rank >= behind ? type.dims[type.rank - behind] : 1) == batch->dims[i];
        shape.values[shape.count++] = batch->dims[i];
        elements *= (size_t)batch->dims[i];
    }
    for (uint32_t i = type.rank - 2; i < type.rank; i++) {
        shape.values[shape.count++] = type.dims[i];
        elements *= (size_t)type.dims[i];
    }
    if (same || reuse < LEAST_REUSE || (type.data && elements > MOST_CONSTANT))
        return matrix;
    size_t y = anole_onnx_add1(context, "expand", matrix);
    anole_onnx_set_ints(context, "shape", &shape);
    return anole_onnx_done(context, y);
}

/* Tuned kernels multiply each matrix of one side with one of the other.  Where matrices broadcast
 * to others, copies of them are cheap beside the products; one on the right is cheaper still, as
 * the rows of all on the left are those of one. */
static void match_batches(struct anole_onnx_context *context, size_t *a, size_t *b, bool transposed)
{
    const struct anole_operand left = *anole_onnx_type(context, *a);
    const struct anole_operand right = *anole_onnx_type(context, *b);
    if (context->status || left.rank < 2 || right.rank < 2 || left.dtype != right.dtype ||
        left.dtype != ANOLE_F32)
        return;
    struct anole_operand before[2] = {left, right}, batch = {.rank = 0};
    before[0].rank -= 2;
    before[1].rank -= 2;
    if (anole_operand_broadcast(&batch, &before[0], &before[1], NULL)) /* is refused later */
        return;
    const size_t all = anole_operand_elements(&batch);
    if (all < 2 || all == SIZE_MAX ||
        (anole_operand_elements(&before[1]) == 1 && anole_operand_elements(&before[0]) == all))
        return;
    *a = repeat(context, *a, &batch, right.dims[right.rank - (transposed ? 2 : 1)]);
    *b = repeat(context, *b, &batch, left.dims[left.rank - 2]);
}

size_t anole_onnx_product(struct anole_onnx_context *context, size_t a, size_t b)
{
    const struct anole_operand *left = anole_onnx_type(context, a);
    const struct anole_operand *right = anole_onnx_type(context, b);
    if (context->status)
        return ANOLE_NONE;
    if (anole_graph_is_constant(context->graph, b) && is_one_matrix(left, right) &&
        left->dtype == ANOLE_F32 && right->dtype == ANOLE_F32 && anole_operand_elements(left) > 0 &&
        anole_operand_elements(right) > 0) {
        const int64_t dims[] = {right->dims[right->rank - 2], right->dims[right->rank - 1]};
        b = right->rank == 2 ? b : anole_onnx_reshape(context, b, dims, 2);
        return dense(context, a, swap(context, b), ANOLE_NONE);
    }
    bool transposed = untranspose(context, &b);
    match_batches(context, &a, &b, transposed);
    size_t y = anole_onnx_add2(context, "matmul", a, b);
    anole_onnx_set_bool(context, "transpose_b", transposed);
    return anole_onnx_done(context, y);
}

static void matmul(struct anole_onnx_context *context)
{
    context->outputs[0] =
        anole_onnx_product(context, anole_onnx_need(context, 0), anole_onnx_need(context, 1));
}

/* `matrix` times a number, unless that is 1. */
static size_t scale(struct anole_onnx_context *context, size_t matrix, double factor)
{
    if (factor == 1.0)
        return matrix;
    uint32_t dtype = anole_onnx_type(context, matrix)->dtype;
    return anole_onnx_binary(context, "mul", matrix,
                             anole_onnx_constant_real(context, dtype, factor));
}

/* C as one number a column, if it is that: [k], [1, k]. */
static size_t column_bias(struct anole_onnx_context *context, size_t c, int64_t columns)
{
    const struct anole_operand *type = anole_onnx_type(context, c);
    if (context->status || c == ANOLE_NONE || !anole_graph_is_constant(context->graph, c) ||
        anole_operand_elements(type) != (size_t)columns || type->rank == 0 ||
        type->dims[type->rank - 1] != columns)
        return ANOLE_NONE;
    return type->rank == 1 ? c : anole_onnx_reshape(context, c, &columns, 1);
}

/* alpha A' B' + beta C. */
static void gemm(struct anole_onnx_context *context)
{
    size_t a = anole_onnx_need(context, 0), b = anole_onnx_need(context, 1);
    size_t c = anole_onnx_input(context, 2);
    double alpha = anole_onnx_get_real(context, "alpha", 1),
           beta = anole_onnx_get_real(context, "beta", 1);
    bool swap_b = anole_onnx_get_int(context, "transB", 0) != 0;
    if (anole_onnx_rank(context, a) != 2 || anole_onnx_rank(context, b) != 2)
        anole_onnx_refuse(context, "its operands have %u and %u dimensions; expected 2",
                          anole_onnx_rank(context, a), anole_onnx_rank(context, b));
    if (anole_onnx_get_int(context, "transA", 0) != 0)
        a = swap(context, a);
    if (c != ANOLE_NONE)
        c = scale(context, c, beta);
    const struct anole_operand *right = anole_onnx_type(context, b);
    bool constant = context->status == ANOLE_DONE && anole_graph_is_constant(context->graph, b) &&
                    right->dtype == ANOLE_F32 && anole_operand_elements(right) > 0;
    size_t y;
    if (constant) {
        size_t weights = scale(context, swap_b ? b : swap(context, b), alpha);
        int64_t columns = anole_onnx_type(context, weights)->dims[0];
        if (context->status == ANOLE_DONE &&
            anole_onnx_type(context, weights)->dims[1] != anole_onnx_type(context, a)->dims[1])
            anole_onnx_refuse(context, "rows of %" PRId64 " do not fit columns of %" PRId64,
                              anole_onnx_type(context, a)->dims[1],
                              anole_onnx_type(context, weights)->dims[1]);
        size_t bias = column_bias(context, c, columns);
        y = dense(context, a, weights, bias);
        if (bias != ANOLE_NONE)
            c = ANOLE_NONE;
    } else {
        y = anole_onnx_add2(context, "matmul", a, b);
        anole_onnx_set_bool(context, "transpose_b", swap_b);
        y = scale(context, anole_onnx_done(context, y), alpha);
    }
    context->outputs[0] = c == ANOLE_NONE ? y : anole_onnx_binary(context, "add", y, c);
}

/* ----------------------------------------------------------------- recurrent */

/* Functions by ONNX's names, and which parameters of the lists each takes. */
static const struct {
    const char *onnx, *ours;
    bool alpha, beta;
} functions[] = {
    {"Affine", "affine", true, true},
    {"Elu", "elu", true, false},
    {"HardSigmoid", "hard_sigmoid", true, true},
    {"LeakyRelu", "leaky_relu", true, false},
    {"Relu", "relu", false, false},
    {"ScaledTanh", "scaled_tanh", true, true},
    {"Sigmoid", "sigmoid", false, false},
    {"Softplus", "softplus", false, false},
    {"Softsign", "softsign", false, false},
    {"Tanh", "tanh", false, false},
    {"ThresholdedRelu", "thresholded_relu", true, false},
};
#define FUNCTION_COUNT (sizeof functions / sizeof *functions)

static size_t function_of(const char *name)
{
    size_t i = 0;
    while (i < FUNCTION_COUNT && strcasecmp(functions[i].onnx, name) != 0)
        i++;
    return i;
}

/* The lists of parameters are used up by the functions that take any, in turn. */
static void set_parameter(struct anole_onnx_context *context, const char *list, const char *ours,
                          size_t number, bool taken, size_t *next)
{
    char key[32];
    const struct anole_onnx_attribute *values = anole_onnx_attribute_find(context->node, list);
    if (!taken || !values || values->kind != ANOLE_ONNX_ATTRIBUTE_FLOATS || *next >= values->count)
        return;
    snprintf(key, sizeof key, "%s_%zu", ours, number);
    anole_onnx_set_real(context, key, (double)values->floats[(*next)++]);
}

static void set_functions(struct anole_onnx_context *context)
{
    const struct anole_onnx_attribute *names =
        anole_onnx_attribute_find(context->node, "activations");
    size_t next_alpha = 0, next_beta = 0;
    if (!names || names->kind != ANOLE_ONNX_ATTRIBUTE_STRINGS)
        return;
    for (size_t i = 0; i < names->count; i++) {
        char key[32];
        size_t function = function_of(names->strings[i].data);
        if (function == FUNCTION_COUNT) {
            anole_onnx_refuse(context, "an activation is not known");
            return;
        }
        snprintf(key, sizeof key, "activation_%zu", i + 1);
        anole_onnx_set_choice(context, key, functions[function].ours);
        set_parameter(context, "activation_alpha", "alpha", i + 1, functions[function].alpha,
                      &next_alpha);
        set_parameter(context, "activation_beta", "beta", i + 1, functions[function].beta,
                      &next_beta);
    }
}

/* With layout 1 the batch comes first everywhere. */
static size_t swap_first_two(struct anole_onnx_context *context, size_t x, bool swapped)
{
    static const int64_t perm[] = {1, 0, 2};
    return !swapped || x == ANOLE_NONE ? x : anole_onnx_transpose(context, x, perm, 3);
}

/* Columns first .. first + count - 1 of a matrix. */
static size_t cut(struct anole_onnx_context *context, size_t matrix, int64_t first, int64_t count)
{
    const struct anole_ints starts = {.count = 1, .values = {first}};
    const struct anole_ints ends = {.count = 1, .values = {first + count}};
    const struct anole_ints axes = {.count = 1, .values = {1}};
    size_t part = anole_onnx_add1(context, "slice", matrix);
    anole_onnx_set_ints(context, "starts", &starts);
    anole_onnx_set_ints(context, "ends", &ends);
    anole_onnx_set_ints(context, "axes", &axes);
    return anole_onnx_done(context, part);
}

/* The product of all steps of the input x, [steps][batch][c], with constant weights w,
 * [ways][gates][c], as a dense layer, which is tuned; b: [ways][2 * gates].  False: they are not
 * constant. */
static bool project(struct anole_onnx_context *context, size_t *x, size_t w, size_t b)
{
    const struct anole_operand *input = anole_onnx_type(context, *x);
    const struct anole_operand *weights = anole_onnx_type(context, w);
    const struct anole_operand *bias = anole_onnx_type(context, b);
    if (context->status || w == ANOLE_NONE || !anole_graph_is_constant(context->graph, w) ||
        weights->rank != 3 || input->rank != 3 || input->dims[2] != weights->dims[2] ||
        weights->dtype != ANOLE_F32 || input->dtype != ANOLE_F32 ||
        anole_operand_elements(input) == 0 || anole_operand_elements(weights) == 0)
        return false;
    const int64_t gates = weights->dims[1], all = weights->dims[0] * gates;
    const int64_t flat[] = {all, weights->dims[2]};
    if (b != ANOLE_NONE &&
        (!anole_graph_is_constant(context->graph, b) || bias->dtype != ANOLE_F32 ||
         bias->rank != 2 || bias->dims[0] != weights->dims[0] || bias->dims[1] != 2 * gates))
        return false;
    w = anole_onnx_reshape(context, w, flat, 2);
    if (b != ANOLE_NONE)
        b = anole_onnx_reshape(context, cut(context, b, 0, gates), &all, 1);
    *x = dense(context, *x, w, b);
    return context->status == ANOLE_DONE;
}

static void recurrent(struct anole_onnx_context *context)
{
    static const int64_t batch_first[] = {2, 0, 1, 3};
    const char *op = context->translator->function;
    bool swapped = anole_onnx_get_int(context, "layout", 0) != 0;
    bool lstm = strcmp(op, "lstm") == 0;
    size_t inputs[8], outputs[3], given = context->node->input_count;
    size_t most = lstm ? 8 : 6, made = lstm ? 3 : 2;
    for (size_t i = 0; i < most; i++)
        inputs[i] = anole_onnx_input(context, i);
    inputs[0] = swap_first_two(context, anole_onnx_need(context, 0), swapped);
    inputs[5] = swap_first_two(context, inputs[5], swapped);
    if (lstm)
        inputs[6] = swap_first_two(context, inputs[6], swapped);
    const struct anole_operand *r = anole_onnx_type(context, anole_onnx_need(context, 2));
    int64_t hidden = r->rank == 3 ? r->dims[2] : 0;
    bool projected = project(context, &inputs[0], inputs[1], inputs[3]);
    if (projected)
        inputs[1] = ANOLE_NONE;
    anole_onnx_add_many(context, op, inputs, given < most ? given : most, outputs, made);
    anole_onnx_set_int(context, "hidden_size", anole_onnx_get_int(context, "hidden_size", hidden));
    anole_onnx_set_bool(context, "projected", projected);
    anole_onnx_set_choice(context, "direction",
                          anole_onnx_get_text(context, "direction", "forward"));
    if (anole_onnx_has(context, "clip"))
        anole_onnx_set_real(context, "clip", anole_onnx_get_real(context, "clip", 0));
    if (lstm)
        anole_onnx_set_bool(context, "input_forget",
                            anole_onnx_get_int(context, "input_forget", 0) != 0);
    if (strcmp(op, "gru") == 0)
        anole_onnx_set_bool(context, "linear_before_reset",
                            anole_onnx_get_int(context, "linear_before_reset", 0) != 0);
    set_functions(context);
    anole_onnx_done(context, ANOLE_NONE);
    if (context->status)
        return;
    if (swapped && anole_onnx_wants(context, 0))
        outputs[0] = anole_onnx_transpose(context, outputs[0], batch_first, 4);
    for (size_t i = 0; i < made && i < context->node->output_count; i++)
        context->outputs[i] = i > 0 && anole_onnx_wants(context, i)
                                  ? swap_first_two(context, outputs[i], swapped)
                                  : outputs[i];
}

const struct anole_onnx_translator anole_onnx_products[] = {
    {"Gemm", gemm, NULL},     {"GRU", recurrent, "gru"}, {"LSTM", recurrent, "lstm"},
    {"MatMul", matmul, NULL}, {"RNN", recurrent, "rnn"}, {NULL, NULL, NULL},
};
