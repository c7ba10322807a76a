/* SPDX-License-Identifier: MIT */
#include "frontend/onnx_translate.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

uint32_t anole_onnx_dtype_of(enum anole_array_type element)
{
    static const struct {
        enum anole_array_type element;
        uint32_t dtype;
    } pairs[] = {
        {ANOLE_ARRAY_F32, ANOLE_F32},   {ANOLE_ARRAY_F16, ANOLE_F16}, {ANOLE_ARRAY_F64, ANOLE_F64},
        {ANOLE_ARRAY_BF16, ANOLE_BF16}, {ANOLE_ARRAY_I8, ANOLE_I8},   {ANOLE_ARRAY_U8, ANOLE_U8},
        {ANOLE_ARRAY_I16, ANOLE_I16},   {ANOLE_ARRAY_U16, ANOLE_U16}, {ANOLE_ARRAY_I32, ANOLE_I32},
        {ANOLE_ARRAY_U32, ANOLE_U32},   {ANOLE_ARRAY_I64, ANOLE_I64}, {ANOLE_ARRAY_U64, ANOLE_U64},
        {ANOLE_ARRAY_BOOL, ANOLE_BOOL}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (pairs[i].element == element)
            return pairs[i].dtype;
    return 0;
}

void anole_onnx_fail_with(struct anole_onnx_context *context, enum anole_status status)
{
    if (context->status == ANOLE_DONE)
        context->status = status;
}

void anole_onnx_refuse(struct anole_onnx_context *context, const char *format, ...)
{
    char text[ANOLE_ERROR_TEXT];
    va_list arguments;
    if (context->status)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    context->status = anole_onnx_fail(context->model, context->node, context->error, "%s", text);
}

size_t anole_onnx_input(const struct anole_onnx_context *context, size_t i)
{
    return i < context->node->input_count ? context->inputs[i] : ANOLE_NONE;
}

size_t anole_onnx_need(struct anole_onnx_context *context, size_t i)
{
    size_t tensor = anole_onnx_input(context, i);
    if (tensor == ANOLE_NONE)
        anole_onnx_refuse(context, "input %zu is missing", i);
    return tensor;
}

bool anole_onnx_wants(const struct anole_onnx_context *context, size_t i)
{
    return i < context->node->output_count && context->node->outputs[i][0];
}

const struct anole_operand *anole_onnx_type(const struct anole_onnx_context *context, size_t tensor)
{
    static const struct anole_operand nothing = {.dtype = 0};
    if (context->status || tensor == ANOLE_NONE)
        return &nothing;
    return &context->graph->tensors[tensor].type;
}

uint32_t anole_onnx_rank(const struct anole_onnx_context *context, size_t tensor)
{
    return anole_onnx_type(context, tensor)->rank;
}

/* An attribute of a kind; NULL: it is absent, or of another kind, and refused. */
const struct anole_onnx_attribute *anole_onnx_need_kind(struct anole_onnx_context *context,
                                                        const char *name,
                                                        enum anole_onnx_attribute_kind kind)
{
    const struct anole_onnx_attribute *attribute = anole_onnx_attribute_find(context->node, name);
    if (!attribute || attribute->kind == kind)
        return attribute;
    anole_onnx_refuse(context, "attribute \"%s\" is of kind %d of AttributeProto; expected %d",
                      name, (int)attribute->kind, (int)kind);
    return NULL;
}

bool anole_onnx_has(const struct anole_onnx_context *context, const char *name)
{
    return anole_onnx_attribute_find(context->node, name) != NULL;
}

int64_t anole_onnx_get_int(struct anole_onnx_context *context, const char *name, int64_t otherwise)
{
    const struct anole_onnx_attribute *attribute =
        anole_onnx_need_kind(context, name, ANOLE_ONNX_ATTRIBUTE_INT);
    return attribute ? attribute->ints[0] : otherwise;
}

double anole_onnx_get_real(struct anole_onnx_context *context, const char *name, double otherwise)
{
    const struct anole_onnx_attribute *attribute =
        anole_onnx_need_kind(context, name, ANOLE_ONNX_ATTRIBUTE_FLOAT);
    return attribute ? (double)attribute->floats[0] : otherwise;
}

const char *anole_onnx_get_text(struct anole_onnx_context *context, const char *name,
                                const char *otherwise)
{
    const struct anole_onnx_attribute *attribute =
        anole_onnx_need_kind(context, name, ANOLE_ONNX_ATTRIBUTE_STRING);
    return attribute ? attribute->strings[0].data : otherwise;
}

bool anole_onnx_get_ints(struct anole_onnx_context *context, const char *name,
                         struct anole_ints *ints)
{
    const struct anole_onnx_attribute *attribute =
        anole_onnx_need_kind(context, name, ANOLE_ONNX_ATTRIBUTE_INTS);
    if (!attribute)
        return false;
    if (attribute->count > ANOLE_MAX_INTS) {
        anole_onnx_refuse(context, "attribute \"%s\" has %zu numbers; expected at most %d", name,
                          attribute->count, ANOLE_MAX_INTS);
        return false;
    }
    *ints = (struct anole_ints){.count = (uint32_t)attribute->count};
    if (attribute->count > 0)
        memcpy(ints->values, attribute->ints, attribute->count * sizeof *ints->values);
    return true;
}

bool anole_onnx_numbers(struct anole_onnx_context *context, const char *name, size_t i,
                        struct anole_ints *ints)
{
    size_t tensor = anole_onnx_input(context, i);
    if (tensor == ANOLE_NONE)
        return anole_onnx_get_ints(context, name, ints);
    const struct anole_operand *type = anole_onnx_type(context, tensor);
    if (context->status)
        return false;
    size_t count = anole_operand_elements(type);
    if (!type->data || type->rank > 1 || count > ANOLE_MAX_INTS) {
        char shape[128];
        anole_onnx_refuse(
            context, "its %s have the shape %s%s; expected a constant list of at most %d", name,
            anole_operand_shape_text(shape, sizeof shape, type),
            type->data ? "" : ", and are known only when the network runs", ANOLE_MAX_INTS);
        return false;
    }
    *ints = (struct anole_ints){.count = (uint32_t)count};
    for (size_t j = 0; j < count; j++)
        ints->values[j] = anole_operand_int(type, j);
    return true;
}

uint32_t anole_onnx_dtype(struct anole_onnx_context *context, int64_t element)
{
    uint32_t dtype =
        element > 0 && element < 64 ? anole_onnx_dtype_of((enum anole_array_type)element) : 0;
    if (dtype == 0)
        anole_onnx_refuse(context, "element type %s (%" PRId64 ") is none of ours",
                          element > 0 && element < 64
                              ? anole_array_type_text((enum anole_array_type)element)
                              : "unknown",
                          element);
    return dtype;
}

/* -- Adding -- */

/* Infers what was added so far. */
static void infer(struct anole_onnx_context *context)
{
    struct anole_graph *graph = context->graph;
    struct anole_onnx_progress *progress = context->progress;
    struct anole_error why = {.status = ANOLE_DONE};
    if (context->status || progress->inferred >= graph->node_count)
        return;
    enum anole_status status =
        anole_graph_infer_from(graph, progress->inferred, progress->fold_limit, &why);
    progress->inferred = graph->node_count;
    progress->last = ANOLE_NONE;
    if (status == ANOLE_DONE)
        return;
    /* The graph names our node, which people have not seen: its message follows theirs. */
    const char *message = strstr(why.text, "): ");
    if (status == ANOLE_ERR_INPUT)
        anole_onnx_refuse(context, "%s", message ? message + 3 : why.text);
    else
        anole_onnx_fail_with(context, anole_fail(context->error, status, "%s", why.text));
}

void anole_onnx_add_many(struct anole_onnx_context *context, const char *op, const size_t *inputs,
                         size_t count, size_t *outputs, size_t output_count)
{
    const struct anole_op *found = anole_op_find(op);
    struct anole_error why = {.status = ANOLE_DONE};
    enum anole_status status = ANOLE_DONE;
    for (size_t i = 0; i < output_count; i++)
        outputs[i] = ANOLE_NONE;
    infer(context);
    if (context->status)
        return;
    if (!found) {
        anole_onnx_refuse(context, "it needs the operator %s, which this version does not have",
                          op);
        return;
    }
    for (size_t i = 0; i < output_count && status == ANOLE_DONE; i++)
        status = anole_graph_add_tensor(context->graph, &outputs[i], NULL, NULL, &why);
    if (status == ANOLE_DONE)
        status = anole_graph_add_node(context->graph, &context->progress->last, found,
                                      context->node->name[0] ? context->node->name
                                                             : context->node->outputs[0],
                                      inputs, count, outputs, output_count, &why);
    if (status == ANOLE_ERR_INPUT) {
        const char *message = strstr(why.text, "): ");
        anole_onnx_refuse(context, "%s", message ? message + 3 : why.text);
    } else if (status) {
        anole_onnx_fail_with(context, anole_fail(context->error, status, "%s", why.text));
    }
}

size_t anole_onnx_add(struct anole_onnx_context *context, const char *op, const size_t *inputs,
                      size_t count)
{
    size_t output;
    anole_onnx_add_many(context, op, inputs, count, &output, 1);
    return context->status ? ANOLE_NONE : output;
}

size_t anole_onnx_add1(struct anole_onnx_context *context, const char *op, size_t a)
{
    return anole_onnx_add(context, op, &a, 1);
}

size_t anole_onnx_add2(struct anole_onnx_context *context, const char *op, size_t a, size_t b)
{
    const size_t inputs[] = {a, b};
    return anole_onnx_add(context, op, inputs, 2);
}

/* Sets an attribute of the node that was added last. */
#define SET(context, how, ...)                                                                     \
    do {                                                                                           \
        struct anole_error why_ = {.status = ANOLE_DONE};                                          \
        if ((context)->status || (context)->progress->last == ANOLE_NONE)                          \
            break;                                                                                 \
        const struct anole_node *node_ = &(context)->graph->nodes[(context)->progress->last];      \
        if (anole_op_set_##how(node_->op, node_->attributes, __VA_ARGS__, &why_))                  \
            anole_onnx_refuse(context, "%s", why_.text);                                           \
    } while (0)

void anole_onnx_set_int(struct anole_onnx_context *context, const char *name, int64_t value)
{
    SET(context, int, name, value);
}

void anole_onnx_set_bool(struct anole_onnx_context *context, const char *name, bool value)
{
    SET(context, bool, name, value);
}

void anole_onnx_set_real(struct anole_onnx_context *context, const char *name, double value)
{
    SET(context, real, name, value);
}

void anole_onnx_set_choice(struct anole_onnx_context *context, const char *name, const char *value)
{
    SET(context, choice, name, value);
}

void anole_onnx_set_ints(struct anole_onnx_context *context, const char *name,
                         const struct anole_ints *ints)
{
    SET(context, ints, name, ints->values, ints->count);
}

size_t anole_onnx_done(struct anole_onnx_context *context, size_t tensor)
{
    infer(context);
    return context->status ? ANOLE_NONE : tensor;
}

size_t anole_onnx_constant_ints(struct anole_onnx_context *context, const int64_t *values,
                                size_t count)
{
    size_t tensor;
    if (context->status)
        return ANOLE_NONE;
    enum anole_status status =
        anole_graph_add_ints(context->graph, &tensor, NULL, values, count, context->error);
    if (status)
        anole_onnx_fail_with(context, status);
    return status ? ANOLE_NONE : tensor;
}

size_t anole_onnx_constant_real(struct anole_onnx_context *context, uint32_t dtype, double value)
{
    size_t tensor;
    uint64_t room;
    struct anole_operand type = {.dtype = dtype, .data = &room};
    if (context->status)
        return ANOLE_NONE;
    anole_operand_set_real(&type, 0, value);
    enum anole_status status =
        anole_graph_add_constant(context->graph, &tensor, NULL, &type, false, context->error);
    if (status)
        anole_onnx_fail_with(context, status);
    return status ? ANOLE_NONE : tensor;
}

/* -- Steps -- */

size_t anole_onnx_transpose(struct anole_onnx_context *context, size_t x, const int64_t *perm,
                            uint32_t rank)
{
    struct anole_ints ints = {.count = rank};
    memcpy(ints.values, perm, rank * sizeof *perm);
    size_t y = anole_onnx_add1(context, "transpose", x);
    anole_onnx_set_ints(context, "perm", &ints);
    return anole_onnx_done(context, y);
}

size_t anole_onnx_reshape(struct anole_onnx_context *context, size_t x, const int64_t *dims,
                          uint32_t rank)
{
    struct anole_ints ints = {.count = rank};
    memcpy(ints.values, dims, rank * sizeof *dims);
    size_t y = anole_onnx_add1(context, "reshape", x);
    anole_onnx_set_ints(context, "shape", &ints);
    anole_onnx_set_bool(context, "allow_zero", true); /* sizes are what they are */
    return anole_onnx_done(context, y);
}

bool anole_onnx_is_data_sized(const struct anole_onnx_context *context, size_t tensor)
{
    return tensor != ANOLE_NONE && context->graph->tensors[tensor].data_sized;
}

size_t anole_onnx_reshape_from(struct anole_onnx_context *context, size_t x, const int64_t *dims,
                               const int64_t *from, uint32_t rank)
{
    struct anole_ints sizes = {.count = rank}, dimensions = {.count = rank};
    if (context->status || !anole_onnx_is_data_sized(context, x))
        return anole_onnx_reshape(context, x, dims, rank);
    memcpy(sizes.values, dims, rank * sizeof *dims);
    memcpy(dimensions.values, from, rank * sizeof *from);
    size_t y = anole_onnx_add1(context, "reshape", x);
    anole_onnx_set_ints(context, "shape", &sizes);
    anole_onnx_set_ints(context, "from", &dimensions);
    anole_onnx_set_bool(context, "allow_zero", true);
    return anole_onnx_done(context, y);
}

size_t anole_onnx_unary(struct anole_onnx_context *context, const char *function, size_t x)
{
    size_t y = anole_onnx_add1(context, "unary", x);
    anole_onnx_set_choice(context, "function", function);
    return anole_onnx_done(context, y);
}

size_t anole_onnx_binary(struct anole_onnx_context *context, const char *function, size_t a,
                         size_t b)
{
    size_t y = anole_onnx_add2(context, "binary", a, b);
    anole_onnx_set_choice(context, "function", function);
    return anole_onnx_done(context, y);
}

size_t anole_onnx_cast(struct anole_onnx_context *context, size_t x, uint32_t dtype)
{
    static const char *const texts[] = {
#define X(name, value, text, bytes, kind) [value] = text,
        ANOLE_DTYPE_MAP(X)
#undef X
    };
    if (context->status || anole_onnx_type(context, x)->dtype == dtype)
        return x;
    size_t y = anole_onnx_add1(context, "cast", x);
    anole_onnx_set_choice(context, "to", texts[dtype]);
    return anole_onnx_done(context, y);
}

size_t anole_onnx_reduce(struct anole_onnx_context *context, const char *function, size_t x,
                         const struct anole_ints *axes, bool keep_dims)
{
    size_t y = anole_onnx_add1(context, "reduce", x);
    anole_onnx_set_choice(context, "function", function);
    if (axes)
        anole_onnx_set_ints(context, "axes", axes);
    anole_onnx_set_bool(context, "keep_dims", keep_dims);
    return anole_onnx_done(context, y);
}

size_t anole_onnx_channels_last(struct anole_onnx_context *context, size_t x)
{
    int64_t perm[ANOLE_MAX_RANK];
    uint32_t rank = anole_onnx_rank(context, x);
    if (rank < 3) /* [n, c]: the channels are last */
        return x;
    perm[0] = 0;
    for (uint32_t i = 1; i + 1 < rank; i++)
        perm[i] = i + 1;
    perm[rank - 1] = 1;
    return anole_onnx_transpose(context, x, perm, rank);
}

size_t anole_onnx_channels_second(struct anole_onnx_context *context, size_t x)
{
    int64_t perm[ANOLE_MAX_RANK];
    uint32_t rank = anole_onnx_rank(context, x);
    if (rank < 3)
        return x;
    perm[0] = 0;
    perm[1] = rank - 1;
    for (uint32_t i = 2; i < rank; i++)
        perm[i] = i - 1;
    return anole_onnx_transpose(context, x, perm, rank);
}

/* ------------------------------------------------------- graphs within a node */

void anole_onnx_body_set(struct anole_onnx_context *context, const struct anole_onnx_graph *body,
                         const char *name, size_t tensor)
{
    if (context->status == ANOLE_DONE)
        anole_onnx_fail_with(context, context->body->set(context, body, name, tensor));
}

void anole_onnx_body_import(struct anole_onnx_context *context, const struct anole_onnx_graph *body)
{
    (void)anole_onnx_done(context, ANOLE_NONE);
    if (context->status == ANOLE_DONE)
        anole_onnx_fail_with(context, context->body->import(context, body));
}

size_t anole_onnx_body_get(struct anole_onnx_context *context, const struct anole_onnx_graph *body,
                           const char *name)
{
    size_t tensor = ANOLE_NONE;
    if (context->status == ANOLE_DONE)
        anole_onnx_fail_with(context, context->body->get(context, &tensor, body, name));
    return tensor;
}
