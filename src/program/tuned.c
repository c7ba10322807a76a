/* SPDX-License-Identifier: MIT */
#include "program/tuned.h"

#include "base/log.h"
#include "base/text.h"
#include "tune/locked.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_of_device(const struct anole_tuned_choice *tuned,
                         const struct anole_lock_device *entry)
{
    return strcmp(entry->backend, tuned->backend->name) == 0 &&
           strcmp(entry->device, tuned->device->device.name) == 0;
}

enum anole_status anole_tuned_init(struct anole_tuned_choice *tuned, const char *path,
                                   const struct anole_registry *registry,
                                   const struct anole_registry_device *device,
                                   struct anole_error *error)
{
    *tuned = (struct anole_tuned_choice){.backend = &registry->entries[device->backend],
                                         .device = device};
    const struct anole_lock_device *none;
    bool any = false;
    enum anole_status status = anole_lockfile_load(&tuned->lockfile, path, error);
    for (size_t i = 0; status == ANOLE_DONE && i < tuned->lockfile->device_count && !any; i++)
        any = is_of_device(tuned, &tuned->lockfile->devices[i]);
    if (status == ANOLE_DONE && !any) /* which says so */
        status = anole_lockfile_find(&none, tuned->lockfile, path, registry, device, 0, error);
    if (status == ANOLE_DONE && !(tuned->path = strdup(path)))
        status = anole_fail_memory(error);
    if (status)
        anole_tuned_fini(tuned);
    return status;
}

void anole_tuned_fini(struct anole_tuned_choice *tuned)
{
    anole_lockfile_destroy(tuned->lockfile);
    free(tuned->path);
    *tuned = (struct anole_tuned_choice){.matched = 0};
}

/* ------------------------------------------------------------------- choosing */

/* The more, the more of what a config was tuned with is as it was. */
static int likeness(const struct anole_tuned_choice *tuned, const struct anole_lock_device *entry)
{
    return 2 * (entry->generator == tuned->backend->generator_version) +
           (strcmp(entry->driver_version, tuned->device->device.driver_version) == 0);
}

const struct anole_lock_task *anole_tuned_lookup(const struct anole_tuned_choice *tuned,
                                                 const struct anole_lock_device **entry,
                                                 const char *key)
{
    const struct anole_lock_task *found = NULL;
    int best = -1;
    for (size_t i = 0; i < tuned->lockfile->device_count; i++) {
        const struct anole_lock_device *device = &tuned->lockfile->devices[i];
        const struct anole_lock_task *task =
            is_of_device(tuned, device) ? anole_lock_task_find(device, key) : NULL;
        if (!task || likeness(tuned, device) <= best)
            continue;
        best = likeness(tuned, device);
        found = task;
        if (entry)
            *entry = device;
    }
    return found;
}

enum anole_status anole_tuned_choose(void *context, const struct anole_generator *generator,
                                     uint64_t *config, bool *found, double *seconds,
                                     struct anole_error *error)
{
    struct anole_tuned_choice *tuned = context;
    struct anole_error why = {.status = ANOLE_DONE};
    char key[ANOLE_TASK_KEY];
    anole_task_key(key, anole_generator_task(generator));
    const struct anole_lock_task *task = anole_tuned_lookup(tuned, &tuned->entry, key);
    if (!task) {
        tuned->missing++;
        tuned->missing_dtype = anole_generator_task(generator)->dtype;
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

/* ------------------------------------------------------------------ reporting */

/* What is in the lock file, where nothing of it is of use. */
static void explain(struct anole_text *text, const struct anole_tuned_choice *tuned)
{
    const struct anole_lockfile *lockfile = tuned->lockfile;
    bool same = false;
    anole_text_printf(text, "it holds");
    for (size_t i = 0; i < lockfile->device_count; i++) {
        const struct anole_lock_device *entry = &lockfile->devices[i];
        if (!is_of_device(tuned, entry))
            continue;
        anole_text_printf(text, " %zu of %s,", entry->task_count,
                          anole_precision_text(entry->dtype));
        same |= entry->dtype == tuned->missing_dtype;
    }
    if (tuned->outdated)
        anole_text_printf(text,
                          " of which %zu are the network's, but not for this version of the "
                          "backend",
                          tuned->outdated);
    else if (same || tuned->missing == 0)
        anole_text_printf(text, " but of other shapes: it was tuned for '%s'", lockfile->network);
    else
        anole_text_printf(text, " and the network is of %s",
                          anole_precision_text(tuned->missing_dtype));
}

static const char *threads_text(char out[32], uint32_t threads)
{
    snprintf(out, 32, threads ? "%u threads" : "all threads", threads);
    return out;
}

void anole_tuned_report(const struct anole_tuned_choice *tuned, const struct anole_program *program,
                        uint32_t threads)
{
    const size_t tasks = tuned->matched + tuned->missing + tuned->outdated;
    const struct anole_lock_device *entry = tuned->entry;
    struct anole_text why = {.data = NULL};
    char path[300], safe[600], then[160], now[160];
    size_t steps = 0;
    for (size_t i = 0; i < program->step_count; i++)
        steps += program->steps[i].kind == ANOLE_STEP_TUNED;
    anole_text_printable(path, sizeof path, tuned->path);
    if (tuned->matched == 0) {
        explain(&why, tuned);
        anole_log_warning("%s: none of the network's %zu tasks is tuned: %s", path, tasks,
                          anole_text_printable(safe, sizeof safe, why.data ? why.data : ""));
        anole_text_fini(&why);
        return;
    }
    anole_log_info("%s: %zu of the network's %zu tasks are tuned, in %zu of %zu steps%s", path,
                   tuned->matched, tasks, steps, program->step_count,
                   tuned->matched < tasks ? "; the others run with defaults" : "");
    if (entry->generator != tuned->backend->generator_version)
        anole_log_warning("%s was tuned with generator %u of backend '%s', this is %u", path,
                          entry->generator, tuned->backend->name,
                          tuned->backend->generator_version);
    if (likeness(tuned, entry) % 2 == 0)
        anole_log_warning(
            "%s was tuned with driver version '%s', this is '%s'", path,
            anole_text_printable(then, sizeof then, entry->driver_version),
            anole_text_printable(now, sizeof now, tuned->device->device.driver_version));
    if (entry->threads != threads)
        anole_log_info("%s was tuned with %s; this runs with %s", path,
                       threads_text(then, entry->threads), threads_text(now, threads));
}
