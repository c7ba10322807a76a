/* SPDX-License-Identifier: MIT
 *
 * reduce: one number of all elements along some axes: mean, sum, max, …
 *
 * Real types are summed in double, integers in 64 bits (a mean truncates).  Of no elements
 * the sum is 0, the product 1, the mean NaN (0 as an integer), and the maximum the lowest
 * number there is.
 */
#include "kernels/op_reduce.cl.h"
#include "op/iterate.h"
#include "op/parameters.h"
#include "op/plain.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum function { MEAN, SUM, MAX, MIN, PROD, L1, L2, LOG_SUM, LOG_SUM_EXP, SUM_SQUARE };

static const char *const functions[] = {
    "mean", "sum", "max", "min", "prod", "l1", "l2", "log_sum", "log_sum_exp", "sum_square", NULL};

struct reduce {
    uint32_t function;
    struct anole_ints axes;
    bool keep_dims, noop_with_empty_axes;
};

static const struct reduce defaults = {.keep_dims = true};

static const struct anole_op_key keys[] = {
    {.name = "function",
     .kind = ANOLE_KEY_CHOICE,
     .offset = offsetof(struct reduce, function),
     .choices = functions,
     .required = true},
    {.name = "axes",
     .kind = ANOLE_KEY_INTS,
     .is_axis = true,
     .offset = offsetof(struct reduce, axes),
     .low = -ANOLE_MAX_RANK,
     .high = ANOLE_MAX_RANK - 1,
     .most = ANOLE_MAX_RANK},
    {.name = "keep_dims", .kind = ANOLE_KEY_BOOL, .offset = offsetof(struct reduce, keep_dims)},
    {.name = "noop_with_empty_axes",
     .kind = ANOLE_KEY_BOOL,
     .offset = offsetof(struct reduce, noop_with_empty_axes)},
    {.name = NULL},
};

static enum anole_status read_axes(bool set[ANOLE_MAX_RANK], const struct anole_call *call,
                                   struct anole_error *error)
{
    const struct reduce *reduce = call->attributes;
    struct anole_ints axes = reduce->axes;
    bool given;
    enum anole_status status =
        anole_input_ints(&axes, &given, call, 1, ANOLE_MAX_RANK, "the axes", error);
    return status ? status
                  : anole_axes_set(set, &axes, call->inputs[0]->rank, !reduce->noop_with_empty_axes,
                                   error);
}

static enum anole_status infer(struct anole_call *call, struct anole_error *error)
{
    const struct reduce *reduce = call->attributes;
    const struct anole_operand *input = call->inputs[0];
    struct anole_operand *output = &call->outputs[0];
    bool set[ANOLE_MAX_RANK], truth = reduce->function == MAX || reduce->function == MIN;
    enum anole_status status =
        anole_check_type(input, truth ? ANOLE_TYPES_ANY : ANOLE_TYPES_NUMBER, "the input", error);
    if (status == ANOLE_DONE)
        status = read_axes(set, call, error);
    if (status)
        return status;
    output->dtype = input->dtype;
    output->rank = 0;
    for (uint32_t i = 0; i < input->rank; i++)
        if (!set[i] || reduce->keep_dims)
            output->dims[output->rank++] = set[i] ? 1 : input->dims[i];
    return anole_check_size(output, error);
}

/* ----------------------------------------------------------------------- real */

static double combine_real(double sum, double x, uint32_t function)
{
    switch (function) {
    case MAX:
        return sum > x || isnan(sum) ? sum : x;
    case MIN:
        return sum < x || isnan(sum) ? sum : x;
    case PROD:
        return sum * x;
    case L1:
        return sum + fabs(x);
    case L2:
    case SUM_SQUARE:
        return sum + x * x;
    default:
        return sum + x;
    }
}

/* A row of `count` into one sum (`to_step` 0) or as many. */
static void combine_reals(double *sums, int64_t to_step, const double *x, size_t count,
                          uint32_t function)
{
    bool plain = function == MEAN || function == SUM || function == LOG_SUM;
    if (to_step == 0) {
        double sum = *sums;
        if (plain)
            for (size_t i = 0; i < count; i++)
                sum += x[i];
        else
            for (size_t i = 0; i < count; i++)
                sum = combine_real(sum, x[i], function);
        *sums = sum;
    } else {
        for (size_t i = 0; i < count; i++)
            sums[(int64_t)i * to_step] = combine_real(sums[(int64_t)i * to_step], x[i], function);
    }
}

/* sums[] of the whole input; `strides` as of compute().  With `highest`, of exp(x - highest). */
static void sum_reals(double *sums, const double *highest, const struct anole_operand *input,
                      const int64_t strides[2][ANOLE_MAX_RANK], uint32_t function)
{
    struct anole_walk walk;
    double x[ANOLE_CHUNK];
    for (bool more = anole_walk_begin(&walk, input->rank, input->dims, 2, strides); more;
         more = anole_walk_next(&walk))
        for (int64_t first = 0; first < walk.length; first += ANOLE_CHUNK) {
            size_t count =
                (size_t)(walk.length - first < ANOLE_CHUNK ? walk.length - first : ANOLE_CHUNK);
            int64_t to = walk.at[1] + first * walk.step[1];
            anole_load_reals(x, input, walk.at[0] + first * walk.step[0], walk.step[0], count);
            if (highest)
                for (size_t i = 0; i < count; i++) {
                    double base = highest[to + (int64_t)i * walk.step[1]];
                    x[i] = exp(x[i] - (isfinite(base) ? base : 0));
                }
            combine_reals(sums + to, walk.step[1], x, count, function);
        }
}

static double start_of(uint32_t function)
{
    return function == MAX ? -INFINITY : function == MIN ? INFINITY : function == PROD ? 1 : 0;
}

static void finish_reals(double *sums, size_t count, double each, const double *highest,
                         uint32_t function)
{
    for (size_t i = 0; i < count; i++) {
        if (function == MEAN)
            sums[i] /= each;
        else if (function == L2)
            sums[i] = sqrt(sums[i]);
        else if (function == LOG_SUM)
            sums[i] = log(sums[i]);
        else if (function == LOG_SUM_EXP)
            sums[i] = log(sums[i]) + (isfinite(highest[i]) ? highest[i] : 0);
    }
}

/* Also integers under a function that is none of integers. */
static enum anole_status compute_reals(const struct anole_call *call,
                                       const int64_t strides[2][ANOLE_MAX_RANK],
                                       struct anole_error *error)
{
    const struct reduce *reduce = call->attributes;
    const struct anole_operand *input = call->inputs[0];
    size_t count = anole_operand_elements(&call->outputs[0]);
    double *sums = malloc((2 * count + 1) * sizeof *sums), *highest = NULL;
    if (!sums)
        return anole_fail_memory(error);
    for (size_t i = 0; i < count; i++)
        sums[i] = start_of(reduce->function);
    if (reduce->function == LOG_SUM_EXP) {
        highest = sums + count;
        for (size_t i = 0; i < count; i++)
            highest[i] = start_of(MAX);
        sum_reals(highest, NULL, input, strides, MAX);
    }
    sum_reals(sums, highest, input, strides, reduce->function);
    double each = count > 0 ? (double)anole_operand_elements(input) / (double)count : 0;
    finish_reals(sums, count, each, highest, reduce->function);
    anole_store_reals(&call->outputs[0], 0, 1, sums, count);
    free(sums);
    return ANOLE_DONE;
}

/* ------------------------------------------------------------------- integers */

static int64_t combine_int(int64_t sum, int64_t x, uint32_t function, bool is_signed)
{
    switch (function) {
    case MAX:
        return (is_signed ? sum > x : (uint64_t)sum > (uint64_t)x) ? sum : x;
    case MIN:
        return (is_signed ? sum < x : (uint64_t)sum < (uint64_t)x) ? sum : x;
    case PROD:
        return (int64_t)((uint64_t)sum * (uint64_t)x);
    case L1:
        return (int64_t)((uint64_t)sum + (is_signed && x < 0 ? 0 - (uint64_t)x : (uint64_t)x));
    case SUM_SQUARE:
        return (int64_t)((uint64_t)sum + (uint64_t)x * (uint64_t)x);
    default:
        return (int64_t)((uint64_t)sum + (uint64_t)x);
    }
}

/* The lowest or the highest number of a type. */
static int64_t extreme(uint32_t dtype, bool highest)
{
    uint32_t bits = 8 * (uint32_t)anole_dtype_bytes(dtype);
    if (dtype == ANOLE_BOOL)
        return highest;
    if (ANOLE_TYPES_UNSIGNED >> dtype & 1)
        return highest ? (int64_t)(UINT64_MAX >> (64 - bits)) : 0;
    return highest ? INT64_MAX >> (64 - bits) : INT64_MIN >> (64 - bits);
}

static enum anole_status compute_ints(const struct anole_call *call,
                                      const int64_t strides[2][ANOLE_MAX_RANK],
                                      struct anole_error *error)
{
    uint32_t function = ((const struct reduce *)call->attributes)->function;
    const struct anole_operand *input = call->inputs[0];
    size_t count = anole_operand_elements(&call->outputs[0]);
    bool is_signed = input->dtype != ANOLE_U64;
    int64_t *sums = malloc((count + 1) * sizeof *sums);
    struct anole_walk walk;
    if (!sums)
        return anole_fail_memory(error);
    for (size_t i = 0; i < count; i++)
        sums[i] = function == MAX   ? extreme(input->dtype, false)
                  : function == MIN ? extreme(input->dtype, true)
                                    : function == PROD;
    for (bool more = anole_walk_begin(&walk, input->rank, input->dims, 2, strides); more;
         more = anole_walk_next(&walk))
        for (int64_t i = 0; i < walk.length; i++) {
            int64_t *sum = &sums[walk.at[1] + i * walk.step[1]];
            int64_t x = anole_operand_int(input, (size_t)(walk.at[0] + i * walk.step[0]));
            *sum = combine_int(*sum, x, function, is_signed);
        }
    int64_t each = count > 0 ? (int64_t)(anole_operand_elements(input) / count) : 0;
    for (size_t i = 0; i < count && function == MEAN; i++)
        sums[i] = each ? sums[i] / each : 0;
    anole_store_ints(&call->outputs[0], 0, 1, sums, count);
    free(sums);
    return ANOLE_DONE;
}

static enum anole_status compute(const struct anole_call *call, struct anole_error *error)
{
    const struct reduce *reduce = call->attributes;
    const struct anole_operand *input = call->inputs[0];
    int64_t strides[2][ANOLE_MAX_RANK];
    uint64_t stride = 1;
    bool set[ANOLE_MAX_RANK];
    enum anole_status status = read_axes(set, call, error);
    if (status)
        return status;
    /* Seen from the input: its own elements, and the sum that each belongs to. */
    anole_dense_strides(strides[0], input);
    for (uint32_t i = input->rank; i-- > 0;) {
        strides[1][i] = set[i] ? 0 : (int64_t)stride;
        stride *= set[i] ? 1 : (uint64_t)input->dims[i];
    }
    bool curve =
        reduce->function == L2 || reduce->function == LOG_SUM || reduce->function == LOG_SUM_EXP;
    if (anole_dtype_is_real(input->dtype) || curve)
        return compute_reals(call, strides, error);
    return compute_ints(call, strides, error);
}

/* Dimensions that stay, and those that go, neighbours merged. */
struct halves {
    uint32_t rank[2];
    int64_t dims[2][ANOLE_MAX_RANK], strides[2][ANOLE_MAX_RANK];
    bool along; /* the last one goes */
};

static struct halves split_dimensions(const struct anole_operand *input,
                                      const bool set[ANOLE_MAX_RANK])
{
    struct halves halves = {.rank = {0}};
    int64_t stride = 1;
    uint32_t last = 2;
    for (uint32_t i = input->rank; i-- > 0; stride *= input->dims[i]) {
        const uint32_t which = set[i];
        uint32_t *rank = &halves.rank[which];
        if (input->dims[i] == 1)
            continue;
        if (last == 2)
            halves.along = set[i];
        if (which == last) {
            halves.dims[which][*rank - 1] *= input->dims[i];
        } else {
            halves.strides[which][*rank] = stride;
            halves.dims[which][(*rank)++] = input->dims[i];
        }
        last = which;
    }
    return halves; /* innermost first */
}

/* NAME(i) and the product of the dimensions behind the first `skip`. */
static int64_t define_half(struct anole_plain_source *source, const char *name,
                           const struct halves *halves, uint32_t which, uint32_t skip)
{
    int64_t dims[ANOLE_MAX_RANK], strides[ANOLE_MAX_RANK], product = 1;
    uint32_t rank = 0;
    for (uint32_t i = halves->rank[which]; i-- > skip; rank++) {
        dims[rank] = halves->dims[which][i];
        strides[rank] = halves->strides[which][i];
        product *= dims[rank];
    }
    anole_plain_define_sum(source, name, rank, dims, strides, 0);
    return product;
}

/* Whether integers of a type are computed in the type itself. */
static bool takes_integers(uint32_t function)
{
    return function == SUM || function == MAX || function == MIN || function == PROD ||
           function == SUM_SQUARE;
}

static enum anole_status kernel(const struct anole_call *call, struct anole_kernel_builder *builder,
                                struct anole_error *error)
{
    const struct reduce *reduce = call->attributes;
    const struct anole_operand *input = call->inputs[0];
    const char *type = anole_plain_type(input->dtype);
    const size_t elements = anole_operand_elements(input);
    struct anole_plain_source source = {.builder = builder};
    bool set[ANOLE_MAX_RANK];
    enum anole_status status = read_axes(set, call, error);
    if (status)
        return status;
    if (!type || elements == 0 || reduce->function == LOG_SUM_EXP ||
        (!anole_dtype_is_real(input->dtype) && !takes_integers(reduce->function)))
        return anole_plain_none("these types", error);
    const struct halves halves = split_dimensions(input, set);
    const bool along = halves.along;
    anole_plain_define(&source, "TYPE", "%s", type);
    anole_plain_define_int(&source, "FUNCTION", reduce->function);
    anole_plain_define_int(&source, "COUNT",
                           (int64_t)(elements / anole_operand_elements(&call->outputs[0])));
    anole_plain_define_int(&source, "ROWS_ALONG", along);
    anole_plain_define_bounds(&source, input->dtype);
    int64_t rows = define_half(&source, "AT_KEPT", &halves, 0, along ? 0 : 1);
    int64_t outer = define_half(&source, "AT_REDUCED", &halves, 1, along ? 1 : 0);
    int64_t inner = halves.rank[along] > 0 ? halves.dims[along][0] : 1;
    anole_plain_define_int(&source, "OUTER", outer);
    int64_t items = rows;
    if (along) {
        anole_plain_define_int(&source, "INNER", inner);
        anole_plain_define_int(&source, "WIDTH", inner >= 256 ? 16 : inner >= 16 ? 8 : 4);
        anole_plain_define_int(&source, "ITEMS", rows);
    } else {
        items = anole_plain_define_rows(&source, rows, inner);
    }
    anole_plain_text(&source, kernel_op_reduce);
    const struct anole_arg args[] = {ANOLE_PLAIN_INPUT(0), ANOLE_PLAIN_OUTPUT(0)};
    anole_plain_launch(&source, "reduce", items, args, 2);
    return anole_plain_finish(&source, error);
}

const struct anole_op anole_op_reduce = {
    .name = "reduce",
    .flags = ANOLE_OP_ALONG_AXES,
    .fewest_inputs = 1,
    .most_inputs = 2,
    .fewest_outputs = 1,
    .most_outputs = 1,
    .attribute_bytes = sizeof(struct reduce),
    .defaults = &defaults,
    .keys = keys,
    .infer = infer,
    .compute = compute,
    .kernel = kernel,
};
