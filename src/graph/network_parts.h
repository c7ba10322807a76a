/* SPDX-License-Identifier: MIT
 *
 * What the files network*.c share among themselves.  anole_network_finish() goes
 * through these steps in this order.
 */
#ifndef ANOLE_NETWORK_PARTS_H
#define ANOLE_NETWORK_PARTS_H

#include "graph/network.h"

/* Sets the shape of each layer, and padding, groups and channels that come from
 * its inputs. */
enum anole_status anole_network_infer(struct anole_network *network, struct anole_error *error);

/* Sets fused_into and residual; may change the order of the layers. */
enum anole_status anole_network_fuse(struct anole_network *network, struct anole_error *error);

/* Collects the distinct tasks. */
enum anole_status anole_network_collect(struct anole_network *network, struct anole_error *error);

/* The line on which each element of the array "layers" of the top-level object
 * starts, for the first `count` of them; text that Jansson has accepted. */
void anole_network_lines(int *lines, size_t count, const char *text, size_t length);

#endif
