/* SPDX-License-Identifier: MIT
 *
 * What the tests of kernels share: a plugin (cpu, or what ANOLE_TEST_BACKEND names)
 * on a real driver, and one verified run of one config, with guards around every
 * tensor.
 */
#ifndef KERNEL_FIXTURE_H
#define KERNEL_FIXTURE_H

#include "base/rng.h"
#include "plugin/generator.h"
#include "op/reference.h"
#include "op/task.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

/* The plugin, the driver that tests use (PoCL, or what ANOLE_TEST_DRIVER names),
 * its first CPU and an open session. */
struct kernel_fixture {
    struct anole_backend *backend;
    const struct anole_plugin *plugin;
    char driver[256];
    struct anole_device device;
    struct anole_session *session;
    /* Tensors without guards, and no word in what a kernel is to fill: for drivers
     * that watch over every access themselves. */
    bool exact;
    /* The file in which such a driver reports; NULL: none.  It must not grow while a
     * kernel runs. */
    const char *log;
    uint64_t digest; /* of the output of the last kernel_check() */
};

/* False, with the reason on stderr, if there is no such driver here.  Fails the
 * test if the plugin does not load. */
bool kernel_fixture_init(struct kernel_fixture *fixture);
void kernel_fixture_fini(struct kernel_fixture *fixture);

/* The times that the environment variable ANOLE_TEST_ROUNDS multiplies the number
 * of random cases with: 1 if it is not set. */
unsigned kernel_rounds(void);
/* The seed of random cases: ANOLE_TEST_SEED, or `otherwise`. */
uint64_t kernel_seed(uint64_t otherwise);

/* Builds and runs a config of the task on the fixture's device, compares the
 * output with the reference, and looks at the guards.  Fails the test with the
 * task, the config and what was wrong; a crash says which config it was. */
void kernel_check(struct kernel_fixture *fixture, const struct anole_generator *generator,
                  const struct anole_task_data *data, uint64_t config);

/* The generator of a task; the device may be described as another than the
 * fixture's.  Fails the test if the task is not supported. */
struct anole_generator *kernel_generator(struct kernel_fixture *fixture,
                                         const struct anole_device *device,
                                         const struct anole_task *task);

/* A random valid config.  `algorithm` (NULL: any) is a label of the knob of that
 * name; where the task has no such choice it is ignored. */
uint64_t kernel_sample(const struct anole_generator *generator, struct anole_rng *rng,
                       const char *algorithm);

/* A knob and the value that it must have; the name of no knob is met by none. */
struct kernel_wish {
    const char *knob;
    int64_t value;
};

/* The same with wishes[count] besides; false if a thousand draws bring none. */
bool kernel_sample_wish(uint64_t *config, const struct anole_generator *generator,
                        struct anole_rng *rng, const char *algorithm,
                        const struct kernel_wish *wishes, size_t count);

#endif
