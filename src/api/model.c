/* SPDX-License-Identifier: MIT
 *
 * A network that runs in the caller's process.
 */
#include "api/api.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/statistics.h"
#include "base/text.h"
#include "frontend/given.h"
#include "measure/prove.h"
#include "program/deploy.h"
#include "program/export.h"
#include "program/tuned.h"
#include "program/weights.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SEED 1 /* of weights that are made up */

/* An input or output, and where its elements come from or go to. */
struct port {
    struct anole_tensor_info info;
    size_t tensor; /* of the graph */
    void *bound;   /* the caller's, which each run copies from or to; or NULL */
    void *mapped;  /* where it lies, until the next run; or NULL */
    void *copy;    /* where it cannot be mapped: [bytes]; or NULL */
    bool given;    /* an input's copy is to be written before the next run */
};

struct anole_model {
    struct anole_context *context;
    struct anole_devices *devices; /* that were listed for it alone; or NULL */
    const struct anole_listed_device *device;
    struct anole_loaded loaded;
    struct anole_graph *graph; /* of it */
    struct anole_tuned_choice tuned;
    struct anole_program *program;
    struct anole_instance *instance;
    struct port *inputs, *outputs;
    char **layers;                 /* printable names of the graph's nodes, [graph->node_count] */
    char (*keys)[ANOLE_TASK_KEY];  /* of steps, [info.steps] */
    struct anole_step_info *steps; /* likewise */
    char *network;                 /* its name, printable */
    struct anole_model_info info;
    struct anole_latency latency;
};

/* ------------------------------------------------------------------- loading */

/* What our JSON leaves out: made up, or an error. */
static enum anole_status fill_weights(struct anole_model *model, bool random,
                                      struct anole_error *error)
{
    const struct anole_graph *graph = model->graph;
    if (random)
        return anole_weights_fill(model->graph, &model->info.random_weights, SEED, error);
    for (size_t n = 0; n < graph->node_count; n++)
        for (size_t i = 0; i < graph->nodes[n].input_count; i++) {
            size_t t = graph->nodes[n].inputs[i];
            if (t != ANOLE_NONE && graph->tensors[t].parameter && !graph->tensors[t].type.data)
                return anole_graph_fail(graph, &graph->nodes[n], error,
                                        "the file has no weights for it; expected an ONNX file "
                                        "with weights, or, to run with made-up ones, the option "
                                        "random_weights");
        }
    return ANOLE_DONE;
}

static enum anole_status take_known(struct anole_given_input *input,
                                    const struct anole_known_input *known,
                                    struct anole_error *error)
{
    char name[200], text[40];
    *input = (struct anole_given_input){.name = known->name, .required = true};
    for (uint32_t dtype = 1; known->dtype && anole_dtype_bytes(dtype) > 0; dtype++)
        if (strcmp(anole_dtype_text(dtype), known->dtype) == 0)
            input->value.dtype = dtype;
    if (!known->name || known->rank > ANOLE_MAX_RANK || (known->data && !input->value.dtype))
        return anole_fail(
            error, ANOLE_ERR_USAGE,
            "known input \"%s\": expected a name, at most %d sizes, and a type such as i64, found "
            "%u sizes and %s",
            known->name ? anole_text_printable(name, sizeof name, known->name) : "", ANOLE_MAX_RANK,
            known->rank,
            known->dtype ? anole_text_printable(text, sizeof text, known->dtype) : "no type");
    input->value.rank = known->rank;
    for (uint32_t d = 0; d < known->rank; d++) {
        input->value.dims[d] = known->dims[d];
        if (known->dims[d] < 0 || known->dims[d] > INT32_MAX)
            return anole_fail(error, ANOLE_ERR_USAGE,
                              "known input \"%s\": a size is %jd; expected 0 to %d",
                              anole_text_printable(name, sizeof name, known->name),
                              (intmax_t)known->dims[d], INT32_MAX);
    }
    input->value.data = (void *)known->data;
    return ANOLE_DONE;
}

static enum anole_status load_graph(struct anole_model *model, const char *path,
                                    const struct anole_model_options *options,
                                    struct anole_error *error)
{
    struct anole_given_input *inputs = calloc(options->known_count + 1, sizeof *inputs);
    enum anole_status status = inputs ? ANOLE_DONE : anole_fail_memory(error);
    for (size_t i = 0; i < options->known_count && status == ANOLE_DONE; i++)
        status = take_known(&inputs[i], &options->known[i], error);
    const struct anole_given given = {.batch = options->batch > 0 ? options->batch : 0,
                                      .shapes = options->shapes,
                                      .shape_count = options->shape_count,
                                      .inputs = inputs,
                                      .input_count = options->known_count};
    if (status == ANOLE_DONE)
        status = anole_given_load(&model->loaded, path, &given, error);
    free(inputs);
    if (status)
        return status;
    model->graph = model->loaded.graph;
    model->info.batch_assumed = model->loaded.batch_1;
    return fill_weights(model, options->random_weights, error);
}

static enum anole_status choose_device(struct anole_model *model,
                                       const struct anole_device_info *device,
                                       const struct anole_model_options *options,
                                       struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    if (!device)
        status = anole_devices_list(&model->devices, model->context, options->threads, error);
    if (status == ANOLE_DONE && !device)
        status = anole_devices_find(&device, model->devices, options->selector, error);
    if (status == ANOLE_DONE)
        model->device = anole_listed_device(device);
    return status;
}

static enum anole_status prove(void *context, const struct anole_generator *generator,
                               uint64_t config, bool *right, char *why, size_t size,
                               struct anole_error *error)
{
    return anole_prove(context, generator, config, right, why, size, error);
}

static enum anole_status make_program(struct anole_model *model, const char *tuned,
                                      struct anole_error *error)
{
    const struct anole_registry *registry = model->device->devices->registry;
    const struct anole_registry_device *entry = model->device->entry;
    struct anole_program_options options = {.choose = NULL};
    struct anole_prover prover = {.registry = registry,
                                  .device = entry,
                                  .threads = model->device->devices->threads,
                                  .stop = anole_context_stopped,
                                  .stop_context = model->context};
    enum anole_status status = ANOLE_DONE;
    if (tuned) {
        status = anole_tuned_init(&model->tuned, tuned, registry, entry, error);
        model->tuned.prove = prove;
        model->tuned.prove_context = &prover;
        options =
            (struct anole_program_options){.choose = anole_tuned_choose, .context = &model->tuned};
    }
    if (status == ANOLE_DONE)
        status = anole_deploy(&model->program, &model->instance, model->graph,
                              registry->entries[entry->backend].backend, &entry->device, &options,
                              entry->driver, model->device->devices->threads, error);
    model->tuned.prove = NULL;
    anole_prover_fini(&prover);
    return status;
}

/* ------------------------------------------------------------- what it is like */

static enum anole_status list_ports(struct port **ports, const struct anole_graph *graph,
                                    const size_t *tensors, size_t count, struct anole_error *error)
{
    *ports = calloc(count + 1, sizeof **ports);
    if (!*ports)
        return anole_fail_memory(error);
    for (size_t i = 0; i < count; i++) {
        const struct anole_graph_tensor *tensor = &graph->tensors[tensors[i]];
        struct port *port = &(*ports)[i];
        port->tensor = tensors[i];
        port->info = (struct anole_tensor_info){
            .name = anole_printable_copy(tensor->name),
            .dtype = anole_dtype_text(tensor->type.dtype),
            .element_bytes = anole_dtype_bytes(tensor->type.dtype),
            .rank = tensor->type.rank,
            .dims = tensor->type.dims,
            .bytes = anole_program_tensor_bytes(graph, tensors[i]),
        };
        if (!port->info.name)
            return anole_fail_memory(error);
    }
    return ANOLE_DONE;
}

static void free_ports(struct port *ports, size_t count)
{
    for (size_t i = 0; ports && i < count; i++) {
        free((char *)ports[i].info.name);
        free(ports[i].copy);
    }
    free(ports);
}

/* Why a step runs as it does, where it is not tuned. */
static const char *explain(const struct anole_model *model, const struct anole_step *step,
                           const char *key)
{
    const struct anole_node *node = &model->graph->nodes[step->node];
    struct anole_task task;
    if (step->problem)
        return step->problem;
    switch (step->kind) {
    case ANOLE_STEP_TUNED:
        return model->tuned.near > 0 && isnan(model->program->kernels[step->kernel].seconds)
                   ? "its task was tuned in other sizes alone: it has a kernel of the nearest, "
                     "proved right in this one"
                   : "";
    case ANOLE_STEP_DEFAULT:
        if (!model->tuned.lockfile)
            return "there is no lock file";
        return anole_tuned_lookup(&model->tuned, NULL, key)
                   ? "what the lock file has of its task means nothing to this version of the "
                     "backend"
                   : "the lock file does not have its task";
    case ANOLE_STEP_HOST:
        if (step->data_sized)
            return "its size depends on data";
        return "the backend has no kernel for it";
    default:
        if (step->epilogue)
            return "it is what was fused into a layer that is not tuned";
        return node->op && anole_graph_task(&task, model->graph, step->node)
                   ? "the backend's generator does not take its task"
                   : "layers of its kind are not tuned";
    }
}

static void count_step(struct anole_model_info *info, enum anole_step_kind kind)
{
    info->steps++;
    info->steps_tuned += kind == ANOLE_STEP_TUNED;
    info->steps_default += kind == ANOLE_STEP_DEFAULT;
    info->steps_built_in += kind == ANOLE_STEP_BUILT_IN;
    info->steps_host += kind == ANOLE_STEP_HOST;
}

static enum anole_status list_steps(struct anole_model *model, struct anole_error *error)
{
    const struct anole_graph *graph = model->graph;
    const struct anole_program *program = model->program;
    model->layers = calloc(graph->node_count + 1, sizeof *model->layers);
    model->steps = calloc(program->step_count + 1, sizeof *model->steps);
    model->keys = calloc(program->step_count + 1, sizeof *model->keys);
    if (!model->layers || !model->steps || !model->keys)
        return anole_fail_memory(error);
    for (size_t n = 0; n < graph->node_count; n++) {
        const char *name = graph->nodes[n].name;
        model->layers[n] = anole_printable_copy(name ? name : "");
        if (!model->layers[n])
            return anole_fail_memory(error);
    }
    for (size_t s = 0; s < program->step_count; s++) {
        const struct anole_step *step = &program->steps[s];
        bool generated = step->kind == ANOLE_STEP_TUNED || step->kind == ANOLE_STEP_DEFAULT;
        if (generated)
            anole_task_key(model->keys[s], program->kernels[step->kernel].generated->kernel.task);
        model->steps[s] = (struct anole_step_info){
            .layer = model->layers[step->node],
            .op = graph->nodes[step->node].op->name,
            .kind = anole_step_kind_text(step->kind),
            .key = model->keys[s],
            .problem = explain(model, step, model->keys[s]),
            .tuned_seconds = generated ? program->kernels[step->kernel].seconds : NAN,
        };
        count_step(&model->info, step->kind);
    }
    return ANOLE_DONE;
}

static enum anole_status describe(struct anole_model *model, struct anole_error *error)
{
    const struct anole_graph *graph = model->graph;
    model->network = anole_printable_copy(graph->name);
    if (!model->network)
        return anole_fail_memory(error);
    enum anole_status status =
        list_ports(&model->inputs, graph, graph->inputs, graph->input_count, error);
    if (status == ANOLE_DONE)
        status = list_ports(&model->outputs, graph, graph->outputs, graph->output_count, error);
    for (size_t i = 0; i < graph->output_count && status == ANOLE_DONE; i++)
        model->outputs[i].info.dims = anole_instance_output_type(model->instance, i)->dims;
    if (status == ANOLE_DONE)
        status = list_steps(model, error);
    model->info.network = model->network;
    model->info.device = &model->device->info;
    model->info.submissions = anole_instance_submissions(model->instance);
    model->info.arena_bytes = model->program->buffer_bytes[0];
    model->info.run_seconds = NAN;
    return status;
}

static enum anole_status load(struct anole_model *model, const char *path,
                              const struct anole_device_info *device,
                              const struct anole_model_options *given, struct anole_error *error)
{
    struct anole_model_options options;
    double start = anole_clock();
    enum anole_status status =
        anole_options_copy(&options, sizeof options, given, "struct anole_model_options", error);
    if (status == ANOLE_DONE)
        status = load_graph(model, path, &options, error);
    if (status == ANOLE_DONE)
        status = choose_device(model, device, &options, error);
    if (status == ANOLE_DONE)
        status = make_program(model, options.tuned, error);
    if (status == ANOLE_DONE)
        status = describe(model, error);
    if (status == ANOLE_DONE && model->tuned.lockfile)
        anole_tuned_report(&model->tuned, model->program, model->device->devices->threads);
    model->info.load_seconds = anole_clock() - start;
    return status;
}

enum anole_status anole_model_load(struct anole_model **model, struct anole_context *context,
                                   const char *path, const struct anole_device_info *device,
                                   const struct anole_model_options *options,
                                   struct anole_error *error)
{
    struct anole_model *new = calloc(1, sizeof *new);
    if (!new)
        return anole_fail_memory(error);
    new->context = context;
    struct anole_scope scope;
    anole_scope_enter(&scope, context);
    enum anole_status status = load(new, path, device, options, error);
    anole_scope_leave(&scope);
    if (status) {
        anole_model_destroy(new);
        return status;
    }
    *model = new;
    return ANOLE_DONE;
}

/* The driver has its own way with what is still mapped. */
void anole_model_destroy(struct anole_model *model)
{
    if (!model)
        return;
    struct anole_scope scope;
    anole_scope_enter(&scope, model->context);
    anole_instance_destroy(model->instance);
    anole_program_destroy(model->program);
    anole_tuned_fini(&model->tuned);
    if (model->graph) {
        free_ports(model->inputs, model->graph->input_count);
        free_ports(model->outputs, model->graph->output_count);
        for (size_t n = 0; model->layers && n < model->graph->node_count; n++)
            free(model->layers[n]);
    }
    free(model->layers);
    free(model->steps);
    free(model->keys);
    free(model->network);
    anole_loaded_fini(&model->loaded);
    anole_devices_destroy(model->devices);
    anole_scope_leave(&scope);
    free(model);
}

/* ------------------------------------------------------------------- getters */

size_t anole_model_input_count(const struct anole_model *model)
{
    return model->graph->input_count;
}

size_t anole_model_output_count(const struct anole_model *model)
{
    return model->graph->output_count;
}

const struct anole_tensor_info *anole_model_input(const struct anole_model *model, size_t index)
{
    return index < model->graph->input_count ? &model->inputs[index].info : NULL;
}

const struct anole_tensor_info *anole_model_output(const struct anole_model *model, size_t index)
{
    return index < model->graph->output_count ? &model->outputs[index].info : NULL;
}

const struct anole_model_info *anole_model_info(struct anole_model *model)
{
    model->info.device_bytes = anole_instance_device_bytes(model->instance);
    model->info.host_bytes = anole_instance_host_bytes(model->instance);
    for (size_t i = 0; i < model->graph->input_count; i++)
        model->info.host_bytes += model->inputs[i].copy ? model->inputs[i].info.bytes : 0;
    for (size_t i = 0; i < model->graph->output_count; i++)
        model->info.host_bytes += model->outputs[i].copy ? model->outputs[i].info.bytes : 0;
    return &model->info;
}

const struct anole_step_info *anole_model_step(const struct anole_model *model, size_t index)
{
    return index < model->info.steps ? &model->steps[index] : NULL;
}

/* "input" or "output" is `what`. */
static enum anole_status find_port(size_t *index, const struct anole_graph *graph,
                                   const struct port *ports, size_t count, const char *what,
                                   const char *name, struct anole_error *error)
{
    struct anole_text names = {0};
    char safe[200];
    for (size_t i = 0; i < count; i++)
        if (strcmp(ports[i].info.name, name) == 0 ||
            strcmp(graph->tensors[ports[i].tensor].name, name) == 0) {
            *index = i;
            return ANOLE_DONE;
        }
    for (size_t i = 0; i < count; i++)
        anole_text_printf(&names, "%s\"%s\"", i ? ", " : "", ports[i].info.name);
    enum anole_status status =
        anole_fail(error, ANOLE_ERR_INPUT, "there is no %s \"%s\"; expected one of %.600s", what,
                   anole_text_printable(safe, sizeof safe, name), names.data ? names.data : "none");
    anole_text_fini(&names);
    return status;
}

enum anole_status anole_model_find_input(size_t *index, const struct anole_model *model,
                                         const char *name, struct anole_error *error)
{
    return find_port(index, model->graph, model->inputs, model->graph->input_count, "input", name,
                     error);
}

enum anole_status anole_model_find_output(size_t *index, const struct anole_model *model,
                                          const char *name, struct anole_error *error)
{
    return find_port(index, model->graph, model->outputs, model->graph->output_count, "output",
                     name, error);
}

/* -------------------------------------------------------- inputs and outputs */

static struct port *input_port(struct anole_model *model, size_t index, struct anole_error *error)
{
    if (index < model->graph->input_count)
        return &model->inputs[index];
    anole_fail(error, ANOLE_ERR_USAGE, "there is no input %zu: the network has %zu", index,
               model->graph->input_count);
    return NULL;
}

static struct port *output_port(struct anole_model *model, size_t index, struct anole_error *error)
{
    if (index < model->graph->output_count)
        return &model->outputs[index];
    anole_fail(error, ANOLE_ERR_USAGE, "there is no output %zu: the network has %zu", index,
               model->graph->output_count);
    return NULL;
}

static enum anole_status check_bytes(const struct port *port, size_t bytes,
                                     struct anole_error *error)
{
    if (bytes == port->info.bytes)
        return ANOLE_DONE;
    return anole_fail(error, ANOLE_ERR_USAGE, "\"%s\": expected %zu bytes, found %zu",
                      port->info.name, port->info.bytes, bytes);
}

static void copy_bytes(void *to, const void *from, size_t bytes)
{
    if (bytes > 0)
        memcpy(to, from, bytes);
}

static enum anole_status set_input(struct anole_model *model, size_t index, const void *data,
                                   struct anole_error *error)
{
    struct port *port = &model->inputs[index];
    if (port->mapped) {
        copy_bytes(port->mapped, data, port->info.bytes);
        return ANOLE_DONE;
    }
    port->given = false;
    if (port->copy)
        copy_bytes(port->copy, data, port->info.bytes);
    return anole_instance_set_input(model->instance, index, data, error);
}

static enum anole_status get_output(struct anole_model *model, size_t index, void *data,
                                    struct anole_error *error)
{
    const struct port *port = &model->outputs[index];
    if (!port->mapped)
        return anole_instance_get_output(model->instance, index, data, error);
    copy_bytes(data, port->mapped, port->info.bytes);
    return ANOLE_DONE;
}

enum anole_status anole_model_set_input(struct anole_model *model, size_t index, const void *data,
                                        size_t bytes, struct anole_error *error)
{
    struct anole_scope scope;
    const struct port *port = input_port(model, index, error);
    enum anole_status status = port ? check_bytes(port, bytes, error) : ANOLE_ERR_USAGE;
    if (status)
        return status;
    anole_scope_enter(&scope, model->context);
    status = set_input(model, index, data, error);
    anole_scope_leave(&scope);
    return status;
}

enum anole_status anole_model_get_output(struct anole_model *model, size_t index, void *data,
                                         size_t bytes, struct anole_error *error)
{
    struct anole_scope scope;
    const struct port *port = output_port(model, index, error);
    enum anole_status status = port ? check_bytes(port, bytes, error) : ANOLE_ERR_USAGE;
    if (status)
        return status;
    anole_scope_enter(&scope, model->context);
    status = get_output(model, index, data, error);
    anole_scope_leave(&scope);
    return status;
}

static enum anole_status bind(struct port *port, void *data, size_t bytes,
                              struct anole_error *error)
{
    enum anole_status status = port ? ANOLE_DONE : ANOLE_ERR_USAGE;
    if (status == ANOLE_DONE && data)
        status = check_bytes(port, bytes, error);
    if (status == ANOLE_DONE)
        port->bound = data;
    return status;
}

enum anole_status anole_model_bind_input(struct anole_model *model, size_t index, const void *data,
                                         size_t bytes, struct anole_error *error)
{
    return bind(input_port(model, index, error), (void *)data, bytes, error);
}

enum anole_status anole_model_bind_output(struct anole_model *model, size_t index, void *data,
                                          size_t bytes, struct anole_error *error)
{
    return bind(output_port(model, index, error), data, bytes, error);
}

/* Makes port->mapped, or else port->copy, which is then still to be filled in. */
static enum anole_status map(struct anole_model *model, struct port *port,
                             struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    if (!port->mapped && !port->copy)
        status = anole_instance_map(model->instance, port->tensor, &port->mapped, error);
    if (status || port->mapped || port->copy)
        return status;
    port->copy = calloc(1, port->info.bytes + 1);
    return port->copy ? ANOLE_DONE : anole_fail_memory(error);
}

enum anole_status anole_model_map_input(void **data, bool *in_place, struct anole_model *model,
                                        size_t index, struct anole_error *error)
{
    struct anole_scope scope;
    struct port *port = input_port(model, index, error);
    if (!port)
        return ANOLE_ERR_USAGE;
    anole_scope_enter(&scope, model->context);
    enum anole_status status = map(model, port, error);
    if (status == ANOLE_DONE && port->copy && !port->given) {
        status = anole_instance_get_input(model->instance, index, port->copy, error);
        port->given = status == ANOLE_DONE;
    }
    anole_scope_leave(&scope);
    if (status)
        return status;
    *data = port->mapped ? port->mapped : port->copy;
    if (in_place)
        *in_place = port->mapped != NULL;
    return ANOLE_DONE;
}

enum anole_status anole_model_map_output(const void **data, bool *in_place,
                                         struct anole_model *model, size_t index,
                                         struct anole_error *error)
{
    struct anole_scope scope;
    struct port *port = output_port(model, index, error);
    if (!port)
        return ANOLE_ERR_USAGE;
    anole_scope_enter(&scope, model->context);
    enum anole_status status = map(model, port, error);
    if (status == ANOLE_DONE && port->copy)
        status = anole_instance_get_output(model->instance, index, port->copy, error);
    anole_scope_leave(&scope);
    if (status)
        return status;
    *data = port->mapped ? port->mapped : port->copy;
    if (in_place)
        *in_place = port->mapped != NULL;
    return ANOLE_DONE;
}

/* ------------------------------------------------------------------- running */

static enum anole_status unmap(struct anole_model *model, struct port *ports, size_t count,
                               struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    for (size_t i = 0; i < count && status == ANOLE_DONE; i++) {
        if (ports[i].mapped)
            status = anole_instance_unmap(model->instance, ports[i].tensor, ports[i].mapped, error);
        ports[i].mapped = NULL;
    }
    return status;
}

/* Gives the device what the host has of its tensors. */
static enum anole_status prepare(struct anole_model *model, struct anole_error *error)
{
    enum anole_status status = unmap(model, model->inputs, model->graph->input_count, error);
    if (status == ANOLE_DONE)
        status = unmap(model, model->outputs, model->graph->output_count, error);
    for (size_t i = 0; i < model->graph->input_count && status == ANOLE_DONE; i++) {
        struct port *port = &model->inputs[i];
        const void *data = port->bound ? port->bound : port->given ? port->copy : NULL;
        port->given = false;
        if (data)
            status = anole_instance_set_input(model->instance, i, data, error);
    }
    return status;
}

static enum anole_status run(struct anole_model *model, struct anole_error *error)
{
    double start = anole_clock();
    enum anole_status status = prepare(model, error);
    if (status == ANOLE_DONE)
        status = anole_instance_run(model->instance, NULL, NULL, error);
    for (size_t i = 0; i < model->graph->output_count && status == ANOLE_DONE; i++)
        if (model->outputs[i].bound)
            status = get_output(model, i, model->outputs[i].bound, error);
    model->info.run_seconds = status == ANOLE_DONE ? anole_clock() - start : NAN;
    return status;
}

enum anole_status anole_model_run(struct anole_model *model, struct anole_error *error)
{
    struct anole_scope scope;
    anole_scope_enter(&scope, model->context);
    enum anole_status status = run(model, error);
    anole_scope_leave(&scope);
    return status;
}

static enum anole_status measure(struct anole_model *model, double *seconds, size_t repeat,
                                 struct anole_error *error)
{
    enum anole_status status = run(model, error);
    for (size_t i = 0; i < repeat && status == ANOLE_DONE; i++) {
        if (anole_context_stopped(model->context))
            return anole_fail(error, ANOLE_ERR_INTERRUPTED, "interrupted");
        status = run(model, error);
        seconds[i] = model->info.run_seconds;
    }
    return status;
}

enum anole_status anole_model_measure(const struct anole_latency **latency,
                                      struct anole_model *model, size_t repeat,
                                      struct anole_error *error)
{
    struct anole_scope scope;
    struct anole_summary summary;
    if (repeat == 0)
        return anole_fail(error, ANOLE_ERR_USAGE, "repeat: expected at least 1, found 0");
    double *seconds = calloc(repeat, sizeof *seconds);
    if (!seconds)
        return anole_fail_memory(error);
    anole_scope_enter(&scope, model->context);
    enum anole_status status = measure(model, seconds, repeat, error);
    anole_scope_leave(&scope);
    if (status == ANOLE_DONE) {
        anole_summarise(&summary, seconds, repeat);
        model->latency = (struct anole_latency){.median = summary.median,
                                                .low = summary.low,
                                                .high = summary.high,
                                                .minimum = summary.minimum,
                                                .runs = repeat};
        *latency = &model->latency;
    }
    free(seconds);
    return status;
}

/* ------------------------------------------------------------------ exporting */

enum anole_status anole_model_export(const struct anole_model *model, const char *folder,
                                     size_t *kernels, struct anole_error *error)
{
    size_t count;
    struct anole_scope scope;
    anole_scope_enter(&scope, model->context);
    enum anole_status status = anole_program_export(model->program, folder, &count, error);
    anole_scope_leave(&scope);
    if (status == ANOLE_DONE && kernels)
        *kernels = count;
    return status;
}
