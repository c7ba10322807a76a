/* SPDX-License-Identifier: MIT
 *
 * What there is to tune in a network.
 */
#include "api/api.h"

#include "frontend/load.h"
#include "frontend/network.h"
#include "frontend/t1_workload.h"
#include "plugin/generator.h"
#include "tune/tuner.h"

#include <math.h>
#include <stdlib.h>

/* Nodes of the search tree to visit before the count of a space is estimated. */
#define COUNT_BUDGET 200000

/* ------------------------------------------------------------------ making */

static void fill(struct anole_listed_task *item, const struct anole_workload_task *source)
{
    const struct anole_task *task = &source->task;
    anole_task_key(item->key, task);
    anole_task_label(item->label, sizeof item->label, task);
    item->info.key = item->key;
    item->info.label = item->label;
    item->info.kind = anole_task_kind_text(task->kind);
    item->info.flops = anole_task_flops(task);
    item->info.bytes = anole_task_bytes(task);
    item->info.valid = item->info.best_seconds = NAN;
    item->info.outcomes = item->outcomes;
    item->info.outcome_count = ANOLE_OUTCOME_COUNT;
    item->info.layers = (const char *const *)source->layers;
    item->info.multiplicity = source->multiplicity;
}

/* A network's file, with the sizes that the options give. */
static enum anole_status load_file(struct anole_workload **workload, const char *path,
                                   const struct anole_load_options *options,
                                   struct anole_error *error)
{
    const struct anole_given given = {.batch = options->batch > 0 ? options->batch : 0,
                                      .shapes = options->shapes,
                                      .shape_count = options->shape_count};
    enum anole_status status = anole_workload_load(workload, path, &given, error);
    if (status != ANOLE_DONE)
        return status;
    return anole_workload_set_sizes(*workload, options->batch > 0 ? (uint32_t)options->batch : 0,
                                    options->shapes, options->shape_count, error);
}

/* The same in several sizes. */
static enum anole_status load_sizes(struct anole_workload **workload, const char *path,
                                    const struct anole_load_options *options,
                                    struct anole_error *error)
{
    struct anole_workload *parts[ANOLE_MOST_SIZES] = {NULL};
    enum anole_status status = ANOLE_DONE;
    if (options->size_count > ANOLE_MOST_SIZES)
        return anole_fail(error, ANOLE_ERR_USAGE,
                          "%zu sizes of a network: expected at most %d to be tuned together",
                          options->size_count, ANOLE_MOST_SIZES);
    for (size_t i = 0; i < options->size_count && status == ANOLE_DONE; i++) {
        struct anole_load_options own = *options;
        own.batch = options->sizes[i].batch;
        own.shapes = options->sizes[i].shapes;
        own.shape_count = options->sizes[i].shape_count;
        status = load_file(&parts[i], path, &own, error);
    }
    if (status == ANOLE_DONE)
        return anole_workload_unite(workload, parts, options->size_count, error);
    for (size_t i = 0; i < options->size_count; i++)
        anole_workload_destroy(parts[i]);
    return status;
}

/* Text NULL: the file `path`. */
static enum anole_status read_input(struct anole_tasks *tasks, const char *path, const char *text,
                                    size_t length, const struct anole_load_options *options,
                                    struct anole_error *error)
{
    uint32_t dtype;
    enum anole_status status = anole_precision_option(&dtype, options->precision, error);
    if (status != ANOLE_DONE)
        return status;
    if (options->size_count > 0 && (text || options->format == ANOLE_FORMAT_T1))
        return anole_fail(error, ANOLE_ERR_USAGE,
                          "sizes: expected a network from a file, which leaves its sizes open");
    if (options->format == ANOLE_FORMAT_T1) {
        if (text || dtype)
            return anole_fail(error, ANOLE_ERR_USAGE,
                              "a kernel of your own is read from a file, and says of what type its "
                              "arguments are");
        status = anole_kernel_workload(&tasks->workload, &tasks->custom, path,
                                       !options->device || !options->device->simulated, error);
        if (status == ANOLE_DONE)
            tasks->workload->no_graph = "it is a kernel, and no network";
        return status;
    }
    if (options->format != ANOLE_FORMAT_NETWORK)
        return anole_fail(error, ANOLE_ERR_USAGE,
                          "format: expected one of enum anole_format, "
                          "found %d",
                          (int)options->format);
    status = text ? anole_network_parse_workload(&tasks->workload, text, length, path, error)
             : options->size_count > 1 ? load_sizes(&tasks->workload, path, options, error)
                                       : load_file(&tasks->workload, path, options, error);
    if (status != ANOLE_DONE)
        return status;
    if (text)
        tasks->workload->no_graph = "it was not read from a file";
    if (dtype && dtype != tasks->workload->dtype)
        tasks->workload->no_graph = "it was tuned in another precision than its file is of";
    if (dtype)
        anole_workload_set_precision(tasks->workload, dtype);
    return ANOLE_DONE;
}

static enum anole_status load(struct anole_tasks *tasks, const char *path, const char *text,
                              size_t length, const struct anole_load_options *given,
                              struct anole_error *error)
{
    struct anole_load_options options;
    enum anole_status status =
        anole_options_copy(&options, sizeof options, given, "struct anole_load_options", error);
    if (status == ANOLE_DONE && options.size_count == 1) {
        options.batch = options.sizes->batch;
        options.shapes = options.sizes->shapes;
        options.shape_count = options.sizes->shape_count;
    }
    if (status == ANOLE_DONE)
        status = read_input(tasks, path, text, length, &options, error);
    if (status != ANOLE_DONE)
        return status;
    tasks->items = calloc(tasks->workload->task_count, sizeof *tasks->items);
    if (!tasks->items)
        return anole_fail_memory(error);
    for (size_t i = 0; i < tasks->workload->task_count; i++)
        fill(&tasks->items[i], &tasks->workload->tasks[i]);
    return ANOLE_DONE;
}

static enum anole_status create(struct anole_tasks **tasks, struct anole_context *context,
                                const char *path, const char *text, size_t length,
                                const struct anole_load_options *options, struct anole_error *error)
{
    struct anole_tasks *new = calloc(1, sizeof *new);
    if (!new)
        return anole_fail_memory(error);
    new->context = context;
    struct anole_scope scope;
    anole_scope_enter(&scope, context);
    enum anole_status status = load(new, path, text, length, options, error);
    anole_scope_leave(&scope);
    if (status != ANOLE_DONE) {
        anole_tasks_destroy(new);
        return status;
    }
    *tasks = new;
    return ANOLE_DONE;
}

enum anole_status anole_tasks_load(struct anole_tasks **tasks, struct anole_context *context,
                                   const char *path, const struct anole_load_options *options,
                                   struct anole_error *error)
{
    return create(tasks, context, path, NULL, 0, options, error);
}

enum anole_status anole_tasks_parse(struct anole_tasks **tasks, struct anole_context *context,
                                    const char *text, size_t length, const char *name,
                                    const struct anole_load_options *options,
                                    struct anole_error *error)
{
    return create(tasks, context, name, text, length, options, error);
}

void anole_tasks_destroy(struct anole_tasks *tasks)
{
    if (!tasks)
        return;
    free(tasks->items);
    anole_workload_destroy(tasks->workload);
    anole_custom_destroy(tasks->custom);
    free(tasks);
}

/* ----------------------------------------------------------------- getters */

const char *anole_tasks_name(const struct anole_tasks *tasks)
{
    return tasks->workload->name;
}

const char *anole_tasks_precision(const struct anole_tasks *tasks)
{
    return anole_precision_text(tasks->workload->dtype);
}

size_t anole_tasks_layer_count(const struct anole_tasks *tasks)
{
    return tasks->workload->layer_count;
}

size_t anole_tasks_count(const struct anole_tasks *tasks)
{
    return tasks->workload->task_count;
}

const struct anole_task_info *anole_tasks_get(const struct anole_tasks *tasks, size_t index)
{
    return index < tasks->workload->task_count ? &tasks->items[index].info : NULL;
}

/* --------------------------------------------------------------- describing */

static enum anole_status describe(struct anole_task_info *info, const struct anole_task *task,
                                  const struct anole_listed_device *device,
                                  struct anole_error *error)
{
    const struct anole_backend *backend =
        device->devices->registry->entries[device->entry->backend].backend;
    struct anole_task served;
    info->supported = anole_backend_serves(&served, backend, &device->entry->device, task);
    info->knobs = 0;
    info->points = 0;
    info->valid = NAN;
    if (!info->supported)
        return ANOLE_DONE;
    struct anole_generator *generator = NULL;
    enum anole_status status =
        anole_generator_create(&generator, backend, &device->entry->device, &served, error);
    if (status != ANOLE_DONE)
        return status;
    const struct anole_space *space = anole_generator_space(generator);
    info->points = anole_space_size(space);
    info->knobs = anole_space_knob_count(space);
    info->valid = anole_space_count(space, COUNT_BUDGET, &info->exact);
    status = anole_generator_trouble(generator, error);
    anole_generator_destroy(generator);
    return status;
}

enum anole_status anole_tasks_describe(struct anole_tasks *tasks,
                                       const struct anole_device_info *device,
                                       struct anole_error *error)
{
    struct anole_scope scope;
    enum anole_status status = ANOLE_DONE;
    anole_scope_enter(&scope, tasks->context);
    for (size_t i = 0; status == ANOLE_DONE && i < tasks->workload->task_count; i++)
        status = describe(&tasks->items[i].info, &tasks->workload->tasks[i].task,
                          anole_listed_device(device), error);
    anole_scope_leave(&scope);
    return status;
}

static void count_trials(struct anole_listed_task *item, const struct anole_history *history,
                         const struct anole_listed_device *device)
{
    struct anole_history_count count;
    struct anole_history_key key = {.task = item->key};
    if (device)
        key = anole_tuner_key(device->devices->registry, device->entry, item->key,
                              device->devices->threads);
    anole_history_count(history, &key, &count);
    item->info.trials = count.trials;
    item->info.best_seconds = count.best;
    for (size_t i = 0; i < ANOLE_OUTCOME_COUNT; i++)
        item->outcomes[i] = count.by_outcome[i];
}

enum anole_status anole_tasks_count_trials(struct anole_tasks *tasks, const char *history_path,
                                           const struct anole_device_info *device,
                                           struct anole_error *error)
{
    struct anole_history *history = NULL;
    struct anole_scope scope;
    anole_scope_enter(&scope, tasks->context);
    enum anole_status status =
        anole_history_open(&history, history_path, ANOLE_HISTORY_READ, error);
    for (size_t i = 0; status == ANOLE_DONE && i < tasks->workload->task_count; i++)
        count_trials(&tasks->items[i], history, device ? anole_listed_device(device) : NULL);
    anole_history_close(history);
    anole_scope_leave(&scope);
    return status;
}
