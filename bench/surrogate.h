/* SPDX-License-Identifier: MIT
 *
 * Surrogates of design spaces too large to be measured whole: models fitted to trials of
 * real kernels, which have a result for every config.
 *
 * A file of trials is text, one item a line:
 *
 *   anole-trials 1
 *   task conv2d n1 56x56x64 ...     what was tuned: anole_task_key()
 *   device AMD EPYC                 where
 *   facts x x x ...                 about the task, as numbers
 *   knob NAME ordinal|categorical DEFAULT-DIGIT value value ...
 *   constraint EXPRESSION
 *   trial digit,digit,... SECONDS NOISE    noise: standard deviation, relative
 *   trial digit,digit,... failed
 */
#ifndef BENCH_SURROGATE_H
#define BENCH_SURROGATE_H

#include "search/forest.h"
#include "space/feature.h"
#include "space/trials.h"

/* A design space whose every result can be had: a model of a real one. */
struct bench_surrogate {
    char task[256];
    struct anole_space *space;
    struct anole_features *features;
    struct anole_trials *real;   /* what was measured */
    struct anole_forest *forest; /* fitted to the logarithm of their times */
    float base;
    double noise;   /* of a measurement: standard deviation, relative */
    double failing; /* share of configs that fail */
    double optimum; /* seconds of the best that a long search on the model itself finds */
    double fit;     /* rank correlation of prediction and measurement, by cross-validation */
    double configs; /* valid ones */
};

enum anole_status bench_surrogate_load(struct bench_surrogate *surrogate, const char *path,
                                       struct anole_error *error)
    __attribute__((warn_unused_result));
void bench_surrogate_fini(struct bench_surrogate *surrogate);

/* The true time of a config, seconds; NaN if it fails. */
double bench_surrogate_seconds(const struct bench_surrogate *surrogate, uint64_t config);

#endif
