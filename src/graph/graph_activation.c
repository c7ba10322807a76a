/* SPDX-License-Identifier: MIT
 *
 * Activations that a file spells out in several nodes, so that one node does them, which the
 * kernel before it can then take in:
 *
 *     x/2 (1 + erf(x / sqrt(2)))      Div, Erf, Add, Mul, Mul      is gelu(x)
 *     x min(max(x + 3, 0), 6) / 6     Add, Clip, Mul, Div          is hard_swish(x)
 *     x / (1 + exp(-x))               Sigmoid, Mul                 is silu(x)
 *
 * Exporters write each of these in many ways.  Rather than know them all, the pass takes any
 * few elementwise nodes that together are a function of one tensor and of constant numbers,
 * computes that function at a hundred points by the operators' references, and compares it with
 * each activation; parameters follow from its values.
 */
#include "graph/graph_passes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_NODES 10 /* of a function */
#define POINTS 100
#define AT_ZERO 0 /* indices of points: see place_points() */
#define AT_ONE 1
#define AT_MINUS_ONE 2
#define AT_LOWEST 3
#define AT_HIGHEST 4
#define FAR 1e30f /* beyond what files clip to, 65504 of halves for one */

struct search {
    struct anole_graph *graph;
    size_t *readers; /* of each tensor; outputs of the graph count */
    float points[POINTS];
    struct anole_error *error;
};

/* Nodes that may be one function: `nodes[0]` makes its value. */
struct cluster {
    size_t nodes[MOST_NODES];
    size_t count;
};

/* From far out to next to 0, and close together where functions bend. */
static void place_points(float *points)
{
    static const float first[] = {[AT_ZERO] = 0,
                                  [AT_ONE] = 1,
                                  [AT_MINUS_ONE] = -1,
                                  [AT_LOWEST] = -FAR,
                                  [AT_HIGHEST] = FAR,
                                  -1000,
                                  1000,
                                  -90,
                                  90,
                                  -30,
                                  30,
                                  -1e-3f,
                                  1e-3f};
    const size_t count = sizeof first / sizeof *first;
    memcpy(points, first, sizeof first);
    for (size_t i = count; i < POINTS; i++)
        points[i] = -9.03f + 18.07f * (float)(i - count) / (float)(POINTS - count);
}

static void count_readers(struct search *search)
{
    const struct anole_graph *graph = search->graph;
    for (size_t i = 0; i < graph->node_count; i++) {
        const struct anole_node *node = &graph->nodes[i];
        for (size_t j = 0; j < node->input_count; j++)
            if (node->inputs[j] != ANOLE_NONE)
                search->readers[node->inputs[j]]++;
        if (node->residual != ANOLE_NONE)
            search->readers[node->residual]++;
    }
    for (size_t i = 0; i < graph->output_count; i++)
        search->readers[graph->outputs[i]]++;
}

/* ------------------------------------------------------------------ clusters */

static bool can_be_part(const struct anole_graph *graph, const struct anole_node *node)
{
    if (!node->op || !(node->op->flags & ANOLE_OP_ELEMENTWISE) || node->output_count != 1 ||
        node->outputs[0] == ANOLE_NONE || node->input_count > ANOLE_MAX_OPERANDS ||
        node->activation != ANOLE_ACT_NONE || node->residual != ANOLE_NONE)
        return false;
    return graph->tensors[node->outputs[0]].type.dtype == ANOLE_F32;
}

static bool is_number(const struct anole_graph_tensor *tensor)
{
    return tensor->type.data && tensor->type.dtype == ANOLE_F32 &&
           anole_operand_elements(&tensor->type) == 1;
}

static bool is_within(const struct cluster *cluster, size_t node)
{
    for (size_t i = 0; i < cluster->count; i++)
        if (cluster->nodes[i] == node)
            return true;
    return false;
}

/* The only tensor that the cluster reads, beside numbers, and how often; ANOLE_NONE: there are
 * several.  *latest: the last node that makes what it reads; ANOLE_NONE: none does. */
static size_t read_by(const struct search *search, const struct cluster *cluster, size_t *latest)
{
    const struct anole_graph *graph = search->graph;
    size_t only = ANOLE_NONE;
    bool several = false;
    *latest = ANOLE_NONE;
    for (size_t i = 0; i < cluster->count; i++) {
        const struct anole_node *node = &graph->nodes[cluster->nodes[i]];
        for (size_t j = 0; j < node->input_count; j++) {
            size_t tensor = node->inputs[j];
            if (tensor == ANOLE_NONE || is_number(&graph->tensors[tensor]))
                continue;
            size_t producer = graph->tensors[tensor].producer;
            if (producer != ANOLE_NONE && is_within(cluster, producer))
                continue;
            several = several || (only != ANOLE_NONE && only != tensor);
            only = tensor;
            if (producer != ANOLE_NONE && (*latest == ANOLE_NONE || producer > *latest))
                *latest = producer;
        }
    }
    return several ? ANOLE_NONE : only;
}

/* Whether all that reads what a node makes is in the cluster. */
static bool is_read_within(const struct search *search, const struct cluster *cluster, size_t node)
{
    const struct anole_graph *graph = search->graph;
    size_t tensor = graph->nodes[node].outputs[0], readers = 0;
    for (size_t i = 0; i < cluster->count; i++) {
        const struct anole_node *reader = &graph->nodes[cluster->nodes[i]];
        for (size_t j = 0; j < reader->input_count; j++)
            readers += reader->inputs[j] == tensor;
    }
    return readers == search->readers[tensor];
}

/* One node more, the latest that is read.  False: the cluster cannot grow. */
static bool grow(const struct search *search, struct cluster *cluster, size_t latest)
{
    if (latest == ANOLE_NONE || cluster->count == MOST_NODES ||
        !can_be_part(search->graph, &search->graph->nodes[latest]) ||
        !is_read_within(search, cluster, latest))
        return false;
    cluster->nodes[cluster->count++] = latest;
    return true;
}

/* ----------------------------------------------------------------- functions */

/* One node at the points.  values[k]: what node k of the cluster makes. */
static bool compute_node(const struct search *search, const struct cluster *cluster, size_t k,
                         size_t variable, float (*values)[POINTS])
{
    const struct anole_graph *graph = search->graph;
    const struct anole_node *node = &graph->nodes[cluster->nodes[k]];
    struct anole_operand operands[ANOLE_MAX_OPERANDS] = {{.dtype = 0}};
    const struct anole_operand *inputs[ANOLE_MAX_OPERANDS] = {NULL};
    struct anole_operand output = {.dtype = 0};
    for (size_t j = 0; j < node->input_count; j++) {
        size_t tensor = node->inputs[j];
        if (tensor == ANOLE_NONE)
            continue;
        operands[j] = (struct anole_operand){.dtype = ANOLE_F32, .rank = 1, .dims = {POINTS}};
        inputs[j] = &operands[j];
        if (tensor == variable) {
            operands[j].data = (void *)search->points;
            continue;
        }
        if (is_number(&graph->tensors[tensor])) {
            operands[j] = graph->tensors[tensor].type;
            operands[j].rank = 0;
            continue;
        }
        for (size_t i = 0; i < cluster->count; i++)
            if (cluster->nodes[i] == graph->tensors[tensor].producer)
                operands[j].data = values[i];
        if (!operands[j].data)
            return false;
    }
    /* Attributes may be completed by infer(): those of the graph stay as they are. */
    void *attributes = malloc(node->op->attribute_bytes + 1);
    if (!attributes)
        return false;
    if (node->op->attribute_bytes)
        memcpy(attributes, node->attributes, node->op->attribute_bytes);
    struct anole_call call = {.op = node->op,
                              .attributes = attributes,
                              .inputs = inputs,
                              .input_count = (uint32_t)node->input_count,
                              .outputs = &output,
                              .output_count = 1};
    bool computed = node->op->infer(&call, NULL) == ANOLE_DONE && output.dtype == ANOLE_F32 &&
                    anole_operand_elements(&output) == POINTS;
    output.data = values[k];
    computed = computed && node->op->compute(&call, NULL) == ANOLE_DONE;
    free(attributes);
    return computed;
}

/* The cluster's value at the points, values[0]. */
static bool compute(const struct search *search, const struct cluster *cluster, size_t variable,
                    float (*values)[POINTS])
{
    /* Nodes of a cluster are in the graph's order, backwards. */
    for (size_t k = cluster->count; k-- > 0;)
        if (!compute_node(search, cluster, k, variable, values))
            return false;
    return true;
}

/* A parameter that is next to a usual one is that. */
static float tidy(double value)
{
    static const float usual[] = {0, 1, 0.5f, 0.2f, 1 / 6.0f, 0.1f, 0.01f, 3, 6, 1.702f};
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (fabs(value - (double)usual[i]) < 2e-6)
            return usual[i];
    return (float)value;
}

/* The parameters with which an activation has these values; false: there are none. */
static bool solve(struct anole_activate *activate, const float *values)
{
    const double one = (double)values[AT_ONE], zero = (double)values[AT_ZERO];
    activate->alpha = activate->beta = 0;
    switch (activate->activation) {
    case ANOLE_ACT_NONE:
        return false;
    case ANOLE_ACT_LEAKY_RELU:
        activate->alpha = tidy(-(double)values[AT_MINUS_ONE]);
        break;
    case ANOLE_ACT_ELU:
        activate->alpha = tidy(-(double)values[AT_LOWEST]);
        break;
    case ANOLE_ACT_CLIP:
        activate->alpha = tidy((double)values[AT_LOWEST]);
        activate->beta = tidy((double)values[AT_HIGHEST]);
        break;
    case ANOLE_ACT_SILU:
        if (!(one > 0 && one < 1))
            return false;
        activate->alpha = tidy(log(one / (1 - one)));
        break;
    case ANOLE_ACT_HARD_SIGMOID:
        activate->alpha = tidy(one - zero);
        activate->beta = tidy(zero);
        break;
    default:
        break;
    }
    return anole_activation_check(activate, NULL) == ANOLE_DONE;
}

/* Values are of steps that were each rounded to float: what cancels is off by units of x.  Where
 * an activation is 0 at 0 or far out, so is every way to write it; what is not is a function with
 * a small number added, or a low bound, that keeps a division or a logarithm after it finite. */
static bool fits(const struct anole_activate *activate, const float *points, const float *values)
{
    static const size_t exact[] = {AT_ZERO, AT_LOWEST, AT_HIGHEST};
    for (size_t i = 0; i < sizeof exact / sizeof *exact; i++)
        if (!(anole_activation_apply(activate, (double)points[exact[i]]) != 0) &&
            values[exact[i]] != 0)
            return false;
    for (size_t i = 0; i < POINTS; i++) {
        double expected = anole_activation_apply(activate, (double)points[i]);
        double off = fabs((double)values[i] - expected);
        if (!(off <= 2e-6 * (1 + fabs(expected)) + 4e-7 * fmin(fabs((double)points[i]), 10)))
            return false;
    }
    return true;
}

static bool recognise(struct anole_activate *activate, const struct search *search,
                      const float *values)
{
    for (uint32_t i = 0; strcmp(anole_activation_text(i), "unknown") != 0; i++) {
        activate->activation = i;
        if (solve(activate, values) && fits(activate, search->points, values))
            return true;
    }
    return false;
}

/* ---------------------------------------------------------------------- pass */

/* `node` becomes the activation of a tensor. */
static enum anole_status replace(const struct search *search, struct anole_node *node,
                                 size_t variable, const struct anole_activate *activate)
{
    const struct anole_op *op = anole_op_find("unary");
    const bool clips =
        activate->activation == ANOLE_ACT_RELU6 || activate->activation == ANOLE_ACT_CLIP;
    size_t *inputs = malloc(sizeof *inputs);
    void *attributes = malloc(op->attribute_bytes);
    if (!inputs || !attributes) {
        free(inputs);
        free(attributes);
        return anole_fail_memory(search->error);
    }
    *inputs = variable;
    memcpy(attributes, op->defaults, op->attribute_bytes);
    enum anole_status status = anole_op_set_choice(
        op, attributes, "function", clips ? "clip" : anole_activation_text(activate->activation),
        search->error);
    const bool six = activate->activation == ANOLE_ACT_RELU6;
    const char *const names[] = {clips ? "low" : "alpha", clips ? "high" : "beta"};
    const double numbers[] = {(double)activate->alpha, six ? 6 : (double)activate->beta};
    uint32_t count = clips ? 2 : anole_activation_parameters(activate->activation);
    for (uint32_t i = 0; i < count && status == ANOLE_DONE; i++)
        status = anole_op_set_real(op, attributes, names[i], numbers[i], search->error);
    free(node->inputs);
    free(node->attributes);
    node->op = op;
    node->inputs = inputs;
    node->input_count = 1;
    node->attributes = attributes;
    return status;
}

/* The largest cluster that ends in a node and is an activation. */
static enum anole_status visit(struct search *search, size_t index)
{
    const struct anole_graph *graph = search->graph;
    struct anole_node *root = &search->graph->nodes[index];
    struct cluster cluster = {.nodes = {index}, .count = 1};
    struct anole_activate activate, found = {.activation = ANOLE_ACT_NONE};
    float values[MOST_NODES][POINTS];
    size_t found_of = ANOLE_NONE, found_count = 0, latest;
    if (!can_be_part(graph, root))
        return ANOLE_DONE;
    do {
        size_t variable = read_by(search, &cluster, &latest);
        if (variable == ANOLE_NONE || (cluster.count == 1 && root->op == anole_op_find("unary")) ||
            !anole_operand_same_shape(&graph->tensors[variable].type,
                                      &graph->tensors[root->outputs[0]].type) ||
            graph->tensors[variable].type.dtype != ANOLE_F32)
            continue;
        if (compute(search, &cluster, variable, values) &&
            recognise(&activate, search, values[0])) {
            found = activate;
            found_of = variable;
            found_count = cluster.count;
        }
    } while (grow(search, &cluster, latest));
    if (found_of == ANOLE_NONE)
        return ANOLE_DONE;
    for (size_t k = 0; k < found_count; k++) {
        const struct anole_node *node = &graph->nodes[cluster.nodes[k]];
        for (size_t j = 0; j < node->input_count; j++)
            if (node->inputs[j] != ANOLE_NONE)
                search->readers[node->inputs[j]]--;
    }
    search->readers[found_of]++;
    return replace(search, root, found_of, &found);
}

enum anole_status anole_graph_activation(struct anole_graph *graph, struct anole_error *error)
{
    struct search search = {.graph = graph,
                            .readers = calloc(graph->tensor_count + 1, sizeof *search.readers),
                            .error = error};
    enum anole_status status = search.readers ? ANOLE_DONE : anole_fail_memory(error);
    if (status == ANOLE_DONE)
        count_readers(&search);
    place_points(search.points);
    for (size_t i = 0; i < graph->node_count && status == ANOLE_DONE; i++)
        status = visit(&search, i);
    free(search.readers);
    if (status == ANOLE_DONE)
        anole_graph_remove_dead(graph);
    return status;
}
