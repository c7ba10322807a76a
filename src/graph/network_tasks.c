/* SPDX-License-Identifier: MIT
 *
 * From layers to the distinct tasks that they come to.
 */
#include "base/hash.h"
#include "base/text.h"
#include "graph/network_parts.h"

#include <stdlib.h>
#include <string.h>

/* Open addressing over indices into network->tasks; SIZE_MAX: free. */
struct table {
    size_t *slots;
    size_t mask;
};

static void describe(struct anole_task *task, const struct anole_network *network,
                     const struct anole_layer *layer)
{
    const struct anole_shape in = network->layers[layer->inputs[0]].shape;
    bool depthwise = layer->kind == ANOLE_LAYER_DEPTHWISE_CONV2D ||
                     (layer->kind == ANOLE_LAYER_CONV2D && in.c > 1 && layer->groups == in.c);
    *task = (struct anole_task){
        .size = sizeof *task,
        .kind = layer->kind == ANOLE_LAYER_DENSE ? ANOLE_TASK_DENSE
                : depthwise                      ? ANOLE_TASK_DEPTHWISE_CONV2D
                                                 : ANOLE_TASK_CONV2D,
        .dtype = network->dtype,
        .activation = layer->activation,
        .flags = (layer->bias ? ANOLE_TASK_BIAS : 0u) |
                 (layer->residual != SIZE_MAX ? ANOLE_TASK_RESIDUAL : 0u),
        .groups = layer->groups,
        .batch = in.n,
        .in_h = in.h,
        .in_w = in.w,
        .in_c = in.c,
        .out_h = layer->shape.h,
        .out_w = layer->shape.w,
        .out_c = layer->shape.c,
        .kernel_h = layer->kernel_h,
        .kernel_w = layer->kernel_w,
        .stride_h = layer->stride_h,
        .stride_w = layer->stride_w,
        .dilation_h = layer->dilation_h,
        .dilation_w = layer->dilation_w,
        .pad_top = layer->pad_top,
        .pad_left = layer->pad_left,
        .pad_bottom = layer->pad_bottom,
        .pad_right = layer->pad_right,
    };
}

/* The index of this task among the network's; it is added if it is new. */
static size_t find_or_add(struct anole_network *network, const struct table *table,
                          const struct anole_task *task, size_t layer)
{
    size_t slot = (size_t)anole_hash_bytes(task, sizeof *task) & table->mask;
    /* struct anole_task has no holes, and describe() writes all of it. */
    while (table->slots[slot] != SIZE_MAX &&
           memcmp(&network->tasks[table->slots[slot]].task, task, sizeof *task) != 0)
        slot = (slot + 1) & table->mask;
    if (table->slots[slot] == SIZE_MAX) {
        table->slots[slot] = network->task_count;
        network->tasks[network->task_count++] =
            (struct anole_network_task){.task = *task, .first_layer = layer};
    }
    size_t index = table->slots[slot];
    network->tasks[index].multiplicity++;
    return index;
}

static bool is_tuned(const struct anole_layer *layer)
{
    return layer->kind == ANOLE_LAYER_CONV2D || layer->kind == ANOLE_LAYER_DEPTHWISE_CONV2D ||
           layer->kind == ANOLE_LAYER_DENSE;
}

static enum anole_status collect(struct anole_network *network, const struct table *table,
                                 struct anole_error *error)
{
    for (size_t i = 0; i < network->layer_count; i++) {
        struct anole_layer *layer = &network->layers[i];
        struct anole_error why = {0};
        struct anole_task task;
        if (!is_tuned(layer))
            continue;
        describe(&task, network, layer);
        enum anole_status status = anole_task_check(&task, &why);
        if (status == ANOLE_ERR_INPUT)
            return anole_network_fail(network, layer, error, "%s", why.text);
        if (status)
            return anole_fail(error, status, "%s", why.text);
        layer->task = find_or_add(network, table, &task, i);
    }
    return ANOLE_DONE;
}

enum anole_status anole_network_collect(struct anole_network *network, struct anole_error *error)
{
    char file[256];
    size_t count = 0, size = 1;
    for (size_t i = 0; i < network->layer_count; i++)
        count += is_tuned(&network->layers[i]);
    while (size < 2 * count)
        size *= 2;
    if (count == 0)
        return anole_fail(
            error, ANOLE_ERR_INPUT,
            "%s: there is nothing to tune; expected at least one layer of kind conv2d, "
            "depthwise_conv2d or dense",
            anole_text_printable(file, sizeof file, network->path));
    struct table table = {.slots = malloc(size * sizeof *table.slots), .mask = size - 1};
    network->tasks = calloc(count, sizeof *network->tasks);
    enum anole_status status;
    if (table.slots && network->tasks) {
        memset(table.slots, 0xff, size * sizeof *table.slots);
        status = collect(network, &table, error);
    } else {
        status = anole_fail_memory(error);
    }
    free(table.slots);
    return status;
}
