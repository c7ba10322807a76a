/* SPDX-License-Identifier: MIT
 *
 * Factors and offsets of channels, which is what batch normalisation comes to, are folded into
 * the convolution or dense layer that makes the channels:
 *
 *     f (conv(x, w) + b) + o = conv(x, f w) + (f b + o)
 *
 * in double, rounded once.  The convolution's value must be read by that one node alone.
 */
#include "graph/graph_passes.h"

#include <stdlib.h>
#include <string.h>

struct affine {
    struct anole_graph *graph;
    size_t *readers; /* of each tensor; outputs of the graph count */
    size_t tensors;  /* that there were when they were counted */
    const struct anole_op *binary;
    struct anole_error *error;
};

enum function { ADD, SUB, MUL, DIV, OTHER };

static enum function function_of(const struct affine *a, const struct anole_node *node)
{
    static const char *const names[] = {"add", "sub", "mul", "div"};
    if (node->op != a->binary)
        return OTHER;
    const char *name = anole_op_get_choice(node->op, node->attributes, "function");
    for (int i = 0; name && i < OTHER; i++)
        if (strcmp(name, names[i]) == 0)
            return (enum function)i;
    return OTHER;
}

static void count_readers(struct affine *a)
{
    for (size_t i = 0; i < a->graph->node_count; i++) {
        const struct anole_node *node = &a->graph->nodes[i];
        for (size_t j = 0; j < node->input_count; j++)
            if (node->inputs[j] != ANOLE_NONE)
                a->readers[node->inputs[j]]++;
        if (node->residual != ANOLE_NONE)
            a->readers[node->residual]++;
    }
    for (size_t i = 0; i < a->graph->output_count; i++)
        a->readers[a->graph->outputs[i]]++;
}

/* A constant that has one number for each of `channels`, or one for all. */
static bool is_per_channel(const struct anole_operand *type, int64_t channels)
{
    size_t elements = anole_operand_elements(type);
    if (!type->data || !anole_dtype_is_real(type->dtype))
        return false;
    if (elements == 1)
        return true;
    return type->rank > 0 && type->dims[type->rank - 1] == channels && elements == (size_t)channels;
}

/* The node that makes a value, reshaped or not, and can take a factor: weights are constants,
 * nothing is fused into it yet, nobody else reads what it makes. */
static struct anole_node *maker_of(const struct affine *a, size_t tensor, int64_t channels)
{
    struct anole_node *node;
    for (;;) {
        const struct anole_operand *type = &a->graph->tensors[tensor].type;
        size_t producer = a->graph->tensors[tensor].producer;
        if (tensor >= a->tensors || producer == ANOLE_NONE || a->readers[tensor] != 1 ||
            type->rank == 0 || type->dims[type->rank - 1] != channels)
            return NULL;
        node = &a->graph->nodes[producer];
        if (!(node->op->flags & ANOLE_OP_VIEW))
            break;
        tensor = node->inputs[0];
    }
    if (!(node->op->flags & ANOLE_OP_CHANNEL_WEIGHTS) ||
        a->graph->tensors[tensor].type.dtype != ANOLE_F32 || node->input_count < 2 ||
        node->activation != ANOLE_ACT_NONE || node->residual != ANOLE_NONE ||
        !anole_graph_is_constant(a->graph, node->inputs[1]))
        return NULL;
    bool fits = node->input_count < 3 || node->inputs[2] == ANOLE_NONE ||
                a->graph->tensors[node->inputs[2]].type.data;
    return fits ? node : NULL;
}

static double element(const struct anole_operand *type, size_t i)
{
    return anole_operand_real(type, anole_operand_elements(type) == 1 ? 0 : i);
}

/* The factors of channels as weights are multiplied by them. */
static enum anole_status add_factors(struct affine *a, size_t *tensor,
                                     const struct anole_operand *weights, bool last,
                                     const struct anole_operand *factor)
{
    const uint32_t at = last ? weights->rank - 1 : 0;
    struct anole_operand type = {.dtype = ANOLE_F32, .rank = weights->rank};
    size_t channels = (size_t)weights->dims[at];
    for (uint32_t i = 0; i < type.rank; i++)
        type.dims[i] = i == at ? weights->dims[i] : 1;
    float *values = malloc((channels + 1) * sizeof *values);
    if (!values)
        return anole_fail_memory(a->error);
    for (size_t i = 0; i < channels; i++)
        values[i] = (float)element(factor, i);
    type.data = values;
    enum anole_status status =
        anole_graph_add_constant(a->graph, tensor, NULL, &type, false, a->error);
    free(values);
    return status;
}

/* New weights: each channel's times its factor.  Channels are the first dimension of most, and
 * the last where the operator says so. */
static enum anole_status scale_weights(struct affine *a, struct anole_node *node,
                                       const struct anole_operand *factor, bool divide)
{
    const struct anole_operand type = a->graph->tensors[node->inputs[1]].type;
    const bool last = node->op->flags & ANOLE_OP_CHANNELS_LAST_WEIGHTS;
    size_t inputs[] = {node->inputs[1], ANOLE_NONE}, weights;
    void *attributes = calloc(1, a->binary->attribute_bytes);
    if (!attributes)
        return anole_fail_memory(a->error);
    enum anole_status status =
        anole_op_set_choice(a->binary, attributes, "function", divide ? "div" : "mul", a->error);
    if (status == ANOLE_DONE)
        status = add_factors(a, &inputs[1], &type, last, factor);
    if (status == ANOLE_DONE)
        status = anole_graph_derive(a->graph, &weights, a->graph->tensors[inputs[0]].name,
                                    a->binary, attributes, inputs, 2, a->error);
    free(attributes);
    if (status == ANOLE_DONE)
        node->inputs[1] = weights;
    return status;
}

/* The bias, or zeroes, times a factor (NULL: none) plus an offset (NULL: none). */
static enum anole_status change_bias(struct affine *a, struct anole_node *node, int64_t channels,
                                     enum function function, const struct anole_operand *number)
{
    size_t old = node->input_count > 2 ? node->inputs[2] : ANOLE_NONE, bias;
    if (old == ANOLE_NONE && (function == MUL || function == DIV))
        return ANOLE_DONE;
    float *to = malloc(((size_t)channels + 1) * sizeof *to);
    if (!to)
        return anole_fail_memory(a->error);
    for (size_t i = 0; i < (size_t)channels; i++) {
        double b = old == ANOLE_NONE ? 0 : element(&a->graph->tensors[old].type, i);
        double n = element(number, i);
        to[i] = (float)(function == ADD   ? b + n
                        : function == SUB ? b - n
                        : function == MUL ? b * n
                                          : b / n);
    }
    const struct anole_operand type = {
        .dtype = ANOLE_F32, .rank = 1, .dims = {channels}, .data = to};
    enum anole_status status =
        anole_graph_add_constant(a->graph, &bias, NULL, &type, false, a->error);
    free(to);
    if (status)
        return status;
    if (node->input_count < 3) {
        size_t *inputs = realloc(node->inputs, 3 * sizeof *inputs);
        if (!inputs)
            return anole_fail_memory(a->error);
        node->inputs = inputs;
        node->input_count = 3;
    }
    node->inputs[2] = bias;
    return ANOLE_DONE;
}

/* Folds a node into the one before it, which then makes its output. */
static enum anole_status fold(struct affine *a, struct anole_node *node, enum function function)
{
    size_t x = node->inputs[0], number = node->inputs[1];
    if (a->graph->tensors[x].type.data && (function == ADD || function == MUL)) {
        x = node->inputs[1];
        number = node->inputs[0];
    }
    const struct anole_operand type = a->graph->tensors[x].type;
    const struct anole_operand numbers = a->graph->tensors[number].type;
    int64_t channels = type.rank > 0 ? type.dims[type.rank - 1] : 0;
    if (numbers.rank > type.rank || !is_per_channel(&numbers, channels))
        return ANOLE_DONE;
    struct anole_node *maker = maker_of(a, x, channels);
    if (!maker)
        return ANOLE_DONE;
    enum anole_status status = ANOLE_DONE;
    if (function == MUL || function == DIV)
        status = scale_weights(a, maker, &numbers, function == DIV);
    if (status == ANOLE_DONE)
        status = change_bias(a, maker, channels, function, &numbers);
    if (status)
        return status;
    struct anole_node *direct = &a->graph->nodes[a->graph->tensors[x].producer];
    /* Who made x makes the result; the node makes what nobody reads, and goes. */
    size_t result = node->outputs[0];
    direct->outputs[0] = result;
    a->graph->tensors[result].producer = a->graph->tensors[x].producer;
    a->graph->tensors[x].producer = ANOLE_NONE;
    node->outputs[0] = x;
    a->readers[x] = 0;
    return ANOLE_DONE;
}

enum anole_status anole_graph_affine(struct anole_graph *graph, struct anole_error *error)
{
    struct affine a = {.graph = graph,
                       .readers = calloc(graph->tensor_count + 1, sizeof *a.readers),
                       .tensors = graph->tensor_count,
                       .binary = anole_op_find("binary"),
                       .error = error};
    enum anole_status status = a.readers ? ANOLE_DONE : anole_fail_memory(error);
    if (status == ANOLE_DONE)
        count_readers(&a);
    size_t kept = 0;
    for (size_t i = 0; i < graph->node_count && status == ANOLE_DONE; i++) {
        enum function function = function_of(&a, &graph->nodes[i]);
        size_t result = graph->nodes[i].outputs[0];
        if (function != OTHER)
            status = fold(&a, &graph->nodes[i], function);
        kept += graph->nodes[i].outputs[0] == result;
    }
    free(a.readers);
    if (status == ANOLE_DONE && kept < graph->node_count)
        anole_graph_remove_dead(graph);
    return status;
}
