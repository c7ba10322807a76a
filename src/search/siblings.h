/* SPDX-License-Identifier: MIT
 *
 * Configs that share a build with one that is going to be made, or was made: they are tried at
 * the price of a timing.
 */
#ifndef ANOLE_SIBLINGS_H
#define ANOLE_SIBLINGS_H

#include "search/explorer.h"

/* How a search learns which configs share a build; it knows nothing of builds. */
struct anole_sharing {
    /* Configs with the same number do.  False if that is not known of this config. */
    bool (*executable)(void *context, uint64_t *executable, uint64_t config);
    void *context;
    unsigned
        parallel; /* builds that are made at a time, without a timing beside them; at least 1 */
};

/* Up to `wanted` configs that share a build with `base`, differ from it, are valid and still to
 * be tried: those that the model likes best, of what a
 * climb from `base` over the knobs that builds do not depend on sees.  Any of them, if the model
 * says nothing yet.  candidates[wanted], best first; returns how many. */
size_t anole_siblings_find(struct anole_candidate *candidates, size_t wanted,
                           const struct anole_explorer_context *context,
                           const struct anole_sharing *sharing, uint64_t base,
                           struct anole_rng *rng);

#endif
