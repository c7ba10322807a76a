/* SPDX-License-Identifier: MIT */
#include "cli/report.h"

#include "base/text.h"
#include "cli/table.h"

#include <math.h>
#include <stdio.h>

void anole_report_add_up(struct anole_report_sum *sum, const struct anole_tuner_view *view,
                         const struct anole_tuner_final *finals)
{
    *sum = (struct anole_report_sum){0};
    for (size_t i = 0; i < view->task_count; i++) {
        uint32_t layers = view->tasks[i].source->multiplicity;
        if (!finals[i].found || isnan(finals[i].default_value)) {
            sum->missing += layers;
            continue;
        }
        sum->layers += layers;
        sum->before += layers * finals[i].default_value;
        sum->after += layers * finals[i].value;
        sum->flops += layers * view->tasks[i].flops;
    }
}

double anole_report_overhead(const struct anole_tuner_view *view)
{
    const struct anole_measure_cost *cost = &view->measure;
    double useful = cost->build + cost->prepare + cost->transfer + cost->run + cost->verify;
    return view->elapsed > 0.0 ? (view->elapsed - useful) / view->elapsed : 0.0;
}

/* ------------------------------------------------------------------ words */

static void print_speedup(struct anole_table *table, const struct anole_tuner_final *final)
{
    if (final->tie)
        anole_table_cell(table, "1.00x (default kept)");
    else if (isnan(final->speedup))
        anole_table_cell(table, "the default failed");
    else
        anole_table_cell(table, "%.2fx [%.2f, %.2f]", final->speedup, final->speedup_low,
                         final->speedup_high);
}

static void print_row(struct anole_table *table, const struct anole_tuner_task *task,
                      const struct anole_tuner_final *final)
{
    char text[32];
    anole_table_cell(table, "%s", task->source->layer);
    anole_table_cell(table, "%s", task->label);
    anole_table_cell(table, "%u", task->source->multiplicity);
    anole_table_cell(table, "%zu", task->trials);
    anole_table_cell(table, "%s",
                     isnan(final->default_value) || !final->found
                         ? "-"
                         : anole_text_seconds(text, sizeof text, final->default_value));
    if (!final->found) {
        anole_table_cell(table, "-");
        anole_table_cell(table, "-");
        anole_table_cell(table, "nothing valid found");
        return;
    }
    anole_table_cell(table, "%s", anole_text_seconds(text, sizeof text, final->value));
    anole_table_gflops(table, task->flops, final->value);
    print_speedup(table, final);
}

static void print_sum(const struct anole_tuner_view *view, const struct anole_tuner_final *finals)
{
    struct anole_report_sum sum;
    char before[32], after[32];
    anole_report_add_up(&sum, view, finals);
    if (sum.layers > 0)
        printf("\nnetwork: %s -> %s, %.2fx", anole_text_seconds(before, sizeof before, sum.before),
               anole_text_seconds(after, sizeof after, sum.after), sum.before / sum.after);
    if (sum.layers > 0 && sum.flops > 0.0)
        printf(", %.1f GFLOP/s", sum.flops / sum.after * 1e-9);
    if (sum.layers > 0)
        printf(" over %zu tuned layers\n", sum.layers);
    if (sum.missing > 0)
        printf("%zu layers are not in this sum: their default or every config failed\n",
               sum.missing);
}

static void print_costs(const struct anole_tuner_view *view)
{
    const struct anole_measure_cost *cost = &view->measure;
    double search = view->search.model + view->search.explore + view->search.sample;
    printf("%zu trials in %.0f s: build %.1f, run %.1f, verify %.1f, transfer %.1f, prepare %.1f, "
           "workers %.1f, search %.2f, history %.2f s; overhead %.1f %%\n",
           view->trials, view->elapsed, cost->build, cost->run, cost->verify, cost->transfer,
           cost->prepare, cost->worker, search, view->history_seconds,
           100.0 * anole_report_overhead(view));
}

enum anole_status anole_report_print(const struct anole_tuner_view *view,
                                     const struct anole_tuner_final *finals,
                                     struct anole_error *error)
{
    static const char *const titles[] = {"layer",    "task",   ">x",       ">trials",
                                         ">default", ">tuned", ">GFLOP/s", "speed-up [95 %]",
                                         NULL};
    struct anole_table *table = NULL;
    enum anole_status status = anole_table_create(&table, titles, error);
    if (status != ANOLE_DONE)
        return status;
    for (size_t i = 0; i < view->task_count; i++)
        print_row(table, &view->tasks[i], &finals[i]);
    status = anole_table_print(table, stdout, error);
    anole_table_destroy(table);
    if (status != ANOLE_DONE)
        return status;
    print_sum(view, finals);
    print_costs(view);
    return ANOLE_DONE;
}

/* ------------------------------------------------------------------- JSON */

static json_t *task_json(const struct anole_tuner_task *task, const struct anole_tuner_final *final)
{
    json_t *failures = json_object();
    for (int i = 1; i < ANOLE_OUTCOME_COUNT; i++)
        json_object_set_new(failures, anole_outcome_text((enum anole_outcome)i),
                            json_integer((json_int_t)task->failures[i]));
    return json_pack("{s:s, s:s, s:s, s:i, s:I, s:I, s:o, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:o, "
                     "s:o, s:f}",
                     "layer", task->source->layer, "task", task->key, "label", task->label,
                     "multiplicity", (int)task->source->multiplicity, "trials",
                     (json_int_t)task->trials, "resumed", (json_int_t)task->resumed, "failures",
                     failures, "found", (int) final->found, "tie", (int) final->tie,
                     "default_seconds", anole_json_real(final->found ? final->default_value : NAN),
                     "seconds", anole_json_real(final->found ? final->value : NAN), "low",
                     anole_json_real(final->found ? final->low : NAN), "high",
                     anole_json_real(final->found ? final->high : NAN), "speedup",
                     anole_json_real(final->found ? final->speedup : NAN), "speedup_low",
                     anole_json_real(final->found ? final->speedup_low : NAN), "speedup_high",
                     anole_json_real(final->found ? final->speedup_high : NAN), "flops",
                     task->flops);
}

static json_t *cost_json(const struct anole_tuner_view *view)
{
    const struct anole_measure_cost *cost = &view->measure;
    return json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:I, s:I, s:I}",
                     "elapsed", view->elapsed, "build", cost->build, "run", cost->run, "verify",
                     cost->verify, "transfer", cost->transfer, "prepare", cost->prepare, "workers",
                     cost->worker, "model", view->search.model, "explore", view->search.explore,
                     "sample", view->search.sample, "history", view->history_seconds,
                     "workers_started", (json_int_t)cost->workers_started, "workers_lost",
                     (json_int_t)cost->workers_lost, "workers_recycled",
                     (json_int_t)cost->workers_recycled);
}

json_t *anole_report_json(const struct anole_workload *network, const struct anole_tuner_view *view,
                          const struct anole_tuner_final *finals)
{
    struct anole_report_sum sum;
    anole_report_add_up(&sum, view, finals);
    json_t *tasks = json_array();
    for (size_t i = 0; i < view->task_count; i++)
        json_array_append_new(tasks, task_json(&view->tasks[i], &finals[i]));
    return json_pack("{s:s, s:I, s:f, s:f, s:f, s:I, s:o, s:o}", "network", network->name, "trials",
                     (json_int_t)view->trials, "default_seconds", sum.before, "seconds", sum.after,
                     "overhead", anole_report_overhead(view), "layers_missing",
                     (json_int_t)sum.missing, "time", cost_json(view), "tasks", tasks);
}
