/* SPDX-License-Identifier: MIT
 *
 * Where to begin in a new task's design space, besides its default config: what
 * was best for similar tasks, and small changes of the default.
 */
#ifndef ANOLE_SUGGEST_H
#define ANOLE_SUGGEST_H

#include "base/rng.h"
#include "space/space.h"

/* The config of `to` that comes closest to `config` of `from`: knobs are matched
 * by name, values by equality, else (ordinal knobs) by the nearest; knobs that
 * only `to` has keep their default.  False if that is invalid. */
bool anole_suggest_translate(uint64_t *translated, const struct anole_space *to,
                             const struct anole_space *from, uint64_t config);

/* Up to `wanted` distinct valid configs that differ from `config` in one to three
 * knobs; returns how many were found. */
size_t anole_suggest_neighbours(uint64_t *configs, size_t wanted, const struct anole_space *space,
                                uint64_t config, struct anole_rng *rng);

#endif
