/* SPDX-License-Identifier: MIT */
#include "frontend/load.h"

#include "graph/graph_passes.h"

#include <string.h>

static bool is_onnx(const char *path)
{
    size_t length = strlen(path);
    return length >= 5 && strcmp(path + length - 5, ".onnx") == 0;
}

enum anole_status anole_workload_load(struct anole_workload **workload, const char *path,
                                      const struct anole_given *given, struct anole_error *error)
{
    static const struct anole_given nothing = {.batch = 0};
    struct anole_loaded loaded;
    enum anole_status status = anole_given_read(&loaded, path, given ? given : &nothing, error);
    if (status)
        return status;
    if (is_onnx(path))
        status = anole_graph_simplify(loaded.graph, error);
    size_t layers = loaded.graph->node_count;
    if (status == ANOLE_DONE)
        status = anole_graph_fuse(loaded.graph, error);
    if (status == ANOLE_DONE)
        status = anole_workload_of_graph(workload, loaded.graph, error);
    if (status == ANOLE_DONE && (*workload)->layer_count == 0)
        (*workload)->layer_count = layers;
    anole_loaded_fini(&loaded);
    return status;
}
