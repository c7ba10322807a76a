/* SPDX-License-Identifier: MIT
 *
 * The learning half for one task: trials -> model -> explorer -> sampler -> the
 * next batch.  The tuner and the search benchmark both drive this.
 */
#ifndef ANOLE_SEARCH_H
#define ANOLE_SEARCH_H

#include "search/explorer.h"
#include "search/sampler.h"
#include "search/siblings.h"

struct anole_search_options {
    const struct anole_explorer_ops *explorer; /* NULL: the default */
    const struct anole_sampler_ops *sampler;   /* NULL: the explorer's own */
    enum anole_cost_model_target target;
    size_t initial; /* configs before the model is asked; 0: the default (16) */
    /* Configs worth trying right after the default one, say the best of similar
     * tasks; copied; may be NULL.  What is invalid or visited is passed over. */
    const uint64_t *suggestions;
    size_t suggestion_count;
    /* Where time is what is spent: some batches are then of configs that share builds with the
     * best so far, and are nearly free.  Copied; executable NULL: trials are what is spent, and
     * each counts alike. */
    struct anole_sharing sharing;
    uint64_t seed;
};

struct anole_search;

/* Space and features are borrowed and must outlive the search.  Trials belong
 * to the caller, who adds to them between two calls; they may hold trials from
 * an earlier run already. */
enum anole_status anole_search_create(struct anole_search **search, const struct anole_space *space,
                                      const struct anole_features *features,
                                      const struct anole_trials *trials,
                                      const struct anole_search_options *options,
                                      struct anole_error *error);
void anole_search_destroy(struct anole_search *search);

/* Takes up what similar tasks teach (see prior.h), in place of what it was told
 * before; at any time, but best before the first batch, which is then chosen by it.
 * The sources are needed during this call only.  The task's own trials must not be
 * among them.  Explorers that need no model do not listen. */
enum anole_status anole_search_inform(struct anole_search *search,
                                      const struct anole_prior_source *sources, size_t count,
                                      struct anole_error *error);

/* The next `batch` configs to measure (0: the explorer's own batch size):
 * distinct, valid, unvisited, and never handed out before, so that a batch can be
 * asked for while the last one is still being measured.  The default config
 * comes first of all, then suggestions, then random start configs (a few only, if
 * there are similar tasks to go by), then what model, explorer and sampler choose.
 * *count 0: nothing unvisited could be found.  configs[capacity]. */
enum anole_status anole_search_next(struct anole_search *search, size_t batch, uint64_t *configs,
                                    size_t capacity, size_t *count, struct anole_error *error);

/* Wall seconds spent so far. */
struct anole_search_cost {
    double model;   /* fitting */
    double explore; /* explorer and its predictions */
    double sample;
};
void anole_search_cost(const struct anole_search *search, struct anole_search_cost *cost);

/* Seconds that a batch of configs[count], with builds and timings, is going to take. */
double anole_search_price(const struct anole_search *search, const uint64_t *configs, size_t count);

/* Of the last proposal. */
void anole_search_stats(const struct anole_search *search, struct anole_explorer_stats *stats);

#endif
