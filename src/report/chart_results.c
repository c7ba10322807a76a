/* SPDX-License-Identifier: MIT
 *
 * Charts of what was found: speed-ups, the roofline, the network as it ran.
 */
#include "report/chart.h"

#include "report/facts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define WIDTH 560
#define ROW 20.0
#define MOST_POINTS 60
#define MOST_BIG 24 /* steps that have a row of their own where there are many */

/* ---------------------------------------------------------------- speed-ups */

static size_t count_speedups(const struct anole_report_column *column, size_t most)
{
    size_t count = 0;
    for (size_t i = 0; i < column->task_count && count < most; i++)
        count += isfinite(column->tasks[i].speedup);
    return count;
}

static void span_speedups(struct anole_frame *frame, const struct anole_report_column *column,
                          size_t most)
{
    frame->x_low = frame->x_high = 1.0;
    for (size_t i = 0, seen = 0; i < column->task_count && seen < most; i++) {
        const struct anole_report_task *task = &column->tasks[i];
        if (!isfinite(task->speedup))
            continue;
        seen++;
        frame->x_low = fmin(frame->x_low, fmin(task->speedup, task->speedup_low));
        frame->x_high = fmax(frame->x_high, fmax(task->speedup, task->speedup_high));
    }
    frame->x_low = fmax(frame->x_low, 1e-3);
    frame->x_high = fmin(fmax(frame->x_high, 1.1 * frame->x_low), 1e6);
    frame->x_log = frame->x_high / frame->x_low > 6.0;
    if (!frame->x_log) {
        double margin = 0.06 * (frame->x_high - frame->x_low);
        frame->x_low -= margin;
        frame->x_high += margin;
    }
}

static void draw_speedup(struct anole_text *out, const struct anole_frame *frame,
                         const struct anole_report_task *task, size_t number, double y)
{
    char label[160];
    double x = anole_frame_x(frame, task->speedup);
    snprintf(label, sizeof label, "%zu  %s", number, task->label);
    anole_chart_text(out, frame->left - 10, y + 4, "end", "label", frame->width > 300 ? 42 : 29,
                     label);
    if (isfinite(task->speedup_low))
        anole_text_printf(out, "<path class=\"whisker\" d=\"M%.1f %.1fH%.1f\"/>",
                          anole_frame_x(frame, task->speedup_low), y,
                          anole_frame_x(frame, task->speedup_high));
    anole_text_printf(out, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/>",
                      task->tie ? "hollow" : "point", x, y);
    anole_chart_text(out, frame->left + frame->width + 10, y + 4, "start", "value", 40,
                     anole_report_speedup(task).text);
}

static struct anole_word tick_times(double value)
{
    struct anole_word word;
    snprintf(word.text, sizeof word.text, "%.4gx", value);
    return word;
}

void anole_draw_speedups(struct anole_text *out, const struct anole_report_column *column,
                         size_t most, double left, double top, double width)
{
    size_t count = count_speedups(column, most);
    double names = width > 700 ? 310 : 225;
    struct anole_frame frame = {.left = left + names,
                                .top = top,
                                .width = width - names - 165,
                                .height = ROW * (double)count,
                                .y_high = 1.0};
    span_speedups(&frame, column, most);
    anole_chart_axes(out, &frame, "speed-up over the default, 95 % interval; hollow: a tie",
                     tick_times, NULL, NULL);
    double one = anole_frame_x(&frame, 1.0), y = top + ROW / 2;
    anole_text_printf(out, "<path class=\"start\" d=\"M%.1f %.1fV%.1f\"/>\n", one, top - 4,
                      top + frame.height);
    anole_chart_text(out, one, top - 8, "middle", "startname", 20, "default");
    for (size_t i = 0, seen = 0; i < column->task_count && seen < most; i++) {
        if (!isfinite(column->tasks[i].speedup))
            continue;
        draw_speedup(out, &frame, &column->tasks[i], i + 1, y);
        y += ROW;
        seen++;
    }
}

void anole_chart_speedups(struct anole_text *out, const struct anole_report_column *column,
                          bool wide, const char *title)
{
    double width = wide ? 900 : WIDTH;
    size_t count = count_speedups(column, ANOLE_CHART_SPEEDUPS);
    if (count == 0)
        return;
    anole_chart_begin(out, width, 24 + ROW * (double)count + 40, title);
    anole_draw_speedups(out, column, ANOLE_CHART_SPEEDUPS, 0, 24, width);
    anole_chart_end(out);
}

/* ----------------------------------------------------------------- roofline */

static bool has_place(const struct anole_report_task *task)
{
    return task->flops > 0.0 && task->bytes > 0.0 && isfinite(task->value);
}

static void span_roofline(struct anole_frame *frame, const struct anole_report_column *column,
                          double peak, double bandwidth)
{
    frame->x_low = frame->x_high = peak / bandwidth;
    frame->y_low = frame->y_high = peak;
    for (size_t i = 0; i < column->task_count && i < MOST_POINTS; i++) {
        const struct anole_report_task *task = &column->tasks[i];
        if (!has_place(task))
            continue;
        double intensity = task->flops / task->bytes, speed = task->flops / task->value;
        frame->x_low = fmin(frame->x_low, intensity);
        frame->x_high = fmax(frame->x_high, intensity);
        frame->y_low = fmin(frame->y_low, speed);
        frame->y_high = fmax(frame->y_high, speed);
    }
    frame->x_low /= 1.5;
    frame->x_high *= 2.0;
    frame->y_low /= 1.5;
    frame->y_high *= 1.6;
}

static struct anole_word tick_giga(double value)
{
    return anole_tick_number(value / 1e9);
}

static void draw_roofs(struct anole_text *out, const struct anole_frame *frame,
                       const struct anole_report *report, double peak, double bandwidth)
{
    char text[96];
    double ridge = peak / bandwidth, start = fmax(frame->x_low, frame->y_low / bandwidth);
    anole_text_printf(out, "<path class=\"roof\" d=\"M%.1f %.1fL%.1f %.1fH%.1f\"/>\n",
                      anole_frame_x(frame, start), anole_frame_y(frame, start * bandwidth),
                      anole_frame_x(frame, ridge), anole_frame_y(frame, peak),
                      frame->left + frame->width);
    snprintf(text, sizeof text, "%s GFLOP/s, %s", anole_word_short(peak / 1e9).text,
             report->peak > 0.0 ? "given" : "the most reached");
    anole_chart_text(out, frame->left + frame->width - 4, anole_frame_y(frame, peak) - 6, "end",
                     "startname", 60, text);
    snprintf(text, sizeof text, "%s GB/s, %s", anole_word_short(bandwidth / 1e9).text,
             report->bandwidth > 0.0 ? "given" : "the most reached");
    anole_chart_text(out, frame->left + 8, frame->top + 14, "start", "startname", 60, text);
}

void anole_chart_roofline(struct anole_text *out, const struct anole_report *report,
                          const struct anole_report_column *column, const char *title)
{
    struct anole_frame frame = {
        .left = 62, .top = 26, .width = 484, .height = 260, .x_log = true, .y_log = true};
    double peak, bandwidth;
    anole_report_roof(&peak, &bandwidth, report, column);
    if (!(peak > 0.0) || !(bandwidth > 0.0) || !isfinite(peak) || !isfinite(bandwidth))
        return;
    span_roofline(&frame, column, peak, bandwidth);
    anole_chart_begin(out, WIDTH, 330, title);
    anole_chart_axes(out, &frame, "operations for each byte that must move (FLOP/byte)",
                     anole_tick_number, "GFLOP/s", tick_giga);
    draw_roofs(out, &frame, report, peak, bandwidth);
    for (size_t i = 0; i < column->task_count && i < MOST_POINTS; i++) {
        const struct anole_report_task *task = &column->tasks[i];
        char number[24];
        if (!has_place(task))
            continue;
        double x = anole_frame_x(&frame, task->flops / task->bytes);
        double y = anole_frame_y(&frame, task->flops / task->value);
        anole_text_printf(out, "<circle class=\"point\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/>", x, y);
        snprintf(number, sizeof number, "%zu", i + 1);
        anole_chart_text(out, x + 6, y + 4, "start", "label", 8, number);
    }
    anole_chart_end(out);
}

/* ---------------------------------------------------------------- time line */

static int descending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

/* Steps shorter than that share a row with their neighbours; 0: none does. */
static double find_least(const struct anole_report_network *run)
{
    double *seconds = calloc(run->step_count + 1, sizeof *seconds), least = INFINITY;
    if (run->step_count <= 2 * MOST_BIG) {
        free(seconds);
        return 0.0;
    }
    for (size_t i = 0; seconds && i < run->step_count; i++)
        seconds[i] = isnan(run->steps[i].seconds) ? 0.0 : run->steps[i].seconds;
    if (seconds) {
        qsort(seconds, run->step_count, sizeof *seconds, descending);
        /* Of equal ones all are small: what has a row of its own is longer than all others. */
        least = nextafter(seconds[MOST_BIG], INFINITY);
    }
    free(seconds);
    return least;
}

struct row {
    size_t first, count;
    double at, seconds;
};

/* The next row, from step `first` that starts at `at`. */
static struct row next_row(const struct anole_report_network *run, size_t first, double at,
                           double least)
{
    struct row row = {.first = first, .at = at};
    while (first + row.count < run->step_count) {
        double seconds = run->steps[first + row.count].seconds;
        seconds = isnan(seconds) ? 0.0 : seconds;
        if (row.count > 0 && (seconds >= least || least == 0.0))
            break;
        row.seconds += seconds;
        row.count++;
        if (seconds >= least)
            break;
    }
    return row;
}

static void draw_row(struct anole_text *out, const struct anole_frame *frame,
                     const struct anole_report_network *run, const struct row *row, double y)
{
    const struct anole_report_step *step = &run->steps[row->first];
    double x = anole_frame_x(frame, row->at);
    double width = fmax(1.0, anole_frame_x(frame, row->at + row->seconds) - x);
    char text[96], several[48];
    bool one = row->count == 1;
    snprintf(several, sizeof several, "%zu short steps", row->count);
    anole_chart_text(out, frame->left - 10, y + 14, "end", one ? "label" : "tick", 30,
                     !one             ? several
                     : step->label[0] ? step->label
                                      : step->node);
    anole_text_printf(out,
                      "<rect class=\"part s%d\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
                      "height=\"13\"/>",
                      one ? (int)step->kind : (int)ANOLE_REPORT_STEP_OTHER, x, y + 3, width);
    snprintf(text, sizeof text, "%s%s%s", anole_word_seconds(row->seconds).text, one ? ", " : "",
             one ? anole_report_step_text(step->kind) : "");
    bool right = x + width < frame->left + 0.68 * frame->width;
    anole_chart_text(out, right ? x + width + 6 : x - 6, y + 14, right ? "start" : "end", "value",
                     40, text);
}

void anole_chart_timeline(struct anole_text *out, const struct anole_report_network *run,
                          const char *title)
{
    struct anole_frame frame = {
        .left = 240, .top = 8, .width = 700, .x_high = run->sum, .y_high = 1.0};
    double least = find_least(run), at = 0.0;
    size_t rows = 0;
    for (size_t i = 0; i < run->step_count; rows++)
        i += next_row(run, i, 0.0, least).count;
    frame.height = ROW * (double)rows;
    anole_chart_begin(out, 960, frame.height + 48, title);
    anole_chart_axes(out, &frame, "time since the network began, steps one behind the other",
                     anole_tick_seconds, NULL, NULL);
    rows = 0;
    for (size_t i = 0; i < run->step_count; rows++) {
        struct row row = next_row(run, i, at, least);
        draw_row(out, &frame, run, &row, frame.top + ROW * (double)rows);
        at += row.seconds;
        i += row.count;
    }
    anole_chart_end(out);
}
