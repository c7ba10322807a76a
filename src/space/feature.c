/* SPDX-License-Identifier: MIT */
#include "space/feature.h"

#include "base/text.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ONE_HOT 8    /* values of a categorical knob that get a column each */
#define MOST_PRODUCTS 66 /* columns of products: of twelve knobs, each with each */

/* The columns of a knob: one with a number for each digit, or one a value. */
struct knob_columns {
    size_t first;
    size_t width;    /* 1, or the knob's count of values */
    float *by_digit; /* [count]; NULL if there is one column a value */
    bool logarithm;  /* by_digit holds logarithms */
};

/* The product of two knobs, as the sum of their logarithms; 0 where one is 0, so
 * that a switch shows a size only while it is on. */
struct product {
    uint16_t a, b; /* knobs */
};

struct anole_features {
    const struct anole_space *space;
    struct knob_columns knobs[ANOLE_MAX_KNOBS];
    size_t knob_columns;          /* all together */
    float *twos[ANOLE_MAX_KNOBS]; /* [count], by digit: the power of two in a value, or NULL */
    size_t twos_count;
    float *logarithms[ANOLE_MAX_KNOBS]; /* [count], by digit, NaN of 0; NULL: in no product */
    struct product products[MOST_PRODUCTS];
    size_t product_count;
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

/* -- Derived columns: what kernels are sensitive to, where the backend does not say -- */

static bool is_power(int64_t value)
{
    return (value & (value - 1)) == 0;
}

/* The largest power of two that divides each value tells alignment; nothing new
 * where every value is one, or 0. */
static bool make_twos(struct anole_features *features, size_t k)
{
    const struct anole_space_knob *knob = anole_space_knob(features->space, k);
    bool new = false;
    for (uint32_t i = 0; i < knob->count; i++)
        new |= !is_power(knob->values[i]);
    if (!new)
        return true;
    float *twos = features->twos[k] = calloc(knob->count, sizeof *twos);
    if (!twos)
        return false;
    for (uint32_t i = 0; i < knob->count; i++)
        twos[i] = knob->values[i] ? (float)__builtin_ctzll((uint64_t)knob->values[i]) : -1.0f;
    features->twos_count++;
    return true;
}

static bool make_logarithms(struct anole_features *features, size_t k)
{
    const struct anole_space_knob *knob = anole_space_knob(features->space, k);
    float *logarithms = features->logarithms[k] = calloc(knob->count, sizeof *logarithms);
    if (!logarithms)
        return false;
    for (uint32_t i = 0; i < knob->count; i++)
        logarithms[i] = knob->values[i] ? to_float(log2((double)knob->values[i])) : NAN;
    return true;
}

/* A size, a factor or a switch: ordinal, nothing below 0. */
static bool is_size(const struct anole_space_knob *knob)
{
    bool negative = false;
    for (uint32_t i = 0; i < knob->count; i++)
        negative |= knob->values[i] < 0;
    return !knob->categorical && knob->count > 1 && !negative;
}

/* Products of all pairs of sizes: threads of a group, elements of a tile, ... which
 * splits by one knob at a time find hard to see. */
static bool make_derived(struct anole_features *features)
{
    uint16_t sizes[ANOLE_MAX_KNOBS];
    size_t count = 0;
    for (size_t k = 0; k < anole_space_knob_count(features->space); k++) {
        if (!is_size(anole_space_knob(features->space, k)))
            continue;
        sizes[count++] = (uint16_t)k;
        if (!make_twos(features, k) || !make_logarithms(features, k))
            return false;
    }
    if (count * (count - 1) / 2 > MOST_PRODUCTS)
        return true;
    for (size_t a = 1; a < count; a++)
        for (size_t b = 0; b < a; b++)
            features->products[features->product_count++] = (struct product){sizes[b], sizes[a]};
    return true;
}

static size_t derived_count(const struct anole_features *features)
{
    return features->twos_count + features->product_count;
}

static void derived_row(const struct anole_features *features, const uint16_t *digits, float *row)
{
    for (size_t k = 0; features->twos_count && k < anole_space_knob_count(features->space); k++)
        if (features->twos[k])
            *row++ = features->twos[k][digits[k]];
    for (size_t p = 0; p < features->product_count; p++) {
        uint16_t a = features->products[p].a, b = features->products[p].b;
        float sum = features->logarithms[a][digits[a]] + features->logarithms[b][digits[b]];
        *row++ = isnan(sum) ? 0.0f : sum;
    }
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
    if (!made->extra_count && !make_derived(made))
        goto destroy_made;
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
    for (size_t k = 0; k < ANOLE_MAX_KNOBS; k++) {
        free(features->knobs[k].by_digit);
        free(features->twos[k]);
        free(features->logarithms[k]);
    }
    free(features->context);
    free(features);
}

size_t anole_features_count(const struct anole_features *features)
{
    return features->knob_columns + derived_count(features) + features->extra_count +
           features->context_count;
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
    derived_row(features, digits, row);
    row += derived_count(features);
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

/* The knobs behind a derived column; of a power of two, twice the same. */
static struct product derived_at(const struct anole_features *features, size_t i)
{
    for (size_t k = 0; i < features->twos_count; k++)
        if (features->twos[k] && i-- == 0)
            return (struct product){(uint16_t)k, (uint16_t)k};
    return features->products[i - features->twos_count];
}

/* The column of `from` that holds what derived column i of `to` holds. */
static size_t find_derived(const struct anole_features *to, size_t i,
                           const struct anole_features *from)
{
    struct product own = derived_at(to, i);
    size_t a = anole_space_find_knob(from->space, anole_space_knob(to->space, own.a)->name);
    size_t b = anole_space_find_knob(from->space, anole_space_knob(to->space, own.b)->name);
    for (size_t j = 0; j < derived_count(from); j++) {
        struct product other = derived_at(from, j);
        if ((other.a == a && other.b == b) || (other.a == b && other.b == a))
            return from->knob_columns + j;
    }
    return SIZE_MAX;
}

void anole_features_align(size_t *columns, const struct anole_features *to,
                          const struct anole_features *from)
{
    for (size_t k = 0; k < anole_space_knob_count(to->space); k++)
        for (size_t i = 0; i < to->knobs[k].width; i++)
            columns[to->knobs[k].first + i] = find_column(to, k, i, from);
    columns += to->knob_columns;
    for (size_t i = 0; i < derived_count(to); i++)
        *columns++ = find_derived(to, i, from);
    size_t first = from->knob_columns + derived_count(from);
    for (size_t i = 0; i < to->extra_count; i++)
        *columns++ = from->extra_count == to->extra_count ? first + i : SIZE_MAX;
    first += from->extra_count;
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
    if (column < derived_count(features)) {
        struct product derived = derived_at(features, column);
        const char *a = anole_space_knob(features->space, derived.a)->name;
        const char *b = anole_space_knob(features->space, derived.b)->name;
        if (derived.a == derived.b)
            snprintf(out, size, "twos in %s", a);
        else
            snprintf(out, size, "%s*%s", a, b);
        return out;
    }
    column -= derived_count(features);
    bool extra = column < features->extra_count;
    snprintf(out, size, "%s %zu", extra ? "extra" : "context",
             extra ? column : column - features->extra_count);
    return out;
}
