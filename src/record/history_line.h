/* SPDX-License-Identifier: MIT
 *
 * One line of a history as text: what history.h describes, written and read.
 * Only the history's own files include this.
 *
 * The writer has one way to write a line, and a checksum says that nobody has
 * touched it since; so the reader takes no other way than that.
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
    ANOLE_HISTORY_LINE_HEADER,
    ANOLE_HISTORY_LINE_TRIAL,
    ANOLE_HISTORY_LINE_BEGUN,
    ANOLE_HISTORY_LINE_WITHDRAWN,
    ANOLE_HISTORY_LINE_FOREIGN, /* intact, but of another version */
};

struct anole_history_line {
    enum anole_history_line_kind kind;
    uint64_t version; /* of a header or of a FOREIGN line */
    uint32_t crc;
    uint64_t id;
    struct anole_history_slice key;   /* "task":... to "threads":N */
    struct anole_history_slice knobs; /* {"name":value,...} */
    struct anole_result result;       /* TRIAL only */
};

/* The members of a key. */
struct anole_history_fields {
    struct anole_history_slice task, backend, backend_version, device, driver, driver_version;
    uint32_t generator, threads;
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
void anole_history_line_write_key(struct anole_text *out, const struct anole_history_key *key);
/* `text` as it stands in a slice, without quotes. */
void anole_history_line_write_text(struct anole_text *out, const char *text);
void anole_history_line_write_knobs(struct anole_text *out, const struct anole_space *space,
                                    uint64_t config);
/* With newline.  `kind`: TRIAL, with its result; or BEGUN or WITHDRAWN, with NULL. */
void anole_history_line_write(struct anole_text *out, struct anole_history_slice key, uint64_t id,
                              struct anole_history_slice knobs, enum anole_history_line_kind kind,
                              const struct anole_result *result, time_t now);

#endif
