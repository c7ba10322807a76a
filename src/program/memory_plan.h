/* SPDX-License-Identifier: MIT
 *
 * Places in one block of memory for things that are not all needed at a time.
 */
#ifndef ANOLE_MEMORY_PLAN_H
#define ANOLE_MEMORY_PLAN_H

#include "base/status.h"

#include <stddef.h>

/* Something that needs `bytes` from step `first` to step `last`, both included. */
struct anole_lifetime {
    size_t bytes; /* 0: it gets offset 0, and takes no place */
    size_t first, last;
    size_t offset; /* set by anole_memory_plan() */
};

/* Gives each a place, such that no two overlap that are needed at a time, at multiples of
 * `alignment`.  *peak: bytes of the block, a multiple of it, too.  Greedy: the largest first,
 * each into the smallest gap that it fits (Pisarchyk and Lee 2020 compare such orders); of
 * two orders, the one with the lower peak.  ERR_INPUT: more than SIZE_MAX / 4 bytes. */
enum anole_status anole_memory_plan(struct anole_lifetime *items, size_t count, size_t alignment,
                                    size_t *peak, struct anole_error *error)
    __attribute__((warn_unused_result));

#endif
