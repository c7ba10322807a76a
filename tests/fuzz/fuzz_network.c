/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include "graph/network.h"

FUZZ_TARGET(network)
{
    struct anole_network *network = NULL;
    struct anole_error error = {.status = ANOLE_DONE};
    fuzz_quiet();
    enum anole_status status =
        anole_network_parse(&network, (const char *)data, size, "fuzz.json", &error);
    if (status != ANOLE_DONE) {
        FUZZ_REQUIRE(network == NULL && error.text[0] != '\0' && error.status == status);
        return 0;
    }
    FUZZ_REQUIRE(network->task_count > 0);
    for (size_t i = 0; i < network->layer_count; i++)
        for (size_t k = 0; k < network->layers[i].input_count; k++)
            FUZZ_REQUIRE(network->layers[i].inputs[k] < i);
    for (size_t i = 0; i < network->task_count; i++)
        FUZZ_REQUIRE(anole_task_check(&network->tasks[i].task, &error) == ANOLE_DONE);
    anole_network_destroy(network);
    return 0;
}
