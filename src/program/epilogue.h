/* SPDX-License-Identifier: MIT
 *
 * What a graph has fused into a node, done after it by itself: where the node's kernel is
 * a plain one, or the host computes it.  out = activation(out + residual), in place.
 */
#ifndef ANOLE_EPILOGUE_H
#define ANOLE_EPILOGUE_H

#include "graph/graph.h"
#include "plugin/kernel.h"

/* True if something was fused into the node. */
bool anole_epilogue_wanted(const struct anole_node *node);

/* The kernel: its input 0 is the residual (0 bytes: there is none), its output 0 what it
 * works on.  ERR_INPUT: none for this type or activation. */
enum anole_status
anole_epilogue_generate(struct anole_generated **generated, const struct anole_graph *graph,
                        const struct anole_node *node, const struct anole_backend *backend,
                        const struct anole_device *device, struct anole_error *error)
    __attribute__((warn_unused_result));

/* The same on the host.  residual->data and output->data are there; residual NULL: none.
 * ERR_INPUT: an activation that is not known. */
enum anole_status anole_epilogue_compute(const struct anole_node *node,
                                         const struct anole_operand *residual,
                                         struct anole_operand *output, struct anole_error *error)
    __attribute__((warn_unused_result));

#endif
