/* SPDX-License-Identifier: MIT
 *
 * Expressions of others: whatever is certain of one while its names are open holds for each way
 * of deciding them.
 */
#include "fuzz.h"

#include "space/expression.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NAMES 3

static const char *const names[NAMES] = {"a", "b", "c"};
static const int64_t values[] = {-3, -1, 0, 1, 2, 7, 1024, INT64_C(1) << 40};
#define VALUES (sizeof values / sizeof *values)

/* With every name decided, a bound is the value. */
static void check_decided(const struct anole_expression *expression, const int64_t *point,
                          bool valued, double value)
{
    double low[NAMES];
    struct anole_expression_bound bound;
    for (int i = 0; i < NAMES; i++)
        low[i] = (double)point[i];
    anole_expression_bound(expression, low, low, &bound);
    FUZZ_REQUIRE(valued ? bound.low == value && bound.high == value : bound.may_fail);
}

/* All points of a box lie within what is said of the box. */
static void check_box(const struct anole_expression *expression, size_t from, size_t to)
{
    double low[NAMES], high[NAMES];
    struct anole_expression_bound bound;
    for (int i = 0; i < NAMES; i++) {
        low[i] = (double)values[from];
        high[i] = (double)values[to];
    }
    anole_expression_bound(expression, low, high, &bound);
    for (size_t at = 0; at < VALUES * VALUES * VALUES; at++) {
        const size_t digits[NAMES] = {at % VALUES, at / VALUES % VALUES, at / VALUES / VALUES};
        int64_t point[NAMES];
        bool inside = true;
        double value;
        for (int i = 0; i < NAMES; i++) {
            inside &= digits[i] >= from && digits[i] <= to;
            point[i] = values[digits[i]];
        }
        if (!inside)
            continue;
        if (anole_expression_evaluate(expression, point, &value)) {
            FUZZ_REQUIRE(isfinite(value));
            FUZZ_REQUIRE(value >= bound.low && value <= bound.high);
        } else {
            FUZZ_REQUIRE(bound.may_fail);
        }
    }
}

FUZZ_TARGET(expression)
{
    struct anole_expression *expression = NULL;
    struct anole_error error = {.status = ANOLE_DONE};
    fuzz_quiet();
    if (size > 1024)
        return 0;
    char *text = malloc(size + 1);
    FUZZ_REQUIRE(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    enum anole_status status = anole_expression_create(&expression, text, names, NAMES, &error);
    FUZZ_REQUIRE((status == ANOLE_DONE) == (expression != NULL));
    FUZZ_REQUIRE(status == ANOLE_DONE || error.text[0] != '\0');
    for (size_t i = 0; expression && i < VALUES; i++) {
        const int64_t point[NAMES] = {values[i], values[(i + 3) % VALUES],
                                      values[(i + 5) % VALUES]};
        double value = NAN;
        bool valued = anole_expression_evaluate(expression, point, &value);
        check_decided(expression, point, valued, value);
    }
    if (expression) {
        check_box(expression, 0, VALUES - 1);
        check_box(expression, 3, 5);
        FUZZ_REQUIRE(anole_expression_length(expression) > 0);
    }
    anole_expression_destroy(expression);
    free(text);
    return 0;
}
