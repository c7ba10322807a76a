/* SPDX-License-Identifier: MIT
 *
 * What is done with a config on an open device: generate, build, bind, run, verify, time.
 * Nothing here knows of processes and protocols.
 *
 * A kernel's failure is an outcome; a status means that the device itself is of
 * no use.
 */
#ifndef ANOLE_RUNNER_H
#define ANOLE_RUNNER_H

#include "exec/target.h"

struct anole_runner; /* an open device, and kernels on it */

/* The backend must outlive it; the device's description is copied. */
ANOLE_CHECKED enum anole_status
anole_runner_create(struct anole_runner **runner, const struct anole_backend *backend,
                    const char *driver, const struct anole_device *device,
                    const struct anole_target_options *options, struct anole_error *error);
void anole_runner_destroy(struct anole_runner *runner);

/* The task from now on.  `data` is borrowed until the next call; NULL: nothing
 * will be run, or the device is simulated. */
void anole_runner_set_task(struct anole_runner *runner, const struct anole_task *task,
                           const struct anole_task_data *data);

/* Not 0: what is built from now on has a source of its own for each number, that means the same:
 * no compiler has kept it. */
void anole_runner_set_salt(struct anole_runner *runner, uint32_t salt);

/* Whose clock times what is tried and loaded from now on; UNSAID: the device's description and the
 * first that works decide, and `timer` of its result says so. */
void anole_runner_set_timer(struct anole_runner *runner, enum anole_timer timer);

/* What anole_target_options.constants said, from the next task on. */
void anole_runner_set_constants(struct anole_runner *runner, uint64_t bytes);

/* Builds a config.  *binary (NULL if the backend gives none): the caller's to
 * free. */
void anole_runner_build(struct anole_runner *runner, const int64_t *values, size_t count,
                        struct anole_result *result, void **binary, size_t *binary_bytes);

/* Builds, verifies and times a config.  `best`: as in measure.h. */
ANOLE_CHECKED enum anole_status anole_runner_trial(struct anole_runner *runner,
                                                   const int64_t *values, size_t count,
                                                   const void *binary, size_t binary_bytes,
                                                   double best, struct anole_result *result,
                                                   struct anole_error *error);

/* Runs a config of a custom task once (`reference`: the plain kernel that comes with
 * it, with the config's values), and holds it to nothing but its guards.  *output:
 * what it wrote, valid until the next run; NULL if it failed: `result` says how. */
ANOLE_CHECKED enum anole_status anole_runner_compute(struct anole_runner *runner, bool reference,
                                                     const int64_t *values, size_t count,
                                                     const void **output,
                                                     struct anole_result *result,
                                                     struct anole_error *error);

/* Builds and verifies a config, and keeps it ready to run if it is right: it gets
 * the next slot. */
ANOLE_CHECKED enum anole_status anole_runner_load(struct anole_runner *runner,
                                                  const int64_t *values, size_t count,
                                                  const void *binary, size_t binary_bytes,
                                                  struct anole_result *result,
                                                  struct anole_error *error);
/* One batch of each slot in turn, from the first to the last, and back in the next round.
 * seconds[slots]: of one run.  False if slot *failed did: `result` says how.  Else
 * result->disturbed: how many were disturbed, also when they were taken again; result->crowding. */
bool anole_runner_round(struct anole_runner *runner, double *seconds, uint32_t *failed,
                        struct anole_result *result);
size_t anole_runner_slots(const struct anole_runner *runner);

/* One slot alone, for benchmarks: `repeats` runs back to back, at most
 * ANOLE_MAX_REPEATS, and one wait at the end.  *host: wall seconds of one run on
 * average, its launches included.  *device: the same by the device's own clock;
 * NaN if it has none.  False if it failed: `result` says how. */
bool anole_runner_batch(struct anole_runner *runner, uint32_t slot, uint32_t repeats, double *host,
                        double *device, struct anole_result *result);
/* Writes input, bias and residual anew, as a layer before has just done.  False if that failed. */
bool anole_runner_refresh(struct anole_runner *runner);
/* One run of a slot on a poisoned output, held against the reference:
 * result->error and outcome.  False if it failed or is wrong. */
bool anole_runner_prove(struct anole_runner *runner, uint32_t slot, struct anole_result *result);

void anole_runner_unload(struct anole_runner *runner);

/* Builds so far; bytes of host memory behind buffers; whether a kernel may have
 * damaged this process. */
void anole_runner_usage(const struct anole_runner *runner, struct anole_usage *usage);

#endif
