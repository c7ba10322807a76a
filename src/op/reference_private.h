/* SPDX-License-Identifier: MIT
 *
 * Between the data of a task and its reference.
 */
#ifndef ANOLE_MEASURE_REFERENCE_PRIVATE_H
#define ANOLE_MEASURE_REFERENCE_PRIVATE_H

#include "op/reference.h"

/* Fills in expected outputs and tolerances, whose room is there.  The tensors of `data`
 * are floats here, whatever the task's type; `scale` is what weights were multiplied by. */
enum anole_status anole_reference_compute(struct anole_task_data *data,
                                          const struct anole_task *task, double scale,
                                          unsigned threads, struct anole_error *error);

#endif
