/* SPDX-License-Identifier: MIT
 *
 * The options by which the verbs of `anole history` choose trials, and how they show what they
 * have chosen.
 */
#ifndef ANOLE_CLI_HISTORY_FILTER_H
#define ANOLE_CLI_HISTORY_FILTER_H

#include "cli/options.h"
#include "cli/table.h"
#include "record/history_stream.h"

/* The first of a verb's options; its own come behind, from ANOLE_FILTER_OPTIONS on. */
enum {
    ANOLE_FILTER_TASK,
    ANOLE_FILTER_DEVICE,
    ANOLE_FILTER_BACKEND,
    ANOLE_FILTER_DRIVER,
    ANOLE_FILTER_OUTCOME,
    ANOLE_FILTER_SINCE,
    ANOLE_FILTER_UNTIL,
    ANOLE_FILTER_OPTIONS
};
#define ANOLE_FILTER_TABLE                                                                         \
    [ANOLE_FILTER_TASK] = {"task", "TEXT",                                                         \
                           "only tasks whose key or label contains it: 'conv 3x3'"},               \
    [ANOLE_FILTER_DEVICE] = {"device", "TEXT", "only devices whose name contains it"},             \
    [ANOLE_FILTER_BACKEND] = {"backend", "TEXT", "only backends whose name contains it"},          \
    [ANOLE_FILTER_DRIVER] = {"driver", "TEXT", "only drivers whose name and version contain it"},  \
    [ANOLE_FILTER_OUTCOME] = {"outcome", "NAME",                                                   \
                              "only trials with this outcome: ok, invalid, compile, launch,\n"     \
                              "wrong-answer, timeout, crash, or failed for all but ok; may be\n"   \
                              "given several times"},                                              \
    [ANOLE_FILTER_SINCE] = {"since", "DATE", "only trials from then on: 2026-01-31, in UTC"},      \
    [ANOLE_FILTER_UNTIL] = {"until", "DATE", "only trials before that"}

/* Takes up option `index`, below ANOLE_FILTER_OPTIONS. */
enum anole_status anole_filter_take(struct anole_history_filter *filter, size_t index,
                                    const char *value, struct anole_error *error);

/* A task as people read it: its label, with how it was timed if that is not hot.  Printable.
 * Returns out. */
const char *anole_filter_label(char *out, size_t size, const struct anole_history_key *key);

/* "tile=4 unroll=2".  Returns out. */
const char *anole_filter_knobs(char *out, size_t size, struct anole_history_slice knobs);

/* Says, below a table, what of the files was left out. */
void anole_filter_report(const struct anole_history_stream *stream);

#endif
