/* SPDX-License-Identifier: MIT */
#include "cli/lock_device.h"

#include "devices/selection.h"

#include <stdlib.h>

uint32_t anole_lock_wish_threads(const struct anole_lock_wish *wish)
{
    return wish->threads > 0 ? (uint32_t)wish->threads : ANOLE_ANY_THREADS;
}

static enum anole_status find(const struct anole_registry_device **device,
                              const struct anole_registry *registry,
                              const struct anole_lockfile *lockfile, const char *path,
                              const struct anole_lock_wish *wish, struct anole_error *error)
{
    size_t index = 0;
    if (wish->device || registry->device_count < 2)
        return anole_registry_find(device, registry, wish->device, error);
    struct anole_entry_place *places = calloc(registry->device_count, sizeof *places);
    if (!places)
        return anole_fail_memory(error);
    for (size_t i = 0; i < registry->device_count; i++) {
        const struct anole_registry_device *here = &registry->devices[i];
        places[i] = (struct anole_entry_place){.id = here->id,
                                               .backend = registry->entries[here->backend].name,
                                               .device = here->device.name,
                                               .driver = here->device.driver};
    }
    enum anole_status status =
        anole_lockfile_place(&index, lockfile, path, places, registry->device_count,
                             wish->precision, anole_lock_wish_threads(wish), error);
    free(places);
    if (status == ANOLE_DONE)
        *device = &registry->devices[index];
    return status;
}

enum anole_status anole_lock_device_here(struct anole_registry **registry,
                                         const struct anole_registry_device **device,
                                         uint32_t *threads, const struct anole_lockfile *lockfile,
                                         const char *path, const struct anole_lock_wish *wish,
                                         struct anole_error *error)
{
    enum anole_status status =
        anole_lockfile_threads(threads, lockfile, path, wish->device, wish->precision,
                               anole_lock_wish_threads(wish), error);
    if (status == ANOLE_DONE)
        status = anole_registry_create(registry, *threads, error);
    if (status == ANOLE_DONE)
        status = find(device, *registry, lockfile, path, wish, error);
    return status;
}
