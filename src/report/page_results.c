/* SPDX-License-Identifier: MIT
 *
 * Parts of the page that tell what was found, and on what.
 */
#include "report/page.h"

#include "report/chart.h"
#include "report/facts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_ROWS 500  /* of a table */
#define MOST_STEPS 100 /* of a network, in its table */

bool anole_page_always(const struct anole_report *report)
{
    return report->column_count > 0;
}

bool anole_page_has_side(const struct anole_report *report)
{
    return report->column_count > 1;
}

bool anole_page_has_result(const struct anole_report *report)
{
    for (size_t c = 0; c < report->column_count; c++)
        if (report->columns[c].compared)
            return true;
    return false;
}

bool anole_page_has_run(const struct anole_report *report)
{
    return report->run != NULL;
}

bool anole_page_has_notes(const struct anole_report *report)
{
    return report->notes.length > 0;
}

/* ------------------------------------------------------------- side by side */

void anole_page_begin_side(struct anole_text *out, const struct anole_report *report)
{
    anole_text_printf(out, report->column_count > 1 ? "<div class=\"side\">\n" : "<div>\n");
}

void anole_page_begin_device(struct anole_text *out, const struct anole_report *report,
                             const struct anole_report_column *column)
{
    char name[200];
    anole_text_printf(out, "<div>\n");
    if (report->column_count > 1)
        anole_markup(out, "<h3>$</h3>\n", anole_report_column_name(name, sizeof name, column),
                     NULL);
}

void anole_page_end_device(struct anole_text *out)
{
    anole_text_printf(out, "</div>\n");
}

void anole_page_end_side(struct anole_text *out)
{
    anole_text_printf(out, "</div>\n");
}

/* -------------------------------------------------------------------- result */

void anole_page_result(struct anole_text *out, const struct anole_report *report)
{
    anole_page_begin_side(out, report);
    for (size_t c = 0; c < report->column_count; c++) {
        const struct anole_report_column *column = &report->columns[c];
        char title[300], name[200];
        if (!column->compared)
            continue;
        anole_page_begin_device(out, report, column);
        anole_report_column_name(name, sizeof name, column);
        snprintf(title, sizeof title, "Speed-up of each layer over its default, %.200s", name);
        anole_text_printf(out, "<figure>\n");
        anole_chart_speedups(out, column, report->column_count == 1, title);
        anole_markup(
            out,
            "<figcaption>$  The numbers are those of the table of layers$.</figcaption></figure>\n",
            column->lock ? "Tuned and default kernel timed in turn; where the interval "
                           "holds 1, the two are a tie."
                         : "The best trial against the first, which mostly is the "
                           "default: there is no interval without a lock file.",
            column->task_count > ANOLE_CHART_SPEEDUPS ? "; those that take least are left out" : "",
            NULL);
        anole_page_end_device(out);
    }
    anole_page_end_side(out);
}

static void write_device_row(struct anole_text *out, const struct anole_report_column *column)
{
    const struct anole_lock_in_place *whole = anole_report_in_place(column);
    char name[200];
    anole_markup(
        out,
        "<tr><th scope=\"row\">$</th><td>$</td><td class=\"n\">$</td><td "
        "class=\"n\">$</td><td class=\"n\">$</td><td class=\"n\">$</td><td "
        "class=\"n\">$</td><td class=\"n\">$ $</td></tr>\n",
        anole_report_column_name(name, sizeof name, column), column->device,
        anole_word_count(column->tally.trials).text,
        column->compared ? anole_word_seconds(column->before).text : "-",
        anole_word_seconds(column->compared ? column->after : column->sum).text,
        column->compared ? anole_word_times(column->before / column->after).text : "-",
        anole_word_seconds(whole ? whole->seconds : NAN).text,
        anole_word_times(whole ? whole->speedup : NAN).text,
        whole ? anole_word_ratio_interval(whole->speedup_low, whole->speedup_high).text : "", NULL);
}

static void write_row(struct anole_text *out, const struct anole_report *report,
                      const struct anole_report_row *row)
{
    char count[24];
    snprintf(count, sizeof count, "%u", row->multiplicity);
    anole_markup(out, "<tr><th scope=\"row\">$$</th><td class=\"n\">$</td>", row->label,
                 row->warmth == ANOLE_WARMTH_COLD ? ", cold" : "", count, NULL);
    for (size_t c = 0; c < report->column_count; c++)
        anole_markup(out, "<td class=\"n\">$</td>",
                     row->tasks[c] ? anole_word_seconds(row->tasks[c]->value).text : "-", NULL);
    anole_markup(out, "<td>$</td></tr>\n", anole_report_fastest(report, row).text, NULL);
}

static void more(struct anole_text *out, size_t count, size_t most)
{
    if (count > most)
        anole_markup(out,
                     "<p class=\"soft\">$ more are left out here; --format json has all.</p>\n",
                     anole_word_count(count - most).text, NULL);
}

void anole_page_side(struct anole_text *out, const struct anole_report *report)
{
    struct anole_report_row *rows;
    size_t count;
    anole_text_printf(
        out, "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Devices\"><table>\n"
             "<caption>Devices.  Sums are over layers, each as often as it occurs.</caption>\n"
             "<thead><tr><th scope=\"col\">column</th><th scope=\"col\">device</th><th "
             "scope=\"col\" class=\"n\">trials</th><th scope=\"col\" class=\"n\">default</th><th "
             "scope=\"col\" class=\"n\">tuned</th><th scope=\"col\" class=\"n\">speed-up</th><th "
             "scope=\"col\" class=\"n\">whole network</th><th scope=\"col\" class=\"n\">its "
             "speed-up</th></tr></thead>\n<tbody>\n");
    for (size_t c = 0; c < report->column_count; c++)
        write_device_row(out, &report->columns[c]);
    anole_text_printf(out, "</tbody></table></div>\n");
    if (!anole_report_rows(&rows, &count, report)) {
        out->failed = true;
        return;
    }
    anole_text_printf(
        out, "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Layers side by "
             "side\"><table>\n<caption>Time of one run of each layer.  Fastest: how many times "
             "longer the next one takes.</caption>\n<thead><tr><th scope=\"col\">layer</th><th "
             "scope=\"col\" class=\"n\">times</th>");
    for (size_t c = 0; c < report->column_count; c++)
        anole_text_printf(out, "<th scope=\"col\" class=\"n\">%c</th>", report->columns[c].letter);
    anole_text_printf(out, "<th scope=\"col\">fastest</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < count && i < MOST_ROWS; i++)
        write_row(out, report, &rows[i]);
    anole_text_printf(out, "</tbody></table></div>\n");
    more(out, count, MOST_ROWS);
    free(rows);
}

/* -------------------------------------------------------------------- layers */

static void write_share(struct anole_text *out, double share)
{
    if (!isfinite(share)) {
        anole_text_printf(out, "<td class=\"n\">-</td>");
        return;
    }
    anole_text_printf(out,
                      "<td class=\"n\">%.1f %%<span class=\"meter\" aria-hidden=\"true\"><i "
                      "style=\"width:%.1f%%\"></i></span></td>",
                      100.0 * share, 100.0 * fmin(share, 1.0));
}

static void write_layer(struct anole_text *out, const struct anole_report_task *task, size_t i)
{
    char number[24], count[24];
    snprintf(number, sizeof number, "%zu", i + 1);
    snprintf(count, sizeof count, "%u", task->multiplicity);
    anole_markup(out, "<tr><td class=\"n\">$</td><th scope=\"row\">$$</th><td class=\"n\">$</td>",
                 number, task->label, task->warmth == ANOLE_WARMTH_COLD ? ", cold" : "", count,
                 NULL);
    write_share(out, task->share);
    anole_markup(out,
                 "<td class=\"n\">$</td><td class=\"n\">$</td><td>$</td><td class=\"n\">$</td><td "
                 "class=\"n\">$</td><td class=\"n\">$</td><td class=\"n\">$</td></tr>\n",
                 anole_word_seconds(task->default_value).text, anole_word_seconds(task->value).text,
                 anole_word_interval(task->value, task->low, task->high).text,
                 anole_report_speedup(task).text, anole_report_rate(task, task->flops).text,
                 anole_report_rate(task, task->bytes).text, anole_report_trials(task).text, NULL);
}

/* What was found, below the table: configs are long. */
static void write_configs(struct anole_text *out, const struct anole_report_column *column)
{
    anole_text_printf(out,
                      "<table><caption>Configs of the tuned kernels.</caption>\n<thead><tr><th "
                      "scope=\"col\" class=\"n\">no.</th><th scope=\"col\">config</th></tr>"
                      "</thead>\n<tbody>\n");
    for (size_t i = 0; i < column->task_count && i < MOST_ROWS; i++) {
        struct anole_text config = {0};
        char number[24];
        snprintf(number, sizeof number, "%zu", i + 1);
        anole_report_config(&config, &column->tasks[i]);
        anole_markup(out, "<tr><td class=\"n\">$</td><td class=\"long\"><code>$</code></td></tr>\n",
                     number, config.data && config.data[0] ? config.data : "-", NULL);
        out->failed |= config.failed;
        anole_text_fini(&config);
    }
    anole_text_printf(out, "</tbody></table>\n");
}

void anole_page_layers(struct anole_text *out, const struct anole_report *report)
{
    for (size_t c = 0; c < report->column_count; c++) {
        const struct anole_report_column *column = &report->columns[c];
        char name[200];
        anole_page_begin_device(out, report, column);
        anole_report_column_name(name, sizeof name, column);
        anole_markup(out,
                     "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Layers of "
                     "$\"><table>\n",
                     name, NULL);
        anole_text_printf(
            out, "<caption>Layers of this network, those that take most of it first.  GFLOP/s and "
                 "GB/s are of the direct algorithm.</caption>\n<thead><tr><th scope=\"col\" "
                 "class=\"n\">no.</th><th scope=\"col\">layer</th><th scope=\"col\" "
                 "class=\"n\">times</th><th scope=\"col\" class=\"n\">share of the sum</th><th "
                 "scope=\"col\" class=\"n\">default</th><th scope=\"col\" class=\"n\">tuned</th>"
                 "<th scope=\"col\">95 %% interval</th><th scope=\"col\" class=\"n\">speed-up"
                 "</th><th scope=\"col\" class=\"n\">GFLOP/s</th><th scope=\"col\" class=\"n\">"
                 "GB/s</th><th scope=\"col\" class=\"n\">trials</th>"
                 "</tr></thead>\n<tbody>\n");
        for (size_t i = 0; i < column->task_count && i < MOST_ROWS; i++)
            write_layer(out, &column->tasks[i], i);
        anole_text_printf(out, "</tbody></table></div>\n");
        write_configs(out, column);
        more(out, column->task_count, MOST_ROWS);
        anole_page_end_device(out);
    }
}

/* --------------------------------------------------------------- surroundings */

void anole_page_disturbance(struct anole_text *out, const struct anole_report *report)
{
    anole_page_begin_side(out, report);
    for (size_t c = 0; c < report->column_count; c++) {
        struct anole_text text = {0};
        anole_page_begin_device(out, report, &report->columns[c]);
        anole_report_disturbance(&text, &report->columns[c]);
        anole_markup(out, "<p>$</p>\n", text.data ? text.data : "", NULL);
        anole_page_end_device(out);
        out->failed |= text.failed;
        anole_text_fini(&text);
    }
    anole_page_end_side(out);
}

void anole_page_environment(struct anole_text *out, const struct anole_report *report)
{
    struct anole_report_fact facts[ANOLE_REPORT_FACTS];
    anole_page_begin_side(out, report);
    for (size_t c = 0; c < report->column_count; c++) {
        size_t count = anole_report_environment(facts, &report->columns[c]);
        anole_page_begin_device(out, report, &report->columns[c]);
        anole_text_printf(out, "<table><tbody>\n");
        for (size_t i = 0; i < count; i++)
            anole_markup(out, "<tr><th scope=\"row\">$</th><td class=\"long\">$</td></tr>\n",
                         facts[i].name, facts[i].text, NULL);
        anole_text_printf(out, "</tbody></table>\n");
        anole_page_end_device(out);
    }
    anole_page_end_side(out);
}

void anole_page_notes(struct anole_text *out, const struct anole_report *report)
{
    const char *at = report->notes.data;
    anole_text_printf(out, "<ul>\n");
    for (const char *end; *at && (end = strchr(at, '\n')); at = end + 1) {
        char line[600];
        snprintf(line, sizeof line, "%.*s", (int)(end - at), at);
        anole_markup(out, "<li>$</li>\n", line, NULL);
    }
    anole_text_printf(out, "</ul>\n");
}

/* ------------------------------------------------------------------ as it ran */

void anole_page_run(struct anole_text *out, const struct anole_report *report)
{
    const struct anole_report_network *run = report->run;
    char steps[24];
    snprintf(steps, sizeof steps, "%zu", run->step_count);
    if (isfinite(run->latency))
        anole_markup(out, "<p>$ took $ $ as a whole on $.</p>\n", run->name,
                     anole_word_seconds(run->latency).text,
                     anole_word_interval(run->latency, run->low, run->high).text, run->device,
                     NULL);
    anole_markup(out, "<p>Its $ steps come to $ in sum.</p>\n<figure>\n", steps,
                 anole_word_seconds(run->sum).text, NULL);
    anole_chart_timeline(out, run, "Time line of the network, step by step");
    anole_text_printf(out, "<figcaption>Each step is marked with the kernel that it runs: tuned, "
                           "the generator's default, built in, or the host.</figcaption></figure>\n"
                           "<div class=\"scroll\" tabindex=\"0\" role=\"group\" "
                           "aria-label=\"Steps\"><table>\n<caption>Steps in order.</caption>\n"
                           "<thead><tr><th scope=\"col\" class=\"n\">step</th><th "
                           "scope=\"col\">node</th><th scope=\"col\">what</th><th "
                           "scope=\"col\">kernel</th><th scope=\"col\" class=\"n\">time</th><th "
                           "scope=\"col\" class=\"n\">share</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < run->step_count && i < MOST_STEPS; i++) {
        const struct anole_report_step *step = &run->steps[i];
        char number[24];
        snprintf(number, sizeof number, "%zu", i + 1);
        anole_markup(out,
                     "<tr><td class=\"n\">$</td><td>$</td><td>$</td><td>$</td><td "
                     "class=\"n\">$</td>",
                     number, step->node, step->label, anole_report_step_text(step->kind),
                     anole_word_seconds(step->seconds).text, NULL);
        write_share(out, step->seconds / run->sum);
        anole_text_printf(out, "</tr>\n");
    }
    anole_text_printf(out, "</tbody></table></div>\n");
    more(out, run->step_count, MOST_STEPS);
}
