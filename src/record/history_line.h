/* SPDX-License-Identifier: MIT
 *
 * One line of a history as text: what history.h describes, written and read.
 * Only the history's own files include this.
 *
 * A table of members (history_line.c) says what a line holds, of what type, since
 * which version of a line, and where it goes in memory; it is written and read by
 * that table.  The reader takes members in any order, passes over those that it
 * does not know, and insists on those that a line of that version must have.
 *
 * To record something more, add a row to the table and a member to the struct that it
 * fills in.  With `since` 0 it may be missing, and is then zero: lines stay of the
 * same version.  A line gets a higher version only when one that knows nothing of
 * it must not use it, for then the others mean something else.
 */
#ifndef ANOLE_HISTORY_LINE_H
#define ANOLE_HISTORY_LINE_H

#include "base/text.h"
#include "record/history.h"

#include <time.h>

#define ANOLE_HISTORY_HEADER_START "{\"anole_history\":"
#define ANOLE_HISTORY_CRC_START ",\"crc\":\""

/* A part of a line: JSON text, escapes and all.  Borrowed. */
struct anole_history_slice {
    const char *data;
    size_t length;
};

enum anole_history_line_kind {
    ANOLE_HISTORY_LINE_DAMAGED, /* or no line of a history at all */
    ANOLE_HISTORY_LINE_HEADER,  /* of any version */
    ANOLE_HISTORY_LINE_TRIAL,
    ANOLE_HISTORY_LINE_BEGUN,
    ANOLE_HISTORY_LINE_WITHDRAWN,
    ANOLE_HISTORY_LINE_NEWER, /* intact, but says what only a later Anole understands */
};

/* The members of a key, but for metric and warmth. */
struct anole_history_fields {
    struct anole_history_slice task, backend, backend_version, device, driver, driver_version;
    uint32_t generator, threads;
};

struct anole_history_line {
    enum anole_history_line_kind kind;
    uint64_t version; /* of the line; of a header, the file's */
    uint32_t crc;
    uint64_t id; /* of a NEWER line: 0 if it has none */
    struct anole_history_fields fields;
    /* "task":... to "threads":N.  Without data if they do not stand there as we write
     * them: then anole_history_line_write_fields() makes it. */
    struct anole_history_slice key;
    struct anole_history_slice knobs; /* {"name":value,...} */
    struct anole_history_slice time;
    uint32_t metric;            /* enum anole_metric */
    uint32_t warmth;            /* enum anole_warmth */
    uint32_t timer;             /* enum anole_timer: of a TRIAL */
    uint32_t outcome;           /* a word of the table; `kind` and `result` say what it means */
    struct anole_result result; /* TRIAL only */
    /* Of a line that was met in a file (history_scan.c): */
    struct anole_history_slice whole; /* all of it, without its newline */
    uint64_t number;                  /* from 1 */
};

bool anole_history_slice_equal(struct anole_history_slice a, struct anole_history_slice b);

/* -- Reading.  Numbers are read in the thread's locale: see history.c. -- */

/* `text` is one line without its newline, but with a byte behind it that is no
 * part of a number. */
void anole_history_line_parse(struct anole_history_line *line, const char *text, size_t length);

/* The version that a line claims if it looks like a header, intact or not; else
 * 0. */
uint64_t anole_history_line_claim(const char *text, size_t length);

/* Members of a key slice; false if it is none. */
bool anole_history_line_fields(struct anole_history_fields *fields, struct anole_history_slice key);

/* Decodes a text of a key into out[size]; false if it does not fit. */
bool anole_history_line_decode(char *out, size_t size, struct anole_history_slice slice);

/* names[ANOLE_MAX_KNOBS], values[ANOLE_MAX_KNOBS]; false if it is no knobs slice. */
bool anole_history_line_knobs(char names[][ANOLE_KNOB_NAME], int64_t *values, size_t *count,
                              struct anole_history_slice knobs);

/* -- Writing.  All of them append; out->failed tells if memory ran out. -- */

/* With newline. */
void anole_history_line_write_header(struct anole_text *out);
/* A key, but for metric and warmth. */
void anole_history_line_write_key(struct anole_text *out, const struct anole_history_key *key);
void anole_history_line_write_fields(struct anole_text *out,
                                     const struct anole_history_fields *fields);
/* `text` as it stands in a slice, without quotes. */
void anole_history_line_write_text(struct anole_text *out, const char *text);
void anole_history_line_write_knobs(struct anole_text *out, const struct anole_space *space,
                                    uint64_t config);
/* With newline.  `kind`: TRIAL, with its result; or BEGUN or WITHDRAWN, with NULL. */
void anole_history_line_write(struct anole_text *out, struct anole_history_slice key,
                              enum anole_metric metric, enum anole_warmth warmth, uint64_t id,
                              struct anole_history_slice knobs, enum anole_history_line_kind kind,
                              const struct anole_result *result, time_t now);

#endif
