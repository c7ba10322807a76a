/* SPDX-License-Identifier: MIT
 *
 * anole history ls: what there are trials of, a line for each task on each device.
 */
#include "cli/cmd_history.h"
#include "cli/history_filter.h"

#include <math.h>
#include <stdio.h>

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

static size_t failed(const struct anole_history_row *row)
{
    return row->trials - row->by_outcome[ANOLE_OUTCOME_OK];
}

/* ------------------------------------------------------------------ words */

static void add_row(struct anole_table *table, const struct anole_history_row *row)
{
    struct anole_history_found found;
    char text[200];
    if (!anole_history_row_key(&found, row))
        return;
    anole_table_cell(table, "%s", anole_filter_label(text, sizeof text, &found.key));
    anole_table_cell(table, "%s", found.key.device);
    anole_table_cell(table, "%s %s", found.key.driver, found.key.driver_version);
    anole_table_cell(table, "%s %u", found.key.backend, found.key.generator);
    anole_table_cell(table, found.key.threads ? "%u" : "-", found.key.threads);
    anole_table_cell(table, "%zu", row->trials);
    anole_table_cell(table, "%zu", failed(row));
    anole_table_cell(table, "%s", anole_text_seconds(text, sizeof text, row->best));
    anole_table_cell(table, "%.10s", row->last);
}

static enum anole_status print_table(const struct anole_history_stream *stream,
                                     struct anole_error *error)
{
    static const char *const titles[] = {"task",    "device",  "driver", "backend", ">threads",
                                         ">trials", ">failed", ">best",  "last",    NULL};
    struct anole_table *table = NULL;
    size_t trials = 0, rows = 0;
    enum anole_status status = anole_table_create(&table, titles, error);
    if (status != ANOLE_DONE)
        return status;
    for (size_t i = 0; i < stream->row_count; i++) {
        if (!stream->rows[i].trials)
            continue;
        add_row(table, &stream->rows[i]);
        trials += stream->rows[i].trials;
        rows++;
    }
    if (rows)
        status = anole_table_print(table, stdout, error);
    anole_table_destroy(table);
    if (status != ANOLE_DONE)
        return status;
    printf("%zu trials of %zu tasks on devices\n", trials, rows);
    anole_filter_report(stream);
    return ANOLE_DONE;
}

/* ------------------------------------------------------------------- JSON */

static json_t *outcomes_json(const struct anole_history_row *row)
{
    json_t *outcomes = json_object();
    for (int o = 0; o < ANOLE_OUTCOME_COUNT; o++)
        if (row->by_outcome[o])
            json_object_set_new(outcomes, anole_outcome_text((enum anole_outcome)o),
                                json_integer((json_int_t)row->by_outcome[o]));
    return outcomes;
}

static json_t *row_json(const struct anole_history_row *row)
{
    struct anole_history_found found;
    char texts[6][4 * 256];
    if (!anole_history_row_key(&found, row))
        return NULL;
    for (size_t i = 0; i < 6; i++)
        anole_text_printable(texts[i], sizeof texts[i], found.texts[i]);
    return json_pack("{s:s, s:s, s:s, s:I, s:s, s:s, s:s, s:I, s:s, s:s, s:I, s:o, s:o, s:s, s:s}",
                     "task", texts[0], "backend", texts[1], "backend_version", texts[2],
                     "generator", (json_int_t)found.key.generator, "device", texts[3], "driver",
                     texts[4], "driver_version", texts[5], "threads", (json_int_t)found.key.threads,
                     "metric", anole_metric_text(row->metric), "timing",
                     anole_warmth_text(row->warmth), "trials", (json_int_t)row->trials, "outcomes",
                     outcomes_json(row), "best", anole_json_real(row->best), "first", row->first,
                     "last", row->last);
}

static enum anole_status print_json(const struct anole_history_stream *stream,
                                    struct anole_error *error)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < stream->row_count; i++) {
        json_t *row = stream->rows[i].trials ? row_json(&stream->rows[i]) : NULL;
        if (row)
            json_array_append_new(rows, row);
    }
    return anole_command_print_json(
        json_pack("{s:o, s:I, s:I, s:I}", "rows", rows, "repeated", (json_int_t)stream->repeated,
                  "damaged", (json_int_t)stream->damaged, "newer", (json_int_t)stream->newer),
        error);
}

/* -------------------------------------------------------------------- run */

static enum anole_status run(int argc, char **argv, struct anole_error *error)
{
    struct arguments arguments = {.json = false};
    struct anole_history_stream *stream = NULL;
    char **files;
    size_t count;
    bool help;
    enum anole_status status = anole_options_parse(&anole_cmd_history_ls, argc, argv, take,
                                                   &arguments, &files, &count, &help, error);
    if (status != ANOLE_DONE || help)
        return status;
    status = anole_history_stream_create(&stream, &arguments.filter, error);
    for (size_t i = 0; status == ANOLE_DONE && i < count; i++)
        status = anole_history_stream_read(stream, files[i], NULL, NULL, error);
    if (status == ANOLE_DONE)
        status = arguments.json ? print_json(stream, error) : print_table(stream, error);
    anole_history_stream_destroy(stream);
    return status;
}

const struct anole_command anole_cmd_history_ls = {
    .name = "history ls",
    .arguments = "HISTORY...",
    .summary = "List what there are trials of, a line for each task on each device",
    .options = options,
    .least = 1,
    .most = ANOLE_HISTORY_FILES,
    .run = run,
};
