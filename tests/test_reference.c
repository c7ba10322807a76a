/* SPDX-License-Identifier: MIT */
#include "reference_fixture.h"

#include "base/half.h"

/* --------------------------------------------------------------------- values */

static const char *const shapes[] = {
    "conv2d n1 8x8x3 k3x3 s1x1 p1,1,1,1 d1x1 g1 o5 f32",
    "conv2d n2 9x7x4 k3x5 s2x1 p0,2,1,3 d1x1 g1 o33 f32 bias relu",
    "conv2d n1 13x11x6 k3x2 s2x3 p2,1,2,1 d2x3 g1 o8 f32 bias residual relu",
    "conv2d n3 6x6x12 k3x3 s1x1 p1,1,1,1 d1x1 g3 o12 f32 residual",
    "conv2d n1 5x5x8 k1x1 s1x1 p0,0,0,0 d1x1 g1 o70 f32 bias relu6",
    "conv2d n1 5x5x130 k1x1 s2x2 p0,0,0,0 d1x1 g1 o3 f32 bias",
    "conv2d n1 6x6x4 k3x3 s1x1 p1,1,1,1 d1x1 g4 o8 f32 bias relu",
    "conv2d n1 2x2x2 k2x2 s1x1 p3,3,3,3 d1x1 g1 o2 f32",
    "conv2d n1 1x40x1 k1x7 s1x2 p0,3,0,3 d1x1 g1 o1 f32",
    "depthwise_conv2d n2 9x9x5 k3x3 s1x1 p1,1,1,1 d1x1 g5 o5 f32 bias relu6",
    "depthwise_conv2d n1 10x8x3 k5x3 s2x1 p1,0,2,1 d1x2 g3 o12 f32 bias residual",
    "dense n1 i77 o10 f32 bias",
    "dense n5 i64 o65 f32 relu",
    "conv_transpose2d n2 5x4x6 k3x3 s2x2 p1,1,1,1 d1x1 g1 o5 e1x0 f32 bias relu",
    "conv_transpose2d n1 4x5x6 k4x2 s3x1 p0,1,2,0 d1x2 g2 o4 e2x0 f32 bias residual",
    "conv_transpose2d n1 3x3x33 k2x2 s2x2 p0,0,0,0 d1x1 g1 o35 e0x0 f32 leaky_relu(0.25)",
    "conv_transpose2d n1 2x3x2 k1x1 s3x2 p0,0,0,0 d1x1 g1 o3 e0x1 f32 residual silu(1)",
    "conv2d n1 8x8x3 k3x3 s1x1 p1,1,1,1 d1x1 g1 o5 f32 bias hard_swish",
    "matmul n3 m5 i17 o40 f32",
    "matmul n2 m4 i9 o33 tb f32 residual",
    "matmul n2 m4 i9 o33 ta f32 bias relu",
};

#define SHAPES (sizeof shapes / sizeof *shapes)

static void test_expected_is_the_definition(void **state)
{
    (void)state;
    double x[2000], w[2000];
    for (size_t s = 0; s < SHAPES; s++) {
        struct anole_task task = parse(shapes[s]);
        struct anole_task_data *data = create(&task, s, 2);
        for (size_t i = 0; i < anole_task_output_elements(&task); i++) {
            double sum = added(&task, data, i);
            size_t n = products(x, w, &task, data, i);
            for (size_t p = 0; p < n; p++)
                sum += x[p] * w[p];
            double value = activate(&task, sum);
            if (!(fabs(value - data->expected[i]) <= 1e-13))
                fail_msg("%s: output %zu is %.17g, not %.17g", shapes[s], i, data->expected[i],
                         value);
        }
        anole_task_data_destroy(data);
    }
}

static void test_tensors_are_there_as_the_task_says(void **state)
{
    (void)state;
    for (size_t s = 0; s < SHAPES; s++) {
        struct anole_task task = parse(shapes[s]);
        struct anole_task_data *data = create(&task, 3, 1);
        assert_non_null(data->input);
        assert_non_null(data->weights);
        assert_int_equal(data->bias != NULL, (task.flags & ANOLE_TASK_BIAS) != 0);
        assert_int_equal(data->residual != NULL, (task.flags & ANOLE_TASK_RESIDUAL) != 0);
        anole_task_data_destroy(data);
    }
}

static void test_threads_do_not_change_the_result(void **state)
{
    (void)state;
    for (size_t s = 0; s < SHAPES; s++) {
        struct anole_task task = parse(shapes[s]);
        size_t outputs = anole_task_output_elements(&task);
        struct anole_task_data *one = create(&task, 11, 0), *many = create(&task, 11, 1000);
        assert_memory_equal(one->expected, many->expected, outputs * sizeof *one->expected);
        assert_memory_equal(one->tolerance, many->tolerance, outputs * sizeof *one->tolerance);
        anole_task_data_destroy(one);
        anole_task_data_destroy(many);
    }
}

static void test_seed_determines_the_data(void **state)
{
    (void)state;
    struct anole_task task = parse(shapes[2]);
    size_t bytes = anole_task_input_elements(&task) * sizeof(float);
    struct anole_task_data *a = create(&task, 1, 1), *b = create(&task, 1, 1),
                           *c = create(&task, 2, 1);
    assert_memory_equal(a->input, b->input, bytes);
    assert_memory_not_equal(a->input, c->input, bytes);
    /* Tensors are streams of their own: no input equals a weight, but for scale. */
    assert_memory_not_equal(a->residual, a->input, 32 * sizeof(float));
    anole_task_data_destroy(a);
    anole_task_data_destroy(b);
    anole_task_data_destroy(c);
}

static void check_normal(const float *values, size_t count, double low, double high)
{
    size_t negative = 0;
    for (size_t i = 0; i < count; i++) {
        double size = fabs((double)values[i]);
        assert_true(isnormal(values[i]));
        assert_true(size >= low * (1.0 - 1e-6) && size <= high * (1.0 + 1e-6));
        negative += values[i] < 0.0f;
    }
    assert_true(negative > count / 3 && negative < count - count / 3);
}

static void test_inputs_are_normal_and_of_both_signs(void **state)
{
    (void)state;
    struct anole_task task =
        parse("conv2d n1 14x14x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32 bias residual");
    struct anole_task_data *data = create(&task, 5, 2);
    double scale = 1.0 / (7.0 / 12.0 * 24.0);
    check_normal(data->input, anole_task_input_elements(&task), 0.5, 1.0);
    check_normal(data->weights, anole_task_weight_elements(&task), 0.5 * scale, scale);
    check_normal(data->bias, 64, 0.5, 1.0);
    check_normal(data->residual, anole_task_residual_elements(&task), 0.5, 1.0);
    anole_task_data_destroy(data);
}

/* Deviation of the outputs; shares that are 0 and 6. */
static void measure_outputs(const char *key, double *deviation, double *zero, double *six)
{
    struct anole_task task = parse(key);
    struct anole_task_data *data = create(&task, 8, 2);
    size_t outputs = anole_task_output_elements(&task), zeros = 0, sixes = 0;
    double squares = 0.0;
    for (size_t i = 0; i < outputs; i++) {
        squares += data->expected[i] * data->expected[i];
        zeros += data->expected[i] == 0.0;
        sixes += data->expected[i] == 6.0;
    }
    *deviation = sqrt(squares / (double)outputs);
    *zero = (double)zeros / (double)outputs;
    *six = (double)sixes / (double)outputs;
    anole_task_data_destroy(data);
}

static void test_outputs_meet_every_branch_of_the_activation(void **state)
{
    (void)state;
    double deviation, zero, six;
    measure_outputs("conv2d n1 20x20x32 k3x3 s1x1 p0,0,0,0 d1x1 g1 o32 f32", &deviation, &zero,
                    &six);
    assert_true(deviation > 0.9 && deviation < 1.1);
    assert_true(zero == 0.0);
    measure_outputs("dense n16 i4096 o100 f32", &deviation, &zero, &six);
    assert_true(deviation > 0.9 && deviation < 1.1);
    measure_outputs("conv2d n1 20x20x32 k3x3 s1x1 p0,0,0,0 d1x1 g1 o32 f32 relu", &deviation, &zero,
                    &six);
    assert_true(zero > 0.4 && zero < 0.6 && six == 0.0);
    measure_outputs("conv2d n1 20x20x32 k3x3 s1x1 p0,0,0,0 d1x1 g1 o32 f32 relu6", &deviation,
                    &zero, &six);
    assert_true(zero > 0.4 && zero < 0.6 && six > 0.03 && six < 0.12);
}

static void test_tolerance_is_as_stated(void **state)
{
    (void)state;
    struct anole_task task =
        parse("conv2d n1 6x6x16 k3x3 s1x1 p1,1,1,1 d1x1 g1 o40 f32 bias residual relu");
    struct anole_task_data *data = create(&task, 5, 1);
    const float *bias = data->bias, *residual = data->residual;
    double n = 144.0, scale = (double)(float)(1.0 / (7.0 / 12.0 * 12.0));
    for (size_t i = 0; i < anole_task_output_elements(&task); i++) {
        double sum = n * 0.5625 * scale + fabs((double)bias[i % 40]) + fabs((double)residual[i]);
        double stated = (64.0 + 512.0 / 12.0) * 0x1p-24 * sum;
        assert_true(fabs((double)data->tolerance[i] / stated - 1.0) < 1e-6);
    }
    anole_task_data_destroy(data);
}

/* ---------------------------------------------------------------- comparing */

static void test_error_of_rounded_expectation_is_tiny(void **state)
{
    (void)state;
    for (size_t s = 0; s < SHAPES; s++) {
        struct anole_task task = parse(shapes[s]);
        struct anole_task_data *data = create(&task, 1, 1);
        size_t outputs = anole_task_output_elements(&task), where = SIZE_MAX;
        float *output = allocate(outputs, sizeof *output);
        for (size_t i = 0; i < outputs; i++)
            output[i] = (float)data->expected[i];
        assert_true(anole_task_data_error(data, &task, output, NULL) < 0.05);
        output[outputs - 1] += 10.0f;
        assert_true(anole_task_data_error(data, &task, output, &where) > 1e3);
        assert_int_equal(where, outputs - 1);
        free(output);
        anole_task_data_destroy(data);
    }
}

static void test_error_of_nan_or_infinity_is_infinite(void **state)
{
    (void)state;
    struct anole_task task = parse(shapes[0]);
    struct anole_task_data *data = create(&task, 1, 1);
    size_t outputs = anole_task_output_elements(&task), where = 0;
    float *output = allocate(outputs, sizeof *output);
    const float bad[] = {NAN, INFINITY, -INFINITY};
    for (size_t b = 0; b < 3; b++) {
        for (size_t i = 0; i < outputs; i++)
            output[i] = (float)data->expected[i];
        output[3] += 1.0f;
        output[7] = bad[b];
        output[9] = 1e30f;
        double error = anole_task_data_error(data, &task, output, &where);
        assert_true(isinf(error) && error > 0.0);
        assert_int_equal(where, 7);
    }
    free(output);
    anole_task_data_destroy(data);
}

/* ------------------------------------------------------------- half precision */

static const char *const half_shapes[] = {
    "conv2d n1 7x7x512 k3x3 s1x1 p1,1,1,1 d1x1 g1 o40 f16 bias residual relu", /* n = 4608 */
    "conv2d n2 9x8x6 k3x2 s2x1 p1,0,0,1 d2x1 g3 o12 f16 bias",
    "depthwise_conv2d n1 9x9x16 k3x3 s1x1 p1,1,1,1 d1x1 g16 o32 f16 bias relu6",
    "dense n2 i25088 o33 f16 bias"};
#define HALF_SHAPES (sizeof half_shapes / sizeof *half_shapes)

/* Largest and smallest |w|, in halves. */
static void check_range(const struct anole_task *task, const void *tensor, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        double value = fabs(anole_task_value(task, tensor, i));
        assert_true(value >= 0x1p-14 && value <= 8.0);
    }
}

static void test_halves_are_normal_and_their_outputs_finite(void **state)
{
    (void)state;
    for (size_t s = 0; s < HALF_SHAPES; s++) {
        struct anole_task task = parse(half_shapes[s]);
        struct anole_task_data *data = create(&task, 9, 2);
        check_range(&task, data->input, anole_task_input_elements(&task));
        check_range(&task, data->weights, anole_task_weight_elements(&task));
        check_range(&task, data->bias, anole_task_bias_elements(&task));
        check_range(&task, data->residual, anole_task_residual_elements(&task));
        for (size_t i = 0; i < anole_task_output_elements(&task); i++)
            assert_true(fabs(data->expected[i]) < 64.0);
        anole_task_data_destroy(data);
    }
}

static void test_expected_of_halves_is_the_definition(void **state)
{
    (void)state;
    for (size_t s = 0; s < HALF_SHAPES; s++) {
        struct anole_task task = parse(half_shapes[s]);
        struct anole_task_data *data = create(&task, s, 2);
        size_t n = anole_task_reduction(&task), outputs = anole_task_output_elements(&task);
        double *x = allocate(n, sizeof *x), *w = allocate(n, sizeof *w);
        for (size_t i = 0; i < outputs; i += 1 + outputs / 60) {
            double sum = 0.0;
            size_t count = products(x, w, &task, data, i);
            for (size_t k = 0; k < count; k++)
                sum += x[k] * w[k];
            sum = activate(&task, sum + added(&task, data, i));
            assert_true(fabs(sum - data->expected[i]) < 1e-9);
        }
        free(x);
        free(w);
        anole_task_data_destroy(data);
    }
}

/* fp32's, and the rounding of a result that is off by that. */
static void test_tolerance_of_halves_is_as_stated(void **state)
{
    (void)state;
    struct anole_task task = parse("dense n1 i144 o200 f16");
    struct anole_task_data *data = create(&task, 5, 1);
    double stated = (64.0 + 512.0 / 12.0) * 0x1p-24 * 144.0 * 0.5625 * (1.0 / (7.0 / 12.0 * 12.0));
    for (size_t i = 0; i < 200; i++) {
        double most = fabs(data->expected[i]) + stated, unit = 0x1p-25;
        while (unit < 0x1p-11 * most && 0x1p12 * unit <= most)
            unit *= 2.0;
        assert_true(fabs((double)data->tolerance[i] / (stated + unit) - 1.0) < 1e-6);
    }
    anole_task_data_destroy(data);
}

/* One output of a kernel: sums in fp32, or, as it must not be, in halves. */
static uint16_t compute_half(const struct anole_task *task, const struct anole_task_data *data,
                             size_t output, bool in_halves, size_t without)
{
    size_t n = anole_task_reduction(task);
    double *x = allocate(n, sizeof *x), *w = allocate(n, sizeof *w);
    volatile float sum = 0.0f;
    n = products(x, w, task, data, output);
    for (size_t i = 0; i < n; i++) {
        if (i == without)
            continue;
        sum += (float)x[i] * (float)w[i];
        if (in_halves)
            sum = anole_half_to_float(anole_half_from_float(sum));
    }
    free(x);
    free(w);
    double whole = (double)(sum + (float)added(task, data, output));
    return anole_half_from_float((float)activate(task, whole));
}

static void test_sums_in_fp32_pass_and_sums_in_halves_do_not(void **state)
{
    (void)state;
    for (size_t s = 0; s < HALF_SHAPES; s++) {
        struct anole_task task = parse(half_shapes[s]);
        struct anole_task_data *data = create(&task, 21, 2);
        size_t outputs = anole_task_output_elements(&task), where;
        uint16_t *output = allocate(outputs, sizeof *output);
        for (size_t i = 0; i < outputs; i++)
            output[i] = compute_half(&task, data, i, false, SIZE_MAX);
        double error = anole_task_data_error(data, &task, output, &where);
        assert_true(error > 0.1 && error < 1.0);
        size_t found = 0, looked = 0;
        for (size_t i = 0; i < outputs; i += 1 + outputs / 100, looked++) {
            uint16_t was = output[i];
            output[i] = compute_half(&task, data, i, true, SIZE_MAX);
            found += anole_task_data_error(data, &task, output, &where) > 1.0;
            /* A product that is missing shows wherever the activation lets it. */
            output[i] = compute_half(&task, data, i, false, 0);
            if (fabs(data->expected[i]) < 2.0 &&
                (task.activation == ANOLE_ACT_NONE || data->expected[i] > 0.1))
                assert_true(anole_task_data_error(data, &task, output, &where) > 1.0);
            output[i] = was;
        }
        assert_true(found > looked / 10);
        output[outputs - 1] = 0x7c00;
        assert_true(isinf(anole_task_data_error(data, &task, output, &where)));
        assert_int_equal(where, outputs - 1);
        free(output);
        anole_task_data_destroy(data);
    }
}

/* ------------------------------------------------------------------- refusals */

static void test_create_refuses_what_has_no_reference(void **state)
{
    (void)state;
    struct anole_task_data *data = NULL;
    struct anole_error error = {0};
    struct anole_task custom = {
        .size = sizeof custom, .kind = ANOLE_TASK_CUSTOM, .dtype = ANOLE_F32, .name = "fft"};
    assert_int_equal(anole_task_data_create(&data, &custom, 1, 1, &error), ANOLE_ERR_INPUT);
    assert_non_null(strstr(error.text, "custom"));
    struct anole_task wrong = parse(shapes[0]);
    wrong.out_h++;
    assert_int_equal(anole_task_data_create(&data, &wrong, 1, 1, NULL), ANOLE_ERR_INPUT);
    assert_null(data);
    anole_task_data_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expected_is_the_definition),
        cmocka_unit_test(test_tensors_are_there_as_the_task_says),
        cmocka_unit_test(test_threads_do_not_change_the_result),
        cmocka_unit_test(test_seed_determines_the_data),
        cmocka_unit_test(test_inputs_are_normal_and_of_both_signs),
        cmocka_unit_test(test_outputs_meet_every_branch_of_the_activation),
        cmocka_unit_test(test_tolerance_is_as_stated),
        cmocka_unit_test(test_error_of_rounded_expectation_is_tiny),
        cmocka_unit_test(test_error_of_nan_or_infinity_is_infinite),
        cmocka_unit_test(test_halves_are_normal_and_their_outputs_finite),
        cmocka_unit_test(test_expected_of_halves_is_the_definition),
        cmocka_unit_test(test_tolerance_of_halves_is_as_stated),
        cmocka_unit_test(test_sums_in_fp32_pass_and_sums_in_halves_do_not),
        cmocka_unit_test(test_create_refuses_what_has_no_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
