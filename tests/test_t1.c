/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "kernel/t1.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------- helpers */

static const char *file_with(const char *type, const char *values, const char *more,
                             const char *conditions)
{
    static char text[65536];
    snprintf(text, sizeof text,
             "{\"General\": {\"BenchmarkName\": \"a test\"}, \"ConfigurationSpace\": "
             "{\"TuningParameters\": [{\"Name\": \"a\", \"Type\": \"%s\", \"Values\": %s%s}, "
             "{\"Name\": \"b\", \"Type\": \"int\", \"Values\": \"[1, 2, 3]\", \"Default\": 2}], "
             "\"Conditions\": [%s]}}",
             type, values, more, conditions);
    return text;
}

static struct anole_t1 *read_text(const char *text)
{
    struct anole_t1 *t1 = NULL;
    struct anole_error error = {0};
    if (anole_t1_parse(&t1, text, strlen(text), "some.json", &error) != ANOLE_DONE)
        fail_msg("%.200s: %s", text, error.text);
    return t1;
}

static void refuse_text(const char *text, const char *part)
{
    struct anole_t1 *t1 = NULL;
    struct anole_error error = {0};
    enum anole_status status = anole_t1_parse(&t1, text, strlen(text), "some.json", &error);
    if (status != ANOLE_ERR_INPUT || t1)
        fail_msg("not refused: %.200s", text);
    if (!strstr(error.text, part) || strncmp(error.text, "some.json", 9) != 0)
        fail_msg("\"%s\" is not in: %s", part, error.text);
}

static struct anole_space *space_of(const struct anole_t1 *t1)
{
    struct anole_space *space = NULL;
    struct anole_error error = {0};
    if (anole_t1_space(&space, t1, &error) != ANOLE_DONE)
        fail_msg("%s", error.text);
    return space;
}

/* The values of the first parameter, as labels with blanks between. */
static void check_values(const char *type, const char *values, const char *expected)
{
    char found[4096] = "";
    struct anole_t1 *t1 = read_text(file_with(type, values, "", ""));
    for (size_t i = 0; i < t1->parameters[0].count; i++) {
        strcat(found, i ? " " : "");
        strcat(found, t1->parameters[0].labels[i]);
    }
    if (strcmp(found, expected) != 0)
        fail_msg("%s: found %s, expected %s", values, found, expected);
    anole_t1_destroy(t1);
}

static double count_valid(const char *text)
{
    bool exact;
    struct anole_t1 *t1 = read_text(text);
    struct anole_space *space = space_of(t1);
    double count = anole_space_count(space, 1000000, &exact);
    assert_true(exact);
    anole_space_destroy(space);
    anole_t1_destroy(t1);
    return count;
}

/* -------------------------------------------------------------------- values */

static void test_read_values_in_every_notation(void **state)
{
    (void)state;
    check_values("int", "\"[4, 1, 2]\"", "1 2 4");
    check_values("int", "[4, 1, 2]", "1 2 4");
    check_values("int", "[\"4\", \"1\"]", "1 4");
    check_values("int", "\"(1, 2,)\"", "1 2");
    check_values("int", "\"[1, 2, 2, 1]\"", "1 2");
    check_values("int", "\"range(3)\"", "0 1 2");
    check_values("int", "\"range(16, 65, 16)\"", "16 32 48 64");
    check_values("int", "\"list(range(4, 0, -2))\"", "2 4");
    check_values("int", "\" [32 * i for i in range(1, 4)] \"", "32 64 96");
    check_values("int", "\"[1] + [2 * i for i in range(1, 4)]\"", "1 2 4 6");
    check_values("int", "\"[2**i for i in range(0, 6) if i % 2 == 0]\"", "1 4 16");
    check_values("int", "\"([1, 2]) + (3, 4)\"", "1 2 3 4");
    check_values("int", "\"[max(i, 2) for i in [1, 2, 3]]\"", "2 3");
    check_values("int", "\"[16 // 2, min(7, 3), 0x10]\"", "3 8 16");
    check_values("bool", "\"[True, False]\"", "0 1");
    check_values("bool", "[true, false]", "0 1");
    check_values("float", "\"[0.5, 0.25, 1e-3]\"", "0.001 0.25 0.5");
    check_values("float", "[1.5, 2]", "1.5 2");
    check_values("string", "\"['row', \\\"col\\\"]\"", "row col");
    check_values("string", "[\"b\", \"a\", \"b\"]", "b a");
    check_values("string", "\"['a, b', 'it\\\\'s']\"", "a, b it's");
}

static void test_refuse_values_that_are_no_list(void **state)
{
    (void)state;
    static const struct {
        const char *values, *part;
    } cases[] = {
        {"\"[]\"", "empty list"},
        {"\"\"", "found the end"},
        {"\"[1, 2\"", "found the end"},
        {"\"[1, 2]]\"", "'+' and another list"},
        {"\"[1, 'a']\"", "found both"},
        {"\"['a\"", "closing quote"},
        {"\"['a' 'b']\"", "in quotes"},
        {"\"[1 2]\"", "column 3"},
        {"\"[1,,2]\"", "a value"},
        {"\"[b]\"", "'b'"},
        {"\"[1/0]\"", "has no value"},
        {"\"range(0)\"", "empty list"},
        {"\"range(1, 2, 0)\"", "not 0"},
        {"\"range(0, 10**15)\"", "at most 4096"},
        {"\"range(1.5)\"", "whole numbers"},
        {"\"range(1, 2, 3, 4)\"", "one to three"},
        {"\"[i for i in range(3)\"", "']'"},
        {"\"[i for 3 in range(3)]\"", "name of a variable"},
        {"\"[i for i range(3)]\"", "'in'"},
        {"\"[j for i in range(3)]\"", "'j'"},
        {"\"[1/i for i in range(3)]\"", "has no value"},
        {"\"__import__('os')\"", "a list such as"},
        {"\"((((((((((((((((((((1))))))))))))))))))))\"", "less deep"},
        {"7", "expected a list"},
        {"null", "expected a list"},
        {"[[1]]", "found the array"},
        {"[null]", "found null"},
        {"[]", "empty list"},
        {"[\"x\"]", "'x'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuse_text(file_with("int", cases[i].values, "", ""), cases[i].part);
    refuse_text(file_with("int", "[b]", "", ""), "not JSON");
    refuse_text(file_with("int", "\"[b]\"", "", ""), "TuningParameters[0] \"a\"");
}

static void test_choose_default(void **state)
{
    (void)state;
    static const struct {
        const char *type, *values, *more;
        uint32_t digit;
    } cases[] = {
        {"int", "[8, 2, 4]", "", 2}, /* the first of the list */
        {"int", "[8, 2, 4]", ", \"Default\": 4", 1},
        {"int", "[8, 2, 4]", ", \"Default\": [2]", 0},
        {"int", "[8, 2, 4]", ", \"Default\": \"4\"", 1},
        {"int", "[8, 2, 4]", ", \"Default\": 7", 2}, /* the nearest */
        {"int", "[8, 2, 4]", ", \"Default\": null", 2},
        {"float", "[0.5, 0.25]", ", \"Default\": 0.5", 1},
        {"bool", "[false, true]", ", \"Default\": true", 1},
        {"string", "[\"x\", \"y\"]", ", \"Default\": \"y\"", 1},
        {"string", "[\"x\", \"y\"]", ", \"Default\": \"z\"", 0},
        {"string", "[\"x\", \"y\"]", ", \"Default\": 1", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct anole_t1 *t1 =
            read_text(file_with(cases[i].type, cases[i].values, cases[i].more, ""));
        if (t1->parameters[0].default_digit != cases[i].digit)
            fail_msg("case %zu: %u", i, t1->parameters[0].default_digit);
        anole_t1_destroy(t1);
    }
}

/* ---------------------------------------------------------------- conditions */

static void test_conditions_mean_what_the_file_says(void **state)
{
    (void)state;
    static const struct {
        const char *type, *values, *condition;
        double valid;
    } cases[] = {
        {"int", "[1, 2, 4]", "a * b <= 4", 6},
        {"int", "[1, 2, 4]", "a == 1 or a % 2 == 0 and b > 2", 5},
        {"float", "[0.1, 0.2, 0.3]", "a == 0.3", 3}, /* exactly, in spite of 3 / 10 */
        {"float", "[0.1, 0.2, 0.3]", "a * 10 >= b", 6},
        {"float", "[0.25, 1e5]", "a > 1e4 or 1e1 < b", 3},
        {"string", "['x', 'y', 'z']", "a == 'y'", 3},
        {"string", "['x', 'y', 'z']", "a != \\\"y\\\" and b < 3", 4},
        {"string", "['x', 'y', 'z']", "a in ['x', 'z', 'nothing']", 6},
        {"string", "['x', 'y', 'z']", "('x') == a or not a in ('x', 'y')", 6},
        {"string", "['x', 'y', 'z']", "min(a == 'x', b == 1) == 1", 1},
        {"string", "['x', 'y', 'z']", "a not in ['x'] and (a != 'y')", 3},
        {"string", "['x', 'y', 'z']", "'x' != a != 'y'", 3},
        {"int", "[1, 3, 4]", "int(a / 2) == 1", 3},
        {"int", "[1, 3, 4]", "ceil(a / 2) + math.ceil((a) / (2)) == 4", 6},
        {"int", "[1, 3, 4]", "math.floor(a / 2) * floor (max(a, b) / 1) > 3", 3},
        {"float", "[0.5, 1.5]", "floor(a) == 1 and ceil(floor(a)) == 1", 3},
        {"bool", "[True, False]", "not a", 3},
        {"bool", "[True, False]", "a == True", 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char values[128], condition[256];
        snprintf(values, sizeof values, "\"%s\"", cases[i].values);
        snprintf(condition, sizeof condition, "{\"Expression\": \"%s\", \"Parameters\": [\"a\"]}",
                 cases[i].condition);
        double found = count_valid(file_with(cases[i].type, values, "", condition));
        if (found != cases[i].valid)
            fail_msg("%s: %g valid, not %g", cases[i].condition, found, cases[i].valid);
    }
    assert_true(count_valid(file_with("int", "[1]", "", "\"b > 1\"")) == 2);
}

static void test_refuse_conditions_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *condition, *part;
    } cases[] = {
        {"{\"Expression\": \"c > 1\"}", "Conditions[1]: expression \"c > 1\", column 1"},
        {"{\"Expression\": \"system(1)\"}", "is no function"},
        {"{\"Expression\": \"a >\"}", "found the end"},
        {"{\"Expression\": \"ceil(a\"}", "found the end"},
        {"{\"Expression\": \"ceil(a))\"}", "found ')'"},
        {"{\"Expression\": \"ceil()\"}", "found ')'"},
        {"{\"Expression\": \"math.sin(a)\"}", "'math'"},
        {"{\"Expression\": \"\"}", "''"},
        {"{\"Expression\": \"a == 'x\"}", "does not end"},
        {"{\"Expression\": 7}", "the text \"Expression\""},
        {"{}", "the text \"Expression\""},
        {"null", "found null"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char conditions[256];
        snprintf(conditions, sizeof conditions, "\"a > 0\", %s", cases[i].condition);
        refuse_text(file_with("int", "[1]", "", conditions), cases[i].part);
    }
    refuse_text(file_with("float", "[1.0000000000000002, 0.1]", "", "\"a > 0\""),
                "too many digits");
    refuse_text(file_with("int", "[1]", "",
                          "\"((((((((((((((((((((((((((((((((((((((((((((((((((("
                          "((((((((((((((((((((((((((((((((((1\""),
                "levels");
}

/* Texts are numbered behind the reader: those numbers are nobody's to compare with. */
static void test_refuse_texts_beside_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *condition, *part;
    } cases[] = {
        {"b == 'x'", "column 3: compares a text"},
        {"'1' == b", "column 5"},
        {"b == a", "column 3"},
        {"b != (a)", "column 3"},
        {"b in ['x', 'y']", "column 3"},
        {"b in [1, 'y']", "column 3"},
        {"b in [1 or 'y']", "column 3"},
        {"b not in [a]", "column 7"},
        {"a in [0, 1]", "column 3"},
        {"a not in ['x', 1]", "column 7"},
        {"a in ['x', 'y' == a]", "column 3"},
        {"a == 0", "column 3"},
        {"a == 'x' == 1", "column 10"},
        {"b == 1 and a", "column 12: a text can be compared"},
        {"a < 'y'", "column 1"},
        {"not a", "column 5"},
        {"a + 'x' == 'y'", "column 1"},
        {"b * a == 'x'", "column 5"},
        {"max(a, 'x') == 1", "column 5"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char condition[128];
        snprintf(condition, sizeof condition, "\"%s\"", cases[i].condition);
        refuse_text(file_with("string", "\"['x', 'y']\"", "", condition), cases[i].part);
    }
}

static void test_division_by_zero_makes_configs_invalid(void **state)
{
    (void)state;
    assert_true(count_valid(file_with("int", "[0, 1]", "", "\"b // a > 0\"")) == 3);
    struct anole_t1 *t1 = read_text(file_with("int", "[0]", "", "\"b // a > 0\""));
    struct anole_space *space = NULL;
    struct anole_error error = {0};
    assert_int_equal(anole_t1_space(&space, t1, &error), ANOLE_ERR_NOTHING_VALID);
    assert_null(space);
    assert_non_null(strstr(error.text, "some.json"));
    anole_t1_destroy(t1);
}

/* ------------------------------------------------------------------ the whole */

static void test_refuse_what_is_no_t1(void **state)
{
    (void)state;
    refuse_text("", "empty");
    refuse_text("[]", "expected an object");
    refuse_text("{}", "ConfigurationSpace");
    refuse_text("{\"ConfigurationSpace\": []}", "\"ConfigurationSpace\" is");
    refuse_text("{\"ConfigurationSpace\": {}}", "TuningParameters");
    refuse_text("{\"ConfigurationSpace\": {}, \"General\": {\"FormatVersion\": 2}}",
                "General.FormatVersion is the number 2; expected 1");
    refuse_text("{\"ConfigurationSpace\": {\"TuningParameters\": []}}", "1 to 64");
    refuse_text("{\"ConfigurationSpace\": {\"TuningParameters\": [3]}}", "TuningParameters[0]");
    refuse_text("{\"ConfigurationSpace\": {\"TuningParameters\": [{}]}}", "\"Name\" is missing");
    refuse_text("{\"ConfigurationSpace\": {\"TuningParameters\": [{\"Name\": \"b\", \"Values\": "
                "[1]}, {\"Name\": \"b\", \"Values\": [1]}]}}",
                "a second parameter called 'b'");
    refuse_text("{\"ConfigurationSpace\": {\"TuningParameters\": [{\"Name\": "
                "\"a_name_that_is_longer_than_a_knob_s_may_be\", \"Values\": [1]}]}}",
                "at most 31 bytes");
    refuse_text("{\"a\": 1, \"a\": 2}", "duplicate");
}

static void test_refuse_a_knob_with_a_bad_name(void **state)
{
    (void)state;
    struct anole_space *space = NULL;
    struct anole_error error = {0};
    struct anole_t1 *t1 = read_text("{\"ConfigurationSpace\": {\"TuningParameters\": [{\"Name\": "
                                    "\"x y\", \"Values\": [1]}]}}");
    assert_int_equal(anole_t1_space(&space, t1, &error), ANOLE_ERR_INPUT);
    assert_non_null(strstr(error.text, "some.json: knob 'x y'"));
    anole_t1_destroy(t1);
}

/* Cut anywhere it is refused, or means the whole; a byte that is changed anywhere
 * does no harm. */
static void test_survive_damage(void **state)
{
    (void)state;
    struct anole_t1 *t1;
    char *text = strdup(file_with("float", "\"[1, 0.5] + [2 ** k for k in range(3) if k > 1]\"", "",
                                  "{\"Expression\": \"a == 'y' or b > 0.5\"}"));
    assert_non_null(text);
    size_t length = strlen(text);
    for (size_t cut = 0; cut < length; cut++)
        assert_int_equal(anole_t1_parse(&t1, text, cut, "some.json", NULL), ANOLE_ERR_INPUT);
    for (size_t at = 0; at < length; at++) {
        static const char bytes[] = "\"'[](){},:+-*/9e. \x7f\xc3x";
        for (const char *byte = bytes; *byte; byte++) {
            char kept = text[at];
            text[at] = *byte;
            struct anole_error error = {0};
            if (anole_t1_parse(&t1, text, length, "some.json", &error) == ANOLE_DONE)
                anole_t1_destroy(t1);
            else
                assert_int_equal(error.status, ANOLE_ERR_INPUT);
            text[at] = kept;
        }
    }
    free(text);
}

static void test_find_what_results_speak_of(void **state)
{
    (void)state;
    struct anole_t1 *t1 = read_text(file_with("float", "[0.5, 0.25]", "", ""));
    assert_string_equal(t1->name, "a test");
    assert_int_equal(anole_t1_find(t1, "b"), 1);
    assert_true(anole_t1_find(t1, "c") == SIZE_MAX);
    assert_int_equal(anole_t1_find_number(&t1->parameters[0], 0.5), 1);
    assert_true(anole_t1_find_number(&t1->parameters[0], 0.75) == SIZE_MAX);
    assert_int_equal(anole_t1_find_text(&t1->parameters[0], "0.25"), 0);
    assert_true(anole_t1_find_text(&t1->parameters[0], "x") == SIZE_MAX);
    struct anole_space *space = space_of(t1);
    char text[64];
    assert_string_equal(anole_space_describe(space, text, sizeof text, 0), "a=0.25 b=1");
    anole_space_destroy(space);
    anole_t1_destroy(t1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_values_in_every_notation),
        cmocka_unit_test(test_refuse_values_that_are_no_list),
        cmocka_unit_test(test_choose_default),
        cmocka_unit_test(test_conditions_mean_what_the_file_says),
        cmocka_unit_test(test_refuse_conditions_with_their_place),
        cmocka_unit_test(test_refuse_texts_beside_numbers),
        cmocka_unit_test(test_division_by_zero_makes_configs_invalid),
        cmocka_unit_test(test_refuse_what_is_no_t1),
        cmocka_unit_test(test_refuse_a_knob_with_a_bad_name),
        cmocka_unit_test(test_survive_damage),
        cmocka_unit_test(test_find_what_results_speak_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
