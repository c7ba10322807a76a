/* SPDX-License-Identifier: MIT
 *
 * What every explorer has.
 */
#include "search/explorers.h"

#include <math.h>

enum anole_status anole_explorer_base_init(struct anole_explorer_base *base,
                                           const struct anole_explorer_context *context,
                                           struct anole_error *error)
{
    base->context = *context;
    base->rng = context->rng;
    base->pool = NULL;
    return anole_pool_create(&base->pool, &base->context, error);
}

void anole_explorer_base_fini(struct anole_explorer_base *base)
{
    anole_pool_destroy(base->pool);
}

void anole_explorer_stats_of_pool(struct anole_explorer_stats *stats, const struct anole_pool *pool)
{
    *stats = (struct anole_explorer_stats){
        .evaluations = anole_pool_evaluations(pool),
        .distinct = anole_pool_distinct(pool),
        .entropy = NAN,
        .reward = NAN,
    };
}
