/* SPDX-License-Identifier: MIT
 *
 * Adopting: what other machines found is measured and checked here, and only then is this
 * machine's.
 */
#include "api/recheck.h"

#include "base/file.h"
#include "base/log.h"
#include "op/task.h"
#include "record/lockfolder.h"
#include "tune/tuner.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_TASKS 4096
#define MOST_TRIES 3 /* entries of one task */

struct adoption {
    const struct anole_tuned *tuned;
    const struct anole_listed_device *device;
    uint32_t dtype;
    struct anole_history_key here;
    struct anole_measure *measure;
    struct anole_recheck *checks;
    struct anole_lock_similar *sources; /* of each check, its entry */
    const char **keys;                  /* of the tasks, each once */
    size_t count;
};

/* ------------------------------------------------------------------- choosing */

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_of_use(const struct adoption *adoption, const struct anole_lock_device *device)
{
    return anole_lock_same_text(device->backend, adoption->here.backend) &&
           device->metric == ANOLE_METRIC_SECONDS && !device->simulated && device->task_count > 0 &&
           (!adoption->dtype || device->dtype == adoption->dtype);
}

/* The precision is that of the first entry, where none is wanted. */
static size_t count_entries(struct adoption *adoption)
{
    const struct anole_lockfile *lockfile = adoption->tuned->lockfile;
    size_t entries = 0;
    for (size_t d = 0; d < lockfile->device_count; d++) {
        if (!is_of_use(adoption, &lockfile->devices[d]))
            continue;
        adoption->dtype = lockfile->devices[d].dtype;
        entries += lockfile->devices[d].task_count;
    }
    return entries;
}

static enum anole_status list_keys(struct adoption *adoption, struct anole_error *error)
{
    const struct anole_lockfile *lockfile = adoption->tuned->lockfile;
    const size_t entries = count_entries(adoption);
    size_t listed = 0, kept = 0;
    if (!entries)
        return anole_fail(error, ANOLE_ERR_NO_DEVICE,
                          "%s: expected what was tuned with backend '%s'%s%s, on any device; found "
                          "nothing of it",
                          adoption->tuned->path, adoption->here.backend,
                          adoption->dtype ? " in " : "",
                          adoption->dtype ? anole_precision_text(adoption->dtype) : "");
    adoption->keys = calloc(entries, sizeof *adoption->keys);
    if (!adoption->keys)
        return anole_fail_memory(error);
    for (size_t d = 0; d < lockfile->device_count; d++)
        for (size_t t = 0;
             is_of_use(adoption, &lockfile->devices[d]) && t < lockfile->devices[d].task_count; t++)
            adoption->keys[listed++] = lockfile->devices[d].tasks[t].task;
    qsort(adoption->keys, listed, sizeof *adoption->keys, compare_keys);
    for (size_t i = 0; i < listed; i++)
        if (!kept || strcmp(adoption->keys[kept - 1], adoption->keys[i]) != 0)
            adoption->keys[kept++] = adoption->keys[i];
    adoption->count = kept;
    return kept <= MOST_TASKS
               ? ANOLE_DONE
               : anole_fail(error, ANOLE_ERR_INPUT, "%s: expected at most %d tasks, found %zu",
                            adoption->tuned->path, MOST_TASKS, kept);
}

/* ------------------------------------------------------------------ measuring */

/* Right here, and no slower than the default. */
static bool can_be_adopted(const struct anole_recheck *check)
{
    return check->info.outcome == ANOLE_OUTCOME_OK && check->final.found &&
           !(check->final.speedup_high < ANOLE_RECHECK_SLOWER);
}

/* That a config means nothing here is no failure of the tool. */
static enum anole_status refuse(struct anole_recheck *check, const struct anole_lock_task *entry,
                                enum anole_status status, struct anole_error *why,
                                struct anole_error *error)
{
    if (status != ANOLE_ERR_INPUT && status != ANOLE_ERR_NOTHING_VALID &&
        status != ANOLE_ERR_PLUGIN) {
        *error = *why;
        return status;
    }
    struct anole_task task;
    check->info.label = anole_task_parse_key(&task, entry->task, NULL) == ANOLE_DONE
                            ? anole_task_label(check->label, sizeof check->label, &task)
                            : entry->task;
    check->info.outcome = check->result.outcome = ANOLE_OUTCOME_INVALID;
    snprintf(check->result.message, sizeof check->result.message, "%.250s", why->text);
    check->info.message = check->result.message;
    check->info.error = check->info.seconds = check->info.speedup = NAN;
    check->info.speedup_low = check->info.speedup_high = NAN;
    return ANOLE_DONE;
}

static enum anole_status try_entry(struct adoption *adoption, size_t at,
                                   const struct anole_lock_similar *similar,
                                   struct anole_error *error)
{
    const struct anole_lock_device *locked = &adoption->tuned->lockfile->devices[similar->device];
    const struct anole_lock_task *entry = &locked->tasks[similar->task];
    struct anole_recheck *check = &adoption->checks[at];
    struct anole_error why = {.status = ANOLE_DONE};
    anole_tuned_task_fini(&check->task);
    memset(check, 0, sizeof *check);
    adoption->sources[at] = *similar;
    anole_measure_set_constants(
        adoption->measure, entry->warmth == ANOLE_WARMTH_COLD
                               ? anole_recheck_constants(locked, &adoption->device->entry->device)
                               : 0);
    anole_measure_set_timer(adoption->measure, ANOLE_TIMER_UNSAID);
    enum anole_status status = anole_recheck_run(check, adoption->tuned, entry, adoption->device,
                                                 adoption->measure, 0, &why);
    if (status != ANOLE_DONE)
        status = refuse(check, entry, status, &why, error);
    check->info.tuned = &adoption->tuned->entries[similar->device].tasks[similar->task].info;
    check->info.differs = anole_lock_differences_text(check->differs, sizeof check->differs, locked,
                                                      similar->differences);
    return status;
}

static enum anole_status try_task(struct adoption *adoption, size_t at, struct anole_error *error)
{
    struct anole_lock_similar similar[MOST_TRIES];
    struct anole_history_key here = adoption->here;
    enum anole_status status = ANOLE_DONE;
    here.task = adoption->keys[at];
    const size_t count =
        anole_lock_similar(similar, MOST_TRIES, adoption->tuned->lockfile, &here, false);
    for (size_t i = 0; status == ANOLE_DONE && i < count; i++) {
        status = try_entry(adoption, at, &similar[i], error);
        if (status == ANOLE_DONE && can_be_adopted(&adoption->checks[at]))
            break;
    }
    return status;
}

/* -------------------------------------------------------------------- writing */

static enum anole_status lock_task(struct anole_lock_task *out, const struct adoption *adoption,
                                   size_t at, uint32_t multiplicity, struct anole_error *error)
{
    const struct anole_recheck *check = &adoption->checks[at];
    const struct anole_tuner_final *final = &check->final;
    const struct anole_lock_similar *source = &adoption->sources[at];
    const struct anole_lock_task *entry =
        &adoption->tuned->lockfile->devices[source->device].tasks[source->task];
    *out = (struct anole_lock_task){
        .task = strdup(entry->task),
        .multiplicity = multiplicity,
        .knobs = calloc(entry->knob_count + 1, sizeof *out->knobs),
        .value = final->value,
        .low = final->low,
        .high = final->high,
        .default_value = final->default_value,
        .speedup = final->speedup,
        .speedup_low = final->speedup_low,
        .speedup_high = final->speedup_high,
        .tie = final->tie,
        .source_hash = final->source_hash,
        .warmth = entry->warmth,
        .timer = final->timer,
        .crowding = final->crowding,
        .disturbed = final->disturbed,
        .adopted_from = source->differences ? strdup(check->differs) : NULL,
    };
    if (!out->task || !out->knobs || (source->differences && !out->adopted_from))
        return anole_fail_memory(error);
    for (size_t i = 0; i < entry->knob_count; i++) {
        out->knobs[i] = (struct anole_lock_knob){.name = strdup(entry->knobs[i].name),
                                                 .value = entry->knobs[i].value};
        out->knob_count = i + 1;
        if (!out->knobs[i].name)
            return anole_fail_memory(error);
    }
    return ANOLE_DONE;
}

/* How many layers have a task where the network is of this size; 0: none. */
static uint32_t count_layers(const struct adoption *adoption, const char *key,
                             const struct anole_lock_device *size)
{
    const struct anole_lockfile *lockfile = adoption->tuned->lockfile;
    for (size_t d = 0; d < lockfile->device_count; d++) {
        const struct anole_lock_device *entry = &lockfile->devices[d];
        const struct anole_lock_task *task =
            is_of_use(adoption, entry) && anole_lock_same_sizes(entry, size)
                ? anole_lock_task_find(entry, key)
                : NULL;
        if (task)
            return task->multiplicity;
    }
    return 0;
}

static enum anole_status lock_sizes(struct anole_lock_device *out,
                                    const struct anole_lock_device *size, struct anole_error *error)
{
    out->batch = size->batch;
    out->shapes = calloc(size->shape_count + 1, sizeof *out->shapes);
    if (!out->shapes)
        return anole_fail_memory(error);
    for (size_t i = 0; i < size->shape_count; i++) {
        out->shapes[i] = strdup(size->shapes[i]);
        if (!out->shapes[i])
            return anole_fail_memory(error);
        out->shape_count = i + 1;
    }
    return ANOLE_DONE;
}

/* The device's entry of the size that `size` is of, with all that was adopted of it. */
static enum anole_status lock_device(struct anole_lock_device *out, const struct adoption *adoption,
                                     const struct anole_lock_device *size,
                                     struct anole_error *error)
{
    const struct anole_history_key *here = &adoption->here;
    enum anole_status status = ANOLE_DONE;
    *out = (struct anole_lock_device){
        .id = strdup(adoption->device->info.id),
        .backend = strdup(here->backend),
        .backend_version = strdup(here->backend_version),
        .device = strdup(here->device),
        .driver = strdup(here->driver),
        .driver_version = strdup(here->driver_version),
        .generator = here->generator,
        .threads = here->threads,
        .dtype = adoption->dtype,
        .tasks = calloc(adoption->count + 1, sizeof *out->tasks),
    };
    if (!out->id || !out->backend || !out->backend_version || !out->device || !out->driver ||
        !out->driver_version || !out->tasks)
        return anole_fail_memory(error);
    status = lock_sizes(out, size, error);
    for (size_t i = 0; status == ANOLE_DONE && i < adoption->count; i++) {
        const uint32_t layers = count_layers(adoption, adoption->keys[i], size);
        if (layers > 0 && can_be_adopted(&adoption->checks[i]))
            status = lock_task(&out->tasks[out->task_count++], adoption, i, layers, error);
    }
    return status;
}

/* The lock file to write to, as it is; or a new one of the same network. */
static enum anole_status open_output(struct anole_lockfile **output,
                                     const struct adoption *adoption, const char *path,
                                     struct anole_error *error)
{
    const struct anole_lockfile *from = adoption->tuned->lockfile;
    if (access(path, F_OK) != 0)
        return anole_lockfile_open(output, path, from->network, from->network_path, error);
    struct anole_lockfile *old = NULL;
    enum anole_status status = anole_lockfile_load(&old, path, error);
    if (status == ANOLE_DONE && !anole_lock_same_text(old->network, from->network)) {
        status = anole_fail(error, ANOLE_ERR_INPUT,
                            "%s: this lock file is of the network \"%s\", what is to be adopted of "
                            "\"%s\"; name another with --output",
                            path, old->network, from->network);
        anole_lockfile_destroy(old);
    }
    if (status == ANOLE_DONE)
        *output = old;
    return status;
}

/* What the file has of this device and was not adopted now stays. */
static enum anole_status carry(struct anole_lock_device *device,
                               const struct anole_lockfile *output, struct anole_error *error)
{
    const struct anole_lock_device *old = anole_lockfile_same(output, device);
    enum anole_status status = ANOLE_DONE;
    bool carried;
    for (size_t i = 0; old && status == ANOLE_DONE && i < old->task_count; i++)
        if (!anole_lock_task_find(device, old->tasks[i].task))
            status = anole_lockfile_carry(device, &carried, output, old->tasks[i].task, error);
    return status;
}

/* Whether no entry before it is of its size. */
static bool is_first_of_size(const struct adoption *adoption, const struct anole_lock_device *size)
{
    const struct anole_lock_device *devices = adoption->tuned->lockfile->devices;
    for (const struct anole_lock_device *entry = devices; entry < size; entry++)
        if (is_of_use(adoption, entry) && anole_lock_same_sizes(entry, size))
            return false;
    return is_of_use(adoption, size);
}

static enum anole_status put_size(struct anole_lockfile *output, const struct adoption *adoption,
                                  const struct anole_lock_device *size, struct anole_error *error)
{
    struct anole_lock_device device;
    enum anole_status status = lock_device(&device, adoption, size, error);
    const bool any = device.task_count > 0;
    if (status == ANOLE_DONE && any)
        status = carry(&device, output, error);
    if (status == ANOLE_DONE && any)
        status = anole_lockfile_put(output, &device, error);
    anole_lock_device_fini(&device);
    return status;
}

static enum anole_status save(struct adoption *adoption, const char *path,
                              struct anole_error *error)
{
    const struct anole_lockfile *from = adoption->tuned->lockfile;
    struct anole_lockfile *output = NULL;
    bool any = false;
    for (size_t i = 0; i < adoption->count; i++)
        any |= can_be_adopted(&adoption->checks[i]);
    if (!any)
        return ANOLE_DONE;
    int held = anole_file_hold_folder(path);
    enum anole_status status = open_output(&output, adoption, path, error);
    for (size_t d = 0; status == ANOLE_DONE && d < from->device_count; d++)
        if (is_first_of_size(adoption, &from->devices[d]))
            status = put_size(output, adoption, &from->devices[d], error);
    if (status == ANOLE_DONE)
        status = anole_lockfile_save(output, path, error);
    for (size_t i = 0; status == ANOLE_DONE && i < adoption->count; i++)
        adoption->checks[i].info.adopted = can_be_adopted(&adoption->checks[i]);
    anole_lockfile_destroy(output);
    if (held >= 0)
        close(held);
    return status;
}

enum anole_status anole_adopt(struct anole_recheck **checks, size_t *count,
                              const struct anole_tuned *tuned,
                              const struct anole_listed_device *device, uint32_t dtype,
                              const char *path, struct anole_error *error)
{
    const struct anole_registry *registry = device->devices->registry;
    struct adoption adoption = {.tuned = tuned, .device = device, .dtype = dtype};
    const struct anole_measure_options options = {
        .threads = device->devices->threads,
        .control = true,
        .seed = 2, /* other data than tuning uses by default */
        .stop = anole_context_stopped,
        .stop_context = tuned->context,
    };
    adoption.here = anole_tuner_key(registry, device->entry, "", device->devices->threads);
    adoption.here.threads = device->devices->threads; /* as lock files have them */
    if (device->info.simulated)
        return anole_fail(error, ANOLE_ERR_NO_DEVICE,
                          "device %s is simulated: nothing can be measured and checked on it, and "
                          "so nothing adopted; choose another --device",
                          device->info.id);
    enum anole_status status = anole_file_check_replace(path, error);
    if (status == ANOLE_DONE)
        status = list_keys(&adoption, error);
    adoption.checks = calloc(adoption.count + 1, sizeof *adoption.checks);
    adoption.sources = calloc(adoption.count + 1, sizeof *adoption.sources);
    if (status == ANOLE_DONE && (!adoption.checks || !adoption.sources))
        status = anole_fail_memory(error);
    if (status == ANOLE_DONE)
        status = anole_measure_create(&adoption.measure, registry, device->entry, &options, error);
    for (size_t i = 0; status == ANOLE_DONE && i < adoption.count; i++)
        status = try_task(&adoption, i, error);
    if (status == ANOLE_DONE)
        status = save(&adoption, path, error);
    anole_measure_destroy(adoption.measure);
    free(adoption.sources);
    free(adoption.keys);
    *checks = adoption.checks;
    *count = adoption.checks ? adoption.count : 0;
    return status;
}
