/* SPDX-License-Identifier: MIT
 *
 * The reference of a custom kernel that comes with none: computed on the device.
 */
#ifndef ANOLE_REFER_H
#define ANOLE_REFER_H

#include "measure/message.h"
#include "measure/runner.h"

/* Runs the plain kernel that comes with the task, or else its default config, and
 * puts what it computes into the task's file as reference.  The default config is
 * checked by the others in the request: where some of them run, one at least has to
 * agree with it.  The runner's task is the request's, without data, before and
 * after.  ERR_INPUT if there is nothing to trust. */
enum anole_status anole_refer(struct anole_runner *runner, int descriptor,
                              const struct anole_prepare_request *request,
                              struct anole_error *error);

#endif
