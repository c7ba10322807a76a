/* SPDX-License-Identifier: MIT
 *
 * One kernel on its way to the device, step by step: generated, built, its weights
 * packed, its arguments bound, run.
 */
#ifndef ANOLE_EXECUTABLE_H
#define ANOLE_EXECUTABLE_H

#include "exec/target.h"
#include "plugin/kernel.h"

/* Zero-initialised: there is none.  The target of each call is the same. */
struct anole_executable {
    struct anole_generated *generated;
    struct anole_build *build;
    struct anole_guarded packed; /* weights as this kernel reads them */
    struct anole_guarded workspace;
    struct anole_guarded copies; /* of what is cold, for all sets of a ring but the first */
    void *kept;                  /* packed weights in memory of ours, while copies may be wanted */
    struct anole_ring ring;
    struct anole_binding bindings[ANOLE_ROLE_COUNT];
    struct anole_timed timed;
    bool overpacked; /* pack() wrote beyond the room that the kernel announced */
};

/* ERR_INPUT: the config was refused. */
ANOLE_CHECKED enum anole_status anole_executable_generate(struct anole_executable *executable,
                                                          struct anole_target *target,
                                                          const int64_t *values, size_t count,
                                                          struct anole_error *error);
/* `binary` as in anole_plugin.build.  The plugin's code. */
int anole_executable_build(struct anole_executable *executable, struct anole_target *target,
                           const void *binary, size_t binary_bytes, struct anole_message *message);
/* What the plugin gives for another process to build from.  *binary: the caller's to
 * free; NULL if there is none, or more than ANOLE_MAX_BINARY bytes.  *announced: bytes
 * that the plugin said, at first, that it would give.  The plugin's code. */
int anole_executable_binary(const struct anole_executable *executable, struct anole_target *target,
                            void **binary, size_t *bytes, size_t *announced,
                            struct anole_message *message);

/* Each returns false if it failed: `result` says how. */

/* Packs and moves the weights, makes the workspace, poisons, binds.  The target has the
 * task's data on the device.  That pack() wrote too much is noted in `overpacked`, and
 * else no failure. */
bool anole_executable_bind(struct anole_executable *executable, struct anole_target *target,
                           struct anole_result *result);
/* Where the task's kernels are timed cold: makes copies of what is to be cold, and binds a ring of
 * runs to them; from then on `timed` means that.  After a first run, which took about `first`
 * seconds. */
bool anole_executable_chill(struct anole_executable *executable, struct anole_target *target,
                            double first, struct anole_result *result);
/* Poisons output and workspace: what a kernel reads, it must have written.  A custom
 * kernel may read its output: what is there first is a part of its data. */
bool anole_executable_poison(const struct anole_executable *executable, struct anole_target *target,
                             struct anole_result *result);

/* What the kernel finds under a role; without a buffer: nothing. */
const struct anole_guarded *anole_executable_tensor(const struct anole_executable *executable,
                                                    const struct anole_target *target,
                                                    uint32_t role);

/* Releases build and source; the buffers stay, for the next kernel. */
void anole_executable_release(struct anole_executable *executable, struct anole_target *target);
/* Releases everything. */
void anole_executable_destroy(struct anole_executable *executable, struct anole_target *target);

#endif
