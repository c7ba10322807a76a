/* SPDX-License-Identifier: MIT
 *
 * Configs through their builds and trials.  Builds run side by side, timings one
 * by one.  Where the device shares the host's cores, nothing is timed while
 * anything builds; elsewhere what is built is timed while the rest is built.
 */
#include "measure/work.h"

#include "base/clock.h"
#include "measure/recovery.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- Items -- */

enum anole_status anole_work_resume(struct anole_work *work, struct anole_error *error)
{
    struct anole_measure *measure = work->measure;
    enum anole_status status =
        anole_measure_prepare(measure, &work->stored, work->generator, error);
    if (status != ANOLE_DONE)
        return status;
    work->task = (struct anole_handle_task){
        .number = work->stored->number, .task = &work->stored->task, .data = work->stored->file};
    measure->terms.builds = &work->stored->builds;
    measure->terms.runs = &work->stored->runs;
    return ANOLE_DONE;
}

/* Items with a build that was made before, or that another item has made, need none. */
static void share_builds(struct anole_work *work)
{
    struct anole_measure *measure = work->measure;
    size_t waiting = 0;
    for (size_t i = 0; i < work->count; i++) {
        struct anole_item *item = &work->items[i];
        if (!anole_generator_executable(&item->executable, work->generator, item->config))
            item->executable = 0;
        else if (anole_build_store_find(&measure->built, item->executable))
            item->state = ANOLE_ITEM_BUILT;
        for (size_t k = 0; k < i && item->state == ANOLE_ITEM_WAITING; k++)
            if (work->items[k].executable == item->executable && item->executable != 0)
                item->state = ANOLE_ITEM_FOLLOWING;
        waiting += item->state == ANOLE_ITEM_WAITING;
    }
    /* One build alone is best made where it will run. */
    for (size_t i = 0; i < work->count; i++)
        if (waiting <= 1 || measure->builder_count == 0)
            work->items[i].state = ANOLE_ITEM_BUILT;
}

enum anole_status anole_work_init(struct anole_work *work, struct anole_measure *measure,
                                  const struct anole_generator *generator, const uint64_t *configs,
                                  size_t count, struct anole_error *error)
{
    const struct anole_space *space = anole_generator_space(generator);
    *work = (struct anole_work){.measure = measure,
                                .generator = generator,
                                .count = count,
                                .best = NAN,
                                .losses = measure->losses};
    enum anole_status status = anole_work_resume(work, error);
    if (status != ANOLE_DONE)
        return status;
    work->items = calloc(count + 1, sizeof *work->items);
    if (!work->items)
        return anole_fail_memory(error);
    const bool simulated = anole_measure_simulated(measure);
    for (size_t i = 0; i < count; i++) {
        struct anole_item *item = &work->items[i];
        item->config = configs[i];
        item->value_count = (uint32_t)anole_space_knob_count(space);
        item->state = simulated ? ANOLE_ITEM_BUILT : ANOLE_ITEM_WAITING;
        anole_space_values(space, configs[i], item->values);
        anole_result_clear(&item->result);
    }
    if (!simulated)
        share_builds(work);
    return ANOLE_DONE;
}

void anole_work_fini(struct anole_work *work)
{
    free(work->items);
    work->items = NULL;
}

void anole_item_fail(struct anole_item *item, enum anole_outcome outcome, const char *text)
{
    anole_result_clear(&item->result);
    item->result.outcome = outcome;
    snprintf(item->result.message, sizeof item->result.message, "%s", text);
}

/* Of a kernel that has worked before: its answers are its own doing, and so is what it
 * is made of; all else may be the device's. */
static bool may_pass(enum anole_outcome outcome)
{
    return outcome == ANOLE_OUTCOME_CRASH || outcome == ANOLE_OUTCOME_TIMEOUT ||
           outcome == ANOLE_OUTCOME_LAUNCH || outcome == ANOLE_OUTCOME_COMPILE;
}

bool anole_item_try_again(const struct anole_work *work, struct anole_item *item,
                          enum anole_outcome outcome)
{
    bool chance =
        !item->again && (work->compare ? may_pass(outcome) : outcome == ANOLE_OUTCOME_CRASH);
    item->again |= chance;
    return chance;
}

/* The time of a trial that had no chance to tell where it went. */
static void charge(struct anole_trial_cost *cost, const struct anole_handle *handle)
{
    double seconds = anole_clock() - handle->worker.began;
    switch (handle->worker.stage) {
    case ANOLE_STAGE_RUN:
    case ANOLE_STAGE_TIME:
        cost->run += seconds;
        break;
    case ANOLE_STAGE_VERIFY:
        cost->verify += seconds;
        break;
    case ANOLE_STAGE_TRANSFER:
        cost->transfer += seconds;
        break;
    default:
        cost->build += seconds;
        break;
    }
}

/* It has worked: one to try where others fail. */
static void note_right(struct anole_work *work, struct anole_item *item)
{
    struct anole_control *control = &work->measure->control;
    control->worked = true;
    item->right = ++work->events;
    if (work->control)
        return;
    control->good = work->generator;
    control->config = item->config;
}

enum anole_status anole_work_finish(struct anole_work *work, struct anole_item *item,
                                    struct anole_error *error)
{
    struct anole_result *result = &item->result;
    item->state = ANOLE_ITEM_DONE;
    result->cost.generate += item->spent.generate;
    result->cost.build += item->spent.build;
    if (result->outcome == ANOLE_OUTCOME_OK)
        note_right(work, item);
    if (result->outcome == ANOLE_OUTCOME_OK && !result->abandoned &&
        !(result->seconds >= work->best))
        work->best = result->seconds;
    if (!work->sink)
        return ANOLE_DONE;
    return work->sink(work->sink_context, (size_t)(item - work->items), item->config, result,
                      error);
}

/* What the compiler refuses, or does not come to an end with, it does so for all that share
 * it. */
static bool is_shared_fate(enum anole_outcome outcome)
{
    return outcome == ANOLE_OUTCOME_COMPILE || outcome == ANOLE_OUTCOME_TIMEOUT;
}

/* As a rule that stands, if it may not be the fault of something else. */
static enum anole_status doubt_item(struct anole_work *work, struct anole_item *item,
                                    enum anole_item_state retry, bool killed,
                                    struct anole_error *error)
{
    if (!work->measure->options.control || work->control || !may_pass(item->result.outcome))
        return anole_work_finish(work, item, error);
    item->state = ANOLE_ITEM_SUSPECT;
    item->failed = ++work->events;
    item->retry = retry;
    item->killed = killed;
    return ANOLE_DONE;
}

/* A build came to nothing: so do those that waited for it, or the next one tries. */
static enum anole_status fail_followers(struct anole_work *work, const struct anole_item *failed,
                                        struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    for (size_t i = 0; i < work->count && status == ANOLE_DONE; i++) {
        struct anole_item *item = &work->items[i];
        if (item->state != ANOLE_ITEM_FOLLOWING || item->executable != failed->executable)
            continue;
        if (!is_shared_fate(failed->result.outcome)) {
            item->state = ANOLE_ITEM_WAITING;
            break;
        }
        anole_item_fail(item, failed->result.outcome, failed->result.message);
        status = doubt_item(work, item, ANOLE_ITEM_WAITING, false, error);
    }
    return status;
}

/* It failed. */
static enum anole_status fail_item(struct anole_work *work, struct anole_item *item,
                                   enum anole_item_state retry, bool killed,
                                   struct anole_error *error)
{
    const bool was_building = item->state == ANOLE_ITEM_BUILDING;
    enum anole_status status = doubt_item(work, item, retry, killed, error);
    return status == ANOLE_DONE && was_building ? fail_followers(work, item, error) : status;
}

static void note_build(struct anole_work *work, const struct anole_item *built, const void *binary,
                       size_t bytes)
{
    if (built->executable == 0)
        return;
    work->measure->cost.executables++;
    anole_build_store_put(&work->measure->built, built->executable, binary, bytes);
    for (size_t i = 0; i < work->count; i++)
        if (work->items[i].state == ANOLE_ITEM_FOLLOWING &&
            work->items[i].executable == built->executable)
            work->items[i].state = ANOLE_ITEM_BUILT;
}

/* -- Asking -- */

static enum anole_status ask(struct anole_work *work, struct anole_handle *handle,
                             const struct anole_item *item, enum anole_frame_type request,
                             enum anole_frame_type expected, struct anole_error *error)
{
    struct anole_trial_request message = {.value_count = item->value_count,
                                          .best = work->best,
                                          .timer = work->control ? ANOLE_TIMER_UNSAID
                                                                 : work->measure->clock,
                                          .salt = work->salt};
    struct anole_handle_task task = work->task;
    struct anole_wire wire;
    memcpy(message.values, item->values, sizeof message.values);
    const struct anole_stored_build *built = NULL;
    if (request == ANOLE_FRAME_BUILD)
        task.data = -1;
    else if (item->executable != 0)
        built = anole_build_store_find(&work->measure->built, item->executable);
    if (built) {
        message.binary = built->binary;
        message.binary_bytes = built->bytes;
    }
    anole_wire_writer_init(&wire);
    anole_wire_trial_request(&wire, &message);
    enum anole_status status =
        anole_handle_ask(handle, &work->measure->terms, &task, request, expected, &wire, -1, error);
    anole_wire_fini(&wire);
    return status;
}

static enum anole_status ask_builders(struct anole_work *work, struct anole_error *error)
{
    struct anole_measure *measure = work->measure;
    enum anole_status status = ANOLE_DONE;
    size_t next = 0;
    if (anole_measure_waits(measure))
        return ANOLE_DONE;
    for (size_t b = 0; status == ANOLE_DONE && b < measure->builder_count; b++) {
        if (measure->builders[b].worker.busy)
            continue;
        while (next < work->count && work->items[next].state != ANOLE_ITEM_WAITING)
            next++;
        if (next == work->count)
            break;
        status = ask(work, &measure->builders[b], &work->items[next], ANOLE_FRAME_BUILD,
                     ANOLE_FRAME_BUILT, error);
        if (status == ANOLE_DONE) {
            work->items[next].state = ANOLE_ITEM_BUILDING;
            work->builder_items[b] = next;
        }
    }
    return status;
}

/* Whether a timing would be worth something now. */
static bool may_time(const struct anole_work *work)
{
    const struct anole_measure *measure = work->measure;
    if (measure->timer.worker.busy || !work->stored->ready || anole_measure_waits(measure))
        return false;
    if (!(measure->device.flags & ANOLE_DEVICE_SHARES_HOST))
        return true;
    for (size_t i = 0; i < work->count; i++)
        if (work->items[i].state == ANOLE_ITEM_WAITING ||
            work->items[i].state == ANOLE_ITEM_BUILDING)
            return false;
    return true;
}

/* Says, once, that a config is about to run where it may take everything with it. */
static enum anole_status announce(struct anole_work *work, struct anole_item *item,
                                  struct anole_error *error)
{
    const struct anole_measure *measure = work->measure;
    const uint32_t harmless = ANOLE_DEVICE_SHARES_HOST | ANOLE_DEVICE_SIMULATED;
    if (item->announced || work->compare || !measure->options.announce ||
        measure->device.flags & harmless)
        return ANOLE_DONE;
    item->announced = true;
    return measure->options.announce(measure->options.announce_context, work->generator,
                                     item->config, false, error);
}

/* Takes it back for what was not finished.  Best effort: there is an error already. */
static void withdraw(struct anole_work *work)
{
    const struct anole_measure_options *options = &work->measure->options;
    for (size_t i = 0; work->items && i < work->count; i++)
        if (work->items[i].announced && work->items[i].state != ANOLE_ITEM_DONE)
            options->announce(options->announce_context, work->generator, work->items[i].config,
                              true, NULL);
}

static enum anole_status ask_timer(struct anole_work *work, struct anole_error *error)
{
    if (!may_time(work))
        return ANOLE_DONE;
    for (size_t i = 0; i < work->count; i++) {
        struct anole_item *item = &work->items[i];
        if (item->state != ANOLE_ITEM_BUILT)
            continue;
        enum anole_status status = announce(work, item, error);
        if (status != ANOLE_DONE)
            return status;
        item->state = ANOLE_ITEM_TRYING;
        work->timer_item = i;
        return ask(work, &work->measure->timer, item,
                   work->compare ? ANOLE_FRAME_LOAD : ANOLE_FRAME_TRIAL, ANOLE_FRAME_RESULT, error);
    }
    return ANOLE_DONE;
}

/* -- Hearing -- */

/* The worker that held them is gone: what was loaded has to be once more. */
static void unload(struct anole_work *work)
{
    for (size_t i = 0; i < work->count; i++)
        if (work->items[i].state == ANOLE_ITEM_LOADED)
            work->items[i].state = ANOLE_ITEM_BUILT;
    work->loaded = 0;
}

/* The device may have been lost under all that hold it: who is idle lets go of it, so
 * that a second chance is none with a device that is gone. */
void anole_work_renew(struct anole_work *work)
{
    struct anole_measure *measure = work->measure;
    for (size_t i = 0; i < measure->builder_count; i++)
        if (!measure->builders[i].worker.busy)
            anole_handle_empty(&measure->builders[i]);
    if (!measure->timer.worker.busy) {
        anole_handle_empty(&measure->timer);
        unload(work);
    }
}

/* What a worker's end means for what it was at: `again` is the state in which to
 * try once more if the kernel is not to blame. */
static enum anole_status end_item(struct anole_work *work, struct anole_item *item,
                                  const struct anole_handle *handle, enum anole_worker_event event,
                                  const char *text, enum anole_item_state again,
                                  struct anole_error *error)
{
    if (event == ANOLE_WORKER_FAILED || !anole_stage_blames_kernel(handle->worker.stage)) {
        item->state = again;
        return anole_measure_bad_start(work->measure, handle, event, text, error);
    }
    enum anole_outcome outcome =
        event == ANOLE_WORKER_HANGS ? ANOLE_OUTCOME_TIMEOUT : ANOLE_OUTCOME_CRASH;
    if (work->compare && anole_item_try_again(work, item, outcome)) {
        item->state = again;
        anole_work_renew(work);
        return ANOLE_DONE;
    }
    anole_item_fail(item, outcome, text);
    charge(&item->result.cost, handle);
    return fail_item(work, item, again, handle->worker.process.trace.killed, error);
}

static bool read_reply(struct anole_trial_reply *reply, const struct anole_frame *frame)
{
    struct anole_wire wire;
    anole_wire_reader_init(&wire, frame->payload, frame->length);
    anole_wire_trial_reply(&wire, reply);
    return anole_wire_complete(&wire);
}

static enum anole_status take_build(struct anole_work *work, struct anole_handle *handle,
                                    struct anole_item *item, const struct anole_frame *frame,
                                    struct anole_error *error)
{
    struct anole_trial_reply reply;
    if (!read_reply(&reply, frame)) {
        anole_handle_empty(handle);
        item->state = ANOLE_ITEM_WAITING;
        return anole_measure_bad_start(work->measure, handle, ANOLE_WORKER_ANSWERED,
                                       "it answered with nonsense", error);
    }
    anole_measure_good(work->measure);
    work->measure->builds++;
    item->result = reply.result;
    if (anole_item_try_again(work, item, reply.result.outcome)) {
        item->state = ANOLE_ITEM_WAITING;
        anole_work_renew(work);
        return ANOLE_DONE;
    }
    if (reply.result.outcome == ANOLE_OUTCOME_OK) {
        item->built = ++work->events;
        item->spent = reply.result.cost;
        item->state = ANOLE_ITEM_BUILT;
        note_build(work, item, reply.binary_bytes > 0 ? reply.binary : NULL, reply.binary_bytes);
    }
    anole_handle_review(handle, &work->measure->terms, &reply.usage);
    return reply.result.outcome == ANOLE_OUTCOME_OK
               ? ANOLE_DONE
               : fail_item(work, item, ANOLE_ITEM_WAITING, false, error);
}

static enum anole_status hear_builder(struct anole_work *work, size_t at, struct anole_error *error)
{
    struct anole_handle *handle = &work->measure->builders[at];
    struct anole_item *item = &work->items[work->builder_items[at]];
    struct anole_frame frame;
    char text[256];
    enum anole_worker_event event =
        anole_handle_check(handle, &work->measure->terms, &frame, text, sizeof text);
    if (event == ANOLE_WORKER_WAITING)
        return ANOLE_DONE;
    if (event == ANOLE_WORKER_ANSWERED)
        return take_build(work, handle, item, &frame, error);
    return end_item(work, item, handle, event, text, ANOLE_ITEM_WAITING, error);
}

static enum anole_status take_result(struct anole_work *work, struct anole_item *item,
                                     const struct anole_frame *frame, struct anole_error *error)
{
    struct anole_handle *handle = &work->measure->timer;
    struct anole_trial_reply reply;
    if (!read_reply(&reply, frame)) {
        anole_handle_empty(handle);
        unload(work);
        item->state = ANOLE_ITEM_BUILT;
        return anole_measure_bad_start(work->measure, handle, ANOLE_WORKER_ANSWERED,
                                       "it answered with nonsense", error);
    }
    anole_measure_good(work->measure);
    work->measure->builds++;
    item->result = reply.result;
    if (reply.result.outcome == ANOLE_OUTCOME_OK && item->executable != 0 &&
        !anole_build_store_find(&work->measure->built, item->executable))
        note_build(work, item, NULL, 0); /* the timing worker has made it itself */
    if (reply.result.outcome == ANOLE_OUTCOME_OK && !work->control)
        work->measure->clock = reply.result.timer;
    bool load = work->compare && reply.result.outcome == ANOLE_OUTCOME_OK;
    if (load) {
        item->state = ANOLE_ITEM_LOADED;
        item->slot = work->loaded++;
    }
    if (anole_item_try_again(work, item, reply.result.outcome)) {
        item->state = ANOLE_ITEM_BUILT;
        anole_work_renew(work);
        return ANOLE_DONE;
    }
    anole_handle_review(handle, &work->measure->terms, &reply.usage);
    if (!anole_process_alive(&handle->worker.process))
        unload(work);
    if (load)
        return ANOLE_DONE;
    return reply.result.outcome == ANOLE_OUTCOME_OK
               ? anole_work_finish(work, item, error)
               : fail_item(work, item, ANOLE_ITEM_BUILT, false, error);
}

static enum anole_status hear_timer(struct anole_work *work, struct anole_error *error)
{
    struct anole_handle *handle = &work->measure->timer;
    struct anole_item *item = &work->items[work->timer_item];
    struct anole_frame frame;
    char text[256];
    enum anole_worker_event event =
        anole_handle_check(handle, &work->measure->terms, &frame, text, sizeof text);
    if (event == ANOLE_WORKER_WAITING)
        return ANOLE_DONE;
    if (event == ANOLE_WORKER_ANSWERED)
        return take_result(work, item, &frame, error);
    unload(work);
    return end_item(work, item, handle, event, text, ANOLE_ITEM_BUILT, error);
}

/* -- The loop -- */

bool anole_work_settled(const struct anole_work *work)
{
    for (size_t i = 0; i < work->count; i++)
        if (work->items[i].state < ANOLE_ITEM_LOADED)
            return false;
    return true;
}

enum anole_status anole_work_settle(struct anole_work *work, struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    while (status == ANOLE_DONE && !anole_work_settled(work)) {
        status = ask_builders(work, error);
        if (status == ANOLE_DONE)
            status = ask_timer(work, error);
        if (status == ANOLE_DONE)
            status = anole_measure_turn(work->measure, error);
        for (size_t i = 0; status == ANOLE_DONE && i < work->measure->builder_count; i++)
            status = hear_builder(work, i, error);
        if (status == ANOLE_DONE)
            status = hear_timer(work, error);
    }
    return status;
}

void anole_work_abandon(struct anole_work *work)
{
    anole_measure_abandon(work->measure);
    withdraw(work);
}
