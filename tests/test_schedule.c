/* SPDX-License-Identifier: MIT */
#include "tune/schedule.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct anole_schedule *make(size_t tasks)
{
    struct anole_schedule *schedule = NULL;
    assert_int_equal(anole_schedule_create(&schedule, tasks, NULL), ANOLE_DONE);
    return schedule;
}

static void test_next_gives_each_task_a_batch_before_any_gets_two(void **state)
{
    (void)state;
    struct anole_schedule *schedule = make(5);
    bool seen[5] = {false};
    for (int i = 0; i < 5; i++) {
        size_t task = anole_schedule_next(schedule);
        assert_true(task < 5);
        assert_false(seen[task]);
        seen[task] = true;
        anole_schedule_update(schedule, task, 8, 1e-3);
    }
    anole_schedule_destroy(schedule);
}

static void test_next_starts_with_the_heaviest(void **state)
{
    (void)state;
    struct anole_schedule *schedule = make(3);
    anole_schedule_set(schedule, 0, 1, 10);
    anole_schedule_set(schedule, 1, 4, 10);
    anole_schedule_set(schedule, 2, 2, 10);
    assert_int_equal(anole_schedule_next(schedule), 1);
    anole_schedule_destroy(schedule);
}

static void test_next_prefers_multiplicity_times_time(void **state)
{
    (void)state;
    struct anole_schedule *schedule = make(2);
    anole_schedule_set(schedule, 0, 1, 1);
    anole_schedule_set(schedule, 1, 3, 1);
    anole_schedule_update(schedule, 0, 8, 1e-3);
    anole_schedule_update(schedule, 1, 8, 1e-3);
    assert_int_equal(anole_schedule_next(schedule), 1);
    anole_schedule_destroy(schedule);
}

static void test_next_prefers_what_still_improves(void **state)
{
    (void)state;
    struct anole_schedule *schedule = make(2);
    double improving = 1e-3;
    for (int i = 0; i < 4; i++) {
        anole_schedule_update(schedule, 0, 8, 1e-3);
        anole_schedule_update(schedule, 1, 8, improving);
        improving *= 0.8;
    }
    /* Task 1 takes less time by now, yet promises more. */
    assert_int_equal(anole_schedule_next(schedule), 1);
    assert_true(anole_schedule_promise(schedule, 1) > anole_schedule_promise(schedule, 0));
    anole_schedule_destroy(schedule);
}

/* Every task keeps getting turns, but the one that matters gets most of them. */
static void test_next_shares_out_unequally_but_starves_none(void **state)
{
    (void)state;
    struct anole_schedule *schedule = make(3);
    const double seconds[] = {10e-3, 1e-3, 0.1e-3};
    size_t turns[3] = {0};
    for (int i = 0; i < 300; i++) {
        size_t task = anole_schedule_next(schedule);
        turns[task]++;
        anole_schedule_update(schedule, task, 8, seconds[task]);
    }
    assert_true(turns[0] > turns[1] && turns[1] > turns[2]);
    assert_true(turns[2] >= 2);
    anole_schedule_destroy(schedule);
}

static void test_next_skips_exhausted_tasks(void **state)
{
    (void)state;
    struct anole_schedule *schedule = make(2);
    anole_schedule_exhaust(schedule, 0);
    assert_int_equal(anole_schedule_next(schedule), 1);
    anole_schedule_exhaust(schedule, 1);
    assert_true(anole_schedule_next(schedule) == SIZE_MAX);
    anole_schedule_destroy(schedule);
}

/* Two tasks that are alike, but that a batch of one takes four times as long. */
static void test_next_prefers_what_is_cheap(void **state)
{
    (void)state;
    struct anole_schedule *schedule = make(3);
    size_t batches[3] = {0};
    double best[3] = {1e-3, 1e-3, 1e-3};
    for (int i = 0; i < 60; i++) {
        size_t task = anole_schedule_next(schedule);
        batches[task]++;
        best[task] *= 1.0 - 0.1 / (double)batches[task];
        anole_schedule_update(schedule, task, 4, best[task]);
        /* What is said of the third one says nothing. */
        anole_schedule_charge(schedule, task, task == 0 ? 4.0 : task == 1 ? 1.0 : NAN);
    }
    assert_true(batches[1] > 3 * batches[0] / 2);
    assert_true(batches[2] > batches[0] && batches[2] < batches[1]);
    anole_schedule_destroy(schedule);
}

static void test_next_copes_with_a_task_where_everything_fails(void **state)
{
    (void)state;
    struct anole_schedule *schedule = make(2);
    size_t turns[2] = {0};
    for (int i = 0; i < 100; i++) {
        size_t task = anole_schedule_next(schedule);
        turns[task]++;
        anole_schedule_update(schedule, task, 8, task == 0 ? NAN : 1e-3);
    }
    assert_true(turns[0] > 0 && turns[1] > 0);
    anole_schedule_destroy(schedule);
}

static void test_destroy_accepts_null(void **state)
{
    (void)state;
    anole_schedule_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_next_gives_each_task_a_batch_before_any_gets_two),
        cmocka_unit_test(test_next_starts_with_the_heaviest),
        cmocka_unit_test(test_next_prefers_multiplicity_times_time),
        cmocka_unit_test(test_next_prefers_what_still_improves),
        cmocka_unit_test(test_next_shares_out_unequally_but_starves_none),
        cmocka_unit_test(test_next_skips_exhausted_tasks),
        cmocka_unit_test(test_next_prefers_what_is_cheap),
        cmocka_unit_test(test_next_copes_with_a_task_where_everything_fails),
        cmocka_unit_test(test_destroy_accepts_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
