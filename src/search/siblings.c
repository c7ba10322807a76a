/* SPDX-License-Identifier: MIT */
#include "search/siblings.h"

#define MOST_SEEN 256  /* configs that are looked at for one base */
#define MOST_STEPS 4   /* of a climb */
#define MOST_VALUES 16 /* of a knob, drawn where it has more */

struct family {
    const struct anole_explorer_context *context;
    const struct anole_sharing *sharing;
    struct anole_rng *rng;
    uint64_t executable; /* of the base */
    size_t knobs;
    bool loose[ANOLE_MAX_KNOBS]; /* some other value of the knob has the same build */
    struct anole_candidate seen[MOST_SEEN];
    size_t seen_count;
};

static bool shares(const struct family *family, uint64_t config)
{
    uint64_t executable;
    return family->sharing->executable(family->sharing->context, &executable, config) &&
           executable == family->executable;
}

/* The digit of a knob's i-th value to look at; fewer than all where it has many. */
static uint16_t draw_digit(const struct family *family, uint32_t values, uint32_t i)
{
    return (uint16_t)(values > MOST_VALUES ? anole_rng_below(family->rng, values) : i);
}

/* Which knobs can be turned without another build: one valid value of each is asked about, the
 * next ones if constraints forbid it. */
static void find_loose(struct family *family, const uint16_t *base)
{
    const struct anole_space *space = family->context->space;
    uint16_t digits[ANOLE_MAX_KNOBS];
    for (size_t k = 0; k < family->knobs; k++)
        digits[k] = base[k];
    for (size_t k = 0; k < family->knobs; k++) {
        const uint32_t values = anole_space_knob(space, k)->count;
        const uint32_t first = (uint32_t)anole_rng_below(family->rng, values);
        for (uint32_t i = 0; i < values; i++) {
            digits[k] = (uint16_t)((first + i) % values);
            if (digits[k] == base[k] || !anole_space_valid_digits(space, digits))
                continue;
            family->loose[k] = shares(family, anole_space_encode(space, digits));
            break;
        }
        digits[k] = base[k];
    }
}

static bool is_seen(const struct family *family, uint64_t config)
{
    for (size_t i = 0; i < family->seen_count; i++)
        if (family->seen[i].config == config)
            return true;
    return false;
}

/* Looks at all configs one loose knob away, and says which the model likes best. */
static bool look_around(struct family *family, const uint16_t *from, struct anole_candidate *best)
{
    const struct anole_space *space = family->context->space;
    uint16_t digits[ANOLE_MAX_KNOBS];
    bool found = false;
    for (size_t k = 0; k < family->knobs; k++)
        digits[k] = from[k];
    for (size_t k = 0; k < family->knobs; k++) {
        const uint32_t values = anole_space_knob(space, k)->count;
        for (uint32_t i = 0; family->loose[k] && i < values && i < MOST_VALUES; i++) {
            digits[k] = draw_digit(family, values, i);
            if (digits[k] == from[k] || family->seen_count == MOST_SEEN ||
                !anole_space_valid_digits(space, digits))
                continue;
            struct anole_candidate *candidate = &family->seen[family->seen_count];
            candidate->config = anole_space_encode(space, digits);
            if (is_seen(family, candidate->config))
                continue;
            anole_cost_model_predict(family->context->model, &candidate->config, 1,
                                     &candidate->score);
            family->seen_count++;
            if (!found || candidate->score > best->score)
                *best = *candidate;
            found = true;
        }
        digits[k] = from[k];
    }
    return found;
}

size_t anole_siblings_find(struct anole_candidate *candidates, size_t wanted,
                           const struct anole_explorer_context *context,
                           const struct anole_sharing *sharing, uint64_t base,
                           struct anole_rng *rng)
{
    struct family family = {.context = context,
                            .sharing = sharing,
                            .rng = rng,
                            .knobs = anole_space_knob_count(context->space)};
    uint16_t at[ANOLE_MAX_KNOBS];
    struct anole_candidate best = {.config = base, .score = -1e30f};
    if (!sharing->executable(sharing->context, &family.executable, base))
        return 0;
    anole_space_decode(context->space, base, at);
    find_loose(&family, at);
    for (int step = 0; step < MOST_STEPS; step++) {
        struct anole_candidate next;
        if (!look_around(&family, at, &next) || next.score < best.score)
            break;
        best = next;
        anole_space_decode(context->space, next.config, at);
    }
    anole_candidates_sort(family.seen, family.seen_count, rng);
    size_t count = 0;
    for (size_t i = 0; i < family.seen_count && count < wanted; i++) {
        const uint64_t config = family.seen[i].config;
        if (config != base && anole_explorer_open(context, config) && shares(&family, config))
            candidates[count++] = family.seen[i];
    }
    return count;
}
