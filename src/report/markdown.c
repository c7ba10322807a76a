/* SPDX-License-Identifier: MIT */
#include "report/write.h"

#include "report/facts.h"
#include "report/knobs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_ROWS 500 /* of a table */

static const char *or_dash(const char *text)
{
    return text[0] ? text : "-";
}

static void code(struct anole_text *out, const char *text)
{
    anole_markup_code(out, text);
}

static void more(struct anole_text *out, size_t count, size_t most)
{
    if (count > most)
        anole_text_printf(out, "\n%zu more are left out here; --format json has all.\n",
                          count - most);
}

/* ------------------------------------------------------------------- summary */

static void write_summary(struct anole_text *out, const struct anole_report *report)
{
    anole_text_printf(out, "\n| | device | layers | trials | default | tuned | speed-up | network "
                           "in place |\n| --- | --- | --: | --: | --: | --: | --: | --- |\n");
    for (size_t c = 0; c < report->column_count; c++) {
        const struct anole_report_column *column = &report->columns[c];
        const struct anole_lock_in_place *whole = anole_report_in_place(column);
        char name[200];
        anole_text_printf(out, "| %c | ", column->letter);
        code(out, anole_report_column_name(name, sizeof name, column) + 2);
        anole_text_printf(out, " | %zu | %s | %s | %s | %s | ", column->task_count,
                          anole_word_count(column->tally.trials).text,
                          column->compared ? anole_word_seconds(column->before).text : "-",
                          column->compared ? anole_word_seconds(column->after).text
                                           : anole_word_seconds(column->sum).text,
                          column->compared ? anole_word_times(column->before / column->after).text
                                           : "-");
        if (whole)
            anole_text_printf(
                out, "%s, with default kernels %s: %s %s |\n",
                anole_word_seconds(whole->seconds).text,
                anole_word_seconds(whole->default_seconds).text,
                anole_word_times(whole->speedup).text,
                anole_word_ratio_interval(whole->speedup_low, whole->speedup_high).text);
        else
            anole_text_printf(out, "not run |\n");
    }
    anole_text_printf(out, "\nTimes are sums over layers, each as often as it occurs%s.\n",
                      report->has_locks ? ""
                                        : "; \"default\" is what the first trial of a layer took, "
                                          "which mostly is its default");
}

static void write_notes(struct anole_text *out, const struct anole_report *report)
{
    const char *at = report->notes.data;
    if (!report->notes.length)
        return;
    anole_text_printf(out, "\n## Left out\n\n");
    for (const char *end; *at && (end = strchr(at, '\n')); at = end + 1) {
        char line[600];
        snprintf(line, sizeof line, "%.*s", (int)(end - at), at);
        anole_text_printf(out, "- ");
        code(out, line);
        anole_text_printf(out, "\n");
    }
}

/* -------------------------------------------------------------------- layers */

static void write_layers(struct anole_text *out, const struct anole_report_column *column)
{
    anole_text_printf(out, "\n### Layers\n\n| # | layer | × | share | default | tuned [95 %%] | "
                           "speed-up [95 %%] | GFLOP/s | GB/s | trials | config |\n| --: | --- | "
                           "--: | --: | --: | --- | --- | --: | --: | --: | --- |\n");
    for (size_t i = 0; i < column->task_count && i < MOST_ROWS; i++) {
        const struct anole_report_task *task = &column->tasks[i];
        struct anole_text config = {0};
        anole_report_config(&config, task);
        anole_text_printf(out, "| %zu | ", i + 1);
        code(out, task->label);
        anole_text_printf(
            out, " | %u | %s | %s | %s %s | %s | %s | %s | %s | ", task->multiplicity,
            anole_word_percent(task->share).text, anole_word_seconds(task->default_value).text,
            anole_word_seconds(task->value).text,
            anole_word_interval(task->value, task->low, task->high).text,
            anole_report_speedup(task).text, anole_report_rate(task, task->flops).text,
            anole_report_rate(task, task->bytes).text, anole_report_trials(task).text);
        code(out, or_dash(config.data ? config.data : ""));
        anole_text_printf(out, " |\n");
        out->failed |= config.failed;
        anole_text_fini(&config);
    }
    more(out, column->task_count, MOST_ROWS);
}

static void write_side_by_side(struct anole_text *out, const struct anole_report *report)
{
    anole_text_printf(out, "\n## Side by side\n\n| layer | × |");
    for (size_t c = 0; c < report->column_count; c++)
        anole_text_printf(out, " %c |", report->columns[c].letter);
    anole_text_printf(out, " fastest |\n| --- | --: |");
    for (size_t c = 0; c < report->column_count; c++)
        anole_text_printf(out, " --: |");
    anole_text_printf(out, " --- |\n");
    struct anole_report_row *rows;
    size_t count;
    if (!anole_report_rows(&rows, &count, report)) {
        out->failed = true;
        return;
    }
    for (size_t i = 0; i < count && i < MOST_ROWS; i++) {
        anole_text_printf(out, "| ");
        code(out, rows[i].label);
        anole_text_printf(out, " | %u |", rows[i].multiplicity);
        for (size_t c = 0; c < report->column_count; c++)
            anole_text_printf(out, " %s |",
                              rows[i].tasks[c] ? anole_word_seconds(rows[i].tasks[c]->value).text
                                               : "-");
        anole_text_printf(out, " %s |\n", anole_report_fastest(report, &rows[i]).text);
    }
    more(out, count, MOST_ROWS);
    free(rows);
}

/* -------------------------------------------------------------------- trials */

static void write_costs(struct anole_text *out, const struct anole_report_column *column)
{
    struct anole_report_cost costs[ANOLE_REPORT_COSTS];
    double sum = anole_report_costs(costs, &column->tally);
    anole_text_printf(out,
                      "\n### Where the time of trials went\n\n| part | time | share | |\n| --- "
                      "| --: | --: | --- |\n");
    for (size_t i = 0; i < ANOLE_REPORT_COSTS; i++)
        anole_text_printf(out, "| %s | %s | %s | %s |\n", costs[i].name,
                          anole_word_seconds(costs[i].seconds).text,
                          anole_word_percent(costs[i].seconds / sum).text, costs[i].what);
    anole_text_printf(out, "\n%s in all.  What the search itself takes is not recorded.\n",
                      anole_word_seconds(sum).text);
}

static void write_outcomes(struct anole_text *out, const struct anole_report_column *column)
{
    const struct anole_report_tally *tally = &column->tally;
    anole_text_printf(out, "\n### Outcomes\n\n| outcome | trials | share | |\n| --- | --: | --: | "
                           "--- |\n");
    for (size_t o = 0; o < ANOLE_OUTCOME_COUNT; o++)
        if (tally->by_outcome[o])
            anole_text_printf(
                out, "| %s | %s | %s | %s |\n", anole_outcome_text((enum anole_outcome)o),
                anole_word_count(tally->by_outcome[o]).text,
                anole_word_percent((double)tally->by_outcome[o] / (double)tally->trials).text,
                anole_outcome_words((enum anole_outcome)o));
    if (column->failure_count)
        anole_text_printf(out, "\n| failed | outcome | message of the first | its layer |\n| --: | "
                               "--- | --- | --- |\n");
    for (size_t i = 0; i < column->failure_count; i++) {
        const struct anole_report_failure *failure = &column->failures[i];
        anole_text_printf(out, "| %zu | %s | ", failure->count,
                          anole_outcome_text(failure->outcome));
        code(out, or_dash(failure->message));
        anole_text_printf(out, " | ");
        code(out, failure->task);
        anole_text_printf(out, " |\n");
    }
}

static void write_knobs(struct anole_text *out, const struct anole_report_column *column)
{
    bool any = false;
    for (size_t i = 0; i < column->task_count; i++) {
        const struct anole_report_task *task = &column->tasks[i];
        if (!anole_report_knobs_say(task->knobs))
            continue;
        if (!any)
            anole_text_printf(
                out, "\n### Knobs that mattered\n\nPermutation importance: how much the error "
                     "of the cost model's predictions grows when the values of a knob are "
                     "shuffled; all together are 100 %%.\n\n"
                     "| # | layer | predicted | first | second | third |\n| --: | "
                     "--- | --: | --- | --- | --- |\n");
        any = true;
        anole_text_printf(out, "| %zu | ", i + 1);
        code(out, task->label);
        anole_text_printf(out, " | %s |", anole_word_percent(task->knobs->explained).text);
        for (size_t k = 0; k < 3; k++) {
            anole_text_printf(out, " ");
            if (k < task->knobs->count) {
                code(out, task->knob_names[task->knobs->knobs[k].knob]);
                anole_text_printf(out, " %s",
                                  anole_word_percent(task->knobs->knobs[k].importance).text);
            }
            anole_text_printf(out, " |");
        }
        anole_text_printf(out, "\n");
    }
}

static void write_device(struct anole_text *out, const struct anole_report_column *column)
{
    struct anole_report_fact facts[ANOLE_REPORT_FACTS];
    char name[200];
    anole_text_printf(out, "\n## ");
    code(out, anole_report_column_name(name, sizeof name, column));
    anole_text_printf(out, "\n");
    write_layers(out, column);
    if (anole_report_has_trials(column)) {
        write_costs(out, column);
        write_outcomes(out, column);
        write_knobs(out, column);
    }
    anole_text_printf(out, "\n### Disturbance\n\n");
    anole_report_disturbance(out, column);
    anole_text_printf(out, "\n\n### Environment\n\n| | |\n| --- | --- |\n");
    size_t count = anole_report_environment(facts, column);
    for (size_t i = 0; i < count; i++) {
        anole_text_printf(out, "| %s | ", facts[i].name);
        code(out, facts[i].text);
        anole_text_printf(out, " |\n");
    }
}

/* ------------------------------------------------------------------- network */

static void write_run(struct anole_text *out, const struct anole_report_network *run)
{
    anole_text_printf(out, "\n## The network as it ran\n\n");
    if (isfinite(run->latency))
        anole_text_printf(out, "%s %s as a whole; ", anole_word_seconds(run->latency).text,
                          anole_word_interval(run->latency, run->low, run->high).text);
    anole_text_printf(out,
                      "its %zu steps come to %s in sum.\n\n| step | node | what | kernel | "
                      "time | share |\n| --: | --- | --- | --- | --: | --: |\n",
                      run->step_count, anole_word_seconds(run->sum).text);
    for (size_t i = 0; i < run->step_count && i < MOST_ROWS; i++) {
        const struct anole_report_step *step = &run->steps[i];
        anole_text_printf(out, "| %zu | ", i + 1);
        code(out, or_dash(step->node));
        anole_text_printf(out, " | ");
        code(out, or_dash(step->label));
        anole_text_printf(out, " | %s | %s | %s |\n", anole_report_step_text(step->kind),
                          anole_word_seconds(step->seconds).text,
                          anole_word_percent(step->seconds / run->sum).text);
    }
    more(out, run->step_count, MOST_ROWS);
}

enum anole_status anole_report_write_markdown(struct anole_text *out,
                                              const struct anole_report *report,
                                              struct anole_error *error)
{
    anole_text_printf(out, "# Tuning report: ");
    code(out, report->network ? report->network : report->columns[0].path);
    anole_text_printf(out, "\n");
    write_summary(out, report);
    if (report->column_count > 1)
        write_side_by_side(out, report);
    for (size_t c = 0; c < report->column_count; c++)
        write_device(out, &report->columns[c]);
    if (report->run)
        write_run(out, report->run);
    write_notes(out, report);
    return out->failed ? anole_fail_memory(error) : ANOLE_DONE;
}
