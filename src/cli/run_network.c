/* SPDX-License-Identifier: MIT */
#include "cli/run_network.h"

#include "base/text.h"
#include "frontend/network.h"
#include "frontend/npy.h"
#include "frontend/onnx_import.h"
#include "frontend/onnx_tensor.h"
#include "graph/graph_passes.h"
#include "program/weights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool ends_in(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* ------------------------------------------------------- the shapes of inputs */

struct shapes {
    const struct anole_onnx_model *model;
    struct anole_onnx_shape *items; /* room for each input of the model */
    size_t count;
};

/* Inputs that an initializer gives a default are none of the network's. */
static bool is_input(const struct anole_onnx_graph *graph, size_t i)
{
    for (size_t j = 0; j < graph->initializer_count; j++)
        if (strcmp(graph->initializers[j].name, graph->inputs[i].name) == 0)
            return false;
    return true;
}

/* The first that is said of an input counts. */
static void add_shape(struct shapes *shapes, const char *input, const int64_t *dims, uint32_t rank)
{
    for (size_t i = 0; i < shapes->count; i++)
        if (strcmp(shapes->items[i].input, input) == 0)
            return;
    struct anole_onnx_shape *shape = &shapes->items[shapes->count++];
    *shape = (struct anole_onnx_shape){.input = input, .rank = rank};
    memcpy(shape->dims, dims, rank * sizeof *dims);
}

static enum anole_status parse_dims(int64_t dims[ANOLE_MAX_RANK], uint32_t *rank, const char *word,
                                    const char *text, struct anole_error *error)
{
    char safe[200];
    *rank = 0;
    for (const char *at = text; *rank < ANOLE_MAX_RANK;) {
        char *end;
        long long size = *at >= '0' && *at <= '9' ? strtoll(at, &end, 10) : -1;
        if (size < 0 || size > INT32_MAX || (*end != 'x' && *end != '\0'))
            break;
        dims[(*rank)++] = size;
        if (*end == '\0')
            return ANOLE_DONE;
        at = end + 1;
    }
    return anole_fail(error, ANOLE_ERR_USAGE,
                      "--shape \"%s\": expected NAME=SIZES with up to %d sizes, such as "
                      "images=1x3x640x640",
                      anole_text_printable(safe, sizeof safe, word), ANOLE_MAX_RANK);
}

/* --shape: the name of an input, or none where there is but one. */
static enum anole_status take_shape(struct shapes *shapes, const char *word,
                                    struct anole_error *error)
{
    const struct anole_onnx_graph *graph = &shapes->model->graph;
    const char *equals = strrchr(word, '=');
    size_t length = equals ? (size_t)(equals - word) : 0, inputs = 0, found = SIZE_MAX;
    int64_t dims[ANOLE_MAX_RANK];
    uint32_t rank;
    char safe[200];
    enum anole_status status = parse_dims(dims, &rank, word, equals ? equals + 1 : word, error);
    if (status)
        return status;
    for (size_t i = 0; i < graph->input_count; i++) {
        const char *name = graph->inputs[i].name;
        if (!is_input(graph, i))
            continue;
        inputs++;
        if (!equals || (strlen(name) == length && strncmp(name, word, length) == 0))
            found = i;
    }
    if (found == SIZE_MAX || (!equals && inputs != 1))
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "--shape \"%s\": the network has no such input; expected NAME=SIZES",
                          anole_text_printable(safe, sizeof safe, word));
    add_shape(shapes, graph->inputs[found].name, dims, rank);
    return ANOLE_DONE;
}

/* An array of a file, by its name, or by its number among the inputs. */
static void take_array(struct shapes *shapes, const char *name, const struct anole_array *array)
{
    const struct anole_onnx_graph *graph = &shapes->model->graph;
    size_t number = 0;
    for (size_t i = 0; i < graph->input_count; i++) {
        char numbered[32];
        if (!is_input(graph, i))
            continue;
        snprintf(numbered, sizeof numbered, "in_%zu", number++);
        if (strcmp(name, graph->inputs[i].name) == 0 || strcmp(name, numbered) == 0)
            add_shape(shapes, graph->inputs[i].name, array->dims, array->rank);
    }
}

static enum anole_status take_archive(struct shapes *shapes, const char *file,
                                      struct anole_error *error)
{
    struct anole_arrays arrays = {.count = 0};
    enum anole_status status = anole_npz_load(&arrays, file, error);
    for (size_t i = 0; i < arrays.count && status == ANOLE_DONE; i++)
        take_array(shapes, arrays.items[i].name, &arrays.items[i]);
    anole_arrays_fini(&arrays);
    return status;
}

/* A word of --input; what it is wrong with is said later, when its elements are wanted. */
static enum anole_status take_input(struct shapes *shapes, const char *word,
                                    struct anole_error *error)
{
    struct anole_array array = {.owns = false};
    const char *equals = strrchr(word, '=');
    char *name = equals ? strndup(word, (size_t)(equals - word)) : strdup("in_0");
    const char *file = equals ? equals + 1 : word;
    enum anole_status status = ANOLE_DONE;
    if (!name)
        return anole_fail_memory(error);
    if (ends_in(word, ".npz"))
        status = take_archive(shapes, word, error);
    else if (ends_in(file, ".npy"))
        status = anole_npy_load(&array, file, error);
    else if (ends_in(file, ".pb"))
        status = anole_onnx_tensor_load(&array, file, error);
    if (status == ANOLE_DONE && array.data)
        take_array(shapes, name, &array);
    anole_array_fini(&array);
    free(name);
    return status;
}

static enum anole_status take_shapes(struct shapes *shapes, const struct anole_run_sizes *sizes,
                                     struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    shapes->items = calloc(shapes->model->graph.input_count + 1, sizeof *shapes->items);
    if (!shapes->items)
        return anole_fail_memory(error);
    for (size_t i = 0; i < sizes->shape_count && status == ANOLE_DONE; i++)
        status = take_shape(shapes, sizes->shapes[i], error);
    for (size_t i = 0; i < sizes->input_count && status == ANOLE_DONE; i++)
        status = take_input(shapes, sizes->inputs[i], error);
    return status;
}

/* -------------------------------------------------------------------- network */

static enum anole_status load_onnx(struct anole_graph **graph, const char *path,
                                   const struct anole_run_sizes *sizes, struct anole_error *error)
{
    struct anole_onnx_model *model = NULL;
    struct shapes shapes = {.count = 0};
    enum anole_status status = anole_onnx_model_load(&model, path, error);
    if (status)
        return status;
    shapes.model = model;
    status = take_shapes(&shapes, sizes, error);
    if (status == ANOLE_DONE) {
        const struct anole_onnx_options options = {
            .shapes = shapes.items, .shape_count = shapes.count, .batch = sizes->batch};
        status = anole_onnx_import(graph, model, &options, error);
    } else {
        anole_onnx_model_destroy(model);
    }
    free(shapes.items);
    return status;
}

/* Passes that leave what is computed as it is, and make it cheaper. */
static enum anole_status simplify(struct anole_graph *graph, struct anole_error *error)
{
    enum anole_status status = anole_graph_infer(graph, 0, error);
    if (status == ANOLE_DONE)
        status = anole_graph_layout(graph, error);
    if (status == ANOLE_DONE)
        status = anole_graph_affine(graph, error);
    if (status == ANOLE_DONE)
        status = anole_graph_fuse(graph, error);
    if (status == ANOLE_DONE)
        anole_graph_remove_dead(graph);
    return status;
}

enum anole_status anole_run_network(struct anole_graph **graph, size_t *filled, const char *path,
                                    const struct anole_run_sizes *sizes, uint64_t seed,
                                    struct anole_error *error)
{
    struct anole_graph *new = NULL;
    enum anole_status status = ends_in(path, ".onnx") ? load_onnx(&new, path, sizes, error)
                                                      : anole_network_load(&new, path, error);
    if (status == ANOLE_DONE)
        status = simplify(new, error);
    if (status == ANOLE_DONE)
        status = anole_weights_fill(new, filled, seed, error);
    if (status) {
        anole_graph_destroy(new);
        return status;
    }
    *graph = new;
    return ANOLE_DONE;
}
