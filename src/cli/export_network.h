/* SPDX-License-Identifier: MIT
 *
 * The half of `anole export` that is about networks: a folder that runs without Anole.
 */
#ifndef ANOLE_EXPORT_NETWORK_H
#define ANOLE_EXPORT_NETWORK_H

#include "cli/run_network.h"

struct anole_export_network {
    const char *file, *output;
    const char *tuned, *device; /* may be NULL */
    uint32_t threads;           /* of a CPU device; 0: all cores */
    struct anole_run_sizes sizes;
};

/* True if a file holds a network, by its name or its first words, and no history. */
bool anole_export_is_network(const char *path);

enum anole_status anole_export_network(const struct anole_export_network *wanted,
                                       struct anole_error *error);

#endif
