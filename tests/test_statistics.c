/* SPDX-License-Identifier: MIT */
#include "base/rng.h"
#include "base/statistics.h"

#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_near(double a, double b)
{
    if (!(fabs(a - b) <= 1e-12 * (1.0 + fabs(b))))
        fail_msg("%.17g is not %.17g", a, b);
}

static void test_summarise_one_sample(void **state)
{
    (void)state;
    double x[] = {3.5};
    struct anole_summary s;
    anole_summarise(&s, x, 1);
    assert_near(s.median, 3.5);
    assert_near(s.low, 3.5);
    assert_near(s.high, 3.5);
    assert_near(s.minimum, 3.5);
    assert_near(s.mean, 3.5);
    assert_near(s.deviation, 0.0);
    assert_int_equal(s.count, 1);
    /* One sample says nothing about how wide the interval is. */
    assert_true(isinf(anole_relative_half_width(&s)));
}

static void test_summarise_even_and_odd_counts(void **state)
{
    (void)state;
    double even[] = {4, 1, 3, 2};
    double odd[] = {5, 1, 4, 2, 3};
    struct anole_summary s;
    anole_summarise(&s, even, 4);
    assert_near(s.median, 2.5);
    assert_near(s.low, 1);
    assert_near(s.high, 4);
    assert_near(s.mean, 2.5);
    assert_near(s.deviation, sqrt(5.0 / 3.0));
    assert_near(anole_relative_half_width(&s), 0.6);
    anole_summarise(&s, odd, 5);
    assert_near(s.median, 3);
    assert_near(s.low, 1);
    assert_near(s.high, 5);
    assert_near(s.minimum, 1);
}

static void test_summarise_sorts_in_place(void **state)
{
    (void)state;
    double x[] = {9, 7, 8, -1, 0, 7};
    struct anole_summary s;
    anole_summarise(&s, x, 6);
    for (int i = 1; i < 6; i++)
        assert_true(x[i - 1] <= x[i]);
    assert_near(s.minimum, -1);
}

/* Ranks (from 1) of the lower bound as the tables of the sign test have them,
 * e.g. Conover, Practical Nonparametric Statistics, for 95 %. */
static void test_interval_has_tabulated_ranks(void **state)
{
    (void)state;
    static const struct {
        size_t n, rank;
    } table[] = {{5, 1},  {6, 1},  {7, 1},  {8, 1},   {9, 2},   {10, 2},   {11, 2},  {12, 3},
                 {15, 4}, {20, 6}, {25, 8}, {30, 10}, {50, 18}, {100, 40}, {70, 27}, {200, 86}};
    double x[200];
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        for (size_t k = 0; k < table[i].n; k++)
            x[k] = (double)(k + 1);
        struct anole_summary s;
        anole_summarise(&s, x, table[i].n);
        assert_near(s.low, (double)table[i].rank);
        assert_near(s.high, (double)(table[i].n + 1 - table[i].rank));
    }
}

/* 2^-n underflows from n = 1075 on. */
static void test_interval_of_very_many_samples(void **state)
{
    (void)state;
    size_t n = 100000;
    double *x = malloc(n * sizeof *x);
    assert_non_null(x);
    for (size_t k = 0; k < n; k++)
        x[k] = (double)(k + 1);
    struct anole_summary s;
    anole_summarise(&s, x, n);
    double rank = 0.5 * (double)n - 0.9799819922700269 * sqrt((double)n);
    assert_true(fabs(s.low - rank) < 2.0);
    assert_near(s.low + s.high, (double)n + 1.0);
    assert_true(s.low < s.median && s.median < s.high);
    free(x);
}

static void test_deviation_keeps_digits_of_close_samples(void **state)
{
    (void)state;
    double x[] = {1e6 + 1e-4, 1e6 + 2e-4, 1e6 + 3e-4};
    struct anole_summary s;
    anole_summarise(&s, x, 3);
    assert_true(fabs(s.deviation - 1e-4) < 1e-8);
}

/* Lognormal, as the times of kernels are: skewed to the right. */
static double coverage(size_t n, struct anole_rng *rng)
{
    double x[64];
    int inside = 0, rounds = 20000;
    for (int r = 0; r < rounds; r++) {
        for (size_t i = 0; i < n; i++)
            x[i] = exp(anole_rng_normal(rng)); /* its median is 1 */
        struct anole_summary s;
        anole_summarise(&s, x, n);
        inside += s.low <= 1.0 && 1.0 <= s.high;
    }
    return (double)inside / rounds;
}

/* At least 95 %, whatever the distribution, from six samples on, and not much
 * more than the steps of the binomial force it to be. */
static void test_interval_covers_the_median(void **state)
{
    (void)state;
    static const struct {
        size_t n;
        double exact;
    } cases[] = {{6, 0.96875},      {7, 0.984375},    {9, 0.9609375},
                 {12, 0.961425781}, {20, 0.95861053}, {51, 0.951}};
    struct anole_rng rng;
    anole_rng_init(&rng, 42);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double covered = coverage(cases[i].n, &rng);
        /* Four deviations of 20,000 coin tosses at 95 % are 0.6 %. */
        if (covered < 0.944 || (cases[i].n < 50 && fabs(covered - cases[i].exact) > 0.006))
            fail_msg("n = %zu: covered %.4f, expected %.4f", cases[i].n, covered, cases[i].exact);
    }
}

static void test_ratio_cancels_common_disturbance(void **state)
{
    (void)state;
    struct anole_rng rng;
    anole_rng_init(&rng, 7);
    double a[40], b[40], scratch[40];
    for (int i = 0; i < 40; i++) {
        double disturbance = exp(anole_rng_normal(&rng)); /* a factor of e, up or down */
        a[i] = 1.25 * disturbance * (1.0 + 0.01 * anole_rng_normal(&rng));
        b[i] = disturbance;
    }
    struct anole_summary s;
    anole_summarise_ratio(&s, a, b, 40, scratch);
    assert_true(s.low <= 1.25 && 1.25 <= s.high);
    assert_true(anole_relative_half_width(&s) < 0.01);
    assert_int_equal(s.count, 40);
}

static void test_half_width_of_zero_median_is_infinite(void **state)
{
    (void)state;
    double x[8] = {0};
    struct anole_summary s;
    anole_summarise(&s, x, 8);
    assert_true(isinf(anole_relative_half_width(&s)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_summarise_one_sample),
        cmocka_unit_test(test_summarise_even_and_odd_counts),
        cmocka_unit_test(test_summarise_sorts_in_place),
        cmocka_unit_test(test_interval_has_tabulated_ranks),
        cmocka_unit_test(test_interval_of_very_many_samples),
        cmocka_unit_test(test_deviation_keeps_digits_of_close_samples),
        cmocka_unit_test(test_interval_covers_the_median),
        cmocka_unit_test(test_ratio_cancels_common_disturbance),
        cmocka_unit_test(test_half_width_of_zero_median_is_infinite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
