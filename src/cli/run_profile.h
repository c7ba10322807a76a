/* SPDX-License-Identifier: MIT
 *
 * Where the time of a network goes, step by step: a table, JSON, and a trace for Chrome's
 * about:tracing and Perfetto.
 */
#ifndef ANOLE_RUN_PROFILE_H
#define ANOLE_RUN_PROFILE_H

#include "base/json.h"
#include "program/instance.h"

struct anole_profile {
    double *seconds; /* of each step, the median of some runs; NaN: not known */
    size_t count;
    double sum;          /* of what is known */
    double generated;    /* the part of `sum` in kernels of the backend's generator */
    double tuned;        /* and of those that were tuned */
    double tuned_before; /* what tuning measured for the same steps, in sum; NaN: for none */
};

/* Runs the network `runs` times (at least once) with its steps timed.  In the caller's
 * storage. */
enum anole_status anole_profile_init(struct anole_profile *profile, struct anole_instance *instance,
                                     const struct anole_program *program, size_t runs,
                                     struct anole_error *error) __attribute__((warn_unused_result));
/* A zeroed one is fine. */
void anole_profile_fini(struct anole_profile *profile);

enum anole_status anole_profile_print(const struct anole_profile *profile,
                                      const struct anole_program *program,
                                      struct anole_error *error)
    __attribute__((warn_unused_result));
/* An array, a step each; NULL: out of memory. */
json_t *anole_profile_json(const struct anole_profile *profile,
                           const struct anole_program *program);
/* Trace events of one run, its steps one behind the other. */
enum anole_status anole_profile_trace(const struct anole_profile *profile,
                                      const struct anole_program *program, const char *path,
                                      struct anole_error *error)
    __attribute__((warn_unused_result));

#endif
