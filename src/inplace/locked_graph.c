/* SPDX-License-Identifier: MIT */
#include "inplace/locked_graph.h"

#include "frontend/given.h"

enum anole_status anole_locked_graph_load(struct anole_graph **graph, const char *path,
                                          const struct anole_lock_device *locked,
                                          struct anole_error *error)
{
    const struct anole_given given = {.batch = locked->batch,
                                      .shapes = (const char *const *)locked->shapes,
                                      .shape_count = locked->shape_count};
    struct anole_loaded loaded = {.graph = NULL};
    enum anole_status status = anole_given_load(&loaded, path, &given, error);
    if (status)
        return status;
    *graph = loaded.graph;
    loaded.graph = NULL;
    anole_loaded_fini(&loaded);
    return ANOLE_DONE;
}
