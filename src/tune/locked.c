/* SPDX-License-Identifier: MIT */
#include "tune/locked.h"

#include "base/log.h"
#include "base/text.h"
#include "kernel/t1_kernel.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------- devices */

enum anole_status anole_lockfile_find(const struct anole_lock_device **found,
                                      const struct anole_lockfile *lockfile, const char *path,
                                      const struct anole_registry *registry,
                                      const struct anole_registry_device *device, uint32_t dtype,
                                      struct anole_error *error)
{
    const struct anole_lock_device *first = NULL;
    const struct anole_registry_entry *backend = &registry->entries[device->backend];
    for (size_t i = 0; i < lockfile->device_count; i++) {
        const struct anole_lock_device *locked = &lockfile->devices[i];
        if (strcmp(locked->backend, backend->name) != 0 ||
            strcmp(locked->device, device->device.name) != 0 || (dtype && locked->dtype != dtype))
            continue;
        if (first) {
            if (locked->dtype != first->dtype)
                anole_log_info("%s also holds what was found in %s: --precision %s", path,
                               anole_precision_text(locked->dtype),
                               anole_precision_text(locked->dtype));
            continue;
        }
        if (locked->generator != backend->generator_version)
            anole_log_warning("%s was tuned with generator %u of backend '%s', this is %u", path,
                              locked->generator, backend->name, backend->generator_version);
        if (strcmp(locked->driver_version, device->device.driver_version) != 0)
            anole_log_warning("%s was tuned with driver version '%s', this is '%s'", path,
                              locked->driver_version, device->device.driver_version);
        first = locked;
    }
    if (first) {
        *found = first;
        return ANOLE_DONE;
    }
    return anole_fail(error, ANOLE_ERR_NO_DEVICE,
                      "%s holds nothing%s%s for device %s ('%s', backend '%s'); tune it first",
                      path, dtype ? " in " : "", dtype ? anole_precision_text(dtype) : "",
                      device->id, device->device.name, backend->name);
}

/* --------------------------------------------------------------------- tasks */

enum anole_status anole_lock_task_read(struct anole_task *task, struct anole_custom_kernel **custom,
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

enum anole_status anole_lockfile_set_path(struct anole_lockfile *lockfile, const char *path,
                                          struct anole_error *error)
{
    char *copy = strdup(path);
    if (!copy)
        return anole_fail_memory(error);
    free(lockfile->network_path);
    lockfile->network_path = copy;
    return ANOLE_DONE;
}

enum anole_status anole_lock_task_config(uint64_t *config, const struct anole_lock_task *entry,
                                         const struct anole_space *space, struct anole_error *error)
{
    const char *names[ANOLE_MAX_KNOBS];
    int64_t values[ANOLE_MAX_KNOBS];
    uint64_t found;
    enum anole_status status = ANOLE_DONE;
    if (entry->knob_count > ANOLE_MAX_KNOBS)
        status = anole_fail(error, ANOLE_ERR_INPUT, "expected at most %d knobs, found %zu",
                            ANOLE_MAX_KNOBS, entry->knob_count);
    for (size_t i = 0; status == ANOLE_DONE && i < entry->knob_count; i++) {
        names[i] = entry->knobs[i].name;
        values[i] = entry->knobs[i].value;
    }
    if (status == ANOLE_DONE)
        status = anole_space_lookup(space, &found, names, values, entry->knob_count, error);
    if (status == ANOLE_DONE && !anole_space_valid(space, found))
        status = anole_fail(error, ANOLE_ERR_INPUT, "violates a constraint: %s",
                            anole_space_violation(space, found));
    if (status == ANOLE_DONE)
        *config = found;
    else
        anole_error_prefix(error, "task '%s'", entry->task);
    return status;
}

/* ------------------------------------------------------------------- kernels */

enum anole_status
anole_locked_kernel_init(struct anole_locked_kernel *locked, const struct anole_lock_task *entry,
                         const struct anole_lockfile *lockfile, const struct anole_backend *backend,
                         const struct anole_device *device, struct anole_error *error)
{
    *locked = (struct anole_locked_kernel){.config = 0};
    enum anole_status status =
        anole_lock_task_read(&locked->task, &locked->custom, entry, lockfile, device, error);
    if (status == ANOLE_DONE)
        status = anole_generator_create(&locked->generator, backend, device, &locked->task, error);
    if (status == ANOLE_DONE)
        status = anole_lock_task_config(&locked->config, entry,
                                        anole_generator_space(locked->generator), error);
    if (status == ANOLE_DONE)
        status =
            anole_generator_kernel(&locked->generated, locked->generator, locked->config, error);
    return status;
}

void anole_locked_kernel_fini(struct anole_locked_kernel *locked)
{
    anole_generated_destroy(locked->generated);
    anole_generator_destroy(locked->generator);
    anole_custom_destroy(locked->custom);
}
