/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include "frontend/onnx_import.h"
#include "frontend/onnx_tensor.h"
#include "graph/graph_evaluate.h"
#include "graph/graph_passes.h"

#include <stdlib.h>
#include <string.h>

#define MOST_ELEMENTS 4096 /* of a tensor, in what is computed */
#define MOST_NODES 200
#define NOWHERE "/nonexistent/fuzz.onnx" /* no external data are found there */

static void check_array(const struct anole_array *array)
{
    const uint8_t *data = array->data;
    volatile uint8_t sum = 0;
    FUZZ_REQUIRE(array->rank <= ANOLE_ARRAY_MAX_RANK && array->data && array->name);
    struct anole_array again = *array;
    FUZZ_REQUIRE(anole_array_size(&again, NULL) == ANOLE_DONE && again.bytes == array->bytes);
    for (size_t i = 0; i < array->bytes; i++)
        sum ^= data[i];
}

static void check_graph(const struct anole_onnx_graph *graph);

static void check_node(const struct anole_onnx_graph *graph, size_t place)
{
    const struct anole_onnx_node *node = &graph->nodes[place];
    struct anole_onnx_origin origin;
    for (size_t i = 0; i < node->input_count; i++) {
        if (!node->inputs[i][0])
            continue;
        FUZZ_REQUIRE(anole_onnx_find(&origin, graph, node->inputs[i]));
        FUZZ_REQUIRE(origin.graph != graph || !origin.node || origin.node < node);
    }
    for (size_t i = 0; i < node->attribute_count; i++) {
        const struct anole_onnx_attribute *attribute = &node->attributes[i];
        FUZZ_REQUIRE(anole_onnx_attribute_find(node, attribute->name) == attribute);
        for (size_t k = 0; attribute->tensors && k < attribute->count; k++)
            check_array(&attribute->tensors[k]);
        for (size_t k = 0; attribute->graphs && k < attribute->count; k++)
            check_graph(&attribute->graphs[k]);
    }
}

static void check_graph(const struct anole_onnx_graph *graph)
{
    struct anole_onnx_origin origin;
    for (size_t i = 0; i < graph->node_count; i++)
        check_node(graph, i);
    for (size_t i = 0; i < graph->initializer_count; i++) {
        check_array(&graph->initializers[i]);
        FUZZ_REQUIRE(anole_onnx_find(&origin, graph, graph->initializers[i].name) &&
                     origin.initializer == &graph->initializers[i]);
    }
    for (size_t i = 0; i < graph->output_count; i++)
        FUZZ_REQUIRE(anole_onnx_find(&origin, graph, graph->outputs[i].name));
}

static bool is_small(const struct anole_graph *graph)
{
    bool small = graph->node_count <= MOST_NODES;
    for (size_t i = 0; i < graph->tensor_count && small; i++)
        small = anole_operand_elements(&graph->tensors[i].type) <= MOST_ELEMENTS;
    return small;
}

/* Computes a graph by the references, on inputs made of the file's bytes. */
static void compute(const struct anole_graph *graph, const uint8_t *data, size_t size)
{
    struct anole_operand *inputs = calloc(graph->input_count + 1, sizeof *inputs);
    struct anole_operand *outputs = calloc(graph->output_count + 1, sizeof *outputs);
    struct anole_error error = {.status = ANOLE_DONE};
    FUZZ_REQUIRE(inputs && outputs);
    for (size_t i = 0; i < graph->input_count; i++) {
        inputs[i] = graph->tensors[graph->inputs[i]].type;
        size_t bytes = anole_operand_elements(&inputs[i]) * anole_dtype_bytes(inputs[i].dtype);
        uint8_t *filled = inputs[i].data = malloc(bytes + 1);
        FUZZ_REQUIRE(filled != NULL);
        for (size_t k = 0; k < bytes; k++)
            filled[k] = inputs[i].dtype == ANOLE_BOOL ? data[k % size] & 1 : data[k % size];
    }
    enum anole_status status = anole_graph_evaluate(graph, inputs, outputs, &error);
    FUZZ_REQUIRE(status == error.status);
    for (size_t i = 0; i < graph->output_count && status == ANOLE_DONE; i++)
        free(outputs[i].data);
    for (size_t i = 0; i < graph->input_count; i++)
        free(inputs[i].data);
    free(outputs);
    free(inputs);
}

/* What is read becomes a graph, which the passes leave as good as it was. */
static void import(struct anole_onnx_model *model, const uint8_t *data, size_t size)
{
    static const struct anole_onnx_options options = {.batch = 2, .fold_limit = (size_t)1 << 16};
    struct anole_graph *graph = NULL;
    struct anole_error error = {.status = ANOLE_DONE};
    enum anole_status status = anole_onnx_import(&graph, model, &options, &error);
    FUZZ_REQUIRE(status == error.status && (status == ANOLE_DONE) == (graph != NULL));
    if (!graph)
        return;
    bool small = is_small(graph);
    if (small)
        compute(graph, data, size);
    FUZZ_REQUIRE(anole_graph_simplify(graph, &error) == ANOLE_DONE);
    if (small && is_small(graph))
        compute(graph, data, size);
    FUZZ_REQUIRE(anole_graph_fuse(graph, &error) == ANOLE_DONE);
    anole_graph_destroy(graph);
}

FUZZ_TARGET(onnx)
{
    struct anole_onnx_model *model = NULL;
    struct anole_array array = {0};
    struct anole_error error = {.status = ANOLE_DONE};
    fuzz_quiet();
    enum anole_status status = anole_onnx_model_parse(&model, data, size, NOWHERE, &error);
    FUZZ_REQUIRE(status == error.status && (status == ANOLE_DONE) == (model != NULL));
    if (model) {
        check_graph(&model->graph);
        import(model, data, size);
    }
    anole_error_clear(&error);
    status = anole_onnx_tensor_parse(&array, data, size, NOWHERE, &error);
    FUZZ_REQUIRE(status == error.status);
    if (status == ANOLE_DONE)
        check_array(&array);
    anole_array_fini(&array);
    return 0;
}
