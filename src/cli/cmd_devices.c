/* SPDX-License-Identifier: MIT */
#include "base/log.h"
#include "base/text.h"
#include "cli/command.h"

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

static void print_text(const char *name, const char *value)
{
    if (value[0])
        printf("    %-16s %s\n", name, anole_command_shown(value));
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

static void print_device(const struct anole_device_info *device)
{
    printf("%s  %s\n", anole_command_shown(device->id), anole_command_shown(device->name));
    print_text("type", device->type);
    print_text("vendor", device->vendor);
    print_text("driver", device->driver);
    print_text("driver version", device->driver_version);
    printf("    %-16s %s %s\n", "backend", anole_command_shown(device->backend),
           anole_command_shown(device->backend_version));
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
    for (size_t i = 0; i < device->property_count; i++)
        printf("    %-16.32s %g\n", device->properties[i].name, device->properties[i].value);
}

/* What could not be used and why, on stderr: it is no data. */
static void report_problems(const struct anole_devices *devices)
{
    for (size_t i = 0; i < anole_devices_backend_count(devices); i++) {
        const struct anole_backend_info *backend = anole_devices_backend(devices, i);
        if (!backend->loaded)
            anole_log_warning("%s", backend->problem);
        else if (backend->problem[0])
            anole_log_warning("backend '%s': %s", backend->name, backend->problem);
    }
}

/* ------------------------------------------------------------------- JSON */

static json_t *device_json(const struct anole_device_info *d)
{
    json_t *properties = json_object();
    for (size_t i = 0; i < d->property_count; i++)
        json_object_set_new(properties, d->properties[i].name,
                            anole_json_real(d->properties[i].value));
    return json_pack(
        "{s:s, s:s, s:s, s:s?, s:s?, s:s?, s:s?, s:s?, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I,"
        " s:I, s:I, s:I, s:I, s:b, s:b, s:o}",
        "id", d->id, "backend", d->backend, "backend_version", d->backend_version, "name", d->name,
        "vendor", d->vendor, "driver", d->driver, "driver_version", d->driver_version, "type",
        d->type, "compute_units", (json_int_t)d->compute_units, "cores", (json_int_t)d->cores,
        "numa_nodes", (json_int_t)d->numa_nodes, "clock_mhz", (json_int_t)d->clock_mhz,
        "simd_width", (json_int_t)d->simd_width, "registers", (json_int_t)d->registers,
        "max_work_group", (json_int_t)d->max_work_group, "local_memory",
        (json_int_t)d->local_memory, "memory", (json_int_t)d->global_memory, "max_allocation",
        (json_int_t)d->max_allocation, "cache_l1", (json_int_t)d->cache_l1, "cache_l2",
        (json_int_t)d->cache_l2, "cache_l3", (json_int_t)d->cache_l3, "shares_host",
        (int)d->shares_host, "simulated", (int)d->simulated, "properties", properties);
}

static json_t *backend_json(const struct anole_backend_info *b)
{
    return json_pack("{s:s, s:s, s:s, s:b, s:s, s:s}", "path", b->path, "name", b->name, "version",
                     b->version, "loaded", (int)b->loaded, "refusal", b->loaded ? "" : b->problem,
                     "problem", b->loaded ? b->problem : "");
}

static json_t *list_json(const struct anole_devices *list)
{
    json_t *devices = json_array(), *backends = json_array();
    for (size_t i = 0; i < anole_devices_count(list); i++)
        json_array_append_new(devices, device_json(anole_devices_get(list, i)));
    for (size_t i = 0; i < anole_devices_backend_count(list); i++)
        json_array_append_new(backends, backend_json(anole_devices_backend(list, i)));
    return json_pack("{s:o, s:o}", "backends", backends, "devices", devices);
}

/* -------------------------------------------------------------------- run */

static enum anole_status show(const struct anole_devices *devices, bool json,
                              struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    size_t count = anole_devices_count(devices);
    report_problems(devices);
    if (json)
        status = anole_command_print_json(list_json(devices), error);
    for (size_t i = 0; !json && i < count; i++)
        print_device(anole_devices_get(devices, i));
    if (status == ANOLE_DONE && count == 0)
        status = anole_fail(error, ANOLE_ERR_NO_DEVICE,
                            "no device found: %zu plugins looked at; an OpenCL driver for the CPU "
                            "comes with the package pocl-opencl-icd",
                            anole_devices_backend_count(devices));
    return status;
}

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
    struct anole_context *context = NULL;
    struct anole_devices *devices = NULL;
    status = anole_command_context(&context, error);
    if (status == ANOLE_DONE)
        status = anole_devices_list(&devices, context, 0, error);
    if (status == ANOLE_DONE)
        status = show(devices, arguments.json, error);
    anole_devices_destroy(devices);
    anole_context_destroy(context);
    return status;
}

const struct anole_command anole_cmd_devices = {
    .name = "devices",
    .arguments = "",
    .summary = "List backends and their devices, each with its description",
    .options = options,
    .run = run,
};
