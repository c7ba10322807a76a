/* SPDX-License-Identifier: MIT
 *
 * What a model answers.
 */
#include "frontend/onnx_model.h"

#include "base/text.h"
#include "frontend/onnx_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 120 /* bytes of a name in a message */

void anole_onnx_model_destroy(struct anole_onnx_model *model)
{
    struct anole_onnx_holder *holder = (struct anole_onnx_holder *)model;
    if (!holder)
        return;
    anole_onnx_source_fini(&holder->source);
    free(holder);
}

void anole_onnx_model_forget(const struct anole_onnx_model *model, const void *data, size_t bytes)
{
    const struct anole_onnx_holder *holder = (const struct anole_onnx_holder *)model;
    anole_onnx_source_forget(&holder->source, data, bytes);
}

/* The first symbol of a name; NULL: the graph has none. */
static const struct anole_onnx_symbol *find_symbol(const struct anole_onnx_graph *graph,
                                                   const char *name)
{
    size_t low = 0, high = graph->symbol_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(graph->symbols[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < graph->symbol_count && strcmp(graph->symbols[low].name, name) == 0;
    return found ? &graph->symbols[low] : NULL;
}

static void add_origin(struct anole_onnx_origin *origin, const struct anole_onnx_symbol *symbol)
{
    const struct anole_onnx_graph *graph = origin->graph;
    switch (symbol->kind) {
    case ANOLE_ONNX_SYMBOL_INPUT:
        origin->input = &graph->inputs[symbol->index];
        break;
    case ANOLE_ONNX_SYMBOL_INITIALIZER:
        origin->initializer = &graph->initializers[symbol->index];
        break;
    case ANOLE_ONNX_SYMBOL_NODE:
        origin->node = &graph->nodes[symbol->index];
        origin->output = symbol->output;
        break;
    }
}

bool anole_onnx_find(struct anole_onnx_origin *origin, const struct anole_onnx_graph *graph,
                     const char *name)
{
    const struct anole_onnx_symbol *symbol = NULL;
    while (graph && !(symbol = find_symbol(graph, name)))
        graph = graph->parent;
    if (!symbol)
        return false;
    *origin = (struct anole_onnx_origin){.graph = graph};
    const struct anole_onnx_symbol *end = graph->symbols + graph->symbol_count;
    for (; symbol < end && strcmp(symbol->name, name) == 0; symbol++)
        add_origin(origin, symbol);
    return true;
}

const struct anole_onnx_attribute *anole_onnx_attribute_find(const struct anole_onnx_node *node,
                                                             const char *name)
{
    for (size_t i = 0; i < node->attribute_count; i++)
        if (strcmp(node->attributes[i].name, name) == 0)
            return &node->attributes[i];
    return NULL;
}

int64_t anole_onnx_opset_find(const struct anole_onnx_model *model, const char *domain)
{
    for (size_t i = 0; i < model->opset_count; i++)
        if (strcmp(model->opsets[i].domain, domain) == 0)
            return model->opsets[i].version;
    return 0;
}

const char *anole_onnx_node_text(char *out, size_t size, const struct anole_onnx_node *node)
{
    char name[SHOWN], op[SHOWN / 2];
    const char *made = node->output_count ? node->outputs[0] : "";
    anole_text_printable(op, sizeof op, node->op_type[0] ? node->op_type : "?");
    if (node->name[0])
        snprintf(out, size, "node \"%s\" (%s)", anole_text_printable(name, sizeof name, node->name),
                 op);
    else if (made && made[0])
        snprintf(out, size, "node %zu (%s, which makes \"%s\")", node->index, op,
                 anole_text_printable(name, sizeof name, made));
    else
        snprintf(out, size, "node %zu (%s)", node->index, op);
    return out;
}

enum anole_status anole_onnx_fail(const struct anole_onnx_model *model,
                                  const struct anole_onnx_node *node, struct anole_error *error,
                                  const char *format, ...)
{
    char message[ANOLE_ERROR_TEXT / 2], file[256], text[3 * SHOWN];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    anole_text_printable(file, sizeof file, model->path);
    if (!node)
        return anole_fail(error, ANOLE_ERR_INPUT, "%s: %s", file, message);
    return anole_fail(error, ANOLE_ERR_INPUT, "%s: %s: %s", file,
                      anole_onnx_node_text(text, sizeof text, node), message);
}
