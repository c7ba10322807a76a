/* SPDX-License-Identifier: MIT
 *
 * Whole runs of the tuner on a simulated device, where the same seed must give the
 * same history.
 */
#include "measure_fixture.h"

#include "base/file.h"
#include "frontend/network.h"
#include "tune/finalists.h"
#include "tune/suggest.h"
#include "tune/transfer.h"
#include "tune/tuner_lock.h"

#include <math.h>
#include <sched.h>

#define NETWORK                                                                                    \
    "{\"name\": \"test\", \"layers\": ["                                                           \
    "{\"name\": \"in\", \"kind\": \"input\", \"shape\": [1, 6, 6, 4]},"                            \
    "{\"name\": \"a\", \"kind\": \"conv2d\", \"channels\": 8, \"kernel\": 3, \"padding\": 1},"     \
    "{\"name\": \"b\", \"kind\": \"conv2d\", \"channels\": 8, \"kernel\": 3, \"padding\": 1},"     \
    "{\"name\": \"c\", \"kind\": \"conv2d\", \"channels\": 8, \"kernel\": 3, \"padding\": 1}]}"

/* Fewer than the simulated device's design spaces hold. */
#define TRIALS 12

struct run {
    char *folder;
    char history[512];
    struct anole_workload *network;
    struct anole_registry *registry;
    struct anole_tuner *tuner;
    struct anole_tuner_options options;
    size_t shown, stop_after; /* calls of the observer; trials, 0: never */
    bool stop;
};

static bool stop_wanted(void *context)
{
    return ((struct run *)context)->stop;
}

static void watch(void *context, const struct anole_tuner_view *view)
{
    struct run *run = context;
    run->shown++;
    assert_true(view->current < view->task_count);
    if (run->stop_after && view->trials >= run->stop_after)
        run->stop = true;
}

static void open_run(struct run *run, const char *plugin)
{
    struct anole_error error = {.status = ANOLE_DONE};
    memset(run, 0, sizeof *run);
    run->folder = make_folder();
    add_plugins(run->folder, plugin);
    run->registry = registry_of(run->folder);
    snprintf(run->history, sizeof run->history, "%s/history", run->folder);
    assert_done(
        anole_network_parse_workload(&run->network, NETWORK, strlen(NETWORK), "test.json", &error));
    run->options = (struct anole_tuner_options){
        .explorer = anole_explorers()[0],
        .sampler = anole_samplers()[0],
        .seed = 3,
        .trial_limit = TRIALS,
        .history_path = run->history,
        .stop = stop_wanted,
        .stop_context = run,
    };
}

static void start(struct run *run)
{
    struct anole_error error = {.status = ANOLE_DONE};
    run->stop = false;
    assert_done(anole_tuner_create(&run->tuner, run->network, run->registry,
                                   &run->registry->devices[0], &run->options, &error));
    anole_tuner_observe(run->tuner, watch, run);
}

static void end(struct run *run)
{
    anole_tuner_destroy(run->tuner);
    run->tuner = NULL;
}

static void close_run(struct run *run)
{
    anole_tuner_destroy(run->tuner);
    anole_workload_destroy(run->network);
    anole_registry_destroy(run->registry);
    drop_folder(run->folder);
}

/* "All" threads are counted: another number of cores is another machine. */
static void test_key_counts_threads(void **state)
{
    (void)state;
    struct run run;
    cpu_set_t before, one;
    open_run(&run, "simulated");
    struct anole_registry_device device = run.registry->devices[0];
    device.device.flags = ANOLE_DEVICE_SHARES_HOST;
    device.device.compute_units = 4096;
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    assert_int_equal(anole_tuner_key(run.registry, &device, "t", 0).threads, CPU_COUNT(&before));
    assert_int_equal(anole_tuner_key(run.registry, &device, "t", 3).threads, 3);
    CPU_ZERO(&one);
    for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++)
        if (CPU_ISSET(i, &before))
            CPU_SET(i, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    assert_int_equal(anole_tuner_key(run.registry, &device, "t", 0).threads, 1);
    assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
    device.device.flags = 0;
    assert_int_equal(anole_tuner_key(run.registry, &device, "t", 0).threads, 0);
    close_run(&run);
}

/* The history's trial lines, each cut where the clock begins to speak. */
static char *history_text(const struct run *run, size_t *trials)
{
    struct anole_error error = {.status = ANOLE_DONE};
    char *text;
    size_t length;
    assert_done(anole_file_read(&text, &length, run->history, 0, &error));
    char *out = calloc(1, length + 1);
    *trials = 0;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        char *clock = strstr(line, "\"cost\"");
        if (!clock)
            continue;
        strncat(out, line, (size_t)(clock - line));
        strcat(out, "\n");
        ++*trials;
    }
    free(text);
    return out;
}

/* The test plugin has no kernel that applies silu: layers are tuned without it, and those that are
 * then alike are one task. */
static void test_tasks_are_tuned_without_what_no_kernel_does(void **state)
{
    (void)state;
    static const char text[] =
        "{\"name\": \"test\", \"layers\": ["
        "{\"name\": \"in\", \"kind\": \"input\", \"shape\": [1, 6, 6, 8]},"
        "{\"name\": \"a\", \"kind\": \"conv2d\", \"channels\": 8, \"kernel\": 1, "
        "\"activation\": \"silu\"},"
        "{\"name\": \"b\", \"kind\": \"conv2d\", \"channels\": 8, \"kernel\": 1},"
        "{\"name\": \"c\", \"kind\": \"conv2d\", \"channels\": 8, \"kernel\": 1, "
        "\"activation\": \"relu\"},"
        "{\"name\": \"d\", \"kind\": \"depthwise_conv2d\", \"kernel\": 3}]}";
    struct run run;
    struct anole_error error = {.status = ANOLE_DONE};
    open_run(&run, "simulated");
    anole_workload_destroy(run.network);
    assert_done(
        anole_network_parse_workload(&run.network, text, strlen(text), "test.json", &error));
    assert_int_equal(run.network->task_count, 4);
    start(&run);
    const struct anole_tuner_view *view = anole_tuner_view(run.tuner);
    assert_int_equal(view->task_count, 2);
    assert_int_equal(view->tasks[0].source->multiplicity, 2);
    assert_string_equal(view->tasks[0].source->layers[1], "b");
    assert_null(strstr(view->tasks[0].key, "silu"));
    assert_non_null(strstr(view->tasks[1].key, "relu"));
    close_run(&run);
}

static void test_run_repeats_itself_with_the_same_seed(void **state)
{
    (void)state;
    char *texts[2];
    size_t trials[2];
    for (int i = 0; i < 2; i++) {
        struct run run;
        struct anole_error error = {.status = ANOLE_DONE};
        open_run(&run, "simulated");
        start(&run);
        assert_done(anole_tuner_run(run.tuner, &error));
        end(&run);
        texts[i] = history_text(&run, &trials[i]);
        close_run(&run);
    }
    assert_int_equal(trials[0], TRIALS);
    assert_string_equal(texts[0], texts[1]);
    free(texts[0]);
    free(texts[1]);
}

static void test_run_goes_on_where_it_was_stopped(void **state)
{
    (void)state;
    struct run run;
    struct anole_error error = {.status = ANOLE_DONE};
    size_t trials;
    open_run(&run, "simulated");
    run.stop_after = 5;
    start(&run);
    assert_int_equal(anole_tuner_run(run.tuner, &error), ANOLE_ERR_INTERRUPTED);
    end(&run);
    char *text = history_text(&run, &trials);
    free(text);
    assert_true(trials >= 5 && trials < TRIALS);

    run.stop_after = 0;
    anole_error_clear(&error);
    start(&run);
    assert_int_equal(anole_tuner_view(run.tuner)->trials, 0);
    assert_done(anole_tuner_run(run.tuner, &error));
    assert_int_equal(anole_tuner_view(run.tuner)->trials, TRIALS - trials);
    end(&run);
    text = history_text(&run, &trials);
    assert_int_equal(trials, TRIALS);
    free(text);
    assert_true(run.shown > 0);
    close_run(&run);
}

static void test_finish_never_ends_behind_the_default(void **state)
{
    (void)state;
    struct run run;
    struct anole_error error = {.status = ANOLE_DONE};
    open_run(&run, "simulated");
    start(&run);
    assert_done(anole_tuner_run(run.tuner, &error));
    const struct anole_tuner_view *view = anole_tuner_view(run.tuner);
    struct anole_tuner_final finals[8];
    assert_true(view->task_count <= 8);
    assert_done(anole_tuner_finish(run.tuner, finals, &error));
    for (size_t i = 0; i < view->task_count; i++) {
        assert_true(finals[i].found);
        assert_true(finals[i].value <= finals[i].default_value);
        assert_true(finals[i].speedup >= 1.0);
    }
    struct anole_lock_device device;
    assert_done(anole_tuner_lock(run.tuner, finals, 0, &device, &error));
    assert_int_equal(device.task_count, view->task_count);
    anole_lock_device_fini(&device);
    close_run(&run);
}

/* What is decided comes first, then what is close to it, and the default. */
static void test_candidates_are_close_to_what_is_decided(void **state)
{
    (void)state;
    struct run run;
    struct anole_error error = {.status = ANOLE_DONE};
    open_run(&run, "simulated");
    start(&run);
    assert_done(anole_tuner_run(run.tuner, &error));
    const struct anole_tuner_view *view = anole_tuner_view(run.tuner);
    struct anole_tuner_final finals[8];
    assert_true(view->task_count <= 8);
    assert_done(anole_tuner_finish(run.tuner, finals, &error));
    for (size_t i = 0; i < view->task_count; i++) {
        struct anole_tuner_final *final = &finals[i];
        assert_true(final->candidate_count >= 1 &&
                    final->candidate_count <= ANOLE_TUNER_CANDIDATES);
        assert_true(final->candidates[0].config == final->config);
        assert_true(final->candidates[0].value == final->value);
        size_t defaults = 0;
        for (size_t c = 0; c < final->candidate_count; c++) {
            const struct anole_tuner_candidate *candidate = &final->candidates[c];
            defaults += candidate->tie;
            assert_true(candidate->tie || candidate->value <= 1.5 * final->value);
            for (size_t other = 0; other < c; other++)
                assert_true(candidate->config != final->candidates[other].config);
        }
        assert_int_equal(defaults, 1);
        assert_true(isnan(final->in_place) && isnan(final->alone_value));
        if (final->candidate_count < 2)
            continue;
        /* As a network may decide. */
        const double in_place[] = {4e-3, 3e-3, NAN, NAN}, alone = final->value;
        anole_tuner_choose(final, 0, in_place);
        assert_true(final->in_place == 4e-3 && isnan(final->alone_value));
        anole_tuner_choose(final, 1, in_place);
        assert_true(final->config == final->candidates[1].config);
        assert_true(final->value == final->candidates[1].value);
        assert_int_equal(final->source_hash, final->candidates[1].source_hash);
        assert_true(final->in_place == 3e-3 && final->alone_in_place == 4e-3);
        assert_true(final->alone_value == alone);
        struct anole_lock_device device;
        assert_done(anole_tuner_lock(run.tuner, finals, 0, &device, &error));
        assert_true(device.tasks[i].in_place == 3e-3 && device.tasks[i].alone_value == alone);
        anole_lock_device_fini(&device);
    }
    close_run(&run);
}

/* A layer without a design space is no reason to tune none of the others. */
static void test_layers_without_a_space_are_left_out(void **state)
{
    (void)state;
    static const char *const plugins[] = {"no_space", "empty_space"};
    static const char one[] =
        "{\"name\": \"test\", \"layers\": ["
        "{\"name\": \"in\", \"kind\": \"input\", \"shape\": [1, 6, 6, 8]},"
        "{\"name\": \"a\", \"kind\": \"conv2d\", \"channels\": 8, \"kernel\": 1}"
        "%s]}";
    for (size_t i = 0; i < 4; i++) {
        struct run run;
        struct anole_error error = {.status = ANOLE_DONE};
        open_run(&run, plugins[i % 2]);
        if (i < 2) {
            start(&run);
            const struct anole_tuner_view *view = anole_tuner_view(run.tuner);
            assert_int_equal(view->task_count, run.network->task_count - 1);
            assert_done(anole_tuner_run(run.tuner, &error));
            assert_true(view->trials > 0);
            close_run(&run);
            continue;
        }
        /* Nothing is left: the reason ends it. */
        char text[512];
        snprintf(text, sizeof text, one,
                 i == 2
                     ? ""
                     : ", {\"name\": \"b\", \"kind\": \"conv2d\", \"channels\": 4, \"kernel\": 1}");
        anole_workload_destroy(run.network);
        assert_done(
            anole_network_parse_workload(&run.network, text, strlen(text), "test.json", &error));
        assert_true(anole_tuner_create(&run.tuner, run.network, run.registry,
                                       &run.registry->devices[0], &run.options,
                                       &error) != ANOLE_DONE);
        assert_contains(error.text, i == 2 ? "eight channels are too many" : "nothing is right");
        run.tuner = NULL;
        close_run(&run);
    }
}

/* A backend that has come to have a clock of its own: what the host's clock told is no result any
 * more, though it stays in the history. */
static void test_clocks_are_not_mixed_in_a_task(void **state)
{
    (void)state;
    struct run run;
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_tuner_final finals[4];
    struct anole_lock_device device;
    open_run(&run, "own_clock");
    uint32_t *flags = &run.registry->devices[0].device.flags, own = *flags;
    assert_true(own & ANOLE_DEVICE_OWN_CLOCK);
    *flags = 0;
    run.options.trial_limit = 4;
    start(&run);
    assert_done(anole_tuner_run(run.tuner, &error));
    assert_true(anole_tuner_view(run.tuner)->tasks[0].best_value > 1.001e-9);
    end(&run);
    *flags = own;
    start(&run);
    const struct anole_tuner_view *view = anole_tuner_view(run.tuner);
    size_t resumed = 0;
    for (size_t i = 0; i < view->task_count; i++) {
        assert_true(isnan(view->tasks[i].best_value));
        resumed += view->tasks[i].resumed;
    }
    assert_true(resumed < 4); /* those that failed are left */
    assert_done(anole_tuner_run(run.tuner, &error));
    assert_true(view->task_count <= 4 && view->tasks[0].best_value < 1.001e-9);
    assert_done(anole_tuner_finish(run.tuner, finals, &error));
    assert_done(anole_tuner_lock(run.tuner, finals, 0, &device, &error));
    for (size_t i = 0; i < device.task_count; i++)
        assert_int_equal(device.tasks[i].timer, ANOLE_TIMER_OWN);
    anole_lock_device_fini(&device);
    close_run(&run);
}

static void test_create_refuses_a_history_in_use(void **state)
{
    (void)state;
    struct run run;
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_tuner *second = NULL;
    open_run(&run, "simulated");
    start(&run);
    assert_int_equal(anole_tuner_create(&second, run.network, run.registry,
                                        &run.registry->devices[0], &run.options, &error),
                     ANOLE_ERR_IN_USE);
    assert_null(second);
    assert_contains(error.text, run.history);
    close_run(&run);
}

/* --------------------------------------------------------------- transfer */

/* A history of another run, for the same backend. */
static void make_history(struct run *run)
{
    struct anole_error error = {.status = ANOLE_DONE};
    open_run(run, "simulated");
    start(run);
    assert_done(anole_tuner_run(run->tuner, &error));
    end(run);
}

static void test_transfer_takes_the_tasks_of_a_history(void **state)
{
    (void)state;
    struct run run;
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_transfer *transfer;
    make_history(&run);
    struct anole_registry_device other = run.registry->devices[0];
    for (int pass = 0; pass < 3; pass++) {
        struct anole_prior_source source;
        uint32_t kind;
        size_t trials = 0;
        assert_done(anole_transfer_create(
            &transfer, run.registry, pass == 1 ? &other : &run.registry->devices[0],
            pass == 2 ? ANOLE_F16 : ANOLE_F32, ANOLE_WARMTH_HOT, run.network, &error));
        assert_int_equal(anole_transfer_count(transfer), 0);
        assert_done(anole_transfer_load(transfer, run.history, &error));
        size_t count = anole_transfer_count(transfer);
        assert_true(count > 0 && count <= run.network->task_count);
        for (size_t i = 0; i < count; i++) {
            anole_transfer_get(transfer, i, &source, &kind);
            assert_int_equal(kind, ANOLE_TASK_CONV2D);
            /* The second time it is another device's, the third of another precision. */
            assert_int_equal(source.group, pass > 0);
            trials += anole_trials_count(source.trials);
        }
        assert_true(trials >= 4 && trials <= TRIALS);
        anole_transfer_destroy(transfer);
        snprintf(other.device.name, sizeof other.device.name, "a device of another name");
    }
    close_run(&run);
}

static void test_transfer_passes_over_what_another_generator_made(void **state)
{
    (void)state;
    struct run run;
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_transfer *transfer;
    make_history(&run);
    run.registry->entries[run.registry->devices[0].backend].generator_version++;
    assert_done(anole_transfer_create(&transfer, run.registry, &run.registry->devices[0], ANOLE_F32,
                                      ANOLE_WARMTH_HOT, run.network, &error));
    anole_log_set_level(ANOLE_LEVEL_ERROR); /* that there is nothing to learn */
    assert_done(anole_transfer_load(transfer, run.history, &error));
    anole_log_set_level(ANOLE_LEVEL_WARNING);
    assert_int_equal(anole_transfer_count(transfer), 0);
    anole_transfer_destroy(transfer);
    close_run(&run);
}

static void test_run_learns_from_other_histories(void **state)
{
    (void)state;
    struct run past;
    make_history(&past);
    const char *paths[] = {past.history, "/nowhere/to/be/found.history"};
    char *texts[2];
    size_t trials[2];
    for (int i = 0; i < 2; i++) {
        struct run run;
        struct anole_error error = {.status = ANOLE_DONE};
        open_run(&run, "simulated");
        run.options.transfer_paths = paths;
        run.options.transfer_count = 1;
        start(&run);
        assert_done(anole_tuner_run(run.tuner, &error));
        end(&run);
        texts[i] = history_text(&run, &trials[i]);
        run.options.transfer_count = 2;
        assert_int_not_equal(anole_tuner_create(&run.tuner, run.network, run.registry,
                                                &run.registry->devices[0], &run.options, &error),
                             ANOLE_DONE);
        assert_contains(error.text, paths[1]);
        close_run(&run);
    }
    /* What was measured elsewhere is no result here, and the seed decides as ever. */
    assert_int_equal(trials[0], TRIALS);
    assert_string_equal(texts[0], texts[1]);
    free(texts[0]);
    free(texts[1]);
    close_run(&past);
}

/* ------------------------------------------------------------ suggestions */

static struct anole_space *make_space(const int64_t *values, size_t count, const char *constraint)
{
    struct anole_space *space;
    struct anole_error error = {.status = ANOLE_DONE};
    assert_done(anole_space_create(&space, &error));
    assert_done(anole_space_add_knob(space, "tile", false, values, NULL, count, 0, &error));
    assert_done(anole_space_add_knob(space, "unroll", false, values, NULL, count, 0, &error));
    if (constraint)
        assert_done(anole_space_add_constraint(space, constraint, "test", &error));
    assert_done(anole_space_finish(space, &error));
    return space;
}

static void test_translate_takes_the_nearest_values(void **state)
{
    (void)state;
    const int64_t few[] = {1, 4, 16}, many[] = {1, 2, 4, 8, 15, 32};
    struct anole_space *from = make_space(many, 6, NULL), *to = make_space(few, 3, NULL);
    uint16_t digits[] = {4, 1}; /* 15, 2 */
    uint64_t config;
    int64_t values[2];
    assert_true(anole_suggest_translate(&config, to, from, anole_space_encode(from, digits)));
    anole_space_values(to, config, values);
    assert_int_equal(values[0], 16);
    assert_int_equal(values[1], 1);
    anole_space_destroy(from);
    anole_space_destroy(to);
}

static void test_translate_refuses_what_would_be_invalid(void **state)
{
    (void)state;
    const int64_t list[] = {1, 2, 4};
    struct anole_space *from = make_space(list, 3, NULL);
    struct anole_space *to = make_space(list, 3, "tile * unroll <= 4");
    uint16_t digits[] = {2, 2};
    uint64_t config;
    assert_false(anole_suggest_translate(&config, to, from, anole_space_encode(from, digits)));
    anole_space_destroy(from);
    anole_space_destroy(to);
}

static void test_neighbours_are_distinct_valid_and_near(void **state)
{
    (void)state;
    const int64_t list[] = {1, 2, 4, 8};
    struct anole_space *space = make_space(list, 4, "tile * unroll <= 16");
    struct anole_rng rng;
    uint64_t configs[8];
    anole_rng_init(&rng, 1);
    size_t count = anole_suggest_neighbours(configs, 8, space, anole_space_default(space), &rng);
    assert_int_equal(count, 8);
    for (size_t i = 0; i < count; i++) {
        assert_true(anole_space_valid(space, configs[i]));
        assert_true(configs[i] != anole_space_default(space));
        for (size_t j = 0; j < i; j++)
            assert_true(configs[i] != configs[j]);
    }
    anole_space_destroy(space);
}

/* Each kernel that is timed must be loaded first, and both must fit. */
static void test_plan_finalists_that_fit_in_the_budget(void **state)
{
    (void)state;
    struct anole_finalists_plan plan;
    anole_finalists_plan(&plan, INFINITY, 0.1, 1.5);
    assert_int_equal(plan.count, ANOLE_FINALISTS_MOST);
    assert_true(plan.seconds == 1.5);
    for (double share = 1.0; share > 0.4; share -= 0.05) {
        anole_finalists_plan(&plan, share, 0.1, 1.5);
        assert_in_range(plan.count, 1, ANOLE_FINALISTS_MOST);
        assert_true(plan.seconds + 0.1 * (double)(plan.count + 1) <= share + 1e-12);
        assert_true(plan.seconds >= 0.5 * share - 1e-12);
    }
    /* No time is left: the best is compared all the same, as briefly as can be. */
    anole_finalists_plan(&plan, -3.0, 0.1, 1.5);
    assert_int_equal(plan.count, 1);
    assert_true(plan.seconds == 0.0);
    anole_finalists_plan(&plan, 0.2, 0.0, 1.5);
    assert_int_equal(plan.count, ANOLE_FINALISTS_MOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_key_counts_threads),
        cmocka_unit_test(test_plan_finalists_that_fit_in_the_budget),
        cmocka_unit_test(test_tasks_are_tuned_without_what_no_kernel_does),
        cmocka_unit_test(test_run_repeats_itself_with_the_same_seed),
        cmocka_unit_test(test_run_goes_on_where_it_was_stopped),
        cmocka_unit_test(test_finish_never_ends_behind_the_default),
        cmocka_unit_test(test_candidates_are_close_to_what_is_decided),
        cmocka_unit_test(test_layers_without_a_space_are_left_out),
        cmocka_unit_test(test_clocks_are_not_mixed_in_a_task),
        cmocka_unit_test(test_create_refuses_a_history_in_use),
        cmocka_unit_test(test_transfer_takes_the_tasks_of_a_history),
        cmocka_unit_test(test_transfer_passes_over_what_another_generator_made),
        cmocka_unit_test(test_run_learns_from_other_histories),
        cmocka_unit_test(test_translate_takes_the_nearest_values),
        cmocka_unit_test(test_translate_refuses_what_would_be_invalid),
        cmocka_unit_test(test_neighbours_are_distinct_valid_and_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
