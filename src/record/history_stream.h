/* SPDX-License-Identifier: MIT
 *
 * Histories as they pass by, of any length: which trials there are, of what, and what came of
 * them.  What stays in memory is a row for each key, and eight bytes a line, by which one that
 * stands in several files counts once.
 */
#ifndef ANOLE_HISTORY_STREAM_H
#define ANOLE_HISTORY_STREAM_H

#include "record/history_file.h"

/* What is asked for.  Texts match what contains them, upper and lower case alike; NULL matches all.
 * All borrowed. */
struct anole_history_filter {
    const char *task;    /* the key, or its label: "conv 3x3" */
    const char *backend; /* "cpu" */
    const char *device;
    const char *driver;        /* "NAME VERSION" */
    const char *since, *until; /* "2026-01-31", or more: of a trial's time, in UTC; until: before */
    uint32_t outcomes;         /* a bit (1 << enum anole_outcome) for each; 0: all */
};
/* Whether anything is asked for at all. */
bool anole_history_filter_any(const struct anole_history_filter *filter);

#define ANOLE_HISTORY_TIME 24 /* "2026-01-31T12:00:00Z" */

/* A key, and what the trials that were wanted of it came to. */
struct anole_history_row {
    struct anole_history_slice text; /* as a line begins with it */
    struct anole_history_fields fields;
    enum anole_metric metric;
    enum anole_warmth warmth;
    bool wanted; /* by task, backend, device and driver */
    size_t trials, by_outcome[ANOLE_OUTCOME_COUNT];
    double best;                                              /* in the metric's unit; NaN: none */
    char first[ANOLE_HISTORY_TIME], last[ANOLE_HISTORY_TIME]; /* of its trials; "" without any */
};

/* Decodes a row's key; false if a text of it is longer than any of ours. */
bool anole_history_row_key(struct anole_history_found *found, const struct anole_history_row *row);

/* When a trial ended, printable: of a line that says nonsense, with ? in it. */
void anole_history_time(char out[ANOLE_HISTORY_TIME], const struct anole_history_line *line);

struct anole_history_stream {
    struct anole_history_filter filter;
    /* Keys in the order in which they were met; some may have no trial that was wanted. */
    struct anole_history_row *rows;
    size_t row_count;
    /* Lines of trials: that were met before; and lines that were skipped, each of which is named
     * with its file, or the first of them. */
    size_t repeated, damaged, newer;
    struct anole_history_inside *inside;
};

/* `filter` may be NULL. */
enum anole_status anole_history_stream_create(struct anole_history_stream **stream,
                                              const struct anole_history_filter *filter,
                                              struct anole_error *error);
void anole_history_stream_destroy(struct anole_history_stream *stream);

/* A trial that was wanted; gone after the visit.  A failure ends the reading, and is its status. */
typedef enum anole_status anole_history_stream_visitor(void *context, size_t row,
                                                       const struct anole_history_line *line,
                                                       struct anole_error *error);
/* Reads a file, or one more.  `visit` may be NULL.  Errors as of anole_history_open(). */
enum anole_status anole_history_stream_read(struct anole_history_stream *stream, const char *path,
                                            anole_history_stream_visitor *visit, void *context,
                                            struct anole_error *error);

/* Whether a line is that of a trial that is wanted, whatever was read before. */
enum anole_status anole_history_stream_wants(struct anole_history_stream *stream, bool *wanted,
                                             const struct anole_history_line *line,
                                             struct anole_error *error);

/* Says which lines of a file are of no use, the first few one by one.  Zero-initialise; `file`:
 * printable. */
struct anole_history_trouble {
    const char *file;
    size_t damaged, newer;
};
void anole_history_trouble_note(struct anole_history_trouble *trouble,
                                const struct anole_history_line *line);
void anole_history_trouble_end(const struct anole_history_trouble *trouble,
                               const struct anole_history_scan *scan);

#endif
