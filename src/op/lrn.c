/* SPDX-License-Identifier: MIT
 *
 * lrn: x / (bias + alpha / size * s)^beta, where s is the sum of squares over the `size`
 * channels (the last dimension) around x, of even sizes one more behind it.
 */
#include "kernels/op_norm.cl.h"
#include "op/iterate.h"
#include "op/parameters.h"
#include "op/plain.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

struct lrn {
    int64_t size;
    double alpha, beta, bias;
};

static const struct lrn defaults = {.size = 1, .alpha = 1e-4, .beta = 0.75, .bias = 1};

static const struct anole_op_key keys[] = {
    {.name = "size",
     .kind = ANOLE_KEY_INT,
     .offset = offsetof(struct lrn, size),
     .low = 1,
     .high = INT32_MAX,
     .required = true},
    {.name = "alpha", .kind = ANOLE_KEY_REAL, .offset = offsetof(struct lrn, alpha)},
    {.name = "beta", .kind = ANOLE_KEY_REAL, .offset = offsetof(struct lrn, beta)},
    {.name = "bias", .kind = ANOLE_KEY_REAL, .offset = offsetof(struct lrn, bias)},
    {.name = NULL},
};

static enum anole_status infer(struct anole_call *call, struct anole_error *error)
{
    enum anole_status status =
        anole_check_type(call->inputs[0], ANOLE_TYPES_REAL, "the input", error);
    if (status == ANOLE_DONE)
        status = anole_check_rank(call->inputs[0], 1, ANOLE_MAX_RANK, "the input", error);
    call->outputs[0] = *call->inputs[0];
    call->outputs[0].data = NULL;
    return status;
}

/* y = normalised x. */
static void normalise(double *y, const double *x, int64_t channels, const struct lrn *lrn)
{
    int64_t before = (lrn->size - 1) / 2, behind = lrn->size - 1 - before;
    for (int64_t c = 0; c < channels; c++) {
        int64_t first = c > before ? c - before : 0;
        int64_t end = c + behind + 1 < channels ? c + behind + 1 : channels;
        double sum = 0;
        for (int64_t i = first; i < end; i++)
            sum += x[i] * x[i];
        y[c] = x[c] / pow(lrn->bias + lrn->alpha / (double)lrn->size * sum, lrn->beta);
    }
}

static enum anole_status compute(const struct anole_call *call, struct anole_error *error)
{
    const struct anole_operand *input = call->inputs[0];
    int64_t channels = input->dims[input->rank - 1];
    size_t elements = anole_operand_elements(input);
    if (elements == 0)
        return ANOLE_DONE;
    double *x = malloc(2 * (size_t)channels * sizeof *x);
    if (!x)
        return anole_fail_memory(error);
    for (int64_t at = 0; at < (int64_t)elements; at += channels) {
        anole_load_reals(x, input, at, 1, (size_t)channels);
        normalise(x + channels, x, channels, call->attributes);
        anole_store_reals(&call->outputs[0], at, 1, x + channels, (size_t)channels);
    }
    free(x);
    return ANOLE_DONE;
}

static enum anole_status kernel(const struct anole_call *call, struct anole_kernel_builder *builder,
                                struct anole_error *error)
{
    const struct lrn *lrn = call->attributes;
    const struct anole_operand *input = call->inputs[0];
    const int64_t channels = input->dims[input->rank - 1];
    struct anole_plain_source source = {.builder = builder};
    if (anole_dtype_bytes(input->dtype) != sizeof(float) || anole_operand_elements(input) == 0)
        return anole_plain_none("this type", error);
    const int64_t before = (lrn->size - 1) / 2, behind = lrn->size - 1 - before;
    anole_plain_define_int(&source, "LRN", 1);
    anole_plain_define_int(&source, "BEFORE", before < channels ? before : channels);
    anole_plain_define_int(&source, "BEHIND", behind < channels ? behind : channels);
    anole_plain_define_real(&source, "ALPHA", lrn->alpha / (double)lrn->size);
    anole_plain_define_real(&source, "BETA", lrn->beta);
    anole_plain_define_real(&source, "BIAS", lrn->bias);
    const int64_t items = anole_plain_define_rows(
        &source, (int64_t)anole_operand_elements(input) / channels, channels);
    anole_plain_text(&source, kernel_op_norm);
    const struct anole_arg args[] = {ANOLE_PLAIN_INPUT(0), ANOLE_PLAIN_OUTPUT(0)};
    anole_plain_launch(&source, "norm", items, args, 2);
    return anole_plain_finish(&source, error);
}

const struct anole_op anole_op_lrn = {
    .name = "lrn",
    .fewest_inputs = 1,
    .most_inputs = 1,
    .fewest_outputs = 1,
    .most_outputs = 1,
    .attribute_bytes = sizeof(struct lrn),
    .defaults = &defaults,
    .keys = keys,
    .infer = infer,
    .compute = compute,
    .kernel = kernel,
};
