/* SPDX-License-Identifier: MIT
 *
 * Which entry of a lock file is meant, and which device here it is of: by what the user says,
 * and by what the file holds where he says nothing.
 */
#ifndef ANOLE_TUNED_ENTRY_H
#define ANOLE_TUNED_ENTRY_H

#include "devices/registry.h"
#include "record/lockfile.h"

#define ANOLE_ANY_THREADS UINT32_MAX

/* With how many threads devices are to be listed to find an entry again: `wanted`, or, for
 * ANOLE_ANY_THREADS, those of the first entry in this precision (enum anole_dtype; 0: any), of the
 * device `selector` (NULL: none is named) if that is an entry's id.  ERR_INPUT if nothing was tuned
 * with the threads that are wanted.  `path` is for messages. */
ANOLE_CHECKED enum anole_status anole_lockfile_threads(uint32_t *threads,
                                                       const struct anole_lockfile *lockfile,
                                                       const char *path, const char *selector,
                                                       uint32_t dtype, uint32_t wanted,
                                                       struct anole_error *error);

/* The entry of the lock file that was tuned on this device (same backend, same device and driver
 * by name) in this precision (enum anole_dtype; 0: the first one that is there), with this
 * number of threads if there is one, else with another; says what else is there.  Of several, that
 * in the batch and shapes of `sizes` (NULL: any) comes first, whatever its threads, if there is
 * one.  ERR_NO_DEVICE if there is none at all.  Warns where versions differ. */
enum anole_status anole_lockfile_find(const struct anole_lock_device **found,
                                      const struct anole_lockfile *lockfile, const char *path,
                                      const struct anole_registry *registry,
                                      const struct anole_registry_device *device, uint32_t dtype,
                                      uint32_t threads, const struct anole_lock_device *sizes,
                                      struct anole_error *error);

/* A device that is here, for messages and comparing. */
struct anole_entry_place {
    const char *id, *backend, *device, *driver;
};

/* The one of places[count] that the lock file has an entry of, in this precision (0: any) and with
 * this number of threads (or ANOLE_ANY_THREADS).  ERR_NO_DEVICE if there is none, or several: then
 * they are listed. */
ANOLE_CHECKED enum anole_status
anole_lockfile_place(size_t *index, const struct anole_lockfile *lockfile, const char *path,
                     const struct anole_entry_place *places, size_t count, uint32_t dtype,
                     uint32_t threads, struct anole_error *error);

/* The same driver, by which the backend makes launches in another way: it says so behind a
 * comma. */
bool anole_driver_is_another_way(const char *a, const char *b);

#endif
