/* SPDX-License-Identifier: MIT
 *
 * Activations that are spelled out: what is recognised, what is left alone, and that the graph
 * computes what it did.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "graph/graph_evaluate.h"
#include "graph/graph_passes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define N 64

/* A graph in the making: one input x, [1, 4, N]. */
static struct anole_graph *graph;
static size_t x;

static void begin(void)
{
    const struct anole_operand type = {.dtype = ANOLE_F32, .rank = 3, .dims = {1, 4, N / 4}};
    assert_int_equal(anole_graph_create(&graph, "t", "t", NULL), ANOLE_DONE);
    assert_int_equal(anole_graph_add_tensor(graph, &x, "x", &type, NULL), ANOLE_DONE);
    assert_int_equal(anole_graph_add_input(graph, x, NULL), ANOLE_DONE);
}

static size_t number(float value)
{
    size_t tensor;
    const struct anole_operand type = {.dtype = ANOLE_F32, .data = &value};
    assert_int_equal(anole_graph_add_constant(graph, &tensor, NULL, &type, false, NULL),
                     ANOLE_DONE);
    return tensor;
}

static size_t apply(const char *op, const char *function, size_t a, size_t b)
{
    size_t output;
    void *attributes;
    const size_t inputs[] = {a, b};
    const struct anole_op *found = anole_op_find(op);
    assert_int_equal(anole_graph_apply(graph, &output, &attributes, found, NULL, inputs,
                                       b == ANOLE_NONE ? 1 : 2, NULL),
                     ANOLE_DONE);
    assert_int_equal(anole_op_set_choice(found, attributes, "function", function, NULL),
                     ANOLE_DONE);
    return output;
}

static size_t unary(const char *function, size_t a)
{
    return apply("unary", function, a, ANOLE_NONE);
}

static size_t binary(const char *function, size_t a, size_t b)
{
    return apply("binary", function, a, b);
}

static size_t clip(size_t a, double low, double high)
{
    size_t output = unary("clip", a);
    struct anole_node *node = &graph->nodes[graph->node_count - 1];
    assert_int_equal(anole_op_set_real(node->op, node->attributes, "low", low, NULL), ANOLE_DONE);
    assert_int_equal(anole_op_set_real(node->op, node->attributes, "high", high, NULL), ANOLE_DONE);
    return output;
}

static void evaluate(float *out)
{
    float values[N];
    const struct anole_operand input = {
        .dtype = ANOLE_F32, .rank = 3, .dims = {1, 4, N / 4}, .data = values};
    struct anole_operand outputs[4];
    for (size_t i = 0; i < N; i++)
        values[i] = -8 + 0.27f * (float)i;
    assert_int_equal(anole_graph_evaluate(graph, &input, outputs, NULL), ANOLE_DONE);
    for (size_t i = 0; i < graph->output_count; i++) {
        memcpy(&out[i * N], outputs[i].data, N * sizeof *out);
        free(outputs[i].data);
    }
}

/* Runs the pass; expects `nodes` nodes, and the same values as before. */
static void simplify(size_t output, size_t nodes)
{
    float before[4 * N] = {0}, after[4 * N] = {0};
    assert_int_equal(anole_graph_add_output(graph, output, NULL), ANOLE_DONE);
    assert_int_equal(anole_graph_infer(graph, 0, NULL), ANOLE_DONE);
    evaluate(before);
    assert_int_equal(anole_graph_activation(graph, NULL), ANOLE_DONE);
    assert_int_equal(graph->node_count, nodes);
    evaluate(after);
    for (size_t i = 0; i < graph->output_count * N; i++)
        assert_true(fabsf(before[i] - after[i]) <= 2e-6f * (1 + fabsf(before[i])));
}

/* The one node that is left is this activation of x. */
static void expect(size_t output, uint32_t activation, float alpha, float beta)
{
    struct anole_operand outputs[ANOLE_MAX_OPERANDS];
    const struct anole_operand *operands[ANOLE_MAX_OPERANDS];
    struct anole_activate activate;
    struct anole_call call;
    simplify(output, 1);
    assert_int_equal(graph->nodes[0].inputs[0], x);
    anole_graph_call(&call, graph, &graph->nodes[0], operands, outputs);
    assert_true(graph->nodes[0].op->activation(&call, &activate));
    assert_string_equal(anole_activation_text(activate.activation),
                        anole_activation_text(activation));
    assert_true(activate.alpha == alpha && activate.beta == beta);
    anole_graph_destroy(graph);
}

static size_t one_and_erf(float root)
{
    return binary("add", unary("erf", binary("div", x, number(root))), number(1));
}

static void test_gelu_is_recognised_as_exporters_write_it(void **state)
{
    (void)state;
    begin();
    expect(binary("mul", binary("mul", x, one_and_erf(1.41421356f)), number(0.5f)), ANOLE_ACT_GELU,
           0, 0);
    begin();
    expect(binary("mul", binary("mul", x, number(0.5f)), one_and_erf(1.41421354f)), ANOLE_ACT_GELU,
           0, 0);
    begin();
    size_t scaled = binary("mul", x, number(0.70710678f));
    expect(binary("mul", x,
                  binary("mul", number(0.5f), binary("add", number(1), unary("erf", scaled)))),
           ANOLE_ACT_GELU, 0, 0);
    begin();
    size_t cube = binary("mul", binary("pow", x, number(3)), number(0.044715f));
    size_t inner = binary("mul", binary("add", x, cube), number(0.79788456f));
    expect(binary("mul", binary("mul", x, number(0.5f)),
                  binary("add", unary("tanh", inner), number(1))),
           ANOLE_ACT_GELU_TANH, 0, 0);
}

/* Whatever is left, it is no activation: at 0 and at +-65504 it must give what it gave. */
static void keep(size_t output, float at, float expected)
{
    float values[N];
    const struct anole_operand input = {
        .dtype = ANOLE_F32, .rank = 3, .dims = {1, 4, N / 4}, .data = values};
    struct anole_operand result;
    for (size_t i = 0; i < N; i++)
        values[i] = at;
    assert_int_equal(anole_graph_add_output(graph, output, NULL), ANOLE_DONE);
    assert_int_equal(anole_graph_infer(graph, 0, NULL), ANOLE_DONE);
    assert_int_equal(anole_graph_activation(graph, NULL), ANOLE_DONE);
    assert_int_equal(anole_graph_evaluate(graph, &input, &result, NULL), ANOLE_DONE);
    assert_true(((const float *)result.data)[0] == expected);
    free(result.data);
    anole_graph_destroy(graph);
}

static void test_small_numbers_that_keep_divisors_from_0_stay(void **state)
{
    (void)state;
    begin();
    keep(binary("add", x, number(1e-12f)), 0, 1e-12f);
    begin();
    keep(binary("max", x, number(1e-12f)), 0, 1e-12f);
    begin();
    keep(binary("add", unary("relu", x), number(1e-6f)), -1, 1e-6f);
    begin();
    keep(binary("add", unary("sigmoid", x), number(1e-6f)), -100, 1e-6f);
    begin();
    keep(clip(x, 1e-12, INFINITY), 0, 1e-12f);
    begin();
    keep(binary("min", binary("max", x, number(1e-7f)), number(1)), 0, 1e-7f);
}

static void test_bounds_far_out_stay(void **state)
{
    (void)state;
    begin();
    keep(binary("min", binary("max", x, number(-65504)), number(65504)), 20000, 20000);
    begin();
    keep(binary("min", binary("max", x, number(-65504)), number(65504)), 1e6f, 65504);
    begin();
    keep(binary("max", x, number(0.5f)), 20000, 20000);
}

static void test_hard_functions_are_recognised(void **state)
{
    (void)state;
    begin();
    size_t six = clip(binary("add", x, number(3)), 0, 6);
    expect(binary("div", binary("mul", x, six), number(6)), ANOLE_ACT_HARD_SWISH, 0, 0);
    begin();
    six = clip(binary("add", x, number(3)), 0, 6);
    expect(binary("mul", binary("mul", six, number(1 / 6.0f)), x), ANOLE_ACT_HARD_SWISH, 0, 0);
    begin();
    six = clip(binary("add", x, number(3)), 0, 6);
    expect(binary("div", six, number(6)), ANOLE_ACT_HARD_SIGMOID, 1 / 6.0f, 0.5f);
    begin();
    expect(binary("min", binary("max", x, number(-1)), number(2.5f)), ANOLE_ACT_CLIP, -1, 2.5f);
    begin();
    expect(binary("min", binary("max", x, number(0)), number(6)), ANOLE_ACT_RELU6, 0, 0);
    begin();
    expect(binary("max", x, binary("mul", x, number(0.1f))), ANOLE_ACT_LEAKY_RELU, 0.1f, 0);
}

static void test_silu_is_recognised_with_its_factor(void **state)
{
    (void)state;
    begin();
    expect(binary("mul", x, unary("sigmoid", x)), ANOLE_ACT_SILU, 1, 0);
    begin();
    expect(binary("mul", unary("sigmoid", binary("mul", x, number(1.702f))), x), ANOLE_ACT_SILU,
           1.702f, 0);
}

static void test_what_is_nearly_an_activation_is_left(void **state)
{
    (void)state;
    begin(); /* an offset that is not 3 */
    size_t six = clip(binary("add", x, number(3.01f)), 0, 6);
    simplify(binary("div", binary("mul", x, six), number(6)), 4);
    anole_graph_destroy(graph);
    begin(); /* relu, but for what lies far out */
    simplify(clip(unary("relu", x), 0, 5000), 1);
    assert_string_equal(
        anole_op_get_choice(graph->nodes[0].op, graph->nodes[0].attributes, "function"), "clip");
    anole_graph_destroy(graph);
    begin(); /* no function of one number */
    simplify(binary("mul", x, binary("add", x, x)), 2);
    anole_graph_destroy(graph);
}

static void test_what_others_read_stays(void **state)
{
    (void)state;
    begin();
    size_t gate = unary("sigmoid", binary("mul", x, number(0.25f)));
    size_t product = binary("mul", x, gate);
    assert_int_equal(anole_graph_add_output(graph, gate, NULL), ANOLE_DONE);
    simplify(product, 3);
    anole_graph_destroy(graph);
    begin(); /* x itself may be read by anyone */
    product = binary("mul", x, unary("sigmoid", x));
    simplify(binary("add", product, unary("abs", x)), 3);
    anole_graph_destroy(graph);
}

static void test_constants_of_several_numbers_are_no_part(void **state)
{
    (void)state;
    float values[N / 4];
    size_t slopes;
    for (size_t i = 0; i < N / 4; i++)
        values[i] = 0.1f * (float)i;
    const struct anole_operand type = {
        .dtype = ANOLE_F32, .rank = 1, .dims = {N / 4}, .data = values};
    begin();
    assert_int_equal(anole_graph_add_constant(graph, &slopes, NULL, &type, false, NULL),
                     ANOLE_DONE);
    simplify(binary("max", x, binary("mul", x, slopes)), 2);
    anole_graph_destroy(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gelu_is_recognised_as_exporters_write_it),
        cmocka_unit_test(test_small_numbers_that_keep_divisors_from_0_stay),
        cmocka_unit_test(test_bounds_far_out_stay),
        cmocka_unit_test(test_hard_functions_are_recognised),
        cmocka_unit_test(test_silu_is_recognised_with_its_factor),
        cmocka_unit_test(test_what_is_nearly_an_activation_is_left),
        cmocka_unit_test(test_what_others_read_stays),
        cmocka_unit_test(test_constants_of_several_numbers_are_no_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
