/* SPDX-License-Identifier: MIT */
#include "space/feature.h"

#include "base/text.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ONE_HOT 8 /* values of a categorical knob that get a column each */

/* The columns of a knob: one with a number for each digit, or one a value. */
struct knob_columns {
    size_t first;
    size_t width;    /* 1, or the knob's count of values */
    float *by_digit; /* [count]; NULL if there is one column a value */
    bool logarithm;  /* by_digit holds logarithms */
};

struct anole_features {
    const struct anole_space *space;
    struct knob_columns knobs[ANOLE_MAX_KNOBS];
    size_t knob_columns; /* all together */
    anole_features_extra *extra;
    void *extra_context;
    size_t extra_count;
    float *context;
    size_t context_count;
};

static float to_float(double x)
{
    if (isnan(x))
        return 0.0f;
    if (fabs(x) > (double)FLT_MAX)
        return x > 0.0 ? FLT_MAX : -FLT_MAX;
    return (float)x;
}

static bool wants_logarithm(const struct anole_space_knob *knob)
{
    if (knob->categorical)
        return false;
    for (uint32_t i = 0; i < knob->count; i++) {
        if (knob->values[i] <= 0)
            return false;
    }
    return true;
}

static bool make_columns(struct knob_columns *columns, const struct anole_space_knob *knob)
{
    columns->width = 1;
    if (knob->categorical && knob->count <= MAX_ONE_HOT) {
        columns->width = knob->count;
        return true;
    }
    bool logarithm = columns->logarithm = wants_logarithm(knob);
    columns->by_digit = calloc(knob->count, sizeof *columns->by_digit);
    if (!columns->by_digit)
        return false;
    for (uint32_t i = 0; i < knob->count; i++) {
        double value = (double)knob->values[i];
        columns->by_digit[i] = to_float(logarithm ? log2(value) : value);
    }
    return true;
}

static bool copy_context(struct anole_features *features, const double *values, size_t count)
{
    features->context = calloc(count ? count : 1, sizeof *features->context);
    if (!features->context)
        return false;
    for (size_t i = 0; i < count; i++)
        features->context[i] = to_float(values[i]);
    features->context_count = count;
    return true;
}

enum anole_status anole_features_create(struct anole_features **features,
                                        const struct anole_space *space,
                                        const double *context_values, size_t context_count,
                                        anole_features_extra *extra, void *extra_context,
                                        size_t extra_count, struct anole_error *error)
{
    if (extra_count > ANOLE_MAX_EXTRA_FEATURES || context_count > ANOLE_MAX_CONTEXT_FEATURES)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "features of a config: expected at most %d of the backend and %d facts, "
                          "found %zu and %zu",
                          ANOLE_MAX_EXTRA_FEATURES, ANOLE_MAX_CONTEXT_FEATURES, extra_count,
                          context_count);
    struct anole_features *made = calloc(1, sizeof *made);
    if (!made)
        return anole_fail_memory(error);
    made->space = space;
    made->extra = extra;
    made->extra_context = extra_context;
    made->extra_count = extra ? extra_count : 0;
    if (!copy_context(made, context_values, context_count))
        goto destroy_made;
    for (size_t k = 0; k < anole_space_knob_count(space); k++) {
        made->knobs[k].first = made->knob_columns;
        if (!make_columns(&made->knobs[k], anole_space_knob(space, k)))
            goto destroy_made;
        made->knob_columns += made->knobs[k].width;
    }
    *features = made;
    return ANOLE_DONE;

destroy_made:
    anole_features_destroy(made);
    return anole_fail_memory(error);
}

void anole_features_destroy(struct anole_features *features)
{
    if (!features)
        return;
    for (size_t k = 0; k < ANOLE_MAX_KNOBS; k++)
        free(features->knobs[k].by_digit);
    free(features->context);
    free(features);
}

size_t anole_features_count(const struct anole_features *features)
{
    return features->knob_columns + features->extra_count + features->context_count;
}

/* What the backend says of a config. */
static void extra_row(const struct anole_features *features, const int64_t *values, float *row)
{
    double extra[ANOLE_MAX_EXTRA_FEATURES];
    for (size_t i = 0; i < features->extra_count; i++)
        extra[i] = 0.0; /* should a backend leave one out */
    features->extra(features->extra_context, values, anole_space_knob_count(features->space),
                    extra);
    for (size_t i = 0; i < features->extra_count; i++)
        row[i] = to_float(extra[i]);
}

void anole_features_row(const struct anole_features *features, uint64_t config, float *row)
{
    uint16_t digits[ANOLE_MAX_KNOBS];
    int64_t values[ANOLE_MAX_KNOBS];
    anole_space_decode(features->space, config, digits);
    for (size_t k = 0; k < anole_space_knob_count(features->space); k++) {
        const struct knob_columns *columns = &features->knobs[k];
        values[k] = anole_space_knob(features->space, k)->values[digits[k]];
        if (columns->by_digit) {
            row[columns->first] = columns->by_digit[digits[k]];
            continue;
        }
        for (size_t i = 0; i < columns->width; i++)
            row[columns->first + i] = i == digits[k] ? 1.0f : 0.0f;
    }
    row += features->knob_columns;
    if (features->extra_count > 0)
        extra_row(features, values, row);
    if (features->context_count > 0)
        memcpy(row + features->extra_count, features->context,
               features->context_count * sizeof *row);
}

const struct anole_space *anole_features_space(const struct anole_features *features)
{
    return features->space;
}

/* The column of `from` that holds what column i of a knob of `to` holds. */
static size_t find_column(const struct anole_features *to, size_t knob, size_t i,
                          const struct anole_features *from)
{
    const struct anole_space_knob *own = anole_space_knob(to->space, knob);
    size_t k = anole_space_find_knob(from->space, own->name);
    if (k == SIZE_MAX || !to->knobs[knob].by_digit != !from->knobs[k].by_digit ||
        to->knobs[knob].logarithm != from->knobs[k].logarithm)
        return SIZE_MAX;
    if (from->knobs[k].by_digit)
        return from->knobs[k].first;
    const struct anole_space_knob *other = anole_space_knob(from->space, k);
    for (uint32_t v = 0; v < other->count; v++)
        if (other->values[v] == own->values[i])
            return from->knobs[k].first + v;
    return SIZE_MAX;
}

void anole_features_align(size_t *columns, const struct anole_features *to,
                          const struct anole_features *from)
{
    for (size_t k = 0; k < anole_space_knob_count(to->space); k++)
        for (size_t i = 0; i < to->knobs[k].width; i++)
            columns[to->knobs[k].first + i] = find_column(to, k, i, from);
    columns += to->knob_columns;
    for (size_t i = 0; i < to->extra_count; i++)
        *columns++ = from->extra_count == to->extra_count ? from->knob_columns + i : SIZE_MAX;
    size_t first = from->knob_columns + from->extra_count;
    for (size_t i = 0; i < to->context_count; i++)
        *columns++ = from->context_count == to->context_count ? first + i : SIZE_MAX;
}

const char *anole_features_name(const struct anole_features *features, size_t column, char *out,
                                size_t size)
{
    char label[128];
    for (size_t k = 0; k < anole_space_knob_count(features->space); k++) {
        const struct knob_columns *columns = &features->knobs[k];
        const struct anole_space_knob *knob = anole_space_knob(features->space, k);
        if (column < columns->first || column >= columns->first + columns->width)
            continue;
        size_t digit = column - columns->first;
        if (columns->by_digit)
            snprintf(out, size, "%s", knob->name);
        else if (knob->labels)
            snprintf(out, size, "%s=%s", knob->name,
                     anole_text_printable(label, sizeof label, knob->labels[digit]));
        else
            snprintf(out, size, "%s=%" PRId64, knob->name, knob->values[digit]);
        return out;
    }
    column -= features->knob_columns;
    bool extra = column < features->extra_count;
    snprintf(out, size, "%s %zu", extra ? "extra" : "context",
             extra ? column : column - features->extra_count);
    return out;
}
