/* SPDX-License-Identifier: MIT */
#include "program/near.h"

#include "op/task_kin.h"

#include <math.h>
#include <string.h>

/* Entries of this device that were made with this version of the kernels: only these say something
 * of a size for which nobody has looked. */
static bool is_current(const struct anole_tuned_choice *tuned,
                       const struct anole_lock_device *entry)
{
    return strcmp(entry->backend, tuned->backend->name) == 0 &&
           strcmp(entry->device, tuned->device->device.name) == 0 &&
           entry->generator == tuned->backend->generator_version;
}

static bool has_range(const struct anole_tuned_choice *tuned)
{
    const struct anole_lock_device *first = NULL;
    for (size_t i = 0; i < tuned->lockfile->device_count; i++) {
        const struct anole_lock_device *entry = &tuned->lockfile->devices[i];
        if (!is_current(tuned, entry))
            continue;
        if (first && !anole_lock_same_sizes(first, entry))
            return true;
        first = first ? first : entry;
    }
    return false;
}

/* Puts it where it belongs, if it does; a config stays with the nearest size that has it. */
static size_t insert(struct anole_near *near, size_t count, const struct anole_near *new)
{
    size_t at = 0;
    while (at < count && near[at].distance <= new->distance) {
        if (near[at].config == new->config)
            return count;
        at++;
    }
    if (at == ANOLE_NEAR_MOST)
        return count;
    size_t end = at;
    while (end < count && near[end].config != new->config)
        end++;
    if (end == count && count < ANOLE_NEAR_MOST)
        count++;
    if (end == ANOLE_NEAR_MOST)
        end--;
    memmove(&near[at + 1], &near[at], (end - at) * sizeof *near);
    near[at] = *new;
    return count;
}

size_t anole_tuned_near(struct anole_near near[ANOLE_NEAR_MOST],
                        const struct anole_tuned_choice *tuned,
                        const struct anole_generator *generator)
{
    const struct anole_task *wanted = anole_generator_task(generator);
    size_t count = 0;
    if (!has_range(tuned))
        return 0;
    for (size_t d = 0; d < tuned->lockfile->device_count; d++) {
        const struct anole_lock_device *entry = &tuned->lockfile->devices[d];
        if (!is_current(tuned, entry) || entry->dtype != wanted->dtype)
            continue;
        for (size_t i = 0; i < entry->task_count; i++) {
            struct anole_near new = {.task = &entry->tasks[i], .entry = entry};
            struct anole_task task;
            if (anole_task_parse_key(&task, entry->tasks[i].task, NULL) != ANOLE_DONE)
                continue;
            new.distance = anole_task_distance(wanted, &task);
            if (isfinite(new.distance) &&
                anole_lock_task_config(&new.config, new.task, anole_generator_space(generator),
                                       NULL) == ANOLE_DONE)
                count = insert(near, count, &new);
        }
    }
    return count;
}
