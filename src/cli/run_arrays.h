/* SPDX-License-Identifier: MIT
 *
 * What `anole run` feeds a network with, takes from it, and holds that against: files of
 * arrays, by the names of tensors.
 */
#ifndef ANOLE_RUN_ARRAYS_H
#define ANOLE_RUN_ARRAYS_H

#include "frontend/array.h"
#include "graph/graph.h"

/* Elements of inputs or outputs of a graph, in their order; zero-initialise. */
struct anole_values {
    struct anole_operand *items; /* types are the graph's; data NULL: not given */
    size_t count;
};

void anole_values_fini(struct anole_values *values);

/* The tensors that words are about. */
struct anole_value_names {
    const struct anole_graph *graph;
    const size_t *tensors; /* [count] */
    size_t count;
    const char *prefix;    /* of their names by number: "in" has "in_0" */
    const size_t *numbers; /* [count]; NULL: 0, 1, 2, ... */
    /* [tensors of the graph]: their shapes are the largest that may be; NULL: none is */
    const bool *sized;
};

/* Values for these tensors, from words as --input and --check take them: FILE.npz, or
 * NAME=FILE.npy, NAME=FILE.pb, NAME=random, NAME=ramp (NAME= may be left out where there is one
 * tensor).  In an .npz, arrays have the names of tensors, or by number; what fits neither is left
 * out.  Shapes must be those of the tensors; real numbers are rounded to the tensor's type; whole
 * ones must fit it. */
enum anole_status anole_values_load(struct anole_values *values,
                                    const struct anole_value_names *names, const char *const *words,
                                    size_t word_count, uint64_t seed, struct anole_error *error)
    __attribute__((warn_unused_result));

/* Room for all of them, as it is. */
enum anole_status anole_values_reserve(struct anole_values *values, const struct anole_graph *graph,
                                       const size_t *tensors, size_t count,
                                       struct anole_error *error)
    __attribute__((warn_unused_result));

/* Writes them to FILE.npz, or to an .npy each in a folder, which is made. */
enum anole_status anole_values_save(const struct anole_values *values,
                                    const struct anole_graph *graph, const size_t *tensors,
                                    const char *path, struct anole_error *error)
    __attribute__((warn_unused_result));

#endif
