/* SPDX-License-Identifier: MIT
 *
 * Networks as they run: where tensors lie, which kernel does what, and that a whole graph
 * computes what its operators' references do, one after another.
 */
#include "kernel_fixture.h"

#include "base/clock.h"
#include "graph/graph_evaluate.h"
#include "program/memory_plan.h"
#include "program/epilogue.h"
#include "program/cache.h"
#include "program/constants.h"
#include "program/instance.h"
#include "program/merge.h"
#include "program/exchange.h"
#include "program/race.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct kernel_fixture fixture;

#define assert_done(call)                                                                          \
    do {                                                                                           \
        struct anole_error error = {.status = ANOLE_DONE};                                         \
        if ((call) != ANOLE_DONE)                                                                  \
            fail_msg("%s", error.text);                                                            \
    } while (0)

/* ------------------------------------------------------------------- places */

static bool overlap(const struct anole_lifetime *a, const struct anole_lifetime *b)
{
    bool in_time = a->first <= b->last && b->first <= a->last;
    bool in_memory = a->offset < b->offset + b->bytes && b->offset < a->offset + a->bytes;
    return a->bytes > 0 && b->bytes > 0 && in_time && in_memory;
}

/* The most that is needed at a time: no plan takes less. */
static size_t least_peak(const struct anole_lifetime *items, size_t count, size_t unit)
{
    size_t most = 0;
    for (size_t i = 0; i < count; i++) {
        size_t sum = 0;
        for (size_t j = 0; j < count; j++)
            if (items[j].first <= items[i].first && items[i].first <= items[j].last)
                sum += (items[j].bytes + unit - 1) / unit * unit;
        most = sum > most ? sum : most;
    }
    return most;
}

static void test_plan_keeps_the_living_apart(void **state)
{
    (void)state;
    enum { COUNT = 60, UNIT = 64 };
    struct anole_rng rng;
    anole_rng_init(&rng, 7);
    for (int round = 0; round < 200; round++) {
        struct anole_lifetime items[COUNT];
        size_t peak = 0, total = 0;
        for (size_t i = 0; i < COUNT; i++) {
            size_t first = anole_rng_below(&rng, 40);
            items[i] = (struct anole_lifetime){
                .bytes = anole_rng_below(&rng, 5) ? anole_rng_below(&rng, 5000) : 0,
                .first = first,
                .last = first + anole_rng_below(&rng, 8)};
            total += (items[i].bytes + UNIT - 1) / UNIT * UNIT;
        }
        assert_done(anole_memory_plan(items, COUNT, UNIT, &peak, &error));
        for (size_t i = 0; i < COUNT; i++) {
            assert_int_equal(items[i].offset % UNIT, 0);
            assert_true(items[i].offset + items[i].bytes <= peak);
            for (size_t j = 0; j < i; j++)
                if (overlap(&items[i], &items[j]))
                    fail_msg("round %d: items %zu and %zu lie in each other", round, i, j);
        }
        size_t least = least_peak(items, COUNT, UNIT);
        assert_true(peak >= least && peak <= total);
        assert_true(peak <= least + least / 3);
    }
}

static void test_plan_puts_a_chain_into_two_places(void **state)
{
    (void)state;
    struct anole_lifetime items[50];
    size_t peak;
    for (size_t i = 0; i < 50; i++)
        items[i] = (struct anole_lifetime){.bytes = 1000, .first = i, .last = i + 1};
    assert_done(anole_memory_plan(items, 50, 1000, &peak, &error));
    assert_int_equal(peak, 2000);
}

static void test_plan_refuses_what_no_memory_holds(void **state)
{
    (void)state;
    struct anole_error problem = {.status = ANOLE_DONE};
    struct anole_lifetime items[4];
    size_t peak = 17;
    for (size_t i = 0; i < 4; i++)
        items[i] = (struct anole_lifetime){.bytes = SIZE_MAX - i};
    assert_int_equal(anole_memory_plan(items, 4, 4096, &peak, &problem), ANOLE_ERR_INPUT);
    assert_int_equal(peak, 17);
    assert_done(anole_memory_plan(items, 0, 4096, &peak, &error));
    assert_int_equal(peak, 0);
}

/* --------------------------------------------------- operators for small graphs */

static enum anole_status infer_same(struct anole_call *call, struct anole_error *error)
{
    (void)error;
    void *data = call->outputs[0].data;
    call->outputs[0] = *call->inputs[0];
    call->outputs[0].data = data;
    return ANOLE_DONE;
}

/* What each does to element i of n floats. */
static enum anole_status compute_scale(const struct anole_call *call, struct anole_error *error)
{
    (void)error;
    const float *in = call->inputs[0]->data;
    float *out = call->outputs[0].data;
    for (size_t i = 0; i < anole_operand_elements(call->inputs[0]); i++)
        out[i] = in[i] * 0.5f + 1;
    return ANOLE_DONE;
}

static enum anole_status compute_add(const struct anole_call *call, struct anole_error *error)
{
    (void)error;
    const float *a = call->inputs[0]->data, *b = call->inputs[1]->data;
    float *out = call->outputs[0].data;
    for (size_t i = 0; i < anole_operand_elements(call->inputs[0]); i++)
        out[i] = a[i] - 0.25f * b[i];
    return ANOLE_DONE;
}

static enum anole_status compute_reverse(const struct anole_call *call, struct anole_error *error)
{
    (void)error;
    const float *in = call->inputs[0]->data;
    float *out = call->outputs[0].data;
    size_t n = anole_operand_elements(call->inputs[0]);
    for (size_t i = 0; i < n; i++)
        out[i] = in[n - 1 - i];
    return ANOLE_DONE;
}

static enum anole_status make_kernel(const struct anole_call *call, const char *parameters,
                                     const char *body, struct anole_kernel_builder *builder,
                                     struct anole_error *error)
{
    char source[400];
    size_t n = anole_operand_elements(call->inputs[0]);
    int length = snprintf(source, sizeof source,
                          "kernel void work(%s, global float *out)\n"
                          "{\n"
                          "    size_t i = get_global_id(0), n = %zu;\n"
                          "    if (i < n)\n"
                          "        out[i] = %s;\n"
                          "}\n",
                          parameters, n, body);
    struct anole_launch launch = {
        .size = sizeof launch, .dimensions = 1, .kernel = "work", .local = {8}};
    launch.global[0] = (n + 7) / 8 * 8;
    for (uint32_t i = 0; i < call->input_count; i++)
        launch.args[launch.arg_count++] =
            (struct anole_arg){.role = ANOLE_ROLE_INPUT, .value = (int64_t)i};
    launch.args[launch.arg_count++] = (struct anole_arg){.role = ANOLE_ROLE_OUTPUT};
    if (builder->source(builder, source, (size_t)length) || builder->launch(builder, &launch))
        return anole_fail(error, ANOLE_ERR_INPUT, "refused");
    return ANOLE_DONE;
}

static enum anole_status kernel_scale(const struct anole_call *call,
                                      struct anole_kernel_builder *builder,
                                      struct anole_error *error)
{
    return make_kernel(call, "global const float *a", "a[i] * 0.5f + 1", builder, error);
}

static enum anole_status kernel_add(const struct anole_call *call,
                                    struct anole_kernel_builder *builder, struct anole_error *error)
{
    return make_kernel(call, "global const float *a, global const float *b", "a[i] - 0.25f * b[i]",
                       builder, error);
}

static enum anole_status kernel_reverse(const struct anole_call *call,
                                        struct anole_kernel_builder *builder,
                                        struct anole_error *error)
{
    return make_kernel(call, "global const float *a", "a[n - 1 - i]", builder, error);
}

static enum anole_status infer_dense(struct anole_call *call, struct anole_error *error)
{
    enum anole_status status = infer_same(call, error);
    call->outputs[0].dims[1] = call->inputs[1]->dims[0];
    return status;
}

static enum anole_status compute_dense(const struct anole_call *call, struct anole_error *error)
{
    (void)error;
    const float *x = call->inputs[0]->data, *w = call->inputs[1]->data;
    const float *bias = call->input_count > 2 ? call->inputs[2]->data : NULL;
    float *out = call->outputs[0].data;
    const int64_t c = call->inputs[0]->dims[1], k = call->outputs[0].dims[1];
    for (int64_t n = 0; n < call->inputs[0]->dims[0]; n++)
        for (int64_t o = 0; o < k; o++) {
            double sum = bias ? bias[o] : 0;
            for (int64_t i = 0; i < c; i++)
                sum += (double)x[n * c + i] * w[o * c + i];
            out[n * k + o] = (float)sum;
        }
    return ANOLE_DONE;
}

static bool task_dense(const struct anole_call *call, struct anole_task *task)
{
    *task = (struct anole_task){.size = sizeof *task,
                                .kind = ANOLE_TASK_DENSE,
                                .dtype = ANOLE_F32,
                                .groups = 1,
                                .batch = (uint32_t)call->inputs[0]->dims[0],
                                .in_h = 1,
                                .in_w = 1,
                                .in_c = (uint32_t)call->inputs[0]->dims[1],
                                .out_h = 1,
                                .out_w = 1,
                                .out_c = (uint32_t)call->inputs[1]->dims[0],
                                .kernel_h = 1,
                                .kernel_w = 1,
                                .stride_h = 1,
                                .stride_w = 1,
                                .dilation_h = 1,
                                .dilation_w = 1};
    if (call->input_count > 2)
        task->flags = ANOLE_TASK_BIAS;
    return true;
}

#define ONE_OUTPUT .fewest_outputs = 1, .most_outputs = 1
static const struct anole_op scale = {.name = "scale",
                                      .flags = ANOLE_OP_ELEMENTWISE,
                                      .fewest_inputs = 1,
                                      .most_inputs = 1,
                                      ONE_OUTPUT,
                                      .infer = infer_same,
                                      .compute = compute_scale,
                                      .kernel = kernel_scale};
static const struct anole_op add = {.name = "add",
                                    .flags = ANOLE_OP_ELEMENTWISE,
                                    .fewest_inputs = 2,
                                    .most_inputs = 2,
                                    ONE_OUTPUT,
                                    .infer = infer_same,
                                    .compute = compute_add,
                                    .kernel = kernel_add};
static const struct anole_op reverse = {.name = "reverse",
                                        .fewest_inputs = 1,
                                        .most_inputs = 1,
                                        ONE_OUTPUT,
                                        .infer = infer_same,
                                        .compute = compute_reverse,
                                        .kernel = kernel_reverse};
static const struct anole_op on_host = {.name = "on_host",
                                        .flags = ANOLE_OP_HOST,
                                        .fewest_inputs = 1,
                                        .most_inputs = 1,
                                        ONE_OUTPUT,
                                        .infer = infer_same,
                                        .compute = compute_reverse,
                                        .kernel = kernel_scale};
static const struct anole_op dense = {.name = "dense",
                                      .fewest_inputs = 2,
                                      .most_inputs = 3,
                                      ONE_OUTPUT,
                                      .infer = infer_dense,
                                      .compute = compute_dense,
                                      .task = task_dense};

/* ------------------------------------------------------------------- graphs */

enum { ROWS = 3, COLUMNS = 20, ELEMENTS = ROWS * COLUMNS };

static struct anole_graph *new_graph(void)
{
    struct anole_graph *graph;
    assert_done(anole_graph_create(&graph, "test", "test.json", &error));
    return graph;
}

static size_t new_input(struct anole_graph *graph)
{
    const struct anole_operand type = {.dtype = ANOLE_F32, .rank = 2, .dims = {ROWS, COLUMNS}};
    size_t tensor;
    assert_done(anole_graph_add_tensor(graph, &tensor, "in", &type, &error));
    assert_done(anole_graph_add_input(graph, tensor, &error));
    return tensor;
}

static size_t new_constant(struct anole_graph *graph, struct anole_rng *rng, int64_t rows,
                           int64_t columns)
{
    float data[COLUMNS * COLUMNS];
    struct anole_operand type = {
        .dtype = ANOLE_F32, .rank = 2, .dims = {rows, columns}, .data = data};
    size_t tensor;
    for (int64_t i = 0; i < rows * columns; i++)
        data[i] = (float)anole_rng_uniform(rng) - 0.5f;
    assert_done(anole_graph_add_constant(graph, &tensor, "c", &type, false, &error));
    return tensor;
}

static size_t apply(struct anole_graph *graph, const struct anole_op *op, size_t a, size_t b,
                    size_t c)
{
    const size_t inputs[] = {a, b, c};
    size_t output, count = c != ANOLE_NONE ? 3 : b != ANOLE_NONE ? 2 : 1;
    assert_done(anole_graph_apply(graph, &output, NULL, op, op->name, inputs, count, &error));
    return output;
}

/* Another shape of the same elements, and back: two views. */
static size_t apply_reshape(struct anole_graph *graph, size_t tensor)
{
    for (int i = 0; i < 2; i++) {
        const int64_t flat[] = {ELEMENTS}, square[] = {ROWS, COLUMNS};
        void *attributes;
        assert_done(anole_graph_apply(graph, &tensor, &attributes, &anole_op_reshape, "reshape",
                                      &tensor, 1, &error));
        assert_done(anole_op_set_ints(&anole_op_reshape, attributes, "shape", i ? square : flat,
                                      i ? 2 : 1, &error));
    }
    return tensor;
}

/* The whole graph by the operators' references, each into memory of its own.
 * values[tensor_count]: NULL where there are none; the inputs' are there. */
static void walk(const struct anole_graph *graph, float **values)
{
    for (size_t i = 0; i < graph->node_count; i++) {
        const struct anole_node *node = &graph->nodes[i];
        struct anole_operand operands[4], output, residual;
        const struct anole_operand *inputs[4];
        for (size_t j = 0; j < node->input_count; j++) {
            operands[j] = graph->tensors[node->inputs[j]].type;
            if (!operands[j].data)
                operands[j].data = values[node->inputs[j]];
            inputs[j] = &operands[j];
        }
        output = graph->tensors[node->outputs[0]].type;
        output.data = values[node->outputs[0]] = calloc(ELEMENTS, sizeof(float));
        struct anole_call call = {.op = node->op,
                                  .attributes = node->attributes,
                                  .inputs = inputs,
                                  .input_count = (uint32_t)node->input_count,
                                  .outputs = &output,
                                  .output_count = 1};
        assert_done(node->op->compute(&call, &error));
        if (node->residual != ANOLE_NONE) {
            residual = graph->tensors[node->residual].type;
            residual.data = values[node->residual];
        }
        assert_done(anole_epilogue_compute(node, node->residual != ANOLE_NONE ? &residual : NULL,
                                           &output, &error));
    }
}

/* No two tensors that are needed at a time share bytes, but for views and results that took
 * an input's place: every step's outputs lie outside of what later steps still read. */
static void check_places(const struct anole_program *program)
{
    for (size_t i = 0; i < program->step_count; i++)
        for (size_t j = 0; j < program->steps[i].place_count; j++) {
            const struct anole_place *place = &program->steps[i].places[j];
            if (place->buffer == ANOLE_NONE)
                continue;
            assert_int_equal(place->offset % ANOLE_PROGRAM_ALIGNMENT, 0);
            assert_true(place->offset + place->bytes <= program->buffer_bytes[place->buffer]);
        }
}

/* Compares all outputs with the walk, after each of two runs. */
static void check_graph(struct anole_graph *graph, const struct anole_backend *backend,
                        const struct anole_program_options *options, double tolerance)
{
    struct anole_program *program;
    struct anole_instance *instance;
    assert_done(anole_graph_infer(graph, 0, &error));
    assert_done(anole_program_create(&program, graph, backend, &fixture.device, options, &error));
    check_places(program);
    assert_done(anole_instance_create(&instance, program, fixture.driver, 0, &error));
    float **values = calloc(graph->tensor_count, sizeof *values);
    double *step_seconds = calloc(program->step_count + 1, sizeof *step_seconds);
    for (size_t i = 0; i < graph->input_count; i++) {
        float *data = values[graph->inputs[i]] = calloc(ELEMENTS, sizeof *data);
        for (size_t j = 0; j < ELEMENTS; j++)
            data[j] = (float)((j * 37 + i * 11) % 23) / 11 - 1;
        assert_done(anole_instance_set_input(instance, i, data, &error));
    }
    walk(graph, values);
    for (int round = 0; round < 2; round++) {
        double seconds = -1;
        assert_done(anole_instance_run(instance, round ? step_seconds : NULL, &seconds, &error));
        assert_true(seconds >= 0);
        for (size_t i = 0; i < graph->output_count; i++) {
            float found[ELEMENTS];
            const float *expected = values[graph->outputs[i]];
            size_t n = anole_operand_elements(&graph->tensors[graph->outputs[i]].type);
            assert_done(anole_instance_get_output(instance, i, found, &error));
            for (size_t j = 0; j < n; j++)
                if (!(fabs((double)found[j] - expected[j]) <= tolerance))
                    fail_msg("run %d, output %zu, element %zu: expected %g, found %g", round, i, j,
                             (double)expected[j], (double)found[j]);
        }
    }
    for (size_t i = 0; i < graph->tensor_count; i++)
        free(values[i]);
    free(step_seconds);
    free(values);
    anole_instance_destroy(instance);
    anole_program_destroy(program);
}

/* A graph of up to `nodes` random nodes, each of which reads what is there. */
static struct anole_graph *random_graph(struct anole_rng *rng, size_t nodes)
{
    struct anole_graph *graph = new_graph();
    size_t tensors[64], count = 0;
    tensors[count++] = new_input(graph);
    tensors[count++] = new_input(graph);
    for (size_t i = 0; i < nodes; i++) {
        size_t a = tensors[anole_rng_below(rng, count)], b = tensors[anole_rng_below(rng, count)];
        size_t output;
        switch (anole_rng_below(rng, 6)) {
        case 0:
            output = apply(graph, &scale, a, ANOLE_NONE, ANOLE_NONE);
            break;
        case 1:
            output = apply(graph, &add, a, b, ANOLE_NONE);
            break;
        case 2:
            output = apply(graph, &reverse, a, ANOLE_NONE, ANOLE_NONE);
            break;
        case 3:
            output = apply_reshape(graph, a);
            break;
        case 4:
            output = apply(graph, &dense, a, new_constant(graph, rng, COLUMNS, COLUMNS),
                           new_constant(graph, rng, 1, COLUMNS));
            break;
        default:
            output = apply(graph, &on_host, a, ANOLE_NONE, ANOLE_NONE);
        }
        struct anole_node *node = &graph->nodes[graph->node_count - 1];
        if (node->op != &anole_op_reshape && anole_rng_below(rng, 3) == 0) {
            node->activation = ANOLE_ACT_RELU;
            if (anole_rng_below(rng, 2))
                node->residual = b;
        }
        tensors[count++] = output;
    }
    assert_done(anole_graph_add_output(graph, tensors[count - 1], &error));
    assert_done(anole_graph_add_output(graph, tensors[count / 2], &error));
    return graph;
}

static void check_random_graphs(const struct anole_backend *backend, uint64_t seed)
{
    struct anole_rng rng;
    anole_rng_init(&rng, seed);
    for (unsigned round = 0; round < 8 * kernel_rounds(); round++) {
        struct anole_graph *graph = random_graph(&rng, 3 + anole_rng_below(&rng, 20));
        const struct anole_program_options options = {.no_built_in = round % 4 == 1,
                                                      .no_generator = round % 4 == 2};
        check_graph(graph, backend, &options, 1e-4);
        anole_graph_destroy(graph);
    }
}

static void test_run_equals_the_references(void **state)
{
    (void)state;
    check_random_graphs(fixture.backend, kernel_seed(1));
}

/* A backend that is too old to know sequences and mapping. */
static void test_run_equals_the_references_step_by_step(void **state)
{
    (void)state;
    struct anole_backend old = *fixture.backend;
    old.plugin.sequence_create = NULL;
    old.plugin.buffer_map = NULL;
    check_random_graphs(&old, kernel_seed(2));
}

/* -------------------------------------------------------------- single cases */

static struct anole_program *new_program(struct anole_graph *graph)
{
    struct anole_program *program;
    assert_done(anole_graph_infer(graph, 0, &error));
    assert_done(
        anole_program_create(&program, graph, fixture.backend, &fixture.device, NULL, &error));
    return program;
}

static void test_chain_of_elementwise_steps_takes_one_place(void **state)
{
    (void)state;
    struct anole_graph *graph = new_graph();
    size_t tensor = new_input(graph);
    for (int i = 0; i < 5; i++)
        tensor = apply(graph, &scale, tensor, ANOLE_NONE, ANOLE_NONE);
    assert_done(anole_graph_add_output(graph, tensor, &error));
    struct anole_program *program = new_program(graph);
    assert_int_equal(program->step_count, 5);
    assert_int_equal(program->kernel_count, 1);
    /* The input stays. */
    assert_int_equal(program->buffer_bytes[0], 2 * ANOLE_PROGRAM_ALIGNMENT);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(program->steps[i].kind, ANOLE_STEP_BUILT_IN);
    anole_program_destroy(program);
    anole_graph_destroy(graph);
}

static size_t apply_product(struct anole_graph *graph, size_t a, size_t b, bool transpose_b)
{
    const size_t inputs[] = {a, b};
    void *attributes;
    size_t output;
    assert_done(anole_graph_apply(graph, &output, &attributes, &anole_op_matmul, "product", inputs,
                                  2, &error));
    assert_done(
        anole_op_set_bool(&anole_op_matmul, attributes, "transpose_b", transpose_b, &error));
    return output;
}

/* Outputs of a run are those that the operators' references give. */
static void check_against_references(const struct anole_graph *graph)
{
    enum { MOST = 5 * 6 * 104 };
    float values[MOST], found[MOST];
    struct anole_operand input = graph->tensors[graph->inputs[0]].type, outputs[4];
    struct anole_program *program;
    struct anole_instance *instance;
    double seconds;
    for (size_t i = 0; i < anole_operand_elements(&input); i++)
        values[i] = (float)(i * 37 % 23) / 11 - 1;
    input.data = values;
    assert_done(anole_graph_evaluate(graph, &input, outputs, &error));
    assert_done(
        anole_program_create(&program, graph, fixture.backend, &fixture.device, NULL, &error));
    assert_done(anole_instance_create(&instance, program, fixture.driver, 0, &error));
    assert_done(anole_instance_set_input(instance, 0, values, &error));
    assert_done(anole_instance_run(instance, NULL, &seconds, &error));
    for (size_t i = 0; i < graph->output_count; i++) {
        const size_t n = anole_operand_elements(&outputs[i]);
        assert_true(n <= MOST);
        assert_done(anole_instance_get_output(instance, i, found, &error));
        for (size_t j = 0; j < n; j++)
            assert_true(fabs((double)found[j] - ((const float *)outputs[i].data)[j]) < 1e-4);
        free(outputs[i].data);
    }
    anole_instance_destroy(instance);
    anole_program_destroy(program);
}

/* As in attention: neither operand is a constant. */
static void test_products_of_two_inputs_are_generated(void **state)
{
    (void)state;
    struct anole_graph *graph = new_graph();
    size_t a = new_input(graph), b = new_input(graph);
    size_t square = apply_product(graph, a, b, true);
    assert_done(anole_graph_add_output(graph, square, &error));
    assert_done(anole_graph_add_output(graph, apply_product(graph, square, b, false), &error));
    struct anole_program *program = new_program(graph);
    assert_int_equal(program->step_count, 2);
    assert_int_equal(program->constant_count, 0);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(program->steps[i].kind, ANOLE_STEP_DEFAULT);
        assert_int_equal(program->steps[i].places[ANOLE_ROLE_WEIGHTS].buffer, 0);
    }
    anole_program_destroy(program);
    check_graph(graph, fixture.backend, NULL, 1e-4);
    anole_graph_destroy(graph);
}

/* Images of CHANNELS, side by side: convolved to `channels`. */
static size_t convolve(struct anole_graph *graph, struct anole_rng *rng, size_t input,
                       int64_t channels, int64_t size)
{
    const struct anole_operand type = {
        .dtype = ANOLE_F32, .rank = 4, .dims = {channels, size, size, 4}};
    float *data = malloc(anole_operand_elements(&type) * sizeof *data);
    struct anole_operand filled = type;
    size_t weights, output;
    void *attributes;
    for (size_t i = 0; i < anole_operand_elements(&type); i++)
        data[i] = (float)anole_rng_uniform(rng) - 0.5f;
    filled.data = data;
    assert_done(anole_graph_add_constant(graph, &weights, NULL, &filled, false, &error));
    free(data);
    const struct anole_op *op = anole_op_find("conv2d");
    const size_t inputs[] = {input, weights};
    const int64_t kernel[] = {size, size}, pads[] = {size / 2, size / 2, size / 2, size / 2};
    assert_done(anole_graph_apply(graph, &output, &attributes, op, NULL, inputs, 2, &error));
    assert_done(anole_op_set_ints(op, attributes, "kernel", kernel, 2, &error));
    assert_done(anole_op_set_ints(op, attributes, "pads", pads, 4, &error));
    return output;
}

/* Kernels store where the concatenation would copy to. */
static void test_concatenated_channels_take_no_step(void **state)
{
    (void)state;
    struct anole_rng rng;
    anole_rng_init(&rng, 5);
    for (int variant = 0; variant < 2; variant++) {
        struct anole_graph *graph = new_graph();
        const struct anole_operand type = {.dtype = ANOLE_F32, .rank = 4, .dims = {1, 5, 6, 4}};
        size_t input, output, parts[3];
        assert_done(anole_graph_add_tensor(graph, &input, "x", &type, &error));
        assert_done(anole_graph_add_input(graph, input, &error));
        parts[0] = convolve(graph, &rng, input, 32, 3);
        parts[1] = convolve(graph, &rng, input, 64, 1);
        parts[2] = convolve(graph, &rng, input, 8, 1);
        void *attributes;
        assert_done(anole_graph_apply(graph, &output, &attributes, anole_op_find("concat"), NULL,
                                      parts, 3, &error));
        assert_done(anole_op_set_int(anole_op_find("concat"), attributes, "axis", -1, &error));
        assert_done(anole_graph_add_output(graph, output, &error));
        if (variant) /* a part that somebody else wants stays by itself, and so do all */
            assert_done(anole_graph_add_output(graph, parts[1], &error));
        struct anole_program *program = new_program(graph);
        assert_int_equal(program->step_count, variant ? 4 : 3);
        anole_program_destroy(program);
        check_against_references(graph);
        anole_graph_destroy(graph);
    }
}

static void test_views_take_no_step(void **state)
{
    (void)state;
    struct anole_graph *graph = new_graph();
    size_t input = new_input(graph);
    size_t view = apply_reshape(graph, input);
    assert_done(anole_graph_add_output(graph, view, &error));
    struct anole_program *program = new_program(graph);
    assert_int_equal(program->step_count, 0);
    assert_int_equal(program->tensors[view].offset, program->tensors[input].offset);
    anole_program_destroy(program);
    check_graph(graph, fixture.backend, NULL, 0);
    anole_graph_destroy(graph);
}

/* Two layers alike have one kernel, but weights of their own; one layer used twice has one. */
static void test_weights_are_written_once(void **state)
{
    (void)state;
    struct anole_rng rng;
    anole_rng_init(&rng, 3);
    struct anole_graph *graph = new_graph();
    size_t tensor = new_input(graph);
    size_t weights = new_constant(graph, &rng, COLUMNS, COLUMNS);
    size_t others = new_constant(graph, &rng, COLUMNS, COLUMNS);
    tensor = apply(graph, &dense, tensor, weights, ANOLE_NONE);
    tensor = apply(graph, &dense, tensor, weights, ANOLE_NONE);
    tensor = apply(graph, &dense, tensor, others, ANOLE_NONE);
    assert_done(anole_graph_add_output(graph, tensor, &error));
    struct anole_program *program = new_program(graph);
    assert_int_equal(program->step_count, 3);
    assert_int_equal(program->kernel_count, 1);
    assert_int_equal(program->constant_count, 2);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(program->steps[i].kind, ANOLE_STEP_DEFAULT);
    anole_program_destroy(program);
    check_graph(graph, fixture.backend, NULL, 1e-4);
    anole_graph_destroy(graph);
}

/* Packed weights are found again by what they are made of. */
static void test_packed_weights_are_kept(void **state)
{
    (void)state;
    struct anole_rng rng;
    anole_rng_init(&rng, 6);
    struct anole_graph *graph = new_graph();
    size_t input = new_input(graph), weights = new_constant(graph, &rng, COLUMNS, COLUMNS);
    assert_done(
        anole_graph_add_output(graph, apply(graph, &dense, input, weights, ANOLE_NONE), &error));
    struct anole_program *program = new_program(graph);
    const struct anole_program_constant *constant = &program->constants[0];
    struct anole_program_cache *cache;
    char folder[] = "/tmp/anole-weights-XXXXXX", command[64];
    const char *before = getenv("ANOLE_CACHE_DIR");
    char *packed = malloc(constant->place.bytes), *found = malloc(constant->place.bytes);
    assert_non_null(packed);
    assert_non_null(found);
    assert_int_not_equal(constant->kernel, ANOLE_NONE);
    assert_non_null(mkdtemp(folder));
    setenv("ANOLE_CACHE_DIR", folder, 1);
    assert_done(anole_program_cache_create(&cache, program, fixture.driver, &error));
    assert_true(anole_program_cache_exists(cache));
    assert_done(anole_program_pack(program, constant, packed, &error));
    assert_false(anole_program_cache_read_weights(found, cache, constant));
    anole_program_cache_store_weights(cache, constant, packed);
    anole_program_cache_destroy(cache);

    assert_done(anole_program_cache_create(&cache, program, fixture.driver, &error));
    assert_true(anole_program_cache_read_weights(found, cache, constant));
    assert_memory_equal(found, packed, constant->place.bytes);
    anole_program_cache_destroy(cache);

    /* One of them differs. */
    ((float *)graph->tensors[weights].type.data)[COLUMNS] += 1;
    assert_done(anole_program_cache_create(&cache, program, fixture.driver, &error));
    assert_false(anole_program_cache_read_weights(found, cache, constant));
    anole_program_cache_destroy(cache);
    setenv("ANOLE_CACHE_DIR", before ? before : "", 1);
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
    free(found);
    free(packed);
    anole_program_destroy(program);
    anole_graph_destroy(graph);
}

/* Which weights a start leaves to the next hangs on their bytes alone: all large ones are found,
 * and no small one has a file. */
static void test_large_weights_are_found_by_the_second_start(void **state)
{
    (void)state;
    enum { WIDE = 1024 }; /* of COLUMNS: 80 KiB of floats */
    float *data = calloc((size_t)COLUMNS * WIDE, sizeof *data);
    char folder[] = "/tmp/anole-weights-XXXXXX", command[64];
    const char *before = getenv("ANOLE_CACHE_DIR");
    struct anole_rng rng;
    anole_rng_init(&rng, 8);
    struct anole_graph *graph = new_graph();
    size_t tensor = new_input(graph), weights;
    tensor = apply(graph, &dense, tensor, new_constant(graph, &rng, COLUMNS, COLUMNS), ANOLE_NONE);
    assert_non_null(data);
    for (int i = 0; i < 2; i++) {
        const struct anole_operand type = {.dtype = ANOLE_F32,
                                           .rank = 2,
                                           .dims = {i ? COLUMNS : WIDE, i ? WIDE : COLUMNS},
                                           .data = data};
        data[i] = 1;
        assert_done(anole_graph_add_constant(graph, &weights, "w", &type, false, &error));
        tensor = apply(graph, &dense, tensor, weights, ANOLE_NONE);
    }
    free(data);
    assert_done(anole_graph_add_output(graph, tensor, &error));
    struct anole_program *program = new_program(graph);
    assert_non_null(mkdtemp(folder));
    setenv("ANOLE_CACHE_DIR", folder, 1);
    void *packed[2][8];
    assert_int_equal(program->constant_count, 3);
    for (int start = 0; start < 2; start++) {
        struct anole_program_cache *cache;
        size_t cached, kept = 0;
        for (size_t i = 0; i < program->constant_count; i++) {
            assert_int_not_equal(program->constants[i].kernel, ANOLE_NONE);
            kept += program->constants[i].place.bytes >= 64 << 10;
            packed[start][i] = calloc(1, program->constants[i].place.bytes);
            assert_non_null(packed[start][i]);
        }
        assert_int_equal(kept, 2);
        assert_done(anole_program_cache_create(&cache, program, fixture.driver, &error));
        assert_done(
            anole_program_write_constants(program, cache, packed[start], 2, &cached, &error));
        assert_int_equal(cached, start ? kept : 0);
        anole_program_cache_destroy(cache);
    }
    for (size_t i = 0; i < program->constant_count; i++) {
        assert_memory_equal(packed[0][i], packed[1][i], program->constants[i].place.bytes);
        free(packed[0][i]);
        free(packed[1][i]);
    }
    setenv("ANOLE_CACHE_DIR", before ? before : "", 1);
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
    anole_program_destroy(program);
    anole_graph_destroy(graph);
}

/* A source that declares more than its kernel stays alone. */
static enum anole_status kernel_table(const struct anole_call *call,
                                      struct anole_kernel_builder *builder,
                                      struct anole_error *error)
{
    static const char table[] = "constant float table[] = {0, 1};\n";
    if (builder->source(builder, table, sizeof table - 1) != ANOLE_OK)
        return anole_fail(error, ANOLE_ERR_INPUT, "refused");
    return kernel_scale(call, builder, error);
}

static void test_plain_kernels_share_a_source(void **state)
{
    (void)state;
    struct anole_op alone = scale;
    alone.kernel = kernel_table;
    struct anole_graph *graph = new_graph();
    size_t tensor = new_input(graph);
    tensor = apply(graph, &scale, tensor, ANOLE_NONE, ANOLE_NONE);
    tensor = apply(graph, &alone, tensor, ANOLE_NONE, ANOLE_NONE);
    tensor = apply(graph, &reverse, tensor, ANOLE_NONE, ANOLE_NONE);
    assert_done(anole_graph_add_output(graph, tensor, &error));
    struct anole_program *program = new_program(graph);
    struct anole_merge *merge;
    assert_done(anole_merge_create(&merge, program, &error));
    assert_int_equal(program->kernel_count, 3);
    assert_int_equal(anole_merge_count(merge), 2);
    const struct anole_merge_unit *unit = anole_merge_unit(merge, 0);
    assert_int_equal(unit->count, 2);
    assert_ptr_equal(unit->kernels[0]->source, unit->kernels[1]->source);
    assert_string_not_equal(unit->kernels[0]->launches[0].kernel,
                            unit->kernels[1]->launches[0].kernel);
    unit = anole_merge_unit(merge, 1);
    assert_int_equal(unit->count, 1);
    assert_ptr_equal(unit->kernels[0], &program->kernels[unit->places[0]].generated->kernel);
    anole_merge_destroy(merge);
    anole_program_destroy(program);
    check_graph(graph, fixture.backend, NULL, 0);
    anole_graph_destroy(graph);
}

/* The chooser's config counts, and what it was tuned to be. */
static enum anole_status choose_last(void *context, const struct anole_generator *generator,
                                     uint64_t *config, bool *found, double *seconds,
                                     struct anole_error *error)
{
    struct anole_rng *rng = context;
    struct anole_generator *walked; /* what the program has is not to be drawn from */
    enum anole_status status =
        anole_generator_create(&walked, fixture.backend, anole_generator_device(generator),
                               anole_generator_task(generator), error);
    if (status)
        return status;
    *config = kernel_sample(walked, rng, NULL);
    anole_generator_destroy(walked);
    *found = true;
    *seconds = 0.5;
    return ANOLE_DONE;
}

static void test_chosen_configs_run(void **state)
{
    (void)state;
    struct anole_rng rng;
    anole_rng_init(&rng, 4);
    const struct anole_program_options options = {.choose = choose_last, .context = &rng};
    for (int i = 0; i < 5; i++) {
        struct anole_graph *graph = new_graph();
        size_t input = new_input(graph), weights = new_constant(graph, &rng, 7, COLUMNS);
        assert_done(anole_graph_add_output(graph, apply(graph, &dense, input, weights, ANOLE_NONE),
                                           &error));
        struct anole_program *program;
        assert_done(anole_graph_infer(graph, 0, &error));
        assert_done(anole_program_create(&program, graph, fixture.backend, &fixture.device,
                                         &options, &error));
        assert_int_equal(program->steps[0].kind, ANOLE_STEP_TUNED);
        assert_true(program->kernels[0].seconds == 0.5);
        anole_program_destroy(program);
        check_graph(graph, fixture.backend, &options, 1e-4);
        anole_graph_destroy(graph);
    }
}

/* Three configs, of which the first is the step's own, too. */
static enum anole_status advise_three(void *context, const struct anole_generator *generator,
                                      uint64_t *configs, size_t *count, struct anole_error *error)
{
    (void)context;
    struct anole_rng own;
    anole_rng_init(&own, 21);
    struct anole_generator *walked; /* what the program has is not to be drawn from */
    enum anole_status status =
        anole_generator_create(&walked, fixture.backend, anole_generator_device(generator),
                               anole_generator_task(generator), error);
    if (status)
        return status;
    for (*count = 0; *count < 3; ++*count)
        configs[*count] = kernel_sample(walked, &own, NULL);
    anole_generator_destroy(walked);
    return ANOLE_DONE;
}

static enum anole_status choose_first(void *context, const struct anole_generator *generator,
                                      uint64_t *config, bool *found, double *seconds,
                                      struct anole_error *error)
{
    uint64_t configs[ANOLE_MOST_OTHERS];
    size_t count;
    *found = true;
    *seconds = NAN;
    enum anole_status status = advise_three(context, generator, configs, &count, error);
    *config = configs[0];
    return status;
}

/* Outputs of a variant, and that they are what the first had. */
static void run_variant(struct anole_instance *instance, const struct anole_variant *variant,
                        size_t elements, float *first, bool compare)
{
    float *found = calloc(elements, sizeof *found);
    double seconds = 0;
    assert_done(anole_variant_run(instance, variant, NULL, &seconds, &error));
    assert_true(seconds > 0);
    assert_done(anole_instance_get_output(instance, 0, found, &error));
    for (size_t i = 0; i < elements && compare; i++)
        if (!(fabsf(found[i] - first[i]) <= 1e-3f * (1 + fabsf(first[i]))))
            fail_msg("element %zu: %g, not %g", i, (double)found[i], (double)first[i]);
    if (!compare)
        memcpy(first, found, elements * sizeof *found);
    free(found);
}

static bool (*crowded)(size_t round);
static size_t looks, crowded_rounds;

static bool every_other(size_t round)
{
    return round % 2 != 0;
}

static bool always(size_t round)
{
    (void)round;
    return true;
}

/* A second passes from look to look; in a crowded round, half of it was others'. */
static void look_fake(struct anole_watch *watch, struct anole_look *look)
{
    static double waited;
    (void)watch;
    const bool after = looks % 2 != 0;
    if (after && crowded(looks / 2)) {
        crowded_rounds++;
        waited += 0.5;
    }
    looks++;
    *look =
        (struct anole_look){.wall = (double)looks, .worked = (double)looks / 2, .waited = waited};
}

static struct anole_quiet fake_quiet(bool (*others)(size_t round))
{
    struct anole_quiet quiet;
    anole_quiet_init(&quiet, ANOLE_DEVICE_SHARES_HOST);
    assert_true(quiet.look == anole_watch_look);
    quiet.look = look_fake;
    crowded = others;
    looks = crowded_rounds = 0;
    return quiet;
}

/* What was disturbed does not count; if nothing else is there, all does, and that is said. */
static void disturb_races(struct anole_instance *instance, const struct anole_variant *variant)
{
    struct anole_race race;
    struct anole_quiet quiet = fake_quiet(every_other);
    assert_done(anole_race_run(&race, instance, NULL, variant, 0, 4, &quiet, &error));
    assert_true(race.disturbed); /* no time for others, and two of four are too few */
    assert_int_equal(race.rounds, 4);
    quiet = fake_quiet(every_other);
    assert_done(
        anole_race_run(&race, instance, NULL, variant, anole_clock() + 600, 4, &quiet, &error));
    assert_false(race.disturbed);
    assert_int_equal(race.rounds, looks / 2 - crowded_rounds);
    quiet = fake_quiet(always);
    assert_done(anole_race_run(&race, instance, NULL, variant, 0, 3, &quiet, &error));
    assert_true(race.disturbed);
    assert_int_equal(race.rounds, 3);
}

/* A disturbed exchange is no verdict, and what was chosen alone stays. */
static void disturb_exchanges(struct anole_instance *instance, const struct anole_program *program)
{
    const struct anole_step *step = &program->steps[0];
    const struct anole_program_kernel *kernels = program->kernels;
    struct anole_task key_task = *kernels[step->kernel].generated->kernel.task;
    char key[ANOLE_TASK_KEY];
    size_t choices[2];
    key_task.out_pitch = 0;
    anole_task_key(key, &key_task);
    struct anole_exchange_task task = {
        .key = key,
        .candidates = {{.config = kernels[step->kernel].config},
                       {.config = kernels[step->others[0].kernel].config}},
        .count = 2};
    struct anole_quiet quiet = fake_quiet(always);
    assert_done(anole_exchange_run(choices, instance, program, &task, 1, anole_clock() + 1, &quiet,
                                   &error));
    assert_true(task.disturbed && !task.judged);
    assert_true(looks / 2 > 6); /* it was tried again */
    assert_int_equal(looks / 2, crowded_rounds);
    assert_int_equal(task.chosen, 0);
    assert_true(choices[0] == 0 && choices[1] == 0);
    assert_true(isnan(task.candidates[0].whole) && isnan(task.candidates[1].whole));
    quiet = fake_quiet(every_other);
    assert_done(anole_exchange_run(choices, instance, program, &task, 1, anole_clock() + 60, &quiet,
                                   &error));
    assert_true(task.judged && !task.disturbed);
    assert_true(crowded_rounds >= 5 && looks / 2 >= 11);
    assert_true(task.candidates[0].whole > 0 && task.candidates[1].whole > 0);
    /* The task occurs twice, and what was chosen is in both places. */
    assert_int_equal(program->step_count, 2);
    assert_true(choices[0] == task.chosen && choices[1] == task.chosen);
}

/* A step runs with any of its kernels, each with weights of its own, and all make the same. */
static void test_steps_go_from_kernel_to_kernel(void **state)
{
    (void)state;
    struct anole_rng rng;
    anole_rng_init(&rng, 8);
    const struct anole_program_options options = {.choose = choose_first, .others = advise_three};
    struct anole_graph *graph = new_graph();
    size_t input = new_input(graph), weights = new_constant(graph, &rng, COLUMNS, COLUMNS);
    size_t middle = apply(graph, &dense, input, weights, ANOLE_NONE);
    size_t output = apply(graph, &dense, middle, weights, ANOLE_NONE);
    assert_done(anole_graph_add_output(graph, output, &error));
    assert_done(anole_graph_infer(graph, 0, &error));
    struct anole_program *program;
    assert_done(
        anole_program_create(&program, graph, fixture.backend, &fixture.device, &options, &error));
    assert_int_equal(program->step_count, 2);
    const struct anole_step *step = &program->steps[0];
    assert_int_equal(step->other_count, 2); /* the first is its own */
    for (size_t i = 0; i < step->other_count; i++) {
        assert_int_not_equal(step->others[i].kernel, step->kernel);
        assert_int_equal(anole_program_step_of(program, step->others[i].kernel), 0);
    }
    struct anole_instance *instance;
    struct anole_variant *variants[3];
    const size_t elements = anole_program_tensor_bytes(graph, output) / sizeof(float);
    float *data = calloc(anole_program_tensor_bytes(graph, input), 1), *first;
    for (size_t i = 0; i < anole_program_tensor_bytes(graph, input) / sizeof(float); i++)
        data[i] = (float)(i % 7) - 3;
    first = calloc(elements, sizeof *first);
    assert_done(anole_instance_create(&instance, program, fixture.driver, 0, &error));
    assert_done(anole_instance_set_input(instance, 0, data, &error));
    run_variant(instance, NULL, elements, first, false);
    for (size_t v = 0; v < 3; v++) {
        const size_t choices[] = {v, (v + 1) % 3};
        assert_done(anole_variant_create(&variants[v], instance, choices, &error));
    }
    for (size_t round = 0; round < 2; round++)
        for (size_t v = 0; v < 3; v++)
            run_variant(instance, variants[v], elements, first, true);
    run_variant(instance, NULL, elements, first, true);
    struct anole_race race;
    struct anole_quiet quiet;
    anole_quiet_init(&quiet, ANOLE_DEVICE_SHARES_HOST | ANOLE_DEVICE_OWN_CLOCK);
    assert_null(quiet.look);
    assert_done(anole_race_run(&race, instance, NULL, variants[1], 0, 4, &quiet, &error));
    assert_false(race.disturbed);
    assert_int_equal(race.rounds, 4);
    assert_true(race.first.low > 0 && race.first.low <= race.first.median);
    assert_true(race.ratio.low <= race.ratio.median && race.ratio.median <= race.ratio.high);
    assert_done(anole_race_run(&race, instance, variants[2], variants[2], 0, 3, &quiet, &error));
    assert_true(race.ratio.low == 1 && race.ratio.high == 1);
    disturb_races(instance, variants[1]);
    disturb_exchanges(instance, program);
    for (size_t v = 0; v < 3; v++)
        anole_variant_destroy(variants[v]);
    anole_instance_destroy(instance);
    anole_program_destroy(program);
    anole_graph_destroy(graph);
    free(data);
    free(first);
}

static int (*supports_all)(const struct anole_device *, const struct anole_task *);

static int supports_unfused(const struct anole_device *device, const struct anole_task *task)
{
    return task->activation == ANOLE_ACT_NONE && !(task->flags & ANOLE_TASK_RESIDUAL) &&
           supports_all(device, task);
}

/* The layer keeps the backend's kernel, and what it does not take follows. */
static void test_what_a_backend_does_not_fuse_is_an_epilogue(void **state)
{
    (void)state;
    struct anole_rng rng;
    anole_rng_init(&rng, 6);
    struct anole_backend backend = *fixture.backend;
    struct anole_graph *graph = new_graph();
    size_t input = new_input(graph), weights = new_constant(graph, &rng, COLUMNS, COLUMNS);
    size_t output = apply(graph, &dense, input, weights, ANOLE_NONE);
    graph->nodes[0].activation = ANOLE_ACT_RELU;
    graph->nodes[0].residual = input;
    assert_done(anole_graph_add_output(graph, output, &error));
    supports_all = backend.plugin.supports;
    backend.plugin.supports = supports_unfused;
    struct anole_program *program;
    assert_done(anole_graph_infer(graph, 0, &error));
    assert_done(anole_program_create(&program, graph, &backend, &fixture.device, NULL, &error));
    assert_int_equal(program->step_count, 2);
    assert_int_equal(program->steps[0].kind, ANOLE_STEP_DEFAULT);
    assert_true(program->steps[1].epilogue);
    assert_null(program->steps[0].problem);
    anole_program_destroy(program);
    check_graph(graph, &backend, NULL, 1e-4);
    anole_graph_destroy(graph);
}

/* Tuned, default, the operator's plain kernel, the host: each when those before it failed. */
static void test_kernels_that_fail_give_way_to_the_next(void **state)
{
    (void)state;
    struct anole_rng rng;
    anole_rng_init(&rng, 7);
    static struct anole_op plain_dense;
    plain_dense = dense;
    plain_dense.kernel = kernel_scale; /* of the same size */
    struct anole_kernel_failures failures = {.count = 0};
    const struct anole_program_options options = {
        .choose = choose_last, .context = &rng, .failures = &failures};
    static const enum anole_step_kind kinds[] = {ANOLE_STEP_TUNED, ANOLE_STEP_DEFAULT,
                                                 ANOLE_STEP_BUILT_IN, ANOLE_STEP_HOST};
    struct anole_graph *graph = new_graph();
    size_t input = new_input(graph), weights = new_constant(graph, &rng, COLUMNS, COLUMNS);
    assert_done(anole_graph_add_output(
        graph, apply(graph, &plain_dense, input, weights, ANOLE_NONE), &error));
    assert_done(anole_graph_infer(graph, 0, &error));
    for (size_t i = 0; i < 4; i++) {
        struct anole_program *program;
        anole_rng_init(&rng, 7); /* the same config each time */
        assert_done(anole_program_create(&program, graph, fixture.backend, &fixture.device,
                                         &options, &error));
        assert_int_equal(program->step_count, 1);
        assert_int_equal(program->steps[0].kind, kinds[i]);
        if (i == 0)
            assert_null(program->steps[0].problem);
        else
            assert_non_null(strstr(program->steps[0].problem, "it is no good"));
        if (program->steps[0].kernel != ANOLE_NONE)
            assert_done(anole_kernel_failures_add(
                &failures, program->kernels[program->steps[0].kernel].generated, "it is no good",
                &error));
        anole_program_destroy(program);
    }
    anole_kernel_failures_fini(&failures);
    anole_graph_destroy(graph);
}

static void test_constant_outputs_are_there(void **state)
{
    (void)state;
    struct anole_rng rng;
    anole_rng_init(&rng, 5);
    struct anole_graph *graph = new_graph();
    new_input(graph);
    size_t constant = new_constant(graph, &rng, ROWS, COLUMNS);
    assert_done(anole_graph_add_output(graph, constant, &error));
    struct anole_program *program = new_program(graph);
    struct anole_instance *instance;
    float found[ELEMENTS];
    assert_done(anole_instance_create(&instance, program, fixture.driver, 0, &error));
    assert_done(anole_instance_run(instance, NULL, NULL, &error));
    assert_done(anole_instance_get_output(instance, 0, found, &error));
    assert_memory_equal(found, graph->tensors[constant].type.data, sizeof found);
    assert_int_equal(anole_instance_submissions(instance), 0);
    anole_instance_destroy(instance);
    anole_program_destroy(program);
    anole_graph_destroy(graph);
}

/* Weights that are made when they are wanted: packed for a kernel, as they are for one that is not
 * the generator's, for the host, and as an output. */
static void test_constants_with_recipes_are_made(void **state)
{
    enum { N = 96 };
    static const struct anole_program_options all[] = {{.choose = NULL},
                                                       {.no_built_in = true},
                                                       {.no_generator = true},
                                                       {.no_generator = true, .no_built_in = true}};
    static float weights[N * N], values[N * N], found[N * N];
    const struct anole_operand wide = {.dtype = ANOLE_F32, .rank = 4, .dims = {N, 1, 1, N}};
    struct anole_operand type = {.dtype = ANOLE_F32, .rank = 2, .dims = {N, N}, .data = weights};
    struct anole_operand outputs[3], input = wide;
    struct anole_instance *instance;
    struct anole_program *program;
    size_t x, w, turned, product, flat, sum;
    void *attributes;
    (void)state;
    for (size_t i = 0; i < N * N; i++) {
        weights[i] = (float)(i * 31 % 101) / 50 - 1;
        values[i] = (float)(i * 37 % 23) / 11 - 1;
    }
    struct anole_graph *graph = new_graph();
    assert_done(anole_graph_add_tensor(graph, &x, "x", &wide, &error));
    assert_done(anole_graph_add_input(graph, x, &error));
    assert_done(anole_graph_add_constant(graph, &w, "w", &type, true, &error));
    assert_done(
        anole_graph_apply(graph, &turned, NULL, anole_op_find("transpose"), "t", &w, 1, &error));
    assert_done(anole_graph_apply(graph, &product, NULL, anole_op_find("dense"), "d",
                                  (const size_t[]){x, turned}, 2, &error));
    assert_done(
        anole_graph_apply(graph, &flat, &attributes, anole_op_find("reshape"), "f", &x, 1, &error));
    assert_done(anole_op_set_ints(anole_op_find("reshape"), attributes, "shape",
                                  (const int64_t[]){N, N}, 2, &error));
    assert_done(anole_graph_apply(graph, &sum, &attributes, anole_op_find("binary"), "s",
                                  (const size_t[]){flat, turned}, 2, &error));
    assert_done(
        anole_op_set_choice(anole_op_find("binary"), attributes, "function", "add", &error));
    assert_done(anole_graph_add_output(graph, product, &error));
    assert_done(anole_graph_add_output(graph, sum, &error));
    assert_done(anole_graph_add_output(graph, turned, &error));
    assert_done(anole_graph_infer(graph, 0, &error));
    assert_null(graph->tensors[turned].type.data);
    assert_true(anole_graph_is_constant(graph, turned));
    input.data = values;
    assert_done(anole_graph_evaluate(graph, &input, outputs, &error));
    for (size_t o = 0; o < sizeof all / sizeof *all; o++) {
        assert_done(anole_program_create(&program, graph, fixture.backend, &fixture.device, &all[o],
                                         &error));
        assert_done(anole_instance_create(&instance, program, fixture.driver, 0, &error));
        assert_done(anole_instance_set_input(instance, 0, values, &error));
        assert_done(anole_instance_run(instance, NULL, NULL, &error));
        /* Without either kind, something runs on the host, which keeps what it reads. */
        assert_int_equal(anole_instance_host_bytes(instance) >= sizeof weights, o > 0);
        for (size_t i = 0; i < 3; i++) {
            assert_done(anole_instance_get_output(instance, i, found, &error));
            for (size_t j = 0; j < N * N; j++)
                assert_float_equal(found[j], ((const float *)outputs[i].data)[j], 1e-3);
        }
        anole_instance_destroy(instance);
        anole_program_destroy(program);
    }
    assert_true(((const float *)outputs[2].data)[1] == weights[N]);
    assert_int_equal(anole_graph_constant_bytes(graph), 0);
    for (size_t i = 0; i < 3; i++)
        free(outputs[i].data);
    anole_graph_destroy(graph);
}

static void test_simulated_devices_are_refused(void **state)
{
    (void)state;
    struct anole_error problem = {.status = ANOLE_DONE};
    struct anole_device device = fixture.device;
    struct anole_program *program = NULL;
    struct anole_graph *graph = new_graph();
    device.flags |= ANOLE_DEVICE_SIMULATED;
    assert_int_equal(
        anole_program_create(&program, graph, fixture.backend, &device, NULL, &problem),
        ANOLE_ERR_INPUT);
    assert_non_null(strstr(problem.text, "simulated"));
    assert_null(program);
    anole_graph_destroy(graph);
}

static void test_too_large_networks_are_refused(void **state)
{
    (void)state;
    struct anole_error problem = {.status = ANOLE_DONE};
    struct anole_device device = fixture.device;
    struct anole_program *program = NULL;
    struct anole_graph *graph = new_graph();
    size_t input = new_input(graph);
    device.max_allocation = 4096;
    size_t output = apply(graph, &reverse, input, ANOLE_NONE, ANOLE_NONE);
    assert_done(anole_graph_add_output(graph, output, &error));
    assert_done(anole_graph_infer(graph, 0, &error));
    assert_int_equal(
        anole_program_create(&program, graph, fixture.backend, &device, NULL, &problem),
        ANOLE_ERR_INPUT);
    assert_non_null(strstr(problem.text, "8 KiB"));

    /* Each piece is small enough, but not all together. */
    device = fixture.device;
    device.global_memory = 8192;
    assert_int_equal(
        anole_program_create(&program, graph, fixture.backend, &device, NULL, &problem),
        ANOLE_DONE);
    anole_program_destroy(program);
    device.global_memory = 8191;
    assert_int_equal(
        anole_program_create(&program, graph, fixture.backend, &device, NULL, &problem),
        ANOLE_ERR_INPUT);
    assert_non_null(strstr(problem.text, "smaller batch"));
    anole_graph_destroy(graph);
}

/* What only fails when it runs names its node. */
static enum anole_status compute_fault(const struct anole_call *call, struct anole_error *error)
{
    (void)call;
    return anole_fail(error, ANOLE_ERR_INPUT, "index 9 is out of range");
}

static void test_failing_steps_name_their_node(void **state)
{
    (void)state;
    struct anole_error problem = {.status = ANOLE_DONE};
    struct anole_op fault = on_host;
    fault.compute = compute_fault;
    struct anole_graph *graph = new_graph();
    size_t output = apply(graph, &fault, new_input(graph), ANOLE_NONE, ANOLE_NONE);
    assert_done(anole_graph_add_output(graph, output, &error));
    struct anole_program *program = new_program(graph);
    struct anole_instance *instance;
    assert_done(anole_instance_create(&instance, program, fixture.driver, 0, &error));
    assert_int_equal(anole_instance_run(instance, NULL, NULL, &problem), ANOLE_ERR_INPUT);
    assert_non_null(strstr(problem.text, "on_host"));
    assert_non_null(strstr(problem.text, "index 9"));
    anole_instance_destroy(instance);
    anole_program_destroy(program);
    anole_graph_destroy(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plan_keeps_the_living_apart),
        cmocka_unit_test(test_plan_puts_a_chain_into_two_places),
        cmocka_unit_test(test_plan_refuses_what_no_memory_holds),
        cmocka_unit_test(test_run_equals_the_references),
        cmocka_unit_test(test_run_equals_the_references_step_by_step),
        cmocka_unit_test(test_chain_of_elementwise_steps_takes_one_place),
        cmocka_unit_test(test_products_of_two_inputs_are_generated),
        cmocka_unit_test(test_concatenated_channels_take_no_step),
        cmocka_unit_test(test_views_take_no_step),
        cmocka_unit_test(test_weights_are_written_once),
        cmocka_unit_test(test_packed_weights_are_kept),
        cmocka_unit_test(test_large_weights_are_found_by_the_second_start),
        cmocka_unit_test(test_plain_kernels_share_a_source),
        cmocka_unit_test(test_chosen_configs_run),
        cmocka_unit_test(test_steps_go_from_kernel_to_kernel),
        cmocka_unit_test(test_what_a_backend_does_not_fuse_is_an_epilogue),
        cmocka_unit_test(test_kernels_that_fail_give_way_to_the_next),
        cmocka_unit_test(test_constant_outputs_are_there),
        cmocka_unit_test(test_constants_with_recipes_are_made),
        cmocka_unit_test(test_simulated_devices_are_refused),
        cmocka_unit_test(test_too_large_networks_are_refused),
        cmocka_unit_test(test_failing_steps_name_their_node),
    };
    if (!kernel_fixture_init(&fixture))
        return 77;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    kernel_fixture_fini(&fixture);
    return failed;
}
