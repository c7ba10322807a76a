/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/text.h"
#include "formats/recording.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------- helpers */

static const char t1_text[] =
    "{\"General\": {\"BenchmarkName\": \"bowl\"}, \"ConfigurationSpace\": {\"TuningParameters\": ["
    "{\"Name\": \"x\", \"Values\": \"[1, 2, 4, 8]\"},"
    "{\"Name\": \"half\", \"Values\": \"[0.5, 1.5]\"},"
    "{\"Name\": \"way\", \"Values\": \"['row', 'column']\"},"
    "{\"Name\": \"only\", \"Values\": \"[7]\"}],"
    "\"Conditions\": [{\"Expression\": \"x < 8 or way == 'row'\"}]}}";

struct fixture {
    struct anole_t1 *t1;
    struct anole_space *space;
    struct anole_recording *recording;
    struct anole_error error;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    *state = f;
    return anole_t1_parse(&f->t1, t1_text, sizeof t1_text - 1, "T1.json", &f->error) !=
               ANOLE_DONE ||
           anole_t1_space(&f->space, f->t1, &f->error) != ANOLE_DONE;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    anole_recording_destroy(f->recording);
    anole_space_destroy(f->space);
    anole_t1_destroy(f->t1);
    free(f);
    return 0;
}

static enum anole_status parse(struct fixture *f, const char *text)
{
    anole_error_clear(&f->error);
    anole_recording_destroy(f->recording);
    f->recording = NULL;
    return anole_recording_parse(&f->recording, f->t1, f->space, text, strlen(text),
                                 "folder/A1.T4.json", &f->error);
}

static void accept(struct fixture *f, const char *text)
{
    if (parse(f, text) != ANOLE_DONE)
        fail_msg("%s", f->error.text);
}

/* Fails as bad input, with a message in which each of the words occurs. */
static void refuse(struct fixture *f, const char *text, const char *word, const char *other)
{
    assert_int_equal(parse(f, text), ANOLE_ERR_INPUT);
    assert_null(f->recording);
    if (!strstr(f->error.text, word) || !strstr(f->error.text, other))
        fail_msg("neither \"%s\" nor \"%s\" is missed in: %s", word, other, f->error.text);
}

static const struct anole_recorded *find(const struct fixture *f, int64_t x, int64_t half,
                                         int64_t way)
{
    static const char *const names[] = {"x", "half", "way", "only"};
    int64_t values[] = {x, half, way, 7};
    uint64_t config;
    assert_int_equal(anole_space_lookup(f->space, &config, names, values, 4, NULL), ANOLE_DONE);
    return anole_recording_find(f->recording, config);
}

#define CONFIG(x, half, way)                                                                       \
    "\"configuration\": {\"x\": " #x ", \"half\": " #half ", \"way\": \"" way "\", \"only\": 7}"
#define T4(entries) "{\"metadata\": {\"timeunit\": \"milliseconds\"}, \"results\": [" entries "]}"
#define GOOD                                                                                       \
    "{" CONFIG(1, 0.5, "row") ", \"times\": {\"compilation\": 900, \"framework\": 5, "             \
                              "\"search_algorithm\": 0, \"validation\": 50, \"runtimes\": [4, "    \
                              "2]}, \"invalidity\": "                                              \
                              "\"correct\", \"correctness\": 1, \"measurements\": [{\"name\": "    \
                              "\"time\", \"value\": 3, "                                           \
                              "\"unit\": \"\"}], \"objectives\": [\"time\"]}"
#define SHORT(x, time)                                                                             \
    "{" CONFIG(x, 1.5, "row") ", \"invalidity\": \"correct\", \"measurements\": [{\"name\": "      \
                              "\"time\", \"value\": " #time "}]}"

/* ------------------------------------------------------------------------ T4 */

static void test_read_takes_times_and_costs(void **state)
{
    struct fixture *f = *state;
    accept(f, T4(GOOD "," SHORT(2, 1.25)));
    const struct anole_recorded *good = find(f, 1, 5, 0);
    assert_non_null(good);
    assert_int_equal(good->outcome, ANOLE_OUTCOME_OK);
    assert_float_equal(good->seconds, 3e-3, 1e-12);
    assert_float_equal(good->build, 0.9, 1e-12);
    assert_float_equal(good->verify, 0.05, 1e-12);
    assert_float_equal(good->run, 6e-3, 1e-12);
    assert_float_equal(good->other, 5e-3, 1e-12);
    assert_int_equal(good->samples, 2);
    assert_float_equal(find(f, 2, 15, 0)->seconds, 1.25e-3, 1e-12);
    assert_ptr_equal(anole_recording_best(f->recording), find(f, 2, 15, 0));
    assert_null(find(f, 4, 5, 0));
    assert_int_equal(anole_recording_count(f->recording), 2);
    assert_string_equal(anole_recording_device(f->recording), "A1");
    struct anole_result result;
    anole_recorded_result(good, &result);
    assert_true(result.simulated);
    assert_int_equal(result.outcome, ANOLE_OUTCOME_OK);
    assert_float_equal(result.cost.build, 0.9, 1e-12);
}

static void test_read_takes_compilation_time_for_compilation(void **state)
{
    struct fixture *f = *state;
    accept(f, T4("{" CONFIG(1, 0.5, "row") ", \"times\": {\"compilation_time\": 70, \"runtimes\": "
                                           "[2, 4]}, \"invalidity\": \"correct\"}"));
    assert_float_equal(find(f, 1, 5, 0)->build, 0.07, 1e-12);
    /* Nobody sums the runs up: their mean. */
    assert_float_equal(find(f, 1, 5, 0)->seconds, 3e-3, 1e-12);
}

static void test_read_maps_each_kind_of_invalidity(void **state)
{
    static const struct {
        const char *kind;
        enum anole_outcome outcome;
    } kinds[] = {{"constraints", ANOLE_OUTCOME_INVALID},
                 {"compile", ANOLE_OUTCOME_COMPILE},
                 {"runtime", ANOLE_OUTCOME_LAUNCH},
                 {"correctness", ANOLE_OUTCOME_WRONG_ANSWER},
                 {"timeout", ANOLE_OUTCOME_TIMEOUT}};
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        char text[1024];
        snprintf(text, sizeof text,
                 T4(GOOD ", {" CONFIG(2, 0.5, "column") ", \"times\": "
                                                        "{\"compilation\": 30}, \"invalidity\": "
                                                        "\"%s\", \"measurements\": [{\"name\": "
                                                        "\"time\", \"value\": \"Failed\"}]}"),
                 kinds[i].kind);
        accept(f, text);
        const struct anole_recorded *failed = find(f, 2, 5, 1);
        assert_non_null(failed);
        assert_int_equal(failed->outcome, kinds[i].outcome);
        assert_true(isnan(failed->seconds));
        assert_float_equal(failed->build, 0.03, 1e-12);
        assert_int_equal(anole_recording_counts(f->recording)->failed, 1);
        assert_int_equal(anole_recording_counts(f->recording)->ok, 1);
    }
    refuse(f, T4(GOOD ",\n{" CONFIG(2, 0.5, "row") ", \"invalidity\": \"bad luck\"}"), "bad luck",
           "entry 2, which ends in line 2");
}

static void test_read_heeds_units_wherever_they_stand(void **state)
{
    struct fixture *f = *state;
    accept(f, "{\"results\": [" SHORT(1, 3) "], \"metadata\": {\"timeunit\": \"microseconds\"}}");
    assert_float_equal(find(f, 1, 15, 0)->seconds, 3e-6, 1e-15);
    accept(f,
           "{\"results\": [{" CONFIG(
               1, 0.5,
               "row") ", \"invalidity\": \"correct\", "
                      "\"measurements\": [{\"name\": \"time\", \"value\": 2, \"unit\": \"s\"}]}]}");
    assert_float_equal(find(f, 1, 5, 0)->seconds, 2.0, 1e-12);
    refuse(f, "{\"metadata\": {\"timeunit\": \"fortnights\"}, \"results\": [" SHORT(1, 3) "]}",
           "fortnights", "expected s, ms");
}

static void test_read_counts_what_it_passes_over(void **state)
{
    struct fixture *f = *state;
    accept(
        f,
        T4(GOOD "," SHORT(2, 5) "," SHORT(2, 4) "," /* again: the last counts */
           SHORT(
               3,
               1) "," /* no such value */
                  "{" CONFIG(8, 0.5, "column") ", \"invalidity\": \"correct\"}," SHORT(4, -1) "," SHORT(4, NaN) "," SHORT(
                      4,
                      0) "," SHORT(4,
                                   Infinity) "," SHORT(4,
                                                       -Infinity) "," SHORT(4,
                                                                            "soon") ","
                                                                                    "{" CONFIG(
                                                                                        4, 0.5,
                                                                                        "row") ", "
                                                                                               "\"i"
                                                                                               "nva"
                                                                                               "lid"
                                                                                               "ity"
                                                                                               "\":"
                                                                                               " \""
                                                                                               "com"
                                                                                               "pil"
                                                                                               "e\""
                                                                                               ", "
                                                                                               "\"t"
                                                                                               "ime"
                                                                                               "s\""
                                                                                               ": "
                                                                                               "{\""
                                                                                               "com"
                                                                                               "pil"
                                                                                               "ati"
                                                                                               "on"
                                                                                               "\":"
                                                                                               " -"
                                                                                               "3}}"
                                                                                               ","
                                                                                               "{\""
                                                                                               "con"
                                                                                               "fig"
                                                                                               "ura"
                                                                                               "tio"
                                                                                               "n\""
                                                                                               ": "
                                                                                               "{\""
                                                                                               "x\""
                                                                                               ": "
                                                                                               "1},"
                                                                                               " \""
                                                                                               "inv"
                                                                                               "ali"
                                                                                               "dit"
                                                                                               "y\""
                                                                                               ": "
                                                                                               "\"c"
                                                                                               "orr"
                                                                                               "ect"
                                                                                               "\""
                                                                                               "}"));
    const struct anole_recording_counts *counts = anole_recording_counts(f->recording);
    assert_int_equal(counts->entries, 13);
    assert_int_equal(counts->ok, 2);
    assert_int_equal(counts->failed, 1); /* its cost is missing: it is not fatal */
    assert_int_equal(counts->repeated, 1);
    assert_int_equal(counts->outside, 2);
    assert_int_equal(counts->forbidden, 1);
    assert_int_equal(counts->unusable, 6);
    assert_float_equal(find(f, 2, 15, 0)->seconds, 4e-3, 1e-12);
    char text[256];
    anole_recording_summary(f->recording, text, sizeof text);
    assert_string_equal(text, "3 configs (1 failed); passed over: 1 repeated, 2 outside the space, "
                              "1 against its conditions, 6 without a usable time");
}

static void test_read_needs_no_parameter_without_a_choice(void **state)
{
    struct fixture *f = *state;
    accept(f, T4("{\"configuration\": {\"x\": 1.0, \"half\": 0.5, \"way\": \"row\", \"new\": 3}, "
                 "\"invalidity\": \"correct\", \"times\": {\"runtimes\": [1]}}"));
    assert_non_null(find(f, 1, 5, 0));
}

static void test_read_refuses_what_is_no_results_file(void **state)
{
    struct fixture *f = *state;
    refuse(f, "", "ends here", "A1.T4.json:1");
    refuse(f, "[]", "an object", "[]");
    refuse(f, "{}", "found none of them", "T4");
    refuse(f, "{\"results\": {}}", "found none of them", "T4");
    refuse(f, T4("17"), "entry 1", "configuration");
    refuse(f, T4("{\"configuration\": 3}"), "the number 3", "expected an object");
    refuse(f, T4(GOOD) " x", "nothing more", "x");
    refuse(f, T4(""), "found none", "0 configs");
    refuse(f, T4(GOOD ","), "behind the comma", "]");
    refuse(f, T4(GOOD " " GOOD), "','", "configuration");
    refuse(f, T4("{\"configuration\": {\"x\": 1, \"x\": 2}}"), "not JSON", "duplicate");
    refuse(f, T4("{\"configuration\": {},\n\n\"invalidity\": nope}"), "A1.T4.json:3", "not JSON");
    refuse(f, T4(SHORT(3, 1) "," SHORT(5, 1)), "none of its 2 entries", "T1.json");
    refuse(f, T4(SHORT(1, -1)), "found none", "1 without a usable time");
}

static void test_read_refuses_every_cut_file(void **state)
{
    struct fixture *f = *state;
    const char *whole = T4(GOOD "," SHORT(2, NaN) "," SHORT(4, 2.5));
    char cut[2048];
    assert_true(strlen(whole) < sizeof cut);
    accept(f, whole);
    for (size_t length = 0; length < strlen(whole); length++) {
        snprintf(cut, sizeof cut, "%.*s", (int)length, whole);
        assert_int_equal(parse(f, cut), ANOLE_ERR_INPUT);
        assert_non_null(strstr(f->error.text, "A1.T4.json"));
    }
}

static void test_read_refuses_deep_nesting(void **state)
{
    struct fixture *f = *state;
    struct anole_text text = {0};
    anole_text_printf(&text, "{\"metadata\": ");
    for (int i = 0; i < 100000; i++)
        anole_text_append(&text, "[", 1);
    refuse(f, text.data, "64 levels", "A1.T4.json:1");
    anole_text_fini(&text);
    anole_text_printf(&text, "{\"results\": [{\"configuration\": ");
    for (int i = 0; i < 100000; i++)
        anole_text_printf(&text, "{\"a\":");
    refuse(f, text.data, "64 levels", "A1.T4.json:1");
    anole_text_fini(&text);
}

static void test_read_refuses_a_huge_entry(void **state)
{
    struct fixture *f = *state;
    struct anole_text text = {0};
    anole_text_printf(&text, "{\"results\": [{\"configuration\": [");
    while (text.length < (size_t)5 << 20)
        anole_text_printf(&text, "1111111111111,");
    anole_text_printf(&text, "1]}]}");
    refuse(f, text.data, "larger than 4 MiB", "A1.T4.json:1");
    anole_text_fini(&text);
}

/* ----------------------------------------------------------- Kernel Tuner's cache */

#define CACHE_HEAD                                                                                 \
    "{\n\"device_name\": \"NVIDIA A100\",\n\"kernel_name\": \"bowl\",\n\"tune_params\": {\"x\": "  \
    "[1, 2]},\n\"cache\": {\n"
#define CACHED(key, x, more)                                                                       \
    "\"" key "\": {\"x\": " #x ", \"half\": 0.5, \"way\": \"row\", \"only\": 7, " more "}"
#define CACHE_ENTRIES                                                                              \
    CACHED("1", 1,                                                                                 \
           "\"time\": 3.5, \"times\": [3, 4], \"compile_time\": 100, "                             \
           "\"verification_time\": 10, \"benchmark_time\": 20, \"framework_time\": 1")             \
    ",\n" CACHED("2", 2, "\"time\": \"RuntimeFailedConfig\", \"compile_time\": 50")

static void check_cache(struct fixture *f)
{
    const struct anole_recorded *one = find(f, 1, 5, 0), *two = find(f, 2, 5, 0);
    assert_non_null(one);
    assert_float_equal(one->seconds, 3.5e-3, 1e-12);
    assert_float_equal(one->build, 0.1, 1e-12);
    assert_float_equal(one->run, 0.02, 1e-12);
    assert_int_equal(one->samples, 2);
    assert_non_null(two);
    assert_int_equal(two->outcome, ANOLE_OUTCOME_LAUNCH);
    assert_float_equal(two->build, 0.05, 1e-12);
    assert_string_equal(anole_recording_device(f->recording), "NVIDIA A100");
}

static void test_cache_is_read(void **state)
{
    struct fixture *f = *state;
    accept(f, CACHE_HEAD CACHE_ENTRIES "}\n}\n");
    check_cache(f);
}

/* What cannot be read of costs is missing; the time is all the same. */
static void test_cache_whose_costs_are_of_another_kind_is_read(void **state)
{
    struct fixture *f = *state;
    accept(f,
           CACHE_HEAD CACHED("1", 1,
                             "\"time\": 3.5, \"times\": [[1, 3], [2, 4]], \"compile_time\": "
                             "\"long\", \"verification_time\": -1, \"framework_time\": {}") "}}");
    const struct anole_recorded *one = find(f, 1, 5, 0);
    assert_non_null(one);
    assert_int_equal(anole_recording_counts(f->recording)->unusable, 0);
    assert_float_equal(one->seconds, 3.5e-3, 1e-12);
    assert_true(one->build == 0.0 && one->verify == 0.0 && one->other == 0.0 && one->run == 0.0);
    assert_int_equal(one->samples, 1);
}

static void test_cache_of_an_interrupted_run_is_read(void **state)
{
    struct fixture *f = *state;
    accept(f, CACHE_HEAD CACHE_ENTRIES ",");
    check_cache(f);
    accept(f, CACHE_HEAD CACHE_ENTRIES);
    check_cache(f);
    refuse(f, CACHE_HEAD CACHE_ENTRIES ",\n\"3\": {\"x\": 1", "ends here", ":8");
}

static void test_cache_maps_each_failure(void **state)
{
    static const struct {
        const char *time;
        enum anole_outcome outcome;
    } kinds[] = {
        {"\"time\": \"InvalidConfig\"", ANOLE_OUTCOME_INVALID},
        {"\"time\": \"CompilationFailedConfig\"", ANOLE_OUTCOME_COMPILE},
        {"\"time\": \"RuntimeFailedConfig\"", ANOLE_OUTCOME_LAUNCH},
        {"\"time\": \"\", \"__error__\": \"CompilationFailedConfig\"", ANOLE_OUTCOME_COMPILE},
        {"\"time\": 1e20", ANOLE_OUTCOME_LAUNCH}};
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        char text[1024];
        snprintf(text, sizeof text,
                 CACHE_HEAD CACHE_ENTRIES
                 ", \"4\": {\"x\": 4, \"half\": 0.5, \"way\": \"row\", %s}}}",
                 kinds[i].time);
        accept(f, text);
        assert_int_equal(find(f, 4, 5, 0)->outcome, kinds[i].outcome);
    }
    refuse(f, CACHE_HEAD CACHED("1", 1, "\"time\": \"OutOfLuck\"") "}}", "OutOfLuck", "entry 1");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_read_takes_times_and_costs),
        TEST(test_read_takes_compilation_time_for_compilation),
        TEST(test_read_maps_each_kind_of_invalidity),
        TEST(test_read_heeds_units_wherever_they_stand),
        TEST(test_read_counts_what_it_passes_over),
        TEST(test_read_needs_no_parameter_without_a_choice),
        TEST(test_read_refuses_what_is_no_results_file),
        TEST(test_read_refuses_every_cut_file),
        TEST(test_read_refuses_deep_nesting),
        TEST(test_read_refuses_a_huge_entry),
        TEST(test_cache_is_read),
        TEST(test_cache_whose_costs_are_of_another_kind_is_read),
        TEST(test_cache_of_an_interrupted_run_is_read),
        TEST(test_cache_maps_each_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
