/* SPDX-License-Identifier: MIT
 *
 * Lock files, as anole.h shows them.
 */
#include "api/api.h"

#include "op/task.h"
#include "program/tuned.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum anole_status anole_locked_result_init(struct anole_locked_result *result,
                                           const struct anole_lock_task *task,
                                           struct anole_error *error)
{
    struct anole_task parsed;
    *result = (struct anole_locked_result){0};
    struct anole_result_info *info = &result->info;
    info->key = info->label = task->task;
    if (anole_task_parse_key(&parsed, task->task, NULL) == ANOLE_DONE) {
        info->label = anole_task_label(result->label, sizeof result->label, &parsed);
        info->flops = anole_task_flops(&parsed);
    }
    result->knobs = calloc(task->knob_count + 1, sizeof *result->knobs);
    result->labels = anole_locked_labels(task);
    if (!result->knobs || !result->labels) {
        anole_locked_result_fini(result);
        *result = (struct anole_locked_result){.knobs = NULL};
        return anole_fail_memory(error);
    }
    for (size_t i = 0; i < task->knob_count; i++)
        result->knobs[i] =
            (struct anole_knob_value){.name = task->knobs[i].name, .value = task->knobs[i].value};
    info->layer = info->problem = "";
    info->multiplicity = task->multiplicity;
    info->found = true;
    info->tie = task->tie;
    info->knobs = result->knobs;
    info->knob_count = task->knob_count;
    info->knob_labels = result->labels;
    info->seconds = task->value;
    info->low = task->low;
    info->high = task->high;
    info->default_seconds = task->default_value;
    info->speedup = task->speedup;
    info->speedup_low = task->speedup_low;
    info->speedup_high = task->speedup_high;
    info->timing = anole_warmth_text(task->warmth);
    info->clock = anole_timer_text(task->timer);
    info->crowding = task->crowding;
    info->disturbed = task->disturbed;
    info->source_hash = task->source_hash;
    info->trials = task->trials;
    anole_result_in_place(info, task);
    anole_result_slowdown(info, task);
    return ANOLE_DONE;
}

static double known(double seconds)
{
    return seconds > 0 ? seconds : NAN;
}

void anole_result_in_place(struct anole_result_info *result, const struct anole_lock_task *task)
{
    result->in_place_seconds = known(task->in_place);
    result->alone_seconds = known(task->alone_value);
    result->alone_in_place_seconds = known(task->alone_in_place);
    result->in_place_disturbed = task->in_place_disturbed;
}

void anole_result_slowdown(struct anole_result_info *result, const struct anole_lock_task *task)
{
    result->slowdown = known(task->slowdown);
    result->slowdown_low = known(task->slowdown_low);
    result->slowdown_high = known(task->slowdown_high);
}

void anole_locked_result_fini(struct anole_locked_result *result)
{
    free(result->knobs);
    free(result->labels);
}

const char **anole_locked_labels(const struct anole_lock_task *task)
{
    const char **labels = calloc(task->knob_count + 1, sizeof *labels);
    for (size_t i = 0; labels && i < task->knob_count; i++)
        labels[i] = task->knobs[i].label;
    return labels;
}

/* ------------------------------------------------------------------ making */

static enum anole_status fill_entry(struct anole_tuned_entry *entry,
                                    const struct anole_lock_device *device,
                                    struct anole_error *error)
{
    entry->info = (struct anole_tuned_device){
        .id = device->id,
        .backend = device->backend,
        .backend_version = device->backend_version,
        .device = device->device,
        .driver = device->driver,
        .driver_version = device->driver_version,
        .generator = device->generator,
        .threads = device->threads,
        .precision = anole_precision_text(device->dtype),
        .simulated = device->simulated,
        .sizes = anole_lock_sizes_text(entry->sizes, sizeof entry->sizes, device),
        .batch = device->batch,
        .shapes = (const char *const *)device->shapes,
        .shape_count = device->shape_count,
        .most_kernels = device->most_kernels,
    };
    anole_whole_read(&entry->whole, device);
    entry->tasks = calloc(device->task_count + 1, sizeof *entry->tasks);
    if (!entry->tasks)
        return anole_fail_memory(error);
    enum anole_status status = ANOLE_DONE;
    for (size_t i = 0; status == ANOLE_DONE && i < device->task_count; i++) {
        entry->info.task_count = i + 1;
        status = anole_locked_result_init(&entry->tasks[i], &device->tasks[i], error);
    }
    return status;
}

static enum anole_status load(struct anole_tuned *tuned, const char *path,
                              struct anole_error *error)
{
    tuned->path = strdup(path);
    if (!tuned->path)
        return anole_fail_memory(error);
    enum anole_status status = anole_lockfolder_load(&tuned->lockfile, path, error);
    if (status != ANOLE_DONE)
        return status;
    size_t count = tuned->lockfile->device_count;
    tuned->entries = calloc(count + 1, sizeof *tuned->entries);
    if (!tuned->entries)
        return anole_fail_memory(error);
    for (size_t i = 0; status == ANOLE_DONE && i < count; i++)
        status = fill_entry(&tuned->entries[i], &tuned->lockfile->devices[i], error);
    return status;
}

enum anole_status anole_tuned_load(struct anole_tuned **tuned, struct anole_context *context,
                                   const char *path, struct anole_error *error)
{
    struct anole_tuned *new = calloc(1, sizeof *new);
    if (!new)
        return anole_fail_memory(error);
    new->context = context;
    struct anole_scope scope;
    anole_scope_enter(&scope, context);
    enum anole_status status = load(new, path, error);
    anole_scope_leave(&scope);
    if (status != ANOLE_DONE) {
        anole_tuned_destroy(new);
        return status;
    }
    *tuned = new;
    return ANOLE_DONE;
}

void anole_tuned_destroy(struct anole_tuned *tuned)
{
    if (!tuned)
        return;
    for (size_t d = 0; tuned->entries && d < tuned->lockfile->device_count; d++) {
        for (size_t i = 0; i < tuned->entries[d].info.task_count; i++)
            anole_locked_result_fini(&tuned->entries[d].tasks[i]);
        free(tuned->entries[d].tasks);
    }
    free(tuned->entries);
    anole_lockfile_destroy(tuned->lockfile);
    free(tuned->path);
    free(tuned);
}

/* ----------------------------------------------------------------- getters */

const char *anole_tuned_network(const struct anole_tuned *tuned)
{
    return tuned->lockfile->network;
}

size_t anole_tuned_device_count(const struct anole_tuned *tuned)
{
    return tuned->lockfile->device_count;
}

const struct anole_tuned_device *anole_tuned_device(const struct anole_tuned *tuned, size_t index)
{
    return index < tuned->lockfile->device_count ? &tuned->entries[index].info : NULL;
}

const struct anole_in_place *anole_tuned_in_place(const struct anole_tuned *tuned, size_t device)
{
    return device < tuned->lockfile->device_count ? &tuned->entries[device].whole.info : NULL;
}

const struct anole_result_info *anole_tuned_get(const struct anole_tuned *tuned, size_t device,
                                                size_t index)
{
    if (device >= tuned->lockfile->device_count || index >= tuned->entries[device].info.task_count)
        return NULL;
    return &tuned->entries[device].tasks[index].info;
}

enum anole_status anole_tuned_set_kernel(struct anole_tuned *tuned, const char *path,
                                         struct anole_error *error)
{
    return anole_lockfile_set_path(tuned->lockfile, path, error);
}

/* -------------------------------------------------------------- looking up */

static enum anole_match match_of(const struct anole_lock_device *locked,
                                 const struct anole_listed_device *device)
{
    const struct anole_device *described = &device->entry->device;
    const struct anole_registry_entry *backend =
        &device->devices->registry->entries[device->entry->backend];
    if (strcmp(locked->backend, backend->name) != 0 || strcmp(locked->device, described->name) != 0)
        return ANOLE_MATCH_NONE;
    if (locked->generator != backend->generator_version)
        return ANOLE_MATCH_DEVICE;
    if (strcmp(locked->driver, described->driver) != 0 ||
        strcmp(locked->driver_version, described->driver_version) != 0 ||
        locked->threads != device->devices->threads)
        return ANOLE_MATCH_GENERATOR;
    return ANOLE_MATCH_EXACT;
}

void anole_tuned_find(const struct anole_result_info **result, enum anole_match *match,
                      const struct anole_tuned *tuned, const struct anole_device_info *device,
                      const char *key)
{
    const struct anole_result_info *best = NULL;
    enum anole_match level = ANOLE_MATCH_NONE;
    for (size_t d = 0; d < tuned->lockfile->device_count; d++) {
        const struct anole_tuned_entry *entry = &tuned->entries[d];
        enum anole_match own = match_of(&tuned->lockfile->devices[d], anole_listed_device(device));
        for (size_t i = 0; own > level && i < entry->info.task_count; i++) {
            if (strcmp(entry->tasks[i].info.key, key) == 0) {
                best = &entry->tasks[i].info;
                level = own;
            }
        }
    }
    *result = best;
    *match = level;
}
