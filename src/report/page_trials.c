/* SPDX-License-Identifier: MIT
 *
 * Parts of the page that tell of trials and kernels.
 */
#include "report/page.h"

#include "report/chart.h"
#include "report/facts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define MOST_CURVES 60 /* layers of a device */

bool anole_page_has_trials(const struct anole_report *report)
{
    for (size_t c = 0; c < report->column_count; c++)
        if (anole_report_has_trials(&report->columns[c]))
            return true;
    return false;
}

bool anole_page_has_roofline(const struct anole_report *report)
{
    for (size_t c = 0; c < report->column_count; c++)
        if (report->columns[c].most_flops > 0.0 && report->columns[c].most_bytes > 0.0)
            return true;
    return false;
}

static void missing(struct anole_text *out)
{
    anole_text_printf(out, "<p class=\"soft\">No history of this device was given.</p>\n");
}

/* -------------------------------------------------------------------- search */

static void write_curve(struct anole_text *out, const struct anole_report_task *task, size_t i)
{
    struct anole_curve *curve = malloc(sizeof *curve);
    char title[200];
    if (!curve) {
        out->failed = true;
        return;
    }
    anole_curve_of_task(curve, task);
    if (curve->count) {
        snprintf(title, sizeof title, "Best so far of layer %zu, %s", i + 1, task->label);
        anole_text_printf(out, "<figure>\n");
        anole_markup(out, "<figcaption>", NULL);
        anole_text_printf(out, "%zu  ", i + 1);
        anole_markup(out, "$</figcaption>\n", task->label, NULL);
        anole_chart_curve(out, curve, task, task->default_value,
                          task->first_is_default ? "first" : "default", title);
        anole_text_printf(out, "</figure>\n");
    }
    free(curve);
}

static void write_whole(struct anole_text *out, const struct anole_report_column *column)
{
    struct anole_curve *curve = malloc(sizeof *curve);
    char title[300], name[200];
    if (!curve || anole_curve_of_column(curve, column, NULL) != ANOLE_DONE) {
        out->failed = true;
    } else if (curve->count) {
        snprintf(title, sizeof title, "Sum of all layers with the best so far of each, %.200s",
                 anole_report_column_name(name, sizeof name, column));
        anole_text_printf(out, "<figure>\n<figcaption>All layers: their sum with the best so far "
                               "of each</figcaption>\n");
        anole_chart_curve(out, curve, NULL, curve->points[0].value, "start", title);
        anole_text_printf(out, "</figure>\n");
    }
    free(curve);
}

void anole_page_search(struct anole_text *out, const struct anole_report *report)
{
    anole_text_printf(out, "<p>Time of the best kernel found so far, against trials and against "
                           "the time that these took.  Dots are trials that ran.  What a lock "
                           "file says was measured again afterwards, so the two differ a "
                           "little.</p>\n");
    for (size_t c = 0; c < report->column_count; c++) {
        const struct anole_report_column *column = &report->columns[c];
        size_t shown = 0;
        anole_page_begin_device(out, report, column);
        if (!anole_report_has_trials(column))
            missing(out);
        anole_text_printf(out, "<div class=\"side\">\n");
        if (column->task_count > 1 && anole_report_has_trials(column))
            write_whole(out, column);
        for (size_t i = 0; i < column->task_count && shown < MOST_CURVES; i++)
            if (column->tasks[i].trial_count) {
                write_curve(out, &column->tasks[i], i);
                shown++;
            }
        anole_text_printf(out, "</div>\n");
        if (shown == MOST_CURVES && column->task_count > shown)
            anole_text_printf(out,
                              "<p class=\"soft\">The %d layers that take most are shown.</p>\n",
                              MOST_CURVES);
        anole_page_end_device(out);
    }
}

/* ---------------------------------------------------------------------- time */

void anole_page_time(struct anole_text *out, const struct anole_report *report)
{
    struct anole_report_cost costs[ANOLE_REPORT_COSTS];
    anole_text_printf(out, "<p>Wall time of trials, as the history has it.  What the search itself "
                           "takes is not recorded there; <code>anole tune</code> prints it.</p>\n");
    anole_page_begin_side(out, report);
    for (size_t c = 0; c < report->column_count; c++) {
        const struct anole_report_column *column = &report->columns[c];
        double sum = anole_report_costs(costs, &column->tally);
        anole_page_begin_device(out, report, column);
        if (!(sum > 0.0)) {
            anole_text_printf(out, "<p class=\"soft\">No time is recorded.</p>\n");
            anole_page_end_device(out);
            continue;
        }
        anole_text_printf(out, "<figure>\n");
        anole_chart_costs(out, &column->tally, "Shares of the time of trials");
        anole_text_printf(out, "</figure>\n<table><thead><tr><th scope=\"col\">part</th><th "
                               "scope=\"col\" class=\"n\">time</th><th scope=\"col\" "
                               "class=\"n\">share</th><th scope=\"col\">what</th></tr></thead>\n"
                               "<tbody>\n");
        for (size_t i = 0; i < ANOLE_REPORT_COSTS; i++)
            anole_markup(out,
                         "<tr><th scope=\"row\">$</th><td class=\"n\">$</td><td "
                         "class=\"n\">$</td><td>$</td></tr>\n",
                         costs[i].name, anole_word_seconds(costs[i].seconds).text,
                         anole_word_percent(costs[i].seconds / sum).text, costs[i].what, NULL);
        anole_markup(out,
                     "<tr><th scope=\"row\">in all</th><td class=\"n\">$</td><td></td><td>$ "
                     "trials</td></tr>\n</tbody></table>\n",
                     anole_word_seconds(sum).text, anole_word_count(column->tally.trials).text,
                     NULL);
        anole_page_end_device(out);
    }
    anole_page_end_side(out);
}

/* ------------------------------------------------------------------ outcomes */

static void write_failures(struct anole_text *out, const struct anole_report_column *column)
{
    if (column->failure_count == 0)
        return;
    anole_text_printf(out, "<table><caption>Ways to fail, by the message of the first of a "
                           "kind.</caption>\n<thead><tr><th scope=\"col\" class=\"n\">trials</th>"
                           "<th scope=\"col\">outcome</th><th scope=\"col\">message</th><th "
                           "scope=\"col\">its layer</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < column->failure_count; i++) {
        const struct anole_report_failure *failure = &column->failures[i];
        anole_markup(out,
                     "<tr><td class=\"n\">$</td><td>$</td><td class=\"long\">$</td><td "
                     "class=\"long\">$</td></tr>\n",
                     anole_word_count(failure->count).text, anole_outcome_text(failure->outcome),
                     failure->message[0] ? failure->message : "-", failure->task, NULL);
    }
    anole_text_printf(out, "</tbody></table>\n");
}

void anole_page_outcomes(struct anole_text *out, const struct anole_report *report)
{
    anole_page_begin_side(out, report);
    for (size_t c = 0; c < report->column_count; c++) {
        const struct anole_report_column *column = &report->columns[c];
        const struct anole_report_tally *tally = &column->tally;
        anole_page_begin_device(out, report, column);
        if (!tally->trials)
            missing(out);
        else
            anole_text_printf(out, "<table><thead><tr><th scope=\"col\">outcome</th><th "
                                   "scope=\"col\" class=\"n\">trials</th><th scope=\"col\" "
                                   "class=\"n\">share</th><th scope=\"col\">what it says</th></tr>"
                                   "</thead>\n<tbody>\n");
        for (size_t o = 0; o < ANOLE_OUTCOME_COUNT; o++)
            if (tally->by_outcome[o])
                anole_markup(
                    out,
                    "<tr><th scope=\"row\">$</th><td class=\"n\">$</td><td class=\"n\">$</td>"
                    "<td>$</td></tr>\n",
                    anole_outcome_text((enum anole_outcome)o),
                    anole_word_count(tally->by_outcome[o]).text,
                    anole_word_percent((double)tally->by_outcome[o] / (double)tally->trials).text,
                    anole_outcome_words((enum anole_outcome)o), NULL);
        if (tally->trials)
            anole_markup(out,
                         "</tbody></table>\n<p class=\"soft\">$ of those that ran were far behind "
                         "the best, and timed by their first runs only.</p>\n",
                         anole_word_count(tally->abandoned).text, NULL);
        write_failures(out, column);
        anole_page_end_device(out);
    }
    anole_page_end_side(out);
}

/* ------------------------------------------------------------------ roofline */

void anole_page_roofline(struct anole_text *out, const struct anole_report *report)
{
    anole_markup(
        out,
        "<p>Operations are those of the direct algorithm, whatever a kernel really does "
        "(Winograd's does fewer, and may pass the roof); bytes are those that must move at "
        "least once.  What stays in the caches from run to run may be faster than the "
        "memory.  $</p>\n",
        anole_report_roof_source(report), NULL);
    anole_page_begin_side(out, report);
    for (size_t c = 0; c < report->column_count; c++) {
        char title[300], name[200];
        anole_report_column_name(name, sizeof name, &report->columns[c]);
        snprintf(title, sizeof title, "Roofline of %.200s: each layer by its number", name);
        anole_page_begin_device(out, report, &report->columns[c]);
        anole_text_printf(out, "<figure>\n");
        anole_chart_roofline(out, report, &report->columns[c], title);
        anole_text_printf(out, "<figcaption>Numbers are those of the table of layers."
                               "</figcaption></figure>\n");
        anole_page_end_device(out);
    }
    anole_page_end_side(out);
}

/* --------------------------------------------------------------------- knobs */

static void write_knobs(struct anole_text *out, const struct anole_report_task *task, size_t i)
{
    const struct anole_report_knobs *knobs = task->knobs;
    char title[400], number[24];
    snprintf(number, sizeof number, "%zu", i + 1);
    anole_markup(out,
                 "<h3>$  $</h3>\n<p class=\"soft\">The model predicts $ of the variance, from "
                 "$ configs.</p>\n<div class=\"side\">\n",
                 number, task->label, anole_word_percent(knobs->explained).text,
                 anole_word_count(knobs->configs).text, NULL);
    anole_text_printf(out, "<figure>\n");
    snprintf(title, sizeof title, "Importance of knobs, layer %s", number);
    anole_chart_importance(out, task, title);
    anole_text_printf(out, "<figcaption>Importance: how much the error of the predictions grows "
                           "when the knob's values are shuffled; all together are 100 %%."
                           "</figcaption></figure>\n");
    if (knobs->rows.count > 1 && knobs->columns.count > 1) {
        anole_text_printf(out, "<figure>\n");
        snprintf(title, sizeof title, "Best time for each pair of values of %s and %s, layer %s",
                 task->knob_names[knobs->rows.knob], task->knob_names[knobs->columns.knob], number);
        anole_chart_heat(out, task, title);
        anole_text_printf(out, "<figcaption>Best time with each pair of values over the best of "
                               "all: 1.00 is the best.  Empty: not tried.</figcaption>"
                               "</figure>\n");
    }
    anole_text_printf(out, "</div>\n");
}

void anole_page_knobs(struct anole_text *out, const struct anole_report *report)
{
    anole_text_printf(out,
                      "<p>Permutation importance, by the cost model that the search uses, on "
                      "trials that it was not fitted to.  Layers with fewer than %d configs, "
                      "or whose trials it cannot predict, are left out.</p>\n",
                      ANOLE_KNOBS_LEAST);
    for (size_t c = 0; c < report->column_count; c++) {
        const struct anole_report_column *column = &report->columns[c];
        size_t shown = 0;
        anole_page_begin_device(out, report, column);
        for (size_t i = 0; i < column->task_count; i++)
            if (anole_report_knobs_say(column->tasks[i].knobs)) {
                write_knobs(out, &column->tasks[i], i);
                shown++;
            }
        if (!shown)
            anole_text_printf(out, "<p class=\"soft\">There are too few trials to tell.</p>\n");
        anole_page_end_device(out);
    }
}
