/* SPDX-License-Identifier: MIT
 *
 * What a lock file holds, taken up again: the entry of a device, its tasks, and the config that
 * each is to run with.  The one place where that is looked up, for whole networks (as the chooser
 * of a program, by task: what tuning one network found serves each that has the same layers) and
 * for single tasks, of which `anole verify`, `anole pack` and `anole best` make use: a lock file
 * has no graph, and its tasks may be kernels of the user's own, so that these are no programs.
 */
#ifndef ANOLE_TUNED_H
#define ANOLE_TUNED_H

#include "devices/registry.h"
#include "kernel/custom.h"
#include "program/program.h"
#include "program/tuned_entry.h"
#include "record/lockfolder.h"

/* -- Entries -- */

/* Kernels of the user's own are taken from the file that the lock file names if that is in its
 * folder or below; else ERR_INPUT.  Looks for kernels of the user's own in another file than the
 * one that they were tuned from. */
enum anole_status anole_lockfile_set_path(struct anole_lockfile *lockfile, const char *path,
                                          struct anole_error *error);

/* -- Single tasks -- */

/* A task of an entry, with what makes its kernel. */
struct anole_tuned_task {
    struct anole_task task;
    struct anole_custom_kernel *custom; /* NULL: no kernel of the user's own */
    struct anole_generator *generator;
    uint64_t config; /* that was found */
};

/* In the caller's storage; backend and lock file must outlive it.  A custom task comes from the
 * file that it was tuned from: ERR_INPUT if that does not say the same any more, or the config
 * means nothing to this version of the backend: here, no default takes its place. */
enum anole_status
anole_tuned_task_init(struct anole_tuned_task *tuned, const struct anole_lock_task *entry,
                      const struct anole_lockfile *lockfile, const struct anole_backend *backend,
                      const struct anole_device *device, struct anole_error *error)
    __attribute__((warn_unused_result));
/* A zeroed one is fine. */
void anole_tuned_task_fini(struct anole_tuned_task *tuned);

/* -- Networks -- */

/* Says whether a kernel that nobody has tried is right; if not, `why`.  An error ends it all. */
typedef enum anole_status anole_tuned_prover(void *context, const struct anole_generator *generator,
                                             uint64_t config, bool *right, char *why, size_t size,
                                             struct anole_error *error);

/* What chooses the configs of a program. */
struct anole_tuned_choice {
    struct anole_lockfile *lockfile;
    char *path;
    const struct anole_registry_entry *backend; /* of the registry; likewise the device */
    const struct anole_registry_device *device;
    const struct anole_lock_device *entry; /* that gave the last config; NULL: none did */
    size_t matched;                        /* tasks whose config came from the lock file */
    size_t missing;                        /* tasks that it does not hold */
    size_t near;                           /* tasks that it holds in another size, which will do */
    size_t outdated;        /* tasks whose config means nothing to this version of the backend */
    uint32_t missing_dtype; /* enum anole_dtype: of the last that is missing */
    /* To be set, once it is made, where tasks in a size that was not tuned are to run with a config
     * of the nearest that was; NULL: they have their defaults. */
    anole_tuned_prover *prove;
    void *prove_context;
};

/* In the caller's storage.  `path`: a lock file, or a folder of them.  The registry must outlive
 * it. Errors as of anole_lockfolder_load() and anole_lockfile_find(): the file must hold something
 * of this device. */
enum anole_status anole_tuned_init(struct anole_tuned_choice *tuned, const char *path,
                                   const struct anole_registry *registry,
                                   const struct anole_registry_device *device,
                                   struct anole_error *error) __attribute__((warn_unused_result));
/* The same of a lock file that was read already, which it takes over, also on failure; what
 * backend and device are is said by structs that must outlive it.  The file may hold nothing of
 * them. */
enum anole_status
anole_tuned_init_as(struct anole_tuned_choice *tuned, struct anole_lockfile *lockfile,
                    const char *path, const struct anole_registry_entry *backend,
                    const struct anole_registry_device *device, struct anole_error *error)
    __attribute__((warn_unused_result));
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
