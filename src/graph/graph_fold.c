/* SPDX-License-Identifier: MIT
 *
 * Order, types and constants: what a front end has added becomes a graph whose nodes stand
 * in an order to be run in, whose tensors have types, and in which what can be computed
 * beforehand is.
 */
#include "graph/graph_constant.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* --------------------------------------------------------------------- order */

enum { UNSEEN, OPEN, PLACED };

struct ordering {
    struct anole_graph *graph;
    unsigned char *state; /* of each node */
    size_t *order;        /* nodes in their new order */
    size_t placed;
    size_t *stack, *next; /* of nodes being placed, and which operand of each is next */
};

static size_t operand_of(const struct anole_node *node, size_t i)
{
    return i < node->input_count ? node->inputs[i] : node->residual;
}

/* Places a node after everything that it reads; a stack of our own, since a file may chain
 * as many nodes as it likes. */
static enum anole_status place(struct ordering *o, size_t first, struct anole_error *error)
{
    size_t depth = 0;
    o->stack[0] = first;
    o->next[0] = 0;
    o->state[first] = OPEN;
    for (;;) {
        size_t index = o->stack[depth];
        const struct anole_node *node = &o->graph->nodes[index];
        if (o->next[depth] > node->input_count) {
            o->state[index] = PLACED;
            o->order[o->placed++] = index;
            if (depth-- == 0)
                return ANOLE_DONE;
            continue;
        }
        size_t tensor = operand_of(node, o->next[depth]++);
        size_t before = tensor == ANOLE_NONE ? ANOLE_NONE : o->graph->tensors[tensor].producer;
        if (before == ANOLE_NONE || o->state[before] == PLACED)
            continue;
        if (o->state[before] == OPEN)
            return anole_graph_fail(o->graph, node, error,
                                    "it reads what is made from its own output: a cycle");
        o->state[before] = OPEN;
        o->stack[++depth] = before;
        o->next[depth] = 0;
    }
}

static void reorder(struct anole_graph *graph, struct anole_node *nodes, const size_t *order)
{
    if (graph->node_count > 0)
        memcpy(nodes, graph->nodes, graph->node_count * sizeof *nodes);
    for (size_t i = 0; i < graph->node_count; i++) {
        graph->nodes[i] = nodes[order[i]];
        for (size_t j = 0; j < graph->nodes[i].output_count; j++)
            if (graph->nodes[i].outputs[j] != ANOLE_NONE)
                graph->tensors[graph->nodes[i].outputs[j]].producer = i;
    }
}

static enum anole_status sort(struct anole_graph *graph, struct anole_error *error)
{
    size_t n = graph->node_count;
    struct ordering o = {.graph = graph,
                         .state = calloc(n + 1, 1),
                         .order = calloc(n + 1, sizeof *o.order),
                         .stack = calloc(n + 1, sizeof *o.stack),
                         .next = calloc(n + 1, sizeof *o.next)};
    struct anole_node *nodes = calloc(n + 1, sizeof *nodes);
    enum anole_status status = ANOLE_DONE;
    if (!o.state || !o.order || !o.stack || !o.next || !nodes)
        status = anole_fail_memory(error);
    for (size_t i = 0; i < n && status == ANOLE_DONE; i++)
        if (o.state[i] == UNSEEN)
            status = place(&o, i, error);
    if (status == ANOLE_DONE)
        reorder(graph, nodes, o.order);
    free(nodes);
    free(o.next);
    free(o.stack);
    free(o.order);
    free(o.state);
    return status;
}

/* --------------------------------------------------------- types and constants */

/* Whether each operand that is there has a type; whether all of them are constants. */
static enum anole_status check_inputs(const struct anole_graph *graph,
                                      const struct anole_node *node, bool *constant,
                                      struct anole_error *error)
{
    *constant = true;
    for (size_t i = 0; i < node->input_count; i++) {
        if (node->inputs[i] == ANOLE_NONE)
            continue;
        const struct anole_graph_tensor *tensor = &graph->tensors[node->inputs[i]];
        char name[200];
        if (tensor->type.dtype == 0 && !tensor->parameter)
            return anole_graph_fail(graph, node, error,
                                    "it reads \"%s\", which nothing makes; expected an input, a "
                                    "constant or another node's output",
                                    anole_text_printable(name, sizeof name, tensor->name));
        *constant &= anole_graph_is_constant(graph, node->inputs[i]);
    }
    return ANOLE_DONE;
}

/* Of an inferred call: what its parameters then are. */
static void infer_parameters(struct anole_graph *graph, const struct anole_node *node,
                             const struct anole_call *call)
{
    for (size_t i = 0; i < node->input_count; i++) {
        struct anole_operand type;
        if (node->inputs[i] == ANOLE_NONE || !node->op->parameter)
            continue;
        struct anole_graph_tensor *tensor = &graph->tensors[node->inputs[i]];
        if (tensor->parameter && tensor->type.dtype == 0 &&
            node->op->parameter(&type, call, (uint32_t)i))
            tensor->type = type;
    }
}

static enum anole_status infer_call(struct anole_graph *graph, struct anole_node *node,
                                    struct anole_call *call, struct anole_error *error)
{
    for (size_t i = 0; i < node->output_count; i++)
        call->outputs[i] = (struct anole_operand){.dtype = 0};
    enum anole_status status = node->op->infer(call, error);
    if (status)
        return status;
    for (size_t i = 0; i < node->output_count; i++) {
        char shape[128];
        if (node->outputs[i] == ANOLE_NONE)
            continue;
        if (anole_operand_elements(&call->outputs[i]) == SIZE_MAX)
            return anole_fail(error, ANOLE_ERR_INPUT,
                              "its output %s is too large; expected fewer than 2^31 elements",
                              anole_operand_shape_text(shape, sizeof shape, &call->outputs[i]));
        call->outputs[i].data = NULL;
        graph->tensors[node->outputs[i]].type = call->outputs[i];
    }
    infer_parameters(graph, node, call);
    return ANOLE_DONE;
}

static enum anole_status infer_node(struct anole_graph *graph, struct anole_node *node,
                                    struct anole_call *call, struct anole_error *error)
{
    struct anole_error why = {.status = ANOLE_DONE};
    enum anole_status status = infer_call(graph, node, call, &why);
    if (status == ANOLE_ERR_INPUT)
        return anole_graph_fail(graph, node, error, "%s", why.text);
    return status ? anole_fail(error, status, "%s", why.text) : ANOLE_DONE;
}

enum anole_status anole_graph_infer_node(struct anole_graph *graph, size_t index,
                                         struct anole_error *error)
{
    struct anole_node *node = &graph->nodes[index];
    struct anole_operand outputs[ANOLE_MAX_OPERANDS];
    const struct anole_operand **operands = calloc(node->input_count + 1, sizeof *operands);
    struct anole_call call;
    if (!operands)
        return anole_fail_memory(error);
    anole_graph_call(&call, graph, node, operands, outputs);
    enum anole_status status = infer_call(graph, node, &call, error);
    free(operands);
    return status;
}

static size_t output_bytes(const struct anole_call *call)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < call->output_count; i++)
        bytes +=
            anole_operand_elements(&call->outputs[i]) * anole_dtype_bytes(call->outputs[i].dtype);
    return bytes;
}

/* Elements of inputs that have recipes, for as long as they are looked at. */
struct opened {
    struct anole_constant *constants;    /* [count] */
    struct anole_operand *operands;      /* [count] */
    const struct anole_operand **inputs; /* [count]: what the call is to read */
    size_t count;
};

static void close_inputs(struct opened *opened)
{
    for (size_t i = 0; opened->constants && i < opened->count; i++)
        anole_constant_close(&opened->constants[i]);
    free(opened->constants);
    free(opened->operands);
    free(opened->inputs);
}

static enum anole_status open_inputs(struct opened *opened, const struct anole_graph *graph,
                                     const size_t *inputs, size_t count, struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    *opened = (struct opened){.constants = calloc(count + 1, sizeof *opened->constants),
                              .operands = calloc(count + 1, sizeof *opened->operands),
                              .inputs = calloc(count + 1, sizeof *opened->inputs),
                              .count = count};
    if (!opened->constants || !opened->operands || !opened->inputs)
        return anole_fail_memory(error);
    for (size_t i = 0; i < count && status == ANOLE_DONE; i++) {
        if (inputs[i] == ANOLE_NONE)
            continue;
        opened->operands[i] = graph->tensors[inputs[i]].type;
        opened->inputs[i] = &opened->operands[i];
        if (!anole_graph_is_constant(graph, inputs[i])) /* its type will do */
            continue;
        status = anole_graph_open_constant(&opened->constants[i], graph, inputs[i], error);
        opened->operands[i].data = (void *)opened->constants[i].data;
    }
    return status;
}

/* Computes outputs into memory of their own, which the graph is given, or nobody. */
static enum anole_status compute_outputs(struct anole_graph *graph, const size_t *inputs,
                                         const size_t *outputs, struct anole_call *call,
                                         struct anole_error *error)
{
    struct opened opened;
    enum anole_status status = open_inputs(&opened, graph, inputs, call->input_count, error);
    for (uint32_t i = 0; i < call->output_count && status == ANOLE_DONE; i++) {
        struct anole_operand *output = &call->outputs[i];
        size_t bytes = anole_operand_elements(output) * anole_dtype_bytes(output->dtype);
        output->data = calloc(1, bytes ? bytes : 1);
        if (!output->data)
            status = anole_fail_memory(error);
    }
    call->inputs = opened.inputs;
    if (status == ANOLE_DONE)
        status = call->op->compute(call, error);
    close_inputs(&opened);
    for (uint32_t i = 0; i < call->output_count; i++) {
        if (status != ANOLE_DONE || outputs[i] == ANOLE_NONE) {
            free(call->outputs[i].data);
            continue;
        }
        struct anole_graph_tensor *tensor = &graph->tensors[outputs[i]];
        tensor->type = call->outputs[i];
        tensor->owns_data = tensor->folded = true;
        graph->folded +=
            anole_operand_elements(&tensor->type) * anole_dtype_bytes(tensor->type.dtype);
    }
    return status;
}

static bool suits(const struct anole_graph *graph, const struct anole_node *node,
                  const struct anole_call *call)
{
    return node->output_count == 1 && node->outputs[0] != ANOLE_NONE &&
           anole_recipe_suits(graph, node->op, node->inputs, node->input_count, &call->outputs[0]);
}

/* What has a recipe takes no memory. */
static bool within(const struct anole_graph *graph, const struct anole_node *node,
                   const struct anole_call *call, size_t limit)
{
    const size_t bytes = output_bytes(call);
    const size_t before = suits(graph, node, call) ? 0 : graph->folded;
    return limit == 0 || (bytes <= limit && before <= limit - bytes);
}

/* Computes a node whose inputs are all constants, or keeps how; its outputs become constants. */
static enum anole_status fold_node(struct anole_graph *graph, struct anole_node *node,
                                   struct anole_call *call, struct anole_error *error)
{
    struct anole_error why = {.status = ANOLE_DONE};
    enum anole_status status;
    if (suits(graph, node, call))
        status = anole_recipe_create(&graph->tensors[node->outputs[0]].recipe, graph, node->op,
                                     node->attributes, node->inputs, node->input_count, NULL, &why);
    else
        status = compute_outputs(graph, node->inputs, node->outputs, call, &why);
    if (status == ANOLE_ERR_INPUT)
        return anole_graph_fail(graph, node, error, "%s", why.text);
    return status ? anole_fail(error, status, "%s", why.text) : ANOLE_DONE;
}

enum anole_status anole_graph_derive(struct anole_graph *graph, size_t *tensor, const char *name,
                                     const struct anole_op *op, const void *attributes,
                                     const size_t *inputs, size_t input_count,
                                     struct anole_error *error)
{
    struct anole_operand output = {.dtype = 0};
    const struct anole_operand *operands[ANOLE_RECIPE_INPUTS] = {NULL};
    size_t index;
    if (input_count > ANOLE_RECIPE_INPUTS)
        return anole_fail(error, ANOLE_ERR_INTERNAL, "a constant of more than two others");
    for (size_t i = 0; i < input_count; i++)
        operands[i] = &graph->tensors[inputs[i]].type;
    struct anole_call call = {.op = op,
                              .attributes = (void *)attributes,
                              .inputs = operands,
                              .input_count = (uint32_t)input_count,
                              .outputs = &output,
                              .output_count = 1};
    enum anole_status status = op->infer(&call, error);
    output.data = NULL;
    if (status == ANOLE_DONE)
        status = anole_graph_add_tensor(graph, &index, name, &output, error);
    if (status)
        return status;
    if (anole_recipe_suits(graph, op, inputs, input_count, &output))
        status = anole_recipe_create(&graph->tensors[index].recipe, graph, op, attributes, inputs,
                                     input_count, NULL, error);
    else
        status = compute_outputs(graph, inputs, &index, &call, error);
    if (status == ANOLE_DONE)
        *tensor = index;
    return status;
}

/* Whether a node makes sizes that depend on data, or passes them on. */
static bool is_data_sized(const struct anole_graph *graph, const struct anole_node *node)
{
    bool sized = (node->op->flags & ANOLE_OP_DATA_SIZED) != 0 ||
                 (node->residual != ANOLE_NONE && graph->tensors[node->residual].data_sized);
    for (size_t i = 0; i < node->input_count; i++)
        sized |= node->inputs[i] != ANOLE_NONE && graph->tensors[node->inputs[i]].data_sized;
    return sized;
}

/* One node.  *gone: it was computed, and is not needed any more. */
static enum anole_status visit(struct anole_graph *graph, struct anole_node *node,
                               size_t fold_limit, bool *gone, struct anole_error *error)
{
    struct anole_operand outputs[ANOLE_MAX_OPERANDS];
    const struct anole_operand **operands = calloc(node->input_count + 1, sizeof *operands);
    struct anole_call call;
    bool constant;
    if (!operands)
        return anole_fail_memory(error);
    enum anole_status status = check_inputs(graph, node, &constant, error);
    *gone = false;
    if (status == ANOLE_DONE) {
        anole_graph_call(&call, graph, node, operands, outputs);
        status = infer_node(graph, node, &call, error);
    }
    const bool sized = !constant && is_data_sized(graph, node);
    constant |= (node->op->flags & ANOLE_OP_TYPES_ONLY) != 0 && !sized;
    for (size_t i = 0; i < node->output_count; i++)
        if (node->outputs[i] != ANOLE_NONE)
            graph->tensors[node->outputs[i]].data_sized = sized;
    if (status == ANOLE_DONE && constant && node->op->compute &&
        within(graph, node, &call, fold_limit)) {
        status = fold_node(graph, node, &call, error);
        *gone = status == ANOLE_DONE;
    }
    free(operands);
    return status;
}

enum anole_status anole_graph_infer_from(struct anole_graph *graph, size_t first, size_t fold_limit,
                                         struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    size_t kept = first, seen = first;
    for (; seen < graph->node_count && status == ANOLE_DONE; seen++) {
        struct anole_node *node = &graph->nodes[seen];
        bool gone = false;
        status = visit(graph, node, fold_limit, &gone, error);
        for (size_t i = 0; i < node->output_count; i++)
            if (node->outputs[i] != ANOLE_NONE)
                graph->tensors[node->outputs[i]].producer = gone ? ANOLE_NONE : kept;
        if (gone) {
            free(node->name);
            free(node->attributes);
            free(node->inputs);
            free(node->outputs);
        } else {
            graph->nodes[kept++] = *node;
        }
    }
    /* After a failure, what was not seen stays as it is. */
    for (; seen < graph->node_count; seen++) {
        for (size_t i = 0; i < graph->nodes[seen].output_count; i++)
            if (graph->nodes[seen].outputs[i] != ANOLE_NONE)
                graph->tensors[graph->nodes[seen].outputs[i]].producer = kept;
        graph->nodes[kept++] = graph->nodes[seen];
    }
    graph->node_count = kept;
    return status;
}

enum anole_status anole_graph_infer(struct anole_graph *graph, size_t fold_limit,
                                    struct anole_error *error)
{
    enum anole_status status = sort(graph, error);
    return status ? status : anole_graph_infer_from(graph, 0, fold_limit, error);
}
