/* SPDX-License-Identifier: MIT
 *
 * The plain kernels of operators, as a network runs them: each vector of tests/data/op, and
 * larger random shapes against the references.
 */
#include "kernel_fixture.h"

#include "op_fixture.h"
#include "program/instance.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct kernel_fixture fixture;
static const struct anole_program_options plain = {.no_generator = true};

/* How often operator i ran by a kernel, and on the host. */
static unsigned met[256][2];

static size_t index_of(const struct anole_op *op)
{
    size_t i = 0;
    while (anole_op_at(i) != op)
        i++;
    return i;
}

/* ----------------------------------------------------------------- one node */

/* A graph of one node; inputs from `first_constant` on are constants. */
static enum anole_status make_graph(struct anole_graph **graph, const struct op_vector *vector,
                                    uint32_t first_constant, struct anole_error *error)
{
    size_t inputs[OP_VECTOR_MOST], outputs[OP_VECTOR_MOST], node;
    struct anole_graph *new;
    enum anole_status status = anole_graph_create(&new, "test", "test.json", error);
    if (status)
        return status;
    *graph = new;
    for (uint32_t i = 0; i < vector->input_count && status == ANOLE_DONE; i++) {
        struct anole_operand type = vector->inputs[i];
        inputs[i] = ANOLE_NONE;
        if (!vector->pointers[i])
            continue;
        if (i >= first_constant) {
            status = anole_graph_add_constant(new, &inputs[i], NULL, &type, false, error);
        } else {
            type.data = NULL;
            status = anole_graph_add_tensor(new, &inputs[i], NULL, &type, error);
            if (status == ANOLE_DONE)
                status = anole_graph_add_input(new, inputs[i], error);
        }
    }
    for (uint32_t i = 0; i < vector->output_count && status == ANOLE_DONE; i++) {
        outputs[i] = ANOLE_NONE;
        if (!vector->expected[i].dtype)
            continue;
        status = anole_graph_add_tensor(new, &outputs[i], NULL, NULL, error);
        if (status == ANOLE_DONE)
            status = anole_graph_add_output(new, outputs[i], error);
    }
    if (status == ANOLE_DONE)
        status = anole_graph_add_node(new, &node, vector->op, vector->op->name, inputs,
                                      vector->input_count, outputs, vector->output_count, error);
    if (status == ANOLE_DONE && vector->op->attribute_bytes > 0)
        memcpy(new->nodes[node].attributes, vector->attributes, vector->op->attribute_bytes);
    return status ? status : anole_graph_infer(new, 0, error);
}

static void run(struct op_vector *vector, const struct anole_program *program)
{
    const struct anole_graph *graph = program->graph;
    struct anole_instance *instance;
    struct anole_error error = {.status = ANOLE_DONE};
    size_t next = 0;
    if (anole_instance_create(&instance, program, fixture.driver, 0, &error))
        op_vector_fail(vector, "%s\n%s", error.text, program->kernels[0].generated->kernel.source);
    for (uint32_t i = 0; i < vector->input_count && next < graph->input_count; i++)
        if (vector->pointers[i] &&
            anole_instance_set_input(instance, next++, vector->inputs[i].data, &error))
            op_vector_fail(vector, "%s", error.text);
    if (anole_instance_run(instance, NULL, NULL, &error))
        op_vector_fail(vector, "%s", error.text);
    next = 0;
    for (uint32_t i = 0; i < vector->output_count; i++) {
        struct anole_operand *output = &vector->outputs[i];
        if (!vector->expected[i].dtype)
            continue;
        *output = graph->tensors[graph->outputs[next]].type;
        size_t bytes = anole_program_tensor_bytes(graph, graph->outputs[next]);
        output->data = malloc(bytes + 1);
        assert_non_null(output->data);
        memset(output->data, 0xa5, bytes);
        if (bytes > 0 && anole_instance_get_output(instance, next, output->data, &error))
            op_vector_fail(vector, "%s", error.text);
        next++;
    }
    anole_instance_destroy(instance);
}

/* Runs a vector, which has what is expected, if there is a kernel for it. */
static void check(struct op_vector *vector)
{
    struct anole_graph *graph = NULL;
    struct anole_program *program;
    struct anole_error error = {.status = ANOLE_DONE};
    if (make_graph(&graph, vector, UINT32_MAX, &error)) {
        anole_graph_destroy(graph);
        graph = NULL;
        if (make_graph(&graph, vector, 1, &error)) { /* known by its first input: folded */
            anole_graph_destroy(graph);
            met[index_of(vector->op)][1]++;
            return;
        }
    }
    if (anole_program_create(&program, graph, fixture.backend, &fixture.device, &plain, &error))
        op_vector_fail(vector, "%s", error.text);
    bool kernel = program->step_count > 0 && program->steps[0].kind == ANOLE_STEP_BUILT_IN;
    met[index_of(vector->op)][!kernel]++;
    if (kernel) {
        run(vector, program);
        for (uint32_t i = 0; i < vector->output_count; i++)
            if (vector->expected[i].dtype)
                op_vector_compare(vector, i, 1e-5);
    } else if (getenv("ANOLE_TEST_VERBOSE")) {
        print_message("host: %s, %s vector %zu\n", vector->op->name, vector->file, vector->index);
    }
    anole_program_destroy(program);
    anole_graph_destroy(graph);
}

/* Each `every`-th vector of a file. */
static void check_file(const char *name, size_t every)
{
    char path[4096];
    const char *folder = getenv("ANOLE_TEST_DATA"), *only = getenv("ANOLE_TEST_OPERATOR");
    struct anole_error error = {.status = ANOLE_DONE};
    json_t *root;
    assert_non_null(folder);
    snprintf(path, sizeof path, "%s/op/%s.json", folder, name);
    if (anole_json_load(&root, path, 0, &error))
        fail_msg("%s", error.text);
    for (size_t i = 0; i < json_array_size(root); i += every) {
        struct op_vector vector = {.file = name, .index = i, .json = json_array_get(root, i)};
        const char *op = json_string_value(json_object_get(vector.json, "op"));
        if (json_object_get(vector.json, "error") || (only && strcmp(op, only) != 0))
            continue;
        op_vector_read(&vector);
        if (op_vector_attributes(&vector, &error))
            op_vector_fail(&vector, "%s", error.text);
        check(&vector);
        op_vector_free(&vector);
    }
    json_decref(root);
}

static void test_elementwise_kernels_as_expected(void **state)
{
    (void)state;
    check_file("elementwise", 1);
}

static void test_kernels_of_places_as_expected(void **state)
{
    (void)state;
    check_file("places", 1);
}

static void test_kernels_along_axes_as_expected(void **state)
{
    (void)state;
    check_file("axes", 1);
}

static void test_kernels_of_windows_as_expected(void **state)
{
    (void)state;
    check_file("windows", 1);
}

static void test_recurrent_kernels_as_expected(void **state)
{
    (void)state;
    check_file("recurrent", 3);
}

/* ------------------------------------------------------------ larger shapes */

/* "name=7", "name=word" or "name=[1,2]" each. */
static void set_attribute(struct op_vector *vector, const char *name, const char *value)
{
    const struct anole_op_key *key = anole_op_key_find(vector->op, name);
    struct anole_error error = {.status = ANOLE_DONE};
    enum anole_status status;
    int64_t list[ANOLE_MAX_INTS];
    size_t count = 0;
    char *end;
    assert_non_null(key);
    switch (key->kind) {
    case ANOLE_KEY_INT:
        status = anole_op_set_int(vector->op, vector->attributes, name, atoi(value), &error);
        break;
    case ANOLE_KEY_BOOL:
        status = anole_op_set_bool(vector->op, vector->attributes, name, value[0] == 't', &error);
        break;
    case ANOLE_KEY_REAL:
        status = anole_op_set_real(vector->op, vector->attributes, name, atof(value), &error);
        break;
    case ANOLE_KEY_CHOICE:
        status = anole_op_set_choice(vector->op, vector->attributes, name, value, &error);
        break;
    default:
        for (const char *at = value; *at; at = *end ? end + 1 : end)
            list[count++] = strtoll(at, &end, 10);
        status = anole_op_set_ints(vector->op, vector->attributes, name, list, count, &error);
    }
    if (status)
        fail_msg("%s", error.text);
}

struct large {
    const char *op;
    const char *attributes; /* "axis=1 perm=0,2,1" */
    const char *shapes;     /* "2x3x4 4": of inputs of F32; p: positive */
};

static const struct large larges[] = {
#define LARGE(...)                                                                                 \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
    {"unary", "function=relu", "3x1037"},
    {"unary", "function=silu", "1x17x9x5"},
    {"unary", "function=gelu", "3x1037"},
    {"unary", "function=clip low=-0.5 high=0.25", "3001"},
    {"binary", "function=add", "2x7x9x33 33"},
    {"binary", "function=mul", "2x7x9x40 2x1x1x40"},
    {"binary", "function=mul", "2x7x9x40 2x7x9x1"},
    {"binary", "function=sub", "1x5x1x7 4x1x6x1"},
    {"binary", "function=div", "1 2100"},
    {"binary", "function=max", "40x40 40x40"},
    {"transpose", "perm=1,0", "37x53"},
    {"transpose", "perm=0,3,1,2", "2x13x11x24"},
    {"transpose", "perm=0,2,3,1", "2x24x13x11"},
    {"transpose", "perm=2,1,0,3", "9x10x8x3"},
    {"transpose", "perm=0,2,3,1", "2x3x11x13"},
    {"transpose", "perm=0,2,3,1", "1x4x5x37"},
    {"transpose", "perm=0,2,1,3", "2x50x12x64"},
    {"concat", "axis=3", "1x9x7x16 1x9x7x3 1x9x7x32"},
    {"concat", "axis=1", "2x3x70 2x5x70"},
    {"split", "axis=2 sizes=5,40", "3x7x45"},
    {"slice", "starts=1,-1 ends=6,-50 axes=0,1 steps=2,-3", "7x41x9"},
    {"pad", "pads=0,1,2,0,0,3,1,0", "2x9x7x16"},
    {"pad", "pads=0,1,2,0,0,3,1,0 mode=reflect", "2x9x7x3"},
    {"pad", "pads=3,-2 mode=edge", "3000"},
    /* Too many places for a table. */
    {"pad", "pads=0,7,0,905 mode=reflect", "2x5000"},
    {"pad", "pads=0,3,0,0,2,0 mode=edge", "2x5000x3"},
    {"pad", "pads=800,5100 mode=wrap", "5000"},
    {"pad", "pads=-1,-3,0,8 mode=reflect", "3x5000"},
    {"tile", "repeats=2,1,3", "5x4x17"},
    {"expand", "shape=3,5,40", "5x1"},
    {"depth_to_space", "block=2", "1x7x5x64"},
    {"depth_to_space", "block=2 mode=crd", "1x7x5x64"},
    {"max_pool", "kernel=3,3 strides=2,2 pads=1,1,1,1", "1x15x13x24"},
    {"max_pool", "kernel=3 strides=2", "2x37x5"},
    {"max_pool", "kernel=3,2 strides=2,2 pads=1,0,1,1 column_major=false", "2x15x13x21"},
    {"max_pool", "kernel=2,2 strides=2,2 column_major=true", "2x8x6x16"},
    {"max_pool", "kernel=2,2 strides=2,2", "2x8x6x48"},
    {"max_pool", "kernel=2,3,2 strides=1,2,2 pads=0,1,1,1,0,1", "1x5x6x7x9"},
    {"max_pool", "kernel=3,2 dilations=2,3", "1x9x8x7"},
    {"average_pool", "kernel=2,2 strides=2,2", "2x8x6x21"},
    {"average_pool", "kernel=2,2,3 strides=2,1,1 pads=1,0,0,0,1,1 count_include_pad=true",
     "1x5x6x7x16"},
    {"grid_sample", "mode=linear", "2x9x7x13 2x5x6x2"},
    {"grid_sample", "mode=cubic padding=reflection", "2x9x7x16 2x5x6x2"},
    {"grid_sample", "mode=nearest padding=border align_corners=true", "1x9x7x3 1x50x6x2"},
    {"grid_sample", "padding=border", "1x4x5x6x9 1x3x2x4x3"},
    {"average_pool", "kernel=3,3 strides=2,2 pads=1,1,1,1", "2x15x13x19"},
    {"average_pool", "kernel=7,5", "1x7x5x64"},
    {"average_pool", "kernel=2,2 strides=2,2 ceil_mode=true count_include_pad=true", "1x7x9x8"},
    {"reduce", "function=mean axes=1,2", "2x14x14x48"},
    {"reduce", "function=sum axes=-1", "3x7x1000"},
    {"reduce", "function=max axes=2,3", "2x9x31x17"},
    {"reduce", "function=l2 axes=0,2", "5x33x6x21"},
    {"reduce", "function=mean", "3x5x700"},
    {"reduce", "function=prod axes=1 keep_dims=false", "4x5x9"},
    {"softmax", "axis=-1", "2x3x197"},
    {"softmax", "axis=-1", "5x1000"},
    {"softmax", "axis=1", "2x21x40"},
    {"log_softmax", "axis=1", "2x21x13"},
    {"log_softmax", "axis=-1", "7x5"},
    {"matmul", "", "37x65 65x53"},
    {"matmul", "", "2x3x50x64 2x3x64x50"},
    {"matmul", "", "4x1x7x300 5x300x16"},
    {"matmul", "", "9x130 130"},
    {"matmul", "", "130 130x40"},
    {"matmul", "", "3x5x8 8x2"},
    {"matmul", "transpose_b=true", "2x37x65 53x65"},
    {"arg_max", "axis=1", "3x50x7"},
    {"arg_min", "axis=-1 select_last_index=true", "21x19"},
    {"batch_norm", "", "2x5x3x37 37 37 37 37p"},
    {"layer_norm", "axis=-1", "3x7x384 384 384"},
    {"layer_norm", "axis=1", "3x7x5 7x5"},
    {"instance_norm", "", "2x9x8x21 21 21"},
    {"group_norm", "groups=4", "2x9x8x20 20 20"},
    {"lrn", "size=5", "1x7x6x33"},
    {"resize", "sizes=1,14,18,24 mode=nearest", "1x7x9x24"},
    {"resize", "sizes=1,9,13,24 mode=nearest", "1x7x9x24"},
    {"resize", "sizes=2,3,5,5 mode=nearest", "2x6x10x5"},
    {"resize", "sizes=2,21,36,32 mode=nearest coordinates=asymmetric nearest_mode=floor",
     "2x7x9x32"},
    {"resize", "sizes=1,14,18,24 mode=linear", "1x7x9x24"},
    {"resize", "sizes=2,5,13,3 mode=cubic", "2x7x9x3"},
    {"resize", "sizes=2,3,21,17 mode=linear coordinates=align_corners", "2x3x7x9"},
    {"space_to_depth", "block=2", "1x8x6x17"},
};

static void read_shape(struct op_vector *vector, const char *text, struct anole_rng *rng)
{
    struct anole_operand *operand = &vector->inputs[vector->input_count];
    char *end = NULL;
    operand->dtype = ANOLE_F32;
    for (const char *at = text; *at && *at != 'p'; at = *end == 'x' ? end + 1 : end)
        operand->dims[operand->rank++] = strtoll(at, &end, 10);
    const bool positive = end && *end == 'p';
    size_t count = anole_operand_elements(operand);
    float *data = operand->data = malloc(count * sizeof *data);
    assert_non_null(data);
    for (size_t i = 0; i < count; i++)
        data[i] = (float)(2 * anole_rng_uniform(rng) - (positive ? -0.25 : 1));
    vector->pointers[vector->input_count++] = operand;
}

/* What the reference makes of it. */
static void expect(struct op_vector *vector)
{
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_call call = {.op = vector->op,
                              .attributes = vector->attributes,
                              .inputs = vector->pointers,
                              .input_count = vector->input_count,
                              .outputs = vector->expected,
                              .output_count = vector->output_count};
    if (vector->op->infer(&call, &error))
        op_vector_fail(vector, "%s", error.text);
    for (uint32_t i = 0; i < call.output_count; i++) {
        struct anole_operand *output = &vector->expected[i];
        output->data = malloc(anole_operand_elements(output) * anole_dtype_bytes(output->dtype));
        assert_non_null(output->data);
    }
    if (vector->op->compute(&call, &error))
        op_vector_fail(vector, "%s", error.text);
}

static void test_kernels_of_larger_shapes_equal_references(void **state)
{
    (void)state;
    struct anole_rng rng;
    const char *only = getenv("ANOLE_TEST_OPERATOR");
    anole_rng_init(&rng, kernel_seed(3));
    for (size_t i = 0; i < sizeof larges / sizeof *larges; i++) {
        const struct large *large = &larges[i];
        char text[256], *rest, *equals;
        if (only && strcmp(only, large->op) != 0)
            continue;
        json_t *json = json_pack("{s:s, s:s, s:s}", "op", large->op, "attributes",
                                 large->attributes, "shapes", large->shapes);
        struct op_vector vector = {
            .file = "larges", .index = i, .json = json, .op = anole_op_find(large->op)};
        vector.output_count =
            strcmp(large->op, "split") == 0 || strstr(large->attributes, "column_major") ? 2 : 1;
        vector.attributes = calloc(1, vector.op->attribute_bytes + 1);
        assert_non_null(vector.attributes);
        if (vector.op->defaults)
            memcpy(vector.attributes, vector.op->defaults, vector.op->attribute_bytes);
        snprintf(text, sizeof text, "%s", large->attributes);
        for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
            equals = strchr(word, '=');
            *equals = 0;
            set_attribute(&vector, word, equals + 1);
        }
        snprintf(text, sizeof text, "%s", large->shapes);
        for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
            read_shape(&vector, word, &rng);
        expect(&vector);
        unsigned before = met[index_of(vector.op)][1];
        check(&vector);
        if (met[index_of(vector.op)][1] > before)
            op_vector_fail(&vector, "there is no kernel for it");
        op_vector_free(&vector);
        json_decref(json);
    }
}

/* -------------------------------------------------------- powers by a constant */

enum { BASES = 39 };

static void fill_bases(float *bases, struct anole_rng *rng)
{
    static const float special[] = {0.0f,     -0.0f,     INFINITY, -INFINITY, NAN,    1.0f,
                                    -1.0f,    -2.5f,     9.0f,     1e-30f,    -1e30f, 3e-13f,
                                    6e-20f,   -6e-20f,   1.5e19f,  1.7e19f,   3e38f,  -3e38f,
                                    1.2e-38f, -1.2e-38f, 6.9e12f,  1e10f};
    const size_t count = sizeof special / sizeof *special;
    memcpy(bases, special, sizeof special);
    for (size_t i = count; i < BASES; i++)
        bases[i] = (float)(8 * anole_rng_uniform(rng) - (i % 2 ? 4 : 0));
}

/* As close as a few roundings, where neither is too small to be a normal float; zeroes have their
 * signs. */
static void assert_power(float found, float expected, float base, double exponent)
{
    const double off = fabs((double)found - (double)expected), size = fabs((double)expected);
    bool right = size >= 1.2e-38 ? off <= 5e-7 * size : off <= 1.2e-38;
    if (!isfinite(expected))
        right = isnan(expected) ? isnan(found) : isinf(found) && (found > 0) == (expected > 0);
    else if (!(size > 0))
        right = right && !signbit(found) == !signbit(expected);
    if (!right)
        fail_msg("%a to the power of %g is %a; expected %a", (double)base, exponent, (double)found,
                 (double)expected);
}

/* By an exponent of a type and shape that every element has; `usual`: nobody calls pow(). */
static void check_power(double exponent, uint32_t dtype, uint32_t rank, const int64_t *dims,
                        bool usual)
{
    struct op_vector vector = {.file = "powers", .op = anole_op_find("binary"), .input_count = 2};
    struct anole_rng rng;
    struct anole_program *program;
    struct anole_graph *graph = NULL;
    struct anole_error error = {.status = ANOLE_DONE};
    float bases[BASES];
    double exponents[BASES]; /* room for any type */
    anole_rng_init(&rng, kernel_seed(5));
    fill_bases(bases, &rng);
    vector.inputs[0] =
        (struct anole_operand){.dtype = ANOLE_F32, .rank = 2, .dims = {1, BASES}, .data = bases};
    vector.inputs[1] = (struct anole_operand){.dtype = dtype, .rank = rank, .data = exponents};
    memcpy(vector.inputs[1].dims, dims, rank * sizeof *dims);
    for (size_t i = 0; i < anole_operand_elements(&vector.inputs[1]); i++)
        anole_operand_set_real(&vector.inputs[1], i, exponent);
    vector.pointers[0] = &vector.inputs[0];
    vector.pointers[1] = &vector.inputs[1];
    vector.output_count = 1;
    vector.json = json_string("a power");
    vector.attributes = calloc(1, vector.op->attribute_bytes + 1);
    assert_non_null(vector.attributes);
    set_attribute(&vector, "function", "pow");
    expect(&vector);
    if (make_graph(&graph, &vector, 1, &error) ||
        anole_program_create(&program, graph, fixture.backend, &fixture.device, &plain, &error))
        fail_msg("%s", error.text);
    assert_int_equal(program->steps[0].kind, ANOLE_STEP_BUILT_IN);
    const char *source = program->kernels[0].generated->kernel.source;
    assert_int_equal(!strstr(source, "#define FUNCTION FUNCTION_pow\n"), usual);
    run(&vector, program);
    assert_true(anole_operand_same_shape(&vector.outputs[0], &vector.expected[0]));
    for (size_t i = 0; i < BASES; i++)
        assert_power(((float *)vector.outputs[0].data)[i], ((float *)vector.expected[0].data)[i],
                     bases[i], exponent);
    anole_program_destroy(program);
    anole_graph_destroy(graph);
    json_decref((json_t *)vector.json);
    free(vector.attributes);
    free(vector.outputs[0].data);
    free(vector.expected[0].data);
}

static void test_powers_by_a_constant_equal_references(void **state)
{
    (void)state;
    static const double usual[] = {-2, -1, -0.5, 0, 0.5, 1, 1.5, 2, 3, 4};
    static const int64_t dims[] = {1, 1, BASES};
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        check_power(usual[i], ANOLE_F32, 0, dims, true);
    check_power(-0.0, ANOLE_F32, 1, dims, true);
    check_power(2, ANOLE_I64, 3, (const int64_t[]){1, 1, 1}, true);
    check_power(0.5, ANOLE_F64, 3, dims, true);
    check_power(2.5, ANOLE_F32, 0, dims, false);
    check_power(5, ANOLE_F32, 3, dims, false);
    check_power(NAN, ANOLE_F32, 0, dims, false);
    check_power(INFINITY, ANOLE_F32, 0, dims, false);
}

/* ------------------------------------------------------------------ coverage */

/* Runs last: reads what the others have met. */
static void test_operators_without_kernels_are_known(void **state)
{
    (void)state;
    for (size_t i = 0; anole_op_at(i); i++)
        print_message("%s: %u by kernels, %u on the host\n", anole_op_at(i)->name, met[i][0],
                      met[i][1]);
    for (size_t i = 0; anole_op_at(i) && !getenv("ANOLE_TEST_OPERATOR"); i++)
        if (anole_op_at(i)->kernel && met[i][0] == 0)
            fail_msg("no vector ran the kernel of %s", anole_op_at(i)->name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_elementwise_kernels_as_expected),
        cmocka_unit_test(test_kernels_of_places_as_expected),
        cmocka_unit_test(test_kernels_along_axes_as_expected),
        cmocka_unit_test(test_kernels_of_windows_as_expected),
        cmocka_unit_test(test_recurrent_kernels_as_expected),
        cmocka_unit_test(test_kernels_of_larger_shapes_equal_references),
        cmocka_unit_test(test_powers_by_a_constant_equal_references),
        cmocka_unit_test(test_operators_without_kernels_are_known),
    };
    if (!kernel_fixture_init(&fixture))
        return 77;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    kernel_fixture_fini(&fixture);
    return failed;
}
