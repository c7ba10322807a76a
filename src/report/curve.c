/* SPDX-License-Identifier: MIT */
#include "report/curve.h"

#include <math.h>
#include <stdlib.h>

/* Points are thinned out by two whenever there is no room for another, so that what is kept is
 * spread over the whole; `every` is how many steps one of them stands for. */
struct drawer {
    struct anole_curve *curve;
    size_t every, skipped;
    struct anole_curve_point last; /* not kept yet */
    bool pending;
};

static void thin(struct drawer *drawer)
{
    struct anole_curve *curve = drawer->curve;
    size_t kept = 0;
    for (size_t i = 0; i < curve->count; i += 2)
        curve->points[kept++] = curve->points[i];
    curve->count = kept;
    drawer->every *= 2;
}

static void draw(struct drawer *drawer, double value)
{
    struct anole_curve *curve = drawer->curve;
    drawer->last = (struct anole_curve_point){curve->trials, curve->seconds, value};
    drawer->pending = true;
    if (curve->count && ++drawer->skipped < drawer->every)
        return;
    /* One is kept free for the last step. */
    if (curve->count + 1 >= ANOLE_CURVE_POINTS)
        thin(drawer);
    curve->points[curve->count++] = drawer->last;
    drawer->skipped = 0;
    drawer->pending = false;
}

static void end(struct drawer *drawer)
{
    if (drawer->pending)
        drawer->curve->points[drawer->curve->count++] = drawer->last;
}

static bool counts(const struct anole_report_trial *trial)
{
    return trial->ok && !trial->abandoned;
}

void anole_curve_of_task(struct anole_curve *curve, const struct anole_report_task *task)
{
    struct drawer drawer = {.curve = curve, .every = 1};
    double best = INFINITY;
    curve->count = 0;
    curve->trials = curve->seconds = 0.0;
    for (size_t i = 0; i < task->trial_count; i++) {
        const struct anole_report_trial *trial = &task->trials[i];
        curve->trials += 1.0;
        curve->seconds += trial->spent;
        if (!counts(trial) || !(trial->value < best))
            continue;
        best = trial->value;
        draw(&drawer, best);
    }
    end(&drawer);
}

/* ------------------------------------------------------------------ columns */

struct mixed {
    const struct anole_report_trial *trial;
    size_t task;
};

static int by_id(const void *a, const void *b)
{
    const struct mixed *x = a, *y = b;
    if (x->trial->id != y->trial->id)
        return x->trial->id < y->trial->id ? -1 : 1;
    return (x->task > y->task) - (x->task < y->task);
}

/* What each task takes before anything was tried, or NaN if nothing ran; their sum. */
static double start(double *values, const struct anole_report_column *column)
{
    double sum = 0.0;
    for (size_t t = 0; t < column->task_count; t++) {
        const struct anole_report_task *task = &column->tasks[t];
        values[t] = NAN;
        for (size_t i = 0; i < task->trial_count && isnan(values[t]); i++)
            if (counts(&task->trials[i]))
                values[t] = task->trials[i].value;
        if (!isnan(values[t]) && isfinite(task->default_value))
            values[t] = task->default_value;
        sum += isnan(values[t]) ? 0.0 : task->multiplicity * values[t];
    }
    return sum;
}

static void walk(struct anole_curve *curve, const struct anole_report_column *column,
                 const struct mixed *trials, size_t count, double *values)
{
    struct drawer drawer = {.curve = curve, .every = 1};
    double sum = start(values, column);
    if (sum > 0.0)
        draw(&drawer, sum);
    for (size_t i = 0; i < count; i++) {
        const struct anole_report_trial *trial = trials[i].trial;
        double *value = &values[trials[i].task];
        curve->trials += 1.0;
        curve->seconds += trial->spent;
        if (!counts(trial) || !(trial->value < *value))
            continue;
        sum -= column->tasks[trials[i].task].multiplicity * (*value - trial->value);
        *value = trial->value;
        draw(&drawer, sum);
    }
    end(&drawer);
}

enum anole_status anole_curve_of_column(struct anole_curve *curve,
                                        const struct anole_report_column *column,
                                        struct anole_error *error)
{
    struct mixed *trials = calloc(column->tally.trials + 1, sizeof *trials);
    double *values = calloc(column->task_count + 1, sizeof *values);
    size_t count = 0;
    curve->count = 0;
    curve->trials = curve->seconds = 0.0;
    if (!trials || !values) {
        free(trials);
        free(values);
        return anole_fail_memory(error);
    }
    for (size_t t = 0; t < column->task_count; t++)
        for (size_t i = 0; i < column->tasks[t].trial_count; i++)
            trials[count++] = (struct mixed){&column->tasks[t].trials[i], t};
    qsort(trials, count, sizeof *trials, by_id);
    walk(curve, column, trials, count, values);
    free(trials);
    free(values);
    return ANOLE_DONE;
}
