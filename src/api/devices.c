/* SPDX-License-Identifier: MIT
 *
 * The devices that there are, as anole.h shows them.
 */
#include "api/api.h"

#include "devices/selection.h"

#include <stdlib.h>
#include <unistd.h>

/* A core's: with more than these, drivers run into limits on threads, and crash. */
#define MOST_THREADS 16

static const char *type_text(uint32_t type)
{
    switch (type) {
    case ANOLE_DEVICE_CPU:
        return "CPU";
    case ANOLE_DEVICE_GPU:
        return "GPU";
    case ANOLE_DEVICE_ACCELERATOR:
        return "accelerator";
    default:
        return "device of unknown type";
    }
}

static void fill_properties(struct anole_listed_device *item, const struct anole_device *device)
{
    size_t count = 0;
    for (; count < device->property_count && count < ANOLE_MAX_PROPERTIES; count++)
        item->properties[count] = (struct anole_device_property){
            .name = device->properties[count].name, .value = device->properties[count].value};
    item->info.properties = item->properties;
    item->info.property_count = count;
}

static void fill_numbers(struct anole_device_info *info, const struct anole_device *device)
{
    info->compute_units = device->compute_units;
    info->cores = device->cores;
    info->numa_nodes = device->numa_nodes;
    info->clock_mhz = device->clock_mhz;
    info->simd_width = device->simd_width;
    info->registers = device->registers;
    info->max_work_group = (uint32_t)device->max_work_group;
    info->local_memory = device->local_memory;
    info->global_memory = device->global_memory;
    info->max_allocation = device->max_allocation;
    info->cache_l1 = device->cache_l1;
    info->cache_l2 = device->cache_l2;
    info->cache_l3 = device->cache_l3;
    info->shares_host = (device->flags & ANOLE_DEVICE_SHARES_HOST) != 0;
    info->simulated = (device->flags & ANOLE_DEVICE_SIMULATED) != 0;
}

/* False if memory is used up. */
static bool fill_device(struct anole_listed_device *item, const struct anole_devices *devices,
                        const struct anole_registry_device *entry)
{
    const struct anole_device *device = &entry->device;
    const struct anole_registry_entry *backend = &devices->registry->entries[entry->backend];
    item->devices = devices;
    item->entry = entry;
    item->name = anole_printable_copy(device->name);
    item->vendor = anole_printable_copy(device->vendor);
    item->driver = anole_printable_copy(device->driver);
    item->driver_version = anole_printable_copy(device->driver_version);
    item->info.id = entry->id;
    item->info.name = item->name;
    item->info.vendor = item->vendor;
    item->info.driver = item->driver;
    item->info.driver_version = item->driver_version;
    item->info.type = type_text(device->type);
    item->info.backend = backend->name;
    item->info.backend_version = backend->version;
    fill_numbers(&item->info, device);
    fill_properties(item, device);
    return item->name && item->vendor && item->driver && item->driver_version;
}

static bool fill_backend(struct anole_backend_info *info, const struct anole_registry_entry *entry)
{
    bool loaded = entry->refusal == ANOLE_REFUSAL_NONE;
    *info = (struct anole_backend_info){
        .path = anole_printable_copy(entry->path),
        .name = entry->name,
        .version = entry->version,
        .loaded = loaded,
        .problem = anole_printable_copy(loaded ? entry->probe_problem : entry->reason),
    };
    return info->path && info->problem;
}

static enum anole_status list(struct anole_devices *devices, struct anole_error *error)
{
    enum anole_status status = anole_registry_create(&devices->registry, devices->threads, error);
    if (status != ANOLE_DONE)
        return status;
    const struct anole_registry *registry = devices->registry;
    devices->items = calloc(registry->device_count + 1, sizeof *devices->items);
    devices->backends = calloc(registry->entry_count + 1, sizeof *devices->backends);
    bool filled = devices->items && devices->backends;
    for (size_t i = 0; filled && i < registry->device_count; i++)
        filled = fill_device(&devices->items[i], devices, &registry->devices[i]);
    for (size_t i = 0; filled && i < registry->entry_count; i++)
        filled = fill_backend(&devices->backends[i], &registry->entries[i]);
    return filled ? ANOLE_DONE : anole_fail_memory(error);
}

enum anole_status anole_devices_list(struct anole_devices **devices, struct anole_context *context,
                                     uint32_t threads, struct anole_error *error)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (cores > 0 && threads / MOST_THREADS > (unsigned long)cores)
        return anole_fail(
            error, ANOLE_ERR_USAGE,
            "%u threads: expected at most %ld, %d for each of this machine's %ld cores", threads,
            MOST_THREADS * cores, MOST_THREADS, cores);
    struct anole_devices *new = calloc(1, sizeof *new);
    if (!new)
        return anole_fail_memory(error);
    new->context = context;
    new->threads = threads;
    struct anole_scope scope;
    anole_scope_enter(&scope, context);
    enum anole_status status = list(new, error);
    anole_scope_leave(&scope);
    if (status != ANOLE_DONE) {
        anole_devices_destroy(new);
        return status;
    }
    *devices = new;
    return ANOLE_DONE;
}

void anole_devices_destroy(struct anole_devices *devices)
{
    if (!devices)
        return;
    for (size_t i = 0; devices->items && i < devices->registry->device_count; i++) {
        free(devices->items[i].name);
        free(devices->items[i].vendor);
        free(devices->items[i].driver);
        free(devices->items[i].driver_version);
    }
    for (size_t i = 0; devices->backends && i < devices->registry->entry_count; i++) {
        free((char *)devices->backends[i].path);
        free((char *)devices->backends[i].problem);
    }
    free(devices->items);
    free(devices->backends);
    anole_registry_destroy(devices->registry);
    free(devices);
}

size_t anole_devices_count(const struct anole_devices *devices)
{
    return devices->registry->device_count;
}

const struct anole_device_info *anole_devices_get(const struct anole_devices *devices, size_t index)
{
    return index < devices->registry->device_count ? &devices->items[index].info : NULL;
}

const struct anole_listed_device *anole_listed_device(const struct anole_device_info *info)
{
    /* `info` is its first member. */
    return (const struct anole_listed_device *)(const void *)info;
}

enum anole_status anole_devices_find(const struct anole_device_info **device,
                                     const struct anole_devices *devices, const char *selector,
                                     struct anole_error *error)
{
    const struct anole_registry_device *found;
    struct anole_scope scope;
    anole_scope_enter(&scope, devices->context);
    enum anole_status status = anole_registry_find(&found, devices->registry, selector, error);
    anole_scope_leave(&scope);
    if (status == ANOLE_DONE)
        *device = &devices->items[found - devices->registry->devices].info;
    return status;
}

size_t anole_devices_backend_count(const struct anole_devices *devices)
{
    return devices->registry->entry_count;
}

const struct anole_backend_info *anole_devices_backend(const struct anole_devices *devices,
                                                       size_t index)
{
    return index < devices->registry->entry_count ? &devices->backends[index] : NULL;
}
