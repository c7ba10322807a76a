/* SPDX-License-Identifier: MIT
 *
 * The backend of recordings: a made-up space (tests/data/spaces) served as devices,
 * by way of worker processes and all.
 */
#include "measure_fixture.h"

#include "formats/recording.h"
#include "measure/batch.h"

#include <math.h>
#include <sys/stat.h>

#define NEAR 1 /* by name: far, near, odd */

struct fixture {
    char *folder;
    char data[4096];
    struct anole_registry *registry;
    struct anole_t1 *t1;
    struct anole_space *space;
    struct anole_recording *recording; /* of `near` */
};

static void find_data(char *path, size_t size, const char *name)
{
    const char *data = getenv("ANOLE_TEST_DATA");
    char relative[4096], *real;
    snprintf(relative, sizeof relative, "%s/spaces%s", data ? data : "tests/data", name);
    real = realpath(relative, NULL);
    assert_non_null(real);
    snprintf(path, size, "%s", real);
    free(real);
}

/* The one plugin under test, from where it was built. */
static void add_replay(const char *folder)
{
    const char *built = getenv("ANOLE_REPLAY_PLUGIN");
    char to[1024], *real = realpath(built ? built : "plugins/.libs/replay.so", NULL);
    if (!real)
        fail_msg("there is no replay.so: set ANOLE_REPLAY_PLUGIN");
    snprintf(to, sizeof to, "%s/replay.so", folder);
    assert_int_equal(symlink(real, to), 0);
    free(real);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct anole_error error = {0};
    char path[4096];
    f->folder = make_folder();
    add_replay(f->folder);
    find_data(f->data, sizeof f->data, "");
    find_data(path, sizeof path, "/bowl/T1.json");
    assert_done(anole_t1_load(&f->t1, path, &error));
    assert_done(anole_t1_space(&f->space, f->t1, &error));
    find_data(path, sizeof path, "/bowl/near.T4.json.gz");
    assert_done(anole_recording_load(&f->recording, f->t1, f->space, path, &error));
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    unsetenv("ANOLE_REPLAY");
    anole_registry_destroy(f->registry);
    anole_recording_destroy(f->recording);
    anole_space_destroy(f->space);
    anole_t1_destroy(f->t1);
    drop_folder(f->folder);
    free(f);
    return 0;
}

static void serve(struct fixture *f, const char *variable)
{
    setenv("ANOLE_REPLAY", variable, 1);
    f->registry = registry_of(f->folder);
}

static struct anole_task custom_task(const char *name)
{
    struct anole_task task = {.size = sizeof task, .kind = ANOLE_TASK_CUSTOM, .dtype = ANOLE_F32};
    snprintf(task.name, sizeof task.name, "%s", name);
    return task;
}

static void test_devices_are_the_recordings_of_a_folder(void **state)
{
    static const char *const names[] = {"far", "near", "odd"};
    struct fixture *f = *state;
    serve(f, f->data);
    assert_int_equal(f->registry->device_count, 3);
    for (size_t i = 0; i < 3; i++) {
        const struct anole_device *device = &f->registry->devices[i].device;
        assert_string_equal(device->name, names[i]);
        assert_contains(device->driver, "bowl");
        assert_true(device->flags & ANOLE_DEVICE_SIMULATED);
        assert_int_equal(strlen(device->driver_version), 16);
    }
    assert_string_not_equal(f->registry->devices[0].device.driver_version,
                            f->registry->devices[1].device.driver_version);
}

static void test_pairs_of_files_are_taken_one_by_one(void **state)
{
    struct fixture *f = *state;
    char variable[3 * 4096 + 64];
    snprintf(variable, sizeof variable, "%s/bowl/T1.json:%s/bowl/odd.T4.json.gz", f->data, f->data);
    serve(f, variable);
    assert_int_equal(f->registry->device_count, 1);
    assert_string_equal(f->registry->devices[0].device.name, "odd");
}

static void test_without_the_variable_there_is_nothing(void **state)
{
    struct fixture *f = *state;
    f->registry = registry_of(f->folder);
    assert_int_equal(f->registry->device_count, 0);
    assert_int_equal(f->registry->entry_count, 1);
    assert_int_equal(f->registry->entries[0].refusal, ANOLE_REFUSAL_NONE);
    assert_string_equal(f->registry->entries[0].probe_problem, "");
}

static void test_bad_files_are_named(void **state)
{
    struct fixture *f = *state;
    char variable[3 * 4096 + 64], path[4096];
    snprintf(path, sizeof path, "%s/cut.T4.json", f->folder);
    FILE *file = fopen(path, "w");
    fputs("{\"results\": [", file);
    fclose(file);
    snprintf(variable, sizeof variable, "%s/bowl/T1.json:%s", f->data, path);
    serve(f, variable);
    assert_int_equal(f->registry->device_count, 0);
    assert_contains(f->registry->entries[0].probe_problem, "cut.T4.json:1");
    anole_registry_destroy(f->registry);
    serve(f, "/no/such/folder");
    assert_contains(f->registry->entries[0].probe_problem, "/no/such/folder");
}

static void test_space_is_that_of_the_t1_file(void **state)
{
    struct fixture *f = *state;
    struct anole_error error = {0};
    struct anole_generator *generator;
    serve(f, f->data);
    const struct anole_backend *backend = f->registry->entries[0].backend;
    const struct anole_device *device = &f->registry->devices[NEAR].device;
    struct anole_task task = custom_task("bowl"), long_name = custom_task("bowl-0123456789abcdef");
    struct anole_task other = custom_task("bowl-of-soup"), dense = parse_task(OTHER_TASK);
    assert_true(anole_backend_supports(backend, device, &task));
    assert_true(anole_backend_supports(backend, device, &long_name));
    assert_false(anole_backend_supports(backend, device, &other));
    assert_false(anole_backend_supports(backend, device, &dense));
    assert_done(anole_generator_create(&generator, backend, device, &task, &error));
    const struct anole_space *space = anole_generator_space(generator);
    bool exact;
    assert_int_equal(anole_space_size(space), anole_space_size(f->space));
    assert_int_equal(anole_space_count(space, 0, &exact), anole_recording_count(f->recording));
    assert_int_equal(anole_space_default(space), anole_space_default(f->space));
    anole_generator_destroy(generator);
}

struct seen {
    struct anole_result results[16];
};

static enum anole_status keep(void *context, size_t index, uint64_t config,
                              const struct anole_result *result, struct anole_error *error)
{
    struct seen *seen = context;
    (void)config;
    (void)error;
    seen->results[index] = *result;
    return ANOLE_DONE;
}

/* One config of each outcome that `near` has; returns how many. */
static size_t one_of_each(const struct fixture *f, uint64_t *configs)
{
    bool have[ANOLE_OUTCOME_COUNT] = {false};
    size_t count = 0;
    for (size_t i = 0; i < anole_recording_count(f->recording); i++) {
        const struct anole_recorded *item = anole_recording_get(f->recording, i);
        if (have[item->outcome])
            continue;
        have[item->outcome] = true;
        configs[count++] = item->config;
    }
    return count;
}

static void test_trials_are_as_recorded(void **state)
{
    struct fixture *f = *state;
    struct anole_error error = {0};
    struct anole_generator *generator;
    struct anole_measure *measure;
    struct anole_task task = custom_task("bowl");
    static struct seen seen;
    uint64_t configs[ANOLE_OUTCOME_COUNT];
    size_t count = one_of_each(f, configs);
    assert_true(count >= 2); /* the times, and at least one way to fail */
    serve(f, f->data);
    assert_done(anole_generator_create(&generator, f->registry->entries[0].backend,
                                       &f->registry->devices[NEAR].device, &task, &error));
    const struct anole_measure_options options = {.build_workers = 1, .threads = 1, .seed = 1};
    assert_done(
        anole_measure_create(&measure, f->registry, &f->registry->devices[NEAR], &options, &error));
    assert_done(anole_measure_batch(measure, generator, configs, count, NAN, keep, &seen, &error));
    for (size_t i = 0; i < count; i++) {
        const struct anole_recorded *item = anole_recording_find(f->recording, configs[i]);
        const struct anole_result *result = &seen.results[i];
        assert_true(result->simulated);
        assert_int_equal(result->outcome, item->outcome);
        if (item->outcome == ANOLE_OUTCOME_OK)
            assert_float_equal(result->seconds, item->seconds, 1e-12);
        else
            assert_contains(result->message, "recorded");
    }
    anole_measure_destroy(measure);
    anole_generator_destroy(generator);
}

/* Each kind of failure that a T4 file knows comes out as the outcome that it means. */
static void test_every_invalidity_is_an_outcome(void **state)
{
    static const struct {
        const char *kind;
        enum anole_outcome outcome;
    } cases[] = {{"correct", ANOLE_OUTCOME_OK},
                 {"constraints", ANOLE_OUTCOME_INVALID},
                 {"compile", ANOLE_OUTCOME_COMPILE},
                 {"runtime", ANOLE_OUTCOME_LAUNCH},
                 {"correctness", ANOLE_OUTCOME_WRONG_ANSWER},
                 {"timeout", ANOLE_OUTCOME_TIMEOUT}};
    enum { CASES = sizeof cases / sizeof *cases };
    static const char *const names[] = {"tile_x", "tile_y", "vector", "unroll", "stages", "layout"};
    struct fixture *f = *state;
    struct anole_error error = {0};
    struct anole_generator *generator;
    struct anole_measure *measure;
    struct anole_task task = custom_task("bowl");
    static struct seen seen;
    uint64_t configs[CASES];
    char path[4096], variable[3 * sizeof path];
    snprintf(path, sizeof path, "%s/kinds.T4.json", f->folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file,
            "{\"metadata\":{\"timeunit\":\"milliseconds\",\"device\":\"kinds\"},\"results\":[");
    for (size_t i = 0; i < CASES; i++)
        fprintf(file,
                "%s{\"configuration\":{\"tile_x\":%d,\"tile_y\":16,\"vector\":1,\"unroll\":1,"
                "\"stages\":1,\"layout\":\"row\"},\"times\":{\"compilation\":200,"
                "\"runtimes\":[2]},\"invalidity\":\"%s\","
                "\"measurements\":[{\"name\":\"time\",\"value\":2,\"unit\":\"ms\"}]}",
                i ? "," : "", 1 << i, cases[i].kind);
    fprintf(file, "]}");
    fclose(file);
    snprintf(variable, sizeof variable, "%s/bowl/T1.json:%s", f->data, path);
    serve(f, variable);
    assert_int_equal(f->registry->device_count, 1);
    assert_done(anole_generator_create(&generator, f->registry->entries[0].backend,
                                       &f->registry->devices[0].device, &task, &error));
    for (int i = 0; i < CASES; i++) {
        const int64_t values[] = {1 << i, 16, 1, 1, 1, 0};
        assert_done(anole_space_lookup(anole_generator_space(generator), &configs[i], names, values,
                                       6, &error));
    }
    const struct anole_measure_options options = {.build_workers = 1, .threads = 1, .seed = 1};
    assert_done(
        anole_measure_create(&measure, f->registry, &f->registry->devices[0], &options, &error));
    assert_done(anole_measure_batch(measure, generator, configs, CASES, NAN, keep, &seen, &error));
    for (size_t i = 0; i < CASES; i++) {
        assert_int_equal(seen.results[i].outcome, cases[i].outcome);
        if (i > 0) {
            assert_contains(seen.results[i].message, "recorded: ");
            assert_contains(seen.results[i].message, anole_outcome_words(cases[i].outcome));
        }
    }
    anole_measure_destroy(measure);
    anole_generator_destroy(generator);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_every_invalidity_is_an_outcome),
        TEST(test_devices_are_the_recordings_of_a_folder),
        TEST(test_pairs_of_files_are_taken_one_by_one),
        TEST(test_without_the_variable_there_is_nothing),
        TEST(test_bad_files_are_named),
        TEST(test_space_is_that_of_the_t1_file),
        TEST(test_trials_are_as_recorded),
    };
    anole_log_set_level(ANOLE_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
