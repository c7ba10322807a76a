/* SPDX-License-Identifier: MIT
 *
 * Hill climbing on the cost model, from the elites, from random configs, and from
 * wherever else a caller likes to start; all that is scored goes into one pool.
 */
#ifndef ANOLE_CLIMB_H
#define ANOLE_CLIMB_H

#include "search/landscape.h"
#include "search/pool.h"

#define ANOLE_CLIMBER_RESERVE 256

struct anole_climber {
    const struct anole_explorer_context *context; /* borrowed */
    struct anole_pool *pool;                      /* borrowed */
    struct anole_rng rng;
    struct anole_landscape *landscape;       /* owned */
    uint64_t reserve[ANOLE_CLIMBER_RESERVE]; /* random configs; some are renewed each time */
    size_t reserve_count;
    size_t reserve_next; /* to be renewed */
};

enum anole_status anole_climber_create(struct anole_climber **climber,
                                       const struct anole_explorer_context *context,
                                       struct anole_pool *pool, struct anole_error *error);
void anole_climber_destroy(struct anole_climber *climber);

/* Empties the pool; scores the elites, their neighbours by one knob (of the first
 * few) and the reserve; learns the landscape from that. */
enum anole_status anole_climber_begin(struct anole_climber *climber, struct anole_error *error);

/* Climbs from a config until `patience` moves in a row brought nothing. */
enum anole_status anole_climber_climb(struct anole_climber *climber, uint64_t from, size_t patience,
                                      struct anole_error *error);

/* Climbs again and again, from the elites, the best candidates and random
 * configs in turn, until the pool has been asked `evaluations` times. */
enum anole_status anole_climber_run(struct anole_climber *climber, size_t evaluations,
                                    struct anole_error *error);

#endif
