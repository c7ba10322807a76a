/* SPDX-License-Identifier: MIT
 *
 * How long to wait for something that was seen before, until it counts as hanging:
 * a multiple of the 95 % quantile of the last times, between a floor (machines
 * stall) and a cap (which holds alone until enough was seen).
 */
#ifndef ANOLE_TIMEOUT_H
#define ANOLE_TIMEOUT_H

#include <stddef.h>

#define ANOLE_TIMEOUT_TIMES 64

/* Zero-initialised: nothing was seen. */
struct anole_timeout {
    double times[ANOLE_TIMEOUT_TIMES]; /* seconds; the last ones, in a ring */
    size_t seen;
};

/* It took so long, and came to an end. */
void anole_timeout_note(struct anole_timeout *timeout, double seconds);

/* Seconds to wait; NULL: the cap. */
double anole_timeout_limit(const struct anole_timeout *timeout, double floor, double cap);

/* The slowest of the last times; 0: nothing was seen. */
double anole_timeout_slowest(const struct anole_timeout *timeout);

#endif
