/* SPDX-License-Identifier: MIT
 *
 * The device whose results a verb takes from a lock file.
 */
#ifndef ANOLE_LOCK_DEVICE_H
#define ANOLE_LOCK_DEVICE_H

#include "program/tuned_entry.h"

/* What the user says of it. */
struct anole_lock_wish {
    const char *device; /* --device; NULL: the one that the file names */
    uint32_t precision; /* enum anole_dtype; 0: any */
    uint64_t threads;   /* --threads; 0: as the file has it */
};

/* As of anole_lockfile_threads(). */
uint32_t anole_lock_wish_threads(const struct anole_lock_wish *wish);

/* Lists the devices as the entry was tuned with them, and finds it.  *registry is the caller's,
 * also on failure; *threads: as of anole_lockfile_find(). */
ANOLE_CHECKED enum anole_status
anole_lock_device_here(struct anole_registry **registry,
                       const struct anole_registry_device **device, uint32_t *threads,
                       const struct anole_lockfile *lockfile, const char *path,
                       const struct anole_lock_wish *wish, struct anole_error *error);

#endif
