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
 *   {"anole_lock": 2, "network": "...", "network_path": "...", "devices": [
 *     {"id": "cpu:0", "backend": "cpu", ..., "precision": "fp16", "metric": "seconds", "tasks": [
 *       {"task": "...", "multiplicity": 2, "knobs": {"tile": 4, ...}, "seconds": 1e-3, ...}]}]}
 *
 * A task that was timed with cold caches has a member "timing": "cold"; one whose timing other
 * work on the machine got in the way of, "crowding": 0.34, the share of the time that it had the
 * cores, and "disturbed": true if there were no samples without.
 *
 * A device has an entry for each precision; "precision" is left out where it is fp32.  And one for
 * each metric (ANOLE_METRIC_MAP), whose name the members "seconds" and "default_seconds" bear.
 *
 * Where the network was run as a whole, its device has "in_place": {"seconds": 1e-2, "low": ...,
 * "steps": 24, "steps_tuned": 21, "kernels": "16 hexadecimal digits", ...}.  It holds for the
 * kernels of the tasks as they were: where these have changed since, by whichever version,
 * "kernels" fits them no more, and it is passed over.  "batch" and "shapes" are the sizes that the
 * network was tuned for, where its file leaves them open.
 *
 * A task's "in_place" is what one of its layers took in the running network, in seconds, if it was
 * timed there against others; "alone_seconds" and "alone_in_place" are of the config that was
 * better when it was timed alone, where the network was slower with it.  "in_place_disturbed":
 * true says that other work was in the way there, so that what was best alone stayed; "disturbed"
 * of the device's "in_place", that all of its rounds count, since too few were not disturbed.
 *
 * "adopted_from" of a task says what was otherwise where its config was found: `anole verify
 * --adopt` has measured it here, and checked it.
 *
 * A device has an entry for each size, too: that is what "batch" and "shapes" say.  Sizes that were
 * tuned together have "most_kernels": 3 if no layer was to have more than three configs over all of
 * them.  A task's "slowdown", with "slowdown_low" and "slowdown_high", then says how many times as
 * long it takes as with what is best for its size alone.
 *
 * Other versions: members that are not known here are kept and written back, and so are, at the
 * end of their list, devices of an unknown precision or metric and tasks whose key means nothing
 * here; they are left out, with one warning.  What stands with a task's old kernel goes with it
 * when another takes its place.  Only a higher "anole_lock" means another format, which is
 * refused.  Files of version 1, of the first release, have no metric: it is "seconds".
 */
#ifndef ANOLE_LOCKFILE_H
#define ANOLE_LOCKFILE_H

#include "base/status.h"
#include "space/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ANOLE_LOCKFILE_VERSION 2

struct json_t; /* Jansson's: only the lock file's own code looks at it */

struct anole_lock_knob {
    char *name;
    int64_t value;
    char *label; /* of the value, where the knob's values are names in disguise; or NULL */
};

struct anole_lock_task {
    char *task; /* anole_task_key() */
    uint32_t multiplicity;
    struct anole_lock_knob *knobs;
    size_t knob_count;
    double value, low, high;                   /* tuned: median and 95 % interval, in the unit
                                                  of the device's metric */
    double default_value;                      /* NaN: the default did not work */
    double speedup, speedup_low, speedup_high; /* how many times better, interleaved; or NaN */
    bool tie;                                  /* the interval holds 1 */
    uint64_t source_hash;
    uint32_t trials; /* spent on it in all */
    /* Left out of the file where they are 0, as in files of versions that did not know them. */
    enum anole_warmth warmth; /* how it was timed, */
    enum anole_timer timer;   /* and by whose clock */
    double crowding;          /* share of the time that other work had the cores meanwhile */
    bool disturbed;           /* and samples that count were disturbed by it */
    /* What one layer takes in the running network, in seconds; 0: it was not timed there.  Where
     * another config was best alone, and lost there: what that took alone, and there, or 0. */
    double in_place, alone_value, alone_in_place;
    bool in_place_disturbed; /* it was timed there, but other work was in the way: so it is what was
                                best alone */
    char *adopted_from;      /* what was otherwise where it was tuned, if it came from elsewhere and
                                was measured and checked here; or NULL */
    /* How many times as long it takes as with the config that is best for its size alone, where few
     * configs were to do for several sizes; 0: they were not. */
    double slowdown, slowdown_low, slowdown_high;
    struct json_t *extra; /* members that are not known here; or NULL */
};

/* How long the whole network takes, its steps one behind the other, with these kernels and, in
 * turn with that, with default ones: medians of wall time and their 95 % intervals, in seconds. */
struct anole_lock_in_place {
    uint32_t rounds; /* 0: it was not run, and the rest means nothing */
    double seconds, low, high;
    double default_seconds, default_low, default_high; /* or NaN */
    double speedup, speedup_low, speedup_high;         /* default over tuned, in turn; or NaN */
    uint32_t steps, steps_tuned;
    bool disturbed;       /* by other work: there were too few rounds without */
    struct json_t *extra; /* as of a task */
};

struct anole_lock_device {
    char *id; /* as --device takes it */
    char *backend, *backend_version, *device, *driver, *driver_version;
    uint32_t generator, threads;
    uint32_t dtype;           /* enum anole_dtype: of all tasks */
    enum anole_metric metric; /* of all tasks */
    uint32_t batch;           /* that was given for the network; 0: none was */
    char **shapes;            /* likewise, as --shape takes them: [shape_count] */
    size_t shape_count;
    uint32_t most_kernels; /* that a layer may have over all sizes it was tuned for; 0: any */
    bool simulated;        /* nothing was run: outputs are not checked, times are not measured */
    struct anole_lock_in_place in_place;
    struct anole_lock_task *tasks;
    size_t task_count;
    struct json_t *extra;  /* as of a task */
    struct json_t *unread; /* tasks that only a newer Anole understands; or NULL */
};

struct anole_lockfile {
    char *network;      /* its name */
    char *network_path; /* as given to `anole tune` */
    struct anole_lock_device *devices;
    size_t device_count;
    struct json_t *extra, *unread; /* likewise; devices */
    char *folder;                  /* that it was loaded from, without links; NULL: it was not */
};

/* ERR_INPUT, naming file and place, if it is no lock file or does not fit;
 * ERR_VERSION if it is of a newer format. */
enum anole_status anole_lockfile_load(struct anole_lockfile **lockfile, const char *path,
                                      struct anole_error *error);
/* The same from memory; `file` is for messages. */
enum anole_status anole_lockfile_parse(struct anole_lockfile **lockfile, const char *text,
                                       size_t length, const char *file, struct anole_error *error);
/* Loads the file if there is one; else makes an empty lock file of this network.  A file that is of
 * another network, or of another file of that name that is still there, is refused: ERR_INPUT.  The
 * lock file has `network_path` from then on. */
enum anole_status anole_lockfile_open(struct anole_lockfile **lockfile, const char *path,
                                      const char *network, const char *network_path,
                                      struct anole_error *error);
/* Replaces the file as a whole, or leaves it alone.  ERR_INTERNAL if it could not
 * be loaded again.  Of texts, what is not fit to print is escaped. */
enum anole_status anole_lockfile_save(const struct anole_lockfile *lockfile, const char *path,
                                      struct anole_error *error);
/* The same where a symbolic link has been put in the file's place: that is refused. */
enum anole_status anole_lockfile_save_here(const struct anole_lockfile *lockfile, const char *path,
                                           struct anole_error *error);
/* The file's text, printed as it would be saved: *text, the caller's to free. */
enum anole_status anole_lockfile_print(char **text, size_t *length,
                                       const struct anole_lockfile *lockfile,
                                       struct anole_error *error);
void anole_lockfile_destroy(struct anole_lockfile *lockfile);
/* Frees what an entry points to, not the entry; a zeroed one is fine. */
void anole_lock_device_fini(struct anole_lock_device *device);

/* Whether two texts of devices are the same, as a lock file has them. */
bool anole_lock_same_text(const char *a, const char *b);
/* True if both are of the same backend, device, driver, threads, precision and metric. */
bool anole_lock_same_device(const struct anole_lock_device *a, const struct anole_lock_device *b);
/* True if both are of the same batch and shapes: no batch is a batch of 1. */
bool anole_lock_same_sizes(const struct anole_lock_device *a, const struct anole_lock_device *b);
/* True if one entry takes the place of the other: the same device, in the same sizes. */
bool anole_lock_same_entry(const struct anole_lock_device *a, const struct anole_lock_device *b);
/* "batch 4, images=4x3x320x320": the sizes of an entry, printable; "" if none were given.  Returns
 * out. */
const char *anole_lock_sizes_text(char *out, size_t size, const struct anole_lock_device *device);
/* True if both name the same config, and the same source was made of it. */
bool anole_lock_same_kernel(const struct anole_lock_task *a, const struct anole_lock_task *b);
/* The entry of a task, by its key; or NULL. */
const struct anole_lock_task *anole_lock_task_find(const struct anole_lock_device *device,
                                                   const char *task);

/* What the tasks of a device come to in sum, each as often as it occurs. */
double anole_lock_device_sum(const struct anole_lock_device *device);

/* The entry that would be replaced by `device`; or NULL. */
struct anole_lock_device *anole_lockfile_same(const struct anole_lockfile *lockfile,
                                              const struct anole_lock_device *device);

/* Deep copy of `device` into the lock file, in place of the entry that is of the same device, or as
 * a new one.  What the old entry holds that is not known here stays: of the device, and of tasks
 * that keep their kernel. */
enum anole_status anole_lockfile_put(struct anole_lockfile *lockfile,
                                     const struct anole_lock_device *device,
                                     struct anole_error *error);

/* Makes one entry of those of a device in several sizes, with the tasks of all of them; for those
 * who compare, as it can no longer be saved.  What the network takes as a whole is of one size, and
 * goes. */
ANOLE_CHECKED enum anole_status anole_lockfile_join_sizes(struct anole_lockfile *lockfile,
                                                          struct anole_error *error);

/* Adds what the lock file holds of `task` for this device, tuned with the same generator, to
 * `device`, whose tasks must be its own.  *carried: whether there was such an entry.  Before
 * anole_lockfile_put(), for tasks that nothing new was found of. */
enum anole_status anole_lockfile_carry(struct anole_lock_device *device, bool *carried,
                                       const struct anole_lockfile *lockfile, const char *task,
                                       struct anole_error *error);

#endif
