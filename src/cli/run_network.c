/* SPDX-License-Identifier: MIT */
#include "cli/run_network.h"

#include "base/text.h"
#include "frontend/network.h"
#include "frontend/npy.h"
#include "frontend/onnx_import.h"
#include "frontend/onnx_tensor.h"
#include "frontend/onnx_translate.h"
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

#define MOST_KNOWN 4096 /* elements of an input that shapes may depend on */

/* ------------------------------------------------------- the shapes of inputs */

/* What is said of inputs; room for each of the model's. */
struct shapes {
    const struct anole_onnx_model *model;
    struct anole_onnx_shape *items;
    size_t count;
    struct anole_onnx_known *known; /* the elements of those that may be shapes, or sizes */
    size_t known_count;
};

static void shapes_fini(struct shapes *shapes)
{
    for (size_t i = 0; i < shapes->known_count; i++)
        free(shapes->known[i].value.data);
    free(shapes->known);
    free(shapes->items);
}

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

/* Elements of what may be a shape: whole numbers in a list, or one by itself. */
static enum anole_status add_known(struct shapes *shapes, const struct anole_onnx_value *input,
                                   const struct anole_array *array, struct anole_error *error)
{
    const uint32_t from_dtype = anole_onnx_dtype_of(array->element);
    struct anole_operand value = {.dtype = anole_onnx_dtype_of(input->element),
                                  .rank = array->rank};
    struct anole_array copy = {.owns = false};
    if (input->kind != ANOLE_ONNX_TENSOR || value.dtype == 0 || from_dtype == 0 ||
        anole_dtype_is_real(value.dtype) || anole_dtype_is_real(from_dtype) || array->rank > 1 ||
        (input->has_shape && input->rank != array->rank) ||
        anole_array_elements(array) > MOST_KNOWN)
        return ANOLE_DONE;
    for (size_t i = 0; i < shapes->known_count; i++)
        if (strcmp(shapes->known[i].input, input->name) == 0)
            return ANOLE_DONE;
    if (value.rank == 1)
        value.dims[0] = array->dims[0];
    const size_t elements = anole_operand_elements(&value);
    enum anole_status status = anole_array_copy(&copy, array, error);
    if (status)
        return status;
    struct anole_operand from = value;
    from.dtype = from_dtype;
    from.data = (void *)copy.data;
    value.data = calloc(elements + 1, anole_dtype_bytes(value.dtype));
    if (value.data) {
        for (size_t e = 0; e < elements; e++)
            anole_operand_set_int(&value, e, anole_operand_int(&from, e));
        shapes->known[shapes->known_count++] =
            (struct anole_onnx_known){.input = input->name, .value = value};
    } else {
        status = anole_fail_memory(error);
    }
    anole_array_fini(&copy);
    return status;
}

/* An array of a file, by its name, or by its number among the inputs. */
static enum anole_status take_array(struct shapes *shapes, const char *name,
                                    const struct anole_array *array, struct anole_error *error)
{
    const struct anole_onnx_graph *graph = &shapes->model->graph;
    enum anole_status status = ANOLE_DONE;
    size_t number = 0;
    for (size_t i = 0; i < graph->input_count && status == ANOLE_DONE; i++) {
        char numbered[32];
        if (!is_input(graph, i))
            continue;
        snprintf(numbered, sizeof numbered, "in_%zu", number++);
        if (strcmp(name, graph->inputs[i].name) != 0 && strcmp(name, numbered) != 0)
            continue;
        add_shape(shapes, graph->inputs[i].name, array->dims, array->rank);
        status = add_known(shapes, &graph->inputs[i], array, error);
    }
    return status;
}

static enum anole_status take_archive(struct shapes *shapes, const char *file,
                                      struct anole_error *error)
{
    struct anole_arrays arrays = {.count = 0};
    enum anole_status status = anole_npz_load(&arrays, file, error);
    for (size_t i = 0; i < arrays.count && status == ANOLE_DONE; i++)
        status = take_array(shapes, arrays.items[i].name, &arrays.items[i], error);
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
        status = take_array(shapes, name, &array, error);
    anole_array_fini(&array);
    free(name);
    return status;
}

static enum anole_status take_shapes(struct shapes *shapes, const struct anole_run_sizes *sizes,
                                     struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    shapes->items = calloc(shapes->model->graph.input_count + 1, sizeof *shapes->items);
    shapes->known = calloc(shapes->model->graph.input_count + 1, sizeof *shapes->known);
    if (!shapes->items || !shapes->known)
        return anole_fail_memory(error);
    for (size_t i = 0; i < sizes->shape_count && status == ANOLE_DONE; i++)
        status = take_shape(shapes, sizes->shapes[i], error);
    for (size_t i = 0; i < sizes->input_count && status == ANOLE_DONE; i++)
        status = take_input(shapes, sizes->inputs[i], error);
    return status;
}

/* -------------------------------------------------------------------- network */

/* Whether the batch is open in the file, and nothing says it. */
static bool leaves_batch(const struct shapes *shapes)
{
    const struct anole_onnx_graph *graph = &shapes->model->graph;
    for (size_t i = 0; i < graph->input_count; i++) {
        const struct anole_onnx_value *input = &graph->inputs[i];
        bool said = false;
        for (size_t j = 0; j < shapes->count && !said; j++)
            said = strcmp(shapes->items[j].input, input->name) == 0;
        if (!said && is_input(graph, i) && input->has_shape && input->rank > 0 &&
            input->dims[0].value < 0)
            return true;
    }
    return false;
}

/* Names, while the model is there. */
static enum anole_status remember_known(struct anole_run_network *network,
                                        const struct shapes *shapes, struct anole_error *error)
{
    network->known = calloc(shapes->known_count + 1, sizeof *network->known);
    if (!network->known)
        return anole_fail_memory(error);
    for (; network->known_count < shapes->known_count; network->known_count++) {
        char *name = strdup(shapes->known[network->known_count].input);
        if (!name)
            return anole_fail_memory(error);
        network->known[network->known_count] = name;
    }
    return ANOLE_DONE;
}

/* The numbers of inputs, those that are constants now being left out. */
static enum anole_status number_inputs(struct anole_run_network *network,
                                       const struct anole_onnx_graph *graph,
                                       struct anole_error *error)
{
    size_t count = 0, number = 0;
    network->numbers = calloc(graph->input_count + 1, sizeof *network->numbers);
    if (!network->numbers)
        return anole_fail_memory(error);
    for (size_t i = 0; i < graph->input_count; i++) {
        bool known = false;
        if (!is_input(graph, i))
            continue;
        for (size_t j = 0; j < network->known_count && !known; j++)
            known = strcmp(network->known[j], graph->inputs[i].name) == 0;
        if (!known)
            network->numbers[count++] = number;
        number++;
    }
    return ANOLE_DONE;
}

/* `fold`: what is known of inputs is, which then are none. */
static enum anole_status import(struct anole_run_network *network, size_t *known, const char *path,
                                const struct anole_run_sizes *sizes, bool fold,
                                struct anole_error *error)
{
    struct anole_onnx_model *model = NULL;
    struct shapes shapes = {.count = 0};
    enum anole_status status = anole_onnx_model_load(&model, path, error);
    if (status)
        return status;
    shapes.model = model;
    status = take_shapes(&shapes, sizes, error);
    *known = shapes.known_count;
    network->batch_1 = sizes->batch == 0 && leaves_batch(&shapes);
    if (status == ANOLE_DONE && fold)
        status = remember_known(network, &shapes, error);
    if (status == ANOLE_DONE)
        status = number_inputs(network, &model->graph, error);
    if (status) {
        anole_onnx_model_destroy(model);
    } else {
        const struct anole_onnx_options options = {.shapes = shapes.items,
                                                   .shape_count = shapes.count,
                                                   .known = shapes.known,
                                                   .known_count = fold ? shapes.known_count : 0,
                                                   .batch = sizes->batch ? sizes->batch : 1};
        status = anole_onnx_import(&network->graph, model, &options, error);
    }
    shapes_fini(&shapes);
    return status;
}

/* Inputs stay inputs where they can: only if shapes hang on them is their value built in. */
static enum anole_status load_onnx(struct anole_run_network *network, const char *path,
                                   const struct anole_run_sizes *sizes, struct anole_error *error)
{
    struct anole_error why = {.status = ANOLE_DONE};
    size_t known = 0;
    enum anole_status status = import(network, &known, path, sizes, false, &why);
    if (status == ANOLE_ERR_INPUT && known > 0) {
        anole_run_network_fini(network);
        return import(network, &known, path, sizes, true, error);
    }
    return status ? anole_fail(error, status, "%s", why.text) : ANOLE_DONE;
}

/* Passes that leave what is computed as it is, and make it cheaper. */
static enum anole_status simplify(struct anole_graph *graph, struct anole_error *error)
{
    enum anole_status status = anole_graph_infer(graph, graph->fold_limit, error);
    if (status == ANOLE_DONE)
        status = anole_graph_simplify(graph, error);
    if (status == ANOLE_DONE)
        status = anole_graph_fuse(graph, error);
    if (status == ANOLE_DONE)
        anole_graph_remove_dead(graph);
    return status;
}

static enum anole_status number_all(struct anole_run_network *network, struct anole_error *error)
{
    network->numbers = calloc(network->graph->input_count + 1, sizeof *network->numbers);
    if (!network->numbers)
        return anole_fail_memory(error);
    for (size_t i = 0; i < network->graph->input_count; i++)
        network->numbers[i] = i;
    return ANOLE_DONE;
}

enum anole_status anole_run_network_load(struct anole_run_network *network, const char *path,
                                         const struct anole_run_sizes *sizes, uint64_t seed,
                                         struct anole_error *error)
{
    struct anole_run_network new = {.graph = NULL};
    enum anole_status status;
    if (ends_in(path, ".onnx")) {
        status = load_onnx(&new, path, sizes, error);
    } else {
        status = anole_network_load(&new.graph, path, error);
        if (status == ANOLE_DONE)
            status = number_all(&new, error);
    }
    if (status == ANOLE_DONE)
        status = simplify(new.graph, error);
    if (status == ANOLE_DONE)
        status = anole_weights_fill(new.graph, &new.filled, seed, error);
    if (status)
        anole_run_network_fini(&new);
    else
        *network = new;
    return status;
}

void anole_run_network_fini(struct anole_run_network *network)
{
    anole_graph_destroy(network->graph);
    for (size_t i = 0; i < network->known_count; i++)
        free(network->known[i]);
    free(network->known);
    free(network->numbers);
    *network = (struct anole_run_network){.graph = NULL};
}

bool anole_run_network_knows(const struct anole_run_network *network, const char *word)
{
    for (size_t i = 0; i < network->known_count; i++) {
        const size_t length = strlen(network->known[i]);
        if (strncmp(word, network->known[i], length) == 0 && word[length] == '=')
            return true;
    }
    return false;
}
