/* SPDX-License-Identifier: MIT
 *
 * What of starting a network is kept on disk (base/disk_cache.h): built kernels, as the
 * backend hands them over, and weights, as kernels read them.
 *
 * A built kernel is found by all that it is made of: source, options and launches; the backend, its
 * file and its generator's number; device and driver with their versions; and, where the device is
 * the host's, the features of its processor, for which drivers compile.  Packed weights are found
 * by the same, by the task and the config, and by a hash of what is packed.
 */
#ifndef ANOLE_PROGRAM_CACHE_H
#define ANOLE_PROGRAM_CACHE_H

#include "base/disk_cache.h"
#include "program/program.h"

struct anole_program_cache;

/* The user's (anole_disk_cache_open_default()); it may turn out to be none, and is then always
 * empty.  `driver` as for anole_instance_create(). */
ANOLE_CHECKED enum anole_status anole_program_cache_create(struct anole_program_cache **cache,
                                                           const struct anole_program *program,
                                                           const char *driver,
                                                           struct anole_error *error);
void anole_program_cache_destroy(struct anole_program_cache *cache);
/* Whether there is one. */
bool anole_program_cache_exists(const struct anole_program_cache *cache);

/* Finds or stores the binary of kernels[count], which have one source, or what belongs to a
 * constant.  Running out of memory is the same as having nothing. */
bool anole_program_cache_find_kernels(struct anole_disk_entry *binary,
                                      struct anole_program_cache *cache,
                                      const struct anole_kernel *const *kernels, size_t count)
    __attribute__((warn_unused_result));
void anole_program_cache_store_kernels(struct anole_program_cache *cache,
                                       const struct anole_kernel *const *kernels, size_t count,
                                       const void *binary, size_t bytes);

/* Of a constant that its kernel lays out: reads it to out[bytes of its place], whose contents are
 * undefined if it is not found.  Threads may look for different constants side by side. */
bool anole_program_cache_read_weights(void *out, struct anole_program_cache *cache,
                                      const struct anole_program_constant *constant)
    __attribute__((warn_unused_result));
void anole_program_cache_store_weights(struct anole_program_cache *cache,
                                       const struct anole_program_constant *constant,
                                       const void *packed);

#endif
