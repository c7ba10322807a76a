/* SPDX-License-Identifier: MIT
 *
 * Text: a growing buffer, printing of what came from outside, near matches, and
 * durations and sizes as people write them.
 */
#ifndef ANOLE_TEXT_H
#define ANOLE_TEXT_H

#include "base/status.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* A growing string.  Zero-initialise; `data` is NUL-terminated or NULL while
 * empty.  Appending after memory ran out does nothing and sets `failed`. */
struct anole_text {
    char *data;
    size_t length;
    size_t capacity;
    bool failed;
};

void anole_text_fini(struct anole_text *text);
void anole_text_clear(struct anole_text *text);
void anole_text_append(struct anole_text *text, const char *data, size_t length);
void anole_text_printf(struct anole_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void anole_text_vprintf(struct anole_text *text, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
/* Appends `length` bytes as anole_text_printable() would write them. */
void anole_text_append_printable(struct anole_text *text, const char *data, size_t length);

/* Copies `source` into out[size] with control characters (also those that
 * reorder or hide text) and invalid UTF-8 escaped as \xNN: safe for a terminal.
 * Truncates with "...", never inside a character.  Returns out. */
const char *anole_text_printable(char *out, size_t size, const char *source);

/* Edit distance (optimal string alignment) of two short texts; what is past
 * their first 64 bytes is compared by length alone. */
size_t anole_text_distance(const char *a, const char *b);

/* The closest of `count` names to `name`, or NULL if none is near.  Upper and
 * lower case, and "-" and "_", are taken for the same. */
const char *anole_text_nearest(const char *name, const char *const *names, size_t count);

/* "90", "90s", "1.5s", "3m", "1h30m", "2d", "500ms" to seconds; positive and at
 * most 100 years. */
ANOLE_CHECKED enum anole_status anole_text_parse_duration(double *seconds, const char *text,
                                                          struct anole_error *error);

/* A whole decimal number in [low, high]; `what` names it in the message. */
ANOLE_CHECKED enum anole_status anole_text_parse_u64(uint64_t *value, const char *text,
                                                     const char *what, uint64_t low, uint64_t high,
                                                     struct anole_error *error);

/* "1.23 ms", "45.6 us", "2.50 h": four significant places at most; "-" for what
 * is not finite.  Returns out. */
const char *anole_text_seconds(char *out, size_t size, double seconds);

/* "2 MiB", "512 KiB", "1.5 GiB".  Returns out. */
const char *anole_text_bytes(char *out, size_t size, uint64_t bytes);

/* 1234567 as "1,234,567".  Returns out. */
const char *anole_text_count(char *out, size_t size, uint64_t count);

/* What messages of one kind have in common: with # for each number, / for each path. */
void anole_text_pattern(char *out, size_t size, const char *message);

#endif
