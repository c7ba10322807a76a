/* SPDX-License-Identifier: MIT */
#include "search_fixture.h"

#include "search/samplers.h"

#define MOST 512

#define FAR_KNOBS 3 /* half of the six of the problem */

static struct anole_explorer_context context_of(const struct problem *problem,
                                                const struct anole_config_map *pending)
{
    struct anole_explorer_context context = {
        .space = problem->space,
        .features = problem->features,
        .trials = problem->trials,
        .model = problem->model,
        .pending = pending,
        .small = anole_space_is_small(problem->space),
    };
    anole_rng_init(&context.rng, 11);
    return context;
}

/* Distinct random configs with the model's scores, best first. */
static size_t draw_candidates(const struct problem *problem, struct anole_candidate *candidates,
                              size_t count, uint64_t seed)
{
    struct anole_rng rng;
    struct anole_config_map drawn = {0};
    size_t made = 0;
    anole_rng_init(&rng, seed);
    for (int tries = 0; made < count && tries < 100000; tries++) {
        uint64_t config;
        if (!anole_space_sample(problem->space, &rng, &config) ||
            anole_trials_visited(problem->trials, config) || anole_config_map_has(&drawn, config))
            continue;
        assert_true(anole_config_map_put(&drawn, config, 1));
        candidates[made].config = config;
        anole_cost_model_predict(problem->model, &config, 1, &candidates[made++].score);
    }
    anole_config_map_fini(&drawn);
    anole_candidates_sort(candidates, made, &rng);
    return made;
}

static void check_picks(const struct problem *problem, const struct anole_config_map *pending,
                        const uint64_t *picks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_true(anole_space_valid(problem->space, picks[i]));
        assert_false(anole_trials_visited(problem->trials, picks[i]));
        assert_false(pending && anole_config_map_has(pending, picks[i]));
        for (size_t j = 0; j < i; j++)
            assert_true(picks[i] != picks[j]);
    }
}

static void prepare(struct problem *problem)
{
    problem_init(problem, 6, 8);
    problem_measure_random(problem, 100, 1);
    problem_fit(problem, ANOLE_TARGET_RANK);
}

static void test_pick_gives_new_valid_distinct_configs(void **state)
{
    (void)state;
    struct problem problem;
    struct anole_candidate candidates[MOST];
    uint64_t picks[64];
    prepare(&problem);
    for (const struct anole_sampler_ops *const *s = anole_samplers(); *s; s++) {
        for (size_t batch = 1; batch <= 64; batch *= 4) {
            struct anole_config_map pending = {0};
            struct anole_rng rng;
            struct anole_explorer_context context = context_of(&problem, &pending);
            size_t wanted = (*s)->candidates(&context, batch) + 1, picked = 0;
            size_t count = draw_candidates(&problem, candidates, wanted < MOST ? wanted : MOST, 3);
            /* The best one is on its way already: no candidate, but a temptation. */
            assert_true(anole_config_map_put(&pending, candidates[0].config, 0));
            anole_rng_init(&rng, 5);
            assert_int_equal(
                (*s)->pick(&context, candidates + 1, count - 1, &rng, batch, picks, &picked, NULL),
                ANOLE_DONE);
            assert_in_range(picked, 1, batch);
            check_picks(&problem, &pending, picks, picked);
            anole_config_map_fini(&pending);
        }
    }
    problem_fini(&problem);
}

static void test_pick_is_determined_by_seed(void **state)
{
    (void)state;
    struct problem problem;
    struct anole_candidate candidates[MOST];
    prepare(&problem);
    struct anole_explorer_context context = context_of(&problem, NULL);
    size_t count = draw_candidates(&problem, candidates, MOST, 3);
    for (const struct anole_sampler_ops *const *s = anole_samplers(); *s; s++) {
        uint64_t picks[2][16];
        size_t picked[2];
        for (int i = 0; i < 2; i++) {
            struct anole_rng rng;
            anole_rng_init(&rng, 5);
            assert_int_equal(
                (*s)->pick(&context, candidates, count, &rng, 16, picks[i], &picked[i], NULL),
                ANOLE_DONE);
        }
        assert_int_equal(picked[0], picked[1]);
        assert_memory_equal(picks[0], picks[1], picked[0] * sizeof picks[0][0]);
    }
    problem_fini(&problem);
}

/* Candidates that crowd around the incumbent, the best 200, and a few that are far from
 * it: how many of those does the default sampler pick in `rounds` batches of eight? */
static size_t count_far_picks(const struct problem *problem, bool small, int rounds)
{
    struct anole_explorer_context context = context_of(problem, NULL);
    const struct anole_trial *best = anole_trials_best(problem->trials);
    struct anole_candidate drawn[MOST], candidates[MOST];
    uint16_t incumbent[ANOLE_MAX_KNOBS], digits[ANOLE_MAX_KNOBS];
    size_t near = 0, far = 0, picked_far = 0, count = draw_candidates(problem, drawn, MOST, 3);
    context.small = small;
    anole_space_decode(problem->space, best->config, incumbent);
    /* All that differ in two knobs, until there are 200. */
    for (size_t i = 0; i < 36 * 64 && near < 200; i++) {
        size_t a = i % 6, b = i / 6 % 6;
        memcpy(digits, incumbent, sizeof digits);
        digits[a] = (uint16_t)(i / 36 % 8);
        digits[b] = (uint16_t)(i / 288);
        uint64_t config = anole_space_encode(problem->space, digits);
        if (a < b && digits[a] != incumbent[a] && digits[b] != incumbent[b] &&
            anole_space_valid(problem->space, config) &&
            !anole_trials_visited(problem->trials, config))
            candidates[near++] = (struct anole_candidate){config, 1.0f};
    }
    for (size_t i = 0; i < count && far < 8; i++) {
        anole_space_decode(problem->space, drawn[i].config, digits);
        if (anole_digits_distance(incumbent, digits, problem->knobs) >= FAR_KNOBS)
            candidates[near + far++] = (struct anole_candidate){drawn[i].config, 0.5f};
    }
    assert_true(near == 200 && far == 8); /* more than are the best few */
    for (int seed = 0; seed < rounds; seed++) {
        struct anole_rng rng;
        uint64_t picks[8];
        size_t picked = 0;
        anole_rng_init(&rng, (uint64_t)seed);
        assert_int_equal(anole_samplers()[0]->pick(&context, candidates, near + far, &rng, 8, picks,
                                                   &picked, NULL),
                         ANOLE_DONE);
        assert_int_equal(picked, 8);
        check_picks(problem, NULL, picks, picked);
        for (size_t i = 0; i < picked; i++) {
            anole_space_decode(problem->space, picks[i], digits);
            picked_far += anole_digits_distance(incumbent, digits, problem->knobs) >= FAR_KNOBS;
        }
    }
    return picked_far;
}

static void test_pick_looks_far_from_the_incumbent_in_a_large_space(void **state)
{
    (void)state;
    struct problem problem;
    prepare(&problem);
    size_t small = count_far_picks(&problem, true, 20);
    size_t large = count_far_picks(&problem, false, 20);
    print_message("far: %zu in a small space, %zu in a large one\n", small, large);
    assert_true(large >= 40); /* two a batch at the least, of four */
    assert_true(small < large);
    problem_fini(&problem);
}

static void test_pick_copes_with_few_candidates(void **state)
{
    (void)state;
    struct problem problem;
    struct anole_candidate candidates[MOST];
    prepare(&problem);
    struct anole_explorer_context context = context_of(&problem, NULL);
    for (const struct anole_sampler_ops *const *s = anole_samplers(); *s; s++) {
        for (size_t count = 0; count <= 3; count++) {
            struct anole_rng rng;
            uint64_t picks[64];
            size_t picked = 99;
            anole_rng_init(&rng, 5);
            draw_candidates(&problem, candidates, count, 3);
            assert_int_equal(
                (*s)->pick(&context, candidates, count, &rng, 64, picks, &picked, NULL),
                ANOLE_DONE);
            assert_true(count == 0 || picked > 0);
            check_picks(&problem, NULL, picks, picked);
        }
    }
    problem_fini(&problem);
}

/* Where all of a tiny space but one config was visited, every sampler ends, and
 * picks that one or nothing else. */
static void test_pick_ends_when_all_else_is_visited(void **state)
{
    (void)state;
    struct problem problem;
    uint64_t *configs;
    size_t count;
    problem_init(&problem, 3, 4);
    assert_int_equal(anole_space_enumerate(problem.space, 1000, &configs, &count, NULL),
                     ANOLE_DONE);
    for (size_t i = 1; i < count; i++)
        problem_measure(&problem, configs[i]);
    problem_fit(&problem, ANOLE_TARGET_RANK);
    struct anole_explorer_context context = context_of(&problem, NULL);
    struct anole_candidate last = {configs[0], 0.5f};
    for (const struct anole_sampler_ops *const *s = anole_samplers(); *s; s++) {
        struct anole_rng rng;
        uint64_t picks[16];
        size_t picked;
        anole_rng_init(&rng, 5);
        assert_int_equal((*s)->pick(&context, &last, 1, &rng, 16, picks, &picked, NULL),
                         ANOLE_DONE);
        assert_int_equal(picked, 1);
        assert_true(picks[0] == configs[0]);
    }
    free(configs);
    problem_fini(&problem);
}

static void test_top_picks_the_best(void **state)
{
    (void)state;
    struct problem problem;
    const struct anole_sampler_ops *top;
    struct anole_candidate candidates[20];
    struct anole_rng rng;
    uint64_t picks[8];
    size_t picked;
    prepare(&problem);
    anole_rng_init(&rng, 5);
    assert_int_equal(anole_sampler_find(&top, "top", NULL), ANOLE_DONE);
    draw_candidates(&problem, candidates, 20, 3);
    struct anole_explorer_context context = context_of(&problem, NULL);
    assert_int_equal(top->pick(&context, candidates, 20, &rng, 8, picks, &picked, NULL),
                     ANOLE_DONE);
    assert_int_equal(picked, 8);
    for (size_t i = 0; i < 8; i++)
        assert_true(picks[i] == candidates[i].config);
    problem_fini(&problem);
}

static size_t knobs_apart(const struct problem *problem, uint64_t a, uint64_t b)
{
    uint16_t x[ANOLE_MAX_KNOBS], y[ANOLE_MAX_KNOBS];
    size_t apart = 0;
    anole_space_decode(problem->space, a, x);
    anole_space_decode(problem->space, b, y);
    for (size_t k = 0; k < problem->knobs; k++)
        apart += x[k] != y[k];
    return apart;
}

static void test_adaptive_gives_one_slot_in_four_to_neighbours(void **state)
{
    (void)state;
    struct problem problem;
    const struct anole_sampler_ops *adaptive;
    struct anole_candidate candidates[MOST];
    prepare(&problem);
    assert_int_equal(anole_sampler_find(&adaptive, "adaptive", NULL), ANOLE_DONE);
    size_t count = draw_candidates(&problem, candidates, MOST, 3), near = 0;
    struct anole_explorer_context context = context_of(&problem, NULL);
    uint64_t incumbent = anole_trials_best(problem.trials)->config;
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct anole_rng rng;
        uint64_t picks[4];
        size_t picked;
        anole_rng_init(&rng, seed);
        assert_int_equal(adaptive->pick(&context, candidates, count, &rng, 4, picks, &picked, NULL),
                         ANOLE_DONE);
        assert_int_equal(picked, 4);
        for (size_t i = 0; i < picked; i++)
            near += knobs_apart(&problem, picks[i], incumbent) == 1;
    }
    assert_in_range(near, 40, 60); /* some candidates are neighbours by chance */
    problem_fini(&problem);
}

static void add_trial(struct problem *problem, uint16_t a, uint16_t b, uint16_t c, double seconds)
{
    struct anole_result result = {.outcome =
                                      seconds > 0.0 ? ANOLE_OUTCOME_OK : ANOLE_OUTCOME_LAUNCH,
                                  .seconds = seconds > 0.0 ? seconds : NAN};
    uint16_t digits[ANOLE_MAX_KNOBS] = {a, b, c};
    assert_int_equal(anole_trials_add(problem->trials, anole_space_encode(problem->space, digits),
                                      &result, NULL),
                     ANOLE_DONE);
}

/* Three peaks, and what is slower beside the first is none. */
static void prepare_peaks(struct problem *problem)
{
    problem_init(problem, 3, 8);
    add_trial(problem, 1, 1, 5, 3e-3);
    add_trial(problem, 0, 0, 0, 1e-3);
    add_trial(problem, 3, 3, 3, 2e-3);
    problem_fit(problem, ANOLE_TARGET_RANK);
}

/* How many of the picks are one knob apart from each of the three. */
static void count_beside(const struct problem *problem, size_t wanted, size_t *beside)
{
    const uint16_t peaks[3][ANOLE_MAX_KNOBS] = {{0, 0, 0}, {3, 3, 3}, {1, 1, 5}};
    struct anole_explorer_context context = context_of(problem, NULL);
    uint64_t configs[16];
    struct anole_picks picks = {&context, configs, 0, 16};
    struct anole_rng rng;
    anole_rng_init(&rng, 3);
    assert_int_equal(anole_picks_take_beside_peaks(&picks, wanted, &rng, NULL), ANOLE_DONE);
    assert_int_equal(picks.count, wanted);
    check_picks(problem, NULL, configs, wanted);
    for (size_t p = 0; p < 3; p++) {
        beside[p] = 0;
        for (size_t i = 0; i < wanted; i++)
            beside[p] +=
                knobs_apart(problem, configs[i], anole_space_encode(problem->space, peaks[p])) == 1;
    }
}

static void test_peaks_get_shares_by_their_place(void **state)
{
    (void)state;
    struct problem problem;
    size_t beside[3];
    prepare_peaks(&problem);
    count_beside(&problem, 11, beside);
    assert_int_equal(beside[0], 6);
    assert_int_equal(beside[1], 3);
    assert_int_equal(beside[2], 2);
    problem_fini(&problem);
}

/* A region whose neighbours were slower or failed has had its share. */
static void test_peaks_turn_from_what_disappoints(void **state)
{
    (void)state;
    struct problem problem;
    size_t beside[3];
    prepare_peaks(&problem);
    for (uint16_t v = 1; v < 8; v++) {
        add_trial(&problem, 0, 0, v, 4e-3);
        add_trial(&problem, v, 0, 0, 0.0);
    }
    problem_fit(&problem, ANOLE_TARGET_RANK);
    count_beside(&problem, 8, beside);
    assert_int_equal(beside[0], 0);
    assert_int_equal(beside[1], 5);
    assert_int_equal(beside[2], 3);
    problem_fini(&problem);
}

/* Where every neighbour was tried there is nothing to take, and no end is missed. */
static void test_peaks_end_when_all_around_is_visited(void **state)
{
    (void)state;
    struct problem problem;
    problem_init(&problem, 1, 8);
    uint64_t configs[16];
    struct anole_explorer_context context = context_of(&problem, NULL);
    struct anole_picks picks = {&context, configs, 0, 16};
    struct anole_rng rng;
    anole_rng_init(&rng, 3);
    assert_int_equal(anole_picks_take_beside_peaks(&picks, 16, &rng, NULL), ANOLE_DONE);
    assert_int_equal(picks.count, 0); /* no trials: no peaks */
    problem_measure_random(&problem, 3, 1);
    problem_fit(&problem, ANOLE_TARGET_RANK);
    context.model = problem.model;
    assert_int_equal(anole_picks_take_beside_peaks(&picks, 16, &rng, NULL), ANOLE_DONE);
    assert_int_equal(picks.count, 5);
    problem_fini(&problem);
}

/* Candidates in two groups far apart: a batch takes from both, and the best of
 * each. */
static void test_adaptive_picks_the_best_of_each_group(void **state)
{
    (void)state;
    struct problem problem;
    const struct anole_sampler_ops *adaptive;
    struct anole_candidate candidates[20];
    struct anole_rng rng;
    uint64_t picks[3];
    size_t picked, low = 0, high = 0;
    problem_init(&problem, 6, 8); /* no trials: no incumbent, no neighbours */
    problem_fit(&problem, ANOLE_TARGET_RANK);
    assert_int_equal(anole_sampler_find(&adaptive, "adaptive", NULL), ANOLE_DONE);
    for (size_t i = 0; i < 20; i++) {
        uint16_t far = i < 17 ? 0 : 7;
        uint16_t digits[ANOLE_MAX_KNOBS] = {0, 0, far, far, far, (uint16_t)(i % 8)};
        digits[0] = (uint16_t)(i / 8);
        candidates[i].config = anole_space_encode(problem.space, digits);
        candidates[i].score = 1.0f - (float)i / 20.0f;
    }
    struct anole_explorer_context context = context_of(&problem, NULL);
    anole_rng_init(&rng, 5);
    assert_int_equal(adaptive->pick(&context, candidates, 20, &rng, 3, picks, &picked, NULL),
                     ANOLE_DONE);
    assert_int_equal(picked, 3);
    for (size_t i = 0; i < picked; i++) {
        low += picks[i] == candidates[0].config;
        high += picks[i] == candidates[17].config;
    }
    assert_int_equal(low, 1);
    assert_int_equal(high, 1);
    problem_fini(&problem);
}

static void test_chameleon_picks_fewer_where_candidates_are_alike(void **state)
{
    (void)state;
    struct problem problem;
    const struct anole_sampler_ops *chameleon;
    struct anole_candidate candidates[MOST];
    struct anole_rng rng;
    uint64_t picks[64];
    size_t picked;
    prepare(&problem);
    assert_int_equal(anole_sampler_find(&chameleon, "chameleon", NULL), ANOLE_DONE);
    size_t count = draw_candidates(&problem, candidates, MOST, 3);
    struct anole_explorer_context context = context_of(&problem, NULL);
    anole_rng_init(&rng, 5);
    assert_int_equal(chameleon->pick(&context, candidates, count, &rng, 64, picks, &picked, NULL),
                     ANOLE_DONE);
    assert_in_range(picked, 2, 32);
    problem_fini(&problem);
}

static void test_greedy_picks_some_at_random(void **state)
{
    (void)state;
    struct problem problem;
    const struct anole_sampler_ops *greedy;
    struct anole_candidate candidates[64];
    size_t strange = 0;
    prepare(&problem);
    assert_int_equal(anole_sampler_find(&greedy, "greedy", NULL), ANOLE_DONE);
    size_t count = draw_candidates(&problem, candidates, 64, 3);
    struct anole_explorer_context context = context_of(&problem, NULL);
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct anole_rng rng;
        uint64_t picks[64];
        size_t picked;
        anole_rng_init(&rng, seed);
        assert_int_equal(greedy->pick(&context, candidates, count, &rng, 64, picks, &picked, NULL),
                         ANOLE_DONE);
        assert_int_equal(picked, 64);
        for (size_t i = 0; i < picked; i++) {
            bool known = false;
            for (size_t c = 0; c < count && !known; c++)
                known = candidates[c].config == picks[i];
            strange += !known;
        }
    }
    assert_in_range(strange, 100, 220); /* 160 expected */
    problem_fini(&problem);
}

static void test_find_names_the_nearest(void **state)
{
    (void)state;
    const struct anole_sampler_ops *ops = NULL;
    struct anole_error error = {0};
    assert_int_equal(anole_sampler_find(&ops, "adaptve", &error), ANOLE_ERR_USAGE);
    assert_null(ops);
    assert_non_null(strstr(error.text, "did you mean \"adaptive\"?"));
    assert_non_null(strstr(error.text, "chameleon"));
    assert_string_equal(anole_samplers()[0]->name, "adaptive");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pick_gives_new_valid_distinct_configs),
        cmocka_unit_test(test_pick_is_determined_by_seed),
        cmocka_unit_test(test_pick_looks_far_from_the_incumbent_in_a_large_space),
        cmocka_unit_test(test_pick_copes_with_few_candidates),
        cmocka_unit_test(test_pick_ends_when_all_else_is_visited),
        cmocka_unit_test(test_top_picks_the_best),
        cmocka_unit_test(test_adaptive_gives_one_slot_in_four_to_neighbours),
        cmocka_unit_test(test_peaks_get_shares_by_their_place),
        cmocka_unit_test(test_peaks_turn_from_what_disappoints),
        cmocka_unit_test(test_peaks_end_when_all_around_is_visited),
        cmocka_unit_test(test_adaptive_picks_the_best_of_each_group),
        cmocka_unit_test(test_chameleon_picks_fewer_where_candidates_are_alike),
        cmocka_unit_test(test_greedy_picks_some_at_random),
        cmocka_unit_test(test_find_names_the_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
