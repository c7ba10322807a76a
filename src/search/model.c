/* SPDX-License-Identifier: MIT */
#include "search/model.h"

#include "base/log.h"
#include "search/forest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_TREES 50
#define DEFAULT_DEPTH 5
#define DEFAULT_RATE 0.3
#define LEAST_BESIDE_PRIOR 8 /* trials; with fewer, similar tasks know better */

struct anole_cost_model {
    const struct anole_features *features;
    struct anole_cost_model_options options;
    struct anole_forest *forest;      /* NULL: untrained */
    float base;                       /* added to what the forest says: the mean target */
    struct anole_prior *prior;        /* NULL: there are no similar tasks */
    bool trusted[ANOLE_PRIOR_GROUPS]; /* the prior's groups */
    size_t features_count;
    size_t columns; /* of a row: the features, and a guess of each group */
    size_t *live;   /* the columns that differ between trials; the trees see only these */
    size_t live_count;
    float *row, *live_row;
};

enum anole_status anole_cost_model_create(struct anole_cost_model **model,
                                          const struct anole_features *features,
                                          const struct anole_cost_model_options *options,
                                          struct anole_error *error)
{
    struct anole_cost_model *made = calloc(1, sizeof *made);
    if (!made)
        return anole_fail_memory(error);
    made->features = features;
    made->options = *options;
    if (made->options.target == ANOLE_TARGET_PREFERRED)
        made->options.target = ANOLE_TARGET_RANK;
    if (!made->options.trees)
        made->options.trees = DEFAULT_TREES;
    if (!made->options.depth)
        made->options.depth = DEFAULT_DEPTH;
    if (made->options.learning_rate <= 0.0)
        made->options.learning_rate = DEFAULT_RATE;
    made->columns = made->features_count = anole_features_count(features);
    size_t most = made->columns + ANOLE_PRIOR_GROUPS;
    made->live = calloc(most, sizeof *made->live);
    made->row = calloc(most, sizeof *made->row);
    made->live_row = calloc(most, sizeof *made->live_row);
    if (!made->live || !made->row || !made->live_row) {
        anole_cost_model_destroy(made);
        return anole_fail_memory(error);
    }
    *model = made;
    return ANOLE_DONE;
}

void anole_cost_model_destroy(struct anole_cost_model *model)
{
    if (!model)
        return;
    anole_forest_destroy(model->forest);
    anole_prior_destroy(model->prior);
    free(model->live);
    free(model->row);
    free(model->live_row);
    free(model);
}

enum anole_status anole_cost_model_inform(struct anole_cost_model *model,
                                          const struct anole_prior_source *sources, size_t count,
                                          struct anole_error *error)
{
    struct anole_prior *prior = NULL;
    enum anole_status status =
        anole_prior_create(&prior, model->features, sources, count, model->options.seed, error);
    if (status != ANOLE_DONE)
        return status;
    anole_prior_destroy(model->prior);
    anole_forest_destroy(model->forest);
    model->forest = NULL;
    model->prior = prior;
    model->columns = model->features_count + (prior ? anole_prior_count(prior) : 0);
    for (size_t g = 0; g < ANOLE_PRIOR_GROUPS; g++)
        model->trusted[g] =
            prior && g < anole_prior_count(prior) && !anole_prior_is_stranger(prior, g);
    return ANOLE_DONE;
}

static void fill_row(const struct anole_cost_model *model, uint64_t config, float *row)
{
    anole_features_row(model->features, config, row);
    if (model->prior)
        anole_prior_recall(model->prior, config, row, row + model->features_count);
}

/* -- What is learned -- */

struct ranked {
    double cost;
    size_t trial;
};

static int by_cost(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->cost != y->cost)
        return x->cost < y->cost ? -1 : 1;
    return x->trial < y->trial ? -1 : 1;
}

/* Equal costs share the mean of their ranks. */
static void rank_targets(double *targets, const struct ranked *ranked, size_t count, size_t all)
{
    for (size_t i = 0; i < count;) {
        size_t end = i + 1;
        while (end < count && ranked[end].cost == ranked[i].cost)
            end++;
        double rank = 0.5 * (double)(i + end - 1);
        double good = 1.0 - rank / (double)all;
        for (; i < end; i++)
            targets[ranked[i].trial] = good * good * good * good;
    }
}

enum anole_status anole_cost_model_targets(double *targets, size_t *count,
                                           const struct anole_trials *trials,
                                           enum anole_cost_model_target target,
                                           struct anole_error *error)
{
    size_t trial_count = anole_trials_count(trials), all = 0, ok = 0;
    struct ranked *ranked = calloc(trial_count + 1, sizeof *ranked);
    if (!ranked)
        return anole_fail_memory(error);
    for (size_t i = 0; i < trial_count; i++) {
        const struct anole_trial *trial = anole_trials_get(trials, i);
        targets[i] = NAN;
        if (anole_trials_find(trials, trial->config) != trial)
            continue;
        all++;
        targets[i] = 0.0;
        double cost = anole_result_cost(&trial->result);
        if (isfinite(cost) && cost > 0.0)
            ranked[ok++] = (struct ranked){cost, i};
    }
    qsort(ranked, ok, sizeof *ranked, by_cost);
    if (target == ANOLE_TARGET_SPEED)
        for (size_t i = 0; i < ok; i++)
            targets[ranked[i].trial] = ranked[0].cost / ranked[i].cost;
    else
        rank_targets(targets, ranked, ok, all);
    free(ranked);
    *count = all;
    return ANOLE_DONE;
}

/* The rows of all trials that count, and their targets less the mean. */
struct lesson {
    size_t count;
    float *rows; /* count x columns; in the end count x live columns */
    float *labels;
};

static enum anole_status gather(struct lesson *lesson, struct anole_cost_model *model,
                                const struct anole_trials *trials, struct anole_error *error)
{
    size_t trial_count = anole_trials_count(trials), n = 0;
    double *targets = calloc(trial_count + 1, sizeof *targets), sum = 0.0;
    lesson->rows = reallocarray(NULL, trial_count + 1, model->columns * sizeof *lesson->rows);
    lesson->labels = calloc(trial_count + 1, sizeof *lesson->labels);
    if (!targets || !lesson->rows || !lesson->labels) {
        free(targets);
        return anole_fail_memory(error);
    }
    enum anole_status status =
        anole_cost_model_targets(targets, &lesson->count, trials, model->options.target, error);
    for (size_t i = 0; i < trial_count && status == ANOLE_DONE; i++) {
        if (isnan(targets[i]))
            continue;
        fill_row(model, anole_trials_get(trials, i)->config, lesson->rows + n * model->columns);
        lesson->labels[n++] = (float)targets[i];
        sum += targets[i];
    }
    model->base = n ? (float)(sum / (double)n) : 0.0f;
    for (size_t i = 0; i < n; i++)
        lesson->labels[i] -= model->base;
    free(targets);
    return status;
}

/* Compares what similar tasks made it expect with what came of it. */
static void judge_prior(struct anole_cost_model *model, const struct lesson *lesson)
{
    for (size_t g = 0; model->prior && g < anole_prior_count(model->prior); g++) {
        bool agrees = anole_prior_agrees(lesson->rows + model->features_count + g, model->columns,
                                         lesson->labels, lesson->count,
                                         anole_prior_is_stranger(model->prior, g));
        if (agrees != model->trusted[g])
            anole_log_debug("the cost model %s group %zu of similar tasks after %zu trials",
                            agrees ? "listens again to" : "no longer listens to", g, lesson->count);
        model->trusted[g] = agrees;
    }
}

/* Keeps the columns that differ between trials and are to be listened to. */
static void compact(struct lesson *lesson, struct anole_cost_model *model)
{
    size_t columns = model->columns;
    model->live_count = 0;
    for (size_t c = 0; c < columns; c++) {
        if (c >= model->features_count && !model->trusted[c - model->features_count])
            continue;
        for (size_t i = 1; i < lesson->count; i++) {
            if (lesson->rows[i * columns + c] != lesson->rows[c]) {
                model->live[model->live_count++] = c;
                break;
            }
        }
    }
    float *to = lesson->rows;
    for (size_t i = 0; i < lesson->count; i++)
        for (size_t l = 0; l < model->live_count; l++)
            *to++ = lesson->rows[i * columns + model->live[l]];
}

static bool worth_learning(const struct anole_cost_model *model, const struct lesson *lesson)
{
    if (anole_cost_model_guided(model) && lesson->count < LEAST_BESIDE_PRIOR)
        return false;
    for (size_t i = 1; i < lesson->count && model->live_count; i++)
        if (lesson->labels[i] != lesson->labels[0])
            return true;
    return false;
}

enum anole_status anole_cost_model_fit(struct anole_cost_model *model,
                                       const struct anole_trials *trials, struct anole_error *error)
{
    const struct anole_forest_options options = {
        .trees = model->options.trees,
        .depth = model->options.depth,
        .learning_rate = model->options.learning_rate,
        .seed = model->options.seed,
    };
    struct lesson lesson = {0};
    anole_forest_destroy(model->forest);
    model->forest = NULL;
    enum anole_status status = gather(&lesson, model, trials, error);
    if (status == ANOLE_DONE) {
        judge_prior(model, &lesson);
        compact(&lesson, model);
        if (worth_learning(model, &lesson))
            status = anole_forest_fit(&model->forest, lesson.rows, lesson.labels, lesson.count,
                                      model->live_count, &options, error);
    }
    free(lesson.rows);
    free(lesson.labels);
    return status;
}

bool anole_cost_model_trained(const struct anole_cost_model *model)
{
    return model->forest != NULL;
}

bool anole_cost_model_guided(const struct anole_cost_model *model)
{
    for (size_t g = 0; g < ANOLE_PRIOR_GROUPS; g++)
        if (model->trusted[g])
            return true;
    return false;
}

bool anole_cost_model_informed(const struct anole_cost_model *model)
{
    return anole_cost_model_trained(model) || anole_cost_model_guided(model);
}

/* What the groups that it listens to say, on average. */
static float guess(const struct anole_cost_model *model)
{
    float sum = 0.0f, count = 0.0f;
    for (size_t g = 0; g < ANOLE_PRIOR_GROUPS; g++) {
        if (model->trusted[g]) {
            sum += model->row[model->features_count + g];
            count += 1.0f;
        }
    }
    return sum / count;
}

void anole_cost_model_predict(struct anole_cost_model *model, const uint64_t *configs, size_t count,
                              float *scores)
{
    bool informed = anole_cost_model_informed(model);
    /* Guesses cost more than the model's own trees: only where somebody listens. */
    bool guesses = anole_cost_model_guided(model);
    for (size_t i = 0; i < count; i++) {
        scores[i] = 0.0f;
        if (!informed)
            continue;
        if (guesses)
            fill_row(model, configs[i], model->row);
        else
            anole_features_row(model->features, configs[i], model->row);
        if (!model->forest) {
            scores[i] = guess(model);
            continue;
        }
        for (size_t l = 0; l < model->live_count; l++)
            model->live_row[l] = model->row[model->live[l]];
        scores[i] = model->base + anole_forest_score(model->forest, model->live_row);
    }
}
