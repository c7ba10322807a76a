/* SPDX-License-Identifier: MIT */
#include "worker/oneshot.h"

#include "base/clock.h"
#include "base/log.h"
#include "worker/process.h"
#include "worker/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_AT_ONCE 32
#define POLL_MILLISECONDS 50

/* An oneshot under way. */
struct run {
    struct anole_oneshot *oneshot; /* NULL: this place is free */
    struct anole_process process;
    double deadline;
    uint32_t stage;
    bool starved; /* there was no memory for its answer */
};

static void relay_log(const struct anole_frame *frame)
{
    struct anole_log_event event;
    struct anole_wire wire;
    anole_wire_reader_init(&wire, frame->payload, frame->length);
    anole_wire_log_event(&wire, &event);
    if (anole_wire_complete(&wire))
        anole_log_debug("plugin: %s", event.text);
}

static void set_stage(struct run *run, const struct anole_frame *frame)
{
    struct anole_stage_event event;
    struct anole_wire wire;
    anole_wire_reader_init(&wire, frame->payload, frame->length);
    anole_wire_stage_event(&wire, &event);
    if (anole_wire_complete(&wire))
        run->stage = event.stage;
}

static void set_failure(struct anole_oneshot *oneshot, const struct anole_frame *frame)
{
    struct anole_failed_reply reply;
    struct anole_wire wire;
    anole_wire_reader_init(&wire, frame->payload, frame->length);
    anole_wire_failed_reply(&wire, &reply);
    snprintf(oneshot->problem, sizeof oneshot->problem, "%s",
             anole_wire_complete(&wire) ? reply.text : "the worker failed, and cannot say why");
}

/* True if the frame ends the oneshot. */
static bool handle(struct run *run, const struct anole_frame *frame)
{
    struct anole_oneshot *oneshot = run->oneshot;
    oneshot->started = true;
    if (frame->type == oneshot->expected) {
        oneshot->answer = malloc(frame->length + 1);
        if (oneshot->answer) {
            memcpy(oneshot->answer, frame->payload, frame->length);
            oneshot->answer_length = frame->length;
        } else {
            run->starved = true;
        }
        return true;
    }
    switch (frame->type) {
    case ANOLE_FRAME_STAGE:
        set_stage(run, frame);
        return false;
    case ANOLE_FRAME_LOG:
        relay_log(frame);
        return false;
    case ANOLE_FRAME_FAILED:
        set_failure(oneshot, frame);
        return true;
    default: /* HELLO */
        return false;
    }
}

static void describe(struct run *run, const char *what)
{
    char words[512];
    struct anole_oneshot *oneshot = run->oneshot;
    anole_process_last_words(&run->process, words, sizeof words);
    snprintf(oneshot->problem, sizeof oneshot->problem, "%s while %s%s%s", what,
             anole_stage_words(run->stage), words[0] ? "; its last words: " : "", words);
}

/* Goes on with an oneshot as far as it goes.  True once it is over. */
static bool advance(struct run *run, double limit)
{
    struct anole_frame frame;
    anole_process_service(&run->process);
    while (anole_process_take(&run->process, &frame))
        if (handle(run, &frame))
            return true;
    if (!anole_process_alive(&run->process)) {
        anole_process_end(&run->process);
        describe(run, run->process.death[0] ? run->process.death : "ended");
        return true;
    }
    if (anole_clock() > run->deadline) {
        char what[64];
        snprintf(what, sizeof what, "took longer than %g s", limit);
        describe(run, what);
        return true;
    }
    return false;
}

static enum anole_status start(struct run *run, struct anole_oneshot *oneshot, double limit,
                               struct anole_error *error)
{
    enum anole_status status = anole_process_start(&run->process, NULL, error);
    if (status != ANOLE_DONE)
        return status;
    run->oneshot = oneshot;
    run->stage = ANOLE_STAGE_START;
    run->deadline = anole_clock() + limit;
    return anole_process_send(&run->process, oneshot->request, &oneshot->payload, -1, NULL, error);
}

static void finish(struct run *run)
{
    anole_process_end(&run->process);
    anole_process_init(&run->process);
    run->oneshot = NULL;
}

static size_t places(size_t count)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t most = cores > 2 ? (size_t)cores * 2 : 4;
    if (most > MOST_AT_ONCE)
        most = MOST_AT_ONCE;
    return count < most ? count : most;
}

static void wait_for_any(const struct run *runs, size_t count)
{
    struct pollfd fds[MOST_AT_ONCE * ANOLE_PROCESS_POLLS];
    for (size_t i = 0; i < count; i++)
        anole_process_polls(&runs[i].process, &fds[i * ANOLE_PROCESS_POLLS]);
    poll(fds, count * ANOLE_PROCESS_POLLS, POLL_MILLISECONDS);
}

enum anole_status anole_oneshots_run(struct anole_oneshot *oneshots, size_t count, double limit,
                                     struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    size_t width = places(count), next = 0, done = 0;
    if (count == 0)
        return ANOLE_DONE;
    struct run *runs = calloc(width, sizeof *runs);
    if (!runs)
        return anole_fail_memory(error);
    for (size_t i = 0; i < width; i++)
        anole_process_init(&runs[i].process);
    while (status == ANOLE_DONE && done < count) {
        for (size_t i = 0; status == ANOLE_DONE && i < width && next < count; i++)
            if (!runs[i].oneshot)
                status = start(&runs[i], &oneshots[next++], limit, error);
        if (status == ANOLE_DONE)
            wait_for_any(runs, width);
        for (size_t i = 0; i < width; i++) {
            if (runs[i].oneshot && advance(&runs[i], limit)) {
                if (runs[i].starved || runs[i].process.starved)
                    status = anole_fail_memory(error);
                finish(&runs[i]);
                done++;
            }
        }
    }
    for (size_t i = 0; i < width; i++)
        finish(&runs[i]);
    free(runs);
    return status;
}

void anole_oneshot_fini(struct anole_oneshot *oneshot)
{
    anole_wire_fini(&oneshot->payload);
    free(oneshot->answer);
    oneshot->answer = NULL;
}
