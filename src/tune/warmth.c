/* SPDX-License-Identifier: MIT */
#include "tune/warmth.h"

#include "base/log.h"

uint64_t anole_warmth_add(uint64_t bytes, const struct anole_task *task, uint32_t multiplicity)
{
    struct anole_task_sizes sizes;
    uint64_t sum;
    if (task->custom || task->kind == ANOLE_TASK_CUSTOM || task->kind == ANOLE_TASK_MATMUL)
        return bytes;
    anole_task_sizes(&sizes, task);
    if (__builtin_mul_overflow((uint64_t)sizes.bytes[ANOLE_ROLE_WEIGHTS], multiplicity, &sum) ||
        __builtin_add_overflow(sum, bytes, &sum))
        return UINT64_MAX;
    return sum;
}

uint64_t anole_warmth_beyond(const struct anole_device *device)
{
    struct anole_caches caches;
    anole_caches_of(&caches, device);
    return 2 * (caches.last > caches.stays ? caches.last : caches.stays);
}

static bool is_custom(const struct anole_workload *workload)
{
    for (size_t i = 0; i < workload->task_count; i++)
        if (workload->tasks[i].task.kind == ANOLE_TASK_CUSTOM)
            return true;
    return false;
}

/* In each of several sizes a network has the same weights: once, and not once a size. */
static uint64_t sum_constants(const struct anole_workload *workload)
{
    uint64_t bytes = 0;
    if (workload->part_count > 0)
        return sum_constants(workload->parts[0]);
    for (size_t i = 0; i < workload->task_count; i++)
        bytes = anole_warmth_add(bytes, &workload->tasks[i].task, workload->tasks[i].multiplicity);
    return bytes;
}

uint64_t anole_warmth_constants(const struct anole_workload *workload,
                                const struct anole_registry *registry,
                                const struct anole_registry_device *device,
                                enum anole_timing_choice choice)
{
    const struct anole_device *described = &device->device;
    const char *obstacle =
        anole_cold_obstacle(&registry->entries[device->backend].backend->plugin, described);
    bool custom = is_custom(workload);
    struct anole_caches caches;
    if (choice == ANOLE_TIMING_HOT || (choice == ANOLE_TIMING_AS_MET && custom))
        return 0;
    if (obstacle) {
        if (!(described->flags & ANOLE_DEVICE_SIMULATED) || choice == ANOLE_TIMING_COLD)
            anole_log_warning("%s: kernels are timed hot, with their data in the caches: %s",
                              device->id, obstacle);
        return 0;
    }
    anole_caches_of(&caches, described);
    if (caches.doubt[0])
        anole_log_warning("%s: %s", device->id, caches.doubt);
    uint64_t bytes = custom ? 0 : sum_constants(workload), least = anole_warmth_beyond(described);
    return choice == ANOLE_TIMING_COLD && bytes < least ? least : bytes;
}
