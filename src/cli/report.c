/* SPDX-License-Identifier: MIT */
#include "cli/report.h"

#include "base/log.h"
#include "base/text.h"
#include "cli/in_place.h"
#include "cli/table.h"

#include <math.h>
#include <stdio.h>

void anole_report_add_up(struct anole_report_sum *sum, const struct anole_results *results)
{
    *sum = (struct anole_report_sum){0};
    for (size_t i = 0; i < anole_results_count(results); i++) {
        const struct anole_result_info *result = anole_results_get(results, i);
        uint32_t layers = result->multiplicity;
        if (!result->found || isnan(result->default_seconds)) {
            sum->missing += layers;
            continue;
        }
        sum->layers += layers;
        sum->before += layers * result->default_seconds;
        sum->after += layers * result->seconds;
        sum->flops += layers * result->flops;
    }
}

double anole_report_overhead(const struct anole_tune_state *state)
{
    const struct anole_tune_cost *cost = state->cost;
    double useful =
        cost->build + cost->prepare + cost->transfer + cost->run + cost->verify + cost->in_place;
    return state->elapsed > 0.0 ? (state->elapsed - useful) / state->elapsed : 0.0;
}

/* ------------------------------------------------------------------ words */

static void print_speedup(struct anole_table *table, const struct anole_result_info *result)
{
    if (result->tie)
        anole_table_cell(table, "1.00x (default kept)");
    else if (isnan(result->speedup))
        anole_table_cell(table, "the default failed");
    else
        anole_table_cell(table, "%.2fx [%.2f, %.2f]", result->speedup, result->speedup_low,
                         result->speedup_high);
}

static void print_row(struct anole_table *table, const struct anole_result_info *result)
{
    char text[32];
    anole_table_name(table, result->layer);
    anole_table_cell(table, "%s", result->label);
    anole_table_cell(table, "%u", result->multiplicity);
    anole_table_cell(table, "%zu", result->trials);
    anole_table_cell(table, "%s",
                     isnan(result->default_seconds)
                         ? "-"
                         : anole_text_seconds(text, sizeof text, result->default_seconds));
    if (!result->found) {
        anole_table_cell(table, "-");
        anole_table_cell(table, "-");
        anole_table_cell(table, "nothing valid found");
        return;
    }
    anole_table_cell(table, "%s", anole_text_seconds(text, sizeof text, result->seconds));
    anole_table_gflops(table, result->flops, result->seconds);
    print_speedup(table, result);
}

static void print_sum(const struct anole_results *results)
{
    struct anole_report_sum sum;
    char before[32], after[32];
    anole_report_add_up(&sum, results);
    if (sum.layers > 0)
        printf("\n%s: %s -> %s, %.2fx",
               anole_results_size_count(results) > 1 ? "all sizes" : "network",
               anole_text_seconds(before, sizeof before, sum.before),
               anole_text_seconds(after, sizeof after, sum.after), sum.before / sum.after);
    if (sum.layers > 0 && sum.flops > 0.0)
        printf(", %.1f GFLOP/s", sum.flops / sum.after * 1e-9);
    if (sum.layers > 0)
        printf(" over %zu tuned layers\n", sum.layers);
    if (sum.missing > 0)
        printf("%zu layers are not in this sum: their default or every config failed\n",
               sum.missing);
}

/* Below this nobody needs to be told. */
#define CROWDED 0.05

const char *anole_report_crowding(char *text, size_t size, const struct anole_tune_state *state)
{
    text[0] = '\0';
    if (state->crowding >= CROWDED || state->disturbed > 0)
        snprintf(text, size, "timings were disturbed: %.0f %% of the time other work had the cores",
                 100.0 * state->crowding);
    return text;
}

void anole_report_warn_of_crowding(const struct anole_tune_state *state)
{
    char text[96];
    if (*anole_report_crowding(text, sizeof text, state))
        anole_log_warning("%s; %zu timings could not be made without, and are less sure: tune "
                          "again when the machine is quiet",
                          text, state->disturbed);
}

static void print_costs(const struct anole_tune_state *state)
{
    const struct anole_tune_cost *cost = state->cost;
    double search = cost->model + cost->explore + cost->sample;
    printf("%zu trials in %.0f s: build %.1f, run %.1f, verify %.1f, transfer %.1f, prepare %.1f, "
           "workers %.1f, search %.2f, history %.2f, in place %.1f s; overhead %.1f %%\n",
           state->trials, state->elapsed, cost->build, cost->run, cost->verify, cost->transfer,
           cost->prepare, cost->workers, search, cost->history, cost->in_place,
           100.0 * anole_report_overhead(state));
}

/* The network as a whole, in each of its sizes. */
static void print_sizes(const struct anole_results *results)
{
    char sum[32];
    for (size_t i = 0; i < anole_results_size_count(results); i++) {
        const struct anole_size_result *size = anole_results_size(results, i);
        if (anole_results_size_count(results) > 1)
            printf("%s: %zu tuned layers in %s%s\n", size->text, size->layers,
                   anole_text_seconds(sum, sizeof sum, size->seconds),
                   isnan(size->alone_seconds) ? "" : ", with few kernels");
        if (anole_results_size_count(results) > 1 && !isnan(size->alone_seconds))
            printf("    %+.1f %% against what is best for this size alone\n",
                   100.0 * (size->seconds / size->alone_seconds - 1.0));
        anole_in_place_print(size->in_place);
    }
}

enum anole_status anole_report_print(const struct anole_results *results, struct anole_error *error)
{
    static const char *const titles[] = {"layer",    "task",   ">x",       ">trials",
                                         ">default", ">tuned", ">GFLOP/s", "speed-up [95 %]",
                                         NULL};
    struct anole_table *table = NULL;
    enum anole_status status = anole_table_create(&table, titles, error);
    if (status != ANOLE_DONE)
        return status;
    for (size_t i = 0; i < anole_results_count(results); i++)
        print_row(table, anole_results_get(results, i));
    status = anole_table_print(table, stdout, error);
    anole_table_destroy(table);
    if (status != ANOLE_DONE)
        return status;
    print_sum(results);
    char text[96];
    if (*anole_report_crowding(text, sizeof text, anole_results_state(results)))
        printf("%s\n", text);
    print_sizes(results);
    for (size_t i = 0; i < anole_results_count(results); i++)
        anole_in_place_print_loser(anole_results_get(results, i));
    print_costs(anole_results_state(results));
    return ANOLE_DONE;
}

/* ------------------------------------------------------------------- JSON */

static json_t *task_json(const struct anole_result_info *result, const struct anole_tune_task *task)
{
    json_t *failures = json_object();
    for (size_t i = 1; i < task->outcome_count; i++)
        json_object_set_new(failures, anole_outcome_text((enum anole_outcome)i),
                            json_integer((json_int_t)task->outcomes[i]));
    return json_pack(
        "{s:s, s:s, s:s, s:i, s:I, s:I, s:o, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:o, "
        "s:o, s:f, s:s, s:f, s:b, s:o, s:o, s:o, s:b, s:o}",
        "layer", result->layer, "task", result->key, "label", result->label, "multiplicity",
        (int)result->multiplicity, "trials", (json_int_t)result->trials, "resumed",
        (json_int_t)task->resumed, "failures", failures, "found", (int)result->found, "tie",
        (int)result->tie, "default_seconds", anole_json_real(result->default_seconds), "seconds",
        anole_json_real(result->seconds), "low", anole_json_real(result->low), "high",
        anole_json_real(result->high), "speedup", anole_json_real(result->speedup), "speedup_low",
        anole_json_real(result->speedup_low), "speedup_high", anole_json_real(result->speedup_high),
        "flops", result->flops, "timing", result->timing, "crowding", result->crowding, "disturbed",
        (int)result->disturbed, "in_place_seconds", anole_json_real(result->in_place_seconds),
        "alone_seconds", anole_json_real(result->alone_seconds), "alone_in_place_seconds",
        anole_json_real(result->alone_in_place_seconds), "in_place_disturbed",
        (int)result->in_place_disturbed, "slowdown", anole_json_real(result->slowdown));
}

static json_t *cost_json(const struct anole_tune_state *state)
{
    const struct anole_tune_cost *cost = state->cost;
    return json_pack(
        "{s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:I, s:I, s:I}", "elapsed",
        state->elapsed, "build", cost->build, "run", cost->run, "verify", cost->verify, "transfer",
        cost->transfer, "prepare", cost->prepare, "workers", cost->workers, "model", cost->model,
        "explore", cost->explore, "sample", cost->sample, "history", cost->history, "in_place",
        cost->in_place, "workers_started", (json_int_t)cost->workers_started, "workers_lost",
        (json_int_t)cost->workers_lost, "workers_recycled", (json_int_t)cost->workers_recycled);
}

/* NULL where there is but one, which leaves the member out. */
static json_t *sizes_json(const struct anole_results *results)
{
    if (anole_results_size_count(results) < 2)
        return NULL;
    json_t *sizes = json_array();
    for (size_t i = 0; i < anole_results_size_count(results); i++) {
        const struct anole_size_result *size = anole_results_size(results, i);
        json_t *shapes = json_array();
        for (size_t s = 0; s < size->shape_count; s++)
            json_array_append_new(shapes, json_string(size->shapes[s]));
        json_array_append_new(
            sizes, json_pack("{s:s, s:I, s:o, s:I, s:o, s:o, s:o}", "size", size->text, "batch",
                             (json_int_t)size->batch, "shapes", shapes, "layers",
                             (json_int_t)size->layers, "seconds", anole_json_real(size->seconds),
                             "alone_seconds", anole_json_real(size->alone_seconds), "in_place",
                             anole_in_place_json(size->in_place)));
    }
    return sizes;
}

json_t *anole_report_json(const char *network, const struct anole_results *results)
{
    const struct anole_tune_state *state = anole_results_state(results);
    struct anole_report_sum sum;
    anole_report_add_up(&sum, results);
    json_t *tasks = json_array();
    for (size_t i = 0; i < anole_results_count(results); i++)
        json_array_append_new(tasks, task_json(anole_results_get(results, i), state->tasks[i]));
    return json_pack("{s:s, s:I, s:f, s:I, s:f, s:f, s:f, s:I, s:o, s:o, s:o, s:o*}", "network",
                     network, "trials", (json_int_t)state->trials, "crowding", state->crowding,
                     "disturbed", (json_int_t)state->disturbed, "default_seconds", sum.before,
                     "seconds", sum.after, "overhead", anole_report_overhead(state),
                     "layers_missing", (json_int_t)sum.missing, "in_place",
                     anole_in_place_json(anole_results_in_place(results)), "time", cost_json(state),
                     "tasks", tasks, "sizes", sizes_json(results));
}
