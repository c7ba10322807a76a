/* SPDX-License-Identifier: MIT
 *
 * ONNX's operators that move elements: shapes, slices, gathering, padding.
 */
#include "frontend/onnx_translate.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The operator of ours that takes the same inputs, and no attributes but `axis`. */
static void forward(struct anole_onnx_context *context, const char *op, size_t most)
{
    size_t count = context->node->input_count < most ? context->node->input_count : most;
    size_t y = anole_onnx_add(context, op, context->inputs, count);
    if (anole_onnx_has(context, "axis"))
        anole_onnx_set_int(context, "axis", anole_onnx_get_int(context, "axis", 0));
    context->outputs[0] = y;
}

static void forward_all(struct anole_onnx_context *context)
{
    forward(context, context->translator->function, 3);
    anole_onnx_done(context, ANOLE_NONE);
}

static void concat(struct anole_onnx_context *context)
{
    size_t y = anole_onnx_add(context, "concat", context->inputs, context->node->input_count);
    if (!anole_onnx_has(context, "axis"))
        anole_onnx_refuse(context, "it has no axis");
    anole_onnx_set_int(context, "axis", anole_onnx_get_int(context, "axis", 0));
    context->outputs[0] = anole_onnx_done(context, y);
}

/* Sizes are an attribute before opset 13, then an input; neither: equal parts, of which the
 * last may be smaller from 18 on. */
static void split(struct anole_onnx_context *context)
{
    struct anole_ints sizes;
    size_t x = anole_onnx_need(context, 0);
    size_t *outputs = calloc(context->node->output_count + 1, sizeof *outputs);
    if (!outputs) {
        anole_onnx_refuse(context, "out of memory");
        return;
    }
    bool given = anole_onnx_numbers(context, "split", 1, &sizes);
    anole_onnx_add_many(context, "split", &x, 1, outputs, context->node->output_count);
    anole_onnx_set_int(context, "axis", anole_onnx_get_int(context, "axis", 0));
    if (given)
        anole_onnx_set_ints(context, "sizes", &sizes);
    anole_onnx_done(context, ANOLE_NONE);
    for (size_t i = 0; i < context->node->output_count; i++)
        context->outputs[i] = outputs[i];
    free(outputs);
}

/* True if input i is a constant, or absent. */
static bool is_known(const struct anole_onnx_context *context, size_t i)
{
    size_t tensor = anole_onnx_input(context, i);
    return tensor == ANOLE_NONE || anole_onnx_type(context, tensor)->data;
}

/* Numbers 0 to count - 1, where a list of axes is absent. */
static void all_axes(struct anole_ints *axes, uint32_t count)
{
    axes->count = count;
    for (uint32_t i = 0; i < count; i++)
        axes->values[i] = i;
}

/* Attributes before opset 10, then inputs; ours take both, and say all axes by number, so that
 * these can be renumbered. */
static void slice(struct anole_onnx_context *context)
{
    struct anole_ints starts = {.count = 0}, ends = {.count = 0}, axes, steps;
    size_t x = anole_onnx_need(context, 0);
    bool known = is_known(context, 1) && is_known(context, 2) && is_known(context, 3) &&
                 is_known(context, 4);
    if (!known) {
        size_t count = context->node->input_count < 5 ? context->node->input_count : 5;
        context->outputs[0] =
            anole_onnx_done(context, anole_onnx_add(context, "slice", context->inputs, count));
        return;
    }
    if (!anole_onnx_numbers(context, "starts", 1, &starts) ||
        !anole_onnx_numbers(context, "ends", 2, &ends))
        anole_onnx_refuse(context, "it has no starts or ends");
    bool has_axes = anole_onnx_numbers(context, "axes", 3, &axes);
    bool has_steps = anole_onnx_numbers(context, "steps", 4, &steps);
    if (!has_axes)
        all_axes(&axes, starts.count);
    size_t y = anole_onnx_add1(context, "slice", x);
    anole_onnx_set_ints(context, "starts", &starts);
    anole_onnx_set_ints(context, "ends", &ends);
    anole_onnx_set_ints(context, "axes", &axes);
    if (has_steps)
        anole_onnx_set_ints(context, "steps", &steps);
    context->outputs[0] = anole_onnx_done(context, y);
}

static void gather_nd(struct anole_onnx_context *context)
{
    size_t y = anole_onnx_add2(context, "gather_nd", anole_onnx_need(context, 0),
                               anole_onnx_need(context, 1));
    anole_onnx_set_int(context, "batch_dims", anole_onnx_get_int(context, "batch_dims", 0));
    context->outputs[0] = anole_onnx_done(context, y);
}

static void scatter(struct anole_onnx_context *context)
{
    forward(context, context->translator->function, 3);
    if (anole_onnx_has(context, "reduction"))
        anole_onnx_set_choice(context, "reduction",
                              anole_onnx_get_text(context, "reduction", "none"));
    anole_onnx_done(context, ANOLE_NONE);
}

/* Pads and value are attributes before opset 11, then inputs. */
static void pad(struct anole_onnx_context *context)
{
    const char *mode = anole_onnx_get_text(context, "mode", "constant");
    size_t x = anole_onnx_need(context, 0), y, value = anole_onnx_input(context, 2);
    struct anole_ints pads, axes;
    /* The value of a type other than f32 stays an input, lest it be rounded. */
    bool known = is_known(context, 1) && is_known(context, 2) && is_known(context, 3) &&
                 (value == ANOLE_NONE || anole_onnx_type(context, value)->dtype == ANOLE_F32);
    if (!known) {
        size_t count = context->node->input_count < 4 ? context->node->input_count : 4;
        y = anole_onnx_add(context, "pad", context->inputs, count);
    } else {
        if (!anole_onnx_numbers(context, "pads", 1, &pads))
            anole_onnx_refuse(context, "it has no pads");
        if (!anole_onnx_numbers(context, "axes", 3, &axes))
            all_axes(&axes, anole_onnx_rank(context, x));
        double filling = anole_onnx_get_real(context, "value", 0);
        if (value != ANOLE_NONE && anole_operand_elements(anole_onnx_type(context, value)) == 1)
            filling = anole_operand_real(anole_onnx_type(context, value), 0);
        y = anole_onnx_add1(context, "pad", x);
        anole_onnx_set_ints(context, "pads", &pads);
        anole_onnx_set_ints(context, "axes", &axes);
        anole_onnx_set_real(context, "value", filling);
    }
    anole_onnx_set_choice(context, "mode", mode);
    context->outputs[0] = anole_onnx_done(context, y);
}

static void transpose(struct anole_onnx_context *context)
{
    struct anole_ints perm;
    size_t y = anole_onnx_add1(context, "transpose", anole_onnx_need(context, 0));
    if (anole_onnx_get_ints(context, "perm", &perm))
        anole_onnx_set_ints(context, "perm", &perm);
    context->outputs[0] = anole_onnx_done(context, y);
}

static void reshape(struct anole_onnx_context *context)
{
    size_t y = anole_onnx_add2(context, "reshape", anole_onnx_need(context, 0),
                               anole_onnx_need(context, 1));
    anole_onnx_set_bool(context, "allow_zero", anole_onnx_get_int(context, "allowzero", 0) != 0);
    context->outputs[0] = anole_onnx_done(context, y);
}

static void flatten(struct anole_onnx_context *context)
{
    size_t x = anole_onnx_need(context, 0);
    int64_t axis = anole_onnx_get_int(context, "axis", 1), dims[2] = {1, 1}, from[2] = {-1, -1};
    const struct anole_operand *type = anole_onnx_type(context, x);
    if (axis < 0)
        axis += type->rank;
    if (axis < 0 || axis > type->rank)
        anole_onnx_refuse(context, "axis is %" PRId64 "; expected 0 to %u", axis, type->rank);
    for (uint32_t i = 0; i < type->rank; i++)
        dims[i >= axis] *= type->dims[i];
    /* One of them may depend on data: the first where it is one dimension, else what is left. */
    if (anole_onnx_is_data_sized(context, x)) {
        from[0] = axis == 1 ? 0 : -1;
        dims[axis == 1] = -1;
    }
    context->outputs[0] = anole_onnx_reshape_from(context, x, dims, from, 2);
}

/* Marks axes as files have them; false: refused. */
static bool mark_axes(struct anole_onnx_context *context, bool *set, const struct anole_ints *axes,
                      uint32_t rank)
{
    for (uint32_t i = 0; i < axes->count; i++) {
        int64_t axis = axes->values[i] < 0 ? axes->values[i] + rank : axes->values[i];
        if (axis < 0 || axis >= rank || set[axis]) {
            anole_onnx_refuse(context, "axis %" PRId64 " is twice there, or none of %u dimensions",
                              axes->values[i], rank);
            return false;
        }
        set[axis] = true;
    }
    return context->status == ANOLE_DONE;
}

static void squeeze(struct anole_onnx_context *context)
{
    struct anole_ints axes;
    bool gone[ANOLE_MAX_RANK] = {false};
    int64_t dims[ANOLE_MAX_RANK], from[ANOLE_MAX_RANK];
    uint32_t rank = 0;
    size_t x = anole_onnx_need(context, 0);
    bool given = anole_onnx_numbers(context, "axes", 1, &axes);
    const struct anole_operand *type = anole_onnx_type(context, x);
    if (given && !mark_axes(context, gone, &axes, type->rank))
        return;
    for (uint32_t i = 0; i < type->rank; i++) {
        if (!given)
            gone[i] = type->dims[i] == 1;
        if (gone[i] && type->dims[i] != 1)
            anole_onnx_refuse(context, "axis %u has a size of %" PRId64 "; expected 1", i,
                              type->dims[i]);
        if (!gone[i]) {
            from[rank] = i;
            dims[rank++] = type->dims[i];
        }
    }
    context->outputs[0] = anole_onnx_reshape_from(context, x, dims, from, rank);
}

static void unsqueeze(struct anole_onnx_context *context)
{
    struct anole_ints axes = {.count = 0};
    bool new[ANOLE_MAX_RANK] = {false};
    int64_t dims[ANOLE_MAX_RANK], from[ANOLE_MAX_RANK];
    size_t x = anole_onnx_need(context, 0);
    if (!anole_onnx_numbers(context, "axes", 1, &axes))
        anole_onnx_refuse(context, "it has no axes");
    const struct anole_operand *type = anole_onnx_type(context, x);
    uint32_t rank = type->rank + axes.count;
    if (rank > ANOLE_MAX_RANK)
        anole_onnx_refuse(context, "the result has %u dimensions; expected at most %d", rank,
                          ANOLE_MAX_RANK);
    if (context->status || !mark_axes(context, new, &axes, rank))
        return;
    for (uint32_t i = 0, next = 0; i < rank; i++) {
        from[i] = new[i] ? -1 : (int64_t)next++;
        dims[i] = new[i] ? 1 : type->dims[from[i]];
    }
    context->outputs[0] = anole_onnx_reshape_from(context, x, dims, from, rank);
}

static void shape(struct anole_onnx_context *context)
{
    size_t y = anole_onnx_add1(context, "shape", anole_onnx_need(context, 0));
    if (anole_onnx_has(context, "start"))
        anole_onnx_set_int(context, "start", anole_onnx_get_int(context, "start", 0));
    if (anole_onnx_has(context, "end"))
        anole_onnx_set_int(context, "end", anole_onnx_get_int(context, "end", 0));
    context->outputs[0] = anole_onnx_done(context, y);
}

static void size(struct anole_onnx_context *context)
{
    const struct anole_operand *type = anole_onnx_type(context, anole_onnx_need(context, 0));
    size_t elements = anole_operand_elements(type);
    context->outputs[0] = anole_onnx_constant_real(context, ANOLE_I64, (double)elements);
}

/* A tensor of the model as a constant of the graph. */
static size_t add_tensor(struct anole_onnx_context *context, const struct anole_array *array)
{
    size_t tensor;
    struct anole_operand type = {.rank = array->rank, .data = (void *)array->data};
    type.dtype = anole_onnx_dtype(context, array->element);
    memcpy(type.dims, array->dims, sizeof type.dims);
    if (context->status)
        return ANOLE_NONE;
    enum anole_status status = anole_graph_add_constant(context->graph, &tensor, NULL, &type,
                                                        anole_array_aligned(array), context->error);
    if (status)
        context->status = status;
    return status ? ANOLE_NONE : tensor;
}

static void constant(struct anole_onnx_context *context)
{
    const struct anole_onnx_node *node = context->node;
    if (node->attribute_count != 1) {
        anole_onnx_refuse(context, "it has %zu attributes; expected one value",
                          node->attribute_count);
        return;
    }
    const struct anole_onnx_attribute *value = &node->attributes[0];
    struct anole_operand type = {.rank = 0, .dims = {(int64_t)value->count}};
    size_t tensor;
    if (value->kind == ANOLE_ONNX_ATTRIBUTE_TENSOR) {
        context->outputs[0] = add_tensor(context, &value->tensors[0]);
        return;
    }
    type.rank =
        value->kind == ANOLE_ONNX_ATTRIBUTE_FLOATS || value->kind == ANOLE_ONNX_ATTRIBUTE_INTS;
    type.dtype = value->floats ? ANOLE_F32 : ANOLE_I64;
    type.data = value->floats ? (void *)value->floats : (void *)value->ints;
    if (!type.data && value->count > 0) {
        anole_onnx_refuse(context, "its value \"%s\" is no tensor of numbers", value->name);
        return;
    }
    enum anole_status status =
        anole_graph_add_constant(context->graph, &tensor, NULL, &type, false, context->error);
    if (status)
        context->status = status;
    else
        context->outputs[0] = tensor;
}

static void constant_of_shape(struct anole_onnx_context *context)
{
    const struct anole_onnx_attribute *value = anole_onnx_attribute_find(context->node, "value");
    size_t dims = anole_onnx_need(context, 0);
    size_t y;
    if (value && value->kind == ANOLE_ONNX_ATTRIBUTE_TENSOR)
        y = anole_onnx_add2(context, "constant_of_shape", dims,
                            add_tensor(context, &value->tensors[0]));
    else
        y = anole_onnx_add1(context, "constant_of_shape", dims);
    context->outputs[0] = anole_onnx_done(context, y);
}

/* ONNX's is defined on [n, c, h, w], ours on [n, h, w, c]; the orders mean the same. */
static void depth_to_space(struct anole_onnx_context *context)
{
    const char *mode = anole_onnx_get_text(context, "mode", "DCR");
    size_t x = anole_onnx_channels_last(context, anole_onnx_need(context, 0));
    size_t y = anole_onnx_add1(context, "depth_to_space", x);
    anole_onnx_set_int(context, "block", anole_onnx_get_int(context, "blocksize", 0));
    anole_onnx_set_choice(context, "mode", strcmp(mode, "CRD") == 0 ? "crd" : "dcr");
    context->outputs[0] = anole_onnx_channels_second(context, anole_onnx_done(context, y));
}

static void space_to_depth(struct anole_onnx_context *context)
{
    size_t x = anole_onnx_channels_last(context, anole_onnx_need(context, 0));
    size_t y = anole_onnx_add1(context, "space_to_depth", x);
    anole_onnx_set_int(context, "block", anole_onnx_get_int(context, "blocksize", 0));
    context->outputs[0] = anole_onnx_channels_second(context, anole_onnx_done(context, y));
}

static void trilu(struct anole_onnx_context *context)
{
    size_t count = context->node->input_count < 2 ? context->node->input_count : 2;
    size_t y = anole_onnx_add(context, "trilu", context->inputs, count);
    anole_onnx_set_bool(context, "upper", anole_onnx_get_int(context, "upper", 1) != 0);
    context->outputs[0] = anole_onnx_done(context, y);
}

const struct anole_onnx_translator anole_onnx_shapes[] = {
    {"Concat", concat, NULL},
    {"Constant", constant, NULL},
    {"ConstantOfShape", constant_of_shape, NULL},
    {"DepthToSpace", depth_to_space, NULL},
    {"Expand", forward_all, "expand"},
    {"Flatten", flatten, NULL},
    {"Gather", forward_all, "gather"},
    {"GatherElements", forward_all, "gather_elements"},
    {"GatherND", gather_nd, NULL},
    {"NonZero", forward_all, "non_zero"},
    {"OneHot", forward_all, "one_hot"},
    {"Pad", pad, NULL},
    {"Range", forward_all, "range"},
    {"Reshape", reshape, NULL},
    {"Scatter", scatter, "scatter_elements"},
    {"ScatterElements", scatter, "scatter_elements"},
    {"ScatterND", scatter, "scatter_nd"},
    {"Shape", shape, NULL},
    {"Size", size, NULL},
    {"Slice", slice, NULL},
    {"SpaceToDepth", space_to_depth, NULL},
    {"Split", split, NULL},
    {"Squeeze", squeeze, NULL},
    {"Tile", forward_all, "tile"},
    {"Transpose", transpose, NULL},
    {"Trilu", trilu, NULL},
    {"Unsqueeze", unsqueeze, NULL},
    {NULL, NULL, NULL},
};
