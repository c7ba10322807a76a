/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "frontend/onnx_model.h"
#include "frontend/onnx_tensor.h"
#include "onnx_fixture.h"

#include <ftw.h>
#include <stdio.h>
#include <unistd.h>

#define PATH "m.onnx"

/* Reads a message and drops it; the model of a message that is dropped must not be used. */
static enum anole_status read_proto(struct proto *proto, struct anole_error *error)
{
    struct anole_onnx_model *model = NULL;
    /* Of its exact size, so that a checker of addresses sees what reads beyond. */
    uint8_t *exact = malloc(proto->length + (proto->length == 0));
    assert_non_null(exact);
    memcpy(exact, proto->data, proto->length);
    enum anole_status status = anole_onnx_model_parse(&model, exact, proto->length, PATH, error);
    assert_int_equal(status, error->status);
    assert_true((status == ANOLE_DONE) == (model != NULL));
    anole_onnx_model_destroy(model);
    free(exact);
    free(proto->data);
    *proto = (struct proto){0};
    return status;
}

/* Refused, with a message that begins with the path and has this in it. */
static void assert_refused(struct proto *proto, const char *part)
{
    struct anole_error error = {.status = ANOLE_DONE};
    assert_int_equal(read_proto(proto, &error), ANOLE_ERR_INPUT);
    if (!strstr(error.text, part) || strncmp(error.text, PATH ": ", strlen(PATH) + 2) != 0)
        fail_msg("\"%s\" is not in \"%s\"", part, error.text);
}

static void assert_read(struct proto *proto)
{
    struct anole_error error = {.status = ANOLE_DONE};
    if (read_proto(proto, &error) != ANOLE_DONE)
        fail_msg("%s", error.text);
}

/* x -> Relu -> y, to be spoilt. */
static struct proto plain_graph(void)
{
    struct proto graph = {0};
    proto_add_node(&graph, "Relu", "x", NULL, "y");
    proto_value(&graph, 11, "x", 4);
    proto_value(&graph, 12, "y", 4);
    return graph;
}

/* The same with a tensor as initializer; takes the tensor. */
static struct proto model_with(struct proto *tensor)
{
    struct proto graph = plain_graph();
    proto_message(&graph, 5, tensor);
    return proto_model(&graph, 8, 17);
}

/* -- What is read -- */

static void check_attributes(const struct anole_onnx_node *node)
{
    const struct anole_onnx_attribute *attribute = anole_onnx_attribute_find(node, "ints");
    assert_non_null(attribute);
    assert_int_equal(attribute->kind, ANOLE_ONNX_ATTRIBUTE_INTS);
    assert_int_equal(attribute->count, 4);
    assert_int_equal(attribute->ints[1], -2);
    assert_int_equal(attribute->ints[3], 4);
    assert_true(anole_onnx_attribute_find(node, "f")->floats[0] == 0.5f);
    assert_int_equal(anole_onnx_attribute_find(node, "i")->ints[0], -7);
    assert_string_equal(anole_onnx_attribute_find(node, "s")->strings[0].data, "text");
    assert_true(anole_onnx_attribute_find(node, "floats")->floats[3] == 4);
    assert_int_equal(anole_onnx_attribute_find(node, "strings")->count, 2);
    assert_int_equal(anole_onnx_attribute_find(node, "strings")->strings[1].length, 0);
    const struct anole_array *tensor = anole_onnx_attribute_find(node, "t")->tensors;
    assert_int_equal(tensor->element, ANOLE_ARRAY_I64);
    assert_int_equal(((const int64_t *)tensor->data)[1], -6);
    assert_null(anole_onnx_attribute_find(node, "none"));
}

static void test_read_small_model_finds_all(void **state)
{
    (void)state;
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_onnx_model *model;
    struct anole_onnx_origin origin;
    struct proto proto = proto_small_model();
    char text[100];
    if (anole_onnx_model_parse(&model, proto.data, proto.length, PATH, &error) != ANOLE_DONE)
        fail_msg("%s", error.text);
    const struct anole_onnx_graph *graph = &model->graph;
    assert_int_equal(model->ir_version, 8);
    assert_int_equal(model->opset, 17);
    assert_int_equal(anole_onnx_opset_find(model, ""), 17);
    assert_int_equal(anole_onnx_opset_find(model, "other"), 0);
    assert_string_equal(model->producer, "fixture");
    assert_string_equal(graph->name, "small");
    assert_int_equal(graph->node_count, 3);
    assert_string_equal(graph->nodes[0].op_type, "Cast"); /* the file has it last */
    assert_string_equal(graph->nodes[1].op_type, "If");
    assert_string_equal(graph->nodes[2].op_type, "Relu");
    check_attributes(&graph->nodes[2]);
    assert_string_equal(anole_onnx_node_text(text, sizeof text, &graph->nodes[2]),
                        "node \"last\" (Relu)");
    assert_string_equal(anole_onnx_node_text(text, sizeof text, &graph->nodes[0]),
                        "node 2 (Cast, which makes \"c\")");
    assert_int_equal(graph->inputs[0].rank, 2);
    assert_int_equal(graph->inputs[0].dims[0].value, 1);
    assert_int_equal(graph->inputs[0].dims[1].value, -1);
    assert_string_equal(graph->inputs[0].dims[1].name, "n");
    assert_int_equal(graph->value_count, 1);
    const struct anole_onnx_graph *inner =
        anole_onnx_attribute_find(&graph->nodes[1], "then_branch")->graphs;
    assert_ptr_equal(inner->parent, graph);
    assert_true(anole_onnx_find(&origin, inner, "w"));
    assert_ptr_equal(origin.graph, graph);
    assert_ptr_equal(origin.initializer, &graph->initializers[0]);
    assert_true(anole_onnx_find(&origin, inner, "sum"));
    assert_ptr_equal(origin.node, &inner->nodes[0]);
    assert_false(anole_onnx_find(&origin, graph, "sum"));
    assert_true(anole_onnx_find(&origin, graph, "z"));
    assert_ptr_equal(origin.node, &graph->nodes[2]);
    /* Weights are used where they are. */
    const uint8_t *data = graph->initializers[0].data;
    assert_true(data > proto.data && data < proto.data + proto.length);
    anole_onnx_model_destroy(model);
    free(proto.data);
}

static void test_read_input_with_default_is_both(void **state)
{
    (void)state;
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_onnx_model *model;
    struct anole_onnx_origin origin;
    struct proto tensor = proto_tensor("x", 1, 1);
    proto_float(&tensor, 4, 1);
    struct proto proto = model_with(&tensor);
    assert_int_equal(anole_onnx_model_parse(&model, proto.data, proto.length, PATH, &error),
                     ANOLE_DONE);
    assert_true(anole_onnx_find(&origin, &model->graph, "x"));
    assert_non_null(origin.input);
    assert_non_null(origin.initializer);
    anole_onnx_model_destroy(model);
    free(proto.data);
}

/* -- Damage -- */

static void test_read_survives_every_cut(void **state)
{
    (void)state;
    struct proto whole = proto_small_model();
    size_t done = 0;
    for (size_t length = 0; length < whole.length; length++) {
        struct anole_error error = {.status = ANOLE_DONE};
        struct proto cut = {0};
        proto_bytes(&cut, whole.data, length);
        done += read_proto(&cut, &error) == ANOLE_DONE;
    }
    assert_int_equal(done, 0); /* the graph comes last */
    free(whole.data);
}

static void test_read_survives_every_flip(void **state)
{
    (void)state;
    struct proto whole = proto_small_model();
    size_t refused = 0;
    for (size_t bit = 0; bit < 8 * whole.length; bit++) {
        struct anole_error error = {.status = ANOLE_DONE};
        struct proto flipped = {0};
        proto_bytes(&flipped, whole.data, whole.length);
        flipped.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        enum anole_status status = read_proto(&flipped, &error);
        assert_true(status == ANOLE_DONE || status == ANOLE_ERR_INPUT);
        refused += status != ANOLE_DONE;
    }
    assert_true(refused > whole.length);
    free(whole.data);
}

static void test_read_no_model_is_refused(void **state)
{
    (void)state;
    struct proto proto = {0};
    proto_bytes(&proto, "", 0);
    assert_refused(&proto, "no ONNX model");
    proto_bytes(&proto, "{\"name\": \"net\"}", 15);
    assert_refused(&proto, "byte 0");
    proto_bytes(&proto, "\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 12);
    assert_refused(&proto, "a number has no end");
    proto_bytes(&proto, "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11);
    assert_refused(&proto, "a number has no end"); /* the 65th bit */
    proto_bytes(&proto, "\x0b\x0c", 2);
    assert_refused(&proto, "a type that ONNX does not use"); /* a group */
    proto_bytes(&proto, "\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11);
    assert_refused(&proto, "ends behind"); /* a length of 2^64 - 1 */
    proto_bytes(&proto, "\x0a\x01\x08", 3);
    assert_refused(&proto, "field 1 is text"); /* the IR version */
}

/* -- Versions -- */

static void test_read_other_versions_is_refused(void **state)
{
    (void)state;
    static const struct {
        int64_t ir, opset;
        const char *part;
    } cases[] = {{8, 6, "version 6 of ONNX's operators"},
                 {8, 28, "version 28 of ONNX's operators"},
                 {8, -1, "version -1"},
                 {14, 17, "version 14 of ONNX's format"},
                 {0, 17, "no IR version"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct proto graph = plain_graph();
        struct proto model = proto_model(&graph, cases[i].ir, cases[i].opset);
        assert_refused(&model, cases[i].part);
    }
    for (int64_t opset = 7; opset <= 27; opset += 20) {
        struct proto graph = plain_graph(), model = proto_model(&graph, opset == 7 ? 3 : 13, opset);
        assert_read(&model);
    }
}

static void test_read_domains_are_checked(void **state)
{
    (void)state;
    struct proto graph = plain_graph(), node = proto_node("Odd", "x", NULL, "o"), import = {0};
    proto_text(&node, 7, "com.example");
    proto_message(&graph, 1, &node);
    struct proto model = proto_model(&graph, 8, 17), copy = {0};
    proto_bytes(&copy, model.data, model.length);
    assert_refused(&copy, "node 1 (Odd, which makes \"o\"): the file does not say");
    proto_text(&import, 1, "com.example");
    proto_int(&import, 2, 1);
    proto_message(&model, 8, &import);
    proto_bytes(&copy, model.data, model.length);
    assert_read(&copy);
    /* ONNX's own has two names. */
    proto_bytes(&copy, model.data, model.length);
    proto_text(&import, 1, "ai.onnx");
    proto_int(&import, 2, 16);
    proto_message(&copy, 8, &import);
    assert_refused(&copy, "versions 17 and 16");
    /* A function of this name. */
    struct proto function = {0};
    proto_text(&function, 1, "Odd");
    proto_text(&function, 10, "com.example");
    proto_message(&model, 25, &function);
    assert_refused(&model, "the file's function \"Odd\"");
}

/* -- Names and order -- */

static void test_read_bad_names_are_refused(void **state)
{
    (void)state;
    struct proto graph = plain_graph(), model;
    proto_add_node(&graph, "Abs", "x", NULL, "y");
    model = proto_model(&graph, 8, 17);
    assert_refused(&model, "node 1 (Abs, which makes \"y\"): it makes \"y\", which is also the "
                           "output of another");
    graph = plain_graph();
    proto_add_node(&graph, "Abs", "x", NULL, "x");
    model = proto_model(&graph, 8, 17);
    assert_refused(&model, "which is also an input");
    graph = plain_graph();
    proto_value(&graph, 11, "x", 4);
    model = proto_model(&graph, 8, 17);
    assert_refused(&model, "\"x\" is an input twice");
    graph = plain_graph();
    proto_add_node(&graph, "Abs", "\x1b[31m", NULL, "o");
    model = proto_model(&graph, 8, 17);
    assert_refused(&model, "it reads \"\\x1b[31m\", which nothing makes");
    graph = plain_graph();
    proto_value(&graph, 12, "none", 4);
    model = proto_model(&graph, 8, 17);
    assert_refused(&model, "nothing makes the output \"none\"");
    graph = plain_graph();
    proto_data(&graph, 2, "a\0b", 3);
    model = proto_model(&graph, 8, 17);
    assert_refused(&model, "a NUL");
    graph = plain_graph();
    struct proto node = proto_node("", "x", NULL, "o");
    proto_message(&graph, 1, &node);
    model = proto_model(&graph, 8, 17);
    assert_refused(&model, "names no operator");
}

static void test_read_empty_graph_is_refused(void **state)
{
    (void)state;
    struct proto graph = {0}, model = proto_model(&graph, 8, 17);
    assert_refused(&model, "no nodes");
    proto_add_node(&graph, "Abs", NULL, NULL, "y");
    model = proto_model(&graph, 8, 17);
    assert_refused(&model, "no outputs");
}

static void test_read_cycle_names_a_node(void **state)
{
    (void)state;
    struct proto graph = plain_graph(), model, inner = {0};
    proto_add_node(&graph, "Add", "x", "b", "a");
    proto_add_node(&graph, "Neg", "a", NULL, "b");
    model = proto_model(&graph, 8, 17);
    assert_refused(&model,
                   "node 2 (Neg, which makes \"b\"): it reads what node 1 (Add, which makes "
                   "\"a\")");
    graph = plain_graph();
    proto_add_node(&graph, "Add", "x", "a", "a");
    model = proto_model(&graph, 8, 17);
    assert_refused(&model, "cycle");
    /* By way of a subgraph. */
    graph = plain_graph();
    struct proto node = proto_node("If", "x", NULL, "a"), attribute = proto_attribute("g", 5);
    proto_add_node(&inner, "Neg", "a", NULL, "i");
    proto_value(&inner, 12, "i", 4);
    proto_message(&attribute, 6, &inner);
    proto_message(&node, 5, &attribute);
    proto_message(&graph, 1, &node);
    model = proto_model(&graph, 8, 17);
    assert_refused(&model, "cycle");
}

/* n nodes, each reading the one before it, from the last to the first. */
static void test_read_long_chain_is_sorted(void **state)
{
    (void)state;
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_onnx_model *model;
    struct proto graph = {0};
    char in[20], out[20];
    enum { LENGTH = 3000 };
    for (int i = LENGTH; i > 0; i--) {
        snprintf(in, sizeof in, "v%d", i - 1);
        snprintf(out, sizeof out, "v%d", i);
        proto_add_node(&graph, "Abs", in, NULL, out);
    }
    proto_value(&graph, 11, "v0", 4);
    proto_value(&graph, 12, out, 4);
    struct proto proto = proto_model(&graph, 8, 17);
    if (anole_onnx_model_parse(&model, proto.data, proto.length, PATH, &error) != ANOLE_DONE)
        fail_msg("%s", error.text);
    for (size_t i = 0; i < LENGTH; i++) {
        snprintf(in, sizeof in, "v%zu", i);
        assert_string_equal(model->graph.nodes[i].inputs[0], in);
    }
    anole_onnx_model_destroy(model);
    free(proto.data);
}

/* -- Depth -- */

static struct proto nested_model(size_t depth)
{
    struct proto graph = plain_graph();
    for (size_t i = 0; i < depth; i++) {
        struct proto node = proto_node("If", NULL, NULL, NULL), outer = plain_graph();
        struct proto attribute = proto_attribute("body", 5);
        proto_message(&attribute, 6, &graph);
        proto_message(&node, 5, &attribute);
        proto_message(&outer, 1, &node);
        graph = outer;
    }
    return proto_model(&graph, 8, 17);
}

static void test_read_deep_graphs_are_refused(void **state)
{
    (void)state;
    struct proto model = nested_model(ANOLE_ONNX_MAX_DEPTH);
    assert_read(&model);
    model = nested_model(ANOLE_ONNX_MAX_DEPTH + 1);
    assert_refused(&model, "nested more than 16 deep");
    model = nested_model(1000);
    assert_refused(&model, "nested more than 16 deep");
}

/* -- Attributes -- */

static void refuse_attribute(struct proto *attribute, const char *part)
{
    struct proto graph = plain_graph(), node = proto_node("Op", "x", NULL, "o");
    proto_message(&node, 5, attribute);
    proto_message(&graph, 1, &node);
    struct proto model = proto_model(&graph, 8, 17);
    assert_refused(&model, part);
}

static void test_read_bad_attributes_are_refused(void **state)
{
    (void)state;
    struct proto attribute = proto_attribute("a", 4);
    refuse_attribute(&attribute, "attribute \"a\": it has 0 values");
    attribute = proto_attribute("a", 99);
    refuse_attribute(&attribute, "number 99");
    attribute = proto_attribute("a", 0);
    refuse_attribute(&attribute, "number 0");
    attribute = proto_attribute("a", 1);
    proto_int(&attribute, 2, 1);
    refuse_attribute(&attribute, "expected 4 bytes");
    attribute = proto_attribute("a", 6);
    proto_data(&attribute, 7, "12345", 5);
    refuse_attribute(&attribute, "ends inside a number");
    attribute = proto_attribute("a", 7);
    proto_data(&attribute, 8, "\x01\xff", 2);
    refuse_attribute(&attribute, "ends inside a number");
    attribute = proto_attribute("a", 2);
    proto_text(&attribute, 21, "alpha");
    refuse_attribute(&attribute, "attribute of a function");
    struct proto graph = plain_graph(), node = proto_node("Op", "x", NULL, "o");
    for (int i = 0; i < 2; i++) {
        attribute = proto_attribute("a", 2);
        proto_message(&node, 5, &attribute);
    }
    proto_message(&graph, 1, &node);
    struct proto model = proto_model(&graph, 8, 17);
    assert_refused(&model, "attribute \"a\" is there twice");
}

/* -- Tensors -- */

static void test_read_tensor_of_every_store(void **state)
{
    (void)state;
    static const double doubles[] = {1.5, -2};
    static const float floats[] = {1.5f, -2};
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_array array;
    struct proto tensor = proto_tensor("t", ANOLE_ARRAY_F64, 2);
    proto_data(&tensor, 10, doubles, sizeof doubles);
    assert_int_equal(anole_onnx_tensor_parse(&array, tensor.data, tensor.length, "t.pb", &error),
                     ANOLE_DONE);
    assert_memory_equal(array.data, doubles, sizeof doubles);
    anole_array_fini(&array);
    free(tensor.data);
    tensor = proto_tensor("t", ANOLE_ARRAY_F32, 2);
    proto_float(&tensor, 4, floats[0]);
    proto_float(&tensor, 4, floats[1]);
    assert_int_equal(anole_onnx_tensor_parse(&array, tensor.data, tensor.length, "t.pb", &error),
                     ANOLE_DONE);
    assert_memory_equal(array.data, floats, sizeof floats);
    anole_array_fini(&array);
    free(tensor.data);
    tensor = proto_tensor("t", ANOLE_ARRAY_I8, 3);
    proto_int(&tensor, 5, -128);
    proto_data(&tensor, 5, "\x01\x7f", 2);
    assert_int_equal(anole_onnx_tensor_parse(&array, tensor.data, tensor.length, "t.pb", &error),
                     ANOLE_DONE);
    assert_memory_equal(array.data, "\x80\x01\x7f", 3);
    anole_array_fini(&array);
    free(tensor.data);
    tensor = proto_tensor("t", ANOLE_ARRAY_I4, 3); /* two of them share a byte */
    proto_data(&tensor, 5, "\x12\x03", 2);
    assert_int_equal(anole_onnx_tensor_parse(&array, tensor.data, tensor.length, "t.pb", &error),
                     ANOLE_DONE);
    assert_int_equal(array.bytes, 2);
    anole_array_fini(&array);
    free(tensor.data);
    tensor = proto_tensor("t", ANOLE_ARRAY_U32, 1);
    proto_int(&tensor, 11, 0xfffffffe);
    assert_int_equal(anole_onnx_tensor_parse(&array, tensor.data, tensor.length, "t.pb", &error),
                     ANOLE_DONE);
    assert_int_equal(*(const uint32_t *)array.data, 0xfffffffe);
    anole_array_fini(&array);
    free(tensor.data);
    tensor = proto_tensor("t", ANOLE_ARRAY_STRING, 2);
    proto_text(&tensor, 6, "one");
    proto_text(&tensor, 6, "");
    assert_int_equal(anole_onnx_tensor_parse(&array, tensor.data, tensor.length, "t.pb", &error),
                     ANOLE_DONE);
    const struct anole_bytes *strings = array.data;
    assert_int_equal(strings[0].length, 3);
    assert_memory_equal(strings[0].data, "one", 3);
    assert_int_equal(strings[1].length, 0);
    anole_array_fini(&array);
    free(tensor.data);
}

static void refuse_tensor(struct proto *tensor, const char *part)
{
    struct proto model = model_with(tensor);
    assert_refused(&model, part);
}

static void test_read_bad_tensors_are_refused(void **state)
{
    (void)state;
    struct proto tensor = proto_tensor("t", 1, 2);
    proto_data(&tensor, 9, "1234567", 7);
    refuse_tensor(&tensor, "tensor \"t\": raw_data has 7 bytes; float32[2] takes 8");
    tensor = proto_tensor("t", 1, 2);
    refuse_tensor(&tensor, "float_data has 0 entries");
    tensor = proto_tensor("t", 1, -2);
    refuse_tensor(&tensor, "size 0 is -2");
    tensor = proto_tensor("t", 1, INT64_MAX);
    refuse_tensor(&tensor, "64 TiB");
    tensor = proto_tensor("t", 1, (int64_t)1 << 32);
    proto_int(&tensor, 1, (int64_t)1 << 32);
    refuse_tensor(&tensor, "64 TiB"); /* 0 if it overflowed */
    tensor = proto_tensor("t", 1, 1);
    for (int i = 0; i < 8; i++)
        proto_int(&tensor, 1, 1);
    refuse_tensor(&tensor, "9 dimensions");
    tensor = proto_tensor("t", 0, 1);
    refuse_tensor(&tensor, "number 0");
    tensor = proto_tensor("t", 27, 1);
    refuse_tensor(&tensor, "number 27");
    tensor = proto_tensor("t", 1, 1);
    proto_data(&tensor, 9, "1234", 4);
    proto_float(&tensor, 4, 1);
    refuse_tensor(&tensor, "others beside");
    tensor = proto_tensor("t", ANOLE_ARRAY_U8, 1);
    proto_int(&tensor, 5, 256);
    refuse_tensor(&tensor, "out of range");
    tensor = proto_tensor("t", ANOLE_ARRAY_STRING, 1);
    proto_text(&tensor, 9, "text");
    refuse_tensor(&tensor, "string_data");
    tensor = proto_tensor("t", 1, 1);
    proto_text(&tensor, 3, "");
    refuse_tensor(&tensor, "segment");
    struct proto graph = plain_graph(), sparse = {0};
    proto_message(&graph, 15, &sparse);
    struct proto model = proto_model(&graph, 8, 17);
    assert_refused(&model, "sparse");
}

/* -- External data -- */

static char folder[64];

static const char *path_of(const char *name)
{
    static char paths[2][200];
    static int next;
    next = !next;
    snprintf(paths[next], sizeof paths[next], "%s/%s", folder, name);
    return paths[next];
}

static void write_file(const char *name, const void *data, size_t length)
{
    FILE *file = fopen(path_of(name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static struct proto external_model(const char *location, const char *offset, const char *length)
{
    struct proto tensor = proto_tensor("t", 1, 2);
    proto_int(&tensor, 14, 1);
    if (location)
        proto_entry(&tensor, "location", location);
    if (offset)
        proto_entry(&tensor, "offset", offset);
    if (length)
        proto_entry(&tensor, "length", length);
    proto_entry(&tensor, "checksum", "x");
    return model_with(&tensor);
}

static enum anole_status load_external(struct anole_error *error, float *last, struct proto model)
{
    struct anole_onnx_model *read = NULL;
    error->status = ANOLE_DONE;
    write_file("model/m.onnx", model.data, model.length);
    free(model.data);
    enum anole_status status = anole_onnx_model_load(&read, path_of("model/m.onnx"), error);
    if (status == ANOLE_DONE)
        memcpy(last, (const uint8_t *)read->graph.initializers[0].data + 4, 4);
    anole_onnx_model_destroy(read);
    return status;
}

static int rm(const char *path, const struct stat *about, int kind, struct FTW *place)
{
    (void)about, (void)kind, (void)place;
    return remove(path);
}

static void make_folder(void)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%.40s/anole-test-XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(folder));
}

static void test_read_external_data_stays_inside(void **state)
{
    (void)state;
    static const float data[] = {1, 2, 3};
    static const struct {
        const char *location, *offset, *length, *part;
    } cases[] = {
        {"data.bin", NULL, NULL, NULL},
        {"data.bin", "4", "8", NULL},
        {"sub/data.bin", "4", NULL, NULL},
        {"link_inside", "0", NULL, NULL},
        {"./sub/data.bin", "0", NULL, NULL},
        {"../data.bin", NULL, NULL, "\"..\""},
        {"sub/../../data.bin", NULL, NULL, "\"..\""},
        {"/etc/passwd", NULL, NULL, "absolute"},
        {"link_outside", NULL, NULL, "leads out"},
        {"folder_outside/data.bin", NULL, NULL, "leads out"},
        {"sub", NULL, NULL, "no regular file"},
        {"none.bin", NULL, NULL, "does not exist"},
        {"", NULL, NULL, "no name"},
        {NULL, NULL, NULL, "no name"},
        {"data.bin", "8", NULL, "too short"},
        {"data.bin", "18446744073709551615", NULL, "too short"},
        {"data.bin", "18446744073709551616", NULL, "64 bits"},
        {"data.bin", "99999999999999999999999999999999", NULL, "64 bits"},
        {"data.bin", "-1", NULL, "whole number"},
        {"data.bin", NULL, "7", "expected 8"},
        {"data.bin", "4", "18446744073709551612", "expected 8"},
    };
    make_folder();
    assert_int_equal(mkdir(path_of("model"), 0777), 0);
    assert_int_equal(mkdir(path_of("model/sub"), 0777), 0);
    write_file("data.bin", data, sizeof data);
    write_file("model/data.bin", data, sizeof data);
    write_file("model/sub/data.bin", data, sizeof data);
    assert_int_equal(symlink("sub/data.bin", path_of("model/link_inside")), 0);
    assert_int_equal(symlink("../data.bin", path_of("model/link_outside")), 0);
    assert_int_equal(symlink("..", path_of("model/folder_outside")), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct anole_error error;
        float last;
        enum anole_status status = load_external(
            &error, &last, external_model(cases[i].location, cases[i].offset, cases[i].length));
        if (cases[i].part) {
            assert_int_equal(status, ANOLE_ERR_INPUT);
            if (!strstr(error.text, cases[i].part) || !strstr(error.text, "tensor \"t\""))
                fail_msg("\"%s\" is not in \"%s\"", cases[i].part, error.text);
        } else {
            if (status != ANOLE_DONE)
                fail_msg("%s", error.text);
            assert_true(last == (cases[i].offset && cases[i].offset[0] == '4' ? 3 : 2));
        }
    }
    nftw(folder, rm, 8, FTW_DEPTH | FTW_PHYS);
}

static void test_load_large_file_is_mapped(void **state)
{
    (void)state;
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_onnx_model *model;
    size_t count = (size_t)2 << 20;
    float *data = calloc(count, sizeof *data);
    struct proto tensor = proto_tensor("t", 1, (int64_t)count);
    assert_non_null(data);
    data[count - 1] = 7;
    proto_data(&tensor, 9, data, count * sizeof *data);
    struct proto proto = model_with(&tensor);
    make_folder();
    write_file("m.onnx", proto.data, proto.length);
    if (anole_onnx_model_load(&model, path_of("m.onnx"), &error) != ANOLE_DONE)
        fail_msg("%s", error.text);
    unlink(path_of("m.onnx")); /* the map stays */
    assert_memory_equal(model->graph.initializers[0].data, data, count * sizeof *data);
    anole_onnx_model_destroy(model);
    assert_int_equal(anole_onnx_model_load(&model, path_of("m.onnx"), &error), ANOLE_ERR_INPUT);
    nftw(folder, rm, 8, FTW_DEPTH | FTW_PHYS);
    free(proto.data);
    free(data);
}

/* -- Real files, where they are -- */

static size_t models, tensors, refused;

/* Files that nobody has spoilt are read, but for those of old operators. */
static int visit(const char *path, const struct stat *about, int kind, struct FTW *place)
{
    struct anole_error error = {.status = ANOLE_DONE};
    const char *end = strrchr(path, '.');
    (void)about, (void)place;
    if (kind != FTW_F || !end)
        return 0;
    if (strcmp(end, ".onnx") == 0) {
        struct anole_onnx_model *model = NULL;
        models += anole_onnx_model_load(&model, path, &error) == ANOLE_DONE;
        anole_onnx_model_destroy(model);
    } else if (strcmp(end, ".pb") == 0 && !strstr(path, "seq") && !strstr(path, "_opt")) {
        struct anole_array array = {0};
        tensors += anole_onnx_tensor_load(&array, path, &error) == ANOLE_DONE;
        anole_array_fini(&array);
    }
    if (error.status == ANOLE_DONE)
        return 0;
    if (strstr(error.text, "of ONNX's operators (opset); expected 7 to")) {
        refused++;
        return 0;
    }
    fail_msg("%s", error.text);
    return 1;
}

static void read_folder(const char *path)
{
    models = tensors = refused = 0;
    if (access(path, R_OK) != 0) {
        print_message("there is no %s\n", path);
        skip();
    }
    assert_int_equal(nftw(path, visit, 16, FTW_PHYS), 0);
    print_message("%zu models and %zu tensors read, %zu refused\n", models, tensors, refused);
    assert_true(models > 0);
}

static void test_read_real_models(void **state)
{
    (void)state;
    char path[4096];
    const char *data = getenv("ANOLE_TEST_DATA"), *named = getenv("ANOLE_TEST_MODELS");
    snprintf(path, sizeof path, "%s/../../../shared/models", data ? data : "tests/data");
    read_folder(named ? named : path);
    assert_int_equal(refused, 0);
}

static void test_read_onnx_test_data(void **state)
{
    (void)state;
    read_folder("/usr/share/libonnx-testdata/data");
    assert_true(refused < models / 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_small_model_finds_all),
        cmocka_unit_test(test_read_input_with_default_is_both),
        cmocka_unit_test(test_read_survives_every_cut),
        cmocka_unit_test(test_read_survives_every_flip),
        cmocka_unit_test(test_read_no_model_is_refused),
        cmocka_unit_test(test_read_other_versions_is_refused),
        cmocka_unit_test(test_read_domains_are_checked),
        cmocka_unit_test(test_read_bad_names_are_refused),
        cmocka_unit_test(test_read_empty_graph_is_refused),
        cmocka_unit_test(test_read_cycle_names_a_node),
        cmocka_unit_test(test_read_long_chain_is_sorted),
        cmocka_unit_test(test_read_deep_graphs_are_refused),
        cmocka_unit_test(test_read_bad_attributes_are_refused),
        cmocka_unit_test(test_read_tensor_of_every_store),
        cmocka_unit_test(test_read_bad_tensors_are_refused),
        cmocka_unit_test(test_read_external_data_stays_inside),
        cmocka_unit_test(test_load_large_file_is_mapped),
        cmocka_unit_test(test_read_real_models),
        cmocka_unit_test(test_read_onnx_test_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
