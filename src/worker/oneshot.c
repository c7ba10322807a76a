/* SPDX-License-Identifier: MIT */
#include "worker/oneshot.h"

#include "worker/supervise.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_AT_ONCE 32
#define POLL_TIME 0.05 /* seconds */

/* An oneshot under way. */
struct run {
    struct anole_oneshot *oneshot; /* NULL: this place is free */
    struct anole_supervised worker;
    double limit; /* seconds, for the whole */
};

/* What is left of the time for the whole. */
static double limit_of(const void *context, const struct anole_supervised *worker)
{
    const struct run *run = context;
    return run->limit - (worker->entered - worker->began);
}

static struct anole_supervision rules_of(const struct run *run)
{
    return (struct anole_supervision){
        .limit = limit_of, .context = run, .whole = true, .quiet = true};
}

static enum anole_status start(struct run *run, struct anole_oneshot *oneshot, double limit,
                               struct anole_error *error)
{
    const struct anole_supervision rules = rules_of(run);
    const struct anole_worker_start plain = {.scratch = oneshot->scratch};
    uint32_t sequence;
    run->limit = limit;
    enum anole_status status = anole_supervised_start(&run->worker, &rules, NULL, &plain, error);
    if (status != ANOLE_DONE)
        return status;
    run->oneshot = oneshot;
    status = anole_process_send(&run->worker.process, oneshot->request, &oneshot->payload, -1,
                                &sequence, error);
    if (status == ANOLE_DONE)
        anole_supervised_expect(&run->worker, oneshot->expected, sequence);
    return status;
}

static enum anole_status keep_answer(struct anole_oneshot *oneshot, const struct anole_frame *frame,
                                     struct anole_error *error)
{
    oneshot->answer = malloc(frame->length + 1);
    if (!oneshot->answer)
        return anole_fail_memory(error);
    memcpy(oneshot->answer, frame->payload, frame->length);
    oneshot->answer_length = frame->length;
    return ANOLE_DONE;
}

static void finish(struct run *run)
{
    anole_supervised_end(&run->worker);
    run->oneshot = NULL;
}

/* Goes on with an oneshot as far as it goes.  *done: it is over. */
static enum anole_status advance(struct run *run, bool *done, struct anole_error *error)
{
    const struct anole_supervision rules = rules_of(run);
    struct anole_oneshot *oneshot = run->oneshot;
    struct anole_frame frame;
    enum anole_status status = ANOLE_DONE;
    enum anole_worker_event event = anole_supervised_check(
        &run->worker, &rules, &frame, oneshot->problem, sizeof oneshot->problem);
    oneshot->started = run->worker.spoke;
    *done = event != ANOLE_WORKER_WAITING;
    if (event == ANOLE_WORKER_ANSWERED)
        status = keep_answer(oneshot, &frame, error);
    else if (run->worker.process.starved)
        status = anole_fail_memory(error);
    if (*done)
        finish(run);
    return status;
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
        anole_process_polls(&runs[i].worker.process, &fds[i * ANOLE_PROCESS_POLLS]);
    poll(fds, count * ANOLE_PROCESS_POLLS, (int)(POLL_TIME * 1e3));
}

enum anole_status anole_oneshots_run(struct anole_oneshot *oneshots, size_t count, double limit,
                                     struct anole_error *error)
{
    return anole_oneshots_run_until(oneshots, count, limit, NULL, NULL, error);
}

enum anole_status anole_oneshots_run_until(struct anole_oneshot *oneshots, size_t count,
                                           double limit, bool (*stop)(void *context), void *context,
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
        anole_supervised_init(&runs[i].worker);
    while (status == ANOLE_DONE && done < count) {
        for (size_t i = 0; status == ANOLE_DONE && i < width && next < count; i++)
            if (!runs[i].oneshot)
                status = start(&runs[i], &oneshots[next++], limit, error);
        if (status == ANOLE_DONE)
            wait_for_any(runs, width);
        if (status == ANOLE_DONE && stop && stop(context))
            status = anole_fail(error, ANOLE_ERR_INTERRUPTED, "interrupted");
        for (size_t i = 0; status == ANOLE_DONE && i < width; i++) {
            bool over = false;
            if (runs[i].oneshot)
                status = advance(&runs[i], &over, error);
            done += over;
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
