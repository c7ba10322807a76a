/* SPDX-License-Identifier: MIT */
#include "search_report.h"
#include "search_statistics.h"

#include "base/json.h"
#include "base/text.h"
#include "cli/table.h"

#include <math.h>

/* Where the tables look; those beyond the plan's trials fall away. */
static const size_t marks[] = {20, 50, 100, 200, 400, 800, 1600};
#define MARKS (sizeof marks / sizeof marks[0])

static bool within(const struct bench_runs *runs, size_t mark)
{
    return marks[mark] <= runs->plan->trials;
}

/* ------------------------------------------------------------------- tables */

/* "8.3 +-0.9", in per cent: the half width is that of the logarithm, scaled. */
static void cell(struct anole_table *table, struct bench_mean excess)
{
    double percent = bench_percent(excess.mean);
    int decimals = fabs(percent) < 9.95 ? 2 : 1;
    if (isnan(excess.half))
        anole_table_cell(table, "%.*f", decimals, percent);
    else
        anole_table_cell(table, "%.*f ±%.*f", decimals, percent, decimals,
                         100.0 * exp(excess.mean) * excess.half);
}

/* A column for each mark; the table borrows its titles. */
struct columns {
    char texts[MARKS][32];
    const char *titles[MARKS + 2];
};

static enum anole_status begin(struct anole_table **table, struct columns *columns,
                               const struct bench_runs *runs, const char *prefix,
                               struct anole_error *error)
{
    size_t count = 0;
    *columns = (struct columns){0};
    columns->titles[count++] = "explorer";
    for (size_t m = 0; m < MARKS; m++) {
        if (!within(runs, m))
            continue;
        snprintf(columns->texts[m], sizeof columns->texts[m], ">%s%zu", prefix, marks[m]);
        columns->titles[count++] = columns->texts[m];
    }
    return anole_table_create(table, columns->titles, error);
}

static enum anole_status end(struct anole_table *table, FILE *out, struct anole_error *error)
{
    enum anole_status status = anole_table_print(table, out, error);
    anole_table_destroy(table);
    return status;
}

static enum anole_status print_spaces(const struct bench_runs *runs, FILE *out,
                                      struct anole_error *error)
{
    static const char *const titles[] = {"space",       ">configs", ">failed",  ">passed over",
                                         ">unrecorded", ">optimum", ">slowest", NULL};
    struct anole_table *table;
    enum anole_status status = anole_table_create(&table, titles, error);
    if (status != ANOLE_DONE)
        return status;
    for (size_t w = 0; w < runs->plan->spaces.count; w++) {
        const struct bench_space *space = &runs->plan->spaces.items[w];
        const struct anole_recording_counts *counts = anole_recording_counts(space->recording);
        char text[32];
        anole_table_cell(table, "%s", space->label);
        anole_table_cell(table, "%zu", anole_recording_count(space->recording));
        anole_table_cell(table, "%zu", counts->failed);
        anole_table_cell(table, "%zu",
                         counts->repeated + counts->outside + counts->forbidden + counts->unusable);
        anole_table_cell(table, "%zu", space->unrecorded);
        anole_table_cell(table, "%s", anole_text_seconds(text, sizeof text, space->optimum));
        anole_table_cell(table, "%s", anole_text_seconds(text, sizeof text, space->worst));
    }
    return end(table, out, error);
}

static enum anole_status print_excess(const struct bench_runs *runs, size_t space, bool by_time,
                                      FILE *out, struct anole_error *error)
{
    struct anole_table *table;
    struct columns columns;
    enum anole_status status = begin(&table, &columns, runs, by_time ? "t=" : "n=", error);
    if (status != ANOLE_DONE)
        return status;
    for (size_t c = 0; c < runs->plan->strategy_count; c++) {
        anole_table_cell(table, "%s", runs->plan->strategies[c].label);
        for (size_t m = 0; m < MARKS; m++) {
            if (within(runs, m))
                cell(table, by_time ? bench_excess_at(runs, space, c, (double)marks[m])
                                    : bench_excess(runs, space, c, marks[m]));
        }
    }
    return end(table, out, error);
}

static enum anole_status print_differences(const struct bench_runs *runs, FILE *out,
                                           struct anole_error *error)
{
    struct anole_table *table;
    struct columns columns;
    enum anole_status status = begin(&table, &columns, runs, "n=", error);
    if (status != ANOLE_DONE)
        return status;
    for (size_t c = 1; c < runs->plan->strategy_count; c++) {
        anole_table_cell(table, "%s", runs->plan->strategies[c].label);
        for (size_t m = 0; m < MARKS; m++) {
            if (within(runs, m))
                cell(table, bench_difference(runs, BENCH_ALL_SPACES, c, 0, marks[m]));
        }
    }
    return end(table, out, error);
}

/* "88", or ">400" where all trials were not enough. */
static const char *trials_text(char *out, size_t size, const struct bench_runs *runs, double trials)
{
    bool never = trials > (double)runs->plan->trials;
    snprintf(out, size, "%s%.0f", never ? ">" : "", never ? (double)runs->plan->trials : trials);
    return out;
}

static enum anole_status print_equal(const struct bench_runs *runs, size_t equal, FILE *out,
                                     struct anole_error *error)
{
    static const char *const titles[] = {
        "explorer",    ">trials to equal", ">interval",   ">fewer by",
        ">ms a batch", ">longest",         ">s a search", NULL};
    const struct bench_plan *plan = runs->plan;
    struct anole_table *table;
    enum anole_status status = anole_table_create(&table, titles, error);
    for (size_t c = 0; c < plan->strategy_count && status == ANOLE_DONE; c++) {
        struct bench_equal found;
        char first[16], low[16], high[16];
        struct bench_overhead overhead;
        status = bench_trials_to_equal(&found, runs, BENCH_ALL_SPACES, c, equal, error);
        if (status != ANOLE_DONE)
            break;
        bench_overhead(&overhead, runs, c);
        anole_table_cell(table, "%s", plan->strategies[c].label);
        anole_table_cell(table, "%s", trials_text(first, sizeof first, runs, found.trials));
        anole_table_cell(table, "%s to %s", trials_text(low, sizeof low, runs, found.low),
                         trials_text(high, sizeof high, runs, found.high));
        anole_table_cell(table, "%s%.2fx", found.trials > (double)plan->trials ? "<" : "",
                         (double)plan->trials / fmin(found.trials, (double)plan->trials));
        anole_table_cell(table, "%.2f", 1e3 * overhead.batch);
        anole_table_cell(table, "%.1f", 1e3 * overhead.longest);
        anole_table_cell(table, "%.2f", overhead.search);
    }
    if (status == ANOLE_DONE)
        return end(table, out, error);
    if (table)
        anole_table_destroy(table);
    return status;
}

enum anole_status bench_print_tables(const struct bench_runs *runs, size_t equal, FILE *out,
                                     struct anole_error *error)
{
    const struct bench_plan *plan = runs->plan;
    enum anole_status status = print_spaces(runs, out, error);
    fprintf(out,
            "\nBest so far over the optimum, in %% of it: geometric mean of %zu space%s, %zu "
            "repeats, seeds from %llu,\n±95 %% interval over repeats, after n trials (failed "
            "ones count):\n\n",
            plan->spaces.count, plan->spaces.count == 1 ? "" : "s", plan->repeats,
            (unsigned long long)plan->seed);
    if (status == ANOLE_DONE)
        status = print_excess(runs, BENCH_ALL_SPACES, false, out, error);
    fprintf(out, "\nThe same after as much simulated time (build, validation, runs) as t average "
                 "trials take:\n\n");
    if (status == ANOLE_DONE)
        status = print_excess(runs, BENCH_ALL_SPACES, true, out, error);
    for (size_t w = 0; w < plan->spaces.count && plan->spaces.count > 1; w++) {
        fprintf(out, "\n%s, after n trials:\n\n", plan->spaces.items[w].label);
        if (status == ANOLE_DONE)
            status = print_excess(runs, w, false, out, error);
    }
    if (plan->strategy_count > 1) {
        fprintf(out,
                "\nPaired by seed: best so far against that of %s, in %% (negative: "
                "better):\n\n",
                plan->strategies[0].label);
        if (status == ANOLE_DONE)
            status = print_differences(runs, out, error);
    }
    fprintf(out,
            "\nTrials to equal what %s reaches after %zu (95 %% interval by bootstrap over "
            "repeats), and the\nexplorer's and the model's own processor time:\n\n",
            plan->strategies[equal].label, plan->trials);
    return status == ANOLE_DONE ? print_equal(runs, equal, out, error) : status;
}

/* --------------------------------------------------------------------- JSON */

static json_t *mean_json(struct bench_mean mean)
{
    json_t *object = json_object();
    json_object_set_new(object, "percent", anole_json_real(bench_percent(mean.mean)));
    json_object_set_new(object, "low", anole_json_real(bench_percent(mean.mean - mean.half)));
    json_object_set_new(object, "high", anole_json_real(bench_percent(mean.mean + mean.half)));
    return object;
}

enum column { BY_TRIALS, BY_TIME, DIFFERENCE };

static json_t *marks_json(const struct bench_runs *runs, size_t space, size_t strategy,
                          enum column column)
{
    json_t *object = json_object();
    for (size_t m = 0; m < MARKS; m++) {
        char key[32];
        if (!within(runs, m))
            continue;
        struct bench_mean mean = column == BY_TRIALS ? bench_excess(runs, space, strategy, marks[m])
                                 : column == BY_TIME
                                     ? bench_excess_at(runs, space, strategy, (double)marks[m])
                                     : bench_difference(runs, space, strategy, 0, marks[m]);
        snprintf(key, sizeof key, "%zu", marks[m]);
        json_object_set_new(object, key, mean_json(mean));
    }
    return object;
}

static enum anole_status strategy_json(json_t *list, const struct bench_runs *runs, size_t space,
                                       size_t strategy, size_t equal, struct anole_error *error)
{
    struct bench_equal found;
    enum anole_status status = bench_trials_to_equal(&found, runs, space, strategy, equal, error);
    if (status != ANOLE_DONE)
        return status;
    json_t *object = json_object();
    const char *label = runs->plan->strategies[strategy].label;
    struct bench_overhead overhead;
    bench_overhead(&overhead, runs, strategy);
    json_object_set_new(object, "explorer", json_string(label));
    json_object_set_new(object, "excess", marks_json(runs, space, strategy, BY_TRIALS));
    json_object_set_new(object, "excess_by_time", marks_json(runs, space, strategy, BY_TIME));
    json_object_set_new(object, "against_first", marks_json(runs, space, strategy, DIFFERENCE));
    json_object_set_new(object, "trials_to_equal",
                        json_pack("{s:f, s:f, s:f, s:b}", "trials", found.trials, "low", found.low,
                                  "high", found.high, "reached",
                                  found.trials <= (double)runs->plan->trials));
    if (space == BENCH_ALL_SPACES) {
        json_object_set_new(object, "batch_ms", anole_json_real(1e3 * overhead.batch));
        json_object_set_new(object, "longest_batch_ms", anole_json_real(1e3 * overhead.longest));
        json_object_set_new(object, "search_seconds", anole_json_real(overhead.search));
    }
    json_array_append_new(list, object);
    return ANOLE_DONE;
}

static enum anole_status strategies_json(json_t *object, const struct bench_runs *runs,
                                         size_t space, size_t equal, struct anole_error *error)
{
    json_t *list = json_array();
    enum anole_status status = ANOLE_DONE;
    for (size_t c = 0; c < runs->plan->strategy_count && status == ANOLE_DONE; c++)
        status = strategy_json(list, runs, space, c, equal, error);
    json_object_set_new(object, "explorers", list);
    return status;
}

static enum anole_status space_json(json_t *list, const struct bench_runs *runs, size_t w,
                                    size_t equal, struct anole_error *error)
{
    const struct bench_space *space = &runs->plan->spaces.items[w];
    const struct anole_recording_counts *counts = anole_recording_counts(space->recording);
    json_t *object = json_pack(
        "{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:f}", "space", space->label, "configs",
        (json_int_t)anole_recording_count(space->recording), "failed", (json_int_t)counts->failed,
        "repeated", (json_int_t)counts->repeated, "outside", (json_int_t)counts->outside,
        "forbidden", (json_int_t)counts->forbidden, "unusable", (json_int_t)counts->unusable,
        "unrecorded", (json_int_t)space->unrecorded, "optimum_seconds", space->optimum,
        "slowest_seconds", space->worst, "trial_seconds", space->trial_seconds);
    json_array_append_new(list, object);
    return strategies_json(object, runs, w, equal, error);
}

enum anole_status bench_print_json(const struct bench_runs *runs, size_t equal, FILE *out,
                                   struct anole_error *error)
{
    const struct bench_plan *plan = runs->plan;
    json_t *root = json_pack("{s:I, s:I, s:I, s:s}", "trials", (json_int_t)plan->trials, "repeats",
                             (json_int_t)plan->repeats, "seed", (json_int_t)plan->seed, "equal",
                             plan->strategies[equal].label);
    json_t *spaces = json_array();
    json_object_set_new(root, "spaces", spaces);
    enum anole_status status = ANOLE_DONE;
    for (size_t w = 0; w < plan->spaces.count && status == ANOLE_DONE; w++)
        status = space_json(spaces, runs, w, equal, error);
    if (status == ANOLE_DONE)
        status = strategies_json(root, runs, BENCH_ALL_SPACES, equal, error);
    if (status == ANOLE_DONE &&
        (json_dumpf(root, out, JSON_INDENT(2)) != 0 || fputc('\n', out) < 0))
        status = anole_fail_errno(error, "the results could not be written");
    json_decref(root);
    return status;
}
