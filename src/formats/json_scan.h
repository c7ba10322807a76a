/* SPDX-License-Identifier: MIT
 *
 * Large JSON texts, a piece at a time: the outer levels are walked, and of the
 * rest one value after the other becomes a tree.  NaN and Infinity, which are not
 * JSON but which Python writes, are read as null.
 */
#ifndef ANOLE_JSON_SCAN_H
#define ANOLE_JSON_SCAN_H

#include "base/json.h"

struct anole_json_scan {
    const char *text;
    size_t length;
    const char *file; /* printable */
    size_t at;        /* the next byte */
    bool fresh;       /* just behind a '{' or '[': no comma is due */
    /* The text may end between two members: the program that writes it was
     * interrupted, or still runs. */
    bool may_end;
    bool ended; /* it did */
    struct anole_error *error;
};

/* Over the '{' or '[' of the next value. */
enum anole_status anole_json_scan_open(struct anole_json_scan *scan, char bracket);
/* To the next member of an object: its key, cut to size, and escapes as they
 * stand.  *more false: there is none, and the '}' is behind us. */
enum anole_status anole_json_scan_member(struct anole_json_scan *scan, bool *more, char *key,
                                         size_t size);
/* To the next element of an array. */
enum anole_status anole_json_scan_element(struct anole_json_scan *scan, bool *more);
/* Over the next value, whatever it is: at most 64 levels deep. */
enum anole_status anole_json_scan_skip(struct anole_json_scan *scan);
/* The next value as a tree, if it is at most `limit` bytes of text long; the
 * caller's to json_decref(). */
enum anole_status anole_json_scan_value(struct anole_json_scan *scan, json_t **value, size_t limit);
/* After the last value: nothing but space may follow. */
enum anole_status anole_json_scan_end(struct anole_json_scan *scan);

/* What begins next: a byte; 0 at the end. */
char anole_json_scan_peek(struct anole_json_scan *scan);
/* The line that we are in, from 1. */
size_t anole_json_scan_line(const struct anole_json_scan *scan);

#endif
