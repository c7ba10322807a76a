/* SPDX-License-Identifier: MIT */
#include "measure/seat.h"

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

void anole_seat_init(struct anole_seat *seat)
{
    *seat = (struct anole_seat){.busy = false};
    anole_link_init(&seat->link);
}

void anole_seat_empty(struct anole_seat *seat)
{
    anole_link_end(&seat->link);
    anole_seat_init(seat);
}

bool anole_stage_blames_kernel(enum anole_stage stage)
{
    switch (stage) {
    case ANOLE_STAGE_GENERATE:
    case ANOLE_STAGE_BUILD:
    case ANOLE_STAGE_TRANSFER:
    case ANOLE_STAGE_RUN:
    case ANOLE_STAGE_VERIFY:
    case ANOLE_STAGE_TIME:
    case ANOLE_STAGE_RELEASE:
        return true;
    default:
        return false;
    }
}

static double stage_limit(const struct anole_seat_terms *terms, enum anole_stage stage)
{
    switch (stage) {
    case ANOLE_STAGE_GENERATE:
    case ANOLE_STAGE_BUILD:
    case ANOLE_STAGE_RELEASE:
        return anole_patience_limit(terms->builds, LEAST_BUILD_LIMIT, terms->build_limit);
    case ANOLE_STAGE_RUN:
    case ANOLE_STAGE_TIME:
        return anole_patience_limit(terms->runs, LEAST_RUN_LIMIT, terms->run_limit);
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
static struct anole_patience *stage_patience(const struct anole_seat_terms *terms,
                                             enum anole_stage stage)
{
    if (stage == ANOLE_STAGE_BUILD)
        return terms->builds;
    return stage == ANOLE_STAGE_RUN || stage == ANOLE_STAGE_TIME ? terms->runs : NULL;
}

/* The stage is over, and did not hang. */
static void leave_stage(const struct anole_seat *seat, const struct anole_seat_terms *terms)
{
    struct anole_patience *patience = stage_patience(terms, seat->stage);
    if (patience)
        anole_patience_note(patience, anole_clock() - seat->entered);
}

static void enter_stage(struct anole_seat *seat, const struct anole_seat_terms *terms,
                        enum anole_stage stage, uint32_t slot)
{
    seat->stage = stage;
    seat->slot = slot;
    seat->entered = anole_clock();
    seat->deadline = seat->entered + stage_limit(terms, stage);
}

/* -- Asking -- */

static enum anole_status send_open(struct anole_seat *seat, struct anole_seat_terms *terms,
                                   struct anole_error *error)
{
    struct anole_wire wire;
    anole_wire_writer_init(&wire);
    anole_wire_open_request(&wire, &terms->open);
    enum anole_status status =
        anole_link_send(&seat->link, ANOLE_FRAME_OPEN, &wire, -1, NULL, error);
    anole_wire_fini(&wire);
    seat->opened = status == ANOLE_DONE;
    return status;
}

static enum anole_status send_task(struct anole_seat *seat, const struct anole_seat_task *task,
                                   struct anole_error *error)
{
    struct anole_task_request request = {.task = *task->task, .data = task->data >= 0};
    struct anole_wire wire;
    anole_wire_writer_init(&wire);
    anole_wire_task_request(&wire, &request);
    enum anole_status status =
        anole_link_send(&seat->link, ANOLE_FRAME_TASK, &wire, task->data, NULL, error);
    anole_wire_fini(&wire);
    seat->task = status == ANOLE_DONE ? task->number : 0;
    return status;
}

enum anole_status anole_seat_ask(struct anole_seat *seat, struct anole_seat_terms *terms,
                                 const struct anole_seat_task *task, enum anole_frame_type request,
                                 enum anole_frame_type expected, const struct anole_wire *payload,
                                 int along, struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    seat->began = anole_clock();
    if (!anole_link_alive(&seat->link)) {
        anole_seat_empty(seat);
        status = anole_link_start(&seat->link, terms->scratch, error);
        if (status != ANOLE_DONE)
            return status;
        terms->workers_started++;
        seat->began = anole_clock();
        enter_stage(seat, terms, ANOLE_STAGE_START, UINT32_MAX);
    } else {
        /* It says what it does next as soon as it reads the request. */
        enter_stage(seat, terms, ANOLE_STAGE_TASK, UINT32_MAX);
    }
    if (task && !seat->opened)
        status = send_open(seat, terms, error);
    if (status == ANOLE_DONE && task && seat->task != task->number)
        status = send_task(seat, task, error);
    if (status == ANOLE_DONE)
        status = anole_link_send(&seat->link, request, payload, along, &seat->awaited, error);
    if (status == ANOLE_DONE) {
        seat->busy = true;
        seat->expected = expected;
    } else {
        anole_seat_empty(seat);
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

static void hear_stage(struct anole_seat *seat, const struct anole_seat_terms *terms,
                       const struct anole_frame *frame)
{
    struct anole_stage_event event;
    struct anole_wire wire;
    anole_wire_reader_init(&wire, frame->payload, frame->length);
    anole_wire_stage_event(&wire, &event);
    if (anole_wire_complete(&wire)) {
        leave_stage(seat, terms);
        enter_stage(seat, terms, (enum anole_stage)event.stage, event.slot);
    } else {
        anole_link_distrust(&seat->link, "a message that cannot be read");
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
static enum anole_seat_event bury(struct anole_seat *seat, struct anole_seat_terms *terms,
                                  char *text, size_t size)
{
    char words[160], all[2 * ANOLE_LINK_TAIL];
    anole_link_end(&seat->link);
    anole_link_last_words(&seat->link, words, sizeof words);
    if (words[0])
        anole_log_debug("a worker process said before its end: %s",
                        anole_link_last_words(&seat->link, all, sizeof all));
    snprintf(text, size, "the worker process %s while %s%s%s",
             seat->link.death[0] ? seat->link.death : "ended", anole_stage_words(seat->stage),
             words[0] ? "; its last words: " : "", words);
    terms->workers_lost++;
    enum anole_stage stage = seat->stage;
    uint32_t slot = seat->slot;
    double began = seat->began;
    anole_seat_init(seat);
    seat->stage = stage;
    seat->slot = slot;
    seat->began = began;
    return ANOLE_SEAT_DIED;
}

static enum anole_seat_event give_up(struct anole_seat *seat, struct anole_seat_terms *terms,
                                     char *text, size_t size)
{
    char unused[256], before[32];
    double limit = seat->deadline - seat->entered;
    double slowest = anole_patience_slowest(stage_patience(terms, seat->stage));
    snprintf(text, size, "%s took longer than %.3g s", anole_stage_words(seat->stage), limit);
    if (slowest > 0.0 &&
        limit < (seat->stage == ANOLE_STAGE_BUILD ? terms->build_limit : terms->run_limit))
        snprintf(text + strlen(text), size - strlen(text), "; until then, %s had been enough",
                 anole_text_seconds(before, sizeof before, slowest));
    bury(seat, terms, unused, sizeof unused);
    return ANOLE_SEAT_HANGS;
}

enum anole_seat_event anole_seat_check(struct anole_seat *seat, struct anole_seat_terms *terms,
                                       struct anole_frame *frame, char *text, size_t size)
{
    if (!seat->busy)
        return ANOLE_SEAT_WAITING;
    anole_link_service(&seat->link);
    while (anole_link_take(&seat->link, frame)) {
        if (frame->type == ANOLE_FRAME_STAGE) {
            hear_stage(seat, terms, frame);
        } else if (frame->type == ANOLE_FRAME_LOG) {
            hear_log(frame);
        } else if (frame->type == ANOLE_FRAME_FAILED) {
            enum anole_status failure = hear_failure(frame, text, size);
            char unused[256];
            bury(seat, terms, unused, sizeof unused);
            seat->failure = failure;
            return ANOLE_SEAT_FAILED;
        } else if (frame->type == seat->expected && frame->reply_to == seat->awaited) {
            leave_stage(seat, terms);
            seat->busy = false;
            return ANOLE_SEAT_ANSWERED;
        } else if (frame->type != ANOLE_FRAME_HELLO && frame->type != ANOLE_FRAME_READY) {
            anole_link_distrust(&seat->link, "an answer to what was not asked");
        }
    }
    if (!anole_link_alive(&seat->link))
        return bury(seat, terms, text, size);
    if (anole_clock() > seat->deadline)
        return give_up(seat, terms, text, size);
    return ANOLE_SEAT_WAITING;
}

void anole_seat_review(struct anole_seat *seat, struct anole_seat_terms *terms,
                       const struct anole_usage *usage)
{
    uint64_t own = usage->resident > usage->held ? usage->resident - usage->held : 0;
    bool large = own > terms->worker_memory && usage->builds >= LEAST_BUILDS;
    seat->usage = *usage;
    if (!usage->tainted && !large && usage->builds < MOST_BUILDS && usage->maps < MOST_MAPS)
        return;
    char size[32];
    anole_log_debug("replacing a worker: %u builds, %s of memory, %u maps%s", usage->builds,
                    anole_text_bytes(size, sizeof size, own), usage->maps,
                    usage->tainted ? ", perhaps damaged" : "");
    terms->workers_recycled++;
    anole_seat_empty(seat);
}
