/* SPDX-License-Identifier: MIT
 *
 * Searches that know which configs share a build, and what trials cost: on a problem whose
 * times are known, and whose clock is made up.
 */
#include "search_fixture.h"

#include "base/log.h"
#include "search/price.h"
#include "search/search.h"

#define MOST 64
#define KNOBS 7
#define TIGHT 4 /* the first knobs are what a build depends on */
#define VALUES 6
#define BUILD_SECONDS 0.5
#define TIMING_SECONDS 0.1
#define SECONDS 8.0 /* of the made-up clock: before either search is near the optimum */

static uint64_t build_of(const struct anole_space *space, uint64_t config)
{
    uint16_t digits[ANOLE_MAX_KNOBS];
    uint64_t build = 1;
    anole_space_decode(space, config, digits);
    for (size_t k = 0; k < TIGHT; k++)
        build = build * VALUES + digits[k];
    return build;
}

static bool executable_of(void *context, uint64_t *executable, uint64_t config)
{
    const struct problem *problem = context;
    *executable = build_of(problem->space, config);
    return true;
}

static struct anole_search *begin(struct problem *problem, bool sharing, uint64_t seed)
{
    struct anole_search_options options = {.seed = seed, .initial = 12};
    struct anole_search *search;
    if (sharing)
        options.sharing =
            (struct anole_sharing){.executable = executable_of, .context = problem, .parallel = 2};
    assert_int_equal(anole_search_create(&search, problem->space, problem->features,
                                         problem->trials, &options, NULL),
                     ANOLE_DONE);
    return search;
}

/* Tries a batch; *known: the builds that there are, of 4096 at most.  Returns its seconds. */
static double measure(struct problem *problem, const uint64_t *configs, size_t count,
                      bool known[4096])
{
    double builds = 0.0;
    for (size_t i = 0; i < count; i++) {
        const uint64_t build = build_of(problem->space, configs[i]) % 4096;
        const double seconds = problem_seconds(problem, configs[i]);
        struct anole_result result = {
            .samples = 1, .seconds = seconds, .low = seconds, .high = seconds, .error = NAN};
        result.cost.build = known[build] ? 0.001 : BUILD_SECONDS;
        result.cost.run = TIMING_SECONDS;
        builds += result.cost.build;
        known[build] = true;
        assert_int_equal(anole_trials_add(problem->trials, configs[i], &result, NULL), ANOLE_DONE);
    }
    return builds / 2 + TIMING_SECONDS * (double)count;
}

static double best_of(const struct problem *problem)
{
    return anole_trials_best(problem->trials)->result.seconds;
}

/* Batches that need builds and batches that need none take turns, with about as much time for
 * each; all is valid, and nothing comes twice. */
static void test_batches_of_siblings_share_builds(void **state)
{
    (void)state;
    static bool known[4096];
    struct problem problem;
    double built = 0.0, shared = 0.0;
    problem_init(&problem, KNOBS, VALUES);
    struct anole_search *search = begin(&problem, true, 1);
    memset(known, 0, sizeof known);
    for (int batch = 0; batch < 60; batch++) {
        uint64_t configs[MOST];
        size_t count, fresh = 0;
        assert_int_equal(anole_search_next(search, 4, configs, MOST, &count, NULL), ANOLE_DONE);
        assert_in_range(count, 1, 4);
        for (size_t i = 0; i < count; i++) {
            assert_true(anole_space_valid(problem.space, configs[i]));
            assert_false(anole_trials_visited(problem.trials, configs[i]));
            for (size_t k = 0; k < i; k++)
                assert_true(configs[k] != configs[i]);
            fresh += !known[build_of(problem.space, configs[i]) % 4096];
        }
        const double seconds = measure(&problem, configs, count, known);
        *(fresh > 0 ? &built : &shared) += seconds;
    }
    /* The sampler finds some neighbours that share a build by itself. */
    assert_true(shared > 0.25 * built && shared < 2.0 * built);
    anole_search_destroy(search);
    problem_fini(&problem);
}

/* Without a word on builds, all is as before. */
static void test_search_is_the_same_where_nothing_is_shared(void **state)
{
    (void)state;
    static bool known[4096];
    struct problem problem;
    problem_init(&problem, KNOBS, VALUES);
    struct anole_search *search = begin(&problem, false, 1);
    memset(known, 0, sizeof known);
    for (int batch = 0; batch < 10; batch++) {
        uint64_t configs[MOST];
        size_t count, fresh = 0;
        assert_int_equal(anole_search_next(search, 4, configs, MOST, &count, NULL), ANOLE_DONE);
        for (size_t i = 0; i < count; i++)
            fresh += !known[build_of(problem.space, configs[i]) % 4096];
        assert_true(fresh > 0);
        measure(&problem, configs, count, known);
    }
    anole_search_destroy(search);
    problem_fini(&problem);
}

/* Builds of configs alike say most of what one is going to cost; shared ones say nothing. */
static void test_price_follows_configs_that_are_alike(void **state)
{
    (void)state;
    struct problem problem;
    struct anole_config_map shared = {.count = 0};
    problem_init(&problem, 3, 6);
    const double guess = anole_price_of_build(problem.trials, &shared, problem.space, 0);
    assert_true(guess > 0.0 && isfinite(guess));
    struct anole_rng rng;
    anole_rng_init(&rng, 1);
    for (int i = 0; i < 40; i++) {
        uint16_t digits[ANOLE_MAX_KNOBS];
        uint64_t config;
        if (!anole_space_sample(problem.space, &rng, &config))
            continue;
        anole_space_decode(problem.space, config, digits);
        struct anole_result result = {.seconds = 1, .low = 1, .high = 1, .error = NAN};
        result.cost.build = digits[2] == 0 ? 4.0 : 0.25;
        result.cost.run = 0.02;
        assert_int_equal(anole_trials_add(problem.trials, config, &result, NULL), ANOLE_DONE);
        result.cost.build = 1e-6;
        if (i % 2 == 0 && anole_space_sample(problem.space, &rng, &config) &&
            !anole_trials_visited(problem.trials, config)) {
            assert_int_equal(anole_trials_add(problem.trials, config, &result, NULL), ANOLE_DONE);
            assert_true(anole_config_map_put(&shared, config, 1));
        }
    }
    const uint16_t dear[] = {0, 0, 0}, cheap[] = {0, 0, 3};
    const double most = anole_price_of_build(problem.trials, &shared, problem.space,
                                             anole_space_encode(problem.space, dear));
    const double least = anole_price_of_build(problem.trials, &shared, problem.space,
                                              anole_space_encode(problem.space, cheap));
    assert_true(most > 2.0 * least && most <= 4.0);
    assert_true(least < 0.5 && least >= 0.25);
    const double timing = anole_price_of_timing(problem.trials);
    assert_true(timing >= 0.02 && timing < 0.05);
    anole_config_map_fini(&shared);
    problem_fini(&problem);
}

/* In the same made-up time, more is found: the mean of ratios over seeds, in logarithms. */
static void test_search_finds_more_in_the_same_time(void **state)
{
    (void)state;
    static bool known[4096];
    double gain = 0.0, squares = 0.0;
    const int seeds = 24;
    for (int seed = 1; seed <= seeds; seed++) {
        double best[2];
        for (int sharing = 0; sharing < 2; sharing++) {
            struct problem problem;
            double clock = 0.0;
            problem_init(&problem, KNOBS, VALUES);
            problem.shift = 0.1 * seed / seeds;
            struct anole_search *search = begin(&problem, sharing, (uint64_t)seed);
            memset(known, 0, sizeof known);
            while (clock < SECONDS) {
                uint64_t configs[MOST];
                size_t count;
                assert_int_equal(anole_search_next(search, 0, configs, MOST, &count, NULL),
                                 ANOLE_DONE);
                clock += measure(&problem, configs, count, known);
            }
            best[sharing] = log(best_of(&problem));
            anole_search_destroy(search);
            problem_fini(&problem);
        }
        gain += (best[0] - best[1]) / seeds;
        squares += (best[0] - best[1]) * (best[0] - best[1]) / seeds;
    }
    const double error = sqrt(fmax(squares - gain * gain, 0.0) / (seeds - 1));
    printf("found in the same time: %.3f +- %.3f better, in logarithms\n", gain, error);
    if (gain < 3.0 * error)
        fail_msg("%.3f +- %.3f", gain, error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batches_of_siblings_share_builds),
        cmocka_unit_test(test_search_is_the_same_where_nothing_is_shared),
        cmocka_unit_test(test_price_follows_configs_that_are_alike),
        cmocka_unit_test(test_search_finds_more_in_the_same_time),
    };
    anole_log_set_level(ANOLE_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
