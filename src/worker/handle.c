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
    *handle = (struct anole_handle){.busy = false};
    anole_process_init(&handle->process);
}

void anole_handle_empty(struct anole_handle *handle)
{
    anole_process_end(&handle->process);
    anole_handle_init(handle);
}

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
static struct anole_timeout *stage_patience(const struct anole_handle_terms *terms,
                                            enum anole_stage stage)
{
    if (stage == ANOLE_STAGE_BUILD)
        return terms->builds;
    return stage == ANOLE_STAGE_RUN || stage == ANOLE_STAGE_TIME ? terms->runs : NULL;
}

/* The stage is over, and did not hang. */
static void leave_stage(const struct anole_handle *handle, const struct anole_handle_terms *terms)
{
    struct anole_timeout *timeout = stage_patience(terms, handle->stage);
    if (timeout)
        anole_timeout_note(timeout, anole_clock() - handle->entered);
}

static void enter_stage(struct anole_handle *handle, const struct anole_handle_terms *terms,
                        enum anole_stage stage, uint32_t slot)
{
    handle->stage = stage;
    handle->slot = slot;
    handle->entered = anole_clock();
    handle->deadline = handle->entered + stage_limit(terms, stage);
}

/* -- Asking -- */

static enum anole_status send_open(struct anole_handle *handle, struct anole_handle_terms *terms,
                                   struct anole_error *error)
{
    struct anole_wire wire;
    anole_wire_writer_init(&wire);
    anole_wire_open_request(&wire, &terms->open);
    enum anole_status status =
        anole_process_send(&handle->process, ANOLE_FRAME_OPEN, &wire, -1, NULL, error);
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
    enum anole_status status =
        anole_process_send(&handle->process, ANOLE_FRAME_TASK, &wire, task->data, NULL, error);
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
    enum anole_status status = ANOLE_DONE;
    handle->began = anole_clock();
    if (!anole_process_alive(&handle->process)) {
        anole_handle_empty(handle);
        status = anole_process_start(&handle->process, terms->scratch, error);
        if (status != ANOLE_DONE)
            return status;
        terms->workers_started++;
        handle->began = anole_clock();
        enter_stage(handle, terms, ANOLE_STAGE_START, UINT32_MAX);
    } else {
        /* It says what it does next as soon as it reads the request. */
        enter_stage(handle, terms, ANOLE_STAGE_TASK, UINT32_MAX);
    }
    if (task && !handle->opened)
        status = send_open(handle, terms, error);
    if (status == ANOLE_DONE && task && handle->task != task->number)
        status = send_task(handle, task, error);
    if (status == ANOLE_DONE)
        status =
            anole_process_send(&handle->process, request, payload, along, &handle->awaited, error);
    if (status == ANOLE_DONE) {
        handle->busy = true;
        handle->expected = expected;
    } else {
        anole_handle_empty(handle);
    }
    return status;
}

/* -- Hearing -- */

static void hear_log(const struct anole_frame *frame)
{
    struct anole_log_event event;
    struct anole_wire wire;
    anole_wire_reader_init(&wire, frame->payload, frame->length);
    anole_wire_log_event(&wire, &event);
    if (!anole_wire_complete(&wire))
        return;
    if (event.level == ANOLE_LOG_ERROR || event.level == ANOLE_LOG_WARNING)
        anole_log_warning("plugin: %s", event.text);
    else
        anole_log_debug("plugin: %s", event.text);
}

static void hear_stage(struct anole_handle *handle, const struct anole_handle_terms *terms,
                       const struct anole_frame *frame)
{
    struct anole_stage_event event;
    struct anole_wire wire;
    anole_wire_reader_init(&wire, frame->payload, frame->length);
    anole_wire_stage_event(&wire, &event);
    if (anole_wire_complete(&wire)) {
        leave_stage(handle, terms);
        enter_stage(handle, terms, (enum anole_stage)event.stage, event.slot);
    } else {
        anole_process_distrust(&handle->process, "a message that cannot be read");
    }
}

static enum anole_status hear_failure(const struct anole_frame *frame, char *text, size_t size)
{
    struct anole_failed_reply reply;
    struct anole_wire wire;
    anole_wire_reader_init(&wire, frame->payload, frame->length);
    anole_wire_failed_reply(&wire, &reply);
    anole_text_printable(text, size, anole_wire_complete(&wire) ? reply.text : "for no reason");
    return anole_wire_complete(&wire) ? (enum anole_status) - (int)reply.status : ANOLE_ERR_WORKER;
}

/* "the worker process was killed by SIGSEGV (...) while running the kernel; its
 * last words: ..." */
static enum anole_handle_event bury(struct anole_handle *handle, struct anole_handle_terms *terms,
                                    char *text, size_t size)
{
    char words[160], all[2 * ANOLE_PROCESS_TAIL];
    anole_process_end(&handle->process);
    anole_process_last_words(&handle->process, words, sizeof words);
    if (words[0])
        anole_log_debug("a worker process said before its end: %s",
                        anole_process_last_words(&handle->process, all, sizeof all));
    snprintf(text, size, "the worker process %s while %s%s%s",
             handle->process.death[0] ? handle->process.death : "ended",
             anole_stage_words(handle->stage), words[0] ? "; its last words: " : "", words);
    terms->workers_lost++;
    enum anole_stage stage = handle->stage;
    uint32_t slot = handle->slot;
    double began = handle->began;
    anole_handle_init(handle);
    handle->stage = stage;
    handle->slot = slot;
    handle->began = began;
    return ANOLE_HANDLE_DIED;
}

static enum anole_handle_event give_up(struct anole_handle *handle,
                                       struct anole_handle_terms *terms, char *text, size_t size)
{
    char unused[256], before[32];
    double limit = handle->deadline - handle->entered;
    double slowest = anole_timeout_slowest(stage_patience(terms, handle->stage));
    snprintf(text, size, "%s took longer than %.3g s", anole_stage_words(handle->stage), limit);
    if (slowest > 0.0 &&
        limit < (handle->stage == ANOLE_STAGE_BUILD ? terms->build_limit : terms->run_limit))
        snprintf(text + strlen(text), size - strlen(text), "; until then, %s had been enough",
                 anole_text_seconds(before, sizeof before, slowest));
    bury(handle, terms, unused, sizeof unused);
    return ANOLE_HANDLE_HANGS;
}

enum anole_handle_event anole_handle_check(struct anole_handle *handle,
                                           struct anole_handle_terms *terms,
                                           struct anole_frame *frame, char *text, size_t size)
{
    if (!handle->busy)
        return ANOLE_HANDLE_WAITING;
    anole_process_service(&handle->process);
    while (anole_process_take(&handle->process, frame)) {
        if (frame->type == ANOLE_FRAME_STAGE) {
            hear_stage(handle, terms, frame);
        } else if (frame->type == ANOLE_FRAME_LOG) {
            hear_log(frame);
        } else if (frame->type == ANOLE_FRAME_FAILED) {
            enum anole_status failure = hear_failure(frame, text, size);
            char unused[256];
            bury(handle, terms, unused, sizeof unused);
            handle->failure = failure;
            return ANOLE_HANDLE_FAILED;
        } else if (frame->type == handle->expected && frame->reply_to == handle->awaited) {
            leave_stage(handle, terms);
            handle->busy = false;
            return ANOLE_HANDLE_ANSWERED;
        } else if (frame->type != ANOLE_FRAME_HELLO && frame->type != ANOLE_FRAME_READY) {
            anole_process_distrust(&handle->process, "an answer to what was not asked");
        }
    }
    if (!anole_process_alive(&handle->process))
        return bury(handle, terms, text, size);
    if (anole_clock() > handle->deadline)
        return give_up(handle, terms, text, size);
    return ANOLE_HANDLE_WAITING;
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
