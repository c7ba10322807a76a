/* SPDX-License-Identifier: MIT
 *
 * Fusing: an addition or an activation that is all that becomes of a kernel's output is done
 * by the kernel itself:
 *
 *   out = activation(conv(input, weights) + bias + residual)
 *
 * Each value on the way is read by the next node alone, so that it need not exist.
 */
#include "graph/graph.h"

#include <stdlib.h>

struct fusing {
    struct anole_graph *graph;
    size_t *readers; /* of each tensor; an output of the graph has one more */
    size_t *depths;  /* of each node: the most nodes on a way to it */
};

static void count_readers(const struct fusing *f)
{
    const struct anole_graph *graph = f->graph;
    for (size_t i = 0; i < graph->node_count; i++) {
        const struct anole_node *node = &graph->nodes[i];
        for (size_t j = 0; j <= node->input_count; j++) {
            size_t input = j < node->input_count ? node->inputs[j] : node->residual;
            if (input == ANOLE_NONE)
                continue;
            f->readers[input]++;
            size_t producer = graph->tensors[input].producer;
            if (producer != ANOLE_NONE && f->depths[i] <= f->depths[producer])
                f->depths[i] = f->depths[producer] + 1;
        }
    }
    for (size_t i = 0; i < graph->output_count; i++)
        f->readers[graph->outputs[i]]++;
}

/* The node whose kernel could also do what the only reader of `tensor` does. */
static struct anole_node *target_of(const struct fusing *f, size_t tensor, uint32_t flag)
{
    size_t producer = f->graph->tensors[tensor].producer;
    if (producer == ANOLE_NONE || f->readers[tensor] != 1)
        return NULL;
    struct anole_node *node = &f->graph->nodes[producer];
    bool takes = node->op && (node->op->flags & flag) && node->output_count == 1 &&
                 node->activation == ANOLE_ACT_NONE;
    return takes ? node : NULL;
}

/* `node` is done by `target` from here on, which makes its output. */
static void absorb(const struct fusing *f, struct anole_node *target, struct anole_node *node)
{
    struct anole_graph *graph = f->graph;
    graph->tensors[target->outputs[0]].producer = ANOLE_NONE;
    target->outputs[0] = node->outputs[0];
    graph->tensors[target->outputs[0]].producer = (size_t)(target - graph->nodes);
    anole_node_fini(node);
    *node = (struct anole_node){.op = NULL};
}

/* The view that makes a tensor, which one node alone reads; NULL: it is made by none. */
static struct anole_node *view_of(const struct fusing *f, size_t tensor)
{
    size_t producer = f->graph->tensors[tensor].producer;
    if (producer == ANOLE_NONE || f->readers[tensor] != 1)
        return NULL;
    struct anole_node *node = &f->graph->nodes[producer];
    return node->op && (node->op->flags & ANOLE_OP_VIEW) && node->output_count == 1 ? node : NULL;
}

/* A view between the kernel and the activation stays, and makes what the activation made: dense
 * layers of sequences, and convolutions of one dimension, end in one. */
static void fuse_activation(const struct fusing *f, struct anole_node *node,
                            const struct anole_activate *activate)
{
    size_t x = node->inputs[0];
    struct anole_node *last = view_of(f, x);
    for (struct anole_node *view = last; view; view = view_of(f, x))
        x = view->inputs[0];
    struct anole_node *target = target_of(f, x, ANOLE_OP_TAKES_ACTIVATION);
    if (!target)
        return;
    target->activation = activate->activation;
    target->activation_alpha = activate->alpha;
    target->activation_beta = activate->beta;
    absorb(f, last ? last : target, node);
}

static struct anole_node *residual_target(const struct fusing *f, size_t tensor)
{
    struct anole_node *target = target_of(f, tensor, ANOLE_OP_TAKES_RESIDUAL);
    return target && target->residual == ANOLE_NONE ? target : NULL;
}

/* Where both operands could take the other as their residual, the deeper one does: the main
 * path of a block rather than its shortcut, in whichever order the file has them.  A target
 * whose residual comes later moves to the place of the addition, which alone reads it. */
static void fuse_add(const struct fusing *f, struct anole_node *node)
{
    struct anole_graph *graph = f->graph;
    size_t a = node->inputs[0], b = node->inputs[1];
    struct anole_node *of_a = residual_target(f, a), *of_b = residual_target(f, b);
    if (!of_a && !of_b)
        return;
    bool first =
        of_a && (!of_b || f->depths[of_a - graph->nodes] >= f->depths[of_b - graph->nodes]);
    struct anole_node *target = first ? of_a : of_b;
    target->residual = first ? b : a;
    size_t before = graph->tensors[target->residual].producer;
    size_t depth = f->depths[target - graph->nodes];
    absorb(f, target, node);
    if (before == ANOLE_NONE || before < (size_t)(target - graph->nodes))
        return;
    *node = *target;
    *target = (struct anole_node){.op = NULL};
    graph->tensors[node->outputs[0]].producer = (size_t)(node - graph->nodes);
    f->depths[node - graph->nodes] = depth;
}

static void visit(const struct fusing *f, struct anole_node *node)
{
    struct anole_operand outputs[ANOLE_MAX_OPERANDS];
    const struct anole_operand *operands[ANOLE_MAX_OPERANDS];
    struct anole_activate activate;
    struct anole_call call;
    if (!(node->op->flags & ANOLE_OP_ELEMENTWISE) || node->input_count > ANOLE_MAX_OPERANDS ||
        node->output_count != 1 || node->outputs[0] == ANOLE_NONE ||
        node->activation != ANOLE_ACT_NONE || node->residual != ANOLE_NONE)
        return;
    anole_graph_call(&call, f->graph, node, operands, outputs);
    if (node->op->activation && node->op->activation(&call, &activate))
        fuse_activation(f, node, &activate);
    else if (node->op->adds && node->op->adds(&call))
        fuse_add(f, node);
}

enum anole_status anole_graph_fuse(struct anole_graph *graph, struct anole_error *error)
{
    const struct fusing f = {.graph = graph,
                             .readers = calloc(graph->tensor_count + 1, sizeof *f.readers),
                             .depths = calloc(graph->node_count + 1, sizeof *f.depths)};
    enum anole_status status = ANOLE_DONE;
    if (f.readers && f.depths) {
        count_readers(&f);
        for (size_t i = 0; i < graph->node_count; i++)
            visit(&f, &graph->nodes[i]);
        size_t kept = 0;
        for (size_t i = 0; i < graph->node_count; i++) {
            if (!graph->nodes[i].op)
                continue;
            graph->nodes[kept] = graph->nodes[i];
            for (size_t j = 0; j < graph->nodes[kept].output_count; j++)
                if (graph->nodes[kept].outputs[j] != ANOLE_NONE)
                    graph->tensors[graph->nodes[kept].outputs[j]].producer = kept;
            kept++;
        }
        graph->node_count = kept;
    } else {
        status = anole_fail_memory(error);
    }
    free(f.readers);
    free(f.depths);
    return status;
}

bool anole_graph_task(struct anole_task *task, const struct anole_graph *graph, size_t index)
{
    const struct anole_node *node = &graph->nodes[index];
    struct anole_operand outputs[ANOLE_MAX_OPERANDS];
    const struct anole_operand *operands[ANOLE_MAX_OPERANDS];
    struct anole_call call;
    if (!node->op->task || node->input_count > ANOLE_MAX_OPERANDS ||
        node->output_count > ANOLE_MAX_OPERANDS)
        return false;
    anole_graph_call(&call, graph, node, operands, outputs);
    if (!node->op->task(&call, task))
        return false;
    task->activation = node->activation;
    task->alpha = node->activation_alpha;
    task->beta = node->activation_beta;
    if (node->residual != ANOLE_NONE)
        task->flags |= ANOLE_TASK_RESIDUAL;
    if (graph->tf32 && task->dtype == ANOLE_F32)
        task->dtype = ANOLE_TF32;
    return true;
}
