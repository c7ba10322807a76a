/* SPDX-License-Identifier: MIT */
#include "program/instance.h"

#include "base/clock.h"
#include "base/environment.h"
#include "base/log.h"
#include "devices/build_ahead.h"
#include "plugin/host.h"
#include "plugin/plugin_message.h"
#include "program/cache.h"
#include "program/constants.h"
#include "program/memory_plan.h"
#include "program/epilogue.h"
#include "program/merge.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define HOST_ALIGNMENT 64u /* of memory that operators compute in */

#define ZEROS ((size_t)1 << 20) /* bytes that are written at once */

/* Sessions are opened and closed one at a time: see ANOLE_HOST_GUEST. */
static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;

#define MAX_BINARY ((size_t)64 << 20) /* bytes of a built kernel that is kept */

/* Steps that go to the device together, or one that the host does. */
struct part {
    size_t first, count;
    bool on_host;
    struct anole_sequence *sequence; /* NULL: step by step */
};

/* A tensor of a step that the host does. */
struct operand_use {
    size_t tensor; /* of the graph; ANOLE_NONE: absent */
    bool output;
    void *mapped;  /* where it lies, or NULL */
    size_t offset; /* else: of its copy in `staging` */
};

/* What is run: each step with one of its kernels. */
struct anole_variant {
    struct anole_instance *instance;
    const size_t *choices;          /* of each step, while it is made; NULL: their own */
    size_t *kernels;                /* of each step; ANOLE_NONE: the host's */
    struct anole_binding *bindings; /* of all steps, one behind the other */
    size_t *first_binding;          /* of each step */
    struct part *parts;
    size_t part_count;
};

struct anole_instance {
    const struct anole_program *program;
    const struct anole_plugin *plugin;
    struct anole_session *session;
    struct anole_program_cache *cache; /* NULL again when it is ready */
    struct anole_start start;
    uint32_t threads;              /* that the device has */
    struct anole_buffer **buffers; /* [buffer_count] */
    struct anole_build **builds;   /* [kernel_count] */
    struct anole_variant own;      /* each step with its own kernel */
    char *staging;                 /* copies of tensors for the host; NULL: none are needed */
    size_t staging_bytes;
    struct anole_constant *constants; /* of each tensor: those that the host's steps read */
    size_t constant_bytes;            /* of copies of these */
    /* Of each tensor of the graph; what depends on data is as the last run had it.  NULL: nothing
     * does, and they are the graph's. */
    struct anole_operand *types;
    /* Room for any step of the host's. */
    struct operand_use *uses;
    struct anole_operand *operands;
    const struct anole_operand **inputs;
};

static enum anole_status fail(const struct anole_instance *instance, struct anole_error *error,
                              int code, const struct anole_message *message, const char *what)
{
    enum anole_status status = anole_plugin_failure(error, ANOLE_ERR_WORKER, code, message);
    anole_error_prefix(error, "backend %s: %s", instance->plugin->name, what);
    return status;
}

static enum anole_status fail_step(const struct anole_instance *instance, struct anole_error *error,
                                   int code, const struct anole_message *message, const char *what,
                                   size_t step)
{
    const struct anole_graph *graph = instance->program->graph;
    const struct anole_node *node = &graph->nodes[instance->program->steps[step].node];
    char words[600];
    anole_plugin_words(words, sizeof words, code, message);
    anole_graph_fail(graph, node, error, "backend %s: %s: %s", instance->plugin->name, what, words);
    if (error)
        error->status = ANOLE_ERR_WORKER;
    return ANOLE_ERR_WORKER;
}

/* ------------------------------------------------------------------- create */

static enum anole_status open_device(struct anole_instance *instance, const char *driver,
                                     uint32_t threads, struct anole_error *error)
{
    struct anole_message message = {.size = sizeof message};
    const struct anole_host *host = anole_host_get(threads);
    if (!host)
        return anole_fail_memory(error);
    instance->threads = threads ? threads : host->threads;
    double start = anole_clock();
    pthread_mutex_lock(&opening);
    int code = instance->plugin->open(host, driver, instance->program->device.index,
                                      &instance->session, &message);
    pthread_mutex_unlock(&opening);
    instance->start.open = anole_clock() - start;
    if (code == ANOLE_OK)
        return ANOLE_DONE;
    instance->session = NULL;
    enum anole_status status = anole_plugin_failure(error, ANOLE_ERR_NO_DEVICE, code, &message);
    anole_error_prefix(error, "backend %s: opening the device", instance->plugin->name);
    return status;
}

/* Fills the arena with zeros: a network that is run before its inputs were set computes
 * something, but with no index that lies outside. */
static enum anole_status clear_arena(struct anole_instance *instance, struct anole_error *error)
{
    size_t all = instance->program->buffer_bytes[0], bytes = all < ZEROS ? all : ZEROS;
    struct anole_message message = {.size = sizeof message};
    char *zeros = calloc(1, bytes + 1);
    int code = ANOLE_OK;
    if (!zeros)
        return anole_fail_memory(error);
    for (size_t at = 0; at < all && code == ANOLE_OK; at += bytes)
        code = instance->plugin->buffer_write(instance->session, instance->buffers[0], at, zeros,
                                              all - at < bytes ? all - at : bytes, &message);
    free(zeros);
    return code == ANOLE_OK ? ANOLE_DONE
                            : fail(instance, error, code, &message, "writing to the arena");
}

static enum anole_status make_buffers(struct anole_instance *instance, struct anole_error *error)
{
    const struct anole_program *program = instance->program;
    struct anole_message message = {.size = sizeof message};
    for (size_t i = 0; i < program->buffer_count; i++) {
        if (program->buffer_bytes[i] == 0)
            continue;
        int code = instance->plugin->buffer_create(instance->session, program->buffer_bytes[i],
                                                   &instance->buffers[i], &message);
        if (code != ANOLE_OK) {
            instance->buffers[i] = NULL;
            return fail(instance, error, code, &message, "making room for the network");
        }
    }
    return clear_arena(instance, error);
}

static enum anole_status upload(struct anole_instance *instance, const struct anole_place *place,
                                const void *data, struct anole_error *error)
{
    struct anole_message message = {.size = sizeof message};
    double start = anole_clock();
    int code = instance->plugin->buffer_write(instance->session, instance->buffers[place->buffer],
                                              place->offset, data, place->bytes, &message);
    instance->start.upload += anole_clock() - start;
    return code == ANOLE_OK ? ANOLE_DONE
                            : fail(instance, error, code, &message, "writing the weights");
}

/* By way of memory of ours. */
static enum anole_status copy_constants(struct anole_instance *instance, struct anole_error *error)
{
    const struct anole_program *program = instance->program;
    size_t most = 1;
    for (size_t i = 0; i < program->constant_count; i++)
        if (program->constants[i].place.bytes > most)
            most = program->constants[i].place.bytes;
    void *memory = malloc(most);
    if (!memory)
        return anole_fail_memory(error);
    enum anole_status status = ANOLE_DONE;
    for (size_t i = 0; i < program->constant_count && status == ANOLE_DONE; i++) {
        const struct anole_program_constant *constant = &program->constants[i];
        double start = anole_clock();
        bool cached;
        status = anole_program_write_constant(program, instance->cache, constant, memory, &cached,
                                              error);
        instance->start.pack += anole_clock() - start;
        instance->start.cached_weights += status == ANOLE_DONE && cached;
        if (status == ANOLE_DONE)
            status = upload(instance, &constant->place, memory, error);
    }
    free(memory);
    return status;
}

static bool can_map(const struct anole_instance *instance)
{
    return instance->program->device.flags & ANOLE_DEVICE_SHARES_HOST &&
           instance->plugin->buffer_map && instance->plugin->buffer_unmap;
}

/* Where the device's memory is the host's, constants are written where they lie, by as many
 * threads as there are for the device. */
static enum anole_status write_in_place(struct anole_instance *instance, void **memory,
                                        struct anole_error *error)
{
    const struct anole_program *program = instance->program;
    struct anole_message message = {.size = sizeof message};
    enum anole_status status = ANOLE_DONE;
    double start = anole_clock();
    size_t mapped = 0;
    for (; mapped < program->constant_count && status == ANOLE_DONE; mapped++) {
        const struct anole_place *place = &program->constants[mapped].place;
        int code =
            instance->plugin->buffer_map(instance->session, instance->buffers[place->buffer],
                                         place->offset, place->bytes, &memory[mapped], &message);
        if (code != ANOLE_OK) {
            status = fail(instance, error, code, &message, "mapping the weights");
            break;
        }
    }
    if (status == ANOLE_DONE)
        status = anole_program_write_constants(program, instance->cache, memory, instance->threads,
                                               &instance->start.cached_weights, error);
    while (mapped-- > 0) {
        const struct anole_place *place = &program->constants[mapped].place;
        int code = instance->plugin->buffer_unmap(
            instance->session, instance->buffers[place->buffer], memory[mapped], &message);
        if (code != ANOLE_OK && status == ANOLE_DONE)
            status = fail(instance, error, code, &message, "giving the weights to the device");
    }
    instance->start.pack = anole_clock() - start;
    return status;
}

static enum anole_status write_constants(struct anole_instance *instance, struct anole_error *error)
{
    const struct anole_program *program = instance->program;
    for (size_t i = 0; i < program->constant_count; i++)
        instance->start.weights_count += program->constants[i].kernel != ANOLE_NONE;
    if (!can_map(instance))
        return copy_constants(instance, error);
    void **memory = calloc(program->constant_count + 1, sizeof(void *));
    if (!memory)
        return anole_fail_memory(error);
    enum anole_status status = write_in_place(instance, memory, error);
    free(memory);
    return status;
}

/* -- Builds, by unit: kernels with one source -- */

/* Keeps what was built.  False: the backend does not hand it over, or there is no cache. */
static bool keep_build(struct anole_instance *instance, const struct anole_merge_unit *unit)
{
    const struct anole_plugin *plugin = instance->plugin;
    struct anole_build *last = instance->builds[unit->places[unit->count - 1]];
    struct anole_message message = {.size = sizeof message};
    size_t bytes = 0;
    if (!plugin->binary || !anole_program_cache_exists(instance->cache) ||
        plugin->binary(instance->session, last, NULL, &bytes, &message) != ANOLE_OK || bytes == 0 ||
        bytes > MAX_BINARY)
        return false;
    const size_t room = bytes;
    void *binary = malloc(room);
    bool good = binary &&
                plugin->binary(instance->session, last, binary, &bytes, &message) == ANOLE_OK &&
                bytes == room;
    if (good)
        anole_program_cache_store_kernels(instance->cache, unit->kernels, unit->count, binary,
                                          bytes);
    free(binary);
    return good;
}

/* True if all could be built, from the binary if there is one; else none is. */
static bool build_from(struct anole_instance *instance, const struct anole_merge_unit *unit,
                       const void *binary, size_t bytes)
{
    const struct anole_plugin *plugin = instance->plugin;
    bool good = true;
    for (size_t i = 0; i < unit->count && good; i++) {
        struct anole_message message = {.size = sizeof message};
        struct anole_build **build = &instance->builds[unit->places[i]];
        if (plugin->build(instance->session, unit->kernels[i], binary, bytes, build, &message) !=
            ANOLE_OK)
            *build = NULL;
        good = *build && !message.text[0];
        if (!good)
            anole_log_debug("%zu kernels from one source: %s", unit->count, message.text);
    }
    for (size_t i = 0; i < unit->count && !good; i++)
        if (instance->builds[unit->places[i]]) {
            plugin->release(instance->session, instance->builds[unit->places[i]]);
            instance->builds[unit->places[i]] = NULL;
        }
    return good;
}

/* What becomes of a kernel that cannot be built.  *stop: there is no sense in going on. */
static enum anole_status note_failure(struct anole_instance *instance, size_t k, int code,
                                      const struct anole_message *message, bool *stop,
                                      struct anole_error *error)
{
    const struct anole_program *program = instance->program;
    char words[600];
    enum anole_status status = fail_step(instance, error, code, message, "building its kernel",
                                         anole_program_step_of(program, k));
    *stop = !program->failures || code == ANOLE_DEVICE_LOST || code == ANOLE_NO_MEMORY;
    if (*stop)
        return status;
    anole_plugin_words(words, sizeof words, code, message);
    if (!anole_kernel_failures_add(program->failures, program->kernels[k].generated, words, error))
        return status;
    *stop = true;
    return ANOLE_ERR_MEMORY;
}

/* Each from a source of its own, as the program has it. */
static enum anole_status build_apart(struct anole_instance *instance,
                                     const struct anole_merge_unit *unit, bool *stop,
                                     struct anole_error *error)
{
    struct anole_message message = {.size = sizeof message};
    enum anole_status status = ANOLE_DONE;
    for (size_t i = 0; i < unit->count && !*stop; i++) {
        const size_t k = unit->places[i];
        int code = instance->plugin->build(instance->session,
                                           &instance->program->kernels[k].generated->kernel, NULL,
                                           0, &instance->builds[k], &message);
        if (code == ANOLE_OK)
            continue;
        instance->builds[k] = NULL;
        status = note_failure(instance, k, code, &message, stop, error);
    }
    return status;
}

static bool is_built(const struct anole_instance *instance, const struct anole_merge_unit *unit)
{
    return instance->builds[unit->places[0]] != NULL;
}

/* Builds what the cache has. */
static void build_cached(struct anole_instance *instance, const struct anole_merge *merge)
{
    for (size_t i = 0; i < anole_merge_count(merge); i++) {
        const struct anole_merge_unit *unit = anole_merge_unit(merge, i);
        struct anole_disk_entry binary = {.data = NULL};
        instance->start.source_count++;
        instance->start.kernel_count += unit->count;
        if (anole_program_cache_find_kernels(&binary, instance->cache, unit->kernels,
                                             unit->count) &&
            build_from(instance, unit, binary.data, binary.bytes))
            instance->start.cached_kernels += unit->count;
        anole_disk_entry_fini(&binary);
    }
}

/* Takes over what a worker has built. */
static void take_built(struct anole_instance *instance, const struct anole_merge_unit *unit,
                       const struct anole_built *built)
{
    if (!built->binary || !build_from(instance, unit, built->binary, built->bytes))
        return;
    anole_program_cache_store_kernels(instance->cache, unit->kernels, unit->count, built->binary,
                                      built->bytes);
    instance->start.worker_kernels += unit->count;
}

/* Has workers build what is left. */
static enum anole_status build_by_workers(struct anole_instance *instance,
                                          const struct anole_merge *merge, const char *driver,
                                          uint32_t threads, struct anole_error *error)
{
    const struct anole_program *program = instance->program;
    const size_t units = anole_merge_count(merge);
    struct anole_built *items = calloc(units + 1, sizeof *items);
    size_t *places = calloc(units + 1, sizeof *places), count = 0;
    enum anole_status status = items && places ? ANOLE_DONE : anole_fail_memory(error);
    for (size_t i = 0; i < units && status == ANOLE_DONE; i++) {
        const struct anole_merge_unit *unit = anole_merge_unit(merge, i);
        if (is_built(instance, unit))
            continue;
        items[count] = (struct anole_built){.kernels = unit->kernels, .count = unit->count};
        places[count++] = i;
    }
    if (status == ANOLE_DONE && count > 1)
        status = anole_build_ahead(items, count, program->backend, driver, program->device.index,
                                   threads, error);
    for (size_t i = 0; i < count; i++) {
        if (status == ANOLE_DONE)
            take_built(instance, anole_merge_unit(merge, places[i]), &items[i]);
        free(items[i].binary);
    }
    free(places);
    free(items);
    return status;
}

/* From source.  What fails together is built apart, so that it is known which kernel it was. */
static enum anole_status build_unit(struct anole_instance *instance,
                                    const struct anole_merge_unit *unit, bool *kept, bool *stop,
                                    struct anole_error *error)
{
    *kept = false;
    if (is_built(instance, unit))
        return ANOLE_DONE;
    if (!build_from(instance, unit, NULL, 0))
        return build_apart(instance, unit, stop, error);
    *kept = keep_build(instance, unit);
    return ANOLE_DONE;
}

/* The least that is not built; NULL: all is. */
static const struct anole_merge_unit *least_unit(const struct anole_instance *instance,
                                                 const struct anole_merge *merge)
{
    const struct anole_merge_unit *least = NULL;
    for (size_t i = 0; i < anole_merge_count(merge); i++) {
        const struct anole_merge_unit *unit = anole_merge_unit(merge, i);
        if (!is_built(instance, unit) && (!least || unit->count < least->count))
            least = unit;
    }
    return least;
}

/* From the cache; a small one from source, to see whether there are binaries; the others by
 * workers; and what these did not bring from source, too. */
static enum anole_status build_units(struct anole_instance *instance,
                                     const struct anole_merge *merge, const char *driver,
                                     uint32_t threads, struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    bool kept = false, stop = false;
    build_cached(instance, merge);
    const struct anole_merge_unit *least = least_unit(instance, merge);
    if (least)
        status = build_unit(instance, least, &kept, &stop, error);
    if (kept) {
        status = build_by_workers(instance, merge, driver, threads, error);
        stop = status != ANOLE_DONE;
    }
    for (size_t i = 0; i < anole_merge_count(merge) && !stop; i++) {
        const struct anole_merge_unit *unit = anole_merge_unit(merge, i);
        enum anole_status failed =
            unit == least ? ANOLE_DONE : build_unit(instance, unit, &kept, &stop, error);
        if (failed)
            status = failed;
    }
    return status;
}

static enum anole_status build_kernels(struct anole_instance *instance, const char *driver,
                                       uint32_t threads, struct anole_error *error)
{
    struct anole_merge *merge;
    double start = anole_clock();
    enum anole_status status = anole_merge_create(&merge, instance->program, error);
    if (status)
        return status;
    status = build_units(instance, merge, driver, threads, error);
    anole_merge_destroy(merge);
    instance->start.build = anole_clock() - start;
    return status;
}

/* -- Variants -- */

/* The kernel of a step, and where that finds its operands. */
static const struct anole_place *chosen_places(size_t *kernel, const struct anole_variant *variant,
                                               size_t s)
{
    const struct anole_step *step = &variant->instance->program->steps[s];
    const size_t choice = variant->choices ? variant->choices[s] : 0;
    *kernel = choice == 0 ? step->kernel : step->others[choice - 1].kernel;
    return choice == 0 ? step->places : step->others[choice - 1].places;
}

static enum anole_status bind_steps(struct anole_variant *variant, struct anole_error *error)
{
    const struct anole_instance *instance = variant->instance;
    const struct anole_program *program = instance->program;
    size_t count = 0;
    for (size_t s = 0; s < program->step_count; s++)
        count += program->steps[s].place_count;
    variant->kernels = calloc(program->step_count + 1, sizeof *variant->kernels);
    variant->bindings = calloc(count + 1, sizeof *variant->bindings);
    variant->first_binding = calloc(program->step_count + 1, sizeof *variant->first_binding);
    if (!variant->kernels || !variant->bindings || !variant->first_binding)
        return anole_fail_memory(error);
    count = 0;
    for (size_t s = 0; s < program->step_count; s++) {
        const struct anole_place *places = chosen_places(&variant->kernels[s], variant, s);
        variant->first_binding[s] = count;
        for (size_t i = 0; i < program->steps[s].place_count; i++, count++)
            if (places[i].buffer != ANOLE_NONE)
                variant->bindings[count] =
                    (struct anole_binding){.buffer = instance->buffers[places[i].buffer],
                                           .offset = places[i].offset,
                                           .bytes = places[i].bytes};
    }
    return ANOLE_DONE;
}

static enum anole_status make_sequence(const struct anole_variant *variant, struct part *part,
                                       struct anole_error *error)
{
    const struct anole_instance *instance = variant->instance;
    const struct anole_plugin *plugin = instance->plugin;
    struct anole_message message = {.size = sizeof message};
    if (!plugin->sequence_create || !plugin->sequence_run || !plugin->sequence_destroy)
        return ANOLE_DONE;
    struct anole_sequence_step *steps = calloc(part->count, sizeof *steps);
    if (!steps)
        return anole_fail_memory(error);
    for (size_t i = 0; i < part->count; i++) {
        const size_t s = part->first + i;
        steps[i] = (struct anole_sequence_step){
            .build = instance->builds[variant->kernels[s]],
            .bindings = &variant->bindings[variant->first_binding[s]],
            .binding_count = (uint32_t)instance->program->steps[s].place_count};
    }
    int code = plugin->sequence_create(instance->session, steps, (uint32_t)part->count,
                                       &part->sequence, &message);
    free(steps);
    if (code == ANOLE_OK)
        return ANOLE_DONE;
    part->sequence = NULL;
    return fail(instance, error, code, &message, "preparing the steps of the network");
}

/* Runs of steps of the device's, and single ones of the host's. */
static enum anole_status divide(struct anole_variant *variant, struct anole_error *error)
{
    const struct anole_program *program = variant->instance->program;
    variant->parts = calloc(program->step_count + 1, sizeof *variant->parts);
    if (!variant->parts)
        return anole_fail_memory(error);
    for (size_t s = 0; s < program->step_count; s++) {
        bool on_host = program->steps[s].kind == ANOLE_STEP_HOST;
        struct part *last = &variant->parts[variant->part_count];
        if (s > 0 && !on_host && !last[-1].on_host) {
            last[-1].count++;
            continue;
        }
        *last = (struct part){.first = s, .count = 1, .on_host = on_host};
        variant->part_count++;
    }
    enum anole_status status = ANOLE_DONE;
    for (size_t i = 0; i < variant->part_count && status == ANOLE_DONE; i++)
        if (!variant->parts[i].on_host)
            status = make_sequence(variant, &variant->parts[i], error);
    return status;
}

static void variant_fini(struct anole_variant *variant)
{
    for (size_t i = 0; variant->parts && i < variant->part_count; i++)
        if (variant->parts[i].sequence)
            variant->instance->plugin->sequence_destroy(variant->instance->session,
                                                        variant->parts[i].sequence);
    free(variant->kernels);
    free(variant->bindings);
    free(variant->first_binding);
    free(variant->parts);
}

/* On failure `variant` is incomplete, and still to be released. */
static enum anole_status variant_init(struct anole_variant *variant,
                                      struct anole_instance *instance, const size_t *choices,
                                      struct anole_error *error)
{
    *variant = (struct anole_variant){.instance = instance, .choices = choices};
    enum anole_status status = bind_steps(variant, error);
    if (status == ANOLE_DONE)
        status = divide(variant, error);
    variant->choices = NULL;
    return status;
}

enum anole_status anole_variant_create(struct anole_variant **variant,
                                       struct anole_instance *instance, const size_t *choices,
                                       struct anole_error *error)
{
    struct anole_variant *new = calloc(1, sizeof *new);
    if (!new)
        return anole_fail_memory(error);
    enum anole_status status = variant_init(new, instance, choices, error);
    if (status)
        anole_variant_destroy(new);
    else
        *variant = new;
    return status;
}

void anole_variant_destroy(struct anole_variant *variant)
{
    if (!variant)
        return;
    variant_fini(variant);
    free(variant);
}

/* Types of its own, where a size depends on data. */
static enum anole_status copy_types(struct anole_instance *instance, struct anole_error *error)
{
    const struct anole_graph *graph = instance->program->graph;
    bool any = false;
    for (size_t t = 0; t < graph->tensor_count && !any; t++)
        any = instance->program->data_sized[t];
    if (!any)
        return ANOLE_DONE;
    instance->types = calloc(graph->tensor_count, sizeof *instance->types);
    if (!instance->types)
        return anole_fail_memory(error);
    for (size_t t = 0; t < graph->tensor_count; t++)
        instance->types[t] = graph->tensors[t].type;
    return ANOLE_DONE;
}

static const struct anole_operand *type_of(const struct anole_instance *instance, size_t tensor)
{
    return instance->types ? &instance->types[tensor]
                           : &instance->program->graph->tensors[tensor].type;
}

static enum anole_status open_constant(struct anole_instance *instance, size_t tensor,
                                       struct anole_error *error)
{
    const struct anole_graph *graph = instance->program->graph;
    const size_t index =
        tensor == ANOLE_NONE ? ANOLE_NONE : anole_program_constant_of(graph, tensor);
    if (index == ANOLE_NONE || instance->constants[index].data)
        return ANOLE_DONE;
    enum anole_status status =
        anole_graph_open_constant(&instance->constants[index], graph, index, error);
    if (status == ANOLE_DONE && instance->constants[index].memory)
        instance->constant_bytes += anole_program_tensor_bytes(graph, index);
    return status;
}

/* What the host's steps read in every run. */
static enum anole_status open_constants(struct anole_instance *instance, struct anole_error *error)
{
    const struct anole_program *program = instance->program;
    enum anole_status status = ANOLE_DONE;
    instance->constants = calloc(program->graph->tensor_count + 1, sizeof *instance->constants);
    if (!instance->constants)
        return anole_fail_memory(error);
    for (size_t s = 0; s < program->step_count; s++) {
        const struct anole_node *node = &program->graph->nodes[program->steps[s].node];
        if (program->steps[s].kind != ANOLE_STEP_HOST)
            continue;
        for (size_t i = 0; i < node->input_count && status == ANOLE_DONE; i++)
            status = open_constant(instance, node->inputs[i], error);
        if (status == ANOLE_DONE)
            status = open_constant(instance, node->residual, error);
        if (status)
            break;
    }
    return status;
}

/* Room for the operands of the host's steps. */
static enum anole_status make_host_memory(struct anole_instance *instance,
                                          struct anole_error *error)
{
    const struct anole_program *program = instance->program;
    const struct anole_graph *graph = program->graph;
    size_t most_operands = 0, most_bytes = 0;
    for (size_t s = 0; s < program->step_count; s++) {
        const struct anole_step *step = &program->steps[s];
        const struct anole_node *node = &graph->nodes[step->node];
        size_t operands = node->input_count + node->output_count + 1, bytes = 0;
        if (step->kind != ANOLE_STEP_HOST)
            continue;
        for (size_t i = 0; i < step->place_count; i++)
            bytes += step->places[i].bytes + HOST_ALIGNMENT;
        if (node->residual != ANOLE_NONE)
            bytes += anole_program_tensor_bytes(graph, node->residual) + HOST_ALIGNMENT;
        if (operands > most_operands)
            most_operands = operands;
        if (bytes > most_bytes)
            most_bytes = bytes;
    }
    instance->uses = calloc(most_operands + 1, sizeof *instance->uses);
    instance->operands = calloc(most_operands + 1, sizeof *instance->operands);
    instance->inputs = calloc(most_operands + 1, sizeof(struct anole_operand *));
    if (!instance->uses || !instance->operands || !instance->inputs)
        return anole_fail_memory(error);
    if (most_bytes == 0 || can_map(instance))
        return ANOLE_DONE;
    instance->staging_bytes = (most_bytes / HOST_ALIGNMENT + 1) * HOST_ALIGNMENT;
    instance->staging = aligned_alloc(HOST_ALIGNMENT, instance->staging_bytes);
    return instance->staging ? ANOLE_DONE : anole_fail_memory(error);
}

/* Compilers leave tens of megabytes that malloc() would keep.  What a process that is not ours has
 * on its heap is its own affair. */
static void trim_heap(void)
{
#ifdef __GLIBC__
    if (!anole_environment() || !anole_environment()->guest)
        malloc_trim(0);
#endif
}

enum anole_status anole_instance_create(struct anole_instance **instance,
                                        const struct anole_program *program, const char *driver,
                                        uint32_t threads, struct anole_error *error)
{
    struct anole_instance *new = calloc(1, sizeof *new);
    if (!new)
        return anole_fail_memory(error);
    new->program = program;
    new->plugin = &program->backend->plugin;
    new->buffers = calloc(program->buffer_count + 1, sizeof(struct anole_buffer *));
    new->builds = calloc(program->kernel_count + 1, sizeof(struct anole_build *));
    enum anole_status status = new->buffers &&new->builds ? ANOLE_DONE : anole_fail_memory(error);
    if (status == ANOLE_DONE)
        status = anole_program_cache_create(&new->cache, program, driver, error);
    if (status == ANOLE_DONE)
        status = open_device(new, driver, threads, error);
    if (status == ANOLE_DONE)
        status = build_kernels(new, driver, threads, error);
    if (status == ANOLE_DONE)
        status = make_buffers(new, error);
    if (status == ANOLE_DONE)
        status = copy_types(new, error);
    if (status == ANOLE_DONE)
        status = variant_init(&new->own, new, NULL, error);
    /* Last: what drivers needed for all of the above they may have given back by now. */
    trim_heap();
    if (status == ANOLE_DONE)
        status = write_constants(new, error);
    if (status == ANOLE_DONE)
        status = open_constants(new, error);
    if (status == ANOLE_DONE)
        status = make_host_memory(new, error);
    if (status) {
        anole_instance_destroy(new);
        return status;
    }
    anole_program_cache_destroy(new->cache);
    new->cache = NULL;
    *instance = new;
    return ANOLE_DONE;
}

void anole_instance_destroy(struct anole_instance *instance)
{
    if (!instance)
        return;
    const struct anole_program *program = instance->program;
    variant_fini(&instance->own);
    for (size_t i = 0; instance->builds && i < program->kernel_count; i++)
        if (instance->builds[i])
            instance->plugin->release(instance->session, instance->builds[i]);
    for (size_t i = 0; instance->buffers && i < program->buffer_count; i++)
        if (instance->buffers[i])
            instance->plugin->buffer_destroy(instance->session, instance->buffers[i]);
    if (instance->session) {
        pthread_mutex_lock(&opening);
        instance->plugin->close(instance->session);
        pthread_mutex_unlock(&opening);
    }
    anole_program_cache_destroy(instance->cache);
    free(instance->buffers);
    free(instance->builds);
    free(instance->types);
    for (size_t i = 0; instance->constants && i < program->graph->tensor_count; i++)
        anole_constant_close(&instance->constants[i]);
    free(instance->constants);
    free(instance->staging);
    free(instance->uses);
    free(instance->operands);
    free(instance->inputs);
    free(instance);
}

/* --------------------------------------------------------- inputs and outputs */

enum anole_status anole_instance_set_input(struct anole_instance *instance, size_t i,
                                           const void *data, struct anole_error *error)
{
    struct anole_message message = {.size = sizeof message};
    const struct anole_place *place =
        &instance->program->tensors[instance->program->graph->inputs[i]];
    if (place->buffer == ANOLE_NONE)
        return ANOLE_DONE; /* without elements, or read by nobody */
    int code = instance->plugin->buffer_write(instance->session, instance->buffers[place->buffer],
                                              place->offset, data, place->bytes, &message);
    return code == ANOLE_OK ? ANOLE_DONE
                            : fail(instance, error, code, &message, "writing an input");
}

static enum anole_status read_tensor(struct anole_instance *instance, size_t tensor, void *data,
                                     struct anole_error *error)
{
    struct anole_message message = {.size = sizeof message};
    const struct anole_program *program = instance->program;
    const struct anole_place *place = &program->tensors[tensor];
    const size_t constant = anole_program_constant_of(program->graph, tensor);
    size_t bytes = anole_program_tensor_bytes(program->graph, tensor);
    if (bytes == 0)
        return ANOLE_DONE;
    if (constant != ANOLE_NONE) {
        struct anole_constant elements;
        enum anole_status status =
            anole_graph_open_constant(&elements, program->graph, constant, error);
        if (status)
            return status;
        memcpy(data, elements.data, bytes);
        anole_constant_close(&elements);
        return ANOLE_DONE;
    }
    int code = instance->plugin->buffer_read(instance->session, instance->buffers[place->buffer],
                                             place->offset, data, bytes, &message);
    return code == ANOLE_OK ? ANOLE_DONE
                            : fail(instance, error, code, &message, "reading a tensor");
}

enum anole_status anole_instance_get_output(struct anole_instance *instance, size_t i, void *data,
                                            struct anole_error *error)
{
    return read_tensor(instance, instance->program->graph->outputs[i], data, error);
}

enum anole_status anole_instance_get_input(struct anole_instance *instance, size_t i, void *data,
                                           struct anole_error *error)
{
    const size_t tensor = instance->program->graph->inputs[i];
    if (instance->program->tensors[tensor].buffer != ANOLE_NONE)
        return read_tensor(instance, tensor, data, error);
    memset(data, 0, anole_program_tensor_bytes(instance->program->graph, tensor));
    return ANOLE_DONE;
}

enum anole_status anole_instance_map(struct anole_instance *instance, size_t tensor, void **memory,
                                     struct anole_error *error)
{
    struct anole_message message = {.size = sizeof message};
    const struct anole_place *place = &instance->program->tensors[tensor];
    *memory = NULL;
    if (!can_map(instance) || place->buffer == ANOLE_NONE)
        return ANOLE_DONE;
    int code = instance->plugin->buffer_map(instance->session, instance->buffers[place->buffer],
                                            place->offset, place->bytes, memory, &message);
    return code == ANOLE_OK ? ANOLE_DONE
                            : fail(instance, error, code, &message, "mapping a tensor");
}

enum anole_status anole_instance_unmap(struct anole_instance *instance, size_t tensor, void *memory,
                                       struct anole_error *error)
{
    struct anole_message message = {.size = sizeof message};
    const struct anole_place *place = &instance->program->tensors[tensor];
    int code = instance->plugin->buffer_unmap(instance->session, instance->buffers[place->buffer],
                                              memory, &message);
    return code == ANOLE_OK ? ANOLE_DONE
                            : fail(instance, error, code, &message, "giving a tensor back");
}

const struct anole_operand *anole_instance_output_type(const struct anole_instance *instance,
                                                       size_t i)
{
    return type_of(instance, instance->program->graph->outputs[i]);
}

/* ------------------------------------------------------- a step on the host */

/* Lists the operands of a node: inputs, outputs, residual.  Returns how many. */
static size_t list_uses(struct anole_instance *instance, const struct anole_node *node)
{
    size_t count = 0, offset = 0;
    const struct anole_graph *graph = instance->program->graph;
    const size_t all = node->input_count + node->output_count + 1;
    for (size_t i = 0; i < all; i++) {
        size_t out = i - node->input_count;
        size_t tensor = i < node->input_count      ? node->inputs[i]
                        : out < node->output_count ? node->outputs[out]
                                                   : node->residual;
        instance->uses[count++] =
            (struct operand_use){.tensor = tensor,
                                 .output = i >= node->input_count && out < node->output_count,
                                 .offset = offset};
        if (tensor == ANOLE_NONE || anole_program_constant_of(graph, tensor) != ANOLE_NONE)
            continue;
        size_t bytes = anole_program_tensor_bytes(graph, tensor);
        offset += (bytes + HOST_ALIGNMENT - 1) / HOST_ALIGNMENT * HOST_ALIGNMENT;
    }
    return count;
}

/* Makes an operand's data visible to the host. */
static enum anole_status fetch(struct anole_instance *instance, struct operand_use *use,
                               struct anole_operand *operand, struct anole_error *error)
{
    const struct anole_program *program = instance->program;
    struct anole_message message = {.size = sizeof message};
    static char nothing[HOST_ALIGNMENT];
    *operand = (struct anole_operand){.dtype = 0};
    if (use->tensor == ANOLE_NONE)
        return ANOLE_DONE;
    *operand = *type_of(instance, use->tensor);
    const struct anole_place *place = &program->tensors[use->tensor];
    const size_t constant = anole_program_constant_of(program->graph, use->tensor);
    if (constant != ANOLE_NONE) {
        operand->data = (void *)instance->constants[constant].data;
        return ANOLE_DONE;
    }
    operand->data = nothing; /* of a tensor without elements */
    if (place->buffer == ANOLE_NONE)
        return ANOLE_DONE;
    if (!instance->staging) {
        int code =
            instance->plugin->buffer_map(instance->session, instance->buffers[place->buffer],
                                         place->offset, place->bytes, &use->mapped, &message);
        if (code != ANOLE_OK) {
            use->mapped = NULL;
            return fail(instance, error, code, &message, "mapping a tensor");
        }
        operand->data = use->mapped;
        return ANOLE_DONE;
    }
    operand->data = instance->staging + use->offset;
    return use->output ? ANOLE_DONE : read_tensor(instance, use->tensor, operand->data, error);
}

/* And what it has written to the device. */
static enum anole_status give_back(struct anole_instance *instance, struct operand_use *use,
                                   const struct anole_operand *operand, bool written,
                                   struct anole_error *error)
{
    struct anole_message message = {.size = sizeof message};
    if (use->tensor == ANOLE_NONE)
        return ANOLE_DONE;
    const struct anole_place *place = &instance->program->tensors[use->tensor];
    int code = ANOLE_OK;
    if (use->mapped)
        code = instance->plugin->buffer_unmap(instance->session, instance->buffers[place->buffer],
                                              use->mapped, &message);
    else if (written && use->output && instance->staging && place->buffer != ANOLE_NONE)
        code = instance->plugin->buffer_write(instance->session, instance->buffers[place->buffer],
                                              place->offset, operand->data, place->bytes, &message);
    use->mapped = NULL;
    return code == ANOLE_OK ? ANOLE_DONE
                            : fail(instance, error, code, &message, "writing a tensor back");
}

/* The types of a node's outputs, of inputs that are smaller than what was planned for.  Nothing
 * becomes larger than its place. */
static enum anole_status infer(struct anole_call *call, const struct anole_graph *graph,
                               const struct anole_node *node, struct anole_error *error)
{
    struct anole_operand types[ANOLE_MAX_OPERANDS] = {{.dtype = 0}};
    struct anole_operand *outputs = call->outputs;
    call->outputs = types;
    enum anole_status status = node->op->infer(call, error);
    call->outputs = outputs;
    for (size_t i = 0; i < node->output_count && status == ANOLE_DONE; i++) {
        if (node->outputs[i] == ANOLE_NONE)
            continue;
        const struct anole_operand *most = &graph->tensors[node->outputs[i]].type;
        if (types[i].dtype != most->dtype ||
            anole_operand_elements(&types[i]) > anole_operand_elements(most))
            return anole_fail(error, ANOLE_ERR_INPUT,
                              "what it makes is larger than what was planned for");
        types[i].data = outputs[i].data;
        outputs[i] = types[i];
    }
    return status;
}

static enum anole_status compute(struct anole_instance *instance, const struct anole_step *step,
                                 struct anole_error *error)
{
    const struct anole_graph *graph = instance->program->graph;
    const struct anole_node *node = &graph->nodes[step->node];
    struct anole_operand *outputs = instance->operands + node->input_count;
    for (size_t i = 0; i < node->input_count; i++)
        instance->inputs[i] = node->inputs[i] == ANOLE_NONE ? NULL : &instance->operands[i];
    struct anole_call call = {.op = node->op,
                              .attributes = node->attributes,
                              .inputs = instance->inputs,
                              .input_count = (uint32_t)node->input_count,
                              .outputs = outputs,
                              .output_count = (uint32_t)node->output_count};
    struct anole_error why = {.status = ANOLE_DONE};
    enum anole_status status = ANOLE_DONE;
    if (!node->op->compute)
        return anole_graph_fail(graph, node, error,
                                "neither the backend nor the host can compute it%s%s",
                                step->problem ? ": " : "", step->problem ? step->problem : "");
    if (step->data_sized)
        status = infer(&call, graph, node, &why);
    if (status == ANOLE_DONE)
        status = node->op->compute(&call, &why);
    if (status == ANOLE_DONE && anole_epilogue_wanted(node))
        status = anole_epilogue_compute(
            node, node->residual == ANOLE_NONE ? NULL : &outputs[node->output_count], &outputs[0],
            &why);
    for (size_t i = 0; i < node->output_count && status == ANOLE_DONE && step->data_sized; i++)
        if (node->outputs[i] != ANOLE_NONE)
            memcpy(instance->types[node->outputs[i]].dims, outputs[i].dims, sizeof outputs[i].dims);
    if (status == ANOLE_ERR_MEMORY)
        return anole_fail_memory(error);
    return status ? anole_graph_fail(graph, node, error, "%s", why.text) : ANOLE_DONE;
}

static enum anole_status run_on_host(struct anole_instance *instance, size_t step,
                                     struct anole_error *error)
{
    const struct anole_step *done = &instance->program->steps[step];
    const struct anole_node *node = &instance->program->graph->nodes[done->node];
    size_t count = list_uses(instance, node), fetched = 0;
    enum anole_status status = ANOLE_DONE;
    while (fetched < count && status == ANOLE_DONE) {
        status = fetch(instance, &instance->uses[fetched], &instance->operands[fetched], error);
        if (status == ANOLE_DONE)
            fetched++;
    }
    if (status == ANOLE_DONE)
        status = compute(instance, done, error);
    bool written = status == ANOLE_DONE;
    for (size_t i = 0; i < fetched; i++) {
        enum anole_status given = give_back(instance, &instance->uses[i], &instance->operands[i],
                                            written, status ? NULL : error);
        if (status == ANOLE_DONE)
            status = given;
    }
    return status;
}

/* ---------------------------------------------------------------------- run */

static enum anole_status run_steps(const struct anole_variant *variant, const struct part *part,
                                   double *step_seconds, struct anole_error *error)
{
    struct anole_instance *instance = variant->instance;
    struct anole_message message = {.size = sizeof message};
    for (size_t s = part->first; s < part->first + part->count; s++) {
        const struct anole_step *step = &instance->program->steps[s];
        double host = -1, device = -1;
        int code = instance->plugin->run(instance->session, instance->builds[variant->kernels[s]],
                                         &variant->bindings[variant->first_binding[s]],
                                         (uint32_t)step->place_count, 1, &device, &host, &message);
        if (code != ANOLE_OK)
            return fail_step(instance, error, code, &message, "running its kernel", s);
        if (step_seconds)
            step_seconds[s] = device >= 0 ? device : host >= 0 ? host : NAN;
    }
    return ANOLE_DONE;
}

static enum anole_status run_part(const struct anole_variant *variant, const struct part *part,
                                  double *step_seconds, struct anole_error *error)
{
    struct anole_instance *instance = variant->instance;
    struct anole_message message = {.size = sizeof message};
    double seconds, start = anole_clock();
    enum anole_status status;
    if (part->on_host) {
        status = run_on_host(instance, part->first, error);
        if (step_seconds)
            step_seconds[part->first] = anole_clock() - start;
        return status;
    }
    if (!part->sequence)
        return run_steps(variant, part, step_seconds, error);
    int code = instance->plugin->sequence_run(instance->session, part->sequence,
                                              step_seconds ? step_seconds + part->first : NULL,
                                              &seconds, &message);
    for (size_t i = part->first; step_seconds && i < part->first + part->count; i++)
        if (!(step_seconds[i] >= 0))
            step_seconds[i] = NAN;
    return code == ANOLE_OK ? ANOLE_DONE
                            : fail(instance, error, code, &message, "running the network");
}

enum anole_status anole_variant_run(struct anole_instance *instance,
                                    const struct anole_variant *variant, double *step_seconds,
                                    double *seconds, struct anole_error *error)
{
    double start = anole_clock();
    enum anole_status status = ANOLE_DONE;
    if (!variant)
        variant = &instance->own;
    for (size_t i = 0; i < variant->part_count && status == ANOLE_DONE; i++)
        status = run_part(variant, &variant->parts[i], step_seconds, error);
    if (status == ANOLE_DONE && seconds)
        *seconds = anole_clock() - start;
    return status;
}

enum anole_status anole_instance_run(struct anole_instance *instance, double *step_seconds,
                                     double *seconds, struct anole_error *error)
{
    return anole_variant_run(instance, NULL, step_seconds, seconds, error);
}

const struct anole_start *anole_instance_start(const struct anole_instance *instance)
{
    return &instance->start;
}

size_t anole_instance_device_bytes(const struct anole_instance *instance)
{
    size_t bytes = 0;
    for (size_t i = 0; i < instance->program->buffer_count; i++)
        bytes += instance->program->buffer_bytes[i];
    return bytes;
}

size_t anole_instance_host_bytes(const struct anole_instance *instance)
{
    return instance->staging_bytes + instance->constant_bytes;
}

size_t anole_instance_submissions(const struct anole_instance *instance)
{
    size_t count = 0;
    for (size_t i = 0; i < instance->own.part_count; i++)
        if (!instance->own.parts[i].on_host)
            count += instance->own.parts[i].sequence ? 1 : instance->own.parts[i].count;
    return count;
}
