/* SPDX-License-Identifier: MIT
 *
 * depth_to_space: channels become blocks of places, [n, h, w, c·b²] to [n, h·b, w·b, c].
 * A channel of the input is (row, column, channel) in mode dcr, (channel, row, column) in crd.
 * space_to_depth: the way back of dcr.
 */
#include "op/iterate.h"
#include "op/parameters.h"
#include "op/plain.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

enum { MODE_DCR, MODE_CRD };

static const char *const modes[] = {"dcr", "crd", NULL};

struct block {
    int64_t block;
    uint32_t mode;
};

#define BLOCK                                                                                      \
    {                                                                                              \
        .name = "block", .kind = ANOLE_KEY_INT, .offset = offsetof(struct block, block), .low = 1, \
        .high = 1 << 15, .required = true                                                          \
    }

static const struct anole_op_key space_keys[] = {
    BLOCK,
    {.name = "mode",
     .kind = ANOLE_KEY_CHOICE,
     .offset = offsetof(struct block, mode),
     .choices = modes},
    {.name = NULL},
};

static const struct anole_op_key depth_keys[] = {BLOCK, {.name = NULL}};

static const struct block defaults = {.block = 1};

static enum anole_status infer_space(struct anole_call *call, struct anole_error *error)
{
    const struct block *block = call->attributes;
    const struct anole_operand *input = call->inputs[0];
    struct anole_operand *output = &call->outputs[0];
    int64_t b = block->block;
    enum anole_status status = anole_check_rank(input, 4, 4, "the input", error);
    if (status)
        return status;
    if (input->dims[3] % (b * b))
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "%" PRId64 " channels; expected a multiple of %" PRId64
                          ", the block's places",
                          input->dims[3], b * b);
    *output = *input;
    output->data = NULL;
    output->dims[1] *= b;
    output->dims[2] *= b;
    output->dims[3] /= b * b;
    return anole_check_size(output, error);
}

static enum anole_status infer_depth(struct anole_call *call, struct anole_error *error)
{
    const struct block *block = call->attributes;
    const struct anole_operand *input = call->inputs[0];
    struct anole_operand *output = &call->outputs[0];
    int64_t b = block->block;
    enum anole_status status = anole_check_rank(input, 4, 4, "the input", error);
    if (status)
        return status;
    if (input->dims[1] % b || input->dims[2] % b)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "height %" PRId64 " and width %" PRId64
                          "; expected multiples of the block, %" PRId64,
                          input->dims[1], input->dims[2], b);
    *output = *input;
    output->data = NULL;
    output->dims[1] /= b;
    output->dims[2] /= b;
    output->dims[3] *= b * b;
    return anole_check_size(output, error);
}

/* Between `deep` [n, h, w, c·b²] and `wide` [n, h·b, w·b, c], as dimensions n, h, row, w,
 * column, channel. */
static struct anole_strided make_copy(const struct anole_operand *deep, const struct block *block,
                                      bool to_wide)
{
    int64_t b = block->block, h = deep->dims[1], w = deep->dims[2], c = deep->dims[3] / (b * b);
    int64_t dims[] = {deep->dims[0], h, b, w, b, c};
    int64_t wide[] = {h * b * w * b * c, b * w * b * c, w * b * c, b * c, c, 1};
    int64_t full = c * b * b;
    int64_t dcr[] = {h * w * full, w * full, b * c, full, c, 1};
    int64_t crd[] = {h * w * full, w * full, b, full, 1, b * b};
    const int64_t *from = block->mode == MODE_CRD ? crd : dcr;
    struct anole_strided copy = {.rank = 6};
    memcpy(copy.dims, dims, sizeof dims);
    memcpy(copy.in_strides, to_wide ? from : wide, sizeof wide);
    memcpy(copy.out_strides, to_wide ? wide : from, sizeof wide);
    return copy;
}

static void move(const struct anole_call *call, const struct anole_operand *deep, bool to_wide)
{
    struct anole_strided copy = make_copy(deep, call->attributes, to_wide);
    anole_copy_strided(call->outputs[0].data, copy.out_strides, call->inputs[0]->data,
                       copy.in_strides, copy.rank, copy.dims, anole_dtype_bytes(deep->dtype));
}

static enum anole_status compute_space(const struct anole_call *call, struct anole_error *error)
{
    (void)error;
    move(call, call->inputs[0], true);
    return ANOLE_DONE;
}

static enum anole_status compute_depth(const struct anole_call *call, struct anole_error *error)
{
    (void)error;
    move(call, &call->outputs[0], false);
    return ANOLE_DONE;
}

static enum anole_status kernel_space(const struct anole_call *call,
                                      struct anole_kernel_builder *builder,
                                      struct anole_error *error)
{
    const struct anole_strided copy = make_copy(call->inputs[0], call->attributes, true);
    return anole_plain_strided(builder, call->outputs[0].dtype, &copy, 1, error);
}

static enum anole_status kernel_depth(const struct anole_call *call,
                                      struct anole_kernel_builder *builder,
                                      struct anole_error *error)
{
    const struct anole_strided copy = make_copy(&call->outputs[0], call->attributes, false);
    return anole_plain_strided(builder, call->outputs[0].dtype, &copy, 1, error);
}

#define MOVE(NAME, KEYS, INFER, COMPUTE, KERNEL)                                                   \
    const struct anole_op anole_op_##NAME = {                                                      \
        .name = #NAME,                                                                             \
        .fewest_inputs = 1,                                                                        \
        .most_inputs = 1,                                                                          \
        .fewest_outputs = 1,                                                                       \
        .most_outputs = 1,                                                                         \
        .attribute_bytes = sizeof(struct block),                                                   \
        .defaults = &defaults,                                                                     \
        .keys = KEYS,                                                                              \
        .infer = INFER,                                                                            \
        .compute = COMPUTE,                                                                        \
        .kernel = KERNEL,                                                                          \
    }

MOVE(depth_to_space, space_keys, infer_space, compute_space, kernel_space);
MOVE(space_to_depth, depth_keys, infer_depth, compute_depth, kernel_depth);
