/* SPDX-License-Identifier: MIT */
#include "frontend/load.h"

#include "base/text.h"
#include "frontend/network.h"
#include "graph/graph_passes.h"

#include <stdlib.h>
#include <string.h>

static bool is_onnx(const char *path)
{
    size_t length = strlen(path);
    return length >= 5 && strcmp(path + length - 5, ".onnx") == 0;
}

enum anole_status anole_onnx_dims_parse(int64_t dims[ANOLE_MAX_RANK], uint32_t *rank,
                                        const char *text, const char *word,
                                        struct anole_error *error)
{
    char safe[200];
    *rank = 0;
    for (const char *at = text; *rank < ANOLE_MAX_RANK;) {
        char *end;
        long long size = *at >= '0' && *at <= '9' ? strtoll(at, &end, 10) : -1;
        if (size < 0 || size > INT32_MAX || (*end != 'x' && *end != '\0'))
            break;
        dims[(*rank)++] = size;
        if (*end == '\0')
            return ANOLE_DONE;
        at = end + 1;
    }
    return anole_fail(error, ANOLE_ERR_USAGE,
                      "shape \"%s\": expected NAME=SIZES with up to %d sizes, such as "
                      "images=1x3x640x640",
                      anole_text_printable(safe, sizeof safe, word), ANOLE_MAX_RANK);
}

enum anole_status anole_onnx_shape_parse(struct anole_onnx_shape *shape, char **name,
                                         const char *text, struct anole_error *error)
{
    const char *equals = strrchr(text, '=');
    struct anole_onnx_shape new = {.rank = 0};
    enum anole_status status =
        anole_onnx_dims_parse(new.dims, &new.rank, equals ? equals + 1 : "", text, error);
    if (status != ANOLE_DONE)
        return status;
    *name = strndup(text, (size_t)(equals - text));
    if (!*name)
        return anole_fail_memory(error);
    new.input = *name;
    *shape = new;
    return ANOLE_DONE;
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
    status = anole_graph_simplify(made, error);
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
    size_t layers = graph->node_count;
    status = anole_graph_fuse(graph, error);
    if (status == ANOLE_DONE)
        status = anole_workload_of_graph(workload, graph, error);
    if (status == ANOLE_DONE && (*workload)->layer_count == 0)
        (*workload)->layer_count = layers;
    anole_graph_destroy(graph);
    return status;
}
