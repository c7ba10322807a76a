/* SPDX-License-Identifier: MIT
 *
 * reshape: the same elements in the same order under another shape.
 *
 * Attribute `shape`: 0 keeps the input's size there (unless `allow_zero`), one -1 takes what
 * is left; or the second input has it.  Attribute `from`: for each dimension of the output the one
 * of the input whose size it has, -1 for those that `shape` has: sizes that depend on data are
 * known only when the network runs.
 */
#include "op/op.h"

#include <stddef.h>
#include <string.h>

struct reshape {
    struct anole_ints shape, from;
    bool allow_zero;
};

static const struct anole_op_key keys[] = {
    {.name = "shape",
     .kind = ANOLE_KEY_INTS,
     .offset = offsetof(struct reshape, shape),
     .low = -1,
     .high = INT32_MAX,
     .most = ANOLE_MAX_RANK},
    {.name = "from",
     .kind = ANOLE_KEY_INTS,
     .offset = offsetof(struct reshape, from),
     .low = -1,
     .high = ANOLE_MAX_RANK - 1,
     .most = ANOLE_MAX_RANK},
    {.name = "allow_zero", .kind = ANOLE_KEY_BOOL, .offset = offsetof(struct reshape, allow_zero)},
    {.name = NULL},
};

/* The shape that is asked for, from the attribute or the second input. */
static enum anole_status asked_shape(struct anole_ints *asked, const struct anole_call *call,
                                     struct anole_error *error)
{
    const struct reshape *attributes = call->attributes;
    const struct anole_operand *input = call->input_count > 1 ? call->inputs[1] : NULL;
    *asked = attributes->shape;
    if (!input)
        return ANOLE_DONE;
    if (!input->data)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "the shape is known only when the network runs; expected a constant");
    size_t count = anole_operand_elements(input);
    if (input->rank != 1 || count > ANOLE_MAX_RANK)
        return anole_fail(
            error, ANOLE_ERR_INPUT,
            "the shape has %u dimensions and %zu numbers; expected a list of up to %d", input->rank,
            count, ANOLE_MAX_RANK);
    asked->count = (uint32_t)count;
    for (size_t i = 0; i < count; i++)
        asked->values[i] = anole_operand_int(input, i);
    return ANOLE_DONE;
}

/* Sizes that the input has, where `from` names them. */
static void take_sizes(struct anole_ints *asked, const struct anole_call *call)
{
    const struct reshape *attributes = call->attributes;
    const struct anole_operand *input = call->inputs[0];
    for (uint32_t i = 0; i < attributes->from.count && i < asked->count; i++) {
        const int64_t dimension = attributes->from.values[i];
        if (dimension >= 0 && dimension < input->rank)
            asked->values[i] = input->dims[dimension];
    }
}

static enum anole_status infer(struct anole_call *call, struct anole_error *error)
{
    const struct reshape *attributes = call->attributes;
    const struct anole_operand *input = call->inputs[0];
    struct anole_operand *output = &call->outputs[0];
    struct anole_ints asked;
    enum anole_status status = asked_shape(&asked, call, error);
    if (status)
        return status;
    take_sizes(&asked, call);
    size_t total = anole_operand_elements(input), known = 1;
    uint32_t rest = UINT32_MAX;
    output->dtype = input->dtype;
    output->rank = asked.count;
    for (uint32_t i = 0; i < asked.count; i++) {
        int64_t size = asked.values[i];
        if (size == 0 && !attributes->allow_zero && i < input->rank)
            size = input->dims[i];
        if (size < -1 || (size == -1 && rest != UINT32_MAX))
            return anole_fail(error, ANOLE_ERR_INPUT,
                              "a size of %lld at place %u of the shape; expected at most one -1",
                              (long long)size, i);
        if (size == -1)
            rest = i;
        else if (size != 0 && known > total / (size_t)size + 1)
            known = SIZE_MAX; /* more than there are: refused below */
        else
            known *= (size_t)size;
        output->dims[i] = size;
    }
    if (rest != UINT32_MAX && known != SIZE_MAX)
        output->dims[rest] = known > 0 ? (int64_t)(total / known) : 0;
    char from[128], to[128];
    if (anole_operand_elements(output) != total)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "a tensor of shape %s cannot take the shape %s: it has %zu elements",
                          anole_operand_shape_text(from, sizeof from, input),
                          anole_operand_shape_text(to, sizeof to, output), total);
    return ANOLE_DONE;
}

static enum anole_status compute(const struct anole_call *call, struct anole_error *error)
{
    (void)error;
    const struct anole_operand *input = call->inputs[0];
    memcpy(call->outputs[0].data, input->data,
           anole_operand_elements(input) * anole_dtype_bytes(input->dtype));
    return ANOLE_DONE;
}

const struct anole_op anole_op_reshape = {
    .name = "reshape",
    .flags = ANOLE_OP_VIEW,
    .fewest_inputs = 1,
    .most_inputs = 2,
    .fewest_outputs = 1,
    .most_outputs = 1,
    .attribute_bytes = sizeof(struct reshape),
    .keys = keys,
    .infer = infer,
    .compute = compute,
};
