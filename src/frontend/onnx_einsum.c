/* SPDX-License-Identifier: MIT
 *
 * ONNX's Einsum: sums of products, with a letter for each dimension.  Operands are taken two at a
 * time; each step is one batched matrix product between transposes:
 *
 *     batch: letters of both that stay; rows, columns: of one that stay; inner: of both that go
 *     [batch, rows, inner] x [batch, inner, columns]
 *
 * A letter of one alone that goes is summed up before.
 */
#include "frontend/onnx_translate.h"

#include <ctype.h>
#include <string.h>

/* Dimensions by letter.  Those of "..." are numbered from the last: ELLIPSIS + 0, ... */
#define ELLIPSIS 256

struct labels {
    int values[ANOLE_MAX_RANK];
    uint32_t count;
};

/* An operand, or the product of some. */
struct factor {
    size_t tensor;
    struct labels labels;
};

static bool has(const struct labels *labels, int label)
{
    for (uint32_t i = 0; i < labels->count; i++)
        if (labels->values[i] == label)
            return true;
    return false;
}

static void append(struct anole_onnx_context *context, struct labels *labels, int label)
{
    if (labels->count == ANOLE_MAX_RANK)
        anole_onnx_refuse(context, "more than %d dimensions at once", ANOLE_MAX_RANK);
    else
        labels->values[labels->count++] = label;
}

static void append_ellipsis(struct anole_onnx_context *context, struct labels *labels,
                            uint32_t dims)
{
    for (uint32_t i = dims; i-- > 0;)
        append(context, labels, ELLIPSIS + (int)i);
}

/* Reads one term of the equation, up to ',', '-' or its end; "..." stands for `dims`. */
static const char *read_term(struct anole_onnx_context *context, struct labels *labels,
                             const char *text, uint32_t dims)
{
    *labels = (struct labels){.count = 0};
    for (; *text && *text != ',' && *text != '-' && context->status == ANOLE_DONE; text++) {
        if (*text == ' ')
            continue;
        if (strncmp(text, "...", 3) == 0) {
            append_ellipsis(context, labels, dims);
            text += 2;
        } else if (isalpha((unsigned char)*text)) {
            if (has(labels, *text))
                anole_onnx_refuse(context, "\"%c\" twice in one term is not supported", *text);
            append(context, labels, *text);
        } else {
            anole_onnx_refuse(context, "its equation is no list of letters");
        }
    }
    return text;
}

/* How many letters a term has. */
static uint32_t letters_of(const char *text)
{
    uint32_t count = 0;
    for (; *text && *text != ',' && *text != '-'; text++)
        count += isalpha((unsigned char)*text) != 0;
    return count;
}

/* Without "->": letters that are there once, in their order, behind those of "...". */
static void implicit_result(struct anole_onnx_context *context, struct labels *result,
                            const struct factor *factors, size_t count, uint32_t dims)
{
    *result = (struct labels){.count = 0};
    append_ellipsis(context, result, dims);
    for (int label = 'A'; label <= 'z'; label++) {
        size_t times = 0;
        for (size_t i = 0; i < count; i++)
            times += has(&factors[i].labels, label);
        if (times == 1)
            append(context, result, label);
    }
}

/* Reads the equation: the labels of each factor, and of the result. */
static void read_equation(struct anole_onnx_context *context, struct labels *result,
                          struct factor *factors, size_t count)
{
    const char *text = anole_onnx_get_text(context, "equation", "");
    uint32_t ellipsis = 0;
    for (size_t i = 0; i < count && context->status == ANOLE_DONE; i++) {
        uint32_t rank = anole_onnx_rank(context, factors[i].tensor), letters = letters_of(text);
        uint32_t dims = rank > letters ? rank - letters : 0;
        text = read_term(context, &factors[i].labels, text, dims);
        if (context->status == ANOLE_DONE &&
            (factors[i].labels.count != rank || (*text == ',') != (i + 1 < count)))
            anole_onnx_refuse(context,
                              "its equation does not fit operand %zu of %zu, which has %u "
                              "dimensions",
                              i, count, rank);
        ellipsis = has(&factors[i].labels, ELLIPSIS) && dims > ellipsis ? dims : ellipsis;
        text += *text == ',';
    }
    if (context->status)
        return;
    if (text[0] == '-' && text[1] == '>') {
        text = read_term(context, result, text + 2, ellipsis);
        if (*text)
            anole_onnx_refuse(context, "its equation goes on behind the result");
    } else {
        implicit_result(context, result, factors, count, ellipsis);
    }
}

static int64_t size_of(struct anole_onnx_context *context, const struct factor *factor, int label)
{
    for (uint32_t i = 0; i < factor->labels.count; i++)
        if (factor->labels.values[i] == label)
            return anole_onnx_type(context, factor->tensor)->dims[i];
    return 1;
}

/* Takes labels away that `kept` has not: sums along them. */
static void sum_up(struct anole_onnx_context *context, struct factor *factor,
                   bool (*kept)(const void *data, int label), const void *data)
{
    struct anole_ints axes = {.count = 0};
    struct labels left = {.count = 0};
    for (uint32_t i = 0; i < factor->labels.count; i++)
        if (kept(data, factor->labels.values[i]))
            left.values[left.count++] = factor->labels.values[i];
        else
            axes.values[axes.count++] = i;
    if (axes.count == 0)
        return;
    factor->tensor = anole_onnx_reduce(context, "sum", factor->tensor, &axes, false);
    factor->labels = left;
}

/* The factor's dimensions in another order, which has all of them. */
static void arrange(struct anole_onnx_context *context, struct factor *factor,
                    const struct labels *order)
{
    int64_t perm[ANOLE_MAX_RANK];
    bool same = true;
    for (uint32_t i = 0; i < order->count; i++)
        for (uint32_t j = 0; j < factor->labels.count; j++)
            if (factor->labels.values[j] == order->values[i])
                perm[i] = j;
    for (uint32_t i = 0; i < order->count; i++)
        same &= perm[i] == i;
    if (context->status || same)
        return;
    factor->tensor = anole_onnx_transpose(context, factor->tensor, perm, order->count);
    factor->labels = *order;
}

/* What remains of two factors: labels of the result, or of a later factor. */
struct remaining {
    const struct labels *result;
    const struct factor *later;
    size_t later_count;
    const struct factor *other; /* NULL: none */
};

static bool remains(const void *data, int label)
{
    const struct remaining *r = data;
    bool found = has(r->result, label) || (r->other && has(&r->other->labels, label));
    for (size_t i = 0; i < r->later_count && !found; i++)
        found = has(&r->later[i].labels, label);
    return found;
}

/* Labels in groups, one after the other, and how many elements each group has. */
static void regroup(struct anole_onnx_context *context, struct factor *factor,
                    const struct labels *const groups[3], int64_t sizes[3])
{
    struct labels order = {.count = 0};
    for (int g = 0; g < 3; g++) {
        sizes[g] = 1;
        for (uint32_t i = 0; i < groups[g]->count; i++) {
            order.values[order.count++] = groups[g]->values[i];
            sizes[g] *= size_of(context, factor, groups[g]->values[i]);
        }
    }
    arrange(context, factor, &order);
}

static void multiply(struct anole_onnx_context *context, struct factor *a, struct factor *b,
                     const struct remaining *after)
{
    struct labels batch = {.count = 0}, rows = {.count = 0}, columns = {.count = 0};
    struct labels inner = {.count = 0};
    int64_t left[3], right[3], dims[ANOLE_MAX_RANK];
    struct remaining with_b = *after, with_a = *after;
    with_b.other = b;
    with_a.other = a;
    sum_up(context, a, remains, &with_b);
    sum_up(context, b, remains, &with_a);
    for (uint32_t i = 0; i < a->labels.count && context->status == ANOLE_DONE; i++) {
        int label = a->labels.values[i];
        bool both = has(&b->labels, label);
        if (both && size_of(context, a, label) != size_of(context, b, label))
            anole_onnx_refuse(context, "a dimension of its equation is %lld and %lld",
                              (long long)size_of(context, a, label),
                              (long long)size_of(context, b, label));
        append(context, !both ? &rows : remains(after, label) ? &batch : &inner, label);
    }
    for (uint32_t i = 0; i < b->labels.count; i++)
        if (!has(&a->labels, b->labels.values[i]))
            append(context, &columns, b->labels.values[i]);
    struct labels made = batch;
    for (uint32_t i = 0; i < rows.count; i++)
        append(context, &made, rows.values[i]);
    for (uint32_t i = 0; i < columns.count; i++)
        append(context, &made, columns.values[i]);
    if (context->status)
        return;
    for (uint32_t i = 0; i < made.count; i++)
        dims[i] = size_of(context, has(&a->labels, made.values[i]) ? a : b, made.values[i]);
    regroup(context, a, (const struct labels *const[]){&batch, &rows, &inner}, left);
    regroup(context, b, (const struct labels *const[]){&batch, &inner, &columns}, right);
    /* Without a batch, matrices: those that are constant become dense layers. */
    const uint32_t skip = batch.count == 0;
    size_t y =
        anole_onnx_product(context, anole_onnx_reshape(context, a->tensor, left + skip, 3 - skip),
                           anole_onnx_reshape(context, b->tensor, right + skip, 3 - skip));
    a->tensor = anole_onnx_reshape(context, y, dims, made.count);
    a->labels = made;
}

static void einsum(struct anole_onnx_context *context)
{
    struct factor factors[ANOLE_MAX_OPERANDS];
    struct labels result;
    size_t count = context->node->input_count;
    if (count < 1 || count > ANOLE_MAX_OPERANDS) {
        anole_onnx_refuse(context, "it has %zu operands; expected 1 to %d", count,
                          ANOLE_MAX_OPERANDS);
        return;
    }
    for (size_t i = 0; i < count; i++)
        factors[i] = (struct factor){.tensor = anole_onnx_need(context, i)};
    read_equation(context, &result, factors, count);
    for (size_t i = 1; i < count && context->status == ANOLE_DONE; i++) {
        const struct remaining after = {
            .result = &result, .later = factors + i + 1, .later_count = count - i - 1};
        multiply(context, &factors[0], &factors[i], &after);
    }
    const struct remaining end = {.result = &result};
    if (context->status)
        return;
    sum_up(context, &factors[0], remains, &end);
    for (uint32_t i = 0; i < result.count && context->status == ANOLE_DONE; i++)
        if (!has(&factors[0].labels, result.values[i]) || factors[0].labels.count != result.count)
            anole_onnx_refuse(context, "its result has a letter that no operand has, or one twice");
    if (context->status == ANOLE_DONE)
        arrange(context, &factors[0], &result);
    context->outputs[0] = factors[0].tensor;
}

const struct anole_onnx_translator anole_onnx_einsum[] = {
    {"Einsum", einsum, NULL},
    {NULL, NULL, NULL},
};
