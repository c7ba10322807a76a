/* SPDX-License-Identifier: MIT */
#include "tune/suggest.h"

/* Draws for each neighbour wanted; most changes of a valid config are invalid. */
#define DRAWS 100

/* Position of the value nearest to `value`; of an equal one where there is. */
static bool match(uint16_t *digit, const struct anole_space_knob *knob, int64_t value)
{
    uint64_t nearest = UINT64_MAX;
    for (uint32_t i = 0; i < knob->count; i++) {
        int64_t own = knob->values[i];
        uint64_t distance =
            own > value ? (uint64_t)own - (uint64_t)value : (uint64_t)value - (uint64_t)own;
        if (distance < nearest) {
            nearest = distance;
            *digit = (uint16_t)i;
        }
    }
    return nearest == 0 || !knob->categorical;
}

bool anole_suggest_translate(uint64_t *translated, const struct anole_space *to,
                             const struct anole_space *from, uint64_t config)
{
    int64_t values[ANOLE_MAX_KNOBS];
    uint16_t digits[ANOLE_MAX_KNOBS];
    anole_space_values(from, config, values);
    for (size_t k = 0; k < anole_space_knob_count(to); k++) {
        const struct anole_space_knob *knob = anole_space_knob(to, k);
        size_t source = anole_space_find_knob(from, knob->name);
        digits[k] = (uint16_t)knob->default_digit;
        if (source != SIZE_MAX && !match(&digits[k], knob, values[source]))
            return false;
    }
    if (!anole_space_valid_digits(to, digits))
        return false;
    *translated = anole_space_encode(to, digits);
    return true;
}

static bool contains(const uint64_t *configs, size_t count, uint64_t config)
{
    for (size_t i = 0; i < count; i++) {
        if (configs[i] == config)
            return true;
    }
    return false;
}

size_t anole_suggest_neighbours(uint64_t *configs, size_t wanted, const struct anole_space *space,
                                uint64_t config, struct anole_rng *rng)
{
    size_t knobs = anole_space_knob_count(space), count = 0;
    for (size_t draw = 0; draw < DRAWS * wanted && count < wanted && knobs > 0; draw++) {
        uint16_t digits[ANOLE_MAX_KNOBS];
        anole_space_decode(space, config, digits);
        uint64_t changes = 1 + anole_rng_below(rng, 3);
        for (uint64_t c = 0; c < changes; c++) {
            size_t knob = anole_rng_below(rng, knobs);
            digits[knob] = (uint16_t)anole_rng_below(rng, anole_space_knob(space, knob)->count);
        }
        uint64_t changed = anole_space_encode(space, digits);
        if (changed != config && anole_space_valid_digits(space, digits) &&
            !contains(configs, count, changed))
            configs[count++] = changed;
    }
    return count;
}
