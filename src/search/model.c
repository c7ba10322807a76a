/* SPDX-License-Identifier: MIT */
#include "search/model.h"

#include "search/forest.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xgboost/c_api.h>

#define DEFAULT_TREES 50
#define DEFAULT_DEPTH 5
#define DEFAULT_RATE 0.3

struct anole_model {
    const struct anole_features *features;
    struct anole_model_options options;
    struct anole_forest *forest; /* NULL: untrained */
    float base;                  /* added to what the forest says: the mean target */
    size_t columns;              /* of a row of features */
    size_t *live; /* the columns that differ between trials; the trees see only these */
    size_t live_count;
    float *row, *live_row;
};

enum anole_status anole_model_create(struct anole_model **model,
                                     const struct anole_features *features,
                                     const struct anole_model_options *options,
                                     struct anole_error *error)
{
    struct anole_model *made = calloc(1, sizeof *made);
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
    made->columns = anole_features_count(features);
    made->live = calloc(made->columns, sizeof *made->live);
    made->row = calloc(made->columns, sizeof *made->row);
    made->live_row = calloc(made->columns, sizeof *made->live_row);
    if (!made->live || !made->row || !made->live_row) {
        anole_model_destroy(made);
        return anole_fail_memory(error);
    }
    *model = made;
    return ANOLE_DONE;
}

void anole_model_destroy(struct anole_model *model)
{
    if (!model)
        return;
    anole_forest_destroy(model->forest);
    free(model->live);
    free(model->row);
    free(model->live_row);
    free(model);
}

/* -- What is learned -- */

struct timed {
    double seconds;
    size_t trial;
};

static int by_time(const void *a, const void *b)
{
    const struct timed *x = a, *y = b;
    if (x->seconds != y->seconds)
        return x->seconds < y->seconds ? -1 : 1;
    return x->trial < y->trial ? -1 : 1;
}

/* Equal times share the mean of their ranks. */
static void rank_targets(double *targets, const struct timed *timed, size_t count, size_t all)
{
    for (size_t i = 0; i < count;) {
        size_t end = i + 1;
        while (end < count && timed[end].seconds == timed[i].seconds)
            end++;
        double rank = 0.5 * (double)(i + end - 1);
        double good = 1.0 - rank / (double)all;
        for (; i < end; i++)
            targets[timed[i].trial] = good * good * good * good;
    }
}

enum anole_status anole_model_targets(double *targets, size_t *count,
                                      const struct anole_trials *trials,
                                      enum anole_model_target target, struct anole_error *error)
{
    size_t trial_count = anole_trials_count(trials), all = 0, ok = 0;
    struct timed *timed = calloc(trial_count + 1, sizeof *timed);
    if (!timed)
        return anole_fail_memory(error);
    for (size_t i = 0; i < trial_count; i++) {
        const struct anole_trial *trial = anole_trials_get(trials, i);
        targets[i] = NAN;
        if (anole_trials_find(trials, trial->config) != trial)
            continue;
        all++;
        targets[i] = 0.0;
        if (trial->result.outcome == ANOLE_OUTCOME_OK && trial->result.seconds > 0.0)
            timed[ok++] = (struct timed){trial->result.seconds, i};
    }
    qsort(timed, ok, sizeof *timed, by_time);
    if (target == ANOLE_TARGET_SPEED)
        for (size_t i = 0; i < ok; i++)
            targets[timed[i].trial] = timed[0].seconds / timed[i].seconds;
    else
        rank_targets(targets, timed, ok, all);
    free(timed);
    *count = all;
    return ANOLE_DONE;
}

/* The rows of all trials that count, and their targets less the mean. */
struct lesson {
    size_t count;
    float *rows; /* count x live columns */
    float *labels;
};

static void find_live_columns(struct anole_model *model, const float *rows, size_t count)
{
    model->live_count = 0;
    for (size_t c = 0; c < model->columns; c++) {
        for (size_t i = 1; i < count; i++) {
            if (rows[i * model->columns + c] != rows[c]) {
                model->live[model->live_count++] = c;
                break;
            }
        }
    }
}

static enum anole_status prepare(struct lesson *lesson, struct anole_model *model,
                                 const struct anole_trials *trials, struct anole_error *error)
{
    size_t trial_count = anole_trials_count(trials), columns = model->columns, n = 0;
    double *targets = calloc(trial_count + 1, sizeof *targets), sum = 0.0;
    lesson->rows = reallocarray(NULL, (trial_count + 1) * columns, sizeof *lesson->rows);
    lesson->labels = calloc(trial_count + 1, sizeof *lesson->labels);
    if (!targets || !lesson->rows || !lesson->labels) {
        free(targets);
        return anole_fail_memory(error);
    }
    enum anole_status status =
        anole_model_targets(targets, &lesson->count, trials, model->options.target, error);
    for (size_t i = 0; i < trial_count && status == ANOLE_DONE; i++) {
        if (isnan(targets[i]))
            continue;
        anole_features_row(model->features, anole_trials_get(trials, i)->config,
                           lesson->rows + n * columns);
        lesson->labels[n++] = (float)targets[i];
        sum += targets[i];
    }
    free(targets);
    if (status != ANOLE_DONE)
        return status;
    model->base = n ? (float)(sum / (double)n) : 0.0f;
    for (size_t i = 0; i < n; i++)
        lesson->labels[i] -= model->base;
    find_live_columns(model, lesson->rows, n);
    float *to = lesson->rows;
    for (size_t i = 0; i < n; i++)
        for (size_t l = 0; l < model->live_count; l++)
            *to++ = lesson->rows[i * columns + model->live[l]];
    return ANOLE_DONE;
}

static bool worth_learning(const struct anole_model *model, const struct lesson *lesson)
{
    for (size_t i = 1; i < lesson->count && model->live_count; i++)
        if (lesson->labels[i] != lesson->labels[0])
            return true;
    return false;
}

/* -- XGBoost -- */

static enum anole_status fail_xgboost(const char *what, struct anole_error *error)
{
    return anole_fail(error, ANOLE_ERR_INTERNAL, "the cost model failed to %s: XGBoost says: %s",
                      what, XGBGetLastError());
}

static void keep_quiet(const char *message)
{
    (void)message;
}

static int set_parameters(BoosterHandle booster, const struct anole_model_options *options)
{
    char depth[16], rate[32], seed[32];
    /* By whole numbers, so that no locale can put a comma into it. */
    unsigned millionths = (unsigned)lrint(1e6 * fmin(options->learning_rate, 1.0));
    snprintf(depth, sizeof depth, "%u", options->depth);
    snprintf(rate, sizeof rate, "%u.%06u", millionths / 1000000, millionths % 1000000);
    snprintf(seed, sizeof seed, "%u", (unsigned)(options->seed & 0x7fffffff));
    const char *const parameters[][2] = {
        {"verbosity", "0"},      {"nthread", "1"},
        {"booster", "gbtree"},   {"objective", "reg:squarederror"},
        {"tree_method", "hist"}, {"max_depth", depth},
        {"eta", rate},           {"base_score", "0"},
        {"seed", seed},          {"max_bin", "64"},
    };
    for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++)
        if (XGBoosterSetParam(booster, parameters[i][0], parameters[i][1]) != 0)
            return -1;
    return 0;
}

static enum anole_status grow_trees(BoosterHandle booster, DMatrixHandle matrix,
                                    struct anole_model *model, struct anole_error *error)
{
    if (set_parameters(booster, &model->options) != 0)
        return fail_xgboost("take its parameters", error);
    for (unsigned t = 0; t < model->options.trees; t++)
        if (XGBoosterUpdateOneIter(booster, (int)t, matrix) != 0)
            return fail_xgboost("grow a tree", error);
    bst_ulong length;
    const char *saved;
    if (XGBoosterSaveModelToBuffer(booster, "{\"format\": \"ubj\"}", &length, &saved) != 0)
        return fail_xgboost("hand over its trees", error);
    struct anole_forest *forest;
    enum anole_status status = anole_forest_load(&forest, saved, length, model->live_count, error);
    if (status != ANOLE_DONE)
        return status;
    model->forest = forest;
    return ANOLE_DONE;
}

static enum anole_status train(struct anole_model *model, const struct lesson *lesson,
                               struct anole_error *error)
{
    DMatrixHandle matrix;
    BoosterHandle booster;
    XGBRegisterLogCallback(keep_quiet);
    if (XGDMatrixCreateFromMat(lesson->rows, lesson->count, model->live_count, NAN, &matrix) != 0)
        return fail_xgboost("take the trials", error);
    enum anole_status status = ANOLE_DONE;
    if (XGDMatrixSetFloatInfo(matrix, "label", lesson->labels, lesson->count) != 0)
        status = fail_xgboost("take the trials' speeds", error);
    else if (XGBoosterCreate(&matrix, 1, &booster) != 0)
        status = fail_xgboost("start", error);
    if (status == ANOLE_DONE) {
        status = grow_trees(booster, matrix, model, error);
        XGBoosterFree(booster);
    }
    XGDMatrixFree(matrix);
    return status;
}

enum anole_status anole_model_fit(struct anole_model *model, const struct anole_trials *trials,
                                  struct anole_error *error)
{
    struct lesson lesson = {0};
    anole_forest_destroy(model->forest);
    model->forest = NULL;
    enum anole_status status = prepare(&lesson, model, trials, error);
    if (status == ANOLE_DONE && worth_learning(model, &lesson))
        status = train(model, &lesson, error);
    free(lesson.rows);
    free(lesson.labels);
    return status;
}

bool anole_model_trained(const struct anole_model *model)
{
    return model->forest != NULL;
}

void anole_model_predict(struct anole_model *model, const uint64_t *configs, size_t count,
                         float *scores)
{
    for (size_t i = 0; i < count; i++) {
        scores[i] = 0.0f;
        if (!model->forest)
            continue;
        anole_features_row(model->features, configs[i], model->row);
        for (size_t l = 0; l < model->live_count; l++)
            model->live_row[l] = model->row[model->live[l]];
        scores[i] = model->base + anole_forest_score(model->forest, model->live_row);
    }
}
