/* SPDX-License-Identifier: MIT
 *
 * Charts as SVG, with a name for those who do not see them, labelled axes, and labels at what is
 * drawn: nothing is told by colour alone.  Classes of style.h colour them, in light and dark.
 * The number of marks is bounded, whatever a file holds.
 */
#ifndef ANOLE_REPORT_CHART_H
#define ANOLE_REPORT_CHART_H

#include "report/curve.h"
#include "report/knobs.h"
#include "report/markup.h"

/* A rectangle with two axes. */
struct anole_frame {
    double left, top, width, height; /* in the units of the drawing */
    double x_low, x_high, y_low, y_high;
    bool x_log, y_log; /* then both ends are positive */
};
/* The place of a value, kept within the frame. */
double anole_frame_x(const struct anole_frame *frame, double x);
double anole_frame_y(const struct anole_frame *frame, double y);

/* Begins a drawing; `title` is what a reader of screens says, and from wherever. */
void anole_chart_begin(struct anole_text *out, double width, double height, const char *title);
void anole_chart_end(struct anole_text *out);

typedef struct anole_word anole_tick_text(double value);
anole_tick_text anole_tick_seconds, anole_tick_number;
/* Frame, grid, ticks and names of both axes. */
void anole_chart_axes(struct anole_text *out, const struct anole_frame *frame, const char *x_name,
                      anole_tick_text *x_text, const char *y_name, anole_tick_text *y_text);
/* Text at a place; anchor "start", "middle" or "end"; class of style.h, or "".  Longer text than
 * `most` characters is cut. */
void anole_chart_text(struct anole_text *out, double x, double y, const char *anchor,
                      const char *class, size_t most, const char *text);
/* Widens an interval that is empty or that nothing can be drawn on. */
void anole_chart_range(double *low, double *high, bool log);

/* -- The charts; each a whole drawing -- */

/* Speed-ups of layers with their intervals; `wide`: it has the page for itself. */
void anole_chart_speedups(struct anole_text *out, const struct anole_report_column *column,
                          bool wide, const char *title);
#define ANOLE_CHART_SPEEDUPS 30 /* layers that it shows at most */
/* The best so far, against trials and against time.  `task`: all its trials as dots, too; or NULL.
 * `start`: what the default takes, or NaN; `start_name` names it. */
void anole_chart_curve(struct anole_text *out, const struct anole_curve *curve,
                       const struct anole_report_task *task, double start, const char *start_name,
                       const char *title);
void anole_chart_costs(struct anole_text *out, const struct anole_report_tally *tally,
                       const char *title);
void anole_chart_roofline(struct anole_text *out, const struct anole_report *report,
                          const struct anole_report_column *column, const char *title);
/* Which knobs of a task mattered, and how the first two go together. */
void anole_chart_importance(struct anole_text *out, const struct anole_report_task *task,
                            const char *title);
void anole_chart_heat(struct anole_text *out, const struct anole_report_task *task,
                      const char *title);
void anole_chart_timeline(struct anole_text *out, const struct anole_report_network *run,
                          const char *title);

/* -- Parts of them, for a drawing of several -- */

/* Both within the given rectangle, without a beginning and an end. */
void anole_draw_speedups(struct anole_text *out, const struct anole_report_column *column,
                         size_t most, double left, double top, double width);
void anole_draw_curve(struct anole_text *out, const struct anole_frame *area,
                      const struct anole_curve *curve, const struct anole_report_task *task,
                      double start, const char *start_name, bool by_time);

#endif
