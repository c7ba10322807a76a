/* SPDX-License-Identifier: MIT
 *
 * Layer normalisation as files have it before opset 17, so that one node does it:
 *
 *     c = x - mean(x);  c / sqrt(mean(c^2) + epsilon) * scale + bias
 *
 * in eight nodes, of which the square is c * c or pow(c, 2), and c may be computed twice.  Means
 * are of the last dimensions; the scale, and the bias, which may be absent, are constant.
 */
#include "graph/graph_passes.h"

#include <stdlib.h>
#include <string.h>

/* What makes a tensor, if it is this function of an operator with this many inputs. */
static const struct anole_node *made_by(const struct anole_graph *graph, size_t tensor,
                                        const char *op, const char *function, size_t inputs)
{
    const size_t producer = tensor == ANOLE_NONE ? ANOLE_NONE : graph->tensors[tensor].producer;
    const struct anole_node *node = producer == ANOLE_NONE ? NULL : &graph->nodes[producer];
    if (!node || node->input_count != inputs || strcmp(node->op->name, op) != 0 ||
        node->activation != ANOLE_ACT_NONE || node->residual != ANOLE_NONE)
        return NULL;
    const char *found = anole_op_get_choice(node->op, node->attributes, "function");
    return found && strcmp(found, function) == 0 ? node : NULL;
}

/* A constant number; false: it is none. */
static bool number_of(const struct anole_graph *graph, size_t tensor, double *value)
{
    const struct anole_operand *type = &graph->tensors[tensor].type;
    if (tensor == ANOLE_NONE || !type->data || anole_operand_elements(type) != 1 ||
        !anole_dtype_is_real(type->dtype))
        return false;
    *value = anole_operand_real(type, 0);
    return true;
}

/* Whether a node is the mean over the last dimensions of x, which stay as 1; *first: of these. */
static bool is_mean(const struct anole_graph *graph, const struct anole_node *node, size_t x,
                    uint32_t *first)
{
    const struct anole_operand *type = &graph->tensors[x].type;
    const struct anole_operand *out = &graph->tensors[node->outputs[0]].type;
    struct anole_ints axes = {.count = 0};
    bool marked[ANOLE_MAX_RANK] = {false};
    if (node->inputs[0] != x || out->rank != type->rank || type->rank == 0 ||
        !anole_op_get_ints(node->op, node->attributes, "axes", &axes) || axes.count == 0)
        return false;
    *first = type->rank;
    for (uint32_t i = 0; i < axes.count; i++) {
        const int64_t axis = axes.values[i] < 0 ? axes.values[i] + type->rank : axes.values[i];
        if (axis < 0 || axis >= type->rank)
            return false;
        marked[axis] = true;
    }
    while (*first > 0 && marked[*first - 1])
        --*first;
    for (uint32_t i = 0; i < *first; i++)
        if (marked[i])
            return false;
    return *first < type->rank;
}

/* x, if a tensor is x less its mean over the dimensions from *first on; else ANOLE_NONE. */
static size_t centred_of(const struct anole_graph *graph, size_t tensor, uint32_t *first)
{
    const struct anole_node *less = made_by(graph, tensor, "binary", "sub", 2);
    const struct anole_node *mean =
        less ? made_by(graph, less->inputs[1], "reduce", "mean", 1) : NULL;
    return mean && is_mean(graph, mean, less->inputs[0], first) ? less->inputs[0] : ANOLE_NONE;
}

/* What a tensor is the square of; ANOLE_NONE: it is no square. */
static size_t squared_of(const struct anole_graph *graph, size_t tensor)
{
    double power;
    const struct anole_node *node = made_by(graph, tensor, "binary", "mul", 2);
    if (node)
        return node->inputs[0] == node->inputs[1] ? node->inputs[0] : ANOLE_NONE;
    node = made_by(graph, tensor, "binary", "pow", 2);
    return node && number_of(graph, node->inputs[1], &power) && power == 2 ? node->inputs[0]
                                                                           : ANOLE_NONE;
}

struct norm {
    size_t x, scale, bias;
    uint32_t first;
    double epsilon;
};

/* sqrt(mean(c^2) + epsilon), where c is what x was centred to. */
static bool find_deviation(const struct anole_graph *graph, struct norm *norm, size_t tensor)
{
    uint32_t first = 0, other = 0;
    const struct anole_node *root = made_by(graph, tensor, "unary", "sqrt", 1);
    const struct anole_node *sum =
        root ? made_by(graph, root->inputs[0], "binary", "add", 2) : NULL;
    if (!sum)
        return false;
    const int constant = graph->tensors[sum->inputs[0]].type.data ? 0 : 1;
    const struct anole_node *mean = made_by(graph, sum->inputs[!constant], "reduce", "mean", 1);
    if (!mean || !number_of(graph, sum->inputs[constant], &norm->epsilon) || norm->epsilon < 0)
        return false;
    const size_t c = squared_of(graph, mean->inputs[0]);
    return c != ANOLE_NONE && is_mean(graph, mean, mean->inputs[0], &first) &&
           first == norm->first && centred_of(graph, c, &other) == norm->x && other == norm->first;
}

/* Whether a constant has an element for each of those that a mean is of. */
static bool fits(const struct anole_graph *graph, size_t tensor, const struct norm *norm)
{
    const struct anole_graph_tensor *constant = &graph->tensors[tensor];
    const struct anole_operand *x = &graph->tensors[norm->x].type;
    if ((!constant->type.data && !constant->parameter) || constant->type.dtype != x->dtype ||
        constant->type.rank != x->rank - norm->first)
        return false;
    return memcmp(constant->type.dims, x->dims + norm->first,
                  constant->type.rank * sizeof *x->dims) == 0;
}

/* The normalisation that ends in a product with its scale. */
static bool find_scaled(const struct anole_graph *graph, struct norm *norm, size_t tensor)
{
    const struct anole_node *scaled = made_by(graph, tensor, "binary", "mul", 2);
    for (size_t i = 0; scaled && i < 2; i++) {
        const struct anole_node *quotient = made_by(graph, scaled->inputs[i], "binary", "div", 2);
        if (!quotient)
            continue;
        norm->x = centred_of(graph, quotient->inputs[0], &norm->first);
        norm->scale = scaled->inputs[!i];
        if (norm->x != ANOLE_NONE && graph->tensors[norm->x].type.dtype == ANOLE_F32 &&
            fits(graph, norm->scale, norm) && find_deviation(graph, norm, quotient->inputs[1]))
            return true;
    }
    return false;
}

/* The same, with what is added at last. */
static bool find(const struct anole_graph *graph, struct norm *norm, size_t tensor)
{
    const struct anole_node *sum = made_by(graph, tensor, "binary", "add", 2);
    for (size_t i = 0; sum && i < 2; i++)
        if (find_scaled(graph, norm, sum->inputs[i]) && fits(graph, sum->inputs[!i], norm)) {
            norm->bias = sum->inputs[!i];
            return true;
        }
    norm->bias = ANOLE_NONE;
    return find_scaled(graph, norm, tensor);
}

static enum anole_status replace(struct anole_node *node, const struct norm *norm,
                                 struct anole_error *error)
{
    const struct anole_op *op = anole_op_find("layer_norm");
    size_t *inputs = malloc(3 * sizeof *inputs);
    void *attributes = malloc(op->attribute_bytes);
    if (!inputs || !attributes) {
        free(inputs);
        free(attributes);
        return anole_fail_memory(error);
    }
    memcpy(attributes, op->defaults, op->attribute_bytes);
    inputs[0] = norm->x;
    inputs[1] = norm->scale;
    inputs[2] = norm->bias;
    free(node->inputs);
    free(node->attributes);
    node->op = op;
    node->inputs = inputs;
    node->input_count = norm->bias == ANOLE_NONE ? 2 : 3;
    node->attributes = attributes;
    enum anole_status status = anole_op_set_int(op, attributes, "axis", norm->first, error);
    return status ? status : anole_op_set_real(op, attributes, "epsilon", norm->epsilon, error);
}

enum anole_status anole_graph_norm(struct anole_graph *graph, struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    /* From the end, so that the sum with a bias is found before the product that it is of. */
    for (size_t i = graph->node_count; i-- > 0 && status == ANOLE_DONE;) {
        struct anole_node *node = &graph->nodes[i];
        struct norm norm = {.x = ANOLE_NONE};
        if (node->output_count == 1 && node->outputs[0] != ANOLE_NONE &&
            strcmp(node->op->name, "binary") == 0 && find(graph, &norm, node->outputs[0]))
            status = replace(node, &norm, error);
    }
    if (status == ANOLE_DONE)
        anole_graph_remove_dead(graph);
    return status;
}
