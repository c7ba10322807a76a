/* SPDX-License-Identifier: MIT
 *
 * For clauses that run kernels: an open device with the data of one task, and its configs.
 * What drives the device is what does so for the tuner (src/exec), step by step.
 */
#ifndef ANOLE_CHECK_FIXTURE_H
#define ANOLE_CHECK_FIXTURE_H

#include "check/context.h"
#include "exec/executable.h"

struct anole_fixture {
    struct anole_check_context *check;
    struct anole_target target;
    const struct anole_task *task;
    struct anole_generator *generator;
    struct anole_task_data *data;
    uint64_t *configs; /* [config_count], the default first */
    size_t config_count;
    struct anole_executable executable; /* the kernel in hand */
    uint64_t config;                    /* and its config */
    char label[128], words[120];        /* of task and config, for messages */
};

/* Opens the device, for a task.  On failure the verdict is given, and there is nothing to
 * close. */
enum anole_check_verdict anole_fixture_open(struct anole_fixture *fixture,
                                            struct anole_check_context *check,
                                            const struct anole_task *task);
void anole_fixture_close(struct anole_fixture *fixture);

/* Generates and builds a config.  *built false: it was refused, cleanly.  Fails if
 * it was not clean.  `binary` as in anole_plugin.build. */
enum anole_check_verdict anole_fixture_build(struct anole_fixture *fixture, uint64_t config,
                                             const void *binary, size_t binary_bytes, bool *built);
void anole_fixture_release(struct anole_fixture *fixture);

/* Brings data and packed weights, makes the workspace, poisons what is written to. */
enum anole_check_verdict anole_fixture_bind(struct anole_fixture *fixture);
/* Runs what is bound.  device_seconds[repeats]. */
enum anole_check_verdict anole_fixture_run(struct anole_fixture *fixture, uint32_t repeats,
                                           double *device_seconds, double *host_seconds,
                                           double *wall);
/* bind(), and one run. */
enum anole_check_verdict anole_fixture_try(struct anole_fixture *fixture);

/* Fails with what `result` says of the kernel in hand. */
enum anole_check_verdict anole_fixture_fail(const struct anole_fixture *fixture,
                                            const struct anole_result *result);

/* Calls `look` with each task's fixture and each of its configs that builds, bound and
 * run once if `run`; with fewer of them where builds take long (check->fewer).  The text of a pass
 * counts them; its number is the microseconds that a build took.  Skipped on a simulated device. */
enum anole_check_verdict
anole_fixture_each(struct anole_check_context *check, bool run,
                   enum anole_check_verdict (*look)(struct anole_fixture *fixture));
/* The same for what needs no data, on all devices.  Bindings of a simulated one are absent. */
enum anole_check_verdict
anole_fixture_each_bare(struct anole_check_context *check, bool run,
                        enum anole_check_verdict (*look)(struct anole_fixture *fixture));

/* Builds that a clause makes do with where one takes so long; 0: it makes all. */
uint32_t anole_fixture_fewer(const struct anole_check_context *check, double build_seconds);
/* Whether these are as many as that. */
bool anole_fixture_enough(const struct anole_check_context *check, size_t built);

/* A fixture of a task, with its default config built and bound, or another if that is refused. */
enum anole_check_verdict anole_fixture_open_one(struct anole_fixture *fixture,
                                                struct anole_check_context *check,
                                                const struct anole_task *task);
/* The same of the task with most to do. */
enum anole_check_verdict anole_fixture_open_heavy(struct anole_fixture *fixture,
                                                  struct anole_check_context *check);

#endif
