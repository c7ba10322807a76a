/* SPDX-License-Identifier: MIT
 *
 * transpose: dimension i of the output is dimension perm[i] of the input.
 */
#include "op/iterate.h"
#include "op/parameters.h"
#include "op/plain.h"

#include <inttypes.h>
#include <stddef.h>

struct transpose {
    struct anole_ints perm; /* none: reversed; infer() fills it in */
};

static const struct anole_op_key keys[] = {
    {.name = "perm",
     .kind = ANOLE_KEY_INTS,
     .offset = offsetof(struct transpose, perm),
     .high = ANOLE_MAX_RANK - 1,
     .most = ANOLE_MAX_RANK},
    {.name = NULL},
};

static enum anole_status infer(struct anole_call *call, struct anole_error *error)
{
    struct transpose *transpose = call->attributes;
    const struct anole_operand *input = call->inputs[0];
    struct anole_operand *output = &call->outputs[0];
    struct anole_ints *perm = &transpose->perm;
    bool seen[ANOLE_MAX_RANK] = {false};
    if (perm->count == 0)
        for (perm->count = 0; perm->count < input->rank; perm->count++)
            perm->values[perm->count] = input->rank - 1 - perm->count;
    if (perm->count != input->rank)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "perm has %u numbers; expected %u, one each dimension", perm->count,
                          input->rank);
    output->dtype = input->dtype;
    output->rank = input->rank;
    for (uint32_t i = 0; i < input->rank; i++) {
        int64_t from = perm->values[i];
        if (from < 0 || from >= input->rank || seen[from])
            return anole_fail(error, ANOLE_ERR_INPUT,
                              "perm has %" PRId64 " at place %u; expected each of 0 to %u once",
                              from, i, input->rank - 1);
        seen[from] = true;
        output->dims[i] = input->dims[from];
    }
    return ANOLE_DONE;
}

static enum anole_status compute(const struct anole_call *call, struct anole_error *error)
{
    (void)error;
    const struct transpose *transpose = call->attributes;
    const struct anole_operand *input = call->inputs[0];
    struct anole_operand *output = &call->outputs[0];
    int64_t dense[ANOLE_MAX_RANK], from[ANOLE_MAX_RANK], to[ANOLE_MAX_RANK];
    anole_dense_strides(dense, input);
    anole_dense_strides(to, output);
    for (uint32_t i = 0; i < input->rank; i++)
        from[i] = dense[transpose->perm.values[i]];
    anole_copy_strided(output->data, to, input->data, from, output->rank, output->dims,
                       anole_dtype_bytes(output->dtype));
    return ANOLE_DONE;
}

static enum anole_status kernel(const struct anole_call *call, struct anole_kernel_builder *builder,
                                struct anole_error *error)
{
    const struct transpose *transpose = call->attributes;
    const struct anole_operand *output = &call->outputs[0];
    struct anole_strided copy = {.rank = output->rank};
    int64_t dense[ANOLE_MAX_RANK];
    anole_dense_strides(dense, call->inputs[0]);
    anole_dense_strides(copy.out_strides, output);
    for (uint32_t i = 0; i < output->rank; i++) {
        copy.dims[i] = output->dims[i];
        copy.in_strides[i] = dense[transpose->perm.values[i]];
    }
    return anole_plain_strided(builder, output->dtype, &copy, 1, error);
}

const struct anole_op anole_op_transpose = {
    .name = "transpose",
    .fewest_inputs = 1,
    .most_inputs = 1,
    .fewest_outputs = 1,
    .most_outputs = 1,
    .attribute_bytes = sizeof(struct transpose),
    .keys = keys,
    .infer = infer,
    .compute = compute,
    .kernel = kernel,
};
