/* SPDX-License-Identifier: MIT
 *
 * A report as JSON: docs/report.md lists the members.
 */
#include "report/write.h"

#include "base/json.h"
#include "report/curve.h"
#include "report/facts.h"
#include "report/knobs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define JSON_VERSION 1

/* Text from a file, printable. */
static json_t *shown(const char *text)
{
    struct anole_text safe = {0};
    anole_text_append_printable(&safe, text, strlen(text));
    anole_text_append(&safe, "", 0);
    json_t *value = safe.failed ? NULL : json_string(safe.data);
    anole_text_fini(&safe);
    return value;
}

static json_t *count(size_t number)
{
    return json_integer((json_int_t)number);
}

static json_t *interval(double middle, double low, double high)
{
    if (!isfinite(middle))
        return json_null();
    return json_pack("{s:o, s:o, s:o}", "median", anole_json_real(middle), "low",
                     anole_json_real(low), "high", anole_json_real(high));
}

static json_t *config(const struct anole_report_task *task)
{
    json_t *knobs = json_object();
    for (size_t i = 0; task->lock && i < task->lock->knob_count; i++)
        json_object_set_new(knobs, task->lock->knobs[i].name,
                            json_integer(task->lock->knobs[i].value));
    for (size_t i = 0; !task->lock && task->best_values && i < task->knob_count; i++) {
        char name[4 * ANOLE_KNOB_NAME];
        json_object_set_new(knobs, anole_text_printable(name, sizeof name, task->knob_names[i]),
                            json_integer(task->best_values[i]));
    }
    return knobs;
}

/* [trials, seconds, value] of each step. */
static json_t *curve(const struct anole_curve *drawn)
{
    json_t *list = json_array();
    for (size_t i = 0; i < drawn->count; i++)
        json_array_append_new(list, json_pack("[f, f, o]", drawn->points[i].trials,
                                              drawn->points[i].seconds,
                                              anole_json_real(drawn->points[i].value)));
    return list;
}

static json_t *tally_json(const struct anole_report_tally *tally)
{
    struct anole_report_cost costs[ANOLE_REPORT_COSTS];
    json_t *outcomes = json_object(), *seconds = json_object();
    double sum = anole_report_costs(costs, tally);
    for (size_t o = 0; o < ANOLE_OUTCOME_COUNT; o++)
        if (tally->by_outcome[o])
            json_object_set_new(outcomes, anole_outcome_text((enum anole_outcome)o),
                                count(tally->by_outcome[o]));
    for (size_t i = 0; i < ANOLE_REPORT_COSTS; i++)
        json_object_set_new(seconds, costs[i].name, anole_json_real(costs[i].seconds));
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "trials", count(tally->trials), "abandoned",
        count(tally->abandoned), "outcomes", outcomes, "seconds", anole_json_real(sum), "where",
        seconds, "disturbed_trials", count(tally->disturbed), "crowding",
        tally->timed ? anole_json_real(tally->crowding / (double)tally->timed) : json_null(),
        "worst_crowding", anole_json_real(tally->worst_crowding));
}

static json_t *knobs_json(const struct anole_report_task *task)
{
    const struct anole_report_knobs *knobs = task->knobs;
    json_t *list = json_array();
    if (!knobs) {
        json_decref(list);
        return json_null();
    }
    for (size_t k = 0; k < knobs->count; k++)
        json_array_append_new(list,
                              json_pack("{s:o, s:o, s:o}", "knob",
                                        shown(task->knob_names[knobs->knobs[k].knob]), "importance",
                                        anole_json_real(knobs->knobs[k].importance), "values",
                                        count(knobs->knobs[k].values)));
    return json_pack("{s:o, s:o, s:o}", "configs", count(knobs->configs), "explained",
                     anole_json_real(knobs->explained), "knobs", list);
}

static json_t *task_json(const struct anole_report_task *task)
{
    struct anole_curve *drawn = malloc(sizeof *drawn);
    if (!drawn)
        return NULL;
    anole_curve_of_task(drawn, task);
    json_t *object = json_pack(
        "{s:o, s:o, s:s, s:I, s:s, s:o, s:o, s:o, s:o, s:b, s:b, s:o, s:o, s:o}", "task",
        shown(task->key), "label", shown(task->label), "kind", task->kind, "multiplicity",
        (json_int_t)task->multiplicity, "timing", anole_warmth_text(task->warmth), "share",
        anole_json_real(task->share), "default_seconds", anole_json_real(task->default_value),
        "seconds",
        isfinite(task->low) ? interval(task->value, task->low, task->high)
                            : interval(task->value, NAN, NAN),
        "speedup", interval(task->speedup, task->speedup_low, task->speedup_high), "tie", task->tie,
        "default_is_first_trial", task->first_is_default, "config", config(task), "flops",
        task->flops > 0 ? anole_json_real(task->flops) : json_null(), "bytes",
        task->bytes > 0 ? anole_json_real(task->bytes) : json_null());
    if (object && task->trial_count) {
        json_object_set_new(object, "tally", tally_json(&task->tally));
        json_object_set_new(object, "best_so_far", curve(drawn));
        json_object_set_new(object, "knobs", knobs_json(task));
    }
    free(drawn);
    return object;
}

static json_t *failures_json(const struct anole_report_column *column)
{
    json_t *list = json_array();
    for (size_t i = 0; i < column->failure_count; i++)
        json_array_append_new(list, json_pack("{s:s, s:o, s:o, s:o}", "outcome",
                                              anole_outcome_text(column->failures[i].outcome),
                                              "message", shown(column->failures[i].message),
                                              "layer", shown(column->failures[i].task), "count",
                                              count(column->failures[i].count)));
    return list;
}

static json_t *in_place_json(const struct anole_report_column *column)
{
    const struct anole_lock_in_place *whole = anole_report_in_place(column);
    if (!whole)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:I, s:I, s:I, s:b}", "seconds",
                     interval(whole->seconds, whole->low, whole->high), "default_seconds",
                     interval(whole->default_seconds, whole->default_low, whole->default_high),
                     "speedup", interval(whole->speedup, whole->speedup_low, whole->speedup_high),
                     "steps", (json_int_t)whole->steps, "steps_tuned",
                     (json_int_t)whole->steps_tuned, "rounds", (json_int_t)whole->rounds,
                     "disturbed", whole->disturbed);
}

static json_t *environment_json(const struct anole_report_column *column)
{
    struct anole_report_fact facts[ANOLE_REPORT_FACTS];
    json_t *object = json_object();
    size_t facts_count = anole_report_environment(facts, column);
    for (size_t i = 0; i < facts_count; i++)
        json_object_set_new(object, facts[i].name, shown(facts[i].text));
    return object;
}

static json_t *column_json(const struct anole_report *report,
                           const struct anole_report_column *column, struct anole_curve *drawn)
{
    json_t *tasks = json_array();
    double flops, bytes;
    char letter[2] = {column->letter, '\0'};
    for (size_t i = 0; i < column->task_count; i++)
        json_array_append_new(tasks, task_json(&column->tasks[i]));
    anole_report_roof(&flops, &bytes, report, column);
    json_t *object =
        json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o}", "letter", letter,
                  "id", shown(column->id), "environment", environment_json(column), "seconds",
                  anole_json_real(column->sum), "default_seconds",
                  column->compared ? anole_json_real(column->before) : json_null(), "tuned_seconds",
                  column->compared ? anole_json_real(column->after) : json_null(), "simulated",
                  column->simulated, "in_place", in_place_json(column), "roof_flops_per_second",
                  flops > 0 ? anole_json_real(flops) : json_null(), "roof_bytes_per_second",
                  bytes > 0 ? anole_json_real(bytes) : json_null(), "failures",
                  failures_json(column), "tasks", tasks);
    if (object && column->tally.trials) {
        json_object_set_new(object, "tally", tally_json(&column->tally));
        json_object_set_new(object, "best_so_far", curve(drawn));
    }
    return object;
}

static json_t *run_json(const struct anole_report_network *run)
{
    json_t *steps = json_array();
    double at = 0.0;
    for (size_t i = 0; i < run->step_count; i++) {
        const struct anole_report_step *step = &run->steps[i];
        json_array_append_new(steps, json_pack("{s:o, s:o, s:s, s:f, s:o}", "node",
                                               shown(step->node), "label", shown(step->label),
                                               "kernel", anole_report_step_text(step->kind), "at",
                                               at, "seconds", anole_json_real(step->seconds)));
        at += isnan(step->seconds) ? 0.0 : step->seconds;
    }
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "network", shown(run->name), "device",
                     shown(run->device), "seconds", interval(run->latency, run->low, run->high),
                     "sum", anole_json_real(run->sum), "steps", steps);
}

static json_t *notes_json(const struct anole_report *report)
{
    json_t *list = json_array();
    const char *at = report->notes.length ? report->notes.data : "";
    for (const char *end; *at && (end = strchr(at, '\n')); at = end + 1)
        json_array_append_new(list, json_stringn(at, (size_t)(end - at)));
    return list;
}

enum anole_status anole_report_write_json(struct anole_text *out, const struct anole_report *report,
                                          struct anole_error *error)
{
    struct anole_curve *drawn = calloc(1, sizeof *drawn);
    json_t *devices = json_array();
    enum anole_status status = drawn && devices ? ANOLE_DONE : anole_fail_memory(error);
    for (size_t c = 0; c < report->column_count && status == ANOLE_DONE; c++) {
        status = anole_curve_of_column(drawn, &report->columns[c], error);
        if (status == ANOLE_DONE &&
            json_array_append_new(devices, column_json(report, &report->columns[c], drawn)))
            status = anole_fail_memory(error);
    }
    json_t *root = json_pack("{s:i, s:o, s:O, s:o, s:o}", "anole_report", JSON_VERSION, "network",
                             report->network ? shown(report->network) : json_null(), "devices",
                             devices, "run", report->run ? run_json(report->run) : json_null(),
                             "left_out", notes_json(report));
    char *text = status == ANOLE_DONE && root
                     ? anole_json_dump(root, JSON_INDENT(1) | JSON_REAL_PRECISION(9))
                     : NULL;
    if (text) {
        anole_text_append(out, text, strlen(text));
        anole_text_append(out, "\n", 1);
    }
    if (status == ANOLE_DONE && (!text || out->failed))
        status = anole_fail_memory(error);
    free(text);
    free(drawn);
    json_decref(root);
    json_decref(devices);
    return status;
}
