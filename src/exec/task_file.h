/* SPDX-License-Identifier: MIT
 *
 * A task's data and reference in a file that lives in memory alone: computed
 * once, by a process that loads no plugin (unless only a run of a custom kernel can
 * tell: custom_reference.h), then sealed, and mapped by every worker that verifies or times the
 * task.  A kernel that writes where it should not cannot reach it, and a worker that
 * is replaced need not compute it again.
 */
#ifndef ANOLE_TASK_FILE_H
#define ANOLE_TASK_FILE_H

#include "op/reference.h"

/* Bytes of the file for a task. */
size_t anole_task_file_size(const struct anole_task *task);

/* An empty file of that size; *descriptor is the caller's to close. */
ANOLE_CHECKED enum anole_status anole_task_file_create(int *descriptor, size_t bytes,
                                                       struct anole_error *error);
/* Computes the data, and writes it. */
ANOLE_CHECKED enum anole_status anole_task_file_fill(int descriptor, const struct anole_task *task,
                                                     uint64_t seed, unsigned threads,
                                                     struct anole_error *error);
/* Of a kernel that comes with its task: makes what a run wrote the reference of
 * those outputs that have none.  computed[anole_custom.output_bytes]. */
ANOLE_CHECKED enum anole_status anole_task_file_answer(int descriptor,
                                                       const struct anole_task *task,
                                                       const void *computed,
                                                       struct anole_error *error);
/* From here on nobody can change it; no one may have it mapped for writing. */
ANOLE_CHECKED enum anole_status anole_task_file_seal(int descriptor, struct anole_error *error);

struct anole_task_file {
    void *map;
    size_t bytes;
    struct anole_task_data data; /* points into the map; read only */
};

/* Maps a sealed file; ERR_WORKER if it is not what the task needs.  The
 * descriptor may be closed after. */
ANOLE_CHECKED enum anole_status anole_task_file_map(struct anole_task_file *file, int descriptor,
                                                    const struct anole_task *task,
                                                    struct anole_error *error);
/* The same while the file is being filled, by who fills it. */
ANOLE_CHECKED enum anole_status anole_task_file_look(struct anole_task_file *file, int descriptor,
                                                     const struct anole_task *task,
                                                     struct anole_error *error);
void anole_task_file_unmap(struct anole_task_file *file);

#endif
