/* SPDX-License-Identifier: MIT
 *
 * The history: an append-only journal of trials, one JSON object a line, each
 * with a checksum, each written and fsync'ed before the tuner goes on.  One
 * process writes a file at a time; readers see it consistent at any moment.
 *
 * The first line is {"anole_history":1,"crc":...}.  Every other line stands for
 * itself, so that files may be joined, cut and searched with the tools for text:
 *
 *   {"v":3, "task":..., "backend":..., "backend_version":..., "generator":N,
 *    "device":..., "driver":..., "driver_version":..., "threads":N,
 *    "metric":"seconds", "timing":"cold", "id":N,
 *    "knobs":{"name":value, ...}, "outcome":"ok", "seconds":x, "low":x, "high":x,
 *    "samples":N, "error":x, "abandoned":false, "simulated":false,
 *    "message":"...", "cost":{"generate":x, "build":x, "transfer":x, "run":x,
 *    "verify":x}, "clock":"host", "disturbed_samples":N, "crowding":x,
 * "time":"2026-01-31T12:00:00Z", "crc":"xxxxxxxx"}
 *
 * without the blanks.  "crc" is the CRC-32 of what stands before ,"crc".  Numbers
 * that are none are null (NaN), "inf" or "-inf".  \u0080 to \u00ff stand for
 * bytes that are no UTF-8.  "id" counts the lines.  The outcome "begun", without
 * what follows up to "time", announces a trial; "withdrawn" takes that back.  "metric" says
 * what was to be made as good as can be (ANOLE_METRIC_MAP).  Clocks tell only what
 * comes from "cost" on: the rest is the same for the same results.
 *
 * What versions have in common: a history is never rewritten, and a line that is
 * not understood stays where it is.  Members may come in any order, and unknown
 * ones are passed over.  A line with a higher "v", or with a metric or an outcome
 * that is not known here, or another timing, is left out, with one warning for all of them.  Only a
 * higher number in the first line means another format, which is refused as a whole. Lines of
 * version 1, of the first release, have no metric: it is "seconds".
 *
 * "timing" says what the kernel found in the caches (ANOLE_WARMTH_MAP), and is left out where
 * they were hot, as they were in all versions before 3.  Only lines where they were not are of
 * version 3, so that no older Anole mixes the two.  "clock" says whose clock timed it
 * (ANOLE_TIMER_MAP), and is left out where nobody said, as in versions before 4.  Only what was
 * timed by a device's own clock is of version 4.  "disturbed_samples" (that other
 * work on the machine disturbed) and "crowding" (the share of the time that it had the cores) are
 * left out where they are 0.
 */
#ifndef ANOLE_HISTORY_H
#define ANOLE_HISTORY_H

#include "base/status.h"
#include "space/result.h"
#include "space/space.h"
#include "space/trials.h"

#define ANOLE_HISTORY_VERSION 1      /* of the format, in the first line */
#define ANOLE_HISTORY_LINE_VERSION 4 /* of the lines that are written, at most */

/* What a result is a result of.  All texts borrowed. */
struct anole_history_key {
    const char *task;    /* anole_task_key() */
    const char *backend; /* "cpu" */
    const char *backend_version;
    uint32_t generator; /* the plugin's generator number */
    const char *device; /* the device's name */
    const char *driver; /* the driver's name */
    const char *driver_version;
    uint32_t threads; /* of a CPU device; 0: of another, or all, as was recorded formerly */
    enum anole_metric metric;
    enum anole_warmth warmth;
};

struct anole_history;

enum anole_history_mode {
    ANOLE_HISTORY_READ,   /* the file must exist */
    ANOLE_HISTORY_APPEND, /* created if need be; locked against other writers */
};

/* Reads the file.  A torn last line is dropped, with a warning (and cut off when
 * appending); damage elsewhere, and what a newer Anole wrote, is skipped, counted and
 * warned about; a newer format is ERR_VERSION; what is no history is ERR_INPUT, and left as it
 * is; a file that another process writes is ERR_IN_USE (appending only). */
enum anole_status anole_history_open(struct anole_history **history, const char *path,
                                     enum anole_history_mode mode, struct anole_error *error);
void anole_history_close(struct anole_history *history);

/* Appends one trial, durably.  On failure (disk full, ...) the file is as it was
 * before. */
enum anole_status anole_history_append(struct anole_history *history,
                                       const struct anole_history_key *key,
                                       const struct anole_space *space, uint64_t config,
                                       const struct anole_result *result,
                                       struct anole_error *error);

/* Many at once, [count]: durable when it returns.  On failure, some of them may be there. */
enum anole_status anole_history_append_all(struct anole_history *history,
                                           const struct anole_history_key *key,
                                           const struct anole_space *space, const uint64_t *configs,
                                           const struct anole_result *results, size_t count,
                                           struct anole_error *error);

/* Says, durably, that a config is about to be tried: should it take the whole
 * machine with it, that is known afterwards.  The config's next trial ends it;
 * one that never ended counts like a crash below. */
enum anole_status anole_history_begin(struct anole_history *history,
                                      const struct anole_history_key *key,
                                      const struct anole_space *space, uint64_t config,
                                      struct anole_error *error);

/* Takes that back: the trial was given up, and for no fault of the config's. */
enum anole_status anole_history_withdraw(struct anole_history *history,
                                         const struct anole_history_key *key,
                                         const struct anole_space *space, uint64_t config,
                                         struct anole_error *error);

/* Adds to `trials` each trial whose key equals this one in every field, and whose
 * knobs exist in `space`; in file order.  *matched: how many (may be NULL);
 * *near: how many more agree on task, backend and device but differ in a version
 * or in threads (may be NULL). */
enum anole_status anole_history_collect(const struct anole_history *history,
                                        const struct anole_history_key *key,
                                        const struct anole_space *space,
                                        struct anole_trials *trials, size_t *matched, size_t *near,
                                        struct anole_error *error);

/* True if a config is quarantined: it took its worker (or the tuner) with it
 * twice, by crashes, timeouts, or trials that were begun and never ended.  Such a
 * config counts as visited (anole_history_collect() sees to that) and is not
 * tried again, also after a restart. */
bool anole_history_quarantined(const struct anole_history *history,
                               const struct anole_history_key *key, const struct anole_space *space,
                               uint64_t config);

/* Trials for a task on a device, by outcome, without a space: for `anole tasks`. */
struct anole_history_count {
    size_t trials;
    size_t by_outcome[ANOLE_OUTCOME_COUNT];
    /* In the unit of the key's metric; NaN if none.  Of those timed cold, if there are any;
     * else of those timed hot. */
    double best;
    enum anole_warmth warmth; /* of the best */
};
/* NULL or 0 fields of the key match anything; `task` is required, and the metric is one.  Hot and
 * cold timings are counted, whatever the key says. */
void anole_history_count(const struct anole_history *history, const struct anole_history_key *key,
                         struct anole_history_count *count);

/* A key found in a history, and the texts that it points to. */
struct anole_history_found {
    struct anole_history_key key;
    char texts[6][256];
};
/* The keys that it holds trials of, in the order in which they first appear: fills
 * `found` and moves *next on, from 0; false after the last.  Passes over keys whose
 * texts are longer than any of ours. */
bool anole_history_next_key(const struct anole_history *history, size_t *next,
                            struct anole_history_found *found);

/* A trial as it stands, whatever space it was made in.  Borrowed. */
struct anole_history_trial {
    uint64_t id;
    size_t knob_count;
    char names[ANOLE_MAX_KNOBS][ANOLE_KNOB_NAME];
    int64_t values[ANOLE_MAX_KNOBS];
    struct anole_result result;
};
/* A failure ends the visit, and is its status. */
typedef enum anole_status anole_history_visitor(void *context,
                                                const struct anole_history_trial *trial,
                                                struct anole_error *error);
/* Every trial whose key equals this one in every field, in file order. */
enum anole_status anole_history_visit(const struct anole_history *history,
                                      const struct anole_history_key *key,
                                      anole_history_visitor *visit, void *context,
                                      struct anole_error *error);
/* A trial as a history has it; or one that was begun, and never ended. */
struct anole_history_event {
    uint64_t id;
    struct anole_history_found found; /* its key points into it: do not copy */
    bool ended;                       /* else nothing is known of it, and `result` is a crash */
    bool quarantined;                 /* see above */
    struct anole_result result;
    size_t knob_count;
    char names[ANOLE_MAX_KNOBS][ANOLE_KNOB_NAME];
    int64_t values[ANOLE_MAX_KNOBS];
};
/* All of them, in file order: fills `event` and moves *next on, from 0; false after
 * the last.  Passes over what is no key of ours. */
bool anole_history_next_event(const struct anole_history *history, size_t *next,
                              struct anole_history_event *event);
/* Lines skipped because they were damaged. */
size_t anole_history_damaged(const struct anole_history *history);
/* Lines skipped because only a newer Anole understands them. */
size_t anole_history_newer(const struct anole_history *history);

#endif
