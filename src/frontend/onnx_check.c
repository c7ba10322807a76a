/* SPDX-License-Identifier: MIT
 *
 * Names and order in a model that has been read.
 */
#include "base/text.h"
#include "frontend/onnx_private.h"

#include <stdlib.h>
#include <string.h>

#define SHOWN 120

/* ------------------------------------------------------------ tables of names */

static int compare_symbols(const void *left, const void *right)
{
    const struct anole_onnx_symbol *a = left, *b = right;
    int order = strcmp(a->name, b->name);
    if (order == 0)
        order = (a->kind > b->kind) - (a->kind < b->kind);
    return order ? order : (a->index > b->index) - (a->index < b->index);
}

static enum anole_status add_symbol(struct anole_onnx_graph *graph, struct anole_onnx_symbol symbol,
                                    struct anole_error *error)
{
    if (symbol.name[0] == '\0')
        return anole_fail(error, ANOLE_ERR_INPUT, "an %s has no name",
                          symbol.kind == ANOLE_ONNX_SYMBOL_INPUT ? "input" : "initializer");
    graph->symbols[graph->symbol_count++] = symbol;
    return ANOLE_DONE;
}

static enum anole_status fill_table(struct anole_onnx_graph *graph, struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    for (uint32_t i = 0; status == ANOLE_DONE && i < graph->input_count; i++)
        status = add_symbol(
            graph, (struct anole_onnx_symbol){graph->inputs[i].name, ANOLE_ONNX_SYMBOL_INPUT, i, 0},
            error);
    for (uint32_t i = 0; status == ANOLE_DONE && i < graph->initializer_count; i++)
        status = add_symbol(graph,
                            (struct anole_onnx_symbol){graph->initializers[i].name,
                                                       ANOLE_ONNX_SYMBOL_INITIALIZER, i, 0},
                            error);
    for (uint32_t i = 0; status == ANOLE_DONE && i < graph->node_count; i++)
        for (uint32_t k = 0; k < graph->nodes[i].output_count; k++)
            if (graph->nodes[i].outputs[k][0])
                graph->symbols[graph->symbol_count++] = (struct anole_onnx_symbol){
                    graph->nodes[i].outputs[k], ANOLE_ONNX_SYMBOL_NODE, i, k};
    qsort(graph->symbols, graph->symbol_count, sizeof *graph->symbols, compare_symbols);
    return status;
}

static enum anole_status fail_twice(const struct anole_onnx_graph *graph,
                                    const struct anole_onnx_symbol *first,
                                    const struct anole_onnx_symbol *second,
                                    struct anole_error *error)
{
    static const char *const what[] = {[ANOLE_ONNX_SYMBOL_INPUT] = "an input",
                                       [ANOLE_ONNX_SYMBOL_INITIALIZER] = "an initializer",
                                       [ANOLE_ONNX_SYMBOL_NODE] = "the output of another node"};
    char shown[SHOWN], text[3 * SHOWN];
    bool same = first->kind == ANOLE_ONNX_SYMBOL_NODE && first->index == second->index;
    anole_text_printable(shown, sizeof shown, first->name);
    if (second->kind != ANOLE_ONNX_SYMBOL_NODE)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "\"%s\" is %s twice; expected names of values to be unique", shown,
                          what[second->kind]);
    return anole_fail(error, ANOLE_ERR_INPUT,
                      "%s: it makes \"%s\", which is also %s; expected names of values to be "
                      "unique",
                      anole_onnx_node_text(text, sizeof text, &graph->nodes[second->index]), shown,
                      same ? "another output of it" : what[first->kind]);
}

static enum anole_status make_table(struct anole_onnx_graph *graph,
                                    struct anole_onnx_holder *holder, struct anole_error *error)
{
    size_t names = graph->input_count + graph->initializer_count;
    for (size_t i = 0; i < graph->node_count; i++)
        names += graph->nodes[i].output_count;
    graph->symbols = anole_arena_allocate(&holder->source.arena, names, sizeof *graph->symbols);
    if (!graph->symbols)
        return anole_fail_memory(error);
    enum anole_status status = fill_table(graph, error);
    for (size_t i = 1; status == ANOLE_DONE && i < graph->symbol_count; i++) {
        const struct anole_onnx_symbol *first = &graph->symbols[i - 1], *second = first + 1;
        bool fits =
            first->kind == ANOLE_ONNX_SYMBOL_INPUT && second->kind == ANOLE_ONNX_SYMBOL_INITIALIZER;
        if (!fits && strcmp(first->name, second->name) == 0)
            status = fail_twice(graph, first, second, error);
    }
    return status;
}

/* -------------------------------------------------------------------- nodes */

static enum anole_status check_domain(const struct anole_onnx_holder *holder,
                                      const struct anole_onnx_node *node, struct anole_error *error)
{
    char domain[SHOWN], op[SHOWN];
    for (size_t i = 0; i < holder->function_count; i++)
        if (strcmp(holder->functions[i].name, node->op_type) == 0 &&
            strcmp(holder->functions[i].domain, node->domain) == 0)
            return anole_fail(error, ANOLE_ERR_INPUT,
                              "it calls the file's function \"%s\", and functions are not "
                              "supported; expected operators alone: inline it by onnx.inliner",
                              anole_text_printable(op, sizeof op, node->op_type));
    if (anole_onnx_opset_find(&holder->model, node->domain) == 0)
        return anole_fail(
            error, ANOLE_ERR_INPUT,
            "the file does not say which version of the operators of domain \"%s\" it uses",
            anole_text_printable(domain, sizeof domain,
                                 node->domain[0] ? node->domain : "ai.onnx"));
    return ANOLE_DONE;
}

static enum anole_status check_node(const struct anole_onnx_holder *holder,
                                    const struct anole_onnx_graph *graph,
                                    const struct anole_onnx_node *node, struct anole_error *error)
{
    struct anole_onnx_origin origin;
    char shown[SHOWN], text[3 * SHOWN];
    enum anole_status status = check_domain(holder, node, error);
    for (size_t i = 0; status == ANOLE_DONE && i < node->input_count; i++)
        if (node->inputs[i][0] && !anole_onnx_find(&origin, graph, node->inputs[i]))
            status = anole_fail(error, ANOLE_ERR_INPUT,
                                "it reads \"%s\", which nothing makes; expected an input, an "
                                "initializer or the output of a node",
                                anole_text_printable(shown, sizeof shown, node->inputs[i]));
    if (status != ANOLE_DONE)
        anole_error_prefix(error, "%s", anole_onnx_node_text(text, sizeof text, node));
    return status;
}

static enum anole_status check_outputs(const struct anole_onnx_graph *graph,
                                       struct anole_error *error)
{
    struct anole_onnx_origin origin;
    char shown[SHOWN];
    for (size_t i = 0; i < graph->output_count; i++) {
        const char *name = graph->outputs[i].name;
        if (name[0] == '\0')
            return anole_fail(error, ANOLE_ERR_INPUT, "an output has no name");
        if (!anole_onnx_find(&origin, graph, name))
            return anole_fail(error, ANOLE_ERR_INPUT,
                              "nothing makes the output \"%s\"; expected an input, an initializer "
                              "or the output of a node",
                              anole_text_printable(shown, sizeof shown, name));
    }
    return ANOLE_DONE;
}

/* --------------------------------------------------------------------- order */

/* What each node of a graph reads from others: sources[first[i]] to sources[first[i + 1]]. */
struct order {
    const struct anole_onnx_graph *graph;
    size_t *first; /* [node_count + 1] */
    uint32_t *sources;
    size_t count;
    bool counting;    /* rather than filling in */
    uint32_t *sorted; /* [node_count] */
    uint32_t *stack;  /* [node_count] */
    uint8_t *state;   /* [node_count]: 0 untouched, 1 on the stack, 2 done */
    size_t *next;     /* [node_count]: of `sources` */
};

/* A use of a name, in the graph that is sorted or in one within. */
static void note_use(struct order *order, const struct anole_onnx_graph *place, const char *name)
{
    struct anole_onnx_origin origin;
    if (!name[0] || !anole_onnx_find(&origin, place, name) || origin.graph != order->graph ||
        !origin.node)
        return;
    if (!order->counting)
        order->sources[order->count] = (uint32_t)(origin.node - order->graph->nodes);
    order->count++;
}

/* Of a node and of all within it; as deep as graphs are nested, which has a limit. */
static void note_uses(struct order *order, const struct anole_onnx_graph *place,
                      const struct anole_onnx_node *node)
{
    for (size_t i = 0; i < node->input_count; i++)
        note_use(order, place, node->inputs[i]);
    for (size_t i = 0; i < node->attribute_count; i++) {
        const struct anole_onnx_attribute *attribute = &node->attributes[i];
        for (size_t k = 0; attribute->graphs && k < attribute->count; k++) {
            const struct anole_onnx_graph *inner = &attribute->graphs[k];
            for (size_t n = 0; n < inner->node_count; n++)
                note_uses(order, inner, &inner->nodes[n]);
            for (size_t n = 0; n < inner->output_count; n++)
                note_use(order, inner, inner->outputs[n].name);
        }
    }
}

static void note_all(struct order *order)
{
    order->count = 0;
    for (size_t i = 0; i < order->graph->node_count; i++) {
        order->first[i] = order->count;
        note_uses(order, order->graph, &order->graph->nodes[i]);
    }
    order->first[order->graph->node_count] = order->count;
}

static enum anole_status fail_cycle(const struct anole_onnx_graph *graph, uint32_t reader,
                                    uint32_t maker, struct anole_error *error)
{
    char text[3 * SHOWN], other[3 * SHOWN];
    return anole_fail(error, ANOLE_ERR_INPUT,
                      "%s: it reads what %s makes, which needs its own result: the nodes form a "
                      "cycle; expected none",
                      anole_onnx_node_text(text, sizeof text, &graph->nodes[reader]),
                      anole_onnx_node_text(other, sizeof other, &graph->nodes[maker]));
}

/* Depth first, in the file's order: what is sorted already stays as it is. */
static enum anole_status sort(struct order *order, struct anole_error *error)
{
    size_t done = 0;
    for (uint32_t root = 0; root < order->graph->node_count; root++) {
        size_t depth = 0;
        if (order->state[root] == 0)
            order->stack[depth++] = root;
        while (depth > 0) {
            uint32_t node = order->stack[depth - 1];
            if (order->state[node] == 0)
                order->next[node] = order->first[node];
            order->state[node] = 1;
            if (order->next[node] == order->first[node + 1]) {
                order->state[node] = 2;
                order->sorted[done++] = node;
                depth--;
                continue;
            }
            uint32_t source = order->sources[order->next[node]++];
            if (order->state[source] == 1)
                return fail_cycle(order->graph, node, source, error);
            if (order->state[source] == 0)
                order->stack[depth++] = source;
        }
    }
    return ANOLE_DONE;
}

static enum anole_status allocate_order(struct order *order, struct anole_arena *scratch,
                                        struct anole_error *error)
{
    size_t n = order->graph->node_count;
    order->first = anole_arena_allocate(scratch, n + 1, sizeof *order->first);
    order->sorted = anole_arena_allocate(scratch, n, sizeof *order->sorted);
    order->stack = anole_arena_allocate(scratch, n, sizeof *order->stack);
    order->state = anole_arena_allocate(scratch, n, sizeof *order->state);
    order->next = anole_arena_allocate(scratch, n, sizeof *order->next);
    if (!order->first || !order->sorted || !order->stack || !order->state || !order->next)
        return anole_fail_memory(error);
    order->counting = true;
    note_all(order);
    order->sources = anole_arena_allocate(scratch, order->count, sizeof *order->sources);
    if (!order->sources)
        return anole_fail_memory(error);
    order->counting = false;
    note_all(order);
    return ANOLE_DONE;
}

/* Puts the nodes in the new order, and has the table of names follow. */
static enum anole_status apply_order(struct anole_onnx_graph *graph, const struct order *order,
                                     struct anole_arena *scratch, struct anole_error *error)
{
    struct anole_onnx_node *nodes = anole_arena_allocate(scratch, graph->node_count, sizeof *nodes);
    uint32_t *places = anole_arena_allocate(scratch, graph->node_count, sizeof *places);
    if (!nodes || !places)
        return anole_fail_memory(error);
    for (uint32_t i = 0; i < graph->node_count; i++) {
        nodes[i] = graph->nodes[order->sorted[i]];
        places[order->sorted[i]] = i;
    }
    if (graph->node_count > 0)
        memcpy(graph->nodes, nodes, graph->node_count * sizeof *nodes);
    for (size_t i = 0; i < graph->symbol_count; i++)
        if (graph->symbols[i].kind == ANOLE_ONNX_SYMBOL_NODE)
            graph->symbols[i].index = places[graph->symbols[i].index];
    return ANOLE_DONE;
}

static enum anole_status sort_nodes(struct anole_onnx_graph *graph, struct anole_error *error)
{
    struct anole_arena scratch = {0};
    struct order order = {.graph = graph};
    enum anole_status status = allocate_order(&order, &scratch, error);
    if (status == ANOLE_DONE)
        status = sort(&order, error);
    if (status == ANOLE_DONE)
        status = apply_order(graph, &order, &scratch, error);
    anole_arena_fini(&scratch);
    return status;
}

/* -------------------------------------------------------------------- graphs */

static enum anole_status check_graph(struct anole_onnx_graph *graph,
                                     struct anole_onnx_holder *holder, struct anole_error *error);

static enum anole_status check_inner(struct anole_onnx_node *node, struct anole_onnx_holder *holder,
                                     struct anole_error *error)
{
    char shown[SHOWN], text[3 * SHOWN];
    for (size_t i = 0; i < node->attribute_count; i++) {
        struct anole_onnx_attribute *attribute = &node->attributes[i];
        for (size_t k = 0; attribute->graphs && k < attribute->count; k++) {
            enum anole_status status = check_graph(&attribute->graphs[k], holder, error);
            if (status == ANOLE_DONE)
                continue;
            anole_error_prefix(error, "%s: attribute \"%s\"",
                               anole_onnx_node_text(text, sizeof text, node),
                               anole_text_printable(shown, sizeof shown, attribute->name));
            return status;
        }
    }
    return ANOLE_DONE;
}

static enum anole_status check_graph(struct anole_onnx_graph *graph,
                                     struct anole_onnx_holder *holder, struct anole_error *error)
{
    enum anole_status status = make_table(graph, holder, error);
    for (size_t i = 0; status == ANOLE_DONE && i < graph->node_count; i++)
        status = check_node(holder, graph, &graph->nodes[i], error);
    if (status == ANOLE_DONE)
        status = check_outputs(graph, error);
    for (size_t i = 0; status == ANOLE_DONE && i < graph->node_count; i++)
        status = check_inner(&graph->nodes[i], holder, error);
    return status ? status : sort_nodes(graph, error);
}

enum anole_status anole_onnx_check(struct anole_onnx_holder *holder, struct anole_error *error)
{
    struct anole_onnx_graph *graph = &holder->model.graph;
    if (graph->node_count == 0 || graph->output_count == 0)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "the graph is empty: it has no %s; expected at least one",
                          graph->node_count == 0 ? "nodes" : "outputs");
    return check_graph(graph, holder, error);
}
