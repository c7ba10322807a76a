/* SPDX-License-Identifier: MIT */
#include "cli/given_files.h"

#include "base/text.h"
#include "frontend/npy.h"
#include "frontend/onnx_tensor.h"
#include "frontend/onnx_translate.h"

#include <stdlib.h>
#include <string.h>

static bool ends_in(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* --------------------------------------------------------------------- arrays */

void anole_given_files_fini(struct anole_given_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        free((char *)files->items[i].name);
        free(files->items[i].value.data);
    }
    free(files->items);
    *files = (struct anole_given_files){.count = 0};
}

/* Its shape, and few elements: more are no sizes, and are read when they are wanted. */
static enum anole_status add(struct anole_given_files *files, const char *name,
                             const struct anole_array *array, struct anole_error *error)
{
    struct anole_given_input *larger = realloc(files->items, (files->count + 1) * sizeof *larger);
    if (!larger)
        return anole_fail_memory(error);
    files->items = larger;
    struct anole_given_input *input = &larger[files->count];
    *input = (struct anole_given_input){
        .name = strdup(name),
        .value = {.dtype = anole_onnx_dtype_of(array->element), .rank = array->rank}};
    if (!input->name)
        return anole_fail_memory(error);
    files->count++;
    memcpy(input->value.dims, array->dims, array->rank * sizeof *array->dims);
    if (input->value.dtype == 0 || anole_array_elements(array) > ANOLE_GIVEN_MOST)
        return ANOLE_DONE;
    input->value.data = malloc(array->bytes + 1);
    if (!input->value.data)
        return anole_fail_memory(error);
    memcpy(input->value.data, array->data, array->bytes);
    return ANOLE_DONE;
}

static enum anole_status add_archive(struct anole_given_files *files, const char *file,
                                     struct anole_error *error)
{
    struct anole_arrays arrays = {.count = 0};
    enum anole_status status = anole_npz_load(&arrays, file, error);
    for (size_t i = 0; i < arrays.count && status == ANOLE_DONE; i++)
        status = add(files, arrays.items[i].name, &arrays.items[i], error);
    anole_arrays_fini(&arrays);
    return status;
}

enum anole_status anole_given_files_add(struct anole_given_files *files, const char *word,
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
        status = add_archive(files, word, error);
    else if (ends_in(file, ".npy"))
        status = anole_npy_load(&array, file, error);
    else if (ends_in(file, ".pb"))
        status = anole_onnx_tensor_load(&array, file, error);
    if (status == ANOLE_DONE && array.data)
        status = add(files, name, &array, error);
    anole_array_fini(&array);
    free(name);
    return status;
}

/* ---------------------------------------------------------------------- words */

enum anole_status anole_given_inputs_take(struct anole_given_inputs *inputs, const char *word,
                                          struct anole_error *error)
{
    char safe[200];
    if (!ends_in(word, ".npz") && !ends_in(word, ".npy") && !ends_in(word, ".pb"))
        return anole_fail(error, ANOLE_ERR_USAGE,
                          "--input \"%s\": expected FILE.npz, NAME=FILE.npy or NAME=FILE.pb, whose "
                          "arrays have the sizes to tune for",
                          anole_text_printable(safe, sizeof safe, word));
    if (inputs->count == ANOLE_COMMAND_SHAPES)
        return anole_fail(error, ANOLE_ERR_USAGE, "--input: expected at most %d of them",
                          ANOLE_COMMAND_SHAPES);
    inputs->words[inputs->count++] = word;
    return ANOLE_DONE;
}

enum anole_status anole_given_inputs_read(struct anole_given_inputs *inputs, const char *network,
                                          const char **shapes, size_t *count,
                                          struct anole_error *error)
{
    struct anole_given_files files = {.count = 0};
    enum anole_status status = ANOLE_DONE;
    if (!ends_in(network, ".onnx"))
        return ANOLE_DONE; /* it has all sizes */
    for (size_t i = 0; i < inputs->count && status == ANOLE_DONE; i++)
        status = anole_given_files_add(&files, inputs->words[i], error);
    if (status == ANOLE_DONE && inputs->count > 0)
        status = anole_given_words(&inputs->shapes, &inputs->shape_count, network, files.items,
                                   files.count, error);
    for (size_t i = 0; i < inputs->shape_count && status == ANOLE_DONE; i++)
        status = anole_command_shape(shapes, count, inputs->shapes[i], error);
    anole_given_files_fini(&files);
    return status;
}

void anole_given_inputs_fini(struct anole_given_inputs *inputs)
{
    for (size_t i = 0; i < inputs->shape_count; i++)
        free(inputs->shapes[i]);
    free(inputs->shapes);
    inputs->shapes = NULL;
    inputs->shape_count = 0;
}
