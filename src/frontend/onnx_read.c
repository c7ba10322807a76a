/* SPDX-License-Identifier: MIT
 *
 * From bytes to structs.  Each message is gone through twice: first to count what there will
 * be, then to fill it in.  Field numbers are those of onnx.proto.
 */
#include "base/text.h"
#include "frontend/onnx_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNTED 32           /* fields by number, as far as they are counted */
#define MOST_ATTRIBUTES 1000 /* of a node */
#define SHOWN 120            /* bytes of a name in a message */

/* ------------------------------------------------------------------- helpers */

/* How often each field occurs. */
static enum anole_status count_fields(size_t counts[COUNTED], struct anole_onnx_message message,
                                      struct anole_error *error)
{
    struct anole_onnx_field field;
    memset(counts, 0, COUNTED * sizeof *counts);
    while (anole_onnx_next(&field, &message, error))
        if (field.number < COUNTED)
            counts[field.number]++;
    return message.status;
}

/* Sets a pointer, at `place`, to room for parts of the model. */
static enum anole_status allocate(void *place, struct anole_onnx_holder *holder, size_t count,
                                  size_t size, struct anole_error *error)
{
    if (count > ANOLE_ONNX_MAX_PARTS - holder->parts)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "there are more than %d nodes, operands, tensors and the like; expected "
                          "a network of fewer",
                          ANOLE_ONNX_MAX_PARTS);
    void *memory = anole_arena_allocate(&holder->source.arena, count, size);
    if (!memory)
        return anole_fail_memory(error);
    holder->parts += count;
    memcpy(place, &memory, sizeof memory);
    return ANOLE_DONE;
}

/* -------------------------------------------------------------------- values */

static enum anole_status read_dim(struct anole_onnx_dim *dim, struct anole_onnx_holder *holder,
                                  const struct anole_onnx_field *outer, struct anole_error *error)
{
    struct anole_onnx_message message;
    struct anole_onnx_field field;
    enum anole_status status = anole_onnx_inner(&message, outer, error);
    *dim = (struct anole_onnx_dim){.value = -1};
    while (status == ANOLE_DONE && anole_onnx_next(&field, &message, error)) {
        if (field.number == 1) {
            status = anole_onnx_int(&dim->value, &field, error);
            dim->name = NULL;
        } else if (field.number == 2) {
            status = anole_onnx_name(&dim->name, &holder->source, &field, error);
            dim->value = -1;
        }
    }
    if (dim->value < 0) /* as some writers say it */
        dim->value = -1;
    if (dim->name && dim->name[0] == '\0')
        dim->name = NULL;
    return status ? status : message.status;
}

static enum anole_status read_shape(struct anole_onnx_value *value,
                                    struct anole_onnx_holder *holder,
                                    const struct anole_onnx_field *outer, struct anole_error *error)
{
    struct anole_onnx_message message;
    struct anole_onnx_field field;
    size_t counts[COUNTED];
    enum anole_status status = anole_onnx_inner(&message, outer, error);
    if (status == ANOLE_DONE)
        status = count_fields(counts, message, error);
    if (status == ANOLE_DONE)
        status = allocate(&value->dims, holder, counts[1], sizeof *value->dims, error);
    if (status != ANOLE_DONE)
        return status;
    value->has_shape = true;
    value->rank = 0;
    while (status == ANOLE_DONE && anole_onnx_next(&field, &message, error))
        if (field.number == 1)
            status = read_dim(&value->dims[value->rank++], holder, &field, error);
    return status;
}

static enum anole_status read_tensor_type(struct anole_onnx_value *value,
                                          struct anole_onnx_holder *holder,
                                          const struct anole_onnx_field *outer,
                                          struct anole_error *error)
{
    struct anole_onnx_message message;
    struct anole_onnx_field field;
    int64_t element = 0;
    enum anole_status status = anole_onnx_inner(&message, outer, error);
    value->kind = ANOLE_ONNX_TENSOR;
    while (status == ANOLE_DONE && anole_onnx_next(&field, &message, error)) {
        if (field.number == 1)
            status = anole_onnx_int(&element, &field, error);
        else if (field.number == 2)
            status = read_shape(value, holder, &field, error);
    }
    if (status == ANOLE_DONE)
        status = message.status;
    if (status == ANOLE_DONE && element != 0 &&
        (element < 0 || element > UINT32_MAX || anole_array_type_bits((uint32_t)element) == 0))
        status = anole_fail(error, ANOLE_ERR_INPUT,
                            "its element type is number %" PRId64
                            "; expected one of onnx.proto's, 1 (float32) to 26",
                            element);
    if (status == ANOLE_DONE)
        value->element = (enum anole_array_type)element;
    return status;
}

static enum anole_status read_type(struct anole_onnx_value *value, struct anole_onnx_holder *holder,
                                   const struct anole_onnx_field *outer, struct anole_error *error)
{
    struct anole_onnx_message message;
    struct anole_onnx_field field;
    enum anole_status status = anole_onnx_inner(&message, outer, error);
    while (status == ANOLE_DONE && anole_onnx_next(&field, &message, error)) {
        if (field.number == 1)
            status = read_tensor_type(value, holder, &field, error);
        else if (field.number != 6) /* a denotation is no type */
            value->kind = ANOLE_ONNX_OTHER;
    }
    return status ? status : message.status;
}

static enum anole_status read_value(struct anole_onnx_value *value,
                                    struct anole_onnx_holder *holder,
                                    const struct anole_onnx_field *outer, struct anole_error *error)
{
    struct anole_onnx_message message;
    struct anole_onnx_field field;
    char shown[SHOWN];
    enum anole_status status = anole_onnx_inner(&message, outer, error);
    *value = (struct anole_onnx_value){.name = ""};
    while (status == ANOLE_DONE && anole_onnx_next(&field, &message, error)) {
        if (field.number == 1)
            status = anole_onnx_name(&value->name, &holder->source, &field, error);
        else if (field.number == 2)
            status = read_type(value, holder, &field, error);
    }
    if (status == ANOLE_DONE)
        status = message.status;
    if (status != ANOLE_DONE)
        anole_error_prefix(error, "value \"%s\"",
                           anole_text_printable(shown, sizeof shown, value->name));
    return status;
}

/* ---------------------------------------------------------------- attributes */

static enum anole_status read_graph(struct anole_onnx_graph *graph,
                                    struct anole_onnx_holder *holder,
                                    const struct anole_onnx_graph *parent,
                                    const struct anole_onnx_field *outer,
                                    struct anole_error *error);

/* Where an attribute of each kind has its value. */
static const struct {
    uint32_t field;
    enum anole_onnx_wire_type type;
    bool list;
} kinds[] = {
    [ANOLE_ONNX_ATTRIBUTE_FLOAT] = {2, ANOLE_ONNX_FIXED32, false},
    [ANOLE_ONNX_ATTRIBUTE_INT] = {3, ANOLE_ONNX_VARINT, false},
    [ANOLE_ONNX_ATTRIBUTE_STRING] = {4, ANOLE_ONNX_BYTES, false},
    [ANOLE_ONNX_ATTRIBUTE_TENSOR] = {5, ANOLE_ONNX_BYTES, false},
    [ANOLE_ONNX_ATTRIBUTE_GRAPH] = {6, ANOLE_ONNX_BYTES, false},
    [ANOLE_ONNX_ATTRIBUTE_FLOATS] = {7, ANOLE_ONNX_FIXED32, true},
    [ANOLE_ONNX_ATTRIBUTE_INTS] = {8, ANOLE_ONNX_VARINT, true},
    [ANOLE_ONNX_ATTRIBUTE_STRINGS] = {9, ANOLE_ONNX_BYTES, true},
    [ANOLE_ONNX_ATTRIBUTE_TENSORS] = {10, ANOLE_ONNX_BYTES, true},
    [ANOLE_ONNX_ATTRIBUTE_GRAPHS] = {11, ANOLE_ONNX_BYTES, true},
    [ANOLE_ONNX_ATTRIBUTE_SPARSE_TENSOR] = {22, ANOLE_ONNX_BYTES, false},
    [ANOLE_ONNX_ATTRIBUTE_SPARSE_TENSORS] = {23, ANOLE_ONNX_BYTES, true},
    [ANOLE_ONNX_ATTRIBUTE_TYPE] = {14, ANOLE_ONNX_BYTES, false},
    [ANOLE_ONNX_ATTRIBUTE_TYPES] = {15, ANOLE_ONNX_BYTES, true},
};

#define KINDS (sizeof kinds / sizeof *kinds)

/* Files before IR version 2 do not say the kind. */
static int64_t guess_kind(const size_t counts[COUNTED])
{
    for (size_t i = 1; i < KINDS; i++)
        if (counts[kinds[i].field] > 0)
            return (int64_t)i;
    return 0;
}

/* How many numbers a list has. */
static enum anole_status count_numbers(size_t *count, struct anole_onnx_message message,
                                       enum anole_onnx_attribute_kind kind,
                                       struct anole_error *error)
{
    struct anole_onnx_field field;
    enum anole_status status = ANOLE_DONE;
    *count = 0;
    while (status == ANOLE_DONE && anole_onnx_next(&field, &message, error))
        if (field.number == kinds[kind].field)
            status = anole_onnx_count(count, &field, kinds[kind].type, error);
    return status;
}

static void collect_numbers(uint8_t *out, struct anole_onnx_message message,
                            enum anole_onnx_attribute_kind kind)
{
    struct anole_onnx_field field;
    size_t unit = kinds[kind].type == ANOLE_ONNX_FIXED32 ? 4 : 8;
    while (anole_onnx_next(&field, &message, NULL))
        if (field.number == kinds[kind].field)
            out += unit * anole_onnx_collect(out, &field, kinds[kind].type);
}

/* One number or a list of them.  A single one is 0 if it is not there, and the last if it is
 * there several times. */
static enum anole_status read_numbers(struct anole_onnx_attribute *attribute,
                                      struct anole_onnx_holder *holder,
                                      struct anole_onnx_message message, struct anole_error *error)
{
    size_t count;
    bool is_float = kinds[attribute->kind].type == ANOLE_ONNX_FIXED32;
    enum anole_status status = count_numbers(&count, message, attribute->kind, error);
    if (status != ANOLE_DONE)
        return status;
    uint8_t *data = anole_arena_allocate(&holder->source.arena, count + 1, is_float ? 4 : 8);
    if (!data)
        return anole_fail_memory(error);
    collect_numbers(data, message, attribute->kind);
    attribute->count = kinds[attribute->kind].list ? count : 1;
    if (attribute->count < count)
        data += (count - 1) * (is_float ? 4 : 8);
    if (is_float)
        attribute->floats = (float *)data;
    else
        attribute->ints = (int64_t *)data;
    return ANOLE_DONE;
}

static enum anole_status read_string(struct anole_bytes *string, struct anole_onnx_holder *holder,
                                     const struct anole_onnx_field *field,
                                     struct anole_error *error)
{
    struct anole_bytes text;
    enum anole_status status = anole_onnx_bytes(&text, field, error);
    if (status != ANOLE_DONE)
        return status;
    string->data = anole_arena_text(&holder->source.arena, text.data, text.length);
    string->length = text.length;
    return string->data ? ANOLE_DONE : anole_fail_memory(error);
}

static enum anole_status read_item(struct anole_onnx_attribute *attribute, size_t i,
                                   struct anole_onnx_holder *holder,
                                   const struct anole_onnx_graph *graph,
                                   const struct anole_onnx_field *field, struct anole_error *error)
{
    struct anole_onnx_message inner;
    enum anole_status status = anole_onnx_inner(&inner, field, error);
    if (status != ANOLE_DONE)
        return status;
    if (attribute->strings)
        return read_string(&attribute->strings[i], holder, field, error);
    if (attribute->graphs)
        return read_graph(&attribute->graphs[i], holder, graph, field, error);
    if (attribute->tensors)
        return anole_onnx_tensor_read(&attribute->tensors[i], &holder->source, inner, error);
    return ANOLE_DONE;
}

static enum anole_status allocate_items(struct anole_onnx_attribute *attribute,
                                        struct anole_onnx_holder *holder, struct anole_error *error)
{
    switch (attribute->kind) {
    case ANOLE_ONNX_ATTRIBUTE_STRING:
    case ANOLE_ONNX_ATTRIBUTE_STRINGS:
        return allocate(&attribute->strings, holder, attribute->count, sizeof *attribute->strings,
                        error);
    case ANOLE_ONNX_ATTRIBUTE_TENSOR:
    case ANOLE_ONNX_ATTRIBUTE_TENSORS:
        return allocate(&attribute->tensors, holder, attribute->count, sizeof *attribute->tensors,
                        error);
    case ANOLE_ONNX_ATTRIBUTE_GRAPH:
    case ANOLE_ONNX_ATTRIBUTE_GRAPHS:
        return allocate(&attribute->graphs, holder, attribute->count, sizeof *attribute->graphs,
                        error);
    default:
        return ANOLE_DONE;
    }
}

/* Texts, tensors or graphs: one, or a list. */
static enum anole_status read_items(struct anole_onnx_attribute *attribute,
                                    struct anole_onnx_holder *holder,
                                    const struct anole_onnx_graph *graph,
                                    struct anole_onnx_message message, size_t found,
                                    struct anole_error *error)
{
    struct anole_onnx_field field;
    bool list = kinds[attribute->kind].list;
    size_t i = 0;
    attribute->count = list ? found : 1;
    if (!list && found == 0 && attribute->kind == ANOLE_ONNX_ATTRIBUTE_STRING)
        found = 1; /* empty texts need not be written */
    if (!list && found != 1)
        return anole_fail(error, ANOLE_ERR_INPUT, "it has %zu values; expected one", found);
    enum anole_status status = allocate_items(attribute, holder, error);
    if (status == ANOLE_DONE && attribute->strings && !list)
        attribute->strings[0].data = "";
    while (status == ANOLE_DONE && anole_onnx_next(&field, &message, error))
        if (field.number == kinds[attribute->kind].field)
            status = read_item(attribute, i++, holder, graph, &field, error);
    return status;
}

/* The first pass: name and kind. */
static enum anole_status read_kind(struct anole_onnx_attribute *attribute,
                                   const size_t counts[COUNTED], struct anole_onnx_holder *holder,
                                   struct anole_onnx_message message, struct anole_error *error)
{
    struct anole_onnx_field field;
    int64_t kind = 0;
    enum anole_status status = ANOLE_DONE;
    attribute->name = "";
    while (status == ANOLE_DONE && anole_onnx_next(&field, &message, error)) {
        if (field.number == 1)
            status = anole_onnx_name(&attribute->name, &holder->source, &field, error);
        else if (field.number == 20)
            status = anole_onnx_int(&kind, &field, error);
        else if (field.number == 21)
            status = anole_fail(error, ANOLE_ERR_INPUT,
                                "it refers to an attribute of a function; expected a value");
    }
    if (status != ANOLE_DONE)
        return status;
    if (kind == 0)
        kind = guess_kind(counts);
    if (kind <= 0 || kind >= (int64_t)KINDS)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "its kind is number %" PRId64 "; expected one of onnx.proto's, 1 to 14",
                          kind);
    attribute->kind = (enum anole_onnx_attribute_kind)kind;
    return ANOLE_DONE;
}

static enum anole_status read_attribute(struct anole_onnx_attribute *attribute,
                                        struct anole_onnx_holder *holder,
                                        const struct anole_onnx_graph *graph,
                                        const struct anole_onnx_field *outer,
                                        struct anole_error *error)
{
    struct anole_onnx_message message;
    size_t counts[COUNTED];
    char shown[SHOWN];
    attribute->name = "";
    enum anole_status status = anole_onnx_inner(&message, outer, error);
    if (status == ANOLE_DONE)
        status = count_fields(counts, message, error);
    if (status == ANOLE_DONE)
        status = read_kind(attribute, counts, holder, message, error);
    if (status == ANOLE_DONE && kinds[attribute->kind].type == ANOLE_ONNX_BYTES)
        status = read_items(attribute, holder, graph, message, counts[kinds[attribute->kind].field],
                            error);
    else if (status == ANOLE_DONE)
        status = read_numbers(attribute, holder, message, error);
    if (status != ANOLE_DONE)
        anole_error_prefix(error, "attribute \"%s\"",
                           anole_text_printable(shown, sizeof shown, attribute->name));
    return status;
}

/* --------------------------------------------------------------------- nodes */

/* ONNX's own domain has two names. */
static const char *plain_domain(const char *domain)
{
    return strcmp(domain, "ai.onnx") == 0 ? "" : domain;
}

/* All but the attributes, so that what is wrong with these can name the node. */
static enum anole_status read_node_names(struct anole_onnx_node *node,
                                         struct anole_onnx_holder *holder,
                                         struct anole_onnx_message message,
                                         struct anole_error *error)
{
    struct anole_onnx_field field;
    struct anole_onnx_source *source = &holder->source;
    enum anole_status status = ANOLE_DONE;
    while (status == ANOLE_DONE && anole_onnx_next(&field, &message, error)) {
        switch (field.number) {
        case 1:
            status = anole_onnx_name(&node->inputs[node->input_count++], source, &field, error);
            break;
        case 2:
            status = anole_onnx_name(&node->outputs[node->output_count++], source, &field, error);
            break;
        case 3:
            status = anole_onnx_name(&node->name, source, &field, error);
            break;
        case 4:
            status = anole_onnx_name(&node->op_type, source, &field, error);
            break;
        case 7:
            status = anole_onnx_name(&node->domain, source, &field, error);
            break;
        default:
            break;
        }
    }
    node->domain = plain_domain(node->domain);
    if (status == ANOLE_DONE && node->op_type[0] == '\0')
        status = anole_fail(error, ANOLE_ERR_INPUT, "it names no operator");
    return status;
}

static enum anole_status read_attributes(struct anole_onnx_node *node,
                                         struct anole_onnx_holder *holder,
                                         const struct anole_onnx_graph *graph,
                                         struct anole_onnx_message message,
                                         struct anole_error *error)
{
    struct anole_onnx_field field;
    char shown[SHOWN];
    enum anole_status status = ANOLE_DONE;
    while (status == ANOLE_DONE && anole_onnx_next(&field, &message, error)) {
        struct anole_onnx_attribute *attribute = node->attributes + node->attribute_count;
        if (field.number != 5)
            continue;
        status = read_attribute(attribute, holder, graph, &field, error);
        if (status == ANOLE_DONE && anole_onnx_attribute_find(node, attribute->name))
            status = anole_fail(error, ANOLE_ERR_INPUT, "attribute \"%s\" is there twice",
                                anole_text_printable(shown, sizeof shown, attribute->name));
        node->attribute_count++;
    }
    return status;
}

static enum anole_status allocate_node(struct anole_onnx_node *node,
                                       struct anole_onnx_holder *holder,
                                       const size_t counts[COUNTED], struct anole_error *error)
{
    if (counts[5] > MOST_ATTRIBUTES)
        return anole_fail(error, ANOLE_ERR_INPUT, "it has %zu attributes; expected at most %d",
                          counts[5], MOST_ATTRIBUTES);
    enum anole_status status =
        allocate(&node->inputs, holder, counts[1], sizeof *node->inputs, error);
    if (status == ANOLE_DONE)
        status = allocate(&node->outputs, holder, counts[2], sizeof *node->outputs, error);
    if (status == ANOLE_DONE)
        status = allocate(&node->attributes, holder, counts[5], sizeof *node->attributes, error);
    return status;
}

static enum anole_status read_node(struct anole_onnx_node *node, struct anole_onnx_holder *holder,
                                   const struct anole_onnx_graph *graph,
                                   const struct anole_onnx_field *outer, struct anole_error *error)
{
    struct anole_onnx_message message;
    size_t counts[COUNTED];
    char shown[3 * SHOWN];
    enum anole_status status = anole_onnx_inner(&message, outer, error);
    if (status == ANOLE_DONE)
        status = count_fields(counts, message, error);
    if (status == ANOLE_DONE)
        status = allocate_node(node, holder, counts, error);
    if (status == ANOLE_DONE)
        status = read_node_names(node, holder, message, error);
    if (status == ANOLE_DONE)
        status = read_attributes(node, holder, graph, message, error);
    if (status != ANOLE_DONE)
        anole_error_prefix(error, "%s", anole_onnx_node_text(shown, sizeof shown, node));
    return status;
}

/* -------------------------------------------------------------------- graphs */

enum {
    GRAPH_NODE = 1,
    GRAPH_NAME = 2,
    GRAPH_INITIALIZER = 5,
    GRAPH_INPUT = 11,
    GRAPH_OUTPUT = 12,
    GRAPH_VALUE = 13,
    GRAPH_SPARSE_INITIALIZER = 15,
};

static enum anole_status read_graph_field(struct anole_onnx_graph *graph,
                                          struct anole_onnx_holder *holder,
                                          const struct anole_onnx_field *field,
                                          struct anole_error *error)
{
    struct anole_onnx_message inner;
    struct anole_onnx_node *node;
    enum anole_status status;
    switch (field->number) {
    case GRAPH_NODE:
        node = &graph->nodes[graph->node_count];
        *node = (struct anole_onnx_node){
            .name = "", .op_type = "", .domain = "", .index = graph->node_count++};
        return read_node(node, holder, graph, field, error);
    case GRAPH_NAME:
        return anole_onnx_name(&graph->name, &holder->source, field, error);
    case GRAPH_INITIALIZER:
        status = anole_onnx_inner(&inner, field, error);
        if (status == ANOLE_DONE)
            status = anole_onnx_tensor_read(&graph->initializers[graph->initializer_count++],
                                            &holder->source, inner, error);
        return status;
    case GRAPH_INPUT:
        return read_value(&graph->inputs[graph->input_count++], holder, field, error);
    case GRAPH_OUTPUT:
        return read_value(&graph->outputs[graph->output_count++], holder, field, error);
    case GRAPH_VALUE:
        return read_value(&graph->values[graph->value_count++], holder, field, error);
    case GRAPH_SPARSE_INITIALIZER:
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "byte %zu: an initializer is sparse, which is not supported; expected "
                          "dense ones: convert the model",
                          field->offset);
    default:
        return ANOLE_DONE;
    }
}

static enum anole_status allocate_graph(struct anole_onnx_graph *graph,
                                        struct anole_onnx_holder *holder,
                                        const size_t counts[COUNTED], struct anole_error *error)
{
    struct {
        void *place;
        size_t count, size;
    } parts[] = {
        {&graph->nodes, counts[GRAPH_NODE], sizeof *graph->nodes},
        {&graph->initializers, counts[GRAPH_INITIALIZER], sizeof *graph->initializers},
        {&graph->inputs, counts[GRAPH_INPUT], sizeof *graph->inputs},
        {&graph->outputs, counts[GRAPH_OUTPUT], sizeof *graph->outputs},
        {&graph->values, counts[GRAPH_VALUE], sizeof *graph->values},
    };
    enum anole_status status = ANOLE_DONE;
    for (size_t i = 0; status == ANOLE_DONE && i < sizeof parts / sizeof *parts; i++)
        status = allocate(parts[i].place, holder, parts[i].count, parts[i].size, error);
    return status;
}

static enum anole_status fill_graph(struct anole_onnx_graph *graph,
                                    struct anole_onnx_holder *holder,
                                    struct anole_onnx_message message, struct anole_error *error)
{
    struct anole_onnx_field field;
    size_t counts[COUNTED];
    enum anole_status status = count_fields(counts, message, error);
    if (status == ANOLE_DONE)
        status = allocate_graph(graph, holder, counts, error);
    while (status == ANOLE_DONE && anole_onnx_next(&field, &message, error))
        status = read_graph_field(graph, holder, &field, error);
    return status;
}

static enum anole_status read_graph(struct anole_onnx_graph *graph,
                                    struct anole_onnx_holder *holder,
                                    const struct anole_onnx_graph *parent,
                                    const struct anole_onnx_field *outer, struct anole_error *error)
{
    struct anole_onnx_message message;
    *graph = (struct anole_onnx_graph){.name = "", .parent = parent};
    if (holder->depth > ANOLE_ONNX_MAX_DEPTH)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "byte %zu: graphs are nested more than %d deep; expected fewer",
                          outer->offset, ANOLE_ONNX_MAX_DEPTH);
    enum anole_status status = anole_onnx_inner(&message, outer, error);
    holder->depth++;
    if (status == ANOLE_DONE)
        status = fill_graph(graph, holder, message, error);
    holder->depth--;
    return status;
}

/* --------------------------------------------------------------------- model */

static enum anole_status add_opset(struct anole_onnx_model *model, const char *domain,
                                   int64_t version, struct anole_error *error)
{
    char shown[SHOWN];
    int64_t known = anole_onnx_opset_find(model, domain);
    if (known && known != version)
        return anole_fail(
            error, ANOLE_ERR_INPUT,
            "versions %" PRId64 " and %" PRId64
            " of the operators of domain \"%s\" are imported; expected one",
            known, version,
            anole_text_printable(shown, sizeof shown, domain[0] ? domain : "ai.onnx"));
    if (domain[0] == '\0' && (version < ANOLE_ONNX_MIN_OPSET || version > ANOLE_ONNX_MAX_OPSET))
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "the file uses version %" PRId64
                          " of ONNX's operators (opset); expected %d to %d: convert it, for "
                          "instance by onnx.version_converter",
                          version, ANOLE_ONNX_MIN_OPSET, ANOLE_ONNX_MAX_OPSET);
    if (domain[0] == '\0')
        model->opset = version;
    if (!known)
        model->opsets[model->opset_count++] = (struct anole_onnx_opset){domain, version};
    return ANOLE_DONE;
}

static enum anole_status read_opset(struct anole_onnx_holder *holder,
                                    const struct anole_onnx_field *outer, struct anole_error *error)
{
    struct anole_onnx_message message;
    struct anole_onnx_field field;
    const char *domain = "";
    int64_t version = 0;
    enum anole_status status = anole_onnx_inner(&message, outer, error);
    while (status == ANOLE_DONE && anole_onnx_next(&field, &message, error)) {
        if (field.number == 1)
            status = anole_onnx_name(&domain, &holder->source, &field, error);
        else if (field.number == 2)
            status = anole_onnx_int(&version, &field, error);
    }
    if (status == ANOLE_DONE)
        status = message.status;
    if (status == ANOLE_DONE && version < 1)
        status = anole_fail(error, ANOLE_ERR_INPUT,
                            "byte %zu: version %" PRId64 " of operators is imported; expected 1 or "
                            "more",
                            outer->offset, version);
    return status ? status : add_opset(&holder->model, plain_domain(domain), version, error);
}

static enum anole_status read_function(struct anole_onnx_holder *holder,
                                       const struct anole_onnx_field *outer,
                                       struct anole_error *error)
{
    struct anole_onnx_message message;
    struct anole_onnx_field field;
    struct anole_onnx_function *function = &holder->functions[holder->function_count++];
    enum anole_status status = anole_onnx_inner(&message, outer, error);
    *function = (struct anole_onnx_function){.name = "", .domain = ""};
    while (status == ANOLE_DONE && anole_onnx_next(&field, &message, error)) {
        if (field.number == 1)
            status = anole_onnx_name(&function->name, &holder->source, &field, error);
        else if (field.number == 10)
            status = anole_onnx_name(&function->domain, &holder->source, &field, error);
    }
    function->domain = plain_domain(function->domain);
    return status ? status : message.status;
}

enum {
    MODEL_IR_VERSION = 1,
    MODEL_PRODUCER = 2,
    MODEL_PRODUCER_VERSION = 3,
    MODEL_GRAPH = 7,
    MODEL_OPSET = 8,
    MODEL_FUNCTION = 25,
};

static enum anole_status read_head_field(struct anole_onnx_holder *holder, const char *producer[2],
                                         const struct anole_onnx_field *field,
                                         struct anole_error *error)
{
    switch (field->number) {
    case MODEL_IR_VERSION:
        return anole_onnx_int(&holder->model.ir_version, field, error);
    case MODEL_PRODUCER:
    case MODEL_PRODUCER_VERSION:
        return anole_onnx_name(&producer[field->number - MODEL_PRODUCER], &holder->source, field,
                               error);
    case MODEL_OPSET:
        return read_opset(holder, field, error);
    case MODEL_FUNCTION:
        return read_function(holder, field, error);
    default:
        return ANOLE_DONE;
    }
}

/* All but the graph, which comes last, whatever the order in the file: what a file of a version
 * that we do not know says in it may mean something else. */
static enum anole_status read_head(struct anole_onnx_holder *holder,
                                   struct anole_onnx_message message, const size_t counts[COUNTED],
                                   struct anole_error *error)
{
    struct anole_onnx_field field;
    struct anole_onnx_model *model = &holder->model;
    const char *producer[2] = {"", ""};
    char text[300];
    enum anole_status status =
        allocate(&model->opsets, holder, counts[MODEL_OPSET], sizeof *model->opsets, error);
    if (status == ANOLE_DONE)
        status = allocate(&holder->functions, holder, counts[MODEL_FUNCTION],
                          sizeof *holder->functions, error);
    while (status == ANOLE_DONE && anole_onnx_next(&field, &message, error))
        status = read_head_field(holder, producer, &field, error);
    if (status != ANOLE_DONE)
        return status;
    snprintf(text, sizeof text, "%.200s%s%.80s", producer[0],
             producer[0][0] && producer[1][0] ? " " : "", producer[1]);
    model->producer = anole_arena_text(&holder->source.arena, text, strlen(text));
    return model->producer ? ANOLE_DONE : anole_fail_memory(error);
}

static enum anole_status check_head(const struct anole_onnx_model *model,
                                    const size_t counts[COUNTED], struct anole_error *error)
{
    if (model->ir_version < 1 || counts[MODEL_GRAPH] == 0)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "this is no ONNX model: it has no %s; expected a file written by "
                          "onnx.save, torch.onnx.export or the like",
                          model->ir_version < 1 ? "IR version" : "graph");
    if (model->ir_version > ANOLE_ONNX_MAX_IR)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "the file is of version %" PRId64
                          " of ONNX's format (IR); expected at most %d: write it by an older "
                          "version of the program",
                          model->ir_version, ANOLE_ONNX_MAX_IR);
    if (counts[MODEL_GRAPH] > 1)
        return anole_fail(error, ANOLE_ERR_INPUT, "the file has %zu graphs; expected one",
                          counts[MODEL_GRAPH]);
    if (model->opset_count == 0)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "the file does not say which version of the operators (opset) it uses; "
                          "expected %d to %d of ONNX's own",
                          ANOLE_ONNX_MIN_OPSET, ANOLE_ONNX_MAX_OPSET);
    return ANOLE_DONE;
}

static enum anole_status read_model(struct anole_onnx_holder *holder,
                                    struct anole_onnx_message message, struct anole_error *error)
{
    struct anole_onnx_field field;
    size_t counts[COUNTED];
    enum anole_status status = count_fields(counts, message, error);
    if (status == ANOLE_DONE)
        status = read_head(holder, message, counts, error);
    if (status == ANOLE_DONE)
        status = check_head(&holder->model, counts, error);
    while (status == ANOLE_DONE && anole_onnx_next(&field, &message, error))
        if (field.number == MODEL_GRAPH)
            status = read_graph(&holder->model.graph, holder, NULL, &field, error);
    return status ? status : anole_onnx_check(holder, error);
}

static struct anole_onnx_holder *create_holder(const char *path, struct anole_error *error)
{
    struct anole_onnx_holder *holder = calloc(1, sizeof *holder);
    char *copy = holder ? anole_arena_text(&holder->source.arena, path, strlen(path)) : NULL;
    if (!copy) {
        free(holder);
        anole_fail_memory(error);
        return NULL;
    }
    holder->model.path = copy;
    holder->source.path = copy;
    return holder;
}

static enum anole_status finish(struct anole_onnx_model **model, struct anole_onnx_holder *holder,
                                const void *data, size_t bytes, struct anole_error *error)
{
    char file[256];
    enum anole_status status = read_model(holder, anole_onnx_whole(data, bytes), error);
    if (status != ANOLE_DONE) {
        anole_error_prefix(error, "%s",
                           anole_text_printable(file, sizeof file, holder->model.path));
        anole_onnx_model_destroy(&holder->model);
        return status;
    }
    *model = &holder->model;
    return ANOLE_DONE;
}

enum anole_status anole_onnx_model_parse(struct anole_onnx_model **model, const void *data,
                                         size_t bytes, const char *path, struct anole_error *error)
{
    struct anole_onnx_holder *holder = create_holder(path, error);
    return holder ? finish(model, holder, data, bytes, error) : ANOLE_ERR_MEMORY;
}

enum anole_status anole_onnx_model_load(struct anole_onnx_model **model, const char *path,
                                        struct anole_error *error)
{
    struct anole_onnx_holder *holder = create_holder(path, error);
    if (!holder)
        return ANOLE_ERR_MEMORY;
    enum anole_status status = anole_file_view_open(&holder->source.file, path, error);
    if (status != ANOLE_DONE) {
        anole_onnx_model_destroy(&holder->model);
        return status;
    }
    return finish(model, holder, holder->source.file.data, holder->source.file.bytes, error);
}
