/* SPDX-License-Identifier: MIT */
#include "record/history_stream.h"

#include "base/hash.h"
#include "base/log.h"
#include "op/task.h"
#include "record/history_private.h"
#include "record/history_set.h"

#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_NAMED 8 /* lines of a file that are of no use */
#define NOBODY UINT32_MAX

struct anole_history_inside {
    struct anole_history_set met;
    uint64_t key[2];
    uint32_t *slots; /* of rows, by their text; NOBODY: free */
    size_t slot_count, row_room;
    size_t last; /* the row that was found last */
    locale_t plain;
};

/* ------------------------------------------------------------------- trouble */

void anole_history_trouble_note(struct anole_history_trouble *trouble,
                                const struct anole_history_line *line)
{
    bool newer = line->kind == ANOLE_HISTORY_LINE_NEWER;
    size_t *count = newer ? &trouble->newer : &trouble->damaged;
    if ((*count)++ >= MOST_NAMED)
        return;
    if (newer)
        anole_log_warning("%s, line %" PRIu64 ": only a newer Anole understands it", trouble->file,
                          line->number);
    else
        anole_log_warning("%s, line %" PRIu64 ": damaged, or no line of a history; skipped",
                          trouble->file, line->number);
}

void anole_history_trouble_end(const struct anole_history_trouble *trouble,
                               const struct anole_history_scan *scan)
{
    if (trouble->damaged > MOST_NAMED)
        anole_log_warning("%s: %zu more damaged lines", trouble->file,
                          trouble->damaged - MOST_NAMED);
    if (trouble->newer > MOST_NAMED)
        anole_log_warning("%s: %zu more lines of a newer Anole", trouble->file,
                          trouble->newer - MOST_NAMED);
    if (scan->torn)
        anole_log_warning("%s, line %" PRIu64 ": torn (its writer was stopped, or is at it); "
                          "left out",
                          trouble->file, scan->torn_number);
}

/* -------------------------------------------------------------------- filters */

bool anole_history_filter_any(const struct anole_history_filter *filter)
{
    return filter->task || filter->backend || filter->device || filter->driver || filter->since ||
           filter->until || filter->outcomes;
}

static bool contains(const char *text, const char *wanted)
{
    return !wanted || strcasestr(text, wanted);
}

static bool is_wanted(const struct anole_history_filter *filter,
                      const struct anole_history_row *row)
{
    struct anole_history_found found;
    struct anole_task task;
    char label[64] = "", driver[600];
    if (!filter->task && !filter->backend && !filter->device && !filter->driver)
        return true;
    if (!anole_history_row_key(&found, row))
        return false;
    if (filter->task && anole_task_parse_key(&task, found.key.task, NULL) == ANOLE_DONE)
        anole_task_label(label, sizeof label, &task);
    snprintf(driver, sizeof driver, "%s %s", found.key.driver, found.key.driver_version);
    return (contains(found.key.task, filter->task) || contains(label, filter->task)) &&
           contains(found.key.backend, filter->backend) &&
           contains(found.key.device, filter->device) && contains(driver, filter->driver);
}

/* Times are texts that sort as they pass. */
static int compare_time(struct anole_history_slice time, const char *bound)
{
    size_t length = strlen(bound);
    return strncmp(time.data, bound, time.length < length ? time.length : length);
}

static bool is_in_time(const struct anole_history_filter *filter,
                       const struct anole_history_line *line)
{
    return (!filter->since || compare_time(line->time, filter->since) >= 0) &&
           (!filter->until || compare_time(line->time, filter->until) < 0);
}

/* ----------------------------------------------------------------------- rows */

bool anole_history_row_key(struct anole_history_found *found, const struct anole_history_row *row)
{
    return anole_history_decode_fields(found, &row->fields, row->metric, row->warmth);
}

static bool is_row(const struct anole_history_row *row, const struct anole_history_line *line,
                   struct anole_history_slice text)
{
    return row->metric == (enum anole_metric)line->metric &&
           row->warmth == (enum anole_warmth)line->warmth &&
           anole_history_slice_equal(row->text, text);
}

/* The slot of a row, or the free one where it belongs. */
static uint32_t *find_slot(const struct anole_history_stream *stream,
                           const struct anole_history_line *line, struct anole_history_slice text)
{
    const struct anole_history_inside *inside = stream->inside;
    size_t i = anole_hash_keyed(inside->key, text.data, text.length) & (inside->slot_count - 1);
    while (inside->slots[i] != NOBODY && !is_row(&stream->rows[inside->slots[i]], line, text))
        i = (i + 1) & (inside->slot_count - 1);
    return &inside->slots[i];
}

/* Room for one more row, and twice as many slots. */
static bool reserve(struct anole_history_stream *stream)
{
    struct anole_history_inside *inside = stream->inside;
    if (stream->row_count < inside->row_room)
        return true;
    size_t room = inside->row_room ? 2 * inside->row_room : 64;
    struct anole_history_row *rows = reallocarray(stream->rows, room, sizeof *rows);
    if (rows)
        stream->rows = rows;
    uint32_t *slots = calloc(2 * room, sizeof *slots);
    if (!rows || !slots || room >= NOBODY / 2) {
        free(slots);
        return false;
    }
    free(inside->slots);
    inside->slots = slots;
    inside->slot_count = 2 * room;
    inside->row_room = room;
    memset(slots, 0xff, 2 * room * sizeof *slots);
    for (size_t i = 0; i < stream->row_count; i++) {
        const struct anole_history_line line = {.metric = (uint32_t)rows[i].metric,
                                                .warmth = (uint32_t)rows[i].warmth};
        *find_slot(stream, &line, rows[i].text) = (uint32_t)i;
    }
    return true;
}

static enum anole_status add_row(struct anole_history_stream *stream,
                                 const struct anole_history_line *line,
                                 struct anole_history_slice text, struct anole_error *error)
{
    struct anole_history_row *row = &stream->rows[stream->row_count];
    char *copy = strndup(text.data, text.length);
    if (!copy)
        return anole_fail_memory(error);
    *row = (struct anole_history_row){.text = {copy, text.length},
                                      .metric = (enum anole_metric)line->metric,
                                      .warmth = (enum anole_warmth)line->warmth,
                                      .best = NAN};
    anole_history_line_fields(&row->fields, row->text);
    row->wanted = is_wanted(&stream->filter, row);
    *find_slot(stream, line, text) = (uint32_t)stream->row_count;
    stream->row_count++;
    return ANOLE_DONE;
}

/* *found: the row of a line's key; mostly, that of the line before. */
static enum anole_status find_row(struct anole_history_stream *stream, size_t *found,
                                  const struct anole_history_line *line,
                                  struct anole_history_slice text, struct anole_error *error)
{
    struct anole_history_inside *inside = stream->inside;
    enum anole_status status = ANOLE_DONE;
    if (inside->last < stream->row_count && is_row(&stream->rows[inside->last], line, text)) {
        *found = inside->last;
        return ANOLE_DONE;
    }
    if (!reserve(stream))
        return anole_fail_memory(error);
    const uint32_t *slot = find_slot(stream, line, text);
    *found = *slot != NOBODY ? *slot : stream->row_count;
    if (*slot == NOBODY)
        status = add_row(stream, line, text, error);
    if (status == ANOLE_DONE)
        inside->last = *found;
    return status;
}

void anole_history_time(char out[ANOLE_HISTORY_TIME], const struct anole_history_line *line)
{
    static const char good[] = "0123456789-:.+TZ";
    size_t length = 0;
    for (; length < line->time.length && length < ANOLE_HISTORY_TIME - 1; length++) {
        char c = line->time.data[length];
        out[length] = c && strchr(good, c) ? c : '?';
    }
    out[length] = '\0';
}

static void count(struct anole_history_row *row, const struct anole_history_line *line)
{
    const struct anole_result *result = &line->result;
    row->trials++;
    row->by_outcome[result->outcome]++;
    if (result->outcome == ANOLE_OUTCOME_OK && !result->abandoned &&
        !(anole_result_cost(result) >= anole_metric_cost(row->metric, row->best)))
        row->best = anole_result_value(result);
    if (!row->first[0] || compare_time(line->time, row->first) < 0)
        anole_history_time(row->first, line);
    if (compare_time(line->time, row->last) > 0 || !row->last[0])
        anole_history_time(row->last, line);
}

/* -------------------------------------------------------------------- reading */

struct reading {
    struct anole_history_stream *stream;
    anole_history_stream_visitor *visit;
    void *context;
    struct anole_history_trouble trouble;
};

static bool is_chosen(const struct anole_history_stream *stream, size_t row,
                      const struct anole_history_line *line)
{
    const struct anole_history_filter *filter = &stream->filter;
    return stream->rows[row].wanted && is_in_time(filter, line) &&
           (!filter->outcomes || filter->outcomes >> line->result.outcome & 1);
}

/* The row of any line, whatever the order in which its members stand. */
static enum anole_status row_of(struct anole_history_stream *stream, size_t *row,
                                const struct anole_history_line *line, struct anole_error *error)
{
    if (line->key.data)
        return find_row(stream, row, line, line->key, error);
    struct anole_text text = {0};
    anole_history_line_write_fields(&text, &line->fields);
    enum anole_status status =
        text.failed ? anole_fail_memory(error)
                    : find_row(stream, row, line,
                               (struct anole_history_slice){text.data, text.length}, error);
    anole_text_fini(&text);
    return status;
}

static enum anole_status take_line(void *context, const struct anole_history_line *line,
                                   struct anole_error *error)
{
    struct reading *reading = context;
    struct anole_history_stream *stream = reading->stream;
    bool known;
    size_t row = 0;
    if (line->kind == ANOLE_HISTORY_LINE_DAMAGED || line->kind == ANOLE_HISTORY_LINE_NEWER) {
        anole_history_trouble_note(&reading->trouble, line);
        return ANOLE_DONE;
    }
    if (line->kind != ANOLE_HISTORY_LINE_TRIAL)
        return ANOLE_DONE;
    enum anole_status status =
        anole_history_set_add(&stream->inside->met, &known, line->whole, error);
    if (status != ANOLE_DONE || known) {
        stream->repeated += status == ANOLE_DONE;
        return status;
    }
    status = row_of(stream, &row, line, error);
    if (status != ANOLE_DONE || !is_chosen(stream, row, line))
        return status;
    count(&stream->rows[row], line);
    return reading->visit ? reading->visit(reading->context, row, line, error) : ANOLE_DONE;
}

enum anole_status anole_history_stream_wants(struct anole_history_stream *stream, bool *wanted,
                                             const struct anole_history_line *line,
                                             struct anole_error *error)
{
    size_t row = 0;
    *wanted = false;
    if (line->kind != ANOLE_HISTORY_LINE_TRIAL)
        return ANOLE_DONE;
    enum anole_status status = row_of(stream, &row, line, error);
    *wanted = status == ANOLE_DONE && is_chosen(stream, row, line);
    return status;
}

enum anole_status anole_history_stream_read(struct anole_history_stream *stream, const char *path,
                                            anole_history_stream_visitor *visit, void *context,
                                            struct anole_error *error)
{
    struct reading reading = {.stream = stream, .visit = visit, .context = context};
    struct anole_history_file file;
    struct anole_history_scan scan;
    enum anole_status status =
        anole_history_file_open(&file, path, ANOLE_HISTORY_READ, NULL, error);
    if (status != ANOLE_DONE)
        return status;
    reading.trouble.file = file.name;
    locale_t before = uselocale(stream->inside->plain);
    status = anole_history_file_scan(&file, &scan, take_line, &reading, error);
    uselocale(before);
    if (status == ANOLE_DONE) {
        anole_history_trouble_end(&reading.trouble, &scan);
        stream->damaged += scan.damaged;
        stream->newer += scan.newer;
    }
    anole_history_file_close(&file);
    return status;
}

enum anole_status anole_history_stream_create(struct anole_history_stream **stream,
                                              const struct anole_history_filter *filter,
                                              struct anole_error *error)
{
    struct anole_history_stream *new = calloc(1, sizeof *new);
    struct anole_history_inside *inside = calloc(1, sizeof *inside);
    if (!new || !inside) {
        free(new);
        free(inside);
        return anole_fail_memory(error);
    }
    if (filter)
        new->filter = *filter;
    new->inside = inside;
    anole_history_set_init(&inside->met);
    anole_hash_draw_key(inside->key);
    inside->plain = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    if (!inside->plain) {
        anole_history_stream_destroy(new);
        return anole_fail_memory(error);
    }
    *stream = new;
    return ANOLE_DONE;
}

void anole_history_stream_destroy(struct anole_history_stream *stream)
{
    if (!stream)
        return;
    for (size_t i = 0; i < stream->row_count; i++)
        free((char *)stream->rows[i].text.data);
    free(stream->rows);
    anole_history_set_fini(&stream->inside->met);
    free(stream->inside->slots);
    if (stream->inside->plain)
        freelocale(stream->inside->plain);
    free(stream->inside);
    free(stream);
}
