/* SPDX-License-Identifier: MIT
 *
 * What a kernel does besides its own work: activations, also behind a view.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "graph/graph.h"

#include <string.h>

/* relu(reshape(dense(x)))), as a dense layer of a sequence ends; `views` of them in a row.  What
 * the last view makes. */
static struct anole_graph *build(int views, size_t *viewed)
{
    const struct anole_operand type = {.dtype = ANOLE_F32, .rank = 4, .dims = {6, 1, 1, 4}};
    float values[12] = {1, 2, 3};
    const struct anole_operand matrix = {
        .dtype = ANOLE_F32, .rank = 2, .dims = {3, 4}, .data = values};
    const int64_t dims[] = {2, 3, 3};
    struct anole_graph *graph;
    size_t x, weights, y;
    void *attributes;
    assert_int_equal(anole_graph_create(&graph, "t", "t", NULL), ANOLE_DONE);
    assert_int_equal(anole_graph_add_tensor(graph, &x, "x", &type, NULL), ANOLE_DONE);
    assert_int_equal(anole_graph_add_input(graph, x, NULL), ANOLE_DONE);
    assert_int_equal(anole_graph_add_constant(graph, &weights, NULL, &matrix, false, NULL),
                     ANOLE_DONE);
    const size_t inputs[] = {x, weights};
    assert_int_equal(
        anole_graph_apply(graph, &y, &attributes, anole_op_find("dense"), NULL, inputs, 2, NULL),
        ANOLE_DONE);
    const struct anole_op *reshape = anole_op_find("reshape"), *unary = anole_op_find("unary");
    for (int i = 0; i < views; i++) {
        assert_int_equal(anole_graph_apply(graph, &y, &attributes, reshape, NULL, &y, 1, NULL),
                         ANOLE_DONE);
        assert_int_equal(anole_op_set_ints(reshape, attributes, "shape", dims, 3, NULL),
                         ANOLE_DONE);
    }
    *viewed = y;
    assert_int_equal(anole_graph_apply(graph, &y, &attributes, unary, "y", &y, 1, NULL),
                     ANOLE_DONE);
    assert_int_equal(anole_op_set_choice(unary, attributes, "function", "relu", NULL), ANOLE_DONE);
    assert_int_equal(anole_graph_add_output(graph, y, NULL), ANOLE_DONE);
    return graph;
}

static void test_activations_go_through_views(void **state)
{
    (void)state;
    for (int views = 0; views < 3; views++) {
        size_t viewed;
        struct anole_graph *graph = build(views, &viewed);
        assert_int_equal(anole_graph_infer(graph, 0, NULL), ANOLE_DONE);
        assert_int_equal(anole_graph_fuse(graph, NULL), ANOLE_DONE);
        assert_int_equal(graph->node_count, 1 + views);
        assert_int_equal(graph->nodes[0].activation, ANOLE_ACT_RELU);
        assert_int_equal(graph->nodes[views].outputs[0], graph->outputs[0]);
        assert_int_equal(graph->tensors[graph->outputs[0]].producer, views);
        anole_graph_destroy(graph);
    }
}

static void test_what_others_read_keeps_its_values(void **state)
{
    (void)state;
    size_t viewed;
    struct anole_graph *graph = build(1, &viewed);
    assert_int_equal(anole_graph_add_output(graph, viewed, NULL), ANOLE_DONE);
    assert_int_equal(anole_graph_infer(graph, 0, NULL), ANOLE_DONE);
    assert_int_equal(anole_graph_fuse(graph, NULL), ANOLE_DONE);
    assert_int_equal(graph->node_count, 3);
    assert_int_equal(graph->nodes[0].activation, ANOLE_ACT_NONE);
    anole_graph_destroy(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_activations_go_through_views),
        cmocka_unit_test(test_what_others_read_keeps_its_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
