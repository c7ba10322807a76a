/* SPDX-License-Identifier: MIT */
#include "program/tuned.h"

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "kernel/t1_kernel.h"
#include "program/near.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --------------------------------------------------------------------- files */

enum anole_status anole_lockfile_set_path(struct anole_lockfile *lockfile, const char *path,
                                          struct anole_error *error)
{
    char *copy = strdup(path);
    if (!copy)
        return anole_fail_memory(error);
    free(lockfile->network_path);
    free(lockfile->folder); /* wherever it is: the user has named it */
    lockfile->network_path = copy;
    lockfile->folder = NULL;
    return ANOLE_DONE;
}

/* --------------------------------------------------------------------- tasks */

/* A kernel for a CPU is a program.  A lock file that somebody sent does not choose which of this
 * machine's files is run: that lies beside it, or the user names it. */
static enum anole_status check_place(const struct anole_lockfile *lockfile,
                                     struct anole_error *error)
{
    char file[256], folder[256];
    anole_text_printable(file, sizeof file, lockfile->network_path);
    if (lockfile->folder && access(lockfile->network_path, F_OK) == 0 &&
        !anole_file_is_below(lockfile->network_path, lockfile->folder))
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "%s: the lock file names this kernel, which lies outside its folder, %s; "
                          "if it shall be built and run, say so: --kernel %s",
                          file, anole_text_printable(folder, sizeof folder, lockfile->folder),
                          file);
    anole_log_info("the kernel is that of %s", file);
    return ANOLE_DONE;
}

/* The task of an entry.  If it is a custom one, *custom (else NULL) is the caller's. */
static enum anole_status read_task(struct anole_task *task, struct anole_custom_kernel **custom,
                                   const struct anole_lock_task *entry,
                                   const struct anole_lockfile *lockfile,
                                   const struct anole_device *device, struct anole_error *error)
{
    char key[ANOLE_TASK_KEY], file[256], shown[160];
    struct anole_custom_kernel *read = NULL;
    struct anole_task parsed;
    enum anole_status status = anole_task_parse_key(&parsed, entry->task, error);
    if (status != ANOLE_DONE)
        return status;
    if (parsed.kind == ANOLE_TASK_CUSTOM) {
        status = check_place(lockfile, error);
        if (status != ANOLE_DONE)
            return status;
        status = anole_t1_kernel_load(&read, lockfile->network_path,
                                      !(device->flags & ANOLE_DEVICE_SIMULATED), error);
        if (status != ANOLE_DONE) {
            anole_error_prefix(error, "the kernel that was tuned (see --kernel)");
            return status;
        }
        anole_custom_task(&parsed, read);
        anole_task_key(key, &parsed);
        if (strcmp(key, entry->task) != 0) {
            anole_custom_destroy(read);
            return anole_fail(error, ANOLE_ERR_INPUT,
                              "%s: it describes another kernel than '%s', which was tuned: the "
                              "description, its source or its data have changed; tune again, or "
                              "give the right file with --kernel",
                              anole_text_printable(file, sizeof file, lockfile->network_path),
                              anole_text_printable(shown, sizeof shown, entry->task));
        }
    }
    *task = parsed;
    *custom = read;
    return ANOLE_DONE;
}

enum anole_status
anole_tuned_task_init(struct anole_tuned_task *tuned, const struct anole_lock_task *entry,
                      const struct anole_lockfile *lockfile, const struct anole_backend *backend,
                      const struct anole_device *device, struct anole_error *error)
{
    *tuned = (struct anole_tuned_task){.config = 0};
    enum anole_status status =
        read_task(&tuned->task, &tuned->custom, entry, lockfile, device, error);
    if (status == ANOLE_DONE)
        status = anole_generator_create_unwalked(&tuned->generator, backend, device, &tuned->task,
                                                 error);
    if (status == ANOLE_DONE)
        status = anole_lock_task_config(&tuned->config, entry,
                                        anole_generator_space(tuned->generator), error);
    if (status)
        anole_tuned_task_fini(tuned);
    return status;
}

void anole_tuned_task_fini(struct anole_tuned_task *tuned)
{
    anole_generator_destroy(tuned->generator);
    anole_custom_destroy(tuned->custom);
    *tuned = (struct anole_tuned_task){.config = 0};
}

/* ------------------------------------------------------------------- networks */

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
    enum anole_status status = anole_lockfolder_load(&tuned->lockfile, path, error);
    for (size_t i = 0; status == ANOLE_DONE && i < tuned->lockfile->device_count && !any; i++)
        any = is_of_device(tuned, &tuned->lockfile->devices[i]);
    if (status == ANOLE_DONE && !any) /* which says so */
        status = anole_lockfile_find(&none, tuned->lockfile, path, registry, device, 0,
                                     ANOLE_ANY_THREADS, NULL, error);
    if (status == ANOLE_DONE && !(tuned->path = strdup(path)))
        status = anole_fail_memory(error);
    if (status)
        anole_tuned_fini(tuned);
    return status;
}

enum anole_status anole_tuned_init_as(struct anole_tuned_choice *tuned,
                                      struct anole_lockfile *lockfile, const char *path,
                                      const struct anole_registry_entry *backend,
                                      const struct anole_registry_device *device,
                                      struct anole_error *error)
{
    *tuned = (struct anole_tuned_choice){
        .lockfile = lockfile, .path = strdup(path), .backend = backend, .device = device};
    if (tuned->path)
        return ANOLE_DONE;
    anole_tuned_fini(tuned);
    return anole_fail_memory(error);
}

void anole_tuned_fini(struct anole_tuned_choice *tuned)
{
    anole_lockfile_destroy(tuned->lockfile);
    free(tuned->path);
    *tuned = (struct anole_tuned_choice){.matched = 0};
}

/* -- Choosing -- */

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

/* A config of another size, if it is right in this one. */
static enum anole_status choose_near(struct anole_tuned_choice *tuned,
                                     const struct anole_generator *generator, uint64_t *config,
                                     bool *found, struct anole_error *error)
{
    struct anole_near near[ANOLE_NEAR_MOST];
    const size_t count = tuned->prove ? anole_tuned_near(near, tuned, generator) : 0;
    char label[64], why[256] = "";
    anole_task_label(label, sizeof label, anole_generator_task(generator));
    for (size_t i = 0; i < count; i++) {
        bool right;
        enum anole_status status = tuned->prove(tuned->prove_context, generator, near[i].config,
                                                &right, why, sizeof why, error);
        if (status)
            return status;
        if (!right)
            continue;
        tuned->near++;
        tuned->entry = near[i].entry;
        *config = near[i].config;
        *found = true;
        return ANOLE_DONE;
    }
    if (count > 0)
        anole_log_warning(
            "%s: what was tuned for the nearest sizes cannot be used: %s; its default "
            "is used",
            label, why);
    tuned->missing++;
    tuned->missing_dtype = anole_generator_task(generator)->dtype;
    return ANOLE_DONE;
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
    if (!task)
        return choose_near(tuned, generator, config, found, error);
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

/* -- Reporting -- */

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
    if (threads == 0)
        return "all threads";
    snprintf(out, 32, "%u thread%s", threads, threads == 1 ? "" : "s");
    return out;
}

static void report_driver(const struct anole_tuned_choice *tuned, const char *path)
{
    const char *version = tuned->device->device.driver_version;
    char then[160], now[160];
    anole_text_printable(then, sizeof then, tuned->entry->driver_version);
    anole_text_printable(now, sizeof now, version);
    if (anole_driver_is_another_way(tuned->entry->driver_version, version))
        anole_log_info("%s was tuned where launches are made in another way ('%s'; this is '%s'): "
                       "its kernels apply, the times in it are not of this way",
                       path, then, now);
    else
        anole_log_warning("%s was tuned with driver version '%s', this is '%s'", path, then, now);
}

void anole_tuned_report(const struct anole_tuned_choice *tuned, const struct anole_program *program,
                        uint32_t threads)
{
    const size_t tasks = tuned->matched + tuned->near + tuned->missing + tuned->outdated;
    const struct anole_lock_device *entry = tuned->entry;
    struct anole_text why = {.data = NULL};
    char path[300], safe[600], then[160], now[160];
    size_t steps = 0;
    for (size_t i = 0; i < program->step_count; i++)
        steps += program->steps[i].kind == ANOLE_STEP_TUNED;
    anole_text_printable(path, sizeof path, tuned->path);
    if (tuned->matched + tuned->near == 0) {
        explain(&why, tuned);
        anole_log_warning("%s: none of the network's %zu tasks is tuned: %s", path, tasks,
                          anole_text_printable(safe, sizeof safe, why.data ? why.data : ""));
        anole_text_fini(&why);
        return;
    }
    anole_log_info("%s: %zu of the network's %zu tasks are tuned, in %zu of %zu steps%s", path,
                   tuned->matched + tuned->near, tasks, steps, program->step_count,
                   tuned->matched + tuned->near < tasks ? "; the others run with defaults" : "");
    if (tuned->near > 0)
        anole_log_info("%s: %zu of these were tuned in other sizes alone: they run with kernels of "
                       "the nearest, proved right in this one",
                       path, tuned->near);
    if (entry->generator != tuned->backend->generator_version)
        anole_log_warning("%s was tuned with generator %u of backend '%s', this is %u", path,
                          entry->generator, tuned->backend->name,
                          tuned->backend->generator_version);
    if (likeness(tuned, entry) % 2 == 0)
        report_driver(tuned, path);
    if (entry->threads != threads)
        anole_log_info("%s was tuned with %s; this runs with %s", path,
                       threads_text(then, entry->threads), threads_text(now, threads));
}
