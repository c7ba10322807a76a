/* SPDX-License-Identifier: MIT */
#include "exec/cold.h"

#include <math.h>
#include <stdio.h>

#define KILO UINT64_C(1024)
#define MEGA (KILO * KILO)

/* Cores differ in their caches, but not by more than this. */
#define LEAST_L2 (16 * KILO)
#define MOST_L2 (256 * MEGA)
#define USUAL_L2 MEGA
#define LEAST_LAST (64 * KILO)
#define MOST_LAST (4096 * MEGA)
#define USUAL_LAST (64 * MEGA)

#define MOST_SETS 128
#define MOST_BYTES (512 * MEGA) /* of copies, */
#define MEMORY_SHARE 8          /* and no more than this part of the memory */
/* Seconds that coming round may take: what is read once in so long a time costs nothing. */
#define ROUND_TIME 20e-3

/* `bytes` as described, or what is usual where that cannot be. */
static uint64_t believe(struct anole_caches *caches, const char *name, uint64_t bytes,
                        uint64_t least, uint64_t most, uint64_t usual)
{
    if (bytes >= least && bytes <= most)
        return bytes;
    snprintf(caches->doubt, sizeof caches->doubt,
             "its %s of %llu bytes cannot be: timed as if it had %llu kB", name,
             (unsigned long long)bytes, (unsigned long long)(usual / KILO));
    return usual;
}

void anole_caches_of(struct anole_caches *caches, const struct anole_device *device)
{
    *caches = (struct anole_caches){.stays = 0};
    caches->last =
        believe(caches, "last cache", device->cache_l3 ? device->cache_l3 : device->cache_l2,
                LEAST_LAST, MOST_LAST, USUAL_LAST);
    /* A processor's last cache may be shared with other work, other virtual machines; what
     * is sure is the cache of one core.  That of a GPU is its own. */
    if (device->type == ANOLE_DEVICE_CPU)
        caches->stays =
            believe(caches, "second cache", device->cache_l2, LEAST_L2, MOST_L2, USUAL_L2);
    else
        caches->stays = caches->last / 2;
}

const char *anole_cold_obstacle(const struct anole_plugin *plugin,
                                const struct anole_device *device)
{
    if (device->flags & ANOLE_DEVICE_SIMULATED)
        return "the device is simulated";
    if (!plugin->sequence_create || !plugin->sequence_run || !plugin->sequence_destroy)
        return "its backend cannot run sequences";
    return NULL;
}

static bool has_constant_weights(const struct anole_task *task)
{
    return task->kind != ANOLE_TASK_MATMUL && anole_task_weight_elements(task) > 0;
}

enum anole_warmth anole_cold_decide(const struct anole_plugin *plugin,
                                    const struct anole_device *device,
                                    const struct anole_task *task, uint64_t constants)
{
    if (constants == 0 || anole_cold_obstacle(plugin, device))
        return ANOLE_WARMTH_HOT;
    if (task->custom)
        return ANOLE_WARMTH_COLD;
    struct anole_caches caches;
    anole_caches_of(&caches, device);
    return has_constant_weights(task) && constants > caches.stays ? ANOLE_WARMTH_COLD
                                                                  : ANOLE_WARMTH_HOT;
}

uint32_t anole_cold_sets(const struct anole_device *device, uint64_t constants, uint64_t own,
                         uint64_t set, double first)
{
    struct anole_caches caches;
    anole_caches_of(&caches, device);
    uint64_t between = constants > own ? constants - own : 0;
    uint64_t room = MOST_BYTES, memory = device->global_memory / MEMORY_SHARE;
    if (between > 2 * caches.last)
        between = 2 * caches.last; /* whoever reads so much finds nothing again */
    if (memory && memory < room)
        room = memory;
    if (device->max_allocation && device->max_allocation < room)
        room = device->max_allocation;
    if (set == 0 || set > room)
        return 1;
    uint64_t sets = 1 + (between + set - 1) / set, fits = 1 + room / set;
    uint64_t timely = first > 0.0 && first < ROUND_TIME ? (uint64_t)(ROUND_TIME / first) : 2;
    sets = sets < fits ? sets : fits;
    sets = sets < timely ? sets : timely;
    sets = sets < MOST_SETS ? sets : MOST_SETS;
    return sets > 2 ? (uint32_t)sets : 2;
}
