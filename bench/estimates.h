/* SPDX-License-Identifier: MIT
 *
 * From rounds of two implementations to estimates: ratios with 95 % intervals, of one
 * layer, of a class of layers, of a network.
 */
#ifndef BENCH_ESTIMATES_H
#define BENCH_ESTIMATES_H

#include "op/task.h"

#include <stdbool.h>
#include <stddef.h>

/* value, name */
#define BENCH_CLASS_MAP(X)                                                                         \
    X(CONV_3X3, "3x3 stride 1")                                                                    \
    X(CONV_OTHER, "other convolutions")                                                            \
    X(DEPTHWISE, "depthwise")                                                                      \
    X(DENSE, "dense")

enum bench_class {
#define X(name, text) BENCH_##name,
    BENCH_CLASS_MAP(X)
#undef X
        BENCH_CLASS_COUNT
};

/* By shape alone: 3x3, stride 1, neither grouped nor dilated, is the first. */
enum bench_class bench_class_of(const struct anole_task *task);
const char *bench_class_text(enum bench_class class);

struct bench_estimate {
    double value, low, high; /* NaN: there is none */
};

/* Two implementations of one layer: seconds of a run, [rounds], positive. */
struct bench_pair {
    const double *ours, *theirs;
    double weight; /* of a sum: layers that share the task */
};

/* How many times as fast ours is: the median of theirs / ours over the rounds, with
 * its interval by order statistics.  False if memory ran out. */
bool bench_speed(struct bench_estimate *estimate, const struct bench_pair *pair, size_t rounds)
    __attribute__((warn_unused_result));

/* The geometric mean of these medians; the interval by bootstrap: percentiles over
 * samples in which each layer's rounds are drawn anew (Efron, 1979).  It tells of
 * the timing alone: the layers are what they are. */
bool bench_geometric_mean(struct bench_estimate *estimate, const struct bench_pair *pairs,
                          size_t count, size_t rounds) __attribute__((warn_unused_result));

/* Time of all layers together, ours / theirs: sums of weight x median.  The
 * interval as above.  The sums, seconds, may be NULL. */
bool bench_sum_ratio(struct bench_estimate *estimate, double *ours, double *theirs,
                     const struct bench_pair *pairs, size_t count, size_t rounds)
    __attribute__((warn_unused_result));

/* The median of a row; NaN without rounds or with a NaN. */
double bench_median(const double *samples, size_t rounds);

#endif
