/* SPDX-License-Identifier: MIT
 *
 * Layer normalisations that are spelled out: what is recognised, what is left alone, and that the
 * graph computes what it did.
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

#define ROWS 6
#define COLUMNS 8
#define N (ROWS * COLUMNS)

/* A graph in the making: one input x, [2, 3, 8]. */
static struct anole_graph *graph;
static size_t x;

static size_t add(const char *op, const char *function, const size_t *inputs, size_t count,
                  void **attributes)
{
    size_t output;
    const struct anole_op *found = anole_op_find(op);
    assert_int_equal(
        anole_graph_apply(graph, &output, attributes, found, NULL, inputs, count, NULL),
        ANOLE_DONE);
    assert_int_equal(anole_op_set_choice(found, *attributes, "function", function, NULL),
                     ANOLE_DONE);
    return output;
}

static size_t binary(const char *function, size_t a, size_t b)
{
    void *attributes;
    const size_t inputs[] = {a, b};
    return add("binary", function, inputs, 2, &attributes);
}

static size_t root(size_t a)
{
    void *attributes;
    return add("unary", "sqrt", &a, 1, &attributes);
}

static size_t mean(size_t a, int64_t axis)
{
    void *attributes;
    const size_t y = add("reduce", "mean", &a, 1, &attributes);
    const struct anole_op *reduce = anole_op_find("reduce");
    assert_int_equal(anole_op_set_ints(reduce, attributes, "axes", &axis, 1, NULL), ANOLE_DONE);
    assert_int_equal(anole_op_set_bool(reduce, attributes, "keep_dims", true, NULL), ANOLE_DONE);
    return y;
}

static size_t constant(uint32_t rank, int64_t size, float first, float step)
{
    size_t tensor;
    float values[COLUMNS];
    for (int64_t i = 0; i < size; i++)
        values[i] = first + step * (float)i;
    const struct anole_operand type = {
        .dtype = ANOLE_F32, .rank = rank, .dims = {size}, .data = values};
    assert_int_equal(anole_graph_add_constant(graph, &tensor, NULL, &type, false, NULL),
                     ANOLE_DONE);
    return tensor;
}

static size_t number(float value)
{
    return constant(0, 1, value, 0);
}

static void begin(void)
{
    const struct anole_operand type = {.dtype = ANOLE_F32, .rank = 3, .dims = {2, 3, COLUMNS}};
    assert_int_equal(anole_graph_create(&graph, "t", "t", NULL), ANOLE_DONE);
    assert_int_equal(anole_graph_add_tensor(graph, &x, "x", &type, NULL), ANOLE_DONE);
    assert_int_equal(anole_graph_add_input(graph, x, NULL), ANOLE_DONE);
}

static void evaluate(float *out)
{
    float values[N];
    const struct anole_operand input = {
        .dtype = ANOLE_F32, .rank = 3, .dims = {2, 3, COLUMNS}, .data = values};
    struct anole_operand output;
    for (size_t i = 0; i < N; i++)
        values[i] = 0.01f * (float)((i * 37) % 23) - 0.1f;
    assert_int_equal(anole_graph_evaluate(graph, &input, &output, NULL), ANOLE_DONE);
    memcpy(out, output.data, N * sizeof *out);
    free(output.data);
}

/* Runs the pass; expects `nodes` nodes, and the same values as before. */
static void expect(size_t output, size_t nodes)
{
    float before[N], after[N];
    assert_int_equal(anole_graph_add_output(graph, output, NULL), ANOLE_DONE);
    assert_int_equal(anole_graph_infer(graph, 0, NULL), ANOLE_DONE);
    evaluate(before);
    assert_int_equal(anole_graph_norm(graph, NULL), ANOLE_DONE);
    assert_int_equal(graph->node_count, nodes);
    evaluate(after);
    for (size_t i = 0; i < N; i++)
        assert_true(fabsf(before[i] - after[i]) <= 2e-6f * (1 + fabsf(before[i])));
    anole_graph_destroy(graph);
}

/* The normalisation along an axis, up to its division. */
static size_t normalised(int64_t axis, size_t square_of)
{
    const size_t centred = binary("sub", x, mean(x, axis));
    const size_t base = square_of == ANOLE_NONE ? centred : square_of;
    const size_t variance = mean(binary("pow", base, number(2)), axis);
    return binary("div", centred, root(binary("add", variance, number(1e-3f))));
}

static void test_normalisations_become_one_node(void **state)
{
    (void)state;
    begin();
    size_t y = binary("mul", normalised(-1, ANOLE_NONE), constant(1, COLUMNS, 0.5f, 0.1f));
    expect(binary("add", y, constant(1, COLUMNS, -1, 0.3f)), 1);
    begin();
    y = binary("mul", constant(1, COLUMNS, 0.5f, 0.1f), normalised(2, ANOLE_NONE));
    expect(binary("add", constant(1, COLUMNS, -1, 0.3f), y), 1);
    begin();
    expect(binary("mul", normalised(-1, ANOLE_NONE), constant(1, COLUMNS, 0.5f, 0.1f)), 1);
    begin(); /* centred twice, and squared by a product */
    const size_t again = binary("sub", x, mean(x, -1));
    const size_t variance = mean(binary("mul", again, again), -1);
    y = binary("div", binary("sub", x, mean(x, -1)), root(binary("add", number(1e-3f), variance)));
    expect(binary("mul", y, constant(1, COLUMNS, 0.5f, 0.1f)), 1);
}

static void test_what_is_nearly_a_normalisation_is_left(void **state)
{
    (void)state;
    begin(); /* not along the last dimension */
    expect(binary("mul", normalised(1, ANOLE_NONE), constant(1, COLUMNS, 0.5f, 0.1f)), 8);
    begin(); /* one scale for all */
    expect(binary("mul", normalised(-1, ANOLE_NONE), number(0.5f)), 8);
    begin(); /* the square of x itself */
    expect(binary("mul", normalised(-1, x), constant(1, COLUMNS, 0.5f, 0.1f)), 8);
    begin(); /* what is added is made while it runs */
    size_t y = binary("mul", normalised(-1, ANOLE_NONE), constant(1, COLUMNS, 0.5f, 0.1f));
    expect(binary("add", y, x), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_normalisations_become_one_node),
        cmocka_unit_test(test_what_is_nearly_a_normalisation_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
