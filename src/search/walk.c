/* SPDX-License-Identifier: MIT */
#include "search/walk.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OWN 11   /* numbers of a knob alone */
#define COMMON 4 /* numbers of the walker, repeated for every knob */
#define WIDTH (OWN + COMMON)
#define CRITIC (COMMON + 2 * OWN) /* the walker's; mean and largest over the knobs */
#define TRIES 4                   /* draws of a move that meets the constraints */

struct walker {
    uint16_t digits[ANOLE_MAX_KNOBS];
    uint16_t next[ANOLE_MAX_KNOBS];  /* what the choice in question leads to */
    uint16_t moved[ANOLE_MAX_KNOBS]; /* step at which the knob moved last, plus 1; 0: not yet */
    size_t step;
    size_t guide;    /* the elite that ELITE moves copy from */
    size_t fruitful; /* steps that led to new configs */
    float score;
};

struct anole_walk {
    struct anole_climber *climber;
    struct anole_rng rng;
    size_t count, horizon;
    struct walker *walkers;
};

enum anole_status anole_walk_create(struct anole_walk **walk, struct anole_climber *climber,
                                    size_t walkers, size_t horizon, const struct anole_rng *rng,
                                    struct anole_error *error)
{
    struct anole_walk *made = calloc(1, sizeof *made);
    if (!made)
        return anole_fail_memory(error);
    made->climber = climber;
    made->count = walkers;
    made->horizon = horizon;
    anole_rng_fork(&made->rng, rng, "walk");
    made->walkers = calloc(walkers, sizeof *made->walkers);
    if (!made->walkers) {
        free(made);
        return anole_fail_memory(error);
    }
    *walk = made;
    return ANOLE_DONE;
}

void anole_walk_destroy(struct anole_walk *walk)
{
    if (!walk)
        return;
    free(walk->walkers);
    free(walk);
}

struct anole_ppo_shape anole_walk_shape(const struct anole_walk *walk)
{
    return (struct anole_ppo_shape){
        .items = walk->climber->landscape->knobs,
        .width = WIDTH,
        .outputs = ANOLE_MOVE_COUNT,
        .heads = 1,
        .context = CRITIC,
    };
}

/* Half of the walkers start from elites, the others from random configs. */
static enum anole_status reset(void *context, size_t index, struct anole_error *error)
{
    struct anole_walk *walk = context;
    const struct anole_climber *climber = walk->climber;
    const struct anole_landscape *landscape = climber->landscape;
    struct walker *walker = &walk->walkers[index];
    uint64_t from = anole_space_default(landscape->space);
    *walker = (struct walker){0};
    if (landscape->elite_count) {
        walker->guide = anole_rng_below(&walk->rng, landscape->elite_count);
        from = landscape->elites[walker->guide];
    }
    if (climber->reserve_count && index % 2)
        from = climber->reserve[anole_rng_below(&walk->rng, climber->reserve_count)];
    anole_space_decode(landscape->space, from, walker->digits);
    return anole_pool_score(climber->pool, &walker->score, NULL, from, error);
}

static float squash(float x)
{
    return x / (1.0f + fabsf(x));
}

/* What is to be seen of one knob, in the position in which a walker has it. */
static void look_at_knob(const struct anole_walk *walk, const struct walker *walker, size_t knob,
                         float *out)
{
    const struct anole_landscape *landscape = walk->climber->landscape;
    const float *marginals = landscape->marginals + landscape->offsets[knob];
    uint32_t count = landscape->counts[knob];
    uint16_t digit = walker->digits[knob];
    float scale = 1.0f / (landscape->spread + 1e-6f), best = -INFINITY;
    for (uint32_t v = 0; v < count; v++)
        best = fmaxf(best, marginals[v]);
    float here = marginals[digit];
    bool known = landscape->elite_count > 0;
    uint16_t goal = known ? landscape->digits[0][knob] : digit;
    out[0] = count > 1 ? 2.0f * (float)digit / (float)(count - 1) - 1.0f : 0.0f;
    out[1] = log2f((float)count) / 6.0f;
    out[2] = anole_space_knob(landscape->space, knob)->categorical ? 1.0f : 0.0f;
    out[3] = digit > 0 ? squash((marginals[digit - 1] - here) * scale) : -1.0f;
    out[4] = digit + 1u < count ? squash((marginals[digit + 1] - here) * scale) : -1.0f;
    out[5] = squash((best - here) * scale);
    out[6] = squash((marginals[goal] - here) * scale);
    out[7] = known && goal == digit ? 1.0f : 0.0f;
    out[8] = landscape->frequencies[landscape->offsets[knob] + digit];
    out[9] = walker->moved[knob] ? 1.0f / (float)(walker->step + 2 - walker->moved[knob]) : 0.0f;
    out[10] = landscape->importances[knob];
}

static void mask_moves(const struct anole_walk *walk, const struct walker *walker, size_t knob,
                       uint8_t *mask)
{
    const struct anole_landscape *landscape = walk->climber->landscape;
    uint32_t count = landscape->counts[knob];
    uint16_t digit = walker->digits[knob];
    bool known = landscape->elite_count > 0;
    mask[ANOLE_MOVE_DOWN] = digit > 0;
    mask[ANOLE_MOVE_UP] = digit + 1u < count;
    mask[ANOLE_MOVE_RANDOM] = count > 1;
    mask[ANOLE_MOVE_INCUMBENT] = known && landscape->digits[0][knob] != digit;
    mask[ANOLE_MOVE_ELITE] = known && landscape->digits[walker->guide][knob] != digit;
    mask[ANOLE_MOVE_MARGINAL] = count > 1;
}

static void observe(void *context, size_t index, float *items, float *critic, uint8_t *mask)
{
    const struct anole_walk *walk = context;
    const struct anole_climber *climber = walk->climber;
    const struct anole_landscape *landscape = climber->landscape;
    const struct walker *walker = &walk->walkers[index];
    size_t knobs = landscape->knobs, alike = 0;
    float bar = anole_pool_rank_score(climber->pool, ANOLE_POOL_RANKS - 1);
    for (size_t k = 0; k < knobs; k++)
        alike += landscape->elite_count && landscape->digits[0][k] == walker->digits[k];
    float *common = critic, *mean = critic + COMMON, *most = mean + OWN;
    common[0] = squash((walker->score - bar) / (landscape->spread + 1e-6f));
    common[1] = (float)walker->step / (float)walk->horizon;
    common[2] = (float)alike / (float)knobs;
    common[3] = walker->step ? (float)walker->fruitful / (float)walker->step : 1.0f;
    if (!isfinite(common[0]))
        common[0] = 0.0f;
    for (size_t c = 0; c < OWN; c++) {
        mean[c] = 0.0f;
        most[c] = -INFINITY;
    }
    for (size_t k = 0; k < knobs; k++) {
        float *item = items + k * WIDTH;
        look_at_knob(walk, walker, k, item);
        memcpy(item + OWN, common, COMMON * sizeof *item);
        mask_moves(walk, walker, k, mask + k * ANOLE_MOVE_COUNT);
        for (size_t c = 0; c < OWN; c++) {
            mean[c] += item[c] / (float)knobs;
            most[c] = fmaxf(most[c], item[c]);
        }
    }
}

/* Where a choice leads depends on chance; so it is drawn here, and step() goes
 * there. */
static bool allowed(void *context, size_t index, size_t head, size_t choice)
{
    struct anole_walk *walk = context;
    const struct anole_landscape *landscape = walk->climber->landscape;
    struct walker *walker = &walk->walkers[index];
    size_t knob = choice / ANOLE_MOVE_COUNT;
    enum anole_move move = (enum anole_move)(choice % ANOLE_MOVE_COUNT);
    bool chance = move == ANOLE_MOVE_RANDOM || move == ANOLE_MOVE_MARGINAL;
    (void)head;
    memcpy(walker->next, walker->digits, landscape->knobs * sizeof *walker->next);
    for (int i = 0; i < (chance ? TRIES : 1); i++) {
        walker->next[knob] = walker->digits[knob];
        if (anole_landscape_move(landscape, walker->next, knob, move, walker->guide, &walk->rng) &&
            anole_space_valid_digits(landscape->space, walker->next))
            return true;
    }
    return false;
}

/* The reward is what the pool gains: a new config that is to be tried counts by
 * how far it is above the eighth best so far. */
static enum anole_status step(void *context, size_t index, const uint16_t *choices, double *reward,
                              bool *done, struct anole_error *error)
{
    struct anole_walk *walk = context;
    struct anole_climber *climber = walk->climber;
    const struct anole_landscape *landscape = climber->landscape;
    struct walker *walker = &walk->walkers[index];
    float bar = anole_pool_rank_score(climber->pool, ANOLE_POOL_RANKS - 1);
    uint64_t config = anole_space_encode(landscape->space, walker->next);
    bool fresh;
    enum anole_status status =
        anole_pool_score(climber->pool, &walker->score, &fresh, config, error);
    if (status != ANOLE_DONE)
        return status;
    memcpy(walker->digits, walker->next, landscape->knobs * sizeof *walker->digits);
    walker->step++;
    walker->moved[choices[0] / ANOLE_MOVE_COUNT] = (uint16_t)walker->step;
    walker->fruitful += fresh;
    *reward = 0.0;
    if (fresh && walker->score > bar && isfinite(bar) &&
        anole_explorer_open(climber->context, config))
        *reward = (double)((walker->score - bar) / (landscape->spread + 1e-6f));
    *done = walker->step >= walk->horizon;
    return ANOLE_DONE;
}

struct anole_ppo_environment anole_walk_environment(struct anole_walk *walk)
{
    return (struct anole_ppo_environment){
        .context = walk,
        .reset = reset,
        .observe = observe,
        .allowed = allowed,
        .step = step,
    };
}
