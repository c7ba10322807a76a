/* SPDX-License-Identifier: MIT */
#include "tune/tuner_lock.h"

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "tune/tuner_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum anole_status copy_text(char **out, const char *text, struct anole_error *error)
{
    *out = strdup(text);
    return *out ? ANOLE_DONE : anole_fail_memory(error);
}

/* NULL: it has none. */
static const char *label_of(const struct anole_space_knob *knob, int64_t value)
{
    for (size_t i = 0; knob->labels && i < knob->count; i++)
        if (knob->values[i] == value)
            return knob->labels[i];
    return NULL;
}

static enum anole_status copy_knobs(struct anole_lock_task *out, const struct anole_space *space,
                                    uint64_t config, struct anole_error *error)
{
    int64_t values[ANOLE_MAX_KNOBS];
    size_t count = anole_space_knob_count(space);
    anole_space_values(space, config, values);
    out->knobs = calloc(count ? count : 1, sizeof *out->knobs);
    if (!out->knobs)
        return anole_fail_memory(error);
    for (size_t i = 0; i < count; i++) {
        enum anole_status status =
            copy_text(&out->knobs[i].name, anole_space_knob(space, i)->name, error);
        if (status != ANOLE_DONE)
            return status;
        out->knobs[i].value = values[i];
        out->knob_count = i + 1;
        const char *label = label_of(anole_space_knob(space, i), values[i]);
        if (label)
            status = copy_text(&out->knobs[i].label, label, error);
        if (status != ANOLE_DONE)
            return status;
    }
    return ANOLE_DONE;
}

static enum anole_status lock_task(struct anole_lock_task *out, const struct anole_tuner_task *task,
                                   const struct anole_tuner_final *final,
                                   const struct anole_space *space, enum anole_warmth warmth,
                                   struct anole_error *error)
{
    out->value = final->value;
    out->low = final->low;
    out->high = final->high;
    out->default_value = final->default_value;
    out->speedup = final->speedup;
    out->speedup_low = final->speedup_low;
    out->speedup_high = final->speedup_high;
    out->tie = final->tie;
    out->source_hash = final->source_hash;
    out->trials = (uint32_t)task->trials;
    out->warmth = warmth;
    out->timer = final->timer;
    out->crowding = final->crowding;
    out->disturbed = final->disturbed;
    out->in_place = fmax(0.0, final->in_place); /* 0 for NaN */
    out->alone_value = fmax(0.0, final->alone_value);
    out->alone_in_place = fmax(0.0, final->alone_in_place);
    out->in_place_disturbed = final->in_place_disturbed;
    out->slowdown = fmax(0.0, final->slowdown);
    out->slowdown_low = fmax(0.0, final->slowdown_low);
    out->slowdown_high = fmax(0.0, final->slowdown_high);
    enum anole_status status = copy_text(&out->task, task->key, error);
    return status == ANOLE_DONE ? copy_knobs(out, space, final->config, error) : status;
}

static enum anole_status lock_identity(struct anole_lock_device *out, const char *id,
                                       const struct anole_history_key *key,
                                       struct anole_error *error)
{
    out->generator = key->generator;
    out->metric = key->metric;
    enum anole_status status = copy_text(&out->id, id, error);
    if (status == ANOLE_DONE)
        status = copy_text(&out->backend, key->backend, error);
    if (status == ANOLE_DONE)
        status = copy_text(&out->backend_version, key->backend_version, error);
    if (status == ANOLE_DONE)
        status = copy_text(&out->device, key->device, error);
    if (status == ANOLE_DONE)
        status = copy_text(&out->driver, key->driver, error);
    if (status == ANOLE_DONE)
        status = copy_text(&out->driver_version, key->driver_version, error);
    return status;
}

static enum anole_status lock_sizes(struct anole_lock_device *out,
                                    const struct anole_workload *network, struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    out->batch = network->batch;
    out->shapes = calloc(network->shape_count + 1, sizeof *out->shapes);
    if (!out->shapes)
        return anole_fail_memory(error);
    for (size_t i = 0; i < network->shape_count && status == ANOLE_DONE; i++) {
        status = copy_text(&out->shapes[i], network->shapes[i], error);
        out->shape_count += status == ANOLE_DONE;
    }
    return status;
}

size_t anole_tuner_size_count(const struct anole_tuner *tuner)
{
    return tuner->served->part_count > 0 ? tuner->served->part_count : 1;
}

/* How many layers have a task in a size; 0: none. */
static uint32_t count_layers(const struct anole_tuner *tuner, size_t task, size_t size)
{
    const struct anole_workload_task *source = tuner->tasks[task].source;
    return size < tuner->served->part_count
               ? anole_workload_count(tuner->served->parts[size], &source->task)
               : source->multiplicity;
}

enum anole_status anole_tuner_lock(const struct anole_tuner *tuner,
                                   const struct anole_tuner_final *finals, size_t size,
                                   struct anole_lock_device *device, struct anole_error *error)
{
    struct anole_lock_device new = {0};
    enum anole_status status = lock_identity(&new, tuner->device->id, &tuner->jobs[0].key, error);
    new.threads = tuner->options.threads; /* as they were asked for: 0 stays "all" */
    new.dtype = tuner->network->dtype;
    new.most_kernels = tuner->options.most_kernels;
    new.simulated = tuner->device->device.flags &ANOLE_DEVICE_SIMULATED;
    if (status == ANOLE_DONE)
        status = lock_sizes(
            &new, size < tuner->network->part_count ? tuner->network->parts[size] : tuner->network,
            error);
    if (status == ANOLE_DONE) {
        new.tasks = calloc(tuner->view.task_count, sizeof *new.tasks);
        status = new.tasks ? ANOLE_DONE : anole_fail_memory(error);
    }
    for (size_t i = 0; status == ANOLE_DONE && i < tuner->view.task_count; i++) {
        const uint32_t layers = count_layers(tuner, i, size);
        if (!finals[i].found || layers == 0)
            continue;
        new.tasks[new.task_count].multiplicity = layers;
        status = lock_task(&new.tasks[new.task_count++], &tuner->tasks[i], &finals[i],
                           anole_generator_space(tuner->jobs[i].generator),
                           tuner->jobs[i].key.warmth, error);
    }
    if (status == ANOLE_DONE)
        *device = new;
    else
        anole_lock_device_fini(&new);
    return status;
}

/* What an earlier run found stays for tasks that this one has nothing to show for. */
static enum anole_status carry_over(struct anole_lock_device *device,
                                    const struct anole_lockfile *lockfile, const char *path,
                                    const struct anole_tuner *tuner,
                                    const struct anole_tuner_final *finals, size_t size,
                                    struct anole_error *error)
{
    for (size_t i = 0; i < tuner->view.task_count; i++) {
        bool carried = false;
        if (finals[i].found || count_layers(tuner, i, size) == 0)
            continue;
        enum anole_status status =
            anole_lockfile_carry(device, &carried, lockfile, tuner->tasks[i].key, error);
        if (status != ANOLE_DONE)
            return status;
        if (carried)
            anole_log_warning("%s: nothing new was found; %s keeps what an earlier run found",
                              tuner->tasks[i].label, path);
    }
    return ANOLE_DONE;
}

/* Another run may have written to it while this one was at work: it is read again. */
static enum anole_status merge(const struct anole_tuner *tuner,
                               const struct anole_tuner_final *finals, size_t size,
                               struct anole_lock_device *device, const char *path,
                               struct anole_error *error)
{
    struct anole_lockfile *lockfile = NULL;
    enum anole_status status =
        anole_lockfile_open(&lockfile, path, tuner->network->name, tuner->network->path, error);
    if (status != ANOLE_DONE)
        return status;
    status = carry_over(device, lockfile, path, tuner, finals, size, error);
    if (status == ANOLE_DONE)
        status = anole_lockfile_put(lockfile, device, error);
    if (status == ANOLE_DONE)
        status = anole_lockfile_save_here(lockfile, path, error);
    anole_lockfile_destroy(lockfile);
    return status;
}

enum anole_status anole_tuner_save(const struct anole_tuner *tuner,
                                   const struct anole_tuner_final *finals, size_t size,
                                   const struct anole_lock_in_place *in_place, const char *path,
                                   struct anole_error *error)
{
    struct anole_lock_device device;
    enum anole_status status = anole_tuner_lock(tuner, finals, size, &device, error);
    if (status != ANOLE_DONE)
        return status;
    if (in_place)
        device.in_place = *in_place;
    int hold = anole_file_hold_folder(path);
    status = merge(tuner, finals, size, &device, path, error);
    if (hold >= 0)
        close(hold);
    anole_lock_device_fini(&device);
    return status;
}

/* Adds the costs of the layers that both have.  *unlike: more of them were timed in another
 * way. */
static void sum_common(double *then, double *now, size_t *unlike,
                       const struct anole_lock_device *baseline,
                       const struct anole_lock_device *decided)
{
    if (decided->metric != baseline->metric)
        return;
    for (size_t i = 0; i < decided->task_count; i++) {
        const struct anole_lock_task *task = &decided->tasks[i];
        const struct anole_lock_task *entry = anole_lock_task_find(baseline, task->task);
        if (!entry)
            continue;
        if (entry->warmth != task->warmth || !anole_timer_alike(entry->timer, task->timer)) {
            (*unlike)++;
            continue;
        }
        *then += task->multiplicity * anole_metric_cost(baseline->metric, entry->value);
        *now += task->multiplicity * anole_metric_cost(decided->metric, task->value);
    }
}

enum anole_status anole_lock_device_against(double *ratio, const struct anole_lock_device *decided,
                                            const struct anole_lockfile *baseline, const char *path,
                                            struct anole_error *error)
{
    double then = 0.0, now = 0.0;
    size_t unlike = 0;
    for (size_t i = 0; i < baseline->device_count; i++)
        if (anole_lock_same_device(&baseline->devices[i], decided))
            sum_common(&then, &now, &unlike, &baseline->devices[i], decided);
    if (then == 0.0 && unlike > 0)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "%s: its %zu tasks on device '%s' were timed with other caches, hot or "
                          "cold, or by another clock than these; make another baseline with `anole "
                          "tune --output`, or say --timing",
                          path, unlike, decided->device);
    if (then == 0.0)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "%s: no task of this network on device '%s' in this baseline; make one "
                          "with `anole tune --output`",
                          path, decided->device);
    if (unlike > 0)
        anole_log_warning("%s: %zu tasks on device '%s' were timed with other caches, hot or cold, "
                          "than these, and are left out of what is held against it",
                          path, unlike, decided->device);
    *ratio = now / then;
    return ANOLE_DONE;
}
