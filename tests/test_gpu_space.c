/* SPDX-License-Identifier: MIT
 *
 * The generate group of the gpu plugin, for the GPUs of tests/data/gpus, none of which
 * is here: spaces of every layer of the networks, and sources, which a compiler of
 * OpenCL C takes.
 */
#include "gpu_fixture.h"
#include "frontend/network.h"
#include "random_tasks.h"

/* ------------------------------------------------------------------ spaces */

/* The host would go on with another config if the knobs' defaults were not valid
 * together; here that is a fault. */
static void check_default(const struct anole_generator *generator)
{
    const struct anole_space *space = anole_generator_space(generator);
    uint16_t digits[ANOLE_MAX_KNOBS];
    char key[ANOLE_TASK_KEY];
    for (size_t k = 0; k < anole_space_knob_count(space); k++)
        digits[k] = (uint16_t)anole_space_knob(space, k)->default_digit;
    uint64_t config = anole_space_encode(space, digits);
    const char *why = anole_space_violation(space, config);
    anole_task_key(key, anole_generator_task(generator));
    if (why || !anole_space_valid(space, config))
        fail_msg("%s on %s: the default is not valid: %s", key,
                 anole_generator_device(generator)->name, why ? why : "no reason given");
}

/* A launch must be within what the device's description says. */
static void check_launches(const struct anole_generator *generator, uint64_t config)
{
    const struct anole_device *device = anole_generator_device(generator);
    struct anole_generated *generated = kernel_of(generator, config);
    for (uint32_t i = 0; i < generated->kernel.launch_count; i++) {
        const struct anole_launch *launch = &generated->kernel.launches[i];
        assert_true(launch->local[0] * launch->local[1] * launch->local[2] <=
                    device->max_work_group);
        for (int d = 0; d < 3; d++) {
            assert_true(launch->local[d] > 0 && launch->global[d] % launch->local[d] == 0);
            assert_true(d == 0 || launch->global[d] / launch->local[d] <= 65535);
        }
    }
    assert_true(!device->max_allocation ||
                (generated->kernel.workspace <= device->max_allocation &&
                 generated->kernel.packed_weights <= device->max_allocation));
    anole_generated_destroy(generated);
}

static struct anole_workload *network_of(const char *name)
{
    struct anole_workload *network = NULL;
    struct anole_error error = {0};
    const char *folder = getenv("ANOLE_NETWORKS");
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.json", folder ? folder : "networks", name);
    if (anole_network_load_workload(&network, path, &error))
        fail_msg("%s", error.text);
    return network;
}

static const char *const networks[] = {"alexnet",      "vgg16",        "resnet18",   "resnet50",
                                       "mobilenet_v1", "mobilenet_v2", "squeezenet", "tiny"};

typedef void visitor(const struct anole_generator *generator, struct anole_rng *rng);

/* Every task of every network, on each GPU in turn or on all of them. */
static void visit_tasks(visitor *visit, bool all, uint32_t dtype)
{
    struct anole_rng rng;
    size_t turn = 0;
    anole_rng_init(&rng, 1);
    for (size_t n = 0; n < sizeof networks / sizeof *networks; n++) {
        struct anole_workload *network = network_of(networks[n]);
        anole_workload_set_precision(network, dtype);
        for (size_t t = 0; t < network->task_count; t++)
            for (size_t g = 0; g < (all ? gpu_count : 1); g++) {
                struct anole_generator *generator =
                    generator_of(&network->tasks[t].task, &gpus[turn++ % gpu_count]);
                visit(generator, &rng);
                anole_generator_destroy(generator);
            }
        anole_workload_destroy(network);
    }
}

static void check_space(const struct anole_generator *generator, struct anole_rng *rng)
{
    uint64_t config;
    check_default(generator);
    check_launches(generator, anole_space_default(anole_generator_space(generator)));
    assert_true(anole_space_sample(anole_generator_space(generator), rng, &config));
    check_launches(generator, config);
}

static void test_launches_are_within_limits_for_known_layers(void **state)
{
    (void)state;
    visit_tasks(check_space, true, ANOLE_F32);
}

/* Halves are for every GPU: memory may hold them without an extension. */
static void test_launches_are_within_limits_in_half_precision(void **state)
{
    (void)state;
    visit_tasks(check_space, false, ANOLE_F16);
}

/* How tensors are read and written: HALF of kernels/gpu.cl. */
static void check_conversion(const char *key, const struct anole_device *device, int expected)
{
    struct anole_task task;
    char text[32];
    assert_int_equal(anole_task_parse_key(&task, key, NULL), ANOLE_DONE);
    struct anole_generator *generator = generator_of(&task, device);
    struct anole_generated *generated =
        kernel_of(generator, anole_space_default(anole_generator_space(generator)));
    snprintf(text, sizeof text, "#define HALF %d\n", expected);
    assert_non_null(strstr(generated->kernel.source, text));
    anole_generated_destroy(generated);
    anole_generator_destroy(generator);
}

/* By cl_khr_fp16 where it is told of, by what every device has elsewhere. */
static void test_halves_are_converted_as_the_device_can(void **state)
{
    (void)state;
    static const char *const keys[][2] = {
        {"conv2d n1 14x14x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f16 bias",
         "conv2d n1 14x14x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32 bias"},
        {"depthwise_conv2d n1 28x28x32 k3x3 s2x2 p1,1,1,1 d1x1 g32 o32 f16 bias",
         "depthwise_conv2d n1 28x28x32 k3x3 s2x2 p1,1,1,1 d1x1 g32 o32 f32 bias"},
        {"dense n1 i512 o1000 f16 bias", "dense n1 i512 o1000 f32 bias"}};
    unsigned with = 0;
    for (size_t g = 0; g < gpu_count; g++) {
        bool has = false;
        for (uint32_t i = 0; i < gpus[g].property_count; i++)
            has |= !strcmp(gpus[g].properties[i].name, "fp16") && gpus[g].properties[i].value != 0;
        with += has;
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
            check_conversion(keys[k][0], &gpus[g], has ? 2 : 1);
            check_conversion(keys[k][1], &gpus[g], 0);
        }
    }
    assert_true(with > 0 && with < gpu_count);
}

static void test_default_is_valid_for_random_tasks(void **state)
{
    (void)state;
    random_draw *const draws[] = {random_conv,     random_narrow_groups, random_pointwise,
                                  random_winograd, random_depthwise,     random_dense,
                                  random_matmul};
    struct anole_rng rng;
    anole_rng_init(&rng, 3);
    for (size_t i = 0; i < 300; i++) {
        struct anole_task task = random_task(&rng, draws[i % 7], 1e9);
        struct anole_generator *generator = generator_of(&task, &gpus[i / 7 % gpu_count]);
        check_space(generator, &rng);
        anole_generator_destroy(generator);
    }
}

/* Layers of the networks have 10^5 configs at the least, and what is large enough to be
 * worth more, 10^6 to 10^9. */
static void count_space(const struct anole_generator *generator, struct anole_rng *rng)
{
    (void)rng;
    const struct anole_task *task = anole_generator_task(generator);
    bool exact;
    char key[ANOLE_TASK_KEY];
    double count = anole_space_count(anole_generator_space(generator), 20000, &exact);
    double least = anole_task_flops(task) < 1e7 || task->out_w < 14 ? 1e5 : 1e6;
    anole_task_key(key, task);
    if (count < least || count > 2e9)
        fail_msg("%s on %s: the space has %g configs", key, anole_generator_device(generator)->name,
                 count);
}

static void test_spaces_are_of_the_size_they_should_be(void **state)
{
    (void)state;
    visit_tasks(count_space, false, ANOLE_F32);
}

/* Two algorithms made of the same product take its knobs, each with its own limits. */
static void test_config_of_winograd_uses_the_product_s_knobs(void **state)
{
    (void)state;
    struct anole_task task;
    struct anole_rng rng;
    unsigned seen = 0;
    assert_int_equal(
        anole_task_parse_key(&task, "conv2d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32", NULL),
        ANOLE_DONE);
    struct anole_generator *generator = generator_of(&task, &gpus[0]);
    const struct anole_space *space = anole_generator_space(generator);
    size_t algorithm = anole_space_find_knob(space, "algorithm");
    size_t items = anole_space_find_knob(space, "items_m");
    size_t split = anole_space_find_knob(space, "split");
    anole_rng_init(&rng, 5);
    for (int i = 0; i < 400; i++) {
        uint64_t config;
        uint16_t digits[ANOLE_MAX_KNOBS];
        char text[64];
        assert_true(anole_space_sample(space, &rng, &config));
        anole_space_decode(space, config, digits);
        if (strcmp(anole_space_knob(space, algorithm)->labels[digits[algorithm]], "winograd"))
            continue;
        seen++;
        assert_int_equal(digits[split], 0);
        struct anole_generated *generated = kernel_of(generator, config);
        snprintf(text, sizeof text, "#define ITEMS_M %lld\n",
                 (long long)anole_space_knob(space, items)->values[digits[items]]);
        assert_non_null(strstr(generated->kernel.source, text));
        anole_generated_destroy(generated);
    }
    assert_true(seen > 10);
    anole_generator_destroy(generator);
}

/* ----------------------------------------------------------------- sources */

#define COMPILE                                                                                    \
    "-x cl -cl-std=CL1.2 -Xclang -finclude-default-header -target spir64 -fsyntax-only -Wall "     \
    "-Wno-unused-function -Wno-unused-variable -Wno-pass-failed -Werror"

static void compile(const struct anole_generator *generator, uint64_t config)
{
    char path[] = "/tmp/anole-gpu-XXXXXX", command[512], values[640];
    struct anole_generated *generated = kernel_of(generator, config);
    int file = mkstemp(path);
    assert_true(file >= 0);
    FILE *out = fdopen(file, "w");
    assert_non_null(out);
    assert_true(fputs(generated->kernel.source, out) >= 0);
    assert_int_equal(fclose(out), 0);
    snprintf(command, sizeof command, "%s " COMPILE " %s %s", clang(), generated->kernel.options,
             path);
    int status = system(command);
    unlink(path);
    anole_space_describe(anole_generator_space(generator), values, sizeof values, config);
    if (status)
        fail_msg("on %s, this does not compile: %s", anole_generator_device(generator)->name,
                 values);
    anole_generated_destroy(generated);
}

/* One in four tasks, and either the default or another config: the rest are alike. */
static void compile_some(const struct anole_generator *generator, struct anole_rng *rng)
{
    const struct anole_space *space = anole_generator_space(generator);
    uint64_t config = anole_space_default(space);
    switch (anole_rng_below(rng, 8)) {
    case 0:
        compile(generator, config);
        break;
    case 1:
        assert_true(anole_space_sample(space, rng, &config));
        compile(generator, config);
        break;
    }
}

static void test_sources_compile_without_the_device(void **state)
{
    (void)state;
    if (!clang()) {
        fprintf(stderr, "no Clang here: nothing is compiled\n");
        skip();
    }
    visit_tasks(compile_some, false, ANOLE_F32);
}

static void test_each_algorithm_compiles_on_each_gpu(void **state)
{
    (void)state;
    static const char *const keys[] = {
        "conv2d n1 28x28x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o96 f32 bias residual relu",
        "depthwise_conv2d n1 28x28x32 k3x3 s2x2 p1,1,1,1 d1x1 g32 o32 f32 bias relu6",
        "dense n2 i512 o1000 f32 bias",
        "conv2d n1 28x28x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o96 f16 bias residual relu",
        "depthwise_conv2d n1 28x28x32 k3x3 s2x2 p1,1,1,1 d1x1 g32 o32 f16 bias relu6",
        "dense n2 i512 o1000 f16 bias",
    };
    struct anole_rng rng;
    anole_rng_init(&rng, 7);
    if (!clang())
        skip();
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        for (size_t g = 0; g < gpu_count; g++) {
            struct anole_task task;
            assert_int_equal(anole_task_parse_key(&task, keys[i], NULL), ANOLE_DONE);
            struct anole_generator *generator = generator_of(&task, &gpus[g]);
            for (int j = 0; j < 2; j++) {
                uint64_t config;
                assert_true(anole_space_sample(anole_generator_space(generator), &rng, &config));
                compile(generator, config);
            }
            anole_generator_destroy(generator);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_launches_are_within_limits_for_known_layers),
        cmocka_unit_test(test_launches_are_within_limits_in_half_precision),
        cmocka_unit_test(test_halves_are_converted_as_the_device_can),
        cmocka_unit_test(test_default_is_valid_for_random_tasks),
        cmocka_unit_test(test_spaces_are_of_the_size_they_should_be),
        cmocka_unit_test(test_config_of_winograd_uses_the_product_s_knobs),
        cmocka_unit_test(test_sources_compile_without_the_device),
        cmocka_unit_test(test_each_algorithm_compiles_on_each_gpu),
    };
    return cmocka_run_group_tests(tests, prepare, clean_up);
}
