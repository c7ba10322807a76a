/* SPDX-License-Identifier: MIT
 *
 * Whether somebody else measures on a device at the same time: then the times of
 * both are worthless.  A lock on a file in /tmp, one for each device, and one for
 * the host's cores; it goes with the process that holds it.
 */
#ifndef ANOLE_DEVICE_LOCK_H
#define ANOLE_DEVICE_LOCK_H

#include <anole/plugin.h>

/* Takes the lock; warns if another process has it.  Returns a descriptor, which is
 * the caller's to close, or -1 (somebody else has it, or there can be no lock: that
 * keeps nobody from measuring). */
int anole_device_lock(const struct anole_device *device);

#endif
