/* SPDX-License-Identifier: MIT */
#include "device.h"
#include "queues.h"
#include "threads.h"
#include "../opencl_device.h"
#include "../opencl_error.h"
#include "../opencl_session.h"

#include "declarations.cl.h"

#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_DEVICES 64

/* ------------------------------------------------------------- environment */

/* A folder in which the workers of one run share what PoCL compiled: a build in
 * one process saves the others theirs. */
static void share_pocl_cache(const struct anole_host *host)
{
    char path[PATH_MAX];
    if (!opencl_has_scratch(host))
        return;
    int n = snprintf(path, sizeof path, "%s/pocl", host->scratch);
    if (n < 0 || (size_t)n >= sizeof path)
        return;
    mkdir(path, 0700); /* if this fails, PoCL will do without */
    setenv("POCL_CACHE_DIR", path, 0);
}

/* PoCL reads all of this when it is loaded.  What the user has set stays. */
static void prepare_environment(const struct anole_host *host)
{
    char threads[16];
    if (host->threads) {
        snprintf(threads, sizeof threads, "%u", host->threads);
        setenv("POCL_MAX_PTHREAD_COUNT", threads, 0);
        setenv("POCL_CPU_MAX_CU_COUNT", threads, 0); /* its name since PoCL 5 */
    }
    /* A pool of one thread only adds a wake-up to every launch: run in the
     * calling thread instead. */
    if (host->threads == 1)
        setenv("POCL_DEVICES", "basic", 0);
    cpu_queues_request_device(host);
    share_pocl_cache(host);
}

/* ----------------------------------------------------------------- devices */

/* PoCL is told above how many threads it may have; what others make of a wish is their affair:
 * their threads get no more cores than that. */
static int keep_threads(const struct anole_host *host, struct anole_message *message)
{
    if (!host->threads || !*opencl_driver_library() || strstr(opencl_driver_library(), "pocl") ||
        cpu_keep_to_cores(host->threads))
        return ANOLE_OK;
    return opencl_say(message, ANOLE_UNSUPPORTED,
                      "The driver '%s' cannot be kept to %u threads here: leave out the number of "
                      "threads.",
                      opencl_driver_library(), host->threads);
}

/* `alone`: the one without threads, NULL if there is none; not among the others. */
static int find_devices(const struct anole_host *host, const char *driver, cl_device_id *ids,
                        uint32_t *count, cl_device_id *alone, struct anole_message *message)
{
    int code;
    if (opencl_is_guest(host)) {
        code = opencl_find_devices_of(driver, CL_DEVICE_TYPE_CPU, ids, count, message);
    } else {
        prepare_environment(host);
        cpu_note_threads();
        code = opencl_select_driver(driver, message);
        if (!code)
            code = keep_threads(host, message);
        if (!code)
            code = opencl_find_devices(CL_DEVICE_TYPE_CPU, ids, count, message);
    }
    if (!code)
        cpu_queues_take_device(alone, ids, count);
    return code;
}

/* What hwloc knows and OpenCL does not ask. */
static void add_topology(struct anole_device *device, const struct anole_topology *topology)
{
    device->cores = topology->cores;
    device->numa_nodes = topology->numa_nodes;
    device->cache_l1 = topology->cache_l1d;
    device->cache_l2 = topology->cache_l2;
    device->cache_l3 = topology->cache_l3;
    device->registers = topology->simd_registers;
    if (topology->cache_line)
        device->cache_line = topology->cache_line;
    if (topology->cpu_name[0])
        snprintf(device->name, sizeof device->name, "%s", topology->cpu_name);
}

static void add_property(struct anole_device *device, const char *name, double value)
{
    if (device->property_count == ANOLE_MAX_PROPERTIES)
        return;
    struct anole_property *property = &device->properties[device->property_count++];
    snprintf(property->name, sizeof property->name, "%s", name);
    property->value = value;
}

/* Times by the pool and by queues of our own do not compare: the driver's version, which
 * tells histories apart, says which it is.  What is made by the pool reads as ever. */
static void add_queues(struct anole_device *device, cl_device_id id, cl_device_id alone)
{
    struct cpu_queues queues;
    cpu_queues_choose(&queues, id, alone);
    size_t used = strlen(device->driver_version);
    if (queues.options.count)
        snprintf(device->driver_version + used, sizeof device->driver_version - used, "%s",
                 ", own queues");
    add_property(device, "own_queues", queues.options.count);
}

static void describe(const struct anole_host *host, cl_device_id id, cl_device_id alone,
                     uint32_t index, struct anole_device *device)
{
    opencl_describe(id, index, device);
    device->flags |= ANOLE_DEVICE_SHARES_HOST;
    if (host->topology)
        add_topology(device, host->topology);

    /* The driver knows best what its compiler will use. */
    device->simd_width = (uint32_t)opencl_device_number(id, CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT, 0);
    if (!device->simd_width && host->topology)
        device->simd_width = host->topology->simd_bits / 32;
    if (!device->registers)
        device->registers = device->simd_width >= 16 ? 32 : 16;

    /* Of a pool; a single thread is the calling one. */
    bool pool = host->threads != 1 && cpu_pins_threads();
    add_property(device, "pinned_threads", pool ? device->compute_units : 0);
    add_queues(device, id, alone);
}

int cpu_probe(const struct anole_host *host, const char *driver, struct anole_device *devices,
              uint32_t *count, struct anole_message *message)
{
    cl_device_id ids[MAX_DEVICES], alone = NULL;
    uint32_t found = MAX_DEVICES;
    int code = find_devices(host, driver, ids, &found, &alone, message);
    if (code)
        return code;
    for (uint32_t i = 0; i < found && i < MAX_DEVICES && i < *count; i++)
        describe(host, ids[i], alone, i, &devices[i]);
    *count = found;
    return ANOLE_OK;
}

/* PoCL's header is Clang's, which declares some 15,000 functions: reading it is a third of a small
 * kernel's build. */
static const char *declarations_for(cl_device_id id)
{
    cl_platform_id platform = NULL;
    char name[64] = "";
    clGetDeviceInfo(id, CL_DEVICE_PLATFORM, sizeof platform, &platform, NULL);
    if (!platform || clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof name, name, NULL))
        return NULL;
    return strcmp(name, "Portable Computing Language") == 0 ? kernel_declarations : NULL;
}

/* Some of the cores of a device: its threads are the process's, and were there before. */
static int take_part(cl_device_id *part, cl_device_id whole, uint32_t threads,
                     struct anole_message *message)
{
    const cl_device_partition_property wanted[] = {CL_DEVICE_PARTITION_BY_COUNTS,
                                                   (cl_device_partition_property)threads,
                                                   CL_DEVICE_PARTITION_BY_COUNTS_LIST_END, 0};
    cl_uint count = 0;
    cl_int error = clCreateSubDevices(whole, wanted, 1, part, &count);
    return error ? opencl_fail(message, ANOLE_UNSUPPORTED, error, "clCreateSubDevices") : ANOLE_OK;
}

/* In a process that is not ours: with the devices that its environment gives, and with as many
 * of their threads as are asked for, none of which is bound to a core. */
static int open_as_guest(const struct anole_host *host, cl_device_id id, cl_device_id alone,
                         struct anole_session **session, struct anole_message *message)
{
    struct cpu_queues queues;
    cl_device_id part = NULL;
    const uint64_t all = opencl_device_number(id, CL_DEVICE_MAX_COMPUTE_UNITS, 1);
    int code = host->threads && host->threads < all ? take_part(&part, id, host->threads, message)
                                                    : ANOLE_OK;
    if (code)
        return code;
    cpu_queues_choose_as_guest(&queues, part ? part : id, alone);
    queues.options.quiet = true;
    queues.options.declarations = declarations_for(id);
    code = opencl_open_queues(part ? part : id, &queues.options, session, message);
    for (uint32_t i = 0; code && queues.options.parts && i < queues.options.count; i++)
        clReleaseDevice(queues.parts[i]);
    if (part && code)
        clReleaseDevice(part);
    else if (part)
        opencl_session_own_device(*session);
    return code;
}

int cpu_open(const struct anole_host *host, const char *driver, uint32_t index,
             struct anole_session **session, struct anole_message *message)
{
    cl_device_id ids[MAX_DEVICES], alone = NULL;
    uint32_t found = MAX_DEVICES;
    int code = find_devices(host, driver, ids, &found, &alone, message);
    if (code)
        return code;
    if (index >= found || index >= MAX_DEVICES)
        return opencl_say(message, ANOLE_NO_DEVICE,
                          "The driver '%s' has %u CPU devices, none of number %u.", driver, found,
                          index);
    struct cpu_queues queues;
    if (opencl_is_guest(host))
        return open_as_guest(host, ids[index], alone, session, message);
    cpu_queues_choose(&queues, ids[index], alone);
    queues.options.declarations = declarations_for(ids[index]);
    return opencl_open_queues(ids[index], &queues.options, session, message);
}

int cpu_report_launches(const struct anole_host *host, const char *driver, uint32_t index,
                        struct anole_diagnosis *diagnosis, struct anole_message *message)
{
    cl_device_id ids[MAX_DEVICES], alone = NULL;
    uint32_t found = MAX_DEVICES;
    char text[400];
    int code = find_devices(host, driver, ids, &found, &alone, message);
    if (code || index >= found || index >= MAX_DEVICES)
        return code;
    struct cpu_queues queues;
    cpu_queues_choose(&queues, ids[index], alone);
    if (!queues.options.count) {
        snprintf(text, sizeof text, "made by the driver's own threads: %s", queues.why);
        return diagnosis->report(diagnosis, "launches", ANOLE_VERDICT_SKIPPED, text, NULL);
    }
    snprintf(text, sizeof text, "made by %u queues of our own, a thread each%s: %s",
             queues.options.count, queues.options.spins ? " that waits by spinning" : "",
             queues.why);
    return diagnosis->report(
        diagnosis, "launches", queues.options.spins ? ANOLE_VERDICT_FINE : ANOLE_VERDICT_NOTE, text,
        queues.options.spins ? NULL
                             : "unset ANOLE_CPU_QUEUES: there are more threads "
                               "than cores");
}
