/* SPDX-License-Identifier: MIT */
#include "tune/finalists.h"

#include "base/statistics.h"
#include "base/text.h"
#include "measure/compare.h"

#include <math.h>
#include <stdlib.h>

#define LEAST_ROUNDS 6

void anole_finalists_plan(struct anole_finalists_plan *plan, double share, double load, double most)
{
    plan->count = ANOLE_FINALISTS_MOST;
    /* Half of the share, at least, is for timing. */
    while (plan->count > 1 && 2.0 * load * (double)(plan->count + 1) > share)
        plan->count--;
    plan->seconds = fmax(0.0, fmin(most, share - load * (double)(plan->count + 1)));
}

/* The default comes first, then the fastest others, `limit` of them. */
static size_t choose(uint64_t *configs, const struct anole_trials *trials, uint64_t fallback,
                     size_t limit)
{
    /* One more, as the default may be among them. */
    uint64_t elites[ANOLE_FINALISTS_MOST + 1];
    size_t elite_count = anole_trials_elites(trials, elites, NULL, limit + 1);
    size_t count = 0;
    configs[count++] = fallback;
    for (size_t i = 0; i < elite_count && count <= limit; i++) {
        if (elites[i] != fallback)
            configs[count++] = elites[i];
    }
    return count;
}

/* Index of the best that is ok; SIZE_MAX if none is. */
static size_t find_best(const struct anole_result *results, size_t count)
{
    size_t best = 0;
    for (size_t i = 1; i < count; i++)
        if (anole_result_cost(&results[i]) < anole_result_cost(&results[best]))
            best = i;
    return count && results[best].outcome == ANOLE_OUTCOME_OK ? best : SIZE_MAX;
}

/* Fills in times and speed-up of config `winner`, where 0 is the default. */
static enum anole_status judge(struct anole_tuner_final *final, const struct anole_result *results,
                               const double *samples, size_t rounds, size_t winner,
                               struct anole_error *error)
{
    final->metric = results[winner].metric;
    final->value = anole_result_value(&results[winner]);
    final->crowding = results[winner].crowding;
    final->disturbed = results[winner].disturbed > 0;
    final->low = results[winner].low;
    final->high = results[winner].high;
    final->default_value = final->speedup = final->speedup_low = final->speedup_high = NAN;
    if (results[0].outcome != ANOLE_OUTCOME_OK)
        return ANOLE_DONE;
    final->default_value = anole_result_value(&results[0]);
    if (winner == 0) {
        final->speedup = final->speedup_low = final->speedup_high = 1.0;
        final->tie = true;
        return ANOLE_DONE;
    }
    double *scratch = malloc(rounds * sizeof *scratch);
    if (!scratch)
        return anole_fail_memory(error);
    struct anole_summary ratio;
    anole_summarise_ratio(&ratio, samples, samples + winner * rounds, rounds, scratch);
    free(scratch);
    final->speedup = ratio.median;
    final->speedup_low = ratio.low;
    final->speedup_high = ratio.high;
    final->tie = ratio.low <= 1.0 && ratio.high >= 1.0;
    return ANOLE_DONE;
}

static enum anole_status set_hash(struct anole_tuner_final *final,
                                  const struct anole_generator *generator,
                                  struct anole_error *error)
{
    struct anole_generated *generated = NULL;
    enum anole_status status = anole_generator_kernel(&generated, generator, final->config, error);
    if (status != ANOLE_DONE)
        return status;
    final->source_hash = generated->source_hash;
    anole_generated_destroy(generated);
    return ANOLE_DONE;
}

enum anole_status
anole_finalists_decide(struct anole_tuner_final *final, struct anole_measure *measure,
                       const struct anole_generator *generator, const struct anole_trials *trials,
                       const struct anole_finalists_plan *plan, struct anole_error *error)
{
    uint64_t configs[ANOLE_FINALISTS_MOST + 1];
    struct anole_result results[ANOLE_FINALISTS_MOST + 1];
    double *samples = NULL;
    size_t rounds = 0;
    *final = (struct anole_tuner_final){.found = false};
    uint64_t fallback = anole_space_default(anole_generator_space(generator));
    size_t count = choose(configs, trials, fallback, plan->count);
    enum anole_status status =
        anole_measure_compare(measure, generator, configs, count, plan->seconds, LEAST_ROUNDS,
                              results, &samples, &rounds, error);
    if (status != ANOLE_DONE)
        return status;
    size_t winner = find_best(results, count);
    if (winner != SIZE_MAX) {
        status = judge(final, results, samples, rounds, winner, error);
        /* A tie goes to the default: nothing is gained by moving away from it. */
        if (status == ANOLE_DONE && final->tie && winner != 0) {
            winner = 0;
            status = judge(final, results, samples, rounds, winner, error);
        }
        final->config = configs[winner];
        final->found = true;
        if (status == ANOLE_DONE)
            status = set_hash(final, generator, error);
    } else {
        anole_text_printable(final->problem, sizeof final->problem, results[0].message);
    }
    free(samples);
    return status;
}

enum anole_status anole_finalists_compare(struct anole_tuner_final *final,
                                          struct anole_result *result,
                                          struct anole_result *default_result,
                                          struct anole_measure *measure,
                                          const struct anole_generator *generator, uint64_t config,
                                          double seconds, struct anole_error *error)
{
    uint64_t fallback = anole_space_default(anole_generator_space(generator));
    uint64_t configs[2] = {fallback, config};
    size_t count = config == fallback ? 1 : 2;
    struct anole_result results[2];
    double *samples = NULL;
    size_t rounds = 0;
    *final = (struct anole_tuner_final){.config = config};
    enum anole_status status =
        anole_measure_compare(measure, generator, configs, count, seconds, LEAST_ROUNDS, results,
                              &samples, &rounds, error);
    if (status != ANOLE_DONE)
        return status;
    *default_result = results[0];
    *result = results[count - 1];
    if (result->outcome == ANOLE_OUTCOME_OK) {
        final->found = true;
        status = judge(final, results, samples, rounds, count - 1, error);
    }
    if (status == ANOLE_DONE)
        status = set_hash(final, generator, error);
    free(samples);
    return status;
}
