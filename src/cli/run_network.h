/* SPDX-License-Identifier: MIT
 *
 * A network as `anole run` takes it: from its file to a graph that is ready to run.
 */
#ifndef ANOLE_RUN_NETWORK_H
#define ANOLE_RUN_NETWORK_H

#include "frontend/given.h"

struct anole_run_sizes {
    int64_t batch;             /* the first size of inputs that leave it open; 0: not given */
    const char *const *shapes; /* "NAME=1x3x224x224", [shape_count] */
    size_t shape_count;
    /* Words as anole_values_load() takes them: the arrays in those files say the rest. */
    const char *const *inputs;
    size_t input_count;
};

struct anole_run_network {
    struct anole_loaded loaded;
    size_t filled; /* weights that the file leaves out, and that are random now */
};

/* Reads it, infers types, and makes it cheaper to run; weights that the file leaves out are
 * random, by `seed`. */
enum anole_status anole_run_network_load(struct anole_run_network *network, const char *path,
                                         const struct anole_run_sizes *sizes, uint64_t seed,
                                         struct anole_error *error)
    __attribute__((warn_unused_result));
/* A zeroed one is fine. */
void anole_run_network_fini(struct anole_run_network *network);

/* True if a word of --input ("NAME=...") is about an input that is a constant now. */
bool anole_run_network_knows(const struct anole_run_network *network, const char *word);

#endif
