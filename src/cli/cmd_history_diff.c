/* SPDX-License-Identifier: MIT
 *
 * anole history diff: two histories, a line for each task on each device.
 */
#include "cli/cmd_history.h"
#include "cli/history_filter.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arguments {
    struct anole_history_filter filter;
    bool json;
};

enum { JSON = ANOLE_FILTER_OPTIONS };

static const struct anole_option options[] = {
    ANOLE_FILTER_TABLE,
    [JSON] = {"json", NULL, "print JSON to stdout instead of a table"},
    {0},
};

static enum anole_status take(void *context, size_t index, const char *value,
                              struct anole_error *error)
{
    struct arguments *arguments = context;
    if (index < ANOLE_FILTER_OPTIONS)
        return anole_filter_take(&arguments->filter, index, value, error);
    arguments->json = true;
    return ANOLE_DONE;
}

/* ---------------------------------------------------------------- pairing up */

/* What both have of a task on a device: rows, or NULL. */
struct pair {
    const struct anole_history_row *before, *after;
};

struct diff {
    struct anole_history_stream *before, *after;
    struct pair *pairs;
    size_t count;
};

/* By what makes two rows alike, if not the same: task, backend, device, metric and timing. */
static int compare_alike(const struct anole_history_row *a, const struct anole_history_row *b)
{
    const struct anole_history_slice x[] = {a->fields.task, a->fields.backend, a->fields.device},
                                     y[] = {b->fields.task, b->fields.backend, b->fields.device};
    for (size_t i = 0; i < 3; i++) {
        size_t length = x[i].length < y[i].length ? x[i].length : y[i].length;
        int order = memcmp(x[i].data, y[i].data, length);
        if (order || x[i].length != y[i].length)
            return order ? order : x[i].length < y[i].length ? -1 : 1;
    }
    return a->metric != b->metric   ? (a->metric > b->metric) - (a->metric < b->metric)
           : a->warmth != b->warmth ? (a->warmth > b->warmth) - (a->warmth < b->warmth)
                                    : 0;
}

static int compare_text(const struct anole_history_row *a, const struct anole_history_row *b)
{
    size_t length = a->text.length < b->text.length ? a->text.length : b->text.length;
    int order = memcmp(a->text.data, b->text.data, length);
    return order ? order : (a->text.length > b->text.length) - (a->text.length < b->text.length);
}

static int compare_rows(const void *a, const void *b)
{
    const struct anole_history_row *x = *(const struct anole_history_row *const *)a,
                                   *y = *(const struct anole_history_row *const *)b;
    int order = compare_alike(x, y);
    return order ? order : compare_text(x, y);
}

/* The rows that have trials, sorted; *rows is the caller's to free. */
static enum anole_status sort_rows(const struct anole_history_row ***rows, size_t *count,
                                   const struct anole_history_stream *stream,
                                   struct anole_error *error)
{
    const struct anole_history_row **sorted = calloc(stream->row_count + 1, sizeof *sorted);
    if (!sorted)
        return anole_fail_memory(error);
    *count = 0;
    for (size_t i = 0; i < stream->row_count; i++)
        if (stream->rows[i].trials)
            sorted[(*count)++] = &stream->rows[i];
    qsort(sorted, *count, sizeof *sorted, compare_rows);
    *rows = sorted;
    return ANOLE_DONE;
}

/* Of rows that are alike, a[m] and b[n]: first those that are the same, then one with the other
 * where one is left on each side; the rest stands alone. */
static void pair_alike(struct diff *diff, const struct anole_history_row **a, size_t m,
                       const struct anole_history_row **b, size_t n)
{
    size_t i = 0, j = 0, lone = diff->count, left = 0, right = 0;
    struct pair *first = NULL, *second = NULL;
    while (i < m || j < n) {
        int order = i == m ? 1 : j == n ? -1 : compare_text(a[i], b[j]);
        struct pair *pair = &diff->pairs[diff->count++];
        *pair = (struct pair){order <= 0 ? a[i] : NULL, order >= 0 ? b[j] : NULL};
        i += order <= 0;
        j += order >= 0;
        left += order < 0;
        right += order > 0;
    }
    if (left != 1 || right != 1)
        return;
    for (; lone < diff->count; lone++) {
        struct pair *pair = &diff->pairs[lone];
        if (!pair->after)
            first = pair;
        else if (!pair->before)
            second = pair;
    }
    first->after = second->after;
    memmove(second, second + 1,
            (size_t)(diff->pairs + diff->count - (second + 1)) * sizeof *second);
    diff->count--;
}

static enum anole_status pair_up(struct diff *diff, struct anole_error *error)
{
    const struct anole_history_row **a = NULL, **b = NULL;
    size_t m = 0, n = 0;
    enum anole_status status = sort_rows(&a, &m, diff->before, error);
    if (status == ANOLE_DONE)
        status = sort_rows(&b, &n, diff->after, error);
    if (status == ANOLE_DONE && !(diff->pairs = calloc(m + n + 1, sizeof *diff->pairs)))
        status = anole_fail_memory(error);
    for (size_t i = 0, j = 0; status == ANOLE_DONE && (i < m || j < n);) {
        const struct anole_history_row *least = i == m                           ? b[j]
                                                : j == n                         ? a[i]
                                                : compare_alike(a[i], b[j]) <= 0 ? a[i]
                                                                                 : b[j];
        size_t to = i, until = j;
        while (to < m && compare_alike(a[to], least) == 0)
            to++;
        while (until < n && compare_alike(b[until], least) == 0)
            until++;
        pair_alike(diff, a + i, to - i, b + j, until - j);
        i = to;
        j = until;
    }
    free(a);
    free(b);
    return status;
}

/* ------------------------------------------------------------------ showing */

/* What of two keys differs, beside what makes them alike; "" if nothing does. */
static const char *differences(char *out, size_t size, const struct pair *pair)
{
    struct anole_history_found before, after;
    struct anole_text text = {0};
    out[0] = '\0';
    if (!pair->before || !pair->after || !anole_history_row_key(&before, pair->before) ||
        !anole_history_row_key(&after, pair->after))
        return out;
    const struct anole_history_key *a = &before.key, *b = &after.key;
    const struct {
        const char *name, *a, *b;
    } texts[] = {{"driver", a->driver, b->driver},
                 {"driver version", a->driver_version, b->driver_version},
                 {"backend version", a->backend_version, b->backend_version}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcmp(texts[i].a, texts[i].b) != 0)
            anole_text_printf(&text, "%s%s %s, then %s", text.length ? "; " : "", texts[i].name,
                              texts[i].a, texts[i].b);
    if (a->generator != b->generator)
        anole_text_printf(&text, "%sgenerator %u, then %u", text.length ? "; " : "", a->generator,
                          b->generator);
    if (a->threads != b->threads)
        anole_text_printf(&text, "%sthreads %u, then %u", text.length ? "; " : "", a->threads,
                          b->threads);
    anole_text_printable(out, size, text.data ? text.data : "");
    anole_text_fini(&text);
    return out;
}

/* How many times better the second is; NaN: that cannot be said. */
static double ratio(const struct pair *pair)
{
    if (!pair->before || !pair->after)
        return NAN;
    return anole_metric_cost(pair->before->metric, pair->before->best) /
           anole_metric_cost(pair->after->metric, pair->after->best);
}

static void put_side(struct anole_table *table, const struct anole_history_row *row)
{
    char text[32];
    anole_table_cell(table, row ? "%zu" : "-", row ? row->trials : 0);
    anole_table_cell(table, "%s", row ? anole_text_seconds(text, sizeof text, row->best) : "-");
}

static enum anole_status print_table(const struct diff *diff, struct anole_error *error)
{
    static const char *const titles[] = {"task",  "device", ">trials", ">best", ">then trials",
                                         ">best", ">gain",  "differs", NULL};
    struct anole_history_found found;
    struct anole_table *table = NULL;
    char text[600];
    enum anole_status status = anole_table_create(&table, titles, error);
    for (size_t i = 0; status == ANOLE_DONE && i < diff->count; i++) {
        const struct pair *pair = &diff->pairs[i];
        if (!anole_history_row_key(&found, pair->before ? pair->before : pair->after))
            continue;
        anole_table_cell(table, "%s", anole_filter_label(text, sizeof text, &found.key));
        anole_table_cell(table, "%.60s", found.key.device);
        put_side(table, pair->before);
        put_side(table, pair->after);
        if (isnan(ratio(pair)))
            anole_table_cell(table, "-");
        else
            anole_table_cell(table, "%.2fx", ratio(pair));
        anole_table_cell(table, "%s",
                         !pair->before  ? "added"
                         : !pair->after ? "missing"
                                        : differences(text, sizeof text, pair));
    }
    if (status == ANOLE_DONE && diff->count)
        status = anole_table_print(table, stdout, error);
    else if (status == ANOLE_DONE)
        puts("neither holds a trial that was asked for");
    anole_table_destroy(table);
    return status;
}

static json_t *side_json(const struct anole_history_row *row)
{
    if (!row)
        return json_null();
    return json_pack("{s:I, s:o}", "trials", (json_int_t)row->trials, "best",
                     anole_json_real(row->best));
}

static enum anole_status print_json(const struct diff *diff, struct anole_error *error)
{
    json_t *rows = json_array();
    struct anole_history_found found;
    char task[1024], device[1024], text[1024];
    for (size_t i = 0; i < diff->count; i++) {
        const struct pair *pair = &diff->pairs[i];
        if (!anole_history_row_key(&found, pair->before ? pair->before : pair->after))
            continue;
        json_array_append_new(
            rows, json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:s}", "task",
                            anole_text_printable(task, sizeof task, found.key.task), "device",
                            anole_text_printable(device, sizeof device, found.key.device), "timing",
                            anole_warmth_text(found.key.warmth), "before", side_json(pair->before),
                            "after", side_json(pair->after), "gain", anole_json_real(ratio(pair)),
                            "differs", differences(text, sizeof text, pair)));
    }
    return anole_command_print_json(json_pack("{s:o}", "rows", rows), error);
}

/* -------------------------------------------------------------------- run */

static enum anole_status run(int argc, char **argv, struct anole_error *error)
{
    struct arguments arguments = {.json = false};
    struct diff diff = {.count = 0};
    char **files;
    size_t count;
    bool help;
    enum anole_status status = anole_options_parse(&anole_cmd_history_diff, argc, argv, take,
                                                   &arguments, &files, &count, &help, error);
    if (status != ANOLE_DONE || help)
        return status;
    status = anole_history_stream_create(&diff.before, &arguments.filter, error);
    if (status == ANOLE_DONE)
        status = anole_history_stream_create(&diff.after, &arguments.filter, error);
    if (status == ANOLE_DONE)
        status = anole_history_stream_read(diff.before, files[0], NULL, NULL, error);
    if (status == ANOLE_DONE)
        status = anole_history_stream_read(diff.after, files[1], NULL, NULL, error);
    if (status == ANOLE_DONE)
        status = pair_up(&diff, error);
    if (status == ANOLE_DONE)
        status = arguments.json ? print_json(&diff, error) : print_table(&diff, error);
    free(diff.pairs);
    anole_history_stream_destroy(diff.before);
    anole_history_stream_destroy(diff.after);
    return status;
}

static void print_details(void)
{
    printf(
        "\nThe best of each task on each device, in both.  Where versions or threads differ, and "
        "each\nfile has one, they stand in one line, which says what differs.  Trials were not "
        "made in\nturn: `anole verify` measures again.\n");
}

const struct anole_command anole_cmd_history_diff = {
    .name = "history diff",
    .arguments = "BEFORE AFTER",
    .summary = "Compare two histories: what the best was, and what it is",
    .details = print_details,
    .options = options,
    .least = 2,
    .most = 2,
    .run = run,
};
