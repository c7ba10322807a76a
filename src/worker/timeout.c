/* SPDX-License-Identifier: MIT */
#include "worker/timeout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_SEEN 8
#define QUANTILE 0.95
#define FACTOR 10.0

void anole_timeout_note(struct anole_timeout *timeout, double seconds)
{
    if (!(seconds >= 0.0) || !isfinite(seconds))
        return;
    timeout->times[timeout->seen++ % ANOLE_TIMEOUT_TIMES] = seconds;
}

static size_t known(const struct anole_timeout *timeout)
{
    return timeout->seen < ANOLE_TIMEOUT_TIMES ? timeout->seen : ANOLE_TIMEOUT_TIMES;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double anole_timeout_limit(const struct anole_timeout *timeout, double floor, double cap)
{
    double sorted[ANOLE_TIMEOUT_TIMES];
    if (!timeout || timeout->seen < LEAST_SEEN)
        return cap;
    size_t count = known(timeout);
    memcpy(sorted, timeout->times, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare);
    double quantile = sorted[(size_t)ceil(QUANTILE * (double)count) - 1];
    return fmin(fmax(FACTOR * quantile, floor), cap);
}

double anole_timeout_slowest(const struct anole_timeout *timeout)
{
    double slowest = 0.0;
    for (size_t i = 0; timeout && i < known(timeout); i++)
        slowest = fmax(slowest, timeout->times[i]);
    return slowest;
}
