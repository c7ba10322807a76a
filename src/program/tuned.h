/* SPDX-License-Identifier: MIT
 *
 * Tuned kernels, as a lock file names them: which config a task runs with.  Configs are found by
 * task: what tuning one network found serves each that has the same layers.
 */
#ifndef ANOLE_TUNED_H
#define ANOLE_TUNED_H

#include "devices/registry.h"
#include "program/program.h"
#include "record/lockfile.h"

/* What chooses the configs of a program. */
struct anole_tuned_choice {
    struct anole_lockfile *lockfile;
    char *path;
    const struct anole_registry_entry *backend; /* of the registry; likewise the device */
    const struct anole_registry_device *device;
    const struct anole_lock_device *entry; /* that gave the last config; NULL: none did */
    size_t matched;                        /* tasks whose config came from the lock file */
    size_t missing;                        /* tasks that it does not hold */
    size_t outdated;        /* tasks whose config means nothing to this version of the backend */
    uint32_t missing_dtype; /* enum anole_dtype: of the last that is missing */
};

/* In the caller's storage.  The registry must outlive it.  Errors as of anole_lockfile_load() and
 * anole_lockfile_find(): the file must hold something of this device. */
enum anole_status anole_tuned_init(struct anole_tuned_choice *tuned, const char *path,
                                   const struct anole_registry *registry,
                                   const struct anole_registry_device *device,
                                   struct anole_error *error) __attribute__((warn_unused_result));
/* A zeroed one is fine. */
void anole_tuned_fini(struct anole_tuned_choice *tuned);

/* An anole_program_chooser, whose context is the struct; counts.  Of several entries of the device
 * (precisions, drivers, threads) that hold the task, that of this version of the backend and the
 * driver counts. */
enum anole_status anole_tuned_choose(void *context, const struct anole_generator *generator,
                                     uint64_t *config, bool *found, double *seconds,
                                     struct anole_error *error);

/* What the lock file has of a task, by its key; NULL: nothing.  *entry (may be NULL): where. */
const struct anole_lock_task *anole_tuned_lookup(const struct anole_tuned_choice *tuned,
                                                 const struct anole_lock_device **entry,
                                                 const char *key);

/* Logs how many tasks and steps of a program that it has chosen for are tuned; why, if there are
 * none; and what was otherwise when they were tuned.  `threads`: as the program runs with. */
void anole_tuned_report(const struct anole_tuned_choice *tuned, const struct anole_program *program,
                        uint32_t threads);

#endif
