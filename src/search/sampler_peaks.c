/* SPDX-License-Identifier: MIT */
#include "search/samplers.h"

#include <stdlib.h>

#define MOST_ELITES 256 /* that may be peaks, or keep others from being one */
#define MOST_PEAKS 64
#define MOST_NEIGHBOURS 256 /* of a peak */
#define WIDE_KNOB 48        /* of a knob with more values, so many are looked at */

struct peak {
    const uint16_t *digits;
    size_t tried; /* neighbours that were tried, or are on their way */
    bool exhausted;
};

struct peaks {
    const struct anole_explorer_context *context;
    struct anole_rng *rng;
    size_t knobs;
    struct peak items[MOST_PEAKS]; /* fastest first */
    size_t count;
};

/* True if two configs differ in one knob at most. */
static bool adjacent(const uint16_t *a, const uint16_t *b, size_t knobs)
{
    size_t apart = 0;
    for (size_t k = 0; k < knobs && apart < 2; k++)
        apart += a[k] != b[k];
    return apart < 2;
}

/* Configs that differ in one knob from a peak; some of them may be invalid. */
static size_t list_neighbours(const struct peaks *peaks, const struct peak *peak,
                              uint64_t *neighbours)
{
    const struct anole_space *space = peaks->context->space;
    uint16_t digits[ANOLE_MAX_KNOBS];
    size_t count = 0;
    for (size_t k = 0; k < peaks->knobs; k++)
        digits[k] = peak->digits[k];
    for (size_t k = 0; k < peaks->knobs; k++) {
        uint32_t values = anole_space_knob(space, k)->count;
        for (uint32_t i = 0; i < values && i < WIDE_KNOB && count < MOST_NEIGHBOURS; i++) {
            digits[k] = (uint16_t)(values > WIDE_KNOB ? anole_rng_below(peaks->rng, values) : i);
            if (digits[k] != peak->digits[k])
                neighbours[count++] = anole_space_encode(space, digits);
        }
        digits[k] = peak->digits[k];
    }
    return count;
}

static void count_tried(const struct peaks *peaks, struct peak *peak)
{
    uint64_t neighbours[MOST_NEIGHBOURS];
    size_t count = list_neighbours(peaks, peak, neighbours);
    for (size_t i = 0; i < count; i++)
        peak->tried += !anole_explorer_open(peaks->context, neighbours[i]);
}

/* Elites come fastest first: one beside another of those before it is no peak. */
static void find(struct peaks *peaks, const uint16_t *digits, size_t count)
{
    for (size_t i = 0; i < count && peaks->count < MOST_PEAKS; i++) {
        const uint16_t *own = digits + i * peaks->knobs;
        bool is_peak = true;
        for (size_t j = 0; j < i && is_peak; j++)
            is_peak = !adjacent(own, digits + j * peaks->knobs, peaks->knobs);
        if (!is_peak)
            continue;
        struct peak *peak = &peaks->items[peaks->count++];
        *peak = (struct peak){.digits = own};
        count_tried(peaks, peak);
    }
}

/* Takes the neighbour of a peak that the model likes best. */
static bool take_neighbour(const struct peaks *peaks, const struct peak *peak,
                           struct anole_picks *picks)
{
    uint64_t neighbours[MOST_NEIGHBOURS];
    struct anole_candidate open[MOST_NEIGHBOURS];
    size_t listed = list_neighbours(peaks, peak, neighbours), count = 0;
    for (size_t i = 0; i < listed; i++) {
        if (!anole_explorer_open(peaks->context, neighbours[i]) ||
            !anole_space_valid(peaks->context->space, neighbours[i]))
            continue;
        open[count].config = neighbours[i];
        anole_cost_model_predict(peaks->context->model, &neighbours[i], 1, &open[count++].score);
    }
    anole_candidates_sort(open, count, peaks->rng);
    for (size_t i = 0; i < count; i++)
        if (anole_picks_take(picks, open[i].config))
            return true;
    return false;
}

/* The peak whose turn it is: the least of its place times what it has had. */
static struct peak *choose(struct peaks *peaks)
{
    struct peak *chosen = NULL;
    size_t least = SIZE_MAX;
    for (size_t r = 0; r < peaks->count; r++) {
        struct peak *peak = &peaks->items[r];
        size_t cost = (r + 1) * (peak->tried + 1);
        if (peak->exhausted || cost >= least)
            continue;
        least = cost;
        chosen = peak;
    }
    return chosen;
}

enum anole_status anole_picks_take_beside_peaks(struct anole_picks *picks, size_t wanted,
                                                struct anole_rng *rng, struct anole_error *error)
{
    const struct anole_explorer_context *context = picks->context;
    struct peaks peaks = {
        .context = context, .rng = rng, .knobs = anole_space_knob_count(context->space)};
    uint64_t elites[MOST_ELITES];
    struct peak *peak;
    if (!wanted)
        return ANOLE_DONE;
    size_t count = anole_trials_elites(context->trials, elites, NULL, MOST_ELITES);
    uint16_t *digits = calloc((count + 1) * (peaks.knobs + 1), sizeof *digits);
    if (!digits)
        return anole_fail_memory(error);
    for (size_t i = 0; i < count; i++) {
        uint16_t own[ANOLE_MAX_KNOBS];
        anole_space_decode(context->space, elites[i], own);
        for (size_t k = 0; k < peaks.knobs; k++)
            digits[i * peaks.knobs + k] = own[k];
    }
    find(&peaks, digits, count);
    while (wanted && (peak = choose(&peaks))) {
        peak->tried++;
        if (take_neighbour(&peaks, peak, picks))
            wanted--;
        else
            peak->exhausted = true;
    }
    free(digits);
    return ANOLE_DONE;
}
