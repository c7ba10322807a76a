/* SPDX-License-Identifier: MIT
 *
 * Kernels that misbehave in one group, of a launch that two queues of ours make together,
 * or the driver's pool of threads: both are told alike, nothing goes on running, and the
 * next kernel is measured.
 */
#include "measure_fixture.h"
#include "process_fixture.h"

#include "measure/batch.h"

#include <math.h>

#define QUEUES 2
#define TASK "dense n1 i16 o7 f32 bias" /* groups 0 to 3, and 4 to 6 */
#define OF_FIRST 1                      /* not 0, which is run when a kernel is built */
#define OF_SECOND 6
#define MAX_CONFIGS 16

/* What each group did, with the outcome and words of the message. */
static const struct deed {
    const char *name;
    enum anole_outcome outcome;
    const char *words;
} deeds[] = {
    {"crash", ANOLE_OUTCOME_CRASH, "while running the kernel"},
    {"trap", ANOLE_OUTCOME_CRASH, "while running the kernel"},
    {"loop", ANOLE_OUTCOME_TIMEOUT, "running the kernel took longer"},
    {"behind", ANOLE_OUTCOME_WRONG_ANSWER, "behind its output"},
    {"unwritten", ANOLE_OUTCOME_WRONG_ANSWER, "never written"},
};
#define DEEDS (sizeof deeds / sizeof *deeds)

struct bench {
    char *folder;
    struct anole_registry *registry;
    const struct anole_registry_device *device;
    struct anole_generator *generator;
    struct anole_measure *measure;
    struct anole_result results[MAX_CONFIGS];
    size_t count;
};

/* PoCL's, by whatever name: NULL if there is none. */
static const struct anole_registry_device *find_device(const struct anole_registry *registry)
{
    for (size_t i = 0; i < registry->device_count; i++)
        if (strstr(registry->devices[i].driver, "pocl"))
            return &registry->devices[i];
    return NULL;
}

static double own_queues(const struct anole_device *device)
{
    for (uint32_t i = 0; i < device->property_count; i++)
        if (strcmp(device->properties[i].name, "own_queues") == 0)
            return device->properties[i].value;
    return NAN;
}

/* The backend that the test plugin is made of; before anything changes the folder. */
static int name_backend(void **state)
{
    const char *folder = getenv("ANOLE_PLUGIN_PATH");
    char path[4096];
    (void)state;
    snprintf(path, sizeof path, "%s/cpu.so", folder ? folder : "plugins/.libs");
    setenv("ANOLE_TEST_CPU", path, 1);
    return 0;
}

static void close_bench(struct bench *bench)
{
    anole_measure_destroy(bench->measure);
    anole_generator_destroy(bench->generator);
    anole_registry_destroy(bench->registry);
    expect_none_left();
    drop_folder(bench->folder);
}

/* False if there is no PoCL. */
static bool open_bench(struct bench *bench, const char *queues)
{
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_task task = parse_task(TASK);
    const struct anole_measure_options options = {
        .build_workers = 1, .threads = QUEUES, .seed = 1, .run_limit = 2, .sample_time = 1e-3};
    memset(bench, 0, sizeof *bench);
    set_mark();
    setenv("ANOLE_CPU_QUEUES", queues, 1);
    setenv("POCL_MAX_PTHREAD_COUNT", "2", 1);
    setenv("POCL_CPU_MAX_CU_COUNT", "2", 1);
    bench->folder = make_folder();
    add_plugins(bench->folder, "shares");
    bench->registry = registry_of(bench->folder);
    assert_int_equal(bench->registry->entries[0].refusal, ANOLE_REFUSAL_NONE);
    bench->device = find_device(bench->registry);
    if (!bench->device) {
        close_bench(bench);
        return false;
    }
    assert_true(own_queues(&bench->device->device) == (strcmp(queues, "own") == 0 ? QUEUES : 0));
    assert_done(anole_generator_create(&bench->generator, bench->registry->entries[0].backend,
                                       &bench->device->device, &task, &error));
    assert_done(
        anole_measure_create(&bench->measure, bench->registry, bench->device, &options, &error));
    return true;
}

static uint64_t config_of(const struct bench *bench, const char *deed, int64_t group)
{
    static const char *const names[] = {"deed", "group"};
    const struct anole_space *space = anole_generator_space(bench->generator);
    const struct anole_space_knob *knob = anole_space_knob(space, 0);
    int64_t values[] = {-1, group};
    uint64_t config = 0;
    struct anole_error error = {.status = ANOLE_DONE};
    for (uint32_t i = 0; i < knob->count; i++)
        if (strcmp(knob->labels[i], deed) == 0)
            values[0] = knob->values[i];
    assert_done(anole_space_lookup(space, &config, names, values, 2, &error));
    return config;
}

static enum anole_status take(void *context, size_t index, uint64_t config,
                              const struct anole_result *result, struct anole_error *error)
{
    struct bench *bench = context;
    (void)config;
    (void)error;
    bench->results[index] = *result;
    bench->count++;
    return ANOLE_DONE;
}

/* ------------------------------------------------------------------- threads */

/* Whether a thread of that process runs, or wants to. */
static bool is_running(pid_t process)
{
    char path[384], line[512];
    bool running = false;
    snprintf(path, sizeof path, "/proc/%ld/task", (long)process);
    DIR *threads = opendir(path);
    struct dirent *entry;
    while (threads && (entry = readdir(threads))) {
        snprintf(path, sizeof path, "/proc/%ld/task/%s/stat", (long)process, entry->d_name);
        FILE *file = entry->d_name[0] == '.' ? NULL : fopen(path, "re");
        if (!file)
            continue;
        const char *end = fgets(line, sizeof line, file) ? strrchr(line, ')') : NULL;
        running |= end && strncmp(end, ") R", 3) == 0;
        fclose(file);
    }
    if (threads)
        closedir(threads);
    return running;
}

/* One that spins for ever is never found asleep. */
static void expect_all_asleep(void)
{
    pid_t found[MAX_MARKED];
    for (int i = 0; i < PATIENCE; i++) {
        size_t count = find_marked(found), awake = 0;
        for (size_t p = 0; p < count; p++)
            awake += is_running(found[p]);
        assert_true(count > 0); /* the workers wait for the next batch */
        if (!awake)
            return;
        pause_a_tenth();
    }
    fail_msg("a thread goes on running after all kernels are done");
}

/* --------------------------------------------------------------------- tests */

/* After each kernel that misbehaves in that group, one that does not. */
static void misbehave(const char *queues, int64_t group)
{
    struct bench bench;
    struct anole_error error = {.status = ANOLE_DONE};
    uint64_t configs[2 * DEEDS];
    if (!open_bench(&bench, queues))
        skip();
    for (size_t i = 0; i < DEEDS; i++) {
        configs[2 * i] = config_of(&bench, deeds[i].name, group);
        configs[2 * i + 1] = config_of(&bench, "none", (int64_t)i);
    }
    assert_done(anole_measure_batch(bench.measure, bench.generator, configs, 2 * DEEDS, NAN, take,
                                    &bench, &error));
    assert_int_equal(bench.count, 2 * DEEDS);
    for (size_t i = 0; i < DEEDS; i++) {
        const struct anole_result *result = &bench.results[2 * i];
        if (result->outcome != deeds[i].outcome || !strstr(result->message, deeds[i].words))
            fail_msg("%s in group %d, %s: expected %s, \"%s\", found %s, \"%s\"", deeds[i].name,
                     (int)group, queues, anole_outcome_text(deeds[i].outcome), deeds[i].words,
                     anole_outcome_text(result->outcome), result->message);
        result++;
        if (result->outcome != ANOLE_OUTCOME_OK)
            fail_msg("after %s in group %d, %s: found %s, \"%s\"", deeds[i].name, (int)group,
                     queues, anole_outcome_text(result->outcome), result->message);
        assert_true(result->seconds > 0 && result->seconds < 1);
    }
    expect_all_asleep();
    close_bench(&bench);
}

static void expect_whole(const char *queues, enum anole_outcome outcome)
{
    struct bench bench;
    struct anole_error error = {.status = ANOLE_DONE};
    if (!open_bench(&bench, queues))
        skip();
    const uint64_t config = config_of(&bench, "whole", 0);
    assert_done(
        anole_measure_batch(bench.measure, bench.generator, &config, 1, NAN, take, &bench, &error));
    assert_int_equal(bench.results[0].outcome, outcome);
    close_bench(&bench);
}

/* Else the other tests would be about nothing. */
static void test_split_launches_with_own_queues_alone(void **state)
{
    (void)state;
    expect_whole("own", ANOLE_OUTCOME_OK);
    expect_whole("pool", ANOLE_OUTCOME_WRONG_ANSWER);
}

static void test_misbehave_in_the_second_share(void **state)
{
    (void)state;
    misbehave("own", OF_SECOND);
}

static void test_misbehave_in_the_share_that_is_launched_first(void **state)
{
    (void)state;
    misbehave("own", OF_FIRST);
}

static void test_misbehave_in_the_pool_of_threads(void **state)
{
    (void)state;
    misbehave("pool", OF_SECOND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_split_launches_with_own_queues_alone),
        cmocka_unit_test(test_misbehave_in_the_second_share),
        cmocka_unit_test(test_misbehave_in_the_share_that_is_launched_first),
        cmocka_unit_test(test_misbehave_in_the_pool_of_threads),
    };
    return cmocka_run_group_tests(tests, name_backend, NULL);
}
