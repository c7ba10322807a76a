/* SPDX-License-Identifier: MIT */
#include "report/curve.h"
#include "report/knobs.h"
#include "report/markup.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ------------------------------------------------------------------ escaping */

static void expect_escaped(const char *text, const char *expected)
{
    struct anole_text out = {0};
    anole_markup_escape(&out, text);
    anole_text_append(&out, "", 0);
    assert_string_equal(out.data, expected);
    anole_text_fini(&out);
}

static void test_escape_leaves_no_markup(void **state)
{
    (void)state;
    expect_escaped("", "");
    expect_escaped("<b a='1' c=\"2\">&amp;]]>",
                   "&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;amp;]]&gt;");
    expect_escaped("a\x1b[31m\nb\x7f", "a\\x1b[31m\\x0ab\\x7f");
    expect_escaped("\xff\xc3", "\\xff\\xc3");                            /* no UTF-8 */
    expect_escaped("\xc3\xa9 \xe2\x80\xae", "\xc3\xa9 \\xe2\\x80\\xae"); /* e acute; an override */
    expect_escaped("\xef\xbf\xbf\xef\xbf\xbe", "\\xef\\xbf\\xbf\\xef\\xbf\\xbe"); /* no XML */
    expect_escaped("\xf0\x9f\xbf\xbfz", "\\xf0\\x9f\\xbf\\xbfz");
    expect_escaped("\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80");
}

static void test_code_is_code_to_its_end(void **state)
{
    static const char *const texts[][2] = {
        {"a b", "`a b`"},
        {"", "`-`"},
        {"`|`", "`\\x60\\x7c\\x60`"},
        {"[x](http://y) <b>\n# 1", "`[x](http://y) <b>\\x0a# 1`"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct anole_text out = {0};
        anole_markup_code(&out, texts[i][0]);
        assert_string_equal(out.data, texts[i][1]);
        anole_text_fini(&out);
    }
}

static void test_markup_escapes_what_it_is_given_alone(void **state)
{
    struct anole_text out = {0};
    (void)state;
    anole_markup(&out, "<p>$ & $</p>", "<i>", "$", NULL);
    assert_string_equal(out.data, "<p>&lt;i&gt; & $</p>");
    anole_text_fini(&out);
}

static void test_words_say_what_is_no_number(void **state)
{
    (void)state;
    assert_string_equal(anole_word_seconds(NAN).text, "-");
    assert_string_equal(anole_word_times(NAN).text, "-");
    assert_string_equal(anole_word_percent(INFINITY).text, "-");
    assert_string_equal(anole_word_interval(1.0, NAN, 2.0).text, "");
    assert_string_equal(anole_word_interval(1e-3, 0.9e-3, 1.1e-3).text, "[900 us, 1.10 ms]");
    assert_string_equal(anole_word_interval(2e-3, 1e-3, 3e-3).text, "[1.00, 3.00 ms]");
    assert_string_equal(anole_word_times(1.234).text, "1.23x");
    assert_string_equal(anole_word_times(1e200).text, "1e+200x");
}

/* -------------------------------------------------------------------- curves */

static void test_curve_of_many_steps_is_thinned_out(void **state)
{
    const size_t count = 100000;
    struct anole_report_trial *trials = calloc(count, sizeof *trials);
    struct anole_report_task task = {.trials = trials, .trial_count = count, .multiplicity = 1};
    struct anole_curve *curve = calloc(1, sizeof *curve);
    (void)state;
    assert_non_null(trials);
    assert_non_null(curve);
    for (size_t i = 0; i < count; i++)
        trials[i] = (struct anole_report_trial){
            .ok = true, .value = (double)(2 * count - i), .spent = 0.5, .id = i};
    anole_curve_of_task(curve, &task);
    assert_in_range(curve->count, ANOLE_CURVE_POINTS / 4, ANOLE_CURVE_POINTS);
    assert_true(curve->points[0].value == (double)(2 * count) && curve->points[0].trials == 1.0);
    assert_true(curve->points[curve->count - 1].value == (double)(count + 1));
    assert_true(curve->points[curve->count - 1].seconds == 0.5 * (double)count);
    for (size_t i = 1; i < curve->count; i++)
        assert_true(curve->points[i].value < curve->points[i - 1].value &&
                    curve->points[i].trials > curve->points[i - 1].trials);
    free(curve);
    free(trials);
}

static void test_curve_passes_over_what_failed_or_was_abandoned(void **state)
{
    struct anole_report_trial trials[] = {
        {.value = NAN, .spent = 1.0},
        {.ok = true, .value = 4.0, .spent = 1.0},
        {.ok = true, .abandoned = true, .value = 1.0, .spent = 1.0},
        {.ok = true, .value = 5.0, .spent = 1.0},
        {.ok = true, .value = 3.0, .spent = 1.0},
    };
    struct anole_report_task task = {.trials = trials, .trial_count = 5, .multiplicity = 1};
    struct anole_curve *curve = calloc(1, sizeof *curve);
    (void)state;
    assert_non_null(curve);
    anole_curve_of_task(curve, &task);
    assert_int_equal(curve->count, 2);
    assert_true(curve->points[0].trials == 2.0 && curve->points[0].value == 4.0);
    assert_true(curve->points[1].seconds == 5.0 && curve->points[1].value == 3.0);
    task.trial_count = 1;
    anole_curve_of_task(curve, &task);
    assert_int_equal(curve->count, 0);
    assert_true(curve->trials == 1.0);
    free(curve);
}

static void test_curve_of_a_column_begins_with_its_defaults(void **state)
{
    struct anole_report_trial first[] = {{.ok = true, .value = 4.0, .id = 1},
                                         {.ok = true, .value = 1.0, .id = 4}};
    struct anole_report_trial second[] = {{.ok = true, .value = 9.0, .id = 2},
                                          {.ok = true, .value = 8.0, .id = 3}};
    struct anole_report_task tasks[] = {
        {.trials = first, .trial_count = 2, .multiplicity = 2, .default_value = 5.0},
        {.trials = second, .trial_count = 2, .multiplicity = 1, .default_value = NAN},
    };
    struct anole_report_column column = {.tasks = tasks, .task_count = 2, .tally = {.trials = 4}};
    struct anole_curve *curve = calloc(1, sizeof *curve);
    const double values[] = {19.0, 17.0, 16.0, 10.0};
    (void)state;
    assert_non_null(curve);
    assert_int_equal(anole_curve_of_column(curve, &column, NULL), ANOLE_DONE);
    assert_int_equal(curve->count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_true(curve->points[i].value == values[i]);
    free(curve);
}

/* --------------------------------------------------------------------- knobs */

/* 8 x 4 x 8 configs, of which the first knob decides nearly everything. */
static void fill(struct anole_report_task *task, size_t count)
{
    static char names[3][ANOLE_KNOB_NAME] = {"big", "small", "none"};
    static struct anole_report_trial trials[256];
    static int64_t values[256][3];
    for (size_t i = 0; i < count; i++) {
        size_t at = (i * 37 + 11) % 256;
        values[i][0] = (int64_t)(1 << at % 8);
        values[i][1] = (int64_t)(at / 8 % 4);
        values[i][2] = (int64_t)(at / 32);
        trials[i] = (struct anole_report_trial){.ok = at != 5, .id = i};
        trials[i].value =
            at == 5 ? NAN : 1.0 + fabs((double)(at % 8) - 5.0) + 0.1 * (double)values[i][1];
    }
    *task = (struct anole_report_task){.trials = trials,
                                       .trial_count = count,
                                       .knob_names = names,
                                       .knob_count = 3,
                                       .values = &values[0][0]};
}

static void test_knobs_name_the_one_that_matters(void **state)
{
    struct anole_report_task task;
    struct anole_report_knobs *knobs;
    (void)state;
    fill(&task, 256);
    assert_int_equal(anole_report_knobs_create(&knobs, &task, NULL), ANOLE_DONE);
    assert_non_null(knobs);
    assert_int_equal(knobs->count, 3);
    assert_int_equal(knobs->configs, 256);
    assert_int_equal(knobs->knobs[0].knob, 0);
    assert_int_equal(knobs->knobs[0].values, 8);
    assert_true(knobs->explained > 0.5 && knobs->explained <= 1.0);
    assert_true(anole_report_knobs_say(knobs));
    assert_true(knobs->knobs[0].importance > 4.0 * knobs->knobs[1].importance);
    assert_int_equal(knobs->rows.count, 8);
    assert_true(knobs->best[5][0] > 0.9);
    free(knobs);
}

static void test_knobs_say_nothing_of_too_few_configs(void **state)
{
    struct anole_report_task task;
    struct anole_report_knobs *knobs;
    (void)state;
    fill(&task, ANOLE_KNOBS_LEAST - 1);
    assert_int_equal(anole_report_knobs_create(&knobs, &task, NULL), ANOLE_DONE);
    assert_null(knobs);
    fill(&task, 64);
    for (size_t i = 0; i < 64; i++)
        task.trials[i].odd = true;
    assert_int_equal(anole_report_knobs_create(&knobs, &task, NULL), ANOLE_DONE);
    assert_null(knobs);
    task.trial_count = 0;
    assert_int_equal(anole_report_knobs_create(&knobs, &task, NULL), ANOLE_DONE);
    assert_null(knobs);
}

/* Values that no space holds: 63 bits are fewer than 40 knobs of 200 values need. */
static void test_knobs_say_nothing_of_a_space_that_is_too_large(void **state)
{
    enum { KNOBS = 40, COUNT = 200 };
    static char names[KNOBS][ANOLE_KNOB_NAME];
    static struct anole_report_trial trials[COUNT];
    static int64_t values[COUNT][KNOBS];
    struct anole_report_task task = {.trials = trials,
                                     .trial_count = COUNT,
                                     .knob_names = names,
                                     .knob_count = KNOBS,
                                     .values = &values[0][0]};
    struct anole_report_knobs *knobs;
    (void)state;
    for (size_t k = 0; k < KNOBS; k++)
        snprintf(names[k], sizeof names[k], "k%zu", k);
    for (size_t i = 0; i < COUNT; i++) {
        trials[i] = (struct anole_report_trial){.ok = true, .value = 1.0 + (double)i};
        for (size_t k = 0; k < KNOBS; k++)
            values[i][k] = (int64_t)(i * (k + 1)) - INT64_MAX / 2;
    }
    assert_int_equal(anole_report_knobs_create(&knobs, &task, NULL), ANOLE_DONE);
    assert_null(knobs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_escape_leaves_no_markup),
        cmocka_unit_test(test_code_is_code_to_its_end),
        cmocka_unit_test(test_markup_escapes_what_it_is_given_alone),
        cmocka_unit_test(test_words_say_what_is_no_number),
        cmocka_unit_test(test_curve_of_many_steps_is_thinned_out),
        cmocka_unit_test(test_curve_passes_over_what_failed_or_was_abandoned),
        cmocka_unit_test(test_curve_of_a_column_begins_with_its_defaults),
        cmocka_unit_test(test_knobs_name_the_one_that_matters),
        cmocka_unit_test(test_knobs_say_nothing_of_too_few_configs),
        cmocka_unit_test(test_knobs_say_nothing_of_a_space_that_is_too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
