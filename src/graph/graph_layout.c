/* SPDX-License-Identifier: MIT
 *
 * Layouts: transposes move towards the outputs, through everything that does not mind in which
 * order the dimensions stand, until they meet their inverse and both go.
 *
 * A front end whose format has channels second puts a transpose before and behind each
 * operator that has them last.  One walk over the graph, in its order, keeps for each tensor
 * which other one it is a transpose of.  An operator on such tensors works on the others
 * instead, with its axes renumbered, and what it makes is transposed afterwards; a transpose
 * of a transpose is one of them, or none.
 */
#include "graph/graph_passes.h"

#include <stdlib.h>
#include <string.h>

/* dims[i] of the tensor are dims[perm[i]] of `base`. */
struct view {
    size_t base; /* ANOLE_NONE: it is no transpose */
    uint32_t perm[ANOLE_MAX_RANK];
};

struct layout {
    struct anole_graph *graph;
    struct view *views; /* of each tensor, [room] */
    size_t *aliases;    /* of each tensor: the one to read instead, [room] */
    size_t room;
    const struct anole_op *transpose, *reshape;
    struct anole_error *error;
};

/* ------------------------------------------------------------------ bookkeeping */

static enum anole_status make_room(struct layout *l)
{
    size_t count = l->graph->tensor_count;
    if (count <= l->room)
        return ANOLE_DONE;
    size_t room = 2 * count;
    struct view *views = realloc(l->views, room * sizeof *views);
    if (views)
        l->views = views;
    size_t *aliases = views ? realloc(l->aliases, room * sizeof *aliases) : NULL;
    if (!aliases)
        return anole_fail_memory(l->error);
    l->aliases = aliases;
    for (size_t i = l->room; i < room; i++) {
        l->views[i].base = ANOLE_NONE;
        l->aliases[i] = i;
    }
    l->room = room;
    return ANOLE_DONE;
}

static bool is_output(const struct anole_graph *graph, size_t tensor)
{
    for (size_t i = 0; i < graph->output_count; i++)
        if (graph->outputs[i] == tensor)
            return true;
    return false;
}

static bool is_identity(const uint32_t *perm, uint32_t rank)
{
    for (uint32_t i = 0; i < rank; i++)
        if (perm[i] != i)
            return false;
    return true;
}

static void invert(uint32_t *inverse, const uint32_t *perm, uint32_t rank)
{
    for (uint32_t i = 0; i < rank; i++)
        inverse[perm[i]] = i;
}

static enum anole_status set_perm(struct layout *l, void *attributes, const uint32_t *perm,
                                  uint32_t rank)
{
    int64_t values[ANOLE_MAX_RANK];
    for (uint32_t i = 0; i < rank; i++)
        values[i] = perm[i];
    return anole_op_set_ints(l->transpose, attributes, "perm", values, rank, l->error);
}

/* The order that a transpose asks for. */
static void get_perm(uint32_t *perm, const struct anole_node *node, uint32_t rank)
{
    struct anole_ints ints = {.count = 0};
    anole_op_get_ints(node->op, node->attributes, "perm", &ints);
    for (uint32_t i = 0; i < rank; i++)
        perm[i] = ints.count == rank ? (uint32_t)ints.values[i] : rank - 1 - i;
}

/* A tensor transposed by `perm`; *out: the new one, whose type is set. */
static enum anole_status add_transpose(struct layout *l, size_t *out, size_t x,
                                       const uint32_t *perm)
{
    void *attributes;
    const struct anole_operand type = l->graph->tensors[x].type;
    enum anole_status status =
        anole_graph_apply(l->graph, out, &attributes, l->transpose, NULL, &x, 1, l->error);
    if (status == ANOLE_DONE)
        status = set_perm(l, attributes, perm, type.rank);
    if (status)
        return status;
    struct anole_operand *made = &l->graph->tensors[*out].type;
    *made = type;
    made->data = NULL;
    for (uint32_t i = 0; i < type.rank; i++)
        made->dims[i] = type.dims[perm[i]];
    return make_room(l);
}

/* ------------------------------------------------------------------- operators */

/* Whether an operator can work on permuted dimensions: one by one, or along axes that are
 * all there is to say. */
static bool can_permute(const struct anole_node *node)
{
    if (node->op->flags & ANOLE_OP_ELEMENTWISE)
        return true;
    if (!(node->op->flags & ANOLE_OP_ALONG_AXES))
        return false;
    /* Lists that are inputs would have to be renumbered as well. */
    bool many = node->op->most_inputs > 8;
    for (size_t i = 1; i < node->input_count && !many; i++)
        if (node->inputs[i] != ANOLE_NONE)
            return false;
    return true;
}

/* Renumbers the axes among its attributes; `inverse`: where each dimension goes. */
static enum anole_status renumber(struct layout *l, struct anole_node *node, const uint32_t *perm,
                                  uint32_t rank)
{
    enum anole_status status = ANOLE_DONE;
    for (const struct anole_op_key *key = node->op->keys; key && key->name && !status; key++) {
        struct anole_ints axes;
        int64_t axis;
        if (!key->is_axis)
            continue;
        if (key->kind == ANOLE_KEY_INT) {
            memcpy(&axis, (char *)node->attributes + key->offset, sizeof axis);
            axis = perm[axis < 0 ? axis + rank : axis];
            status = anole_op_set_int(node->op, node->attributes, key->name, axis, l->error);
        } else {
            memcpy(&axes, (char *)node->attributes + key->offset, sizeof axes);
            for (uint32_t i = 0; i < axes.count; i++)
                axes.values[i] = perm[axes.values[i] < 0 ? axes.values[i] + rank : axes.values[i]];
            status = anole_op_set_ints(node->op, node->attributes, key->name, axes.values,
                                       axes.count, l->error);
        }
    }
    return status;
}

/* The order that most of the node's operands are transposed by; false: it is not worth it. */
static bool find_order(const struct layout *l, const struct anole_node *node, uint32_t rank,
                       uint32_t *perm)
{
    const struct view *chosen = NULL;
    size_t with = 0, without = 0;
    for (size_t i = 0; i < node->input_count; i++) {
        if (node->inputs[i] == ANOLE_NONE)
            continue;
        const struct anole_operand *type = &l->graph->tensors[node->inputs[i]].type;
        const struct view *view = &l->views[node->inputs[i]];
        size_t elements = anole_operand_elements(type);
        if (anole_graph_is_constant(l->graph, node->inputs[i]) || elements <= 1)
            continue;
        if (view->base != ANOLE_NONE && type->rank == rank &&
            (!chosen || memcmp(chosen->perm, view->perm, rank * sizeof *perm) == 0)) {
            chosen = view;
            with += elements;
        } else {
            without += elements;
        }
    }
    if (!chosen || without > with)
        return false;
    memcpy(perm, chosen->perm, rank * sizeof *perm);
    return true;
}

/* Operand i as it is before the transpose `perm`. */
static enum anole_status straighten(struct layout *l, size_t node, size_t i, const uint32_t *perm,
                                    uint32_t rank)
{
    size_t tensor = l->graph->nodes[node].inputs[i];
    if (tensor == ANOLE_NONE)
        return ANOLE_DONE;
    const struct anole_operand type = l->graph->tensors[tensor].type;
    const struct view *view = &l->views[tensor];
    if (anole_operand_elements(&type) == 1 && type.rank <= 1)
        return ANOLE_DONE;
    if (view->base != ANOLE_NONE && type.rank == rank &&
        memcmp(view->perm, perm, rank * sizeof *perm) == 0) {
        l->graph->nodes[node].inputs[i] = view->base;
        return ANOLE_DONE;
    }
    uint32_t inverse[ANOLE_MAX_RANK];
    size_t wide = tensor, out;
    enum anole_status status = ANOLE_DONE;
    invert(inverse, perm, rank);
    if (type.rank < rank) {
        int64_t dims[ANOLE_MAX_RANK];
        void *attributes;
        for (uint32_t d = 0; d < rank; d++)
            dims[d] = d + type.rank < rank ? 1 : type.dims[d + type.rank - rank];
        status =
            anole_graph_apply(l->graph, &wide, &attributes, l->reshape, NULL, &tensor, 1, l->error);
        if (status == ANOLE_DONE)
            status = anole_op_set_ints(l->reshape, attributes, "shape", dims, rank, l->error);
        if (status == ANOLE_DONE)
            status = anole_op_set_bool(l->reshape, attributes, "allow_zero", true, l->error);
        if (status)
            return status;
        struct anole_operand *made = &l->graph->tensors[wide].type;
        *made = (struct anole_operand){.dtype = type.dtype, .rank = rank};
        memcpy(made->dims, dims, sizeof made->dims);
        status = make_room(l);
    }
    if (status == ANOLE_DONE)
        status = add_transpose(l, &out, wide, inverse);
    if (status == ANOLE_DONE)
        l->graph->nodes[node].inputs[i] = out;
    return status;
}

/* An output of a node that now works on permuted dimensions: a new tensor, and the old one
 * is its transpose. */
static enum anole_status permute_output(struct layout *l, size_t node, size_t i,
                                        const uint32_t *perm)
{
    size_t old = l->graph->nodes[node].outputs[i], new, transpose;
    void *attributes;
    if (old == ANOLE_NONE)
        return ANOLE_DONE;
    struct anole_operand type = l->graph->tensors[old].type;
    for (uint32_t d = 0; d < type.rank; d++)
        type.dims[perm[d]] = l->graph->tensors[old].type.dims[d];
    enum anole_status status =
        anole_graph_add_tensor(l->graph, &new, l->graph->tensors[old].name, &type, l->error);
    if (status)
        return status;
    l->graph->nodes[node].outputs[i] = new;
    l->graph->tensors[new].producer = node;
    l->graph->tensors[old].producer = ANOLE_NONE;
    status = anole_graph_add_node(l->graph, &transpose, l->transpose, l->graph->nodes[node].name,
                                  &new, 1, &old, 1, l->error);
    if (status == ANOLE_DONE) {
        attributes = l->graph->nodes[transpose].attributes;
        status = set_perm(l, attributes, perm, type.rank);
    }
    if (status == ANOLE_DONE)
        status = make_room(l);
    if (status == ANOLE_DONE) {
        l->views[old].base = new;
        memcpy(l->views[old].perm, perm, sizeof l->views[old].perm);
    }
    return status;
}

/* The rank that the node's operands have after broadcasting; 0: its outputs have another. */
static uint32_t common_rank(const struct layout *l, const struct anole_node *node)
{
    uint32_t rank = 0;
    for (size_t i = 0; i < node->output_count; i++)
        if (node->outputs[i] != ANOLE_NONE)
            rank = l->graph->tensors[node->outputs[i]].type.rank;
    for (size_t i = 0; i < node->output_count; i++)
        if (node->outputs[i] != ANOLE_NONE && l->graph->tensors[node->outputs[i]].type.rank != rank)
            return 0;
    if (!(node->op->flags & ANOLE_OP_ELEMENTWISE) &&
        l->graph->tensors[node->inputs[0]].type.rank != rank)
        return 0;
    return rank;
}

static enum anole_status push_through(struct layout *l, size_t index)
{
    struct anole_node *node = &l->graph->nodes[index];
    uint32_t perm[ANOLE_MAX_RANK] = {0};
    uint32_t rank = common_rank(l, node);
    if (rank < 2 || !can_permute(node) || !find_order(l, node, rank, perm))
        return ANOLE_DONE;
    size_t inputs = node->input_count, outputs = node->output_count;
    enum anole_status status = renumber(l, node, perm, rank);
    for (size_t i = 0; i < inputs && status == ANOLE_DONE; i++)
        status = straighten(l, index, i, perm, rank);
    for (size_t i = 0; i < outputs && status == ANOLE_DONE; i++)
        status = permute_output(l, index, i, perm);
    return status;
}

/* A transpose of what may be a transpose itself. */
static enum anole_status merge(struct layout *l, size_t index)
{
    struct anole_node *node = &l->graph->nodes[index];
    size_t x = node->inputs[0], y = node->outputs[0];
    uint32_t rank = l->graph->tensors[y].type.rank, perm[ANOLE_MAX_RANK] = {0};
    const struct view *view = &l->views[x];
    get_perm(perm, node, rank);
    if (view->base != ANOLE_NONE) {
        for (uint32_t i = 0; i < rank; i++)
            perm[i] = view->perm[perm[i]];
        x = view->base;
        node->inputs[0] = x;
    }
    if (is_identity(perm, rank) && !is_output(l->graph, y)) {
        l->aliases[y] = x;
        return ANOLE_DONE;
    }
    l->views[y].base = x;
    memcpy(l->views[y].perm, perm, sizeof perm);
    return set_perm(l, node->attributes, perm, rank);
}

static enum anole_status visit(struct layout *l, size_t index)
{
    struct anole_node *node = &l->graph->nodes[index];
    for (size_t i = 0; i < node->input_count; i++)
        if (node->inputs[i] != ANOLE_NONE)
            node->inputs[i] = l->aliases[node->inputs[i]];
    return node->op == l->transpose ? merge(l, index) : push_through(l, index);
}

/* -------------------------------------------------------- transposes that are none */

/* Where only dimensions of 1 change their places, the elements stay in theirs. */
static enum anole_status unmask(struct layout *l, struct anole_node *node)
{
    const struct anole_operand *x = &l->graph->tensors[node->inputs[0]].type;
    const struct anole_operand *y = &l->graph->tensors[node->outputs[0]].type;
    uint32_t perm[ANOLE_MAX_RANK], last = 0;
    bool moved = false;
    get_perm(perm, node, x->rank);
    for (uint32_t i = 0; i < x->rank; i++) {
        if (x->dims[perm[i]] == 1)
            continue;
        moved |= perm[i] < last;
        last = perm[i];
    }
    if (moved)
        return ANOLE_DONE;
    void *attributes = calloc(1, l->reshape->attribute_bytes);
    if (!attributes)
        return anole_fail_memory(l->error);
    free(node->attributes);
    node->attributes = attributes;
    node->op = l->reshape;
    int64_t from[ANOLE_MAX_RANK];
    for (uint32_t i = 0; i < x->rank; i++)
        from[i] = perm[i];
    enum anole_status status =
        anole_op_set_ints(node->op, attributes, "shape", y->dims, y->rank, l->error);
    if (status == ANOLE_DONE && l->graph->tensors[node->inputs[0]].data_sized)
        status = anole_op_set_ints(node->op, attributes, "from", from, y->rank, l->error);
    return status ? status : anole_op_set_bool(node->op, attributes, "allow_zero", true, l->error);
}

enum anole_status anole_graph_layout(struct anole_graph *graph, struct anole_error *error)
{
    struct layout l = {.graph = graph,
                       .transpose = anole_op_find("transpose"),
                       .reshape = anole_op_find("reshape"),
                       .error = error};
    enum anole_status status = make_room(&l);
    size_t count = graph->node_count; /* those that are added are no more to be looked at */
    for (size_t i = 0; i < count && status == ANOLE_DONE; i++)
        status = visit(&l, i);
    free(l.views);
    free(l.aliases);
    if (status == ANOLE_DONE)
        status = anole_graph_infer(graph, graph->fold_limit, error);
    anole_graph_remove_dead(graph);
    for (size_t i = 0; i < graph->node_count && status == ANOLE_DONE; i++)
        if (graph->nodes[i].op == l.transpose)
            status = unmask(&l, &graph->nodes[i]);
    return status;
}
