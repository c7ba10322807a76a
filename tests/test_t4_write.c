/* SPDX-License-Identifier: MIT
 *
 * Results that were written as T4 are read back as they were.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/json.h"
#include "formats/cache_write.h"
#include "formats/csv_write.h"
#include "formats/recording.h"
#include "formats/t4_write.h"

#include <math.h>
#include <string.h>

static const char t1_text[] = "{\"ConfigurationSpace\": {\"TuningParameters\": ["
                              "{\"Name\": \"x\", \"Values\": [1, 2, 3, 4, 5, 6, 7, 8]},"
                              "{\"Name\": \"half\", \"Values\": [0.5, 1.5]},"
                              "{\"Name\": \"way\", \"Values\": [\"row\", \"a \\\"column\\\"\"]}]}}";
static const char names[][ANOLE_KNOB_NAME] = {"x", "half", "way"};

struct fixture {
    struct anole_t1 *t1;
    struct anole_space *space;
    struct anole_error error;
};

static int setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof *f);
    *state = f;
    return anole_t1_parse(&f->t1, t1_text, sizeof t1_text - 1, "T1.json", &f->error) !=
               ANOLE_DONE ||
           anole_t1_space(&f->space, f->t1, &f->error) != ANOLE_DONE;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    anole_space_destroy(f->space);
    anole_t1_destroy(f->t1);
    test_free(f);
    return 0;
}

static uint64_t config_of(const struct fixture *f, int64_t x, uint32_t half, uint32_t way)
{
    uint16_t digits[3] = {(uint16_t)(x - 1), (uint16_t)half, (uint16_t)way};
    return anole_space_encode(f->space, digits);
}

static void add(struct fixture *f, struct anole_t4_writer *writer, uint64_t config,
                const struct anole_result *result)
{
    int64_t values[3];
    anole_space_values(f->space, config, values);
    if (anole_t4_add(writer, names, values, 3, result, &f->error) != ANOLE_DONE)
        fail_msg("%s", f->error.text);
}

static void test_what_was_written_is_read_back(void **state)
{
    struct fixture *f = *state;
    struct anole_t4_writer writer;
    struct anole_t4_source source = {.kernel = "a \"kernel\"", .device = "De\x1bvice \xff"};
    const struct anole_trial_cost cost = {
        .generate = 0.25, .build = 1.5, .transfer = 0.5, .run = 0.125, .verify = 0.0625};
    anole_t4_begin(&writer, &source, f->t1);
    for (enum anole_outcome o = ANOLE_OUTCOME_OK; o < ANOLE_OUTCOME_COUNT; o++) {
        struct anole_result result = {.outcome = o, .seconds = NAN, .cost = cost};
        if (o == ANOLE_OUTCOME_OK)
            result.seconds = 1.0 / 3.0;
        add(f, &writer, config_of(f, 1 + (int64_t)o, o % 2, o / 2 % 2), &result);
    }
    assert_int_equal(anole_t4_end(&writer, &f->error), ANOLE_DONE);
    assert_int_equal(writer.entries, ANOLE_OUTCOME_COUNT);
    struct anole_recording *recording;
    if (anole_recording_parse(&recording, f->t1, f->space, writer.text.data, writer.text.length,
                              "own", &f->error) != ANOLE_DONE)
        fail_msg("%s", f->error.text);
    assert_int_equal(anole_recording_count(recording), ANOLE_OUTCOME_COUNT);
    assert_string_equal(anole_recording_device(recording), "De\\x1bvice \\xff");
    for (enum anole_outcome o = ANOLE_OUTCOME_OK; o < ANOLE_OUTCOME_COUNT; o++) {
        const struct anole_recorded *item =
            anole_recording_find(recording, config_of(f, 1 + (int64_t)o, o % 2, o / 2 % 2));
        assert_non_null(item);
        assert_int_equal(item->outcome, o == ANOLE_OUTCOME_CRASH || o == ANOLE_OUTCOME_LOST
                                            ? ANOLE_OUTCOME_LAUNCH
                                            : o);
        assert_float_equal(item->build, 1.5, 1e-12);
        assert_float_equal(item->run, 0.125, 1e-12);
        assert_float_equal(item->verify, 0.0625, 1e-12);
        assert_float_equal(item->other, 0.75, 1e-12);
        if (o == ANOLE_OUTCOME_OK)
            assert_float_equal(item->seconds, 1.0 / 3.0, 1e-15);
    }
    anole_recording_destroy(recording);
    anole_t4_fini(&writer);
}

static void test_a_cache_is_read_back(void **state)
{
    struct fixture *f = *state;
    struct anole_cache_writer writer;
    struct anole_text text = {0};
    struct anole_t4_source source = {.kernel = "k", .device = "De\x1bvice"};
    int64_t values[3];
    anole_cache_begin(&writer, &source, f->t1);
    for (enum anole_outcome o = ANOLE_OUTCOME_OK; o < ANOLE_OUTCOME_COUNT; o++) {
        const struct anole_result result = {
            .outcome = o, .seconds = o == ANOLE_OUTCOME_OK ? 0.25 : NAN, .cost = {.build = 1.5}};
        anole_space_values(f->space, config_of(f, 1 + (int64_t)o, o % 2, o / 2 % 2), values);
        for (int again = 0; again < 2; again++)
            assert_int_equal(anole_cache_add(&writer, names, values, 3, &result, &f->error),
                             ANOLE_DONE);
    }
    assert_int_equal(anole_cache_entries(&writer), ANOLE_OUTCOME_COUNT);
    assert_int_equal(anole_cache_end(&writer, &text, &f->error), ANOLE_DONE);
    struct anole_recording *recording;
    if (anole_recording_parse(&recording, f->t1, f->space, text.data, text.length, "own",
                              &f->error) != ANOLE_DONE)
        fail_msg("%s", f->error.text);
    assert_int_equal(anole_recording_count(recording), ANOLE_OUTCOME_COUNT);
    assert_string_equal(anole_recording_device(recording), "De\\x1bvice");
    const struct anole_recorded *item = anole_recording_find(recording, config_of(f, 1, 0, 0));
    assert_float_equal(item->seconds, 0.25, 1e-15);
    assert_float_equal(item->build, 1.5, 1e-12);
    item = anole_recording_find(recording, config_of(f, 1 + (int64_t)ANOLE_OUTCOME_COMPILE,
                                                     ANOLE_OUTCOME_COMPILE % 2,
                                                     ANOLE_OUTCOME_COMPILE / 2 % 2));
    assert_int_equal(item->outcome, ANOLE_OUTCOME_COMPILE);
    anole_recording_destroy(recording);
    anole_cache_fini(&writer);
    anole_text_fini(&text);
}

static void test_cells_are_no_formulas(void **state)
{
    (void)state;
    static const struct {
        const char *text, *cell;
    } cases[] = {
        {"plain", "\"plain\""},
        {"", "\"\""},
        {"a,\"b\"", "\"a,\"\"b\"\"\""},
        {"=1+1", "\"'=1+1\""},
        {"+1", "\"'+1\""},
        {"-1", "\"'-1\""},
        {"@SUM(A1)", "\"'@SUM(A1)\""},
        {"\t=1", "\"'\\x09=1\""},
        {"\r=1", "\"'\\x0d=1\""},
        {"  =1", "\"'  =1\""},
        {"\xef\xbc\x9d"
         "1",
         "\"'\xef\xbc\x9d"
         "1\""},
        {"a=1", "\"a=1\""},
        {"x\x1b[31m\n", "\"x\\x1b[31m\\x0a\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct anole_text out = {0};
        anole_csv_text(&out, cases[i].text);
        assert_string_equal(out.data, cases[i].cell);
        anole_text_fini(&out);
    }
    struct anole_text row = {0};
    anole_csv_text(&row, "a");
    anole_csv_number(&row, NAN);
    anole_csv_number(&row, 0.1);
    anole_csv_integer(&row, 7);
    anole_csv_end_row(&row);
    anole_csv_number(&row, INFINITY);
    anole_csv_integer(&row, 8);
    anole_csv_end_row(&row);
    assert_string_equal(row.data, "\"a\",,0.1,7\r\n\"\",8\r\n");
    anole_text_fini(&row);
}

/* Seconds that are no number of milliseconds any more. */
static void test_the_longest_time_is_written(void **state)
{
    struct fixture *f = *state;
    struct anole_t4_writer writer;
    const struct anole_t4_source source = {.kernel = "k", .device = "d"};
    const struct anole_result result = {.outcome = ANOLE_OUTCOME_OK, .seconds = 1e308};
    anole_t4_begin(&writer, &source, f->t1);
    add(f, &writer, config_of(f, 1, 0, 0), &result);
    assert_int_equal(anole_t4_end(&writer, &f->error), ANOLE_DONE);
    anole_t4_fini(&writer);
}

static void test_without_a_t1_file_values_are_the_knobs(void **state)
{
    struct fixture *f = *state;
    struct anole_t4_writer writer;
    struct anole_result result = {.seconds = 1e-3};
    json_t *root;
    anole_t4_begin(&writer, &(struct anole_t4_source){0}, NULL);
    add(f, &writer, config_of(f, 7, 1, 1), &result);
    add(f, &writer, config_of(f, 8, 0, 0), &result);
    assert_int_equal(anole_t4_end(&writer, &f->error), ANOLE_DONE);
    assert_int_equal(
        anole_json_parse(&root, writer.text.data, writer.text.length, "own", &f->error),
        ANOLE_DONE);
    const json_t *results = json_object_get(root, "results");
    assert_int_equal(json_array_size(results), 2);
    const json_t *config = json_object_get(json_array_get(results, 0), "configuration");
    assert_int_equal(json_integer_value(json_object_get(config, "x")), 7);
    assert_true(json_is_integer(json_object_get(config, "half")));
    json_decref(root);
    anole_t4_fini(&writer);
}

static void test_values_of_another_space_are_refused(void **state)
{
    struct fixture *f = *state;
    struct anole_t4_writer writer;
    struct anole_result result = {.seconds = 1e-3};
    static const char other[][ANOLE_KNOB_NAME] = {"y"};
    const int64_t one = 1, nine = 9;
    anole_t4_begin(&writer, &(struct anole_t4_source){0}, f->t1);
    assert_int_equal(anole_t4_add(&writer, other, &one, 1, &result, &f->error), ANOLE_ERR_INPUT);
    assert_non_null(strstr(f->error.text, "y = 1"));
    anole_error_clear(&f->error);
    assert_int_equal(anole_t4_add(&writer, names, &nine, 1, &result, &f->error), ANOLE_ERR_INPUT);
    assert_non_null(strstr(f->error.text, "x = 9"));
    anole_t4_fini(&writer);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_what_was_written_is_read_back),
        TEST(test_a_cache_is_read_back),
        TEST(test_cells_are_no_formulas),
        TEST(test_the_longest_time_is_written),
        TEST(test_without_a_t1_file_values_are_the_knobs),
        TEST(test_values_of_another_space_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
