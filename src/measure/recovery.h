/* SPDX-License-Identifier: MIT
 *
 * Workers that come to nothing, through no fault of a kernel's.
 */
#ifndef ANOLE_RECOVERY_H
#define ANOLE_RECOVERY_H

#include "measure/measure_private.h"

/* A worker came to nothing through no fault of a kernel's: once is bad luck.  A device
 * that has worked, and cannot be opened, is lost, and is waited for. */
ANOLE_CHECKED enum anole_status
anole_measure_bad_start(struct anole_measure *measure, const struct anole_handle *handle,
                        enum anole_worker_event event, const char *text, struct anole_error *error);
/* A worker has answered. */
void anole_measure_good(struct anole_measure *measure);
/* A lost device is not to be asked for anything right now. */
bool anole_measure_waits(const struct anole_measure *measure);

#endif
