/* SPDX-License-Identifier: MIT
 *
 * What a report tells: what lock files and histories hold, put together.  A column for each
 * device of each lock file, with the trials that histories hold of it; without lock files, for
 * each device of the histories.
 */
#ifndef ANOLE_REPORT_MODEL_H
#define ANOLE_REPORT_MODEL_H

#include "base/text.h"
#include "op/task.h"
#include "record/history.h"
#include "record/lockfile.h"
#include "report/network.h"

#define ANOLE_REPORT_COLUMNS 26  /* they are called A to Z */
#define ANOLE_REPORT_FAILURES 64 /* ways to fail that are told apart; the rest is put together */

struct anole_report_trial {
    double value; /* of the metric; NaN unless it ran and is right */
    double spent; /* seconds of wall time that it took in all */
    uint64_t id;  /* in its history; orders the trials of a column */
    bool ok, abandoned;
    bool odd; /* it has other knobs than its task's first trial: its values are not known */
};

/* Of trials: how they ended, where their time went, what disturbed them. */
struct anole_report_tally {
    size_t trials, abandoned, simulated;
    size_t by_outcome[ANOLE_OUTCOME_COUNT];
    size_t by_timer[ANOLE_TIMER_COUNT]; /* of those that ran */
    struct anole_trial_cost cost;
    size_t disturbed; /* trials with samples that other work disturbed */
    double crowding;  /* sum of shares, over those that were timed */
    double worst_crowding;
    size_t timed;
};

struct anole_report_knobs;

struct anole_report_task {
    char *key;
    char label[128];  /* printable */
    const char *kind; /* a literal */
    uint32_t multiplicity;
    enum anole_warmth warmth;
    double flops, bytes;                /* of one run; 0: not known */
    const struct anole_lock_task *lock; /* or NULL */

    struct anole_report_trial *trials; /* by id */
    size_t trial_count, trial_room;
    char (*knob_names)[ANOLE_KNOB_NAME];
    size_t knob_count;
    int64_t *values; /* [trial_count * knob_count], a row for each trial */
    struct anole_report_tally tally;
    struct anole_report_knobs *knobs; /* which of them mattered: knobs.h; NULL: not known */

    /* What came of it: from the lock file, or else from the trials. */
    double value, low, high;
    double default_value;  /* NaN: not known */
    bool first_is_default; /* it is what the first trial took, which mostly is the default's */
    double speedup, speedup_low, speedup_high; /* intervals from lock files only; else NaN */
    bool tie;
    double share;               /* of the device's sum; NaN if that is not known */
    const int64_t *best_values; /* of the best trial, where there is no lock file; or NULL */
};

struct anole_report_failure {
    enum anole_outcome outcome;
    uint64_t hash;
    char message[256]; /* of the first, as it stands in the history */
    char task[128];    /* its label */
    size_t count;
};

struct anole_report_column {
    char letter;
    const char *path;                     /* borrowed: of the file that it comes from */
    const struct anole_lock_device *lock; /* or NULL */
    /* Borrowed from `lock`, or owned. */
    const char *id, *backend, *backend_version, *device, *driver, *driver_version;
    char *owned;
    uint32_t generator, threads, dtype; /* dtype 0: not known */
    enum anole_metric metric;
    bool simulated;
    struct anole_report_task *tasks; /* in the end by what they take of the whole */
    size_t task_count, task_room;
    uint32_t *slots; /* tasks by key and warmth; see model.c */
    size_t slot_count;

    struct anole_report_tally tally;
    struct anole_report_failure *failures; /* the most frequent first */
    size_t failure_count;
    double sum;           /* of all tasks, each as often as it occurs */
    double before, after; /* the same of those whose default is known, with that and tuned */
    size_t compared;      /* such tasks */
    double most_flops, most_bytes; /* a second, that any layer reached; 0: not known */
};

struct anole_report {
    const char *network; /* borrowed; NULL: histories do not say */
    struct anole_report_column columns[ANOLE_REPORT_COLUMNS];
    size_t column_count;
    bool has_locks;
    struct anole_text notes; /* a line each: what was left out, and why */
    double peak, bandwidth;  /* FLOP/s and bytes/s of the device, as they were given; 0: not */
    const struct anole_report_network *run; /* borrowed; or NULL */
};

/* Zero-initialise; then all lock files, then the histories, then finish.  Files, histories and
 * paths must outlive it (of a history only the path). */
enum anole_status anole_report_add_lock(struct anole_report *report,
                                        const struct anole_lockfile *lockfile, const char *path,
                                        struct anole_error *error);
enum anole_status anole_report_add_history(struct anole_report *report,
                                           const struct anole_history *history, const char *path,
                                           struct anole_error *error);
/* ERR_INPUT if there is nothing to report of. */
enum anole_status anole_report_finish(struct anole_report *report, struct anole_error *error);
void anole_report_fini(struct anole_report *report);

/* -- For those that add to it -- */

/* A new column without tasks, or NULL, with a note, if there are too many. */
struct anole_report_column *anole_report_add_column(struct anole_report *report);
/* The task of that key, made if need be.  NULL: out of memory.  Good until the next is made. */
struct anole_report_task *anole_report_task(struct anole_report_column *column, const char *key,
                                            enum anole_warmth warmth);
/* The same if there is one, or NULL. */
const struct anole_report_task *anole_report_find(const struct anole_report_column *column,
                                                  const char *key, enum anole_warmth warmth);

/* -- For those that show it -- */

/* A layer, as several devices have it. */
struct anole_report_row {
    const char *label, *key;
    uint32_t multiplicity;
    const struct anole_report_task *tasks[ANOLE_REPORT_COLUMNS]; /* NULL: it was not tuned for */
    enum anole_warmth warmth;
};
/* All layers of all columns, those of the first column first; precisions are told apart.  *rows is
 * the caller's to free(); false: out of memory. */
bool anole_report_rows(struct anole_report_row **rows, size_t *count,
                       const struct anole_report *report);

/* "A cpu:0", or the device's name where no lock file gives it an id. */
const char *anole_report_column_name(char *out, size_t size,
                                     const struct anole_report_column *column);
/* Appends "tile_w=14 algorithm=2 ...", of the tuned config; as it stands in the file. */
void anole_report_config(struct anole_text *out, const struct anole_report_task *task);
/* Whether a task has trials to draw a curve of. */
bool anole_report_has_trials(const struct anole_report_column *column);

#endif
