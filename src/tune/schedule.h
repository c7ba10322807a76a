/* SPDX-License-Identifier: MIT
 *
 * Sharing trials out over the tasks of a network by what they still promise for
 * the whole: multiplicity x cost x expected relative gain of the next batch.
 * The idea of gradient scheduling is Ansor's (Zheng et al., OSDI 2020); the
 * estimate of the gain is ours, see schedule.c.
 *
 * Where batches of one task take longer than those of another, it is what they promise a
 * second that counts.
 *
 * Depends on results only, and on what is said that they cost, so that a run can be repeated.
 */
#ifndef ANOLE_SCHEDULE_H
#define ANOLE_SCHEDULE_H

#include "base/status.h"

#include <stddef.h>

struct anole_schedule;

enum anole_status anole_schedule_create(struct anole_schedule **schedule, size_t task_count,
                                        struct anole_error *error);
void anole_schedule_destroy(struct anole_schedule *schedule);

/* `multiplicity`: layers that share the task.  `work`: any measure of its size
 * (FLOPs), which stands in for its cost until that is known. */
void anole_schedule_set(struct anole_schedule *schedule, size_t task, double multiplicity,
                        double work);

/* A batch of `trials` was measured; `best`: the cost (anole_result_cost()) of the
 * task's best trial now; NaN: none yet. */
void anole_schedule_update(struct anole_schedule *schedule, size_t task, size_t trials,
                           double best);

/* The last batch of a task took so many seconds; one that is not said, or 0, is taken for as
 * long as the others' on average. */
void anole_schedule_charge(struct anole_schedule *schedule, size_t task, double seconds);

/* There is nothing left to try for this task. */
void anole_schedule_exhaust(struct anole_schedule *schedule, size_t task);

/* The task whose next batch promises most a second; SIZE_MAX if all are exhausted.  Each
 * task gets one batch before any gets two. */
size_t anole_schedule_next(const struct anole_schedule *schedule);

/* What the next batch of a task promises, as a part of the network's cost. */
double anole_schedule_promise(const struct anole_schedule *schedule, size_t task);

#endif
