/* SPDX-License-Identifier: MIT */
#include "queues.h"
#include "threads.h"
#include "../opencl_device.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "own", "pool", or, as without it, what seems best: "auto".  In a process that is not ours also
 * "parts". */
#define SETTING "ANOLE_CPU_QUEUES"

/* Beyond this nobody has measured whether threads that spin are worth it. */
#define MOST_UNASKED 64

/* The pool and the device without threads, by all names that they have had; PoCL passes
 * over those that it does not know.  A child of this process finds it set, and takes it
 * for what it is. */
static const char both[] = "cpu pthread tbb cpu-tbb cpu-minimal basic";

/* ---------------------------------------------------------------------- cores */

#ifdef __linux__

/* The lowest of the hardware threads that share a core with this one. */
static int first_sibling(int cpu)
{
    char path[128];
    int first = cpu;
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
    FILE *file = fopen(path, "re");
    if (!file)
        return cpu;
    if (fscanf(file, "%d", &first) != 1)
        first = cpu;
    fclose(file);
    return first;
}

/* Where this process may run, as it was when a driver was first asked for: while it has
 * work, the thread that asks is bound to a core. */
static struct {
    cpu_set_t cores;
    bool noted;
} allowed_at_first;

static void note_cores(void)
{
    if (!allowed_at_first.noted)
        allowed_at_first.noted =
            sched_getaffinity(0, sizeof allowed_at_first.cores, &allowed_at_first.cores) == 0;
}

/* Up to `count` of the hardware threads that this process may use, one of each core before
 * a second of any; returns how many there are. */
static uint32_t find_cores(int *cores, uint32_t count)
{
    const cpu_set_t allowed = allowed_at_first.cores;
    uint32_t found = 0;
    for (int second = 0; second <= 1; second++)
        for (int cpu = 0; cpu < CPU_SETSIZE && found < count; cpu++) {
            int first = CPU_ISSET(cpu, &allowed) ? first_sibling(cpu) : -1;
            bool is_second =
                first != cpu && first >= 0 && first < CPU_SETSIZE && CPU_ISSET(first, &allowed);
            if (first >= 0 && is_second == second)
                cores[found++] = cpu;
        }
    return found;
}

#else

static void note_cores(void)
{
}

static uint32_t find_cores(int *cores, uint32_t count)
{
    (void)cores;
    (void)count;
    return 0; /* not known */
}

#endif

/* -------------------------------------------------------------------- devices */

static bool setting_is(const char *word)
{
    const char *setting = getenv(SETTING);
    return setting && strcmp(setting, word) == 0;
}

void cpu_queues_request_device(const struct anole_host *host)
{
    if (!setting_is("pool") && host->threads != 1)
        setenv("POCL_DEVICES", both, 0);
    note_cores();
}

static bool was_asked(void)
{
    const char *devices = getenv("POCL_DEVICES");
    return devices && strcmp(devices, both) == 0;
}

static bool has_no_threads(cl_device_id id)
{
    char name[256] = "";
    clGetDeviceInfo(id, CL_DEVICE_NAME, sizeof name - 1, name, NULL);
    return strncmp(name, "basic", 5) == 0 || strncmp(name, "cpu-minimal", 11) == 0;
}

void cpu_queues_take_device(cl_device_id *device, cl_device_id *ids, uint32_t *count)
{
    uint32_t kept = 0;
    *device = NULL;
    if (!was_asked() || *count < 2)
        return;
    for (uint32_t i = 0; i < *count; i++) {
        if (!*device && has_no_threads(ids[i]))
            *device = ids[i];
        else
            ids[kept++] = ids[i];
    }
    *count = kept;
}

/* ------------------------------------------------------------- queues or pool */

static void use_pool(struct cpu_queues *queues, const char *why)
{
    queues->options.count = 0;
    snprintf(queues->why, sizeof queues->why, "%s", why);
}

void cpu_queues_choose(struct cpu_queues *queues, cl_device_id id, cl_device_id device)
{
    const uint32_t count = (uint32_t)opencl_device_number(id, CL_DEVICE_MAX_COMPUTE_UNITS, 1);
    *queues = (struct cpu_queues){.forced = setting_is("own") || setting_is("pool")};
    if (setting_is("pool"))
        return use_pool(queues, SETTING " says so");
    if (count < 2)
        return use_pool(queues, "there is one thread");
    if (!device)
        return use_pool(queues,
                        was_asked() ? "it has no device without threads" : "POCL_DEVICES is set");
    if (count > CPU_MAX_QUEUES || (count > MOST_UNASKED && !queues->forced))
        return use_pool(queues, "there are very many threads");
    uint32_t cores = find_cores(queues->cores, count);
    if (cores < count && !queues->forced)
        return use_pool(queues, "there are more threads than cores, or cores are not known");
    queues->options =
        (struct opencl_queues_options){.device = device, .count = count, .spins = cores >= count};
    if (cores >= count && cpu_pins_threads())
        queues->options.cores = queues->cores;
    snprintf(queues->why, sizeof queues->why, "%s",
             queues->forced ? SETTING " says so"
                            : "threads of the driver sleep between two launches");
}

/* A sub-device of one thread for each queue. */
static void use_parts(struct cpu_queues *queues, cl_device_id id, uint32_t count)
{
    const cl_device_partition_property equally[] = {CL_DEVICE_PARTITION_EQUALLY, 1, 0};
    cl_uint made = 0;
    if (count < 2 || count > OPENCL_MOST_PARTS)
        return use_pool(queues, "there is one thread, or there are very many");
    if (clCreateSubDevices(id, equally, OPENCL_MOST_PARTS, queues->parts, &made) || made != count)
        return use_pool(queues, "it cannot be divided");
    queues->options = (struct opencl_queues_options){.device = queues->parts[0],
                                                     .parts = queues->parts,
                                                     .count = count,
                                                     .no_binaries = true,
                                                     .spins = true};
    snprintf(queues->why, sizeof queues->why, SETTING " says so");
}

void cpu_queues_choose_as_guest(struct cpu_queues *queues, cl_device_id id, cl_device_id device)
{
    const uint32_t count = (uint32_t)opencl_device_number(id, CL_DEVICE_MAX_COMPUTE_UNITS, 1);
    *queues = (struct cpu_queues){.forced = setting_is("own") || setting_is("parts")};
    if (setting_is("parts"))
        return use_parts(queues, id, count);
    if (!setting_is("own"))
        return use_pool(queues, "the process is not ours");
    if (count < 2 || count > CPU_MAX_QUEUES || !device)
        return use_pool(queues, "POCL_DEVICES does not have the device without threads");
    queues->options = (struct opencl_queues_options){
        .device = device, .count = count, .no_binaries = true, .spins = true};
}
