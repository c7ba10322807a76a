/* SPDX-License-Identifier: MIT
 *
 * An open device with the data of one task, on which kernels are built and run by
 * the plugin's own ops, one at a time.  The runner does the same for the tuner,
 * and forgives more.
 */
#ifndef ANOLE_RIG_H
#define ANOLE_RIG_H

#include "check/exam.h"
#include "exec/guarded.h"
#include "op/reference.h"

struct anole_rig {
    struct anole_exam *exam;
    struct anole_guarded_device device;
    const struct anole_task *task;
    struct anole_generator *generator;
    struct anole_task_data *data;
    uint64_t *configs; /* [config_count], the default first */
    size_t config_count;
    struct anole_guarded tensors[ANOLE_ROLE_COUNT];
    void *answer; /* [output], of the task's type */
    /* The kernel in hand; NULL: none. */
    struct anole_generated *generated;
    struct anole_build *build;
    bool overpacked;              /* pack() wrote beyond its room */
    char label[128], config[120]; /* for messages */
};

/* Opens the device, for a task.  On failure the verdict is
 * said, and there is nothing to close. */
enum anole_ruling anole_rig_open(struct anole_rig *rig, struct anole_exam *exam,
                                 const struct anole_task *task);
void anole_rig_close(struct anole_rig *rig);

/* Generates and builds a config.  *built false: it was refused, cleanly.  Fails if
 * it was not clean.  `binary` as in anole_plugin.build. */
enum anole_ruling anole_rig_build(struct anole_rig *rig, uint64_t config, const void *binary,
                                  size_t binary_bytes, bool *built);
void anole_rig_release(struct anole_rig *rig);

/* Brings data and packed weights, makes the workspace, poisons what is written to. */
enum anole_ruling anole_rig_bind(struct anole_rig *rig);
struct anole_binding anole_rig_binding(const struct anole_rig *rig, uint32_t role);
/* Runs what is bound.  device_seconds[repeats]. */
enum anole_ruling anole_rig_run(struct anole_rig *rig, uint32_t repeats, double *device_seconds,
                                double *host_seconds, double *wall);
/* bind(), and one run. */
enum anole_ruling anole_rig_try(struct anole_rig *rig);

/* Calls `look` with each task's rig and each of its configs that builds, bound and
 * run once if `run`.  The text of a pass counts them. */
enum anole_ruling anole_rig_each(struct anole_exam *exam, bool run,
                                 enum anole_ruling (*look)(struct anole_rig *rig));

/* A literal: "input", ... */
const char *anole_rig_role(uint32_t role);

/* A rig of the task with most to do, with its default config built and bound, or
 * another if that is refused. */
enum anole_ruling anole_rig_open_heavy(struct anole_rig *rig, struct anole_exam *exam);

#endif
