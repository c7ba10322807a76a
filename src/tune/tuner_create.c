/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "tune/tuner_private.h"

#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

/* Seconds that a device is waited for at most, whatever the budget. */
#define LOST_LIMIT 60.0

/* How many "all" are, so that what one machine or mask of cores measured is not another's. */
static uint32_t count_threads(const struct anole_device *device, uint32_t wanted)
{
    cpu_set_t allowed;
    if (wanted > 0 || !(device->flags & ANOLE_DEVICE_SHARES_HOST) ||
        device->flags & ANOLE_DEVICE_SIMULATED)
        return wanted;
    uint32_t units = device->compute_units;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return units; /* more processors than the set has room for */
    uint32_t cores = (uint32_t)CPU_COUNT(&allowed);
    return units > 0 && units < cores ? units : cores;
}

struct anole_history_key anole_tuner_key(const struct anole_registry *registry,
                                         const struct anole_registry_device *device,
                                         const char *task, uint32_t threads)
{
    const struct anole_registry_entry *entry = &registry->entries[device->backend];
    return (struct anole_history_key){
        .task = task,
        .backend = entry->name,
        .backend_version = entry->version,
        .generator = entry->generator_version,
        .device = device->device.name,
        .driver = device->device.driver,
        .driver_version = device->device.driver_version,
        .threads = count_threads(&device->device, threads),
    };
}

/* Whether a device of this description has a clock. */
static bool has_timer(const struct anole_device *device, enum anole_timer timer)
{
    if (device->flags & (ANOLE_DEVICE_SIMULATED | ANOLE_DEVICE_OWN_CLOCK))
        return timer ==
               (device->flags & ANOLE_DEVICE_SIMULATED ? ANOLE_TIMER_UNSAID : ANOLE_TIMER_OWN);
    if (timer == ANOLE_TIMER_PROFILING)
        return device->flags & ANOLE_DEVICE_EVENT_TIMER &&
               !(device->flags & ANOLE_DEVICE_SHARES_HOST);
    return timer != ANOLE_TIMER_OWN;
}

/* The clock by which earlier trials were timed: the last one that said so, and that the device has
 * still got. */
static enum anole_timer find_timer(const struct anole_device *device,
                                   const struct anole_trials *earlier)
{
    for (size_t i = anole_trials_count(earlier); i-- > 0;) {
        const struct anole_result *result = &anole_trials_get(earlier, i)->result;
        if (result->outcome == ANOLE_OUTCOME_OK && result->timer != ANOLE_TIMER_UNSAID &&
            has_timer(device, result->timer))
            return result->timer;
    }
    return ANOLE_TIMER_UNSAID;
}

/* Whether an earlier trial may be held against those that are to come. */
static bool is_comparable(const struct anole_tuner *tuner, const struct anole_tuner_job *job,
                          const struct anole_result *result)
{
    return result->outcome != ANOLE_OUTCOME_OK ||
           (has_timer(&tuner->device->device, result->timer) &&
            anole_timer_alike(result->timer, job->timer));
}

/* Takes up what earlier runs measured. */
static enum anole_status resume(struct anole_tuner *tuner, size_t task, struct anole_error *error)
{
    struct anole_tuner_job *job = &tuner->jobs[task];
    const struct anole_space *space = anole_generator_space(job->generator);
    struct anole_trials *earlier = NULL;
    enum anole_status status = anole_trials_create(&earlier, error);
    if (status != ANOLE_DONE)
        return status;
    status = anole_history_collect(tuner->history, &job->key, space, earlier, NULL, NULL, error);
    size_t count = anole_trials_count(earlier), left_out = 0;
    job->timer = find_timer(&tuner->device->device, earlier);
    for (size_t i = 0; status == ANOLE_DONE && i < count; i++) {
        const struct anole_trial *trial = anole_trials_get(earlier, i);
        if (!is_comparable(tuner, job, &trial->result)) {
            left_out++;
            continue;
        }
        status = anole_trials_add(job->trials, trial->config, &trial->result, error);
        if (status == ANOLE_DONE)
            anole_tuner_note_result(tuner, task, trial->config, &trial->result);
    }
    anole_trials_destroy(earlier);
    if (left_out > 0)
        anole_log_warning("%s: %zu earlier trials of %s were timed by another clock than it is "
                          "timed by now: left out",
                          tuner->options.history_path, left_out, tuner->tasks[task].label);
    count -= left_out;
    tuner->tasks[task].resumed = count;
    job->started = anole_trials_visited(job->trials, anole_space_default(space));
    if (status == ANOLE_DONE && count > 0)
        anole_schedule_update(tuner->schedule, task, count, job->best_cost);
    return status;
}

static enum anole_status start_job(struct anole_tuner *tuner, size_t task,
                                   const struct anole_workload_task *source,
                                   struct anole_error *error)
{
    struct anole_tuner_job *job = &tuner->jobs[task];
    struct anole_tuner_task *line = &tuner->tasks[task];
    const struct anole_backend *backend = tuner->registry->entries[tuner->device->backend].backend;
    line->source = source;
    line->flops = anole_task_flops(&source->task);
    line->default_value = line->best_value = job->best_cost = NAN;
    anole_task_key(line->key, &source->task);
    anole_task_label(line->label, sizeof line->label, &source->task);
    job->key = anole_tuner_key(tuner->registry, tuner->device, line->key, tuner->options.threads);
    job->key.warmth = anole_cold_decide(&backend->plugin, &tuner->device->device, &source->task,
                                        tuner->constants);

    enum anole_status status = anole_trials_create(&job->trials, error);
    if (status != ANOLE_DONE)
        return status;
    anole_schedule_set(tuner->schedule, task, source->multiplicity, line->flops);
    return resume(tuner, task, error);
}

static enum anole_status fail_unsupported(const struct anole_tuner *tuner,
                                          const struct anole_backend *backend,
                                          struct anole_error *error)
{
    const struct anole_workload *network = tuner->network;
    if (network->dtype != ANOLE_F32)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "%s: backend '%s' supports none of its %zu tasks in %s on %s; try "
                          "another --device, or --precision fp32",
                          network->path, backend->plugin.name, network->task_count,
                          anole_precision_text(network->dtype), tuner->device->id);
    return anole_fail(error, ANOLE_ERR_INPUT,
                      "%s: backend '%s' supports none of its %zu tasks; try another --device",
                      network->path, backend->plugin.name, network->task_count);
}

/* The layers of a task under what the backend does of it, which is said if `aloud`. */
static enum anole_status serve(struct anole_workload *served, const struct anole_tuner *tuner,
                               const struct anole_workload_task *source, bool aloud,
                               struct anole_error *error)
{
    const struct anole_backend *backend = tuner->registry->entries[tuner->device->backend].backend;
    struct anole_task task;
    char label[64];
    enum anole_status status = ANOLE_DONE;
    anole_task_label(label, sizeof label, &source->task);
    if (!anole_backend_serves(&task, backend, &tuner->device->device, &source->task)) {
        if (aloud)
            anole_log_warning("%s: backend '%s' has no kernel for %s: left out",
                              tuner->network->path, backend->plugin.name, label);
        return ANOLE_DONE;
    }
    if (aloud && memcmp(&task, &source->task, sizeof task) != 0)
        anole_log_info("%s: backend '%s' has no kernel for %s: tuned without what follows the "
                       "layer, which a kernel of its own does",
                       tuner->network->path, backend->plugin.name, label);
    for (uint32_t i = 0; i < source->multiplicity && status == ANOLE_DONE; i++)
        status = anole_workload_add(served, NULL, &task, source->layers[i], error);
    return status;
}

/* Of each size, likewise: how many of its layers have a task. */
static enum anole_status serve_parts(struct anole_tuner *tuner, struct anole_error *error)
{
    const struct anole_workload *network = tuner->network;
    struct anole_workload *served = tuner->served;
    served->parts = calloc(network->part_count + 1, sizeof *served->parts);
    if (!served->parts)
        return anole_fail_memory(error);
    enum anole_status status = ANOLE_DONE;
    for (size_t p = 0; p < network->part_count && status == ANOLE_DONE; p++) {
        const struct anole_workload *part = network->parts[p];
        status = anole_workload_create(&served->parts[p], part->name, part->path, error);
        if (status != ANOLE_DONE)
            break;
        served->part_count = p + 1;
        for (size_t i = 0; i < part->task_count && status == ANOLE_DONE; i++)
            status = serve(served->parts[p], tuner, &part->tasks[i], false, error);
    }
    return status;
}

/* The design space of the next job's task.  *made false: there is none, `why`, which is said, and
 * the task is left out, as if the backend did not support it. */
static enum anole_status make_space(struct anole_tuner *tuner, bool *made,
                                    const struct anole_workload_task *source,
                                    struct anole_error *why)
{
    const struct anole_backend *backend = tuner->registry->entries[tuner->device->backend].backend;
    struct anole_tuner_job *job = &tuner->jobs[tuner->view.task_count];
    char label[64], words[512];
    enum anole_status status = anole_generator_create(&job->generator, backend,
                                                      &tuner->device->device, &source->task, why);
    *made = status == ANOLE_DONE;
    const bool none = status == ANOLE_ERR_PLUGIN || status == ANOLE_ERR_INPUT ||
                      status == ANOLE_ERR_NOTHING_VALID;
    if (!none || tuner->served->task_count == 1)
        return status;
    job->generator = NULL;
    anole_log_warning("%s: %s is left out, as it has no design space: %s", tuner->network->path,
                      anole_task_label(label, sizeof label, &source->task),
                      anole_text_printable(words, sizeof words, why->text));
    return ANOLE_DONE;
}

/* Makes a job of each task that the backend does. */
static enum anole_status start_jobs(struct anole_tuner *tuner, struct anole_error *error)
{
    const struct anole_workload *network = tuner->network;
    const struct anole_backend *backend = tuner->registry->entries[tuner->device->backend].backend;
    enum anole_status status =
        anole_workload_create(&tuner->served, network->name, network->path, error);
    for (size_t i = 0; i < network->task_count && status == ANOLE_DONE; i++)
        status = serve(tuner->served, tuner, &network->tasks[i], true, error);
    if (status == ANOLE_DONE)
        status = serve_parts(tuner, error);
    if (status == ANOLE_DONE && tuner->served->task_count == 0)
        return fail_unsupported(tuner, backend, error);
    for (size_t i = 0; status == ANOLE_DONE && i < tuner->served->task_count; i++) {
        bool made;
        struct anole_error why = {.status = ANOLE_DONE};
        status = make_space(tuner, &made, &tuner->served->tasks[i], &why);
        const bool last = i + 1 == tuner->served->task_count;
        if (status != ANOLE_DONE || (!made && last && tuner->view.task_count == 0)) {
            *error = why; /* nothing is left */
            return why.status;
        }
        if (!made)
            continue;
        status = start_job(tuner, tuner->view.task_count, &tuner->served->tasks[i], error);
        tuner->view.task_count++; /* also on failure: destroy sees what it made */
    }
    return status;
}

enum anole_status anole_tuner_create(struct anole_tuner **tuner,
                                     const struct anole_workload *network,
                                     const struct anole_registry *registry,
                                     const struct anole_registry_device *device,
                                     const struct anole_tuner_options *options,
                                     struct anole_error *error)
{
    struct anole_tuner *new = calloc(1, sizeof *new);
    if (!new)
        return anole_fail_memory(error);
    new->network = network;
    new->registry = registry;
    new->device = device;
    new->options = *options;
    new->start = anole_clock();
    new->view.phase = "starting";
    new->view.time_limit = options->time_limit;
    new->view.trial_limit = options->trial_limit;
    new->jobs = calloc(network->task_count, sizeof *new->jobs);
    new->tasks = calloc(network->task_count, sizeof *new->tasks);
    new->view.tasks = new->tasks;
    enum anole_status status;
    if (!new->jobs || !new->tasks) {
        status = anole_fail_memory(error);
        goto fail;
    }
    status = anole_history_open(&new->history, options->history_path, ANOLE_HISTORY_APPEND, error);
    if (status != ANOLE_DONE)
        goto fail;
    new->constants = anole_warmth_constants(network, registry, device, options->timing);
    struct anole_measure_options measure = {
        .constants = new->constants,
        .threads = options->threads,
        .seed = options->seed,
        .build_limit = options->build_limit,
        .run_limit = options->run_limit,
        .lost_limit = fmin(options->time_limit, LOST_LIMIT),
        .stop = anole_tuner_poll_stop,
        .stop_context = new,
        .control = true,
        .announce = anole_tuner_announce,
        .announce_context = new,
    };
    status = anole_measure_create(&new->measure, registry, device, &measure, error);
    if (status == ANOLE_DONE)
        status = anole_schedule_create(&new->schedule, network->task_count, error);
    if (status == ANOLE_DONE)
        status = start_jobs(new, error);
    if (status == ANOLE_DONE)
        status = anole_tuner_load_transfer(new, error);
    if (status != ANOLE_DONE)
        goto fail;
    /* Tasks that were left out never get a turn. */
    for (size_t i = new->view.task_count; i < network->task_count; i++)
        anole_schedule_exhaust(new->schedule, i);
    *tuner = new;
    return ANOLE_DONE;
fail:
    anole_tuner_destroy(new);
    return status;
}

void anole_tuner_destroy(struct anole_tuner *tuner)
{
    if (!tuner)
        return;
    /* First, for it polls anole_tuner_anole_tuner_poll_stop(), which looks at all the rest. */
    anole_measure_destroy(tuner->measure);
    for (size_t i = 0; i < tuner->view.task_count; i++) {
        anole_search_destroy(tuner->jobs[i].search);
        anole_trials_destroy(tuner->jobs[i].trials);
        anole_generator_destroy(tuner->jobs[i].generator);
    }
    anole_transfer_destroy(tuner->transfer);
    anole_schedule_destroy(tuner->schedule);
    anole_workload_destroy(tuner->served);
    anole_history_close(tuner->history);
    free(tuner->jobs);
    free(tuner->tasks);
    free(tuner);
}
