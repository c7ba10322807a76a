/* SPDX-License-Identifier: MIT */
#include "gen_values.h"

uint32_t gen_range(int64_t *list, int64_t first, int64_t last)
{
    uint32_t count = 0;
    list[count++] = first;
    for (int64_t value = first + 1; value <= last && count < GEN_MAX_VALUES; value++)
        list[count++] = value;
    return count;
}

uint32_t gen_powers(int64_t *list, int64_t first, int64_t last)
{
    uint32_t count = 0;
    list[count++] = first;
    for (int64_t value = 2 * first; value <= last && count < GEN_MAX_VALUES; value *= 2)
        list[count++] = value;
    return count;
}

uint32_t gen_divisors(int64_t *list, int64_t n, int64_t least)
{
    uint32_t count = 0;
    for (int64_t value = gen_max(1, least); value < n && count < GEN_MAX_VALUES - 1; value++)
        if (n % value == 0)
            list[count++] = value;
    list[count++] = n;
    return count;
}
