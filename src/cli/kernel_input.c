/* SPDX-License-Identifier: MIT */
#include "cli/kernel_input.h"

#include "kernel/t1_kernel.h"

static bool runs(const struct anole_device *device)
{
    return !device || !(device->flags & ANOLE_DEVICE_SIMULATED);
}

enum anole_status anole_kernel_network(struct anole_workload **workload,
                                       struct anole_custom_kernel **custom, const char *path,
                                       const struct anole_device *device, struct anole_error *error)
{
    struct anole_custom_kernel *read;
    struct anole_workload *made = NULL;
    struct anole_task task;
    enum anole_status status = anole_t1_kernel_load(&read, path, runs(device), error);
    if (status != ANOLE_DONE)
        return status;
    anole_custom_task(&task, read);
    status = anole_workload_create(&made, read->name, path, error);
    if (status == ANOLE_DONE)
        status = anole_workload_add(made, NULL, &task,
                                    read->launch.kernel ? read->launch.kernel : read->name, error);
    if (status != ANOLE_DONE) {
        anole_workload_destroy(made);
        anole_custom_destroy(read);
        return status;
    }
    made->layer_count = 1;
    *workload = made;
    *custom = read;
    return ANOLE_DONE;
}

enum anole_status anole_kernel_or_network(const char *kernel, size_t positional, const char *verb,
                                          struct anole_error *error)
{
    if (!kernel == (positional > 0))
        return ANOLE_DONE;
    return anole_fail(error, ANOLE_ERR_USAGE,
                      "anole %s: expected NETWORK or --kernel T1, found %s; see `anole %s --help`",
                      verb, kernel ? "both" : "nothing", verb);
}
