/* SPDX-License-Identifier: MIT
 *
 * The constants of a program as their places are to hold them: weights as kernels read them,
 * packed or from the cache, and all others as they are.
 */
#ifndef ANOLE_PROGRAM_CONSTANTS_H
#define ANOLE_PROGRAM_CONSTANTS_H

#include "program/cache.h"

/* Writes one: out[constant->place.bytes].  *cached: it came from the cache. */
ANOLE_CHECKED enum anole_status
anole_program_write_constant(const struct anole_program *program, struct anole_program_cache *cache,
                             const struct anole_program_constant *constant, void *out, bool *cached,
                             struct anole_error *error);

/* Writes all, the i-th to out[i], by `threads` threads: this one and others.  *cached: how many
 * came from the cache. */
ANOLE_CHECKED enum anole_status anole_program_write_constants(const struct anole_program *program,
                                                              struct anole_program_cache *cache,
                                                              void *const *out, uint32_t threads,
                                                              size_t *cached,
                                                              struct anole_error *error);

#endif
