/* SPDX-License-Identifier: MIT */
#include "check/sandbox.h"

#include "base/clock.h"
#include "worker/confine.h"
#include "worker/supervise.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define POLL_TIME 0.1   /* seconds */
#define PIPES_LIMIT 1.0 /* seconds for what is still in the pipes */
#define PIPES_STEP 1e-3 /* seconds between two looks */

/* ---------------------------------------------------------------- the test */

struct copy {
    struct anole_sandbox *sandbox;
    void (*test)(void *context, struct anole_sandbox *sandbox);
    void *context;
};

/* Best effort: nobody hears of a failure. */
static void send_frame(struct anole_sandbox *sandbox, enum anole_frame_type type,
                       const struct anole_wire *wire)
{
    struct anole_error error = {.status = ANOLE_DONE};
    if (!sandbox->mute && !wire->failed &&
        anole_channel_queue(&sandbox->channel, NULL, type, 0, wire->data, wire->length, -1,
                            &error) == ANOLE_DONE)
        (void)!anole_channel_flush(&sandbox->channel, &error);
}

void anole_sandbox_step(struct anole_sandbox *sandbox, const char *words)
{
    struct anole_stage_event event = {.stage = ANOLE_STAGE_START, .slot = UINT32_MAX};
    struct anole_wire wire;
    snprintf(event.step, sizeof event.step, "%s", words);
    anole_wire_writer_init(&wire);
    anole_wire_stage_event(&wire, &event);
    send_frame(sandbox, ANOLE_FRAME_STAGE, &wire);
    anole_wire_fini(&wire);
}

static void run_copy(void *context, int socket)
{
    const struct copy *copy = context;
    struct anole_sandbox *sandbox = copy->sandbox;
    struct anole_wire wire;
    anole_channel_init(&sandbox->channel, socket);
    anole_confine(); /* as a worker: drivers describe what they are allowed */
    copy->test(copy->context, sandbox);
    fflush(stdout); /* what a plugin printed and left in there */
    anole_wire_writer_init(&wire);
    anole_wire_concluded_reply(&wire, &sandbox->reply);
    send_frame(sandbox, ANOLE_FRAME_CONCLUDED, &wire);
}

/* ------------------------------------------------------------ our own side */

/* Steps are told in words, which begin with those of the stage. */
static bool is_step(const struct anole_supervised *worker, enum anole_stage stage)
{
    const char *words = anole_stage_words(stage);
    return strncmp(worker->step, words, strlen(words)) == 0;
}

static double limit_of(const void *context, const struct anole_supervised *worker)
{
    const struct anole_sandbox_limits *limits = context;
    return is_step(worker, ANOLE_STAGE_BUILD) ? limits->build
           : is_step(worker, ANOLE_STAGE_RUN) ? limits->run
                                              : limits->other;
}

static bool take_answer(struct anole_sandbox *sandbox, const struct anole_frame *frame)
{
    struct anole_wire wire;
    anole_wire_reader_init(&wire, frame->payload, frame->length);
    anole_wire_concluded_reply(&wire, &sandbox->reply);
    return anole_wire_complete(&wire) && sandbox->reply.verdict <= ANOLE_SKIPPED;
}

/* Until the test has answered, or can no longer. */
static enum anole_status attend(struct anole_sandbox *sandbox, struct anole_supervised *worker,
                                const struct anole_supervision *rules, bool (*stop)(void *context),
                                void *stop_context, struct anole_error *error)
{
    enum anole_worker_event event = ANOLE_WORKER_WAITING;
    struct anole_frame frame;
    while (event == ANOLE_WORKER_WAITING) {
        struct pollfd fds[ANOLE_PROCESS_POLLS];
        if (stop && stop(stop_context))
            return anole_fail(error, ANOLE_ERR_INTERRUPTED, "interrupted");
        anole_process_polls(&worker->process, fds);
        if (poll(fds, ANOLE_PROCESS_POLLS, (int)(POLL_TIME * 1e3)) < 0 && errno != EINTR)
            return anole_fail_errno(error, "cannot wait for a test's process");
        event =
            anole_supervised_check(worker, rules, &frame, sandbox->death, sizeof sandbox->death);
    }
    sandbox->answered = event == ANOLE_WORKER_ANSWERED && take_answer(sandbox, &frame);
    if (event == ANOLE_WORKER_ANSWERED && !sandbox->answered)
        snprintf(sandbox->death, sizeof sandbox->death, "sent nonsense");
    return worker->process.starved ? anole_fail_memory(error) : ANOLE_DONE;
}

/* Waits for the end of a test that has answered: it may have written until then. */
static void empty_pipes(struct anole_supervised *worker)
{
    const struct timespec pause = {.tv_nsec = (long)(PIPES_STEP * 1e9)};
    double end = anole_clock() + PIPES_LIMIT;
    while (!anole_process_closed(&worker->process) && anole_clock() < end)
        nanosleep(&pause, NULL);
}

enum anole_status anole_sandbox_run(struct anole_sandbox *sandbox,
                                    void (*test)(void *context, struct anole_sandbox *sandbox),
                                    void *context, const struct anole_sandbox_limits *limits,
                                    bool (*stop)(void *context), void *stop_context,
                                    struct anole_error *error)
{
    struct copy copy = {.sandbox = sandbox, .test = test, .context = context};
    const struct anole_worker_start start = {.function = run_copy, .context = &copy};
    const struct anole_supervision rules = {.limit = limit_of, .context = limits};
    struct anole_supervised worker;
    *sandbox = (struct anole_sandbox){.mute = false};
    enum anole_status status = anole_supervised_start(&worker, &rules, NULL, &start, error);
    if (status != ANOLE_DONE)
        return status;
    anole_supervised_expect(&worker, ANOLE_FRAME_CONCLUDED, 0);
    status = attend(sandbox, &worker, &rules, stop, stop_context, error);
    if (sandbox->answered)
        empty_pipes(&worker);
    anole_supervised_end(&worker);
    sandbox->out = worker.process.trace.out;
    sandbox->err = worker.process.trace.err;
    return status;
}
