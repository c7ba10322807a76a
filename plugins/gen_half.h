/* SPDX-License-Identifier: MIT
 *
 * Half precision, for what generators compute from weights.
 */
#ifndef ANOLE_GEN_HALF_H
#define ANOLE_GEN_HALF_H

#include <stdint.h>
#include <string.h>

/* The value of the binary16 number (IEEE 754) with these bits.  Exact; infinities and
 * NaNs stay what they are. */
static inline float gen_half_value(uint16_t half)
{
    const uint32_t sign = (uint32_t)(half & 0x8000u) << 16, magnitude = half & 0x7fffu;
    uint32_t bits = magnitude << 13;
    float value;
    if (magnitude >= 0x7c00u) {
        bits |= 0x7f800000u;
    } else if (magnitude >= 0x0400u) {
        bits += (uint32_t)(127 - 15) << 23;
    } else { /* a multiple of the smallest */
        value = (float)magnitude * 0x1p-24f;
        memcpy(&bits, &value, sizeof bits);
    }
    bits |= sign;
    memcpy(&value, &bits, sizeof value);
    return value;
}

#endif
