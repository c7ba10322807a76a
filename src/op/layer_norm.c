/* SPDX-License-Identifier: MIT
 *
 * layer_norm: (x - mean) / sqrt(variance + epsilon) * scale + bias, where mean and variance
 * are those of all dimensions from `axis` on.  Scale and bias broadcast to x.  Second and
 * third outputs: mean, and 1 / sqrt(variance + epsilon), of F32.
 */
#include "kernels/op_norm.cl.h"
#include "op/iterate.h"
#include "op/parameters.h"
#include "op/plain.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct layer_norm {
    int64_t axis;
    double epsilon;
};

static const struct layer_norm defaults = {.axis = -1, .epsilon = 1e-5};

static const struct anole_op_key keys[] = {
    {.name = "axis",
     .kind = ANOLE_KEY_INT,
     .offset = offsetof(struct layer_norm, axis),
     .low = -ANOLE_MAX_RANK,
     .high = ANOLE_MAX_RANK - 1},
    {.name = "epsilon", .kind = ANOLE_KEY_REAL, .offset = offsetof(struct layer_norm, epsilon)},
    {.name = NULL},
};

/* That scale or bias fits without making x larger. */
static enum anole_status check_parameter(const struct anole_operand *input,
                                         const struct anole_operand *parameter, const char *what,
                                         struct anole_error *error)
{
    struct anole_operand both = {0};
    char shapes[2][128];
    enum anole_status status = anole_check_type(parameter, ANOLE_TYPES_REAL, what, error);
    if (status == ANOLE_DONE)
        status = anole_operand_broadcast(&both, input, parameter, error);
    if (status == ANOLE_DONE && !anole_operand_same_shape(&both, input))
        status = anole_fail(error, ANOLE_ERR_INPUT,
                            "%s has the shape %s; expected one that broadcasts to %s", what,
                            anole_operand_shape_text(shapes[0], sizeof shapes[0], parameter),
                            anole_operand_shape_text(shapes[1], sizeof shapes[1], input));
    return status;
}

static enum anole_status infer(struct anole_call *call, struct anole_error *error)
{
    const struct layer_norm *norm = call->attributes;
    const struct anole_operand *input = call->inputs[0], *bias = anole_call_input(call, 2);
    uint32_t axis;
    enum anole_status status = anole_check_type(input, ANOLE_TYPES_REAL, "the input", error);
    if (status == ANOLE_DONE)
        status = anole_operand_axis(&axis, norm->axis, input->rank, error);
    if (status == ANOLE_DONE)
        status = check_parameter(input, call->inputs[1], "the scale", error);
    if (status == ANOLE_DONE && bias)
        status = check_parameter(input, bias, "the bias", error);
    if (status)
        return status;
    for (uint32_t i = 0; i < call->output_count && status == ANOLE_DONE; i++) {
        call->outputs[i] = *input;
        call->outputs[i].data = NULL;
        for (uint32_t d = axis; i > 0 && d < input->rank; d++)
            call->outputs[i].dims[d] = 1;
        if (i > 0)
            call->outputs[i].dtype = ANOLE_F32;
        status = anole_check_size(&call->outputs[i], error);
    }
    return status;
}

/* Normalises x[count]; *deviation: 1 / sqrt(variance + epsilon). */
static void normalise(double *x, size_t count, double epsilon, double *mean, double *deviation)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < count; i++)
        sum += x[i];
    *mean = sum / (double)count;
    for (size_t i = 0; i < count; i++) {
        x[i] -= *mean;
        squares += x[i] * x[i];
    }
    *deviation = 1 / sqrt(squares / (double)count + epsilon);
    for (size_t i = 0; i < count; i++)
        x[i] *= *deviation;
}

/* y = y * scale + bias, element by element as they broadcast. */
static void apply_parameters(const struct anole_call *call)
{
    const struct anole_operand *bias = anole_call_input(call, 2), *shape = call->inputs[0];
    struct anole_operand *output = &call->outputs[0];
    int64_t strides[3][ANOLE_MAX_RANK];
    struct anole_walk walk;
    double y[ANOLE_CHUNK], scale[ANOLE_CHUNK], shift[ANOLE_CHUNK] = {0};
    anole_dense_strides(strides[0], shape);
    anole_operand_strides(strides[1], call->inputs[1], shape);
    anole_operand_strides(strides[2], bias ? bias : call->inputs[1], shape);
    for (bool more = anole_walk_begin(&walk, shape->rank, shape->dims, 3, strides); more;
         more = anole_walk_next(&walk))
        for (int64_t i = 0; i < walk.length; i += ANOLE_CHUNK) {
            size_t count = (size_t)(walk.length - i < ANOLE_CHUNK ? walk.length - i : ANOLE_CHUNK);
            int64_t at = walk.at[0] + i;
            anole_load_reals(y, output, at, 1, count);
            anole_load_reals(scale, call->inputs[1], walk.at[1] + i * walk.step[1], walk.step[1],
                             count);
            if (bias)
                anole_load_reals(shift, bias, walk.at[2] + i * walk.step[2], walk.step[2], count);
            for (size_t j = 0; j < count; j++)
                y[j] = y[j] * scale[j] + shift[j];
            anole_store_reals(output, at, 1, y, count);
        }
}

static enum anole_status compute(const struct anole_call *call, struct anole_error *error)
{
    const struct layer_norm *norm = call->attributes;
    const struct anole_operand *input = call->inputs[0];
    size_t elements = anole_operand_elements(input), count = 1;
    uint32_t axis;
    enum anole_status status = anole_operand_axis(&axis, norm->axis, input->rank, error);
    for (uint32_t i = 1; i < call->output_count && elements == 0 && call->outputs[i].data; i++)
        for (size_t j = 0; j < anole_operand_elements(&call->outputs[i]); j++)
            anole_operand_set_real(&call->outputs[i], j, NAN); /* the mean of nothing */
    if (status || elements == 0)
        return status;
    for (uint32_t i = axis; i < input->rank; i++)
        count *= (size_t)input->dims[i];
    double *x = malloc(count * sizeof *x);
    if (!x)
        return anole_fail_memory(error);
    for (size_t at = 0; at < elements; at += count) {
        double found[2];
        anole_load_reals(x, input, (int64_t)at, 1, count);
        normalise(x, count, norm->epsilon, &found[0], &found[1]);
        anole_store_reals(&call->outputs[0], (int64_t)at, 1, x, count);
        for (uint32_t i = 1; i < call->output_count; i++)
            if (call->outputs[i].data)
                anole_operand_set_real(&call->outputs[i], at / count, found[i - 1]);
    }
    free(x);
    apply_parameters(call);
    return ANOLE_DONE;
}

/* Whether a parameter has an element for each that is normalised together. */
static bool is_whole(const struct anole_operand *parameter, const struct anole_operand *input,
                     uint32_t axis)
{
    const uint32_t rank = input->rank - axis;
    uint32_t skip = 0;
    if (anole_dtype_bytes(parameter->dtype) != sizeof(float))
        return false;
    while (parameter->rank - skip > rank && parameter->dims[skip] == 1)
        skip++;
    return parameter->rank - skip == rank &&
           memcmp(parameter->dims + skip, input->dims + axis, rank * sizeof *input->dims) == 0;
}

static enum anole_status kernel(const struct anole_call *call, struct anole_kernel_builder *builder,
                                struct anole_error *error)
{
    const struct layer_norm *norm = call->attributes;
    const struct anole_operand *input = call->inputs[0], *bias = anole_call_input(call, 2);
    struct anole_plain_source source = {.builder = builder};
    struct anole_arg args[6] = {ANOLE_PLAIN_INPUT(0), ANOLE_PLAIN_INPUT(1)};
    uint32_t axis, count = 2;
    int64_t length = 1;
    enum anole_status status = anole_operand_axis(&axis, norm->axis, input->rank, error);
    if (status)
        return status;
    if (anole_dtype_bytes(input->dtype) != sizeof(float) || anole_operand_elements(input) == 0 ||
        !is_whole(call->inputs[1], input, axis) || (bias && !is_whole(bias, input, axis)) ||
        call->output_count > 1)
        return anole_plain_none("these types, shapes or outputs", error);
    for (uint32_t i = axis; i < input->rank; i++)
        length *= input->dims[i];
    const int64_t items = (int64_t)anole_operand_elements(input) / length;
    anole_plain_define_int(&source, "LAYER_NORM", 1);
    if (bias) {
        anole_plain_define_int(&source, "BIAS", 1);
        args[count++] = ANOLE_PLAIN_INPUT(2);
    }
    args[count++] = ANOLE_PLAIN_OUTPUT(0);
    anole_plain_define_real(&source, "EPSILON", norm->epsilon);
    anole_plain_define_int(&source, "AXIS", length);
    anole_plain_define_int(&source, "WIDTH", length >= 256 ? 16 : 8);
    anole_plain_define_int(&source, "ITEMS", items);
    anole_plain_text(&source, kernel_op_norm);
    anole_plain_launch(&source, "norm", items, args, count);
    return anole_plain_finish(&source, error);
}

const struct anole_op anole_op_layer_norm = {
    .name = "layer_norm",
    .fewest_inputs = 2,
    .most_inputs = 3,
    .fewest_outputs = 1,
    .most_outputs = 3,
    .attribute_bytes = sizeof(struct layer_norm),
    .defaults = &defaults,
    .keys = keys,
    .infer = infer,
    .compute = compute,
    .kernel = kernel,
};
