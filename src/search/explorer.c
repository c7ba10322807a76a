/* SPDX-License-Identifier: MIT */
#include "search/explorer.h"

#include "base/hash.h"

#include <stdlib.h>

bool anole_explorer_open(const struct anole_explorer_context *context, uint64_t config)
{
    return !(context->pending && anole_config_map_has(context->pending, config)) &&
           !anole_trials_visited(context->trials, config);
}

/* Equals in an order that depends on the salt alone. */
static int best_first(const void *a, const void *b, void *salt)
{
    const struct anole_candidate *x = a, *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    uint64_t hx = anole_hash_combine(*(uint64_t *)salt, x->config);
    uint64_t hy = anole_hash_combine(*(uint64_t *)salt, y->config);
    if (hx != hy)
        return hx < hy ? -1 : 1;
    return (x->config > y->config) - (x->config < y->config);
}

void anole_candidates_sort(struct anole_candidate *candidates, size_t count, struct anole_rng *rng)
{
    uint64_t salt = anole_rng_u64(rng);
    qsort_r(candidates, count, sizeof *candidates, best_first, &salt);
}
