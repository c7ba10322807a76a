/* SPDX-License-Identifier: MIT */
#include "search/mlp.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#define ROWS 7
#define INPUTS 5
#define OUTPUTS 3

static struct anole_mlp *make(const size_t *sizes, size_t layers, float scale, uint64_t seed)
{
    struct anole_rng rng;
    struct anole_mlp *mlp;
    anole_rng_init(&rng, seed);
    assert_int_equal(anole_mlp_create(&mlp, sizes, layers, scale, &rng, NULL), ANOLE_DONE);
    return mlp;
}

static void draw(float *values, size_t count, uint64_t seed)
{
    struct anole_rng rng;
    anole_rng_init(&rng, seed);
    for (size_t i = 0; i < count; i++)
        values[i] = (float)anole_rng_normal(&rng);
}

/* A loss that weighs every output of every row: sum of w y + y^2 / 2. */
static double loss_of(struct anole_mlp *mlp, const float *input, const float *weights,
                      float *slopes)
{
    const float *output;
    double loss = 0.0;
    assert_int_equal(anole_mlp_forward(mlp, &output, input, ROWS, NULL), ANOLE_DONE);
    for (size_t i = 0; i < ROWS * OUTPUTS; i++) {
        loss +=
            (double)weights[i] * (double)output[i] + 0.5 * (double)output[i] * (double)output[i];
        slopes[i] = weights[i] + output[i];
    }
    return loss;
}

static void test_backward_agrees_with_finite_differences(void **state)
{
    (void)state;
    struct anole_mlp *mlp = make((size_t[]){INPUTS, 6, 9, OUTPUTS}, 3, 1.0f, 3);
    float input[ROWS * INPUTS], weights[ROWS * OUTPUTS], slopes[ROWS * OUTPUTS];
    draw(input, ROWS * INPUTS, 1);
    draw(weights, ROWS * OUTPUTS, 2);
    loss_of(mlp, input, weights, slopes);
    anole_mlp_backward(mlp, slopes);
    size_t count, checked = 0;
    float *parameters = anole_mlp_parameters(mlp, &count);
    for (size_t i = 0; i < count; i++) {
        const float width = 1e-2f;
        float old = parameters[i];
        float ignored[ROWS * OUTPUTS];
        if (anole_mlp_gradient(mlp)[i] == 0.0f)
            continue;
        parameters[i] = old + width;
        double above = loss_of(mlp, input, weights, ignored);
        parameters[i] = old - width;
        double below = loss_of(mlp, input, weights, ignored);
        parameters[i] = old;
        double slope = (above - below) / (2.0 * (double)width);
        double found = (double)anole_mlp_gradient(mlp)[i];
        assert_true(fabs(slope - found) < 1e-2 * (1.0 + fabs(slope)));
        checked++;
    }
    /* All weights and biases: everything but padding. */
    assert_int_equal(checked, INPUTS * 6 + 6 + 6 * 9 + 9 + 9 * OUTPUTS + OUTPUTS);
    anole_mlp_destroy(mlp);
}

static void test_backward_adds_up_over_calls(void **state)
{
    (void)state;
    struct anole_mlp *mlp = make((size_t[]){INPUTS, 4, OUTPUTS}, 2, 1.0f, 5);
    float input[ROWS * INPUTS], weights[ROWS * OUTPUTS], slopes[ROWS * OUTPUTS];
    draw(input, ROWS * INPUTS, 1);
    draw(weights, ROWS * OUTPUTS, 2);
    loss_of(mlp, input, weights, slopes);
    anole_mlp_backward(mlp, slopes);
    double once = sqrt(anole_mlp_gradient_norm2(mlp));
    anole_mlp_backward(mlp, slopes);
    double twice = sqrt(anole_mlp_gradient_norm2(mlp));
    assert_true(fabs(twice / once - 2.0) < 1e-5);
    anole_mlp_scale_gradient(mlp, 0.25f);
    assert_true(fabs(sqrt(anole_mlp_gradient_norm2(mlp)) / once - 0.5) < 1e-5);
    anole_mlp_destroy(mlp);
}

static void test_forward_gives_same_rows_alone_and_together(void **state)
{
    (void)state;
    struct anole_mlp *mlp = make((size_t[]){INPUTS, 20, OUTPUTS}, 2, 1.0f, 7);
    float input[ROWS * INPUTS], together[ROWS * OUTPUTS];
    const float *output;
    draw(input, ROWS * INPUTS, 1);
    assert_int_equal(anole_mlp_forward(mlp, &output, input, ROWS, NULL), ANOLE_DONE);
    memcpy(together, output, sizeof together);
    for (size_t r = 0; r < ROWS; r++) {
        assert_int_equal(anole_mlp_forward(mlp, &output, input + r * INPUTS, 1, NULL), ANOLE_DONE);
        assert_memory_equal(output, together + r * OUTPUTS, OUTPUTS * sizeof(float));
    }
    anole_mlp_destroy(mlp);
}

static void test_forward_squashes_like_tanh(void **state)
{
    (void)state;
    /* One unit after the other: y = w2 tanh(w1 x + b1) + b2. */
    struct anole_mlp *mlp = make((size_t[]){1, 1, 1}, 2, 1.0f, 9);
    size_t count;
    float *parameters = anole_mlp_parameters(mlp, &count);
    assert_int_equal(count, 16); /* four vectors, one number in each */
    parameters[0] = 1.0f;
    parameters[4] = 0.0f;
    parameters[8] = 1.0f;
    parameters[12] = 0.0f;
    for (float x = -30.0f; x <= 30.0f; x += 0.37f) {
        const float *output;
        assert_int_equal(anole_mlp_forward(mlp, &output, &x, 1, NULL), ANOLE_DONE);
        assert_true(fabs((double)output[0] - tanh((double)x)) < 1e-6);
    }
    anole_mlp_destroy(mlp);
}

static void test_step_fits_exclusive_or(void **state)
{
    (void)state;
    static const float input[] = {-1, -1, -1, 1, 1, -1, 1, 1};
    static const float wanted[] = {-1, 1, 1, -1};
    struct anole_mlp *mlp = make((size_t[]){2, 8, 1}, 2, 1.0f, 11);
    struct anole_adam adam = {1e-2f, 0.9f, 0.999f, 1e-8f};
    double loss = 0.0;
    for (int i = 0; i < 2000; i++) {
        const float *output;
        float slopes[4];
        assert_int_equal(anole_mlp_forward(mlp, &output, input, 4, NULL), ANOLE_DONE);
        loss = 0.0;
        for (int r = 0; r < 4; r++) {
            slopes[r] = output[r] - wanted[r];
            loss += (double)(slopes[r] * slopes[r]);
        }
        anole_mlp_backward(mlp, slopes);
        anole_mlp_step(mlp, &adam);
        assert_true(anole_mlp_gradient_norm2(mlp) == 0.0);
    }
    assert_true(loss < 1e-3);
    anole_mlp_destroy(mlp);
}

static void test_step_moves_by_the_rate_at_first(void **state)
{
    (void)state;
    /* Adam's first step is the rate, whatever the gradient's size. */
    struct anole_mlp *mlp = make((size_t[]){1, 1}, 1, 1.0f, 13);
    struct anole_adam adam = {1e-2f, 0.9f, 0.999f, 1e-12f};
    size_t count;
    float *parameters = anole_mlp_parameters(mlp, &count), input = 3.0f, slope = 1234.0f;
    float before = parameters[0];
    const float *output;
    assert_int_equal(anole_mlp_forward(mlp, &output, &input, 1, NULL), ANOLE_DONE);
    anole_mlp_backward(mlp, &slope);
    anole_mlp_step(mlp, &adam);
    assert_true(fabsf(before - parameters[0] - 1e-2f) < 1e-5f);
    anole_mlp_destroy(mlp);
}

static void test_create_is_determined_by_seed(void **state)
{
    (void)state;
    size_t sizes[] = {4, 20, 3}, count;
    struct anole_mlp *a = make(sizes, 2, 1.0f, 1), *b = make(sizes, 2, 1.0f, 1),
                     *c = make(sizes, 2, 1.0f, 2);
    const float *pa = anole_mlp_parameters(a, &count), *pb = anole_mlp_parameters(b, &count),
                *pc = anole_mlp_parameters(c, &count);
    assert_memory_equal(pa, pb, count * sizeof(float));
    assert_memory_not_equal(pa, pc, count * sizeof(float));
    anole_mlp_destroy(a);
    anole_mlp_destroy(b);
    anole_mlp_destroy(c);
}

static void test_create_refuses_empty_layers(void **state)
{
    (void)state;
    struct anole_mlp *mlp = NULL;
    struct anole_rng rng;
    struct anole_error error = {0};
    anole_rng_init(&rng, 1);
    assert_int_equal(anole_mlp_create(&mlp, (size_t[]){3, 0, 1}, 2, 1.0f, &rng, &error),
                     ANOLE_ERR_INTERNAL);
    assert_null(mlp);
    assert_int_equal(anole_mlp_create(&mlp, (size_t[]){3}, 0, 1.0f, &rng, NULL),
                     ANOLE_ERR_INTERNAL);
    anole_mlp_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_backward_agrees_with_finite_differences),
        cmocka_unit_test(test_backward_adds_up_over_calls),
        cmocka_unit_test(test_forward_gives_same_rows_alone_and_together),
        cmocka_unit_test(test_forward_squashes_like_tanh),
        cmocka_unit_test(test_step_fits_exclusive_or),
        cmocka_unit_test(test_step_moves_by_the_rate_at_first),
        cmocka_unit_test(test_create_is_determined_by_seed),
        cmocka_unit_test(test_create_refuses_empty_layers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
