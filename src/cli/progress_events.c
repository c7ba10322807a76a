/* SPDX-License-Identifier: MIT */
#include "cli/progress_events.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/progress_share.h"
#include "cli/report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define TICK_INTERVAL 1.0 /* seconds */

/* An event is one write, so that those of several threads do not mix.  Takes over the reference;
 * an event for which there is no memory is lost, as a line of a display would be. */
static void put(json_t *event)
{
    char *text = event ? anole_json_dump(event, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
    if (text)
        fprintf(stderr, "%s\n", text);
    free(text);
    json_decref(event);
}

static json_t *new_event(const char *kind)
{
    return json_pack("{s:s}", "event", kind);
}

/* ---------------------------------------------------------------- messages */

static void put_message(void *context, enum anole_level level, const char *text)
{
    static const char *const names[] = {
        [ANOLE_LEVEL_ERROR] = "error",
        [ANOLE_LEVEL_WARNING] = "warning",
        [ANOLE_LEVEL_INFO] = "info",
        [ANOLE_LEVEL_DEBUG] = "debug",
    };
    (void)context;
    json_t *event = new_event("message");
    json_object_set_new(event, "level", json_string(names[level]));
    json_object_set_new(event, "text", json_string(text));
    put(event);
}

void anole_progress_events_begin(void)
{
    anole_log_set_sink(put_message, NULL);
}

/* ---------------------------------------------------------------- the run */

void anole_progress_events_start(const char *network, const char *device, const char *history,
                                 const char *output)
{
    json_t *event = new_event("start");
    json_object_set_new(event, "network", json_string(network));
    json_object_set_new(event, "device", json_string(device));
    json_object_set_new(event, "history", json_string(history));
    json_object_set_new(event, "output", json_string(output));
    put(event);
}

static json_t *failures(const struct anole_tune_state *state)
{
    json_t *object = json_object();
    for (int kind = 0; kind < ANOLE_OUTCOME_COUNT; kind++) {
        size_t count = 0;
        for (size_t i = 0; i < state->task_count; i++)
            count += state->tasks[i]->outcomes[kind];
        if (count > 0)
            json_object_set_new(object, anole_outcome_text((enum anole_outcome)kind),
                                json_integer((json_int_t)count));
    }
    return object;
}

static json_t *current_task(const struct anole_tune_state *state)
{
    const struct anole_tune_task *task = state->tasks[state->current];
    json_t *object = json_pack("{s:s, s:I, s:I}", "label", task->task->label, "number",
                               (json_int_t)state->current + 1, "trials", (json_int_t)task->trials);
    json_object_set_new(object, "default_seconds", anole_json_real(task->default_seconds));
    json_object_set_new(object, "best_seconds", anole_json_real(task->best_seconds));
    return object;
}

static json_t *network(const struct anole_tune_state *state)
{
    double before, after;
    anole_progress_estimate(state, &before, &after);
    json_t *object = json_object();
    json_object_set_new(object, "default_seconds", anole_json_real(before > 0.0 ? before : NAN));
    json_object_set_new(object, "best_seconds", anole_json_real(after > 0.0 ? after : NAN));
    return object;
}

void anole_progress_events_show(enum anole_tune_event kind, const struct anole_tune_state *state)
{
    static const char *const names[] = {
        [ANOLE_TUNE_PHASE] = "phase", [ANOLE_TUNE_TRIAL] = "trial", [ANOLE_TUNE_TICK] = "tick"};
    static double shown = -TICK_INTERVAL;
    const double now = anole_clock();
    if (kind == ANOLE_TUNE_TICK && now - shown < TICK_INTERVAL)
        return;
    shown = now;
    json_t *event = new_event(names[kind]);
    json_object_set_new(event, "phase", json_string(state->phase_text));
    json_object_set_new(event, "done", json_real(anole_progress_share(state)));
    json_object_set_new(event, "elapsed_seconds", json_real(state->elapsed));
    json_object_set_new(event, "limit_seconds",
                        anole_json_real(state->time_limit > 0.0 ? state->time_limit : NAN));
    json_object_set_new(event, "trials", json_integer((json_int_t)state->trials));
    json_object_set_new(event, "tasks", json_integer((json_int_t)state->task_count));
    if (state->task_count > 0)
        json_object_set_new(event, "task", current_task(state));
    json_object_set_new(event, "estimate", network(state));
    json_object_set_new(event, "failures", failures(state));
    json_object_set_new(event, "disturbed", json_real(state->crowding));
    put(event);
}

static void put_task(const struct anole_result_info *result)
{
    json_t *event = new_event("task");
    json_object_set_new(event, "layer", json_string(result->layer));
    json_object_set_new(event, "label", json_string(result->label));
    json_object_set_new(event, "found", json_boolean(result->found));
    json_object_set_new(event, "trials", json_integer((json_int_t)result->trials));
    json_object_set_new(event, "default_seconds", anole_json_real(result->default_seconds));
    json_object_set_new(event, "seconds", anole_json_real(result->found ? result->seconds : NAN));
    put(event);
}

void anole_progress_events_end(const struct anole_results *results)
{
    for (size_t i = 0; i < anole_results_count(results); i++)
        put_task(anole_results_get(results, i));
    struct anole_report_sum sum;
    anole_report_add_up(&sum, results);
    json_t *event = new_event("end");
    json_object_set_new(event, "elapsed_seconds", json_real(anole_results_state(results)->elapsed));
    json_object_set_new(event, "default_seconds", anole_json_real(sum.layers ? sum.before : NAN));
    json_object_set_new(event, "seconds", anole_json_real(sum.layers ? sum.after : NAN));
    json_object_set_new(event, "layers", json_integer((json_int_t)sum.layers));
    json_object_set_new(event, "layers_missing", json_integer((json_int_t)sum.missing));
    put(event);
}
