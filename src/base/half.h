/* SPDX-License-Identifier: MIT
 *
 * Half precision: the binary16 of IEEE 754, 1 sign, 5 exponent and 10 fraction
 * bits.  In integers, for not every compiler has a type for it.
 */
#ifndef ANOLE_HALF_H
#define ANOLE_HALF_H

#include <stddef.h>
#include <stdint.h>

#define ANOLE_HALF_MAX 65504.0f
#define ANOLE_HALF_MIN 0x1p-14f /* the smallest that is not subnormal */

/* Exact.  A NaN stays one, with its sign and fraction. */
float anole_half_to_float(uint16_t half);

/* Rounds to nearest, ties to even; subnormals and infinities included: from 65520
 * on it is infinite.  A NaN becomes a quiet one. */
uint16_t anole_half_from_float(float value);

/* half[count] from values[count]. */
void anole_half_round(uint16_t *half, const float *values, size_t count);

/* The most by which rounding a number of this magnitude (of more digits) to half
 * changes it: half of the distance between two halves there. */
double anole_half_rounding(double magnitude);

#endif
