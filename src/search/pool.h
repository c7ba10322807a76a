/* SPDX-License-Identifier: MIT
 *
 * The pool of one proposal: every config that an explorer has scored, once, with
 * the model's score; and the best of those that are still to be tried.
 */
#ifndef ANOLE_POOL_H
#define ANOLE_POOL_H

#include "search/explorer.h"

struct anole_pool;

/* The context is borrowed. */
enum anole_status anole_pool_create(struct anole_pool **pool,
                                    const struct anole_explorer_context *context,
                                    struct anole_error *error);
void anole_pool_destroy(struct anole_pool *pool);

/* Empties it, for the next proposal. */
void anole_pool_clear(struct anole_pool *pool);

/* The model's score of a valid config, from memory if it was asked before;
 * *fresh (which may be NULL) tells whether it was not. */
enum anole_status anole_pool_score(struct anole_pool *pool, float *score, bool *fresh,
                                   uint64_t config, struct anole_error *error);

/* How often it was asked; about how many distinct configs. */
size_t anole_pool_evaluations(const struct anole_pool *pool);
size_t anole_pool_distinct(const struct anole_pool *pool);

/* The i-th distinct config and its score, in the order in which they came. */
struct anole_candidate anole_pool_get(const struct anole_pool *pool, size_t i);

/* The score of the best, second best, ... config that is still to be tried, for
 * ranks below ANOLE_POOL_RANKS; of the last one there is, if there are fewer;
 * -INFINITY if there is none. */
#define ANOLE_POOL_RANKS 8
float anole_pool_rank_score(const struct anole_pool *pool, size_t rank);

/* The best configs that are still to be tried, best first, equals in random
 * order. */
enum anole_status anole_pool_best(const struct anole_pool *pool, struct anole_candidate *candidates,
                                  size_t capacity, size_t *count, struct anole_rng *rng,
                                  struct anole_error *error);

#endif
