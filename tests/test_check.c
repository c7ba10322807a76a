/* SPDX-License-Identifier: MIT
 *
 * The contract, clause by clause: a plugin that keeps it passes, and each that
 * breaks it fails in the clause that it breaks.
 */
#include "measure_fixture.h"

#include "check/check.h"
#include "check/contract.h"

static const char *const clause_names[] = {
#define X(id, name, needs, claim) name,
    ANOLE_CONTRACT(X)
#undef X
};

static struct anole_check_report *check_file(const char *path,
                                             const struct anole_check_options *options)
{
    struct anole_check_report *report = NULL;
    struct anole_error error = {.status = ANOLE_DONE};
    assert_done(anole_check_run(&report, path, options, &error));
    assert_int_equal(report->count, ANOLE_CLAUSE_COUNT);
    for (size_t i = 0; i < report->count; i++)
        assert_string_equal(report->results[i].name, clause_names[i]);
    return report;
}

static struct anole_check_report *check_plugin(const char *name, uint32_t samples, double limit)
{
    char path[1024];
    const struct anole_check_options options = {
        .samples = samples, .seed = 1, .limit = limit, .threads = 1};
    return check_file(plugin_path(path, sizeof path, name), &options);
}

static void print_failures(const struct anole_check_report *report)
{
    for (size_t i = 0; i < report->count; i++)
        if (report->results[i].verdict == ANOLE_FAIL)
            print_message("%s: %s: %s\n", report->name, report->results[i].name,
                          report->results[i].text);
}

static void test_pass_what_keeps_the_contract(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t skipped; /* clauses on ops that it does not have, or on the device's clock */
    } names[] = {{"timer", 2},    {"good", 3},    {"plain", 4},
                 {"networks", 1}, {"library", 4}, {"single", 3}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct anole_check_report *report = check_plugin(names[i].name, 2, 0);
        struct anole_error error = {.status = ANOLE_DONE};
        if (report->counts[ANOLE_FAIL] > 0)
            print_failures(report);
        assert_int_equal(report->counts[ANOLE_FAIL], 0);
        assert_int_equal(report->counts[ANOLE_SKIPPED], names[i].skipped);
        assert_int_equal(report->counts[ANOLE_PASS], ANOLE_CLAUSE_COUNT - names[i].skipped);
        assert_done(anole_check_judge(report, &error));
        assert_string_equal(report->name, names[i].name);
        assert_contains(report->device, "Test Device 0");
        anole_check_report_destroy(report);
    }
}

static const struct {
    const char *plugin;
    enum anole_clause clause; /* the first that it fails */
    const char *words;        /* of what is said about it */
    enum anole_status judgement;
} cases[] = {
    {"magic", ANOLE_CLAUSE_loads, "wrong magic number", ANOLE_ERR_PLUGIN},
    {"old", ANOLE_CLAUSE_loads, "ABI 0", ANOLE_ERR_PLUGIN},
    {"op", ANOLE_CLAUSE_loads, "\"release\" is missing", ANOLE_ERR_PLUGIN},
    {"foreign", ANOLE_CLAUSE_loads, "good.so", ANOLE_ERR_PLUGIN},
    {"abort", ANOLE_CLAUSE_loads, "SIGABRT", ANOLE_ERR_PLUGIN},
    {"exit", ANOLE_CLAUSE_loads, "exited with code 0", ANOLE_ERR_PLUGIN},
    {"crash_probe", ANOLE_CLAUSE_describes, "SIGABRT", ANOLE_ERR_PLUGIN},
    {"changing_probe", ANOLE_CLAUSE_same_twice, "the first difference is in clock_mhz",
     ANOLE_ERR_PLUGIN},
    {"changing_support", ANOLE_CLAUSE_supports, "two answers", ANOLE_ERR_PLUGIN},
    {"knows_all_tasks", ANOLE_CLAUSE_unknown_tasks, "a kind of 99", ANOLE_ERR_PLUGIN},
    {"any_activation", ANOLE_CLAUSE_unknown_tasks, "an activation of 99", ANOLE_ERR_WRONG_RESULT},
    {"any_flag", ANOLE_CLAUSE_unknown_tasks, "a flag", ANOLE_ERR_PLUGIN},
    {"no_space", ANOLE_CLAUSE_declares, "eight channels are too many", ANOLE_ERR_PLUGIN},
    {"many_values", ANOLE_CLAUSE_declares, "1 to 4096 values", ANOLE_ERR_PLUGIN},
    {"changing_space", ANOLE_CLAUSE_space, "two design spaces", ANOLE_ERR_PLUGIN},
    {"bad_default", ANOLE_CLAUSE_default_valid, "tile < 16", ANOLE_ERR_PLUGIN},
    {"nan_feature", ANOLE_CLAUSE_features, "nan", ANOLE_ERR_PLUGIN},
    {"many_features", ANOLE_CLAUSE_features, "1025 features", ANOLE_ERR_PLUGIN},
    {"long_features", ANOLE_CLAUSE_features, "writes one at position 2", ANOLE_ERR_PLUGIN},
    {"short_features", ANOLE_CLAUSE_features, "does not write number 1", ANOLE_ERR_PLUGIN},
    {"changing_source", ANOLE_CLAUSE_source, "two kernels", ANOLE_ERR_PLUGIN},
    {"one_thread", ANOLE_CLAUSE_threads, "4 threads at once", ANOLE_ERR_PLUGIN},
    {"asks_device", ANOLE_CLAUSE_no_device, "while it is open", ANOLE_ERR_PLUGIN},
    {"idle_knob", ANOLE_CLAUSE_knobs, "knob slow", ANOLE_ERR_PLUGIN},
    {"any_config", ANOLE_CLAUSE_bad_configs, "fewer values", ANOLE_ERR_PLUGIN},
    {"leak_session", ANOLE_CLAUSE_opens, "bytes a turn", ANOLE_ERR_PLUGIN},
    {"leak_file", ANOLE_CLAUSE_opens, "open files", ANOLE_ERR_PLUGIN},
    {"any_device", ANOLE_CLAUSE_bad_devices, "device 1000", ANOLE_ERR_PLUGIN},
    {"no_compile", ANOLE_CLAUSE_builds, "not one of", ANOLE_ERR_PLUGIN},
    {"silent_refusal", ANOLE_CLAUSE_builds, "without a word", ANOLE_ERR_PLUGIN},
    {"crash_build", ANOLE_CLAUSE_builds, "SIGSEGV", ANOLE_ERR_PLUGIN},
    {"hang_build", ANOLE_CLAUSE_builds, "took longer than", ANOLE_ERR_PLUGIN},
    {"exit_build", ANOLE_CLAUSE_builds, "exited with code 7 while building", ANOLE_ERR_PLUGIN},
    {"crash_run", ANOLE_CLAUSE_runs, "SIGFPE", ANOLE_ERR_PLUGIN},
    {"hang_run", ANOLE_CLAUSE_runs, "took longer than", ANOLE_ERR_PLUGIN},
    {"exit_run", ANOLE_CLAUSE_runs, "exited with code 3 while running", ANOLE_ERR_PLUGIN},
    {"wants_data", ANOLE_CLAUSE_runs, "SIGSEGV", ANOLE_ERR_PLUGIN},
    {"refuse_run", ANOLE_CLAUSE_runs, "the queue is jammed", ANOLE_ERR_PLUGIN},
    {"lose_device", ANOLE_CLAUSE_runs, "fell off the bus", ANOLE_ERR_PLUGIN},
    {"wrong", ANOLE_CLAUSE_outputs, "expected", ANOLE_ERR_WRONG_RESULT},
    {"wrong_later", ANOLE_CLAUSE_outputs, "expected", ANOLE_ERR_WRONG_RESULT},
    {"unwritten", ANOLE_CLAUSE_outputs, "never written", ANOLE_ERR_WRONG_RESULT},
    {"nan", ANOLE_CLAUSE_outputs, "nan", ANOLE_ERR_WRONG_RESULT},
    {"write_before", ANOLE_CLAUSE_bounds, "in front of its output", ANOLE_ERR_WRONG_RESULT},
    {"write_behind", ANOLE_CLAUSE_bounds, "behind its output", ANOLE_ERR_WRONG_RESULT},
    {"bad_pack", ANOLE_CLAUSE_bounds, "pack() writes beyond", ANOLE_ERR_WRONG_RESULT},
    {"write_input", ANOLE_CLAUSE_inputs, "changes its input", ANOLE_ERR_PLUGIN},
    {"any_memory", ANOLE_CLAUSE_bad_bindings, "succeeds with its input absent", ANOLE_ERR_PLUGIN},
    {"leak_build", ANOLE_CLAUSE_releases, "bytes a turn", ANOLE_ERR_PLUGIN},
    {"negative_time", ANOLE_CLAUSE_positive, "-1", ANOLE_ERR_PLUGIN},
    {"nan_time", ANOLE_CLAUSE_positive, "nan", ANOLE_ERR_PLUGIN},
    {"silent_clock", ANOLE_CLAUSE_positive, "a clock of its own", ANOLE_ERR_PLUGIN},
    {"one_time", ANOLE_CLAUSE_grow, "times as long", ANOLE_ERR_PLUGIN},
    {"four_runs", ANOLE_CLAUSE_grow, "times as long", ANOLE_ERR_PLUGIN},
    {"quarter_runs", ANOLE_CLAUSE_grow, "times as long", ANOLE_ERR_PLUGIN},
    {"milliseconds", ANOLE_CLAUSE_clocks, "by our clock", ANOLE_ERR_PLUGIN},
    {"half_time", ANOLE_CLAUSE_clocks, "never took less", ANOLE_ERR_PLUGIN},
    {"events_lie", ANOLE_CLAUSE_device_clock, "device_seconds come to", ANOLE_ERR_PLUGIN},
    {"random_clock", ANOLE_CLAUSE_device_clock, "by the host's clock", ANOLE_ERR_PLUGIN},
    {"hasty_configs", ANOLE_CLAUSE_device_clock, "by the host's clock", ANOLE_ERR_PLUGIN},
    {"random_own_clock", ANOLE_CLAUSE_device_clock, "the same run", ANOLE_ERR_PLUGIN},
    {"still_clock", ANOLE_CLAUSE_device_clock, "times the work", ANOLE_ERR_PLUGIN},
    {"other_binary", ANOLE_CLAUSE_binary, "its own binary", ANOLE_ERR_PLUGIN},
    {"mixes_builds", ANOLE_CLAUSE_shared, "expected", ANOLE_ERR_PLUGIN},
    {"short_sequence", ANOLE_CLAUSE_sequences, "never written", ANOLE_ERR_PLUGIN},
    {"half_sequence", ANOLE_CLAUSE_sequences, "all three or none", ANOLE_ERR_PLUGIN},
    {"copied_map", ANOLE_CLAUSE_maps, "is not what buffer_read", ANOLE_ERR_PLUGIN},
    {"half_map", ANOLE_CLAUSE_maps, "both or none", ANOLE_ERR_PLUGIN},
    {"first_sequence", ANOLE_CLAUSE_sequences, "never written", ANOLE_ERR_PLUGIN},
    {"stale_lock", ANOLE_CLAUSE_abandon, "not one of", ANOLE_ERR_PLUGIN},
    {"print", ANOLE_CLAUSE_stdout, "a plugin should not write", ANOLE_ERR_PLUGIN},
    {"flood", ANOLE_CLAUSE_stderr, "bytes", ANOLE_ERR_PLUGIN},
};

static void expect_failure(size_t at)
{
    /* Only those that hang are to be waited for. */
    double limit = strncmp(cases[at].plugin, "hang_", 5) == 0 ? 2 : 0;
    struct anole_check_report *report = check_plugin(cases[at].plugin, 1, limit);
    struct anole_error error = {.status = ANOLE_DONE};
    size_t first = 0;
    while (first < report->count && report->results[first].verdict != ANOLE_FAIL)
        first++;
    if (first != cases[at].clause) {
        print_failures(report);
        fail_msg("%s fails %s first, expected %s", cases[at].plugin,
                 first < report->count ? clause_names[first] : "nothing",
                 clause_names[cases[at].clause]);
    }
    if (!strstr(report->results[first].text, cases[at].words))
        fail_msg("%s: \"%s\" is not in \"%s\"", cases[at].plugin, cases[at].words,
                 report->results[first].text);
    if (anole_check_judge(report, &error) != cases[at].judgement) {
        print_failures(report);
        fail_msg("%s: %s", cases[at].plugin, error.text);
    }
    assert_contains(error.text, cases[at].plugin);
    anole_check_report_destroy(report);
}

static void test_fail_each_fault_in_its_clause(void **state)
{
    (void)state;
    anole_log_set_level(ANOLE_LEVEL_ERROR); /* plugins talk */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_failure(i);
    anole_log_set_level(ANOLE_LEVEL_INFO);
}

static void test_fault_for_each_clause(void **state)
{
    (void)state;
    for (int clause = 0; clause < ANOLE_CLAUSE_COUNT; clause++) {
        size_t at = 0;
        while (at < sizeof cases / sizeof *cases && cases[at].clause != (enum anole_clause)clause)
            at++;
        if (at == sizeof cases / sizeof *cases)
            fail_msg("no plugin here breaks %s", clause_names[clause]);
    }
}

static void test_skip_what_a_failure_makes_moot(void **state)
{
    (void)state;
    struct anole_check_report *report = check_plugin("crash_run", 1, 0);
    assert_int_equal(report->counts[ANOLE_FAIL], 1);
    assert_int_equal(report->results[ANOLE_CLAUSE_outputs].verdict, ANOLE_SKIPPED);
    assert_string_equal(report->results[ANOLE_CLAUSE_outputs].text, "needs runs-what-it-builds");
    assert_int_equal(report->results[ANOLE_CLAUSE_stdout].verdict, ANOLE_PASS);
    anole_check_report_destroy(report);
}

/* Whose nanosecond takes the host a thousand. */
static void test_pass_a_clock_of_its_own(void **state)
{
    (void)state;
    struct anole_check_report *report = check_plugin("own_time", 2, 0);
    print_failures(report);
    assert_int_equal(report->counts[ANOLE_FAIL], 0);
    assert_int_equal(report->results[ANOLE_CLAUSE_outputs].verdict, ANOLE_PASS);
    assert_int_equal(report->results[ANOLE_CLAUSE_positive].verdict, ANOLE_PASS);
    assert_int_equal(report->results[ANOLE_CLAUSE_clocks].verdict, ANOLE_PASS);
    assert_int_equal(report->results[ANOLE_CLAUSE_device_clock].verdict, ANOLE_PASS);
    anole_check_report_destroy(report);
}

static void test_check_simulated_device_as_far_as_it_goes(void **state)
{
    (void)state;
    struct anole_check_report *report = check_plugin("simulated", 1, 0);
    assert_int_equal(report->counts[ANOLE_FAIL], 0);
    assert_int_equal(report->results[ANOLE_CLAUSE_source].verdict, ANOLE_PASS);
    static const enum anole_clause bare[] = {ANOLE_CLAUSE_builds, ANOLE_CLAUSE_runs,
                                             ANOLE_CLAUSE_positive};
    static const enum anole_clause others[] = {
        ANOLE_CLAUSE_outputs,      ANOLE_CLAUSE_bounds,      ANOLE_CLAUSE_inputs,
        ANOLE_CLAUSE_bad_bindings, ANOLE_CLAUSE_grow,        ANOLE_CLAUSE_clocks,
        ANOLE_CLAUSE_binary,       ANOLE_CLAUSE_releases,    ANOLE_CLAUSE_abandon,
        ANOLE_CLAUSE_knobs,        ANOLE_CLAUSE_device_clock};
    for (size_t i = 0; i < sizeof bare / sizeof *bare; i++)
        assert_int_equal(report->results[bare[i]].verdict, ANOLE_PASS);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_int_equal(report->results[others[i]].verdict, ANOLE_SKIPPED);
        assert_string_equal(report->results[others[i]].text, "not checked: simulated");
    }
    anole_check_report_destroy(report);
}

static void test_check_one_device_of_several(void **state)
{
    (void)state;
    char path[1024];
    struct anole_check_options options = {.samples = 1, .seed = 1, .threads = 1};
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_check_report *report = NULL;
    plugin_path(path, sizeof path, "drivers");
    options.device = "drivers:1";
    report = check_file(path, &options);
    assert_contains(report->device, "drivers:1");
    assert_int_equal(report->counts[ANOLE_FAIL], 0);
    assert_contains(report->results[ANOLE_CLAUSE_describes].text, "its library is too old");
    anole_check_report_destroy(report);
    options.device = "drivers:9";
    assert_int_equal(anole_check_run(&report, path, &options, &error), ANOLE_ERR_NO_DEVICE);
}

static void test_make_fewer_builds_where_they_take_long(void **state)
{
    (void)state;
    static const char *const clauses[] = {"leaves-its-inputs-alone"};
    char path[1024];
    const struct anole_check_options options = {
        .seed = 1, .patience = 1e-9, .threads = 1, .clauses = clauses, .clause_count = 1};
    struct anole_check_report *report =
        check_file(plugin_path(path, sizeof path, "good"), &options);
    assert_int_equal(report->counts[ANOLE_FAIL], 0);
    assert_contains(report->results[ANOLE_CLAUSE_builds].text, "builds take long");
    /* One of each of three tasks. */
    assert_contains(report->results[ANOLE_CLAUSE_inputs].text, "3 of 3 configs of 9 tasks");
    assert_false(report->results[ANOLE_CLAUSE_outputs].asked);
    anole_check_report_destroy(report);
}

static void test_say_that_there_is_no_device(void **state)
{
    (void)state;
    struct anole_check_report *report = check_plugin("long", 1, 0); /* its probe finds none */
    struct anole_error error = {.status = ANOLE_DONE};
    assert_int_equal(report->results[ANOLE_CLAUSE_loads].verdict, ANOLE_PASS);
    assert_int_equal(report->results[ANOLE_CLAUSE_describes].verdict, ANOLE_SKIPPED);
    assert_int_equal(anole_check_judge(report, &error), ANOLE_ERR_NO_DEVICE);
    anole_check_report_destroy(report);
}

static void test_refuse_what_is_no_file(void **state)
{
    (void)state;
    const struct anole_check_options options = {.seed = 1};
    struct anole_check_report *report = check_file("/nonexistent/x.so", &options);
    assert_int_equal(report->results[ANOLE_CLAUSE_loads].verdict, ANOLE_FAIL);
    assert_contains(report->results[ANOLE_CLAUSE_loads].text, "No such file");
    assert_int_equal(report->counts[ANOLE_FAIL], 1);
    anole_check_report_destroy(report);
}

static bool stop_at_third(void *context)
{
    return ++*(unsigned *)context > 3;
}

static void test_stop_when_asked(void **state)
{
    (void)state;
    char path[1024];
    unsigned polls = 0;
    const struct anole_check_options options = {.stop = stop_at_third, .context = &polls};
    struct anole_check_report *report = NULL;
    struct anole_error error = {.status = ANOLE_DONE};
    assert_int_equal(
        anole_check_run(&report, plugin_path(path, sizeof path, "hang_run"), &options, &error),
        ANOLE_ERR_INTERRUPTED);
    assert_null(report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pass_what_keeps_the_contract),
        cmocka_unit_test(test_fail_each_fault_in_its_clause),
        cmocka_unit_test(test_fault_for_each_clause),
        cmocka_unit_test(test_skip_what_a_failure_makes_moot),
        cmocka_unit_test(test_pass_a_clock_of_its_own),
        cmocka_unit_test(test_check_simulated_device_as_far_as_it_goes),
        cmocka_unit_test(test_check_one_device_of_several),
        cmocka_unit_test(test_make_fewer_builds_where_they_take_long),
        cmocka_unit_test(test_say_that_there_is_no_device),
        cmocka_unit_test(test_refuse_what_is_no_file),
        cmocka_unit_test(test_stop_when_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
