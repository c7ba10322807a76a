/* SPDX-License-Identifier: MIT
 *
 * Regret curves as SVG: best so far over the optimum, on a logarithmic scale,
 * against trials and against simulated time, each with its 95 % band.
 */
#include "search_plot.h"
#include "search_statistics.h"

#include "base/file.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

#define WIDTH 960
#define PANEL_WIDTH 390
#define PANEL_HEIGHT 320
#define TOP 48
#define LEGEND_ROW 20
#define LEGEND_COLUMNS 4
#define POINTS 100         /* of a curve, at most */
#define LEAST_PERCENT 0.05 /* what is below is at the floor: the noise of any recording */

/* Okabe and Ito's colours, which nearly everybody can tell apart; what comes after
 * eight is dashed. */
static const char *const colours[] = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                      "#56B4E9", "#E69F00", "#000000", "#8C6D1F"};
#define COLOURS (sizeof colours / sizeof colours[0])
static const char *const dashes[] = {"none", "6 3", "2 2", "8 3 2 3"};

struct panel {
    const struct bench_runs *runs;
    struct anole_text *svg;
    const char *id, *title, *label;
    bool by_time;
    double left, low, high; /* of the axis, per cent */
};

static double clamped_percent(double logarithm)
{
    return fmax(bench_percent(logarithm), LEAST_PERCENT);
}

static double x_of(const struct panel *panel, double trials)
{
    return panel->left + PANEL_WIDTH * trials / (double)panel->runs->plan->trials;
}

static double y_of(const struct panel *panel, double percent)
{
    return TOP + PANEL_HEIGHT * log(panel->high / percent) / log(panel->high / panel->low);
}

static void append_escaped(struct anole_text *svg, const char *text)
{
    for (; *text; text++) {
        const char *entity = *text == '<'   ? "&lt;"
                             : *text == '>' ? "&gt;"
                             : *text == '&' ? "&amp;"
                             : *text == '"' ? "&quot;"
                                            : NULL;
        if (entity)
            anole_text_append(svg, entity, strlen(entity));
        else
            anole_text_append_printable(svg, text, 1);
    }
}

/* ------------------------------------------------------------------- curves */

static struct bench_mean point(const struct panel *panel, size_t strategy, double at)
{
    return panel->by_time ? bench_excess_at(panel->runs, BENCH_ALL_SPACES, strategy, at)
                          : bench_excess(panel->runs, BENCH_ALL_SPACES, strategy, (size_t)at);
}

static size_t curve(const struct panel *panel, size_t strategy, double *at,
                    struct bench_mean *means)
{
    size_t trials = panel->runs->plan->trials, count = trials < POINTS ? trials : POINTS;
    for (size_t i = 0; i < count; i++) {
        at[i] = floor((double)((i + 1) * trials) / (double)count);
        means[i] = point(panel, strategy, at[i]);
    }
    return count;
}

static void draw_curve(const struct panel *panel, size_t strategy)
{
    double at[POINTS];
    struct bench_mean means[POINTS] = {{0}};
    const char *colour = colours[strategy % COLOURS];
    const char *dash = dashes[strategy / COLOURS % 4];
    size_t count = curve(panel, strategy, at, means);
    if (!isnan(means[0].half)) {
        anole_text_printf(panel->svg,
                          "<polygon clip-path=\"url(#%s)\" fill=\"%s\" fill-opacity=\"0.13\" "
                          "points=\"",
                          panel->id, colour);
        for (size_t i = 0; i < count; i++)
            anole_text_printf(panel->svg, "%.1f,%.1f ", x_of(panel, at[i]),
                              y_of(panel, clamped_percent(means[i].mean + means[i].half)));
        for (size_t i = count; i-- > 0;)
            anole_text_printf(panel->svg, "%.1f,%.1f ", x_of(panel, at[i]),
                              y_of(panel, clamped_percent(means[i].mean - means[i].half)));
        anole_text_printf(panel->svg, "\"/>\n");
    }
    anole_text_printf(panel->svg,
                      "<polyline clip-path=\"url(#%s)\" fill=\"none\" stroke=\"%s\" "
                      "stroke-width=\"1.8\" stroke-dasharray=\"%s\" points=\"",
                      panel->id, colour, dash);
    for (size_t i = 0; i < count; i++)
        anole_text_printf(panel->svg, "%.1f,%.1f ", x_of(panel, at[i]),
                          y_of(panel, clamped_percent(means[i].mean)));
    anole_text_printf(panel->svg, "\"/>\n");
}

/* --------------------------------------------------------------------- axes */

/* The next of 1, 2, 5, 10, ... that is not below (or not above) x. */
static double round_to_tick(double x, bool up)
{
    static const double steps[] = {1, 2, 5, 10};
    double decade = pow(10.0, floor(log10(x) + 1e-9)), found = decade;
    for (size_t i = 0; i < 4; i++) {
        double tick = steps[i] * decade;
        if (up && tick >= x * (1 - 1e-9))
            return tick;
        if (!up && tick <= x * (1 + 1e-9))
            found = tick;
    }
    return found;
}

static void draw_y_axis(const struct panel *panel)
{
    double tick = panel->low;
    while (tick <= panel->high * 1.0001) {
        double y = y_of(panel, tick);
        anole_text_printf(panel->svg,
                          "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" "
                          "stroke=\"#ddd\"/>\n"
                          "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%g%%</text>\n",
                          panel->left, panel->left + PANEL_WIDTH, y, y, panel->left - 6, y + 4,
                          tick);
        tick = round_to_tick(tick * 1.01, true);
    }
}

static void draw_x_axis(const struct panel *panel)
{
    double trials = (double)panel->runs->plan->trials;
    double step = trials >= 4 ? round_to_tick(trials / 6, true) : 1;
    for (double tick = 0; tick <= trials * 1.0001; tick += step) {
        double x = x_of(panel, tick);
        anole_text_printf(panel->svg,
                          "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\" stroke=\"#eee\"/>\n"
                          "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%g</text>\n",
                          x, x, TOP, TOP + PANEL_HEIGHT, x, TOP + PANEL_HEIGHT + 17, tick);
    }
}

static void draw_panel(const struct panel *panel)
{
    struct anole_text *svg = panel->svg;
    double middle = panel->left + PANEL_WIDTH / 2.0;
    anole_text_printf(svg,
                      "<clipPath id=\"%s\"><rect x=\"%.1f\" y=\"%d\" width=\"%d\" "
                      "height=\"%d\"/></clipPath>\n"
                      "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\" "
                      "font-weight=\"bold\">%s</text>\n",
                      panel->id, panel->left, TOP, PANEL_WIDTH, PANEL_HEIGHT, middle, TOP - 10,
                      panel->title);
    draw_x_axis(panel);
    draw_y_axis(panel);
    anole_text_printf(svg,
                      "<rect x=\"%.1f\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"none\" "
                      "stroke=\"#444\"/>\n"
                      "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
                      panel->left, TOP, PANEL_WIDTH, PANEL_HEIGHT, middle, TOP + PANEL_HEIGHT + 36,
                      panel->label);
    for (size_t c = panel->runs->plan->strategy_count; c-- > 0;) /* the first on top */
        draw_curve(panel, c);
}

static void draw_legend(struct anole_text *svg, const struct bench_plan *plan)
{
    for (size_t c = 0; c < plan->strategy_count; c++) {
        double x = 70 + (double)(c % LEGEND_COLUMNS) * (WIDTH - 90) / LEGEND_COLUMNS;
        double y = TOP + PANEL_HEIGHT + 62 + (double)(c / LEGEND_COLUMNS) * LEGEND_ROW;
        anole_text_printf(svg,
                          "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" "
                          "stroke-width=\"2.4\" stroke-dasharray=\"%s\"/>\n"
                          "<text x=\"%.1f\" y=\"%.1f\">",
                          x, x + 26, y - 4, y - 4, colours[c % COLOURS], dashes[c / COLOURS % 4],
                          x + 32, y);
        append_escaped(svg, plan->strategies[c].label);
        anole_text_printf(svg, "</text>\n");
    }
}

/* From what the curves reach in the end to what they have early on. */
static void find_range(struct panel *panel)
{
    const struct bench_plan *plan = panel->runs->plan;
    double low = INFINITY, high = 0.0, early = (double)plan->trials / 50;
    for (size_t c = 0; c < plan->strategy_count; c++) {
        struct bench_mean last = bench_excess(panel->runs, BENCH_ALL_SPACES, c, plan->trials);
        struct bench_mean first =
            bench_excess(panel->runs, BENCH_ALL_SPACES, c, early < 1 ? 1 : (size_t)early);
        low = fmin(low, clamped_percent(last.mean));
        high = fmax(high, clamped_percent(first.mean));
    }
    panel->low = round_to_tick(low, false);
    panel->high = round_to_tick(high, true);
    if (panel->high < 10 * panel->low)
        panel->high = 10 * panel->low;
}

enum anole_status bench_plot(const struct bench_runs *runs, const char *path,
                             struct anole_error *error)
{
    const struct bench_plan *plan = runs->plan;
    struct anole_text svg = {0};
    size_t rows = (plan->strategy_count + LEGEND_COLUMNS - 1) / LEGEND_COLUMNS;
    int height = TOP + PANEL_HEIGHT + 62 + (int)rows * LEGEND_ROW;
    struct panel trials = {.runs = runs,
                           .svg = &svg,
                           .id = "trials",
                           .title = "best so far, over the optimum",
                           .label = "trials",
                           .left = 62};
    find_range(&trials);
    struct panel clock = trials;
    clock.id = "time";
    clock.label = "simulated time (build, validation, runs), in average trials";
    clock.by_time = true;
    clock.left = 62 + PANEL_WIDTH + 80;
    anole_text_printf(&svg,
                      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
                      "viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"12\" "
                      "fill=\"#222\">\n"
                      "<title>Regret curves</title>\n"
                      "<desc>%zu recorded spaces (geometric mean), %zu repeats, bands: 95 %% "
                      "intervals</desc>\n"
                      "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
                      WIDTH, height, WIDTH, height, plan->spaces.count, plan->repeats);
    draw_panel(&trials);
    draw_panel(&clock);
    draw_legend(&svg, plan);
    anole_text_printf(&svg, "</svg>\n");
    enum anole_status status = svg.failed ? anole_fail_memory(error)
                                          : anole_file_replace(path, svg.data, svg.length, error);
    anole_text_fini(&svg);
    return status;
}
