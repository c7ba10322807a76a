/* SPDX-License-Identifier: MIT */
#include "search/pool.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct anole_pool {
    const struct anole_explorer_context *context;
    struct anole_config_map places; /* of configs in `scored` */
    struct anole_candidate *scored;
    bool *open; /* still to be tried */
    size_t count, capacity;
    size_t evaluations;
    float top[ANOLE_POOL_RANKS]; /* the best open scores, descending */
    size_t top_count;
};

enum anole_status anole_pool_create(struct anole_pool **pool,
                                    const struct anole_explorer_context *context,
                                    struct anole_error *error)
{
    struct anole_pool *made = calloc(1, sizeof *made);
    if (!made)
        return anole_fail_memory(error);
    made->context = context;
    *pool = made;
    return ANOLE_DONE;
}

void anole_pool_destroy(struct anole_pool *pool)
{
    if (!pool)
        return;
    anole_config_map_fini(&pool->places);
    free(pool->scored);
    free(pool->open);
    free(pool);
}

void anole_pool_clear(struct anole_pool *pool)
{
    anole_config_map_clear(&pool->places);
    pool->count = pool->evaluations = pool->top_count = 0;
}

static bool reserve(struct anole_pool *pool)
{
    if (pool->count < pool->capacity)
        return true;
    size_t capacity = pool->capacity ? 2 * pool->capacity : 1024;
    struct anole_candidate *scored = reallocarray(pool->scored, capacity, sizeof *scored);
    if (!scored)
        return false;
    pool->scored = scored;
    bool *open = reallocarray(pool->open, capacity, sizeof *open);
    if (!open)
        return false;
    pool->open = open;
    pool->capacity = capacity;
    return true;
}

static void enter_top(struct anole_pool *pool, float score)
{
    size_t i = pool->top_count;
    if (i == ANOLE_POOL_RANKS) {
        if (score <= pool->top[i - 1])
            return;
        i--;
    } else {
        pool->top_count++;
    }
    for (; i > 0 && pool->top[i - 1] < score; i--)
        pool->top[i] = pool->top[i - 1];
    pool->top[i] = score;
}

enum anole_status anole_pool_score(struct anole_pool *pool, float *score, bool *fresh,
                                   uint64_t config, struct anole_error *error)
{
    pool->evaluations++;
    uint32_t place = anole_config_map_get(&pool->places, config);
    if (fresh)
        *fresh = place == UINT32_MAX;
    if (place != UINT32_MAX) {
        *score = pool->scored[place].score;
        return ANOLE_DONE;
    }
    if (pool->count >= UINT32_MAX - 1 || !reserve(pool) ||
        !anole_config_map_put(&pool->places, config, (uint32_t)pool->count))
        return anole_fail_memory(error);
    anole_cost_model_predict(pool->context->model, &config, 1, score);
    bool open = anole_explorer_open(pool->context, config);
    pool->scored[pool->count] = (struct anole_candidate){config, *score};
    pool->open[pool->count++] = open;
    if (open)
        enter_top(pool, *score);
    return ANOLE_DONE;
}

size_t anole_pool_evaluations(const struct anole_pool *pool)
{
    return pool->evaluations;
}

size_t anole_pool_distinct(const struct anole_pool *pool)
{
    return pool->count;
}

struct anole_candidate anole_pool_get(const struct anole_pool *pool, size_t i)
{
    return pool->scored[i];
}

float anole_pool_rank_score(const struct anole_pool *pool, size_t rank)
{
    if (!pool->top_count)
        return -INFINITY;
    return pool->top[rank < pool->top_count ? rank : pool->top_count - 1];
}

enum anole_status anole_pool_best(const struct anole_pool *pool, struct anole_candidate *candidates,
                                  size_t capacity, size_t *count, struct anole_rng *rng,
                                  struct anole_error *error)
{
    struct anole_candidate *open = calloc(pool->count + 1, sizeof *open);
    if (!open)
        return anole_fail_memory(error);
    size_t n = 0;
    for (size_t i = 0; i < pool->count; i++)
        if (pool->open[i])
            open[n++] = pool->scored[i];
    anole_candidates_sort(open, n, rng);
    *count = n < capacity ? n : capacity;
    memcpy(candidates, open, *count * sizeof *open);
    free(open);
    return ANOLE_DONE;
}
