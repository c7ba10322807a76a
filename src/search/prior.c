/* SPDX-License-Identifier: MIT */
#include "search/prior.h"

#include "search/forest.h"
#include "space/config_map.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_TRIALS 24  /* of a group */
#define MOST_TRIALS 4000 /* of a group, so that a fit stays below half a second */
#define SLOWEST 3.0f     /* as logarithm of slowness: what is worse is all the same */
#define SLOW_DEFAULT 1.0 /* likewise: nothing is compared with a default that is worse */
#define LEAST_TO_JUDGE 10
#define LEAST_TO_JUDGE_STRANGER 32
#define MOST_TO_JUDGE 512
#define LEAST_CORRELATION 0.1
#define LEAST_CORRELATION_STRANGER 0.4
#define LEAST_KINSHIP 0.5
#define MOST_REMEMBERED 65536 /* configs */

struct group {
    unsigned number;
    size_t trials;               /* of its sources */
    struct anole_forest *forest; /* NULL: there was nothing to learn */
    float base;                  /* added to what the forest says */
    size_t *live;                /* columns that the forest sees: see extend() */
    size_t live_count;
    double kinship; /* of its sources' spaces with the new task's, 0 to 1 */
};

struct anole_prior {
    size_t columns;  /* of the new task's features */
    float *standard; /* the row of its default config */
    struct group groups[ANOLE_PRIOR_GROUPS];
    size_t count;
    float *row, *extended;          /* scratch */
    struct anole_config_map places; /* of configs in `guesses` */
    float *guesses;                 /* [MOST_REMEMBERED][count], made when first needed */
};

/* What a forest may see of a config: the columns of its row, the same less those of
 * its task's default, and how many of them differ. */
static size_t extended_columns(size_t columns)
{
    return 2 * columns + 1;
}

static void extend(float *to, const float *row, const float *standard, size_t columns)
{
    float differing = 0.0f;
    memcpy(to, row, columns * sizeof *to);
    for (size_t c = 0; c < columns; c++) {
        float change = row[c] - standard[c]; /* NaN: the task knows no such column */
        to[columns + c] = change;
        differing += !isnan(change) && change != 0.0f;
    }
    to[2 * columns] = differing;
}

/* -- What is learned -- */

/* The trials of a group: extended rows of the new task's features, and how much faster
 * than its task's default each was, as a logarithm. */
struct lessons {
    const struct anole_features *features;
    const float *own_standard; /* the new task's default */
    size_t columns, count, capacity;
    float *rows, *labels;
    size_t *from; /* where a source's rows hold our columns */
    float *row;   /* of a source */
    size_t row_size;
    float *aligned, *standard; /* a source's row, and that of its default, in our columns */
    bool shifted;              /* a source's default is not where the new task's is */
};

static void lessons_fini(struct lessons *lessons)
{
    free(lessons->rows);
    free(lessons->labels);
    free(lessons->from);
    free(lessons->row);
    free(lessons->aligned);
    free(lessons->standard);
}

static bool lessons_reserve(struct lessons *lessons, size_t capacity)
{
    lessons->capacity = capacity;
    lessons->rows = reallocarray(NULL, capacity + 1,
                                 extended_columns(lessons->columns) * sizeof *lessons->rows);
    lessons->labels = calloc(capacity + 1, sizeof *lessons->labels);
    lessons->from = calloc(lessons->columns + 1, sizeof *lessons->from);
    lessons->aligned = calloc(lessons->columns + 1, sizeof *lessons->aligned);
    lessons->standard = calloc(lessons->columns + 1, sizeof *lessons->standard);
    return lessons->rows && lessons->labels && lessons->from && lessons->aligned &&
           lessons->standard;
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

/* The cost that a task's others are compared with: its default's, if that is known and
 * not far from the best. */
static double reference_of(const struct anole_prior_source *source, double best)
{
    uint64_t standard = anole_space_default(anole_features_space(source->features));
    const struct anole_trial *trial = anole_trials_find(source->trials, standard);
    double cost = trial ? anole_result_cost(&trial->result) : INFINITY;
    return log(cost / best) < SLOW_DEFAULT ? cost : best;
}

static float label_of(const struct anole_trial *trial, double reference)
{
    double cost = anole_result_cost(&trial->result);
    if (!(cost > 0.0) || !isfinite(cost))
        return -SLOWEST;
    return fmaxf((float)-log(cost / reference), -SLOWEST);
}

/* A config of a source, in the new task's columns. */
static void align_row(struct lessons *lessons, const struct anole_prior_source *source,
                      uint64_t config, float *to)
{
    anole_features_row(source->features, config, lessons->row);
    for (size_t c = 0; c < lessons->columns; c++)
        to[c] = lessons->from[c] == SIZE_MAX ? NAN : lessons->row[lessons->from[c]];
}

static void take_standard(struct lessons *lessons, const struct anole_prior_source *source)
{
    const struct anole_space *space = anole_features_space(source->features);
    align_row(lessons, source, anole_space_default(space), lessons->standard);
    for (size_t c = 0; c < lessons->columns; c++)
        lessons->shifted |=
            !isnan(lessons->standard[c]) && lessons->standard[c] != lessons->own_standard[c];
}

/* Every `stride`-th trial. */
static bool take_source(struct lessons *lessons, const struct anole_prior_source *source,
                        size_t stride)
{
    const struct anole_trials *trials = source->trials;
    const struct anole_trial *best = anole_trials_best(trials);
    if (!best || !reserve_row(lessons, anole_features_count(source->features)))
        return !best;
    double reference = reference_of(source, anole_result_cost(&best->result));
    anole_features_align(lessons->from, lessons->features, source->features);
    take_standard(lessons, source);
    for (size_t i = 0; i < anole_trials_count(trials); i += stride) {
        const struct anole_trial *trial = anole_trials_get(trials, i);
        if (lessons->count == lessons->capacity)
            break;
        if (anole_trials_find(trials, trial->config) != trial)
            continue;
        align_row(lessons, source, trial->config, lessons->aligned);
        extend(lessons->rows + lessons->count * extended_columns(lessons->columns),
               lessons->aligned, lessons->standard, lessons->columns);
        lessons->labels[lessons->count++] = label_of(trial, reference);
    }
    return true;
}

/* True if two rows differ in a column; what is missing tells nothing.  Nor do changes
 * of the default tell more than the configs do, where it is the same everywhere. */
static bool column_lives(const struct lessons *lessons, size_t column)
{
    float first = NAN;
    if (column >= lessons->columns && !lessons->shifted)
        return false;
    for (size_t i = 0; i < lessons->count; i++) {
        float value = lessons->rows[i * extended_columns(lessons->columns) + column];
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
    size_t columns = extended_columns(lessons->columns);
    group->live = calloc(columns, sizeof *group->live);
    if (!group->live)
        return anole_fail_memory(error);
    for (size_t c = 0; c < columns; c++)
        if (column_lives(lessons, c))
            group->live[group->live_count++] = c;
    if (lessons->count < LEAST_TRIALS || !group->live_count)
        return ANOLE_DONE;
    float *to = lessons->rows;
    for (size_t i = 0; i < lessons->count; i++) {
        for (size_t l = 0; l < group->live_count; l++)
            *to++ = lessons->rows[i * columns + group->live[l]];
        sum += (double)lessons->labels[i];
    }
    group->base = (float)(sum / (double)lessons->count);
    for (size_t i = 0; i < lessons->count; i++)
        lessons->labels[i] -= group->base;
    return anole_forest_fit(&group->forest, lessons->rows, lessons->labels, lessons->count,
                            group->live_count, &options, error);
}

static enum anole_status learn(struct group *group, const struct anole_prior *prior,
                               const struct anole_features *features,
                               const struct anole_prior_source *sources, size_t count,
                               uint64_t seed, struct anole_error *error)
{
    struct lessons lessons = {
        .features = features, .own_standard = prior->standard, .columns = prior->columns};
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

/* Share of a knob's values that another space's knob of this name has, or of that one's
 * that this has: sizes of layers differ, and so do the values that fit them. */
static double knob_kinship(const struct anole_space_knob *knob, const struct anole_space *other)
{
    size_t k = anole_space_find_knob(other, knob->name);
    if (k == SIZE_MAX)
        return 0.0;
    const struct anole_space_knob *theirs = anole_space_knob(other, k);
    uint32_t shared = 0, least = knob->count < theirs->count ? knob->count : theirs->count;
    for (uint32_t i = 0; i < knob->count; i++) {
        for (uint32_t j = 0; j < theirs->count; j++) {
            if (knob->values[i] == theirs->values[j]) {
                shared++;
                break;
            }
        }
    }
    return least ? fmin(1.0, (double)shared / (double)least) : 0.0;
}

/* Mean over the knobs that have a choice. */
static double kinship(const struct anole_space *space, const struct anole_space *other)
{
    double sum = 0.0, count = 0.0;
    for (size_t k = 0; k < anole_space_knob_count(space); k++) {
        const struct anole_space_knob *knob = anole_space_knob(space, k);
        if (knob->count < 2)
            continue;
        sum += knob_kinship(knob, other);
        count += 1.0;
    }
    return count > 0.0 ? sum / count : 1.0;
}

/* Mean over the trials of a group. */
static double group_kinship(const struct group *group, const struct anole_features *features,
                            const struct anole_prior_source *sources, size_t count)
{
    const struct anole_space *space = anole_features_space(features);
    double sum = 0.0;
    for (size_t i = 0; i < count; i++)
        if (sources[i].group == group->number)
            sum += (double)anole_trials_count(sources[i].trials) *
                   kinship(space, anole_features_space(sources[i].features));
    return sum / (double)group->trials;
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

static struct anole_prior *allocate(const struct anole_features *features)
{
    struct anole_prior *made = calloc(1, sizeof *made);
    if (!made)
        return NULL;
    made->columns = anole_features_count(features);
    made->row = calloc(extended_columns(made->columns), sizeof *made->row);
    made->extended = calloc(extended_columns(made->columns), sizeof *made->extended);
    made->standard = calloc(made->columns + 1, sizeof *made->standard);
    if (!made->row || !made->extended || !made->standard) {
        anole_prior_destroy(made);
        return NULL;
    }
    anole_features_row(features, anole_space_default(anole_features_space(features)),
                       made->standard);
    return made;
}

enum anole_status anole_prior_create(struct anole_prior **prior,
                                     const struct anole_features *features,
                                     const struct anole_prior_source *sources, size_t count,
                                     uint64_t seed, struct anole_error *error)
{
    struct anole_prior *made = allocate(features);
    if (!made)
        return anole_fail_memory(error);
    enum anole_status status = ANOLE_DONE;
    find_groups(made, sources, count);
    for (size_t g = 0; g < made->count && status == ANOLE_DONE; g++) {
        made->groups[g].kinship = group_kinship(&made->groups[g], features, sources, count);
        status = learn(&made->groups[g], made, features, sources, count, seed, error);
    }
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
    anole_config_map_fini(&prior->places);
    free(prior->guesses);
    free(prior->standard);
    free(prior->extended);
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
    extend(prior->extended, row, prior->standard, prior->columns);
    for (size_t g = 0; g < prior->count; g++) {
        const struct group *group = &prior->groups[g];
        for (size_t l = 0; l < group->live_count; l++)
            prior->row[l] = prior->extended[group->live[l]];
        guesses[g] = group->base + anole_forest_score(group->forest, prior->row);
    }
}

/* What cannot be remembered, for want of memory, is computed again. */
static void remember(struct anole_prior *prior, uint64_t config, const float *guesses)
{
    if (!prior->guesses)
        prior->guesses = reallocarray(NULL, MOST_REMEMBERED, prior->count * sizeof *prior->guesses);
    if (prior->places.count == MOST_REMEMBERED)
        anole_config_map_clear(&prior->places);
    size_t place = prior->places.count;
    if (prior->guesses && anole_config_map_put(&prior->places, config, (uint32_t)place))
        memcpy(prior->guesses + place * prior->count, guesses, prior->count * sizeof *guesses);
}

void anole_prior_recall(struct anole_prior *prior, uint64_t config, const float *row,
                        float *guesses)
{
    uint32_t place = anole_config_map_get(&prior->places, config);
    if (place != UINT32_MAX) {
        memcpy(guesses, prior->guesses + place * prior->count, prior->count * sizeof *guesses);
        return;
    }
    anole_prior_guess(prior, row, guesses);
    remember(prior, config, guesses);
}

bool anole_prior_is_stranger(const struct anole_prior *prior, size_t group)
{
    return prior->groups[group].kinship < LEAST_KINSHIP;
}

double anole_prior_correlation(const float *guesses, size_t stride, const float *targets,
                               size_t count)
{
    double balance = 0.0, weight = 0.0;
    size_t step = 1 + count / MOST_TO_JUDGE;
    for (size_t i = 0; i < count; i += step) {
        for (size_t j = 0; j < i; j += step) {
            double a = (double)(targets[i] - targets[j]);
            double b = (double)(guesses[i * stride] - guesses[j * stride]);
            balance += a * b > 0.0 ? fabs(a) : a * b < 0.0 ? -fabs(a) : 0.0;
            weight += fabs(a);
        }
    }
    return weight > 0.0 ? balance / weight : 0.0;
}

static bool differ(const float *targets, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (targets[i] != targets[0])
            return true;
    return false;
}

bool anole_prior_agrees(const float *guesses, size_t stride, const float *targets, size_t count,
                        bool stranger)
{
    if (count < (stranger ? LEAST_TO_JUDGE_STRANGER : LEAST_TO_JUDGE) || !differ(targets, count))
        return !stranger;
    return anole_prior_correlation(guesses, stride, targets, count) >=
           (stranger ? LEAST_CORRELATION_STRANGER : LEAST_CORRELATION);
}
