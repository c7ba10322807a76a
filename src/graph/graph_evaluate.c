/* SPDX-License-Identifier: MIT */
#include "graph/graph_evaluate.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct evaluation {
    const struct anole_graph *graph;
    struct anole_operand *values;     /* of each tensor; data NULL: not there */
    struct anole_constant *constants; /* of each tensor */
    size_t *uses;                     /* how often each will still be read */
    struct anole_error *error;
};

static bool is_constant(const struct evaluation *e, size_t tensor)
{
    return anole_graph_is_constant(e->graph, tensor);
}

static size_t bytes_of(const struct anole_operand *operand)
{
    size_t bytes = anole_operand_elements(operand) * anole_dtype_bytes(operand->dtype);
    return bytes ? bytes : 1;
}

static void count_uses(struct evaluation *e)
{
    for (size_t i = 0; i < e->graph->node_count; i++) {
        const struct anole_node *node = &e->graph->nodes[i];
        for (size_t j = 0; j < node->input_count; j++)
            if (node->inputs[j] != ANOLE_NONE)
                e->uses[node->inputs[j]]++;
    }
    for (size_t i = 0; i < e->graph->output_count; i++)
        e->uses[e->graph->outputs[i]]++;
}

/* One reader less; what nobody reads any more goes. */
static void done_with(struct evaluation *e, size_t tensor)
{
    if (tensor == ANOLE_NONE || --e->uses[tensor] > 0 || is_constant(e, tensor))
        return;
    free(e->values[tensor].data);
    e->values[tensor].data = NULL;
}

static enum anole_status take_inputs(struct evaluation *e, const struct anole_operand *inputs)
{
    for (size_t i = 0; i < e->graph->input_count; i++) {
        const struct anole_graph_tensor *tensor = &e->graph->tensors[e->graph->inputs[i]];
        char want[128], have[128], name[200];
        if (inputs[i].dtype != tensor->type.dtype ||
            !anole_operand_same_shape(&inputs[i], &tensor->type))
            return anole_fail(e->error, ANOLE_ERR_INPUT,
                              "input \"%s\" is of shape %s; expected %s, and its type",
                              anole_text_printable(name, sizeof name, tensor->name),
                              anole_operand_shape_text(have, sizeof have, &inputs[i]),
                              anole_operand_shape_text(want, sizeof want, &tensor->type));
        struct anole_operand *value = &e->values[e->graph->inputs[i]];
        *value = inputs[i];
        value->data = malloc(bytes_of(value));
        if (!value->data)
            return anole_fail_memory(e->error);
        memcpy(value->data, inputs[i].data,
               bytes_of(value) == 1 && !anole_operand_elements(value) ? 0 : bytes_of(value));
    }
    return ANOLE_DONE;
}

static enum anole_status run_node(struct evaluation *e, const struct anole_node *node,
                                  const struct anole_operand **operands)
{
    struct anole_operand outputs[ANOLE_MAX_OPERANDS] = {{.dtype = 0}};
    struct anole_error why = {.status = ANOLE_DONE};
    for (size_t i = 0; i < node->input_count; i++)
        operands[i] = node->inputs[i] == ANOLE_NONE ? NULL : &e->values[node->inputs[i]];
    struct anole_call call = {.op = node->op,
                              .attributes = node->attributes,
                              .inputs = operands,
                              .input_count = (uint32_t)node->input_count,
                              .outputs = outputs,
                              .output_count = (uint32_t)node->output_count};
    /* Again, for sizes that have come out smaller than what was planned for. */
    enum anole_status status = node->op->infer(&call, &why);
    for (size_t i = 0; i < node->output_count && status == ANOLE_DONE; i++) {
        outputs[i].data = calloc(1, bytes_of(&outputs[i]));
        if (!outputs[i].data)
            status = anole_fail_memory(&why);
    }
    if (status == ANOLE_DONE)
        status = node->op->compute(&call, &why);
    for (size_t i = 0; i < node->output_count; i++) {
        size_t tensor = node->outputs[i];
        if (status != ANOLE_DONE || tensor == ANOLE_NONE || e->uses[tensor] == 0)
            free(outputs[i].data);
        else
            e->values[tensor] = outputs[i];
    }
    for (size_t i = 0; i < node->input_count && status == ANOLE_DONE; i++)
        done_with(e, node->inputs[i]);
    if (status == ANOLE_ERR_INPUT)
        return anole_graph_fail(e->graph, node, e->error, "%s", why.text);
    return status ? anole_fail(e->error, status, "%s", why.text) : ANOLE_DONE;
}

static enum anole_status run_nodes(struct evaluation *e)
{
    size_t most = 1;
    for (size_t i = 0; i < e->graph->node_count; i++)
        if (e->graph->nodes[i].input_count > most)
            most = e->graph->nodes[i].input_count;
    const struct anole_operand **operands = calloc(most, sizeof *operands);
    enum anole_status status = operands ? ANOLE_DONE : anole_fail_memory(e->error);
    for (size_t i = 0; i < e->graph->node_count && status == ANOLE_DONE; i++)
        status = run_node(e, &e->graph->nodes[i], operands);
    free(operands);
    return status;
}

static enum anole_status give_outputs(struct evaluation *e, struct anole_operand *outputs)
{
    size_t n = e->graph->output_count, made = 0;
    struct anole_operand *copies = calloc(n + 1, sizeof *copies);
    if (!copies)
        return anole_fail_memory(e->error);
    for (; made < n; made++) {
        const struct anole_operand *value = &e->values[e->graph->outputs[made]];
        copies[made] = *value;
        copies[made].data = malloc(bytes_of(value));
        if (!copies[made].data)
            break;
        if (anole_operand_elements(value) > 0)
            memcpy(copies[made].data, value->data, bytes_of(value));
    }
    if (made < n) {
        while (made-- > 0)
            free(copies[made].data);
        free(copies);
        return anole_fail_memory(e->error);
    }
    if (n > 0)
        memcpy(outputs, copies, n * sizeof *copies);
    free(copies);
    return ANOLE_DONE;
}

static enum anole_status take_constants(struct evaluation *e)
{
    enum anole_status status = ANOLE_DONE;
    for (size_t i = 0; i < e->graph->tensor_count && status == ANOLE_DONE; i++) {
        if (!is_constant(e, i))
            continue;
        status = anole_graph_open_constant(&e->constants[i], e->graph, i, e->error);
        e->values[i] = e->graph->tensors[i].type;
        e->values[i].data = (void *)e->constants[i].data;
    }
    return status;
}

enum anole_status anole_graph_evaluate(const struct anole_graph *graph,
                                       const struct anole_operand *inputs,
                                       struct anole_operand *outputs, struct anole_error *error)
{
    size_t n = graph->tensor_count;
    struct evaluation e = {.graph = graph,
                           .values = calloc(n + 1, sizeof *e.values),
                           .constants = calloc(n + 1, sizeof *e.constants),
                           .uses = calloc(n + 1, sizeof *e.uses),
                           .error = error};
    enum anole_status status = ANOLE_DONE;
    if (!e.values || !e.constants || !e.uses)
        status = anole_fail_memory(error);
    if (status == ANOLE_DONE)
        status = take_constants(&e);
    if (status == ANOLE_DONE) {
        count_uses(&e);
        status = take_inputs(&e, inputs);
    }
    if (status == ANOLE_DONE)
        status = run_nodes(&e);
    if (status == ANOLE_DONE)
        status = give_outputs(&e, outputs);
    for (size_t i = 0; i < n && e.values; i++)
        if (!is_constant(&e, i))
            free(e.values[i].data);
    for (size_t i = 0; i < n && e.constants; i++)
        anole_constant_close(&e.constants[i]);
    free(e.uses);
    free(e.constants);
    free(e.values);
    return status;
}
