/* SPDX-License-Identifier: MIT
 *
 * The reference of a custom kernel that comes with none: computed on the device.
 */
#ifndef ANOLE_CUSTOM_REFERENCE_H
#define ANOLE_CUSTOM_REFERENCE_H

#include "space/space.h"
#include "exec/runner.h"

/* Runs the plain kernel that comes with the task, or else its default config, and
 * puts what it computes into the task's file as reference.  The default config is
 * checked by the others that are given: where some of them run, one at least has to
 * agree with it.  The runner's task is `task`, without data, before and
 * after.  ERR_INPUT if there is nothing to trust. */
ANOLE_CHECKED enum anole_status
anole_custom_reference_compute(struct anole_runner *runner, int descriptor,
                               const struct anole_task *task,
                               const int64_t (*configs)[ANOLE_MAX_KNOBS], size_t config_count,
                               size_t value_count, struct anole_error *error);

#endif
