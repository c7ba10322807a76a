/* SPDX-License-Identifier: MIT
 *
 * Reading JSON strictly: Jansson, plus messages that name the file and the place,
 * plus refusal of what does not belong.  Only files that read or write include
 * this.
 */
#ifndef ANOLE_JSON_H
#define ANOLE_JSON_H

#include "base/status.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* Where we are, for messages: "file.json: layer \"conv1\"". */
struct anole_json_place {
    const char *file;
    char path[256];
};

/* Parses a whole file (a regular file of at most `limit` bytes; 0: 64 MiB).
 * Duplicate keys are refused.  Syntax errors name line and column.  *root is the
 * caller's to json_decref(). */
ANOLE_CHECKED enum anole_status anole_json_load(json_t **root, const char *path, size_t limit,
                                                struct anole_error *error);
/* The same from memory; `path` is for messages. */
ANOLE_CHECKED enum anole_status anole_json_parse(json_t **root, const char *text, size_t length,
                                                 const char *path, struct anole_error *error);
/* The same for a part of a larger text, any value at all, that begins in line
 * `line` of it. */
ANOLE_CHECKED enum anole_status anole_json_parse_part(json_t **value, const char *text,
                                                      size_t length, const char *path, size_t line,
                                                      struct anole_error *error);

/* What a value is, for a message: `the text "abc"`, `the number 3.5`, `null`, `the
 * array [1, 2]`, `an array of 300`, and `nothing` for NULL.  Safe to print.  Returns out. */
const char *anole_json_found(char *out, size_t size, const json_t *value);

/* The place, safe to print: "file.json: layer \"conv1\"".  Returns out. */
const char *anole_json_place_text(char *out, size_t size, const struct anole_json_place *place);

/* Refuses keys that are not in the NULL-terminated list, with the nearest one. */
ANOLE_CHECKED enum anole_status anole_json_only(const json_t *object, const char *const *keys,
                                                const struct anole_json_place *place,
                                                struct anole_error *error);

/* Required fields: ERR_INPUT if missing or of another type or out of range.
 * Texts are borrowed from `object`. */
ANOLE_CHECKED enum anole_status anole_json_text(const char **value, const json_t *object,
                                                const char *key,
                                                const struct anole_json_place *place,
                                                struct anole_error *error);
/* JSON integers only (1.0 is none), thus at most 2^63 - 1: hashes go as text. */
ANOLE_CHECKED enum anole_status anole_json_u64(uint64_t *value, const json_t *object,
                                               const char *key, uint64_t low, uint64_t high,
                                               const struct anole_json_place *place,
                                               struct anole_error *error);
/* Numbers; null reads as NaN. */
ANOLE_CHECKED enum anole_status anole_json_number(double *value, const json_t *object,
                                                  const char *key,
                                                  const struct anole_json_place *place,
                                                  struct anole_error *error);
ANOLE_CHECKED enum anole_status anole_json_array(json_t **value, const json_t *object,
                                                 const char *key,
                                                 const struct anole_json_place *place,
                                                 struct anole_error *error);
ANOLE_CHECKED enum anole_status anole_json_object(json_t **value, const json_t *object,
                                                  const char *key,
                                                  const struct anole_json_place *place,
                                                  struct anole_error *error);

/* json_dumps(), but NULL whenever memory ran out: Jansson may then leave something
 * out and say nothing.  The caller's to free. */
char *anole_json_dump(const json_t *value, size_t flags);

/* json_real(), or null for NaN and infinities (which JSON does not have). */
json_t *anole_json_real(double value);

#endif
