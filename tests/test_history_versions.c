/* SPDX-License-Identifier: MIT
 *
 * Histories and lock files of other versions of Anole: what is known in them is read, and
 * what is not is neither lost nor in the way.
 */
#include "history_fixture.h"

#include "base/hash.h"
#include "record/lockfile.h"

/* A trial of config 1 or so of history_fixture.h, as another version may put it. */
#define KEY_TEXT                                                                                   \
    "\"task\":\"conv2d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32 bias relu\","                \
    "\"backend\":\"cpu\",\"backend_version\":\"1.0\",\"generator\":3,"                             \
    "\"device\":\"AMD EPYC 9R45\",\"driver\":\"Portable Computing Language\","                     \
    "\"driver_version\":\"3.1\",\"threads\":2"
#define KNOBS_TEXT "\"knobs\":{\"tile\":4,\"block\":16,\"order\":1}"
#define TIMES_TEXT                                                                                 \
    "\"seconds\":0.25,\"low\":0.125,\"high\":0.5,\"samples\":7,\"error\":0.5,"                     \
    "\"abandoned\":false,\"simulated\":false,\"message\":\"\""
#define COST_TEXT "\"cost\":{\"generate\":1,\"build\":2,\"transfer\":3,\"run\":4,\"verify\":5}"
#define TIME_TEXT "\"time\":\"2027-01-31T12:00:00Z\""

static void append_signed(struct anole_text *out, const char *line)
{
    anole_text_printf(out, "%s,\"crc\":\"%08x\"}\n", line,
                      (unsigned)anole_crc32(line, strlen(line)));
    assert_false(out->failed);
}

/* A history whose second line is `line`. */
static void write_with(const struct fixture *f, const char *line)
{
    struct anole_text text = {0};
    append_signed(&text, "{\"anole_history\":1");
    append_signed(&text, line);
    write_file(f->path, text.data, text.length);
    anole_text_fini(&text);
}

static void expect_trial(const struct anole_trials *trials)
{
    assert_int_equal(anole_trials_count(trials), 1);
    const struct anole_result *result = &anole_trials_get(trials, 0)->result;
    assert_int_equal(result->outcome, ANOLE_OUTCOME_OK);
    assert_int_equal(result->metric, ANOLE_METRIC_SECONDS);
    assert_true(result->seconds == 0.25 && result->low == 0.125 && result->high == 0.5);
    assert_true(result->samples == 7 && result->cost.verify == 5.0);
}

/* --------------------------------------------------------------- what is read */

static void test_lines_with_more_members_are_read(void **state)
{
    struct fixture *f = *state;
    const char *const lines[] = {
        /* as the first release wrote it */
        "{\"v\":1," KEY_TEXT ",\"id\":9," KNOBS_TEXT ",\"outcome\":\"ok\"," TIMES_TEXT "," COST_TEXT
        "," TIME_TEXT,
        "{\"v\":2," KEY_TEXT ",\"metric\":\"seconds\",\"id\":9," KNOBS_TEXT
        ",\"outcome\":\"ok\"," TIMES_TEXT "," COST_TEXT "," TIME_TEXT,
        /* with members that nobody knows yet, of every kind and in every place */
        "{\"v\":1,\"clock\":\"own\"," KEY_TEXT ",\"id\":9," KNOBS_TEXT
        ",\"outcome\":\"ok\"," TIMES_TEXT "," COST_TEXT "," TIME_TEXT ",\"disturbed\":false",
        "{\"v\":2," KEY_TEXT ",\"timed\":\"hot\",\"metric\":\"seconds\",\"id\":9," KNOBS_TEXT
        ",\"outcome\":\"ok\",\"more\":{\"a\":[1,-2.5e3,null,{\"b\":\"]}\\\"\"}],\"seconds\":7},"
        "\"none\":[]," TIMES_TEXT ",\"joules\":1e-3,\"cost\":{\"generate\":1,\"build\":2,"
        "\"upload\":9,\"transfer\":3,\"run\":4,\"verify\":5}," TIME_TEXT,
        /* in another order */
        "{\"v\":2," TIME_TEXT "," COST_TEXT ",\"outcome\":\"ok\"," TIMES_TEXT "," KNOBS_TEXT
        ",\"id\":9,\"metric\":\"seconds\",\"threads\":2,\"driver_version\":\"3.1\","
        "\"driver\":\"Portable Computing Language\",\"device\":\"AMD EPYC 9R45\","
        "\"generator\":3,\"backend_version\":\"1.0\",\"backend\":\"cpu\","
        "\"task\":\"conv2d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32 bias relu\"",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        write_with(f, lines[i]);
        struct anole_history *history = open_history(f->path, ANOLE_HISTORY_APPEND);
        assert_int_equal(anole_history_damaged(history), 0);
        assert_int_equal(anole_history_newer(history), 0);
        struct anole_trials *trials = collect(history, f);
        expect_trial(trials);
        anole_trials_destroy(trials);
        /* A trial of today is one under the same key. */
        struct anole_result result = make_result(3);
        append(history, f, 3, &result);
        trials = collect(history, f);
        assert_int_equal(anole_trials_count(trials), 2);
        anole_trials_destroy(trials);
        anole_history_close(history);
        size_t length;
        char *text = read_file(f->path, &length);
        assert_non_null(strstr(text, lines[i])); /* as it was */
        assert_non_null(strstr(text, "{\"v\":2,\"task\":"));
        assert_non_null(strstr(text, "\"threads\":2,\"metric\":\"seconds\",\"id\":10,"));
        free(text);
    }
}

static void test_long_messages_are_cut_off(void **state)
{
    struct fixture *f = *state;
    struct anole_text line = {0};
    anole_text_printf(&line, "{\"v\":2," KEY_TEXT ",\"metric\":\"seconds\",\"id\":9," KNOBS_TEXT
                             ",\"outcome\":\"crash\",\"seconds\":null,\"low\":null,\"high\":null,"
                             "\"samples\":0,\"error\":null,\"abandoned\":false,"
                             "\"simulated\":false,\"message\":\"");
    for (int i = 0; i < 300; i++)
        anole_text_printf(&line, "\\u00%02x", 0x80 + i % 64);
    anole_text_printf(&line, "\"," COST_TEXT "," TIME_TEXT);
    write_with(f, line.data);
    anole_text_fini(&line);
    struct anole_history *history = open_history(f->path, ANOLE_HISTORY_READ);
    struct anole_trials *trials = collect(history, f);
    assert_int_equal(anole_trials_count(trials), 1);
    const struct anole_result *result = &anole_trials_get(trials, 0)->result;
    assert_int_equal(strlen(result->message), sizeof result->message - 1);
    assert_int_equal((unsigned char)result->message[65], 0x81);
    anole_trials_destroy(trials);
    anole_history_close(history);
}

static void test_what_a_line_must_have_is_missed(void **state)
{
    struct fixture *f = *state;
    const char *const lines[] = {
        /* no knobs; no time; no cost; a cost without a part; no metric in version 2 */
        "{\"v\":1," KEY_TEXT ",\"id\":9,\"outcome\":\"ok\"," TIMES_TEXT "," COST_TEXT "," TIME_TEXT,
        "{\"v\":1," KEY_TEXT ",\"id\":9," KNOBS_TEXT ",\"outcome\":\"ok\"," TIMES_TEXT
        "," COST_TEXT,
        "{\"v\":1," KEY_TEXT ",\"id\":9," KNOBS_TEXT ",\"outcome\":\"ok\"," TIMES_TEXT
        "," TIME_TEXT,
        "{\"v\":1," KEY_TEXT ",\"id\":9," KNOBS_TEXT ",\"outcome\":\"ok\"," TIMES_TEXT
        ",\"cost\":{\"generate\":1}," TIME_TEXT,
        "{\"v\":2," KEY_TEXT ",\"id\":9," KNOBS_TEXT ",\"outcome\":\"ok\"," TIMES_TEXT "," COST_TEXT
        "," TIME_TEXT,
        /* of another type; twice; nothing where something must be; a bracket too few */
        "{\"v\":1," KEY_TEXT ",\"id\":\"9\"," KNOBS_TEXT ",\"outcome\":\"ok\"," TIMES_TEXT
        "," COST_TEXT "," TIME_TEXT,
        "{\"v\":1," KEY_TEXT ",\"id\":9,\"id\":9," KNOBS_TEXT ",\"outcome\":\"ok\"," TIMES_TEXT
        "," COST_TEXT "," TIME_TEXT,
        "{\"v\":1," KEY_TEXT ",\"id\":9,\"x\":," KNOBS_TEXT ",\"outcome\":\"ok\"," TIMES_TEXT
        "," COST_TEXT "," TIME_TEXT,
        "{\"v\":1," KEY_TEXT ",\"id\":9," KNOBS_TEXT ",\"outcome\":\"ok\"," TIMES_TEXT "," COST_TEXT
        "," TIME_TEXT ",\"x\":[[1]",
        /* ok, and without a time */
        "{\"v\":1," KEY_TEXT ",\"id\":9," KNOBS_TEXT ",\"outcome\":\"ok\",\"seconds\":null,"
        "\"low\":1,\"high\":1,\"samples\":7,\"error\":0.5,\"abandoned\":false,"
        "\"simulated\":false,\"message\":\"\"," COST_TEXT "," TIME_TEXT,
        "{\"v\":0," KEY_TEXT ",\"id\":9," KNOBS_TEXT ",\"outcome\":\"ok\"," TIMES_TEXT "," COST_TEXT
        "," TIME_TEXT,
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        write_with(f, lines[i]);
        struct anole_history *history = open_history(f->path, ANOLE_HISTORY_READ);
        if (anole_history_damaged(history) != 1 || anole_history_newer(history) != 0)
            fail_msg("line %zu: %zu damaged, %zu newer", i, anole_history_damaged(history),
                     anole_history_newer(history));
        anole_history_close(history);
    }
}

/* ------------------------------------------------------------ what is passed over */

static void test_newer_lines_are_kept_and_left_out(void **state)
{
    struct fixture *f = *state;
    const char *const lines[] = {
        "{\"v\":3," KEY_TEXT ",\"id\":41,\"knobs\":[4,16],\"what\":{\"is\":[\"new\"]}",
        "{\"v\":99,\"nothing\":\"that we know\"",
        "{\"v\":2," KEY_TEXT ",\"metric\":\"joules\",\"id\":42," KNOBS_TEXT
        ",\"outcome\":\"ok\"," TIMES_TEXT "," COST_TEXT "," TIME_TEXT,
        "{\"v\":2," KEY_TEXT ",\"metric\":\"seconds\",\"id\":40," KNOBS_TEXT
        ",\"outcome\":\"unstable\"," TIMES_TEXT "," COST_TEXT "," TIME_TEXT,
    };
    struct anole_text text = {0};
    size_t length, count = sizeof lines / sizeof *lines;
    write_history(f, f->path, 2);
    char *before = read_file(f->path, &length);
    anole_text_append(&text, before, length);
    for (size_t i = 0; i < count; i++)
        append_signed(&text, lines[i]);
    write_file(f->path, text.data, text.length);
    free(before);
    for (int pass = 0; pass < 2; pass++) {
        struct anole_history *history = open_history(f->path, ANOLE_HISTORY_APPEND);
        assert_int_equal(anole_history_damaged(history), 0);
        assert_int_equal(anole_history_newer(history), count);
        struct anole_trials *trials = collect(history, f);
        assert_int_equal(anole_trials_count(trials), 2 + pass);
        anole_trials_destroy(trials);
        struct anole_result result = make_result(7);
        if (pass == 0)
            append(history, f, 7, &result);
        anole_history_close(history);
    }
    char *after = read_file(f->path, &length);
    assert_true(length > text.length);
    assert_memory_equal(after, text.data, text.length);
    assert_non_null(strstr(after + text.length, "\"id\":43,")); /* numbers are given once */
    free(after);
    anole_text_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_lines_with_more_members_are_read),
        TEST(test_long_messages_are_cut_off),
        TEST(test_what_a_line_must_have_is_missed),
        TEST(test_newer_lines_are_kept_and_left_out),
    };
    anole_log_set_level(ANOLE_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
