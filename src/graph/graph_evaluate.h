/* SPDX-License-Identifier: MIT
 *
 * A graph computed on the host, node after node, by the operators' references: slow, and what
 * everything else is held to.
 */
#ifndef ANOLE_GRAPH_EVALUATE_H
#define ANOLE_GRAPH_EVALUATE_H

#include "graph/graph.h"

/* inputs[graph->input_count]: types as the graph has them, with data.  outputs[output_count]
 * get their types, and data that is the caller's to free; on failure they are left alone.
 * Sizes that depend on data are what they come to.  Nodes must not have anything fused into
 * them.  ERR_INPUT: an input of another type, or values that an operator does not take. */
enum anole_status anole_graph_evaluate(const struct anole_graph *graph,
                                       const struct anole_operand *inputs,
                                       struct anole_operand *outputs, struct anole_error *error);

#endif
