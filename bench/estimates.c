/* SPDX-License-Identifier: MIT */
#include "bench/estimates.h"

#include "base/rng.h"
#include "base/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BOOTSTRAPS 1000
#define SEED 1

enum bench_class bench_class_of(const struct anole_task *task)
{
    if (task->kind == ANOLE_TASK_DENSE)
        return BENCH_DENSE;
    if (task->kind == ANOLE_TASK_DEPTHWISE_CONV2D)
        return BENCH_DEPTHWISE;
    bool plain = task->groups == 1 && task->dilation_h == 1 && task->dilation_w == 1;
    bool three = task->kernel_h == 3 && task->kernel_w == 3;
    bool one = task->stride_h == 1 && task->stride_w == 1;
    return plain && three && one ? BENCH_CONV_3X3 : BENCH_CONV_OTHER;
}

const char *bench_class_text(enum bench_class class)
{
    static const char *const texts[] = {
#define X(name, text) text,
        BENCH_CLASS_MAP(X)
#undef X
    };
    return (unsigned)class < BENCH_CLASS_COUNT ? texts[class] : "unknown";
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts. */
static double median_of(double *samples, size_t count)
{
    qsort(samples, count, sizeof *samples, compare);
    return count % 2 ? samples[count / 2] : 0.5 * (samples[count / 2 - 1] + samples[count / 2]);
}

double bench_median(const double *samples, size_t rounds)
{
    double *copy = malloc((rounds + 1) * sizeof *copy), median = NAN;
    bool good = copy && rounds > 0;
    for (size_t i = 0; good && i < rounds; i++) {
        good = !isnan(samples[i]);
        copy[i] = samples[i];
    }
    if (good)
        median = median_of(copy, rounds);
    free(copy);
    return median;
}

bool bench_speed(struct bench_estimate *estimate, const struct bench_pair *pair, size_t rounds)
{
    struct anole_summary summary;
    double *scratch = malloc((rounds + 1) * sizeof *scratch);
    if (!scratch)
        return false;
    anole_summarise_ratio(&summary, pair->theirs, pair->ours, rounds, scratch);
    free(scratch);
    *estimate = (struct bench_estimate){summary.median, summary.low, summary.high};
    return true;
}

/* -- Over layers: a statistic of rows that are drawn, and its bootstrap -- */

/* [rounds] which round of a layer stands in each place. */
typedef double statistic(const struct bench_pair *pairs, size_t count, size_t rounds,
                         const size_t *picks, double *scratch);

static double log_speed(const struct bench_pair *pairs, size_t count, size_t rounds,
                        const size_t *picks, double *scratch)
{
    double sum = 0.0;
    for (size_t i = 0; i < count; i++, picks += rounds) {
        for (size_t r = 0; r < rounds; r++)
            scratch[r] = pairs[i].theirs[picks[r]] / pairs[i].ours[picks[r]];
        sum += log(median_of(scratch, rounds));
    }
    return exp(sum / (double)count);
}

static double picked_median(const double *row, const size_t *picks, size_t rounds, double *scratch)
{
    for (size_t r = 0; r < rounds; r++)
        scratch[r] = row[picks[r]];
    return median_of(scratch, rounds);
}

static double time_ratio(const struct bench_pair *pairs, size_t count, size_t rounds,
                         const size_t *picks, double *scratch)
{
    double ours = 0.0, theirs = 0.0;
    for (size_t i = 0; i < count; i++, picks += rounds) {
        ours += pairs[i].weight * picked_median(pairs[i].ours, picks, rounds, scratch);
        theirs += pairs[i].weight * picked_median(pairs[i].theirs, picks, rounds, scratch);
    }
    return ours / theirs;
}

/* The statistic itself, and percentiles of it over layers whose rounds are drawn. */
static bool bootstrap(struct bench_estimate *estimate, statistic *value,
                      const struct bench_pair *pairs, size_t count, size_t rounds)
{
    struct anole_rng rng;
    size_t cells = count * rounds;
    *estimate = (struct bench_estimate){NAN, NAN, NAN};
    if (cells == 0)
        return true;
    size_t *picks = calloc(cells, sizeof *picks);
    double *scratch = calloc(rounds + BOOTSTRAPS, sizeof *scratch), *draws;
    if (!picks || !scratch) {
        free(picks);
        free(scratch);
        return false;
    }
    draws = scratch + rounds;
    for (size_t i = 0; i < cells; i++)
        picks[i] = i % rounds;
    estimate->value = value(pairs, count, rounds, picks, scratch);
    anole_rng_init(&rng, SEED);
    for (size_t b = 0; b < BOOTSTRAPS; b++) {
        for (size_t i = 0; i < cells; i++)
            picks[i] = (size_t)anole_rng_below(&rng, rounds);
        draws[b] = value(pairs, count, rounds, picks, scratch);
    }
    qsort(draws, BOOTSTRAPS, sizeof *draws, compare);
    estimate->low = draws[BOOTSTRAPS / 40];
    estimate->high = draws[BOOTSTRAPS - 1 - BOOTSTRAPS / 40];
    free(picks);
    free(scratch);
    return true;
}

bool bench_geometric_mean(struct bench_estimate *estimate, const struct bench_pair *pairs,
                          size_t count, size_t rounds)
{
    return bootstrap(estimate, log_speed, pairs, count, rounds);
}

bool bench_sum_ratio(struct bench_estimate *estimate, double *ours, double *theirs,
                     const struct bench_pair *pairs, size_t count, size_t rounds)
{
    double sums[2] = {0.0, 0.0};
    for (size_t i = 0; i < count; i++) {
        sums[0] += pairs[i].weight * bench_median(pairs[i].ours, rounds);
        sums[1] += pairs[i].weight * bench_median(pairs[i].theirs, rounds);
    }
    if (ours)
        *ours = sums[0];
    if (theirs)
        *theirs = sums[1];
    return bootstrap(estimate, time_ratio, pairs, count, rounds);
}
