/* SPDX-License-Identifier: MIT */
#include "measure/patience.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_SEEN 8
#define QUANTILE 0.95
#define FACTOR 10.0

void anole_patience_note(struct anole_patience *patience, double seconds)
{
    if (!(seconds >= 0.0) || !isfinite(seconds))
        return;
    patience->times[patience->seen++ % ANOLE_PATIENCE_TIMES] = seconds;
}

static size_t known(const struct anole_patience *patience)
{
    return patience->seen < ANOLE_PATIENCE_TIMES ? patience->seen : ANOLE_PATIENCE_TIMES;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double anole_patience_limit(const struct anole_patience *patience, double floor, double cap)
{
    double sorted[ANOLE_PATIENCE_TIMES];
    if (!patience || patience->seen < LEAST_SEEN)
        return cap;
    size_t count = known(patience);
    memcpy(sorted, patience->times, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare);
    double quantile = sorted[(size_t)ceil(QUANTILE * (double)count) - 1];
    return fmin(fmax(FACTOR * quantile, floor), cap);
}

double anole_patience_slowest(const struct anole_patience *patience)
{
    double slowest = 0.0;
    for (size_t i = 0; patience && i < known(patience); i++)
        slowest = fmax(slowest, patience->times[i]);
    return slowest;
}
