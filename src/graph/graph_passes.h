/* SPDX-License-Identifier: MIT
 *
 * Passes over an inferred graph: each makes it cheaper to run, and leaves what it computes as
 * it was, but for rounding.  Each leaves the graph inferred and in order.
 */
#ifndef ANOLE_GRAPH_PASSES_H
#define ANOLE_GRAPH_PASSES_H

#include "graph/graph.h"

/* Moves transposes to where they cancel out (graph_layout.c). */
enum anole_status anole_graph_layout(struct anole_graph *graph, struct anole_error *error);

/* Makes one node of those that together are a layer normalisation (graph_norm.c). */
enum anole_status anole_graph_norm(struct anole_graph *graph, struct anole_error *error);

/* Makes one node of several that together are an activation (graph_activation.c). */
enum anole_status anole_graph_activation(struct anole_graph *graph, struct anole_error *error);

/* Folds factors and offsets of channels into the weights and the bias of the convolution or
 * dense layer before them (graph_affine.c). */
enum anole_status anole_graph_affine(struct anole_graph *graph, struct anole_error *error);

/* All of these, in the order in which each helps the next: what is left for
 * anole_graph_fuse() to do is the kernels' part. */
enum anole_status anole_graph_simplify(struct anole_graph *graph, struct anole_error *error);

#endif
