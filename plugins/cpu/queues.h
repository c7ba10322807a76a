/* SPDX-License-Identifier: MIT
 *
 * Whether launches are made by queues of our own or by the driver's pool of threads.
 */
#ifndef ANOLE_CPU_QUEUES_H
#define ANOLE_CPU_QUEUES_H

#include "../opencl_queues.h"

#define CPU_MAX_QUEUES 256

struct cpu_queues {
    struct opencl_queues_options options; /* .count 0: the pool; .cores is below or NULL */
    int cores[CPU_MAX_QUEUES];
    cl_device_id parts[OPENCL_MOST_PARTS]; /* what options.parts points to */
    bool forced;                           /* ANOLE_CPU_QUEUES says so */
    char why[160];                         /* a clause: why so */
};

/* Asks PoCL for a device without threads beside its pool, unless the user has chosen the
 * devices, or the pool; before the driver is loaded. */
void cpu_queues_request_device(const struct anole_host *host);

/* Takes the device without threads, if it was asked for and is there, out of the CPU
 * devices that were found: *device, or NULL.  That it came with its driver's pool is
 * for the caller to see: `count` is then not 0. */
void cpu_queues_take_device(cl_device_id *device, cl_device_id *ids, uint32_t *count);

/* Chooses for the pool `id`; `device` as above. */
void cpu_queues_choose(struct cpu_queues *queues, cl_device_id id, cl_device_id device);

/* The same in a process that is not ours: the pool; unless its environment has both devices
 * (see above) and says ANOLE_CPU_QUEUES=own, or says ANOLE_CPU_QUEUES=parts: then each queue is of
 * a sub-device.  No thread is bound to a core.  Parts are the caller's to release, unless they
 * are handed on. */
void cpu_queues_choose_as_guest(struct cpu_queues *queues, cl_device_id id, cl_device_id device);

#endif
