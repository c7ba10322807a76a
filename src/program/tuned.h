/* SPDX-License-Identifier: MIT
 *
 * The configs of a program from a lock file, by task: what tuning one network found serves
 * each that has the same layers.
 */
#ifndef ANOLE_TUNED_H
#define ANOLE_TUNED_H

#include "devices/registry.h"
#include "program/program.h"
#include "record/lockfile.h"

struct anole_tuned_choice {
    struct anole_lockfile *lockfile;
    const struct anole_lock_device *entry; /* of the device; in the lock file */
    size_t matched;                        /* tasks whose config came from it */
    size_t missing;                        /* tasks that it does not hold */
    size_t outdated; /* tasks whose config means nothing to this version of the backend */
};

/* In the caller's storage.  Errors as of anole_lockfile_load() and anole_lockfile_find(). */
enum anole_status anole_tuned_init(struct anole_tuned_choice *tuned, const char *path,
                                   const struct anole_registry *registry,
                                   const struct anole_registry_device *device,
                                   struct anole_error *error) __attribute__((warn_unused_result));
/* A zeroed one is fine. */
void anole_tuned_fini(struct anole_tuned_choice *tuned);

/* An anole_program_chooser, whose context is the struct; counts. */
enum anole_status anole_tuned_choose(void *context, const struct anole_generator *generator,
                                     uint64_t *config, bool *found, double *seconds,
                                     struct anole_error *error);

#endif
