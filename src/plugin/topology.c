/* SPDX-License-Identifier: MIT */
#include "plugin/topology.h"

#include <hwloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

static uint32_t count(hwloc_topology_t hwloc, hwloc_obj_type_t type)
{
    int found = hwloc_get_nbobjs_by_type(hwloc, type);
    return found > 0 ? (uint32_t)found : 0;
}

static void read_caches(struct anole_topology *topology, hwloc_topology_t hwloc)
{
    static const hwloc_obj_type_t types[] = {HWLOC_OBJ_L1CACHE, HWLOC_OBJ_L2CACHE,
                                             HWLOC_OBJ_L3CACHE};
    uint64_t *const sizes[] = {&topology->cache_l1d, &topology->cache_l2, &topology->cache_l3};
    for (size_t i = 0; i < 3; i++) {
        hwloc_obj_t cache = hwloc_get_obj_by_type(hwloc, types[i], 0);
        if (!cache || !cache->attr)
            continue;
        *sizes[i] = cache->attr->cache.size;
        if (topology->cache_line == 0)
            topology->cache_line = cache->attr->cache.linesize;
    }
}

static void read_name(struct anole_topology *topology, hwloc_topology_t hwloc)
{
    hwloc_obj_t package = hwloc_get_obj_by_type(hwloc, HWLOC_OBJ_PACKAGE, 0);
    const char *name = package ? hwloc_obj_get_info_by_name(package, "CPUModel") : NULL;
    if (name)
        snprintf(topology->cpu_name, sizeof topology->cpu_name, "%s", name);
}

/* Vector registers of the widest kind that this process may use. */
static void read_vectors(struct anole_topology *topology)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f")) {
        topology->simd_bits = 512;
        topology->simd_registers = 32;
    } else if (__builtin_cpu_supports("avx")) {
        topology->simd_bits = 256;
        topology->simd_registers = 16;
    } else {
        topology->simd_bits = 128;
        topology->simd_registers = sizeof(void *) == 8 ? 16 : 8;
    }
#elif defined(__aarch64__)
    topology->simd_bits = 128;
    topology->simd_registers = 32;
#else
    (void)topology;
#endif
}

/* The highest clock of processor 0, from what the kernel tells. */
static uint32_t read_clock(void)
{
    unsigned long khz = 0;
    FILE *file = fopen("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq", "re");
    if (file) {
        if (fscanf(file, "%lu", &khz) != 1)
            khz = 0;
        fclose(file);
    }
    if (khz > 0)
        return (uint32_t)(khz / 1000);
    /* A virtual machine often has no cpufreq: take the clock of the moment. */
    double mhz = 0;
    char line[256];
    file = fopen("/proc/cpuinfo", "re");
    while (file && mhz == 0 && fgets(line, sizeof line, file)) {
        if (sscanf(line, "cpu MHz : %lf", &mhz) != 1)
            mhz = 0;
    }
    if (file)
        fclose(file);
    return mhz > 0 && mhz < 1e6 ? (uint32_t)mhz : 0;
}

void anole_topology_read(struct anole_topology *topology)
{
    *topology = (struct anole_topology){.size = sizeof *topology};
    read_vectors(topology);
    topology->clock_mhz = read_clock();
    struct utsname system;
    if (uname(&system) == 0)
        snprintf(topology->architecture, sizeof topology->architecture, "%.*s",
                 (int)sizeof topology->architecture - 1, system.machine);

    hwloc_topology_t hwloc;
    if (hwloc_topology_init(&hwloc) != 0)
        return;
    /* Processors only: what would ask a vendor's driver stays out of this process. */
    static const char *const unwanted[] = {"opencl", "cuda", "nvml", "rsmi", "levelzero", "gl"};
    for (size_t i = 0; i < sizeof unwanted / sizeof *unwanted; i++)
        hwloc_topology_set_components(hwloc, HWLOC_TOPOLOGY_COMPONENTS_FLAG_BLACKLIST, unwanted[i]);
#if HWLOC_API_VERSION >= 0x00020500
    hwloc_topology_set_flags(hwloc, HWLOC_TOPOLOGY_FLAG_RESTRICT_TO_CPUBINDING |
                                        HWLOC_TOPOLOGY_FLAG_IS_THISSYSTEM);
#endif
    if (hwloc_topology_load(hwloc) == 0) {
        topology->packages = count(hwloc, HWLOC_OBJ_PACKAGE);
        topology->cores = count(hwloc, HWLOC_OBJ_CORE);
        topology->threads = count(hwloc, HWLOC_OBJ_PU);
        topology->numa_nodes = count(hwloc, HWLOC_OBJ_NUMANODE);
        topology->memory = hwloc_get_root_obj(hwloc)->total_memory;
        read_caches(topology, hwloc);
        read_name(topology, hwloc);
        if (topology->cores == 0)
            topology->cores = topology->threads;
    }
    hwloc_topology_destroy(hwloc);
}
