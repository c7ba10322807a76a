/* SPDX-License-Identifier: MIT */
#include "cli/kernel_input.h"

#include "kernel/t1_kernel.h"

#include <stdlib.h>
#include <string.h>

static bool runs(const struct anole_device *device)
{
    return !device || !(device->flags & ANOLE_DEVICE_SIMULATED);
}

static struct anole_network *make_network(const struct anole_custom_kernel *custom,
                                          const char *path)
{
    struct anole_network *network = calloc(1, sizeof *network);
    if (!network)
        return NULL;
    network->name = strdup(custom->name);
    network->path = strdup(path);
    network->layers = calloc(1, sizeof *network->layers);
    network->tasks = calloc(1, sizeof *network->tasks);
    if (!network->name || !network->path || !network->layers || !network->tasks)
        return network;
    anole_layer_init(&network->layers[0]);
    network->layers[0].name = strdup(custom->launch.kernel ? custom->launch.kernel : custom->name);
    network->layers[0].task = 0;
    network->layer_count = 1;
    network->tasks[0].multiplicity = 1;
    network->task_count = 1;
    network->dtype = ANOLE_F32;
    anole_custom_task(&network->tasks[0].task, custom);
    return network;
}

enum anole_status anole_kernel_network(struct anole_network **network,
                                       struct anole_custom_kernel **custom, const char *path,
                                       const struct anole_device *device, struct anole_error *error)
{
    struct anole_custom_kernel *read;
    enum anole_status status = anole_t1_kernel_load(&read, path, runs(device), error);
    if (status != ANOLE_DONE)
        return status;
    struct anole_network *made = make_network(read, path);
    if (!made || made->layer_count == 0 || !made->layers[0].name) {
        anole_network_destroy(made);
        anole_custom_destroy(read);
        return anole_fail_memory(error);
    }
    *network = made;
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
