/* SPDX-License-Identifier: MIT
 *
 * Winograd convolution: what a config costs, by a plain model, and which is the default.
 */
#ifndef ANOLE_CPU_WINOGRAD_COST_H
#define ANOLE_CPU_WINOGRAD_COST_H

#include "winograd_plan.h"

/* Estimated cycles of a config: what the default is chosen by. */
double wino_cost(const struct anole_device *device, const struct anole_task *task,
                 const int64_t *v);
/* May the default be this one?  Narrower than what the design space allows. */
bool wino_acceptable(const struct anole_device *device, const struct anole_task *task,
                     const int64_t *v);
/* A config that asks for little memory, v[WINO_KNOBS]; if it is not acceptable, none is. */
void wino_plainest(const struct anole_device *device, const struct anole_task *task, int64_t *v);
/* The acceptable config of least estimated cost, else the plainest: takes milliseconds. */
void wino_choose(const struct anole_device *device, const struct anole_task *task, int64_t *v);

/* The largest scratch memory of a fused kernel: floats of V and M in local memory. */
int64_t wino_local_floats(const struct anole_device *device);

#endif
