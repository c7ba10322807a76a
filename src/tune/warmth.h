/* SPDX-License-Identifier: MIT
 *
 * How the tasks of a workload are timed: hot, or as cold as their network leaves them.
 */
#ifndef ANOLE_WARMTH_H
#define ANOLE_WARMTH_H

#include "devices/registry.h"
#include "exec/cold.h"
#include "graph/workload.h"
#include "op/roles.h"

enum anole_timing_choice {
    ANOLE_TIMING_AS_MET, /* as the network leaves it; a kernel of the user's own: hot */
    ANOLE_TIMING_HOT,
    ANOLE_TIMING_COLD, /* cold, also where a network's weights would stay in the caches */
};

/* Bytes of the weights of `multiplicity` layers of a task; they are added without overflow. */
uint64_t anole_warmth_add(uint64_t bytes, const struct anole_task *task, uint32_t multiplicity);

/* What measuring is told (anole_measure_options.constants), and what is not as it was asked for,
 * or as the device's description has it, is said in the log. */
uint64_t anole_warmth_constants(const struct anole_workload *workload,
                                const struct anole_registry *registry,
                                const struct anole_registry_device *device,
                                enum anole_timing_choice choice);

/* The same where all that is known is that a task was timed cold: as if its network were larger
 * than the caches. */
uint64_t anole_warmth_beyond(const struct anole_device *device);

#endif
