/* SPDX-License-Identifier: MIT
 *
 * The environment of the default explorer's agent: walkers in the design space,
 * each step moves one knob of a config, by one of a few moves.  What the agent
 * sees is per knob, and so is its policy: one small network serves spaces of any
 * size.
 */
#ifndef ANOLE_WALK_H
#define ANOLE_WALK_H

#include "search/climb.h"
#include "search/ppo.h"

struct anole_walk;

/* The climber's pool, landscape and reserve are what the walkers see; it is
 * borrowed.  An episode has `horizon` steps. */
enum anole_status anole_walk_create(struct anole_walk **walk, struct anole_climber *climber,
                                    size_t walkers, size_t horizon, const struct anole_rng *rng,
                                    struct anole_error *error);
void anole_walk_destroy(struct anole_walk *walk);

/* The shape of an agent for it, and the environment. */
struct anole_ppo_shape anole_walk_shape(const struct anole_walk *walk);
struct anole_ppo_environment anole_walk_environment(struct anole_walk *walk);

#endif
