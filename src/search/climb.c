/* SPDX-License-Identifier: MIT */
#include "search/climb.h"

#include <stdlib.h>
#include <string.h>

#define RENEWED 32       /* of the reserve, each time */
#define NEIGHBOURHOODS 3 /* elites whose neighbours are all scored */
#define WIDE_KNOB 48     /* of a knob with more values, so many are looked at */
#define PATIENCE 48

enum anole_status anole_climber_create(struct anole_climber **climber,
                                       const struct anole_explorer_context *context,
                                       struct anole_pool *pool, struct anole_error *error)
{
    struct anole_climber *made = calloc(1, sizeof *made);
    if (!made)
        return anole_fail_memory(error);
    made->context = context;
    made->pool = pool;
    anole_rng_fork(&made->rng, &context->rng, "climb");
    enum anole_status status = anole_landscape_create(&made->landscape, context->space, error);
    if (status != ANOLE_DONE) {
        free(made);
        return status;
    }
    *climber = made;
    return ANOLE_DONE;
}

void anole_climber_destroy(struct anole_climber *climber)
{
    if (!climber)
        return;
    anole_landscape_destroy(climber->landscape);
    free(climber);
}

static void renew_reserve(struct anole_climber *climber)
{
    size_t wanted = climber->reserve_count ? RENEWED : ANOLE_CLIMBER_RESERVE;
    for (size_t i = 0; i < wanted; i++) {
        uint64_t config;
        if (!anole_space_sample(climber->context->space, &climber->rng, &config))
            continue;
        size_t at = climber->reserve_count < ANOLE_CLIMBER_RESERVE
                        ? climber->reserve_count++
                        : climber->reserve_next++ % ANOLE_CLIMBER_RESERVE;
        climber->reserve[at] = config;
    }
}

static enum anole_status score(struct anole_climber *climber, uint64_t config,
                               struct anole_error *error)
{
    float ignored;
    return anole_pool_score(climber->pool, &ignored, NULL, config, error);
}

/* Scores all valid configs that differ from an elite in one knob. */
static enum anole_status score_neighbours(struct anole_climber *climber, size_t elite,
                                          struct anole_error *error)
{
    const struct anole_space *space = climber->context->space;
    const struct anole_landscape *landscape = climber->landscape;
    enum anole_status status = ANOLE_DONE;
    uint16_t digits[ANOLE_MAX_KNOBS];
    memcpy(digits, landscape->digits[elite], sizeof digits);
    for (size_t k = 0; k < landscape->knobs; k++) {
        uint32_t count = landscape->counts[k];
        uint16_t old = digits[k];
        for (uint32_t i = 0; i < count && i < WIDE_KNOB && status == ANOLE_DONE; i++) {
            digits[k] = (uint16_t)(count > WIDE_KNOB ? anole_rng_below(&climber->rng, count) : i);
            if (digits[k] != old && anole_space_valid_digits(space, digits))
                status = score(climber, anole_space_encode(space, digits), error);
        }
        digits[k] = old;
    }
    return status;
}

enum anole_status anole_climber_begin(struct anole_climber *climber, struct anole_error *error)
{
    struct anole_landscape *landscape = climber->landscape;
    enum anole_status status = ANOLE_DONE;
    anole_pool_clear(climber->pool);
    anole_landscape_take_elites(landscape, climber->context->trials);
    renew_reserve(climber);
    for (size_t i = 0; i < climber->reserve_count && status == ANOLE_DONE; i++)
        status = score(climber, climber->reserve[i], error);
    for (size_t e = 0; e < landscape->elite_count && status == ANOLE_DONE; e++)
        status = score(climber, landscape->elites[e], error);
    anole_landscape_take_scores(landscape, climber->pool);
    for (size_t e = 0; e < landscape->elite_count && e < NEIGHBOURHOODS && status == ANOLE_DONE;
         e++)
        status = score_neighbours(climber, e, error);
    return status;
}

/* A step to another valid config; false if the draw was none. */
static bool draw_step(struct anole_climber *climber, uint16_t *digits)
{
    const struct anole_landscape *landscape = climber->landscape;
    struct anole_rng *rng = &climber->rng;
    /* Constraints couple knobs, so that a step must sometimes move two or three. */
    size_t moves = 1;
    while (moves < 3 && anole_rng_below(rng, 3) == 0)
        moves++;
    bool moved = false;
    if (landscape->knobs == 0)
        return false; /* there is one config */
    size_t guide = landscape->elite_count ? anole_rng_below(rng, landscape->elite_count) : 0;
    for (size_t m = 0; m < moves; m++) {
        size_t knob = anole_rng_below(rng, landscape->knobs);
        enum anole_move move = (enum anole_move)anole_rng_below(rng, ANOLE_MOVE_COUNT);
        moved |= anole_landscape_move(landscape, digits, knob, move, guide, rng);
    }
    return moved && anole_space_valid_digits(climber->context->space, digits);
}

enum anole_status anole_climber_climb(struct anole_climber *climber, uint64_t from, size_t patience,
                                      struct anole_error *error)
{
    const struct anole_space *space = climber->context->space;
    size_t size = climber->landscape->knobs * sizeof(uint16_t);
    uint16_t here[ANOLE_MAX_KNOBS], there[ANOLE_MAX_KNOBS];
    float best, found;
    enum anole_status status = anole_pool_score(climber->pool, &best, NULL, from, error);
    anole_space_decode(space, from, here);
    for (size_t waited = 0; waited < patience && status == ANOLE_DONE; waited++) {
        memcpy(there, here, size);
        if (!draw_step(climber, there))
            continue;
        bool fresh;
        status = anole_pool_score(climber->pool, &found, &fresh, anole_space_encode(space, there),
                                  error);
        /* Trees are flat in places: walk on over ground that is new. */
        if (status != ANOLE_DONE || found < best || (found == best && !fresh))
            continue;
        if (found > best)
            waited = 0;
        best = found;
        memcpy(here, there, size);
    }
    return status;
}

enum anole_status anole_climber_run(struct anole_climber *climber, size_t evaluations,
                                    struct anole_error *error)
{
    const struct anole_landscape *landscape = climber->landscape;
    enum anole_status status = ANOLE_DONE;
    /* Rounds are bounded too: where nothing valid is near, nothing is scored. */
    for (size_t round = 0; round < evaluations && status == ANOLE_DONE; round++) {
        if (anole_pool_evaluations(climber->pool) >= evaluations)
            break;
        uint64_t from;
        size_t elite = round / 2;
        if (round % 2 == 0 && elite < landscape->elite_count)
            from = landscape->elites[elite];
        else if (climber->reserve_count)
            from = climber->reserve[anole_rng_below(&climber->rng, climber->reserve_count)];
        else
            from = anole_space_default(climber->context->space);
        status = anole_climber_climb(climber, from, PATIENCE, error);
    }
    return status;
}
