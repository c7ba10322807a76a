/* SPDX-License-Identifier: MIT
 *
 * where: the second input's element where the first is true, else the third's.  Shapes
 * broadcast.
 */
#include "op/iterate.h"
#include "op/parameters.h"
#include "op/plain.h"

static enum anole_status infer(struct anole_call *call, struct anole_error *error)
{
    const struct anole_operand *a = call->inputs[1], *b = call->inputs[2];
    struct anole_operand both = {0};
    struct anole_operand *output = &call->outputs[0];
    enum anole_status status =
        anole_check_type(call->inputs[0], ANOLE_TYPE(BOOL), "the condition", error);
    if (status == ANOLE_DONE)
        status = anole_check_type(a, ANOLE_TYPES_ANY, "the second input", error);
    if (status == ANOLE_DONE)
        status = anole_check_same_type(b, a, "the third input", error);
    if (status == ANOLE_DONE)
        status = anole_operand_broadcast(&both, a, b, error);
    if (status == ANOLE_DONE)
        status = anole_operand_broadcast(output, &both, call->inputs[0], error);
    if (status == ANOLE_DONE)
        status = anole_check_size(output, error);
    output->dtype = a->dtype;
    return status;
}

#define ROW(type)                                                                                  \
    do {                                                                                           \
        const type *a = (const type *)call->inputs[1]->data + walk->at[1];                         \
        const type *b = (const type *)call->inputs[2]->data + walk->at[2];                         \
        type *out = (type *)call->outputs[0].data + walk->at[3];                                   \
        for (int64_t i = 0; i < walk->length; i++)                                                 \
            out[i] = condition[i * walk->step[0]] ? a[i * walk->step[1]] : b[i * walk->step[2]];   \
    } while (0)

static void compute_row(const struct anole_call *call, const struct anole_walk *walk, size_t bytes)
{
    const uint8_t *condition = (const uint8_t *)call->inputs[0]->data + walk->at[0];
    switch (bytes) {
    case 1:
        ROW(uint8_t);
        break;
    case 2:
        ROW(uint16_t);
        break;
    case 4:
        ROW(uint32_t);
        break;
    default:
        ROW(uint64_t);
    }
}

static enum anole_status compute(const struct anole_call *call, struct anole_error *error)
{
    (void)error;
    const struct anole_operand *output = &call->outputs[0];
    size_t bytes = anole_dtype_bytes(output->dtype);
    int64_t strides[4][ANOLE_MAX_RANK];
    struct anole_walk walk;
    for (uint32_t i = 0; i < 3; i++)
        anole_operand_strides(strides[i], call->inputs[i], output);
    anole_dense_strides(strides[3], output);
    for (bool more = anole_walk_begin(&walk, output->rank, output->dims, 4, strides); more;
         more = anole_walk_next(&walk))
        compute_row(call, &walk, bytes);
    return ANOLE_DONE;
}

static enum anole_status kernel(const struct anole_call *call, struct anole_kernel_builder *builder,
                                struct anole_error *error)
{
    struct anole_plain_source source = {.builder = builder};
    const struct anole_elementwise elementwise = {.function = "FUNCTION_where",
                                                  .type =
                                                      anole_plain_move_type(call->outputs[0].dtype),
                                                  .suffix = "",
                                                  .count = 3,
                                                  .inputs = {0, 1, 2},
                                                  .moves = true};
    return anole_plain_elementwise(&source, call, &elementwise, error);
}

const struct anole_op anole_op_where = {
    .name = "where",
    .flags = ANOLE_OP_ELEMENTWISE,
    .fewest_inputs = 3,
    .most_inputs = 3,
    .fewest_outputs = 1,
    .most_outputs = 1,
    .infer = infer,
    .compute = compute,
    .kernel = kernel,
};
