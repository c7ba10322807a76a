/* SPDX-License-Identifier: MIT
 *
 * Lists of values for knobs.  Each function fills list[GEN_MAX_VALUES] in
 * ascending order and returns how many there are: at least one.
 */
#ifndef ANOLE_GEN_VALUES_H
#define ANOLE_GEN_VALUES_H

#include "gen.h"

/* first, first + 1, ... last; cut at GEN_MAX_VALUES. */
uint32_t gen_range(int64_t *list, int64_t first, int64_t last);
/* first, 2 * first, 4 * first, ... not beyond last. */
uint32_t gen_powers(int64_t *list, int64_t first, int64_t last);
/* Divisors of n that are at least `least`, and n itself. */
uint32_t gen_divisors(int64_t *list, int64_t n, int64_t least);

#endif
