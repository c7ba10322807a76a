/* SPDX-License-Identifier: MIT
 *
 * The report as one page, which holds everything itself.  The browser is told to load and run
 * nothing, should anything in it ask for that.
 */
#include "report/write.h"

#include "report/chart.h"
#include "report/facts.h"
#include "report/page.h"
#include "report/style.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

/* --------------------------------------------------------------------- frame */

static void begin_page(struct anole_text *out, const char *title)
{
    anole_text_printf(
        out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
             "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
             "'unsafe-inline'\">\n<meta name=\"viewport\" content=\"width=device-width, "
             "initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n");
    anole_markup(out, "<title>$: tuning report</title>\n<style>\n", title, NULL);
    anole_text_append(out, anole_style_colours, strlen(anole_style_colours));
    anole_text_append(out, anole_style_page, strlen(anole_style_page));
    anole_text_append(out, anole_style_chart, strlen(anole_style_chart));
    anole_text_printf(out, "</style>\n</head>\n<body>\n");
}

static void card(struct anole_text *out, const char *name, const char *figure, const char *more)
{
    anole_markup(out, "<div class=\"card\"><dt>$</dt><dd>$</dd><dd>$</dd></div>\n", name, figure,
                 more, NULL);
}

/* Before and after, of the network as a whole where it was run, and of its layers. */
static void write_result_cards(struct anole_text *out, const struct anole_report_column *column)
{
    const struct anole_lock_in_place *whole = anole_report_in_place(column);
    char text[400];
    if (whole) {
        snprintf(text, sizeof text, "%s; with default kernels %s: %s %s",
                 anole_word_interval(whole->seconds, whole->low, whole->high).text,
                 anole_word_seconds(whole->default_seconds).text,
                 anole_word_times(whole->speedup).text,
                 anole_word_ratio_interval(whole->speedup_low, whole->speedup_high).text);
        card(out, "Whole network, tuned", anole_word_seconds(whole->seconds).text, text);
    }
    snprintf(text, sizeof text, "%zu layer shape%s, each as often as it occurs", column->task_count,
             column->task_count == 1 ? "" : "s");
    card(out, "Tuned layers, in sum", anole_word_seconds(column->sum).text, text);
    if (column->compared) {
        snprintf(text, sizeof text, "%s with defaults, %s tuned (%zu of %zu)",
                 anole_word_seconds(column->before).text, anole_word_seconds(column->after).text,
                 column->compared, column->task_count);
        card(out, "Speed-up of these", anole_word_times(column->before / column->after).text, text);
    }
}

static void write_cards(struct anole_text *out, const struct anole_report_column *column)
{
    const struct anole_report_tally *tally = &column->tally;
    struct anole_report_cost costs[ANOLE_REPORT_COSTS];
    char text[400];
    double sum = anole_report_costs(costs, tally);
    anole_text_printf(out, "<dl class=\"cards\">\n");
    write_result_cards(out, column);
    if (tally->trials) {
        size_t failed = tally->trials - tally->by_outcome[ANOLE_OUTCOME_OK];
        snprintf(text, sizeof text, "%s failed; %s of trials", anole_word_count(failed).text,
                 sum > 0.0 ? anole_word_seconds(sum).text : "no time recorded");
        card(out, "Trials", anole_word_count(tally->trials).text, text);
    }
    anole_text_printf(out, "</dl>\n");
}

static void write_subject(struct anole_text *out, const struct anole_report *report)
{
    const struct anole_report_column *first = &report->columns[0];
    char count[32];
    snprintf(count, sizeof count, "%zu", report->column_count);
    if (report->column_count > 1)
        anole_markup(out, "<p>$ devices, side by side; tuned for run time ($).</p>\n", count,
                     anole_metric_text(first->metric), NULL);
    else
        anole_markup(out, "<p>Tuned on $, with $ $, for run time ($).$</p>\n", first->device,
                     first->driver, first->driver_version, anole_metric_text(first->metric),
                     first->simulated ? "  Simulated: nothing was run or checked." : "", NULL);
}

static const struct part {
    const char *id, *title;
    bool (*wanted)(const struct anole_report *report);
    void (*write)(struct anole_text *out, const struct anole_report *report);
} parts[] = {
    {"result", "Result", anole_page_has_result, anole_page_result},
    {"side", "Side by side", anole_page_has_side, anole_page_side},
    {"layers", "Layers", anole_page_always, anole_page_layers},
    {"search", "How the search went", anole_page_has_trials, anole_page_search},
    {"time", "Where the time of tuning went", anole_page_has_trials, anole_page_time},
    {"outcomes", "Outcomes", anole_page_has_trials, anole_page_outcomes},
    {"roofline", "Roofline", anole_page_has_roofline, anole_page_roofline},
    {"knobs", "Which knobs mattered", anole_page_has_trials, anole_page_knobs},
    {"run", "The network as it ran", anole_page_has_run, anole_page_run},
    {"disturbance", "Disturbance", anole_page_always, anole_page_disturbance},
    {"environment", "Environment", anole_page_always, anole_page_environment},
    {"left", "Left out", anole_page_has_notes, anole_page_notes},
};
#define PARTS (sizeof parts / sizeof *parts)

static void write_header(struct anole_text *out, const struct anole_report *report,
                         const char *title)
{
    anole_markup(out, "<header>\n<p class=\"over\">Anole tuning report</p>\n<h1>$</h1>\n", title,
                 NULL);
    write_subject(out, report);
    anole_text_printf(out, "<nav aria-label=\"Contents\"><ul>\n");
    for (size_t i = 0; i < PARTS; i++)
        if (parts[i].wanted(report))
            anole_text_printf(out, "<li><a href=\"#%s\">%s</a></li>\n", parts[i].id,
                              parts[i].title);
    anole_text_printf(out, "</ul></nav>\n");
    if (report->column_count == 1)
        write_cards(out, &report->columns[0]);
    anole_text_printf(out, "</header>\n");
}

enum anole_status anole_report_write_html(struct anole_text *out, const struct anole_report *report,
                                          struct anole_error *error)
{
    const char *title = report->network ? report->network : report->columns[0].path;
    begin_page(out, title);
    write_header(out, report, title);
    anole_text_printf(out, "<main>\n");
    for (size_t i = 0; i < PARTS; i++) {
        if (!parts[i].wanted(report))
            continue;
        anole_text_printf(out, "<section aria-labelledby=\"%s\">\n<h2 id=\"%s\">%s</h2>\n",
                          parts[i].id, parts[i].id, parts[i].title);
        parts[i].write(out, report);
        anole_text_printf(out, "</section>\n");
    }
    anole_markup(out,
                 "</main>\n<footer>Written by Anole $.  Times are medians; intervals hold the "
                 "median with 95 %.</footer>\n</body>\n</html>\n",
                 PACKAGE_VERSION, NULL);
    return out->failed ? anole_fail_memory(error) : ANOLE_DONE;
}
