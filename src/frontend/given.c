/* SPDX-License-Identifier: MIT */
#include "frontend/given.h"

#include "base/text.h"
#include "frontend/given_words.h"
#include "frontend/network.h"
#include "frontend/onnx_import.h"
#include "frontend/onnx_translate.h"
#include "graph/graph_passes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is said of inputs; room for each of the model's. */
struct said {
    const struct anole_onnx_model *model;
    struct anole_onnx_shape *shapes;
    size_t shape_count;
    struct anole_onnx_known *known; /* the elements of those that may be shapes, or sizes */
    size_t known_count;
};

static void said_fini(struct said *said)
{
    for (size_t i = 0; i < said->known_count; i++)
        free(said->known[i].value.data);
    free(said->known);
    free(said->shapes);
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
static void add_shape(struct said *said, const char *input, const int64_t *dims, uint32_t rank)
{
    for (size_t i = 0; i < said->shape_count; i++)
        if (strcmp(said->shapes[i].input, input) == 0)
            return;
    struct anole_onnx_shape *shape = &said->shapes[said->shape_count++];
    *shape = (struct anole_onnx_shape){.input = input, .rank = rank};
    memcpy(shape->dims, dims, rank * sizeof *dims);
}

/* Whether a name is that of input i, which is number `number`. */
static bool is_named(const struct anole_onnx_graph *graph, size_t i, size_t number,
                     const char *name, size_t length)
{
    char numbered[32];
    const char *names[] = {graph->inputs[i].name, numbered};
    snprintf(numbered, sizeof numbered, "in_%zu", number);
    for (size_t k = 0; k < 2; k++)
        if (strlen(names[k]) == length && strncmp(names[k], name, length) == 0)
            return true;
    return false;
}

/* --------------------------------------------------------------------- arrays */

/* Elements of what may be a shape, as the input has them. */
static enum anole_status add_known(struct said *said, const struct anole_onnx_value *input,
                                   const struct anole_operand *given, struct anole_error *error)
{
    struct anole_operand value = {.dtype = anole_onnx_dtype_of(input->element),
                                  .rank = given->rank};
    const size_t elements = anole_operand_elements(given);
    if (input->kind != ANOLE_ONNX_TENSOR || !given->data || value.dtype == 0 || given->dtype == 0 ||
        anole_dtype_is_real(value.dtype) || anole_dtype_is_real(given->dtype) || given->rank > 1 ||
        (input->has_shape && input->rank != given->rank) || elements > ANOLE_GIVEN_MOST)
        return ANOLE_DONE;
    for (size_t i = 0; i < said->known_count; i++)
        if (strcmp(said->known[i].input, input->name) == 0)
            return ANOLE_DONE;
    if (value.rank == 1)
        value.dims[0] = given->dims[0];
    value.data = calloc(elements + 1, anole_dtype_bytes(value.dtype));
    if (!value.data)
        return anole_fail_memory(error);
    for (size_t e = 0; e < elements; e++)
        anole_operand_set_int(&value, e, anole_operand_int(given, e));
    said->known[said->known_count++] =
        (struct anole_onnx_known){.input = input->name, .value = value};
    return ANOLE_DONE;
}

static enum anole_status take_array(struct said *said, const struct anole_given_input *given,
                                    struct anole_error *error)
{
    const struct anole_onnx_graph *graph = &said->model->graph;
    enum anole_status status = ANOLE_DONE;
    size_t number = 0;
    bool found = false;
    char safe[200];
    for (size_t i = 0; i < graph->input_count && status == ANOLE_DONE; i++) {
        if (!is_input(graph, i) || !is_named(graph, i, number++, given->name, strlen(given->name)))
            continue;
        found = true;
        add_shape(said, graph->inputs[i].name, given->value.dims, given->value.rank);
        status = add_known(said, &graph->inputs[i], &given->value, error);
    }
    if (status == ANOLE_DONE && !found && given->required)
        return anole_fail(error, ANOLE_ERR_INPUT, "the network has no input \"%s\"",
                          anole_text_printable(safe, sizeof safe, given->name));
    return status;
}

/* ---------------------------------------------------------------------- words */

static enum anole_status take_elements(struct said *said, const struct anole_onnx_value *input,
                                       const struct anole_given_word *word, const char *text,
                                       struct anole_error *error)
{
    const uint32_t dtype = anole_onnx_dtype_of(input->element);
    struct anole_operand value = {.dtype = ANOLE_I64, .rank = 1, .data = word->values};
    char safe[200];
    value.dims[0] = word->dims[0];
    if (input->has_shape && input->rank == 0 && word->dims[0] == 1)
        value.rank = 0;
    if (input->kind != ANOLE_ONNX_TENSOR || dtype == 0 || anole_dtype_is_real(dtype) ||
        (input->has_shape && input->rank != value.rank))
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "shape \"%s\": elements are given, but the input is no list of whole "
                          "numbers; expected NAME=SIZES",
                          anole_text_printable(safe, sizeof safe, text));
    add_shape(said, input->name, value.dims, value.rank);
    return add_known(said, input, &value, error);
}

/* The name of an input, or none where there is but one. */
static enum anole_status take_word(struct said *said, const char *text, struct anole_error *error)
{
    const struct anole_onnx_graph *graph = &said->model->graph;
    struct anole_given_word word;
    size_t inputs = 0, found = SIZE_MAX;
    char safe[200];
    enum anole_status status = anole_given_word_parse(&word, text, error);
    if (status)
        return status;
    for (size_t i = 0; i < graph->input_count; i++) {
        if (!is_input(graph, i))
            continue;
        if (!word.name || is_named(graph, i, inputs, word.name, word.length))
            found = i;
        inputs++;
    }
    if (found == SIZE_MAX || (!word.name && inputs != 1))
        status = anole_fail(error, ANOLE_ERR_INPUT,
                            "shape \"%s\": the network has no such input; expected NAME=SIZES",
                            anole_text_printable(safe, sizeof safe, text));
    else if (word.values)
        status = take_elements(said, &graph->inputs[found], &word, text, error);
    else
        add_shape(said, graph->inputs[found].name, word.dims, word.rank);
    anole_given_word_fini(&word);
    return status;
}

static enum anole_status take_all(struct said *said, const struct anole_given *given,
                                  struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    said->shapes = calloc(said->model->graph.input_count + 1, sizeof *said->shapes);
    said->known = calloc(said->model->graph.input_count + 1, sizeof *said->known);
    if (!said->shapes || !said->known)
        return anole_fail_memory(error);
    for (size_t i = 0; i < given->shape_count && status == ANOLE_DONE; i++)
        status = take_word(said, given->shapes[i], error);
    for (size_t i = 0; i < given->input_count && status == ANOLE_DONE; i++)
        status = take_array(said, &given->inputs[i], error);
    return status;
}

/* -------------------------------------------------------------------- network */

/* Whether the batch is open in the file, and nothing says it. */
static bool leaves_batch(const struct said *said)
{
    const struct anole_onnx_graph *graph = &said->model->graph;
    for (size_t i = 0; i < graph->input_count; i++) {
        const struct anole_onnx_value *input = &graph->inputs[i];
        bool known = false;
        for (size_t j = 0; j < said->shape_count && !known; j++)
            known = strcmp(said->shapes[j].input, input->name) == 0;
        if (!known && is_input(graph, i) && input->has_shape && input->rank > 0 &&
            input->dims[0].value < 0)
            return true;
    }
    return false;
}

/* Names, while the model is there. */
static enum anole_status remember_known(struct anole_loaded *loaded, const struct said *said,
                                        struct anole_error *error)
{
    loaded->known = calloc(said->known_count + 1, sizeof *loaded->known);
    if (!loaded->known)
        return anole_fail_memory(error);
    for (; loaded->known_count < said->known_count; loaded->known_count++) {
        char *name = strdup(said->known[loaded->known_count].input);
        if (!name)
            return anole_fail_memory(error);
        loaded->known[loaded->known_count] = name;
    }
    return ANOLE_DONE;
}

/* The numbers of inputs, those that are constants now being left out. */
static enum anole_status number_inputs(struct anole_loaded *loaded,
                                       const struct anole_onnx_graph *graph,
                                       struct anole_error *error)
{
    size_t count = 0, number = 0;
    loaded->numbers = calloc(graph->input_count + 1, sizeof *loaded->numbers);
    if (!loaded->numbers)
        return anole_fail_memory(error);
    for (size_t i = 0; i < graph->input_count; i++) {
        bool known = false;
        if (!is_input(graph, i))
            continue;
        for (size_t j = 0; j < loaded->known_count && !known; j++)
            known = strcmp(loaded->known[j], graph->inputs[i].name) == 0;
        if (!known)
            loaded->numbers[count++] = number;
        number++;
    }
    return ANOLE_DONE;
}

/* `fold`: what is known of inputs is, which then are none. */
static enum anole_status import(struct anole_loaded *loaded, size_t *known, const char *path,
                                const struct anole_given *given, bool fold,
                                struct anole_error *error)
{
    struct anole_onnx_model *model = NULL;
    struct said said = {.shape_count = 0};
    enum anole_status status = anole_onnx_model_load(&model, path, error);
    if (status)
        return status;
    said.model = model;
    status = take_all(&said, given, error);
    *known = said.known_count;
    loaded->batch_1 = given->batch == 0 && leaves_batch(&said);
    if (status == ANOLE_DONE && fold)
        status = remember_known(loaded, &said, error);
    if (status == ANOLE_DONE)
        status = number_inputs(loaded, &model->graph, error);
    if (status) {
        anole_onnx_model_destroy(model);
    } else {
        const struct anole_onnx_options options = {.shapes = said.shapes,
                                                   .shape_count = said.shape_count,
                                                   .known = said.known,
                                                   .known_count = fold ? said.known_count : 0,
                                                   .batch = given->batch ? given->batch : 1};
        status = anole_onnx_import(&loaded->graph, model, &options, error);
    }
    said_fini(&said);
    return status;
}

static enum anole_status load_onnx(struct anole_loaded *loaded, const char *path,
                                   const struct anole_given *given, struct anole_error *error)
{
    struct anole_error why = {.status = ANOLE_DONE};
    size_t known = 0;
    enum anole_status status = import(loaded, &known, path, given, false, &why);
    if (status == ANOLE_ERR_INPUT && known > 0) {
        anole_loaded_fini(loaded);
        return import(loaded, &known, path, given, true, error);
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

/* A network that has all sizes: words about others must be right all the same. */
static enum anole_status check_words(const struct anole_given *given, struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    for (size_t i = 0; i < given->shape_count && status == ANOLE_DONE; i++) {
        struct anole_given_word word;
        status = anole_given_word_parse(&word, given->shapes[i], error);
        if (status == ANOLE_DONE)
            anole_given_word_fini(&word);
    }
    return status;
}

static enum anole_status number_all(struct anole_loaded *loaded, struct anole_error *error)
{
    loaded->numbers = calloc(loaded->graph->input_count + 1, sizeof *loaded->numbers);
    if (!loaded->numbers)
        return anole_fail_memory(error);
    for (size_t i = 0; i < loaded->graph->input_count; i++)
        loaded->numbers[i] = i;
    return ANOLE_DONE;
}

enum anole_status anole_given_read(struct anole_loaded *loaded, const char *path,
                                   const struct anole_given *given, struct anole_error *error)
{
    struct anole_loaded new = {.graph = NULL};
    const size_t length = strlen(path);
    enum anole_status status;
    if (length >= 5 && strcmp(path + length - 5, ".onnx") == 0) {
        status = load_onnx(&new, path, given, error);
    } else {
        status = check_words(given, error);
        if (status == ANOLE_DONE)
            status = anole_network_load(&new.graph, path, error);
        if (status == ANOLE_DONE)
            status = number_all(&new, error);
    }
    if (status)
        anole_loaded_fini(&new);
    else
        *loaded = new;
    return status;
}

enum anole_status anole_given_load(struct anole_loaded *loaded, const char *path,
                                   const struct anole_given *given, struct anole_error *error)
{
    struct anole_loaded new;
    enum anole_status status = anole_given_read(&new, path, given, error);
    if (status)
        return status;
    status = simplify(new.graph, error);
    if (status)
        anole_loaded_fini(&new);
    else
        *loaded = new;
    return status;
}

/* The word for an input that an array is of; *word NULL: there is nothing to say. */
static enum anole_status make_word(char **word, const struct anole_onnx_value *input,
                                   const struct anole_operand *array, struct anole_error *error)
{
    const uint32_t dtype = anole_onnx_dtype_of(input->element);
    struct anole_operand value = *array;
    *word = NULL;
    if (input->kind != ANOLE_ONNX_TENSOR || dtype == 0 || anole_dtype_is_real(dtype))
        value.data = NULL;
    if (value.rank == 0 && !value.data)
        return ANOLE_DONE;
    return anole_given_word_make(word, input->name, &value, error);
}

static enum anole_status check_required(const struct anole_onnx_graph *graph,
                                        const struct anole_given_input *given,
                                        struct anole_error *error)
{
    size_t number = 0;
    char safe[200];
    for (size_t i = 0; i < graph->input_count; i++)
        if (is_input(graph, i) && is_named(graph, i, number++, given->name, strlen(given->name)))
            return ANOLE_DONE;
    if (!given->required)
        return ANOLE_DONE;
    return anole_fail(error, ANOLE_ERR_INPUT, "the network has no input \"%s\"",
                      anole_text_printable(safe, sizeof safe, given->name));
}

enum anole_status anole_given_words(char ***words, size_t *count, const char *path,
                                    const struct anole_given_input *inputs, size_t input_count,
                                    struct anole_error *error)
{
    struct anole_onnx_model *model;
    size_t made = 0, number = 0;
    enum anole_status status = anole_onnx_model_load(&model, path, error);
    if (status)
        return status;
    const struct anole_onnx_graph *graph = &model->graph;
    char **new = calloc(graph->input_count + 1, sizeof *new);
    status = new ? ANOLE_DONE : anole_fail_memory(error);
    for (size_t j = 0; j < input_count && status == ANOLE_DONE; j++)
        status = check_required(graph, &inputs[j], error);
    for (size_t i = 0; i < graph->input_count && status == ANOLE_DONE; i++) {
        bool found = false;
        if (!is_input(graph, i))
            continue;
        for (size_t j = 0; j < input_count && !found && status == ANOLE_DONE; j++) {
            found = is_named(graph, i, number, inputs[j].name, strlen(inputs[j].name));
            if (found)
                status = make_word(&new[made], &graph->inputs[i], &inputs[j].value, error);
        }
        made += new[made] != NULL;
        number++;
    }
    anole_onnx_model_destroy(model);
    if (status) {
        for (size_t i = 0; new &&i < made; i++)
            free(new[i]);
        free(new);
        return status;
    }
    *words = new;
    *count = made;
    return ANOLE_DONE;
}

void anole_loaded_fini(struct anole_loaded *loaded)
{
    anole_graph_destroy(loaded->graph);
    for (size_t i = 0; i < loaded->known_count; i++)
        free(loaded->known[i]);
    free(loaded->known);
    free(loaded->numbers);
    *loaded = (struct anole_loaded){.graph = NULL};
}
