/* SPDX-License-Identifier: MIT
 *
 * ONNX files that can be read, but make no sense: each is refused with the node's name.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "frontend/onnx_import.h"
#include "graph/graph_evaluate.h"
#include "graph/graph_passes.h"
#include "onnx_fixture.h"

#include <math.h>
#include <stdio.h>

#define PATH "m.onnx"
#define MOST ((int64_t)1 << 62)

static enum anole_status import_proto(struct anole_graph **graph, struct proto *proto,
                                      const struct anole_onnx_options *options,
                                      struct anole_error *error)
{
    struct anole_onnx_model *model = NULL;
    *graph = NULL;
    enum anole_status status =
        anole_onnx_model_parse(&model, proto->data, proto->length, PATH, error);
    if (status == ANOLE_DONE)
        status = anole_onnx_import(graph, model, options, error);
    assert_int_equal(status, error->status);
    return status;
}

static void assert_refused(struct proto *proto, const char *part)
{
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_graph *graph;
    if (import_proto(&graph, proto, NULL, &error) != ANOLE_ERR_INPUT || !strstr(error.text, part))
        fail_msg("\"%s\" is not in \"%s\"", part, error.text);
    free(proto->data);
}

/* Attributes as text: "axis=1" a number, "pads:1,2" a list, "mode~edge" text. */
static void add_attributes(struct proto *node, const char *text)
{
    char word[100];
    int read;
    for (; sscanf(text, "%99s%n", word, &read) == 1; text += read) {
        char *mark = word + strcspn(word, "=:~"), kind = *mark, *value = mark + 1;
        *mark = '\0';
        struct proto attribute = proto_attribute(word, kind == '=' ? 2 : kind == ':' ? 7 : 3);
        if (kind == '~')
            proto_text(&attribute, 4, value);
        for (char *next = value; kind != '~' && *next; next += *next == ',')
            proto_int(&attribute, kind == '=' ? 3 : 8, strtoll(next, &next, 10));
        proto_message(node, 5, &attribute);
    }
}

/* A model of one node, which reads x, float32[1,4], and if there are any, `list` as w. */
static struct proto one_node(const char *op, int64_t opset, const char *attributes,
                             const int64_t *list, size_t count)
{
    struct proto graph = {0};
    struct proto node = proto_node(op, strcmp(op, "ConstantOfShape") == 0 ? NULL : "x",
                                   count > 0 ? "w" : NULL, "y");
    struct proto tensor = proto_tensor("w", 7, (int64_t)count);
    proto_data(&tensor, 9, list, count * sizeof *list);
    add_attributes(&node, attributes);
    proto_message(&graph, 1, &node);
    proto_message(&graph, 5, &tensor);
    proto_value(&graph, 11, "x", 4);
    proto_value(&graph, 12, "y", 4);
    return proto_model(&graph, 8, opset);
}

static void test_import_bad_nodes_names_them(void **state)
{
    (void)state;
    static const struct {
        const char *op, *attributes;
        int64_t opset;
        size_t count;
        int64_t list[4];
        const char *part;
    } cases[] = {
        {"Odd", "", 17, 0, {0}, "this operator is not known"},
        {"Add", "", 17, 0, {0}, "input 1 is missing"},
        {"Add", "", 17, 1, {1}, "type"},
        {"Softmax", "axis=9", 17, 0, {0}, "axis is 9"},
        {"Softmax", "axis=-3", 11, 0, {0}, "axis is -1"},
        {"Softmax", "axis~text", 17, 0, {0}, "attribute \"axis\" is of kind 3"},
        {"Concat", "", 17, 0, {0}, "it has no axis"},
        {"Concat", "axis=2", 17, 0, {0}, "axis"},
        {"Conv", "", 17, 1, {1}, "dimensions; expected 3 to 5"},
        {"MaxPool", "kernel_shape:2,2", 17, 0, {0}, "expected 3 to 5"},
        {"Flatten", "axis=7", 17, 0, {0}, "axis is 7"},
        {"Transpose", "perm:0,0", 17, 0, {0}, "perm"},
        {"Transpose", "perm:0,1,2", 17, 0, {0}, "perm"},
        {"Reshape", "", 17, 2, {3, 3}, "elements"},
        {"Reshape", "", 17, 2, {-1, -1}, "-1"},
        {"Reshape", "", 17, 2, {MOST, 4}, "elements"},
        {"Expand", "", 17, 2, {(int64_t)1 << 31, 4}, "2^31"},
        {"Expand", "", 17, 2, {MOST, 4}, "2^31"},
        {"Expand", "", 17, 2, {1, 3}, "do not fit together"},
        {"ConstantOfShape", "", 17, 1, {(int64_t)1 << 40}, "2^31"},
        {"ConstantOfShape", "", 17, 3, {MOST, MOST, MOST}, "2^31"},
        {"ConstantOfShape", "", 17, 1, {-1}, "-1"},
        {"Tile", "", 17, 2, {MOST, MOST}, "2^31"},
        {"Tile", "", 17, 2, {-2, 1}, "-2"},
        {"Pad", "", 13, 4, {MOST, 0, MOST, 0}, "expected -2147483647 to"},
        {"Pad", "", 13, 4, {INT32_MAX, 0, INT32_MAX, 0}, "2^31"},
        {"Pad", "", 13, 4, {-MOST, 0, 0, 0}, "pad"},
        {"Pad", "", 13, 2, {1, 1}, "pads"},
        {"Pad", "pads:1,1", 10, 0, {0}, "pads"},
        {"Squeeze", "", 17, 1, {1}, "expected 1"},
        {"Squeeze", "", 17, 1, {5}, "axis 5"},
        {"Unsqueeze", "", 17, 2, {0, 0}, "axis 0 is twice there"},
        {"Unsqueeze", "axes:9", 11, 0, {0}, "axis 9"},
        {"Split", "split:5,5", 11, 0, {0}, "size"},
        {"Slice", "starts:0", 9, 0, {0}, "it has no starts or ends"},
        {"Slice", "starts:0 ends:1 axes:7", 9, 0, {0}, "axis"},
        {"Gather", "axis=1", 17, 1, {9}, NULL}, /* known when it runs */
        {"Gather", "axis=4", 17, 1, {0}, "axis"},
        {"TopK", "", 17, 1, {99}, "99"},
        {"TopK", "k=-1", 9, 0, {0}, "-1"},
        {"Cast", "to=99", 17, 0, {0}, "element type unknown (99)"},
        {"Cast", "to=8", 17, 0, {0}, "element type string"},
        {"If", "", 17, 0, {0}, "no single bool"},
        {"Loop", "", 17, 0, {0}, "it has no body"},
        {"Scan", "num_scan_inputs=1", 17, 0, {0}, "it has no body"},
        {"Scan", "num_scan_inputs=2", 17, 0, {0}, "2 inputs to scan; expected 1 to 1"},
        {"Scan", "num_scan_inputs=1", 8, 0, {0}, "before opset 9"},
        {"GridSample", "", 17, 0, {0}, "input 1 is missing"},
        {"MaxUnpool", "kernel_shape:2", 17, 1, {1}, "expected 3 or more"},
        {"LSTM", "", 17, 1, {1}, "input 2 is missing"},
        {"Einsum", "equation~ij,jk->ik", 17, 0, {0}, "equation"},
        {"Einsum", "equation~ii->i", 17, 0, {0}, "twice"},
        {"Einsum", "equation~ij->ijk", 17, 0, {0}, "a letter that no operand has"},
        {"Einsum", "equation~abcdefghijklm->a", 17, 0, {0}, "dimensions"},
        {"QuantizeLinear", "", 17, 0, {0}, "input 1 is missing"},
        {"DepthToSpace", "blocksize=3", 17, 0, {0}, "dimensions"},
        {"Upsample", "", 7, 0, {0}, "no scales"},
        {"Gemm", "", 17, 1, {1}, "dimensions; expected 2"},
        {"ReduceMean", "axes:8", 11, 0, {0}, "axes"},
        {"Shape", "start=99", 17, 0, {0}, NULL}, /* is clamped */
    };
    size_t wrong = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[100];
        struct anole_error error = {.status = ANOLE_DONE};
        struct anole_graph *graph;
        struct proto model = one_node(cases[i].op, cases[i].opset, cases[i].attributes,
                                      cases[i].list, cases[i].count);
        enum anole_status status = import_proto(&graph, &model, NULL, &error);
        snprintf(name, sizeof name, "node 0 (%s, which makes \"y\")", cases[i].op);
        if ((status == ANOLE_DONE) != (cases[i].part == NULL) ||
            (cases[i].part && (!strstr(error.text, name) || !strstr(error.text, cases[i].part)))) {
            print_error("case %zu, %s: \"%s\" is not in \"%s\"\n", i, cases[i].op,
                        cases[i].part ? cases[i].part : "", error.text);
            wrong++;
        }
        anole_graph_destroy(graph);
        free(model.data);
    }
    assert_int_equal(wrong, 0);
}

static void test_import_open_sizes_are_named(void **state)
{
    (void)state;
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_graph *imported;
    struct proto graph = {0};
    proto_add_node(&graph, "Relu", "x", NULL, "y");
    proto_value(&graph, 11, "x", -1);
    proto_value(&graph, 12, "y", -1);
    struct proto model = proto_model(&graph, 8, 17);
    assert_int_equal(import_proto(&imported, &model, NULL, &error), ANOLE_ERR_INPUT);
    assert_non_null(strstr(error.text, "size 1 of input \"x\" (\"n\") is open"));
    const struct anole_onnx_shape shapes[] = {
        {"x", 2, {3, 5}}, {"z", 1, {1}}, {"x", 3, {1, 2, 3}}, {"x", 2, {1 << 20, 1 << 20}}};
    struct anole_onnx_options options = {.shapes = shapes, .shape_count = 1};
    anole_error_clear(&error);
    assert_int_equal(import_proto(&imported, &model, &options, &error), ANOLE_DONE);
    assert_int_equal(imported->tensors[imported->outputs[0]].type.dims[1], 5);
    anole_graph_destroy(imported);
    static const char *const parts[] = {"there is no input \"z\"", "has 3 dimensions; expected 2",
                                        "2^31 or more elements"};
    for (size_t i = 0; i < 3; i++) {
        options.shapes = &shapes[i + 1];
        anole_error_clear(&error);
        assert_int_equal(import_proto(&imported, &model, &options, &error), ANOLE_ERR_INPUT);
        if (!strstr(error.text, parts[i]))
            fail_msg("\"%s\" is not in \"%s\"", parts[i], error.text);
    }
    free(model.data);
}

static void test_import_no_branches_is_refused(void **state)
{
    (void)state;
    static const uint8_t yes = 1;
    struct proto graph = {0}, node = proto_node("If", "c", NULL, "y"), tensor = {0}, inner = {0};
    proto_int(&tensor, 2, 9);
    proto_text(&tensor, 8, "c");
    proto_data(&tensor, 9, &yes, 1);
    proto_message(&graph, 5, &tensor);
    struct proto attribute = proto_attribute("else_branch", 5);
    proto_add_node(&inner, "Relu", "x", NULL, "r");
    proto_value(&inner, 12, "r", 4);
    proto_message(&attribute, 6, &inner);
    proto_message(&node, 5, &attribute);
    proto_message(&graph, 1, &node);
    proto_value(&graph, 11, "x", 4);
    proto_value(&graph, 12, "y", 4);
    struct proto model = proto_model(&graph, 8, 17);
    assert_refused(&model, "node 0 (If, which makes \"y\"): it has no then_branch");
}

/* y: x after `trips` rounds of Relu (negative: a number of rounds that is an input), as long as a
 * condition holds: the constant one, or one that is made of x. */
static struct proto looping(int64_t trips, bool conditional)
{
    struct proto graph = {0}, node = proto_node("Loop", trips < 0 ? "n" : "m", "", "y"), body = {0};
    struct proto attribute = proto_attribute("body", 5), tensor = proto_tensor("m", 7, 1);
    struct proto condition = proto_node("Cast", conditional ? "x" : "c", NULL, "go");
    proto_text(&node, 1, "x");
    proto_data(&tensor, 9, &trips, sizeof trips);
    proto_message(&graph, 5, &tensor);
    add_attributes(&condition, "to=9");
    proto_message(&body, 1, &condition);
    proto_add_node(&body, "Relu", "s", NULL, "t");
    proto_value(&body, 11, "i", 1);
    proto_value(&body, 11, "c", 1);
    proto_value(&body, 11, "s", 4);
    proto_value(&body, 12, "go", 1);
    proto_value(&body, 12, "t", 4);
    proto_message(&attribute, 6, &body);
    proto_message(&node, 5, &attribute);
    proto_message(&graph, 1, &node);
    proto_value(&graph, 11, "x", 4);
    proto_value(&graph, 11, "n", 1);
    proto_value(&graph, 12, "y", 4);
    return proto_model(&graph, 8, 17);
}

static void test_import_loops_are_laid_out(void **state)
{
    (void)state;
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_graph *graph;
    struct proto model = looping(7, false);
    assert_int_equal(import_proto(&graph, &model, NULL, &error), ANOLE_DONE);
    size_t rounds = 0;
    for (size_t i = 0; i < graph->node_count; i++)
        rounds += strcmp(graph->nodes[i].op->name, "unary") == 0;
    assert_int_equal(rounds, 7);
    anole_graph_destroy(graph);
    free(model.data);
    model = looping(-1, false);
    assert_refused(&model, "(Loop, which makes \"y\"): its trip count is known only when");
    model = looping(3, true);
    assert_refused(&model, "the condition that its body makes is known only when");
    model = looping(2000, false);
    assert_refused(&model, "more than 1024 rounds");
}

/* They are numbers like others, here, before and after the passes. */
static void test_import_weights_of_nan_stay(void **state)
{
    (void)state;
    static const float weights[] = {NAN, 1, INFINITY, 1}, x[] = {1, 2, 3, 4};
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_graph *imported;
    struct proto graph = {0}, tensor = proto_tensor("w", 1, 4);
    proto_data(&tensor, 9, weights, sizeof weights);
    proto_message(&graph, 5, &tensor);
    proto_add_node(&graph, "Mul", "x", "w", "y");
    proto_value(&graph, 11, "x", 4);
    proto_value(&graph, 12, "y", 4);
    struct proto model = proto_model(&graph, 8, 17);
    assert_int_equal(import_proto(&imported, &model, NULL, &error), ANOLE_DONE);
    assert_int_equal(anole_graph_affine(imported, &error), ANOLE_DONE);
    const struct anole_operand input = {
        .dtype = ANOLE_F32, .rank = 2, .dims = {1, 4}, .data = (void *)x};
    struct anole_operand output;
    assert_int_equal(anole_graph_evaluate(imported, &input, &output, &error), ANOLE_DONE);
    const float *y = output.data;
    assert_true(isnan(y[0]) && y[1] == 2 && isinf(y[2]) && y[3] == 4);
    free(output.data);
    anole_graph_destroy(imported);
    free(model.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_import_bad_nodes_names_them),
        cmocka_unit_test(test_import_open_sizes_are_named),
        cmocka_unit_test(test_import_no_branches_is_refused),
        cmocka_unit_test(test_import_loops_are_laid_out),
        cmocka_unit_test(test_import_weights_of_nan_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
