/* SPDX-License-Identifier: MIT */
#include "search/forest.h"

#include <math.h>
#include <stdio.h>
#include <xgboost/c_api.h>

static enum anole_status fail_xgboost(const char *what, struct anole_error *error)
{
    return anole_fail(error, ANOLE_ERR_INTERNAL, "the cost model failed to %s: XGBoost says: %s",
                      what, XGBGetLastError());
}

static void keep_quiet(const char *message)
{
    (void)message;
}

static int set_parameters(BoosterHandle booster, const struct anole_forest_options *options)
{
    char depth[16], rate[32], seed[32];
    /* By whole numbers, so that no locale can put a comma into it. */
    unsigned millionths = (unsigned)lrint(1e6 * fmin(options->learning_rate, 1.0));
    snprintf(depth, sizeof depth, "%u", options->depth);
    snprintf(rate, sizeof rate, "%u.%06u", millionths / 1000000, millionths % 1000000);
    snprintf(seed, sizeof seed, "%u", (unsigned)(options->seed & 0x7fffffff));
    const char *const parameters[][2] = {
        {"verbosity", "0"},      {"nthread", "1"},
        {"booster", "gbtree"},   {"objective", "reg:squarederror"},
        {"tree_method", "hist"}, {"max_bin", "64"},
        {"max_depth", depth},    {"eta", rate},
        {"base_score", "0"},     {"seed", seed},
    };
    for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++)
        if (XGBoosterSetParam(booster, parameters[i][0], parameters[i][1]) != 0)
            return -1;
    return 0;
}

static enum anole_status grow(struct anole_forest **forest, BoosterHandle booster,
                              DMatrixHandle matrix, size_t columns,
                              const struct anole_forest_options *options, struct anole_error *error)
{
    bst_ulong length;
    const char *saved;
    if (set_parameters(booster, options) != 0)
        return fail_xgboost("take its parameters", error);
    for (unsigned t = 0; t < options->trees; t++)
        if (XGBoosterUpdateOneIter(booster, (int)t, matrix) != 0)
            return fail_xgboost("grow a tree", error);
    if (XGBoosterSaveModelToBuffer(booster, "{\"format\": \"ubj\"}", &length, &saved) != 0)
        return fail_xgboost("hand over its trees", error);
    return anole_forest_load(forest, saved, length, columns, error);
}

enum anole_status anole_forest_fit(struct anole_forest **forest, const float *rows,
                                   const float *labels, size_t count, size_t columns,
                                   const struct anole_forest_options *options,
                                   struct anole_error *error)
{
    DMatrixHandle matrix;
    BoosterHandle booster;
    XGBRegisterLogCallback(keep_quiet);
    if (XGDMatrixCreateFromMat(rows, count, columns, NAN, &matrix) != 0)
        return fail_xgboost("take the trials", error);
    enum anole_status status = ANOLE_DONE;
    if (XGDMatrixSetFloatInfo(matrix, "label", labels, count) != 0)
        status = fail_xgboost("take the trials' speeds", error);
    else if (XGBoosterCreate(&matrix, 1, &booster) != 0)
        status = fail_xgboost("start", error);
    if (status == ANOLE_DONE) {
        status = grow(forest, booster, matrix, columns, options, error);
        XGBoosterFree(booster);
    }
    XGDMatrixFree(matrix);
    return status;
}
