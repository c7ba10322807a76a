/* SPDX-License-Identifier: MIT
 *
 * The generate group of the cpu plugin: pure, so these tests need no device, and
 * describe CPUs that are not here.
 */
#include "plugin/generator.h"
#include "random_tasks.h"
#include "tune/finalists.h"

#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TYPICAL "conv2d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32 bias relu"

static const char *const layers[] = {
    TYPICAL,
    "conv2d n1 224x224x3 k7x7 s2x2 p3,3,3,3 d1x1 g1 o64 f32 bias relu",
    "conv2d n1 224x224x3 k11x11 s4x4 p2,2,2,2 d1x1 g1 o64 f32 bias relu",
    "conv2d n1 27x27x64 k5x5 s1x1 p2,2,2,2 d1x1 g1 o192 f32 bias relu",
    "conv2d n8 7x7x512 k3x3 s1x1 p1,1,1,1 d1x1 g1 o512 f32 bias residual relu",
    "conv2d n1 56x56x64 k3x3 s2x2 p1,1,1,1 d1x1 g1 o128 f32 bias relu",
    "conv2d n1 56x56x64 k1x1 s2x2 p0,0,0,0 d1x1 g1 o128 f32 bias",
    "conv2d n1 7x7x2048 k1x1 s1x1 p0,0,0,0 d1x1 g1 o512 f32 bias relu",
    "conv2d n1 28x28x256 k3x3 s1x1 p1,1,1,1 d1x1 g32 o256 f32 bias relu",
    "conv2d n1 65x65x256 k3x3 s1x1 p36,36,36,36 d36x36 g1 o256 f32 bias relu",
    "conv2d n1 1x60x4 k1x61 s1x1 p0,30,0,30 d1x1 g1 o8 f32",
    "conv2d n1 2x90x4 k2x3 s1x1 p0,90,0,90 d1x90 g1 o8 f32",
    "conv2d n1 56x56x128 k3x3 s1x1 p1,1,1,1 d1x1 g32 o128 f32 bias relu",
    "conv2d n1 1x1x1 k1x1 s1x1 p0,0,0,0 d1x1 g1 o1 f32",
    "conv2d n1 1x8000x16 k1x9 s1x1 p0,4,0,4 d1x1 g1 o32 f32 bias",
    "conv2d n3 13x17x7 k3x3 s1x1 p1,1,1,1 d1x1 g1 o11 f32 bias relu6",
    "depthwise_conv2d n1 112x112x32 k3x3 s1x1 p1,1,1,1 d1x1 g32 o32 f32 bias relu6",
    "depthwise_conv2d n1 7x7x960 k3x3 s1x1 p1,1,1,1 d1x1 g960 o960 f32 bias relu6",
    "depthwise_conv2d n2 5x9x7 k5x3 s2x1 p2,1,2,1 d1x2 g7 o14 f32",
    "dense n1 i25088 o4096 f32 bias relu",
    "dense n64 i2048 o1000 f32 bias",
    "dense n1 i1 o1 f32",
};

#define LAYERS (sizeof layers / sizeof *layers)

/* lanes, registers, bytes of L1 and L2, cores */
static const struct {
    uint32_t simd_width, registers;
    uint64_t l1, l2;
    uint32_t units;
} cpus[] = {
    {4, 16, 32 << 10, 256 << 10, 2}, /* SSE */
    {4, 32, 64 << 10, 1 << 20, 8},   /* NEON */
    {8, 16, 32 << 10, 512 << 10, 6}, /* AVX2 */
    {16, 32, 48 << 10, 2 << 20, 64}, /* AVX-512 */
    {0, 0, 0, 0, 0},                 /* a driver that says nothing */
};

#define CPUS (sizeof cpus / sizeof *cpus)

static struct anole_backend *backend;

static int load_plugin(void **state)
{
    (void)state;
    struct anole_error error = {0};
    enum anole_refusal refusal;
    const char *folder = getenv("ANOLE_PLUGIN_PATH");
    char path[4096];
    snprintf(path, sizeof path, "%s/cpu.so", folder ? folder : "plugins/.libs");
    if (anole_backend_load(&backend, &refusal, path, &error))
        fail_msg("%s", error.text);
    return 0;
}

static int drop_plugin(void **state)
{
    (void)state;
    anole_backend_destroy(backend);
    return 0;
}

static struct anole_device cpu_device(size_t i)
{
    struct anole_device device = {.size = sizeof device,
                                  .type = ANOLE_DEVICE_CPU,
                                  .name = "a CPU",
                                  .simd_width = cpus[i].simd_width,
                                  .registers = cpus[i].registers,
                                  .cache_l1 = cpus[i].l1,
                                  .cache_l2 = cpus[i].l2,
                                  .compute_units = cpus[i].units,
                                  .local_memory = cpus[i].l2};
    return device;
}

static struct anole_generator *generator_of(const struct anole_task *task, size_t cpu)
{
    struct anole_generator *generator = NULL;
    struct anole_error error = {0};
    struct anole_device device = cpu_device(cpu);
    char key[ANOLE_TASK_KEY];
    anole_task_key(key, task);
    if (!anole_backend_supports(backend, &device, task))
        fail_msg("%s is not supported", key);
    if (anole_generator_create(&generator, backend, &device, task, &error))
        fail_msg("%s: %s", key, error.text);
    return generator;
}

static struct anole_generator *generator_for(const char *key, size_t cpu)
{
    struct anole_error error = {0};
    struct anole_task task;
    if (anole_task_parse_key(&task, key, &error))
        fail_msg("%s: %s", key, error.text);
    return generator_of(&task, cpu);
}

static struct anole_generated *kernel_of(const struct anole_generator *generator, uint64_t config)
{
    struct anole_generated *generated = NULL;
    struct anole_error error = {0};
    if (anole_generator_kernel(&generated, generator, config, &error))
        fail_msg("%s", error.text);
    return generated;
}

/* ------------------------------------------------------------------- space */

/* The host would go on with another config if the knobs' defaults were not valid
 * together; here that is a fault. */
static void check_default(const struct anole_generator *generator)
{
    const struct anole_space *space = anole_generator_space(generator);
    const struct anole_device *device = anole_generator_device(generator);
    uint16_t digits[ANOLE_MAX_KNOBS];
    char key[ANOLE_TASK_KEY];
    for (size_t k = 0; k < anole_space_knob_count(space); k++)
        digits[k] = (uint16_t)anole_space_knob(space, k)->default_digit;
    uint64_t config = anole_space_encode(space, digits);
    const char *why = anole_space_violation(space, config);
    anole_task_key(key, anole_generator_task(generator));
    if (why || !anole_space_valid(space, config))
        fail_msg("%s, %u lanes, %u registers: the default is not valid: %s", key,
                 device->simd_width, device->registers, why ? why : "no reason given");
}

static void test_default_is_valid_for_known_layers(void **state)
{
    (void)state;
    for (size_t i = 0; i < LAYERS * CPUS; i++) {
        struct anole_generator *generator = generator_for(layers[i / CPUS], i % CPUS);
        check_default(generator);
        anole_generator_destroy(generator);
    }
}

/* The default value of a knob: of a categorical one, a label's number. */
static long long default_of(const struct anole_generator *generator, const char *name)
{
    const struct anole_space *space = anole_generator_space(generator);
    for (size_t k = 0; k < anole_space_knob_count(space); k++) {
        const struct anole_space_knob *knob = anole_space_knob(space, k);
        if (strcmp(knob->name, name) == 0)
            return knob->values[knob->default_digit];
    }
    fail_msg("no knob %s", name);
    return 0;
}

/* Sums that leave no room for the filter go to the stack and back with every row. */
static void test_default_depthwise_tile_fits_the_registers(void **state)
{
    (void)state;
    static const char *const depthwise[] = {
        "depthwise_conv2d n1 112x112x32 k3x3 s1x1 p1,1,1,1 d1x1 g32 o32 f32 bias relu6",
        "depthwise_conv2d n1 112x112x64 k3x3 s2x2 p0,0,1,1 d1x1 g64 o64 f32 bias relu6",
        "depthwise_conv2d n1 56x56x128 k3x3 s2x2 p0,0,1,1 d1x1 g128 o128 f32 bias relu6",
        "depthwise_conv2d n1 14x14x512 k3x3 s1x1 p1,1,1,1 d1x1 g512 o512 f32 bias relu6",
    };
    for (size_t i = 0; i < sizeof depthwise / sizeof *depthwise * CPUS; i++) {
        struct anole_generator *generator = generator_for(depthwise[i / CPUS], i % CPUS);
        const long long sums = default_of(generator, "tile_h") * default_of(generator, "tile_w");
        const long long registers = cpus[i % CPUS].registers == 32 ? 32 : 16;
        if (sums < 2 || sums + 9 + 1 > registers)
            fail_msg("%s, %lld registers: expected 2 to %lld sums, found %lld", depthwise[i / CPUS],
                     registers, registers - 10, sums);
        anole_generator_destroy(generator);
    }
}

/* What was fitted to 16 registers is not for 32. */
static void test_defaults_know_how_many_registers_there_are(void **state)
{
    (void)state;
    static const struct {
        const char *task, *knob;
        long long few, many;
    } expected[] = {
        {"conv2d n1 56x56x64 k1x1 s1x1 p0,0,0,0 d1x1 g1 o128 f32 bias", "pw_unroll_c", 4, 1},
        {"conv2d n1 112x112x32 k1x1 s1x1 p0,0,0,0 d1x1 g1 o64 f32 bias", "pw_loop_order", 0, 1},
        {"conv2d n1 7x7x2048 k1x1 s1x1 p0,0,0,0 d1x1 g1 o512 f32 bias", "pw_loop_order", 1, 1},
        {"conv2d n1 56x56x64 k3x3 s2x2 p1,1,1,1 d1x1 g1 o128 f32 bias", "unroll_c", 4, 1},
        {"conv2d n1 224x224x3 k7x7 s2x2 p3,3,3,3 d1x1 g1 o64 f32 bias", "unroll_c", 1, 1},
        {TYPICAL, "wino_unroll_c", 2, 1},
        {"dense n1 i4096 o1000 f32 bias", "streams", 4, 2},
        {"dense n1 i16 o16 f32 bias", "streams", 2, 2},
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        for (size_t cpu = 2; cpu <= 3; cpu++) {
            struct anole_generator *generator = generator_for(expected[i].task, cpu);
            const long long wanted = cpu == 2 ? expected[i].few : expected[i].many;
            const long long found = default_of(generator, expected[i].knob);
            if (found != wanted)
                fail_msg("%s, %u registers: expected %s=%lld by default, found %lld",
                         expected[i].task, cpus[cpu].registers, expected[i].knob, wanted, found);
            anole_generator_destroy(generator);
        }
}

static void test_default_is_valid_for_random_tasks(void **state)
{
    (void)state;
    random_draw *const draws[] = {random_conv,     random_narrow_groups, random_pointwise,
                                  random_winograd, random_depthwise,     random_dense,
                                  random_matmul};
    struct anole_rng rng;
    anole_rng_init(&rng, 3);
    for (size_t i = 0; i < 600; i++) {
        struct anole_task task = random_task(&rng, draws[i % 7], 1e9);
        struct anole_generator *generator = generator_of(&task, i / 7 % CPUS);
        uint64_t config;
        check_default(generator);
        assert_true(anole_space_sample(anole_generator_space(generator), &rng, &config));
        struct anole_generated *generated = kernel_of(generator, config);
        assert_true(generated->kernel.source_length > 0 && generated->kernel.launch_count > 0);
        anole_generated_destroy(generated);
        anole_generator_destroy(generator);
    }
}

static void test_space_of_a_typical_layer_is_large(void **state)
{
    (void)state;
    struct anole_generator *generator = generator_for(TYPICAL, 3);
    const struct anole_space *space = anole_generator_space(generator);
    bool exact;
    assert_true(anole_space_count(space, 100000, &exact) > 1e5);
    anole_generator_destroy(generator);
}

/* Knobs of an algorithm that a config does not use cannot make it another. */
static void test_config_has_one_name(void **state)
{
    (void)state;
    struct anole_generator *generator = generator_for(TYPICAL, 3);
    const struct anole_space *space = anole_generator_space(generator);
    size_t algorithm = anole_space_find_knob(space, "algorithm");
    size_t tile = anole_space_find_knob(space, "wino_tile");
    assert_true(algorithm != SIZE_MAX && tile != SIZE_MAX);
    struct anole_rng rng;
    anole_rng_init(&rng, 4);
    for (int i = 0; i < 200; i++) {
        uint64_t config;
        uint16_t digits[ANOLE_MAX_KNOBS];
        assert_true(anole_space_sample(space, &rng, &config));
        anole_space_decode(space, config, digits);
        if (strcmp(anole_space_knob(space, algorithm)->labels[digits[algorithm]], "direct"))
            continue;
        assert_int_equal(digits[tile], 0);
        digits[tile] = 1;
        assert_false(anole_space_valid_digits(space, digits));
    }
    anole_generator_destroy(generator);
}

static void test_support_only_what_is_known(void **state)
{
    (void)state;
    struct anole_device device = cpu_device(3);
    struct anole_task task, other;
    assert_int_equal(anole_task_parse_key(&task, TYPICAL, NULL), ANOLE_DONE);
    assert_true(anole_backend_supports(backend, &device, &task));
    other = task;
    other.dtype = ANOLE_F16;
    assert_false(anole_backend_supports(backend, &device, &other));
    other = (struct anole_task){.size = sizeof other, .kind = ANOLE_TASK_CUSTOM, .name = "x"};
    assert_false(anole_backend_supports(backend, &device, &other));
}

/* ------------------------------------------------------------------ kernel */

static void test_generate_answers_the_same(void **state)
{
    (void)state;
    struct anole_rng rng;
    anole_rng_init(&rng, 9);
    for (size_t i = 0; i < LAYERS; i++) {
        struct anole_generator *one = generator_for(layers[i], i % CPUS);
        struct anole_generator *two = generator_for(layers[i], i % CPUS);
        uint64_t config;
        assert_true(anole_space_sample(anole_generator_space(one), &rng, &config));
        struct anole_generated *a = kernel_of(one, config), *b = kernel_of(two, config);
        assert_true(a->source_hash == b->source_hash);
        assert_string_equal(a->kernel.source, b->kernel.source);
        assert_true(a->kernel.packed_weights == b->kernel.packed_weights);
        anole_generated_destroy(a);
        anole_generated_destroy(b);
        anole_generator_destroy(one);
        anole_generator_destroy(two);
    }
}

static void test_pack_writes_every_byte(void **state)
{
    (void)state;
    struct anole_rng rng;
    struct anole_error error = {0};
    anole_rng_init(&rng, 10);
    for (size_t i = 0; i < LAYERS; i++) {
        struct anole_generator *generator = generator_for(layers[i], i % CPUS);
        const struct anole_task *task = anole_generator_task(generator);
        size_t bytes = anole_task_weight_elements(task) * sizeof(float);
        uint64_t config;
        assert_true(anole_space_sample(anole_generator_space(generator), &rng, &config));
        struct anole_generated *generated = kernel_of(generator, config);
        size_t packed = generated->kernel.packed_weights;
        if (packed && bytes < (8 << 20)) {
            float *weights = calloc(1, bytes);
            unsigned char *a = malloc(packed), *b = malloc(packed);
            assert_true(weights && a && b);
            memset(a, 0xff, packed);
            memset(b, 0x7f, packed);
            if (anole_generator_pack(generator, config, weights, bytes, a, packed, &error) ||
                anole_generator_pack(generator, config, weights, bytes, b, packed, &error))
                fail_msg("%s", error.text);
            assert_memory_equal(a, b, packed);
            free(weights);
            free(a);
            free(b);
        }
        anole_generated_destroy(generated);
        anole_generator_destroy(generator);
    }
}

static int take_source(struct anole_kernel_builder *builder, const char *text, size_t length)
{
    (void)builder;
    (void)text;
    (void)length;
    return ANOLE_OK;
}

static void test_refuse_values_of_another_space(void **state)
{
    (void)state;
    struct anole_device device = cpu_device(3);
    struct anole_message message = {.size = sizeof message};
    struct anole_kernel_builder builder = {.size = sizeof builder, .source = take_source};
    int64_t values[ANOLE_MAX_KNOBS] = {99};
    struct anole_task task;
    assert_int_equal(anole_task_parse_key(&task, TYPICAL, NULL), ANOLE_DONE);
    assert_int_equal(backend->plugin.generate(&device, &task, values, 3, &builder, &message),
                     ANOLE_BAD_REQUEST);
    assert_non_null(strstr(message.text, "3 values"));
    assert_int_equal(
        backend->plugin.generate(&device, &task, values, ANOLE_MAX_KNOBS, &builder, &message),
        ANOLE_BAD_REQUEST);
    assert_int_equal(backend->plugin.valid(&device, &task, values, 3), 0);
}

/* ---------------------------------------------------------------- features */

static void test_features_are_finite_and_named(void **state)
{
    (void)state;
    struct anole_rng rng;
    anole_rng_init(&rng, 11);
    for (size_t i = 0; i < LAYERS * CPUS; i++) {
        struct anole_generator *generator = generator_for(layers[i / CPUS], i % CPUS);
        const struct anole_space *space = anole_generator_space(generator);
        const struct anole_task *task = anole_generator_task(generator);
        const struct anole_device *device = anole_generator_device(generator);
        uint64_t config;
        int64_t values[ANOLE_MAX_KNOBS];
        double out[64];
        assert_true(anole_space_sample(space, &rng, &config));
        anole_space_values(space, config, values);
        uint32_t count = (uint32_t)anole_space_knob_count(space);
        uint32_t n = backend->plugin.features(device, task, values, count, NULL);
        assert_true(n > 0 && n <= 64);
        assert_int_equal(backend->plugin.features(device, task, values, count, out), n);
        for (uint32_t f = 0; f < n; f++) {
            assert_non_null(backend->plugin.feature_name(task->kind, f));
            if (!isfinite(out[f]))
                fail_msg("%s: feature %s is %g", layers[i / CPUS],
                         backend->plugin.feature_name(task->kind, f), out[f]);
        }
        assert_null(backend->plugin.feature_name(task->kind, n));
        anole_generator_destroy(generator);
    }
}

/* -- Finalists: the algorithms of a layer read weights of several sizes -- */

static size_t weights_of(const struct anole_generator *generator, uint64_t config)
{
    struct anole_generated *generated = NULL;
    struct anole_error error = {0};
    if (anole_generator_kernel(&generated, generator, config, &error))
        return 0;
    size_t bytes = generated->kernel.packed_weights;
    anole_generated_destroy(generated);
    return bytes;
}

/* Configs of about the direct algorithm's size of weights, and one with thrice as many at least. */
static void find_kinds(uint64_t *direct, size_t wanted, uint64_t *large,
                       const struct anole_generator *generator, size_t bytes)
{
    struct anole_rng rng;
    anole_rng_init(&rng, 7);
    size_t found = 0;
    bool other = false;
    for (int i = 0; i < 5000 && (found < wanted || !other); i++) {
        uint64_t config;
        assert_true(anole_space_sample(anole_generator_space(generator), &rng, &config));
        size_t own = weights_of(generator, config);
        bool known = false;
        for (size_t k = 0; k < found; k++)
            known |= direct[k] == config;
        if (own >= bytes && own < bytes + bytes / 5 && found < wanted && !known)
            direct[found++] = config;
        else if (own > 3 * bytes && !other) {
            *large = config;
            other = true;
        }
    }
    assert_true(found == wanted && other);
}

static void add_trial(struct anole_trials *trials, uint64_t config, double seconds)
{
    struct anole_error error = {0};
    struct anole_result result;
    anole_result_clear(&result);
    result.seconds = result.low = result.high = seconds;
    assert_int_equal(anole_trials_add(trials, config, &result, &error), ANOLE_DONE);
}

/* Where the comparison was disturbed, trials decide that were not. */
static void test_disturbed_finals_are_decided_by_quiet_trials(void **state)
{
    (void)state;
    struct anole_error error = {0};
    struct anole_trials *trials = NULL;
    const uint64_t configs[] = {7, 8, 9};
    struct anole_result results[3], result;
    assert_int_equal(anole_trials_create(&trials, &error), ANOLE_DONE);
    for (size_t i = 0; i < 3; i++)
        anole_result_clear(&results[i]);
    assert_int_equal(anole_finalists_quiet(configs, results, 3, trials), 0);
    add_trial(trials, 8, 1e-3);
    assert_int_equal(anole_finalists_quiet(configs, results, 3, trials), 0); /* against what? */
    add_trial(trials, 7, 2e-3);
    assert_int_equal(anole_finalists_quiet(configs, results, 3, trials), 1);
    anole_result_clear(&result);
    result.seconds = result.low = result.high = 5e-4;
    result.disturbed = 1;
    assert_int_equal(anole_trials_add(trials, 9, &result, &error), ANOLE_DONE);
    assert_int_equal(anole_finalists_quiet(configs, results, 3, trials), 1);
    results[1].outcome = ANOLE_OUTCOME_CRASH; /* in the comparison */
    assert_int_equal(anole_finalists_quiet(configs, results, 3, trials), 0);
    add_trial(trials, 9, 3e-3);
    assert_int_equal(anole_finalists_quiet(configs, results, 3, trials), 0);
    anole_trials_destroy(trials);
}

static void test_finalists_are_of_several_sizes_of_weights(void **state)
{
    (void)state;
    struct anole_error error = {0};
    struct anole_task task;
    struct anole_trials *trials = NULL;
    uint64_t direct[6], large = 0, configs[1 + ANOLE_FINALISTS_MOST];
    assert_int_equal(anole_task_parse_key(&task, TYPICAL, &error), ANOLE_DONE);
    struct anole_generator *generator = generator_of(&task, 3);
    find_kinds(direct, 6, &large, generator, (size_t)64 * 64 * 9 * sizeof(float));
    assert_int_equal(anole_trials_create(&trials, &error), ANOLE_DONE);
    for (size_t i = 0; i < 6; i++)
        add_trial(trials, direct[i], 1e-3 + 1e-5 * (double)i);
    add_trial(trials, large, 1.6e-3); /* too far behind: the fastest, whatever they are */
    assert_int_equal(anole_finalists_choose(configs, generator, trials, direct[0], 3), 4);
    for (size_t i = 0; i < 4; i++)
        assert_true(configs[i] == direct[i]);
    add_trial(trials, large, 1.3e-3);
    assert_int_equal(anole_finalists_choose(configs, generator, trials, direct[0], 3), 4);
    assert_true(configs[1] == direct[1] && configs[2] == direct[2] && configs[3] == large);
    /* The best stays, where there is room for one. */
    assert_int_equal(anole_finalists_choose(configs, generator, trials, direct[5], 1), 2);
    assert_true(configs[0] == direct[5] && configs[1] == direct[0]);
    /* Nothing is to be gained where the default is of that kind. */
    assert_int_equal(anole_finalists_choose(configs, generator, trials, large, 3), 4);
    assert_true(configs[0] == large && configs[3] == direct[2]);
    anole_trials_destroy(trials);
    anole_generator_destroy(generator);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_default_is_valid_for_known_layers),
        cmocka_unit_test(test_default_is_valid_for_random_tasks),
        cmocka_unit_test(test_default_depthwise_tile_fits_the_registers),
        cmocka_unit_test(test_defaults_know_how_many_registers_there_are),
        cmocka_unit_test(test_space_of_a_typical_layer_is_large),
        cmocka_unit_test(test_config_has_one_name),
        cmocka_unit_test(test_support_only_what_is_known),
        cmocka_unit_test(test_generate_answers_the_same),
        cmocka_unit_test(test_pack_writes_every_byte),
        cmocka_unit_test(test_refuse_values_of_another_space),
        cmocka_unit_test(test_features_are_finite_and_named),
        cmocka_unit_test(test_disturbed_finals_are_decided_by_quiet_trials),
        cmocka_unit_test(test_finalists_are_of_several_sizes_of_weights),
    };
    return cmocka_run_group_tests(tests, load_plugin, drop_plugin);
}
