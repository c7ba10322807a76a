/* SPDX-License-Identifier: MIT
 *
 * What is learned from similar tasks helps in a new one, and is not listened to
 * where it misleads.
 */
#include "search_fixture.h"

#include "base/log.h"
#include "search/prior.h"
#include "search/search.h"

#define SISTERS 3

enum kind { SIMILAR, MISLEADING, BOTH, LURING };

/* Some tasks that were tuned before, and a new one. */
struct family {
    struct problem sisters[2 * SISTERS];
    struct anole_prior_source sources[2 * SISTERS];
    size_t count;
    struct problem problem;
};

static void add_sisters(struct family *family, bool reversed, bool luring, size_t trials)
{
    for (size_t s = 0; s < SISTERS; s++) {
        struct problem *sister = &family->sisters[family->count];
        problem_init(sister, 7, 9);
        sister->shift = 0.03 * ((double)s - 1.0);
        sister->reversed = reversed;
        sister->luring = luring;
        sister->failing = 0.1;
        problem_measure_random(sister, trials, 100 + s);
        family->sources[family->count++] =
            (struct anole_prior_source){sister->features, sister->trials, reversed};
    }
}

static void family_init(struct family *family, enum kind kind, size_t trials)
{
    family->count = 0;
    if (kind != MISLEADING)
        add_sisters(family, false, kind == LURING, trials);
    if (kind == MISLEADING || kind == BOTH)
        add_sisters(family, true, false, trials);
    problem_init(&family->problem, 7, 9);
    family->problem.shift = 0.015;
    family->problem.failing = 0.1;
}

static void family_fini(struct family *family)
{
    for (size_t s = 0; s < family->count; s++)
        problem_fini(&family->sisters[s]);
    problem_fini(&family->problem);
}

static struct anole_prior *learn(const struct family *family, const struct anole_features *features)
{
    struct anole_prior *prior = (struct anole_prior *)-1;
    assert_int_equal(anole_prior_create(&prior, features, family->sources, family->count, 1, NULL),
                     ANOLE_DONE);
    return prior;
}

/* How often, of 500 random pairs, a group tells which one is faster. */
static double right_pairs(const struct family *family, const struct anole_prior *prior,
                          size_t group)
{
    const struct problem *problem = &family->problem;
    struct anole_rng rng;
    double right = 0.0;
    anole_rng_init(&rng, 5);
    for (int i = 0; i < 500; i++) {
        uint64_t config[2];
        float row[64], guesses[2][ANOLE_PRIOR_GROUPS];
        for (int j = 0; j < 2; j++) {
            assert_true(anole_space_sample(problem->space, &rng, &config[j]));
            anole_features_row(problem->features, config[j], row);
            anole_prior_guess(prior, row, guesses[j]);
        }
        bool faster = problem_seconds(problem, config[0]) < problem_seconds(problem, config[1]);
        right += faster == (guesses[0][group] > guesses[1][group]);
    }
    return right / 500.0;
}

static void test_create_learns_what_is_good(void **state)
{
    (void)state;
    struct family family;
    family_init(&family, SIMILAR, 200);
    struct anole_prior *prior = learn(&family, family.problem.features);
    assert_int_equal(anole_prior_count(prior), 1);
    assert_true(right_pairs(&family, prior, 0) > 0.75);
    anole_prior_destroy(prior);
    family_fini(&family);
}

static void test_create_keeps_groups_apart(void **state)
{
    (void)state;
    struct family family;
    family_init(&family, BOTH, 100);
    problem_measure_random(&family.sisters[0], 50, 77); /* the first group is the larger */
    struct anole_prior *prior = learn(&family, family.problem.features);
    assert_int_equal(anole_prior_count(prior), 2);
    assert_true(right_pairs(&family, prior, 0) > 0.65);
    assert_true(right_pairs(&family, prior, 1) < 0.35);
    anole_prior_destroy(prior);
    family_fini(&family);
}

static void test_create_gives_none_for_too_little(void **state)
{
    (void)state;
    struct family family;
    family_init(&family, SIMILAR, 5);
    assert_null(learn(&family, family.problem.features));
    family.count = 0;
    assert_null(learn(&family, family.problem.features));
    family.count = SISTERS;
    anole_prior_destroy(NULL);
    family_fini(&family);
}

static void test_create_passes_over_sources_in_which_all_failed(void **state)
{
    (void)state;
    struct family family;
    family_init(&family, SIMILAR, 0);
    for (size_t s = 0; s < SISTERS; s++) {
        family.sisters[s].failing = 2.0;
        problem_measure_random(&family.sisters[s], 50, s);
    }
    assert_null(learn(&family, family.problem.features));
    family_fini(&family);
}

static void test_create_learns_from_a_space_with_other_knobs(void **state)
{
    (void)state;
    struct family family;
    struct problem smaller;
    family_init(&family, SIMILAR, 0);
    /* Knobs k5 and k6 are missing, and there is one value less. */
    problem_init(&smaller, 5, 8);
    problem_measure_random(&smaller, 400, 3);
    family.sources[0] = (struct anole_prior_source){smaller.features, smaller.trials, 0};
    struct anole_prior *prior = learn(&family, family.problem.features);
    assert_non_null(prior);
    assert_true(right_pairs(&family, prior, 0) > 0.6);
    anole_prior_destroy(prior);
    problem_fini(&smaller);
    family_fini(&family);
}

static void test_agrees_until_there_is_evidence(void **state)
{
    (void)state;
    float up[40], down[40], none[40];
    for (int i = 0; i < 40; i++) {
        up[i] = (float)i;
        down[i] = -(float)i;
        none[i] = 1.0f;
    }
    assert_true(anole_prior_agrees(up, 1, up, 40, false));
    assert_false(anole_prior_agrees(down, 1, up, 40, false));
    assert_true(anole_prior_agrees(down, 1, up, 5, false));
    assert_true(anole_prior_agrees(up, 1, none, 40, false));  /* nothing to compare with */
    assert_false(anole_prior_agrees(none, 1, up, 40, false)); /* no opinion is of no use */
    /* A stranger is not listened to before that. */
    assert_false(anole_prior_agrees(up, 1, up, 20, true));
    assert_false(anole_prior_agrees(up, 1, none, 40, true));
    assert_true(anole_prior_agrees(up, 1, up, 40, true));
}

/* Targets as the model has them: what is good is far apart, what is bad close together. */
static void test_correlation_looks_at_the_best(void **state)
{
    (void)state;
    float targets[40], good[40], bad[40];
    for (int i = 0; i < 40; i++) {
        targets[i] = powf((float)i / 40.0f, 4.0f);
        good[i] = i < 30 ? -(float)i : (float)i; /* knows the best ten, not the others */
        bad[i] = i < 30 ? (float)i : -(float)i;  /* the other way round */
    }
    assert_true(anole_prior_correlation(good, 1, targets, 40) > 0.4);
    assert_true(anole_prior_correlation(bad, 1, targets, 40) < -0.3);
    assert_true(anole_prior_correlation(targets, 1, targets, 40) > 0.999);
    /* Most pairs are ordered right, yet it does not agree. */
    assert_false(anole_prior_agrees(bad, 1, targets, 40, false));
    assert_true(anole_prior_correlation(bad, 1, bad, 0) == 0.0);
}

/* A valid config that differs from the default in one or two knobs of the six. */
static uint64_t draw_near_default(const struct problem *problem, struct anole_rng *rng)
{
    uint64_t standard = anole_space_default(problem->space), config = standard;
    while (config == standard || !anole_space_valid(problem->space, config)) {
        uint16_t digits[ANOLE_MAX_KNOBS];
        anole_space_decode(problem->space, standard, digits);
        for (int i = 0; i < 2; i++)
            digits[anole_rng_below(rng, 6)] = (uint16_t)anole_rng_below(rng, 9);
        config = anole_space_encode(problem->space, digits);
    }
    return config;
}

/* How often it likes the default better. */
static double prefers_default(const struct family *family, const struct anole_prior *prior)
{
    const struct problem *problem = &family->problem;
    struct anole_rng rng;
    float row[64], standard[ANOLE_PRIOR_GROUPS], changed[ANOLE_PRIOR_GROUPS];
    double liked = 0.0;
    anole_rng_init(&rng, 5);
    anole_features_row(problem->features, anole_space_default(problem->space), row);
    anole_prior_guess(prior, row, standard);
    for (int i = 0; i < 200; i++) {
        anole_features_row(problem->features, draw_near_default(problem, &rng), row);
        anole_prior_guess(prior, row, changed);
        liked += standard[0] > changed[0];
    }
    return liked / 200.0;
}

/* What is learned of changes of the default holds where the default is another. */
static void test_create_learns_what_it_does_to_change_the_default(void **state)
{
    (void)state;
    struct family family;
    struct anole_rng rng;
    anole_rng_init(&rng, 1);
    family_init(&family, SIMILAR, 0);
    family.count = 2;
    for (int s = 0; s < 3; s++) {
        struct problem *problem = s < 2 ? &family.sisters[s] : &family.problem;
        double position = 0.125 + 0.1875 * (double)s; /* of the new task: half way */
        problem_fini(problem);
        problem_init_around(problem, 6, 9, position);
        problem_measure(problem, anole_space_default(problem->space));
        for (int i = 0; i < 200; i++)
            problem_measure(problem, draw_near_default(problem, &rng));
        family.sources[s % 2].features = family.sisters[s % 2].features;
        family.sources[s % 2].trials = family.sisters[s % 2].trials;
    }
    struct anole_prior *prior = learn(&family, family.problem.features);
    assert_true(prefers_default(&family, prior) > 0.6);
    anole_prior_destroy(prior);
    family.count = SISTERS;
    family_fini(&family);
}

static void test_recall_gives_what_guess_gives(void **state)
{
    (void)state;
    struct family family;
    struct anole_rng rng;
    family_init(&family, BOTH, 60);
    struct anole_prior *prior = learn(&family, family.problem.features);
    anole_rng_init(&rng, 3);
    for (int i = 0; i < 300; i++) {
        uint64_t config;
        float row[64], guesses[ANOLE_PRIOR_GROUPS], again[ANOLE_PRIOR_GROUPS];
        assert_true(anole_space_sample(family.problem.space, &rng, &config));
        anole_features_row(family.problem.features, config, row);
        anole_prior_guess(prior, row, guesses);
        for (int j = 0; j < 2; j++) {
            anole_prior_recall(prior, config, row, again);
            assert_memory_equal(guesses, again, 2 * sizeof *again);
        }
    }
    anole_prior_destroy(prior);
    family_fini(&family);
}

static void test_model_has_an_opinion_before_it_is_trained(void **state)
{
    (void)state;
    struct family family;
    struct anole_cost_model *model;
    struct anole_cost_model_options options = {.seed = 1};
    uint64_t configs[2] = {0, 12345};
    float scores[2];
    family_init(&family, SIMILAR, 200);
    assert_int_equal(anole_cost_model_create(&model, family.problem.features, &options, NULL),
                     ANOLE_DONE);
    assert_false(anole_cost_model_informed(model));
    assert_int_equal(anole_cost_model_inform(model, family.sources, family.count, NULL),
                     ANOLE_DONE);
    assert_true(anole_cost_model_informed(model) && !anole_cost_model_trained(model));
    anole_cost_model_predict(model, configs, 2, scores);
    assert_true(scores[0] != scores[1]);
    problem_measure_random(&family.problem, 4, 1);
    assert_int_equal(anole_cost_model_fit(model, family.problem.trials, NULL), ANOLE_DONE);
    assert_false(anole_cost_model_trained(model));
    problem_measure_random(&family.problem, 30, 2);
    assert_int_equal(anole_cost_model_fit(model, family.problem.trials, NULL), ANOLE_DONE);
    assert_true(anole_cost_model_trained(model) && anole_cost_model_guided(model));
    /* Told that there is nothing to go by, it forgets. */
    assert_int_equal(anole_cost_model_inform(model, NULL, 0, NULL), ANOLE_DONE);
    assert_false(anole_cost_model_informed(model));
    anole_cost_model_destroy(model);
    family_fini(&family);
}

/* After 60 trials the model is the very one that it would be without. */
static void test_model_does_not_listen_to_what_misleads(void **state)
{
    (void)state;
    struct family family;
    struct anole_cost_model *with, *without;
    struct anole_cost_model_options options = {.seed = 1};
    uint64_t configs[3] = {0, 12345, 777};
    float a[3], b[3];
    family_init(&family, MISLEADING, 200);
    problem_measure_random(&family.problem, 60, 1);
    assert_int_equal(anole_cost_model_create(&with, family.problem.features, &options, NULL),
                     ANOLE_DONE);
    assert_int_equal(anole_cost_model_create(&without, family.problem.features, &options, NULL),
                     ANOLE_DONE);
    assert_int_equal(anole_cost_model_inform(with, family.sources, family.count, NULL), ANOLE_DONE);
    assert_int_equal(anole_cost_model_fit(with, family.problem.trials, NULL), ANOLE_DONE);
    assert_int_equal(anole_cost_model_fit(without, family.problem.trials, NULL), ANOLE_DONE);
    assert_false(anole_cost_model_guided(with));
    anole_cost_model_predict(with, configs, 3, a);
    anole_cost_model_predict(without, configs, 3, b);
    assert_memory_equal(a, b, sizeof a);
    anole_cost_model_destroy(with);
    anole_cost_model_destroy(without);
    family_fini(&family);
}

/* Searches, and returns the best time after so many trials; also the last configs. */
static double run(struct family *family, bool informed, size_t trials, uint64_t seed,
                  uint64_t last[4])
{
    struct problem *problem = &family->problem;
    struct anole_search_options options = {.seed = seed};
    struct anole_search *search;
    anole_trials_destroy(problem->trials);
    assert_int_equal(anole_trials_create(&problem->trials, NULL), ANOLE_DONE);
    assert_int_equal(anole_search_create(&search, problem->space, problem->features,
                                         problem->trials, &options, NULL),
                     ANOLE_DONE);
    if (informed)
        assert_int_equal(anole_search_inform(search, family->sources, family->count, NULL),
                         ANOLE_DONE);
    while (anole_trials_count(problem->trials) < trials) {
        size_t count;
        assert_int_equal(anole_search_next(search, 0, last, 4, &count, NULL), ANOLE_DONE);
        assert_true(count > 0);
        for (size_t i = 0; i < count; i++)
            problem_measure(problem, last[i]);
    }
    double best = anole_trials_best(problem->trials)->result.seconds;
    anole_search_destroy(search);
    return best;
}

/* Mean logarithm of how much faster what is found is with the sources. */
static double gain(enum kind kind, size_t trials)
{
    struct family family;
    double sum = 0.0;
    uint64_t last[4];
    family_init(&family, kind, 150);
    for (uint64_t seed = 0; seed < 6; seed++)
        sum +=
            log(run(&family, false, trials, seed, last) / run(&family, true, trials, seed, last));
    family_fini(&family);
    return sum / 6.0;
}

/* Knobs of other names: a stranger, so that nothing changes until it proves itself. */
static void test_search_does_not_start_by_what_a_stranger_says(void **state)
{
    (void)state;
    struct family family;
    struct problem stranger;
    uint64_t last[4];
    family_init(&family, SIMILAR, 0);
    problem_init(&stranger, 3, 4);
    problem_measure_random(&stranger, 40, 3);
    family.sources[0] = (struct anole_prior_source){stranger.features, stranger.trials, 0};
    family.count = 1;
    for (uint64_t seed = 0; seed < 4; seed++)
        assert_true(run(&family, false, 24, seed, last) == run(&family, true, 24, seed, last));
    problem_fini(&stranger);
    family.count = SISTERS;
    family_fini(&family);
}

static void test_search_is_faster_with_similar_tasks(void **state)
{
    (void)state;
    assert_true(gain(SIMILAR, 16) > log(1.2));
    assert_true(gain(SIMILAR, 60) > -0.02);
}

static void test_search_is_no_worse_with_misleading_tasks(void **state)
{
    (void)state;
    assert_true(gain(MISLEADING, 80) > log(0.9));
}

/* Right about most configs, which helps at first, and wrong about the best. */
static void test_search_is_no_worse_with_tasks_that_mislead_at_the_top(void **state)
{
    (void)state;
    assert_true(gain(LURING, 16) > -0.02);
    assert_true(gain(LURING, 80) > log(0.93));
}

static void test_search_tells_similar_tasks_from_misleading_ones(void **state)
{
    (void)state;
    assert_true(gain(BOTH, 40) > log(0.97));
}

static void test_search_repeats_itself_with_the_same_seed(void **state)
{
    (void)state;
    struct family family;
    uint64_t a[4], b[4];
    family_init(&family, BOTH, 60);
    assert_true(run(&family, true, 40, 9, a) == run(&family, true, 40, 9, b));
    assert_memory_equal(a, b, sizeof a);
    family_fini(&family);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create_learns_what_is_good),
        cmocka_unit_test(test_create_keeps_groups_apart),
        cmocka_unit_test(test_create_gives_none_for_too_little),
        cmocka_unit_test(test_create_passes_over_sources_in_which_all_failed),
        cmocka_unit_test(test_create_learns_from_a_space_with_other_knobs),
        cmocka_unit_test(test_agrees_until_there_is_evidence),
        cmocka_unit_test(test_correlation_looks_at_the_best),
        cmocka_unit_test(test_create_learns_what_it_does_to_change_the_default),
        cmocka_unit_test(test_recall_gives_what_guess_gives),
        cmocka_unit_test(test_model_has_an_opinion_before_it_is_trained),
        cmocka_unit_test(test_model_does_not_listen_to_what_misleads),
        cmocka_unit_test(test_search_does_not_start_by_what_a_stranger_says),
        cmocka_unit_test(test_search_is_faster_with_similar_tasks),
        cmocka_unit_test(test_search_is_no_worse_with_misleading_tasks),
        cmocka_unit_test(test_search_is_no_worse_with_tasks_that_mislead_at_the_top),
        cmocka_unit_test(test_search_tells_similar_tasks_from_misleading_ones),
        cmocka_unit_test(test_search_repeats_itself_with_the_same_seed),
    };
    anole_log_set_level(ANOLE_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
