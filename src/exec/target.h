/* SPDX-License-Identifier: MIT
 *
 * An open device with the data of one task: what kernels are built for, bound to and
 * run on.
 */
#ifndef ANOLE_TARGET_H
#define ANOLE_TARGET_H

#include "exec/cold.h"
#include "exec/guarded.h"
#include "exec/stage.h"
#include "exec/timing.h"
#include "op/roles.h"
#include "plugin/backend.h"

struct anole_target_options {
    uint32_t threads;   /* of a CPU device; 0: all */
    double sample_time; /* seconds of timed running to spend on a config; 0: default */
    uint64_t constants; /* bytes of its network's, where weights shall be cold: see cold.h */
    /* Told what comes next; may be NULL. */
    void (*stage)(void *context, enum anole_stage stage, uint32_t slot);
    void *context;
};

struct anole_target {
    const struct anole_backend *backend;
    struct anole_device device;
    struct anole_session *session;
    struct anole_target_options options;
    struct anole_guarded_device memory;
    struct anole_timing timing;

    struct anole_task task;
    struct anole_task_sizes sizes;
    enum anole_warmth warmth; /* how its kernels are timed */
    const struct anole_task_data *data;
    /* Of the task, weights as the task has them (only if a kernel reads those);
     * WORKSPACE is not used. */
    struct anole_guarded tensors[ANOLE_ROLE_COUNT];
    bool uploaded;      /* input, bias and residual hold the task's data */
    bool weights_ready; /* and so do the weights */
    void *answer;       /* room for an output, as it is read back */

    uint32_t salt;          /* see anole_runner_set_salt() */
    uint32_t builds;        /* so far */
    bool tainted;           /* a kernel may have damaged this process */
    enum anole_stage stage; /* what was said last, */
    uint32_t slot;
    double said; /* and when */
};

/* The backend must outlive it; the device's description is copied.  On failure there is
 * nothing to close. */
ANOLE_CHECKED enum anole_status
anole_target_open(struct anole_target *target, const struct anole_backend *backend,
                  const char *driver, const struct anole_device *device,
                  const struct anole_target_options *options, struct anole_error *error);
void anole_target_close(struct anole_target *target);

/* The task from now on; all buffers go.  `data` is borrowed until the next call; NULL:
 * nothing will be run, or the device is simulated. */
void anole_target_set_task(struct anole_target *target, const struct anole_task *task,
                           const struct anole_task_data *data);
/* Brings what all kernels of the task share to the device, if it is not there. */
ANOLE_CHECKED enum anole_status anole_target_upload(struct anole_target *target,
                                                    struct anole_error *error);
/* Brings the weights in the task's layout, if they are not there.  The plugin's code. */
int anole_target_upload_weights(struct anole_target *target, struct anole_message *message);
/* A kernel may have written to what it only reads: it is brought anew before the next. */
void anole_target_spoil(struct anole_target *target);

bool anole_target_simulated(const struct anole_target *target);
/* Whether memory of the device can still be written and read: with some drivers nothing
 * works after a failed launch, until the process is replaced. */
bool anole_target_is_healthy(struct anole_target *target);

/* Says what comes next. */
void anole_target_say(struct anole_target *target, enum anole_stage stage, uint32_t slot);

/* Sets outcome and message from what an op returned; returns false. */
bool anole_target_fail(struct anole_target *target, struct anole_result *result, int code,
                       enum anole_outcome usual, const struct anole_message *message,
                       const char *what);

#endif
