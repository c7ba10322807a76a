/* SPDX-License-Identifier: MIT
 *
 * What every explorer owes, and what some owe besides.
 */
#include "search_fixture.h"

#include "base/log.h"
#include "search/explorer.h"

#define MOST 64

struct session {
    struct problem problem;
    struct anole_config_map pending;
    const struct anole_explorer_ops *ops;
    struct anole_explorer_context context;
    struct anole_explorer *explorer;
};

static void begin(struct session *session, const struct anole_explorer_ops *ops, uint64_t seed)
{
    session->ops = ops;
    session->pending = (struct anole_config_map){0};
    problem_fit(&session->problem, ops->target);
    session->context = (struct anole_explorer_context){
        .space = session->problem.space,
        .features = session->problem.features,
        .trials = session->problem.trials,
        .model = session->problem.model,
        .pending = &session->pending,
        .small = anole_space_is_small(session->problem.space),
    };
    anole_rng_init(&session->context.rng, seed);
    assert_int_equal(ops->create(&session->explorer, &session->context, NULL), ANOLE_DONE);
}

static void end(struct session *session)
{
    session->ops->destroy(session->explorer);
    anole_config_map_fini(&session->pending);
}

static size_t propose(struct session *session, struct anole_candidate *candidates, size_t capacity)
{
    size_t count = 99;
    struct anole_error error = {0};
    if (session->ops->propose(session->explorer, candidates, capacity, &count, &error) !=
        ANOLE_DONE)
        fail_msg("%s: %s", session->ops->name, error.text);
    assert_true(count <= capacity);
    return count;
}

static void check(const struct session *session, const struct anole_candidate *candidates,
                  size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_true(anole_space_valid(session->problem.space, candidates[i].config));
        assert_true(anole_explorer_open(&session->context, candidates[i].config));
        assert_true(i == 0 || candidates[i].score <= candidates[i - 1].score);
        for (size_t j = 0; j < i; j++)
            assert_true(candidates[i].config != candidates[j].config);
    }
}

static void test_propose_gives_new_valid_distinct_configs(void **state)
{
    (void)state;
    for (const struct anole_explorer_ops *const *e = anole_explorers(); *e; e++) {
        struct session session;
        struct anole_candidate candidates[MOST];
        problem_init(&session.problem, 6, 8);
        session.problem.failing = 0.1;
        problem_measure_random(&session.problem, 60, 1);
        begin(&session, *e, 7);
        for (int round = 0; round < 3; round++) {
            size_t count = propose(&session, candidates, round ? MOST : 1);
            assert_true(count > 0);
            check(&session, candidates, count);
            problem_measure(&session.problem, candidates[0].config);
            for (size_t i = 1; i < count && i < 10; i++) /* these are on their way */
                assert_true(anole_config_map_put(&session.pending, candidates[i].config, 0));
            assert_int_equal(
                anole_cost_model_fit(session.problem.model, session.problem.trials, NULL),
                ANOLE_DONE);
        }
        end(&session);
        problem_fini(&session.problem);
    }
}

static void test_propose_is_determined_by_seed(void **state)
{
    (void)state;
    struct session session;
    problem_init(&session.problem, 7, 9);
    problem_measure_random(&session.problem, 60, 1);
    for (const struct anole_explorer_ops *const *e = anole_explorers(); *e; e++) {
        struct anole_candidate candidates[3][MOST];
        size_t counts[3];
        memset(candidates, 0, sizeof candidates);
        for (int i = 0; i < 3; i++) {
            begin(&session, *e, i == 2 ? 8 : 7);
            propose(&session, candidates[i], MOST);
            counts[i] = propose(&session, candidates[i], MOST);
            end(&session);
        }
        assert_int_equal(counts[0], counts[1]);
        for (size_t i = 0; i < counts[0]; i++)
            assert_true(candidates[0][i].config == candidates[1][i].config);
        assert_memory_not_equal(candidates[0], candidates[2], sizeof candidates[0]);
    }
    problem_fini(&session.problem);
}

/* Mean logarithm of the true times. */
static double mean_log(const struct problem *problem, const struct anole_candidate *candidates,
                       size_t count)
{
    double sum = 0.0;
    for (size_t i = 0; i < count; i++)
        sum += log(problem_seconds(problem, candidates[i].config));
    return sum / (double)count;
}

/* With a model of 100 trials, the best eight proposals of everything but `random`
 * are far better than random ones: by 20 % at least, over five seeds. */
static void test_propose_beats_random_configs(void **state)
{
    (void)state;
    for (const struct anole_explorer_ops *const *e = anole_explorers(); *e; e++) {
        double gain = 0.0;
        if (strcmp((*e)->name, "random") == 0)
            continue;
        for (uint64_t seed = 0; seed < 5; seed++) {
            struct session session;
            struct anole_candidate candidates[8], random[100];
            struct anole_rng rng;
            anole_rng_init(&rng, seed);
            problem_init(&session.problem, 7, 9);
            problem_measure_random(&session.problem, 100, seed);
            begin(&session, *e, seed);
            size_t count = propose(&session, candidates, 8);
            assert_int_equal(count, 8);
            for (size_t i = 0; i < 100; i++)
                assert_true(anole_space_sample(session.problem.space, &rng, &random[i].config));
            gain +=
                mean_log(&session.problem, random, 100) - mean_log(&session.problem, candidates, 8);
            end(&session);
            problem_fini(&session.problem);
        }
        if (gain / 5.0 < log(1.2))
            fail_msg("%s: only %.3f better", (*e)->name, exp(gain / 5.0));
    }
}

/* Explorers that use the model find candidates nearly as good, to the model, as
 * the best of all. */
static void test_propose_finds_what_the_model_likes(void **state)
{
    (void)state;
    static const char *const names[] = {"rl", "hillclimb", "genetic", "annealing", "exhaustive"};
    struct session session;
    struct anole_candidate best[1], found[1];
    const struct anole_explorer_ops *ops;
    problem_init(&session.problem, 5, 7);
    problem_measure_random(&session.problem, 100, 3);
    assert_int_equal(anole_explorer_find(&ops, "exhaustive", NULL), ANOLE_DONE);
    begin(&session, ops, 1);
    assert_int_equal(propose(&session, best, 1), 1);
    end(&session);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_int_equal(anole_explorer_find(&ops, names[i], NULL), ANOLE_DONE);
        begin(&session, ops, 1);
        assert_int_equal(propose(&session, found, 1), 1);
        assert_true(found[0].score <= best[0].score + 1e-6f);
        assert_true(found[0].score >= best[0].score - 0.02f);
        end(&session);
    }
    problem_fini(&session.problem);
}

/* Spaces so small that nearly all is visited: what is left is found by some, and
 * none fails or loops. */
static void test_propose_copes_with_tiny_spaces(void **state)
{
    (void)state;
    for (const struct anole_explorer_ops *const *e = anole_explorers(); *e; e++) {
        for (size_t left = 0; left < 3; left++) {
            struct session session;
            struct anole_candidate candidates[MOST];
            uint64_t *configs;
            size_t count;
            problem_init(&session.problem, 2, 4);
            assert_int_equal(
                anole_space_enumerate(session.problem.space, 100, &configs, &count, NULL),
                ANOLE_DONE);
            for (size_t i = left; i < count; i++)
                problem_measure(&session.problem, configs[i]);
            begin(&session, *e, 3);
            size_t found = propose(&session, candidates, MOST);
            assert_true(found <= left);
            check(&session, candidates, found);
            end(&session);
            free(configs);
            problem_fini(&session.problem);
        }
    }
}

static void test_propose_copes_with_a_single_config(void **state)
{
    (void)state;
    for (const struct anole_explorer_ops *const *e = anole_explorers(); *e; e++) {
        struct session session;
        struct anole_candidate candidates[MOST];
        problem_init(&session.problem, 1, 1);
        begin(&session, *e, 3);
        size_t count = propose(&session, candidates, MOST);
        assert_true(count <= 1);
        check(&session, candidates, count);
        problem_measure(&session.problem, 0);
        assert_int_equal(propose(&session, candidates, MOST), 0);
        end(&session);
        problem_fini(&session.problem);
    }
}

static void test_propose_copes_with_nothing_but_failures(void **state)
{
    (void)state;
    for (const struct anole_explorer_ops *const *e = anole_explorers(); *e; e++) {
        struct session session;
        struct anole_candidate candidates[MOST];
        problem_init(&session.problem, 6, 8);
        session.problem.failing = 2.0;
        problem_measure_random(&session.problem, 30, 1);
        begin(&session, *e, 3);
        check(&session, candidates, propose(&session, candidates, MOST));
        end(&session);
        problem_fini(&session.problem);
    }
}

static void test_stats_tell_what_a_proposal_cost(void **state)
{
    (void)state;
    struct session session;
    problem_init(&session.problem, 7, 9);
    problem_measure_random(&session.problem, 60, 1);
    for (const struct anole_explorer_ops *const *e = anole_explorers(); *e; e++) {
        struct anole_candidate candidates[MOST];
        struct anole_explorer_stats stats;
        if (!(*e)->stats)
            continue;
        begin(&session, *e, 3);
        propose(&session, candidates, MOST);
        (*e)->stats(session.explorer, &stats);
        assert_true(stats.distinct >= MOST && stats.evaluations >= stats.distinct);
        bool agent = strncmp((*e)->name, "rl", 2) == 0 || strcmp((*e)->name, "chameleon") == 0;
        assert_int_equal(agent, !isnan(stats.entropy));
        assert_int_equal(agent, !isnan(stats.reward));
        end(&session);
    }
    problem_fini(&session.problem);
}

/* The agent keeps its curiosity: over many rounds with one model it goes on to
 * visit new configs. */
static void test_rl_does_not_collapse(void **state)
{
    (void)state;
    struct session session;
    struct anole_candidate candidates[MOST];
    struct anole_explorer_stats stats;
    problem_init(&session.problem, 8, 10);
    problem_measure_random(&session.problem, 60, 1);
    begin(&session, anole_explorers()[0], 3);
    for (int round = 0; round < 30; round++) {
        propose(&session, candidates, MOST);
        session.ops->stats(session.explorer, &stats);
        assert_true(stats.distinct > stats.evaluations / 4);
    }
    assert_true(stats.entropy > 0.5);
    end(&session);
    problem_fini(&session.problem);
}

static void test_rl_scores_all_of_a_small_space(void **state)
{
    (void)state;
    static const size_t shapes[][2] = {{4, 9}, {7, 9}};
    for (size_t s = 0; s < 2; s++) {
        struct session session;
        struct anole_candidate candidates[MOST];
        struct anole_explorer_stats stats;
        bool exact;
        problem_init(&session.problem, shapes[s][0], shapes[s][1]);
        problem_measure_random(&session.problem, 60, 1);
        begin(&session, anole_explorers()[0], 7);
        check(&session, candidates, propose(&session, candidates, MOST));
        session.ops->stats(session.explorer, &stats);
        double all = anole_space_count(session.problem.space, 1000000, &exact);
        assert_true((s == 0) == ((double)stats.distinct == all));
        assert_true((s == 0) == isnan(stats.entropy)); /* no agent at work */
        end(&session);
        problem_fini(&session.problem);
    }
}

static void test_local_goes_to_the_faster_neighbour(void **state)
{
    (void)state;
    struct session session;
    struct anole_candidate candidates[MOST];
    const struct anole_explorer_ops *ops;
    problem_init(&session.problem, 6, 8);
    problem_measure(&session.problem, anole_space_default(session.problem.space));
    assert_int_equal(anole_explorer_find(&ops, "local", NULL), ANOLE_DONE);
    begin(&session, ops, 3);
    double best = problem_seconds(&session.problem, anole_space_default(session.problem.space));
    for (int round = 0; round < 200; round++) {
        size_t count = propose(&session, candidates, 1);
        assert_int_equal(count, 1);
        problem_measure(&session.problem, candidates[0].config);
    }
    assert_true(anole_trials_best(session.problem.trials)->result.seconds < 0.7 * best);
    end(&session);
    problem_fini(&session.problem);
}

static void test_find_names_the_nearest(void **state)
{
    (void)state;
    const struct anole_explorer_ops *ops = NULL;
    struct anole_error error = {0};
    assert_int_equal(anole_explorer_find(&ops, "anealing", &error), ANOLE_ERR_USAGE);
    assert_null(ops);
    assert_non_null(strstr(error.text, "did you mean \"annealing\"?"));
    assert_non_null(strstr(error.text, "rl-untrained"));
    assert_string_equal(anole_explorers()[0]->name, "rl");
    for (const struct anole_explorer_ops *const *e = anole_explorers(); *e; e++) {
        assert_int_equal(anole_explorer_find(&ops, (*e)->name, NULL), ANOLE_DONE);
        assert_ptr_equal(ops, *e);
        assert_true(ops->batch > 0 && ops->summary && ops->sampler);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_propose_gives_new_valid_distinct_configs),
        cmocka_unit_test(test_propose_is_determined_by_seed),
        cmocka_unit_test(test_propose_beats_random_configs),
        cmocka_unit_test(test_propose_finds_what_the_model_likes),
        cmocka_unit_test(test_propose_copes_with_tiny_spaces),
        cmocka_unit_test(test_propose_copes_with_a_single_config),
        cmocka_unit_test(test_propose_copes_with_nothing_but_failures),
        cmocka_unit_test(test_stats_tell_what_a_proposal_cost),
        cmocka_unit_test(test_rl_does_not_collapse),
        cmocka_unit_test(test_rl_scores_all_of_a_small_space),
        cmocka_unit_test(test_local_goes_to_the_faster_neighbour),
        cmocka_unit_test(test_find_names_the_nearest),
    };
    anole_log_set_level(ANOLE_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
