/* SPDX-License-Identifier: MIT
 *
 * Writes ONNX files for tests: just enough of Protocol Buffers, and wrong where it is asked to
 * be.  Field numbers are those of onnx.proto.
 */
#ifndef ANOLE_ONNX_FIXTURE_H
#define ANOLE_ONNX_FIXTURE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A message as it grows; zero-initialise. */
struct proto {
    uint8_t *data;
    size_t length;
};

static inline void proto_bytes(struct proto *proto, const void *data, size_t length)
{
    uint8_t *grown = realloc(proto->data, proto->length + length + 1);
    if (!grown)
        abort();
    if (length > 0)
        memcpy(grown + proto->length, data, length);
    proto->data = grown;
    proto->length += length;
}

static inline void proto_varint(struct proto *proto, uint64_t value)
{
    uint8_t bytes[10];
    size_t length = 0;
    do {
        bytes[length++] = (uint8_t)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        value >>= 7;
    } while (value);
    proto_bytes(proto, bytes, length);
}

static inline void proto_key(struct proto *proto, uint32_t field, uint32_t type)
{
    proto_varint(proto, field << 3 | type);
}

static inline void proto_int(struct proto *proto, uint32_t field, int64_t value)
{
    proto_key(proto, field, 0);
    proto_varint(proto, (uint64_t)value);
}

static inline void proto_float(struct proto *proto, uint32_t field, float value)
{
    proto_key(proto, field, 5);
    proto_bytes(proto, &value, sizeof value);
}

static inline void proto_data(struct proto *proto, uint32_t field, const void *data, size_t length)
{
    proto_key(proto, field, 2);
    proto_varint(proto, length);
    proto_bytes(proto, data, length);
}

static inline void proto_text(struct proto *proto, uint32_t field, const char *text)
{
    proto_data(proto, field, text, strlen(text));
}

/* Takes the inner message, and empties it. */
static inline void proto_message(struct proto *proto, uint32_t field, struct proto *inner)
{
    proto_data(proto, field, inner->data, inner->length);
    free(inner->data);
    *inner = (struct proto){0};
}

/* -- Parts of models -- */

/* A value of float32[1,dim]; dim -1: named "n". */
static inline void proto_value(struct proto *graph, uint32_t field, const char *name, int64_t dim)
{
    struct proto value = {0}, type = {0}, tensor = {0}, shape = {0}, one = {0};
    proto_int(&one, 1, 1);
    proto_message(&shape, 1, &one);
    if (dim >= 0)
        proto_int(&one, 1, dim);
    else
        proto_text(&one, 2, "n");
    proto_message(&shape, 1, &one);
    proto_int(&tensor, 1, 1);
    proto_message(&tensor, 2, &shape);
    proto_message(&type, 1, &tensor);
    proto_text(&value, 1, name);
    proto_message(&value, 2, &type);
    proto_message(graph, field, &value);
}

/* A tensor without elements, to be added. */
static inline struct proto proto_tensor(const char *name, int64_t type, int64_t dim)
{
    struct proto tensor = {0};
    proto_int(&tensor, 1, dim);
    proto_int(&tensor, 2, type);
    proto_text(&tensor, 8, name);
    return tensor;
}

/* An entry of a tensor's external data. */
static inline void proto_entry(struct proto *tensor, const char *key, const char *value)
{
    struct proto entry = {0};
    proto_text(&entry, 1, key);
    proto_text(&entry, 2, value);
    proto_message(tensor, 13, &entry);
}

/* A node that reads up to two values (NULL: none) and makes one. */
static inline struct proto proto_node(const char *op, const char *a, const char *b, const char *out)
{
    struct proto node = {0};
    if (a)
        proto_text(&node, 1, a);
    if (b)
        proto_text(&node, 1, b);
    if (out)
        proto_text(&node, 2, out);
    proto_text(&node, 4, op);
    return node;
}

static inline void proto_add_node(struct proto *graph, const char *op, const char *a, const char *b,
                                  const char *out)
{
    struct proto node = proto_node(op, a, b, out);
    proto_message(graph, 1, &node);
}

/* An attribute without its value, to be added. */
static inline struct proto proto_attribute(const char *name, int64_t kind)
{
    struct proto attribute = {0};
    proto_text(&attribute, 1, name);
    proto_int(&attribute, 20, kind);
    return attribute;
}

/* The model around a graph, of any versions; takes the graph. */
static inline struct proto proto_model(struct proto *graph, int64_t ir, int64_t opset)
{
    struct proto model = {0}, import = {0};
    proto_int(&model, 1, ir);
    proto_text(&model, 2, "fixture");
    proto_text(&import, 1, "");
    proto_int(&import, 2, opset);
    proto_message(&model, 8, &import);
    proto_message(&model, 7, graph);
    return model;
}

/* y = If(c) then x + w else x, z = Relu(y), written in the wrong order, with an attribute of
 * every kind that is read. */
static inline struct proto proto_small_model(void)
{
    static const float weights[] = {1, 2, 3, 4};
    static const int64_t ints[] = {1, -2, 3};
    struct proto graph = {0}, tensor = proto_tensor("w", 1, 4), node, inner = {0}, list = {0};
    proto_data(&tensor, 9, weights, sizeof weights);
    proto_message(&graph, 5, &tensor);
    proto_text(&graph, 2, "small");
    node = proto_node("Relu", "y", NULL, "z");
    proto_text(&node, 3, "last");
    struct proto attribute = proto_attribute("f", 1);
    proto_float(&attribute, 2, 0.5f);
    proto_message(&node, 5, &attribute);
    attribute = proto_attribute("i", 2);
    proto_int(&attribute, 3, -7);
    proto_message(&node, 5, &attribute);
    attribute = proto_attribute("s", 3);
    proto_text(&attribute, 4, "text");
    proto_message(&node, 5, &attribute);
    attribute = proto_attribute("floats", 6);
    proto_data(&attribute, 7, weights, sizeof weights);
    proto_message(&node, 5, &attribute);
    attribute = proto_attribute("ints", 7);
    for (size_t i = 0; i < 3; i++)
        proto_varint(&list, (uint64_t)ints[i]);
    proto_message(&attribute, 8, &list);
    proto_int(&attribute, 8, 4);
    proto_message(&node, 5, &attribute);
    attribute = proto_attribute("strings", 8);
    proto_text(&attribute, 9, "a");
    proto_text(&attribute, 9, "");
    proto_message(&node, 5, &attribute);
    attribute = proto_attribute("t", 4);
    tensor = proto_tensor("", 7, 2);
    proto_int(&tensor, 7, 5);
    proto_int(&tensor, 7, -6);
    proto_message(&attribute, 5, &tensor);
    proto_message(&node, 5, &attribute);
    proto_message(&graph, 1, &node);
    node = proto_node("If", "c", NULL, "y");
    proto_text(&node, 3, "choose");
    attribute = proto_attribute("then_branch", 5);
    proto_add_node(&inner, "Add", "x", "w", "sum");
    proto_value(&inner, 12, "sum", 4);
    proto_message(&attribute, 6, &inner);
    proto_message(&node, 5, &attribute);
    attribute = proto_attribute("else_branch", 5);
    proto_add_node(&inner, "Identity", "x", NULL, "same");
    proto_value(&inner, 12, "same", 4);
    proto_message(&attribute, 6, &inner);
    proto_message(&node, 5, &attribute);
    proto_message(&graph, 1, &node);
    proto_add_node(&graph, "Cast", "x", NULL, "c");
    proto_value(&graph, 11, "x", -1);
    proto_value(&graph, 12, "z", 4);
    proto_value(&graph, 13, "y", 4);
    return proto_model(&graph, 8, 17);
}

#endif
