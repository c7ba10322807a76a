/* SPDX-License-Identifier: MIT
 *
 * The results on one picture, for a README or a slide: what each layer gained, and how the search
 * came to it.
 */
#include "report/write.h"

#include "report/chart.h"
#include "report/facts.h"
#include "report/style.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH 1080
#define MOST_LAYERS 12
#define FEW_LAYERS 4 /* take less room */

static bool is_short(const struct anole_report_column *column)
{
    return column->task_count <= FEW_LAYERS;
}

static double height_of(const struct anole_report_column *column)
{
    return is_short(column) ? 262.0 : 440.0;
}

static void write_figures(struct anole_text *out, const struct anole_report_column *column,
                          double top)
{
    const struct anole_lock_in_place *whole = anole_report_in_place(column);
    char text[400];
    if (column->compared)
        snprintf(text, sizeof text, "%zu layer%s: %s with default kernels, %s tuned, %s",
                 column->compared, column->compared == 1 ? "" : " shapes",
                 anole_word_seconds(column->before).text, anole_word_seconds(column->after).text,
                 anole_word_times(column->before / column->after).text);
    else
        snprintf(text, sizeof text, "%zu layer shapes: %s", column->task_count,
                 anole_word_seconds(column->sum).text);
    anole_chart_text(out, 24, top + 22, "start", "value", 120, text);
    if (!whole)
        return;
    snprintf(text, sizeof text, "whole network: %s %s, with default kernels %s: %s %s",
             anole_word_seconds(whole->seconds).text,
             anole_word_interval(whole->seconds, whole->low, whole->high).text,
             anole_word_seconds(whole->default_seconds).text, anole_word_times(whole->speedup).text,
             anole_word_ratio_interval(whole->speedup_low, whole->speedup_high).text);
    anole_chart_text(out, WIDTH - 24, top + 22, "end", "value", 120, text);
}

static enum anole_status write_search(struct anole_text *out,
                                      const struct anole_report_column *column, double top,
                                      struct anole_error *error)
{
    struct anole_frame frame = {.left = 672, .top = top + 68, .width = 384, .height = 116};
    struct anole_curve *curve = calloc(1, sizeof *curve);
    enum anole_status status =
        curve ? anole_curve_of_column(curve, column, error) : anole_fail_memory(error);
    if (status == ANOLE_DONE && curve->count) {
        anole_draw_curve(out, &frame, curve, NULL, curve->points[0].value, "start", false);
        frame.top += 182;
        if (curve->seconds > 0.0 && !is_short(column))
            anole_draw_curve(out, &frame, curve, NULL, curve->points[0].value, "start", true);
    }
    free(curve);
    return status;
}

static enum anole_status write_device(struct anole_text *out, const struct anole_report *report,
                                      const struct anole_report_column *column, double top,
                                      struct anole_error *error)
{
    char name[200], text[400];
    anole_report_column_name(name, sizeof name, column);
    snprintf(text, sizeof text, "%s, %.100s", report->column_count > 1 ? name : name + 2,
             column->device);
    anole_chart_text(out, 24, top, "start", "name", 150, text);
    write_figures(out, column, top);
    if (column->compared)
        anole_draw_speedups(out, column, MOST_LAYERS, 8, top + 68, 600);
    return anole_report_has_trials(column) ? write_search(out, column, top, error) : ANOLE_DONE;
}

enum anole_status anole_report_write_svg(struct anole_text *out, const struct anole_report *report,
                                         struct anole_error *error)
{
    const char *title = report->network ? report->network : report->columns[0].path;
    double height = 70.0, top = 62.0;
    for (size_t c = 0; c < report->column_count; c++)
        height += height_of(&report->columns[c]);
    anole_text_printf(out,
                      "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" viewBox=\"0 0 %d "
                      "%.0f\" width=\"%d\" height=\"%.0f\" role=\"img\" ",
                      WIDTH, height, WIDTH, height);
    anole_markup(out, "aria-label=\"Tuning report: $\"><title>Tuning report: $</title>\n<style>",
                 title, title, NULL);
    anole_text_append(out, anole_style_colours, strlen(anole_style_colours));
    anole_text_append(out, anole_style_chart, strlen(anole_style_chart));
    anole_text_printf(out,
                      ".chart .title{font-size:22px;font-weight:650}.back{fill:var(--ground)}"
                      "</style>\n<rect class=\"back\" width=\"%d\" height=\"%.0f\"/>\n",
                      WIDTH, height);
    anole_chart_text(out, 24, 36, "start", "title", 80, title);
    for (size_t c = 0; c < report->column_count; c++) {
        enum anole_status status = write_device(out, report, &report->columns[c], top, error);
        top += height_of(&report->columns[c]);
        if (status)
            return status;
    }
    anole_chart_end(out);
    return out->failed ? anole_fail_memory(error) : ANOLE_DONE;
}
