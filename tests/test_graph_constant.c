/* SPDX-License-Identifier: MIT
 *
 * Constants that are made when somebody wants them: that they are what they would be if they had
 * been made at once, that they take no memory until then, and what folding may make at once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "graph/graph_evaluate.h"
#include "graph/graph_passes.h"

#include <stdlib.h>
#include <string.h>

#define OUT 64
#define IN 32
#define TAPS 9
#define ELEMENTS ((size_t)OUT * IN * TAPS)

static struct anole_graph *graph;
static float *file; /* weights as they lie in a file: [OUT][IN][3][3], which nobody may change */
static size_t x, forgotten;

static void forget(void *backing, const void *data, size_t bytes)
{
    assert_ptr_equal(backing, file);
    assert_true((const char *)data >= (const char *)file);
    assert_true((const char *)data + bytes <= (const char *)(file + ELEMENTS) + 1);
    forgotten += bytes;
}

static void free_file(void *backing)
{
    free(backing);
}

/* A graph with an input [1][4][4][IN], over a file of weights. */
static void begin(void)
{
    const struct anole_operand type = {.dtype = ANOLE_F32, .rank = 4, .dims = {1, 4, 4, IN}};
    assert_int_equal(anole_graph_create(&graph, "t", "t", NULL), ANOLE_DONE);
    file = malloc((ELEMENTS + 1) * sizeof *file);
    assert_non_null(file);
    for (size_t i = 0; i < ELEMENTS; i++)
        file[i] = (float)((i * 2654435761u) % 1000) / 700 - 0.5f;
    graph->backing = file;
    graph->backing_destroy = free_file;
    graph->backing_forget = forget;
    forgotten = 0;
    assert_int_equal(anole_graph_add_tensor(graph, &x, "x", &type, NULL), ANOLE_DONE);
    assert_int_equal(anole_graph_add_input(graph, x, NULL), ANOLE_DONE);
}

static size_t add_weights(void)
{
    size_t tensor;
    const struct anole_operand type = {
        .dtype = ANOLE_F32, .rank = 4, .dims = {OUT, IN, 3, 3}, .data = file};
    assert_int_equal(anole_graph_add_constant(graph, &tensor, "w", &type, true, NULL), ANOLE_DONE);
    return tensor;
}

static size_t apply(const char *op, const size_t *inputs, size_t count, void **attributes)
{
    size_t output;
    assert_int_equal(
        anole_graph_apply(graph, &output, attributes, anole_op_find(op), op, inputs, count, NULL),
        ANOLE_DONE);
    return output;
}

static size_t transpose(size_t a, const int64_t *perm)
{
    void *attributes;
    size_t output = apply("transpose", &a, 1, &attributes);
    assert_int_equal(
        anole_op_set_ints(anole_op_find("transpose"), attributes, "perm", perm, 4, NULL),
        ANOLE_DONE);
    return output;
}

static size_t binary(const char *function, size_t a, size_t b)
{
    void *attributes;
    size_t output = apply("binary", (const size_t[]){a, b}, 2, &attributes);
    assert_int_equal(
        anole_op_set_choice(anole_op_find("binary"), attributes, "function", function, NULL),
        ANOLE_DONE);
    return output;
}

/* A convolution with the weights in the order of our kernels, and what follows it. */
static size_t convolve(size_t weights)
{
    return apply("conv2d", (const size_t[]){x, weights}, 2, NULL);
}

static const int64_t channels_last[] = {0, 2, 3, 1};

static size_t factors(const float *values)
{
    size_t tensor;
    const struct anole_operand type = {
        .dtype = ANOLE_F32, .rank = 1, .dims = {OUT}, .data = (void *)values};
    assert_int_equal(anole_graph_add_constant(graph, &tensor, "f", &type, false, NULL), ANOLE_DONE);
    return tensor;
}

static void finish(size_t output)
{
    assert_int_equal(anole_graph_add_output(graph, output, NULL), ANOLE_DONE);
    assert_int_equal(anole_graph_infer(graph, 0, NULL), ANOLE_DONE);
    assert_int_equal(anole_graph_simplify(graph, NULL), ANOLE_DONE);
    anole_graph_remove_dead(graph);
}

/* Element [o][tap][i] of weights with the channels last. */
static float turned(size_t o, size_t tap, size_t i)
{
    return file[(o * IN + i) * TAPS + tap];
}

/* The network's one convolution has the file's weights, times `factor` if there is one. */
static void assert_weights(const float *factor)
{
    struct anole_constant constant;
    const size_t weights = graph->nodes[0].inputs[1];
    assert_string_equal(graph->nodes[0].op->name, "conv2d");
    assert_true(anole_graph_is_constant(graph, weights));
    assert_int_equal(anole_graph_open_constant(&constant, graph, weights, NULL), ANOLE_DONE);
    const float *found = constant.data;
    for (size_t o = 0; o < OUT; o++)
        for (size_t tap = 0; tap < TAPS; tap++)
            for (size_t i = 0; i < IN; i++, found++) {
                const double wanted = (double)turned(o, tap, i) * (factor ? factor[o] : 1);
                assert_true(*found == (float)wanted);
            }
    anole_constant_close(&constant);
}

static void test_transposed_weights_take_no_memory(void **state)
{
    (void)state;
    begin();
    finish(convolve(transpose(add_weights(), channels_last)));
    assert_int_equal(graph->node_count, 1);
    assert_int_equal(anole_graph_constant_bytes(graph), 0);
    forgotten = 0;
    assert_weights(NULL);
    assert_true(forgotten >= ELEMENTS * sizeof(float)); /* the file's part is given back */
    anole_graph_destroy(graph);
}

static void test_scaled_weights_take_no_memory(void **state)
{
    float scale[OUT], offset[OUT];
    (void)state;
    begin();
    for (size_t i = 0; i < OUT; i++) {
        scale[i] = 1.0f / (float)(i + 3);
        offset[i] = (float)i;
    }
    finish(binary("add",
                  binary("mul", convolve(transpose(add_weights(), channels_last)), factors(scale)),
                  factors(offset)));
    assert_int_equal(graph->node_count, 1);
    assert_in_range(anole_graph_constant_bytes(graph), 1, 4 * OUT * sizeof(float));
    assert_weights(scale);
    anole_graph_destroy(graph);
}

/* What the graph comes to is what its nodes say, and evaluation makes what it needs. */
static void test_simplified_graph_computes_the_same(void **state)
{
    float scale[OUT], *values = calloc(16 * IN, sizeof *values);
    struct anole_operand outputs[2];
    (void)state;
    assert_non_null(values);
    for (size_t i = 0; i < OUT; i++)
        scale[i] = (float)(i % 5) - 1.5f;
    for (size_t i = 0; i < 16 * IN; i++)
        values[i] = (float)(i % 7) - 3;
    const struct anole_operand input = {
        .dtype = ANOLE_F32, .rank = 4, .dims = {1, 4, 4, IN}, .data = values};
    for (int simple = 0; simple < 2; simple++) {
        begin();
        size_t y = binary("div", convolve(transpose(add_weights(), channels_last)), factors(scale));
        assert_int_equal(anole_graph_add_output(graph, y, NULL), ANOLE_DONE);
        assert_int_equal(anole_graph_infer(graph, 0, NULL), ANOLE_DONE);
        if (simple)
            assert_int_equal(anole_graph_simplify(graph, NULL), ANOLE_DONE);
        assert_int_equal(graph->node_count, simple ? 1 : 2);
        assert_int_equal(anole_graph_evaluate(graph, &input, &outputs[simple], NULL), ANOLE_DONE);
        anole_graph_destroy(graph);
    }
    const float *a = outputs[0].data, *b = outputs[1].data;
    for (size_t i = 0; i < anole_operand_elements(&outputs[0]); i++)
        assert_float_equal(a[i], b[i], 1e-3);
    free(outputs[0].data);
    free(outputs[1].data);
    free(values);
}

static void test_unaligned_weights_are_copied_when_wanted(void **state)
{
    struct anole_constant constant;
    size_t tensor;
    (void)state;
    begin();
    struct anole_operand type = {.dtype = ANOLE_F32, .rank = 2, .dims = {OUT, IN * TAPS}};
    memmove((char *)file + 1, file, ELEMENTS * sizeof *file);
    type.data = (char *)file + 1;
    assert_int_equal(anole_graph_add_unaligned(graph, &tensor, "w", &type, NULL), ANOLE_DONE);
    assert_true(anole_graph_is_constant(graph, tensor));
    assert_int_equal(anole_graph_constant_bytes(graph), 0);
    assert_int_equal(anole_graph_open_constant(&constant, graph, tensor, NULL), ANOLE_DONE);
    assert_int_equal((uintptr_t)constant.data % sizeof(float), 0);
    assert_memory_equal(constant.data, type.data, ELEMENTS * sizeof *file);
    anole_constant_close(&constant);

    type.dims[0] = type.dims[1] = 3; /* not worth it */
    assert_int_equal(anole_graph_add_unaligned(graph, &tensor, "v", &type, NULL), ANOLE_DONE);
    assert_non_null(graph->tensors[tensor].type.data);
    assert_memory_equal(graph->tensors[tensor].type.data, type.data, 9 * sizeof(float));
    anole_graph_destroy(graph);
}

/* However deep, and where a node that cannot wait reads it. */
static void test_chains_are_followed(void **state)
{
    (void)state;
    begin();
    size_t tensor = add_weights();
    for (int i = 0; i < 42; i++) /* three of them are none */
        tensor = transpose(tensor, (const int64_t[]){1, 2, 0, 3});
    tensor = transpose(tensor, channels_last);
    assert_int_equal(anole_graph_add_output(graph, convolve(tensor), NULL), ANOLE_DONE);
    assert_int_equal(anole_graph_infer(graph, 0, NULL), ANOLE_DONE);
    anole_graph_remove_dead(graph);
    assert_int_equal(graph->node_count, 1);
    assert_weights(NULL);
    anole_graph_destroy(graph);
}

static void test_folding_reads_what_is_made_when_wanted(void **state)
{
    void *attributes;
    (void)state;
    begin();
    size_t turned_weights = transpose(add_weights(), channels_last);
    size_t sum = apply("reduce", &turned_weights, 1, &attributes);
    const struct anole_op *reduce = anole_op_find("reduce");
    assert_int_equal(anole_op_set_choice(reduce, attributes, "function", "sum", NULL), ANOLE_DONE);
    assert_int_equal(
        anole_op_set_ints(reduce, attributes, "axes", (const int64_t[]){1, 2, 3}, 3, NULL),
        ANOLE_DONE);
    assert_int_equal(anole_graph_add_output(graph, sum, NULL), ANOLE_DONE);
    assert_int_equal(anole_graph_infer(graph, 0, NULL), ANOLE_DONE);
    assert_int_equal(graph->node_count, 0);
    const float *found = graph->tensors[sum].type.data;
    assert_non_null(found);
    for (size_t o = 0; o < OUT; o++) {
        double wanted = 0;
        for (size_t i = 0; i < IN * TAPS; i++)
            wanted += file[o * IN * TAPS + i];
        assert_float_equal(found[o], wanted, 1e-3);
    }
    anole_graph_destroy(graph);
}

/* ------------------------------------------------------------------- numbers */

static uint64_t hash(const void *context, const void *data, size_t bytes)
{
    uint64_t h = *(const uint64_t *)context;
    for (size_t i = 0; i < bytes; i++)
        h = (h ^ ((const unsigned char *)data)[i]) * UINT64_C(1099511628211);
    return h;
}

static uint64_t number_of(size_t changed, const int64_t *perm, float factor)
{
    const uint64_t seed = UINT64_C(14695981039346656037);
    float scale[OUT];
    begin();
    for (size_t i = 0; i < OUT; i++)
        scale[i] = 2;
    scale[OUT - 1] = factor;
    if (changed < ELEMENTS)
        file[changed] += 1;
    finish(binary("mul", convolve(transpose(add_weights(), perm)), factors(scale)));
    uint64_t number = anole_graph_hash_constant(graph, graph->nodes[0].inputs[1], hash, &seed);
    assert_true(forgotten >= ELEMENTS * sizeof(float));
    anole_graph_destroy(graph);
    return number;
}

static void test_numbers_tell_constants_apart(void **state)
{
    static const int64_t turned_too[] = {0, 3, 2, 1}; /* 3x3: the same sizes */
    (void)state;
    const uint64_t number = number_of(ELEMENTS, channels_last, 3);
    assert_true(number == number_of(ELEMENTS, channels_last, 3));
    assert_true(number != number_of(0, channels_last, 3));
    assert_true(number != number_of(ELEMENTS - 1, channels_last, 3));
    assert_true(number != number_of(ELEMENTS, channels_last, 4));
    assert_true(number != number_of(ELEMENTS, turned_too, 3));
}

/* --------------------------------------------------------------------- bounds */

#define LARGE ((size_t)400 << 10)
#define LIMIT ((size_t)1 << 20)

/* Each is far below the limit: a list of zeroes, which a few bytes of a file ask for. */
static size_t add_zeroes(void)
{
    size_t shape;
    void *attributes;
    const int64_t size = (int64_t)(LARGE / sizeof(float));
    assert_int_equal(anole_graph_add_ints(graph, &shape, NULL, &size, 1, NULL), ANOLE_DONE);
    return apply("constant_of_shape", &shape, 1, &attributes);
}

static void test_folding_is_bounded_in_the_sum(void **state)
{
    (void)state;
    begin();
    for (int i = 0; i < 10; i++)
        assert_int_equal(anole_graph_add_output(graph, add_zeroes(), NULL), ANOLE_DONE);
    assert_int_equal(anole_graph_infer(graph, LIMIT, NULL), ANOLE_DONE);
    assert_int_equal(graph->node_count, 8); /* two of 400 KiB go into one MiB */
    assert_int_equal(graph->folded, 2 * LARGE);
    assert_in_range(anole_graph_constant_bytes(graph), 2 * LARGE, 2 * LARGE + 100);

    /* What is not needed any more makes room. */
    graph->outputs[0] = graph->outputs[9];
    anole_graph_remove_dead(graph);
    assert_int_equal(graph->folded, LARGE);
    assert_int_equal(anole_graph_infer(graph, LIMIT, NULL), ANOLE_DONE);
    assert_int_equal(graph->folded, 2 * LARGE);
    assert_int_equal(graph->node_count, 7);
    anole_graph_destroy(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transposed_weights_take_no_memory),
        cmocka_unit_test(test_scaled_weights_take_no_memory),
        cmocka_unit_test(test_simplified_graph_computes_the_same),
        cmocka_unit_test(test_unaligned_weights_are_copied_when_wanted),
        cmocka_unit_test(test_chains_are_followed),
        cmocka_unit_test(test_folding_reads_what_is_made_when_wanted),
        cmocka_unit_test(test_numbers_tell_constants_apart),
        cmocka_unit_test(test_folding_is_bounded_in_the_sum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
