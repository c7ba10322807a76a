/* SPDX-License-Identifier: MIT
 *
 * softmax: exp(x) over the sum of exp(x) along an axis; log_softmax: its logarithm.
 */
#include "kernels/op_softmax.cl.h"
#include "op/iterate.h"
#include "op/parameters.h"
#include "op/plain.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

struct softmax {
    int64_t axis;
};

static const struct softmax defaults = {.axis = -1};

static const struct anole_op_key keys[] = {
    {.name = "axis",
     .kind = ANOLE_KEY_INT,
     .is_axis = true,
     .offset = offsetof(struct softmax, axis),
     .low = -ANOLE_MAX_RANK,
     .high = ANOLE_MAX_RANK - 1},
    {.name = NULL},
};

static enum anole_status infer(struct anole_call *call, struct anole_error *error)
{
    const struct softmax *softmax = call->attributes;
    uint32_t axis;
    enum anole_status status =
        anole_check_type(call->inputs[0], ANOLE_TYPES_REAL, "the input", error);
    if (status == ANOLE_DONE)
        status = anole_operand_axis(&axis, softmax->axis, call->inputs[0]->rank, error);
    call->outputs[0] = *call->inputs[0];
    call->outputs[0].data = NULL;
    return status;
}

static void normalise(double *line, size_t count, bool logarithm)
{
    double highest = -INFINITY, sum = 0;
    for (size_t i = 0; i < count; i++)
        highest = line[i] > highest || isnan(line[i]) ? line[i] : highest;
    for (size_t i = 0; i < count; i++) {
        line[i] -= highest;
        sum += exp(line[i]);
    }
    double log_sum = log(sum);
    for (size_t i = 0; i < count; i++)
        line[i] = logarithm ? line[i] - log_sum : exp(line[i]) / sum;
}

static enum anole_status apply(const struct anole_call *call, bool logarithm,
                               struct anole_error *error)
{
    const struct softmax *softmax = call->attributes;
    const struct anole_operand *input = call->inputs[0];
    uint32_t axis;
    enum anole_status status = anole_operand_axis(&axis, softmax->axis, input->rank, error);
    if (status || anole_operand_elements(input) == 0)
        return status;
    struct anole_axis split = anole_axis_split(input, axis);
    double *line = malloc(((size_t)split.length + 1) * sizeof *line);
    if (!line)
        return anole_fail_memory(error);
    for (int64_t o = 0; o < split.outer; o++)
        for (int64_t i = 0; i < split.inner; i++) {
            int64_t first = o * split.length * split.inner + i;
            anole_load_reals(line, input, first, split.inner, (size_t)split.length);
            normalise(line, (size_t)split.length, logarithm);
            anole_store_reals(&call->outputs[0], first, split.inner, line, (size_t)split.length);
        }
    free(line);
    return ANOLE_DONE;
}

static enum anole_status compute(const struct anole_call *call, struct anole_error *error)
{
    return apply(call, false, error);
}

static enum anole_status compute_log(const struct anole_call *call, struct anole_error *error)
{
    return apply(call, true, error);
}

static enum anole_status make_kernel(const struct anole_call *call, bool logarithm,
                                     struct anole_kernel_builder *builder,
                                     struct anole_error *error)
{
    const struct softmax *softmax = call->attributes;
    const struct anole_operand *input = call->inputs[0];
    struct anole_plain_source source = {.builder = builder};
    uint32_t axis;
    enum anole_status status = anole_operand_axis(&axis, softmax->axis, input->rank, error);
    if (status)
        return status;
    if (anole_dtype_bytes(input->dtype) != sizeof(float) || anole_operand_elements(input) == 0)
        return anole_plain_none("this type", error);
    const struct anole_axis split = anole_axis_split(input, axis);
    int64_t items = split.outer;
    anole_plain_define_int(&source, "LOGARITHM", logarithm);
    anole_plain_define_int(&source, "AXIS", split.length);
    anole_plain_define_int(&source, "INNER", split.inner);
    if (split.inner > 1) {
        items = anole_plain_define_rows(&source, split.outer, split.inner);
    } else {
        anole_plain_define_int(&source, "WIDTH", split.length >= 256 ? 16 : 8);
        anole_plain_define_int(&source, "ITEMS", items);
    }
    anole_plain_text(&source, kernel_op_softmax);
    const struct anole_arg args[] = {ANOLE_PLAIN_INPUT(0), ANOLE_PLAIN_OUTPUT(0)};
    anole_plain_launch(&source, "softmax", items, args, 2);
    return anole_plain_finish(&source, error);
}

static enum anole_status kernel(const struct anole_call *call, struct anole_kernel_builder *builder,
                                struct anole_error *error)
{
    return make_kernel(call, false, builder, error);
}

static enum anole_status kernel_log(const struct anole_call *call,
                                    struct anole_kernel_builder *builder, struct anole_error *error)
{
    return make_kernel(call, true, builder, error);
}

#define SOFTMAX(NAME, COMPUTE, KERNEL)                                                             \
    const struct anole_op anole_op_##NAME = {                                                      \
        .name = #NAME,                                                                             \
        .flags = ANOLE_OP_ALONG_AXES,                                                              \
        .fewest_inputs = 1,                                                                        \
        .most_inputs = 1,                                                                          \
        .fewest_outputs = 1,                                                                       \
        .most_outputs = 1,                                                                         \
        .attribute_bytes = sizeof(struct softmax),                                                 \
        .defaults = &defaults,                                                                     \
        .keys = keys,                                                                              \
        .infer = infer,                                                                            \
        .compute = COMPUTE,                                                                        \
        .kernel = KERNEL,                                                                          \
    }

SOFTMAX(softmax, compute, kernel);
SOFTMAX(log_softmax, compute_log, kernel_log);
