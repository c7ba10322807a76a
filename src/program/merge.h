/* SPDX-License-Identifier: MIT
 *
 * The kernels of a program as a device gets them.  Compilers for OpenCL C take longer to read their
 * own headers than a plain kernel, and a network may have hundreds of these; so some are put into
 * one source, where the device builds each source but once (ANOLE_DEVICE_SHARES_PROGRAMS).
 */
#ifndef ANOLE_MERGE_H
#define ANOLE_MERGE_H

#include "program/program.h"

struct anole_merge;

/* Kernels with one source. */
struct anole_merge_unit {
    size_t *places;                      /* [count], among the program's kernels */
    const struct anole_kernel **kernels; /* the same, perhaps with another source and other names */
    size_t count;
};

/* Of all kernels that a step uses.  The program must outlive it. */
ANOLE_CHECKED enum anole_status anole_merge_create(struct anole_merge **merge,
                                                   const struct anole_program *program,
                                                   struct anole_error *error);
void anole_merge_destroy(struct anole_merge *merge);

size_t anole_merge_count(const struct anole_merge *merge);
const struct anole_merge_unit *anole_merge_unit(const struct anole_merge *merge, size_t i);

#endif
