/* SPDX-License-Identifier: MIT
 *
 * Lists of values for knobs.  Each function fills list[CPU_MAX_VALUES] in
 * ascending order and returns how many there are: at least one.
 */
#ifndef ANOLE_CPU_VALUES_H
#define ANOLE_CPU_VALUES_H

#include "generator.h"

/* first, first + 1, ... last; cut at CPU_MAX_VALUES. */
uint32_t cpu_range(int64_t *list, int64_t first, int64_t last);
/* first, 2 * first, 4 * first, ... not beyond last. */
uint32_t cpu_powers(int64_t *list, int64_t first, int64_t last);
/* Divisors of n that are at least `least`, and n itself. */
uint32_t cpu_divisors(int64_t *list, int64_t n, int64_t least);
/* Vector widths in floats: 4, 8, ... up to that of the device. */
uint32_t cpu_vector_widths(const struct anole_device *device, int64_t *list);

#endif
