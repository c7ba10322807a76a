/* SPDX-License-Identifier: MIT */
#include "inplace/inplace.h"

#include "base/environment.h"
#include "base/text.h"
#include "inplace/inplace_wire.h"
#include "worker/oneshot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GRACE 0.5 /* seconds: to start a process, and to end in time by itself */

static void clear(struct anole_inplace_report *report)
{
    *report = (struct anole_inplace_report){.seconds = NAN,
                                            .low = NAN,
                                            .high = NAN,
                                            .default_seconds = NAN,
                                            .default_low = NAN,
                                            .default_high = NAN,
                                            .speedup = NAN,
                                            .speedup_low = NAN,
                                            .speedup_high = NAN,
                                            .error = NAN,
                                            .tolerance = NAN};
}

/* A lock file that holds the device alone. */
static enum anole_status print_lock(char **text, size_t *length,
                                    const struct anole_inplace_request *request,
                                    struct anole_error *error)
{
    struct anole_lock_device copy = *request->lock;
    const struct anole_lockfile lockfile = {.network = (char *)"",
                                            .network_path = (char *)request->network,
                                            .devices = &copy,
                                            .device_count = 1};
    copy.unread = copy.extra = copy.in_place.extra = NULL;
    copy.in_place.rounds = 0;
    return anole_lockfile_print(text, length, &lockfile, error);
}

/* Texts that do not fit are refused by the checks of whoever reads them, not cut here. */
static bool copy(char *out, size_t size, const char *text)
{
    return (size_t)snprintf(out, size, "%s", text) < size;
}

/* False: something is longer than can be said. */
static bool fill(struct anole_inplace_question *question,
                 const struct anole_inplace_request *request, const char *lock, size_t length)
{
    const struct anole_environment *environment = anole_environment();
    const char *worker = environment ? environment->worker : NULL;
    const char *cache = environment ? environment->cache : NULL;
    question->device = request->device->device;
    question->threads = request->threads;
    question->seconds = request->seconds;
    question->timing = request->timing;
    question->exchanging = request->exchanging;
    question->check = request->check;
    question->strict = request->strict;
    question->lock = lock;
    question->lock_bytes = length;
    question->has_worker = worker != NULL;
    question->has_cache = cache != NULL;
    return length <= ANOLE_INPLACE_LOCK && request->task_count <= ANOLE_INPLACE_TASKS &&
           copy(question->network, sizeof question->network, request->network) &&
           copy(question->plugin, sizeof question->plugin, request->backend->path) &&
           copy(question->driver, sizeof question->driver, request->device->driver) &&
           copy(question->worker, sizeof question->worker, worker ? worker : "") &&
           copy(question->cache, sizeof question->cache, cache ? cache : "");
}

static bool is_interval(double middle, double low, double high)
{
    return low > 0 && low <= middle && middle <= high && isfinite(high);
}

/* A worker may answer anything. */
static bool is_sound(const struct anole_inplace_report *report)
{
    return !report->ran ||
           (is_interval(report->seconds, report->low, report->high) &&
            is_interval(report->default_seconds, report->default_low, report->default_high) &&
            is_interval(report->speedup, report->speedup_low, report->speedup_high) &&
            report->rounds > 0 && report->steps > 0 && report->steps_tuned <= report->steps);
}

static void take_answer(struct anole_inplace_report *report, const struct anole_oneshot *oneshot,
                        const struct anole_inplace_request *request)
{
    struct anole_wire wire;
    clear(report);
    if (!oneshot->answer) {
        report->failed = true;
        snprintf(report->problem, sizeof report->problem, "its process %.1000s", oneshot->problem);
        return;
    }
    anole_wire_reader_init(&wire, oneshot->answer, oneshot->answer_length);
    anole_wire_inplace_report(&wire, report);
    anole_wire_inplace_verdicts(&wire, request->tasks, (uint32_t)request->task_count);
    if (anole_wire_complete(&wire) && is_sound(report)) {
        const struct anole_inplace_report answer = *report;
        if (!answer.ran)
            clear(report);
        report->failed = answer.failed;
        anole_text_printable(report->problem, sizeof report->problem, answer.problem);
        return;
    }
    clear(report);
    report->failed = true;
    snprintf(report->problem, sizeof report->problem, "its process answered with nonsense");
}

enum anole_status anole_inplace_run(struct anole_inplace_report *report,
                                    const struct anole_inplace_request *request,
                                    struct anole_error *error)
{
    struct anole_oneshot oneshot = {.request = ANOLE_FRAME_NETWORK,
                                    .expected = ANOLE_FRAME_NETWORK_RAN,
                                    .scratch = request->scratch};
    struct anole_inplace_question *question = calloc(1, sizeof *question);
    struct anole_inplace_task *tasks = request->tasks;
    uint32_t task_count = (uint32_t)request->task_count;
    char *lock = NULL;
    size_t length;
    clear(report);
    enum anole_status status =
        question ? print_lock(&lock, &length, request, error) : anole_fail_memory(error);
    if (status == ANOLE_DONE && !fill(question, request, lock, length)) {
        snprintf(report->problem, sizeof report->problem,
                 "what was tuned, or a path, is too long to be handed to another process");
    } else if (status == ANOLE_DONE) {
        anole_wire_writer_init(&oneshot.payload);
        anole_wire_inplace_question(&oneshot.payload, question);
        anole_wire_inplace_tasks(&oneshot.payload, &tasks, &task_count);
        status = oneshot.payload.failed
                     ? anole_fail_memory(error)
                     : anole_oneshots_run_until(&oneshot, 1, request->seconds + GRACE,
                                                request->stop, request->context, error);
        if (status == ANOLE_DONE)
            take_answer(report, &oneshot, request);
        anole_oneshot_fini(&oneshot);
    }
    free(lock);
    free(question);
    return status;
}

void anole_inplace_record(struct anole_lock_in_place *out,
                          const struct anole_inplace_report *report)
{
    *out = (struct anole_lock_in_place){.rounds = 0};
    if (!report->ran)
        return;
    *out = (struct anole_lock_in_place){.rounds = report->rounds,
                                        .seconds = report->seconds,
                                        .low = report->low,
                                        .high = report->high,
                                        .default_seconds = report->default_seconds,
                                        .default_low = report->default_low,
                                        .default_high = report->default_high,
                                        .speedup = report->speedup,
                                        .speedup_low = report->speedup_low,
                                        .speedup_high = report->speedup_high,
                                        .steps = report->steps,
                                        .steps_tuned = report->steps_tuned,
                                        .disturbed = report->disturbed};
}
