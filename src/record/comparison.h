/* SPDX-License-Identifier: MIT
 *
 * The same network in several lock files and on several devices, side by side: a
 * column for each device of each file, a row for each task.
 */
#ifndef ANOLE_COMPARISON_H
#define ANOLE_COMPARISON_H

#include "base/json.h"
#include "op/task.h"
#include "record/lockfile.h"

#define ANOLE_COMPARISON_COLUMNS 26 /* they are called A to Z */
#define ANOLE_COMPARISON_NOBODY SIZE_MAX

struct anole_comparison_column {
    const char *path; /* borrowed: of its file */
    const struct anole_lock_device *device;
    double sum; /* of costs, over the rows that all columns have */
    /* The last column before this one with the same backend, device, driver,
     * precision and number of threads: what changed since?  ANOLE_COMPARISON_NOBODY: none. */
    size_t before;
};

struct anole_comparison_row {
    char label[128];          /* printable */
    char key[ANOLE_TASK_KEY]; /* where columns differ in precision, in fp32 */
    const char *kind;         /* a literal: "conv2d", ... */
    uint32_t multiplicity;
    const struct anole_lock_task *tasks[ANOLE_COMPARISON_COLUMNS]; /* NULL: missing */
    bool whole;                                                    /* all columns have it */
    bool unlike;   /* some of them were timed hot, others cold */
    size_t winner; /* column; ANOLE_COMPARISON_NOBODY with fewer than two */
    bool tie;      /* the interval of another column overlaps the winner's */
    double lead;   /* how many times better than the next; NaN without one */
};

struct anole_comparison {
    const char *network;
    enum anole_metric metric; /* of all columns */
    struct anole_comparison_column columns[ANOLE_COMPARISON_COLUMNS];
    size_t column_count;
    bool mixed; /* not all of one precision: rows go by layer, whatever that is */
    struct anole_comparison_row *rows;
    size_t row_count, whole_count, unlike_count;
    uint32_t *slots; /* of rows, by their keys: see comparison.c */
    size_t slot_count;
    double best_sum; /* of costs, each whole row by its winner */
};

/* ERR_INPUT if they are of different networks or metrics, if a layer occurs in different
 * numbers, if nothing can be compared, or if there are too many.  `files` and
 * `paths` [count] must outlive it. */
enum anole_status anole_comparison_create(struct anole_comparison **comparison,
                                          struct anole_lockfile *const *files,
                                          const char *const *paths, size_t count,
                                          struct anole_error *error);
void anole_comparison_destroy(struct anole_comparison *comparison);

/* What a task was measured to cost, by the metric of all: see anole_metric_cost(). */
double anole_comparison_cost(const struct anole_comparison *comparison,
                             const struct anole_lock_task *task);

/* What became of a task from one column to another. */
enum anole_change {
    ANOLE_CHANGE_NONE, /* their intervals overlap */
    ANOLE_CHANGE_FASTER,
    ANOLE_CHANGE_SLOWER,
    ANOLE_CHANGE_ADDED,
    ANOLE_CHANGE_REMOVED,
    ANOLE_CHANGE_UNKNOWN, /* one was timed hot, the other cold */
};
const char *anole_change_text(enum anole_change change);
enum anole_change anole_comparison_change(const struct anole_comparison *comparison,
                                          const struct anole_comparison_row *row, size_t before,
                                          size_t after);

/* A new reference, or NULL. */
json_t *anole_comparison_json(const struct anole_comparison *comparison);

#endif
