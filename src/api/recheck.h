/* SPDX-License-Identifier: MIT
 *
 * An entry of a lock file, built and run again: what verifying and adopting share.
 */
#ifndef ANOLE_API_RECHECK_H
#define ANOLE_API_RECHECK_H

#include "api/api.h"
#include "measure/measure.h"
#include "program/tuned.h"
#include "tune/tuner.h"

#define ANOLE_RECHECK_SECONDS 2.0 /* of timing, a task */
/* A kernel counts as slower than the default if even the better end of the interval says so,
   by this much: of twenty intervals of 95 %, one is off by chance, and then by little. */
#define ANOLE_RECHECK_SLOWER 0.98

struct anole_recheck {
    struct anole_verified info;
    bool ran;                     /* false: it was not wanted, and of `info` there is `tuned` */
    struct anole_tuned_task task; /* which measuring may go back to until the end */
    char label[64], differs[256];
    struct anole_result result;
    struct anole_tuner_final final;
};
/* Releases all of them; NULL is fine. */
void anole_rechecks_destroy(struct anole_recheck *checks, size_t count);

/* Builds it, holds it against the reference, and times it in turn with the default, for about
 * `seconds`; 0: ANOLE_RECHECK_SECONDS. */
enum anole_status anole_recheck_run(struct anole_recheck *check, const struct anole_tuned *tuned,
                                    const struct anole_lock_task *entry,
                                    const struct anole_listed_device *device,
                                    struct anole_measure *measure, double seconds,
                                    struct anole_error *error);

/* Measures once more what has been run: that counts. */
enum anole_status anole_recheck_again(struct anole_recheck *check,
                                      const struct anole_lock_task *entry,
                                      struct anole_measure *measure, double seconds,
                                      struct anole_error *error);

/* Bytes of constants, so that what was timed cold is so again. */
uint64_t anole_recheck_constants(const struct anole_lock_device *locked,
                                 const struct anole_device *described);

/* Of each task that the lock file has for the device's backend in this precision (enum anole_dtype;
 * 0: the first there is), the most similar entries, one after the other until one can be adopted;
 * writes those into the lock file `path`.  *checks is the caller's to destroy. */
enum anole_status anole_adopt(struct anole_recheck **checks, size_t *count,
                              const struct anole_tuned *tuned,
                              const struct anole_listed_device *device, uint32_t dtype,
                              const char *path, struct anole_error *error);

#endif
