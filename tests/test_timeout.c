/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/timeout.h"

#include <math.h>

static void test_wait_for_the_cap_until_enough_was_seen(void **state)
{
    (void)state;
    struct anole_timeout patience = {.seen = 0};
    assert_true(anole_timeout_limit(NULL, 3, 10) == 10);
    for (int i = 0; i < 7; i++) {
        anole_timeout_note(&patience, 0.001);
        assert_true(anole_timeout_limit(&patience, 3, 10) == 10);
    }
    anole_timeout_note(&patience, 0.001);
    assert_true(anole_timeout_limit(&patience, 3, 10) == 3);
}

static void test_wait_longer_for_what_takes_longer(void **state)
{
    (void)state;
    struct anole_timeout patience = {.seen = 0};
    for (int i = 0; i < 100; i++)
        anole_timeout_note(&patience, 0.5);
    assert_true(fabs(anole_timeout_limit(&patience, 3, 10) - 5) < 1e-9);
    assert_true(anole_timeout_limit(&patience, 3, 4) == 4); /* never above the cap, */
    assert_true(anole_timeout_limit(&patience, 5, 4) == 4); /* whatever the floor */
    /* One that took long is no reason to wait for all; more of them are. */
    anole_timeout_note(&patience, 9);
    assert_true(fabs(anole_timeout_limit(&patience, 3, 100) - 5) < 1e-9);
    assert_true(anole_timeout_slowest(&patience) == 9);
    for (int i = 0; i < 5; i++)
        anole_timeout_note(&patience, 9);
    assert_true(fabs(anole_timeout_limit(&patience, 3, 100) - 90) < 1e-9);
}

static void test_forget_what_was_long_ago(void **state)
{
    (void)state;
    struct anole_timeout patience = {.seen = 0};
    for (int i = 0; i < 100; i++)
        anole_timeout_note(&patience, 9);
    for (int i = 0; i < ANOLE_TIMEOUT_TIMES; i++)
        anole_timeout_note(&patience, 0.5);
    assert_true(fabs(anole_timeout_limit(&patience, 3, 100) - 5) < 1e-9);
    assert_true(anole_timeout_slowest(&patience) == 0.5);
}

static void test_ignore_what_is_no_time(void **state)
{
    (void)state;
    struct anole_timeout patience = {.seen = 0};
    anole_timeout_note(&patience, NAN);
    anole_timeout_note(&patience, INFINITY);
    anole_timeout_note(&patience, -1);
    assert_int_equal(patience.seen, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wait_for_the_cap_until_enough_was_seen),
        cmocka_unit_test(test_wait_longer_for_what_takes_longer),
        cmocka_unit_test(test_forget_what_was_long_ago),
        cmocka_unit_test(test_ignore_what_is_no_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
