/* SPDX-License-Identifier: MIT
 *
 * Batches and comparisons in worker processes, with kernels of every kind of
 * badness among them.
 */
#include "measure_fixture.h"

#include "base/clock.h"

#include "measure/batch.h"
#include "measure/compare.h"

#include <math.h>

#define MAX_CONFIGS 64

struct bench {
    char *folder;
    struct anole_registry *registry;
    struct anole_task task;
    struct anole_generator *generator;
    const struct anole_space *space;
    struct anole_measure *measure;
    struct anole_measure_options options;
    /* what the sink got */
    struct anole_result results[MAX_CONFIGS];
    unsigned seen[MAX_CONFIGS];
    size_t order[MAX_CONFIGS];
    size_t count;
    size_t stop_after; /* results; 0: never */
};

static void open_measure(struct bench *bench)
{
    struct anole_error error = {.status = ANOLE_DONE};
    assert_done(anole_measure_create(&bench->measure, bench->registry, &bench->registry->devices[0],
                                     &bench->options, &error));
}

static void open_bench(struct bench *bench, const char *plugin)
{
    struct anole_error error = {.status = ANOLE_DONE};
    memset(bench, 0, sizeof *bench);
    bench->folder = make_folder();
    add_plugins(bench->folder, plugin);
    bench->registry = registry_of(bench->folder);
    assert_int_equal(bench->registry->device_count, 1);
    bench->task = parse_task(SMALL_TASK);
    assert_done(anole_generator_create(&bench->generator, bench->registry->entries[0].backend,
                                       &bench->registry->devices[0].device, &bench->task, &error));
    bench->space = anole_generator_space(bench->generator);
    bench->options = (struct anole_measure_options){.build_workers = 2,
                                                    .threads = 1,
                                                    .seed = 1,
                                                    .build_limit = 1.5,
                                                    .run_limit = 1.5,
                                                    .sample_time = 1e-3};
    open_measure(bench);
}

static void close_bench(struct bench *bench)
{
    anole_measure_destroy(bench->measure);
    anole_generator_destroy(bench->generator);
    anole_registry_destroy(bench->registry);
    drop_folder(bench->folder);
}

static uint64_t config_of(const struct bench *bench, int64_t tile, int64_t slow, const char *deed)
{
    static const char *const names[] = {"tile", "slow", "deed"};
    int64_t values[3] = {tile, slow, 0};
    size_t knobs = anole_space_knob_count(bench->space);
    uint64_t config = 0;
    struct anole_error error = {.status = ANOLE_DONE};
    if (knobs == 3) {
        const struct anole_space_knob *knob = anole_space_knob(bench->space, 2);
        uint32_t i = 0;
        while (i < knob->count && strcmp(knob->labels[i], deed) != 0)
            i++;
        assert_true(i < knob->count);
        values[2] = knob->values[i];
    }
    assert_done(anole_space_lookup(bench->space, &config, names, values, knobs, &error));
    return config;
}

static enum anole_status take(void *context, size_t index, uint64_t config,
                              const struct anole_result *result, struct anole_error *error)
{
    struct bench *bench = context;
    (void)config;
    bench->results[index] = *result;
    bench->seen[index]++;
    bench->order[bench->count++] = index;
    if (bench->stop_after && bench->count == bench->stop_after)
        return anole_fail(error, ANOLE_ERR_SYSTEM, "the disk is full");
    return ANOLE_DONE;
}

static void run(struct bench *bench, const uint64_t *configs, size_t count)
{
    struct anole_error error = {.status = ANOLE_DONE};
    bench->count = 0;
    memset(bench->seen, 0, sizeof bench->seen);
    assert_done(anole_measure_batch(bench->measure, bench->generator, configs, count, NAN, take,
                                    bench, &error));
    assert_int_equal(bench->count, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(bench->seen[i], 1); /* each once */
}

static struct anole_measure_cost cost_of(const struct bench *bench)
{
    struct anole_measure_cost cost;
    anole_measure_cost(bench->measure, &cost);
    return cost;
}

static void compare(struct bench *bench, const uint64_t *configs, size_t count,
                    struct anole_result *results, double **samples, size_t *rounds)
{
    struct anole_error error = {.status = ANOLE_DONE};
    assert_done(anole_measure_compare(bench->measure, bench->generator, configs, count, 0.01, 4,
                                      results, samples, rounds, &error));
    assert_true(*rounds >= 4);
}

static void test_measure_right_kernels(void **state)
{
    (void)state;
    static const char *const plugins[] = {"good", "plain", "event"};
    for (size_t p = 0; p < 3; p++) {
        struct bench bench;
        uint64_t configs[4];
        open_bench(&bench, plugins[p]);
        for (int i = 0; i < 4; i++)
            configs[i] = config_of(&bench, 1 << i, 0, "none");
        run(&bench, configs, 4);
        for (int i = 0; i < 4; i++) {
            assert_int_equal(bench.results[i].outcome, ANOLE_OUTCOME_OK);
            assert_true(bench.results[i].seconds > 0);
            assert_true(bench.results[i].error <= 1);
        }
        run(&bench, configs, 1); /* a batch of one; and the workers are still there */
        /* the preparer, the timer, and builders where builds travel */
        assert_in_range(cost_of(&bench).workers_started, 2, p == 1 ? 2 : 4);
        assert_int_equal(cost_of(&bench).workers_lost, 0);
        close_bench(&bench);
    }
}

static const struct {
    const char *deed;
    enum anole_outcome outcome;
    const char *words;
} deeds[] = {
    {"none", ANOLE_OUTCOME_OK, ""},
    {"refuse", ANOLE_OUTCOME_INVALID, "refused on purpose"},
    {"no_compile", ANOLE_OUTCOME_COMPILE, "this is no kernel"},
    {"crash_build", ANOLE_OUTCOME_CRASH, "SIGSEGV"},
    {"crash_build", ANOLE_OUTCOME_CRASH, "while building the kernel"},
    {"crash_build", ANOLE_OUTCOME_CRASH, "the compiler is confused"},
    {"hang_build", ANOLE_OUTCOME_TIMEOUT, "building the kernel took longer than 1.5 s"},
    {"exit_build", ANOLE_OUTCOME_CRASH, "exited with code 7 while building"},
    {"crash_run", ANOLE_OUTCOME_CRASH, "SIGFPE"},
    {"crash_run", ANOLE_OUTCOME_CRASH, "while running the kernel"},
    {"crash_run", ANOLE_OUTCOME_CRASH, "about to divide by zero"},
    {"hang_run", ANOLE_OUTCOME_TIMEOUT, "running the kernel took longer than 1.5 s"},
    {"exit_run", ANOLE_OUTCOME_CRASH, "exited with code 3 while running"},
    {"refuse_run", ANOLE_OUTCOME_LAUNCH, "the queue is jammed"},
    {"lose_device", ANOLE_OUTCOME_CRASH, "it fell off the bus"},
    {"write_before", ANOLE_OUTCOME_WRONG_ANSWER, "in front of its output"},
    {"write_behind", ANOLE_OUTCOME_WRONG_ANSWER, "behind its output"},
    {"write_input", ANOLE_OUTCOME_WRONG_ANSWER, "is wrong"},
    {"wrong", ANOLE_OUTCOME_WRONG_ANSWER, "is wrong on the first run"},
    {"nan", ANOLE_OUTCOME_WRONG_ANSWER, "nan"},
    {"negative_time", ANOLE_OUTCOME_LAUNCH, "-1 s"},
    {"nan_time", ANOLE_OUTCOME_LAUNCH, "nan s"},
    {"scribble", ANOLE_OUTCOME_CRASH, "sent nonsense"},
    {"flood", ANOLE_OUTCOME_OK, ""},
    {"print", ANOLE_OUTCOME_OK, ""},
    {"leave_child", ANOLE_OUTCOME_OK, ""},
    {"talk", ANOLE_OUTCOME_OK, ""},
    {"none", ANOLE_OUTCOME_OK, ""},
};
#define DEEDS (sizeof deeds / sizeof *deeds)

static void test_tell_each_misdeed(void **state)
{
    (void)state;
    struct bench bench;
    uint64_t configs[DEEDS];
    open_bench(&bench, "naughty");
    for (size_t i = 0; i < DEEDS; i++)
        configs[i] = config_of(&bench, 1, 0, deeds[i].deed);
    anole_log_set_level(ANOLE_LEVEL_ERROR); /* plugins talk */
    run(&bench, configs, DEEDS);
    anole_log_set_level(ANOLE_LEVEL_INFO);
    for (size_t i = 0; i < DEEDS; i++) {
        const struct anole_result *result = &bench.results[i];
        if (result->outcome != deeds[i].outcome)
            fail_msg("%s: %s: %s", deeds[i].deed, anole_outcome_text(result->outcome),
                     result->message);
        assert_contains(result->message, deeds[i].words);
    }
    assert_true(cost_of(&bench).workers_lost >= 10);
    close_bench(&bench);
}

/* What one worker found out about its events, another one has to know. */
static void test_one_clock_a_task(void **state)
{
    (void)state;
    struct bench bench;
    uint64_t configs[4];
    struct anole_result results[4];
    double *samples = NULL;
    size_t rounds;
    open_bench(&bench, "fading_events");
    for (int i = 0; i < 4; i++)
        configs[i] = config_of(&bench, 1 << i, 0, "none");
    run(&bench, configs, 4);
    for (int i = 0; i < 4; i++)
        assert_int_equal(bench.results[i].outcome, i < 2 ? ANOLE_OUTCOME_OK : ANOLE_OUTCOME_LAUNCH);
    assert_int_equal(bench.results[1].timer, ANOLE_TIMER_PROFILING);
    assert_contains(bench.results[3].message, "clocks are not mixed");
    compare(&bench, configs, 2, results, &samples, &rounds);
    free(samples);
    assert_int_equal(results[0].timer, ANOLE_TIMER_PROFILING);
    anole_measure_set_timer(bench.measure, ANOLE_TIMER_HOST);
    run(&bench, configs, 4);
    for (int i = 0; i < 4; i++)
        assert_int_equal(bench.results[i].timer, ANOLE_TIMER_HOST);
    anole_measure_set_timer(bench.measure, ANOLE_TIMER_UNSAID);
    run(&bench, configs + 3, 1);
    run(&bench, configs, 1);
    assert_int_equal(bench.results[0].timer, ANOLE_TIMER_HOST);
    close_bench(&bench);
}

static void test_keep_order_and_times_of_simulated_device(void **state)
{
    (void)state;
    struct bench bench;
    uint64_t configs[7];
    size_t count = 0;
    open_bench(&bench, "simulated");
    for (int tile = 8; tile >= 1; tile /= 2)
        for (int slow = 0; slow < (tile == 8 ? 1 : 2); slow++)
            configs[count++] = config_of(&bench, tile, slow, "none");
    run(&bench, configs, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(bench.order[i], i);
        assert_true(bench.results[i].simulated);
    }
    assert_true(bench.results[0].seconds == 1e-3 / 8);
    assert_true(bench.results[count - 1].seconds == 5e-3);
    assert_int_equal(cost_of(&bench).workers_started, 1);
    close_bench(&bench);
}

static void test_replace_worker_that_grows(void **state)
{
    (void)state;
    struct bench bench;
    uint64_t configs[40];
    open_bench(&bench, "good");
    anole_measure_destroy(bench.measure);
    bench.options.worker_memory = 1;
    open_measure(&bench);
    for (size_t i = 0; i < 40; i++)
        configs[i] = config_of(&bench, 1, 0, "none");
    run(&bench, configs, 40);
    for (size_t i = 0; i < 40; i++)
        assert_int_equal(bench.results[i].outcome, ANOLE_OUTCOME_OK);
    assert_true(cost_of(&bench).workers_recycled >= 2);
    assert_int_equal(cost_of(&bench).workers_lost, 0);
    close_bench(&bench);
}

/* Configs with one source are built once: within a batch, after it, and in a comparison. */
static void test_build_once_for_all_that_share(void **state)
{
    (void)state;
    struct bench bench;
    struct anole_result results[4];
    double *samples;
    size_t rounds;
    open_bench(&bench, "idle_knob"); /* whose knob `slow` is not in the source */
    const uint64_t configs[4] = {config_of(&bench, 1, 0, "none"), config_of(&bench, 1, 1, "none"),
                                 config_of(&bench, 2, 0, "none"), config_of(&bench, 2, 1, "none")};
    run(&bench, configs, 2); /* no worker but the one that times, and the preparer */
    assert_int_equal(cost_of(&bench).executables, 1);
    assert_int_equal(cost_of(&bench).workers_started, 2);
    run(&bench, configs, 4);
    assert_int_equal(cost_of(&bench).executables, 2);
    assert_int_equal(cost_of(&bench).workers_started, 2);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(bench.results[i].outcome, ANOLE_OUTCOME_OK);
    assert_true(bench.results[1].seconds > bench.results[0].seconds); /* each is itself */
    compare(&bench, configs, 4, results, &samples, &rounds);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(results[i].outcome, ANOLE_OUTCOME_OK);
    free(samples);
    assert_int_equal(cost_of(&bench).executables, 2);
    close_bench(&bench);
}

/* What the compiler refuses, all refuse that share it; what ends a worker, each may. */
static void test_share_what_a_build_comes_to(void **state)
{
    (void)state;
    static const struct {
        const char *plugin;
        enum anole_outcome outcome;
        size_t lost;
    } cases[] = {{"no_compile", ANOLE_OUTCOME_COMPILE, 0},
                 {"hang_build", ANOLE_OUTCOME_TIMEOUT, 2},
                 {"crash_build", ANOLE_OUTCOME_CRASH, 8}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench bench;
        uint64_t configs[8];
        open_bench(&bench, cases[i].plugin);
        for (size_t k = 0; k < 8; k++)
            configs[k] = config_of(&bench, 1 + (int64_t)(k % 2), 0, "none");
        anole_log_set_level(ANOLE_LEVEL_ERROR);
        run(&bench, configs, 8);
        anole_log_set_level(ANOLE_LEVEL_INFO);
        for (size_t k = 0; k < 8; k++)
            assert_int_equal(bench.results[k].outcome, cases[i].outcome);
        assert_int_equal(cost_of(&bench).executables, 0);
        assert_int_equal(cost_of(&bench).workers_lost, cases[i].lost);
        close_bench(&bench);
    }
}

static void test_give_up_on_device_that_does_not_open(void **state)
{
    (void)state;
    static const struct {
        const char *trouble, *words;
    } cases[] = {{"fail", "somebody took the device away"}, {"crash", "SIGSEGV"}};
    for (size_t i = 0; i < 2; i++) {
        struct bench bench;
        struct anole_error error = {.status = ANOLE_DONE};
        open_bench(&bench, "good");
        uint64_t configs[2] = {config_of(&bench, 1, 0, "none"), config_of(&bench, 2, 0, "none")};
        setenv("ANOLE_TEST_OPEN", cases[i].trouble, 1);
        assert_int_equal(anole_measure_batch(bench.measure, bench.generator, configs, 2, NAN, take,
                                             &bench, &error),
                         ANOLE_ERR_WORKER);
        unsetenv("ANOLE_TEST_OPEN");
        assert_contains(error.text, "Test Device 0 is of no use");
        assert_contains(error.text, cases[i].words);
        assert_int_equal(bench.count, 0);
        run(&bench, configs, 2); /* and now it does */
        close_bench(&bench);
    }
}

static void test_pass_on_what_sink_says(void **state)
{
    (void)state;
    struct bench bench;
    struct anole_error error = {.status = ANOLE_DONE};
    open_bench(&bench, "good");
    uint64_t configs[3];
    for (int i = 0; i < 3; i++)
        configs[i] = config_of(&bench, 1 << i, 0, "none");
    bench.stop_after = 1;
    assert_int_equal(
        anole_measure_batch(bench.measure, bench.generator, configs, 3, NAN, take, &bench, &error),
        ANOLE_ERR_SYSTEM);
    assert_string_equal(error.text, "the disk is full");
    assert_int_equal(bench.count, 1);
    bench.stop_after = 0;
    run(&bench, configs, 3);
    close_bench(&bench);
}

static void test_switch_tasks_between_batches(void **state)
{
    (void)state;
    struct bench bench;
    struct anole_generator *small, *other;
    struct anole_error error = {.status = ANOLE_DONE};
    open_bench(&bench, "good");
    struct anole_task task = parse_task(OTHER_TASK);
    assert_done(anole_generator_create(&other, bench.registry->entries[0].backend,
                                       &bench.registry->devices[0].device, &task, &error));
    uint64_t configs[2] = {config_of(&bench, 1, 0, "none"), config_of(&bench, 2, 0, "none")};
    small = bench.generator;
    for (int i = 0; i < 4; i++) {
        bench.generator = i % 2 ? other : small;
        run(&bench, configs, 2);
        assert_int_equal(bench.results[0].outcome, ANOLE_OUTCOME_OK);
        assert_int_equal(bench.results[1].outcome, ANOLE_OUTCOME_OK);
    }
    /* Each task's reference was computed once. */
    assert_true(cost_of(&bench).workers_started <= 5);
    bench.generator = small;
    anole_generator_destroy(other);
    close_bench(&bench);
}

static void test_measure_nothing(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, "good");
    run(&bench, NULL, 0);
    assert_int_equal(cost_of(&bench).workers_started, 0);
    close_bench(&bench);
    anole_measure_destroy(NULL);
}

/* -- Comparing -- */

static void test_compare_in_turn(void **state)
{
    (void)state;
    struct bench bench;
    struct anole_result results[3];
    double *samples;
    size_t rounds;
    open_bench(&bench, "good");
    uint64_t configs[3] = {config_of(&bench, 1, 1, "none"), config_of(&bench, 2, 0, "none"),
                           config_of(&bench, 4, 0, "none")};
    for (int again = 0; again < 2; again++) {
        compare(&bench, configs, 3, results, &samples, &rounds);
        for (int i = 0; i < 3; i++) {
            assert_int_equal(results[i].outcome, ANOLE_OUTCOME_OK);
            assert_int_equal(results[i].samples, rounds);
            assert_true(results[i].low <= results[i].seconds);
            for (size_t round = 0; round < rounds; round++)
                assert_true(samples[(size_t)i * rounds + round] > 0);
        }
        assert_true(results[0].seconds > 0.01); /* the slow one */
        free(samples);
    }
    run(&bench, configs, 3);
    close_bench(&bench);
}

static void test_compare_on_after_one_fails(void **state)
{
    (void)state;
    struct bench bench;
    struct anole_result results[5];
    double *samples;
    size_t rounds;
    open_bench(&bench, "naughty");
    uint64_t configs[5] = {config_of(&bench, 1, 0, "none"), config_of(&bench, 1, 0, "wrong"),
                           config_of(&bench, 1, 1, "crash_later"),
                           config_of(&bench, 1, 0, "crash_build"), config_of(&bench, 2, 0, "none")};
    compare(&bench, configs, 5, results, &samples, &rounds);
    assert_int_equal(results[0].outcome, ANOLE_OUTCOME_OK);
    assert_int_equal(results[1].outcome, ANOLE_OUTCOME_WRONG_ANSWER);
    assert_int_equal(results[2].outcome, ANOLE_OUTCOME_CRASH);
    assert_contains(results[2].message, "while timing the kernel");
    assert_int_equal(results[3].outcome, ANOLE_OUTCOME_CRASH);
    assert_int_equal(results[4].outcome, ANOLE_OUTCOME_OK);
    for (size_t round = 0; round < rounds; round++) {
        assert_true(samples[round] > 0);
        for (size_t i = 1; i < 4; i++)
            assert_true(isnan(samples[i * rounds + round]));
        assert_true(samples[4 * rounds + round] > 0);
    }
    free(samples);
    close_bench(&bench);
}

static void test_compare_nothing_that_works(void **state)
{
    (void)state;
    struct bench bench;
    struct anole_result results[2];
    double *samples = NULL;
    size_t rounds = 99;
    struct anole_error error = {.status = ANOLE_DONE};
    open_bench(&bench, "naughty");
    uint64_t configs[2] = {config_of(&bench, 1, 0, "wrong"), config_of(&bench, 1, 0, "refuse")};
    assert_done(anole_measure_compare(bench.measure, bench.generator, configs, 2, 0.01, 4, results,
                                      &samples, &rounds, &error));
    assert_int_equal(rounds, 0);
    assert_int_equal(results[0].outcome, ANOLE_OUTCOME_WRONG_ANSWER);
    assert_int_equal(results[1].outcome, ANOLE_OUTCOME_INVALID);
    free(samples);
    close_bench(&bench);
}

static void test_compare_simulated_for_rounds_alone(void **state)
{
    (void)state;
    struct bench bench;
    struct anole_result results[2];
    double *samples;
    size_t rounds;
    open_bench(&bench, "simulated");
    uint64_t configs[2] = {config_of(&bench, 1, 0, "none"), config_of(&bench, 4, 0, "none")};
    compare(&bench, configs, 2, results, &samples, &rounds);
    assert_int_equal(rounds, 4);
    assert_true(results[0].seconds == 1e-3 && results[1].seconds == 1e-3 / 4);
    assert_true(results[0].simulated);
    free(samples);
    close_bench(&bench);
}

/* Stands still for two seconds, once. */
static bool stand_still(void *context)
{
    int *polls = context;
    if (++*polls == 10)
        sleep(2);
    return false;
}

/* A tuner that is stopped, with its workers, has not waited for them. */
static void test_time_of_standing_still_does_not_count(void **state)
{
    (void)state;
    int polls = 0;
    struct bench bench;
    open_bench(&bench, "naughty");
    anole_measure_destroy(bench.measure);
    bench.options.stop = stand_still;
    bench.options.stop_context = &polls;
    open_measure(&bench);
    uint64_t config = config_of(&bench, 1, 0, "hang_run");
    double start = anole_clock();
    run(&bench, &config, 1);
    assert_int_equal(bench.results[0].outcome, ANOLE_OUTCOME_TIMEOUT);
    assert_true(anole_clock() - start > 2.0 + 1.4);
    close_bench(&bench);
}

/* Gives the device back once the measure has waited for a while. */
static bool give_back(void *context)
{
    int *polls = context;
    if (++*polls == 40)
        unsetenv("ANOLE_TEST_OPEN");
    return false;
}

/* A device that was lost is waited for, and the trial in hand has another chance. */
static void test_wait_for_device_that_is_lost(void **state)
{
    (void)state;
    int polls = 0;
    struct bench bench;
    struct anole_error error = {.status = ANOLE_DONE};
    open_bench(&bench, "naughty");
    anole_measure_destroy(bench.measure);
    bench.options.lost_limit = 30.0;
    bench.options.stop = give_back;
    bench.options.stop_context = &polls;
    open_measure(&bench);
    uint64_t first = config_of(&bench, 1, 0, "none");
    uint64_t configs[] = {config_of(&bench, 1, 0, "lose_device"), config_of(&bench, 2, 0, "none")};
    run(&bench, &first, 1);
    polls = 0;
    setenv("ANOLE_TEST_OPEN", "fail", 1);
    run(&bench, configs, 2);
    assert_int_equal(bench.results[0].outcome, ANOLE_OUTCOME_CRASH); /* both times */
    assert_int_equal(bench.results[1].outcome, ANOLE_OUTCOME_OK);
    assert_true(polls > 40);
    assert_null(getenv("ANOLE_TEST_OPEN"));
    /* And one that stays away is given up. */
    anole_measure_destroy(bench.measure);
    bench.options.lost_limit = 1.0;
    bench.options.stop = NULL;
    open_measure(&bench);
    run(&bench, &first, 1);
    setenv("ANOLE_TEST_OPEN", "fail", 1);
    assert_int_equal(
        anole_measure_batch(bench.measure, bench.generator, configs, 2, NAN, take, &bench, &error),
        ANOLE_ERR_WORKER);
    unsetenv("ANOLE_TEST_OPEN");
    assert_contains(error.text, "Test Device 0 was lost, and did not come back within 1 s");
    assert_contains(error.text, "somebody took the device away");
    close_bench(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_measure_right_kernels),
        cmocka_unit_test(test_tell_each_misdeed),
        cmocka_unit_test(test_one_clock_a_task),
        cmocka_unit_test(test_keep_order_and_times_of_simulated_device),
        cmocka_unit_test(test_replace_worker_that_grows),
        cmocka_unit_test(test_build_once_for_all_that_share),
        cmocka_unit_test(test_share_what_a_build_comes_to),
        cmocka_unit_test(test_give_up_on_device_that_does_not_open),
        cmocka_unit_test(test_wait_for_device_that_is_lost),
        cmocka_unit_test(test_time_of_standing_still_does_not_count),
        cmocka_unit_test(test_pass_on_what_sink_says),
        cmocka_unit_test(test_switch_tasks_between_batches),
        cmocka_unit_test(test_measure_nothing),
        cmocka_unit_test(test_compare_in_turn),
        cmocka_unit_test(test_compare_on_after_one_fails),
        cmocka_unit_test(test_compare_nothing_that_works),
        cmocka_unit_test(test_compare_simulated_for_rounds_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
