/* SPDX-License-Identifier: MIT
 *
 * Backends that misbehave, each in a way of its own, beside one that does not: what
 * each did is named, the rest goes on, and the history holds exactly what was tried.
 */
#include "measure_fixture.h"

#include "measure/batch.h"
#include "record/history.h"
#include "devices/selection.h"

#include <math.h>
#include <sys/stat.h>

#define CONFIGS 2

/* -- Refused, or of no use, before a kernel is tried -- */

static const struct {
    const char *plugin, *words; /* what is said about it */
} refused[] = {
    {"no_symbol", "has no symbol anole_plugin"},
    {"foreign", "comes from"},
    {"magic", "wrong magic number"},
    {"old", "ABI 0, expected 1"},
    {"new", "ABI 2, expected 1"},
    {"small", "too small"},
    {"claim", "smaller than it says"},
    {"name", "should be called other.so"},
    {"no_name", "(none)"},
    {"op", "\"release\" is missing"},
    {"abort", "SIGABRT"},
    {"exit", "exited with code 0"},
    {"crash_probe", "SIGABRT"},
};
#define REFUSED (sizeof refused / sizeof *refused)

static const struct anole_registry_entry *entry_of(const struct anole_registry *registry,
                                                   const char *name)
{
    char file[64];
    snprintf(file, sizeof file, "/%s.so", name);
    for (size_t i = 0; i < registry->entry_count; i++)
        if (strstr(registry->entries[i].path, file))
            return &registry->entries[i];
    fail_msg("there is no entry for %s", name);
    return NULL;
}

static void write_text(const char *folder)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/text.so", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("\177EL this is no shared object\n", file);
    fclose(file);
}

static void test_name_each_that_is_refused_and_use_the_other(void **state)
{
    (void)state;
    const struct anole_registry_device *device = NULL;
    struct anole_error error = {.status = ANOLE_DONE};
    char *folder = make_folder();
    add_plugins(folder, "good");
    for (size_t i = 0; i < REFUSED; i++)
        add_plugins(folder, refused[i].plugin);
    write_text(folder);
    struct anole_registry *registry = registry_of(folder);
    assert_int_equal(registry->entry_count, REFUSED + 2);
    for (size_t i = 0; i < REFUSED; i++) {
        const struct anole_registry_entry *entry = entry_of(registry, refused[i].plugin);
        const char *said =
            entry->refusal == ANOLE_REFUSAL_NONE ? entry->probe_problem : entry->reason;
        assert_contains(said, refused[i].words);
    }
    assert_int_equal(entry_of(registry, "text")->refusal, ANOLE_REFUSAL_NOT_LOADABLE);
    assert_int_equal(registry->device_count, 1);
    assert_done(anole_registry_find(&device, registry, "good", &error));
    anole_registry_destroy(registry);
    drop_folder(folder);
}

/* -- Kernels -- */

static const struct {
    const char *plugin;
    enum anole_outcome outcome;
    const char *words; /* of the result's message */
} cases[] = {
    {"no_compile", ANOLE_OUTCOME_COMPILE, "this is no kernel"},
    {"crash_build", ANOLE_OUTCOME_CRASH, "SIGSEGV"},
    {"hang_build", ANOLE_OUTCOME_TIMEOUT, "building the kernel took longer"},
    {"exit_build", ANOLE_OUTCOME_CRASH, "exited with code 7 while building"},
    {"crash_run", ANOLE_OUTCOME_CRASH, "SIGFPE"},
    {"hang_run", ANOLE_OUTCOME_TIMEOUT, "running the kernel took longer"},
    {"exit_run", ANOLE_OUTCOME_CRASH, "exited with code 3 while running"},
    {"refuse_run", ANOLE_OUTCOME_LAUNCH, "the queue is jammed"},
    {"lose_device", ANOLE_OUTCOME_CRASH, "fell off the bus"},
    {"write_before", ANOLE_OUTCOME_WRONG_ANSWER, "in front of its output"},
    {"write_behind", ANOLE_OUTCOME_WRONG_ANSWER, "behind its output"},
    {"wrong", ANOLE_OUTCOME_WRONG_ANSWER, "is wrong"},
    {"wrong_later", ANOLE_OUTCOME_WRONG_ANSWER, "after many runs"},
    {"unwritten", ANOLE_OUTCOME_WRONG_ANSWER, "never written"},
    {"nan", ANOLE_OUTCOME_WRONG_ANSWER, "nan"},
    {"negative_time", ANOLE_OUTCOME_LAUNCH, "-1 s"},
    {"nan_time", ANOLE_OUTCOME_LAUNCH, "nan s"},
    /* These lie, leak or talk, which the tuner sees through, survives or swallows. */
    {"one_time", ANOLE_OUTCOME_OK, ""},
    {"milliseconds", ANOLE_OUTCOME_OK, ""},
    {"events_lie", ANOLE_OUTCOME_OK, ""}, /* see test_warn_of_clocks_that_lie() */
    {"leak_session", ANOLE_OUTCOME_OK, ""},
    {"leak_build", ANOLE_OUTCOME_OK, ""},
    {"print", ANOLE_OUTCOME_OK, ""},
    {"flood", ANOLE_OUTCOME_OK, ""},
};
#define CASES (sizeof cases / sizeof *cases)

/* One backend at work, with its results in a history. */
struct bench {
    const struct anole_registry *registry;
    const struct anole_registry_device *device;
    struct anole_generator *generator;
    struct anole_history *history;
    struct anole_history_key key;
    struct anole_result results[CONFIGS];
    size_t count;
};

static enum anole_status take(void *context, size_t index, uint64_t config,
                              const struct anole_result *result, struct anole_error *error)
{
    struct bench *bench = context;
    bench->results[index] = *result;
    bench->count++;
    return anole_history_append(bench->history, &bench->key,
                                anole_generator_space(bench->generator), config, result, error);
}

static void set_key(struct bench *bench, const char *task)
{
    const struct anole_registry_entry *entry = &bench->registry->entries[bench->device->backend];
    bench->key = (struct anole_history_key){.task = task,
                                            .backend = entry->name,
                                            .backend_version = entry->version,
                                            .generator = entry->generator_version,
                                            .device = bench->device->device.name,
                                            .driver = bench->device->device.driver,
                                            .driver_version = bench->device->device.driver_version};
}

/* Tries the same configs on the backend called `name`. */
static void work(struct bench *bench, const char *name)
{
    static const char *const knobs[] = {"tile", "slow"};
    static const int64_t values[CONFIGS][2] = {{1, 0}, {2, 0}};
    struct anole_task task = parse_task(SMALL_TASK);
    struct anole_measure *measure = NULL;
    struct anole_error error = {.status = ANOLE_DONE};
    const struct anole_measure_options options = {.build_workers = 1,
                                                  .threads = 1,
                                                  .seed = 1,
                                                  .build_limit = 1.5,
                                                  .run_limit = 1.5,
                                                  .sample_time = 1e-3};
    uint64_t configs[CONFIGS];
    assert_done(anole_registry_find(&bench->device, bench->registry, name, &error));
    set_key(bench, SMALL_TASK);
    assert_done(anole_generator_create(&bench->generator,
                                       bench->registry->entries[bench->device->backend].backend,
                                       &bench->device->device, &task, &error));
    for (int i = 0; i < CONFIGS; i++)
        assert_done(anole_space_lookup(anole_generator_space(bench->generator), &configs[i], knobs,
                                       values[i], 2, &error));
    assert_done(anole_measure_create(&measure, bench->registry, bench->device, &options, &error));
    bench->count = 0;
    assert_done(
        anole_measure_batch(measure, bench->generator, configs, CONFIGS, NAN, take, bench, &error));
    assert_int_equal(bench->count, CONFIGS);
    anole_measure_destroy(measure);
    anole_generator_destroy(bench->generator);
}

/* A history of both: nothing is damaged, nothing is missing, nothing is double. */
static void expect_history(const char *path, size_t at)
{
    const char *const backends[] = {cases[at].plugin, "good"};
    const enum anole_outcome outcomes[] = {cases[at].outcome, ANOLE_OUTCOME_OK};
    struct anole_history *history = NULL;
    struct anole_error error = {.status = ANOLE_DONE};
    assert_done(anole_history_open(&history, path, ANOLE_HISTORY_READ, &error));
    assert_int_equal(anole_history_damaged(history), 0);
    for (int i = 0; i < 2; i++) {
        const struct anole_history_key key = {.task = SMALL_TASK, .backend = backends[i]};
        struct anole_history_count count;
        anole_history_count(history, &key, &count);
        assert_int_equal(count.trials, CONFIGS);
        assert_int_equal(count.by_outcome[outcomes[i]], CONFIGS);
    }
    anole_history_close(history);
}

static void expect_case(size_t at)
{
    char path[1024], plugins[128], *folder = make_folder();
    struct bench bench = {.count = 0};
    struct anole_error error = {.status = ANOLE_DONE};
    snprintf(plugins, sizeof plugins, "good %s", cases[at].plugin);
    add_plugins(folder, plugins);
    struct anole_registry *registry = registry_of(folder);
    bench.registry = registry;
    snprintf(path, sizeof path, "%s/history", folder);
    assert_done(anole_history_open(&bench.history, path, ANOLE_HISTORY_APPEND, &error));
    work(&bench, cases[at].plugin);
    for (int i = 0; i < CONFIGS; i++) {
        const struct anole_result *result = &bench.results[i];
        if (result->outcome != cases[at].outcome || !strstr(result->message, cases[at].words))
            fail_msg("%s: expected %s, \"%s\", found %s, \"%s\"", cases[at].plugin,
                     anole_outcome_text(cases[at].outcome), cases[at].words,
                     anole_outcome_text(result->outcome), result->message);
        if (result->outcome == ANOLE_OUTCOME_OK) /* by whatever clock, a second it was not */
            assert_true(result->seconds > 0 && result->seconds < 1);
    }
    work(&bench, "good");
    for (int i = 0; i < CONFIGS; i++)
        assert_int_equal(bench.results[i].outcome, ANOLE_OUTCOME_OK);
    anole_history_close(bench.history);
    expect_history(path, at);
    anole_registry_destroy(registry);
    drop_folder(folder);
}

static void test_name_each_misdeed_and_go_on_with_the_rest(void **state)
{
    (void)state;
    anole_log_set_level(ANOLE_LEVEL_ERROR); /* plugins talk */
    for (size_t i = 0; i < CASES; i++)
        expect_case(i);
    anole_log_set_level(ANOLE_LEVEL_INFO);
}

static void note_clock(void *context, enum anole_level level, const char *text)
{
    *(int *)context += level == ANOLE_LEVEL_WARNING && strstr(text, "events_lie") &&
                       strstr(text, "its event times cannot be true");
}

/* A worker finds it out, and its stderr is nobody's to read. */
static void test_warn_of_clocks_that_lie(void **state)
{
    (void)state;
    int noted = 0;
    char path[1024], *folder = make_folder();
    struct bench bench = {.count = 0};
    struct anole_error error = {.status = ANOLE_DONE};
    snprintf(path, sizeof path, "%s/history", folder);
    add_plugins(folder, "events_lie");
    struct anole_registry *registry = registry_of(folder);
    bench.registry = registry;
    assert_done(anole_history_open(&bench.history, path, ANOLE_HISTORY_APPEND, &error));
    anole_log_set_sink(note_clock, &noted);
    work(&bench, "events_lie");
    anole_log_set_sink(NULL, NULL);
    assert_true(noted > 0);
    anole_history_close(bench.history);
    anole_registry_destroy(registry);
    drop_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_name_each_that_is_refused_and_use_the_other),
        cmocka_unit_test(test_name_each_misdeed_and_go_on_with_the_rest),
        cmocka_unit_test(test_warn_of_clocks_that_lie),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
