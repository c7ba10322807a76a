/* SPDX-License-Identifier: MIT
 *
 * The corners of a design space, where what a constraint forgets does most harm.
 */
#ifndef SPACE_GROW_H
#define SPACE_GROW_H

#include "space/space.h"

#include <stdint.h>

/* Raises one ordinal knob after the other, in random order, to the largest value that
 * leaves the config valid. */
static inline uint64_t space_grow(const struct anole_space *space, struct anole_rng *rng,
                                  uint64_t config)
{
    const size_t count = anole_space_knob_count(space);
    size_t order[ANOLE_MAX_KNOBS];
    uint16_t digits[ANOLE_MAX_KNOBS];
    anole_space_decode(space, config, digits);
    for (size_t i = 0; i < count; i++)
        order[i] = i;
    anole_rng_shuffle(rng, order, count);
    for (size_t i = 0; i < count; i++) {
        const struct anole_space_knob *knob = anole_space_knob(space, order[i]);
        const uint16_t before = digits[order[i]];
        if (knob->categorical)
            continue;
        for (uint16_t digit = (uint16_t)(knob->count - 1); digit > before; digit--) {
            digits[order[i]] = digit;
            if (anole_space_valid_digits(space, digits))
                break;
            digits[order[i]] = before;
        }
    }
    return anole_space_encode(space, digits);
}

#endif
