/* SPDX-License-Identifier: MIT
 *
 * What searches come to: means, intervals, differences.
 */
#ifndef BENCH_SEARCH_STATISTICS_H
#define BENCH_SEARCH_STATISTICS_H

#include "search_run.h"

/* A mean and the half width of its 95 % interval (Student's t), of logarithms; the
 * half width is NaN for a single repeat. */
struct bench_mean {
    double mean, half;
};

/* As a change in per cent: 100 (e^x - 1). */
static inline double bench_percent(double logarithm)
{
    return 100.0 * __builtin_expm1(logarithm);
}

#define BENCH_ALL_SPACES SIZE_MAX

/* The excess after `trials` (at least 1) trials, or after simulated time of so
 * many average trials; of one space, or the mean of all. */
struct bench_mean bench_excess(const struct bench_runs *runs, size_t space, size_t strategy,
                               size_t trials);
struct bench_mean bench_excess_at(const struct bench_runs *runs, size_t space, size_t strategy,
                                  double time);
/* The same less what another strategy has with the same seeds. */
struct bench_mean bench_difference(const struct bench_runs *runs, size_t space, size_t strategy,
                                   size_t other, size_t trials);

/* Trials after which a strategy's mean excess is that of `other` after all its
 * trials, with a 95 % interval by bootstrap over repeats; one more than all where
 * it never is. */
struct bench_equal {
    double trials, low, high;
};
enum anole_status bench_trials_to_equal(struct bench_equal *equal, const struct bench_runs *runs,
                                        size_t space, size_t strategy, size_t other,
                                        struct anole_error *error)
    __attribute__((warn_unused_result));

/* Processor time of an explorer and its model, seconds: of a batch on average, of
 * the longest, and of a whole search on average. */
struct bench_overhead {
    double batch, longest, search;
};
void bench_overhead(struct bench_overhead *overhead, const struct bench_runs *runs,
                    size_t strategy);

#endif
