/* SPDX-License-Identifier: MIT
 *
 * Where trials of histories are exported to: files for other tools.
 */
#ifndef ANOLE_CLI_HISTORY_SINK_H
#define ANOLE_CLI_HISTORY_SINK_H

#include "formats/cache_write.h"
#include "formats/t4_write.h"
#include "record/history.h"

enum anole_sink_kind { ANOLE_SINK_T4, ANOLE_SINK_CACHE, ANOLE_SINK_CSV };
/* What --format says: t4, kernel-tuner or csv. */
enum anole_status anole_sink_parse(enum anole_sink_kind *kind, const char *text,
                                   struct anole_error *error);

struct anole_sink {
    enum anole_sink_kind kind;
    struct anole_t4_writer t4;
    struct anole_cache_writer cache;
    struct anole_text csv;
    size_t trials;
};

/* `key` and `t1` are borrowed until the end; `key` is not looked at for CSV. */
void anole_sink_begin(struct anole_sink *sink, enum anole_sink_kind kind,
                      const struct anole_history_key *key, const struct anole_t1 *t1);
/* A trial; `id` and `when` are for CSV alone. */
enum anole_status anole_sink_add(struct anole_sink *sink, const struct anole_history_key *key,
                                 uint64_t id, const char *when,
                                 const struct anole_history_trial *trial,
                                 struct anole_error *error);
/* Writes it all to the file `output`, which is replaced as a whole; NULL: to stdout. */
enum anole_status anole_sink_end(struct anole_sink *sink, const char *output,
                                 struct anole_error *error);
/* A zeroed one is fine. */
void anole_sink_fini(struct anole_sink *sink);

#endif
