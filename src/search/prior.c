/* SPDX-License-Identifier: MIT */
#include "search/prior.h"

#include "search/forest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_TRIALS 24 /* of a group */
#define MOST_TRIALS 6000 /* of a group, so that a fit stays below half a second */
#define SLOWEST 3.0f /* as logarithm of slowness: what is worse is all the same */
#define LEAST_TO_JUDGE 10
#define MOST_TO_JUDGE 512
#define LEAST_CORRELATION 0.1

struct group {
    unsigned number;
    size_t trials; /* of its sources */
    struct anole_forest *forest; /* NULL: there was nothing to learn */
    float base; /* added to what the forest says */
    size_t *live; /* columns that the forest sees */
    size_t live_count;
};

struct anole_prior {
    size_t columns;
    struct group groups[ANOLE_PRIOR_GROUPS];
    size_t count;
    float *row; /* scratch */
};

/* -- What is learned -- */

/* The trials of a group: rows of the new task's features, and how much slower than
 * its task's best each was, as a logarithm below zero. */
struct lessons {
    const struct anole_features *features;
    size_t columns, count, capacity;
    float *rows, *labels;
    size_t *from; /* where a source's rows hold our columns */
    float *row; /* of a source */
    size_t row_size;
};

static void lessons_fini(struct lessons *lessons)
{
    free(lessons->rows);
    free(lessons->labels);
    free(lessons->from);
    free(lessons->row);
}

static bool lessons_reserve(struct lessons *lessons, size_t capacity)
{
    lessons->capacity = capacity;
    lessons->rows = reallocarray(NULL, capacity + 1, lessons->columns * sizeof *lessons->rows);
    lessons->labels = calloc(capacity + 1, sizeof *lessons->labels);
    lessons->from = calloc(lessons->columns + 1, sizeof *lessons->from);
    return lessons->rows && lessons->labels && lessons->from;
}

static bool reserve_row(struct lessons *lessons, size_t columns)
{
    if (columns <= lessons->row_size)
        return true;
    float *row = reallocarray(lessons->row, columns, sizeof *row);
    if (!row)
        return false;
    lessons->row = row;
    lessons->row_size = columns;
    return true;
}

static float label_of(const struct anole_trial *trial, double best)
{
    if (trial->result.outcome != ANOLE_OUTCOME_OK || !(trial->result.seconds > 0.0))
        return -SLOWEST;
    return fmaxf((float)-log(trial->result.seconds / best), -SLOWEST);
}

/* Every `stride`-th trial. */
static bool take_source(struct lessons *lessons, const struct anole_prior_source *source,
                        size_t stride)
{
    const struct anole_trials *trials = source->trials;
    const struct anole_trial *best = anole_trials_best(trials);
    if (!best || !reserve_row(lessons, anole_features_count(source->features)))
        return !best;
    anole_features_align(lessons->from, lessons->features, source->features);
    for (size_t i = 0; i < anole_trials_count(trials); i += stride) {
        const struct anole_trial *trial = anole_trials_get(trials, i);
        if (lessons->count == lessons->capacity)
            break;
        if (anole_trials_find(trials, trial->config) != trial)
            continue;
        anole_features_row(source->features, trial->config, lessons->row);
        float *to = lessons->rows + lessons->count * lessons->columns;
        for (size_t c = 0; c < lessons->columns; c++)
            to[c] = lessons->from[c] == SIZE_MAX ? NAN : lessons->row[lessons->from[c]];
        lessons->labels[lessons->count++] = label_of(trial, best->result.seconds);
    }
    return true;
}

/* True if two rows differ in a column; what is missing tells nothing. */
static bool column_lives(const struct lessons *lessons, size_t column)
{
    float first = NAN;
    for (size_t i = 0; i < lessons->count; i++) {
        float value = lessons->rows[i * lessons->columns + column];
        if (isnan(first))
            first = value;
        else if (!isnan(value) && value != first)
            return true;
    }
    return false;
}

static enum anole_status fit(struct group *group, struct lessons *lessons, uint64_t seed,
                             struct anole_error *error)
{
    const struct anole_forest_options options = {
        .trees = 100,
        .depth = 6,
        .learning_rate = 0.15,
        .seed = seed,
    };
    double sum = 0.0;
    group->live = calloc(lessons->columns + 1, sizeof *group->live);
    if (!group->live)
        return anole_fail_memory(error);
    for (size_t c = 0; c < lessons->columns; c++)
        if (column_lives(lessons, c))
            group->live[group->live_count++] = c;
    if (lessons->count < LEAST_TRIALS || !group->live_count)
        return ANOLE_DONE;
    float *to = lessons->rows;
    for (size_t i = 0; i < lessons->count; i++) {
        for (size_t l = 0; l < group->live_count; l++)
            *to++ = lessons->rows[i * lessons->columns + group->live[l]];
        sum += (double)lessons->labels[i];
    }
    group->base = (float)(sum / (double)lessons->count);
    for (size_t i = 0; i < lessons->count; i++)
        lessons->labels[i] -= group->base;
    return anole_forest_fit(&group->forest, lessons->rows, lessons->labels, lessons->count,
                            group->live_count, &options, error);
}

static enum anole_status learn(struct group *group, const struct anole_features *features,
                               const struct anole_prior_source *sources, size_t count,
                               uint64_t seed, struct anole_error *error)
{
    struct lessons lessons = {.features = features, .columns = anole_features_count(features)};
    size_t stride = (group->trials + MOST_TRIALS - 1) / MOST_TRIALS;
    enum anole_status status = ANOLE_DONE;
    if (!lessons_reserve(&lessons, group->trials < MOST_TRIALS ? group->trials : MOST_TRIALS))
        status = anole_fail_memory(error);
    for (size_t i = 0; i < count && status == ANOLE_DONE; i++)
        if (sources[i].group == group->number && !take_source(&lessons, &sources[i], stride))
            status = anole_fail_memory(error);
    if (status == ANOLE_DONE)
        status = fit(group, &lessons, seed, error);
    lessons_fini(&lessons);
    return status;
}

/* -- Groups -- */

static void count_trials(struct group *group, const struct anole_prior_source *sources,
                         size_t count)
{
    group->trials = 0;
    for (size_t i = 0; i < count; i++)
        if (sources[i].group == group->number)
            group->trials += anole_trials_count(sources[i].trials);
}

/* The groups with the most trials, the largest first, of equals the first. */
static void find_groups(struct anole_prior *prior, const struct anole_prior_source *sources,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct group group = {.number = sources[i].group};
        bool seen = false;
        for (size_t j = 0; j < i && !seen; j++)
            seen = sources[j].group == group.number;
        count_trials(&group, sources, count);
        if (seen || group.trials < LEAST_TRIALS)
            continue;
        size_t at = prior->count;
        if (at == ANOLE_PRIOR_GROUPS && prior->groups[at - 1].trials >= group.trials)
            continue;
        if (at == ANOLE_PRIOR_GROUPS)
            at--;
        else
            prior->count++;
        for (; at > 0 && prior->groups[at - 1].trials < group.trials; at--)
            prior->groups[at] = prior->groups[at - 1];
        prior->groups[at] = group;
    }
}

static void group_fini(struct group *group)
{
    anole_forest_destroy(group->forest);
    free(group->live);
}

/* Leaves out groups that taught nothing. */
static void drop_empty(struct anole_prior *prior)
{
    size_t kept = 0;
    for (size_t g = 0; g < prior->count; g++) {
        if (prior->groups[g].forest)
            prior->groups[kept++] = prior->groups[g];
        else
            group_fini(&prior->groups[g]);
    }
    prior->count = kept;
}

enum anole_status anole_prior_create(struct anole_prior **prior,
                                     const struct anole_features *features,
                                     const struct anole_prior_source *sources, size_t count,
                                     uint64_t seed, struct anole_error *error)
{
    struct anole_prior *made = calloc(1, sizeof *made);
    if (!made)
        return anole_fail_memory(error);
    made->columns = anole_features_count(features);
    made->row = calloc(made->columns + 1, sizeof *made->row);
    enum anole_status status = made->row ? ANOLE_DONE : anole_fail_memory(error);
    find_groups(made, sources, count);
    for (size_t g = 0; g < made->count && status == ANOLE_DONE; g++)
        status = learn(&made->groups[g], features, sources, count, seed, error);
    if (status == ANOLE_DONE)
        drop_empty(made);
    if (status != ANOLE_DONE || !made->count) {
        anole_prior_destroy(made);
        made = NULL;
    }
    if (status == ANOLE_DONE)
        *prior = made;
    return status;
}

void anole_prior_destroy(struct anole_prior *prior)
{
    if (!prior)
        return;
    for (size_t g = 0; g < prior->count; g++)
        group_fini(&prior->groups[g]);
    free(prior->row);
    free(prior);
}

/* -- What is said -- */

size_t anole_prior_count(const struct anole_prior *prior)
{
    return prior->count;
}

void anole_prior_guess(const struct anole_prior *prior, const float *row, float *guesses)
{
    for (size_t g = 0; g < prior->count; g++) {
        const struct group *group = &prior->groups[g];
        for (size_t l = 0; l < group->live_count; l++)
            prior->row[l] = row[group->live[l]];
        guesses[g] = group->base + anole_forest_score(group->forest, prior->row);
    }
}

bool anole_prior_agrees(const float *guesses, size_t stride, const float *targets, size_t count)
{
    double balance = 0.0, pairs = 0.0;
    size_t step = 1 + count / MOST_TO_JUDGE;
    for (size_t i = 0; i < count; i += step) {
        for (size_t j = 0; j < i; j += step) {
            if (targets[i] == targets[j])
                continue;
            double a = (double)(targets[i] - targets[j]);
            double b = (double)(guesses[i * stride] - guesses[j * stride]);
            balance += a * b > 0.0 ? 1.0 : a * b < 0.0 ? -1.0 : 0.0;
            pairs += 1.0;
        }
    }
    return count < LEAST_TO_JUDGE || pairs == 0.0 || balance >= LEAST_CORRELATION * pairs;
}
