/* SPDX-License-Identifier: MIT */
#include "cli/run_network.h"

#include "cli/given_files.h"
#include "program/weights.h"

#include <stdlib.h>
#include <string.h>

static bool ends_in(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

static bool is_onnx(const char *path)
{
    return ends_in(path, ".onnx");
}

enum anole_status anole_run_network_load(struct anole_run_network *network, const char *path,
                                         const struct anole_run_sizes *sizes, uint64_t seed,
                                         struct anole_error *error)
{
    struct anole_run_network new = {.filled = 0};
    struct anole_given_files inputs = {.count = 0};
    enum anole_status status = ANOLE_DONE;
    for (size_t i = 0; is_onnx(path) && i < sizes->input_count && status == ANOLE_DONE; i++)
        status = anole_given_files_add(&inputs, sizes->inputs[i], error);
    const struct anole_given given = {.batch = sizes->batch,
                                      .shapes = sizes->shapes,
                                      .shape_count = sizes->shape_count,
                                      .inputs = inputs.items,
                                      .input_count = inputs.count};
    if (status == ANOLE_DONE)
        status = anole_given_load(&new.loaded, path, &given, error);
    anole_given_files_fini(&inputs);
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
