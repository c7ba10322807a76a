/* SPDX-License-Identifier: MIT
 *
 * The agent in environments whose optimum is known.
 */
#include "search/ppo.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#define WALKERS 32
#define SEEDS 8

static const struct anole_ppo_options options = {
    .hidden = 20,
    .rate = 3e-3,
    .discount = 0.9,
    .gae = 0.95,
    .clip = 0.2,
    .value_coefficient = 1.0,
    .entropy_coefficient = 0.01,
    .max_norm = 0.5,
    .epochs = 4,
    .minibatch = 64,
};

/* What an agent is put into: an environment, its shape, and what the best policy
 * earns an episode. */
struct world {
    struct anole_ppo_environment environment;
    struct anole_ppo_shape shape;
    size_t horizon;
    double optimum;
    struct anole_rng rng;
    int state[WALKERS];
    size_t steps[WALKERS];
    size_t forbidden; /* choices made that the rules forbid */
};

static enum anole_status reset_anywhere(void *context, size_t walker, struct anole_error *error)
{
    struct world *world = context;
    (void)error;
    world->state[walker] = (int)anole_rng_below(&world->rng, 8);
    world->steps[walker] = 0;
    return ANOLE_DONE;
}

/* -- Bandit: in state s, choice (3 s + 1) mod 4 earns 1 -- */

static void see_state(void *context, size_t walker, float *items, float *critic, uint8_t *mask)
{
    const struct world *world = context;
    (void)mask;
    for (int i = 0; i < 8; i++)
        items[i] = critic[i] = world->state[walker] == i ? 1.0f : 0.0f;
}

static enum anole_status pull(void *context, size_t walker, const uint16_t *choices, double *reward,
                              bool *done, struct anole_error *error)
{
    struct world *world = context;
    (void)error;
    *reward = choices[0] == (3 * world->state[walker] + 1) % 4 ? 1.0 : 0.0;
    *done = true;
    return ANOLE_DONE;
}

static void make_bandit(struct world *world)
{
    *world = (struct world){
        .environment = {world, reset_anywhere, see_state, NULL, pull},
        .shape = {.items = 1, .width = 8, .outputs = 4, .heads = 1, .context = 8},
        .horizon = 1,
        .optimum = 1.0,
    };
    anole_rng_init(&world->rng, 99);
}

/* -- Corridor: eight places, the door is at the right end; a step costs 0.1 -- */

static enum anole_status wander(void *context, size_t walker, const uint16_t *choices,
                                double *reward, bool *done, struct anole_error *error)
{
    struct world *world = context;
    int *at = &world->state[walker];
    (void)error;
    *at += choices[0] ? 1 : -1;
    if (*at < 0)
        *at = 0;
    *done = *at >= 7;
    *reward = *done ? 1.0 : -0.1;
    return ANOLE_DONE;
}

static void make_corridor(struct world *world)
{
    *world = (struct world){
        .environment = {world, reset_anywhere, see_state, NULL, wander},
        .shape = {.items = 1, .width = 8, .outputs = 2, .heads = 1, .context = 8},
        .horizon = 30,
        /* From place s: 7 - s steps, at least one; the last one earns 1. */
        .optimum = 1.0 - 0.1 * (6 + 5 + 4 + 3 + 2 + 1 + 0 + 0) / 8.0,
    };
    anole_rng_init(&world->rng, 98);
}

/* -- Locks: five decisions at once, each right one earns 0.2 -- */

static enum anole_status turn(void *context, size_t walker, const uint16_t *choices, double *reward,
                              bool *done, struct anole_error *error)
{
    struct world *world = context;
    (void)error;
    *reward = 0.0;
    for (int head = 0; head < 5; head++)
        *reward += choices[head] == (world->state[walker] + head) % 3 ? 0.2 : 0.0;
    *done = true;
    return ANOLE_DONE;
}

static void make_locks(struct world *world)
{
    *world = (struct world){
        .environment = {world, reset_anywhere, see_state, NULL, turn},
        .shape = {.items = 1, .width = 8, .outputs = 15, .heads = 5, .context = 8},
        .horizon = 1,
        .optimum = 1.0,
    };
    anole_rng_init(&world->rng, 97);
}

/* -- Cards: six items, one network; the item with the mark, and the move that its
 * colour asks for, earn 1.  Where the mark is differs from step to step. -- */

static void see_cards(void *context, size_t walker, float *items, float *critic, uint8_t *mask)
{
    const struct world *world = context;
    (void)mask;
    for (int i = 0; i < 6; i++) {
        items[2 * i] = world->state[walker] % 6 == i ? 1.0f : 0.0f;
        items[2 * i + 1] = (world->state[walker] + i) % 2 ? 1.0f : -1.0f;
    }
    critic[0] = 1.0f;
}

static enum anole_status play(void *context, size_t walker, const uint16_t *choices, double *reward,
                              bool *done, struct anole_error *error)
{
    struct world *world = context;
    int *card = &world->state[walker], item = choices[0] / 2, move = choices[0] % 2;
    (void)error;
    *reward = *card % 6 == item && move == (*card + item) % 2 ? 1.0 : 0.0;
    *card = (int)anole_rng_below(&world->rng, 12);
    *done = false;
    return ANOLE_DONE;
}

static void make_cards(struct world *world)
{
    *world = (struct world){
        .environment = {world, reset_anywhere, see_cards, NULL, play},
        .shape = {.items = 6, .width = 2, .outputs = 2, .heads = 1, .context = 1},
        .horizon = 8,
        .optimum = 8.0,
    };
    anole_rng_init(&world->rng, 96);
}

/* -- Rules: a bandit in which half of the choices are forbidden -- */

static void see_rules(void *context, size_t walker, float *items, float *critic, uint8_t *mask)
{
    const struct world *world = context;
    see_state(context, walker, items, critic, mask);
    mask[world->state[walker] % 4] = 0; /* this one is known in advance */
}

static bool may(void *context, size_t walker, size_t head, size_t choice)
{
    const struct world *world = context;
    (void)head;
    return (int)choice != (world->state[walker] + 2) % 4; /* this one is not */
}

static enum anole_status obey(void *context, size_t walker, const uint16_t *choices, double *reward,
                              bool *done, struct anole_error *error)
{
    struct world *world = context;
    int state = world->state[walker];
    (void)error;
    world->forbidden += choices[0] == state % 4 || choices[0] == (state + 2) % 4;
    *reward = choices[0] == (state + 1) % 4 ? 1.0 : 0.0;
    *done = true;
    return ANOLE_DONE;
}

static void make_rules(struct world *world)
{
    *world = (struct world){
        .environment = {world, reset_anywhere, see_rules, may, obey},
        .shape = {.items = 1, .width = 8, .outputs = 4, .heads = 1, .context = 8},
        .horizon = 1,
        .optimum = 1.0,
    };
    anole_rng_init(&world->rng, 95);
}

/* -- */

static struct anole_ppo *make_agent(const struct world *world, uint64_t seed)
{
    struct anole_rng rng;
    struct anole_ppo *agent;
    anole_rng_init(&rng, seed);
    assert_int_equal(anole_ppo_create(&agent, &world->shape, &options, &rng, NULL), ANOLE_DONE);
    return agent;
}

static void train(struct anole_ppo *agent, struct world *world, int iterations)
{
    for (int i = 0; i < iterations; i++)
        assert_int_equal(
            anole_ppo_run(agent, &world->environment, WALKERS, world->horizon, true, NULL, NULL),
            ANOLE_DONE);
}

/* Mean reward of an episode, over some hundred, without learning. */
static double judge(struct anole_ppo *agent, struct world *world)
{
    double sum = 0.0;
    for (int i = 0; i < 10; i++) {
        struct anole_ppo_stats stats;
        assert_int_equal(
            anole_ppo_run(agent, &world->environment, WALKERS, world->horizon, false, &stats, NULL),
            ANOLE_DONE);
        sum += stats.reward / 10.0;
    }
    return sum;
}

/* Trains agents of several seeds; each is compared with itself untrained.  The
 * differences must be beyond doubt (Student's t over the seeds), and the trained
 * agents near the optimum. */
static void check_learning(void (*make)(struct world *), int iterations, double near)
{
    double sum = 0.0, squares = 0.0, trained_sum = 0.0;
    struct world world;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        make(&world);
        struct anole_ppo *agent = make_agent(&world, seed);
        double untrained = judge(agent, &world);
        train(agent, &world, iterations);
        double trained = judge(agent, &world);
        anole_ppo_destroy(agent);
        sum += trained - untrained;
        squares += (trained - untrained) * (trained - untrained);
        trained_sum += trained;
    }
    double mean = sum / SEEDS;
    double deviation = sqrt(fmax(squares / SEEDS - mean * mean, 0.0) * SEEDS / (SEEDS - 1));
    assert_true(mean > 5.0 * deviation / sqrt(SEEDS)); /* p < 0.001 for 8 seeds */
    assert_true(mean > 0.1);
    assert_true(trained_sum / SEEDS > near * world.optimum);
    assert_true(trained_sum / SEEDS <= world.optimum + 0.05);
}

static void test_run_learns_a_bandit(void **state)
{
    (void)state;
    check_learning(make_bandit, 150, 0.95);
}

static void test_run_learns_a_corridor(void **state)
{
    (void)state;
    check_learning(make_corridor, 60, 0.9);
}

static void test_run_learns_many_decisions_at_once(void **state)
{
    (void)state;
    check_learning(make_locks, 200, 0.9);
}

static void test_run_learns_with_one_network_for_all_items(void **state)
{
    (void)state;
    check_learning(make_cards, 60, 0.9);
}

static void test_run_learns_under_masks(void **state)
{
    (void)state;
    check_learning(make_rules, 100, 0.95);
}

static void test_run_never_makes_a_forbidden_choice(void **state)
{
    (void)state;
    struct world world;
    make_rules(&world);
    struct anole_ppo *agent = make_agent(&world, 1);
    train(agent, &world, 50);
    assert_int_equal(world.forbidden, 0);
    anole_ppo_destroy(agent);
}

static bool may_never(void *context, size_t walker, size_t head, size_t choice)
{
    (void)context;
    (void)walker;
    (void)head;
    (void)choice;
    return false;
}

static void test_run_ends_when_no_choice_is_left(void **state)
{
    (void)state;
    struct world world;
    make_corridor(&world);
    world.environment.allowed = may_never;
    struct anole_ppo *agent = make_agent(&world, 1);
    struct anole_ppo_stats stats;
    assert_int_equal(
        anole_ppo_run(agent, &world.environment, WALKERS, world.horizon, true, &stats, NULL),
        ANOLE_DONE);
    assert_true(stats.reward == 0.0);
    anole_ppo_destroy(agent);
}

static void test_run_is_determined_by_seed(void **state)
{
    (void)state;
    double rewards[3], entropies[3];
    for (int i = 0; i < 3; i++) {
        struct world world;
        struct anole_ppo_stats stats;
        make_cards(&world);
        struct anole_ppo *agent = make_agent(&world, i == 2 ? 8 : 7);
        train(agent, &world, 10);
        assert_int_equal(
            anole_ppo_run(agent, &world.environment, WALKERS, world.horizon, true, &stats, NULL),
            ANOLE_DONE);
        rewards[i] = stats.reward;
        entropies[i] = stats.entropy;
        anole_ppo_destroy(agent);
    }
    assert_true(rewards[0] == rewards[1] && entropies[0] == entropies[1]);
    assert_true(entropies[0] != entropies[2]);
}

static void test_entropy_is_that_of_a_uniform_policy_at_first(void **state)
{
    (void)state;
    struct world world;
    struct anole_ppo_stats stats;
    make_bandit(&world);
    struct anole_ppo *agent = make_agent(&world, 3);
    anole_ppo_run(agent, &world.environment, WALKERS, 1, false, &stats, NULL);
    assert_true(fabs(stats.entropy - log(4.0)) < 0.01);
    train(agent, &world, 150);
    anole_ppo_run(agent, &world.environment, WALKERS, 1, false, &stats, NULL);
    assert_true(stats.entropy < 0.5 * log(4.0));
    assert_int_equal(anole_ppo_forget(agent, NULL), ANOLE_DONE);
    anole_ppo_run(agent, &world.environment, WALKERS, 1, false, &stats, NULL);
    assert_true(fabs(stats.entropy - log(4.0)) < 0.01);
    anole_ppo_destroy(agent);
}

static void test_entropy_stays_high_under_a_large_bonus(void **state)
{
    (void)state;
    struct world world;
    struct anole_ppo_stats stats;
    make_bandit(&world);
    struct anole_ppo *agent = make_agent(&world, 3);
    anole_ppo_set_entropy_coefficient(agent, 10.0);
    assert_true(anole_ppo_entropy_coefficient(agent) == 10.0);
    train(agent, &world, 150);
    anole_ppo_run(agent, &world.environment, WALKERS, 1, false, &stats, NULL);
    assert_true(stats.entropy > 0.95 * log(4.0));
    anole_ppo_destroy(agent);
}

static void test_create_refuses_uneven_heads(void **state)
{
    (void)state;
    struct anole_ppo *agent = NULL;
    struct anole_rng rng;
    struct anole_error error = {0};
    anole_rng_init(&rng, 1);
    struct anole_ppo_shape shape = {.items = 1, .width = 2, .outputs = 5, .heads = 2, .context = 1};
    assert_int_equal(anole_ppo_create(&agent, &shape, &options, &rng, &error), ANOLE_ERR_INTERNAL);
    assert_null(agent);
    anole_ppo_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run_learns_a_bandit),
        cmocka_unit_test(test_run_learns_a_corridor),
        cmocka_unit_test(test_run_learns_many_decisions_at_once),
        cmocka_unit_test(test_run_learns_with_one_network_for_all_items),
        cmocka_unit_test(test_run_learns_under_masks),
        cmocka_unit_test(test_run_never_makes_a_forbidden_choice),
        cmocka_unit_test(test_run_ends_when_no_choice_is_left),
        cmocka_unit_test(test_run_is_determined_by_seed),
        cmocka_unit_test(test_entropy_is_that_of_a_uniform_policy_at_first),
        cmocka_unit_test(test_entropy_stays_high_under_a_large_bonus),
        cmocka_unit_test(test_create_refuses_uneven_heads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
