/* SPDX-License-Identifier: MIT */
#include "search/landscape.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Values that few configs have are drawn towards the mean: as if this many
 * average ones had been seen. */
#define SHRINKAGE 2.0f

enum anole_status anole_landscape_create(struct anole_landscape **landscape,
                                         const struct anole_space *space, struct anole_error *error)
{
    struct anole_landscape *made = calloc(1, sizeof *made);
    if (!made)
        return anole_fail_memory(error);
    made->space = space;
    made->knobs = anole_space_knob_count(space);
    for (size_t k = 0; k < made->knobs; k++) {
        made->counts[k] = anole_space_knob(space, k)->count;
        made->offsets[k + 1] = made->offsets[k] + made->counts[k];
    }
    size_t cells = made->offsets[made->knobs];
    made->marginals = calloc(cells, sizeof *made->marginals);
    made->weights = calloc(cells, sizeof *made->weights);
    made->frequencies = calloc(cells, sizeof *made->frequencies);
    if (!made->marginals || !made->weights || !made->frequencies) {
        anole_landscape_destroy(made);
        return anole_fail_memory(error);
    }
    *landscape = made;
    return ANOLE_DONE;
}

void anole_landscape_destroy(struct anole_landscape *landscape)
{
    if (!landscape)
        return;
    free(landscape->marginals);
    free(landscape->weights);
    free(landscape->frequencies);
    free(landscape);
}

void anole_landscape_take_elites(struct anole_landscape *landscape,
                                 const struct anole_trials *trials)
{
    double costs[ANOLE_LANDSCAPE_ELITES];
    size_t cells = landscape->offsets[landscape->knobs];
    landscape->elite_count =
        anole_trials_elites(trials, landscape->elites, costs, ANOLE_LANDSCAPE_ELITES);
    memset(landscape->frequencies, 0, cells * sizeof *landscape->frequencies);
    for (size_t e = 0; e < landscape->elite_count; e++) {
        anole_space_decode(landscape->space, landscape->elites[e], landscape->digits[e]);
        for (size_t k = 0; k < landscape->knobs; k++)
            landscape->frequencies[landscape->offsets[k] + landscape->digits[e][k]] +=
                1.0f / (float)landscape->elite_count;
    }
}

/* Sums become means, and these become the knobs' importances. */
static void conclude(struct anole_landscape *landscape, float mean)
{
    float largest = 1e-12f;
    for (size_t k = 0; k < landscape->knobs; k++) {
        float low = INFINITY, high = -INFINITY;
        for (size_t c = landscape->offsets[k]; c < landscape->offsets[k + 1]; c++) {
            float weight = landscape->weights[c];
            float *marginal = &landscape->marginals[c];
            *marginal = (*marginal + SHRINKAGE * mean) / (weight + SHRINKAGE);
            low = fminf(low, *marginal);
            high = fmaxf(high, *marginal);
        }
        landscape->importances[k] = high - low;
        largest = fmaxf(largest, high - low);
    }
    for (size_t k = 0; k < landscape->knobs; k++)
        landscape->importances[k] /= largest;
}

void anole_landscape_take_scores(struct anole_landscape *landscape, const struct anole_pool *pool)
{
    size_t count = anole_pool_distinct(pool), cells = landscape->offsets[landscape->knobs];
    double sum = 0.0, squares = 0.0;
    uint16_t digits[ANOLE_MAX_KNOBS];
    memset(landscape->marginals, 0, cells * sizeof *landscape->marginals);
    memset(landscape->weights, 0, cells * sizeof *landscape->weights);
    for (size_t i = 0; i < count; i++) {
        struct anole_candidate candidate = anole_pool_get(pool, i);
        anole_space_decode(landscape->space, candidate.config, digits);
        for (size_t k = 0; k < landscape->knobs; k++) {
            size_t cell = landscape->offsets[k] + digits[k];
            landscape->marginals[cell] += candidate.score;
            landscape->weights[cell] += 1.0f;
        }
        sum += (double)candidate.score;
        squares += (double)candidate.score * (double)candidate.score;
    }
    double mean = count ? sum / (double)count : 0.0;
    double variance = count ? squares / (double)count - mean * mean : 0.0;
    landscape->spread = (float)sqrt(fmax(variance, 0.0));
    conclude(landscape, (float)mean);
}

/* Draws a value with a probability that grows with its marginal. */
static uint16_t draw_marginal(const struct anole_landscape *landscape, size_t knob,
                              struct anole_rng *rng)
{
    const float *marginals = landscape->marginals + landscape->offsets[knob];
    uint32_t count = landscape->counts[knob];
    float most = -INFINITY, least = INFINITY, sum = 0.0f;
    for (uint32_t v = 0; v < count; v++) {
        most = fmaxf(most, marginals[v]);
        least = fminf(least, marginals[v]);
    }
    float scale = 3.0f / fmaxf(most - least, 1e-6f); /* worst to best: e^-3 */
    for (uint32_t v = 0; v < count; v++)
        sum += expf((marginals[v] - most) * scale);
    float point = (float)anole_rng_uniform(rng) * sum;
    for (uint32_t v = 0; v < count; v++) {
        point -= expf((marginals[v] - most) * scale);
        if (point < 0.0f)
            return (uint16_t)v;
    }
    return (uint16_t)(count - 1);
}

bool anole_landscape_move(const struct anole_landscape *landscape, uint16_t *digits, size_t knob,
                          enum anole_move move, size_t guide, struct anole_rng *rng)
{
    uint32_t count = landscape->counts[knob];
    uint16_t old = digits[knob];
    if (count < 2)
        return false;
    switch (move) {
    case ANOLE_MOVE_DOWN:
        if (old > 0)
            digits[knob] = (uint16_t)(old - 1);
        break;
    case ANOLE_MOVE_UP:
        if (old + 1u < count)
            digits[knob] = (uint16_t)(old + 1);
        break;
    case ANOLE_MOVE_RANDOM:
        digits[knob] = (uint16_t)anole_rng_below(rng, count - 1);
        digits[knob] = (uint16_t)(digits[knob] + (digits[knob] >= old));
        break;
    case ANOLE_MOVE_INCUMBENT:
        if (landscape->elite_count)
            digits[knob] = landscape->digits[0][knob];
        break;
    case ANOLE_MOVE_ELITE:
        if (guide < landscape->elite_count)
            digits[knob] = landscape->digits[guide][knob];
        break;
    case ANOLE_MOVE_MARGINAL:
        digits[knob] = draw_marginal(landscape, knob, rng);
        break;
    case ANOLE_MOVE_COUNT:
        break;
    }
    return digits[knob] != old;
}
