/* SPDX-License-Identifier: MIT
 *
 * Shared by the two files that read a network's JSON.
 */
#ifndef ANOLE_NETWORK_JSON_H
#define ANOLE_NETWORK_JSON_H

#include "base/json.h"
#include "graph/network_parts.h"

/* Reads what belongs to a layer's kind into `layer`, whose name, kind and line
 * are there; refuses what does not belong.  Inputs are somebody else's. */
enum anole_status anole_layer_read_fields(struct anole_layer *layer,
                                          const struct anole_network *network, const json_t *object,
                                          struct anole_error *error);

/* Fails about a kind that there is not. */
enum anole_status anole_layer_unknown_kind(const struct anole_network *network,
                                           const struct anole_layer *layer, const char *kind,
                                           struct anole_error *error);

#endif
