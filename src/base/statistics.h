/* SPDX-License-Identifier: MIT
 *
 * What a handful of noisy timings says: medians, their intervals, ratios.
 */
#ifndef ANOLE_STATISTICS_H
#define ANOLE_STATISTICS_H

#include <stdbool.h>
#include <stddef.h>

struct anole_summary {
    double median;
    double low, high; /* 95 % interval of the median, distribution-free (order
                         statistics by the binomial); the extremes for n < 6 */
    double minimum;
    double mean, deviation; /* deviation of the sample, n - 1 */
    size_t count;
};

/* Sorts `samples` in place.  count >= 1; no NaN. */
void anole_summarise(struct anole_summary *summary, double *samples, size_t count);

/* Median of the paired ratios a[i] / b[i] with its 95 % interval: for runs made
 * alternately, where both see the same disturbances.  scratch[count]; all of b
 * positive. */
void anole_summarise_ratio(struct anole_summary *summary, const double *a, const double *b,
                           size_t count, double *scratch);

/* (high - low) / 2 / median; infinity where that says nothing: fewer than two
 * samples, or a median that is not positive. */
double anole_relative_half_width(const struct anole_summary *summary);

#endif
