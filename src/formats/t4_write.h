/* SPDX-License-Identifier: MIT
 *
 * Writing results in the format T4 (see recording.h).  What T4 has no word for:
 * a worker that crashed is written as "runtime"; "benchmark", beside "runtimes",
 * is what all runs of a trial took together, for the single ones are not kept.
 */
#ifndef ANOLE_T4_WRITE_H
#define ANOLE_T4_WRITE_H

#include "base/text.h"
#include "kernel/t1.h"
#include "space/result.h"

struct json_t; /* Jansson's */

/* A config as an object, by what its values mean to `t1`: a new reference.  ERR_INPUT if that has
 * no such parameter or value. */
enum anole_status anole_t4_configuration(struct json_t **object, const struct anole_t1 *t1,
                                         const char names[][ANOLE_KNOB_NAME], const int64_t *values,
                                         size_t count, struct anole_error *error);

struct anole_t4_writer {
    struct anole_text text; /* what was written so far */
    size_t entries;
    const struct anole_t1 *t1; /* NULL: values are written as the knobs have them */
};

/* What the results are results of; may be NULL or empty where not known. */
struct anole_t4_source {
    const char *kernel; /* a task's key, or the name of a benchmark */
    const char *device, *driver;
};

/* `t1` (borrowed; may be NULL) says what knobs' values mean: fractions and texts. */
void anole_t4_begin(struct anole_t4_writer *writer, const struct anole_t4_source *source,
                    const struct anole_t1 *t1);
/* ERR_INPUT if the T1 file has no such parameter or value. */
enum anole_status anole_t4_add(struct anole_t4_writer *writer, const char names[][ANOLE_KNOB_NAME],
                               const int64_t *values, size_t count,
                               const struct anole_result *result, struct anole_error *error);
/* Completes the text; ERR_MEMORY if that ran out anywhere before. */
enum anole_status anole_t4_end(struct anole_t4_writer *writer, struct anole_error *error);
void anole_t4_fini(struct anole_t4_writer *writer);

#endif
