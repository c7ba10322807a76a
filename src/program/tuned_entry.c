/* SPDX-License-Identifier: MIT */
#include "program/tuned_entry.h"

#include "base/log.h"
#include "base/text.h"
#include "op/task.h"

#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------------- threads */

static void say_threads(struct anole_text *text, uint32_t threads)
{
    if (threads == 0)
        anole_text_printf(text, "all threads");
    else
        anole_text_printf(text, "%u thread%s", threads, threads == 1 ? "" : "s");
}

enum anole_status anole_lockfile_threads(uint32_t *threads, const struct anole_lockfile *lockfile,
                                         const char *path, const char *selector, uint32_t dtype,
                                         uint32_t wanted, struct anole_error *error)
{
    const struct anole_lock_device *first = NULL;
    struct anole_text there = {.data = NULL};
    for (size_t i = 0; i < lockfile->device_count; i++) {
        const struct anole_lock_device *entry = &lockfile->devices[i];
        bool named = selector && strcmp(entry->id, selector) == 0;
        if (dtype && entry->dtype != dtype)
            continue;
        anole_text_printf(&there, "%s", there.length > 0 ? ", " : "");
        say_threads(&there, entry->threads);
        if (wanted != ANOLE_ANY_THREADS && entry->threads != wanted)
            continue;
        if (!first || (named && strcmp(first->id, selector) != 0))
            first = entry;
    }
    enum anole_status status = ANOLE_DONE;
    if (wanted != ANOLE_ANY_THREADS && !first)
        status = anole_fail(error, ANOLE_ERR_INPUT,
                            "%s holds nothing that was tuned with %u threads; it holds: %s", path,
                            wanted, there.data ? there.data : "nothing");
    else
        *threads = wanted != ANOLE_ANY_THREADS ? wanted : first ? first->threads : 0;
    anole_text_fini(&there);
    return status;
}

/* ------------------------------------------------------------------- devices */

/* The same driver, by which the backend makes launches in another way: it says so behind a comma.
 */
bool anole_driver_is_another_way(const char *a, const char *b)
{
    const size_t length = strlen(a), other = strlen(b);
    return length < other ? strncmp(a, b, length) == 0 && b[length] == ','
                          : strncmp(a, b, other) == 0 && a[other] == ',';
}

/* Warns of what is another one by now. */
static void report_changes(const struct anole_lock_device *locked, const char *path,
                           const struct anole_registry_entry *backend,
                           const struct anole_registry_device *device)
{
    const char *then = locked->driver_version, *now = device->device.driver_version;
    if (locked->generator != backend->generator_version)
        anole_log_warning("%s was tuned with generator %u of backend '%s', this is %u", path,
                          locked->generator, backend->name, backend->generator_version);
    if (anole_lock_same_text(then, now))
        return;
    if (anole_driver_is_another_way(then, now))
        anole_log_info("%s was tuned where launches are made in another way ('%s'; this is '%s')",
                       path, then, now);
    else
        anole_log_warning("%s was tuned with driver version '%s', this is '%s'", path, then, now);
}

static void list_devices(struct anole_text *text, const struct anole_lockfile *lockfile)
{
    for (size_t i = 0; i < lockfile->device_count; i++) {
        const struct anole_lock_device *entry = &lockfile->devices[i];
        anole_text_printf(text, "%s", i > 0 ? ", " : "");
        anole_text_append_printable(text, entry->device, strlen(entry->device));
        anole_text_printf(text, " of backend ");
        anole_text_append_printable(text, entry->backend, strlen(entry->backend));
        anole_text_printf(text, " in %s", anole_precision_text(entry->dtype));
        if (entry->threads > 0) {
            anole_text_printf(text, " with ");
            say_threads(text, entry->threads);
        }
    }
}

static bool is_of(const struct anole_lock_device *locked, const char *backend, const char *device,
                  const char *driver, uint32_t dtype)
{
    return anole_lock_same_text(locked->backend, backend) &&
           anole_lock_same_text(locked->device, device) &&
           anole_lock_same_text(locked->driver, driver) && (!dtype || locked->dtype == dtype);
}

/* What of a device's results is left aside, and how to get at it. */
static void report_others(const struct anole_lock_device *chosen, const char *path,
                          const struct anole_lock_device *other)
{
    if (other->dtype != chosen->dtype)
        anole_log_info("%s also holds what was found in %s: --precision %s", path,
                       anole_precision_text(other->dtype), anole_precision_text(other->dtype));
    else if (other->threads > 0 && other->threads != chosen->threads)
        anole_log_info("%s also holds what was found with %u threads: --threads %u", path,
                       other->threads, other->threads);
}

/* How well an entry fits: its size before its threads.  A size in another precision than that of
 * `chosen` does not count. */
static int fits(const struct anole_lock_device *locked, const struct anole_lock_device *chosen,
                uint32_t threads, const struct anole_lock_device *sizes)
{
    const bool sized =
        sizes && locked->dtype == chosen->dtype && anole_lock_same_sizes(locked, sizes);
    return 2 * sized + (locked->threads == threads);
}

enum anole_status anole_lockfile_find(const struct anole_lock_device **found,
                                      const struct anole_lockfile *lockfile, const char *path,
                                      const struct anole_registry *registry,
                                      const struct anole_registry_device *device, uint32_t dtype,
                                      uint32_t threads, const struct anole_lock_device *sizes,
                                      struct anole_error *error)
{
    const struct anole_lock_device *chosen = NULL;
    const struct anole_registry_entry *backend = &registry->entries[device->backend];
    const char *name = device->device.name, *driver = device->device.driver;
    for (size_t i = 0; i < lockfile->device_count; i++) {
        const struct anole_lock_device *locked = &lockfile->devices[i];
        if (is_of(locked, backend->name, name, driver, dtype) &&
            (!chosen ||
             fits(locked, chosen, threads, sizes) > fits(chosen, chosen, threads, sizes)))
            chosen = locked;
    }
    for (size_t i = 0; chosen && i < lockfile->device_count; i++)
        if (is_of(&lockfile->devices[i], backend->name, name, driver, dtype))
            report_others(chosen, path, &lockfile->devices[i]);
    if (chosen) {
        report_changes(chosen, path, backend, device);
        *found = chosen;
        return ANOLE_DONE;
    }
    struct anole_text others = {.data = NULL};
    list_devices(&others, lockfile);
    anole_fail(error, ANOLE_ERR_NO_DEVICE,
               "%s holds nothing%s%s for device %s ('%s', backend '%s'); tune it first (it holds: "
               "%s)",
               path, dtype ? " in " : "", dtype ? anole_precision_text(dtype) : "", device->id,
               device->device.name, backend->name, others.data ? others.data : "nothing");
    anole_text_fini(&others);
    return ANOLE_ERR_NO_DEVICE;
}

enum anole_status anole_lockfile_place(size_t *index, const struct anole_lockfile *lockfile,
                                       const char *path, const struct anole_entry_place *places,
                                       size_t count, uint32_t dtype, uint32_t threads,
                                       struct anole_error *error)
{
    struct anole_text here = {.data = NULL}, there = {.data = NULL};
    size_t found = 0, last = 0;
    for (size_t p = 0; p < count; p++) {
        const struct anole_entry_place *place = &places[p];
        bool held = false;
        for (size_t i = 0; i < lockfile->device_count && !held; i++)
            held =
                is_of(&lockfile->devices[i], place->backend, place->device, place->driver, dtype) &&
                (threads == ANOLE_ANY_THREADS || lockfile->devices[i].threads == threads);
        if (!held)
            continue;
        anole_text_printf(&here, "%s%s (", found++ > 0 ? ", " : "", place->id);
        anole_text_append_printable(&here, place->device, strlen(place->device));
        anole_text_printf(&here, ")");
        last = p;
    }
    list_devices(&there, lockfile);
    enum anole_status status = ANOLE_DONE;
    if (found == 1)
        *index = last;
    else if (found > 1)
        status = anole_fail(error, ANOLE_ERR_NO_DEVICE,
                            "%s holds results of %zu devices that are here: expected --device with "
                            "one of %s",
                            path, found, here.data ? here.data : "them");
    else
        status = anole_fail(error, ANOLE_ERR_NO_DEVICE,
                            "%s holds nothing for a device that is here; see `anole devices`; it "
                            "holds: %s",
                            path, there.data ? there.data : "nothing");
    anole_text_fini(&here);
    anole_text_fini(&there);
    return status;
}
