/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "space/feature.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const algorithms[] = {"direct", "winograd", "gemm"};

static void add(struct anole_space *space, const char *name, bool categorical,
                const int64_t *values, size_t count, const char *const *labels)
{
    assert_int_equal(anole_space_add_knob(space, name, categorical, values, labels, count, 0, NULL),
                     ANOLE_DONE);
}

/* tile: log2; order: as it is; algorithm: three columns; kind: one column, for
 * it has nine values; half: two columns without labels. */
static int create(void **state)
{
    static const int64_t tile[] = {1, 2, 4, 12}, order[] = {-1, 0, 5}, algorithm[] = {3, 1, 2},
                         kind[] = {1, 2, 3, 4, 5, 6, 7, 8, 9}, half[] = {0, 1};
    struct anole_space *space = NULL;
    assert_int_equal(anole_space_create(&space, NULL), ANOLE_DONE);
    add(space, "tile", false, tile, 4, NULL);
    add(space, "order", false, order, 3, NULL);
    add(space, "algorithm", true, algorithm, 3, algorithms);
    add(space, "kind", true, kind, 9, NULL);
    add(space, "half", true, half, 2, NULL);
    assert_int_equal(anole_space_finish(space, NULL), ANOLE_DONE);
    *state = space;
    return 0;
}

static int destroy(void **state)
{
    anole_space_destroy(*state);
    return 0;
}

static uint64_t config_of(const struct anole_space *space, uint16_t tile, uint16_t order,
                          uint16_t algorithm, uint16_t kind, uint16_t half)
{
    const uint16_t digits[] = {tile, order, algorithm, kind, half};
    return anole_space_encode(space, digits);
}

static void test_row_of_knobs(void **state)
{
    struct anole_features *features = NULL;
    float row[9];
    assert_int_equal(anole_features_create(&features, *state, NULL, 0, NULL, NULL, 0, NULL),
                     ANOLE_DONE);
    assert_int_equal(anole_features_count(features), 9);
    anole_features_row(features, config_of(*state, 3, 0, 1, 8, 0), row);
    static const float expected[] = {0, -1, 0, 1, 0, 9, 1, 0};
    for (size_t i = 1; i < 8; i++)
        assert_true(row[i] == expected[i]);
    assert_true(row[0] == (float)log2(12));
    assert_true(row[8] == 2); /* 12 is a multiple of 4 */
    anole_features_row(features, config_of(*state, 2, 2, 0, 0, 1), row);
    assert_true(row[0] == 2 && row[1] == 5 && row[2] == 1 && row[3] == 0 && row[7] == 1);
    anole_features_destroy(features);
    anole_features_destroy(NULL);
}

static struct anole_features *features_of(const struct anole_space *space)
{
    struct anole_features *features = NULL;
    assert_int_equal(anole_features_create(&features, space, NULL, 0, NULL, NULL, 0, NULL),
                     ANOLE_DONE);
    return features;
}

static void test_row_has_products_of_sizes(void **state)
{
    (void)state;
    static const int64_t sizes[] = {1, 6, 8}, flag[] = {0, 1}, fixed[] = {7}, below[] = {-1, 1};
    struct anole_space *space = NULL;
    float row[5];
    assert_int_equal(anole_space_create(&space, NULL), ANOLE_DONE);
    add(space, "a", false, sizes, 3, NULL);
    add(space, "flag", false, flag, 2, NULL);
    add(space, "fixed", false, fixed, 1, NULL);
    add(space, "below", false, below, 2, NULL);
    add(space, "b", false, sizes, 3, NULL);
    assert_int_equal(anole_space_finish(space, NULL), ANOLE_DONE);
    struct anole_features *features = features_of(space);
    assert_int_equal(anole_features_count(features), 5 + 2 + 3);
    static const char *const names[] = {"twos in a", "twos in b", "a*flag", "a*b", "flag*b"};
    char name[64];
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(anole_features_name(features, 5 + i, name, sizeof name), names[i]);
    float wide[10];
    const uint16_t on[] = {1, 1, 0, 0, 2}, off[] = {1, 0, 0, 0, 2};
    anole_features_row(features, anole_space_encode(space, on), wide);
    memcpy(row, wide + 5, 5 * sizeof *row);
    assert_true(row[0] == 1 && row[1] == 3);
    assert_true(row[2] == (float)log2(6) && row[3] == (float)log2(6) + 3 && row[4] == 3);
    anole_features_row(features, anole_space_encode(space, off), wide);
    assert_true(wide[5 + 2] == 0 && wide[5 + 4] == 0); /* a switch that is off hides the size */
    anole_features_destroy(features);
    anole_space_destroy(space);
}

static void test_row_leaves_products_out_where_they_are_too_many(void **state)
{
    (void)state;
    static const int64_t sizes[] = {1, 2};
    for (size_t knobs = 12; knobs <= 13; knobs++) {
        struct anole_space *space = NULL;
        char name[8];
        assert_int_equal(anole_space_create(&space, NULL), ANOLE_DONE);
        for (size_t k = 0; k < knobs; k++) {
            snprintf(name, sizeof name, "k%zu", k);
            add(space, name, false, sizes, 2, NULL);
        }
        assert_int_equal(anole_space_finish(space, NULL), ANOLE_DONE);
        struct anole_features *features = features_of(space);
        assert_int_equal(anole_features_count(features), knobs == 12 ? 12 + 66 : 13);
        anole_features_destroy(features);
        anole_space_destroy(space);
    }
}

static void sum_and_product(void *context, const int64_t *values, size_t count, double *out)
{
    out[0] = 0;
    out[1] = 1;
    for (size_t i = 0; i < count; i++) {
        out[0] += (double)values[i];
        out[1] *= (double)values[i];
    }
    out[2] = *(const double *)context;
}

static void test_row_with_extra_and_context(void **state)
{
    struct anole_features *features = NULL;
    double context[] = {3.5, -1e300, NAN}, extra = INFINITY;
    float row[14];
    assert_int_equal(
        anole_features_create(&features, *state, context, 3, sum_and_product, &extra, 3, NULL),
        ANOLE_DONE);
    context[0] = 0; /* it was copied */
    assert_int_equal(anole_features_count(features), 14);
    anole_features_row(features, config_of(*state, 1, 2, 2, 3, 1), row);
    assert_true(row[8] == 2 + 5 + 2 + 4 + 1);
    assert_true(row[9] == 2 * 5 * 2 * 4 * 1);
    assert_true(row[10] == FLT_MAX);
    assert_true(row[11] == 3.5f);
    assert_true(row[12] == -FLT_MAX);
    assert_true(row[13] == 0);
    for (size_t i = 0; i < 14; i++)
        assert_true(isfinite(row[i]));
    anole_features_destroy(features);
}

static void write_nothing(void *context, const int64_t *values, size_t count, double *out)
{
    (void)context, (void)values, (void)count, (void)out;
}

static void test_row_is_defined_where_the_backend_writes_nothing(void **state)
{
    struct anole_features *features = NULL;
    float row[8 + ANOLE_MAX_EXTRA_FEATURES];
    assert_int_equal(anole_features_create(&features, *state, NULL, 0, write_nothing, NULL,
                                           ANOLE_MAX_EXTRA_FEATURES, NULL),
                     ANOLE_DONE);
    anole_features_row(features, 0, row);
    for (size_t i = 8; i < sizeof row / sizeof row[0]; i++)
        assert_true(row[i] == 0);
    anole_features_destroy(features);
}

static void test_create_refuses_too_many(void **state)
{
    struct anole_features *features = NULL;
    struct anole_error error = {0};
    assert_int_equal(anole_features_create(&features, *state, NULL, 0, write_nothing, NULL,
                                           ANOLE_MAX_EXTRA_FEATURES + 1, &error),
                     ANOLE_ERR_INPUT);
    assert_non_null(strstr(error.text, "1025"));
    assert_int_equal(anole_features_create(&features, *state, NULL, SIZE_MAX, NULL, NULL, 0, NULL),
                     ANOLE_ERR_INPUT);
    assert_null(features);
}

static void test_name_of_columns(void **state)
{
    static const char *const expected[] = {
        "tile",           "order",   "algorithm=direct", "algorithm=winograd",
        "algorithm=gemm", "kind",    "half=0",           "half=1",
        "extra 0",        "extra 1", "context 0"};
    struct anole_features *features = NULL;
    const double context = 1;
    char name[64];
    assert_int_equal(
        anole_features_create(&features, *state, &context, 1, write_nothing, NULL, 2, NULL),
        ANOLE_DONE);
    for (size_t i = 0; i < anole_features_count(features); i++)
        assert_string_equal(anole_features_name(features, i, name, sizeof name), expected[i]);
    assert_string_equal(anole_features_name(features, 2, name, 6), "algor");
    anole_features_destroy(features);
}

static void test_align_matches_by_name_and_value(void **state)
{
    static const int64_t tile[] = {1, 2, 8}, order[] = {1, 2}, algorithm[] = {2, 3, 7};
    const double context[2] = {1, 2};
    struct anole_space *other = NULL;
    struct anole_features *to = NULL, *from = NULL;
    size_t columns[16];
    assert_int_equal(anole_space_create(&other, NULL), ANOLE_DONE);
    add(other, "algorithm", true, algorithm, 3, NULL);
    add(other, "tile", false, tile, 3, NULL);
    add(other, "order", false, order, 2, NULL); /* as a logarithm, which ours is not */
    add(other, "kind", true, order, 2, NULL);   /* a column a value, which ours is not */
    assert_int_equal(anole_space_finish(other, NULL), ANOLE_DONE);
    assert_int_equal(anole_features_create(&to, *state, context, 2, write_nothing, NULL, 2, NULL),
                     ANOLE_DONE);
    assert_int_equal(anole_features_create(&from, other, context, 2, write_nothing, NULL, 1, NULL),
                     ANOLE_DONE);
    assert_ptr_equal(anole_features_space(from), other);
    anole_features_align(columns, to, from);
    const size_t expected[12] = {3,        SIZE_MAX, 1,        SIZE_MAX, 0, SIZE_MAX,
                                 SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX, 8, 9};
    assert_int_equal(anole_features_count(to), 12);
    assert_memory_equal(columns, expected, sizeof expected);
    anole_features_align(columns, to, to);
    for (size_t i = 0; i < 12; i++)
        assert_int_equal(columns[i], i);
    anole_features_destroy(to);
    anole_features_destroy(from);
    /* Derived columns, by the knobs behind them. */
    static const int64_t third[] = {3, 4};
    anole_space_destroy(other);
    other = NULL;
    struct anole_space *own = NULL;
    assert_int_equal(anole_space_create(&other, NULL), ANOLE_DONE);
    assert_int_equal(anole_space_create(&own, NULL), ANOLE_DONE);
    add(own, "tile", false, tile, 3, NULL);
    add(own, "new", false, order, 2, NULL);
    add(own, "width", false, third, 2, NULL);
    add(other, "width", false, third, 2, NULL);
    add(other, "tile", false, tile, 3, NULL);
    assert_int_equal(anole_space_finish(own, NULL), ANOLE_DONE);
    assert_int_equal(anole_space_finish(other, NULL), ANOLE_DONE);
    to = features_of(own);
    from = features_of(other);
    anole_features_align(columns, to, from);
    /* tile, new, width; twos in width; tile*new, tile*width, new*width */
    const size_t derived[7] = {1, SIZE_MAX, 0, 2, SIZE_MAX, 3, SIZE_MAX};
    assert_int_equal(anole_features_count(to), 7);
    assert_memory_equal(columns, derived, sizeof derived);
    anole_features_destroy(to);
    anole_features_destroy(from);
    anole_space_destroy(own);
    anole_space_destroy(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_row_of_knobs, create, destroy),
        cmocka_unit_test(test_row_has_products_of_sizes),
        cmocka_unit_test(test_row_leaves_products_out_where_they_are_too_many),
        cmocka_unit_test_setup_teardown(test_row_with_extra_and_context, create, destroy),
        cmocka_unit_test_setup_teardown(test_row_is_defined_where_the_backend_writes_nothing,
                                        create, destroy),
        cmocka_unit_test_setup_teardown(test_create_refuses_too_many, create, destroy),
        cmocka_unit_test_setup_teardown(test_name_of_columns, create, destroy),
        cmocka_unit_test_setup_teardown(test_align_matches_by_name_and_value, create, destroy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
