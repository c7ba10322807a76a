/* SPDX-License-Identifier: MIT
 *
 * Trees taken out of XGBoost give what XGBoost gives.
 */
#include "base/rng.h"
#include "search/forest.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xgboost/c_api.h>

#define ROWS 300
#define COLUMNS 9

struct trained {
    float rows[ROWS * COLUMNS];
    float predictions[ROWS]; /* XGBoost's */
    char *saved;
    size_t length;
};

static void assert_xgboost(int result)
{
    if (result != 0)
        fail_msg("XGBoost says: %s", XGBGetLastError());
}

/* Some columns have few values, as knobs have; one is constant. */
static void draw_rows(struct trained *trained, float *labels)
{
    struct anole_rng rng;
    anole_rng_init(&rng, 17);
    for (size_t i = 0; i < ROWS; i++) {
        float *row = trained->rows + i * COLUMNS;
        labels[i] = 0.0f;
        for (size_t c = 0; c < COLUMNS; c++) {
            row[c] = c == 0   ? 3.0f
                     : c <= 4 ? (float)anole_rng_below(&rng, 2 + 3 * c)
                              : (float)anole_rng_normal(&rng);
            labels[i] += sinf(row[c] * (float)c);
        }
    }
}

static void train(struct trained *trained, const char *method, const char *depth, int trees)
{
    float labels[ROWS];
    DMatrixHandle matrix;
    BoosterHandle booster;
    bst_ulong length;
    const float *predictions;
    const char *saved;
    draw_rows(trained, labels);
    assert_xgboost(XGDMatrixCreateFromMat(trained->rows, ROWS, COLUMNS, NAN, &matrix));
    assert_xgboost(XGDMatrixSetFloatInfo(matrix, "label", labels, ROWS));
    assert_xgboost(XGBoosterCreate(&matrix, 1, &booster));
    const char *const parameters[][2] = {{"verbosity", "0"},   {"nthread", "1"},
                                         {"max_depth", depth}, {"tree_method", method},
                                         {"base_score", "0"},  {"objective", "reg:squarederror"}};
    for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++)
        assert_xgboost(XGBoosterSetParam(booster, parameters[i][0], parameters[i][1]));
    for (int t = 0; t < trees; t++)
        assert_xgboost(XGBoosterUpdateOneIter(booster, t, matrix));
    assert_xgboost(XGBoosterPredict(booster, matrix, 0, 0, 0, &length, &predictions));
    assert_int_equal(length, ROWS);
    memcpy(trained->predictions, predictions, sizeof trained->predictions);
    assert_xgboost(XGBoosterSaveModelToBuffer(booster, "{\"format\": \"ubj\"}", &length, &saved));
    trained->length = length;
    trained->saved = malloc(length);
    assert_non_null(trained->saved);
    memcpy(trained->saved, saved, length);
    XGBoosterFree(booster);
    XGDMatrixFree(matrix);
}

static void check_equal(const char *method, const char *depth, int trees)
{
    static struct trained trained;
    struct anole_forest *forest;
    struct anole_error error = {0};
    train(&trained, method, depth, trees);
    if (anole_forest_load(&forest, trained.saved, trained.length, COLUMNS, &error) != ANOLE_DONE)
        fail_msg("%s", error.text);
    assert_int_equal(anole_forest_trees(forest), trees);
    for (size_t i = 0; i < ROWS; i++) {
        float found = anole_forest_score(forest, trained.rows + i * COLUMNS);
        assert_true(fabsf(found - trained.predictions[i]) <= 1e-5f);
    }
    anole_forest_destroy(forest);
    free(trained.saved);
}

static void test_score_equals_xgboost_for_hist(void **state)
{
    (void)state;
    check_equal("hist", "5", 50);
}

static void test_score_equals_xgboost_for_exact(void **state)
{
    (void)state;
    check_equal("exact", "6", 30);
}

static void test_score_equals_xgboost_for_stumps_and_deep_trees(void **state)
{
    (void)state;
    check_equal("hist", "1", 20);
    check_equal("exact", "12", 5);
}

static void test_load_refuses_every_truncation(void **state)
{
    (void)state;
    static struct trained trained;
    train(&trained, "hist", "2", 2);
    for (size_t length = 0; length < trained.length; length++) {
        struct anole_forest *forest = NULL;
        /* A copy of its own, so that reading beyond it is noticed. */
        char *cut = malloc(length + !length);
        assert_non_null(cut);
        memcpy(cut, trained.saved, length);
        assert_int_equal(anole_forest_load(&forest, cut, length, COLUMNS, NULL),
                         ANOLE_ERR_INTERNAL);
        assert_null(forest);
        free(cut);
    }
    free(trained.saved);
}

static void test_load_survives_damage(void **state)
{
    (void)state;
    static struct trained trained;
    struct anole_rng rng;
    anole_rng_init(&rng, 3);
    train(&trained, "hist", "3", 3);
    for (int round = 0; round < 5000; round++) {
        struct anole_forest *forest = NULL;
        char *damaged = malloc(trained.length);
        assert_non_null(damaged);
        memcpy(damaged, trained.saved, trained.length);
        for (int hit = 0; hit < 3; hit++)
            damaged[anole_rng_below(&rng, trained.length)] = (char)anole_rng_u64(&rng);
        if (anole_forest_load(&forest, damaged, trained.length, COLUMNS, NULL) == ANOLE_DONE)
            anole_forest_score(forest, trained.rows); /* whatever it says, it returns */
        anole_forest_destroy(forest);
        free(damaged);
    }
    free(trained.saved);
}

static void test_load_refuses_features_beyond_the_row(void **state)
{
    (void)state;
    static struct trained trained;
    struct anole_forest *forest = NULL;
    struct anole_error error = {0};
    train(&trained, "hist", "5", 20);
    assert_int_equal(anole_forest_load(&forest, trained.saved, trained.length, 3, &error),
                     ANOLE_ERR_INTERNAL);
    assert_non_null(strstr(error.text, "UBJSON"));
    assert_null(forest);
    anole_forest_destroy(NULL);
    free(trained.saved);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_score_equals_xgboost_for_hist),
        cmocka_unit_test(test_score_equals_xgboost_for_exact),
        cmocka_unit_test(test_score_equals_xgboost_for_stumps_and_deep_trees),
        cmocka_unit_test(test_load_refuses_every_truncation),
        cmocka_unit_test(test_load_survives_damage),
        cmocka_unit_test(test_load_refuses_features_beyond_the_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
