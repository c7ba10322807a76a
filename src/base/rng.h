/* SPDX-License-Identifier: MIT
 *
 * The one source of random numbers: xoshiro256** (Blackman and Vigna, 2018),
 * seeded through splitmix64.  Everything random in a run descends from one seed
 * by named forks, so that a change in one place does not shift the numbers in
 * another.
 */
#ifndef ANOLE_RNG_H
#define ANOLE_RNG_H

#include <stddef.h>
#include <stdint.h>

struct anole_rng {
    uint64_t state[4];
    double spare; /* a second normal deviate, if has_spare */
    int has_spare;
};

void anole_rng_init(struct anole_rng *rng, uint64_t seed);

/* A stream of its own, determined by the parent's seed-state and the label;
 * does not advance the parent. */
void anole_rng_fork(struct anole_rng *child, const struct anole_rng *parent, const char *label);

uint64_t anole_rng_u64(struct anole_rng *rng);

/* Uniform in [0, bound), without bias; bound >= 1. */
uint64_t anole_rng_below(struct anole_rng *rng, uint64_t bound);

/* Uniform in [0, 1). */
double anole_rng_uniform(struct anole_rng *rng);

/* Standard normal. */
double anole_rng_normal(struct anole_rng *rng);

/* Fisher-Yates shuffle of n indices. */
void anole_rng_shuffle(struct anole_rng *rng, size_t *items, size_t n);

#endif
