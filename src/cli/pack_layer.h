/* SPDX-License-Identifier: MIT
 *
 * Weights of one layer of the network that was tuned, as the program of the network has them.
 */
#ifndef ANOLE_PACK_LAYER_H
#define ANOLE_PACK_LAYER_H

#include "devices/registry.h"
#include "record/lockfile.h"

/* What a layer's step reads. */
struct anole_packed_layer {
    void *data; /* the caller's to free */
    size_t bytes;
};

/* `layer`: a layer's name, or the key of a task of `locked`, whose first layer is meant.  `weights`
 * [bytes]: the layer's, in place of those in the network's file; NULL: these.  *found false, and
 * nothing else: the network is not where it was, or has no such layer, or this is not tuned; `why`
 * says which.  ERR_INPUT: weights of another size, or none in the file. */
ANOLE_CHECKED enum anole_status
anole_pack_layer(struct anole_packed_layer *packed, bool *found, struct anole_error *why,
                 const struct anole_lockfile *lockfile, const struct anole_lock_device *locked,
                 const struct anole_registry *registry, const struct anole_registry_device *device,
                 const char *layer, const char *weights, size_t bytes, struct anole_error *error);

#endif
