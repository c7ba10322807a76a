/* SPDX-License-Identifier: MIT
 *
 * How long it takes to compute a task's reference: its work over what references were
 * computed at before, or else at what a small one is.
 */
#ifndef ANOLE_FORECAST_H
#define ANOLE_FORECAST_H

#include "op/task.h"

#include <stdint.h>

#define ANOLE_FORECAST_KINDS 16 /* of tasks */

/* Zero-initialised is fine. */
struct anole_forecast {
    double rates[ANOLE_FORECAST_KINDS]; /* flops a second, by kind of task; 0: not known */
    double small;                       /* of a small reference; 0: it was not computed yet */
};

/* Threads that references are computed on: all cores, since nothing is timed meanwhile. */
uint32_t anole_forecast_threads(void);

/* Seconds, at a guess.  0: too little to matter, or not known.  The first large task has a small
 * reference computed, which takes a moment. */
double anole_forecast_seconds(struct anole_forecast *forecast, const struct anole_task *task);

/* A reference took that long. */
void anole_forecast_note(struct anole_forecast *forecast, const struct anole_task *task,
                         double seconds);

#endif
