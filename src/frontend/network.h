/* SPDX-License-Identifier: MIT
 *
 * Reads a network from our JSON (docs/network.md has the schema).
 *
 * Layers become nodes of the same names.  There are no weights in such a file: they are
 * parameters (see struct anole_graph_tensor), called LAYER.weights and LAYER.bias.
 */
#ifndef ANOLE_NETWORK_H
#define ANOLE_NETWORK_H

#include "graph/graph.h"
#include "graph/workload.h"

#define ANOLE_NETWORK_MAX_LAYERS ANOLE_GRAPH_MAX_NODES

/* Reads, checks and infers types; nothing is fused.  Every message names the file and, where
 * one is at fault, the line and the layer. */
enum anole_status anole_network_load(struct anole_graph **graph, const char *path,
                                     struct anole_error *error);
/* The same from text; `path` is for messages. */
enum anole_status anole_network_parse(struct anole_graph **graph, const char *text, size_t length,
                                      const char *path, struct anole_error *error);

/* The tasks that it comes to, once what can be fused is. */
enum anole_status anole_network_load_workload(struct anole_workload **workload, const char *path,
                                              struct anole_error *error);
enum anole_status anole_network_parse_workload(struct anole_workload **workload, const char *text,
                                               size_t length, const char *path,
                                               struct anole_error *error);

#endif
