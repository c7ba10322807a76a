/* SPDX-License-Identifier: MIT
 *
 * What the kernels of the cpu plugin take of a device, without building one: local
 * memory, private arrays, buffers and work-groups of thousands of configs, for many
 * layers and many CPUs.  A driver does not refuse what is too much: it ends the
 * process, or the thread's stack does.
 */
#include "plugin/generator.h"
#include "random_tasks.h"
#include "space_grow.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Bytes of arrays in a kernel, which lie on the stack of a driver's thread: no more
 * than the smallest that a C library gives. */
#define MAX_PRIVATE (512 << 10)

static const char *const layers[] = {
    "conv2d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32 bias relu",
    "conv2d n1 224x224x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32 bias relu",
    "conv2d n8 7x7x512 k3x3 s1x1 p1,1,1,1 d1x1 g1 o512 f32 bias residual relu",
    "conv2d n1 14x14x4096 k3x3 s1x1 p1,1,1,1 d1x1 g1 o4096 f32",
    "conv2d n1 224x224x3 k11x11 s4x4 p2,2,2,2 d1x1 g1 o64 f32 bias relu",
    "conv2d n1 224x224x3 k7x7 s2x2 p3,3,3,3 d1x1 g1 o64 f32 bias relu",
    "conv2d n1 64x64x32 k31x31 s1x1 p15,15,15,15 d1x1 g1 o32 f32",
    "conv2d n1 7x7x2048 k1x1 s1x1 p0,0,0,0 d1x1 g1 o512 f32 bias relu",
    "conv2d n32 14x14x65536 k1x1 s1x1 p0,0,0,0 d1x1 g1 o16 f32",
    "conv2d n64 112x112x64 k1x1 s1x1 p0,0,0,0 d1x1 g1 o128 f32 bias relu",
    "conv2d n1 28x28x256 k3x3 s1x1 p1,1,1,1 d1x1 g32 o256 f32 bias relu",
    "conv2d n1 65x65x256 k3x3 s1x1 p36,36,36,36 d36x36 g1 o256 f32 bias relu",
    "conv2d n1 1x60000x16 k1x9 s1x1 p0,4,0,4 d1x1 g1 o32 f32 bias",
    "depthwise_conv2d n1 112x112x32 k3x3 s1x1 p1,1,1,1 d1x1 g32 o32 f32 bias relu6",
    "depthwise_conv2d n1 7x7x960 k3x3 s1x1 p1,1,1,1 d1x1 g960 o960 f32 bias relu6",
    "depthwise_conv2d n1 64x64x32 k16x16 s1x1 p8,8,7,7 d1x1 g32 o64 f32",
    "dense n1 i25088 o4096 f32 bias relu",
    "dense n2048 i4096 o4096 f32 bias",
    "dense n1 i1 o1 f32",
};

#define LAYERS (sizeof layers / sizeof *layers)

/* The smallest that OpenCL allows, and others; 0: the driver does not say. */
static const struct anole_device cpus[] = {
    {.name = "SSE",
     .simd_width = 4,
     .registers = 16,
     .cache_l1 = 32 << 10,
     .cache_l2 = 256 << 10,
     .compute_units = 2,
     .local_memory = 32 << 10,
     .max_allocation = 128 << 20,
     .max_work_group = 1,
     .max_work_items = {1, 1, 1}},
    {.name = "NEON",
     .simd_width = 4,
     .registers = 32,
     .cache_l1 = 64 << 10,
     .cache_l2 = 512 << 10,
     .compute_units = 4,
     .local_memory = 64 << 10,
     .max_allocation = 256 << 20,
     .max_work_group = 4096,
     .max_work_items = {4096, 4096, 4096}},
    {.name = "AVX2",
     .simd_width = 8,
     .registers = 16,
     .cache_l1 = 32 << 10,
     .cache_l2 = 512 << 10,
     .compute_units = 6,
     .local_memory = 512 << 10,
     .max_allocation = 1 << 30,
     .max_work_group = 4096,
     .max_work_items = {4096, 4096, 4096}},
    {.name = "AVX-512",
     .simd_width = 16,
     .registers = 32,
     .cache_l1 = 48 << 10,
     .cache_l2 = 2 << 20,
     .compute_units = 64,
     .local_memory = 2 << 20,
     .max_allocation = UINT64_C(64) << 30,
     .max_work_group = 4096,
     .max_work_items = {4096, 4096, 4096}},
    {.name = "a driver that says nothing"},
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

/* ------------------------------------------------------------ one config */

/* A config of a task, and where it is said when something is wrong with it. */
struct subject {
    const struct anole_device *device;
    const struct anole_task *task;
    const struct anole_space *space;
    uint64_t config;
    int64_t values[ANOLE_MAX_KNOBS];
    const char *algorithm; /* "": the task has one only */
};

static struct subject subject_of(const struct anole_generator *generator, uint64_t config)
{
    struct subject s = {.device = anole_generator_device(generator),
                        .task = anole_generator_task(generator),
                        .space = anole_generator_space(generator),
                        .config = config,
                        .algorithm = ""};
    const size_t knob = anole_space_find_knob(s.space, "algorithm");
    anole_space_values(s.space, config, s.values);
    if (knob != SIZE_MAX)
        s.algorithm = anole_space_knob(s.space, knob)->labels[s.values[knob]];
    else if (s.task->kind == ANOLE_TASK_CONV2D)
        s.algorithm = "direct";
    return s;
}

static void fail_config(const struct subject *s, const char *why)
{
    char key[ANOLE_TASK_KEY], values[1024];
    anole_task_key(key, s->task);
    anole_space_describe(s->space, values, sizeof values, s->config);
    fail_msg("%s on %s: %s: %s", key, s->device->name, values, why);
}

static void check(const struct subject *s, const char *what, uint64_t found, uint64_t most)
{
    char why[128];
    snprintf(why, sizeof why, "%" PRIu64 " %s, where %" PRIu64 " are the most", found, what, most);
    if (found > most)
        fail_config(s, why);
}

static uint64_t knob(const struct subject *s, const char *name)
{
    const size_t at = anole_space_find_knob(s->space, name);
    if (at == SIZE_MAX)
        fail_msg("there is no knob '%s': what this test knows of the templates is out of date",
                 name);
    return (uint64_t)s->values[at];
}

static uint64_t round_up(uint64_t n, uint64_t unit)
{
    return (n + unit - 1) / unit * unit;
}

/* Bytes of local arrays: V and M of the fused Winograd kernel, and the copy of matmul.cl. */
static uint64_t local_bytes(const struct subject *s)
{
    if (s->task->kind == ANOLE_TASK_MATMUL) {
        const uint64_t depth = knob(s, "mm_depth"), inputs = s->task->in_c;
        return 4 * knob(s, "mm_pack") * (depth < inputs ? depth : inputs) * knob(s, "mm_vectors") *
               knob(s, "mm_width");
    }
    if (strcmp(s->algorithm, "winograd") || knob(s, "wino_stages") != 0)
        return 0;
    const uint64_t points = (knob(s, "wino_tile") + 2) * (knob(s, "wino_tile") + 2);
    const uint64_t tiles = knob(s, "wino_block") * knob(s, "wino_register_tiles");
    const uint64_t width = knob(s, "wino_vector_width"), pad = knob(s, "wino_row_pad");
    const uint64_t v_row = round_up(s->task->in_c, width) + pad;
    const uint64_t m_row = knob(s, "wino_phase") * knob(s, "wino_vectors") * width;
    return 4 * points * (tiles * (v_row + m_row) + pad);
}

/* Bytes of private arrays: sums, and what else a template keeps. */
static uint64_t private_bytes(const struct subject *s)
{
    if (!strcmp(s->algorithm, "winograd")) {
        const uint64_t width = knob(s, "wino_vector_width"), alpha = knob(s, "wino_tile") + 2;
        return 4 * width *
               (alpha * alpha + knob(s, "wino_register_tiles") * knob(s, "wino_vectors"));
    }
    if (!strcmp(s->algorithm, "pointwise")) {
        const uint64_t pixels = knob(s, "pw_tile_m");
        const uint64_t row = s->task->in_c / knob(s, "pw_c_passes") + 16;
        return 4 * pixels *
               (knob(s, "pw_vectors") * knob(s, "pw_vector_width") + knob(s, "pw_stage") * row);
    }
    if (!strcmp(s->algorithm, "grouped"))
        return 4 * knob(s, "grp_vector_width") * knob(s, "grp_tile_w") * knob(s, "grp_tile_h");
    if (s->task->kind == ANOLE_TASK_MATMUL)
        return knob(s, "mm_rows") * (4 * knob(s, "mm_width") * knob(s, "mm_vectors") + 8);
    const uint64_t width = knob(s, "vector_width");
    if (s->task->kind == ANOLE_TASK_DENSE)
        return 4 * width * knob(s, "streams") * knob(s, "rows") * knob(s, "vectors");
    const uint64_t pixels = knob(s, "tile_h") * knob(s, "tile_w");
    if (s->task->kind == ANOLE_TASK_DEPTHWISE_CONV2D)
        return 4 * width * (pixels + s->task->kernel_h * s->task->kernel_w);
    return pixels * (4 * width * knob(s, "vectors") + sizeof(void *));
}

static void check_launches(const struct subject *s, const struct anole_kernel *kernel)
{
    for (uint32_t i = 0; i < kernel->launch_count; i++) {
        const struct anole_launch *launch = &kernel->launches[i];
        uint64_t items = 1;
        for (uint32_t d = 0; d < launch->dimensions; d++) {
            assert_true(launch->local[d] > 0 && launch->global[d] > 0);
            assert_int_equal(launch->global[d] % launch->local[d], 0);
            check(s, "work-items across", launch->global[d], INT32_MAX);
            if (s->device->max_work_items[d])
                check(s, "work-items of a group across", launch->local[d],
                      s->device->max_work_items[d]);
            items *= launch->local[d];
        }
        if (s->device->max_work_group)
            check(s, "work-items in a group", items, s->device->max_work_group);
    }
}

static void check_config(const struct anole_generator *generator, uint64_t config)
{
    const struct subject s = subject_of(generator, config);
    const struct anole_device *device = s.device;
    struct anole_generated *generated = NULL;
    struct anole_error error = {0};
    if (anole_generator_kernel(&generated, generator, config, &error))
        fail_config(&s, error.text);
    const struct anole_kernel *kernel = &generated->kernel;
    check_launches(&s, kernel);
    /* Where the driver does not say, what every one must have. */
    check(&s, "bytes of local memory", local_bytes(&s),
          device->local_memory ? device->local_memory : 32 << 10);
    check(&s, "bytes of private arrays", private_bytes(&s), MAX_PRIVATE);
    if (device->max_allocation) {
        check(&s, "bytes of packed weights", kernel->packed_weights, device->max_allocation);
        check(&s, "bytes of workspace", kernel->workspace, device->max_allocation);
    }
    anole_generated_destroy(generated);
}

/* A layer whose own tensors are too large for a device is no kernel's fault. */
static bool tensors_fit(const struct anole_task *task, const struct anole_device *device)
{
    const uint64_t most = device->max_allocation ? device->max_allocation / 4 : UINT64_MAX;
    return anole_task_input_elements(task) <= most && anole_task_weight_elements(task) <= most &&
           anole_task_output_elements(task) <= most;
}

/* The default, random configs, and each of them grown as far as constraints let it. */
static void check_task(const struct anole_task *task, const struct anole_device *cpu, unsigned n,
                       struct anole_rng *rng)
{
    struct anole_generator *generator = NULL;
    struct anole_device device = *cpu;
    struct anole_error error = {0};
    device.size = sizeof device;
    device.type = ANOLE_DEVICE_CPU;
    if (!tensors_fit(task, &device) || !anole_backend_supports(backend, &device, task))
        return;
    if (anole_generator_create(&generator, backend, &device, task, &error))
        fail_msg("%s", error.text);
    const struct anole_space *space = anole_generator_space(generator);
    check_config(generator, anole_space_default(space));
    for (unsigned i = 0; i < n; i++) {
        uint64_t config;
        assert_true(anole_space_sample(space, rng, &config));
        check_config(generator, config);
        check_config(generator, space_grow(space, rng, config));
    }
    anole_generator_destroy(generator);
}

/* ----------------------------------------------------------------- tests */

static void test_stay_within_the_device_for_known_layers(void **state)
{
    (void)state;
    struct anole_rng rng;
    anole_rng_init(&rng, 21);
    for (size_t i = 0; i < LAYERS * CPUS; i++) {
        struct anole_error error = {0};
        struct anole_task task;
        if (anole_task_parse_key(&task, layers[i / CPUS], &error))
            fail_msg("%s: %s", layers[i / CPUS], error.text);
        check_task(&task, &cpus[i % CPUS], 60, &rng);
    }
}

static void test_stay_within_the_device_for_random_tasks(void **state)
{
    (void)state;
    random_draw *const draws[] = {random_conv,     random_narrow_groups, random_pointwise,
                                  random_winograd, random_depthwise,     random_dense,
                                  random_matmul};
    struct anole_rng rng;
    anole_rng_init(&rng, 22);
    for (size_t i = 0; i < 300; i++) {
        struct anole_task task = random_task(&rng, draws[i % 7], 1e10);
        check_task(&task, &cpus[i / 7 % CPUS], 20, &rng);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stay_within_the_device_for_known_layers),
        cmocka_unit_test(test_stay_within_the_device_for_random_tasks),
    };
    return cmocka_run_group_tests(tests, load_plugin, drop_plugin);
}
