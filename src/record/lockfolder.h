/* SPDX-License-Identifier: MIT
 *
 * Lock files of many machines, and what of them is like this one.  An entry says what it was tuned
 * on: where all of that is so here, it is exact; where something differs, it is *similar*: a config
 * to begin with, whose times are of elsewhere.
 */
#ifndef ANOLE_LOCKFOLDER_H
#define ANOLE_LOCKFOLDER_H

#include "record/history.h"
#include "record/lockfile.h"
#include "space/space.h"

#define ANOLE_LOCKFOLDER_ENDING ".lock.json"
#define ANOLE_LOCKFOLDER_FILES 4096 /* at most */

/* A file, or all files of a folder that end in .lock.json, as one lock file: their devices one
 * behind the other, files by name.  Symbolic links and what lies deeper are not followed; a file
 * that cannot be read is left out, with a warning.  The network is what all are of; else it has no
 * path.  ERR_INPUT if no file is left; the folder must not be saved as a file. */
enum anole_status anole_lockfolder_load(struct anole_lockfile **lockfile, const char *path,
                                        struct anole_error *error);

/* What is otherwise than here; 0: nothing. */
enum anole_lock_difference {
    ANOLE_DIFFERS_DEVICE = 1 << 0,
    ANOLE_DIFFERS_GENERATOR = 1 << 1,
    ANOLE_DIFFERS_DRIVER = 1 << 2,
    ANOLE_DIFFERS_DRIVER_VERSION = 1 << 3,
    ANOLE_DIFFERS_BACKEND_VERSION = 1 << 4,
    ANOLE_DIFFERS_THREADS = 1 << 5,
};
/* `here`: what a result of this machine would be keyed by; its threads 0 in a lock file: all. */
unsigned anole_lock_differences(const struct anole_lock_device *device,
                                const struct anole_history_key *here);
/* "another device (X), driver version 1"; "all as here" for 0.  Printable.  Returns out. */
const char *anole_lock_differences_text(char *out, size_t size,
                                        const struct anole_lock_device *device,
                                        unsigned differences);

/* An entry of a task. */
struct anole_lock_similar {
    size_t device, task; /* their places in the lock file */
    unsigned differences;
};
/* Entries of the task and backend of `here`, those first of which least is otherwise, in the order
 * of the list above, then the fastest; of a config that stands there several times, the first.
 * `simulated`: also of devices whose times nobody has measured.  similar[most]; returns how many
 * there are of them. */
size_t anole_lock_similar(struct anole_lock_similar *similar, size_t most,
                          const struct anole_lockfile *lockfile,
                          const struct anole_history_key *here, bool simulated);

/* The config that an entry names, in a space.  ERR_INPUT: there is no such one. */
enum anole_status anole_lock_task_config(uint64_t *config, const struct anole_lock_task *entry,
                                         const struct anole_space *space,
                                         struct anole_error *error);

#endif
