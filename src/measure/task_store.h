/* SPDX-License-Identifier: MIT
 *
 * The data and references of the tasks that were last measured, within a bound
 * of memory.
 */
#ifndef ANOLE_TASK_STORE_H
#define ANOLE_TASK_STORE_H

#include "worker/timeout.h"
#include "op/task.h"

#include <stdint.h>

#define ANOLE_TASK_STORE_ENTRIES 64

struct anole_stored_task {
    uint64_t number; /* of the task; 0: this place is free */
    uint64_t used;   /* when, for what goes first */
    struct anole_task task;
    char key[ANOLE_TASK_KEY];
    int file; /* see task_file.h; -1: none */
    size_t bytes;
    bool ready;                        /* the file is filled and sealed */
    struct anole_timeout builds, runs; /* how long they took so far */
};

struct anole_task_store {
    struct anole_stored_task entries[ANOLE_TASK_STORE_ENTRIES];
    uint64_t numbers, uses; /* given out so far */
    size_t bytes, limit;
};

void anole_task_store_init(struct anole_task_store *store, size_t limit);
void anole_task_store_fini(struct anole_task_store *store);

/* The entry of a task: an old one, or a new one, with an empty file if `data`.
 * Others may go for it; it stays at least until the next call. */
ANOLE_CHECKED enum anole_status anole_task_store_get(struct anole_stored_task **entry,
                                                     struct anole_task_store *store,
                                                     const struct anole_task *task, bool data,
                                                     struct anole_error *error);
/* Whether there is one, with all that it needs. */
bool anole_task_store_ready(const struct anole_task_store *store, const struct anole_task *task);
void anole_task_store_drop(struct anole_task_store *store, struct anole_stored_task *entry);

#endif
