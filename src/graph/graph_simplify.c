/* SPDX-License-Identifier: MIT */
#include "graph/graph_passes.h"

enum anole_status anole_graph_simplify(struct anole_graph *graph, struct anole_error *error)
{
    /* Transposes go first, so that what belongs together stands together.  What is spelled out
     * comes before factors are folded: `x + 3` may be the beginning of an activation. */
    enum anole_status status = anole_graph_layout(graph, error);
    if (status == ANOLE_DONE)
        status = anole_graph_activation(graph, error);
    if (status == ANOLE_DONE)
        status = anole_graph_affine(graph, error);
    return status;
}
