/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/rng.h"
#include "space/expression.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"a", "b", "c", "tile_w"};
#define NAME_COUNT 4

static struct anole_expression *compile(const char *text)
{
    struct anole_expression *expression = NULL;
    struct anole_error error = {0};
    if (anole_expression_create(&expression, text, names, NAME_COUNT, &error) != ANOLE_DONE)
        fail_msg("'%s': %s", text, error.text);
    return expression;
}

/* With a = 6, b = 4, c = 0, tile_w = -7.  NaN if it has no value. */
static double value_of(const char *text)
{
    static const int64_t values[] = {6, 4, 0, -7};
    struct anole_expression *expression = compile(text);
    double result;
    if (!anole_expression_evaluate(expression, values, &result))
        result = NAN;
    anole_expression_destroy(expression);
    return result;
}

static void check_value(const char *text, double expected)
{
    double result = value_of(text);
    if (!(result == expected || (isnan(result) && isnan(expected))))
        fail_msg("'%s' is %.17g, not %.17g", text, result, expected);
}

static void check_refused(const char *text, const char *part)
{
    struct anole_expression *expression = NULL;
    struct anole_error error = {0};
    assert_int_equal(anole_expression_create(&expression, text, names, NAME_COUNT, &error),
                     ANOLE_ERR_INPUT);
    assert_null(expression);
    assert_int_equal(error.status, ANOLE_ERR_INPUT);
    if (!strstr(error.text, part))
        fail_msg("the message for '%.60s' has no \"%s\": %s", text, part, error.text);
}

static void test_evaluate_with_pythons_precedence(void **state)
{
    (void)state;
    check_value("1 + 2 * 3", 7);
    check_value("(1 + 2) * 3", 9);
    check_value("10 - 4 - 3", 3);
    check_value("2 ** 3 ** 2", 512);
    check_value("-2 ** 2", -4);
    check_value("2 ** -1", 0.5);
    check_value("(-2) ** 2", 4);
    check_value("- - 3", 3);
    check_value("+a", 6);
    check_value("12 // 5 * 5", 10);
    check_value("not a == b", 1);
    check_value("not c and b", 4);
    check_value("1 or c and c", 1);
    check_value("!a == 0", 1); /* (!a) == 0 */
    check_value("!c + 1", 2);
    check_value("a < b or b < a", 1);
    check_value("a*b<=24", 1);
    check_value(" a\t*\n b\r ", 24);
}

static void test_evaluate_with_pythons_signs(void **state)
{
    (void)state;
    check_value("tile_w // 2", -4);
    check_value("tile_w % 4", 1);
    check_value("7 // -2", -4);
    check_value("7 % -4", -1);
    check_value("-8 % 4", 0);
    check_value("7.5 // 2", 3);
    check_value("-7.5 % 2", 0.5);
    check_value("7 / 2", 3.5);
    check_value("1 // 0.1", 9); /* for 0.1 is a little more than a tenth */
    check_value("2 ** 62 // 3", 1537228672809129301.0);
    check_value("abs(tile_w)", 7);
}

static void test_evaluate_functions(void **state)
{
    (void)state;
    check_value("min(a, b, 5)", 4);
    check_value("max(a, b, 5)", 6);
    check_value("ceil_div(7, 2)", 4);
    check_value("ceil_div(-7, 2)", -3);
    check_value("ceil_div(8, 2)", 4);
    check_value("round_up(7, 4)", 8);
    check_value("round_up(8, 4)", 8);
    check_value("round_up(0, 4)", 0);
    check_value("max(min(a, b), c) + abs(-1)", 5);
}

static void test_evaluate_chained_comparisons(void **state)
{
    (void)state;
    check_value("1 < 2 < 3", 1);
    check_value("3 > 2 > 2", 0);
    check_value("32 <= a * b * 4 <= 1024", 1);
    check_value("1 < 3 < 2 or a", 6);
    check_value("1 < 2 < 3 < 4 < 4", 0);
    check_value("4 == 4 != 3 >= 2", 1);
    check_value("2 < 1 < 1 / c", 0); /* the last is not evaluated */
    check_value("1 < 2 < 1 / c", NAN);
    check_value("1 < a in [6, 7]", 1);
    check_value("7 < a in [6, 7]", 0);
    check_value("(1 < 2) + (2 < 3 < 4) * 10", 11);
}

static void test_evaluate_membership(void **state)
{
    (void)state;
    check_value("a in [1, 2, 6]", 1);
    check_value("a in (1, 2, 3)", 0);
    check_value("a in (6,)", 1);
    check_value("a in (6)", 1);
    check_value("a not in [1, b + 2]", 0);
    check_value("a not in []", 1);
    check_value("not a in []", 1);
    check_value("a in [6, 1 / c]", NAN); /* all elements are evaluated */
    check_value("a in [1, 2] or b in [3, 4]", 1);
    check_value("a in [b in [4], 6]", 1);
}

static void test_evaluate_and_or_give_an_operand(void **state)
{
    (void)state;
    check_value("a and b", 4);
    check_value("c and b", 0);
    check_value("a or b", 6);
    check_value("c or b", 4);
    check_value("a and b or c", 4);
    check_value("a && b", 1);
    check_value("c || b", 1);
    check_value("a && b && tile_w", 1);
    check_value("c || 0", 0);
    check_value("(a || b) + 1", 2);
    check_value("-!3 || c", 0);
    check_value("-!c || c", 1);
    check_value("True and 2 or False", 2);
}

static void test_evaluate_stops_where_the_left_side_decides(void **state)
{
    (void)state;
    check_value("c == 0 or b % c == 0", 1);
    check_value("c != 0 and b % c == 0", 0);
    check_value("c == 0 || b % c == 0", 1);
    check_value("b % c == 0 or c == 0", NAN);
    check_value("c and 1 / c and 1 / c", 0);
    check_value("a or 1 / c or 1 / c", 6);
    check_value("c and 1 / c or 5", 5);
    check_value("(c and 1 / c) or (a or 1 / c)", 6);
}

static void test_evaluate_without_a_value(void **state)
{
    (void)state;
    check_value("1 / c", NAN);
    check_value("1 // c", NAN);
    check_value("1 % c", NAN);
    check_value("1 / c > 0 or 1", NAN);
    check_value("0 ** -1", NAN);
    check_value("(-8) ** 0.5", NAN);
    check_value("1e308 * 10", NAN);
    check_value("1e308 * 10 > 5", NAN);
    check_value("10 ** 400", NAN);
    check_value("ceil_div(a, 0)", NAN);
    check_value("round_up(a, c)", NAN);
    check_value("min(a, 1 / c)", NAN);
}

static void test_evaluate_numbers(void **state)
{
    (void)state;
    check_value("0x40", 64);
    check_value("0XfF", 255);
    check_value(".5", 0.5);
    check_value("1.", 1);
    check_value("1.5e3", 1500);
    check_value("1E-2", 0.01);
    check_value("9007199254740993", 9007199254740992.0);
    check_value("0", 0);
    check_value("00.5", 0.5);
}

static void test_evaluate_extreme_integers(void **state)
{
    (void)state;
    static const int64_t values[] = {INT64_MIN, -1, INT64_MAX, 0};
    static const char *const texts[] = {"a // b", "a % b",          "c % a",     "c // b",
                                        "a * c",  "round_up(a, c)", "abs(a) + c"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct anole_expression *expression = compile(texts[i]);
        double result;
        assert_true(anole_expression_evaluate(expression, values, &result));
        assert_true(isfinite(result));
        anole_expression_destroy(expression);
    }
}

static void test_uses_tells_names(void **state)
{
    (void)state;
    struct anole_expression *expression = compile("tile_w > 3 and (c or 1)");
    assert_false(anole_expression_uses(expression, 0));
    assert_false(anole_expression_uses(expression, 1));
    assert_true(anole_expression_uses(expression, 2));
    assert_true(anole_expression_uses(expression, 3));
    assert_false(anole_expression_uses(expression, 4));
    assert_false(anole_expression_uses(expression, SIZE_MAX));
    anole_expression_destroy(expression);
    anole_expression_destroy(NULL);
}

static void test_create_prefers_names_to_words(void **state)
{
    (void)state;
    static const char *const odd[] = {"min", "True"};
    static const int64_t values[] = {3, 5};
    struct anole_expression *expression = NULL;
    double result;
    assert_int_equal(anole_expression_create(&expression, "min(min, True) + min", odd, 2, NULL),
                     ANOLE_DONE);
    assert_true(anole_expression_evaluate(expression, values, &result));
    assert_true(result == 6);
    anole_expression_destroy(expression);
    assert_true(anole_expression_reserved("not"));
    assert_true(anole_expression_reserved("False"));
    assert_false(anole_expression_reserved("nothing"));
}

static void test_create_refuses_bad_text(void **state)
{
    (void)state;
    check_refused("", "column 1: expected a number, a name or '(', found the end");
    check_refused("   ", "found the end");
    check_refused("a +", "column 4");
    check_refused("a b", "column 3: expected an operator or the end, found 'b'");
    check_refused("(a", "expected an operator or ')', found the end");
    check_refused("a)", "found ')'");
    check_refused("a = b", "write ==");
    check_refused("a & b", "no bitwise operators");
    check_refused("a | b", "no bitwise operators");
    check_refused("a ~ b", "found '~'");
    check_refused("a not b", "expected 'in' after 'not'");
    check_refused("a == not b", "found 'not'");
    check_refused("a in b", "expected '[' or '('");
    check_refused("a in [1, 2", "expected ',' or ']'");
    check_refused("a in [1 2]", "expected ',' or ']'");
    check_refused("a in [,]", "found ','");
    check_refused("a in [1] == 1", "after a list");
    check_refused("1 if a else 2", "found 'if'");
    check_refused("min(a)", "one more argument");
    check_refused("abs(a, b)", "')' after the arguments");
    check_refused("ceil_div(a, b, c)", "')' after the arguments");
    check_refused("min()", "found ')'");
    check_refused("max(1, 2", "')' after the arguments");
    check_refused("system(a)", "is no function");
    check_refused("a.b", "found '.'");
    check_refused("a[0]", "found '['");
    check_refused("\"a\"", "found '\"'");
    check_refused("a; b", "found ';'");
    check_refused("a == \xc3\xa4", "column 6");
    check_refused("a \xff b", "column 3");
    check_refused("a \x01 b", "column 3");
}

static void test_create_refuses_bad_numbers(void **state)
{
    (void)state;
    check_refused("010", "expected a number");
    check_refused("0x", "expected a number");
    check_refused("0x1g", "expected a number");
    check_refused("0x1.8", "expected a number");
    check_refused("10u", "found '10u'");
    check_refused("1_000", "found '1_000'");
    check_refused("1.2.3", "found '1.2.3'");
    check_refused("1e", "expected a number");
    check_refused("1e+", "expected a number");
    check_refused("1e999", "range of a double");
    check_refused("3a", "found '3a'");
}

static void test_create_names_the_nearest_name(void **state)
{
    (void)state;
    struct anole_error error = {0};
    struct anole_expression *expression = NULL;
    check_refused("tile_v > 3", "did you mean 'tile_w'?");
    check_refused("3 < quite_something_else", "column 5");
    check_refused("A", "found 'A'");
    assert_int_equal(anole_expression_create(&expression, "x", NULL, 0, &error), ANOLE_ERR_INPUT);
    assert_non_null(strstr(error.text, "no names"));
    /* Without anybody to tell. */
    assert_int_equal(anole_expression_create(&expression, "x", NULL, 0, NULL), ANOLE_ERR_INPUT);
}

/* `part` n times, with something before and after; the caller frees it. */
static char *repeat(const char *before, const char *part, size_t n, const char *after)
{
    size_t length = strlen(part);
    char *text = malloc(strlen(before) + n * length + strlen(after) + 1);
    assert_non_null(text);
    char *p = stpcpy(text, before);
    for (size_t i = 0; i < n; i++)
        p = stpcpy(p, part);
    strcpy(p, after);
    return text;
}

static void test_create_refuses_deep_nesting(void **state)
{
    (void)state;
    static const char *const parts[] = {"(",      "-",        "!",   "not ",      "2 ** ",
                                        "+",      "min(1, ",  "(-(", "a in [1, ", "a < (b + ",
                                        "-2 ** ", "abs(not ", "[",   "a in (",    "1 + (2 * -("};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        for (size_t n = 20; n < 8000; n = n * 3 / 2) {
            char *text = repeat("", parts[i], n, "1");
            struct anole_expression *expression = NULL;
            if (anole_expression_create(&expression, text, names, NAME_COUNT, NULL) == ANOLE_DONE)
                assert_true(n <= 64);
            anole_expression_destroy(expression);
            free(text);
        }
    }
    char *deep = repeat("((((((((((((((((((((((((((((((((((((((((", "", 0,
                        "1))))))))))))))))))))))))))))))))))))))))");
    check_value(deep, 1); /* 40 levels are fine */
    free(deep);
    char *too_deep = repeat("", "(", 100, "1");
    check_refused(too_deep, "at most 64 levels");
    free(too_deep);
}

static void test_create_bounds_the_length(void **state)
{
    (void)state;
    char *text = repeat("1", "+1", 32767, "");
    check_value(text, 32768);
    free(text);
    text = repeat("a", " or a", 13000, "");
    check_value(text, 6);
    free(text);
    text = repeat("1 < 2", " < 3 > 2", 8000, "");
    check_value(text, 1);
    free(text);
    text = repeat("a in [6", ",1", 30000, "]");
    check_value(text, 1);
    free(text);
    text = repeat("min(7", ",8", 30000, ")");
    check_value(text, 7);
    free(text);
    text = repeat("1", " ", 65535, "");
    check_value(text, 1);
    free(text);
    text = repeat("1", " ", 65536, "");
    check_refused(text, "too long");
    free(text);
}

static void test_create_survives_random_text(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "a",  "tile_w", "1",  "0.5",  "(",    ")",  "[",  "]",    ",", "+",   "-",   "*",
        "/",  "//",     "%",  "**",   "<",    "<=", "==", "!=",   "!", "not", "in",  "and",
        "or", "&&",     "||", "min(", "abs(", " ",  "=",  "\x80", "x", "0x",  "1e9", "\n"};
    struct anole_rng rng;
    anole_rng_init(&rng, 11);
    size_t accepted = 0;
    for (int i = 0; i < 20000; i++) {
        char text[512] = "";
        size_t n = 1 + anole_rng_below(&rng, 24);
        for (size_t k = 0; k < n; k++) {
            strcat(text, parts[anole_rng_below(&rng, sizeof parts / sizeof parts[0])]);
            if (anole_rng_below(&rng, 2))
                strcat(text, " ");
        }
        struct anole_expression *expression = NULL;
        struct anole_error error = {0};
        enum anole_status status =
            anole_expression_create(&expression, text, names, NAME_COUNT, &error);
        assert_true((status == ANOLE_DONE) == (expression != NULL));
        assert_true((status == ANOLE_DONE) == (error.text[0] == '\0'));
        if (expression) {
            static const int64_t values[] = {1, 2, 0, -3};
            double result;
            anole_expression_evaluate(expression, values, &result);
            accepted++;
        }
        anole_expression_destroy(expression);
    }
    assert_true(accepted > 100);
}

struct reader {
    const struct anole_expression *expression;
    double sum;
};

static void *read_many(void *context)
{
    struct reader *reader = context;
    for (int64_t i = 0; i < 20000; i++) {
        int64_t values[] = {i % 17, i % 13, i % 7, i % 5};
        double result;
        if (anole_expression_evaluate(reader->expression, values, &result))
            reader->sum += result;
    }
    return NULL;
}

static void test_evaluate_in_two_threads(void **state)
{
    (void)state;
    struct anole_expression *expression =
        compile("(a * b + c) % 7 == tile_w or min(a, b, c) ** 2 > 20 and a in [1, 2, b]");
    struct reader readers[3] = {{expression, 0}, {expression, 0}, {expression, 0}};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_many, &readers[i]), 0);
    read_many(&readers[2]);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_true(readers[2].sum > 0);
    assert_true(readers[0].sum == readers[2].sum && readers[1].sum == readers[2].sum);
    anole_expression_destroy(expression);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_evaluate_with_pythons_precedence),
        cmocka_unit_test(test_evaluate_with_pythons_signs),
        cmocka_unit_test(test_evaluate_functions),
        cmocka_unit_test(test_evaluate_chained_comparisons),
        cmocka_unit_test(test_evaluate_membership),
        cmocka_unit_test(test_evaluate_and_or_give_an_operand),
        cmocka_unit_test(test_evaluate_stops_where_the_left_side_decides),
        cmocka_unit_test(test_evaluate_without_a_value),
        cmocka_unit_test(test_evaluate_numbers),
        cmocka_unit_test(test_evaluate_extreme_integers),
        cmocka_unit_test(test_uses_tells_names),
        cmocka_unit_test(test_create_prefers_names_to_words),
        cmocka_unit_test(test_create_refuses_bad_text),
        cmocka_unit_test(test_create_refuses_bad_numbers),
        cmocka_unit_test(test_create_names_the_nearest_name),
        cmocka_unit_test(test_create_refuses_deep_nesting),
        cmocka_unit_test(test_create_bounds_the_length),
        cmocka_unit_test(test_create_survives_random_text),
        cmocka_unit_test(test_evaluate_in_two_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
