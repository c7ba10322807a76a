/* SPDX-License-Identifier: MIT */
#include "graph/graph_passes.h"

enum anole_status anole_graph_simplify(struct anole_graph *graph, struct anole_error *error)
{
    /* A layer normalisation is found as files have it, with its dimensions last.  Transposes go
     * next, so that what belongs together stands together.  What else is spelled out comes before
     * factors are folded: `x + 3` may be the beginning of an activation. */
    enum anole_status status = anole_graph_norm(graph, error);
    if (status == ANOLE_DONE)
        status = anole_graph_layout(graph, error);
    if (status == ANOLE_DONE)
        status = anole_graph_activation(graph, error);
    if (status == ANOLE_DONE)
        status = anole_graph_affine(graph, error);
    return status;
}
