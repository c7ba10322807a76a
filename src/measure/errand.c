/* SPDX-License-Identifier: MIT */
#include "measure/errand.h"

#include "base/clock.h"
#include "base/log.h"
#include "measure/link.h"
#include "measure/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_AT_ONCE 32
#define POLL_MILLISECONDS 50

/* An errand under way. */
struct run {
    struct anole_errand *errand; /* NULL: this place is free */
    struct anole_link link;
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

static void set_failure(struct anole_errand *errand, const struct anole_frame *frame)
{
    struct anole_failed_reply reply;
    struct anole_wire wire;
    anole_wire_reader_init(&wire, frame->payload, frame->length);
    anole_wire_failed_reply(&wire, &reply);
    snprintf(errand->problem, sizeof errand->problem, "%s",
             anole_wire_complete(&wire) ? reply.text : "the worker failed, and cannot say why");
}

/* True if the frame ends the errand. */
static bool handle(struct run *run, const struct anole_frame *frame)
{
    struct anole_errand *errand = run->errand;
    errand->started = true;
    if (frame->type == errand->expected) {
        errand->answer = malloc(frame->length + 1);
        if (errand->answer) {
            memcpy(errand->answer, frame->payload, frame->length);
            errand->answer_length = frame->length;
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
        set_failure(errand, frame);
        return true;
    default: /* HELLO */
        return false;
    }
}

static void describe(struct run *run, const char *what)
{
    char words[512];
    struct anole_errand *errand = run->errand;
    anole_link_last_words(&run->link, words, sizeof words);
    snprintf(errand->problem, sizeof errand->problem, "%s while %s%s%s", what,
             anole_stage_words(run->stage), words[0] ? "; its last words: " : "", words);
}

/* Goes on with an errand as far as it goes.  True once it is over. */
static bool advance(struct run *run, double limit)
{
    struct anole_frame frame;
    anole_link_service(&run->link);
    while (anole_link_take(&run->link, &frame))
        if (handle(run, &frame))
            return true;
    if (!anole_link_alive(&run->link)) {
        anole_link_end(&run->link);
        describe(run, run->link.death[0] ? run->link.death : "ended");
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

static enum anole_status start(struct run *run, struct anole_errand *errand, double limit,
                               struct anole_error *error)
{
    enum anole_status status = anole_link_start(&run->link, NULL, error);
    if (status != ANOLE_DONE)
        return status;
    run->errand = errand;
    run->stage = ANOLE_STAGE_START;
    run->deadline = anole_clock() + limit;
    return anole_link_send(&run->link, errand->request, &errand->payload, -1, NULL, error);
}

static void finish(struct run *run)
{
    anole_link_end(&run->link);
    anole_link_init(&run->link);
    run->errand = NULL;
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
    struct pollfd fds[MOST_AT_ONCE * ANOLE_LINK_POLLS];
    for (size_t i = 0; i < count; i++)
        anole_link_polls(&runs[i].link, &fds[i * ANOLE_LINK_POLLS]);
    poll(fds, count * ANOLE_LINK_POLLS, POLL_MILLISECONDS);
}

enum anole_status anole_errands_run(struct anole_errand *errands, size_t count, double limit,
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
        anole_link_init(&runs[i].link);
    while (status == ANOLE_DONE && done < count) {
        for (size_t i = 0; status == ANOLE_DONE && i < width && next < count; i++)
            if (!runs[i].errand)
                status = start(&runs[i], &errands[next++], limit, error);
        if (status == ANOLE_DONE)
            wait_for_any(runs, width);
        for (size_t i = 0; i < width; i++) {
            if (runs[i].errand && advance(&runs[i], limit)) {
                if (runs[i].starved || runs[i].link.starved)
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

void anole_errand_fini(struct anole_errand *errand)
{
    anole_wire_fini(&errand->payload);
    free(errand->answer);
    errand->answer = NULL;
}
