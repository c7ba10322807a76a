/* SPDX-License-Identifier: MIT
 *
 * The workers of one device: who does what when, and where the time goes.
 */
#include "measure/measure_private.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/rng.h"
#include "base/text.h"
#include "kernel/custom.h"
#include "measure/device_lock.h"
#include "plugin/scratch.h"
#include "exec/task_file.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_BUILD_LIMIT 30.0
#define DEFAULT_RUN_LIMIT 10.0
#define DEFAULT_MEMORY ((size_t)1 << 30)
#define STORE_LIMIT ((size_t)1 << 30)
#define BUILT_LIMIT ((size_t)128 << 20)
#define POLL_TIME 0.05
#define STOOD_STILL 0.5 /* seconds between two looks from which on they do not count */
#define CLOSE_LIMIT 0.2 /* seconds for all workers to close their devices */
#define DEFAULT_LOST_LIMIT 60.0
#define SAID_FROM 4.0  /* seconds of a reference that are announced */
#define TRIM_EVERY 500 /* builds */
#define TRIM_AGE 600.0 /* seconds */

bool anole_measure_simulated(const struct anole_measure *measure)
{
    return measure->device.flags & ANOLE_DEVICE_SIMULATED;
}

/* -- Making one -- */

static double limit_or(double wanted, uint16_t declared, double usual)
{
    return wanted > 0 ? wanted : declared > 0 ? declared : usual;
}

static void set_defaults(struct anole_measure_options *options, const struct anole_device *device)
{
    options->build_limit =
        limit_or(options->build_limit, device->build_seconds, DEFAULT_BUILD_LIMIT);
    options->run_limit = limit_or(options->run_limit, device->run_seconds, DEFAULT_RUN_LIMIT);
    if (!(options->lost_limit > 0))
        options->lost_limit = DEFAULT_LOST_LIMIT;
    if (options->worker_memory == 0)
        options->worker_memory = DEFAULT_MEMORY;
    if (options->build_workers == 0) {
        long cores = sysconf(_SC_NPROCESSORS_ONLN);
        options->build_workers = cores > 0 ? (unsigned)cores : 1;
    }
    if (options->build_workers > ANOLE_MAX_BUILDERS)
        options->build_workers = ANOLE_MAX_BUILDERS;
}

enum anole_status anole_measure_create(struct anole_measure **measure,
                                       const struct anole_registry *registry,
                                       const struct anole_registry_device *device,
                                       const struct anole_measure_options *options,
                                       struct anole_error *error)
{
    const struct anole_registry_entry *entry = &registry->entries[device->backend];
    struct anole_measure *new = calloc(1, sizeof *new);
    if (!new)
        return anole_fail_memory(error);
    new->hold = new->lock = -1;
    new->options = *options;
    set_defaults(&new->options, &device->device);
    new->backend = entry->backend;
    new->device = device->device;
    char name[160];
    snprintf(new->label, sizeof new->label, "%s, %s", device->id,
             anole_text_printable(name, sizeof name, device->device.name));
    struct anole_open_request *open = &new->terms.open;
    snprintf(open->path, sizeof open->path, "%s", entry->path);
    memcpy(open->driver, device->driver, sizeof open->driver);
    open->threads = options->threads;
    open->sample_time = options->sample_time;
    open->constants = options->constants;
    open->device = device->device;
    new->terms.build_limit = new->options.build_limit;
    new->terms.run_limit = new->options.run_limit;
    new->terms.worker_memory = new->options.worker_memory;
    for (size_t i = 0; i < ANOLE_MAX_BUILDERS; i++)
        anole_handle_init(&new->builders[i]);
    anole_handle_init(&new->timer);
    anole_handle_init(&new->preparer);
    anole_task_store_init(&new->store, STORE_LIMIT);
    anole_build_store_init(&new->built, BUILT_LIMIT);
    if (!anole_measure_simulated(new)) {
        anole_scratch_sweep();
        enum anole_status status = anole_scratch_create(&new->scratch, error);
        if (status == ANOLE_DONE) {
            new->hold = anole_scratch_hold(new->scratch);
            status = anole_scratch_check(new->scratch, error);
        }
        if (status != ANOLE_DONE) {
            anole_measure_destroy(new);
            return status;
        }
        new->terms.scratch = new->scratch;
        new->lock = options->untimed ? -1 : anole_device_lock(&new->device);
        /* A build that cannot travel is made where it is timed. */
        if (new->backend->plugin.binary)
            new->builder_count = new->options.build_workers;
    }
    *measure = new;
    return ANOLE_DONE;
}

void anole_measure_set_constants(struct anole_measure *measure, uint64_t bytes)
{
    if (measure->terms.open.constants == bytes)
        return;
    measure->terms.open.constants = bytes;
    anole_handle_empty(&measure->timer);
}

void anole_measure_set_timer(struct anole_measure *measure, enum anole_timer timer)
{
    measure->clock = timer;
}

double anole_measure_reference_seconds(struct anole_measure *measure, const struct anole_task *task)
{
    if (anole_measure_simulated(measure) || anole_task_store_ready(&measure->store, task))
        return 0.0;
    return anole_forecast_seconds(&measure->forecast, task);
}

double anole_measure_preparing(const struct anole_measure *measure)
{
    return measure->preparing ? anole_clock() - measure->prepared : 0.0;
}

unsigned anole_measure_builders(const struct anole_measure *measure)
{
    return measure->builder_count > 1 ? (unsigned)measure->builder_count : 1;
}

static size_t all_handles(struct anole_measure *measure, struct anole_handle **handles)
{
    size_t count = 0;
    for (size_t i = 0; i < measure->builder_count; i++)
        handles[count++] = &measure->builders[i];
    handles[count++] = &measure->timer;
    handles[count++] = &measure->preparer;
    return count;
}

void anole_measure_abandon(struct anole_measure *measure)
{
    struct anole_handle *handles[ANOLE_MAX_BUILDERS + 2];
    size_t count = all_handles(measure, handles);
    for (size_t i = 0; i < count; i++)
        if (handles[i]->worker.busy)
            anole_process_ask_end(&handles[i]->worker.process);
    for (size_t i = 0; i < count; i++)
        if (handles[i]->worker.busy)
            anole_handle_empty(handles[i]);
    if (measure->preparing)
        anole_task_store_drop(&measure->store, measure->preparing);
    measure->preparing = NULL;
}

/* Lets idle workers close their devices, for a moment, then kills what is left. */
static void close_all(struct anole_handle **handles, size_t count, double timeout)
{
    const struct timespec pause = {.tv_nsec = 2000000};
    double deadline = anole_clock() + timeout;
    size_t closed;
    for (size_t i = 0; i < count; i++)
        anole_process_ask_close(&handles[i]->worker.process);
    do {
        closed = 0;
        for (size_t i = 0; i < count; i++)
            closed += anole_process_closed(&handles[i]->worker.process);
        if (closed < count)
            nanosleep(&pause, NULL);
    } while (closed < count && anole_clock() < deadline);
    for (size_t i = 0; i < count; i++)
        anole_process_ask_end(&handles[i]->worker.process);
    for (size_t i = 0; i < count; i++)
        anole_handle_empty(handles[i]);
}

void anole_measure_rest(struct anole_measure *measure)
{
    struct anole_handle *handles[ANOLE_MAX_BUILDERS + 2];
    size_t count = all_handles(measure, handles);
    anole_measure_abandon(measure);
    close_all(handles, count, CLOSE_LIMIT);
}

const char *anole_measure_scratch(const struct anole_measure *measure)
{
    return measure->scratch;
}

void anole_measure_destroy(struct anole_measure *measure)
{
    if (!measure)
        return;
    struct anole_handle *handles[ANOLE_MAX_BUILDERS + 2];
    size_t count = all_handles(measure, handles);
    anole_measure_abandon(measure);
    bool hurry = measure->options.stop && measure->options.stop(measure->options.stop_context);
    close_all(handles, count, hurry ? 0 : CLOSE_LIMIT);
    anole_task_store_fini(&measure->store);
    anole_generator_destroy(measure->control.own);
    anole_build_store_fini(&measure->built);
    if (measure->scratch)
        anole_scratch_remove(measure->scratch);
    free(measure->scratch);
    if (measure->hold >= 0)
        close(measure->hold);
    if (measure->lock >= 0)
        close(measure->lock);
    free(measure);
}

/* -- Time -- */

/* Where wall time goes while this stage is on. */
static double *stage_cost(struct anole_measure_cost *cost, enum anole_stage stage)
{
    switch (stage) {
    case ANOLE_STAGE_GENERATE:
    case ANOLE_STAGE_BUILD:
    case ANOLE_STAGE_RELEASE:
        return &cost->build;
    case ANOLE_STAGE_PREPARE:
        return &cost->prepare;
    case ANOLE_STAGE_TASK:
    case ANOLE_STAGE_TRANSFER:
        return &cost->transfer;
    case ANOLE_STAGE_RUN:
    case ANOLE_STAGE_TIME:
        return &cost->run;
    case ANOLE_STAGE_VERIFY:
        return &cost->verify;
    default:
        return &cost->worker;
    }
}

/* Each moment counts once: for the timing if there is one, else for a build,
 * else for whatever there is. */
static void account(struct anole_measure *measure, double seconds)
{
    const struct anole_handle *found = NULL;
    for (size_t i = 0; i < measure->builder_count; i++) {
        const struct anole_handle *handle = &measure->builders[i];
        if (handle->worker.busy && (!found || handle->worker.stage == ANOLE_STAGE_BUILD))
            found = handle;
    }
    if (measure->timer.worker.busy)
        found = &measure->timer;
    if (!found && measure->preparer.worker.busy)
        found = &measure->preparer;
    if (found)
        *stage_cost(&measure->cost, found->worker.stage) += seconds;
}

void anole_measure_cost(const struct anole_measure *measure, struct anole_measure_cost *cost)
{
    *cost = measure->cost;
    cost->workers_started = measure->terms.workers_started;
    cost->workers_lost = measure->terms.workers_lost;
    cost->workers_recycled = measure->terms.workers_recycled;
}

/* -- Waiting -- */

static enum anole_status ask_preparer(struct anole_measure *measure, struct anole_stored_task *task,
                                      struct anole_error *error)
{
    const struct anole_handle_task on_device = {
        .number = task->number, .task = &task->task, .data = -1};
    struct anole_wire wire;
    anole_wire_writer_init(&wire);
    anole_wire_prepare_request(&wire, &measure->request);
    enum anole_status status = anole_handle_ask(
        &measure->preparer, &measure->terms, measure->request.config_count > 0 ? &on_device : NULL,
        ANOLE_FRAME_PREPARE, ANOLE_FRAME_READY, &wire, task->file, error);
    anole_wire_fini(&wire);
    measure->preparing = status == ANOLE_DONE ? task : NULL;
    measure->prepared = anole_clock();
    if (status != ANOLE_DONE)
        anole_task_store_drop(&measure->store, task);
    return status;
}

/* A kernel that was to be the reference, or to check it, took the worker along.  One
 * that was to check it is left out: it has no say. */
static enum anole_status lose_reference(struct anole_measure *measure, const char *text,
                                        struct anole_error *error)
{
    struct anole_prepare_request *request = &measure->request;
    struct anole_stored_task *task = measure->preparing;
    if (request->config_count > 1) {
        request->config_count--;
        memmove(request->values[1], request->values[2],
                (ANOLE_MAX_CHECKS - 2) * sizeof request->values[0]);
        return ask_preparer(measure, task, error);
    }
    measure->preparing = NULL;
    anole_task_store_drop(&measure->store, task);
    return anole_fail(error, ANOLE_ERR_INPUT, "the reference of %s cannot be computed: %s",
                      request->task.name, text);
}

static enum anole_status hear_preparer(struct anole_measure *measure, struct anole_error *error)
{
    struct anole_frame frame;
    char text[ANOLE_ERROR_TEXT / 2];
    struct anole_stored_task *task = measure->preparing;
    enum anole_worker_event event =
        anole_handle_check(&measure->preparer, &measure->terms, &frame, text, sizeof text);
    switch (event) {
    case ANOLE_WORKER_WAITING:
        return ANOLE_DONE;
    case ANOLE_WORKER_ANSWERED:
        anole_forecast_note(&measure->forecast, &task->task, anole_measure_preparing(measure));
        anole_handle_empty(&measure->preparer);
        measure->preparing = NULL;
        task->ready = true;
        return anole_task_file_seal(task->file, error);
    default:
        if (event != ANOLE_WORKER_FAILED && measure->request.config_count > 0 &&
            anole_stage_blames_kernel(measure->preparer.worker.stage))
            return lose_reference(measure, text, error);
        measure->preparing = NULL;
        anole_task_store_drop(&measure->store, task);
        /* What a user's file says may be wrong; the rest is ours. */
        if (event == ANOLE_WORKER_FAILED && measure->preparer.worker.failure == ANOLE_ERR_INPUT)
            return anole_fail(error, ANOLE_ERR_INPUT, "%s", text);
        return anole_fail(error, ANOLE_ERR_WORKER, "computing a task's reference: %s", text);
    }
}

/* Looked at twenty times a second, or something held this process up. */
static void excuse(struct anole_measure *measure, struct anole_handle *const *handles, size_t count)
{
    double now = anole_clock(), still = now - measure->turned;
    if (measure->turned > 0.0 && still > STOOD_STILL)
        for (size_t i = 0; i < count; i++)
            if (handles[i]->worker.busy)
                anole_supervised_excuse(&handles[i]->worker, still);
    measure->turned = now;
}

enum anole_status anole_measure_turn(struct anole_measure *measure, struct anole_error *error)
{
    struct anole_handle *handles[ANOLE_MAX_BUILDERS + 2];
    struct pollfd fds[(ANOLE_MAX_BUILDERS + 2) * ANOLE_PROCESS_POLLS];
    size_t count = all_handles(measure, handles);
    if (measure->options.stop && measure->options.stop(measure->options.stop_context))
        return anole_fail(error, ANOLE_ERR_INTERRUPTED, "interrupted");
    excuse(measure, handles, count);
    /* Of the busy ones alone: what an idle worker says, or that it dies, can wait
     * until it is needed. */
    nfds_t used = 0;
    for (size_t i = 0; i < count; i++) {
        if (!handles[i]->worker.busy)
            continue;
        anole_process_polls(&handles[i]->worker.process, &fds[used]);
        used += ANOLE_PROCESS_POLLS;
    }
    double start = anole_clock();
    if (poll(fds, used, (int)(POLL_TIME * 1e3)) < 0 && errno != EINTR)
        return anole_fail_errno(error, "cannot wait for worker processes");
    account(measure, anole_clock() - start);
    excuse(measure, handles, count);
    return hear_preparer(measure, error);
}

/* -- Tasks -- */

/* A batch of which nothing could be run leaves the preparer at work: if another
 * task is next, in vain. */
static void forget_other(struct anole_measure *measure, const struct anole_task *task)
{
    char key[ANOLE_TASK_KEY];
    anole_task_key(key, task);
    if (!measure->preparing || strcmp(measure->preparing->key, key) == 0)
        return;
    anole_handle_empty(&measure->preparer);
    anole_task_store_drop(&measure->store, measure->preparing);
    measure->preparing = NULL;
}

/* The default config of a kernel that has no reference, and others to check it by. */
static void choose_checks(struct anole_prepare_request *request,
                          const struct anole_generator *generator)
{
    const struct anole_space *space = anole_generator_space(generator);
    const struct anole_custom_kernel *custom = anole_custom_of(&request->task);
    uint32_t most = custom->reference.kernel ? 1 : ANOLE_MAX_CHECKS;
    uint64_t configs[ANOLE_MAX_CHECKS] = {anole_space_default(space)};
    struct anole_rng rng;
    anole_rng_init(&rng, request->seed);
    request->config_count = 1;
    request->value_count = (uint32_t)anole_space_knob_count(space);
    for (int tries = 0; tries < 64 && request->config_count < most; tries++) {
        bool known = !anole_space_sample(space, &rng, &configs[request->config_count]);
        for (uint32_t i = 0; i < request->config_count && !known; i++)
            known = configs[i] == configs[request->config_count];
        request->config_count += !known;
    }
    for (uint32_t i = 0; i < request->config_count; i++)
        anole_space_values(space, configs[i], request->values[i]);
}

/* Nothing else is to be seen meanwhile. */
static void say_wait(struct anole_measure *measure, const struct anole_task *task)
{
    char label[64];
    const double seconds = anole_forecast_seconds(&measure->forecast, task);
    if (seconds >= SAID_FROM)
        anole_log_info("computing the reference of %s: about %.0f s",
                       anole_task_label(label, sizeof label, task), seconds);
}

enum anole_status anole_measure_prepare(struct anole_measure *measure,
                                        struct anole_stored_task **stored,
                                        const struct anole_generator *generator,
                                        struct anole_error *error)
{
    const struct anole_task *task = anole_generator_task(generator);
    if (measure->scratch && measure->builds >= TRIM_EVERY) {
        anole_scratch_trim(measure->scratch, TRIM_AGE);
        measure->builds = 0;
    }
    forget_other(measure, task);
    enum anole_status status = anole_task_store_get(stored, &measure->store, task,
                                                    !anole_measure_simulated(measure), error);
    if (status != ANOLE_DONE || (*stored)->ready || measure->preparing)
        return status;
    struct anole_prepare_request *request = &measure->request;
    *request = (struct anole_prepare_request){
        .task = *task, .seed = measure->options.seed, .threads = anole_forecast_threads()};
    say_wait(measure, task);
    if (task->custom && anole_custom_needs_run(anole_custom_of(task)))
        choose_checks(request, generator);
    return ask_preparer(measure, *stored, error);
}
