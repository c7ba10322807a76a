/* SPDX-License-Identifier: MIT
 *
 * tile: the input beside itself, repeats[i] times along dimension i.
 */
#include "op/iterate.h"
#include "op/parameters.h"
#include "op/plain.h"

#include <inttypes.h>
#include <stddef.h>

struct tile {
    struct anole_ints repeats;
};

static const struct anole_op_key keys[] = {
    {.name = "repeats",
     .kind = ANOLE_KEY_INTS,
     .offset = offsetof(struct tile, repeats),
     .high = INT32_MAX,
     .most = ANOLE_MAX_RANK},
    {.name = NULL},
};

static enum anole_status read_repeats(struct anole_ints *repeats, const struct anole_call *call,
                                      struct anole_error *error)
{
    bool given;
    *repeats = ((const struct tile *)call->attributes)->repeats;
    return anole_input_ints(repeats, &given, call, 1, ANOLE_MAX_RANK, "the repeats", error);
}

static enum anole_status infer(struct anole_call *call, struct anole_error *error)
{
    const struct anole_operand *input = call->inputs[0];
    struct anole_operand *output = &call->outputs[0];
    struct anole_ints repeats;
    enum anole_status status = read_repeats(&repeats, call, error);
    if (status)
        return status;
    if (repeats.count != input->rank)
        return anole_fail(error, ANOLE_ERR_INPUT, "%u repeats; expected %u, one each dimension",
                          repeats.count, input->rank);
    output->dtype = input->dtype;
    output->rank = input->rank;
    for (uint32_t i = 0; i < input->rank; i++) {
        int64_t times = repeats.values[i];
        if (times < 0 || times > INT32_MAX)
            return anole_fail(error, ANOLE_ERR_INPUT,
                              "repeats of %" PRId64 " at place %u; expected 0 to 2^31 - 1", times,
                              i);
        output->dims[i] = input->dims[i] * times;
    }
    return anole_check_size(output, error);
}

static enum anole_status compute(const struct anole_call *call, struct anole_error *error)
{
    const struct anole_operand *input = call->inputs[0];
    struct anole_operand *output = &call->outputs[0];
    struct anole_ints repeats;
    enum anole_status status = read_repeats(&repeats, call, error);
    if (status)
        return status;
    /* One copy of the input for each place that it comes to lie in. */
    int64_t from[ANOLE_MAX_RANK], to[ANOLE_MAX_RANK], index[ANOLE_MAX_RANK] = {0};
    size_t bytes = anole_dtype_bytes(input->dtype);
    if (anole_operand_elements(output) == 0)
        return ANOLE_DONE;
    anole_dense_strides(from, input);
    anole_dense_strides(to, output);
    for (bool more = true; more;) {
        int64_t at = 0;
        for (uint32_t i = 0; i < input->rank; i++)
            at += index[i] * input->dims[i] * to[i];
        anole_copy_strided((char *)output->data + (size_t)at * bytes, to, input->data, from,
                           input->rank, input->dims, bytes);
        more = false;
        for (uint32_t i = input->rank; i-- > 0 && !more;) {
            more = ++index[i] < repeats.values[i];
            if (!more)
                index[i] = 0;
        }
    }
    return ANOLE_DONE;
}

/* Each dimension that is repeated becomes two: the repeats, which have no stride in the input, and
 * the places. */
static enum anole_status kernel(const struct anole_call *call, struct anole_kernel_builder *builder,
                                struct anole_error *error)
{
    const struct anole_operand *input = call->inputs[0];
    struct anole_strided copy = {.rank = 0};
    struct anole_ints repeats;
    int64_t in[ANOLE_MAX_RANK], out[ANOLE_MAX_RANK];
    enum anole_status status = read_repeats(&repeats, call, error);
    if (status)
        return status;
    anole_dense_strides(in, input);
    anole_dense_strides(out, &call->outputs[0]);
    for (uint32_t i = 0; i < input->rank; i++) {
        const int64_t dims[] = {repeats.values[i], input->dims[i]};
        const int64_t from[] = {0, in[i]}, to[] = {input->dims[i] * out[i], out[i]};
        for (uint32_t j = 0; j < 2; j++) {
            if (dims[j] == 1)
                continue;
            if (copy.rank == ANOLE_MAX_RANK)
                return anole_plain_none("so many dimensions", error);
            copy.dims[copy.rank] = dims[j];
            copy.in_strides[copy.rank] = from[j];
            copy.out_strides[copy.rank++] = to[j];
        }
    }
    return anole_plain_strided(builder, input->dtype, &copy, 1, error);
}

const struct anole_op anole_op_tile = {
    .name = "tile",
    .fewest_inputs = 1,
    .most_inputs = 2,
    .fewest_outputs = 1,
    .most_outputs = 1,
    .attribute_bytes = sizeof(struct tile),
    .keys = keys,
    .infer = infer,
    .compute = compute,
    .kernel = kernel,
};
