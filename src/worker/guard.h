/* SPDX-License-Identifier: MIT
 *
 * The fence around a worker: however the tuner or the worker ends, nothing of
 * the worker stays behind, neither it nor what a driver's compiler started.
 *
 * A worker is two processes.  The guard, which is what the tuner started, does
 * nothing but wait: for its worker's end, after which it kills what that left
 * behind and ends in the same way; for SIGTERM from the tuner; for the end of the
 * tuner's process, or of the pipe that the tuner reads stderr from, after which the
 * guard kills everything.  The thread that started it may end: that changes nothing.
 * The guard adopts orphans (PR_SET_CHILD_SUBREAPER), so nothing escapes by forking twice.
 */
#ifndef ANOLE_GUARD_H
#define ANOLE_GUARD_H

#include <sys/types.h>

/* Splits off the guard, and returns in the worker alone.  `tuner`: the process
 * that must be our parent.  `scratch` (NULL: none): a folder that goes if the
 * tuner has died.  Stderr is a pipe that the tuner reads.  Call it while the process
 * has one thread. */
void anole_guard_enter(pid_t tuner, const char *scratch);

#endif
