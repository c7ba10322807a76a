/* SPDX-License-Identifier: MIT
 *
 * Fusing: an add or an activation that is all that becomes of a convolution is
 * done by the convolution's own kernel:
 *
 *   out = activation(conv(input, weights) + bias + residual)
 *
 * Each layer of such a chain is read by the next one alone, so that the values
 * in between need not exist.
 */
#include "graph/network_parts.h"

#include <stdlib.h>
#include <string.h>

struct fusing {
    struct anole_network *network;
    size_t *readers; /* of each layer: how many inputs name it */
    size_t *depths;  /* of each layer: the most layers on a way to it */
};

static bool is_conv(const struct anole_layer *layer)
{
    return layer->kind == ANOLE_LAYER_CONV2D || layer->kind == ANOLE_LAYER_DEPTHWISE_CONV2D;
}

static void count_readers(const struct fusing *f)
{
    for (size_t i = 0; i < f->network->layer_count; i++) {
        const struct anole_layer *layer = &f->network->layers[i];
        for (size_t j = 0; j < layer->input_count; j++) {
            size_t input = layer->inputs[j];
            f->readers[input]++;
            if (f->depths[i] <= f->depths[input])
                f->depths[i] = f->depths[input] + 1;
        }
    }
}

static void fuse_activation(const struct fusing *f, struct anole_layer *layer)
{
    size_t input = layer->inputs[0], into = anole_network_value(f->network, input);
    struct anole_layer *target = &f->network->layers[into];
    if (f->readers[input] != 1 || target->activation != ANOLE_ACT_NONE ||
        (!is_conv(target) && target->kind != ANOLE_LAYER_DENSE))
        return;
    target->activation = layer->activation;
    layer->fused_into = into;
}

static bool takes_residual(const struct fusing *f, size_t index)
{
    const struct anole_layer *layer = &f->network->layers[index];
    return is_conv(layer) && f->readers[index] == 1 && layer->activation == ANOLE_ACT_NONE &&
           layer->residual == SIZE_MAX;
}

/* Where both operands could take the other as their residual, the deeper one
 * does: the main path of a block rather than its shortcut, in whichever order the
 * file has them. */
static void fuse_add(const struct fusing *f, struct anole_layer *layer)
{
    if (layer->input_count != 2)
        return;
    size_t a = layer->inputs[0], b = layer->inputs[1];
    bool a_takes = takes_residual(f, a), b_takes = takes_residual(f, b);
    if (!a_takes && !b_takes)
        return;
    size_t into = a_takes && (!b_takes || f->depths[a] >= f->depths[b]) ? a : b;
    struct anole_layer *target = &f->network->layers[into];
    target->residual = into == a ? b : a;
    target->activation = layer->activation;
    layer->fused_into = into;
}

/* ------------------------------------------------------------------ new order */

#define MOVES SIZE_MAX

/* A convolution runs once its residual is there.  If that comes later in the
 * file, the convolution moves to right before the add that it took over, which
 * alone reads it.  new_place[i]: where layer i goes (all 0 at first); before[i]:
 * the layer that moves to before layer i. */
static bool find_places(const struct fusing *f, size_t *new_place, size_t *before)
{
    const struct anole_network *network = f->network;
    bool changes = false;
    memset(before, 0xff, network->layer_count * sizeof *before);
    for (size_t i = 0; i < network->layer_count; i++) {
        const struct anole_layer *layer = &network->layers[i];
        size_t into = layer->fused_into;
        if (layer->kind != ANOLE_LAYER_ADD || into == SIZE_MAX ||
            network->layers[into].residual < into)
            continue;
        before[i] = into;
        new_place[into] = MOVES;
        changes = true;
    }
    for (size_t i = 0, place = 0; i < network->layer_count; i++) {
        if (before[i] != SIZE_MAX)
            new_place[before[i]] = place++;
        if (new_place[i] != MOVES)
            new_place[i] = place++;
    }
    return changes;
}

static enum anole_status reorder(const struct fusing *f, const size_t *new_place,
                                 struct anole_error *error)
{
    struct anole_network *network = f->network;
    struct anole_layer *layers = calloc(network->layer_count, sizeof *layers);
    if (!layers)
        return anole_fail_memory(error);
    for (size_t i = 0; i < network->layer_count; i++) {
        struct anole_layer *layer = &layers[new_place[i]];
        *layer = network->layers[i];
        for (size_t j = 0; j < layer->input_count; j++)
            layer->inputs[j] = new_place[layer->inputs[j]];
        if (layer->residual != SIZE_MAX)
            layer->residual = new_place[layer->residual];
        if (layer->fused_into != SIZE_MAX)
            layer->fused_into = new_place[layer->fused_into];
    }
    free(network->layers);
    network->layers = layers;
    return ANOLE_DONE;
}

enum anole_status anole_network_fuse(struct anole_network *network, struct anole_error *error)
{
    size_t n = network->layer_count;
    size_t *numbers = calloc(n, 4 * sizeof *numbers);
    if (!numbers)
        return anole_fail_memory(error);
    const struct fusing f = {network, numbers, numbers + n};
    count_readers(&f);
    for (size_t i = 0; i < n; i++) {
        struct anole_layer *layer = &network->layers[i];
        if (layer->kind == ANOLE_LAYER_ACTIVATION)
            fuse_activation(&f, layer);
        else if (layer->kind == ANOLE_LAYER_ADD)
            fuse_add(&f, layer);
    }
    enum anole_status status = ANOLE_DONE;
    if (find_places(&f, numbers + 2 * n, numbers + 3 * n))
        status = reorder(&f, numbers + 2 * n, error);
    free(numbers);
    return status;
}
