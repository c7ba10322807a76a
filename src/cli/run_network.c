/* SPDX-License-Identifier: MIT */
#include "cli/run_network.h"

#include "frontend/npy.h"
#include "frontend/onnx_tensor.h"
#include "frontend/onnx_translate.h"
#include "program/weights.h"

#include <stdlib.h>
#include <string.h>

static bool ends_in(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* ------------------------------------------------------------- arrays of files */

/* What words say of inputs. */
struct inputs {
    struct anole_given_input *items;
    size_t count;
};

static void inputs_fini(struct inputs *inputs)
{
    for (size_t i = 0; i < inputs->count; i++) {
        free((char *)inputs->items[i].name);
        free(inputs->items[i].value.data);
    }
    free(inputs->items);
}

/* Its shape, and few elements: more are no sizes, and are read when they are wanted. */
static enum anole_status add(struct inputs *inputs, const char *name,
                             const struct anole_array *array, struct anole_error *error)
{
    struct anole_given_input *larger = realloc(inputs->items, (inputs->count + 1) * sizeof *larger);
    if (!larger)
        return anole_fail_memory(error);
    inputs->items = larger;
    struct anole_given_input *input = &larger[inputs->count];
    *input = (struct anole_given_input){
        .name = strdup(name),
        .value = {.dtype = anole_onnx_dtype_of(array->element), .rank = array->rank}};
    if (!input->name)
        return anole_fail_memory(error);
    inputs->count++;
    memcpy(input->value.dims, array->dims, array->rank * sizeof *array->dims);
    if (input->value.dtype == 0 || anole_array_elements(array) > ANOLE_GIVEN_MOST)
        return ANOLE_DONE;
    input->value.data = malloc(array->bytes + 1);
    if (!input->value.data)
        return anole_fail_memory(error);
    memcpy(input->value.data, array->data, array->bytes);
    return ANOLE_DONE;
}

static enum anole_status add_archive(struct inputs *inputs, const char *file,
                                     struct anole_error *error)
{
    struct anole_arrays arrays = {.count = 0};
    enum anole_status status = anole_npz_load(&arrays, file, error);
    for (size_t i = 0; i < arrays.count && status == ANOLE_DONE; i++)
        status = add(inputs, arrays.items[i].name, &arrays.items[i], error);
    anole_arrays_fini(&arrays);
    return status;
}

/* A word of --input; what it is wrong with is said later, when its elements are wanted. */
static enum anole_status add_word(struct inputs *inputs, const char *word,
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
        status = add_archive(inputs, word, error);
    else if (ends_in(file, ".npy"))
        status = anole_npy_load(&array, file, error);
    else if (ends_in(file, ".pb"))
        status = anole_onnx_tensor_load(&array, file, error);
    if (status == ANOLE_DONE && array.data)
        status = add(inputs, name, &array, error);
    anole_array_fini(&array);
    free(name);
    return status;
}

/* -------------------------------------------------------------------- network */

static bool is_onnx(const char *path)
{
    return ends_in(path, ".onnx");
}

enum anole_status anole_run_network_load(struct anole_run_network *network, const char *path,
                                         const struct anole_run_sizes *sizes, uint64_t seed,
                                         struct anole_error *error)
{
    struct anole_run_network new = {.filled = 0};
    struct inputs inputs = {.count = 0};
    enum anole_status status = ANOLE_DONE;
    for (size_t i = 0; is_onnx(path) && i < sizes->input_count && status == ANOLE_DONE; i++)
        status = add_word(&inputs, sizes->inputs[i], error);
    const struct anole_given given = {.batch = sizes->batch,
                                      .shapes = sizes->shapes,
                                      .shape_count = sizes->shape_count,
                                      .inputs = inputs.items,
                                      .input_count = inputs.count};
    if (status == ANOLE_DONE)
        status = anole_given_load(&new.loaded, path, &given, error);
    inputs_fini(&inputs);
    if (status == ANOLE_DONE)
        status = anole_weights_fill(new.loaded.graph, &new.filled, seed, error);
    if (status)
        anole_run_network_fini(&new);
    else
        *network = new;
    return status;
}

void anole_run_network_fini(struct anole_run_network *network)
{
    anole_loaded_fini(&network->loaded);
    network->filled = 0;
}

bool anole_run_network_knows(const struct anole_run_network *network, const char *word)
{
    for (size_t i = 0; i < network->loaded.known_count; i++) {
        const size_t length = strlen(network->loaded.known[i]);
        if (strncmp(word, network->loaded.known[i], length) == 0 && word[length] == '=')
            return true;
    }
    return false;
}
