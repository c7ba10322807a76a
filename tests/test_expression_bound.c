/* SPDX-License-Identifier: MIT
 *
 * Expressions over ranges, and random expressions over both.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "space/expression.h"
#include "expression_writer.h"
#include "base/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const *const names = writer_names;
#define NAME_COUNT WRITER_NAMES

static struct anole_expression *compile(const char *text)
{
    struct anole_expression *expression = NULL;
    struct anole_error error = {0};
    if (anole_expression_create(&expression, text, names, NAME_COUNT, &error) != ANOLE_DONE)
        fail_msg("'%s': %s", text, error.text);
    return expression;
}

/* The bounds hold the value, whichever names are open. */
static void check_bounds(struct writer *w, const struct anole_expression *expression, bool has,
                         double value)
{
    struct anole_expression_bound bound;
    double low[NAME_COUNT], high[NAME_COUNT];
    for (unsigned open = 0; open < 1u << NAME_COUNT; open++) {
        for (size_t i = 0; i < NAME_COUNT; i++) {
            low[i] = high[i] = (double)w->values[i];
            if (open >> i & 1) {
                low[i] -= (double)anole_rng_below(&w->rng, 4);
                high[i] += (double)anole_rng_below(&w->rng, 4);
            }
        }
        anole_expression_bound(expression, low, high, &bound);
        if (has && !(bound.low <= value && value <= bound.high))
            fail_msg("'%s': %g is not in [%g, %g]", w->text, value, bound.low, bound.high);
        if (!has && !bound.may_fail)
            fail_msg("'%s' has no value, but was to have one", w->text);
        if (open != 0)
            continue;
        if (has && (bound.may_fail || bound.low != bound.high))
            fail_msg("'%s': with all names known it is [%g, %g]", w->text, bound.low, bound.high);
        if (!has && bound.low <= bound.high)
            fail_msg("'%s': with all names known it has a value", w->text);
    }
}

static void test_evaluate_random_expressions(void **state)
{
    (void)state;
    struct writer *w = calloc(1, sizeof *w);
    assert_non_null(w);
    anole_rng_init(&w->rng, 5);
    int with_value = 0, total = 6000;
    for (int i = 0; i < total; i++) {
        int64_t values[NAME_COUNT];
        for (size_t k = 0; k < NAME_COUNT; k++)
            values[k] = (int64_t)anole_rng_below(&w->rng, 30) - 5;
        w->values = values;
        w->length = 0;
        struct worth expected = write_any(w, (int)anole_rng_below(&w->rng, 4));
        struct anole_expression *expression = compile(w->text);
        double result = NAN;
        bool has = anole_expression_evaluate(expression, values, &result);
        if (has != expected.has ||
            (has && fabs(result - expected.value) > 1e-9 * fabs(expected.value)))
            fail_msg("'%s' is %d %.17g, not %d %.17g", w->text, has, result, expected.has,
                     expected.value);
        check_bounds(w, expression, has, result);
        anole_expression_destroy(expression);
        with_value += has;
    }
    assert_true(with_value > total / 2);
    free(w);
}

static void check_bound(const char *text, double a_low, double a_high, double low, double high)
{
    struct anole_expression *expression = compile(text);
    const double lows[] = {a_low, 4, 0, -7}, highs[] = {a_high, 4, 0, -7};
    struct anole_expression_bound bound;
    anole_expression_bound(expression, lows, highs, &bound);
    if (bound.low != low || bound.high != high)
        fail_msg("'%s' is within [%g, %g], not [%g, %g]", text, bound.low, bound.high, low, high);
    anole_expression_destroy(expression);
}

static void test_bound_prunes_what_constraints_say(void **state)
{
    (void)state;
    check_bound("a * b <= 1024", 1, 64, 1, 1);
    check_bound("a * b <= 1024", 300, 400, 0, 0);
    check_bound("a * b <= 1024", 1, 512, 0, 1);
    check_bound("32 <= a * b <= 1024", 1, 7, 0, 0);
    check_bound("32 <= a * b <= 1024", 8, 256, 1, 1);
    check_bound("c == 0 or a % c == 0", 1, 9, 1, 1);
    check_bound("c and a % c == 0", 1, 9, 0, 0);
    check_bound("a in [1, 2, 3]", 4, 9, 0, 0);
    check_bound("a not in [1, 2, 3]", 4, 9, 1, 1);
    check_bound("not a", 1, 9, 0, 0);
    check_bound("a % 8", 0, 100, 0, 8);
    check_bound("a % 8 == a", 0, 7, 0, 1);
    check_bound("a // 4", -5, 9, -2, 2);
    check_bound("ceil_div(a, 4)", 1, 9, 1, 3);
    check_bound("abs(a)", -3, 2, 0, 3);
    check_bound("min(a, 4) + max(a, 4)", 1, 3, 5, 7);
    check_bound("2 ** a >= 1", 0, 9, 0, 1); /* pow() is not trusted to the last bit */
}

static void test_bound_says_when_there_is_no_value(void **state)
{
    (void)state;
    struct anole_expression_bound bound;
    const double low[] = {-1, 4, 0, -7}, high[] = {1, 4, 0, -7};
    struct anole_expression *expression = compile("1 / a");
    anole_expression_bound(expression, low, high, &bound);
    assert_true(bound.may_fail);
    assert_true(bound.low <= -1 && bound.high >= 1);
    anole_expression_destroy(expression);
    expression = compile("a / c");
    anole_expression_bound(expression, low, high, &bound);
    assert_true(bound.low > bound.high);
    anole_expression_destroy(expression);
}

static uint64_t residue_of(const char *text, double a, double b)
{
    const double low[] = {a, b, 1, 1}, high[] = {a, b, 9, 9};
    struct anole_expression_bound bound;
    struct anole_expression *expression = compile(text);
    anole_expression_bound(expression, low, high, &bound);
    anole_expression_destroy(expression);
    return bound.residue;
}

static void test_bound_residue_forgets_what_does_not_matter(void **state)
{
    (void)state;
    assert_true(residue_of("a * b * c <= 64", 2, 8) == residue_of("a * b * c <= 64", 4, 4));
    assert_true(residue_of("a * b * c <= 64", 2, 8) != residue_of("a * b * c <= 64", 4, 8));
    assert_true(residue_of("a > 1 or c > b", 1, 8) != residue_of("a > 1 or c > b", 1, 7));
    assert_true(residue_of("a > 1 and c > b", 2, 8) == residue_of("a > 1 and c > b", 3, 8));
    assert_true(residue_of("a == 0 or c % a == 0", 0, 1) ==
                residue_of("a == 0 or c % a == 0", 0, 2));
    assert_true(residue_of("not (c / a in [])", 1, 0) != residue_of("not (c / a in [])", 0, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_evaluate_random_expressions),
        cmocka_unit_test(test_bound_prunes_what_constraints_say),
        cmocka_unit_test(test_bound_says_when_there_is_no_value),
        cmocka_unit_test(test_bound_residue_forgets_what_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
