/* SPDX-License-Identifier: MIT */
#include "graph/graph_constant.h"

#include "base/hash.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum anole_status anole_graph_create(struct anole_graph **graph, const char *name, const char *path,
                                     struct anole_error *error)
{
    struct anole_graph *new = calloc(1, sizeof *new);
    if (!new)
        return anole_fail_memory(error);
    new->name = strdup(name);
    new->path = strdup(path);
    if (!new->name || !new->path) {
        anole_graph_destroy(new);
        return anole_fail_memory(error);
    }
    *graph = new;
    return ANOLE_DONE;
}

void anole_node_fini(struct anole_node *node)
{
    free(node->name);
    free(node->attributes);
    free(node->inputs);
    free(node->outputs);
}

void anole_graph_destroy(struct anole_graph *graph)
{
    if (!graph)
        return;
    for (size_t i = 0; i < graph->tensor_count; i++) {
        free(graph->tensors[i].name);
        anole_recipe_destroy(graph->tensors[i].recipe);
        if (graph->tensors[i].owns_data)
            free(graph->tensors[i].type.data);
    }
    for (size_t i = 0; i < graph->node_count; i++)
        anole_node_fini(&graph->nodes[i]);
    if (graph->backing_destroy)
        graph->backing_destroy(graph->backing);
    free(graph->tensors);
    free(graph->names);
    free(graph->nodes);
    free(graph->inputs);
    free(graph->outputs);
    free(graph->name);
    free(graph->path);
    free(graph);
}

/* Room for one more element of an array. */
static bool grow(void *array, size_t count, size_t *room, size_t size)
{
    void **memory = array;
    if (count < *room)
        return true;
    size_t wanted = *room ? 2 * *room : 16;
    void *larger = realloc(*memory, wanted * size);
    if (!larger)
        return false;
    *memory = larger;
    *room = wanted;
    return true;
}

/* ------------------------------------------------------------------- tensors */

/* The place of a name, or where it belongs; there is always one that is free. */
static size_t *find_slot(const struct anole_graph *graph, const char *name)
{
    size_t mask = graph->name_room - 1, at = (size_t)anole_hash_text(name) & mask;
    while (graph->names[at] && strcmp(graph->tensors[graph->names[at] - 1].name, name) != 0)
        at = (at + 1) & mask;
    return &graph->names[at];
}

size_t anole_graph_find(const struct anole_graph *graph, const char *name)
{
    return graph->name_room && *find_slot(graph, name) ? *find_slot(graph, name) - 1 : ANOLE_NONE;
}

/* Room for one more name: half of the table stays free. */
static bool grow_names(struct anole_graph *graph)
{
    if (2 * (graph->tensor_count + 1) <= graph->name_room)
        return true;
    size_t room = graph->name_room ? 2 * graph->name_room : 64;
    size_t *names = calloc(room, sizeof *names);
    if (!names)
        return false;
    free(graph->names);
    graph->names = names;
    graph->name_room = room;
    for (size_t i = 0; i < graph->tensor_count; i++)
        *find_slot(graph, graph->tensors[i].name) = i + 1;
    return true;
}

/* A name that no tensor has: `name`, or `name:N`. */
static char *new_name(const struct anole_graph *graph, const char *name)
{
    char text[ANOLE_GRAPH_MAX_NAME + 32];
    if (name && anole_graph_find(graph, name) == ANOLE_NONE)
        return strdup(name);
    /* A tensor's index is unique, and files that use such names are rare. */
    for (size_t i = graph->tensor_count;; i++) {
        snprintf(text, sizeof text, "%.*s:%zu", ANOLE_GRAPH_MAX_NAME, name ? name : "", i);
        if (anole_graph_find(graph, text) == ANOLE_NONE)
            return strdup(text);
    }
}

enum anole_status anole_graph_add_tensor(struct anole_graph *graph, size_t *tensor,
                                         const char *name, const struct anole_operand *type,
                                         struct anole_error *error)
{
    if (!grow(&graph->tensors, graph->tensor_count, &graph->tensor_room, sizeof *graph->tensors) ||
        !grow_names(graph))
        return anole_fail_memory(error);
    struct anole_graph_tensor *new = &graph->tensors[graph->tensor_count];
    *new = (struct anole_graph_tensor){.name = new_name(graph, name), .producer = ANOLE_NONE};
    if (!new->name)
        return anole_fail_memory(error);
    if (type)
        new->type = *type;
    new->type.data = NULL;
    *tensor = graph->tensor_count++;
    *find_slot(graph, new->name) = graph->tensor_count;
    return ANOLE_DONE;
}

enum anole_status anole_graph_add_constant(struct anole_graph *graph, size_t *tensor,
                                           const char *name, const struct anole_operand *type,
                                           bool borrow, struct anole_error *error)
{
    size_t index, elements = anole_operand_elements(type);
    if (elements == SIZE_MAX)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "a constant has 2^31 or more elements, or a negative size");
    enum anole_status status = anole_graph_add_tensor(graph, &index, name, type, error);
    if (status)
        return status;
    struct anole_graph_tensor *new = &graph->tensors[index];
    size_t bytes = elements * anole_dtype_bytes(type->dtype);
    new->type.data = borrow && type->data ? type->data : malloc(bytes ? bytes : 1);
    if (!new->type.data) /* a tensor without elements stays behind: nothing reads it */
        return anole_fail_memory(error);
    new->owns_data = new->type.data != type->data;
    if (new->owns_data && bytes > 0)
        memcpy(new->type.data, type->data, bytes);
    *tensor = index;
    return ANOLE_DONE;
}

enum anole_status anole_graph_add_unaligned(struct anole_graph *graph, size_t *tensor,
                                            const char *name, const struct anole_operand *type,
                                            struct anole_error *error)
{
    const size_t elements = anole_operand_elements(type);
    size_t index;
    if (type->dtype != ANOLE_F32 || type->rank < 2 || elements == SIZE_MAX ||
        elements * sizeof(float) < ANOLE_RECIPE_BYTES)
        return anole_graph_add_constant(graph, tensor, name, type, false, error);
    enum anole_status status = anole_graph_add_tensor(graph, &index, name, type, error);
    if (status == ANOLE_DONE)
        status = anole_recipe_create(&graph->tensors[index].recipe, graph, NULL, NULL, NULL, 0,
                                     type->data, error);
    if (status == ANOLE_DONE)
        *tensor = index;
    return status;
}

enum anole_status anole_graph_add_ints(struct anole_graph *graph, size_t *tensor, const char *name,
                                       const int64_t *values, size_t count,
                                       struct anole_error *error)
{
    const struct anole_operand type = {
        .dtype = ANOLE_I64, .rank = 1, .dims = {(int64_t)count}, .data = (void *)values};
    return anole_graph_add_constant(graph, tensor, name, &type, false, error);
}

enum anole_status anole_graph_rename(struct anole_graph *graph, size_t tensor, const char *name,
                                     struct anole_error *error)
{
    char *new = new_name(graph, name);
    if (!new)
        return anole_fail_memory(error);
    free(graph->tensors[tensor].name);
    graph->tensors[tensor].name = new;
    return ANOLE_DONE;
}

enum anole_status anole_graph_name_alike(struct anole_graph *graph, size_t input, size_t output,
                                         struct anole_error *error)
{
    char *name = strdup(graph->tensors[output].name);
    if (!name)
        return anole_fail_memory(error);
    free(graph->tensors[input].name);
    graph->tensors[input].name = name;
    return ANOLE_DONE;
}

/* --------------------------------------------------------------------- nodes */

enum anole_status anole_graph_fail(const struct anole_graph *graph, const struct anole_node *node,
                                   struct anole_error *error, const char *format, ...)
{
    char text[ANOLE_ERROR_TEXT], path[300], name[200], line[24] = "";
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (node->line > 0)
        snprintf(line, sizeof line, ":%d", node->line);
    return anole_fail(error, ANOLE_ERR_INPUT, "%s%s: node \"%s\" (%s): %s",
                      anole_text_printable(path, sizeof path, graph->path), line,
                      anole_text_printable(name, sizeof name, node->name), node->op->name, text);
}

static enum anole_status check_operands(const struct anole_graph *graph,
                                        const struct anole_node *node, struct anole_error *error)
{
    const struct anole_op *op = node->op;
    if (node->input_count < op->fewest_inputs || node->input_count > op->most_inputs)
        return anole_graph_fail(graph, node, error, "it has %zu inputs; expected %u to %u",
                                node->input_count, op->fewest_inputs, op->most_inputs);
    if (node->output_count < op->fewest_outputs || node->output_count > op->most_outputs)
        return anole_graph_fail(graph, node, error, "it has %zu outputs; expected %u to %u",
                                node->output_count, op->fewest_outputs, op->most_outputs);
    for (size_t i = 0; i < op->fewest_inputs; i++)
        if (node->inputs[i] == ANOLE_NONE)
            return anole_graph_fail(graph, node, error, "its input %zu is absent", i);
    for (size_t i = 0; i < node->output_count; i++) {
        size_t tensor = node->outputs[i];
        char name[200];
        if (tensor != ANOLE_NONE && (graph->tensors[tensor].producer != ANOLE_NONE ||
                                     anole_graph_is_constant(graph, tensor)))
            return anole_graph_fail(
                graph, node, error,
                "its output \"%s\" is made elsewhere, too; expected a name "
                "of its own",
                anole_text_printable(name, sizeof name, graph->tensors[tensor].name));
    }
    return ANOLE_DONE;
}

static void *copy(const void *data, size_t bytes)
{
    void *memory = calloc(1, bytes ? bytes : 1);
    if (memory && data && bytes > 0)
        memcpy(memory, data, bytes);
    return memory;
}

enum anole_status anole_graph_add_node(struct anole_graph *graph, size_t *node,
                                       const struct anole_op *op, const char *name,
                                       const size_t *inputs, size_t input_count,
                                       const size_t *outputs, size_t output_count,
                                       struct anole_error *error)
{
    if (!grow(&graph->nodes, graph->node_count, &graph->node_room, sizeof *graph->nodes))
        return anole_fail_memory(error);
    struct anole_node *new = &graph->nodes[graph->node_count];
    *new = (struct anole_node){.name = strdup(name ? name : ""),
                               .op = op,
                               .attributes = copy(op->defaults, op->attribute_bytes),
                               .inputs = copy(inputs, input_count * sizeof *inputs),
                               .input_count = input_count,
                               .outputs = copy(outputs, output_count * sizeof *outputs),
                               .output_count = output_count,
                               .residual = ANOLE_NONE};
    enum anole_status status = ANOLE_DONE;
    if (!new->name || !new->attributes || !new->inputs || !new->outputs)
        status = anole_fail_memory(error);
    if (status == ANOLE_DONE)
        status = check_operands(graph, new, error);
    if (status) {
        anole_node_fini(new);
        return status;
    }
    for (size_t i = 0; i < output_count; i++)
        if (outputs[i] != ANOLE_NONE)
            graph->tensors[outputs[i]].producer = graph->node_count;
    *node = graph->node_count++;
    return ANOLE_DONE;
}

enum anole_status anole_graph_apply(struct anole_graph *graph, size_t *output, void **attributes,
                                    const struct anole_op *op, const char *name,
                                    const size_t *inputs, size_t input_count,
                                    struct anole_error *error)
{
    size_t tensor, node;
    enum anole_status status = anole_graph_add_tensor(graph, &tensor, name, NULL, error);
    if (status == ANOLE_DONE)
        status =
            anole_graph_add_node(graph, &node, op, name, inputs, input_count, &tensor, 1, error);
    if (status)
        return status;
    *output = tensor;
    if (attributes)
        *attributes = graph->nodes[node].attributes;
    return ANOLE_DONE;
}

static enum anole_status append(size_t **list, size_t *count, size_t tensor,
                                struct anole_error *error)
{
    size_t *larger = realloc(*list, (*count + 1) * sizeof **list);
    if (!larger)
        return anole_fail_memory(error);
    larger[(*count)++] = tensor;
    *list = larger;
    return ANOLE_DONE;
}

enum anole_status anole_graph_add_input(struct anole_graph *graph, size_t tensor,
                                        struct anole_error *error)
{
    return append(&graph->inputs, &graph->input_count, tensor, error);
}

enum anole_status anole_graph_add_output(struct anole_graph *graph, size_t tensor,
                                         struct anole_error *error)
{
    return append(&graph->outputs, &graph->output_count, tensor, error);
}

void anole_graph_call(struct anole_call *call, const struct anole_graph *graph,
                      const struct anole_node *node, const struct anole_operand **operands,
                      struct anole_operand *outputs)
{
    for (size_t i = 0; i < node->input_count; i++)
        operands[i] = node->inputs[i] == ANOLE_NONE ? NULL : &graph->tensors[node->inputs[i]].type;
    for (size_t i = 0; i < node->output_count; i++) {
        outputs[i] = (struct anole_operand){.dtype = 0};
        if (node->outputs[i] != ANOLE_NONE)
            outputs[i] = graph->tensors[node->outputs[i]].type;
    }
    *call = (struct anole_call){.op = node->op,
                                .attributes = node->attributes,
                                .inputs = operands,
                                .input_count = (uint32_t)node->input_count,
                                .outputs = outputs,
                                .output_count = (uint32_t)node->output_count};
}

/* ------------------------------------------------------- sizes that data decide */

void anole_graph_find_data_sized(bool *sized, const struct anole_graph *graph)
{
    memset(sized, 0, graph->tensor_count * sizeof *sized);
    for (size_t i = 0; i < graph->node_count; i++) {
        const struct anole_node *node = &graph->nodes[i];
        bool depends = node->op->flags & ANOLE_OP_DATA_SIZED ||
                       (node->residual != ANOLE_NONE && sized[node->residual]);
        for (size_t j = 0; j < node->input_count && !depends; j++)
            depends = node->inputs[j] != ANOLE_NONE && sized[node->inputs[j]];
        for (size_t j = 0; j < node->output_count; j++)
            if (node->outputs[j] != ANOLE_NONE)
                sized[node->outputs[j]] = depends;
    }
}

/* --------------------------------------------------------------- what is dead */

/* What nobody needs any more. */
static void drop_constant(struct anole_graph *graph, size_t index)
{
    struct anole_graph_tensor *tensor = &graph->tensors[index];
    if (!anole_graph_is_constant(graph, index))
        return;
    anole_graph_forget(graph, index);
    if (tensor->folded)
        graph->folded -=
            anole_operand_elements(&tensor->type) * anole_dtype_bytes(tensor->type.dtype);
    if (tensor->owns_data)
        free(tensor->type.data);
    anole_recipe_destroy(tensor->recipe);
    tensor->type.data = NULL;
    tensor->recipe = NULL;
    tensor->owns_data = tensor->folded = false;
}

void anole_graph_remove_dead(struct anole_graph *graph)
{
    bool *wanted = calloc(graph->tensor_count + 1, sizeof *wanted);
    if (!wanted)
        return; /* a graph with dead nodes is right as well */
    for (size_t i = 0; i < graph->output_count; i++)
        anole_recipe_mark(wanted, graph, graph->outputs[i]);
    for (size_t i = graph->node_count; i-- > 0;) {
        const struct anole_node *node = &graph->nodes[i];
        bool used = false;
        for (size_t j = 0; j < node->output_count; j++)
            used |= node->outputs[j] != ANOLE_NONE && wanted[node->outputs[j]];
        if (!used)
            continue;
        for (size_t j = 0; j < node->input_count; j++)
            if (node->inputs[j] != ANOLE_NONE)
                anole_recipe_mark(wanted, graph, node->inputs[j]);
        if (node->residual != ANOLE_NONE)
            anole_recipe_mark(wanted, graph, node->residual);
    }
    size_t kept = 0;
    for (size_t i = 0; i < graph->node_count; i++) {
        struct anole_node *node = &graph->nodes[i];
        bool used = false;
        for (size_t j = 0; j < node->output_count; j++)
            used |= node->outputs[j] != ANOLE_NONE && wanted[node->outputs[j]];
        for (size_t j = 0; j < node->output_count; j++)
            if (node->outputs[j] != ANOLE_NONE)
                graph->tensors[node->outputs[j]].producer = used ? kept : ANOLE_NONE;
        if (used)
            graph->nodes[kept++] = *node;
        else
            anole_node_fini(node);
    }
    graph->node_count = kept;
    for (size_t i = 0; i < graph->tensor_count; i++)
        if (!wanted[i])
            drop_constant(graph, i);
    free(wanted);
}
