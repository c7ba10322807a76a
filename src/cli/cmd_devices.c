/* SPDX-License-Identifier: MIT */
#include "base/log.h"
#include "base/text.h"
#include "cli/command.h"
#include "devices/registry.h"

#include <stdio.h>

struct arguments {
    bool json;
};

static const struct anole_option options[] = {
    {"json", NULL, "print JSON to stdout instead of words"},
    {0},
};

static enum anole_status take(void *context, size_t index, const char *value,
                              struct anole_error *error)
{
    (void)index;
    (void)value;
    (void)error;
    ((struct arguments *)context)->json = true;
    return ANOLE_DONE;
}

/* ------------------------------------------------------------------ words */

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

static void print_text(const char *name, const char *value)
{
    char safe[256];
    if (value[0])
        printf("    %-16s %s\n", name, anole_text_printable(safe, sizeof safe, value));
}

static void print_number(const char *name, uint64_t value, const char *unit)
{
    if (value > 0)
        printf("    %-16s %llu%s%s\n", name, (unsigned long long)value, *unit ? " " : "", unit);
}

static void print_size(const char *name, uint64_t bytes)
{
    char text[32];
    if (bytes > 0)
        printf("    %-16s %s\n", name, anole_text_bytes(text, sizeof text, bytes));
}

static void print_device(const struct anole_registry *registry,
                         const struct anole_registry_device *entry)
{
    const struct anole_device *device = &entry->device;
    char safe[256], version[160];
    printf("%s  %s\n", entry->id, anole_text_printable(safe, sizeof safe, device->name));
    print_text("type", type_text(device->type));
    print_text("vendor", device->vendor);
    print_text("driver", device->driver);
    print_text("driver version", device->driver_version);
    const struct anole_registry_entry *backend = &registry->entries[entry->backend];
    snprintf(version, sizeof version, "%s %s", backend->name, backend->version);
    print_text("backend", version);
    print_number("compute units", device->compute_units, "");
    print_number("cores", device->cores, "");
    print_number("NUMA nodes", device->numa_nodes, "");
    print_number("clock", device->clock_mhz, "MHz");
    print_number("SIMD width", device->simd_width, "floats");
    print_number("registers", device->registers, "");
    print_number("work-group", device->max_work_group, "work-items at most");
    print_size("local memory", device->local_memory);
    print_size("memory", device->global_memory);
    print_size("allocation", device->max_allocation);
    print_size("L1 cache", device->cache_l1);
    print_size("L2 cache", device->cache_l2);
    print_size("L3 cache", device->cache_l3);
    for (uint32_t i = 0; i < device->property_count && i < ANOLE_MAX_PROPERTIES; i++)
        printf("    %-16.32s %g\n", device->properties[i].name, device->properties[i].value);
}

/* What could not be used and why, on stderr: it is no data. */
static void report_problems(const struct anole_registry *registry)
{
    char safe[1100];
    for (size_t i = 0; i < registry->entry_count; i++) {
        const struct anole_registry_entry *entry = &registry->entries[i];
        if (entry->refusal != ANOLE_REFUSAL_NONE)
            anole_log_warning("%s", anole_text_printable(safe, sizeof safe, entry->reason));
        else if (entry->probe_problem[0])
            anole_log_warning("backend '%s': %s", entry->name,
                              anole_text_printable(safe, sizeof safe, entry->probe_problem));
    }
}

/* ------------------------------------------------------------------- JSON */

static json_t *device_json(const struct anole_registry *registry,
                           const struct anole_registry_device *entry)
{
    const struct anole_device *d = &entry->device;
    json_t *properties = json_object();
    for (uint32_t i = 0; i < d->property_count && i < ANOLE_MAX_PROPERTIES; i++)
        json_object_set_new(properties, d->properties[i].name,
                            anole_json_real(d->properties[i].value));
    return json_pack(
        "{s:s, s:s, s:s, s:s?, s:s?, s:s?, s:s?, s:s?, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I,"
        " s:I, s:I, s:I, s:I, s:b, s:b, s:o}",
        "id", entry->id, "backend", registry->entries[entry->backend].name, "backend_version",
        registry->entries[entry->backend].version, "name", d->name, "vendor", d->vendor, "driver",
        d->driver, "driver_version", d->driver_version, "type", type_text(d->type), "compute_units",
        (json_int_t)d->compute_units, "cores", (json_int_t)d->cores, "numa_nodes",
        (json_int_t)d->numa_nodes, "clock_mhz", (json_int_t)d->clock_mhz, "simd_width",
        (json_int_t)d->simd_width, "registers", (json_int_t)d->registers, "max_work_group",
        (json_int_t)d->max_work_group, "local_memory", (json_int_t)d->local_memory, "memory",
        (json_int_t)d->global_memory, "max_allocation", (json_int_t)d->max_allocation, "cache_l1",
        (json_int_t)d->cache_l1, "cache_l2", (json_int_t)d->cache_l2, "cache_l3",
        (json_int_t)d->cache_l3, "shares_host", !!(d->flags & ANOLE_DEVICE_SHARES_HOST),
        "simulated", !!(d->flags & ANOLE_DEVICE_SIMULATED), "properties", properties);
}

static json_t *backend_json(const struct anole_registry_entry *entry)
{
    return json_pack("{s:s, s:s, s:s, s:b, s:s, s:s}", "path", entry->path, "name", entry->name,
                     "version", entry->version, "loaded", entry->refusal == ANOLE_REFUSAL_NONE,
                     "refusal", entry->reason, "problem", entry->probe_problem);
}

static json_t *registry_json(const struct anole_registry *registry)
{
    json_t *devices = json_array(), *backends = json_array();
    for (size_t i = 0; i < registry->device_count; i++)
        json_array_append_new(devices, device_json(registry, &registry->devices[i]));
    for (size_t i = 0; i < registry->entry_count; i++)
        json_array_append_new(backends, backend_json(&registry->entries[i]));
    return json_pack("{s:o, s:o}", "backends", backends, "devices", devices);
}

/* -------------------------------------------------------------------- run */

static enum anole_status run(int argc, char **argv, struct anole_error *error)
{
    struct arguments arguments = {0};
    char **positional;
    size_t count;
    bool help;
    enum anole_status status = anole_options_parse(&anole_cmd_devices, argc, argv, take, &arguments,
                                                   &positional, &count, &help, error);
    if (status != ANOLE_DONE || help)
        return status;
    struct anole_registry *registry = NULL;
    status = anole_registry_create(&registry, 0, error);
    if (status != ANOLE_DONE)
        return status;
    report_problems(registry);
    if (arguments.json) {
        status = anole_command_print_json(registry_json(registry), error);
    } else {
        for (size_t i = 0; i < registry->device_count; i++)
            print_device(registry, &registry->devices[i]);
    }
    if (status == ANOLE_DONE && registry->device_count == 0)
        status = anole_fail(error, ANOLE_ERR_NO_DEVICE,
                            "no device found: %zu plugins looked at; an OpenCL driver for the CPU "
                            "comes with the package pocl-opencl-icd",
                            registry->entry_count);
    anole_registry_destroy(registry);
    return status;
}

const struct anole_command anole_cmd_devices = {
    .name = "devices",
    .arguments = "",
    .summary = "List backends and their devices, each with its description",
    .options = options,
    .run = run,
};
