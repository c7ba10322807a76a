/* SPDX-License-Identifier: MIT
 *
 * The policy of how to spend a batch: what it sees, and that its operators do what
 * their names say.
 */
#include "search_fixture.h"

#include "search/plan.h"
#include "search/samplers.h"

#define CANDIDATES 200

struct scene {
    struct problem problem;
    struct anole_explorer_context context;
    struct anole_candidate candidates[CANDIDATES];
    size_t count;
    struct anole_rng rng;
};

static void scene_init(struct scene *scene)
{
    *scene = (struct scene){0};
    problem_init(&scene->problem, 7, 9);
    problem_measure_random(&scene->problem, 40, 1);
    problem_fit(&scene->problem, ANOLE_TARGET_RANK);
    scene->context = (struct anole_explorer_context){.space = scene->problem.space,
                                                     .features = scene->problem.features,
                                                     .trials = scene->problem.trials,
                                                     .model = scene->problem.model};
    anole_rng_init(&scene->rng, 7);
    while (scene->count < CANDIDATES) {
        struct anole_candidate *candidate = &scene->candidates[scene->count];
        if (!anole_space_sample(scene->problem.space, &scene->rng, &candidate->config) ||
            anole_trials_visited(scene->problem.trials, candidate->config))
            continue;
        anole_cost_model_predict(scene->problem.model, &candidate->config, 1, &candidate->score);
        scene->count++;
    }
    anole_candidates_sort(scene->candidates, scene->count, &scene->rng);
}

/* A plan that prefers one operator to all others. */
static struct anole_plan only(enum anole_operator operator)
{
    struct anole_plan plan = {0};
    plan.weights[operator][0] = 50.0f;
    return plan;
}

static size_t distance(const struct scene *scene, uint64_t a, uint64_t b)
{
    uint16_t x[ANOLE_MAX_KNOBS], y[ANOLE_MAX_KNOBS];
    size_t count = 0;
    anole_space_decode(scene->problem.space, a, x);
    anole_space_decode(scene->problem.space, b, y);
    for (size_t k = 0; k < scene->problem.knobs; k++)
        count += x[k] != y[k];
    return count;
}

static size_t pick(struct scene *scene, const struct anole_plan *plan, size_t batch,
                   uint64_t *configs, uint8_t *operators)
{
    size_t picked;
    assert_int_equal(anole_plan_pick(plan, &scene->context, scene->candidates, scene->count,
                                     &scene->rng, batch, configs, operators, &picked, NULL),
                     ANOLE_DONE);
    return picked;
}

static void test_shares_leave_none_out(void **state)
{
    (void)state;
    struct scene scene;
    float features[ANOLE_PLAN_FEATURES];
    double shares[ANOLE_OPERATOR_COUNT], sum = 0.0;
    struct anole_plan plan = only(ANOLE_OPERATOR_FAR);
    scene_init(&scene);
    anole_plan_observe(features, &scene.context);
    anole_plan_shares(shares, &plan, features);
    for (size_t o = 0; o < ANOLE_OPERATOR_COUNT; o++) {
        assert_true(shares[o] >= 0.0099);
        sum += shares[o];
    }
    assert_true(fabs(sum - 1.0) < 1e-9);
    assert_true(shares[ANOLE_OPERATOR_FAR] > 0.9);
    problem_fini(&scene.problem);
}

static void test_observe_sees_stagnation(void **state)
{
    (void)state;
    struct scene scene;
    float before[ANOLE_PLAN_FEATURES], after[ANOLE_PLAN_FEATURES];
    struct anole_result slow = {
        .outcome = ANOLE_OUTCOME_OK, .seconds = 1.0, .low = 1.0, .high = 1.0};
    scene_init(&scene);
    anole_plan_observe(before, &scene.context);
    for (size_t i = 0; i < 60; i++)
        assert_int_equal(
            anole_trials_add(scene.problem.trials, scene.candidates[i].config, &slow, NULL),
            ANOLE_DONE);
    anole_plan_observe(after, &scene.context);
    assert_true(after[1] > before[1]);  /* trials */
    assert_true(after[2] == before[2]); /* the space */
    assert_true(after[3] > before[3]);  /* since the incumbent */
    assert_true(after[5] < before[5]);  /* how good far trials were */
    assert_true(after[6] > before[6]);  /* spread */
    for (size_t f = 0; f < ANOLE_PLAN_FEATURES; f++)
        assert_true(after[f] >= 0.0f && after[f] < 2.0f);
    problem_fini(&scene.problem);
}

static void test_pick_does_what_operators_say(void **state)
{
    (void)state;
    struct scene scene;
    uint64_t configs[8];
    uint8_t operators[8];
    scene_init(&scene);
    uint64_t best = anole_trials_best(scene.problem.trials)->config;
    struct anole_plan plan = only(ANOLE_OPERATOR_NEAR);
    assert_int_equal(pick(&scene, &plan, 8, configs, operators), 8);
    for (size_t i = 0; i < 8; i++)
        if (operators[i] == ANOLE_OPERATOR_NEAR)
            assert_int_equal(distance(&scene, configs[i], best), 1);
    plan = only(ANOLE_OPERATOR_APART);
    assert_int_equal(pick(&scene, &plan, 8, configs, operators), 8);
    for (size_t i = 1; i < 8; i++)
        for (size_t j = 0; j < i && operators[i] == ANOLE_OPERATOR_APART; j++)
            assert_true(distance(&scene, configs[i], configs[j]) >= 3);
    plan = only(ANOLE_OPERATOR_BEST);
    assert_int_equal(pick(&scene, &plan, 1, configs, operators), 1);
    assert_true(operators[0] != ANOLE_OPERATOR_BEST || configs[0] == scene.candidates[0].config);
    problem_fini(&scene.problem);
}

static void test_pick_gives_distinct_valid_unvisited_configs(void **state)
{
    (void)state;
    struct scene scene;
    uint64_t configs[64];
    scene_init(&scene);
    size_t count = pick(&scene, anole_plan_shipped(), 64, configs, NULL);
    assert_int_equal(count, 64);
    for (size_t i = 0; i < count; i++) {
        assert_true(anole_space_valid(scene.problem.space, configs[i]));
        assert_false(anole_trials_visited(scene.problem.trials, configs[i]));
        for (size_t j = 0; j < i; j++)
            assert_true(configs[i] != configs[j]);
    }
    scene.count = 0;
    struct anole_plan plan = only(ANOLE_OPERATOR_BEST);
    plan.weights[ANOLE_OPERATOR_BEST][0] = 0.0f;
    assert_true(pick(&scene, &plan, 4, configs, NULL) <= 4); /* no candidates: neighbours only */
    problem_fini(&scene.problem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shares_leave_none_out),
        cmocka_unit_test(test_observe_sees_stagnation),
        cmocka_unit_test(test_pick_does_what_operators_say),
        cmocka_unit_test(test_pick_gives_distinct_valid_unvisited_configs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
