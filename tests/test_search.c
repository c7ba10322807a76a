/* SPDX-License-Identifier: MIT
 *
 * The learning half as a whole, on a problem whose times are known.
 */
#include "search_fixture.h"

#include "base/log.h"
#include "search/search.h"

#define MOST 256

static struct anole_search *begin(const struct problem *problem, const char *explorer,
                                  uint64_t seed)
{
    struct anole_search_options options = {.seed = seed};
    struct anole_search *search;
    struct anole_error error = {0};
    assert_int_equal(anole_explorer_find(&options.explorer, explorer, NULL), ANOLE_DONE);
    if (anole_search_create(&search, problem->space, problem->features, problem->trials, &options,
                            &error) != ANOLE_DONE)
        fail_msg("%s", error.text);
    return search;
}

static size_t next(struct anole_search *search, size_t batch, uint64_t *configs)
{
    struct anole_error error = {0};
    size_t count = 99;
    if (anole_search_next(search, batch, configs, MOST, &count, &error) != ANOLE_DONE)
        fail_msg("%s", error.text);
    return count;
}

/* Runs until so many trials are made or nothing is left; returns the best time. */
static double run(struct problem *problem, struct anole_search *search, size_t trials)
{
    while (anole_trials_count(problem->trials) < trials) {
        uint64_t configs[MOST];
        size_t count = next(search, 0, configs);
        for (size_t i = 0; i < count; i++) {
            assert_true(anole_space_valid(problem->space, configs[i]));
            assert_false(anole_trials_visited(problem->trials, configs[i]));
            problem_measure(problem, configs[i]);
        }
        if (!count)
            break;
    }
    const struct anole_trial *best = anole_trials_best(problem->trials);
    return best ? best->result.seconds : NAN;
}

static void test_next_begins_with_the_default(void **state)
{
    (void)state;
    for (const struct anole_explorer_ops *const *e = anole_explorers(); *e; e++) {
        struct problem problem;
        uint64_t configs[MOST];
        problem_init(&problem, 6, 8);
        struct anole_search *search = begin(&problem, (*e)->name, 1);
        size_t count = next(search, 0, configs);
        assert_in_range(count, 1, (*e)->batch);
        assert_true(configs[0] == anole_space_default(problem.space));
        anole_search_destroy(search);
        problem_fini(&problem);
    }
}

static void test_next_tries_suggestions_after_the_default(void **state)
{
    (void)state;
    struct problem problem;
    uint64_t configs[MOST];
    problem_init(&problem, 6, 8);
    uint64_t invalid = anole_space_size(problem.space) - 1;
    assert_false(anole_space_valid(problem.space, invalid));
    uint64_t suggestions[] = {5, invalid, 9, 5, 77};
    struct anole_search_options options = {
        .suggestions = suggestions, .suggestion_count = 5, .seed = 3};
    struct anole_search *search;
    problem_measure(&problem, 9);
    assert_int_equal(anole_search_create(&search, problem.space, problem.features, problem.trials,
                                         &options, NULL),
                     ANOLE_DONE);
    assert_int_equal(next(search, 4, configs), 4);
    assert_true(configs[0] == anole_space_default(problem.space));
    assert_true(configs[1] == 5);
    assert_true(configs[2] == 77);
    anole_search_destroy(search);
    problem_fini(&problem);
}

static void test_next_keeps_to_batch_and_capacity(void **state)
{
    (void)state;
    struct problem problem;
    uint64_t configs[MOST];
    size_t count = 99;
    problem_init(&problem, 6, 8);
    struct anole_search *search = begin(&problem, "rl", 1);
    assert_int_equal(next(search, 7, configs), 7);
    assert_int_equal(anole_search_next(search, 7, configs, 3, &count, NULL), ANOLE_DONE);
    assert_int_equal(count, 3);
    assert_int_equal(anole_search_next(search, 7, configs, 0, &count, NULL), ANOLE_DONE);
    assert_int_equal(count, 0);
    anole_search_destroy(search);
    problem_fini(&problem);
}

/* A batch can be asked for while the last one is still being measured. */
static void test_next_never_hands_a_config_out_twice(void **state)
{
    (void)state;
    for (const struct anole_explorer_ops *const *e = anole_explorers(); *e; e++) {
        struct problem problem;
        uint64_t all[16 * 8];
        size_t count = 0, measured = 0;
        problem_init(&problem, 6, 8);
        struct anole_search *search = begin(&problem, (*e)->name, 1);
        for (int round = 0; round < 16; round++) {
            uint64_t configs[MOST];
            size_t got = next(search, 8, configs);
            for (size_t i = 0; i < got; i++) {
                for (size_t j = 0; j < count; j++)
                    assert_true(configs[i] != all[j]);
                all[count++] = configs[i];
            }
            while (measured + 8 < count) /* one batch behind */
                problem_measure(&problem, all[measured++]);
        }
        anole_search_destroy(search);
        problem_fini(&problem);
    }
}

static void test_next_is_determined_by_seed(void **state)
{
    (void)state;
    static const char *const names[] = {"rl", "chameleon", "autotvm", "local"};
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        uint64_t made[3][60];
        for (int i = 0; i < 3; i++) {
            struct problem problem;
            problem_init(&problem, 7, 9);
            struct anole_search *search = begin(&problem, names[n], i == 2 ? 4 : 3);
            run(&problem, search, 60);
            for (size_t t = 0; t < 60; t++)
                made[i][t] = anole_trials_get(problem.trials, t)->config;
            anole_search_destroy(search);
            problem_fini(&problem);
        }
        assert_memory_equal(made[0], made[1], sizeof made[0]);
        assert_memory_not_equal(made[0], made[2], sizeof made[0]);
    }
}

/* Every config of a tiny space comes exactly once; then there are none. */
static void test_next_exhausts_tiny_spaces(void **state)
{
    (void)state;
    static const size_t shapes[][2] = {{1, 1}, {1, 2}, {1, 7}, {2, 2}, {2, 3}, {3, 2}, {2, 4}};
    for (const struct anole_explorer_ops *const *e = anole_explorers(); *e; e++) {
        for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
            struct problem problem;
            uint64_t configs[MOST], *all;
            size_t count;
            problem_init(&problem, shapes[s][0], shapes[s][1]);
            struct anole_search *search = begin(&problem, (*e)->name, s);
            run(&problem, search, 1000);
            assert_int_equal(anole_space_enumerate(problem.space, 1000, &all, &count, NULL),
                             ANOLE_DONE);
            assert_int_equal(anole_trials_count(problem.trials), count);
            for (size_t i = 0; i < count; i++)
                assert_true(anole_trials_visited(problem.trials, all[i]));
            assert_int_equal(next(search, 0, configs), 0);
            assert_int_equal(next(search, 0, configs), 0);
            free(all);
            anole_search_destroy(search);
            problem_fini(&problem);
        }
    }
}

static void test_next_goes_on_where_nearly_all_fails(void **state)
{
    (void)state;
    static const double failing[] = {0.97, 2.0};
    for (const struct anole_explorer_ops *const *e = anole_explorers(); *e; e++) {
        for (size_t f = 0; f < 2; f++) {
            struct problem problem;
            problem_init(&problem, 6, 8);
            problem.failing = failing[f];
            struct anole_search *search = begin(&problem, (*e)->name, 1);
            run(&problem, search, 70);
            assert_true(anole_trials_count(problem.trials) >= 70);
            anole_search_destroy(search);
            problem_fini(&problem);
        }
    }
}

static void test_next_resumes_from_what_was_tried(void **state)
{
    (void)state;
    struct problem problem;
    uint64_t configs[MOST];
    struct anole_search_cost cost;
    problem_init(&problem, 6, 8);
    problem_measure(&problem, anole_space_default(problem.space));
    problem_measure_random(&problem, 40, 1);
    struct anole_search *search = begin(&problem, "rl", 1);
    assert_int_equal(next(search, 4, configs), 4);
    anole_search_cost(search, &cost);
    assert_true(cost.model > 0.0 && cost.explore > 0.0); /* no more start configs */
    for (size_t i = 0; i < 4; i++)
        assert_false(anole_trials_visited(problem.trials, configs[i]));
    anole_search_destroy(search);
    problem_fini(&problem);
}

static void test_next_gives_the_default_to_an_earlier_run_without_it(void **state)
{
    (void)state;
    struct problem problem;
    uint64_t configs[MOST];
    problem_init(&problem, 6, 8);
    problem_measure_random(&problem, 40, 1);
    if (!anole_trials_visited(problem.trials, anole_space_default(problem.space))) {
        struct anole_search *search = begin(&problem, "rl", 1);
        assert_true(next(search, 4, configs) > 0);
        assert_true(configs[0] == anole_space_default(problem.space));
        anole_search_destroy(search);
    }
    problem_fini(&problem);
}

/* Mean over seeds of log(best found / best of random search), 80 trials each, in a
 * space of five million configs. */
static double gain_over_random(const char *explorer, uint64_t seeds, double *error)
{
    double sum = 0.0, squares = 0.0;
    for (uint64_t seed = 0; seed < seeds; seed++) {
        double best[2];
        for (int i = 0; i < 2; i++) {
            struct problem problem;
            problem_init(&problem, 7, 9);
            problem.failing = 0.1;
            struct anole_search *search = begin(&problem, i ? explorer : "random", seed);
            best[i] = run(&problem, search, 80);
            anole_search_destroy(search);
            problem_fini(&problem);
        }
        double gain = log(best[0] / best[1]);
        sum += gain;
        squares += gain * gain;
    }
    double mean = sum / (double)seeds;
    *error = sqrt(fmax(squares / (double)seeds - mean * mean, 0.0) / (double)(seeds - 1));
    return mean;
}

static void test_search_beats_random_search(void **state)
{
    (void)state;
    /* Batches of 64 cannot show what they are worth in so few trials. */
    static const char *const names[] = {"rl",      "rl-untrained", "hillclimb", "annealing",
                                        "genetic", "local",        "exhaustive"};
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        double error, gain = gain_over_random(names[n], 6, &error);
        if (gain < log(1.05) || gain < 3.0 * error)
            fail_msg("%s: %.3f +- %.3f", names[n], gain, error);
    }
}

static void test_search_gets_near_the_optimum(void **state)
{
    (void)state;
    struct problem problem;
    double optimum = INFINITY;
    uint64_t *configs;
    size_t count;
    problem_init(&problem, 6, 7);
    assert_int_equal(anole_space_enumerate(problem.space, 200000, &configs, &count, NULL),
                     ANOLE_DONE);
    for (size_t i = 0; i < count; i++)
        optimum = fmin(optimum, problem_seconds(&problem, configs[i]));
    free(configs);
    problem_fini(&problem);
    double excess = 0.0;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        problem_init(&problem, 6, 7);
        struct anole_search *search = begin(&problem, "rl", seed);
        excess += (run(&problem, search, 150) / optimum - 1.0) / 3.0;
        anole_search_destroy(search);
        problem_fini(&problem);
    }
    /* Measured: 0 to 4 % a seed, 1.7 % on average. */
    assert_true(excess < 0.04);
}

static void test_stats_come_from_the_explorer(void **state)
{
    (void)state;
    struct problem problem;
    struct anole_explorer_stats stats;
    problem_init(&problem, 6, 8);
    struct anole_search *search = begin(&problem, "rl", 5);
    run(&problem, search, 40);
    anole_search_stats(search, &stats);
    assert_true(stats.evaluations > 0 && stats.distinct > 0 && stats.entropy > 0.0);
    anole_search_destroy(search);
    search = begin(&problem, "random", 5);
    anole_search_stats(search, &stats);
    assert_true(stats.evaluations == 0 && isnan(stats.entropy));
    anole_search_destroy(search);
    anole_search_destroy(NULL);
    problem_fini(&problem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_next_begins_with_the_default),
        cmocka_unit_test(test_next_tries_suggestions_after_the_default),
        cmocka_unit_test(test_next_keeps_to_batch_and_capacity),
        cmocka_unit_test(test_next_never_hands_a_config_out_twice),
        cmocka_unit_test(test_next_is_determined_by_seed),
        cmocka_unit_test(test_next_exhausts_tiny_spaces),
        cmocka_unit_test(test_next_goes_on_where_nearly_all_fails),
        cmocka_unit_test(test_next_resumes_from_what_was_tried),
        cmocka_unit_test(test_next_gives_the_default_to_an_earlier_run_without_it),
        cmocka_unit_test(test_search_beats_random_search),
        cmocka_unit_test(test_search_gets_near_the_optimum),
        cmocka_unit_test(test_stats_come_from_the_explorer),
    };
    anole_log_set_level(ANOLE_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
