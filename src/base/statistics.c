/* SPDX-License-Identifier: MIT */
#include "base/statistics.h"

#include <math.h>
#include <stdlib.h>

/* What each tail of a 95 % interval may hold. */
#define TAIL 0.025

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The number of samples that lie below the median of what they were drawn from
 * is binomial(n, 1/2), so the j-th smallest (from 1) lies above that median with
 * probability P(fewer than j below it).  Returns the largest j for which that is
 * at most TAIL, and at least 1. */
static size_t order_of_bound(size_t n)
{
    double half = 0.5 * (double)n;
    /* Ten deviations below the mean: what comes before does not add up. */
    double first = floor(half - 5.0 * sqrt((double)n));
    size_t k = first > 0.0 ? (size_t)first : 0;
    int sign;
    double term = exp(lgamma_r((double)n + 1.0, &sign) - lgamma_r((double)k + 1.0, &sign) -
                      lgamma_r((double)(n - k) + 1.0, &sign) - (double)n * M_LN2);
    double below = term; /* P(at most k below) */
    while (below <= TAIL) {
        term *= (double)(n - k) / (double)(k + 1);
        k++;
        below += term;
    }
    return k > 1 ? k : 1;
}

void anole_summarise(struct anole_summary *summary, double *samples, size_t count)
{
    qsort(samples, count, sizeof *samples, compare);

    /* Around the median, so that a long run of nearly equal times loses no digits. */
    double middle = samples[count / 2];
    double sum = 0.0, squares = 0.0;
    for (size_t i = 0; i < count; i++) {
        double d = samples[i] - middle;
        sum += d;
        squares += d * d;
    }
    double n = (double)count;
    double variance = count > 1 ? (squares - sum * sum / n) / (n - 1.0) : 0.0;
    size_t j = order_of_bound(count);

    summary->median = count % 2 ? middle : 0.5 * (samples[count / 2 - 1] + middle);
    summary->low = samples[j - 1];
    summary->high = samples[count - j];
    summary->minimum = samples[0];
    summary->mean = middle + sum / n;
    summary->deviation = variance > 0.0 ? sqrt(variance) : 0.0;
    summary->count = count;
}

void anole_summarise_ratio(struct anole_summary *summary, const double *a, const double *b,
                           size_t count, double *scratch)
{
    for (size_t i = 0; i < count; i++)
        scratch[i] = a[i] / b[i];
    anole_summarise(summary, scratch, count);
}

double anole_relative_half_width(const struct anole_summary *summary)
{
    if (summary->count < 2 || !(summary->median > 0.0))
        return INFINITY;
    return 0.5 * (summary->high - summary->low) / summary->median;
}
