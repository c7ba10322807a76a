/* SPDX-License-Identifier: MIT */
#include "space/trials.h"

#include "base/hash.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Trials lie in blocks that never move, so that pointers to them stay good. */
#define BLOCK 256
#define NO_TRIAL UINT32_MAX

struct anole_trials {
    struct anole_trial **blocks;
    size_t block_count;
    size_t count;

    /* Open addressing: the latest trial of each config. */
    uint32_t *slots;
    size_t slot_count;   /* a power of two; at most half are taken */
    size_t config_count; /* slots that are taken */

    /* The latest trials that are ok, the best first. */
    uint32_t *ranking;
    size_t ranked;

    size_t outcomes[ANOLE_OUTCOME_COUNT]; /* configs, by their latest outcome */
};

enum anole_status anole_trials_create(struct anole_trials **trials, struct anole_error *error)
{
    struct anole_trials *made = calloc(1, sizeof *made);
    if (!made)
        return anole_fail_memory(error);
    *trials = made;
    return ANOLE_DONE;
}

void anole_trials_destroy(struct anole_trials *trials)
{
    if (!trials)
        return;
    for (size_t i = 0; i < trials->block_count; i++)
        free(trials->blocks[i]);
    free(trials->blocks);
    free(trials->slots);
    free(trials->ranking);
    free(trials);
}

static struct anole_trial *trial_at(const struct anole_trials *trials, size_t i)
{
    return &trials->blocks[i / BLOCK][i % BLOCK];
}

size_t anole_trials_count(const struct anole_trials *trials)
{
    return trials->count;
}

const struct anole_trial *anole_trials_get(const struct anole_trials *trials, size_t i)
{
    return i < trials->count ? trial_at(trials, i) : NULL;
}

/* ----------------------------------------------------------------- by config */

/* The slot of a config, or the free one where it belongs. */
static uint32_t *find_slot(const struct anole_trials *trials, uint64_t config)
{
    size_t mask = trials->slot_count - 1;
    size_t slot = anole_hash_combine(0, config) & mask;
    while (trials->slots[slot] != NO_TRIAL &&
           trial_at(trials, trials->slots[slot])->config != config)
        slot = (slot + 1) & mask;
    return &trials->slots[slot];
}

const struct anole_trial *anole_trials_find(const struct anole_trials *trials, uint64_t config)
{
    if (trials->slot_count == 0)
        return NULL;
    uint32_t index = *find_slot(trials, config);
    return index == NO_TRIAL ? NULL : trial_at(trials, index);
}

bool anole_trials_visited(const struct anole_trials *trials, uint64_t config)
{
    return anole_trials_find(trials, config) != NULL;
}

/* ------------------------------------------------------------------- by cost */

/* Of equal ones the earlier trial counts. */
static bool is_better(const struct anole_trials *trials, uint32_t a, uint32_t b)
{
    const struct anole_result *x = &trial_at(trials, a)->result;
    const struct anole_result *y = &trial_at(trials, b)->result;
    if (anole_result_better(x, y))
        return true;
    return !anole_result_better(y, x) && a < b;
}

/* Where a trial stands in the ranking, or would. */
static size_t find_rank(const struct anole_trials *trials, uint32_t index)
{
    size_t low = 0, high = trials->ranked;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (is_better(trials, trials->ranking[middle], index))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void rank_insert(struct anole_trials *trials, uint32_t index)
{
    size_t rank = find_rank(trials, index);
    uint32_t *at = trials->ranking + rank;
    memmove(at + 1, at, (trials->ranked - rank) * sizeof *at);
    *at = index;
    trials->ranked++;
}

static void rank_remove(struct anole_trials *trials, uint32_t index)
{
    size_t rank = find_rank(trials, index);
    uint32_t *at = trials->ranking + rank;
    trials->ranked--;
    memmove(at, at + 1, (trials->ranked - rank) * sizeof *at);
}

const struct anole_trial *anole_trials_best(const struct anole_trials *trials)
{
    if (trials->ranked == 0)
        return NULL;
    const struct anole_trial *best = trial_at(trials, trials->ranking[0]);
    return best->result.abandoned ? NULL : best;
}

size_t anole_trials_with_outcome(const struct anole_trials *trials, enum anole_outcome outcome)
{
    return (unsigned)outcome < ANOLE_OUTCOME_COUNT ? trials->outcomes[outcome] : 0;
}

size_t anole_trials_elites(const struct anole_trials *trials, uint64_t *configs, double *costs,
                           size_t limit)
{
    size_t count = limit < trials->ranked ? limit : trials->ranked;
    for (size_t i = 0; i < count; i++) {
        const struct anole_trial *trial = trial_at(trials, trials->ranking[i]);
        configs[i] = trial->config;
        if (costs)
            costs[i] = anole_result_cost(&trial->result);
    }
    return count;
}

/* -------------------------------------------------------------------- adding */

static bool grow_slots(struct anole_trials *trials)
{
    if (2 * (trials->config_count + 1) <= trials->slot_count)
        return true;
    size_t slot_count = trials->slot_count ? 2 * trials->slot_count : 2 * BLOCK;
    uint32_t *slots = reallocarray(NULL, slot_count, sizeof *slots);
    if (!slots)
        return false;
    uint32_t *old = trials->slots;
    size_t old_count = trials->slot_count;
    memset(slots, 0xff, slot_count * sizeof *slots);
    trials->slots = slots;
    trials->slot_count = slot_count;
    for (size_t i = 0; i < old_count; i++) {
        if (old[i] != NO_TRIAL)
            *find_slot(trials, trial_at(trials, old[i])->config) = old[i];
    }
    free(old);
    return true;
}

/* Room for one more trial: a block, and a place in the ranking. */
static bool grow_blocks(struct anole_trials *trials)
{
    if (trials->count < trials->block_count * BLOCK)
        return true;
    size_t block_count = trials->block_count + 1;
    struct anole_trial **blocks = reallocarray(trials->blocks, block_count, sizeof *blocks);
    if (!blocks)
        return false;
    trials->blocks = blocks;
    uint32_t *ranking = reallocarray(trials->ranking, block_count, BLOCK * sizeof *ranking);
    if (!ranking)
        return false;
    trials->ranking = ranking;
    blocks[trials->block_count] = calloc(BLOCK, sizeof *blocks[0]);
    if (!blocks[trials->block_count])
        return false;
    trials->block_count = block_count;
    return true;
}

static enum anole_status check(const struct anole_trials *trials, const struct anole_result *result,
                               struct anole_error *error)
{
    if ((unsigned)result->outcome >= ANOLE_OUTCOME_COUNT)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "a trial's outcome: expected a number below %d, found %d",
                          ANOLE_OUTCOME_COUNT, (int)result->outcome);
    double value = anole_result_value(result);
    if (result->outcome == ANOLE_OUTCOME_OK && !(isfinite(value) && value >= 0.0))
        return anole_fail(error, ANOLE_ERR_INPUT, "a trial that is ok: expected its %s, found %g",
                          anole_metric_text(result->metric), value);
    if (trials->count && trial_at(trials, 0)->result.metric != result->metric)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "a trial: expected one that was measured in %s, as those before it, "
                          "found %s",
                          anole_metric_text(trial_at(trials, 0)->result.metric),
                          anole_metric_text(result->metric));
    if (trials->count >= NO_TRIAL)
        return anole_fail(error, ANOLE_ERR_INPUT, "expected fewer than %u trials, found more",
                          NO_TRIAL);
    return ANOLE_DONE;
}

enum anole_status anole_trials_add(struct anole_trials *trials, uint64_t config,
                                   const struct anole_result *result, struct anole_error *error)
{
    enum anole_status status = check(trials, result, error);
    if (status != ANOLE_DONE)
        return status;
    if (!grow_blocks(trials) || !grow_slots(trials))
        return anole_fail_memory(error);
    uint32_t index = (uint32_t)trials->count++;
    struct anole_trial *trial = trial_at(trials, index);
    trial->config = config;
    trial->result = *result;
    trial->result.message[sizeof trial->result.message - 1] = '\0';
    uint32_t *slot = find_slot(trials, config);
    if (*slot == NO_TRIAL) {
        trials->config_count++;
    } else {
        const struct anole_trial *before = trial_at(trials, *slot);
        trials->outcomes[before->result.outcome]--;
        if (before->result.outcome == ANOLE_OUTCOME_OK)
            rank_remove(trials, *slot);
    }
    *slot = index;
    trials->outcomes[result->outcome]++;
    if (result->outcome == ANOLE_OUTCOME_OK)
        rank_insert(trials, index);
    return ANOLE_DONE;
}
