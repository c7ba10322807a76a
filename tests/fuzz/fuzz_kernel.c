/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include "kernel/t1_kernel.h"
#include "plugin/kernel.h"
#include "worker/custom_wire.h"

#include <string.h>

static const struct anole_device device = {.size = sizeof device,
                                           .max_work_group = 256,
                                           .max_work_items = {256, 256, 64},
                                           .local_memory = 32768};

static const struct anole_backend backend = {.plugin = {.name = "none"}};

/* What was read arrives at a worker as it was sent, and makes a kernel or a message. */
static void use(struct anole_custom_kernel *custom)
{
    struct anole_wire wire, reader;
    struct anole_custom_kernel *sent = NULL;
    struct anole_space *space = NULL;
    struct anole_generated *generated = NULL;
    struct anole_error error = {.status = ANOLE_DONE};
    anole_wire_writer_init(&wire);
    anole_wire_custom(&wire, &custom);
    FUZZ_REQUIRE(!wire.failed);
    anole_wire_reader_init(&reader, wire.data, wire.length);
    anole_wire_custom(&reader, &sent);
    FUZZ_REQUIRE(anole_wire_complete(&reader) && sent != NULL);
    FUZZ_REQUIRE(sent->base.output_bytes == custom->base.output_bytes);
    if (anole_custom_space(&space, sent, &device, &error) == ANOLE_DONE) {
        int64_t values[ANOLE_MAX_KNOBS];
        struct anole_task task;
        anole_custom_task(&task, sent);
        FUZZ_REQUIRE(anole_task_check(&task, NULL) == ANOLE_DONE);
        anole_space_values(space, anole_space_default(space), values);
        if (anole_backend_generate(&generated, &backend, &device, &task, values,
                                   anole_space_knob_count(space), &error) == ANOLE_DONE)
            FUZZ_REQUIRE(generated->kernel.launch_count == 1);
        anole_generated_destroy(generated);
    }
    anole_space_destroy(space);
    anole_custom_destroy(sent);
    anole_wire_fini(&wire);
}

/* Descriptions of kernels by others: the whole. */
FUZZ_TARGET(kernel)
{
    struct anole_custom_kernel *custom = NULL;
    struct anole_error error = {.status = ANOLE_DONE};
    fuzz_quiet();
    enum anole_status status =
        anole_t1_kernel_parse(&custom, (const char *)data, size, "/proc/version", true, &error);
    FUZZ_REQUIRE(status == error.status && (status == ANOLE_DONE) == (custom != NULL));
    if (custom)
        use(custom);
    anole_custom_destroy(custom);
    return 0;
}
