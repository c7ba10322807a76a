/* SPDX-License-Identifier: MIT
 *
 * Networks that run in the process of a program, as a stranger has them run: through anole.h
 * alone, linked to the shared object.  On a test plugin, whose kernels are C, and which has
 * neither a driver nor shared memory; and on the backend cpu, if it was built.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "api_fixture.h"

#include <anole/anole.h>

#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define THREADS 3
#define RUNS 8 /* of each thread */

/* Two layers that are tasks of one kind, and one of another; what follows them is for plain
 * kernels. */
#define NETWORK                                                                                    \
    "{\"name\": \"test\", \"layers\": ["                                                           \
    "{\"name\": \"in\", \"kind\": \"input\", \"shape\": [1, 6, 6, 8]},"                            \
    "{\"name\": \"a\", \"kind\": \"conv2d\", \"channels\": 8, \"kernel\": 3, \"padding\": 1},"     \
    "{\"name\": \"b\", \"kind\": \"conv2d\", \"channels\": 8, \"kernel\": 3, \"padding\": 1},"     \
    "{\"name\": \"c\", \"kind\": \"conv2d\", \"channels\": 4, \"kernel\": 1},"                     \
    "{\"name\": \"out\", \"kind\": \"softmax\"}]}"
#define INPUTS (6 * 6 * 8)
#define OUTPUTS (6 * 6 * 4)

extern char **environ;

/* ----------------------------------------------------------------- fixture */

static char folder[64], network[128];
static char cpu_plugins[4096]; /* the folder of the backend cpu; "": it was not built */

struct fixture {
    struct anole_context *context;
    struct anole_model *model;
};

static void open_context(struct fixture *f, const char *plugins)
{
    struct anole_error error = {0};
    struct anole_context_options options = {.size = sizeof options, .plugin_path = plugins};
    *f = (struct fixture){.context = NULL};
    assert_done(anole_context_create(&f->context, &options, &error));
}

static struct anole_model_options model_options(void)
{
    struct anole_model_options options = {.size = sizeof options};
    options.random_weights = true;
    return options;
}

static void open_fixture(struct fixture *f, const char *plugins, const char *selector,
                         uint32_t threads)
{
    struct anole_error error = {0};
    struct anole_model_options options = model_options();
    options.selector = selector;
    options.threads = threads;
    open_context(f, plugins);
    assert_done(anole_model_load(&f->model, f->context, network, NULL, &options, &error));
}

static void close_fixture(struct fixture *f)
{
    anole_model_destroy(f->model);
    anole_context_destroy(f->context);
}

static void fill(float input[INPUTS], int seed)
{
    for (int i = 0; i < INPUTS; i++)
        input[i] = (float)((i * 37 + seed * 11) % 19) / 19.0f - 0.5f;
}

static void run_copied(struct anole_model *model, const float input[INPUTS], float output[OUTPUTS])
{
    struct anole_error error = {0};
    assert_done(anole_model_set_input(model, 0, input, INPUTS * sizeof *input, &error));
    assert_done(anole_model_run(model, &error));
    assert_done(anole_model_get_output(model, 0, output, OUTPUTS * sizeof *output, &error));
}

static void assert_close(const float *a, const float *b)
{
    for (int i = 0; i < OUTPUTS; i++)
        if (!(fabsf(a[i] - b[i]) <= 1e-5f))
            fail_msg("element %d: %g and %g", i, (double)a[i], (double)b[i]);
}

/* What the test plugin computes. */
static void reference(const float input[INPUTS], float output[OUTPUTS])
{
    struct fixture f;
    open_fixture(&f, folder, "good", 0);
    run_copied(f.model, input, output);
    close_fixture(&f);
}

/* ------------------------------------------------------------------- tests */

static void test_load_tells_what_a_network_is_like(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f, folder, "good", 0);
    assert_int_equal(anole_model_input_count(f.model), 1);
    assert_int_equal(anole_model_output_count(f.model), 1);
    const struct anole_tensor_info *in = anole_model_input(f.model, 0);
    assert_string_equal(in->name, "in");
    assert_string_equal(in->dtype, "f32");
    assert_int_equal(in->element_bytes, sizeof(float));
    assert_int_equal(in->rank, 4);
    assert_int_equal(in->dims[3], 8);
    assert_int_equal(in->bytes, INPUTS * sizeof(float));
    assert_int_equal(anole_model_output(f.model, 0)->bytes, OUTPUTS * sizeof(float));
    assert_null(anole_model_input(f.model, 1));
    assert_null(anole_model_output(f.model, 1));
    const struct anole_model_info *info = anole_model_info(f.model);
    assert_string_equal(info->network, "test");
    assert_string_equal(info->device->id, "good:0");
    assert_int_equal(info->steps, 4);
    assert_int_equal(info->steps_default, 3);
    assert_int_equal(info->steps_host, 1);
    assert_int_equal(info->steps_tuned + info->steps_built_in, 0);
    assert_true(info->random_weights >= 3 && info->device_bytes > info->arena_bytes);
    assert_true(isnan(info->run_seconds) && info->load_seconds > 0);
    assert_string_equal(anole_model_step(f.model, 0)->layer, "a");
    assert_string_equal(anole_model_step(f.model, 0)->kind, "default");
    assert_true(strncmp(anole_model_step(f.model, 0)->key, "conv2d", 6) == 0);
    assert_string_equal(anole_model_step(f.model, 0)->problem, "there is no lock file");
    assert_string_equal(anole_model_step(f.model, 3)->op, "softmax");
    assert_string_equal(anole_model_step(f.model, 3)->problem, "the backend has no kernel for it");
    assert_null(anole_model_step(f.model, 4));
    close_fixture(&f);
}

static void test_load_refuses_what_is_wrong(void **state)
{
    (void)state;
    struct fixture f;
    struct anole_model_options options = {.size = sizeof options};
    open_context(&f, folder);
    assert_fails(anole_model_load(&f.model, f.context, network, NULL, &options, &wrong),
                 ANOLE_ERR_INPUT, "random_weights");
    options.random_weights = true;
    options.selector = "nothing";
    assert_fails(anole_model_load(&f.model, f.context, network, NULL, &options, &wrong),
                 ANOLE_ERR_NO_DEVICE, "nothing");
    options.selector = "good";
    options.tuned = "/nowhere.lock.json";
    assert_fails(anole_model_load(&f.model, f.context, network, NULL, &options, &wrong),
                 ANOLE_ERR_INPUT, "/nowhere.lock.json");
    options.tuned = NULL;
    assert_fails(anole_model_load(&f.model, f.context, "/nowhere.onnx", NULL, &options, &wrong),
                 ANOLE_ERR_INPUT, "/nowhere.onnx");
    options.shapes = (const char *[]){"in=1xfour"};
    options.shape_count = 1;
    assert_fails(anole_model_load(&f.model, f.context, network, NULL, &options, &wrong),
                 ANOLE_ERR_USAGE, "1xfour");
    assert_null(f.model);
    anole_model_destroy(NULL);
    close_fixture(&f);
}

static void run_in_all_three_ways(struct fixture *f, bool expect_in_place)
{
    struct anole_error error = {0};
    float input[INPUTS], other[INPUTS], expected[OUTPUTS], output[OUTPUTS] = {0};
    void *in;
    const void *out;
    bool in_place;
    size_t index;
    fill(input, 1);
    fill(other, 2);
    run_copied(f->model, input, expected);
    for (int i = 0; i < OUTPUTS; i += 4) {
        float sum = expected[i] + expected[i + 1] + expected[i + 2] + expected[i + 3];
        assert_true(fabsf(sum - 1) < 1e-5f);
    }
    assert_true(anole_model_info(f->model)->run_seconds > 0);

    /* Mapped, and what it held is still there; what is mapped, copies see. */
    assert_done(anole_model_map_input(&in, &in_place, f->model, 0, &error));
    assert_int_equal(in_place, expect_in_place);
    assert_memory_equal(in, input, sizeof input);
    memcpy(in, other, sizeof other);
    assert_done(anole_model_run(f->model, &error));
    assert_done(anole_model_map_output(&out, NULL, f->model, 0, &error));
    assert_done(anole_model_get_output(f->model, 0, output, sizeof output, &error));
    assert_memory_equal(out, output, sizeof output);
    assert_memory_not_equal(out, expected, sizeof expected);
    assert_done(anole_model_map_input(&in, NULL, f->model, 0, &error));
    assert_memory_equal(in, other, sizeof other);
    assert_done(anole_model_set_input(f->model, 0, input, sizeof input, &error));
    assert_memory_equal(in, input, sizeof input);

    /* Bound. */
    assert_done(anole_model_find_input(&index, f->model, "in", &error));
    assert_done(anole_model_bind_input(f->model, index, other, sizeof other, &error));
    assert_done(anole_model_find_output(&index, f->model, "out", &error));
    assert_done(anole_model_bind_output(f->model, index, output, sizeof output, &error));
    memcpy(other, input, sizeof input);
    assert_done(anole_model_run(f->model, &error));
    assert_memory_equal(output, expected, sizeof expected);
    assert_done(anole_model_bind_input(f->model, 0, NULL, 0, &error));
    assert_done(anole_model_bind_output(f->model, 0, NULL, 0, &error));
    memset(output, 0, sizeof output);
    assert_done(anole_model_run(f->model, &error)); /* inputs stay, and nobody writes to output */
    assert_true(output[0] == 0);
    assert_done(anole_model_get_output(f->model, 0, output, sizeof output, &error));
    assert_memory_equal(output, expected, sizeof expected);
}

static void test_run_takes_and_gives_elements(void **state)
{
    (void)state;
    struct fixture f;
    struct anole_error error = {0};
    const struct anole_latency *latency;
    float data[INPUTS];
    size_t index;
    open_fixture(&f, folder, "good", 0);
    run_in_all_three_ways(&f, false);
    assert_done(anole_model_measure(&latency, f.model, 5, &error));
    assert_int_equal(latency->runs, 5);
    assert_true(latency->minimum > 0 && latency->low <= latency->median &&
                latency->median <= latency->high);
    assert_fails(anole_model_measure(&latency, f.model, 0, &wrong), ANOLE_ERR_USAGE, "repeat");
    assert_fails(anole_model_set_input(f.model, 0, data, 5, &wrong), ANOLE_ERR_USAGE,
                 "expected 1152 bytes, found 5");
    assert_fails(anole_model_set_input(f.model, 1, data, 5, &wrong), ANOLE_ERR_USAGE, "input 1");
    assert_fails(anole_model_bind_output(f.model, 0, data, 5, &wrong), ANOLE_ERR_USAGE, "found 5");
    assert_fails(anole_model_get_output(f.model, 7, data, 5, &wrong), ANOLE_ERR_USAGE, "output 7");
    assert_fails(anole_model_find_input(&index, f.model, "x\x1b", &wrong), ANOLE_ERR_INPUT,
                 "\"in\"");
    close_fixture(&f);
}

static void test_load_takes_the_kernels_of_a_lock_file(void **state)
{
    (void)state;
    struct fixture f;
    struct anole_error error = {0};
    struct anole_devices *devices = NULL;
    struct anole_tasks *tasks = NULL;
    struct anole_results *results = NULL;
    const struct anole_device_info *device;
    char lock[128];
    float input[INPUTS], expected[OUTPUTS], output[OUTPUTS];
    struct anole_tune_options tuning = {.size = sizeof tuning, .trial_limit = 4};
    struct anole_model_options options = model_options();
    snprintf(lock, sizeof lock, "%s/lock.json", folder);
    tuning.lock_path = lock;
    options.tuned = lock;
    open_context(&f, folder);
    assert_done(anole_devices_list(&devices, f.context, 0, &error));
    assert_done(anole_devices_find(&device, devices, "good", &error));
    assert_done(anole_tasks_load(&tasks, f.context, network, NULL, &error));
    assert_done(anole_tune(&results, tasks, device, &tuning, &error));
    assert_done(anole_model_load(&f.model, f.context, network, device, &options, &error));
    const struct anole_model_info *info = anole_model_info(f.model);
    assert_int_equal(info->steps_tuned, 3);
    assert_ptr_equal(info->device, device);
    assert_string_equal(anole_model_step(f.model, 0)->kind, "tuned");
    assert_string_equal(anole_model_step(f.model, 0)->problem, "");
    assert_true(anole_model_step(f.model, 0)->tuned_seconds > 0);
    fill(input, 3);
    run_copied(f.model, input, output);
    reference(input, expected);
    assert_close(output, expected);
    anole_model_destroy(f.model);
    f.model = NULL;
    anole_results_destroy(results);
    anole_tasks_destroy(tasks);
    anole_devices_destroy(devices);
    close_fixture(&f);
}

/* tests/data/run/make.py makes the file: `x` is reshaped to what `shape` says. */
static void test_known_inputs_are_built_in(void **state)
{
    (void)state;
    const char *data = getenv("ANOLE_TEST_DATA");
    char path[4200];
    struct fixture f;
    struct anole_error error = {0};
    struct anole_model *model = NULL;
    const int32_t sizes[] = {3, -1};
    const int64_t two[] = {2, 6}, one[] = {2}, bad[] = {-1};
    struct anole_known_input known[] = {
        {.name = "x", .rank = 2, .dims = two},
        {.name = "shape", .dtype = "i32", .rank = 1, .dims = one, .data = sizes},
    };
    struct anole_model_options options = model_options();
    options.selector = "good";
    snprintf(path, sizeof path, "%s/run/sized.onnx", data ? data : "tests/data");
    open_context(&f, folder);
    assert_fails(anole_model_load(&model, f.context, path, NULL, &options, &wrong), ANOLE_ERR_INPUT,
                 "shape");
    options.known = known;
    options.known_count = 2;
    assert_done(anole_model_load(&f.model, f.context, path, NULL, &options, &error));
    assert_int_equal(anole_model_input_count(f.model), 2);
    assert_string_equal(anole_model_input(f.model, 0)->name, "x");
    assert_string_equal(anole_model_input(f.model, 1)->name, "z");
    assert_int_equal(anole_model_output(f.model, 0)->dims[0], 3);
    assert_int_equal(anole_model_output(f.model, 0)->dims[1], 4);
    assert_false(anole_model_info(f.model)->batch_assumed);
    known[1].name = "y";
    assert_fails(anole_model_load(&model, f.context, path, NULL, &options, &wrong), ANOLE_ERR_INPUT,
                 "no input \"y\"");
    known[1] = (struct anole_known_input){.name = "shape", .dtype = "i9", .data = sizes};
    assert_fails(anole_model_load(&model, f.context, path, NULL, &options, &wrong), ANOLE_ERR_USAGE,
                 "such as i64, found 0 sizes and i9");
    known[1] = (struct anole_known_input){.name = "shape", .rank = 1, .dims = bad};
    assert_fails(anole_model_load(&model, f.context, path, NULL, &options, &wrong), ANOLE_ERR_USAGE,
                 "a size is -1");
    close_fixture(&f);
}

/* What is on the host cannot be handed over. */
static void test_export_names_what_the_host_does(void **state)
{
    (void)state;
    struct fixture f;
    char path[128];
    snprintf(path, sizeof path, "%s/refused", folder);
    open_fixture(&f, folder, "good", 0);
    assert_fails(anole_model_export(f.model, path, NULL, &wrong), ANOLE_ERR_INPUT,
                 "node \"out\" (softmax): the host computes it");
    close_fixture(&f);
    assert_int_not_equal(access(path, F_OK), 0);
}

/* tests/test_export_network.sh builds and runs such folders. */
static void test_cpu_exports_a_network(void **state)
{
    (void)state;
    struct fixture f;
    struct anole_error error = {0};
    size_t kernels = 0;
    char path[128];
    float input[INPUTS], before[OUTPUTS], after[OUTPUTS];
    if (!cpu_plugins[0])
        skip();
    fill(input, 1);
    snprintf(path, sizeof path, "%s/exported", folder);
    open_fixture(&f, cpu_plugins, "cpu", 1);
    run_copied(f.model, input, before);
    assert_done(anole_model_export(f.model, path, &kernels, &error));
    assert_int_equal(kernels, 3);                                 /* two layers are one task */
    assert_done(anole_model_export(f.model, path, NULL, &error)); /* over the first */
    run_copied(f.model, input, after);
    assert_memory_equal(before, after, sizeof before);
    close_fixture(&f);
    snprintf(path, sizeof path, "%s/exported/network.c", folder);
    assert_int_equal(access(path, F_OK), 0);
}

/* ----------------------------------------------------------------- threads */

struct thread {
    pthread_t id;
    const char *plugins, *selector;
    int number;
    float output[OUTPUTS];
    bool same; /* each time */
};

static void *load_and_run(void *context)
{
    struct thread *thread = context;
    struct fixture f;
    float input[INPUTS], output[OUTPUTS];
    fill(input, thread->number);
    open_fixture(&f, thread->plugins, thread->selector, 1 + (uint32_t)thread->number % 2);
    run_copied(f.model, input, thread->output);
    thread->same = true;
    for (int i = 0; i < RUNS; i++) {
        run_copied(f.model, input, output);
        thread->same = thread->same && memcmp(output, thread->output, sizeof output) == 0;
    }
    close_fixture(&f);
    return NULL;
}

static void run_in_threads(const char *plugins, const char *selector)
{
    struct thread threads[THREADS];
    float input[INPUTS], expected[OUTPUTS];
    for (int i = 0; i < THREADS; i++) {
        threads[i] = (struct thread){.plugins = plugins, .selector = selector, .number = i};
        assert_int_equal(pthread_create(&threads[i].id, NULL, load_and_run, &threads[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i].id, NULL);
    for (int i = 0; i < THREADS; i++) {
        fill(input, i);
        reference(input, expected);
        assert_true(threads[i].same);
        assert_close(threads[i].output, expected);
    }
}

static void test_models_run_in_threads_at_once(void **state)
{
    (void)state;
    run_in_threads(folder, "good");
}

/* --------------------------------------------------------- the backend cpu */

/* PoCL hides hwloc's plugins from itself by the environment; nothing else may change. */
static void check_environment(char *const *before, size_t count)
{
    size_t after = 0;
    for (size_t i = 0; environ[i]; i++)
        after += strncmp(environ[i], "HWLOC_", 6) != 0;
    assert_int_equal(after, count);
    for (size_t i = 0; i < count; i++) {
        size_t length = strcspn(before[i], "=");
        char *name = strndup(before[i], length);
        assert_string_equal(getenv(name), before[i] + length + 1);
        free(name);
    }
}

static void test_cpu_runs_in_place_and_leaves_the_process_alone(void **state)
{
    (void)state;
    struct fixture f;
    cpu_set_t cores, cores_after;
    char *before[512];
    float input[INPUTS], expected[OUTPUTS], output[OUTPUTS];
    size_t count = 0;
    if (!cpu_plugins[0])
        skip();
    for (size_t i = 0; environ[i] && count < sizeof before / sizeof *before; i++)
        if (strncmp(environ[i], "HWLOC_", 6) != 0)
            before[count++] = strdup(environ[i]);
    assert_int_equal(sched_getaffinity(0, sizeof cores, &cores), 0);
    open_fixture(&f, cpu_plugins, "cpu", 0);
    run_in_all_three_ways(&f, true);
    fill(input, 1);
    run_copied(f.model, input, output);
    assert_int_equal(anole_model_info(f.model)->submissions, 1);
    assert_int_equal(sched_getaffinity(0, sizeof cores_after, &cores_after), 0);
    assert_true(CPU_EQUAL(&cores, &cores_after));
    check_environment(before, count);
    close_fixture(&f);
    reference(input, expected);
    assert_close(output, expected);
    while (count > 0)
        free(before[--count]);
}

static void test_cpu_runs_in_threads_at_once(void **state)
{
    (void)state;
    if (!cpu_plugins[0])
        skip();
    run_in_threads(cpu_plugins, "cpu");
}

/* As the environment says: it is read when a device is opened. */
static void compare_queues(void)
{
    struct fixture f;
    float input[INPUTS], expected[OUTPUTS], output[OUTPUTS], again[OUTPUTS];
    fill(input, 4);
    open_fixture(&f, cpu_plugins, "cpu", 0);
    run_copied(f.model, input, output);
    run_copied(f.model, input, again);
    close_fixture(&f);
    reference(input, expected);
    assert_close(output, expected);
    assert_memory_equal(output, again, sizeof output);
}

static void test_cpu_runs_by_sub_devices(void **state)
{
    (void)state;
    if (!cpu_plugins[0])
        skip();
    setenv("ANOLE_CPU_QUEUES", "parts", 1);
    compare_queues();
    unsetenv("ANOLE_CPU_QUEUES");
}

/* The devices of PoCL are those of the environment in which it was loaded: in a process of its
 * own. */
static void test_cpu_runs_by_own_queues(void **state)
{
    (void)state;
    char self[4096], command[4400];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (!cpu_plugins[0] || length < 0)
        skip();
    self[length] = 0;
    snprintf(command, sizeof command,
             "POCL_DEVICES='cpu pthread tbb cpu-tbb cpu-minimal basic' ANOLE_CPU_QUEUES=own "
             "'%s' own >/dev/null",
             self);
    assert_int_equal(system(command), 0);
}

/* Kernels that `anole run` has kept are built for its launches, and not for ours. */
static void test_cpu_takes_no_kernels_of_other_launches(void **state)
{
    (void)state;
    const char *anole = getenv("ANOLE");
    char command[9000], cache[128];
    if (!cpu_plugins[0] || !anole)
        skip();
    snprintf(cache, sizeof cache, "%s/cache", folder);
    snprintf(command, sizeof command,
             "ANOLE_CACHE_DIR='%s' '%s' run '%s' --device cpu --repeat 1 >/dev/null 2>&1", cache,
             anole, network);
    assert_int_equal(system(command), 0);
    setenv("ANOLE_CACHE_DIR", cache, 1);
    compare_queues(); /* builds anew, and keeps */
    compare_queues(); /* finds what it has kept */
    setenv("ANOLE_CACHE_DIR", "", 1);
}

static void test_own_queues(void **state)
{
    (void)state;
    compare_queues();
}

/* ---------------------------------------------------------------------- all */

static void link_plugin(const char *name)
{
    const char *test_plugins = getenv("ANOLE_TEST_PLUGINS");
    char from[4096], to[256];
    snprintf(from, sizeof from, "%s/%s.so", test_plugins ? test_plugins : "tests/plugins/built",
             name);
    snprintf(to, sizeof to, "%s/%s.so", folder, name);
    char *real = realpath(from, NULL);
    if (!real || symlink(real, to) != 0) {
        fprintf(stderr, "there is no test plugin %s: set ANOLE_TEST_PLUGINS\n", from);
        exit(1);
    }
    free(real);
}

static void make_files(void)
{
    const char *plugins = getenv("ANOLE_PLUGIN_PATH");
    char path[4200];
    snprintf(folder, sizeof folder, "/tmp/anole-run-XXXXXX");
    if (!mkdtemp(folder))
        exit(1);
    snprintf(network, sizeof network, "%s/test.json", folder);
    FILE *file = fopen(network, "w");
    if (!file || fputs(NETWORK, file) < 0 || fclose(file) != 0)
        exit(1);
    link_plugin("good");
    snprintf(cpu_plugins, sizeof cpu_plugins, "%s", plugins ? plugins : "");
    snprintf(path, sizeof path, "%s/cpu.so", cpu_plugins);
    if (access(path, F_OK) != 0)
        cpu_plugins[0] = 0;
}

/* Drivers load and close libraries of their own, and what these leave behind is laid at nobody's
 * door: tests/leaks.supp cannot name it.  Leaks of ours are looked for in tests/test_memory. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_load_tells_what_a_network_is_like),
        cmocka_unit_test(test_load_refuses_what_is_wrong),
        cmocka_unit_test(test_run_takes_and_gives_elements),
        cmocka_unit_test(test_load_takes_the_kernels_of_a_lock_file),
        cmocka_unit_test(test_known_inputs_are_built_in),
        cmocka_unit_test(test_export_names_what_the_host_does),
        cmocka_unit_test(test_cpu_exports_a_network),
        cmocka_unit_test(test_models_run_in_threads_at_once),
        cmocka_unit_test(test_cpu_runs_in_place_and_leaves_the_process_alone),
        cmocka_unit_test(test_cpu_runs_in_threads_at_once),
        cmocka_unit_test(test_cpu_runs_by_sub_devices),
        cmocka_unit_test(test_cpu_takes_no_kernels_of_other_launches),
        cmocka_unit_test(test_cpu_runs_by_own_queues),
    };
    const struct CMUnitTest own[] = {cmocka_unit_test(test_own_queues)};
    (void)argv;
    char command[128];
    make_files();
    setenv("ANOLE_PLUGIN_DIR", "", 1); /* no other backend than a test's own */
    int failed = argc > 1 ? cmocka_run_group_tests(own, NULL, NULL)
                          : cmocka_run_group_tests(tests, NULL, NULL);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command) != 0 || failed;
}
