/* SPDX-License-Identifier: MIT
 *
 * The network that an entry of a lock file was tuned for, read again from its file.
 */
#ifndef ANOLE_LOCKED_GRAPH_H
#define ANOLE_LOCKED_GRAPH_H

#include "graph/graph.h"
#include "record/lockfile.h"

/* Ready to run but for weights that the file leaves out (anole_weights_fill()), in the sizes that
 * it was tuned for.  ERR_INPUT: the file is not there, or cannot be read. */
ANOLE_CHECKED enum anole_status anole_locked_graph_load(struct anole_graph **graph,
                                                        const char *path,
                                                        const struct anole_lock_device *locked,
                                                        struct anole_error *error);

#endif
