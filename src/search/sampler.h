/* SPDX-License-Identifier: MIT
 *
 * A sampler picks, from an explorer's candidates, the few that are worth
 * measuring.
 */
#ifndef ANOLE_SAMPLER_H
#define ANOLE_SAMPLER_H

#include "search/explorer.h"

struct anole_sampler_ops {
    const char *name;    /* as in --sampler */
    const char *summary; /* one line for --help */
    /* How many candidates it likes to choose from, for a batch of `batch`. */
    size_t (*candidates)(const struct anole_explorer_context *context, size_t batch);
    /* Up to `batch` distinct, valid, unvisited configs from candidates (sorted,
     * best first); *picked > 0 if count > 0.  May make up configs that are not
     * among the candidates (sample synthesis). */
    enum anole_status (*pick)(const struct anole_explorer_context *context,
                              const struct anole_candidate *candidates, size_t count,
                              struct anole_rng *rng, size_t batch, uint64_t *configs,
                              size_t *picked, struct anole_error *error);
};

enum anole_status anole_sampler_find(const struct anole_sampler_ops **ops, const char *name,
                                     struct anole_error *error);
/* All of them, NULL-terminated; the default first. */
const struct anole_sampler_ops *const *anole_samplers(void);

#endif
