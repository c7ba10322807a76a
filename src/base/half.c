/* SPDX-License-Identifier: MIT */
#include "base/half.h"

#include <math.h>
#include <string.h>

#define EXPONENT 0x7c00u /* all ones: infinite, or a NaN */
#define FRACTION 0x03ffu
#define QUIET 0x0200u
#define REBIAS ((uint32_t)(127 - 15) << 23)

static float float_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

float anole_half_to_float(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000u) << 16, magnitude = half & 0x7fffu;
    if ((magnitude & EXPONENT) == EXPONENT)
        return float_of(sign | 0x7f800000u | (magnitude & FRACTION) << 13);
    if (magnitude < 0x0400u) /* a multiple of the smallest; 0, too */
        return float_of(sign | bits_of((float)magnitude * 0x1p-24f));
    return float_of(sign | ((magnitude << 13) + REBIAS));
}

uint16_t anole_half_from_float(float value)
{
    uint32_t bits = bits_of(value), sign = bits >> 16 & 0x8000u, magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u)
        return (uint16_t)(sign | EXPONENT | QUIET | (magnitude >> 13 & FRACTION));
    if (magnitude >= bits_of(65520.0f)) /* half-way to what would come after the largest */
        return (uint16_t)(sign | EXPONENT);
    if (magnitude >= bits_of(ANOLE_HALF_MIN)) {
        /* Carries go where they belong: into the exponent. */
        magnitude += 0x0fffu + (magnitude >> 13 & 1u);
        return (uint16_t)(sign | (magnitude - REBIAS) >> 13);
    }
    /* Next to 1/2 floats are as far apart as subnormal halves: the sum is rounded
     * as it has to be. */
    float sum = float_of(magnitude) + 0.5f;
    return (uint16_t)(sign | (bits_of(sum) - bits_of(0.5f)));
}

void anole_half_round(uint16_t *half, const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        half[i] = anole_half_from_float(values[i]);
}

double anole_half_rounding(double magnitude)
{
    int exponent = -14; /* of subnormals, too */
    if (magnitude > (double)ANOLE_HALF_MIN)
        exponent = ilogb(magnitude);
    return ldexp(1.0, exponent - 11);
}
