/* SPDX-License-Identifier: MIT */
#include "search_fixture.h"

#include <locale.h>
#include <unistd.h>

static void add(struct problem *problem, uint64_t config, double seconds)
{
    struct anole_result result = {
        .outcome = isnan(seconds) ? ANOLE_OUTCOME_CRASH : ANOLE_OUTCOME_OK,
        .seconds = seconds,
    };
    assert_int_equal(anole_trials_add(problem->trials, config, &result, NULL), ANOLE_DONE);
}

static bool near(double a, double b)
{
    return fabs(a - b) < 1e-12;
}

static void test_targets_are_ranks_with_failures_last(void **state)
{
    (void)state;
    struct problem problem;
    double targets[5];
    size_t count;
    problem_init(&problem, 3, 5);
    add(&problem, 0, 3.0);
    add(&problem, 1, NAN);
    add(&problem, 2, 1.0);
    add(&problem, 3, 2.0);
    add(&problem, 4, NAN);
    assert_int_equal(
        anole_cost_model_targets(targets, &count, problem.trials, ANOLE_TARGET_RANK, NULL),
        ANOLE_DONE);
    assert_int_equal(count, 5);
    assert_true(near(targets[2], 1.0));
    assert_true(near(targets[3], pow(0.8, 4.0)));
    assert_true(near(targets[0], pow(0.6, 4.0)));
    assert_true(targets[1] == 0.0 && targets[4] == 0.0);
    problem_fini(&problem);
}

static void test_targets_of_equal_times_are_equal(void **state)
{
    (void)state;
    struct problem problem;
    double targets[4];
    size_t count;
    problem_init(&problem, 3, 5);
    add(&problem, 0, 2.0);
    add(&problem, 1, 1.0);
    add(&problem, 2, 2.0);
    add(&problem, 3, 3.0);
    assert_int_equal(
        anole_cost_model_targets(targets, &count, problem.trials, ANOLE_TARGET_RANK, NULL),
        ANOLE_DONE);
    assert_true(near(targets[0], pow(1.0 - 1.5 / 4.0, 4.0)));
    assert_true(targets[0] == targets[2]);
    problem_fini(&problem);
}

static void test_targets_are_speeds_if_asked(void **state)
{
    (void)state;
    struct problem problem;
    double targets[3];
    size_t count;
    problem_init(&problem, 3, 5);
    add(&problem, 0, 4.0);
    add(&problem, 1, 1.0);
    add(&problem, 2, NAN);
    assert_int_equal(
        anole_cost_model_targets(targets, &count, problem.trials, ANOLE_TARGET_SPEED, NULL),
        ANOLE_DONE);
    assert_true(near(targets[0], 0.25) && near(targets[1], 1.0) && targets[2] == 0.0);
    problem_fini(&problem);
}

static void test_targets_count_the_latest_trial_of_a_config(void **state)
{
    (void)state;
    struct problem problem;
    double targets[3];
    size_t count;
    problem_init(&problem, 3, 5);
    add(&problem, 0, 1.0);
    add(&problem, 1, 2.0);
    add(&problem, 0, 3.0);
    assert_int_equal(
        anole_cost_model_targets(targets, &count, problem.trials, ANOLE_TARGET_RANK, NULL),
        ANOLE_DONE);
    assert_int_equal(count, 2);
    assert_true(isnan(targets[0]));
    assert_true(near(targets[1], 1.0) && near(targets[2], pow(0.5, 4.0)));
    problem_fini(&problem);
}

/* Spearman's correlation between scores and true times, over unseen configs. */
static double judge(struct problem *problem)
{
    enum { COUNT = 200 };
    struct anole_rng rng;
    double seconds[COUNT], squares = 0.0;
    float scores[COUNT];
    uint64_t configs[COUNT];
    anole_rng_init(&rng, 4242);
    for (size_t i = 0; i < COUNT; i++) {
        do
            assert_true(anole_space_sample(problem->space, &rng, &configs[i]));
        while (anole_trials_visited(problem->trials, configs[i]));
        seconds[i] = problem_seconds(problem, configs[i]);
    }
    anole_cost_model_predict(problem->model, configs, COUNT, scores);
    for (size_t i = 0; i < COUNT; i++) {
        double by_score = 0.0, by_time = 0.0;
        for (size_t j = 0; j < COUNT; j++) {
            by_score += scores[j] > scores[i] ? 1.0 : scores[j] == scores[i] ? 0.5 : 0.0;
            by_time += seconds[j] < seconds[i] ? 1.0 : seconds[j] == seconds[i] ? 0.5 : 0.0;
        }
        squares += (by_score - by_time) * (by_score - by_time);
    }
    return 1.0 - 6.0 * squares / ((double)COUNT * ((double)COUNT * COUNT - 1.0));
}

static void test_fit_orders_configs_that_it_has_not_seen(void **state)
{
    (void)state;
    static const enum anole_cost_model_target targets[] = {ANOLE_TARGET_RANK, ANOLE_TARGET_SPEED};
    for (size_t i = 0; i < 2; i++) {
        struct problem problem;
        problem_init(&problem, 6, 8);
        problem_measure_random(&problem, 250, 1);
        problem_fit(&problem, targets[i]);
        assert_true(anole_cost_model_trained(problem.model));
        assert_true(judge(&problem) > 0.7);
        problem_fini(&problem);
    }
}

static void test_fit_learns_to_avoid_failures(void **state)
{
    (void)state;
    struct problem problem;
    uint16_t digits[ANOLE_MAX_KNOBS];
    struct anole_rng rng;
    problem_init(&problem, 5, 8);
    anole_rng_init(&rng, 5);
    for (int i = 0; i < 150; i++) {
        uint64_t config;
        assert_true(anole_space_sample(problem.space, &rng, &config));
        if (anole_trials_visited(problem.trials, config))
            continue;
        anole_space_decode(problem.space, config, digits);
        add(&problem, config, digits[2] >= 4 ? NAN : 1.0 + 0.01 * (double)digits[3]);
    }
    problem_fit(&problem, ANOLE_TARGET_RANK);
    double fail = 0.0, pass = 0.0;
    for (int i = 0; i < 100; i++) {
        uint64_t config;
        float score;
        assert_true(anole_space_sample(problem.space, &rng, &config));
        anole_space_decode(problem.space, config, digits);
        anole_cost_model_predict(problem.model, &config, 1, &score);
        *(digits[2] >= 4 ? &fail : &pass) += (double)score / 50.0;
    }
    assert_true(pass > fail + 0.1);
    problem_fini(&problem);
}

static void test_fit_leaves_a_model_untrained_if_there_is_nothing_to_learn(void **state)
{
    (void)state;
    struct problem problem;
    uint64_t configs[2] = {1, 2};
    float scores[2] = {7.0f, 7.0f};
    problem_init(&problem, 4, 5);
    problem_fit(&problem, ANOLE_TARGET_RANK);
    assert_false(anole_cost_model_trained(problem.model));
    add(&problem, 0, 1.0);
    problem_fit(&problem, ANOLE_TARGET_RANK);
    assert_false(anole_cost_model_trained(problem.model));
    add(&problem, 1, 1.0);
    add(&problem, 2, 1.0);
    problem_fit(&problem, ANOLE_TARGET_RANK);
    assert_false(anole_cost_model_trained(problem.model));
    anole_cost_model_predict(problem.model, configs, 2, scores);
    assert_true(scores[0] == 0.0f && scores[1] == 0.0f);
    add(&problem, 3, NAN);
    problem_fit(&problem, ANOLE_TARGET_RANK);
    assert_true(anole_cost_model_trained(problem.model));
    problem_fini(&problem);
}

static void test_fit_forgets_what_it_learned_before(void **state)
{
    (void)state;
    struct problem problem;
    float before, after;
    uint64_t config = 12;
    problem_init(&problem, 4, 5);
    problem_measure_random(&problem, 30, 1);
    problem_fit(&problem, ANOLE_TARGET_RANK);
    anole_cost_model_predict(problem.model, &config, 1, &before);
    for (int i = 0; i < 3; i++)
        assert_int_equal(anole_cost_model_fit(problem.model, problem.trials, NULL), ANOLE_DONE);
    anole_cost_model_predict(problem.model, &config, 1, &after);
    assert_true(before == after);
    problem_fini(&problem);
}

static void test_fit_copes_with_a_comma_as_decimal_point(void **state)
{
    (void)state;
    struct problem problem;
    float plain, comma;
    uint64_t config = 12;
    problem_init(&problem, 4, 5);
    problem_measure_random(&problem, 30, 1);
    problem_fit(&problem, ANOLE_TARGET_RANK);
    anole_cost_model_predict(problem.model, &config, 1, &plain);
    if (!setlocale(LC_ALL, "de_DE.UTF-8") && !setlocale(LC_ALL, "fr_FR.UTF-8")) {
        problem_fini(&problem);
        skip();
    }
    problem_fit(&problem, ANOLE_TARGET_RANK);
    setlocale(LC_ALL, "C");
    anole_cost_model_predict(problem.model, &config, 1, &comma);
    assert_true(plain == comma);
    problem_fini(&problem);
}

static void test_fit_says_nothing(void **state)
{
    (void)state;
    struct problem problem;
    FILE *said = tmpfile();
    assert_non_null(said);
    problem_init(&problem, 5, 6);
    problem_measure_random(&problem, 40, 1);
    fflush(stdout);
    fflush(stderr);
    int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);
    dup2(fileno(said), STDOUT_FILENO);
    dup2(fileno(said), STDERR_FILENO);
    problem_fit(&problem, ANOLE_TARGET_RANK);
    problem_fit(&problem, ANOLE_TARGET_SPEED);
    fflush(stdout);
    fflush(stderr);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    close(out);
    close(err);
    fseek(said, 0, SEEK_END);
    assert_int_equal(ftell(said), 0);
    fclose(said);
    problem_fini(&problem);
}

static long resident_pages(void)
{
    long all, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file)
        return 0;
    if (fscanf(file, "%ld %ld", &all, &resident) != 2)
        resident = 0;
    fclose(file);
    return resident;
}

static void test_fit_does_not_grow_the_process(void **state)
{
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    skip(); /* it keeps what was freed, to find late uses */
#endif
    struct problem problem;
    problem_init(&problem, 6, 8);
    problem_measure_random(&problem, 100, 1);
    for (int i = 0; i < 50; i++)
        problem_fit(&problem, ANOLE_TARGET_RANK);
    long before = resident_pages();
    for (int i = 0; i < 250; i++)
        problem_fit(&problem, ANOLE_TARGET_RANK);
    /* A fit uses some hundred pages: 250 leaks could not hide. */
    assert_true(resident_pages() - before < 1024);
    problem_fini(&problem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_targets_are_ranks_with_failures_last),
        cmocka_unit_test(test_targets_of_equal_times_are_equal),
        cmocka_unit_test(test_targets_are_speeds_if_asked),
        cmocka_unit_test(test_targets_count_the_latest_trial_of_a_config),
        cmocka_unit_test(test_fit_orders_configs_that_it_has_not_seen),
        cmocka_unit_test(test_fit_learns_to_avoid_failures),
        cmocka_unit_test(test_fit_leaves_a_model_untrained_if_there_is_nothing_to_learn),
        cmocka_unit_test(test_fit_forgets_what_it_learned_before),
        cmocka_unit_test(test_fit_copes_with_a_comma_as_decimal_point),
        cmocka_unit_test(test_fit_says_nothing),
        cmocka_unit_test(test_fit_does_not_grow_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
