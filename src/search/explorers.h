/* SPDX-License-Identifier: MIT
 *
 * The explorers that there are, and what they share.  For explorer*.c only;
 * everybody else uses explorer.h.
 */
#ifndef ANOLE_EXPLORERS_H
#define ANOLE_EXPLORERS_H

#include "search/explorer.h"
#include "search/pool.h"

extern const struct anole_explorer_ops anole_explorer_rl;
extern const struct anole_explorer_ops anole_explorer_rl_untrained;
extern const struct anole_explorer_ops anole_explorer_chameleon;
extern const struct anole_explorer_ops anole_explorer_annealing;
extern const struct anole_explorer_ops anole_explorer_autotvm;
extern const struct anole_explorer_ops anole_explorer_genetic;
extern const struct anole_explorer_ops anole_explorer_hillclimb;
extern const struct anole_explorer_ops anole_explorer_local;
extern const struct anole_explorer_ops anole_explorer_exhaustive;
extern const struct anole_explorer_ops anole_explorer_random;

/* What every explorer has: its first member. */
struct anole_explorer_base {
    struct anole_explorer_context context;
    struct anole_rng rng;
    struct anole_pool *pool; /* owned */
};

/* _fini() is fine after an _init() that failed, and with NULL. */
enum anole_status anole_explorer_base_init(struct anole_explorer_base *base,
                                           const struct anole_explorer_context *context,
                                           struct anole_error *error);
void anole_explorer_base_fini(struct anole_explorer_base *base);

/* The statistics of an explorer without a policy. */
void anole_explorer_stats_of_pool(struct anole_explorer_stats *stats,
                                  const struct anole_pool *pool);

#endif
