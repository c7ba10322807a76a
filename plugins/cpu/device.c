/* SPDX-License-Identifier: MIT */
#include "device.h"
#include "lanes.h"

#include <dirent.h>
#include <limits.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_DEVICES 64

/* ------------------------------------------------------------- environment */

/* A folder in which the workers of one run share what PoCL compiled: a build in
 * one process saves the others theirs. */
static void share_pocl_cache(const struct anole_host *host)
{
    char path[PATH_MAX];
    if (host->size < offsetof(struct anole_host, scratch) + sizeof host->scratch || !host->scratch)
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
    cpu_lanes_ask(host);
    share_pocl_cache(host);
}

/* ----------------------------------------------------------------- threads */

#ifdef __linux__

#define MAX_FOREIGN 256

/* The threads that there were before a driver was loaded.  Like its pool, this
 * belongs to the process. */
static struct {
    pid_t ids[MAX_FOREIGN];
    size_t count;
    bool noted;
} foreign;

/* Calls `visit` for each thread of this process but the calling one. */
static void each_thread(bool (*visit)(void *context, pid_t id), void *context)
{
    DIR *threads = opendir("/proc/self/task");
    if (!threads)
        return;
    bool more = true;
    for (struct dirent *entry = readdir(threads); entry && more; entry = readdir(threads)) {
        pid_t id = (pid_t)atol(entry->d_name);
        if (id > 0 && id != gettid())
            more = visit(context, id);
    }
    closedir(threads);
}

static bool note_foreign(void *context, pid_t id)
{
    (void)context;
    foreign.ids[foreign.count++] = id;
    return foreign.count < MAX_FOREIGN;
}

static void note_threads(void)
{
    if (!foreign.noted)
        each_thread(note_foreign, NULL);
    foreign.noted = true;
}

static bool is_foreign(pid_t id)
{
    for (size_t i = 0; i < foreign.count; i++)
        if (foreign.ids[i] == id)
            return true;
    return false;
}

struct pinning {
    cpu_set_t allowed;
    int core; /* the last that was given away */
};

/* The next core of `allowed` behind `core`, round and round; -1: there is none. */
static int next_core(const cpu_set_t *allowed, int core)
{
    for (int i = 0; i < CPU_SETSIZE; i++) {
        core = (core + 1) % CPU_SETSIZE;
        if (CPU_ISSET(core, allowed))
            return core;
    }
    return -1;
}

static bool pin(void *context, pid_t id)
{
    struct pinning *pinning = context;
    cpu_set_t one;
    if (is_foreign(id))
        return true;
    pinning->core = next_core(&pinning->allowed, pinning->core);
    if (pinning->core < 0)
        return false;
    CPU_ZERO(&one);
    CPU_SET(pinning->core, &one);
    sched_setaffinity(id, sizeof one, &one); /* it may have ended: no matter */
    return true;
}

void cpu_pin_threads(void)
{
    struct pinning pinning = {.core = -1};
    if (cpu_pins_threads() && !sched_getaffinity(0, sizeof pinning.allowed, &pinning.allowed))
        each_thread(pin, &pinning);
}

bool cpu_pins_threads(void)
{
    return !getenv("POCL_AFFINITY");
}

#else

static void note_threads(void)
{
}

void cpu_pin_threads(void)
{
}

bool cpu_pins_threads(void)
{
    return false;
}

#endif

/* ----------------------------------------------------------------- devices */

/* `alone`: the one without threads, NULL if there is none; not among the others. */
static int find_devices(const struct anole_host *host, const char *driver, cl_device_id *ids,
                        uint32_t *count, cl_device_id *alone, struct anole_message *message)
{
    prepare_environment(host);
    note_threads();
    int code = opencl_select_driver(driver, message);
    if (!code)
        code = opencl_find_devices(CL_DEVICE_TYPE_CPU, ids, count, message);
    if (!code)
        cpu_lanes_take(alone, ids, count);
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
static void add_lanes(struct anole_device *device, cl_device_id id, cl_device_id alone)
{
    struct cpu_lanes lanes;
    cpu_lanes_choose(&lanes, id, alone);
    size_t used = strlen(device->driver_version);
    if (lanes.terms.count)
        snprintf(device->driver_version + used, sizeof device->driver_version - used, "%s",
                 ", own queues");
    add_property(device, "own_queues", lanes.terms.count);
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
    add_lanes(device, id, alone);
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
    struct cpu_lanes lanes;
    cpu_lanes_choose(&lanes, ids[index], alone);
    return opencl_open_lanes(ids[index], &lanes.terms, session, message);
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
    struct cpu_lanes lanes;
    cpu_lanes_choose(&lanes, ids[index], alone);
    if (!lanes.terms.count) {
        snprintf(text, sizeof text, "made by the driver's own threads: %s", lanes.why);
        return diagnosis->report(diagnosis, "launches", ANOLE_VERDICT_SKIPPED, text, NULL);
    }
    snprintf(text, sizeof text, "made by %u queues of our own, a thread each%s: %s",
             lanes.terms.count, lanes.terms.spins ? " that waits by spinning" : "", lanes.why);
    return diagnosis->report(diagnosis, "launches",
                             lanes.terms.spins ? ANOLE_VERDICT_FINE : ANOLE_VERDICT_NOTE, text,
                             lanes.terms.spins ? NULL
                                               : "unset ANOLE_CPU_QUEUES: there are more threads "
                                                 "than cores");
}
