/* SPDX-License-Identifier: MIT
 *
 * Whole networks in a process of their own: what is told of them, and that kernels which crash,
 * hang or are wrong there cost nothing but the answer.
 */
#include "measure_fixture.h"

#include "frontend/load.h"
#include "inplace/inplace.h"
#include "inplace/inplace_wire.h"
#include "plugin/generator.h"

#include <math.h>
#include <time.h>

#define NETWORK                                                                                    \
    "{\"name\": \"test\", \"layers\": ["                                                           \
    "{\"name\": \"in\", \"kind\": \"input\", \"shape\": [1, 6, 6, 8]},"                            \
    "{\"name\": \"a\", \"kind\": \"conv2d\", \"channels\": 8, \"kernel\": 3, \"padding\": 1},"     \
    "{\"name\": \"b\", \"kind\": \"conv2d\", \"channels\": 8, \"kernel\": 3, \"padding\": 1},"     \
    "{\"name\": \"c\", \"kind\": \"conv2d\", \"channels\": 4, \"kernel\": 1}]}"

/* A network's file, a device, and what was tuned of the two: the default configs, but for one
 * knob. */
struct run {
    char *folder;
    char network[512];
    struct anole_registry *registry;
    struct anole_lock_device lock;
    struct anole_inplace_request request;
};

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    fclose(file);
}

static void lock_task(struct anole_lock_task *out, const struct anole_workload_task *task,
                      const struct run *run, const char *knob, int64_t value)
{
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_generator *generator;
    char key[ANOLE_TASK_KEY];
    int64_t values[ANOLE_MAX_KNOBS];
    const struct anole_registry_device *device = &run->registry->devices[0];
    assert_done(anole_generator_create(&generator, run->registry->entries[device->backend].backend,
                                       &device->device, &task->task, &error));
    const struct anole_space *space = anole_generator_space(generator);
    anole_space_values(space, anole_space_default(space), values);
    anole_task_key(key, &task->task);
    *out = (struct anole_lock_task){.task = strdup(key),
                                    .multiplicity = task->multiplicity,
                                    .value = 1e-3,
                                    .low = 1e-3,
                                    .high = 1e-3,
                                    .default_value = 1e-3,
                                    .speedup = 1,
                                    .speedup_low = 1,
                                    .speedup_high = 1};
    out->knob_count = anole_space_knob_count(space);
    out->knobs = calloc(out->knob_count, sizeof *out->knobs);
    for (size_t i = 0; i < out->knob_count; i++) {
        const char *name = anole_space_knob(space, i)->name;
        out->knobs[i].name = strdup(name);
        out->knobs[i].value = strcmp(name, knob) == 0 ? value : values[i];
    }
    anole_generator_destroy(generator);
}

/* `knob` of all tasks has this value. */
static void open_run(struct run *run, const char *plugin, const char *knob, int64_t value)
{
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_workload *workload;
    memset(run, 0, sizeof *run);
    run->folder = make_folder();
    add_plugins(run->folder, plugin);
    run->registry = registry_of(run->folder);
    snprintf(run->network, sizeof run->network, "%s/network.json", run->folder);
    write_file(run->network, NETWORK);
    assert_done(anole_workload_load(&workload, run->network, NULL, &error));
    const struct anole_registry_device *device = &run->registry->devices[0];
    const struct anole_registry_entry *entry = &run->registry->entries[device->backend];
    run->lock = (struct anole_lock_device){.id = strdup(device->id),
                                           .backend = strdup(entry->name),
                                           .backend_version = strdup(entry->version),
                                           .device = strdup(device->device.name),
                                           .driver = strdup(device->device.driver),
                                           .driver_version = strdup(device->device.driver_version),
                                           .generator = entry->generator_version,
                                           .dtype = ANOLE_F32};
    run->lock.tasks = calloc(workload->task_count, sizeof *run->lock.tasks);
    for (size_t i = 0; i < workload->task_count; i++)
        lock_task(&run->lock.tasks[run->lock.task_count++], &workload->tasks[i], run, knob, value);
    anole_workload_destroy(workload);
    run->request = (struct anole_inplace_request){.network = run->network,
                                                  .lock = &run->lock,
                                                  .backend = entry,
                                                  .device = device,
                                                  .seconds = 60,
                                                  .timing = 0.05,
                                                  .check = true};
}

static void close_run(struct run *run)
{
    anole_lock_device_fini(&run->lock);
    anole_registry_destroy(run->registry);
    drop_folder(run->folder);
}

static struct anole_inplace_report ask(const struct run *run)
{
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_inplace_report report;
    assert_done(anole_inplace_run(&report, &run->request, &error));
    return report;
}

static int64_t deed(const char *name, const struct anole_registry *registry)
{
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_generator *generator;
    struct anole_task task = parse_task(SMALL_TASK);
    int64_t value = -1;
    assert_done(anole_generator_create(&generator, registry->entries[0].backend,
                                       &registry->devices[0].device, &task, &error));
    const struct anole_space *space = anole_generator_space(generator);
    for (size_t i = 0; i < anole_space_knob_count(space); i++) {
        const struct anole_space_knob *knob = anole_space_knob(space, i);
        for (size_t v = 0; strcmp(knob->name, "deed") == 0 && v < knob->count; v++)
            if (strcmp(knob->labels[v], name) == 0)
                value = knob->values[v];
    }
    anole_generator_destroy(generator);
    assert_true(value >= 0);
    return value;
}

/* Of the plugin `naughty`, with this deed in all kernels. */
static void open_naughty(struct run *run, const char *name)
{
    open_run(run, "naughty", "", 0);
    const int64_t value = deed(name, run->registry);
    for (size_t i = 0; i < run->lock.task_count; i++)
        for (size_t k = 0; k < run->lock.tasks[i].knob_count; k++)
            if (strcmp(run->lock.tasks[i].knobs[k].name, "deed") == 0)
                run->lock.tasks[i].knobs[k].value = value;
}

/* ------------------------------------------------------------------- tests */

static void test_network_runs_as_a_whole(void **state)
{
    (void)state;
    struct run run;
    struct anole_lock_in_place record;
    open_run(&run, "good", "tile", 4);
    struct anole_inplace_report report = ask(&run);
    if (!report.ran)
        fail_msg("%s", report.problem);
    assert_string_equal(report.problem, "");
    assert_int_equal(report.steps, 3);
    assert_int_equal(report.steps_tuned, 3);
    assert_true(report.rounds >= 3);
    assert_true(report.low > 0 && report.low <= report.seconds && report.seconds <= report.high);
    assert_true(report.default_low <= report.default_seconds &&
                report.default_seconds <= report.default_high);
    assert_true(report.speedup_low <= report.speedup && report.speedup <= report.speedup_high);
    assert_true(report.error <= report.tolerance && report.tolerance < 1e-3);
    assert_string_equal(report.output, "c");
    anole_inplace_record(&record, &report);
    assert_int_equal(record.rounds, report.rounds);
    assert_true(record.seconds == report.seconds);
    close_run(&run);
}

/* Where nothing is better than the default, the two are one. */
static void test_defaults_are_as_fast_as_themselves(void **state)
{
    (void)state;
    struct run run;
    open_run(&run, "good", "", 0);
    run.request.check = false;
    struct anole_inplace_report report = ask(&run);
    assert_true(report.ran);
    assert_true(report.speedup_low == 1 && report.speedup == 1 && report.speedup_high == 1);
    assert_true(report.seconds == report.default_seconds);
    assert_true(isnan(report.error));
    close_run(&run);
}

static void test_wrong_kernels_are_seen(void **state)
{
    (void)state;
    struct run run;
    open_naughty(&run, "wrong");
    struct anole_inplace_report report = ask(&run);
    assert_true(report.ran);
    assert_true(report.error > report.tolerance);
    close_run(&run);
}

static void test_what_goes_wrong_is_said(void **state)
{
    (void)state;
    static const struct {
        const char *deed, *words;
    } cases[] = {{"crash_run", "SIGFPE"}, {"exit_run", "code 3"}, {"refuse_run", "is jammed"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct run run;
        open_naughty(&run, cases[i].deed);
        struct anole_inplace_report report = ask(&run);
        assert_false(report.ran);
        assert_true(report.failed);
        assert_contains(report.problem, cases[i].words);
        assert_true(isnan(report.seconds));
        close_run(&run);
    }
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static bool stop_soon(void *context)
{
    return now() > *(double *)context;
}

static void test_what_hangs_is_killed(void **state)
{
    (void)state;
    struct run run;
    struct anole_error error = {.status = ANOLE_DONE};
    open_naughty(&run, "hang_run");
    run.request.seconds = 1;
    struct anole_inplace_report report = ask(&run);
    assert_true(report.failed && !report.ran);
    assert_contains(report.problem, "took longer than");
    /* And whoever is tired of waiting does not wait. */
    double start = now(), end = start + 0.3;
    run.request.seconds = 600;
    run.request.stop = stop_soon;
    run.request.context = &end;
    assert_int_equal(anole_inplace_run(&report, &run.request, &error), ANOLE_ERR_INTERRUPTED);
    assert_true(now() - start < 60);
    close_run(&run);
}

/* No failure of the network's: there is none, or another. */
static void test_other_networks_are_not_run(void **state)
{
    (void)state;
    struct run run;
    open_run(&run, "good", "", 0);
    run.request.strict = true;
    write_file(run.network,
               "{\"name\": \"test\", \"layers\": ["
               "{\"name\": \"in\", \"kind\": \"input\", \"shape\": [1, 6, 6, 8]},"
               "{\"name\": \"c\", \"kind\": \"conv2d\", \"channels\": 4, \"kernel\": 1}]}");
    struct anole_inplace_report report = ask(&run);
    assert_false(report.ran || report.failed);
    assert_contains(report.problem, "is not as it was tuned: 1 of 2 tasks");
    /* What it has of the tasks is enough for who does not mind. */
    run.request.strict = false;
    report = ask(&run);
    assert_true(report.ran);
    assert_int_equal(report.steps_tuned, 1);
    write_file(run.network, "{\"name\": \"test\"");
    report = ask(&run);
    assert_false(report.ran || report.failed);
    assert_contains(report.problem, "network.json");
    assert_int_equal(unlink(run.network), 0);
    report = ask(&run);
    assert_false(report.ran || report.failed);
    assert_contains(report.problem, "network.json");
    close_run(&run);
}

/* The config of a task with this value of `slow`. */
static uint64_t slow_config(const struct run *run, const char *key, int64_t slow)
{
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_generator *generator;
    struct anole_task task = parse_task(key);
    const char *names[] = {"tile", "slow"};
    const int64_t values[] = {2, slow};
    uint64_t config;
    assert_done(anole_generator_create(&generator, run->request.backend->backend,
                                       &run->request.device->device, &task, &error));
    assert_done(
        anole_space_lookup(anole_generator_space(generator), &config, names, values, 2, &error));
    anole_generator_destroy(generator);
    return config;
}

/* Each task is what was best alone, `own`, and may be `other`; and a config that there is not. */
static void exchange(int64_t own, int64_t other, uint32_t chosen)
{
    struct run run;
    open_run(&run, "good", "slow", own);
    struct anole_inplace_task tasks[2];
    assert_int_equal(run.lock.task_count, 2);
    memset(tasks, 0, sizeof tasks);
    for (size_t i = 0; i < 2; i++) {
        const char *key = run.lock.tasks[i].task;
        snprintf(tasks[i].key, sizeof tasks[i].key, "%s", key);
        tasks[i].configs[0] = slow_config(&run, key, own);
        tasks[i].configs[1] = slow_config(&run, key, other);
        tasks[i].configs[2] = UINT64_MAX;
        tasks[i].count = 3;
    }
    run.request.tasks = tasks;
    run.request.task_count = 2;
    run.request.exchanging = 20;
    run.request.check = false;
    struct anole_inplace_report report = ask(&run);
    /* What was disturbed all the time is no verdict, and is asked for again. */
    for (int i = 0; i < 20 && report.ran && (tasks[0].disturbed || tasks[1].disturbed); i++) {
        assert_true(tasks[0].disturbed ? !tasks[0].judged : !tasks[1].judged);
        report = ask(&run);
    }
    if (!report.ran)
        fail_msg("%s", report.problem);
    for (size_t i = 0; i < 2; i++) {
        if (!tasks[i].judged)
            fail_msg("task %zu of %d", i, (int)own);
        assert_int_equal(tasks[i].chosen, chosen);
        assert_true(tasks[i].steps[0] > 0 && tasks[i].steps[1] > 0);
        assert_true(isnan(tasks[i].steps[2]));
        assert_true((tasks[i].steps[1] < tasks[i].steps[0]) == (other < own));
    }
    /* The default is not slow, and what was chosen is the default. */
    assert_true(report.speedup_low == 1 && report.speedup_high == 1);
    /* No time, no verdict. */
    run.request.exchanging = 0;
    report = ask(&run);
    assert_true(report.ran);
    assert_false(tasks[0].judged || tasks[1].judged);
    assert_int_equal(tasks[0].chosen, 0);
    close_run(&run);
}

static void test_network_chooses_between_candidates(void **state)
{
    (void)state;
    exchange(1, 0, 1);
    exchange(0, 1, 0);
}

static void test_verdicts_travel(void **state)
{
    (void)state;
    struct anole_wire out, in;
    struct anole_inplace_task sent = {.key = SMALL_TASK,
                                      .configs = {7, UINT64_MAX},
                                      .count = 2,
                                      .judged = true,
                                      .disturbed = true,
                                      .chosen = 1,
                                      .steps = {0.5, NAN}},
                              *list = &sent, *read = NULL;
    uint32_t count = 1, found = 0;
    anole_wire_writer_init(&out);
    anole_wire_inplace_tasks(&out, &list, &count);
    anole_wire_reader_init(&in, out.data, out.length);
    anole_wire_inplace_tasks(&in, &read, &found);
    assert_true(anole_wire_complete(&in));
    assert_int_equal(found, 1);
    assert_string_equal(read[0].key, SMALL_TASK);
    assert_int_equal(read[0].count, 2);
    assert_true(read[0].configs[1] == UINT64_MAX);
    anole_wire_clear(&out);
    anole_wire_inplace_verdicts(&out, &sent, 1);
    anole_wire_reader_init(&in, out.data, out.length);
    anole_wire_inplace_verdicts(&in, read, 1);
    assert_true(anole_wire_complete(&in));
    assert_true(read[0].disturbed);
    assert_true(read[0].judged && read[0].chosen == 1 && read[0].steps[0] == 0.5);
    /* Of another number of tasks, or one that is none of the candidates. */
    anole_wire_reader_init(&in, out.data, out.length);
    anole_wire_inplace_verdicts(&in, read, 0);
    assert_false(anole_wire_complete(&in));
    sent.chosen = 2;
    anole_wire_clear(&out);
    anole_wire_inplace_verdicts(&out, &sent, 1);
    anole_wire_reader_init(&in, out.data, out.length);
    anole_wire_inplace_verdicts(&in, read, 1);
    assert_false(anole_wire_complete(&in));
    free(read);
    anole_wire_fini(&out);
}

static void test_messages_travel(void **state)
{
    (void)state;
    struct anole_wire out, in;
    struct anole_inplace_report report = {.ran = true,
                                          .problem = "none",
                                          .seconds = 1,
                                          .low = 0.5,
                                          .high = 2,
                                          .default_seconds = 3,
                                          .speedup = NAN,
                                          .rounds = 7,
                                          .steps = 8,
                                          .steps_tuned = 5,
                                          .disturbed = true,
                                          .output = "y"},
                                again = {.ran = false};
    anole_wire_writer_init(&out);
    anole_wire_inplace_report(&out, &report);
    for (size_t length = 0; length <= out.length; length++) {
        anole_wire_reader_init(&in, out.data, length);
        anole_wire_inplace_report(&in, &again);
        assert_int_equal(anole_wire_complete(&in), length == out.length);
    }
    assert_true(again.ran && again.seconds == 1 && again.high == 2 && isnan(again.speedup));
    assert_int_equal(again.rounds, 7);
    assert_int_equal(again.steps_tuned, 5);
    assert_true(again.disturbed);
    assert_string_equal(again.output, "y");
    anole_wire_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_network_runs_as_a_whole),
        cmocka_unit_test(test_defaults_are_as_fast_as_themselves),
        cmocka_unit_test(test_wrong_kernels_are_seen),
        cmocka_unit_test(test_what_goes_wrong_is_said),
        cmocka_unit_test(test_what_hangs_is_killed),
        cmocka_unit_test(test_other_networks_are_not_run),
        cmocka_unit_test(test_network_chooses_between_candidates),
        cmocka_unit_test(test_verdicts_travel),
        cmocka_unit_test(test_messages_travel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
