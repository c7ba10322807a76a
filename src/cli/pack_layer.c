/* SPDX-License-Identifier: MIT */
#include "cli/pack_layer.h"

#include "base/text.h"
#include "inplace/locked_graph.h"
#include "program/program.h"
#include "program/tuned.h"
#include "program/weights.h"

#include <stdlib.h>
#include <string.h>

#define SEED 1

struct packing {
    struct anole_graph *graph;
    struct anole_program *program;
    bool *made_up; /* of each tensor: the file has no elements for it */
};

static enum anole_status load(struct packing *packing, const struct anole_lockfile *lockfile,
                              const struct anole_lock_device *locked, struct anole_error *error)
{
    size_t filled;
    enum anole_status status =
        anole_locked_graph_load(&packing->graph, lockfile->network_path, locked, error);
    if (status)
        return status;
    packing->made_up = calloc(packing->graph->tensor_count + 1, sizeof *packing->made_up);
    if (!packing->made_up)
        return anole_fail_memory(error);
    for (size_t t = 0; t < packing->graph->tensor_count; t++)
        packing->made_up[t] =
            packing->graph->tensors[t].parameter && !packing->graph->tensors[t].type.data;
    return anole_weights_fill(packing->graph, &filled, SEED, error);
}

static enum anole_status make_program(struct packing *packing,
                                      const struct anole_lockfile *lockfile,
                                      const struct anole_registry *registry,
                                      const struct anole_registry_device *device,
                                      struct anole_error *error)
{
    char path[] = "the lock file";
    struct anole_tuned_choice tuned = {.lockfile = (struct anole_lockfile *)lockfile,
                                       .path = path,
                                       .backend = &registry->entries[device->backend],
                                       .device = device};
    const struct anole_program_options options = {.choose = anole_tuned_choose, .context = &tuned};
    return anole_program_create(&packing->program, packing->graph,
                                registry->entries[device->backend].backend, &device->device,
                                &options, error);
}

/* The step of a layer that is tuned, by its name or the key of its task; NULL: there is none. */
static const struct anole_step *find_step(const struct packing *packing, const char *layer)
{
    const struct anole_program *program = packing->program;
    for (size_t s = 0; s < program->step_count; s++) {
        const struct anole_step *step = &program->steps[s];
        char key[ANOLE_TASK_KEY];
        if (step->kind != ANOLE_STEP_TUNED)
            continue;
        anole_task_key(key, program->kernels[step->kernel].generated->kernel.task);
        if (strcmp(packing->graph->nodes[step->node].name, layer) == 0 || strcmp(key, layer) == 0)
            return step;
    }
    return NULL;
}

/* The weights of a step as they are written before it runs; NULL: it reads none. */
static const struct anole_program_constant *find_constant(const struct anole_program *program,
                                                          const struct anole_step *step)
{
    const struct anole_place *place = &step->places[ANOLE_ROLE_WEIGHTS];
    for (size_t i = 0; i < program->constant_count; i++) {
        const struct anole_program_constant *constant = &program->constants[i];
        if (place->buffer != ANOLE_NONE && constant->place.buffer == place->buffer &&
            constant->place.offset == place->offset)
            return constant;
    }
    return NULL;
}

static enum anole_status pack_constant(struct anole_packed_layer *packed, struct packing *packing,
                                       const struct anole_program_constant *constant,
                                       const char *name, const char *weights, size_t bytes,
                                       struct anole_error *error)
{
    struct anole_operand *type = &packing->graph->tensors[constant->tensor].type;
    const size_t expected = anole_program_tensor_bytes(packing->graph, constant->tensor);
    char safe[160], shape[128];
    anole_text_printable(safe, sizeof safe, name);
    if (!weights && packing->made_up[constant->tensor])
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "%s: the network's file has no weights for it; give them as WEIGHTS",
                          safe);
    if (weights && bytes != expected)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "%s: expected its weights, %s of %s, %zu bytes, found %zu bytes", safe,
                          anole_operand_shape_text(shape, sizeof shape, type),
                          anole_precision_text(type->dtype), expected, bytes);
    packed->bytes = constant->place.bytes;
    packed->data = calloc(1, packed->bytes + 1);
    if (!packed->data)
        return anole_fail_memory(error);
    void *own = type->data;
    if (weights)
        type->data = (void *)weights;
    enum anole_status status = anole_program_pack(packing->program, constant, packed->data, error);
    type->data = own;
    if (status) {
        free(packed->data);
        packed->data = NULL;
    }
    return status;
}

enum anole_status anole_pack_layer(struct anole_packed_layer *packed, bool *found,
                                   struct anole_error *why, const struct anole_lockfile *lockfile,
                                   const struct anole_lock_device *locked,
                                   const struct anole_registry *registry,
                                   const struct anole_registry_device *device, const char *layer,
                                   const char *weights, size_t bytes, struct anole_error *error)
{
    struct packing packing = {.graph = NULL};
    const struct anole_step *step = NULL;
    const struct anole_program_constant *constant = NULL;
    char safe[160];
    *packed = (struct anole_packed_layer){.data = NULL};
    enum anole_status status = load(&packing, lockfile, locked, why);
    if (status == ANOLE_DONE)
        status = make_program(&packing, lockfile, registry, device, why);
    if (status == ANOLE_DONE)
        step = find_step(&packing, layer);
    if (step)
        constant = find_constant(packing.program, step);
    *found = constant != NULL;
    if (status == ANOLE_ERR_MEMORY) {
        anole_fail_memory(error);
    } else if (constant) {
        status = pack_constant(packed, &packing, constant, packing.graph->nodes[step->node].name,
                               weights, bytes, error);
    } else if (status == ANOLE_DONE) {
        anole_fail(why, ANOLE_ERR_INPUT, "'%s' is no tuned layer with weights of the network",
                   anole_text_printable(safe, sizeof safe, layer));
    } else {
        status = ANOLE_DONE;
    }
    anole_program_destroy(packing.program);
    free(packing.made_up);
    anole_graph_destroy(packing.graph);
    return status;
}
