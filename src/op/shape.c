/* SPDX-License-Identifier: MIT
 *
 * shape: the sizes of the input's dimensions from `start` to before `end`, as a list of I64.
 */
#include "op/op.h"

#include <stddef.h>

struct shape {
    int64_t start, end;
};

static const struct shape defaults = {.end = ANOLE_MAX_RANK};

static const struct anole_op_key keys[] = {
    {.name = "start", .kind = ANOLE_KEY_INT, .offset = offsetof(struct shape, start)},
    {.name = "end", .kind = ANOLE_KEY_INT, .offset = offsetof(struct shape, end)},
    {.name = NULL},
};

/* As slices of lists have it: from the end where negative, and clamped. */
static int64_t place(int64_t value, int64_t rank)
{
    if (value < 0)
        value = value < -rank ? 0 : value + rank;
    return value > rank ? rank : value;
}

static enum anole_status infer(struct anole_call *call, struct anole_error *error)
{
    (void)error;
    const struct shape *shape = call->attributes;
    int64_t rank = call->inputs[0]->rank;
    int64_t start = place(shape->start, rank), end = place(shape->end, rank);
    call->outputs[0] = (struct anole_operand){
        .dtype = ANOLE_I64, .rank = 1, .dims = {end > start ? end - start : 0}};
    return ANOLE_DONE;
}

static enum anole_status compute(const struct anole_call *call, struct anole_error *error)
{
    (void)error;
    const struct shape *shape = call->attributes;
    int64_t start = place(shape->start, call->inputs[0]->rank);
    for (int64_t i = 0; i < call->outputs[0].dims[0]; i++)
        ((int64_t *)call->outputs[0].data)[i] = call->inputs[0]->dims[start + i];
    return ANOLE_DONE;
}

const struct anole_op anole_op_shape = {
    .name = "shape",
    .flags = ANOLE_OP_TYPES_ONLY,
    .fewest_inputs = 1,
    .most_inputs = 1,
    .fewest_outputs = 1,
    .most_outputs = 1,
    .attribute_bytes = sizeof(struct shape),
    .defaults = &defaults,
    .keys = keys,
    .infer = infer,
    .compute = compute,
};
