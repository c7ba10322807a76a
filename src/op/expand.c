/* SPDX-License-Identifier: MIT
 *
 * expand: the input broadcast with a shape (either may have the 1 that repeats).
 */
#include "op/iterate.h"
#include "op/parameters.h"
#include "op/plain.h"

#include <stddef.h>
#include <string.h>

struct expand {
    struct anole_ints shape;
};

static const struct anole_op_key keys[] = {
    {.name = "shape",
     .kind = ANOLE_KEY_INTS,
     .offset = offsetof(struct expand, shape),
     .high = INT32_MAX,
     .most = ANOLE_MAX_RANK},
    {.name = NULL},
};

static enum anole_status infer(struct anole_call *call, struct anole_error *error)
{
    const struct expand *expand = call->attributes;
    struct anole_ints shape = expand->shape;
    struct anole_operand as = {.rank = 0};
    struct anole_operand *output = &call->outputs[0];
    bool given;
    enum anole_status status =
        anole_input_ints(&shape, &given, call, 1, ANOLE_MAX_RANK, "the shape", error);
    as.rank = shape.count;
    for (uint32_t i = 0; i < shape.count; i++)
        as.dims[i] = shape.values[i];
    if (status == ANOLE_DONE)
        status = anole_check_size(&as, error);
    if (status == ANOLE_DONE)
        status = anole_operand_broadcast(output, call->inputs[0], &as, error);
    if (status == ANOLE_DONE)
        status = anole_check_size(output, error);
    output->dtype = call->inputs[0]->dtype;
    return status;
}

static enum anole_status compute(const struct anole_call *call, struct anole_error *error)
{
    (void)error;
    struct anole_operand *output = &call->outputs[0];
    int64_t from[ANOLE_MAX_RANK], to[ANOLE_MAX_RANK];
    anole_operand_strides(from, call->inputs[0], output);
    anole_dense_strides(to, output);
    anole_copy_strided(output->data, to, call->inputs[0]->data, from, output->rank, output->dims,
                       anole_dtype_bytes(output->dtype));
    return ANOLE_DONE;
}

static enum anole_status kernel(const struct anole_call *call, struct anole_kernel_builder *builder,
                                struct anole_error *error)
{
    const struct anole_operand *output = &call->outputs[0];
    struct anole_strided copy = {.rank = output->rank};
    anole_operand_strides(copy.in_strides, call->inputs[0], output);
    anole_dense_strides(copy.out_strides, output);
    memcpy(copy.dims, output->dims, sizeof copy.dims);
    return anole_plain_strided(builder, output->dtype, &copy, 1, error);
}

const struct anole_op anole_op_expand = {
    .name = "expand",
    .fewest_inputs = 1,
    .most_inputs = 2,
    .fewest_outputs = 1,
    .most_outputs = 1,
    .attribute_bytes = sizeof(struct expand),
    .keys = keys,
    .infer = infer,
    .compute = compute,
    .kernel = kernel,
};
