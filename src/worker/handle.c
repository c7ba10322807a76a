/* SPDX-License-Identifier: MIT */
#include "worker/handle.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define START_LIMIT 20.0 /* seconds: a process comes up */
#define OPEN_LIMIT 60.0  /* a plugin is loaded, a driver initialised */
#define MOVE_LIMIT 120.0 /* data are moved or compared */
/* Waited for at least, whatever was seen: machines stall. */
#define LEAST_BUILD_LIMIT 10.0
#define LEAST_RUN_LIMIT 3.0
#define LEAST_BUILDS 16 /* between two replacements for memory */
#define MOST_BUILDS 8000
#define MOST_MAPS 32000 /* half of what the kernel allows a process */

void anole_handle_init(struct anole_handle *handle)
{
    *handle = (struct anole_handle){.task = 0};
    anole_supervised_init(&handle->worker);
}

void anole_handle_empty(struct anole_handle *handle)
{
    anole_supervised_end(&handle->worker);
    anole_handle_init(handle);
}

/* -- Time limits -- */

static double stage_limit(const struct anole_handle_terms *terms, enum anole_stage stage)
{
    switch (stage) {
    case ANOLE_STAGE_GENERATE:
    case ANOLE_STAGE_BUILD:
    case ANOLE_STAGE_RELEASE:
        return anole_timeout_limit(terms->builds, LEAST_BUILD_LIMIT, terms->build_limit);
    case ANOLE_STAGE_RUN:
    case ANOLE_STAGE_TIME:
        return anole_timeout_limit(terms->runs, LEAST_RUN_LIMIT, terms->run_limit);
    case ANOLE_STAGE_LOAD:
    case ANOLE_STAGE_OPEN:
        return OPEN_LIMIT;
    case ANOLE_STAGE_START:
        return START_LIMIT;
    case ANOLE_STAGE_PREPARE: /* as long as it takes: it is our own work */
        return INFINITY;
    default:
        return MOVE_LIMIT;
    }
}

/* The times of a stage, or NULL. */
static struct anole_timeout *stage_times(const struct anole_handle_terms *terms,
                                         enum anole_stage stage)
{
    if (stage == ANOLE_STAGE_BUILD)
        return terms->builds;
    return stage == ANOLE_STAGE_RUN || stage == ANOLE_STAGE_TIME ? terms->runs : NULL;
}

static double limit_of(const void *context, const struct anole_supervised *worker)
{
    return stage_limit(context, worker->stage);
}

static void note_time(const void *context, enum anole_stage stage, double seconds)
{
    struct anole_timeout *timeout = stage_times(context, stage);
    if (timeout)
        anole_timeout_note(timeout, seconds);
}

static struct anole_supervision rules_of(const struct anole_handle_terms *terms)
{
    return (struct anole_supervision){.limit = limit_of, .left = note_time, .context = terms};
}

/* -- Asking -- */

static enum anole_status send_open(struct anole_handle *handle, struct anole_handle_terms *terms,
                                   struct anole_error *error)
{
    struct anole_wire wire;
    anole_wire_writer_init(&wire);
    anole_wire_open_request(&wire, &terms->open);
    enum anole_status status =
        anole_process_send(&handle->worker.process, ANOLE_FRAME_OPEN, &wire, -1, NULL, error);
    anole_wire_fini(&wire);
    handle->opened = status == ANOLE_DONE;
    return status;
}

static enum anole_status send_task(struct anole_handle *handle,
                                   const struct anole_handle_task *task, struct anole_error *error)
{
    struct anole_task_request request = {.task = *task->task, .data = task->data >= 0};
    struct anole_wire wire;
    anole_wire_writer_init(&wire);
    anole_wire_task_request(&wire, &request);
    enum anole_status status = anole_process_send(&handle->worker.process, ANOLE_FRAME_TASK, &wire,
                                                  task->data, NULL, error);
    anole_wire_fini(&wire);
    handle->task = status == ANOLE_DONE ? task->number : 0;
    return status;
}

enum anole_status anole_handle_ask(struct anole_handle *handle, struct anole_handle_terms *terms,
                                   const struct anole_handle_task *task,
                                   enum anole_frame_type request, enum anole_frame_type expected,
                                   const struct anole_wire *payload, int along,
                                   struct anole_error *error)
{
    const struct anole_supervision rules = rules_of(terms);
    const struct anole_worker_start start = {.scratch = terms->scratch};
    enum anole_status status = ANOLE_DONE;
    uint32_t sequence = 0;
    if (!anole_process_alive(&handle->worker.process)) {
        anole_handle_empty(handle);
        status = anole_supervised_start(&handle->worker, &rules, terms->transport, &start, error);
        if (status != ANOLE_DONE)
            return status;
        terms->workers_started++;
    } else {
        /* It says what it does next as soon as it reads the request. */
        anole_supervised_begin(&handle->worker, &rules, ANOLE_STAGE_TASK);
    }
    if (task && !handle->opened)
        status = send_open(handle, terms, error);
    if (status == ANOLE_DONE && task && handle->task != task->number)
        status = send_task(handle, task, error);
    if (status == ANOLE_DONE)
        status =
            anole_process_send(&handle->worker.process, request, payload, along, &sequence, error);
    if (status == ANOLE_DONE)
        anole_supervised_expect(&handle->worker, expected, sequence);
    else
        anole_handle_empty(handle);
    return status;
}

/* -- Hearing -- */

/* "building the kernel took longer than 12 s; until then, 0.8 s had been enough" */
static void describe_hang(const struct anole_supervised *worker,
                          const struct anole_handle_terms *terms, char *text, size_t size)
{
    char before[32];
    double limit = worker->deadline - worker->entered;
    double slowest = anole_timeout_slowest(stage_times(terms, worker->stage));
    snprintf(text, size, "%s took longer than %.3g s", anole_stage_words(worker->stage), limit);
    if (slowest > 0.0 &&
        limit < (worker->stage == ANOLE_STAGE_BUILD ? terms->build_limit : terms->run_limit))
        snprintf(text + strlen(text), size - strlen(text), "; until then, %s had been enough",
                 anole_text_seconds(before, sizeof before, slowest));
}

enum anole_worker_event anole_handle_check(struct anole_handle *handle,
                                           struct anole_handle_terms *terms,
                                           struct anole_frame *frame, char *text, size_t size)
{
    const struct anole_supervision rules = rules_of(terms);
    char what[256];
    enum anole_worker_event event =
        anole_supervised_check(&handle->worker, &rules, frame, what, sizeof what);
    if (event == ANOLE_WORKER_WAITING || event == ANOLE_WORKER_ANSWERED)
        return event;
    terms->workers_lost++;
    handle->opened = false;
    handle->task = 0;
    if (event == ANOLE_WORKER_HANGS)
        describe_hang(&handle->worker, terms, text, size);
    else
        snprintf(text, size, "%s%s", event == ANOLE_WORKER_DIED ? "the worker process " : "", what);
    return event;
}

void anole_handle_review(struct anole_handle *handle, struct anole_handle_terms *terms,
                         const struct anole_usage *usage)
{
    uint64_t own = usage->resident > usage->held ? usage->resident - usage->held : 0;
    bool large = own > terms->worker_memory && usage->builds >= LEAST_BUILDS;
    handle->usage = *usage;
    if (!usage->tainted && !large && usage->builds < MOST_BUILDS && usage->maps < MOST_MAPS)
        return;
    char size[32];
    anole_log_debug("replacing a worker: %u builds, %s of memory, %u maps%s", usage->builds,
                    anole_text_bytes(size, sizeof size, own), usage->maps,
                    usage->tainted ? ", perhaps damaged" : "");
    terms->workers_recycled++;
    anole_handle_empty(handle);
}
