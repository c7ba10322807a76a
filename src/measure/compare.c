/* SPDX-License-Identifier: MIT */
#include "measure/compare.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/statistics.h"
#include "base/text.h"
#include "measure/control.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_ROUNDS 20000
#define MOST_LOSSES 4 /* besides one a kernel */

struct comparison {
    struct anole_work work;
    double seconds;
    size_t rounds;   /* at least */
    double *samples; /* [capacity rounds][count] while it grows */
    size_t done, capacity;
    size_t losses; /* of the worker, between rounds */
    /* Rounds that other work disturbed are made again, while there is time. */
    size_t disturbed;       /* rounds among those done that were: none, if others are enough */
    size_t repeated;        /* rounds that were, and were made again */
    double crowding, asked; /* sum over rounds, and how many were asked for */
    double start;           /* anole_clock() of the first round */
};

static bool enough(const struct comparison *comparison, double start)
{
    if (comparison->done < comparison->rounds)
        return false;
    /* Simulated time does not pass: the number of rounds is what was asked for. */
    return anole_measure_simulated(comparison->work.measure) || comparison->done >= MOST_ROUNDS ||
           anole_clock() - start >= comparison->seconds;
}

static enum anole_status add_round(struct comparison *comparison, struct anole_error *error)
{
    size_t count = comparison->work.count;
    if (comparison->done == comparison->capacity) {
        size_t capacity = comparison->capacity ? 2 * comparison->capacity : 64;
        double *grown = reallocarray(comparison->samples, capacity, count * sizeof *grown);
        if (!grown)
            return anole_fail_memory(error);
        comparison->samples = grown;
        comparison->capacity = capacity;
    }
    comparison->done++;
    return ANOLE_DONE;
}

static struct anole_item *item_in(struct anole_work *work, uint32_t slot)
{
    for (size_t i = 0; i < work->count; i++)
        if (work->items[i].state == ANOLE_ITEM_LOADED && work->items[i].slot == slot)
            return &work->items[i];
    return NULL;
}

/* Empties the worker: what is left is loaded again before the next round.  Not
 * for ever: that loading works says nothing of the rounds. */
static enum anole_status start_over(struct comparison *comparison, const char *text,
                                    struct anole_error *error)
{
    struct anole_work *work = &comparison->work;
    char safe[256];
    anole_text_printable(safe, sizeof safe, text);
    anole_log_warning("%s: the final comparison stops: %s; it goes on in a new worker",
                      work->measure->label, safe);
    anole_handle_empty(&work->measure->timer);
    for (size_t i = 0; i < work->count; i++)
        if (work->items[i].state == ANOLE_ITEM_LOADED)
            work->items[i].state = ANOLE_ITEM_BUILT;
    work->loaded = 0;
    if (++comparison->losses > work->count + MOST_LOSSES)
        return anole_fail(error, ANOLE_ERR_WORKER,
                          "the comparison does not come to an end: the worker was lost %zu times, "
                          "at last so: %s",
                          comparison->losses, text);
    return ANOLE_DONE;
}

/* Whether a disturbed round is to be done without: there are enough others, or there is time for
 * more, or it has not yet come to twice as many as there must be. */
static bool may_repeat(const struct comparison *comparison)
{
    return comparison->done >= comparison->rounds || comparison->repeated < comparison->rounds ||
           anole_clock() - comparison->start < comparison->seconds;
}

static enum anole_status take_round(struct comparison *comparison, const struct anole_frame *frame,
                                    struct anole_error *error)
{
    struct anole_work *work = &comparison->work;
    struct anole_round_reply reply;
    struct anole_wire wire;
    anole_wire_reader_init(&wire, frame->payload, frame->length);
    anole_wire_round_reply(&wire, &reply);
    if (!anole_wire_complete(&wire) || reply.count != work->loaded) {
        return start_over(comparison, "it answered with nonsense", error);
    }
    struct anole_item *failed = item_in(work, reply.failed);
    if (failed && anole_item_try_again(work, failed, (enum anole_outcome)reply.outcome))
        return start_over(comparison, reply.message, error);
    if (failed) {
        failed->state = ANOLE_ITEM_DONE;
        anole_item_fail(failed, (enum anole_outcome)reply.outcome, reply.message);
        return start_over(comparison, reply.message, error);
    }
    comparison->crowding += reply.crowding;
    comparison->asked++;
    if (reply.disturbed && may_repeat(comparison)) {
        comparison->repeated++;
        return ANOLE_DONE;
    }
    comparison->disturbed += reply.disturbed;
    enum anole_status status = add_round(comparison, error);
    if (status != ANOLE_DONE)
        return status;
    double *row = &comparison->samples[(comparison->done - 1) * work->count];
    for (size_t i = 0; i < work->count; i++)
        row[i] =
            work->items[i].state == ANOLE_ITEM_LOADED ? reply.seconds[work->items[i].slot] : NAN;
    return ANOLE_DONE;
}

static enum anole_status lose_round(struct comparison *comparison,
                                    const struct anole_handle *handle,
                                    enum anole_worker_event event, const char *text,
                                    struct anole_error *error)
{
    struct anole_work *work = &comparison->work;
    struct anole_item *guilty = item_in(work, handle->worker.slot);
    bool blame =
        guilty && event != ANOLE_WORKER_FAILED && anole_stage_blames_kernel(handle->worker.stage);
    enum anole_outcome outcome =
        event == ANOLE_WORKER_HANGS ? ANOLE_OUTCOME_TIMEOUT : ANOLE_OUTCOME_CRASH;
    if (blame && !anole_item_try_again(work, guilty, outcome)) {
        guilty->state = ANOLE_ITEM_DONE;
        anole_item_fail(guilty, outcome, text);
    }
    return start_over(comparison, text, error);
}

static enum anole_status one_round(struct comparison *comparison, struct anole_error *error)
{
    struct anole_work *work = &comparison->work;
    struct anole_measure *measure = work->measure;
    enum anole_worker_event event = ANOLE_WORKER_WAITING;
    struct anole_frame frame;
    char text[256];
    enum anole_status status =
        anole_handle_ask(&measure->timer, &measure->terms, &work->task, ANOLE_FRAME_ROUND,
                         ANOLE_FRAME_SAMPLES, NULL, -1, error);
    while (status == ANOLE_DONE && event == ANOLE_WORKER_WAITING) {
        status = anole_measure_turn(measure, error);
        if (status == ANOLE_DONE)
            event = anole_handle_check(&measure->timer, &measure->terms, &frame, text, sizeof text);
    }
    if (status != ANOLE_DONE)
        return status;
    if (event == ANOLE_WORKER_ANSWERED)
        return take_round(comparison, &frame, error);
    return lose_round(comparison, &measure->timer, event, text, error);
}

static enum anole_status run_rounds(struct comparison *comparison, struct anole_error *error)
{
    struct anole_work *work = &comparison->work;
    comparison->start = NAN;
    for (;;) {
        /* Loads what is not loaded: all at first, the rest after a loss.  That, and the
         * wait for a device, is no time for rounds. */
        double before = anole_clock();
        enum anole_status status = anole_control_run(work, error);
        comparison->start =
            isnan(comparison->start) ? anole_clock() : comparison->start + (anole_clock() - before);
        if (status != ANOLE_DONE || work->loaded == 0 || enough(comparison, comparison->start))
            return status;
        status = one_round(comparison, error);
        if (status != ANOLE_DONE)
            return status;
    }
}

/* Column i of the samples, summarised. */
static void fill_result(struct comparison *comparison, size_t i, double *scratch,
                        struct anole_result *result)
{
    struct anole_item *item = &comparison->work.items[i];
    struct anole_summary summary;
    size_t count = 0;
    *result = item->result;
    if (result->outcome != ANOLE_OUTCOME_OK)
        return;
    result->cost.generate += item->spent.generate;
    result->cost.build += item->spent.build;
    for (size_t round = 0; round < comparison->done; round++) {
        double sample = comparison->samples[round * comparison->work.count + i];
        if (!isnan(sample))
            scratch[count++] = sample;
    }
    if (count == 0)
        return;
    anole_summarise(&summary, scratch, count);
    result->seconds = summary.median;
    result->low = summary.low;
    result->high = summary.high;
    result->samples = (uint32_t)count;
    result->disturbed = (uint32_t)comparison->disturbed;
    result->crowding = comparison->asked > 0.0 ? comparison->crowding / comparison->asked : 0.0;
}

/* From rounds of configs to configs of rounds; a config that failed has NaN. */
static double *transpose(const struct comparison *comparison)
{
    size_t count = comparison->work.count, rounds = comparison->done;
    double *rows = calloc(count * rounds + 1, sizeof *rows);
    for (size_t i = 0; rows && i < count; i++)
        for (size_t round = 0; round < rounds; round++)
            rows[i * rounds + round] = comparison->work.items[i].result.outcome == ANOLE_OUTCOME_OK
                                           ? comparison->samples[round * count + i]
                                           : NAN;
    return rows;
}

static enum anole_status hand_over(struct comparison *comparison, struct anole_result *results,
                                   double **samples, size_t *rounds_done, struct anole_error *error)
{
    double *scratch = malloc((comparison->done + 1) * sizeof *scratch);
    double *rows = samples ? transpose(comparison) : NULL;
    if (!scratch || (samples && !rows)) {
        free(scratch);
        free(rows);
        return anole_fail_memory(error);
    }
    for (size_t i = 0; i < comparison->work.count; i++)
        fill_result(comparison, i, scratch, &results[i]);
    free(scratch);
    if (samples)
        *samples = rows;
    if (rounds_done)
        *rounds_done = comparison->done;
    return ANOLE_DONE;
}

enum anole_status anole_measure_compare(struct anole_measure *measure,
                                        const struct anole_generator *generator,
                                        const uint64_t *configs, size_t count, double seconds,
                                        size_t rounds, struct anole_result *results,
                                        double **samples, size_t *rounds_done,
                                        struct anole_error *error)
{
    struct comparison comparison = {.seconds = seconds, .rounds = rounds > 0 ? rounds : 1};
    if (count > ANOLE_MAX_SLOTS)
        return anole_fail(error, ANOLE_ERR_USAGE, "%zu kernels to compare, expected at most %d",
                          count, ANOLE_MAX_SLOTS);
    enum anole_status status =
        anole_work_init(&comparison.work, measure, generator, configs, count, error);
    comparison.work.compare = true;
    if (status == ANOLE_DONE)
        status = run_rounds(&comparison, error);
    if (status == ANOLE_DONE)
        status = hand_over(&comparison, results, samples, rounds_done, error);
    if (status != ANOLE_DONE)
        anole_measure_abandon(measure);
    /* What is loaded goes when the worker is next given a task. */
    measure->timer.task = 0;
    anole_work_fini(&comparison.work);
    free(comparison.samples);
    return status;
}
