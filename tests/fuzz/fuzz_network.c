/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include "frontend/network.h"

FUZZ_TARGET(network)
{
    struct anole_graph *graph = NULL;
    struct anole_workload *workload = NULL;
    struct anole_error error = {.status = ANOLE_DONE};
    fuzz_quiet();
    enum anole_status status =
        anole_network_parse(&graph, (const char *)data, size, "fuzz.json", &error);
    if (status != ANOLE_DONE) {
        FUZZ_REQUIRE(graph == NULL && error.text[0] != '\0' && error.status == status);
        return 0;
    }
    FUZZ_REQUIRE(anole_graph_fuse(graph, &error) == ANOLE_DONE);
    for (size_t i = 0; i < graph->node_count; i++) {
        const struct anole_node *node = &graph->nodes[i];
        for (size_t k = 0; k < node->input_count; k++) {
            size_t producer = graph->tensors[node->inputs[k]].producer;
            FUZZ_REQUIRE(producer == ANOLE_NONE || producer < i);
        }
    }
    status = anole_workload_of_graph(&workload, graph, &error);
    FUZZ_REQUIRE(status == ANOLE_DONE || (!workload && error.status == ANOLE_ERR_INPUT));
    for (size_t i = 0; workload && i < workload->task_count; i++)
        FUZZ_REQUIRE(anole_task_check(&workload->tasks[i].task, &error) == ANOLE_DONE);
    anole_workload_destroy(workload);
    anole_graph_destroy(graph);
    return 0;
}
