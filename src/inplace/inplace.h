/* SPDX-License-Identifier: MIT
 *
 * A tuned network run in place: as a whole, its steps one behind the other, with the kernels that
 * were found and, in turn with these, with default ones.
 *
 * It runs in a worker process, which makes the program from the network's file and a lock file, as
 * `anole run` does.  So no driver is loaded into the process that asks; a driver that crashes or
 * hangs there costs the answer, and nothing that was tuned; and it is measured where the tasks
 * were.
 */
#ifndef ANOLE_INPLACE_H
#define ANOLE_INPLACE_H

#include "devices/registry.h"
#include "op/task.h"
#include "record/lockfile.h"

#include <stdbool.h>

#define ANOLE_INPLACE_CANDIDATES 4

/* What else a task may run with, and what came of it: the first candidate is what `lock` has. */
struct anole_inplace_task {
    char key[ANOLE_TASK_KEY];
    uint64_t configs[ANOLE_INPLACE_CANDIDATES];
    uint32_t count;
    /* Of the answer: */
    bool judged;
    bool disturbed; /* by other work, so that it is not judged */
    uint32_t chosen;
    double steps[ANOLE_INPLACE_CANDIDATES]; /* of all its layers in sum, in place; NaN: not known */
};

struct anole_inplace_request {
    const char *network; /* its file; kernels are those that `lock` has of its tasks */
    const struct anole_lock_device *lock;
    const struct anole_registry_entry *backend;
    const struct anole_registry_device *device;
    uint32_t threads;    /* of a CPU device; 0: all */
    const char *scratch; /* of the measurement that built the kernels; NULL: there is none */
    double seconds;    /* of wall time that all of it may take, at the end of which it is killed */
    double timing;     /* of them, at most, for running it in turn */
    double exchanging; /* of them, for exchanging what `tasks` have */
    struct anole_inplace_task *tasks; /* [task_count]; all are answered, if it ran */
    size_t task_count;
    bool check;  /* hold its outputs against the operators' references */
    bool strict; /* every task of `lock` must be in the network, or it is another one */
    bool (*stop)(void *context); /* polled many times a second; may be NULL */
    void *context;
};

struct anole_inplace_report {
    bool ran;                       /* else `problem` says why not */
    bool failed;                    /* it was tried, and that is the network's fault or the
                                       device's: it crashed, hung, or a run failed */
    char problem[ANOLE_ERROR_TEXT]; /* printable; "" if it ran */
    /* Medians of wall time with 95 % intervals, in seconds; as of struct anole_lock_in_place. */
    double seconds, low, high;
    double default_seconds, default_low, default_high;
    double speedup, speedup_low, speedup_high;
    uint32_t rounds, steps, steps_tuned;
    bool disturbed; /* all of these by other work: too few were not */
    /* With `check`: the largest error of an output, over the largest |expected| of it, and what
     * that may be; else NaN. */
    double error, tolerance;
    char output[128]; /* the one that has it; printable */
};

/* Asks a worker.  That it does not run is no failure: see the report.  ERR_INTERRUPTED: `stop`. */
ANOLE_CHECKED enum anole_status anole_inplace_run(struct anole_inplace_report *report,
                                                  const struct anole_inplace_request *request,
                                                  struct anole_error *error);

/* What a lock file records of it; zeroes if it did not run. */
void anole_inplace_record(struct anole_lock_in_place *out,
                          const struct anole_inplace_report *report);

#endif
