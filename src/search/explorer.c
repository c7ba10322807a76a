/* SPDX-License-Identifier: MIT */
#include "search/explorer.h"

#include "base/choice.h"
#include "base/hash.h"
#include "search/explorers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct anole_explorer_ops *const explorers[] = {
    &anole_explorer_rl,
    &anole_explorer_rl_untrained,
    &anole_explorer_chameleon,
    &anole_explorer_annealing,
    &anole_explorer_autotvm,
    &anole_explorer_genetic,
    &anole_explorer_hillclimb,
    &anole_explorer_local,
    &anole_explorer_exhaustive,
    &anole_explorer_random,
    NULL,
};

const struct anole_explorer_ops *const *anole_explorers(void)
{
    return explorers;
}

enum anole_status anole_explorer_find(const struct anole_explorer_ops **ops, const char *name,
                                      struct anole_error *error)
{
    const char *names[sizeof explorers / sizeof *explorers];
    size_t count = 0, index;
    for (; explorers[count]; count++)
        names[count] = explorers[count]->name;
    enum anole_status status = anole_choice_find(&index, "explorer", name, names, count, error);
    if (status == ANOLE_DONE)
        *ops = explorers[index];
    return status;
}

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
