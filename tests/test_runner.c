/* SPDX-License-Identifier: MIT
 *
 * One trial, in this process, with plugins that misbehave in ways that a process
 * survives.
 */
#include "measure_fixture.h"

#include "exec/guarded.h"
#include "op/reference.h"
#include "op/roles.h"
#include "exec/runner.h"
#include "plugin/generator.h"

#include <math.h>

struct bench {
    struct anole_backend *backend;
    struct anole_device device;
    struct anole_task task;
    struct anole_task_data *data;
    struct anole_generator *generator;
    struct anole_runner *runner;
    uint32_t stages; /* a bit for each that was announced */
};

static void note_stage(void *context, enum anole_stage stage, uint32_t slot)
{
    struct bench *bench = context;
    (void)slot;
    bench->stages |= 1u << stage;
}

static void open_bench(struct bench *bench, const char *plugin, const char *task)
{
    struct anole_error error = {.status = ANOLE_DONE};
    memset(bench, 0, sizeof *bench);
    bench->backend = load_backend(plugin);
    bench->device = probe_device(bench->backend);
    bench->task = parse_task(task);
    const struct anole_target_options options = {
        .sample_time = 1e-3, .stage = note_stage, .context = bench};
    assert_done(anole_generator_create(&bench->generator, bench->backend, &bench->device,
                                       &bench->task, &error));
    assert_done(
        anole_runner_create(&bench->runner, bench->backend, "", &bench->device, &options, &error));
    if (!(bench->device.flags & ANOLE_DEVICE_SIMULATED))
        assert_done(anole_task_data_create(&bench->data, &bench->task, 1, 1, &error));
    anole_runner_set_task(bench->runner, &bench->task, bench->data);
}

static void close_bench(struct bench *bench)
{
    anole_runner_destroy(bench->runner);
    anole_task_data_destroy(bench->data);
    anole_generator_destroy(bench->generator);
    anole_backend_destroy(bench->backend);
}

/* The values of a config: knobs that are not named have their first value. */
static size_t values_of(const struct bench *bench, int64_t *values, int64_t tile, int64_t slow,
                        const char *deed)
{
    const struct anole_space *space = anole_generator_space(bench->generator);
    values[0] = tile;
    values[1] = slow;
    if (anole_space_knob_count(space) < 3)
        return 2;
    const struct anole_space_knob *knob = anole_space_knob(space, 2);
    for (uint32_t i = 0; i < knob->count; i++) {
        if (strcmp(knob->labels[i], deed) == 0) {
            values[2] = knob->values[i];
            return 3;
        }
    }
    fail_msg("there is no deed %s", deed);
    return 0;
}

static struct anole_result try(struct bench *bench, int64_t tile, int64_t slow, const char *deed,
                               double best)
{
    int64_t values[3];
    struct anole_result result;
    struct anole_error error = {.status = ANOLE_DONE};
    size_t count = values_of(bench, values, tile, slow, deed);
    assert_done(anole_runner_trial(bench->runner, values, count, NULL, 0, best, &result, &error));
    return result;
}

static void expect(struct bench *bench, int64_t tile, const char *deed, enum anole_outcome outcome,
                   const char *words)
{
    struct anole_result result = try(bench, tile, 0, deed, NAN);
    if (result.outcome != outcome)
        fail_msg("%s: %s, %s", deed, anole_outcome_text(result.outcome), result.message);
    assert_contains(result.message, words);
    if (outcome == ANOLE_OUTCOME_OK) {
        assert_true(result.seconds > 0);
        assert_true(result.low <= result.seconds && result.seconds <= result.high);
        assert_true(result.error <= 1);
        assert_true(result.samples >= 3);
    } else {
        assert_true(isnan(result.seconds) && isnan(result.low) && isnan(result.high));
        assert_int_equal(result.samples, 0);
    }
}

static struct anole_usage usage_of(const struct bench *bench)
{
    struct anole_usage usage;
    anole_runner_usage(bench->runner, &usage);
    return usage;
}

static void test_time_right_kernels(void **state)
{
    (void)state;
    static const char *const tasks[] = {SMALL_TASK, OTHER_TASK,
                                        "conv2d n2 9x7x6 k3x2 s2x1 p1,0,0,1 d2x1 g3 o6 f32"};
    for (size_t i = 0; i < 3; i++) {
        struct bench bench;
        open_bench(&bench, "good", tasks[i]);
        for (int64_t tile = 1; tile <= 8; tile *= 2) /* plain, packed, workspace, plain */
            expect(&bench, tile, "none", ANOLE_OUTCOME_OK, "");
        assert_int_equal(usage_of(&bench).builds, 4);
        assert_false(usage_of(&bench).tainted);
        close_bench(&bench);
    }
}

#define HALF_TASK "conv2d n1 6x6x4 k3x3 s1x1 p1,1,1,1 d1x1 g1 o7 f16 bias residual relu"

/* Everything that is told of floats holds for halves; an odd number of them, too. */
static void test_halves_are_bound_verified_and_guarded(void **state)
{
    (void)state;
#ifdef __FLT16_MANT_DIG__
    struct bench bench;
    open_bench(&bench, "halves", HALF_TASK);
    for (int64_t tile = 1; tile <= 8; tile *= 2) /* plain, packed, workspace, plain */
        expect(&bench, tile, "none", ANOLE_OUTCOME_OK, "");
    expect(&bench, 1, "unwritten", ANOLE_OUTCOME_WRONG_ANSWER, "[0][0][0][3] was never written");
    expect(&bench, 1, "wrong", ANOLE_OUTCOME_WRONG_ANSWER, "on the first run: expected");
    expect(&bench, 1, "write_input", ANOLE_OUTCOME_WRONG_ANSWER, "after many runs: expected");
    assert_false(usage_of(&bench).tainted);
    expect(&bench, 1, "write_before", ANOLE_OUTCOME_WRONG_ANSWER, "in front of its output");
    expect(&bench, 1, "write_behind", ANOLE_OUTCOME_WRONG_ANSWER, "behind its output");
    expect(&bench, 2, "bad_pack", ANOLE_OUTCOME_INVALID, "packing the weights wrote beyond");
    expect(&bench, 1, "none", ANOLE_OUTCOME_OK, "");
    close_bench(&bench);
#else
    skip();
#endif
}

/* A backend that cannot says so; nobody else is asked to run a half as a float. */
static void test_halves_are_refused_where_there_are_none(void **state)
{
    (void)state;
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_backend *backend = load_backend("good");
    struct anole_device device = probe_device(backend);
    struct anole_task task = parse_task(HALF_TASK);
    struct anole_generator *generator = NULL;
    assert_false(anole_backend_supports(backend, &device, &task));
    assert_int_equal(anole_generator_create(&generator, backend, &device, &task, &error),
                     ANOLE_ERR_INPUT);
    assert_contains(error.text, "f16");
    assert_contains(error.text, "ask for fp32");
    anole_backend_destroy(backend);
}

static void test_announce_stages(void **state)
{
    (void)state;
    static const enum anole_stage expected[] = {
        ANOLE_STAGE_TASK, ANOLE_STAGE_GENERATE, ANOLE_STAGE_BUILD, ANOLE_STAGE_TRANSFER,
        ANOLE_STAGE_RUN,  ANOLE_STAGE_VERIFY,   ANOLE_STAGE_TIME,  ANOLE_STAGE_RELEASE};
    struct bench bench;
    open_bench(&bench, "good", SMALL_TASK);
    expect(&bench, 1, "none", ANOLE_OUTCOME_OK, "");
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        assert_true(bench.stages & 1u << expected[i]);
    close_bench(&bench);
}

static void test_name_what_kernel_did_wrong(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, "naughty", SMALL_TASK);
    expect(&bench, 1, "refuse", ANOLE_OUTCOME_INVALID, "refused on purpose");
    expect(&bench, 1, "bad_launch", ANOLE_OUTCOME_INVALID, "no multiple");
    expect(&bench, 1, "no_compile", ANOLE_OUTCOME_COMPILE, "error: this is no kernel");
    expect(&bench, 1, "refuse_run", ANOLE_OUTCOME_LAUNCH, "the queue is jammed");
    expect(&bench, 1, "wrong", ANOLE_OUTCOME_WRONG_ANSWER, "on the first run: expected");
    expect(&bench, 1, "wrong_later", ANOLE_OUTCOME_WRONG_ANSWER, "after many runs: expected");
    expect(&bench, 1, "unwritten", ANOLE_OUTCOME_WRONG_ANSWER, "[0][0][0][3] was never written");
    expect(&bench, 1, "nan", ANOLE_OUTCOME_WRONG_ANSWER, "found nan");
    expect(&bench, 1, "negative_time", ANOLE_OUTCOME_LAUNCH, "host time of -1 s");
    expect(&bench, 1, "nan_time", ANOLE_OUTCOME_LAUNCH, "nan s");
    assert_false(usage_of(&bench).tainted);
    close_bench(&bench);
}

static void test_find_writes_out_of_bounds(void **state)
{
    (void)state;
    static const struct {
        const char *deed, *words;
    } cases[] = {{"write_before", "in front of its output"},
                 {"write_behind", "behind its output"},
                 {"write_workspace", "behind its workspace"}};
    for (size_t i = 0; i < 3; i++) {
        struct bench bench;
        open_bench(&bench, "naughty", SMALL_TASK);
        expect(&bench, 4, cases[i].deed, ANOLE_OUTCOME_WRONG_ANSWER, cases[i].words);
        assert_true(usage_of(&bench).tainted);
        expect(&bench, 4, "none", ANOLE_OUTCOME_OK, ""); /* the guards are restored */
        close_bench(&bench);
    }
}

static void test_find_pack_out_of_bounds(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, "naughty", SMALL_TASK);
    expect(&bench, 2, "bad_pack", ANOLE_OUTCOME_INVALID, "packing the weights wrote beyond");
    assert_true(usage_of(&bench).tainted);
    close_bench(&bench);
}

static void test_blame_nobody_for_input_changed_by_another(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, "naughty", SMALL_TASK);
    expect(&bench, 1, "none", ANOLE_OUTCOME_OK, "");
    expect(&bench, 1, "write_input", ANOLE_OUTCOME_WRONG_ANSWER, "after many runs");
    expect(&bench, 1, "none", ANOLE_OUTCOME_OK, "");
    /* One that is abandoned is looked at, too. */
    struct anole_result result = try(&bench, 1, 0, "write_input", 1e-12);
    assert_int_equal(result.outcome, ANOLE_OUTCOME_WRONG_ANSWER);
    expect(&bench, 1, "none", ANOLE_OUTCOME_OK, "");
    close_bench(&bench);
}

static void test_taint_worker_when_device_is_lost(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, "naughty", SMALL_TASK);
    expect(&bench, 1, "lose_device", ANOLE_OUTCOME_CRASH, "it fell off the bus");
    assert_true(usage_of(&bench).tainted);
    close_bench(&bench);
}

static void test_abandon_what_is_far_behind(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, "good", SMALL_TASK);
    struct anole_result result = try(&bench, 1, 1, "none", 1e-9);
    assert_int_equal(result.outcome, ANOLE_OUTCOME_OK);
    /* A disturbed sample says nothing of a kernel: beside other work it takes another one. */
    for (int i = 0; i < 50 && !result.abandoned; i++)
        result = try(&bench, 1, 1, "none", 1e-9);
    assert_true(result.abandoned);
    assert_true(result.seconds > 0.01);
    result = try(&bench, 1, 1, "none", 1e9);
    assert_false(result.abandoned);
    close_bench(&bench);
}

static void test_carry_build_as_binary(void **state)
{
    (void)state;
    struct bench bench;
    int64_t values[3];
    void *binary;
    size_t bytes;
    struct anole_result result;
    struct anole_error error = {.status = ANOLE_DONE};
    open_bench(&bench, "good", SMALL_TASK);
    size_t count = values_of(&bench, values, 2, 0, "none");
    anole_runner_build(bench.runner, values, count, &result, &binary, &bytes);
    assert_int_equal(result.outcome, ANOLE_OUTCOME_OK);
    assert_true(binary && bytes > 0);
    assert_done(
        anole_runner_trial(bench.runner, values, count, binary, bytes, NAN, &result, &error));
    assert_int_equal(result.outcome, ANOLE_OUTCOME_OK);
    /* The plugin refuses what is not its own. */
    assert_done(anole_runner_trial(bench.runner, values, count, "x", 2, NAN, &result, &error));
    assert_int_equal(result.outcome, ANOLE_OUTCOME_COMPILE);
    free(binary);
    close_bench(&bench);
    open_bench(&bench, "plain", SMALL_TASK);
    anole_runner_build(bench.runner, values, count, &result, &binary, &bytes);
    assert_int_equal(result.outcome, ANOLE_OUTCOME_OK);
    assert_null(binary);
    close_bench(&bench);
}

static void test_compare_in_rounds(void **state)
{
    (void)state;
    struct bench bench;
    double seconds[ANOLE_MAX_SLOTS];
    uint32_t failed;
    struct anole_result result;
    struct anole_error error = {.status = ANOLE_DONE};
    open_bench(&bench, "good", SMALL_TASK);
    for (int64_t tile = 1; tile <= 8; tile *= 2) {
        int64_t values[3];
        size_t count = values_of(&bench, values, tile, 0, "none");
        assert_done(anole_runner_load(bench.runner, values, count, NULL, 0, &result, &error));
        assert_int_equal(result.outcome, ANOLE_OUTCOME_OK);
    }
    assert_int_equal(anole_runner_slots(bench.runner), 4);
    for (int round = 0; round < 3; round++) {
        assert_true(anole_runner_round(bench.runner, seconds, &failed, &result));
        for (int i = 0; i < 4; i++)
            assert_true(seconds[i] > 0);
    }
    anole_runner_unload(bench.runner);
    assert_int_equal(anole_runner_slots(bench.runner), 0);
    close_bench(&bench);
}

static void load_slot(struct bench *bench, const char *deed)
{
    int64_t values[3];
    struct anole_result result;
    struct anole_error error = {.status = ANOLE_DONE};
    size_t count = values_of(bench, values, 2, 0, deed);
    assert_done(anole_runner_load(bench->runner, values, count, NULL, 0, &result, &error));
    if (result.outcome != ANOLE_OUTCOME_OK)
        fail_msg("%s: %s", deed, result.message);
}

static void test_run_one_slot_alone(void **state)
{
    (void)state;
    struct bench bench;
    struct anole_result result;
    double host = NAN, device = 0;
    open_bench(&bench, "event", SMALL_TASK);
    load_slot(&bench, "none");
    assert_true(anole_runner_batch(bench.runner, 0, 5, &host, &device, &result));
    assert_true(host > 0 && device > 0);
    assert_true(anole_runner_batch(bench.runner, 0, UINT32_MAX, &host, &device, &result));
    assert_true(anole_runner_prove(bench.runner, 0, &result));
    assert_true(result.error <= 1);
    assert_false(anole_runner_batch(bench.runner, 1, 5, &host, &device, &result));
    assert_int_equal(result.outcome, ANOLE_OUTCOME_INVALID);
    assert_contains(result.message, "slot 1");
    assert_false(anole_runner_prove(bench.runner, 1, &result));
    close_bench(&bench);
}

static void test_prove_slot_that_turned_wrong(void **state)
{
    (void)state;
    struct bench bench;
    struct anole_result result;
    double host, device;
    open_bench(&bench, "naughty", SMALL_TASK);
    load_slot(&bench, "wrong_later");
    assert_true(anole_runner_batch(bench.runner, 0, 100, &host, &device, &result));
    assert_false(anole_runner_prove(bench.runner, 0, &result));
    assert_int_equal(result.outcome, ANOLE_OUTCOME_WRONG_ANSWER);
    assert_true(result.error > 1);
    close_bench(&bench);
}

static void test_trust_event_times_within_reason(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, "event", SMALL_TASK);
    struct anole_result honest = try(&bench, 1, 1, "none", NAN);
    assert_int_equal(honest.outcome, ANOLE_OUTCOME_OK);
    assert_int_equal(honest.timer, ANOLE_TIMER_PROFILING);
    /* A task has one clock. */
    struct anole_result liar = try(&bench, 1, 1, "events_lie", NAN);
    assert_int_equal(liar.outcome, ANOLE_OUTCOME_LAUNCH);
    assert_contains(liar.message, "clocks are not mixed");
    assert_int_equal(liar.timer, ANOLE_TIMER_UNSAID);
    assert_int_equal(try(&bench, 1, 1, "none", NAN).timer, ANOLE_TIMER_PROFILING);
    /* Of another task it is open. */
    anole_runner_set_timer(bench.runner, ANOLE_TIMER_UNSAID);
    liar = try(&bench, 1, 1, "events_lie", NAN);
    assert_int_equal(liar.outcome, ANOLE_OUTCOME_OK);
    assert_int_equal(liar.timer, ANOLE_TIMER_HOST);
    assert_true(liar.seconds < 100 * honest.seconds); /* it claimed a thousand */
    assert_int_equal(try(&bench, 1, 1, "none", NAN).timer, ANOLE_TIMER_HOST);
    close_bench(&bench);
}

static void test_believe_a_clock_of_its_own(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, "own_clock", SMALL_TASK);
    for (int64_t tile = 1; tile <= 4; tile *= 2) {
        struct anole_result result = try(&bench, tile, 0, "none", NAN);
        assert_int_equal(result.outcome, ANOLE_OUTCOME_OK);
        assert_int_equal(result.timer, ANOLE_TIMER_OWN);
        assert_true(fabs(result.seconds * (double)tile / 1e-9 - 1.0) < 1e-9);
        assert_true(result.low == result.seconds && result.high == result.seconds);
        assert_true(result.error >= 0 && !result.simulated); /* its data is real */
    }
    expect(&bench, 2, "wrong", ANOLE_OUTCOME_WRONG_ANSWER, "expected");
    close_bench(&bench);
    open_bench(&bench, "silent_clock", SMALL_TASK);
    expect(&bench, 1, "none", ANOLE_OUTCOME_LAUNCH, "a time by its own clock of -1 s");
    close_bench(&bench);
}

static void test_repeat_simulated_times_exactly(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, "simulated", SMALL_TASK);
    struct anole_result one = try(&bench, 4, 0, "none", 1e-9);
    struct anole_result two = try(&bench, 4, 0, "none", 1e-9);
    assert_int_equal(one.outcome, ANOLE_OUTCOME_OK);
    assert_true(one.simulated);
    assert_false(one.abandoned);
    assert_true(one.seconds == 1e-3 / 4);
    assert_true(isnan(one.error));
    assert_memory_equal(&one, &two, sizeof one);
    close_bench(&bench);
}

static void test_switch_tasks(void **state)
{
    (void)state;
    struct bench bench;
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_task_data *other;
    open_bench(&bench, "good", SMALL_TASK);
    expect(&bench, 2, "none", ANOLE_OUTCOME_OK, "");
    size_t before = usage_of(&bench).held;
    struct anole_task task = parse_task(OTHER_TASK);
    assert_done(anole_task_data_create(&other, &task, 1, 1, &error));
    anole_runner_set_task(bench.runner, &task, other);
    assert_int_equal(usage_of(&bench).held, 0);
    expect(&bench, 2, "none", ANOLE_OUTCOME_OK, "");
    anole_runner_set_task(bench.runner, &bench.task, bench.data);
    expect(&bench, 2, "none", ANOLE_OUTCOME_OK, "");
    assert_int_equal(usage_of(&bench).held, before);
    anole_task_data_destroy(other);
    close_bench(&bench);
}

static void test_say_why_device_does_not_open(void **state)
{
    (void)state;
    struct anole_backend *backend = load_backend("good");
    struct anole_device device = probe_device(backend);
    struct anole_runner *runner = NULL;
    const struct anole_target_options options = {.threads = 1};
    struct anole_error error = {.status = ANOLE_DONE};
    device.index = 5;
    assert_int_equal(anole_runner_create(&runner, backend, "", &device, &options, &error),
                     ANOLE_ERR_WORKER);
    assert_contains(error.text, "backend good: opening device 5: no such device");
    assert_null(runner);
    anole_backend_destroy(backend);
}

static void test_tell_roles_and_sizes(void **state)
{
    (void)state;
    struct anole_task_sizes sizes;
    struct anole_task task = parse_task(OTHER_TASK);
    const struct anole_kernel plain = {.size = sizeof plain};
    const struct anole_kernel packed = {.packed_weights = 999, .workspace = 7};
    anole_task_sizes(&sizes, &task);
    assert_int_equal(sizes.element, 4);
    assert_int_equal(anole_role_bytes(&sizes, &plain, ANOLE_ROLE_INPUT), 2 * 12 * 4);
    assert_int_equal(anole_role_bytes(&sizes, &plain, ANOLE_ROLE_WEIGHTS), 12 * 5 * 4);
    assert_int_equal(anole_role_bytes(&sizes, &plain, ANOLE_ROLE_BIAS), 5 * 4);
    assert_int_equal(anole_role_bytes(&sizes, &plain, ANOLE_ROLE_RESIDUAL), 0);
    assert_int_equal(anole_role_bytes(&sizes, &plain, ANOLE_ROLE_OUTPUT), 2 * 5 * 4);
    assert_int_equal(anole_role_bytes(&sizes, &plain, ANOLE_ROLE_WORKSPACE), 0);
    assert_int_equal(anole_role_bytes(&sizes, &packed, ANOLE_ROLE_WEIGHTS), 999);
    assert_int_equal(anole_role_bytes(&sizes, &packed, ANOLE_ROLE_WORKSPACE), 7);
    assert_int_equal(anole_role_bytes(&sizes, &packed, ANOLE_ROLE_INT), 0);
    task = parse_task(HALF_TASK);
    anole_task_sizes(&sizes, &task);
    assert_int_equal(sizes.bytes[ANOLE_ROLE_INPUT], 6 * 6 * 4 * 2);
    assert_string_equal(anole_role_name(ANOLE_ROLE_WORKSPACE), "workspace");
    assert_string_equal(anole_role_name(ANOLE_ROLE_VALUE), "value");
    assert_string_equal(anole_role_name(ANOLE_ROLE_COUNT), "unknown");
    assert_string_equal(anole_role_name(UINT32_MAX), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tell_roles_and_sizes),
        cmocka_unit_test(test_time_right_kernels),
        cmocka_unit_test(test_halves_are_bound_verified_and_guarded),
        cmocka_unit_test(test_halves_are_refused_where_there_are_none),
        cmocka_unit_test(test_announce_stages),
        cmocka_unit_test(test_name_what_kernel_did_wrong),
        cmocka_unit_test(test_find_writes_out_of_bounds),
        cmocka_unit_test(test_find_pack_out_of_bounds),
        cmocka_unit_test(test_blame_nobody_for_input_changed_by_another),
        cmocka_unit_test(test_taint_worker_when_device_is_lost),
        cmocka_unit_test(test_abandon_what_is_far_behind),
        cmocka_unit_test(test_carry_build_as_binary),
        cmocka_unit_test(test_compare_in_rounds),
        cmocka_unit_test(test_run_one_slot_alone),
        cmocka_unit_test(test_prove_slot_that_turned_wrong),
        cmocka_unit_test(test_trust_event_times_within_reason),
        cmocka_unit_test(test_believe_a_clock_of_its_own),
        cmocka_unit_test(test_repeat_simulated_times_exactly),
        cmocka_unit_test(test_switch_tasks),
        cmocka_unit_test(test_say_why_device_does_not_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
