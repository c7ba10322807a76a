/* SPDX-License-Identifier: MIT
 *
 * Is the kernel of a config right?  Built and run once in a worker process, and held against the
 * task's reference, before somebody uses it that nobody has tried it for.  What was right is
 * remembered in the user's cache, as long as its source, the device and its driver are the same.
 */
#ifndef ANOLE_PROVE_H
#define ANOLE_PROVE_H

#include "measure/measure.h"

struct anole_disk_cache;

/* In the caller's storage; fill in the first five, and zero the rest. */
struct anole_prover {
    const struct anole_registry *registry;
    const struct anole_registry_device *device;
    uint32_t threads;            /* of a CPU device; 0: all */
    bool (*stop)(void *context); /* as of struct anole_measure_options */
    void *stop_context;
    struct anole_measure *measure; /* NULL until there is something to prove */
    struct anole_disk_cache *cache;
    bool opened; /* the cache, if it can be had */
};

/* *right; if it is false, `why`, printable.  That a kernel cannot be tried (its reference takes too
 * long, the device is lost) is no failure of this, and the kernel not right. */
ANOLE_CHECKED enum anole_status anole_prove(struct anole_prover *prover,
                                            const struct anole_generator *generator,
                                            uint64_t config, bool *right, char *why, size_t size,
                                            struct anole_error *error);

/* Ends its workers, and frees what it holds. */
void anole_prover_fini(struct anole_prover *prover);

#endif
