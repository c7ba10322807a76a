/* SPDX-License-Identifier: MIT
 *
 * The lock file: what tuning found, small enough to keep next to the network.
 * Per device, per task: the config, its time with interval, the default's time,
 * and the hash of the kernel's source.  Written whole, through a temporary file
 * and rename; entries for other devices are kept.
 *
 * It is JSON, a task a line, in the order of the members below; times have nine
 * significant digits, what is not known is null, source_hash is 16 hexadecimal
 * digits:
 *
 *   {"anole_lock": 1, "network": "...", "network_path": "...", "devices": [
 *     {"id": "cpu:0", "backend": "cpu", ..., "precision": "fp16", "tasks": [
 *       {"task": "...", "multiplicity": 2, "knobs": {"tile": 4, ...}, ...}]}]}
 *
 * A device has an entry for each precision; "precision" is left out where it is fp32.
 */
#ifndef ANOLE_LOCKFILE_H
#define ANOLE_LOCKFILE_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ANOLE_LOCKFILE_VERSION 1

struct anole_lock_knob {
    char *name;
    int64_t value;
};

struct anole_lock_task {
    char *task; /* anole_task_key() */
    uint32_t multiplicity;
    struct anole_lock_knob *knobs;
    size_t knob_count;
    double seconds, low, high;                 /* tuned: median and 95 % interval */
    double default_seconds;                    /* NaN: the default did not work */
    double speedup, speedup_low, speedup_high; /* default / tuned, interleaved; or NaN */
    bool tie;                                  /* the interval holds 1 */
    uint64_t source_hash;
    uint32_t trials; /* spent on it in all */
};

struct anole_lock_device {
    char *id; /* as --device takes it */
    char *backend, *backend_version, *device, *driver, *driver_version;
    uint32_t generator, threads;
    uint32_t dtype; /* enum anole_dtype: of all tasks */
    struct anole_lock_task *tasks;
    size_t task_count;
};

struct anole_lockfile {
    char *network;      /* its name */
    char *network_path; /* as given to `anole tune` */
    struct anole_lock_device *devices;
    size_t device_count;
};

/* ERR_INPUT, naming file and place, if it is no lock file or does not fit;
 * ERR_VERSION if another version has written it. */
enum anole_status anole_lockfile_load(struct anole_lockfile **lockfile, const char *path,
                                      struct anole_error *error);
/* Replaces the file as a whole, or leaves it alone.  ERR_INTERNAL if it could not
 * be loaded again.  Of texts, what is not fit to print is escaped. */
enum anole_status anole_lockfile_save(const struct anole_lockfile *lockfile, const char *path,
                                      struct anole_error *error);
void anole_lockfile_destroy(struct anole_lockfile *lockfile);
/* Frees what an entry points to, not the entry; a zeroed one is fine. */
void anole_lock_device_fini(struct anole_lock_device *device);

/* Deep copy of `device` into the lock file, in place of the entry that agrees in
 * backend, device, driver, threads and precision, or as a new one. */
enum anole_status anole_lockfile_put(struct anole_lockfile *lockfile,
                                     const struct anole_lock_device *device,
                                     struct anole_error *error);

/* Adds what the lock file holds of `task` for this device, tuned with the same generator, to
 * `device`, whose tasks must be its own.  *carried: whether there was such an entry.  Before
 * anole_lockfile_put(), for tasks that nothing new was found of. */
enum anole_status anole_lockfile_carry(struct anole_lock_device *device, bool *carried,
                                       const struct anole_lockfile *lockfile, const char *task,
                                       struct anole_error *error);

#endif
