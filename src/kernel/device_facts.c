/* SPDX-License-Identifier: MIT
 *
 * What expressions may say about a device.
 */
#include "base/text.h"
#include "kernel/custom.h"

#include <stdio.h>
#include <string.h>

#define NO_LIMIT (UINT64_C(1) << 50) /* exact in a double, and some products of it */

/* name, field, is it a limit? */
#define FACT_MAP(X)                                                                                \
    X(MAX_WORK_GROUP, max_work_group, true)                                                        \
    X(MAX_WORK_ITEMS_X, max_work_items[0], true)                                                   \
    X(MAX_WORK_ITEMS_Y, max_work_items[1], true)                                                   \
    X(MAX_WORK_ITEMS_Z, max_work_items[2], true)                                                   \
    X(LOCAL_MEMORY, local_memory, true)                                                            \
    X(GLOBAL_MEMORY, global_memory, true)                                                          \
    X(MAX_ALLOCATION, max_allocation, true)                                                        \
    X(COMPUTE_UNITS, compute_units, false)                                                         \
    X(CORES, cores, false)                                                                         \
    X(SIMD_WIDTH, simd_width, false)                                                               \
    X(REGISTERS, registers, false)                                                                 \
    X(CLOCK_MHZ, clock_mhz, false)                                                                 \
    X(CACHE_L1, cache_l1, false)                                                                   \
    X(CACHE_L2, cache_l2, false)                                                                   \
    X(CACHE_L3, cache_l3, false)                                                                   \
    X(CACHE_LINE, cache_line, false)

static const char *const names[] = {
#define X(name, field, limit) "DEVICE_" #name,
    FACT_MAP(X)
#undef X
        NULL};

#define FACTS (sizeof names / sizeof *names - 1)

const char *const *anole_device_fact_names(void)
{
    return names;
}

static uint64_t fact(const struct anole_device *device, size_t index)
{
    const struct {
        uint64_t value;
        bool limit;
    } facts[FACTS] = {
#define X(name, field, limit) {device->field, limit},
        FACT_MAP(X)
#undef X
    };
    return facts[index].value == 0 && facts[index].limit ? NO_LIMIT : facts[index].value;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static size_t word_length(const char *at)
{
    size_t length = 0;
    while (is_letter(at[length]) || (at[length] >= '0' && at[length] <= '9'))
        length++;
    return length;
}

/* The fact that a word names; FACTS: none. */
static size_t find(const char *word, size_t length)
{
    size_t i = 0;
    while (i < FACTS && !(strlen(names[i]) == length && memcmp(names[i], word, length) == 0))
        i++;
    return i;
}

char *anole_device_substitute(const char *expression, const struct anole_device *device)
{
    struct anole_text out = {.data = NULL};
    for (const char *at = expression; *at;) {
        size_t length = word_length(at);
        size_t index = length > 0 ? find(at, length) : FACTS;
        if (index < FACTS)
            anole_text_printf(&out, "%llu", (unsigned long long)fact(device, index));
        else
            anole_text_append(&out, at, length > 0 ? length : 1);
        at += length > 0 ? length : 1;
    }
    if (!out.data)
        anole_text_append(&out, "", 0);
    if (!out.failed && out.data)
        return out.data;
    anole_text_fini(&out);
    return NULL;
}

bool anole_device_mentioned(const char *expression)
{
    for (const char *at = expression; *at;) {
        size_t length = word_length(at);
        if (length > 0 && find(at, length) < FACTS)
            return true;
        at += length > 0 ? length : 1;
    }
    return false;
}
