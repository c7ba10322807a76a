/* SPDX-License-Identifier: MIT */
#include "frontend/t1_workload.h"

#include "kernel/t1_kernel.h"

enum anole_status anole_kernel_workload(struct anole_workload **workload,
                                        struct anole_custom_kernel **custom, const char *path,
                                        bool runnable, struct anole_error *error)
{
    struct anole_custom_kernel *read;
    struct anole_workload *made = NULL;
    struct anole_task task;
    enum anole_status status = anole_t1_kernel_load(&read, path, runnable, error);
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
