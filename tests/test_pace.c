/* SPDX-License-Identifier: MIT
 *
 * Whether a kernel became slower, by what was timed in turn.
 */
#include "record/pace.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static enum anole_pace_verdict judge(struct anole_pace then, struct anole_pace now,
                                     double tolerance)
{
    return anole_pace_judge(&then, &now, tolerance);
}

#define PACE(speedup, low, high) ((struct anole_pace){speedup, low, high})
#define UNKNOWN PACE(NAN, NAN, NAN)

static void test_compare_spans_both_intervals(void **state)
{
    (void)state;
    struct anole_pace_change change;
    anole_pace_compare(&change, &PACE(2.0, 1.9, 2.1), &PACE(1.6, 1.5, 1.7));
    assert_true(fabs(change.ratio - 1.25) < 1e-12);
    assert_true(fabs(change.low - 1.9 / 1.7) < 1e-12);
    assert_true(fabs(change.high - 2.1 / 1.5) < 1e-12);
}

static void test_judge_needs_the_whole_interval(void **state)
{
    (void)state;
    assert_int_equal(judge(PACE(2, 1.9, 2.1), PACE(1.6, 1.5, 1.7), 0.05), ANOLE_PACE_SLOWER);
    assert_int_equal(judge(PACE(2, 1.9, 2.1), PACE(1.6, 1.5, 1.7), 0.15), ANOLE_PACE_SAME);
    assert_int_equal(judge(PACE(2, 1.7, 2.1), PACE(1.6, 1.5, 1.7), 0.0), ANOLE_PACE_SAME);
    assert_int_equal(judge(PACE(1.6, 1.5, 1.7), PACE(2, 1.9, 2.1), 0.05), ANOLE_PACE_FASTER);
    assert_int_equal(judge(PACE(1.6, 1.5, 1.7), PACE(2, 1.9, 2.1), 0.15), ANOLE_PACE_SAME);
}

static void test_judge_goes_by_the_default_where_nothing_was_recorded(void **state)
{
    (void)state;
    assert_int_equal(judge(UNKNOWN, PACE(0.8, 0.7, 0.9), 0.05), ANOLE_PACE_SLOWER);
    assert_int_equal(judge(UNKNOWN, PACE(0.8, 0.7, 0.98), 0.05), ANOLE_PACE_SAME);
    assert_int_equal(judge(UNKNOWN, PACE(5, 5, 5), 0.05), ANOLE_PACE_SAME);
    assert_int_equal(judge(PACE(2, 2, 2), UNKNOWN, 0.05), ANOLE_PACE_UNKNOWN);
    assert_int_equal(judge(UNKNOWN, UNKNOWN, 0.05), ANOLE_PACE_UNKNOWN);
}

/* Lock files come from anywhere. */
static void test_judge_takes_no_nonsense_for_a_record(void **state)
{
    (void)state;
    const struct anole_pace nonsense[] = {
        PACE(0, 0, 0), PACE(-2, -3, -1), PACE(2, 3, 1),        PACE(INFINITY, 1, INFINITY),
        PACE(2, 0, 3), PACE(2, NAN, 3),  PACE(2, 1, INFINITY), PACE(NAN, 1, 2)};
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
        assert_int_equal(judge(nonsense[i], PACE(1.5, 1.4, 1.6), 0.05), ANOLE_PACE_SAME);
        assert_int_equal(judge(PACE(1.5, 1.4, 1.6), nonsense[i], 0.05), ANOLE_PACE_UNKNOWN);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compare_spans_both_intervals),
        cmocka_unit_test(test_judge_needs_the_whole_interval),
        cmocka_unit_test(test_judge_goes_by_the_default_where_nothing_was_recorded),
        cmocka_unit_test(test_judge_takes_no_nonsense_for_a_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
