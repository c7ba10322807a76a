/* SPDX-License-Identifier: MIT */
#include "worker/supervise.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "worker/message.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* What takes less is far from any limit: looking at the threads costs some 50 us. */
#define WATCHED_FROM 0.5 /* seconds in a stage */
/* Beside other work a worker gets up to so many times as long as alone. */
#define LONGEST_EXCUSE 9.0

void anole_supervised_init(struct anole_supervised *worker)
{
    *worker = (struct anole_supervised){.busy = false};
    anole_process_init(&worker->process);
}

void anole_supervised_end(struct anole_supervised *worker)
{
    anole_process_end(&worker->process);
    worker->busy = false;
}

static void enter_stage(struct anole_supervised *worker, const struct anole_supervision *rules,
                        enum anole_stage stage, uint32_t slot, const char *step)
{
    worker->stage = stage;
    worker->slot = slot;
    anole_text_printable(worker->step, sizeof worker->step, step); /* the limit may go by it */
    worker->entered = anole_clock();
    worker->deadline = worker->entered + rules->limit(rules->context, worker);
    worker->watched = false;
    worker->excused = 0.0;
}

/* The stage is over, and did not hang. */
static void leave_stage(const struct anole_supervised *worker,
                        const struct anole_supervision *rules)
{
    if (rules->left)
        rules->left(rules->context, worker->stage, anole_clock() - worker->entered);
}

void anole_supervised_begin(struct anole_supervised *worker, const struct anole_supervision *rules,
                            enum anole_stage stage)
{
    worker->began = anole_clock();
    enter_stage(worker, rules, stage, UINT32_MAX, "");
}

enum anole_status anole_supervised_start(struct anole_supervised *worker,
                                         const struct anole_supervision *rules,
                                         const struct anole_transport *transport,
                                         const struct anole_worker_start *start,
                                         struct anole_error *error)
{
    anole_supervised_init(worker);
    enum anole_status status = anole_process_start(&worker->process, transport, start, error);
    if (status == ANOLE_DONE)
        anole_supervised_begin(worker, rules, ANOLE_STAGE_START);
    return status;
}

void anole_supervised_expect(struct anole_supervised *worker, enum anole_frame_type expected,
                             uint32_t awaited)
{
    worker->busy = true;
    worker->expected = expected;
    worker->awaited = awaited;
}

void anole_supervised_excuse(struct anole_supervised *worker, double seconds)
{
    worker->deadline += fmin(seconds, anole_clock() - worker->entered);
}

/* -- Hearing -- */

/* What a worker says while kernels run, nobody else knows; for the rest, what it warns of has been
 * said by this process, which asked the same before. */
static bool is_at_work(const struct anole_supervised *worker)
{
    return worker->stage == ANOLE_STAGE_RUN || worker->stage == ANOLE_STAGE_VERIFY ||
           worker->stage == ANOLE_STAGE_TIME;
}

static void hear_log(const struct anole_supervised *worker, const struct anole_supervision *rules,
                     const struct anole_frame *frame)
{
    struct anole_log_event event;
    struct anole_wire wire;
    anole_wire_reader_init(&wire, frame->payload, frame->length);
    anole_wire_log_event(&wire, &event);
    if (!anole_wire_complete(&wire))
        return;
    bool loud = event.level == ANOLE_LOG_ERROR || event.level == ANOLE_LOG_WARNING;
    const char *whose = event.plugin ? "plugin: " : "";
    if (loud && !rules->quiet && (event.plugin || is_at_work(worker)))
        anole_log_warning("%s%s", whose, event.text);
    else
        anole_log_debug("%s%s", whose, event.text);
}

static void hear_stage(struct anole_supervised *worker, const struct anole_supervision *rules,
                       const struct anole_frame *frame)
{
    struct anole_stage_event event;
    struct anole_wire wire;
    anole_wire_reader_init(&wire, frame->payload, frame->length);
    anole_wire_stage_event(&wire, &event);
    if (!anole_wire_complete(&wire)) {
        anole_process_distrust(&worker->process, "a message that cannot be read");
        return;
    }
    leave_stage(worker, rules);
    enter_stage(worker, rules, (enum anole_stage)event.stage, event.slot, event.step);
}

static enum anole_status hear_failure(const struct anole_frame *frame, char *text, size_t size)
{
    struct anole_failed_reply reply;
    struct anole_wire wire;
    anole_wire_reader_init(&wire, frame->payload, frame->length);
    anole_wire_failed_reply(&wire, &reply);
    if (!anole_wire_complete(&wire)) {
        snprintf(text, size, "the worker failed, and cannot say why");
        return ANOLE_ERR_WORKER;
    }
    anole_text_printable(text, size, reply.text);
    return (enum anole_status) - (int)reply.status;
}

/* -- Ending -- */

/* "<what> while <stage>; its last words: ..." */
static void describe_end(struct anole_supervised *worker, const char *what, char *text, size_t size)
{
    char words[640], all[2 * ANOLE_OUTPUT_TAIL];
    const struct anole_output *err = &worker->process.trace.err;
    size_t room = size * 5 / 8; /* the end of them shall fit */
    anole_output_last_words(err, words, room < sizeof words ? room : sizeof words);
    if (words[0])
        anole_log_debug("a worker process said before its end: %s",
                        anole_output_last_words(err, all, sizeof all));
    snprintf(text, size, "%s while %s%s%s", what,
             worker->step[0] ? worker->step : anole_stage_words(worker->stage),
             words[0] ? "; its last words: " : "", words);
}

static enum anole_worker_event report_death(struct anole_supervised *worker, char *text,
                                            size_t size)
{
    const char *death = worker->process.trace.death;
    anole_supervised_end(worker);
    describe_end(worker, death[0] ? death : "ended", text, size);
    return ANOLE_WORKER_DIED;
}

static enum anole_worker_event report_hang(struct anole_supervised *worker,
                                           const struct anole_supervision *rules, char *text,
                                           size_t size)
{
    char what[96];
    const double limit = worker->deadline - worker->excused;
    const int length = snprintf(what, sizeof what, "took longer than %.3g s",
                                limit - (rules->whole ? worker->began : worker->entered));
    if (worker->excused >= 0.1)
        snprintf(what + length, sizeof what - (size_t)length,
                 ", without %.3g s in which other work had the cores", worker->excused);
    anole_supervised_end(worker);
    describe_end(worker, what, text, size);
    return ANOLE_WORKER_HANGS;
}

/* Time in which other work had the cores does not count: it says nothing of a kernel. */
static bool is_overdue(struct anole_supervised *worker)
{
    const double now = anole_clock();
    if (!worker->watched && now > worker->entered + WATCHED_FROM) {
        worker->watched = true;
        anole_process_waited(&worker->process, true);
    }
    if (now <= worker->deadline)
        return false;
    const double limit = worker->deadline - worker->excused - worker->entered;
    const double waited = worker->watched ? anole_process_waited(&worker->process, false) : 0.0;
    const double excused = fmax(worker->excused, fmin(waited, LONGEST_EXCUSE * limit));
    worker->deadline += excused - worker->excused;
    worker->excused = excused;
    return now > worker->deadline;
}

enum anole_worker_event anole_supervised_check(struct anole_supervised *worker,
                                               const struct anole_supervision *rules,
                                               struct anole_frame *frame, char *text, size_t size)
{
    if (!worker->busy)
        return ANOLE_WORKER_WAITING;
    anole_process_service(&worker->process);
    while (anole_process_take(&worker->process, frame)) {
        worker->spoke = true;
        if (frame->type == ANOLE_FRAME_STAGE) {
            hear_stage(worker, rules, frame);
        } else if (frame->type == ANOLE_FRAME_LOG) {
            hear_log(worker, rules, frame);
        } else if (frame->type == ANOLE_FRAME_FAILED) {
            worker->failure = hear_failure(frame, text, size);
            anole_supervised_end(worker);
            return ANOLE_WORKER_FAILED;
        } else if (frame->type == worker->expected && frame->reply_to == worker->awaited) {
            leave_stage(worker, rules);
            worker->busy = false;
            return ANOLE_WORKER_ANSWERED;
        } else if (frame->type != ANOLE_FRAME_HELLO && frame->type != ANOLE_FRAME_READY) {
            anole_process_distrust(&worker->process, "an answer to what was not asked");
        }
    }
    if (!anole_process_alive(&worker->process))
        return report_death(worker, text, size);
    if (is_overdue(worker))
        return report_hang(worker, rules, text, size);
    return ANOLE_WORKER_WAITING;
}
