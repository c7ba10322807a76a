/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include "frontend/onnx_model.h"
#include "frontend/onnx_tensor.h"

#include <string.h>

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

FUZZ_TARGET(onnx)
{
    struct anole_onnx_model *model = NULL;
    struct anole_array array = {0};
    struct anole_error error = {.status = ANOLE_DONE};
    fuzz_quiet();
    enum anole_status status = anole_onnx_model_parse(&model, data, size, NOWHERE, &error);
    FUZZ_REQUIRE(status == error.status && (status == ANOLE_DONE) == (model != NULL));
    if (model)
        check_graph(&model->graph);
    anole_onnx_model_destroy(model);
    anole_error_clear(&error);
    status = anole_onnx_tensor_parse(&array, data, size, NOWHERE, &error);
    FUZZ_REQUIRE(status == error.status);
    if (status == ANOLE_DONE)
        check_array(&array);
    anole_array_fini(&array);
    return 0;
}
