/* SPDX-License-Identifier: MIT
 *
 * Charts of trials: how good the best got, where the time went, which knobs mattered.
 */
#include "report/chart.h"

#include "report/facts.h"

#include <math.h>
#include <stdio.h>

#define WIDTH 560
#define MOST_DOTS 300
#define MOST_BARS 8

/* ------------------------------------------------------------- best so far */

/* From what is best to what there was at the beginning, and some more. */
static void choose_height(struct anole_frame *frame, const struct anole_curve *curve, double start)
{
    double low = curve->points[curve->count - 1].value, high = curve->points[0].value;
    if (isfinite(start) && start > 0.0) {
        low = fmin(low, start);
        high = fmax(high, fmin(start, 100.0 * low));
    }
    high = fmin(fmax(high, 1.2 * low), 100.0 * low);
    frame->y_log = true;
    frame->y_low = low * pow(low / high, 0.2); /* room for a label below the best */
    frame->y_high = high;
    anole_chart_range(&frame->y_low, &frame->y_high, true);
}

/* Trials that ran, as far as the frame goes; a path of points with round ends. */
static void draw_dots(struct anole_text *out, const struct anole_frame *frame,
                      const struct anole_report_task *task, bool by_time)
{
    size_t every = task->trial_count / MOST_DOTS + 1;
    double seconds = 0.0;
    anole_text_printf(out, "<path class=\"dots\" d=\"");
    for (size_t i = 0; i < task->trial_count; i++) {
        const struct anole_report_trial *trial = &task->trials[i];
        seconds += trial->spent;
        if (trial->ok && i % every == 0 && trial->value <= frame->y_high)
            anole_text_printf(out, "M%.0f %.0fh0",
                              anole_frame_x(frame, by_time ? seconds : (double)(i + 1)),
                              anole_frame_y(frame, trial->value));
    }
    anole_text_printf(out, "\"/>\n");
}

static void draw_steps(struct anole_text *out, const struct anole_frame *frame,
                       const struct anole_curve *curve, bool by_time)
{
    anole_text_printf(out, "<path class=\"best\" d=\"");
    for (size_t i = 0; i < curve->count; i++) {
        const struct anole_curve_point *point = &curve->points[i];
        double x = anole_frame_x(frame, by_time ? point->seconds : point->trials);
        double y = anole_frame_y(frame, point->value);
        anole_text_printf(out, i ? "H%.1fV%.1f" : "M%.1f %.1f", x, y);
    }
    anole_text_printf(out, "H%.1f\"/>\n", frame->left + frame->width);
    const struct anole_curve_point *last = &curve->points[curve->count - 1];
    anole_text_printf(out, "<circle class=\"point\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>\n",
                      anole_frame_x(frame, by_time ? last->seconds : last->trials),
                      anole_frame_y(frame, last->value));
}

void anole_draw_curve(struct anole_text *out, const struct anole_frame *area,
                      const struct anole_curve *curve, const struct anole_report_task *task,
                      double start, const char *start_name, bool by_time)
{
    struct anole_frame frame = *area;
    double right = frame.left + frame.width, best = curve->points[curve->count - 1].value;
    char text[128];
    frame.x_log = false;
    frame.x_low = 0.0;
    frame.x_high = by_time ? curve->seconds : curve->trials;
    anole_chart_range(&frame.x_low, &frame.x_high, false);
    choose_height(&frame, curve, start);
    anole_chart_axes(out, &frame, by_time ? "time of trials" : "trials",
                     by_time ? anole_tick_seconds : anole_tick_number,
                     by_time ? NULL : "best so far", by_time ? NULL : anole_tick_seconds);
    if (task)
        draw_dots(out, &frame, task, by_time);
    draw_steps(out, &frame, curve, by_time);
    double y = anole_frame_y(&frame, best);
    snprintf(text, sizeof text, "best %s", anole_word_seconds(best).text);
    anole_chart_text(out, right - 3, y + 14, "end", "value", 60, text);
    if (!isfinite(start) || start > frame.y_high)
        return;
    double line = anole_frame_y(&frame, start);
    anole_text_printf(out, "<path class=\"start\" d=\"M%.1f %.1fH%.1f\"/>\n", frame.left, line,
                      right);
    snprintf(text, sizeof text, "%s %s", start_name, anole_word_seconds(start).text);
    if (fabs(line - y) > 6.0)
        anole_chart_text(out, right - 3, line < frame.top + 14 ? line + 13 : line - 5, "end",
                         "startname", 60, text);
    else
        anole_chart_text(out, frame.left + 4,
                         line + 13 < frame.top + frame.height ? line + 13 : line - 6, "start",
                         "startname", 60, text);
}

void anole_chart_curve(struct anole_text *out, const struct anole_curve *curve,
                       const struct anole_report_task *task, double start, const char *start_name,
                       const char *title)
{
    const struct anole_frame trials = {.left = 62, .top = 22, .width = 220, .height = 128};
    const struct anole_frame seconds = {.left = 314, .top = 22, .width = 232, .height = 128};
    if (curve->count == 0)
        return;
    anole_chart_begin(out, WIDTH, 190, title);
    anole_draw_curve(out, &trials, curve, task, start, start_name, false);
    if (curve->seconds > 0.0)
        anole_draw_curve(out, &seconds, curve, task, start, start_name, true);
    else
        anole_chart_text(out, 430, 90, "middle", "name", 60, "trials took no time");
    anole_chart_end(out);
}

/* --------------------------------------------------------------------- costs */

void anole_chart_costs(struct anole_text *out, const struct anole_report_tally *tally,
                       const char *title)
{
    struct anole_report_cost costs[ANOLE_REPORT_COSTS];
    double sum = anole_report_costs(costs, tally), at = 0.0;
    if (!(sum > 0.0))
        return;
    anole_chart_begin(out, WIDTH, 58, title);
    for (size_t i = 0; i < ANOLE_REPORT_COSTS; i++) {
        double width = WIDTH * costs[i].seconds / sum;
        char text[96];
        if (width < 0.5)
            continue;
        anole_text_printf(out,
                          "<rect class=\"part p%zu\" x=\"%.1f\" y=\"4\" width=\"%.1f\" "
                          "height=\"30\"/>",
                          i, at, fmax(width - 1.0, 0.5));
        snprintf(text, sizeof text, "%s %s", costs[i].name,
                 anole_word_percent(costs[i].seconds / sum).text);
        if (width > 90)
            anole_chart_text(out, at + 6, 50, "start", "name", 40, text);
        at += width;
    }
    anole_chart_end(out);
}

/* --------------------------------------------------------------------- knobs */

void anole_chart_importance(struct anole_text *out, const struct anole_report_task *task,
                            const char *title)
{
    const struct anole_report_knobs *knobs = task->knobs;
    size_t count = knobs->count < MOST_BARS ? knobs->count : MOST_BARS;
    const struct anole_frame frame = {.left = 150, .width = 330, .x_high = 1.0};
    double most = fmax(knobs->knobs[0].importance, 1e-9);
    anole_chart_begin(out, WIDTH, 12 + 22.0 * (double)count, title);
    for (size_t i = 0; i < count; i++) {
        const struct anole_report_knob *knob = &knobs->knobs[i];
        double y = 6 + 22.0 * (double)i, width = frame.width * knob->importance / most;
        anole_chart_text(out, frame.left - 8, y + 14, "end", "label", 22,
                         task->knob_names[knob->knob]);
        anole_text_printf(out,
                          "<rect class=\"bar\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
                          "height=\"14\"/>",
                          frame.left, y + 3, fmax(width, 0.5));
        anole_chart_text(out, frame.left + width + 6, y + 14, "start", "value", 20,
                         anole_word_percent(knob->importance).text);
    }
    anole_chart_end(out);
}

static void name_bin(char *text, size_t size, const struct anole_heat_side *side, size_t i)
{
    if (side->low[i] == side->high[i])
        snprintf(text, size, "%lld", (long long)side->low[i]);
    else
        snprintf(text, size, "%lld-%lld", (long long)side->low[i], (long long)side->high[i]);
}

/* Best of all over the best of a cell: 1 is the best; what failed says so. */
static void draw_cell(struct anole_text *out, const struct anole_report_knobs *knobs, size_t r,
                      size_t c, double best, double x, double y, double width)
{
    double ratio = knobs->best[r][c] / best;
    int shade = isnan(ratio) ? 0 : 1 + (int)fmin(4.0, 4.99 / ratio);
    char text[32];
    if (ratio < 1e4 && !isnan(ratio))
        snprintf(text, sizeof text, ratio < 9.995 ? "%.2f" : "%.0f", ratio);
    else
        snprintf(text, sizeof text, "%s",
                 isnan(ratio) ? knobs->tried[r][c] ? "failed" : "" : "slow");
    anole_text_printf(out,
                      "<rect class=\"cell h%d\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
                      "height=\"21\"/>",
                      shade, x, y, width - 1.0);
    if (text[0])
        anole_chart_text(out, x + width / 2, y + 15, "middle", shade >= 4 ? "in" : "cellname", 10,
                         text);
}

void anole_chart_heat(struct anole_text *out, const struct anole_report_task *task,
                      const char *title)
{
    const struct anole_report_knobs *knobs = task->knobs;
    const struct anole_heat_side *rows = &knobs->rows, *columns = &knobs->columns;
    double best = INFINITY, left = 96, top = 44, width = 42;
    char text[64];
    for (size_t r = 0; r < rows->count; r++)
        for (size_t c = 0; c < columns->count; c++)
            best = knobs->best[r][c] < best ? knobs->best[r][c] : best;
    anole_chart_begin(out, WIDTH + 50, top + 22.0 * (double)rows->count + 6, title);
    anole_chart_text(out, left, 14, "start", "name", 40, task->knob_names[columns->knob]);
    anole_chart_text(out, left - 8, top - 8, "end", "name", 14, task->knob_names[rows->knob]);
    for (size_t c = 0; c < columns->count; c++) {
        name_bin(text, sizeof text, columns, c);
        anole_chart_text(out, left + width * ((double)c + 0.5), top - 8, "middle", "tick", 7, text);
    }
    for (size_t r = 0; r < rows->count; r++) {
        double y = top + 22.0 * (double)r;
        name_bin(text, sizeof text, rows, r);
        anole_chart_text(out, left - 8, y + 15, "end", "tick", 13, text);
        for (size_t c = 0; c < columns->count; c++)
            draw_cell(out, knobs, r, c, best, left + width * (double)c, y, width);
    }
    anole_chart_end(out);
}
