/* SPDX-License-Identifier: MIT
 *
 * cum_sum: the sum of all elements up to each along an axis; without itself if `exclusive`,
 * from the end if `reverse`.
 */
#include "op/iterate.h"
#include "op/parameters.h"

#include <stddef.h>

struct cum_sum {
    int64_t axis;
    bool exclusive, reverse;
};

static const struct anole_op_key keys[] = {
    {.name = "axis",
     .kind = ANOLE_KEY_INT,
     .offset = offsetof(struct cum_sum, axis),
     .low = -ANOLE_MAX_RANK,
     .high = ANOLE_MAX_RANK - 1},
    {.name = "exclusive", .kind = ANOLE_KEY_BOOL, .offset = offsetof(struct cum_sum, exclusive)},
    {.name = "reverse", .kind = ANOLE_KEY_BOOL, .offset = offsetof(struct cum_sum, reverse)},
    {.name = NULL},
};

static enum anole_status read_axis(uint32_t *axis, const struct anole_call *call,
                                   struct anole_error *error)
{
    int64_t value = ((const struct cum_sum *)call->attributes)->axis;
    enum anole_status status = anole_input_int(&value, call, 1, "the axis", error);
    return status ? status : anole_operand_axis(axis, value, call->inputs[0]->rank, error);
}

static enum anole_status infer(struct anole_call *call, struct anole_error *error)
{
    uint32_t axis;
    enum anole_status status =
        anole_check_type(call->inputs[0], ANOLE_TYPES_NUMBER, "the input", error);
    if (status == ANOLE_DONE)
        status = read_axis(&axis, call, error);
    call->outputs[0] = *call->inputs[0];
    call->outputs[0].data = NULL;
    return status;
}

static void sum_line(const struct anole_call *call, int64_t first, const struct anole_axis *split)
{
    const struct cum_sum *cum_sum = call->attributes;
    struct anole_operand *output = &call->outputs[0];
    bool real = anole_dtype_is_real(output->dtype);
    double sum = 0;
    uint64_t whole = 0;
    for (int64_t i = 0; i < split->length; i++) {
        int64_t at = first + (cum_sum->reverse ? split->length - 1 - i : i) * split->inner;
        double before = sum;
        int64_t whole_before = (int64_t)whole, whole_now;
        if (real) {
            sum += anole_operand_real(call->inputs[0], (size_t)at);
            anole_store_reals(output, at, 1, cum_sum->exclusive ? &before : &sum, 1);
        } else {
            whole += (uint64_t)anole_operand_int(call->inputs[0], (size_t)at);
            whole_now = (int64_t)whole;
            anole_store_ints(output, at, 1, cum_sum->exclusive ? &whole_before : &whole_now, 1);
        }
    }
}

static enum anole_status compute(const struct anole_call *call, struct anole_error *error)
{
    uint32_t axis;
    enum anole_status status = read_axis(&axis, call, error);
    if (status)
        return status;
    struct anole_axis split = anole_axis_split(call->inputs[0], axis);
    for (int64_t o = 0; o < split.outer; o++)
        for (int64_t i = 0; i < split.inner; i++)
            sum_line(call, o * split.length * split.inner + i, &split);
    return ANOLE_DONE;
}

const struct anole_op anole_op_cum_sum = {
    .name = "cum_sum",
    .fewest_inputs = 1,
    .most_inputs = 2,
    .fewest_outputs = 1,
    .most_outputs = 1,
    .attribute_bytes = sizeof(struct cum_sum),
    .keys = keys,
    .infer = infer,
    .compute = compute,
};
