/* SPDX-License-Identifier: MIT
 *
 * What the readers of the single formats share.  For recording*.c only.
 */
#ifndef ANOLE_RECORDING_PRIVATE_H
#define ANOLE_RECORDING_PRIVATE_H

#include "formats/json_scan.h"
#include "formats/recording.h"
#include "space/config_map.h"

#define ANOLE_LARGEST_ENTRY ((size_t)4 << 20)

struct anole_recording {
    struct anole_recorded *items;
    size_t count, capacity;
    struct anole_config_map where; /* config -> position in items */
    size_t best;                   /* position; valid if counts.ok */
    struct anole_recording_counts counts;
    char device[128];
};

/* A file on its way to a recording. */
struct anole_recording_reader {
    struct anole_recording *recording;
    const struct anole_t1 *t1;
    const struct anole_space *space;
    struct anole_json_scan scan;
    double unit; /* seconds in one unit of time of this file */
    struct anole_error *error;
};

/* "FILE: entry 17 (before line 345)". */
const char *anole_recording_place(const struct anole_recording_reader *reader, char *out,
                                  size_t size);
/* Sets *found and *config if all parameters of the space are in `values`, with
 * values that it has; else counts the entry. */
void anole_recording_config(struct anole_recording_reader *reader, const json_t *values,
                            bool *found, uint64_t *config);
/* A time of the file's unit in seconds; NULL and null give 0.  False if it is no
 * number or negative. */
bool anole_recording_time(const struct anole_recording_reader *reader, const json_t *json,
                          double *seconds);
/* The same of what is only a cost: 0 where it cannot be read. */
double anole_recording_cost(const struct anole_recording_reader *reader, const json_t *json);
/* The sum of an array of times; false if one of them is none. */
bool anole_recording_sum(const struct anole_recording_reader *reader, const json_t *json,
                         double *seconds, size_t *count);
/* Takes an entry whose config was found. */
enum anole_status anole_recording_take(struct anole_recording_reader *reader,
                                       const struct anole_recorded *recorded);

/* Hands the elements of an array, which must come next, to `read`, one by one. */
enum anole_status anole_recording_entries(
    struct anole_recording_reader *reader,
    enum anole_status (*read)(struct anole_recording_reader *reader, const json_t *entry));
/* Reads a text, which must come next: the device's name. */
enum anole_status anole_recording_read_device(struct anole_recording_reader *reader);

/* Each reads behind the '{' of the file, to its end. */
enum anole_status anole_recording_read_t4(struct anole_recording_reader *reader);
enum anole_status anole_recording_read_clblast(struct anole_recording_reader *reader);
enum anole_status anole_recording_read_cache(struct anole_recording_reader *reader);

#endif
