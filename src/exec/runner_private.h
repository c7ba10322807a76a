/* SPDX-License-Identifier: MIT
 *
 * What the parts of the runner share: runner.c, executable.c and verify.c.
 */
#ifndef ANOLE_RUNNER_PRIVATE_H
#define ANOLE_RUNNER_PRIVATE_H

#include "exec/guarded.h"
#include "exec/runner.h"
#include "exec/timing.h"
#include "plugin/kernel.h"

/* A kernel, built and bound. */
struct anole_executable {
    struct anole_generated *generated;
    struct anole_build *build;
    struct anole_guarded packed; /* weights as this kernel reads them */
    struct anole_guarded workspace;
    struct anole_binding bindings[ANOLE_ROLE_COUNT];
    struct anole_timed timed;
};

struct anole_runner {
    const struct anole_backend *backend;
    struct anole_device device;
    struct anole_session *session;
    struct anole_runner_options options;
    struct anole_guarded_device memory;
    struct anole_timing timing;

    struct anole_task task;
    const struct anole_task_data *data;
    bool uploaded;      /* input, bias and residual hold the task's data */
    bool weights_ready; /* and so do the weights */
    struct anole_guarded input, bias, residual, output;
    struct anole_guarded weights; /* in the canonical layout; only if a kernel reads that */
    struct anole_guarded packed, workspace; /* of the last trial, for the next */
    void *answer;                           /* room for an output */

    struct anole_executable slots[ANOLE_MAX_SLOTS];
    size_t slot_count;
    uint32_t builds;
    bool tainted;
    enum anole_stage stage; /* what was said last, */
    uint32_t slot;
    double said; /* and when */
};

void anole_runner_stage(struct anole_runner *runner, enum anole_stage stage, uint32_t slot);

/* -- executable.c -- */

/* Writes a tensor to a buffer, made if need be; `data` may be NULL, `elements` 0. */
int anole_runner_upload(struct anole_runner *runner, struct anole_guarded *guarded,
                        const void *data, size_t elements, struct anole_message *message);
/* Each returns false if the kernel failed: `result` says how. */
bool anole_executable_generate(struct anole_runner *runner, struct anole_executable *executable,
                               const int64_t *values, size_t count, struct anole_result *result);
bool anole_executable_build(struct anole_runner *runner, struct anole_executable *executable,
                            const void *binary, size_t binary_bytes, struct anole_result *result);
/* Packs and moves the weights, makes the workspace, poisons, binds. */
bool anole_executable_bind(struct anole_runner *runner, struct anole_executable *executable,
                           struct anole_result *result);
/* Poisons output and workspace: what a kernel reads, it must have written. */
bool anole_executable_poison(struct anole_runner *runner, struct anole_executable *executable,
                             struct anole_result *result);
/* Releases build and source; the buffers stay. */
void anole_executable_release(struct anole_runner *runner, struct anole_executable *executable);

/* -- verify.c -- */

/* Compares the output with the reference, and looks at the guards.  False: the
 * result says what is wrong.  `when` completes the message: "on the first run". */
bool anole_runner_verify(struct anole_runner *runner, struct anole_executable *executable,
                         const char *when, struct anole_result *result);

/* The second half of that alone. */
bool anole_runner_guards(struct anole_runner *runner, struct anole_executable *executable,
                         const char *when, struct anole_result *result);

/* Sets outcome and message from what an op returned; returns false. */
bool anole_runner_fail(struct anole_runner *runner, struct anole_result *result, int code,
                       enum anole_outcome usual, const struct anole_message *message,
                       const char *what);

#endif
