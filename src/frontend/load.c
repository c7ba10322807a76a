/* SPDX-License-Identifier: MIT */
#include "frontend/load.h"

#include "frontend/network.h"
#include "graph/graph_passes.h"

#include <string.h>

static bool is_onnx(const char *path)
{
    size_t length = strlen(path);
    return length >= 5 && strcmp(path + length - 5, ".onnx") == 0;
}

enum anole_status anole_graph_load(struct anole_graph **graph, const char *path,
                                   const struct anole_onnx_options *options,
                                   struct anole_error *error)
{
    struct anole_graph *made;
    if (!is_onnx(path))
        return anole_network_load(graph, path, error);
    enum anole_status status = anole_onnx_load(&made, path, options, error);
    if (status)
        return status;
    status = anole_graph_layout(made, error);
    if (status == ANOLE_DONE)
        status = anole_graph_affine(made, error);
    if (status) {
        anole_graph_destroy(made);
        return status;
    }
    *graph = made;
    return ANOLE_DONE;
}

enum anole_status anole_workload_load(struct anole_workload **workload, const char *path,
                                      const struct anole_onnx_options *options,
                                      struct anole_error *error)
{
    struct anole_graph *graph;
    enum anole_status status = anole_graph_load(&graph, path, options, error);
    if (status)
        return status;
    status = anole_graph_fuse(graph, error);
    if (status == ANOLE_DONE)
        status = anole_workload_of_graph(workload, graph, error);
    anole_graph_destroy(graph);
    return status;
}
