/* SPDX-License-Identifier: MIT
 *
 * Kernels of a task exchanged for one another in the running network, at all places where the task
 * occurs, and judged by what the network takes, and by the steps themselves.  What is best alone
 * may not be so there: weights come from further away, and inputs from nearer.
 */
#ifndef ANOLE_EXCHANGE_H
#define ANOLE_EXCHANGE_H

#include "program/instance.h"
#include "program/quiet.h"

#define ANOLE_EXCHANGE_MOST 4 /* candidates of a task */

/* What a candidate takes in place: medians of seconds; NaN: it was not timed. */
struct anole_exchange_candidate {
    uint64_t config;
    double steps; /* of all steps of the task, in sum; NaN also where the device has no clock */
    double whole; /* of the network */
};

struct anole_exchange_task {
    const char *key; /* without a pitch */
    struct anole_exchange_candidate
        candidates[ANOLE_EXCHANGE_MOST]; /* the first is its steps' own */
    size_t count;
    bool judged;    /* there was time for it, and something to choose from */
    bool disturbed; /* else: too few rounds were not; its candidates have no times */
    size_t chosen;  /* of the candidates; 0 if it was not judged */
};

/* Goes through tasks[count] in the order of their share of the network's time, each with the
 * choices that were made before it, until `deadline` (anole_clock()) is too near for the next.  The
 * program must have the candidates among its steps' kernels; one that a step lacks is left out.
 * Rounds that other work disturbed are made again while there is time, and decide nothing.
 * choices[program->step_count], of the program of `instance`: those of the network in the end, as
 * of anole_variant_create(). */
ANOLE_CHECKED enum anole_status anole_exchange_run(size_t *choices, struct anole_instance *instance,
                                                   const struct anole_program *program,
                                                   struct anole_exchange_task *tasks, size_t count,
                                                   double deadline, struct anole_quiet *quiet,
                                                   struct anole_error *error);

#endif
