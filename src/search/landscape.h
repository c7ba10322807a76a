/* SPDX-License-Identifier: MIT
 *
 * What is known about a space, knob by knob: the best configs so far (elites),
 * what values they have, and what the model thinks of each value; and the moves
 * from one config to another that this suggests.
 */
#ifndef ANOLE_LANDSCAPE_H
#define ANOLE_LANDSCAPE_H

#include "search/explorer.h"
#include "search/pool.h"

#define ANOLE_LANDSCAPE_ELITES 16

enum anole_move {
    ANOLE_MOVE_DOWN,      /* the value before */
    ANOLE_MOVE_UP,        /* the value after */
    ANOLE_MOVE_RANDOM,    /* any other value */
    ANOLE_MOVE_INCUMBENT, /* the best config's value */
    ANOLE_MOVE_ELITE,     /* the value of one of the elites */
    ANOLE_MOVE_MARGINAL,  /* a value, more likely the better the model thinks of it */
    ANOLE_MOVE_COUNT
};

struct anole_landscape {
    const struct anole_space *space;
    size_t knobs;
    uint32_t counts[ANOLE_MAX_KNOBS];    /* values of each knob */
    size_t offsets[ANOLE_MAX_KNOBS + 1]; /* of a knob's first cell; a cell is one value */
    float *marginals;                   /* cell: mean score of the pool's configs with this value */
    float *weights;                     /* cell: number of them */
    float *frequencies;                 /* cell: share of the elites with this value */
    float importances[ANOLE_MAX_KNOBS]; /* spread of the marginals, the largest being 1 */
    float spread;                       /* standard deviation of the pool's scores */
    size_t elite_count;
    uint64_t elites[ANOLE_LANDSCAPE_ELITES];                  /* best measured first */
    uint16_t digits[ANOLE_LANDSCAPE_ELITES][ANOLE_MAX_KNOBS]; /* theirs */
};

enum anole_status anole_landscape_create(struct anole_landscape **landscape,
                                         const struct anole_space *space,
                                         struct anole_error *error);
void anole_landscape_destroy(struct anole_landscape *landscape);

/* Takes in the elites of the trials. */
void anole_landscape_take_elites(struct anole_landscape *landscape,
                                 const struct anole_trials *trials);
/* Computes the marginals anew, from all that the pool holds. */
void anole_landscape_take_scores(struct anole_landscape *landscape, const struct anole_pool *pool);

/* Moves one knob of `digits`; `guide` is the elite whose value an ELITE move
 * takes.  False if the move changes nothing or cannot be made (then digits are as
 * before).  The result may violate the constraints. */
bool anole_landscape_move(const struct anole_landscape *landscape, uint16_t *digits, size_t knob,
                          enum anole_move move, size_t guide, struct anole_rng *rng);

#endif
