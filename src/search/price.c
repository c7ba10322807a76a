/* SPDX-License-Identifier: MIT */
#include "search/price.h"

#include <math.h>

/* Before anything is known, of a kernel for a CPU. */
#define GUESSED_TIMING 0.1
#define GUESSED_BUILD 0.5
#define GUESS_WEIGHT 1e-3 /* beside trials that count 1 if they are the same */
#define MOST_LOOKED_AT 256

static size_t first_looked_at(size_t count)
{
    return count > MOST_LOOKED_AT ? count - MOST_LOOKED_AT : 0;
}

double anole_price_of_timing(const struct anole_trials *trials)
{
    const size_t count = anole_trials_count(trials);
    double sum = GUESSED_TIMING, weight = 1.0;
    for (size_t i = first_looked_at(count); i < count; i++) {
        const struct anole_trial_cost *cost = &anole_trials_get(trials, i)->result.cost;
        const double seconds = cost->transfer + cost->run + cost->verify;
        if (!(seconds > 0.0)) /* it did not come to that, or nobody looked at the clock */
            continue;
        sum += seconds;
        weight += 1.0;
    }
    return sum / weight;
}

double anole_price_of_build(const struct anole_trials *trials,
                            const struct anole_config_map *shared, const struct anole_space *space,
                            uint64_t config)
{
    const size_t count = anole_trials_count(trials), knobs = anole_space_knob_count(space);
    double sum = GUESS_WEIGHT * log(GUESSED_BUILD), weight = GUESS_WEIGHT;
    uint16_t own[ANOLE_MAX_KNOBS], other[ANOLE_MAX_KNOBS];
    anole_space_decode(space, config, own);
    for (size_t i = first_looked_at(count); i < count; i++) {
        const struct anole_trial *trial = anole_trials_get(trials, i);
        if (!(trial->result.cost.build > 0.0) || anole_config_map_get(shared, trial->config) == 1)
            continue;
        anole_space_decode(space, trial->config, other);
        int apart = 0;
        for (size_t k = 0; k < knobs; k++)
            apart += own[k] != other[k];
        sum += ldexp(log(trial->result.cost.build), -3 * apart);
        weight += ldexp(1.0, -3 * apart);
    }
    return exp(sum / weight);
}
