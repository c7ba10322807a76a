/* SPDX-License-Identifier: MIT */
#include "base/rng.h"

#include "base/hash.h"

#include <math.h>

static uint64_t splitmix64(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void anole_rng_init(struct anole_rng *rng, uint64_t seed)
{
    for (int i = 0; i < 4; i++)
        rng->state[i] = splitmix64(&seed);
    rng->has_spare = 0;
    rng->spare = 0.0;
}

void anole_rng_fork(struct anole_rng *child, const struct anole_rng *parent, const char *label)
{
    uint64_t hash = anole_hash_text(label);
    for (int i = 0; i < 4; i++)
        hash = anole_hash_combine(hash, parent->state[i]);
    anole_rng_init(child, hash);
}

static uint64_t rotate_left(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

uint64_t anole_rng_u64(struct anole_rng *rng)
{
    uint64_t *s = rng->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t anole_rng_below(struct anole_rng *rng, uint64_t bound)
{
    /* Reject the short last stretch, which would favour small numbers. */
    uint64_t threshold = -bound % bound;
    for (;;) {
        uint64_t r = anole_rng_u64(rng);
        if (r >= threshold)
            return r % bound;
    }
}

double anole_rng_uniform(struct anole_rng *rng)
{
    return (double)(anole_rng_u64(rng) >> 11) * 0x1.0p-53;
}

double anole_rng_normal(struct anole_rng *rng)
{
    if (rng->has_spare) {
        rng->has_spare = 0;
        return rng->spare;
    }
    /* Marsaglia's polar method. */
    double u, v, s;
    do {
        u = 2.0 * anole_rng_uniform(rng) - 1.0;
        v = 2.0 * anole_rng_uniform(rng) - 1.0;
        s = u * u + v * v;
    } while (s >= 1.0 || s == 0.0);
    double scale = sqrt(-2.0 * log(s) / s);
    rng->spare = v * scale;
    rng->has_spare = 1;
    return u * scale;
}

void anole_rng_shuffle(struct anole_rng *rng, size_t *items, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = anole_rng_below(rng, i);
        size_t t = items[i - 1];
        items[i - 1] = items[j];
        items[j] = t;
    }
}
