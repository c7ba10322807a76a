/* SPDX-License-Identifier: MIT
 *
 * Loop and Scan: as many copies of their body as there are rounds, each of which reads what the
 * one before made.  How many there are must be known when the network is loaded.
 */
#include "frontend/onnx_translate.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MOST_ROUNDS 1024 /* of one node */

struct rounds {
    const struct anole_onnx_graph *body;
    size_t states;   /* tensors that go from round to round */
    size_t scans;    /* of each of which a round makes a part */
    size_t *state;   /* [states] */
    size_t *parts;   /* [scans][MOST_ROUNDS] */
    int64_t *axes;   /* [scans]: along which the parts stand */
    bool *backwards; /* [scans]: the last round's comes first */
    size_t count;    /* rounds so far */
};

static void rounds_fini(struct rounds *r)
{
    free(r->state);
    free(r->parts);
    free(r->axes);
    free(r->backwards);
}

/* `first`: outputs of the body before those that go on. */
static void rounds_init(struct anole_onnx_context *context, struct rounds *r, size_t states,
                        size_t inputs, size_t first)
{
    const struct anole_onnx_attribute *attribute =
        anole_onnx_need_kind(context, "body", ANOLE_ONNX_ATTRIBUTE_GRAPH);
    *r = (struct rounds){.states = states};
    if (!attribute)
        anole_onnx_refuse(context, "it has no body");
    if (context->status)
        return;
    r->body = &attribute->graphs[0];
    if (r->body->input_count != inputs || r->body->output_count < first + states)
        anole_onnx_refuse(context,
                          "its body has %zu inputs and %zu outputs; expected %zu, and %zu or more",
                          r->body->input_count, r->body->output_count, inputs, first + states);
    if (context->status)
        return;
    r->scans = r->body->output_count - first - states;
    if (r->scans > ANOLE_MAX_OPERANDS) {
        anole_onnx_refuse(context, "its rounds make %zu parts; expected at most %d", r->scans,
                          ANOLE_MAX_OPERANDS);
        r->scans = 0;
        return;
    }
    r->state = calloc(states + 1, sizeof *r->state);
    r->parts = calloc(r->scans * MOST_ROUNDS + 1, sizeof *r->parts);
    r->axes = calloc(r->scans + 1, sizeof *r->axes);
    r->backwards = calloc(r->scans + 1, sizeof *r->backwards);
    if (!r->state || !r->parts || !r->axes || !r->backwards)
        anole_onnx_fail_with(context, anole_fail_memory(context->error));
    else if (context->node->output_count > states + r->scans)
        anole_onnx_refuse(context, "it has %zu outputs; its body makes %zu",
                          context->node->output_count, states + r->scans);
}

/* A tensor with one more dimension, of size 1, at an axis; or with one less. */
static size_t with_axis(struct anole_onnx_context *context, size_t x, int64_t *axis, bool more)
{
    const struct anole_operand *type = anole_onnx_type(context, x);
    const int64_t rank = type->rank + more;
    int64_t dims[ANOLE_MAX_RANK + 1];
    uint32_t count = 0;
    if (context->status)
        return ANOLE_NONE;
    const int64_t at = *axis < 0 ? *axis + rank : *axis;
    if (at < 0 || at >= rank || rank > ANOLE_MAX_RANK) {
        anole_onnx_refuse(context, "an axis is %" PRId64 " of %" PRId64 " dimensions", *axis, rank);
        return ANOLE_NONE;
    }
    *axis = at;
    for (int64_t i = 0, from = 0; i < rank; i++) {
        if (more)
            dims[count++] = i == at ? 1 : type->dims[from++];
        else if (i != at)
            dims[count++] = type->dims[i];
    }
    return anole_onnx_reshape(context, x, dims, count);
}

/* One copy of the body, whose inputs are set. */
static void run_body(struct anole_onnx_context *context, struct rounds *r, size_t first)
{
    if (r->count == MOST_ROUNDS)
        anole_onnx_refuse(context, "it has more than %d rounds", MOST_ROUNDS);
    anole_onnx_body_import(context, r->body);
    for (size_t i = 0; i < r->states && !context->status; i++)
        r->state[i] = anole_onnx_body_get(context, r->body, r->body->outputs[first + i].name);
    for (size_t i = 0; i < r->scans && !context->status; i++) {
        const char *name = r->body->outputs[first + r->states + i].name;
        r->parts[i * MOST_ROUNDS + r->count] =
            with_axis(context, anole_onnx_body_get(context, r->body, name), &r->axes[i], true);
    }
    r->count++;
}

/* What the node makes of all rounds. */
static void finish(struct anole_onnx_context *context, struct rounds *r)
{
    const size_t outputs = context->node->output_count;
    for (size_t i = 0; i < r->states && i < outputs && !context->status; i++)
        context->outputs[i] = r->state[i];
    for (size_t i = 0; i < r->scans && r->states + i < outputs && !context->status; i++) {
        size_t *parts = r->parts + i * MOST_ROUNDS;
        if (!anole_onnx_wants(context, r->states + i))
            continue;
        if (r->count == 0) {
            anole_onnx_refuse(context,
                              "it has no rounds, so that the shape of its output %zu is "
                              "not known",
                              r->states + i);
            return;
        }
        for (size_t k = 0; r->backwards[i] && k < r->count / 2; k++) {
            const size_t other = parts[r->count - 1 - k];
            parts[r->count - 1 - k] = parts[k];
            parts[k] = other;
        }
        size_t y = anole_onnx_add(context, "concat", parts, r->count);
        anole_onnx_set_int(context, "axis", r->axes[i]);
        context->outputs[r->states + i] = anole_onnx_done(context, y);
    }
}

/* ------------------------------------------------------------------------ Loop */

static size_t constant_scalar(struct anole_onnx_context *context, uint32_t dtype, int64_t value)
{
    size_t tensor = ANOLE_NONE;
    int64_t bits = 0;
    struct anole_operand scalar = {.dtype = dtype, .data = &bits};
    anole_operand_set_int(&scalar, 0, value);
    if (context->status == ANOLE_DONE)
        anole_onnx_fail_with(context, anole_graph_add_constant(context->graph, &tensor, NULL,
                                                               &scalar, false, context->error));
    return tensor;
}

/* The one number of a tensor that is known; `otherwise`: there is no tensor. */
static int64_t known_number(struct anole_onnx_context *context, size_t tensor, const char *what,
                            int64_t otherwise)
{
    if (tensor == ANOLE_NONE || context->status)
        return otherwise;
    const struct anole_operand *type = anole_onnx_type(context, tensor);
    if (!type->data)
        anole_onnx_refuse(context,
                          "%s is known only when the network runs; expected a constant, as rounds "
                          "are laid out one behind the other",
                          what);
    else if (anole_operand_elements(type) != 1 || anole_dtype_is_real(type->dtype))
        anole_onnx_refuse(context, "%s is no single whole number", what);
    return context->status ? otherwise : anole_operand_int(type, 0);
}

static void loop(struct anole_onnx_context *context)
{
    struct rounds r;
    const size_t states = context->node->input_count < 2 ? 0 : context->node->input_count - 2;
    rounds_init(context, &r, states, states + 2, 1);
    const int64_t trips =
        known_number(context, anole_onnx_input(context, 0), "its trip count", INT64_MAX);
    bool goes_on = known_number(context, anole_onnx_input(context, 1), "its condition", true) != 0;
    for (size_t i = 0; i < states && !context->status; i++)
        r.state[i] = anole_onnx_need(context, i + 2);
    for (int64_t t = 0; t < trips && goes_on && !context->status; t++) {
        anole_onnx_body_set(context, r.body, r.body->inputs[0].name,
                            constant_scalar(context, ANOLE_I64, t));
        anole_onnx_body_set(context, r.body, r.body->inputs[1].name,
                            constant_scalar(context, ANOLE_BOOL, 1));
        for (size_t i = 0; i < states; i++)
            anole_onnx_body_set(context, r.body, r.body->inputs[i + 2].name, r.state[i]);
        run_body(context, &r, 1);
        if (context->status)
            break;
        goes_on =
            known_number(context, anole_onnx_body_get(context, r.body, r.body->outputs[0].name),
                         "the condition that its body makes", true) != 0;
    }
    finish(context, &r);
    rounds_fini(&r);
}

/* ------------------------------------------------------------------------ Scan */

/* Part `at` of a tensor along an axis, which then is gone. */
static size_t part_of(struct anole_onnx_context *context, size_t x, int64_t axis, int64_t at)
{
    const struct anole_ints starts = {.count = 1, .values = {at}};
    const struct anole_ints ends = {.count = 1, .values = {at + 1}};
    const struct anole_ints axes = {.count = 1, .values = {axis}};
    size_t y = anole_onnx_add1(context, "slice", x);
    anole_onnx_set_ints(context, "starts", &starts);
    anole_onnx_set_ints(context, "ends", &ends);
    anole_onnx_set_ints(context, "axes", &axes);
    return with_axis(context, anole_onnx_done(context, y), &axis, false);
}

/* One number for each of `count` tensors, 0 where there is no such attribute. */
static void read_list(struct anole_onnx_context *context, struct anole_ints *list, const char *name,
                      size_t count)
{
    *list = (struct anole_ints){.count = 0};
    if (anole_onnx_get_ints(context, name, list) && list->count != count)
        anole_onnx_refuse(context, "%u numbers in %s; expected %zu", list->count, name, count);
    if (count > ANOLE_MAX_INTS)
        anole_onnx_refuse(context, "it has %zu inputs or outputs to scan", count);
    for (size_t i = list->count; i < count && i < ANOLE_MAX_INTS; i++)
        list->values[i] = 0;
}

/* The rounds that an input has; -1: any.  *axis: from the front. */
static int64_t rounds_of(struct anole_onnx_context *context, size_t x, int64_t *axis)
{
    const struct anole_operand *type = anole_onnx_type(context, x);
    if (context->status)
        return -1;
    if (*axis < 0)
        *axis += type->rank;
    if (*axis < 0 || *axis >= type->rank) {
        anole_onnx_refuse(context, "an axis to scan along is not among %u dimensions", type->rank);
        return -1;
    }
    return type->dims[*axis];
}

static void scan(struct anole_onnx_context *context)
{
    struct rounds r;
    struct anole_ints axes, turned, out_axes, out_turned;
    const int64_t given = anole_onnx_get_int(context, "num_scan_inputs", 0);
    const size_t inputs = context->node->input_count;
    int64_t trips = -1;
    if (context->opset < 9)
        anole_onnx_refuse(context, "Scan before opset 9 is not supported");
    if (given < 1 || (uint64_t)given > inputs)
        anole_onnx_refuse(context, "%" PRId64 " inputs to scan; expected 1 to %zu", given, inputs);
    if (context->status)
        return;
    const size_t scanned = (size_t)given, states = inputs - scanned;
    rounds_init(context, &r, states, inputs, 0);
    read_list(context, &axes, "scan_input_axes", scanned);
    read_list(context, &turned, "scan_input_directions", scanned);
    read_list(context, &out_axes, "scan_output_axes", r.scans);
    read_list(context, &out_turned, "scan_output_directions", r.scans);
    for (size_t i = 0; i < scanned && !context->status; i++) {
        const int64_t rounds =
            rounds_of(context, anole_onnx_need(context, states + i), &axes.values[i]);
        if (trips >= 0 && rounds != trips)
            anole_onnx_refuse(context, "inputs to scan have %" PRId64 " and %" PRId64 " rounds",
                              trips, rounds);
        trips = rounds;
    }
    for (size_t i = 0; i < states && !context->status; i++)
        r.state[i] = anole_onnx_need(context, i);
    for (size_t i = 0; i < r.scans && !context->status; i++) {
        r.axes[i] = out_axes.values[i];
        r.backwards[i] = out_turned.values[i] != 0;
    }
    for (int64_t t = 0; t < trips && !context->status; t++) {
        for (size_t i = 0; i < states; i++)
            anole_onnx_body_set(context, r.body, r.body->inputs[i].name, r.state[i]);
        for (size_t i = 0; i < scanned && !context->status; i++)
            anole_onnx_body_set(context, r.body, r.body->inputs[states + i].name,
                                part_of(context, context->inputs[states + i], axes.values[i],
                                        turned.values[i] ? trips - 1 - t : t));
        run_body(context, &r, 0);
    }
    finish(context, &r);
    rounds_fini(&r);
}

const struct anole_onnx_translator anole_onnx_loops[] = {
    {"Loop", loop, NULL},
    {"Scan", scan, NULL},
    {NULL, NULL, NULL},
};
