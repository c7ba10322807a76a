/* SPDX-License-Identifier: MIT */
#include "op/plain.h"

#include "kernels/op_elementwise.cl.h"

#include <stdio.h>

/* An operand's type, as it lies in memory. */
static const char *stored(const struct anole_operand *operand, bool moves)
{
    return moves ? anole_plain_move_type(operand->dtype) : anole_plain_type(operand->dtype);
}

static bool define_operand(struct anole_plain_source *source, const struct anole_walk *walk,
                           uint32_t k, const char *type)
{
    char name[16];
    if (!type)
        return false;
    snprintf(name, sizeof name, "TYPE_%u", k);
    anole_plain_define(source, name, "%s", type);
    snprintf(name, sizeof name, "STEP_%u", k);
    anole_plain_define_int(source, name, walk->step[k]);
    snprintf(name, sizeof name, "AT_%u", k);
    anole_plain_define_place(source, name, walk, k);
    return true;
}

enum anole_status anole_plain_elementwise(struct anole_plain_source *source,
                                          const struct anole_call *call,
                                          const struct anole_elementwise *elementwise,
                                          struct anole_error *error)
{
    const struct anole_operand *output = &call->outputs[0];
    const char *type = stored(output, elementwise->moves);
    const uint32_t count = elementwise->count;
    struct anole_arg args[ANOLE_PLAIN_OPERANDS + 1];
    int64_t strides[ANOLE_PLAIN_OPERANDS + 1][ANOLE_MAX_RANK], rows = 1;
    struct anole_walk walk;
    bool known = type && elementwise->type;
    for (uint32_t k = 0; k < count; k++) {
        anole_operand_strides(strides[k], call->inputs[elementwise->inputs[k]], output);
        args[k] = ANOLE_PLAIN_INPUT(elementwise->inputs[k]);
    }
    anole_dense_strides(strides[count], output);
    args[count] = ANOLE_PLAIN_OUTPUT(0);
    if (!anole_walk_begin(&walk, output->rank, output->dims, count + 1, strides))
        known = false;
    for (uint32_t k = 0; k < count && known; k++)
        known = define_operand(
            source, &walk, k,
            stored(call->inputs[elementwise->inputs[k]], elementwise->moves && k > 0));
    if (!known) {
        anole_text_fini(&source->text);
        return anole_plain_none("these types", error);
    }
    for (uint32_t d = 0; d < walk.rank; d++)
        rows *= walk.dims[d];
    anole_plain_define_int(source, "OPERANDS", count);
    anole_plain_define(source, "TYPE", "%s", elementwise->type);
    anole_plain_define(source, "OUT_TYPE", "%s", type);
    anole_plain_define_place(source, "AT_OUT", &walk, count);
    anole_plain_define(source, "FUNCTION", "%s", elementwise->function);
    int64_t items = anole_plain_define_rows(source, rows, walk.length);
    anole_plain_define(source, "RESULT", "convert_%s%s", type, elementwise->suffix);
    anole_plain_define(source, "RESULT_VECTOR", "convert_%s%d%s", type,
                       anole_plain_width(walk.length), elementwise->suffix);
    anole_plain_text(source, kernel_op_elementwise);
    anole_plain_launch(source, "elementwise", items, args, count + 1);
    return anole_plain_finish(source, error);
}
