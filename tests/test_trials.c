/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/rng.h"
#include "space/trials.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct anole_result ok(double seconds)
{
    return (struct anole_result){.outcome = ANOLE_OUTCOME_OK, .seconds = seconds, .samples = 3};
}

static struct anole_result abandoned(double seconds)
{
    struct anole_result result = ok(seconds);
    result.abandoned = true;
    return result;
}

static struct anole_result failed(enum anole_outcome outcome)
{
    return (struct anole_result){.outcome = outcome, .seconds = NAN, .message = "no luck"};
}

static void add(struct anole_trials *trials, uint64_t config, struct anole_result result)
{
    assert_int_equal(anole_trials_add(trials, config, &result, NULL), ANOLE_DONE);
}

static int create(void **state)
{
    struct anole_trials *trials = NULL;
    assert_int_equal(anole_trials_create(&trials, NULL), ANOLE_DONE);
    *state = trials;
    return 0;
}

static int destroy(void **state)
{
    anole_trials_destroy(*state);
    return 0;
}

static void test_read_without_trials(void **state)
{
    struct anole_trials *trials = *state;
    uint64_t configs[4];
    assert_int_equal(anole_trials_count(trials), 0);
    assert_null(anole_trials_get(trials, 0));
    assert_null(anole_trials_find(trials, 0));
    assert_false(anole_trials_visited(trials, UINT64_MAX));
    assert_null(anole_trials_best(trials));
    assert_int_equal(anole_trials_elites(trials, configs, NULL, 4), 0);
    assert_int_equal(anole_trials_with_outcome(trials, ANOLE_OUTCOME_OK), 0);
    anole_trials_destroy(NULL);
}

static void test_find_after_adding(void **state)
{
    struct anole_trials *trials = *state;
    add(trials, 7, ok(3.0));
    add(trials, UINT64_MAX, failed(ANOLE_OUTCOME_CRASH));
    add(trials, 0, ok(1.0));
    assert_int_equal(anole_trials_count(trials), 3);
    assert_int_equal(anole_trials_get(trials, 1)->config, UINT64_MAX);
    assert_null(anole_trials_get(trials, 3));
    assert_true(anole_trials_visited(trials, 0));
    assert_true(anole_trials_visited(trials, UINT64_MAX));
    assert_false(anole_trials_visited(trials, 1));
    assert_string_equal(anole_trials_find(trials, UINT64_MAX)->result.message, "no luck");
    assert_ptr_equal(anole_trials_find(trials, 7), anole_trials_get(trials, 0));
    assert_int_equal(anole_trials_best(trials)->config, 0);
}

static void test_best_ignores_failed_and_abandoned(void **state)
{
    struct anole_trials *trials = *state;
    add(trials, 1, abandoned(0.5));
    assert_null(anole_trials_best(trials));
    add(trials, 2, failed(ANOLE_OUTCOME_COMPILE));
    assert_null(anole_trials_best(trials));
    add(trials, 3, ok(2.0));
    assert_int_equal(anole_trials_best(trials)->config, 3);
    add(trials, 4, ok(2.0)); /* a tie: the earlier one stays */
    assert_int_equal(anole_trials_best(trials)->config, 3);
}

static void test_add_again_replaces_what_counted(void **state)
{
    struct anole_trials *trials = *state;
    add(trials, 1, ok(1.0));
    add(trials, 2, ok(2.0));
    add(trials, 1, ok(3.0));
    assert_int_equal(anole_trials_count(trials), 3);
    assert_int_equal(anole_trials_with_outcome(trials, ANOLE_OUTCOME_OK), 2);
    assert_int_equal(anole_trials_best(trials)->config, 2);
    assert_true(anole_trials_find(trials, 1)->result.seconds == 3.0);
    add(trials, 2, failed(ANOLE_OUTCOME_WRONG_ANSWER));
    assert_int_equal(anole_trials_best(trials)->config, 1);
    assert_int_equal(anole_trials_with_outcome(trials, ANOLE_OUTCOME_OK), 1);
    assert_int_equal(anole_trials_with_outcome(trials, ANOLE_OUTCOME_WRONG_ANSWER), 1);
    add(trials, 2, ok(0.5));
    assert_int_equal(anole_trials_best(trials)->config, 2);
    assert_int_equal(anole_trials_with_outcome(trials, ANOLE_OUTCOME_WRONG_ANSWER), 0);
}

static void test_elites_fastest_first(void **state)
{
    struct anole_trials *trials = *state;
    uint64_t configs[8];
    double seconds[8];
    add(trials, 10, abandoned(0.1));
    add(trials, 11, ok(5.0));
    add(trials, 12, ok(4.0));
    add(trials, 13, failed(ANOLE_OUTCOME_LAUNCH));
    add(trials, 14, abandoned(0.05));
    add(trials, 15, ok(4.5));
    assert_int_equal(anole_trials_elites(trials, configs, seconds, 8), 5);
    static const uint64_t expected[] = {12, 15, 11, 14, 10};
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(configs[i], expected[i]);
    assert_true(seconds[0] == 4.0 && seconds[4] == 0.1);
    assert_int_equal(anole_trials_elites(trials, configs, NULL, 2), 2);
    assert_int_equal(anole_trials_elites(trials, configs, NULL, 0), 0);
}

static void test_add_refuses_what_makes_no_sense(void **state)
{
    struct anole_trials *trials = *state;
    static const double times[] = {NAN, INFINITY, -1.0};
    for (size_t i = 0; i < 3; i++) {
        struct anole_result result = ok(times[i]);
        struct anole_error error = {0};
        assert_int_equal(anole_trials_add(trials, 1, &result, &error), ANOLE_ERR_INPUT);
        assert_non_null(strstr(error.text, "expected its seconds"));
    }
    struct anole_result result = ok(1.0);
    result.outcome = ANOLE_OUTCOME_COUNT;
    assert_int_equal(anole_trials_add(trials, 1, &result, NULL), ANOLE_ERR_INPUT);
    result.outcome = (enum anole_outcome) - 1;
    assert_int_equal(anole_trials_add(trials, 1, &result, NULL), ANOLE_ERR_INPUT);
    assert_int_equal(anole_trials_with_outcome(trials, (enum anole_outcome) - 1), 0);
    assert_int_equal(anole_trials_count(trials), 0);
    /* A message without an end gets one. */
    result = failed(ANOLE_OUTCOME_CRASH);
    memset(result.message, 'x', sizeof result.message);
    add(trials, 1, result);
    assert_int_equal(strlen(anole_trials_get(trials, 0)->result.message),
                     sizeof result.message - 1);
}

/* Against plain loops over all trials. */
#define MANY 3000
#define CONFIGS 700

static double plain_best(const struct anole_trials *trials, size_t *ok_count)
{
    double best = INFINITY;
    *ok_count = 0;
    for (uint64_t config = 0; config < CONFIGS; config++) {
        const struct anole_trial *latest = NULL;
        for (size_t i = 0; i < anole_trials_count(trials); i++) {
            const struct anole_trial *trial = anole_trials_get(trials, i);
            if (trial->config == config * UINT64_C(0x9e3779b97f4a7c15))
                latest = trial;
        }
        if (!latest || latest->result.outcome != ANOLE_OUTCOME_OK)
            continue;
        ++*ok_count;
        if (!latest->result.abandoned && latest->result.seconds < best)
            best = latest->result.seconds;
    }
    return best;
}

static void test_add_many_at_random(void **state)
{
    struct anole_trials *trials = *state;
    struct anole_rng rng;
    anole_rng_init(&rng, 3);
    const struct anole_trial *first = NULL;
    for (int i = 0; i < MANY; i++) {
        uint64_t config = anole_rng_below(&rng, CONFIGS) * UINT64_C(0x9e3779b97f4a7c15);
        double seconds = (double)anole_rng_below(&rng, 400); /* with ties */
        uint64_t kind = anole_rng_below(&rng, 4);
        add(trials, config,
            kind == 0   ? failed(ANOLE_OUTCOME_TIMEOUT)
            : kind == 1 ? abandoned(seconds)
                        : ok(seconds));
        if (i == 0)
            first = anole_trials_get(trials, 0);
        if (i % 500 != 499)
            continue;
        size_t ok_count;
        double best = plain_best(trials, &ok_count);
        uint64_t configs[CONFIGS];
        double times[CONFIGS];
        assert_true(anole_trials_best(trials)->result.seconds == best);
        assert_int_equal(anole_trials_with_outcome(trials, ANOLE_OUTCOME_OK), ok_count);
        assert_int_equal(anole_trials_elites(trials, configs, times, CONFIGS), ok_count);
        for (size_t k = 1; k < ok_count; k++) {
            bool before = anole_trials_find(trials, configs[k - 1])->result.abandoned;
            bool after = anole_trials_find(trials, configs[k])->result.abandoned;
            assert_true(before == after ? times[k - 1] <= times[k] : after);
        }
    }
    assert_ptr_equal(first, anole_trials_get(trials, 0)); /* pointers stay good */
}

/* What ranks results: what failed is last, what was abandoned before it. */
static void test_results_are_ranked_by_the_cost_of_their_metric(void **state)
{
    (void)state;
    struct anole_result fast = {.outcome = ANOLE_OUTCOME_OK, .seconds = 1e-3}, slow = fast,
                        given_up = fast, failed = {.outcome = ANOLE_OUTCOME_CRASH, .seconds = NAN};
    slow.seconds = 2e-3;
    given_up.seconds = 1e-4;
    given_up.abandoned = true;
    const struct anole_result *order[] = {&fast, &slow, &given_up, &failed};
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < 4; j++)
            assert_int_equal(anole_result_better(order[i], order[j]), i < j);
    assert_true(anole_result_cost(&slow) / anole_result_cost(&fast) == 2.0);
    assert_true(isinf(anole_result_cost(&failed)));
    assert_true(isnan(anole_result_value(&failed)));
    assert_string_equal(anole_metric_text(slow.metric), "seconds");
    assert_string_equal(anole_metric_unit(slow.metric), "s");
    assert_string_equal(anole_metric_text(ANOLE_METRIC_COUNT), "unknown");
    assert_true(isnan(anole_metric_cost(ANOLE_METRIC_COUNT, 1.0)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_results_are_ranked_by_the_cost_of_their_metric),
        cmocka_unit_test_setup_teardown(test_read_without_trials, create, destroy),
        cmocka_unit_test_setup_teardown(test_find_after_adding, create, destroy),
        cmocka_unit_test_setup_teardown(test_best_ignores_failed_and_abandoned, create, destroy),
        cmocka_unit_test_setup_teardown(test_add_again_replaces_what_counted, create, destroy),
        cmocka_unit_test_setup_teardown(test_elites_fastest_first, create, destroy),
        cmocka_unit_test_setup_teardown(test_add_refuses_what_makes_no_sense, create, destroy),
        cmocka_unit_test_setup_teardown(test_add_many_at_random, create, destroy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
