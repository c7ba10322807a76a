/* SPDX-License-Identifier: MIT
 *
 * Whose fault a failure is.  A worker that dies, a build that fails, a launch that is refused: that
 * may be the kernel's doing, or that of a full disk, a compiler without a folder, a driver that has
 * gone, somebody who kills processes.  So a kernel that is known to be good is built and run before
 * a failure is laid to another: one that has worked for the same task in this run, else the default
 * of a small layer, which any backend should have.  A fault may have passed by then: so a failure
 * of a kind that is new in this run must come again when the kernel is tried again.
 */
#ifndef ANOLE_CONTROL_H
#define ANOLE_CONTROL_H

#include "measure/work.h"

/* Goes on until each item of the work is done or loaded. */
ANOLE_CHECKED enum anole_status anole_control_run(struct anole_work *work,
                                                  struct anole_error *error);
/* Builds and runs the known-good kernel alone.  *works: it is right; `text` is then "ok", or ""
 * if the backend has nothing to try.  Else `text` says what is wrong. */
ANOLE_CHECKED enum anole_status anole_control_try(struct anole_measure *measure, bool *works,
                                                  char *text, size_t size,
                                                  struct anole_error *error);

#endif
