/* SPDX-License-Identifier: MIT
 *
 * What many runs come to.  Everything is computed on logarithms of (best so far /
 * optimum); a repeat's figure for all spaces is the mean of its spaces', so that
 * intervals are over repeats, of these very spaces.
 */
#include "search_statistics.h"

#include "base/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define RESAMPLES 1000 /* of the bootstrap */

/* The 97.5 % quantile of Student's t (Abramowitz and Stegun, 26.7.5). */
static double student(size_t freedom)
{
    static const double few[] = {NAN, 12.706, 4.303, 3.182};
    const double z = 1.959964, n = (double)freedom;
    if (freedom < 4)
        return few[freedom];
    double z3 = z * z * z, z5 = z3 * z * z, z7 = z5 * z * z;
    return z + (z3 + z) / (4 * n) + (5 * z5 + 16 * z3 + 3 * z) / (96 * n * n) +
           (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * n * n * n);
}

static struct bench_mean mean_of(const double *values, size_t count)
{
    double sum = 0.0, squares = 0.0;
    for (size_t i = 0; i < count; i++)
        sum += values[i];
    double mean = sum / (double)count;
    for (size_t i = 0; i < count; i++)
        squares += (values[i] - mean) * (values[i] - mean);
    double error = sqrt(squares / (double)(count > 1 ? count - 1 : 1) / (double)count);
    return (struct bench_mean){mean, count > 1 ? student(count - 1) * error : NAN};
}

/* The trials of a run that lie within simulated time `time`. */
static size_t trials_within(const struct bench_runs *runs, size_t run, double time)
{
    const float *clock = runs->clock + run * runs->plan->trials;
    size_t low = 0, high = runs->plan->trials;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (clock[middle] <= time)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The excess of one run; before its first trial, that of the first. */
static double excess_of(const struct bench_runs *runs, size_t run, size_t trials)
{
    return runs->best[run * runs->plan->trials + (trials ? trials - 1 : 0)];
}

/* One repeat's excess; time < 0: after `trials` trials, else after that time. */
static double repeat_excess(const struct bench_runs *runs, size_t space, size_t strategy,
                            size_t repeat, size_t trials, double time)
{
    const struct bench_plan *plan = runs->plan;
    size_t first = space == BENCH_ALL_SPACES ? 0 : space;
    size_t end = space == BENCH_ALL_SPACES ? plan->spaces.count : space + 1;
    double sum = 0.0;
    for (size_t w = first; w < end; w++) {
        size_t run = bench_run_index(plan, w, strategy, repeat);
        sum += excess_of(runs, run, time < 0.0 ? trials : trials_within(runs, run, time));
    }
    return sum / (double)(end - first);
}

/* A column of repeats, less another strategy's (SIZE_MAX: nobody's). */
static struct bench_mean over_repeats(const struct bench_runs *runs, size_t space, size_t strategy,
                                      size_t other, size_t trials, double time)
{
    size_t repeats = runs->plan->repeats;
    double *values = calloc(repeats, sizeof *values);
    if (!values)
        return (struct bench_mean){NAN, NAN};
    for (size_t r = 0; r < repeats; r++) {
        values[r] = repeat_excess(runs, space, strategy, r, trials, time);
        if (other != SIZE_MAX)
            values[r] -= repeat_excess(runs, space, other, r, trials, time);
    }
    struct bench_mean mean = mean_of(values, repeats);
    free(values);
    return mean;
}

struct bench_mean bench_excess(const struct bench_runs *runs, size_t space, size_t strategy,
                               size_t trials)
{
    return over_repeats(runs, space, strategy, SIZE_MAX, trials, -1.0);
}

struct bench_mean bench_excess_at(const struct bench_runs *runs, size_t space, size_t strategy,
                                  double time)
{
    return over_repeats(runs, space, strategy, SIZE_MAX, 0, time);
}

struct bench_mean bench_difference(const struct bench_runs *runs, size_t space, size_t strategy,
                                   size_t other, size_t trials)
{
    return over_repeats(runs, space, strategy, other, trials, -1.0);
}

/* ------------------------------------------------------------ trials to equal */

/* Excess by repeat and trials: [repeats][trials]. */
static float *excess_table(const struct bench_runs *runs, size_t space, size_t strategy)
{
    size_t repeats = runs->plan->repeats, trials = runs->plan->trials;
    float *table = calloc(repeats * trials, sizeof *table);
    for (size_t r = 0; table && r < repeats; r++)
        for (size_t n = 0; n < trials; n++)
            table[r * trials + n] = (float)repeat_excess(runs, space, strategy, r, n + 1, -1.0);
    return table;
}

/* The mean after n + 1 trials over the given repeats. */
static double table_mean(const float *table, size_t trials, const size_t *repeats, size_t count,
                         size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < count; i++)
        sum += table[repeats[i] * trials + n];
    return sum / (double)count;
}

/* Excess only falls: the first n at which it is down to the goal. */
static double first_at(const float *table, size_t trials, const size_t *repeats, size_t count,
                       double goal)
{
    size_t low = 0, high = trials;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (table_mean(table, trials, repeats, count, middle) <= goal)
            high = middle;
        else
            low = middle + 1;
    }
    return (double)(low + 1);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void resample(struct bench_equal *equal, const float *mine, const float *theirs,
                     size_t trials, size_t repeats, size_t *drawn, double *found)
{
    struct anole_rng rng;
    anole_rng_init(&rng, 1);
    for (size_t r = 0; r < repeats; r++)
        drawn[r] = r;
    /* A hair of slack: the means are of rounded numbers. */
    double goal = table_mean(theirs, trials, drawn, repeats, trials - 1) + 1e-6;
    equal->trials = first_at(mine, trials, drawn, repeats, goal);
    for (size_t s = 0; s < RESAMPLES; s++) {
        for (size_t r = 0; r < repeats; r++)
            drawn[r] = (size_t)anole_rng_below(&rng, repeats);
        goal = table_mean(theirs, trials, drawn, repeats, trials - 1) + 1e-6;
        found[s] = first_at(mine, trials, drawn, repeats, goal);
    }
    qsort(found, RESAMPLES, sizeof *found, ascending);
    equal->low = found[RESAMPLES / 40];
    equal->high = found[RESAMPLES - 1 - RESAMPLES / 40];
}

enum anole_status bench_trials_to_equal(struct bench_equal *equal, const struct bench_runs *runs,
                                        size_t space, size_t strategy, size_t other,
                                        struct anole_error *error)
{
    size_t repeats = runs->plan->repeats, trials = runs->plan->trials;
    float *mine = excess_table(runs, space, strategy), *theirs = excess_table(runs, space, other);
    size_t *drawn = calloc(repeats, sizeof *drawn);
    double *found = calloc(RESAMPLES, sizeof *found);
    enum anole_status status = ANOLE_DONE;
    if (mine && theirs && drawn && found)
        resample(equal, mine, theirs, trials, repeats, drawn, found);
    else
        status = anole_fail_memory(error);
    free(found);
    free(drawn);
    free(theirs);
    free(mine);
    return status;
}

void bench_overhead(struct bench_overhead *overhead, const struct bench_runs *runs, size_t strategy)
{
    const struct bench_plan *plan = runs->plan;
    double count = (double)(plan->spaces.count * plan->repeats);
    *overhead = (struct bench_overhead){0};
    for (size_t w = 0; w < plan->spaces.count; w++) {
        for (size_t r = 0; r < plan->repeats; r++) {
            const struct bench_run *run = &runs->runs[bench_run_index(plan, w, strategy, r)];
            overhead->batch += run->batch_seconds / count;
            overhead->search += run->batch_seconds * run->batches / count;
            overhead->longest = fmax(overhead->longest, run->worst_batch);
        }
    }
}
