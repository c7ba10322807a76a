/* SPDX-License-Identifier: MIT */
#include "program/tuned.h"

#include "base/log.h"
#include "tune/locked.h"

#include <math.h>

enum anole_status anole_tuned_init(struct anole_tuned_choice *tuned, const char *path,
                                   const struct anole_registry *registry,
                                   const struct anole_registry_device *device,
                                   struct anole_error *error)
{
    *tuned = (struct anole_tuned_choice){.matched = 0};
    enum anole_status status = anole_lockfile_load(&tuned->lockfile, path, error);
    if (status == ANOLE_DONE)
        status =
            anole_lockfile_find(&tuned->entry, tuned->lockfile, path, registry, device, 0, error);
    if (status)
        anole_tuned_fini(tuned);
    return status;
}

void anole_tuned_fini(struct anole_tuned_choice *tuned)
{
    anole_lockfile_destroy(tuned->lockfile);
    *tuned = (struct anole_tuned_choice){.matched = 0};
}

enum anole_status anole_tuned_choose(void *context, const struct anole_generator *generator,
                                     uint64_t *config, bool *found, double *seconds,
                                     struct anole_error *error)
{
    struct anole_tuned_choice *tuned = context;
    struct anole_error why = {.status = ANOLE_DONE};
    char key[ANOLE_TASK_KEY];
    anole_task_key(key, anole_generator_task(generator));
    const struct anole_lock_task *task = anole_lock_task_find(tuned->entry, key);
    if (!task) {
        tuned->missing++;
        return ANOLE_DONE;
    }
    enum anole_status status =
        anole_lock_task_config(config, task, anole_generator_space(generator), &why);
    if (status == ANOLE_ERR_MEMORY)
        return anole_fail_memory(error);
    if (status) {
        anole_log_warning("%s; its default is used", why.text);
        tuned->outdated++;
        return ANOLE_DONE;
    }
    tuned->matched++;
    *found = true;
    *seconds = tuned->entry->metric == ANOLE_METRIC_SECONDS ? task->value : NAN;
    return ANOLE_DONE;
}
