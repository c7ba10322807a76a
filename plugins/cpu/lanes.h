/* SPDX-License-Identifier: MIT
 *
 * Whether launches are made by queues of our own or by the driver's pool of threads.
 */
#ifndef ANOLE_CPU_LANES_H
#define ANOLE_CPU_LANES_H

#include "../opencl.h"

#define CPU_MOST_LANES 256

struct cpu_lanes {
    struct opencl_lanes_terms terms; /* .count 0: the pool; .cores is below or NULL */
    int cores[CPU_MOST_LANES];
    bool forced;   /* ANOLE_CPU_QUEUES says so */
    char why[160]; /* a clause: why so */
};

/* Asks PoCL for a device without threads beside its pool, unless the user has chosen the
 * devices, or the pool; before the driver is loaded. */
void cpu_lanes_ask(const struct anole_host *host);

/* Takes the device without threads, if it was asked for and is there, out of the CPU
 * devices that were found: *device, or NULL.  That it came with its driver's pool is
 * for the caller to see: `count` is then not 0. */
void cpu_lanes_take(cl_device_id *device, cl_device_id *ids, uint32_t *count);

/* Chooses for the pool `id`; `device` as above. */
void cpu_lanes_choose(struct cpu_lanes *lanes, cl_device_id id, cl_device_id device);

#endif
