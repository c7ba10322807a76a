/* SPDX-License-Identifier: MIT */
#ifndef ANOLE_CLOCK_H
#define ANOLE_CLOCK_H

#include <time.h>

/* Monotonic wall time, seconds. */
static inline double anole_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

#endif
