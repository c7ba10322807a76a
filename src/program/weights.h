/* SPDX-License-Identifier: MIT
 *
 * Weights for networks that come without any, as those of our JSON: random, but such that
 * what comes out of a layer is about as large as what goes in.
 */
#ifndef ANOLE_WEIGHTS_H
#define ANOLE_WEIGHTS_H

#include "graph/graph.h"

/* Gives data to the parameters of the graph, which then are constants.
 * The same seed and the same name give the same data.  *filled: how many. */
enum anole_status anole_weights_fill(struct anole_graph *graph, size_t *filled, uint64_t seed,
                                     struct anole_error *error) __attribute__((warn_unused_result));

/* Random elements of a type: uniform in +-[1/2, 1) times `scale`; whole numbers are 0 or 1.
 * type->data is there. */
void anole_weights_random(struct anole_operand *type, uint64_t seed, const char *name,
                          double scale);

#endif
