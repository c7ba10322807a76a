/* SPDX-License-Identifier: MIT */
#include "graph/network.h"
#include "base/text.h"
#include "graph/network_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const char *anole_layer_kind_text(enum anole_layer_kind kind)
{
    static const char *const texts[] = {
#define X(name, text) text,
        ANOLE_LAYER_MAP(X)
#undef X
    };
    return (size_t)kind < ANOLE_LAYER_KIND_COUNT ? texts[kind] : "unknown";
}

void anole_layer_init(struct anole_layer *layer)
{
    *layer = (struct anole_layer){
        .kernel_h = 1,
        .kernel_w = 1,
        .stride_h = 1,
        .stride_w = 1,
        .dilation_h = 1,
        .dilation_w = 1,
        .groups = 1,
        .multiplier = 1,
        .lrn = {.size = 5, .alpha = 1e-4, .beta = 0.75, .k = 1},
        .residual = SIZE_MAX,
        .fused_into = SIZE_MAX,
        .task = SIZE_MAX,
    };
}

void anole_network_set_precision(struct anole_network *network, uint32_t dtype)
{
    network->dtype = dtype;
    for (size_t i = 0; i < network->task_count; i++)
        network->tasks[i].task.dtype = dtype;
}

void anole_network_destroy(struct anole_network *network)
{
    if (!network)
        return;
    for (size_t i = 0; i < network->layer_count; i++) {
        free(network->layers[i].name);
        free(network->layers[i].inputs);
    }
    free(network->layers);
    free(network->tasks);
    free(network->name);
    free(network->path);
    free(network);
}

enum anole_status anole_network_fail(const struct anole_network *network,
                                     const struct anole_layer *layer, struct anole_error *error,
                                     const char *format, ...)
{
    char file[256], name[ANOLE_LAYER_MAX_NAME + 8], line[16] = "", message[ANOLE_ERROR_TEXT];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (layer->line > 0)
        snprintf(line, sizeof line, ":%d", layer->line);
    return anole_fail(error, ANOLE_ERR_INPUT, "%s%s: layer \"%s\": %s",
                      anole_text_printable(file, sizeof file, network->path), line,
                      anole_text_printable(name, sizeof name, layer->name), message);
}

size_t anole_network_value(const struct anole_network *network, size_t index)
{
    size_t into = network->layers[index].fused_into;
    return into == SIZE_MAX ? index : into;
}

double anole_network_flops(const struct anole_network *network)
{
    double sum = 0;
    for (size_t i = 0; i < network->task_count; i++)
        sum += network->tasks[i].multiplicity * anole_task_flops(&network->tasks[i].task);
    return sum;
}

double anole_network_parameters(const struct anole_network *network)
{
    double sum = 0;
    for (size_t i = 0; i < network->task_count; i++) {
        const struct anole_task *task = &network->tasks[i].task;
        sum += network->tasks[i].multiplicity *
               ((double)anole_task_weight_elements(task) + (double)anole_task_bias_elements(task));
    }
    return sum;
}

enum anole_status anole_network_finish(struct anole_network *network, struct anole_error *error)
{
    enum anole_status status = anole_network_infer(network, error);
    if (!status)
        status = anole_network_fuse(network, error);
    if (!status)
        status = anole_network_collect(network, error);
    return status;
}
