/* SPDX-License-Identifier: MIT
 *
 * batch_norm: (x - mean) / sqrt(variance + epsilon) * scale + bias, each a list with one
 * number a channel; channels last.
 */
#include "kernels/op_norm.cl.h"
#include "op/iterate.h"
#include "op/parameters.h"
#include "op/plain.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

struct batch_norm {
    double epsilon;
};

static const struct batch_norm defaults = {.epsilon = 1e-5};

static const struct anole_op_key keys[] = {
    {.name = "epsilon", .kind = ANOLE_KEY_REAL, .offset = offsetof(struct batch_norm, epsilon)},
    {.name = NULL},
};

static enum anole_status infer(struct anole_call *call, struct anole_error *error)
{
    static const char *const names[] = {"the input", "the scale", "the bias", "the mean",
                                        "the variance"};
    const struct anole_operand *input = call->inputs[0];
    enum anole_status status = anole_check_rank(input, 1, ANOLE_MAX_RANK, names[0], error);
    for (uint32_t i = 0; i < 5 && status == ANOLE_DONE; i++) {
        status = anole_check_type(call->inputs[i], ANOLE_TYPES_REAL, names[i], error);
        if (status == ANOLE_DONE && i > 0)
            status =
                anole_check_list(call->inputs[i], input->dims[input->rank - 1], names[i], error);
    }
    call->outputs[0] = *input;
    call->outputs[0].data = NULL;
    return status;
}

static enum anole_status compute(const struct anole_call *call, struct anole_error *error)
{
    const struct batch_norm *batch_norm = call->attributes;
    const struct anole_operand *input = call->inputs[0];
    size_t elements = anole_operand_elements(input);
    size_t channels = (size_t)input->dims[input->rank - 1];
    if (elements == 0)
        return ANOLE_DONE;
    double *factor = malloc((3 * channels + 1) * sizeof *factor);
    if (!factor)
        return anole_fail_memory(error);
    double *shift = factor + channels, *x = shift + channels;
    for (size_t c = 0; c < channels; c++) {
        factor[c] = anole_operand_real(call->inputs[1], c) /
                    sqrt(anole_operand_real(call->inputs[4], c) + batch_norm->epsilon);
        shift[c] = anole_operand_real(call->inputs[2], c) -
                   anole_operand_real(call->inputs[3], c) * factor[c];
    }
    for (size_t at = 0; at < elements; at += channels) {
        anole_load_reals(x, input, (int64_t)at, 1, channels);
        for (size_t c = 0; c < channels; c++)
            x[c] = x[c] * factor[c] + shift[c];
        anole_store_reals(&call->outputs[0], (int64_t)at, 1, x, channels);
    }
    free(factor);
    return ANOLE_DONE;
}

static enum anole_status kernel(const struct anole_call *call, struct anole_kernel_builder *builder,
                                struct anole_error *error)
{
    const struct batch_norm *norm = call->attributes;
    const struct anole_operand *input = call->inputs[0];
    const int64_t channels = input->dims[input->rank - 1];
    struct anole_plain_source source = {.builder = builder};
    struct anole_arg args[6] = {[5] = ANOLE_PLAIN_OUTPUT(0)};
    for (uint32_t i = 0; i < 5; i++) {
        args[i] = ANOLE_PLAIN_INPUT(i);
        if (anole_dtype_bytes(call->inputs[i]->dtype) != sizeof(float))
            return anole_plain_none("these types", error);
    }
    if (anole_operand_elements(input) == 0)
        return anole_plain_none("nothing", error);
    anole_plain_define_int(&source, "BATCH_NORM", 1);
    anole_plain_define_real(&source, "EPSILON", norm->epsilon);
    const int64_t items = anole_plain_define_rows(
        &source, (int64_t)anole_operand_elements(input) / channels, channels);
    anole_plain_text(&source, kernel_op_norm);
    anole_plain_launch(&source, "norm", items, args, 6);
    return anole_plain_finish(&source, error);
}

const struct anole_op anole_op_batch_norm = {
    .name = "batch_norm",
    .fewest_inputs = 5,
    .most_inputs = 5,
    .fewest_outputs = 1,
    .most_outputs = 1,
    .attribute_bytes = sizeof(struct batch_norm),
    .defaults = &defaults,
    .keys = keys,
    .infer = infer,
    .compute = compute,
    .kernel = kernel,
};
