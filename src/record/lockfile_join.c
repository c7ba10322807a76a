/* SPDX-License-Identifier: MIT */
#include "record/lockfile.h"

#include <stdio.h>
#include <stdlib.h>

/* Moves what `from` has of tasks that `to` does not have. */
static enum anole_status move_tasks(struct anole_lock_device *to, struct anole_lock_device *from,
                                    struct anole_error *error)
{
    const size_t most = to->task_count + from->task_count;
    struct anole_lock_task *larger = realloc(to->tasks, (most + 1) * sizeof *larger);
    size_t left = 0;
    if (!larger)
        return anole_fail_memory(error);
    to->tasks = larger;
    for (size_t i = 0; i < from->task_count; i++)
        if (anole_lock_task_find(to, from->tasks[i].task))
            from->tasks[left++] = from->tasks[i];
        else
            to->tasks[to->task_count++] = from->tasks[i];
    from->task_count = left;
    return ANOLE_DONE;
}

/* The entry is of no size any more: what stands for its shapes says of how many it was. */
static enum anole_status forget_size(struct anole_lock_device *device, size_t sizes,
                                     struct anole_error *error)
{
    char *text = NULL, **shapes = calloc(1, sizeof *shapes);
    if (!shapes || asprintf(&text, "%zu sizes", sizes) < 0) {
        free(shapes);
        return anole_fail_memory(error);
    }
    for (size_t i = 0; i < device->shape_count; i++)
        free(device->shapes[i]);
    free(device->shapes);
    shapes[0] = text;
    device->shapes = shapes;
    device->shape_count = 1;
    device->batch = 0;
    device->in_place.rounds = 0;
    return ANOLE_DONE;
}

/* Several files as one may hold a size of a device more than once: that is another machine's. */
static bool is_another_size(const struct anole_lock_device *device,
                            const struct anole_lock_device *joined, size_t count,
                            const struct anole_lock_device *other)
{
    bool another = anole_lock_same_device(device, other) && !anole_lock_same_sizes(device, other);
    for (size_t i = 0; i < count && another; i++)
        another = !anole_lock_same_sizes(&joined[i], other);
    return another;
}

/* Moves the other sizes of the entry `place` into it; `joined` has room for all entries. */
static enum anole_status join_entry(struct anole_lockfile *lockfile, size_t place,
                                    struct anole_lock_device *joined, struct anole_error *error)
{
    struct anole_lock_device *device = &lockfile->devices[place];
    enum anole_status status = ANOLE_DONE;
    size_t count = 0, kept = place + 1;
    for (size_t j = place + 1; j < lockfile->device_count; j++) {
        struct anole_lock_device *other = &lockfile->devices[j];
        if (is_another_size(device, joined, count, other))
            joined[count++] = *other;
        else
            lockfile->devices[kept++] = *other;
    }
    lockfile->device_count = kept;
    for (size_t i = 0; i < count; i++) {
        if (status == ANOLE_DONE)
            status = move_tasks(device, &joined[i], error);
        anole_lock_device_fini(&joined[i]);
    }
    return status == ANOLE_DONE && count > 0 ? forget_size(device, count + 1, error) : status;
}

enum anole_status anole_lockfile_join_sizes(struct anole_lockfile *lockfile,
                                            struct anole_error *error)
{
    struct anole_lock_device *joined = calloc(lockfile->device_count + 1, sizeof *joined);
    enum anole_status status = joined ? ANOLE_DONE : anole_fail_memory(error);
    for (size_t i = 0; i < lockfile->device_count && status == ANOLE_DONE; i++)
        status = join_entry(lockfile, i, joined, error);
    free(joined);
    return status;
}
