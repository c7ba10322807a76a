/* SPDX-License-Identifier: MIT
 *
 * Half precision, against its definition: every half, and floats around every place
 * where rounding changes its mind.
 */
#include "base/half.h"
#include "base/rng.h"
#include "plugins/gen_half.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static float float_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* From the definition: (-1)^s 2^(e - 15) 1.f, or 2^-14 0.f. */
static double value_of(unsigned half)
{
    int exponent = (int)(half >> 10 & 31);
    double fraction = (half & 1023) / 1024.0, sign = half >> 15 ? -1.0 : 1.0;
    if (exponent == 31)
        return fraction > 0.0 ? (double)NAN : sign * (double)INFINITY;
    return exponent ? sign * ldexp(1.0 + fraction, exponent - 15) : sign * ldexp(fraction, -14);
}

static void test_every_half_is_its_value(void **state)
{
    (void)state;
    for (unsigned half = 0; half <= 0xffff; half++) {
        double value = value_of(half);
        float found = anole_half_to_float((uint16_t)half);
        assert_int_equal(signbit(found) != 0, half >> 15);
        /* Backends have a copy of their own. */
        float theirs = gen_half_value((uint16_t)half);
        assert_memory_equal(&theirs, &found, sizeof found);
        if (isnan(value))
            assert_true(isnan(found));
        else
            assert_true((double)found == value);
    }
}

static void test_every_half_comes_back(void **state)
{
    (void)state;
    for (unsigned half = 0; half <= 0xffff; half++) {
        unsigned again = anole_half_from_float(anole_half_to_float((uint16_t)half));
        if (isnan(value_of(half)))
            assert_int_equal(again, half | 0x200); /* quiet, the rest as it was */
        else
            assert_int_equal(again, half);
    }
}

/* The half next to a number between two halves that follow each other; infinity
 * counts as 65536 there. */
static unsigned nearest(double x, unsigned below)
{
    double low = value_of(below), high = below == 0x7bff ? 65536.0 : value_of(below + 1);
    double middle = (low + high) / 2.0;
    return x < middle || (x == middle && below % 2 == 0) ? below : below + 1;
}

/* Between each two halves: the float half-way (each is one), its neighbours, those
 * of the ends, and some others. */
static void test_what_lies_between_is_rounded_to_even(void **state)
{
    (void)state;
    struct anole_rng rng;
    anole_rng_init(&rng, 3);
    for (unsigned below = 0; below < 0x7c00; below++) {
        float low = (float)value_of(below);
        float high = below == 0x7bff ? 65536.0f : (float)value_of(below + 1);
        float middle = low + (high - low) / 2.0f;
        const float cases[] = {low,
                               nextafterf(low, high),
                               nextafterf(middle, low),
                               middle,
                               nextafterf(middle, high),
                               nextafterf(high, low),
                               low + (high - low) * (float)anole_rng_uniform(&rng),
                               low + (high - low) * (float)anole_rng_uniform(&rng)};
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            unsigned expected = nearest((double)cases[i], below);
            assert_int_equal(anole_half_from_float(cases[i]), expected);
            assert_int_equal(anole_half_from_float(-cases[i]), expected | 0x8000);
            double rounded = expected == 0x7c00 ? 65536.0 : value_of(expected);
            assert_true(fabs((double)cases[i] - rounded) <= anole_half_rounding((double)cases[i]));
        }
    }
}

static void test_ends_of_the_range(void **state)
{
    (void)state;
    const struct {
        float value;
        unsigned half;
    } cases[] = {{0.0f, 0},
                 {-0.0f, 0x8000},
                 {0x1p-149f, 0},          /* the smallest float */
                 {0x1p-25f, 0},           /* half of the smallest half: to even */
                 {0x1.000002p-25f, 1},    /* a little more */
                 {0x1p-24f, 1},           /* the smallest half */
                 {ANOLE_HALF_MIN, 0x400}, /* the smallest normal one */
                 {ANOLE_HALF_MAX, 0x7bff},
                 {65519.996f, 0x7bff},
                 {65520.0f, 0x7c00},
                 {3e38f, 0x7c00},
                 {INFINITY, 0x7c00},
                 {-INFINITY, 0xfc00}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(anole_half_from_float(cases[i].value), cases[i].half);
    /* Signalling NaNs, whose fraction would be lost, too. */
    assert_int_equal(anole_half_from_float(float_of(0x7f800001)), 0x7e00);
    assert_int_equal(anole_half_from_float(float_of(0xff802000)), 0xfe01);
}

static void test_rounding_is_half_of_the_distance(void **state)
{
    (void)state;
    for (unsigned half = 1; half < 0x7bff; half++)
        assert_true(anole_half_rounding(value_of(half)) ==
                    (value_of(half + 1) - value_of(half)) / 2.0);
    assert_true(anole_half_rounding(0.0) == 0x1p-25);
}

/* What compilers and processors do; several hundred thousand floats of all sizes. */
static void test_compiler_agrees(void **state)
{
    (void)state;
#ifdef __FLT16_MANT_DIG__
    struct anole_rng rng;
    anole_rng_init(&rng, 4);
    for (int i = 0; i < 300000; i++) {
        uint32_t bits = (uint32_t)anole_rng_u64(&rng);
        if (i % 2) /* most of all floats are far out of range */
            bits = (bits & 0x807fffffu) | (uint32_t)(100 + anole_rng_below(&rng, 46)) << 23;
        float value = float_of(bits);
        _Float16 half = (_Float16)value;
        uint16_t expected;
        memcpy(&expected, &half, sizeof expected);
        if (!isnan(value))
            assert_int_equal(anole_half_from_float(value), expected);
        else
            assert_true(isnan(anole_half_to_float(anole_half_from_float(value))));
    }
#else
    skip();
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_half_is_its_value),
        cmocka_unit_test(test_every_half_comes_back),
        cmocka_unit_test(test_what_lies_between_is_rounded_to_even),
        cmocka_unit_test(test_ends_of_the_range),
        cmocka_unit_test(test_rounding_is_half_of_the_distance),
        cmocka_unit_test(test_compiler_agrees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
