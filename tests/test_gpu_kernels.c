/* SPDX-License-Identifier: MIT
 *
 * Every generator of the gpu plugin, over random shapes, random configs and random
 * GPUs, on a driver that is no GPU's: PoCL, or what ANOLE_TEST_DRIVER names.  What
 * the plugin generates for the GPU of another machine must be right there too.
 *
 * ANOLE_TEST_SEED and ANOLE_TEST_ROUNDS run other cases, and more of them.
 */
#include "kernel_fixture.h"
#include "random_tasks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct kernel_fixture fixture;

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* This device as if it had the traits of some GPU, as far as its limits allow. */
static struct anole_device random_device(struct anole_rng *rng)
{
    struct anole_device device = fixture.device;
    struct anole_property *property = &device.properties[device.property_count++];
    assert_true(device.property_count <= ANOLE_MAX_PROPERTIES);
    for (uint32_t i = 0; i + 1 < device.property_count; i++)
        if (!strcmp(device.properties[i].name, "local_real"))
            device.properties[i].value = anole_rng_below(rng, 4) > 0;
    snprintf(property->name, sizeof property->name, "lanes_per_unit");
    property->value = PICK(rng, 8, 64, 128);
    device.simd_width = PICK(rng, 8, 16, 32, 64);
    device.registers = PICK(rng, 64, 128, 255);
    device.compute_units = PICK(rng, 1, 4, 24, 132);
    device.max_work_group = least(device.max_work_group, PICK(rng, 64, 256, 1024));
    device.local_memory = least(device.local_memory, PICK(rng, 16 << 10, 32 << 10, 48 << 10));
    return device;
}

/* `tasks` random tasks, each now and then with its default config, and with
 * `configs` random ones that use the algorithm. */
static void run_random(const char *algorithm, unsigned tasks, unsigned configs, uint64_t seed,
                       random_draw *draw)
{
    struct anole_rng rng;
    seed = kernel_seed(seed);
    anole_rng_init(&rng, seed);
    for (unsigned i = 0; i < tasks * kernel_rounds(); i++) {
        struct anole_task task = random_task(&rng, draw, 4e6);
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

static void test_run_gemm_as_convolution(void **state)
{
    (void)state;
    run_random("gemm", 8, 2, 1, random_conv);
}

static void test_run_gemm_as_pointwise(void **state)
{
    (void)state;
    run_random("gemm", 5, 2, 2, random_pointwise);
}

static void test_run_gemm_as_dense(void **state)
{
    (void)state;
    run_random("gemm", 4, 2, 3, random_dense);
}

static void test_run_winograd(void **state)
{
    (void)state;
    run_random("winograd", 5, 2, 4, random_winograd);
}

static void test_run_direct(void **state)
{
    (void)state;
    run_random("direct", 5, 2, 5, random_conv);
    run_random("direct", 2, 2, 6, random_narrow_groups);
}

static void test_run_depthwise(void **state)
{
    (void)state;
    run_random(NULL, 6, 2, 7, random_depthwise);
}

static void test_run_dense(void **state)
{
    (void)state;
    run_random("dense", 4, 2, 8, random_dense);
}

static int open_device(void **state)
{
    (void)state;
    setenv("ANOLE_TEST_BACKEND", "gpu", 1);
    setenv("ANOLE_GPU_ANY_DEVICE", "1", 1);
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
        cmocka_unit_test(test_run_gemm_as_convolution),
        cmocka_unit_test(test_run_gemm_as_pointwise),
        cmocka_unit_test(test_run_gemm_as_dense),
        cmocka_unit_test(test_run_winograd),
        cmocka_unit_test(test_run_direct),
        cmocka_unit_test(test_run_depthwise),
        cmocka_unit_test(test_run_dense),
    };
    return cmocka_run_group_tests(tests, open_device, close_device);
}
