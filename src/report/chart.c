/* SPDX-License-Identifier: MIT */
#include "report/chart.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_TICKS 12

static double place(double value, double low, double high, bool log)
{
    double share = log ? (log10(value) - log10(low)) / (log10(high) - log10(low))
                       : (value - low) / (high - low);
    return share >= 0.0 ? fmin(share, 1.0) : 0.0; /* NaN is 0 */
}

double anole_frame_x(const struct anole_frame *frame, double x)
{
    return frame->left + frame->width * place(x, frame->x_low, frame->x_high, frame->x_log);
}

double anole_frame_y(const struct anole_frame *frame, double y)
{
    return frame->top + frame->height * (1.0 - place(y, frame->y_low, frame->y_high, frame->y_log));
}

void anole_chart_range(double *low, double *high, bool log)
{
    if (!isfinite(*low) || !isfinite(*high) || *low > *high || (log && *low <= 0.0)) {
        *low = log ? 1.0 : 0.0;
        *high = log ? 10.0 : 1.0;
    }
    if (log) {
        *low = fmax(*low / 1.06, 1e-300);
        *high = fmin(*high * 1.06, 1e300);
    } else if (*high <= *low) {
        *high = *low + fmax(fabs(*low), 1.0) * 0.1;
    }
}

/* ---------------------------------------------------------------- the drawing */

void anole_chart_begin(struct anole_text *out, double width, double height, const char *title)
{
    anole_text_printf(out,
                      "<svg class=\"chart\" viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" "
                      "height=\"%.0f\" role=\"img\" ",
                      width, height, width, height);
    anole_markup(out, "aria-label=\"$\"><title>$</title>\n", title, title, NULL);
}

void anole_chart_end(struct anole_text *out)
{
    anole_text_printf(out, "</svg>\n");
}

void anole_chart_text(struct anole_text *out, double x, double y, const char *anchor,
                      const char *class, size_t most, const char *text)
{
    size_t bytes = 0, characters = 0;
    while (text[bytes] && characters < most) {
        bytes++;
        while (((unsigned char)text[bytes] & 0xc0) == 0x80)
            bytes++;
        characters++;
    }
    char *cut = strndup(text, bytes);
    if (!cut) {
        out->failed = true;
        return;
    }
    anole_text_printf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" class=\"%s\">", x, y,
                      anchor, class);
    anole_markup_escape(out, cut);
    anole_text_printf(out, "%s</text>\n", text[bytes] ? "…" : "");
    free(cut);
}

/* -------------------------------------------------------------------- ticks */

struct anole_word anole_tick_seconds(double value)
{
    static const struct {
        double unit;
        const char *name;
    } units[] = {{3600, "h"}, {60, "min"}, {1, "s"}, {1e-3, "ms"}, {1e-6, "us"}, {1e-9, "ns"}};
    struct anole_word word = {"0"};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (value >= units[i].unit * (i < 2 ? 2 : 1) || (i + 1 == sizeof units / sizeof *units)) {
            if (value > 0.0)
                snprintf(word.text, sizeof word.text, "%.3g %s", value / units[i].unit,
                         units[i].name);
            break;
        }
    return word;
}

struct anole_word anole_tick_number(double value)
{
    struct anole_word word;
    if (value >= 1000.0 && value < 1e9)
        return anole_word_count((size_t)value);
    snprintf(word.text, sizeof word.text, "%.3g", value);
    return word;
}

/* A number of the form 1, 2 or 5 times a power of ten, not less than `value`. */
static double round_up(double value)
{
    double power = pow(10.0, floor(log10(value))), digit = value / power;
    return power * (digit <= 1.0 ? 1.0 : digit <= 2.0 ? 2.0 : digit <= 5.0 ? 5.0 : 10.0);
}

static size_t linear_ticks(double *ticks, double low, double high, size_t most)
{
    double step = round_up((high - low) / (double)most);
    size_t count = 0;
    for (double at = ceil(low / step - 1e-9); count < MOST_TICKS && at * step <= high * (1 + 1e-9);
         at += 1.0)
        ticks[count++] = at * step + 0.0; /* no -0 */
    return count;
}

/* 1, 2 and 5 of each power of ten, if those are few; else powers of ten. */
static size_t log_ticks(double *ticks, double low, double high, size_t most)
{
    static const double digits[] = {1.0, 2.0, 5.0};
    double first = floor(log10(low)), last = ceil(log10(high));
    size_t each = (last - first) * 3.0 <= (double)most + 3.0 ? 3 : 1, count = 0;
    double step = fmax(1.0, ceil((last - first) / (double)most));
    if (high / low < 3.0)
        return linear_ticks(ticks, low, high, most);
    for (double power = first; power <= last && count < MOST_TICKS; power += step)
        for (size_t d = 0; d < each && count < MOST_TICKS; d++) {
            double value = digits[d] * pow(10.0, power);
            if (value >= low && value <= high)
                ticks[count++] = value;
        }
    return count;
}

static size_t find_ticks(double *ticks, double low, double high, bool log, size_t most)
{
    return log ? log_ticks(ticks, low, high, most) : linear_ticks(ticks, low, high, most);
}

static void draw_ticks(struct anole_text *out, const struct anole_frame *frame,
                       anole_tick_text *x_text, anole_tick_text *y_text)
{
    double ticks[MOST_TICKS], bottom = frame->top + frame->height;
    size_t count = find_ticks(ticks, frame->x_low, frame->x_high, frame->x_log,
                              (size_t)fmax(2.0, frame->width / 75.0));
    for (size_t i = 0; i < count; i++) {
        double x = anole_frame_x(frame, ticks[i]);
        anole_text_printf(out, "<path class=\"grid\" d=\"M%.1f %.1fV%.1f\"/>", x, frame->top,
                          bottom);
        anole_chart_text(out, x, bottom + 15, "middle", "tick", 20, x_text(ticks[i]).text);
    }
    count = find_ticks(ticks, frame->y_low, frame->y_high, frame->y_log,
                       (size_t)fmax(2.0, frame->height / 26.0));
    for (size_t i = 0; y_text && i < count; i++) {
        double y = anole_frame_y(frame, ticks[i]);
        anole_text_printf(out, "<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/>", frame->left, y,
                          frame->left + frame->width);
        anole_chart_text(out, frame->left - 6, y + 4, "end", "tick", 20, y_text(ticks[i]).text);
    }
}

void anole_chart_axes(struct anole_text *out, const struct anole_frame *frame, const char *x_name,
                      anole_tick_text *x_text, const char *y_name, anole_tick_text *y_text)
{
    double bottom = frame->top + frame->height, middle = frame->left + frame->width / 2;
    draw_ticks(out, frame, x_text, y_text);
    anole_text_printf(out, "<path class=\"axis\" d=\"M%.1f %.1fV%.1fH%.1f\"/>\n", frame->left,
                      frame->top, bottom, frame->left + frame->width);
    anole_chart_text(out, middle, bottom + 32, "middle", "name", 80, x_name);
    if (y_name)
        anole_chart_text(out, frame->left - 4, frame->top - 8, "middle", "name", 60, y_name);
}
