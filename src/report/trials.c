/* SPDX-License-Identifier: MIT
 *
 * The trials of a history, sorted into the columns of a report.
 */
#include "report/model.h"

#include "base/hash.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where trials of one key go: a task of each column that it is of. */
struct places {
    struct anole_report_column *columns[ANOLE_REPORT_COLUMNS];
    struct anole_report_task *tasks[ANOLE_REPORT_COLUMNS];
    size_t count;
};

/* ---------------------------------------------------------------- one trial */

static void count(struct anole_report_tally *tally, const struct anole_result *result)
{
    const struct anole_trial_cost *cost = &result->cost;
    tally->trials++;
    if (result->outcome < ANOLE_OUTCOME_COUNT)
        tally->by_outcome[result->outcome]++;
    tally->abandoned += result->outcome == ANOLE_OUTCOME_OK && result->abandoned;
    tally->simulated += result->simulated;
    tally->cost.generate += cost->generate;
    tally->cost.build += cost->build;
    tally->cost.transfer += cost->transfer;
    tally->cost.run += cost->run;
    tally->cost.verify += cost->verify;
    if (result->outcome != ANOLE_OUTCOME_OK)
        return;
    tally->timed++;
    tally->by_timer[result->timer < ANOLE_TIMER_COUNT ? result->timer : 0]++;
    tally->disturbed += result->disturbed > 0;
    tally->crowding += result->crowding;
    tally->worst_crowding = fmax(tally->worst_crowding, result->crowding);
}

/* A duration as it may stand in a file: what is none is nothing. */
static double sane(double seconds)
{
    return isfinite(seconds) && seconds > 0.0 && seconds < 1e9 ? seconds : 0.0;
}

static void make_sane(struct anole_result *result)
{
    struct anole_trial_cost *cost = &result->cost;
    cost->generate = sane(cost->generate);
    cost->build = sane(cost->build);
    cost->transfer = sane(cost->transfer);
    cost->run = sane(cost->run);
    cost->verify = sane(cost->verify);
    if (!(result->crowding > 0.0))
        result->crowding = 0.0;
    if (result->crowding > 1.0)
        result->crowding = 1.0;
}

static bool grow(struct anole_report_task *task)
{
    if (task->trial_count < task->trial_room)
        return true;
    size_t room = task->trial_room ? 2 * task->trial_room : 64;
    struct anole_report_trial *trials = reallocarray(task->trials, room, sizeof *trials);
    if (!trials)
        return false;
    task->trials = trials;
    int64_t *values =
        reallocarray(task->values, room, (task->knob_count + 1) * sizeof *task->values);
    if (!values)
        return false;
    task->values = values;
    task->trial_room = room;
    return true;
}

/* The first trial says which knobs there are. */
static bool take_names(struct anole_report_task *task, const struct anole_history_trial *trial)
{
    if (task->trial_count || task->knob_names)
        return true;
    task->knob_names = calloc(trial->knob_count + 1, sizeof *task->knob_names);
    if (!task->knob_names)
        return false;
    task->knob_count = trial->knob_count;
    memcpy(task->knob_names, trial->names, trial->knob_count * sizeof *task->knob_names);
    return true;
}

/* The values of a trial in the order of the task's knobs; false: it has others. */
static bool take_values(int64_t *row, const struct anole_report_task *task,
                        const struct anole_history_trial *trial)
{
    if (trial->knob_count != task->knob_count)
        return false;
    for (size_t k = 0; k < task->knob_count; k++) {
        size_t at = k;
        if (strcmp(trial->names[k], task->knob_names[k]) != 0)
            for (at = 0; at < trial->knob_count; at++)
                if (strcmp(trial->names[at], task->knob_names[k]) == 0)
                    break;
        if (at == trial->knob_count)
            return false;
        row[k] = trial->values[at];
    }
    return true;
}

static enum anole_status add_trial(struct anole_report_task *task,
                                   const struct anole_history_trial *trial,
                                   const struct anole_result *result, struct anole_error *error)
{
    if (!take_names(task, trial) || !grow(task))
        return anole_fail_memory(error);
    double value = anole_result_value(result);
    bool ok = result->outcome == ANOLE_OUTCOME_OK && isfinite(value) && value > 0.0;
    const struct anole_trial_cost *cost = &result->cost;
    int64_t *row = task->values + task->trial_count * task->knob_count;
    task->trials[task->trial_count++] = (struct anole_report_trial){
        .value = ok ? value : NAN,
        .spent = cost->generate + cost->build + cost->transfer + cost->run + cost->verify,
        .id = trial->id,
        .ok = ok,
        .abandoned = result->abandoned,
        .odd = !take_values(row, task, trial),
    };
    return ANOLE_DONE;
}

/* ----------------------------------------------------------------- failures */

static enum anole_status add_failure(struct anole_report_column *column,
                                     const struct anole_report_task *task,
                                     const struct anole_result *result, struct anole_error *error)
{
    char pattern[256];
    anole_text_pattern(pattern, sizeof pattern, result->message);
    uint64_t hash = anole_hash_combine(anole_hash_text(pattern), result->outcome);
    for (size_t i = 0; i < column->failure_count; i++)
        if (column->failures[i].hash == hash) {
            column->failures[i].count++;
            return ANOLE_DONE;
        }
    if (column->failure_count == ANOLE_REPORT_FAILURES)
        return ANOLE_DONE; /* the tally by outcome has it */
    struct anole_report_failure *failures =
        reallocarray(column->failures, column->failure_count + 1, sizeof *failures);
    if (!failures)
        return anole_fail_memory(error);
    column->failures = failures;
    struct anole_report_failure *failure = &failures[column->failure_count++];
    *failure = (struct anole_report_failure){.outcome = result->outcome, .hash = hash, .count = 1};
    snprintf(failure->message, sizeof failure->message, "%s", result->message);
    snprintf(failure->task, sizeof failure->task, "%s", task->label);
    return ANOLE_DONE;
}

static enum anole_status visit(void *context, const struct anole_history_trial *trial,
                               struct anole_error *error)
{
    struct places *places = context;
    struct anole_result result = trial->result;
    enum anole_status status = ANOLE_DONE;
    make_sane(&result);
    for (size_t i = 0; i < places->count && status == ANOLE_DONE; i++) {
        count(&places->columns[i]->tally, &result);
        count(&places->tasks[i]->tally, &result);
        places->columns[i]->simulated |= result.simulated;
        status = add_trial(places->tasks[i], trial, &result, error);
        if (status == ANOLE_DONE && result.outcome != ANOLE_OUTCOME_OK)
            status = add_failure(places->columns[i], places->tasks[i], &result, error);
    }
    return status;
}

/* -------------------------------------------------------------------- keys */

/* Whether trials of this key are of the device of a column.  In a lock file 0 threads are all. */
static bool is_of(const struct anole_report_column *column, const struct anole_history_key *key,
                  uint32_t dtype)
{
    return column->generator == key->generator && column->metric == key->metric &&
           (column->threads == key->threads || (column->lock && column->threads == 0)) &&
           (column->lock || column->dtype == dtype) &&
           anole_lock_same_text(column->backend, key->backend) &&
           anole_lock_same_text(column->backend_version, key->backend_version) &&
           anole_lock_same_text(column->device, key->device) &&
           anole_lock_same_text(column->driver, key->driver) &&
           anole_lock_same_text(column->driver_version, key->driver_version);
}

/* A column of its own for the device of a key.  *column NULL: there are too many. */
static enum anole_status make_column(struct anole_report_column **column,
                                     struct anole_report *report,
                                     const struct anole_history_key *key, uint32_t dtype,
                                     const char *path, struct anole_error *error)
{
    const char *texts[] = {key->backend, key->backend_version, key->device, key->driver,
                           key->driver_version};
    const char *copies[5];
    struct anole_text owned = {0};
    for (size_t i = 0; i < 5; i++)
        anole_text_append(&owned, texts[i], strlen(texts[i]) + 1);
    if (owned.failed) {
        anole_text_fini(&owned);
        return anole_fail_memory(error);
    }
    *column = anole_report_add_column(report);
    if (!*column) {
        anole_text_fini(&owned);
        return ANOLE_DONE;
    }
    const char *at = owned.data;
    for (size_t i = 0; i < 5; at += strlen(at) + 1, i++)
        copies[i] = at;
    struct anole_report_column filled = {
        .letter = (*column)->letter,
        .path = path,
        .owned = owned.data,
        .id = "",
        .backend = copies[0],
        .backend_version = copies[1],
        .device = copies[2],
        .driver = copies[3],
        .driver_version = copies[4],
        .generator = key->generator,
        .threads = key->threads,
        .dtype = dtype,
        .metric = key->metric,
    };
    **column = filled;
    return ANOLE_DONE;
}

static uint32_t dtype_of(const char *task)
{
    struct anole_task parsed;
    return anole_task_parse_key(&parsed, task, NULL) == ANOLE_DONE ? parsed.dtype : 0;
}

/* Of columns of lock files, only tasks that these hold. */
static enum anole_status find_places(struct places *places, struct anole_report *report,
                                     const struct anole_history_key *key, const char *path,
                                     struct anole_error *error)
{
    uint32_t dtype = dtype_of(key->task);
    struct anole_report_column *own = NULL;
    places->count = 0;
    for (size_t c = 0; c < report->column_count; c++) {
        struct anole_report_column *column = &report->columns[c];
        if (!is_of(column, key, dtype))
            continue;
        if (!column->lock) {
            own = column;
            break;
        }
        const struct anole_report_task *task = anole_report_find(column, key->task, key->warmth);
        if (!task)
            continue;
        places->columns[places->count] = column;
        places->tasks[places->count++] = &column->tasks[task - column->tasks];
    }
    if (report->has_locks)
        return ANOLE_DONE;
    enum anole_status status =
        own ? ANOLE_DONE : make_column(&own, report, key, dtype, path, error);
    if (status || !own)
        return status;
    places->columns[0] = own;
    places->tasks[0] = anole_report_task(own, key->task, key->warmth);
    places->count = 1;
    return places->tasks[0] ? ANOLE_DONE : anole_fail_memory(error);
}

static void note_left_out(struct anole_report *report, size_t keys, size_t trials, const char *path)
{
    char safe[200], number[32];
    if (keys)
        anole_text_printf(&report->notes,
                          "%s: %s trials are left out, of %zu task%s, device%s or version%s that "
                          "the lock files do not hold.\n",
                          anole_text_printable(safe, sizeof safe, path),
                          anole_text_count(number, sizeof number, trials), keys,
                          keys == 1 ? "" : "s", keys == 1 ? "" : "s", keys == 1 ? "" : "s");
}

static void note_lines(struct anole_report *report, const struct anole_history *history,
                       const char *path)
{
    char safe[200];
    anole_text_printable(safe, sizeof safe, path);
    if (anole_history_damaged(history))
        anole_text_printf(&report->notes, "%s: %zu damaged lines were skipped.\n", safe,
                          anole_history_damaged(history));
    if (anole_history_newer(history))
        anole_text_printf(&report->notes, "%s: %zu lines were skipped that a newer Anole wrote.\n",
                          safe, anole_history_newer(history));
}

enum anole_status anole_report_add_history(struct anole_report *report,
                                           const struct anole_history *history, const char *path,
                                           struct anole_error *error)
{
    struct anole_history_found *found = calloc(1, sizeof *found);
    struct places places;
    size_t next = 0, left_keys = 0, left_trials = 0;
    enum anole_status status = found ? ANOLE_DONE : anole_fail_memory(error);
    while (status == ANOLE_DONE && anole_history_next_key(history, &next, found)) {
        status = find_places(&places, report, &found->key, path, error);
        if (status == ANOLE_DONE && places.count == 0) {
            struct anole_history_count counted;
            anole_history_count(history, &found->key, &counted);
            left_keys++;
            left_trials += counted.trials;
        } else if (status == ANOLE_DONE) {
            status = anole_history_visit(history, &found->key, visit, &places, error);
        }
    }
    free(found);
    note_left_out(report, left_keys, left_trials, path);
    note_lines(report, history, path);
    return status;
}
