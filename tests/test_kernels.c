/* SPDX-License-Identifier: MIT
 *
 * Every generator of the cpu plugin, over random shapes and random configs, on a
 * real driver: shapes that no tile divides, shapes smaller than a tile, primes
 * and ones, and descriptions of other CPUs than this one.
 *
 * ANOLE_TEST_SEED and ANOLE_TEST_ROUNDS run other cases, and more of them.
 */
#include "kernel_fixture.h"
#include "random_tasks.h"
#include "space_grow.h"

#include <stdio.h>
#include <stdlib.h>

static struct kernel_fixture fixture;

/* ------------------------------------------------------------- random runs */

/* This device, or one with other vectors; narrower kernels run here as well. */
static struct anole_device random_device(struct anole_rng *rng)
{
    struct anole_device device = fixture.device;
    uint32_t width = 4u << anole_rng_below(rng, 4); /* 32: as it is */
    if (width < device.simd_width)
        device.simd_width = width;
    device.registers = device.simd_width == 16 ? 32 : anole_rng_below(rng, 2) ? 16 : 32;
    return device;
}

/* `tasks` random tasks, each with its default config and `configs` random ones
 * that use the algorithm. */
static void run_random(const char *algorithm, unsigned tasks, unsigned configs, uint64_t seed,
                       random_draw *draw)
{
    struct anole_rng rng;
    seed = kernel_seed(seed);
    anole_rng_init(&rng, seed);
    for (unsigned i = 0; i < tasks * kernel_rounds(); i++) {
        struct anole_task task = random_task(&rng, draw, 4e7);
        struct anole_device device = random_device(&rng);
        struct anole_generator *generator = kernel_generator(&fixture, &device, &task);
        struct anole_task_data *data = NULL;
        struct anole_error error = {0};
        if (anole_task_data_create(&data, &task, anole_rng_u64(&rng), 1, &error))
            fail_msg("%s", error.text);
        if (i % 3 == 0)
            kernel_check(&fixture, generator, data,
                         anole_space_default(anole_generator_space(generator)));
        for (unsigned j = 0; j < configs; j++)
            kernel_check(&fixture, generator, data, kernel_sample(generator, &rng, algorithm));
        anole_task_data_destroy(data);
        anole_generator_destroy(generator);
    }
}

static void test_run_direct(void **state)
{
    (void)state;
    run_random("direct", 16, 2, 1, random_conv);
}

static void test_run_grouped(void **state)
{
    (void)state;
    run_random("grouped", 8, 2, 9, random_narrow_groups);
}

static void test_run_pointwise(void **state)
{
    (void)state;
    run_random("pointwise", 8, 2, 2, random_pointwise);
}

static void test_run_direct_where_others_could(void **state)
{
    (void)state;
    run_random("direct", 3, 1, 3, random_pointwise);
    run_random("direct", 3, 1, 4, random_winograd);
}

static void test_run_winograd(void **state)
{
    (void)state;
    run_random("winograd", 8, 2, 5, random_winograd);
}

static void test_run_depthwise(void **state)
{
    (void)state;
    run_random(NULL, 8, 2, 6, random_depthwise);
}

static void test_run_dense(void **state)
{
    (void)state;
    run_random(NULL, 6, 2, 7, random_dense);
}

static void test_run_matmul(void **state)
{
    (void)state;
    run_random(NULL, 4, 2, 10, random_matmul);
}

/* ------------------------------------------------------------ chosen shapes */

/* Where something may be wrong that chance would miss. */
static void test_run_shapes_with_a_catch(void **state)
{
    (void)state;
    static const char *const keys[] = {
        /* a filter wider than the input, all of it padding */
        "conv2d n1 1x1x3 k7x7 s1x1 p3,3,3,3 d1x1 g1 o5 f32 bias relu",
        /* padding that is wider than the filter, rows and columns of nothing */
        "conv2d n1 2x2x4 k2x2 s1x1 p5,5,5,5 d1x1 g1 o8 f32",
        /* dilation that steps over the whole input */
        "conv2d n2 5x5x3 k3x3 s2x2 p6,6,6,6 d6x6 g1 o17 f32 bias residual",
        /* many tiles that miss the input on both sides */
        "conv2d n1 3x40x2 k1x3 s1x1 p0,30,0,30 d1x30 g1 o3 f32 relu6",
        /* one channel a group, more outputs than inputs */
        "conv2d n1 9x9x6 k3x3 s1x1 p1,1,1,1 d1x1 g6 o18 f32 bias",
        /* the stride leaves out rows and columns of the input */
        "conv2d n1 11x11x5 k1x1 s3x3 p0,0,0,0 d1x1 g1 o7 f32 residual relu",
    };
    struct anole_rng rng;
    anole_rng_init(&rng, kernel_seed(8));
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct anole_task task;
        struct anole_error error = {0};
        struct anole_task_data *data = NULL;
        if (anole_task_parse_key(&task, keys[i], &error) ||
            anole_task_data_create(&data, &task, i, 1, &error))
            fail_msg("%s", error.text);
        struct anole_generator *generator = kernel_generator(&fixture, &fixture.device, &task);
        kernel_check(&fixture, generator, data,
                     anole_space_default(anole_generator_space(generator)));
        for (unsigned j = 0; j < 2 * kernel_rounds(); j++)
            kernel_check(&fixture, generator, data, kernel_sample(generator, &rng, NULL));
        anole_task_data_destroy(data);
        anole_generator_destroy(generator);
    }
}

/* PoCL ends the process where a kernel takes more local memory than there is. */
static void test_run_winograd_in_all_of_local_memory(void **state)
{
    (void)state;
    const struct kernel_wish fused = {"wino_stages", 0};
    struct anole_error error = {0};
    struct anole_task_data *data = NULL;
    struct anole_task task;
    struct anole_rng rng;
    uint64_t config;
    anole_rng_init(&rng, kernel_seed(10));
    if (anole_task_parse_key(&task, "conv2d n1 40x40x48 k3x3 s1x1 p1,1,1,1 d1x1 g1 o48 f32 bias",
                             &error) ||
        anole_task_data_create(&data, &task, 1, 1, &error))
        fail_msg("%s", error.text);
    struct anole_generator *generator = kernel_generator(&fixture, &fixture.device, &task);
    const struct anole_space *space = anole_generator_space(generator);
    for (unsigned i = 0; i < 3 * kernel_rounds(); i++) {
        assert_true(kernel_sample_wish(&config, generator, &rng, "winograd", &fused, 1));
        kernel_check(&fixture, generator, data, space_grow(space, &rng, config));
    }
    anole_task_data_destroy(data);
    anole_generator_destroy(generator);
}

static int open_device(void **state)
{
    (void)state;
    if (!kernel_fixture_init(&fixture))
        exit(77); /* skipped, says Automake */
    return 0;
}

static int close_device(void **state)
{
    (void)state;
    kernel_fixture_fini(&fixture);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run_direct),
        cmocka_unit_test(test_run_grouped),
        cmocka_unit_test(test_run_pointwise),
        cmocka_unit_test(test_run_direct_where_others_could),
        cmocka_unit_test(test_run_winograd),
        cmocka_unit_test(test_run_depthwise),
        cmocka_unit_test(test_run_dense),
        cmocka_unit_test(test_run_matmul),
        cmocka_unit_test(test_run_shapes_with_a_catch),
        cmocka_unit_test(test_run_winograd_in_all_of_local_memory),
    };
    return cmocka_run_group_tests(tests, open_device, close_device);
}
