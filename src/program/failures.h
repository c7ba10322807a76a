/* SPDX-License-Identifier: MIT
 *
 * Kernels that a device would not build: what else a program has for their steps is used.
 */
#ifndef ANOLE_FAILURES_H
#define ANOLE_FAILURES_H

#include "plugin/kernel.h"

struct anole_kernel_failure {
    char key[ANOLE_TASK_KEY]; /* of the task; "": a plain kernel of an operator */
    uint64_t source_hash;
    char *reason;
};

/* Zero-initialise. */
struct anole_kernel_failures {
    struct anole_kernel_failure *items;
    size_t count;
};

/* A zeroed one is fine. */
void anole_kernel_failures_fini(struct anole_kernel_failures *failures);

enum anole_status anole_kernel_failures_add(struct anole_kernel_failures *failures,
                                            const struct anole_generated *generated,
                                            const char *reason, struct anole_error *error)
    __attribute__((warn_unused_result));

/* Why this kernel failed; NULL: it did not, or `failures` is NULL. */
const char *anole_kernel_failures_find(const struct anole_kernel_failures *failures,
                                       const struct anole_generated *generated);

#endif
