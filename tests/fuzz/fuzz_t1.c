/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include "kernel/t1.h"

#include <string.h>

/* Descriptions of kernels by others: the space's part. */
FUZZ_TARGET(t1)
{
    struct anole_t1 *t1 = NULL;
    struct anole_space *space = NULL;
    struct anole_error error = {.status = ANOLE_DONE};
    fuzz_quiet();
    enum anole_status status = anole_t1_parse(&t1, (const char *)data, size, "fuzz.json", &error);
    FUZZ_REQUIRE(status == error.status && (status == ANOLE_DONE) == (t1 != NULL));
    if (!t1)
        return 0;
    status = anole_t1_space(&space, t1, &error);
    FUZZ_REQUIRE(status == error.status && (status == ANOLE_DONE) == (space != NULL));
    for (size_t i = 0; space && i < t1->parameter_count; i++) {
        const struct anole_t1_parameter *parameter = &t1->parameters[i];
        const struct anole_space_knob *knob = anole_space_knob(space, i);
        FUZZ_REQUIRE(knob != NULL && knob->count == parameter->count);
        FUZZ_REQUIRE(strcmp(knob->name, parameter->name) == 0);
        FUZZ_REQUIRE(anole_t1_find(t1, parameter->name) == i);
    }
    if (space)
        FUZZ_REQUIRE(anole_space_valid(space, anole_space_default(space)));
    anole_space_destroy(space);
    anole_t1_destroy(t1);
    return 0;
}
