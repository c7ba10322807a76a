/* SPDX-License-Identifier: MIT
 *
 * Writing results as Kernel Tuner's cache files have them (see recording_cache.c).  What that has
 * no word for: a timeout and a crash are RuntimeFailedConfig.
 */
#ifndef ANOLE_CACHE_WRITE_H
#define ANOLE_CACHE_WRITE_H

#include "formats/t4_write.h"

struct anole_cache_writer {
    struct json_t *keys;    /* names of parameters, as the first config has them */
    struct json_t *values;  /* of each, those that occur */
    struct json_t *entries; /* by config: of several trials the last counts */
    const struct anole_t1 *t1;
    struct anole_t4_source source;
};

/* Source and `t1` as of anole_t4_begin(), and borrowed. */
void anole_cache_begin(struct anole_cache_writer *writer, const struct anole_t4_source *source,
                       const struct anole_t1 *t1);
enum anole_status anole_cache_add(struct anole_cache_writer *writer,
                                  const char names[][ANOLE_KNOB_NAME], const int64_t *values,
                                  size_t count, const struct anole_result *result,
                                  struct anole_error *error);
/* Appends the whole file. */
enum anole_status anole_cache_end(struct anole_cache_writer *writer, struct anole_text *out,
                                  struct anole_error *error);
size_t anole_cache_entries(const struct anole_cache_writer *writer);
/* A zeroed one is fine. */
void anole_cache_fini(struct anole_cache_writer *writer);

#endif
