/* SPDX-License-Identifier: MIT */
#include "program/weights.h"

#include "base/memory.h"
#include "base/rng.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>

#define RMS (7.0 / 12.0) /* of the square of what is uniform in +-[1/2, 1) */

void anole_weights_random(struct anole_operand *type, uint64_t seed, const char *name, double scale)
{
    struct anole_rng root, rng;
    anole_rng_init(&root, seed);
    anole_rng_fork(&rng, &root, name);
    size_t elements = anole_operand_elements(type);
    float *floats = type->dtype == ANOLE_F32 ? type->data : NULL; /* nearly all are */
    for (size_t i = 0; i < elements; i++) {
        uint64_t bits = anole_rng_u64(&rng);
        double value = 0.5 + (double)(bits >> 12) * 0x1p-53;
        if (floats)
            floats[i] = (float)((bits & 1 ? value : -value) * scale);
        else if (anole_dtype_is_real(type->dtype))
            anole_operand_set_real(type, i, (bits & 1 ? value : -value) * scale);
        else
            anole_operand_set_int(type, i, (int64_t)(bits & 1));
    }
}

/* Twice that is lost where half of what comes in is 0, as behind a relu (He, Zhang, Ren and
 * Sun, 2015). */
static double scale_of(const struct anole_operand *type, size_t input)
{
    size_t elements = anole_operand_elements(type);
    if (type->rank < 2 || elements == 0)
        return input == 1 ? 1 : 0.1;
    /* [out_c][...], or, of a depthwise convolution, [...][out_c]: the larger is out_c. */
    int64_t first = type->dims[0], last = type->dims[type->rank - 1];
    double channels = (double)(type->rank == 3 && last > first ? last : first);
    return sqrt(channels / (double)elements / RMS);
}

/* What lends memory that it does not have ends whoever writes to it. */
static enum anole_status check_memory(const struct anole_graph *graph, struct anole_error *error)
{
    const uint64_t most = anole_memory_available();
    uint64_t needed = 0;
    char words[2][32];
    for (size_t t = 0; t < graph->tensor_count; t++) {
        const struct anole_graph_tensor *tensor = &graph->tensors[t];
        uint64_t bytes = 0;
        if (!tensor->parameter || tensor->type.data)
            continue;
        if (__builtin_mul_overflow((uint64_t)anole_operand_elements(&tensor->type),
                                   (uint64_t)anole_dtype_bytes(tensor->type.dtype), &bytes) ||
            __builtin_add_overflow(needed, bytes, &needed))
            needed = UINT64_MAX;
    }
    if (needed <= most)
        return ANOLE_DONE;
    return anole_fail(
        error, ANOLE_ERR_INPUT,
        "the network's weights need %s of memory, but %s are available; its layers can be "
        "tuned, but it cannot be run here",
        anole_text_bytes(words[0], sizeof words[0], needed),
        anole_text_bytes(words[1], sizeof words[1], most));
}

enum anole_status anole_weights_fill(struct anole_graph *graph, size_t *filled, uint64_t seed,
                                     struct anole_error *error)
{
    enum anole_status status = check_memory(graph, error);
    *filled = 0;
    for (size_t n = 0; n < graph->node_count && status == ANOLE_DONE; n++)
        for (size_t i = 0; i < graph->nodes[n].input_count && status == ANOLE_DONE; i++) {
            size_t t = graph->nodes[n].inputs[i];
            if (t == ANOLE_NONE || !graph->tensors[t].parameter || graph->tensors[t].type.data)
                continue;
            struct anole_operand *type = &graph->tensors[t].type;
            size_t bytes = anole_operand_elements(type) * anole_dtype_bytes(type->dtype);
            type->data = malloc(bytes + 1);
            if (!type->data) {
                status = anole_fail_memory(error);
                break;
            }
            graph->tensors[t].owns_data = true;
            graph->tensors[t].parameter = false;
            anole_weights_random(type, seed, graph->tensors[t].name, scale_of(type, i));
            ++*filled;
        }
    return status;
}
