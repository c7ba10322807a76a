/* SPDX-License-Identifier: MIT
 *
 * top_k: the k largest (or smallest) elements along an axis and their places (I64), in order;
 * of equal ones the first comes first.  They are sorted also where that is not asked for.
 *
 * top_k_found: the same where k may be known only when the network runs.
 */
#include "op/iterate.h"
#include "op/parameters.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct top_k {
    int64_t k, axis;
    bool largest, sorted;
};

static const struct top_k defaults = {.axis = -1, .largest = true, .sorted = true};

static const struct anole_op_key keys[] = {
    {.name = "k", .kind = ANOLE_KEY_INT, .offset = offsetof(struct top_k, k), .high = INT32_MAX},
    {.name = "axis",
     .kind = ANOLE_KEY_INT,
     .offset = offsetof(struct top_k, axis),
     .low = -ANOLE_MAX_RANK,
     .high = ANOLE_MAX_RANK - 1},
    {.name = "largest", .kind = ANOLE_KEY_BOOL, .offset = offsetof(struct top_k, largest)},
    {.name = "sorted", .kind = ANOLE_KEY_BOOL, .offset = offsetof(struct top_k, sorted)},
    {.name = NULL},
};

/* `found`: all along the axis may be wanted, where k is not known yet. */
static enum anole_status infer_shape(struct anole_call *call, bool found, struct anole_error *error)
{
    const struct top_k *top_k = call->attributes;
    const struct anole_operand *input = call->inputs[0], *number = anole_call_input(call, 1);
    int64_t k = top_k->k;
    uint32_t axis;
    enum anole_status status = anole_check_type(input, ANOLE_TYPES_NUMBER, "the input", error);
    if (status == ANOLE_DONE)
        status = anole_operand_axis(&axis, top_k->axis, input->rank, error);
    if (status == ANOLE_DONE && found && number && !number->data)
        k = input->dims[axis];
    else if (status == ANOLE_DONE)
        status = anole_input_int(&k, call, 1, "k", error);
    if (status)
        return status;
    if (k < 0 || k > input->dims[axis])
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "k is %" PRId64 "; expected 0 to the %" PRId64 " along axis %u", k,
                          input->dims[axis], axis);
    for (uint32_t i = 0; i < call->output_count; i++) {
        call->outputs[i] = *input;
        call->outputs[i].data = NULL;
        call->outputs[i].dims[axis] = k;
    }
    if (call->output_count > 1)
        call->outputs[1].dtype = ANOLE_I64;
    return ANOLE_DONE;
}

static enum anole_status infer(struct anole_call *call, struct anole_error *error)
{
    return infer_shape(call, false, error);
}

static enum anole_status infer_found(struct anole_call *call, struct anole_error *error)
{
    return infer_shape(call, true, error);
}

/* An element as something to compare by: real types as reals, others as integers. */
struct candidate {
    double real;
    int64_t whole, place;
};

static int compare(const struct candidate *a, const struct candidate *b)
{
    if (isnan(a->real) || isnan(b->real))
        return isnan(b->real) - isnan(a->real); /* NaNs are the largest */
    if (a->real != b->real)
        return a->real > b->real ? -1 : 1;
    return a->whole > b->whole ? -1 : a->whole < b->whole;
}

static int by_largest(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    int order = compare(x, y);
    return order ? order : x->place > y->place ? 1 : -1;
}

static int by_smallest(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    int order = compare(y, x);
    return order ? order : x->place > y->place ? 1 : -1;
}

static void pick_line(const struct anole_call *call, struct candidate *line, int64_t first,
                      int64_t to, int64_t k, const struct anole_axis *split)
{
    const struct top_k *top_k = call->attributes;
    const struct anole_operand *input = call->inputs[0];
    size_t bytes = anole_dtype_bytes(input->dtype);
    bool real = anole_dtype_is_real(input->dtype) || input->dtype == ANOLE_U64;
    for (int64_t j = 0; j < split->length; j++) {
        size_t at = (size_t)(first + j * split->inner);
        line[j] = (struct candidate){.real = real ? anole_operand_real(input, at) : 0,
                                     .whole = real ? 0 : anole_operand_int(input, at),
                                     .place = j};
    }
    qsort(line, (size_t)split->length, sizeof *line, top_k->largest ? by_largest : by_smallest);
    for (int64_t j = 0; j < k; j++) {
        size_t at = (size_t)(to + j * split->inner);
        size_t from = (size_t)(first + line[j].place * split->inner);
        if (call->outputs[0].data)
            memcpy((char *)call->outputs[0].data + at * bytes,
                   (const char *)input->data + from * bytes, bytes);
        if (call->output_count > 1 && call->outputs[1].data)
            ((int64_t *)call->outputs[1].data)[at] = line[j].place;
    }
}

static enum anole_status compute(const struct anole_call *call, struct anole_error *error)
{
    const struct top_k *top_k = call->attributes;
    const struct anole_operand *input = call->inputs[0];
    uint32_t axis;
    enum anole_status status = anole_operand_axis(&axis, top_k->axis, input->rank, error);
    if (status || anole_operand_elements(input) == 0)
        return status;
    struct anole_axis split = anole_axis_split(input, axis);
    int64_t k = call->outputs[0].dims[axis];
    struct candidate *line = malloc(((size_t)split.length + 1) * sizeof *line);
    if (!line)
        return anole_fail_memory(error);
    for (int64_t o = 0; o < split.outer; o++)
        for (int64_t i = 0; i < split.inner; i++)
            pick_line(call, line, o * split.length * split.inner + i, o * k * split.inner + i, k,
                      &split);
    free(line);
    return ANOLE_DONE;
}

/* What infer() could not know is known now. */
static enum anole_status compute_found(const struct anole_call *call, struct anole_error *error)
{
    struct anole_call known = *call;
    struct anole_operand outputs[2] = {{.dtype = 0}};
    known.outputs = outputs;
    enum anole_status status = infer_shape(&known, false, error);
    if (status)
        return status;
    for (uint32_t i = 0; i < call->output_count; i++)
        memcpy(call->outputs[i].dims, outputs[i].dims, sizeof outputs[i].dims);
    return compute(call, error);
}

#define TOP_K(NAME, FLAGS, INFER, COMPUTE)                                                         \
    const struct anole_op anole_op_##NAME = {                                                      \
        .name = #NAME,                                                                             \
        .flags = FLAGS,                                                                            \
        .fewest_inputs = 1,                                                                        \
        .most_inputs = 2,                                                                          \
        .fewest_outputs = 1,                                                                       \
        .most_outputs = 2,                                                                         \
        .attribute_bytes = sizeof(struct top_k),                                                   \
        .defaults = &defaults,                                                                     \
        .keys = keys,                                                                              \
        .infer = INFER,                                                                            \
        .compute = COMPUTE,                                                                        \
    }

TOP_K(top_k, ANOLE_OP_HOST, infer, compute);
TOP_K(top_k_found, ANOLE_OP_HOST | ANOLE_OP_DATA_SIZED, infer_found, compute_found);
