/* SPDX-License-Identifier: MIT */
#include "report/knobs.h"

#include "base/rng.h"
#include "search/model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_TRIALS 400 /* of a task: spread over all of them */
#define MOST_STUDIED 24 /* tasks of a device */
#define LEAST_EXPLAINED 0.1

/* The space that the trials span: their knobs, with the values that were tried. */
struct study {
    const struct anole_report_task *task;
    size_t *chosen; /* trials */
    size_t chosen_count;
    int64_t *values[ANOLE_MAX_KNOBS]; /* of each of the task's knobs, ascending */
    size_t counts[ANOLE_MAX_KNOBS];
    size_t live[ANOLE_MAX_KNOBS]; /* knobs with two values at least: those of the space */
    size_t live_count;
    struct anole_space *space;
    struct anole_features *features;
    struct anole_trials *trials;
    double *targets;
};

static void study_fini(struct study *study)
{
    free(study->chosen);
    for (size_t k = 0; k < ANOLE_MAX_KNOBS; k++)
        free(study->values[k]);
    anole_trials_destroy(study->trials);
    anole_features_destroy(study->features);
    anole_space_destroy(study->space);
    free(study->targets);
}

/* ---------------------------------------------------------------- the space */

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int64_t value_of(const struct study *study, size_t trial, size_t knob)
{
    return study->task->values[trial * study->task->knob_count + knob];
}

/* Every so-manieth of the trials whose knobs are known. */
static bool choose(struct study *study)
{
    const struct anole_report_task *task = study->task;
    size_t known = 0, seen = 0;
    for (size_t i = 0; i < task->trial_count; i++)
        known += !task->trials[i].odd;
    size_t room = known < MOST_TRIALS ? known : MOST_TRIALS;
    study->chosen = calloc(room + 1, sizeof *study->chosen);
    if (!study->chosen)
        return false;
    for (size_t i = 0; i < task->trial_count; i++) {
        if (task->trials[i].odd)
            continue;
        if (seen * room / known != (seen + 1) * room / known)
            study->chosen[study->chosen_count++] = i;
        seen++;
    }
    return true;
}

static bool list_values(struct study *study, size_t knob)
{
    size_t count = 0;
    int64_t *values = calloc(study->chosen_count + 1, sizeof *values);
    if (!values)
        return false;
    for (size_t i = 0; i < study->chosen_count; i++)
        values[i] = value_of(study, study->chosen[i], knob);
    qsort(values, study->chosen_count, sizeof *values, by_value);
    for (size_t i = 0; i < study->chosen_count; i++)
        if (!count || values[count - 1] != values[i])
            values[count++] = values[i];
    study->values[knob] = values;
    study->counts[knob] = count;
    if (count > 1)
        study->live[study->live_count++] = knob;
    return true;
}

static size_t digit_of(const struct study *study, size_t knob, int64_t value)
{
    const int64_t *found =
        bsearch(&value, study->values[knob], study->counts[knob], sizeof value, by_value);
    return (size_t)(found - study->values[knob]);
}

static enum anole_status make_space(struct study *study, struct anole_error *error)
{
    enum anole_status status = anole_space_create(&study->space, error);
    for (size_t i = 0; i < study->live_count && status == ANOLE_DONE; i++) {
        size_t knob = study->live[i];
        status = anole_space_add_knob(study->space, study->task->knob_names[knob], false,
                                      study->values[knob], NULL, study->counts[knob], 0, error);
    }
    return status == ANOLE_DONE ? anole_space_finish_unwalked(study->space, error) : status;
}

static uint64_t config_of(const struct study *study, size_t trial)
{
    uint16_t digits[ANOLE_MAX_KNOBS];
    for (size_t i = 0; i < study->live_count; i++)
        digits[i] =
            (uint16_t)digit_of(study, study->live[i], value_of(study, trial, study->live[i]));
    return anole_space_encode(study->space, digits);
}

static enum anole_status add_trial(struct anole_trials *trials, const struct study *study,
                                   size_t at, struct anole_error *error)
{
    const struct anole_report_trial *trial = &study->task->trials[at];
    struct anole_result result;
    anole_result_clear(&result);
    result.outcome = trial->ok ? ANOLE_OUTCOME_OK : ANOLE_OUTCOME_LAUNCH;
    result.abandoned = trial->abandoned;
    result.seconds = result.low = result.high = trial->value;
    return anole_trials_add(trials, config_of(study, at), &result, error);
}

/* ERR_INPUT, with a message for nobody, where the trials span a space that is too large. */
static enum anole_status prepare(struct study *study, struct anole_error *error)
{
    if (!choose(study))
        return anole_fail_memory(error);
    for (size_t k = 0; k < study->task->knob_count; k++)
        if (!list_values(study, k))
            return anole_fail_memory(error);
    if (study->chosen_count < ANOLE_KNOBS_LEAST || study->live_count == 0)
        return ANOLE_DONE;
    enum anole_status status = make_space(study, error);
    if (status == ANOLE_DONE)
        status =
            anole_features_create(&study->features, study->space, NULL, 0, NULL, NULL, 0, error);
    if (status == ANOLE_DONE)
        status = anole_trials_create(&study->trials, error);
    for (size_t i = 0; i < study->chosen_count && status == ANOLE_DONE; i++)
        status = add_trial(study->trials, study, study->chosen[i], error);
    study->targets = calloc(study->chosen_count + 1, sizeof *study->targets);
    if (status == ANOLE_DONE && !study->targets)
        status = anole_fail_memory(error);
    return status;
}

/* --------------------------------------------------------------- importances */

/* What the trials of one half say of a model that was fitted to the other. */
struct half {
    size_t *trials; /* of study->trials */
    size_t count;
    uint64_t *configs;
    float *scores;
    double mean;
};

static double squares(const struct study *study, const struct half *half)
{
    double sum = 0.0;
    for (size_t i = 0; i < half->count; i++) {
        double off = half->scores[i] - study->targets[half->trials[i]];
        sum += off * off;
    }
    return sum;
}

static double spread(const struct study *study, struct half *half)
{
    double sum = 0.0;
    half->mean = 0.0;
    for (size_t i = 0; i < half->count; i++)
        half->mean += study->targets[half->trials[i]] / (double)half->count;
    for (size_t i = 0; i < half->count; i++) {
        double off = study->targets[half->trials[i]] - half->mean;
        sum += off * off;
    }
    return sum;
}

/* The configs of the half, with the values of one knob dealt out anew. */
static void shuffle(const struct study *study, struct half *half, size_t knob,
                    struct anole_rng *rng, size_t *order)
{
    uint16_t digits[ANOLE_MAX_KNOBS], others[ANOLE_MAX_KNOBS];
    for (size_t i = 0; i < half->count; i++)
        order[i] = i;
    anole_rng_shuffle(rng, order, half->count);
    for (size_t i = 0; i < half->count; i++) {
        const struct anole_trial *own = anole_trials_get(study->trials, half->trials[i]);
        const struct anole_trial *other = anole_trials_get(study->trials, half->trials[order[i]]);
        anole_space_decode(study->space, own->config, digits);
        anole_space_decode(study->space, other->config, others);
        digits[knob] = others[knob];
        half->configs[i] = anole_space_encode(study->space, digits);
    }
}

static enum anole_status fit(struct anole_cost_model *model, const struct study *study,
                             const size_t *trials, size_t count, struct anole_error *error)
{
    struct anole_trials *part;
    enum anole_status status = anole_trials_create(&part, error);
    if (status)
        return status;
    for (size_t i = 0; i < count && status == ANOLE_DONE; i++) {
        const struct anole_trial *trial = anole_trials_get(study->trials, trials[i]);
        status = anole_trials_add(part, trial->config, &trial->result, error);
    }
    if (status == ANOLE_DONE)
        status = anole_cost_model_fit(model, part, error);
    anole_trials_destroy(part);
    return status;
}

/* Sums of squares: of what the model leaves, of everything, and what each knob adds. */
struct sums {
    double left, all, added[ANOLE_MAX_KNOBS];
};

static enum anole_status judge(struct sums *sums, const struct study *study, struct half *half,
                               const size_t *others, size_t other_count, size_t *order,
                               struct anole_error *error)
{
    const struct anole_cost_model_options options = {.target = ANOLE_TARGET_RANK, .seed = 1};
    struct anole_cost_model *model;
    struct anole_rng rng;
    enum anole_status status = anole_cost_model_create(&model, study->features, &options, error);
    if (status)
        return status;
    status = fit(model, study, others, other_count, error);
    if (status == ANOLE_DONE) {
        anole_rng_init(&rng, 1);
        for (size_t i = 0; i < half->count; i++)
            half->configs[i] = anole_trials_get(study->trials, half->trials[i])->config;
        anole_cost_model_predict(model, half->configs, half->count, half->scores);
        double left = squares(study, half);
        sums->left += left;
        sums->all += spread(study, half);
        for (size_t k = 0; k < study->live_count; k++) {
            shuffle(study, half, k, &rng, order);
            anole_cost_model_predict(model, half->configs, half->count, half->scores);
            sums->added[k] += squares(study, half) - left;
        }
    }
    anole_cost_model_destroy(model);
    return status;
}

static int by_importance(const void *a, const void *b)
{
    const struct anole_report_knob *x = a, *y = b;
    if (x->importance != y->importance)
        return x->importance > y->importance ? -1 : 1;
    return (x->knob > y->knob) - (x->knob < y->knob);
}

/* The trials that count, of each config the last, in an order that has nothing to do with that of
 * the search, which tries neighbours one after the other.  Returns how many. */
static size_t shuffle_trials(size_t *list, const struct study *study)
{
    size_t all = anole_trials_count(study->trials), count = 0;
    struct anole_rng rng;
    for (size_t i = 0; i < all; i++)
        if (!isnan(study->targets[i]))
            list[count++] = i;
    anole_rng_init(&rng, 2);
    anole_rng_shuffle(&rng, list, count);
    return count;
}

/* Judges each half of the trials by what the other teaches. */
static enum anole_status judge_halves(struct sums *sums, size_t *counted, struct study *study,
                                      struct anole_error *error)
{
    size_t all = anole_trials_count(study->trials);
    size_t *list = calloc(2 * all + 1, sizeof *list);
    uint64_t *configs = calloc(all + 1, sizeof *configs);
    float *scores = calloc(all + 1, sizeof *scores);
    enum anole_status status = list && configs && scores ? ANOLE_DONE : anole_fail_memory(error);
    if (status == ANOLE_DONE)
        status = anole_cost_model_targets(study->targets, counted, study->trials, ANOLE_TARGET_RANK,
                                          error);
    size_t count = status == ANOLE_DONE ? shuffle_trials(list, study) : 0, middle = count / 2;
    if (count >= ANOLE_KNOBS_LEAST) {
        struct half first = {.trials = list, .count = middle, .configs = configs, .scores = scores};
        struct half second = {
            .trials = list + middle, .count = count - middle, .configs = configs, .scores = scores};
        status = judge(sums, study, &first, second.trials, second.count, list + all, error);
        if (status == ANOLE_DONE)
            status = judge(sums, study, &second, first.trials, first.count, list + all, error);
    }
    free(list);
    free(configs);
    free(scores);
    return status;
}

/* ------------------------------------------------------------------ heat map */

static size_t bin_of(const struct anole_heat_side *side, int64_t value)
{
    size_t at = 0;
    while (at + 1 < side->count && value > side->high[at])
        at++;
    return at;
}

static void make_side(struct anole_heat_side *side, const struct study *study, size_t knob)
{
    size_t count = study->counts[knob];
    side->knob = knob;
    side->count = count < ANOLE_HEAT_SIDE ? count : ANOLE_HEAT_SIDE;
    for (size_t i = 0; i < side->count; i++) {
        side->low[i] = study->values[knob][i * count / side->count];
        side->high[i] = study->values[knob][(i + 1) * count / side->count - 1];
    }
}

/* Of all trials, not only of those that the model has seen. */
static void make_heat(struct anole_report_knobs *knobs, const struct study *study)
{
    const struct anole_report_task *task = study->task;
    make_side(&knobs->rows, study, knobs->knobs[0].knob);
    make_side(&knobs->columns, study, knobs->knobs[1].knob);
    for (size_t r = 0; r < ANOLE_HEAT_SIDE; r++)
        for (size_t c = 0; c < ANOLE_HEAT_SIDE; c++)
            knobs->best[r][c] = NAN;
    for (size_t i = 0; i < task->trial_count; i++) {
        const struct anole_report_trial *trial = &task->trials[i];
        if (trial->odd)
            continue;
        size_t r = bin_of(&knobs->rows, value_of(study, i, knobs->rows.knob));
        size_t c = bin_of(&knobs->columns, value_of(study, i, knobs->columns.knob));
        knobs->tried[r][c]++;
        if (trial->ok && !(knobs->best[r][c] <= trial->value))
            knobs->best[r][c] = trial->value;
    }
}

/* ------------------------------------------------------------------ together */

bool anole_report_knobs_say(const struct anole_report_knobs *knobs)
{
    return knobs && knobs->explained >= LEAST_EXPLAINED;
}

static void conclude(struct anole_report_knobs *knobs, const struct study *study,
                     const struct sums *sums)
{
    double added = 0.0;
    for (size_t k = 0; k < study->live_count; k++)
        added += fmax(0.0, sums->added[k]);
    knobs->explained = 1.0 - sums->left / sums->all;
    knobs->count = study->live_count;
    for (size_t k = 0; k < study->live_count; k++)
        knobs->knobs[k] = (struct anole_report_knob){
            .knob = study->live[k],
            .importance = added > 0.0 ? fmax(0.0, sums->added[k]) / added : 0.0,
            .values = study->counts[study->live[k]],
        };
    qsort(knobs->knobs, knobs->count, sizeof *knobs->knobs, by_importance);
    if (knobs->count > 1)
        make_heat(knobs, study);
}

enum anole_status anole_report_knobs_create(struct anole_report_knobs **knobs,
                                            const struct anole_report_task *task,
                                            struct anole_error *error)
{
    struct study study = {.task = task};
    struct sums sums = {.left = 0.0};
    struct anole_error own = {0};
    size_t counted = 0;
    *knobs = NULL;
    enum anole_status status = prepare(&study, &own);
    if (status == ANOLE_DONE && study.trials)
        status = judge_halves(&sums, &counted, &study, &own);
    if (status == ANOLE_DONE && counted >= ANOLE_KNOBS_LEAST && sums.all > 0.0) {
        *knobs = calloc(1, sizeof **knobs);
        if (*knobs) {
            (*knobs)->configs = counted;
            conclude(*knobs, &study, &sums);
        } else {
            status = anole_fail_memory(&own);
        }
    }
    study_fini(&study);
    if (status == ANOLE_ERR_MEMORY)
        return anole_fail_memory(error);
    return ANOLE_DONE; /* what spans no space has no knobs that matter */
}

enum anole_status anole_report_study(struct anole_report *report, struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    for (size_t c = 0; c < report->column_count; c++) {
        struct anole_report_column *column = &report->columns[c];
        for (size_t i = 0, studied = 0; i < column->task_count && studied < MOST_STUDIED; i++) {
            struct anole_report_task *task = &column->tasks[i];
            status = anole_report_knobs_create(&task->knobs, task, error);
            if (status)
                return status;
            studied += task->knobs != NULL;
        }
    }
    return status;
}
