/* SPDX-License-Identifier: MIT */
#include "tune/finalists.h"

#include "base/statistics.h"
#include "base/text.h"
#include "measure/compare.h"

#include <math.h>
#include <stdlib.h>

#define LEAST_ROUNDS 6
/* What takes at most this much longer than the best alone may take less in a network: kernels that
 * were best with weights in the cache have been half as slow again as others without. */
#define CLOSE 1.5
/* Times the weights of another kernel: those of another algorithm, not of another rounding up. */
#define OTHER_WEIGHTS 1.5
#define MOST_LOOKED_AT 64

void anole_finalists_plan(struct anole_finalists_plan *plan, double share, double load, double most)
{
    plan->count = ANOLE_FINALISTS_MOST;
    /* Half of the share, at least, is for timing. */
    while (plan->count > 1 && 2.0 * load * (double)(plan->count + 1) > share)
        plan->count--;
    plan->seconds = fmax(0.0, fmin(most, share - load * (double)(plan->count + 1)));
}

/* Bytes that a config's kernel reads of weights; 0: none, or it is refused. */
static size_t weights_of(const struct anole_generator *generator, uint64_t config)
{
    struct anole_generated *generated = NULL;
    struct anole_error ignored;
    if (anole_generator_kernel(&generated, generator, config, &ignored) != ANOLE_DONE)
        return 0;
    size_t bytes = generated->kernel.packed_weights;
    anole_generated_destroy(generated);
    return bytes;
}

/* Whether none of these has about as many bytes of weights. */
static bool is_unlike(const size_t *weights, size_t count, size_t bytes)
{
    bool unlike = bytes > 0;
    for (size_t i = 0; i < count && unlike; i++)
        unlike = (double)bytes > OTHER_WEIGHTS * (double)weights[i] ||
                 (double)weights[i] > OTHER_WEIGHTS * (double)bytes;
    return unlike;
}

size_t anole_finalists_choose(uint64_t *configs, const struct anole_generator *generator,
                              const struct anole_trials *trials, uint64_t fallback, size_t limit)
{
    uint64_t elites[MOST_LOOKED_AT];
    double costs[MOST_LOOKED_AT];
    size_t weights[ANOLE_FINALISTS_MOST + 1];
    size_t elite_count = anole_trials_elites(trials, elites, costs, MOST_LOOKED_AT);
    size_t count = 0, next = 0;
    configs[count++] = fallback;
    for (; next < elite_count && count <= limit; next++) {
        if (elites[next] != fallback)
            configs[count++] = elites[next];
    }
    if (count < 3) /* the best is never left out for another */
        return count;
    for (size_t i = 0; i < count; i++)
        weights[i] = weights_of(generator, configs[i]);
    for (; next < elite_count && costs[next] <= CLOSE * costs[0]; next++) {
        if (elites[next] == fallback ||
            !is_unlike(weights, count, weights_of(generator, elites[next])))
            continue;
        configs[count - 1] = elites[next];
        break;
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
    final->timer = results[winner].timer;
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

static enum anole_status find_hash(uint64_t *hash, const struct anole_generator *generator,
                                   uint64_t config, struct anole_error *error)
{
    struct anole_generated *generated = NULL;
    enum anole_status status = anole_generator_kernel(&generated, generator, config, error);
    if (status != ANOLE_DONE)
        return status;
    *hash = generated->source_hash;
    anole_generated_destroy(generated);
    return ANOLE_DONE;
}

static enum anole_status set_hash(struct anole_tuner_final *final,
                                  const struct anole_generator *generator,
                                  struct anole_error *error)
{
    return find_hash(&final->source_hash, generator, final->config, error);
}

/* Configs that were compared, and how. */
struct comparison {
    const uint64_t *configs;
    const struct anole_result *results;
    const double *samples;
    size_t count, rounds;
};

static enum anole_status add_candidate(struct anole_tuner_final *final,
                                       const struct comparison *comparison,
                                       const struct anole_generator *generator, size_t i,
                                       struct anole_error *error)
{
    struct anole_tuner_final judged = {.config = comparison->configs[i]};
    for (size_t c = 0; c < final->candidate_count; c++)
        if (final->candidates[c].config == judged.config)
            return ANOLE_DONE;
    enum anole_status status =
        judge(&judged, comparison->results, comparison->samples, comparison->rounds, i, error);
    if (status == ANOLE_DONE)
        status = set_hash(&judged, generator, error);
    if (status == ANOLE_DONE)
        final->candidates[final->candidate_count++] =
            (struct anole_tuner_candidate){.config = judged.config,
                                           .value = judged.value,
                                           .low = judged.low,
                                           .high = judged.high,
                                           .speedup = judged.speedup,
                                           .speedup_low = judged.speedup_low,
                                           .speedup_high = judged.speedup_high,
                                           .tie = i == 0, /* the default is kept */
                                           .source_hash = judged.source_hash};
    return status;
}

/* The best that is close to the winner, and not yet among the candidates; SIZE_MAX: none is. */
static size_t find_close(const struct anole_tuner_final *final, const struct comparison *comparison,
                         size_t winner)
{
    const struct anole_result *results = comparison->results;
    size_t best = SIZE_MAX;
    for (size_t i = 1; i < comparison->count; i++) {
        bool known = results[i].outcome != ANOLE_OUTCOME_OK ||
                     anole_result_cost(&results[i]) > CLOSE * anole_result_cost(&results[winner]);
        for (size_t c = 0; c < final->candidate_count && !known; c++)
            known = final->candidates[c].config == comparison->configs[i];
        if (!known && (best == SIZE_MAX ||
                       anole_result_cost(&results[i]) < anole_result_cost(&results[best])))
            best = i;
    }
    return best;
}

static enum anole_status list_candidates(struct anole_tuner_final *final,
                                         const struct comparison *comparison,
                                         const struct anole_generator *generator, size_t winner,
                                         struct anole_error *error)
{
    const bool has_default = comparison->results[0].outcome == ANOLE_OUTCOME_OK && winner != 0;
    const size_t most = ANOLE_TUNER_CANDIDATES - has_default;
    size_t next;
    enum anole_status status = add_candidate(final, comparison, generator, winner, error);
    while (status == ANOLE_DONE && final->candidate_count < most &&
           (next = find_close(final, comparison, winner)) != SIZE_MAX)
        status = add_candidate(final, comparison, generator, next, error);
    if (status == ANOLE_DONE && has_default)
        status = add_candidate(final, comparison, generator, 0, error);
    return status;
}

/* The trial of a config, if it says something of it: it works, and nobody was in the way. */
static const struct anole_result *quiet_trial(const struct anole_trials *trials, uint64_t config)
{
    const struct anole_trial *trial = anole_trials_find(trials, config);
    bool says = trial && trial->result.outcome == ANOLE_OUTCOME_OK && !trial->result.disturbed;
    return says ? &trial->result : NULL;
}

size_t anole_finalists_quiet(const uint64_t *configs, const struct anole_result *results,
                             size_t count, const struct anole_trials *trials)
{
    const struct anole_result *best = quiet_trial(trials, configs[0]);
    size_t chosen = 0;
    for (size_t i = 1; i < count && best; i++) {
        const struct anole_result *trial = quiet_trial(trials, configs[i]);
        if (!trial || trial->abandoned || results[i].outcome != ANOLE_OUTCOME_OK ||
            anole_result_cost(trial) >= anole_result_cost(best))
            continue;
        best = trial;
        chosen = i;
    }
    return chosen;
}

void anole_tuner_choose(struct anole_tuner_final *final, size_t candidate, const double *in_place)
{
    const struct anole_tuner_candidate *chosen = &final->candidates[candidate];
    final->in_place = in_place[candidate];
    if (candidate == 0)
        return;
    final->alone_value = final->value;
    final->alone_in_place = in_place[0];
    final->config = chosen->config;
    final->value = chosen->value;
    final->low = chosen->low;
    final->high = chosen->high;
    final->speedup = chosen->speedup;
    final->speedup_low = chosen->speedup_low;
    final->speedup_high = chosen->speedup_high;
    final->tie = chosen->tie;
    final->source_hash = chosen->source_hash;
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
    *final = (struct anole_tuner_final){
        .found = false, .in_place = NAN, .alone_value = NAN, .alone_in_place = NAN};
    uint64_t fallback = anole_space_default(anole_generator_space(generator));
    size_t count = anole_finalists_choose(configs, generator, trials, fallback, plan->count);
    enum anole_status status =
        anole_measure_compare(measure, generator, configs, count, plan->seconds, LEAST_ROUNDS,
                              results, &samples, &rounds, error);
    if (status != ANOLE_DONE)
        return status;
    size_t winner = find_best(results, count);
    if (winner != SIZE_MAX && results[winner].disturbed > 0 &&
        results[0].outcome == ANOLE_OUTCOME_OK)
        winner = anole_finalists_quiet(configs, results, count, trials);
    if (winner != SIZE_MAX) {
        status = judge(final, results, samples, rounds, winner, error);
        /* A tie goes to the default: nothing is gained by moving away from it. */
        if (status == ANOLE_DONE && final->tie && winner != 0) {
            winner = 0;
            status = judge(final, results, samples, rounds, winner, error);
        }
        final->config = configs[winner];
        final->found = true;
        const struct comparison comparison = {.configs = configs,
                                              .results = results,
                                              .samples = samples,
                                              .count = count,
                                              .rounds = rounds};
        if (status == ANOLE_DONE)
            status = set_hash(final, generator, error);
        if (status == ANOLE_DONE)
            status = list_candidates(final, &comparison, generator, winner, error);
    } else {
        anole_text_printable(final->problem, sizeof final->problem, results[0].message);
    }
    free(samples);
    return status;
}

enum anole_status anole_finalists_settle(struct anole_tuner_final *final,
                                         const struct anole_generator *generator,
                                         const struct anole_finalists_timed *timed, size_t chosen,
                                         struct anole_error *error)
{
    const struct comparison comparison = {.configs = timed->configs,
                                          .results = timed->results,
                                          .samples = timed->samples,
                                          .count = chosen + 1,
                                          .rounds = timed->rounds};
    struct anole_tuner_final new = {.found = true,
                                    .config = timed->configs[chosen],
                                    .in_place = NAN,
                                    .alone_value = NAN,
                                    .alone_in_place = NAN};
    enum anole_status status =
        judge(&new, timed->results, timed->samples, timed->rounds, chosen, error);
    new.tie = chosen == 0; /* the default is kept, or it is not */
    if (status == ANOLE_DONE)
        status = set_hash(&new, generator, error);
    if (status == ANOLE_DONE)
        status = add_candidate(&new, &comparison, generator, chosen, error);
    if (status == ANOLE_DONE)
        *final = new;
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
    *final = (struct anole_tuner_final){
        .config = config, .in_place = NAN, .alone_value = NAN, .alone_in_place = NAN};
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
        if (status == ANOLE_DONE) /* of what is refused there is no source */
            status = set_hash(final, generator, error);
    }
    free(samples);
    return status;
}
