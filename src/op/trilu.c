/* SPDX-License-Identifier: MIT
 *
 * trilu: the upper or lower triangle of each matrix (the last two dimensions), the rest 0.
 * Diagonal k is part of it; positive ones lie above the main one.
 */
#include "op/iterate.h"
#include "op/parameters.h"

#include <stddef.h>
#include <string.h>

struct trilu {
    int64_t k;
    bool upper;
};

static const struct trilu defaults = {.upper = true};

static const struct anole_op_key keys[] = {
    {.name = "k", .kind = ANOLE_KEY_INT, .offset = offsetof(struct trilu, k)},
    {.name = "upper", .kind = ANOLE_KEY_BOOL, .offset = offsetof(struct trilu, upper)},
    {.name = NULL},
};

static enum anole_status infer(struct anole_call *call, struct anole_error *error)
{
    int64_t k;
    enum anole_status status =
        anole_check_rank(call->inputs[0], 2, ANOLE_MAX_RANK, "the input", error);
    if (status == ANOLE_DONE)
        status = anole_input_int(&k, call, 1, "the diagonal", error);
    call->outputs[0] = *call->inputs[0];
    call->outputs[0].data = NULL;
    return status;
}

static enum anole_status compute(const struct anole_call *call, struct anole_error *error)
{
    const struct trilu *trilu = call->attributes;
    const struct anole_operand *input = call->inputs[0];
    int64_t rows = input->dims[input->rank - 2], columns = input->dims[input->rank - 1];
    size_t bytes = anole_dtype_bytes(input->dtype), elements = anole_operand_elements(input);
    int64_t k = trilu->k;
    enum anole_status status = anole_input_int(&k, call, 1, "the diagonal", error);
    if (status || elements == 0)
        return status;
    k = k < -rows ? -rows : k > columns ? columns : k;
    memset(call->outputs[0].data, 0, elements * bytes);
    for (int64_t row = 0; row < (int64_t)elements / columns; row++) {
        int64_t edge = row % rows + k + !trilu->upper; /* first of the upper, end of the lower */
        edge = edge < 0 ? 0 : edge > columns ? columns : edge;
        int64_t first = trilu->upper ? edge : 0, end = trilu->upper ? columns : edge;
        size_t at = (size_t)(row * columns + first) * bytes;
        memcpy((char *)call->outputs[0].data + at, (const char *)input->data + at,
               (size_t)(end - first) * bytes);
    }
    return ANOLE_DONE;
}

const struct anole_op anole_op_trilu = {
    .name = "trilu",
    .fewest_inputs = 1,
    .most_inputs = 2,
    .fewest_outputs = 1,
    .most_outputs = 1,
    .attribute_bytes = sizeof(struct trilu),
    .defaults = &defaults,
    .keys = keys,
    .infer = infer,
    .compute = compute,
};
