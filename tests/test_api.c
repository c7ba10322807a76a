/* SPDX-License-Identifier: MIT
 *
 * The library as a stranger uses it: through anole.h alone, linked to the shared object.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "api_fixture.h"

#include <anole/anole.h>

#include <fcntl.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define NETWORK                                                                                    \
    "{\"name\": \"test\", \"layers\": ["                                                           \
    "{\"name\": \"in\", \"kind\": \"input\", \"shape\": [1, 6, 6, 8]},"                            \
    "{\"name\": \"a\", \"kind\": \"conv2d\", \"channels\": 8, \"kernel\": 3, \"padding\": 1},"     \
    "{\"name\": \"b\", \"kind\": \"conv2d\", \"channels\": 8, \"kernel\": 3, \"padding\": 1},"     \
    "{\"name\": \"c\", \"kind\": \"conv2d\", \"channels\": 4, \"kernel\": 1}]}"

/* A context, its devices and the tasks of NETWORK, with one test plugin alone; and a folder. */
struct fixture {
    char folder[64], plugins[128], history[128], lock[128];
    struct anole_context *context;
    struct anole_devices *devices;
    const struct anole_device_info *device;
    struct anole_tasks *tasks;
    atomic_bool stop;
    char log[8192]; /* what was logged */
    size_t events[3], trials;
    size_t stop_after; /* trials; 0: never */
};

static void take_log(void *context, enum anole_level level, const char *text)
{
    struct fixture *f = context;
    size_t used = strlen(f->log);
    snprintf(f->log + used, sizeof f->log - used, "%d:%s\n", (int)level, text);
}

static bool stop_wanted(void *context)
{
    return atomic_load(&((struct fixture *)context)->stop);
}

static void watch(void *context, enum anole_tune_event event, const struct anole_tune_state *state)
{
    struct fixture *f = context;
    f->events[event]++;
    f->trials = state->trials;
    assert_true(state->current < state->task_count);
    assert_non_null(state->tasks[state->current]->task->label);
    if (f->stop_after && state->trials >= f->stop_after)
        atomic_store(&f->stop, true);
}

static void open_context(struct fixture *f, const char *plugin)
{
    struct anole_error error = {0};
    char from[1024], to[512];
    memset(f, 0, sizeof *f);
    snprintf(f->folder, sizeof f->folder, "/tmp/anole-api-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->plugins, sizeof f->plugins, "%s/plugins", f->folder);
    snprintf(f->history, sizeof f->history, "%s/history", f->folder);
    snprintf(f->lock, sizeof f->lock, "%s/lock.json", f->folder);
    assert_int_equal(mkdir(f->plugins, 0700), 0);
    const char *test_plugins = getenv("ANOLE_TEST_PLUGINS");
    snprintf(from, sizeof from, "%s/%s.so", test_plugins ? test_plugins : "tests/plugins/built",
             plugin);
    snprintf(to, sizeof to, "%s/%s.so", f->plugins, plugin);
    char *real = realpath(from, NULL);
    if (!real)
        fail_msg("there is no test plugin %s: set ANOLE_TEST_PLUGINS", from);
    assert_int_equal(symlink(real, to), 0);
    free(real);
    struct anole_context_options options = {
        .size = sizeof options,
        .level = ANOLE_LEVEL_INFO,
        .log = take_log,
        .log_context = f,
        .stop = stop_wanted,
        .stop_context = f,
        .plugin_path = f->plugins,
    };
    assert_done(anole_context_create(&f->context, &options, &error));
}

static void open_fixture(struct fixture *f, const char *plugin)
{
    struct anole_error error = {0};
    open_context(f, plugin);
    assert_done(anole_devices_list(&f->devices, f->context, 0, &error));
    assert_done(anole_devices_find(&f->device, f->devices, NULL, &error));
    assert_done(anole_tasks_parse(&f->tasks, f->context, NETWORK, strlen(NETWORK), "test.json",
                                  NULL, &error));
}

static void close_fixture(struct fixture *f)
{
    char path[512];
    anole_tasks_destroy(f->tasks);
    anole_devices_destroy(f->devices);
    anole_context_destroy(f->context);
    snprintf(path, sizeof path, "rm -rf '%s'", f->folder);
    assert_int_equal(system(path), 0);
}

static struct anole_tune_options tune_options(struct fixture *f)
{
    struct anole_tune_options options = {.size = sizeof options};
    options.trial_limit = 24;
    options.seed = 3;
    options.history_path = f->history;
    options.lock_path = f->lock;
    options.progress = watch;
    options.progress_context = f;
    return options;
}

/* ------------------------------------------------------------------- tests */

static void test_version_is_that_of_the_header(void **state)
{
    (void)state;
    assert_string_equal(anole_version(), ANOLE_VERSION);
    assert_int_equal(anole_version_number(), ANOLE_VERSION_NUMBER);
}

static void test_options_of_other_versions(void **state)
{
    (void)state;
    struct {
        struct anole_context_options options;
        void *later[2];
    } newer = {.options = {.size = sizeof newer}};
    struct anole_context *context = NULL;
    struct anole_error error = {0};
    assert_done(anole_context_create(&context, &newer.options, &error));
    anole_context_destroy(context);
    context = NULL;
    newer.later[1] = &newer;
    assert_fails(anole_context_create(&context, &newer.options, &wrong), ANOLE_ERR_VERSION,
                 "does not know");
    newer.options.size = 0;
    assert_fails(anole_context_create(&context, &newer.options, &wrong), ANOLE_ERR_USAGE, ".size");
    assert_null(context);
    newer.options.size = sizeof(size_t); /* an older one, which had no member yet */
    assert_done(anole_context_create(&context, &newer.options, &error));
    anole_context_destroy(context);
    anole_context_destroy(NULL);
}

static void test_list_shows_devices_and_backends(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f, "good");
    const struct anole_device_info *other;
    assert_true(anole_devices_count(f.devices) >= 1);
    assert_ptr_equal(anole_devices_get(f.devices, 0), f.device);
    assert_null(anole_devices_get(f.devices, 1000));
    assert_string_equal(f.device->backend, "good");
    assert_string_equal(f.device->id, "good:0");
    assert_string_equal(anole_devices_backend(f.devices, 0)->name, "good");
    assert_true(anole_devices_backend(f.devices, 0)->loaded);
    assert_fails(anole_devices_find(&other, f.devices, "bad", &wrong), ANOLE_ERR_NO_DEVICE,
                 "good:0");
    close_fixture(&f);
}

static void test_list_says_why_a_plugin_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    struct anole_error error = {0};
    const struct anole_device_info *device;
    open_context(&f, "old");
    assert_done(anole_devices_list(&f.devices, f.context, 0, &error));
    assert_int_equal(anole_devices_count(f.devices), 0);
    assert_int_equal(anole_devices_backend_count(f.devices), 1);
    assert_false(anole_devices_backend(f.devices, 0)->loaded);
    assert_true(anole_devices_backend(f.devices, 0)->problem[0]);
    assert_fails(anole_devices_find(&device, f.devices, NULL, &wrong), ANOLE_ERR_NO_BACKEND,
                 "no backend");
    close_fixture(&f);
}

static void test_tasks_tell_what_there_is_to_tune(void **state)
{
    (void)state;
    struct fixture f;
    struct anole_error error = {0};
    open_fixture(&f, "simulated");
    assert_string_equal(anole_tasks_name(f.tasks), "test");
    assert_string_equal(anole_tasks_precision(f.tasks), "fp32");
    assert_int_equal(anole_tasks_layer_count(f.tasks), 4);
    assert_int_equal(anole_tasks_count(f.tasks), 2);
    const struct anole_task_info *task = anole_tasks_get(f.tasks, 0);
    assert_int_equal(task->multiplicity, 2);
    assert_string_equal(task->layers[0], "a");
    assert_string_equal(task->layers[1], "b");
    assert_string_equal(task->kind, "conv2d");
    assert_true(task->flops > 2.0 * 6 * 6 * 8 * 8 * 9 - 1);
    assert_done(anole_tasks_describe(f.tasks, f.device, &error));
    assert_true(task->supported && task->knobs > 0 && task->valid > 0);
    assert_null(anole_tasks_get(f.tasks, 2));
    close_fixture(&f);
}

static void test_load_refuses_what_is_wrong(void **state)
{
    (void)state;
    struct fixture f;
    struct anole_tasks *tasks = NULL;
    struct anole_load_options options = {.size = sizeof options, .precision = "fp31"};
    open_fixture(&f, "simulated");
    assert_fails(anole_tasks_load(&tasks, f.context, "/nowhere.json", NULL, &wrong),
                 ANOLE_ERR_INPUT, "/nowhere.json");
    assert_fails(anole_tasks_parse(&tasks, f.context, "{", 1, "mine", NULL, &wrong),
                 ANOLE_ERR_INPUT, "mine");
    assert_fails(
        anole_tasks_parse(&tasks, f.context, NETWORK, strlen(NETWORK), "mine", &options, &wrong),
        ANOLE_ERR_USAGE, "fp31");
    assert_null(tasks);
    close_fixture(&f);
}

static void test_tune_writes_and_finds_again(void **state)
{
    (void)state;
    struct fixture f;
    struct anole_error error = {0};
    struct anole_results *results = NULL;
    struct anole_tuned *tuned = NULL;
    const struct anole_result_info *found;
    enum anole_match match;
    open_fixture(&f, "simulated");
    struct anole_tune_options options = tune_options(&f);
    assert_done(anole_tune(&results, f.tasks, f.device, &options, &error));
    assert_int_equal(anole_results_count(results), 2);
    assert_done(anole_results_check(results, &error));
    assert_true(f.events[ANOLE_TUNE_PHASE] >= 2 && f.events[ANOLE_TUNE_TRIAL] > 0);
    assert_true(f.trials > 0);
    assert_int_equal(anole_results_state(results)->trials, f.trials);
    assert_non_null(strstr(f.log, "tuning test"));

    assert_done(anole_tuned_load(&tuned, f.context, f.lock, &error));
    assert_int_equal(anole_tuned_device_count(tuned), 1);
    assert_int_equal(anole_tuned_device(tuned, 0)->task_count, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct anole_result_info *result = anole_results_get(results, i);
        anole_tuned_find(&found, &match, tuned, f.device, result->key);
        assert_int_equal(match, ANOLE_MATCH_EXACT);
        assert_ptr_equal(found, anole_tuned_get(tuned, 0, i));
        assert_true(fabs(found->seconds / result->seconds - 1.0) < 1e-6);
        assert_int_equal(found->knob_count, result->knob_count);
        assert_string_equal(found->knobs[0].name, result->knobs[0].name);
        assert_int_equal(found->knobs[0].value, result->knobs[0].value);
        assert_int_equal(found->source_hash, result->source_hash);
    }
    anole_tuned_find(&found, &match, tuned, f.device, "dense n2 i12 o5 f32 bias");
    assert_int_equal(match, ANOLE_MATCH_NONE);
    assert_null(found);
    assert_done(anole_results_compare(results, tuned, 0.5, &error));

    assert_done(anole_tasks_count_trials(f.tasks, f.history, f.device, &error));
    assert_int_equal(anole_tasks_get(f.tasks, 0)->trials + anole_tasks_get(f.tasks, 1)->trials,
                     f.trials);
    anole_tuned_destroy(tuned);
    anole_results_destroy(results);
    close_fixture(&f);
}

static void test_tune_needs_no_files(void **state)
{
    (void)state;
    struct fixture f;
    struct anole_error error = {0};
    struct anole_results *results = NULL;
    open_fixture(&f, "simulated");
    struct anole_tune_options options = {.size = sizeof options, .trial_limit = 6};
    assert_done(anole_tune(&results, f.tasks, f.device, &options, &error));
    assert_true(anole_results_get(results, 0)->found);
    assert_int_equal(access(f.history, F_OK), -1);
    anole_results_destroy(results);
    close_fixture(&f);
}

static void test_tune_is_stopped_and_goes_on(void **state)
{
    (void)state;
    struct fixture f;
    struct anole_error error = {0};
    struct anole_results *results = NULL;
    open_fixture(&f, "simulated");
    struct anole_tune_options options = tune_options(&f);
    f.stop_after = 8;
    assert_int_equal(anole_tune(&results, f.tasks, f.device, &options, &error),
                     ANOLE_ERR_INTERRUPTED);
    assert_null(results);
    f.stop_after = 0;
    atomic_store(&f.stop, false);
    anole_error_clear(&error);
    assert_done(anole_tune(&results, f.tasks, f.device, &options, &error));
    const struct anole_tune_state *end = anole_results_state(results);
    assert_true(end->tasks[0]->resumed + end->tasks[1]->resumed >= 8);
    anole_results_destroy(results);
    close_fixture(&f);
}

static void test_tune_refuses_wrong_options(void **state)
{
    (void)state;
    struct fixture f;
    struct anole_results *results = NULL;
    open_fixture(&f, "simulated");
    struct anole_tune_options options = tune_options(&f);
    options.time_limit = NAN;
    assert_fails(anole_tune(&results, f.tasks, f.device, &options, &wrong), ANOLE_ERR_USAGE,
                 "time limit");
    options.time_limit = 0;
    options.explorer = "columbus";
    assert_fails(anole_tune(&results, f.tasks, f.device, &options, &wrong), ANOLE_ERR_USAGE,
                 "columbus");
    close_fixture(&f);
}

static void test_verify_runs_what_was_found(void **state)
{
    (void)state;
    struct fixture f;
    struct anole_error error = {0};
    struct anole_results *results = NULL;
    struct anole_tuned *tuned = NULL;
    struct anole_verification *verification = NULL;
    open_fixture(&f, "good");
    struct anole_tune_options options = tune_options(&f);
    options.trial_limit = 4;
    assert_done(anole_tune(&results, f.tasks, f.device, &options, &error));
    assert_done(anole_tuned_load(&tuned, f.context, f.lock, &error));
    assert_done(anole_verify(&verification, tuned, f.device, NULL, &error));
    assert_int_equal(anole_verification_count(verification), 2);
    const struct anole_verified *check = anole_verification_get(verification, 0);
    assert_int_equal(check->outcome, ANOLE_OUTCOME_OK);
    assert_true(check->same_source && check->error <= 1.0 && check->seconds > 0.0);
    assert_false(check->simulated || anole_tuned_device(tuned, 0)->simulated);
    assert_string_equal(check->tuned->clock, "host");
    /* Times are what they are: only that the verdict is one of these. */
    enum anole_status verdict = anole_verification_check(verification, -1.0, NULL);
    assert_true(verdict == ANOLE_DONE || verdict == ANOLE_ERR_SLOWER);
    anole_verification_destroy(verification);
    anole_tuned_destroy(tuned);
    anole_results_destroy(results);
    close_fixture(&f);
}

/* There is nothing that could be right. */
static void test_verify_says_what_is_simulated(void **state)
{
    (void)state;
    struct fixture f;
    struct anole_error error = {0};
    struct anole_results *results = NULL;
    struct anole_tuned *tuned = NULL;
    struct anole_verification *verification = NULL;
    open_fixture(&f, "simulated");
    struct anole_tune_options options = tune_options(&f);
    assert_done(anole_tune(&results, f.tasks, f.device, &options, &error));
    assert_string_equal(anole_results_get(results, 0)->clock, "unsaid");
    assert_done(anole_tuned_load(&tuned, f.context, f.lock, &error));
    assert_true(anole_tuned_device(tuned, 0)->simulated);
    assert_done(anole_verify(&verification, tuned, f.device, NULL, &error));
    const struct anole_verified *check = anole_verification_get(verification, 0);
    assert_int_equal(check->outcome, ANOLE_OUTCOME_OK);
    assert_true(check->simulated && isnan(check->error));
    anole_verification_destroy(verification);
    anole_tuned_destroy(tuned);
    anole_results_destroy(results);
    close_fixture(&f);
}

/* ------------------------------------------------- what it does to its process */

static void tune_once(struct fixture *f)
{
    struct anole_error error = {0};
    struct anole_results *results = NULL;
    struct anole_tune_options options = tune_options(f);
    assert_done(anole_tune(&results, f->tasks, f->device, &options, &error));
    assert_done(anole_results_check(results, &error));
    anole_results_destroy(results);
}

/* A file that stands in for stdout and stderr; -1: they are back, *size is what was written. */
static void redirect(int saved[2], const char *path, off_t *size)
{
    struct stat about;
    fflush(stdout);
    fflush(stderr);
    if (!size) {
        int file = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        for (int i = 0; i < 2; i++) {
            saved[i] = dup(i + 1);
            dup2(file, i + 1);
        }
        close(file);
        return;
    }
    fstat(1, &about);
    *size = about.st_size;
    for (int i = 0; i < 2; i++) {
        dup2(saved[i], i + 1);
        close(saved[i]);
    }
}

static void test_library_leaves_its_process_alone(void **state)
{
    (void)state;
    struct fixture f;
    struct sigaction before[NSIG] = {{.sa_flags = 0}}, after;
    char folder[2][4096], path[128];
    int saved[2];
    off_t size;
    mode_t mask = umask(077);
    assert_non_null(getcwd(folder[0], sizeof folder[0]));
    for (int i = 1; i < NSIG; i++)
        sigaction(i, NULL, &before[i]);
    open_context(&f, "simulated");
    snprintf(path, sizeof path, "%s/said", f.folder);
    redirect(saved, path, NULL);
    struct anole_error error = {0};
    enum anole_status status = anole_devices_list(&f.devices, f.context, 0, &error);
    if (status == ANOLE_DONE)
        status = anole_devices_find(&f.device, f.devices, NULL, &error);
    if (status == ANOLE_DONE)
        status = anole_tasks_parse(&f.tasks, f.context, NETWORK, strlen(NETWORK), "test.json", NULL,
                                   &error);
    struct anole_results *results = NULL;
    struct anole_tune_options options = tune_options(&f);
    if (status == ANOLE_DONE)
        status = anole_tune(&results, f.tasks, f.device, &options, &error);
    redirect(saved, path, &size);
    assert_done(status);
    anole_results_destroy(results);
    assert_int_equal(size, 0);
    for (int i = 1; i < NSIG; i++) {
        if (sigaction(i, NULL, &after) == 0)
            assert_true(after.sa_handler == before[i].sa_handler);
    }
    assert_non_null(getcwd(folder[1], sizeof folder[1]));
    assert_string_equal(folder[0], folder[1]);
    assert_int_equal(umask(mask), 077);
    assert_null(getenv("ANOLE_SCRATCH"));
    close_fixture(&f);
}

static void test_tune_where_children_are_reaped_by_nobody(void **state)
{
    (void)state;
    struct fixture f;
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    sigaction(SIGCHLD, &ignore, &before);
    open_fixture(&f, "simulated");
    tune_once(&f);
    sigaction(SIGCHLD, &before, NULL);
    close_fixture(&f);
}

/* With another decimal point, what is written can be read, and the locale stays. */
static void test_files_do_not_depend_on_the_locale(void **state)
{
    (void)state;
    char command[512];
    struct fixture f;
    open_fixture(&f, "simulated");
    snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8 2>/dev/null",
             f.folder);
    setenv("LOCPATH", f.folder, 1);
    if (system(command) != 0 || !setlocale(LC_NUMERIC, "de_DE.UTF-8") ||
        localeconv()->decimal_point[0] != ',') {
        close_fixture(&f);
        skip();
    }
    struct anole_error error = {0};
    struct anole_tuned *tuned = NULL;
    tune_once(&f);
    assert_int_equal(localeconv()->decimal_point[0], ',');
    setlocale(LC_NUMERIC, "C");
    assert_done(anole_tuned_load(&tuned, f.context, f.lock, &error));
    assert_true(anole_tuned_get(tuned, 0, 0)->seconds > 0.0);
    assert_true(anole_tuned_get(tuned, 0, 0)->seconds < 1.0);
    anole_tuned_destroy(tuned);
    tune_once(&f); /* goes on from the history */
    close_fixture(&f);
}

/* ----------------------------------------------------------------- threads */

struct runner {
    pthread_t thread;
    const char *plugin;
    char *history; /* what it wrote, cut where the clock speaks */
};

static char *read_history(const char *path)
{
    FILE *file = fopen(path, "re");
    char *text = calloc(1, 1 << 20), line[4096];
    while (file && text && fgets(line, sizeof line, file)) {
        char *clock = strstr(line, "\"cost\"");
        if (clock) {
            *clock = '\0';
            strcat(text, line);
        }
    }
    if (file)
        fclose(file);
    return text;
}

static void *run_alone(void *context)
{
    struct runner *runner = context;
    struct fixture f;
    open_fixture(&f, runner->plugin);
    tune_once(&f);
    runner->history = read_history(f.history);
    /* Each thread hears of its own run alone. */
    char *mine = strstr(f.log, "tuning test");
    assert_non_null(mine);
    assert_null(strstr(mine + 1, "tuning test"));
    close_fixture(&f);
    return NULL;
}

static void test_contexts_are_independent_in_threads(void **state)
{
    (void)state;
    struct runner alone = {.plugin = "simulated"};
    struct runner runners[] = {
        {.plugin = "simulated"}, {.plugin = "simulated"}, {.plugin = "good"}};
    size_t count = sizeof runners / sizeof *runners;
    run_alone(&alone);
    assert_true(strlen(alone.history) > 0);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(pthread_create(&runners[i].thread, NULL, run_alone, &runners[i]), 0);
    for (size_t i = 0; i < count; i++)
        pthread_join(runners[i].thread, NULL);
    /* A simulated device: the same seed gives the same history. */
    assert_string_equal(runners[0].history, alone.history);
    assert_string_equal(runners[1].history, alone.history);
    for (size_t i = 0; i < count; i++)
        free(runners[i].history);
    free(alone.history);
}

static void test_tune_refuses_a_history_that_is_in_use(void **state)
{
    (void)state;
    struct fixture f;
    struct anole_results *results = NULL;
    open_fixture(&f, "simulated");
    struct anole_tune_options options = tune_options(&f);
    tune_once(&f);
    int file = open(f.history, O_RDONLY | O_CLOEXEC);
    assert_int_equal(flock(file, LOCK_EX | LOCK_NB), 0); /* as another context would */
    assert_fails(anole_tune(&results, f.tasks, f.device, &options, &wrong), ANOLE_ERR_IN_USE,
                 f.history);
    close(file);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_version_is_that_of_the_header),
        cmocka_unit_test(test_options_of_other_versions),
        cmocka_unit_test(test_list_shows_devices_and_backends),
        cmocka_unit_test(test_list_says_why_a_plugin_is_refused),
        cmocka_unit_test(test_tasks_tell_what_there_is_to_tune),
        cmocka_unit_test(test_load_refuses_what_is_wrong),
        cmocka_unit_test(test_tune_writes_and_finds_again),
        cmocka_unit_test(test_tune_needs_no_files),
        cmocka_unit_test(test_tune_is_stopped_and_goes_on),
        cmocka_unit_test(test_tune_refuses_wrong_options),
        cmocka_unit_test(test_verify_says_what_is_simulated),
        cmocka_unit_test(test_verify_runs_what_was_found),
        cmocka_unit_test(test_library_leaves_its_process_alone),
        cmocka_unit_test(test_tune_where_children_are_reaped_by_nobody),
        cmocka_unit_test(test_files_do_not_depend_on_the_locale),
        cmocka_unit_test(test_contexts_are_independent_in_threads),
        cmocka_unit_test(test_tune_refuses_a_history_that_is_in_use),
    };
    setenv("ANOLE_PLUGIN_DIR", "", 1); /* no other backend than a test's own */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
