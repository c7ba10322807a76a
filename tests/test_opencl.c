/* SPDX-License-Identifier: MIT
 *
 * The describe and time groups of the cpu plugin, which all OpenCL backends
 * share: drivers, devices, buffers, builds that fail, launches that are refused.
 */
#include "kernel_fixture.h"
#include "plugin/host.h"
#include "../plugins/opencl_session_private.h"

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct kernel_fixture fixture;

static struct anole_message message = {.size = sizeof message};

/* ----------------------------------------------------------------- drivers */

struct names {
    char text[8][256];
    int count;
};

static int keep_name(struct anole_driver_list *list, const char *driver)
{
    struct names *names = list->host;
    assert_true(names->count < 8);
    snprintf(names->text[names->count++], 256, "%s", driver);
    return ANOLE_OK;
}

static struct names list_drivers(void)
{
    struct names names = {.count = 0};
    struct anole_driver_list list = {.size = sizeof list, .host = &names, .add = keep_name};
    assert_int_equal(fixture.plugin->drivers(anole_host_get(0), &list, &message), ANOLE_OK);
    return names;
}

static void touch(const char *folder, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("libno-such-driver.so\n", file);
    fclose(file);
}

/* Names without a folder, which ocl-icd takes as well. */
static void test_list_drivers_by_bare_name(void **state)
{
    (void)state;
    char *vendors = getenv("OCL_ICD_VENDORS"), *kept = vendors ? strdup(vendors) : NULL;
    glob_t files;

    setenv("OCL_ICD_VENDORS", "libno-such-driver.so.2", 1);
    struct names names = list_drivers();
    assert_int_equal(names.count, 1);
    assert_string_equal(names.text[0], "libno-such-driver.so.2");
    setenv("OCL_ICD_VENDORS", "no-such-driver.icd", 1);
    assert_int_equal(list_drivers().count, 0);
    setenv("OCL_ICD_VENDORS", "nothing", 1);
    assert_int_equal(list_drivers().count, 0);
    if (!glob("/etc/OpenCL/vendors/*.icd", 0, NULL, &files)) {
        setenv("OCL_ICD_VENDORS", strrchr(files.gl_pathv[0], '/') + 1, 1);
        names = list_drivers();
        assert_int_equal(names.count, 1);
        assert_string_equal(names.text[0], files.gl_pathv[0]);
        globfree(&files);
    }

    if (kept)
        setenv("OCL_ICD_VENDORS", kept, 1);
    else
        unsetenv("OCL_ICD_VENDORS");
    free(kept);
}

/* Lists without loading: the libraries that these files name do not exist. */
static void test_list_drivers_by_name(void **state)
{
    (void)state;
    char folder[] = "/tmp/anole-test-XXXXXX", path[512];
    char *vendors = getenv("OCL_ICD_VENDORS");
    char *kept = vendors ? strdup(vendors) : NULL;
    assert_non_null(mkdtemp(folder));
    touch(folder, "b.icd");
    touch(folder, "a.icd");
    touch(folder, "readme.txt");

    setenv("OCL_ICD_VENDORS", folder, 1);
    struct names names = list_drivers();
    assert_int_equal(names.count, 2);
    snprintf(path, sizeof path, "%s/a.icd", folder);
    assert_string_equal(names.text[0], path);
    setenv("OCL_ICD_VENDORS", path, 1);
    names = list_drivers();
    assert_int_equal(names.count, 1);
    assert_string_equal(names.text[0], path);
    setenv("OCL_ICD_VENDORS", "/nowhere", 1);
    assert_int_equal(list_drivers().count, 0);

    if (kept)
        setenv("OCL_ICD_VENDORS", kept, 1);
    else
        unsetenv("OCL_ICD_VENDORS");
    free(kept);
    for (const char *const *name = (const char *const[]){"a.icd", "b.icd", "readme.txt", NULL};
         *name; name++) {
        snprintf(path, sizeof path, "%s/%s", folder, *name);
        unlink(path);
    }
    rmdir(folder);
}

static void test_refuse_a_second_driver(void **state)
{
    (void)state;
    struct anole_device device;
    struct anole_session *session = NULL;
    uint32_t count = 1;
    assert_int_equal(
        fixture.plugin->probe(anole_host_get(0), "/etc/another.icd", &device, &count, &message),
        ANOLE_BAD_REQUEST);
    assert_non_null(strstr(message.text, "/etc/another.icd"));
    assert_int_equal(
        fixture.plugin->open(anole_host_get(0), fixture.driver, 99, &session, &message),
        ANOLE_NO_DEVICE);
    assert_null(session);
}

static void test_describe_a_cpu(void **state)
{
    (void)state;
    const struct anole_device *d = &fixture.device;
    assert_int_equal(d->size, sizeof *d);
    assert_int_equal(d->type, ANOLE_DEVICE_CPU);
    assert_true(d->flags & ANOLE_DEVICE_SHARES_HOST);
    assert_true(d->name[0] && d->driver[0] && d->driver_version[0]);
    assert_true(d->compute_units >= 1);
    assert_true(d->simd_width >= 1 && d->simd_width <= 64);
    assert_true(d->registers >= 8);
    assert_true(d->global_memory > 1 << 20);
    assert_true(d->local_memory > 0);
}

/* A message may be smaller than ours: what does not fit is cut. */
static void test_write_no_more_than_the_message_holds(void **state)
{
    (void)state;
    struct anole_message small = {.size = offsetof(struct anole_message, text) + 8};
    struct anole_session *session = NULL;
    memset(small.text, 'x', sizeof small.text);
    fixture.plugin->open(anole_host_get(0), fixture.driver, 99, &session, &small);
    assert_int_equal(strnlen(small.text, 8), 7);
    assert_int_equal(small.text[8], 'x');
}

/* ----------------------------------------------------------------- buffers */

static void test_buffer_keeps_what_is_written(void **state)
{
    (void)state;
    struct anole_buffer *buffer = NULL;
    unsigned char in[1000], out[1000];
    for (int i = 0; i < 1000; i++)
        in[i] = (unsigned char)(i * 7);
    assert_int_equal(fixture.plugin->buffer_create(fixture.session, 10000, &buffer, &message),
                     ANOLE_OK);
    assert_int_equal(
        fixture.plugin->buffer_write(fixture.session, buffer, 4096, in, sizeof in, &message),
        ANOLE_OK);
    assert_int_equal(
        fixture.plugin->buffer_read(fixture.session, buffer, 4096 + 500, out, 500, &message),
        ANOLE_OK);
    assert_memory_equal(out, in + 500, 500);
    assert_true(fixture.plugin->buffer_read(fixture.session, buffer, 9999, out, 500, &message) < 0);
    fixture.plugin->buffer_destroy(fixture.session, buffer);
    fixture.plugin->buffer_destroy(fixture.session, NULL);
}

/* ------------------------------------------------------------------ builds */

static const char fill[] = "kernel void fill(global float *out, int value)\n"
                           "{\n"
                           "    out[get_global_id(0)] = value + get_local_id(0) * 0.5f;\n"
                           "}\n";

/* A task whose output is 8 floats and whose weights are one. */
static struct anole_task small_task(void)
{
    struct anole_task task;
    assert_int_equal(anole_task_parse_key(&task, "dense n1 i1 o8 f32", NULL), ANOLE_DONE);
    return task;
}

static struct anole_launch fill_launch(void)
{
    struct anole_launch launch = {.size = sizeof launch,
                                  .dimensions = 1,
                                  .kernel = "fill",
                                  .global = {8, 0, 0},
                                  .local = {2, 0, 0},
                                  .arg_count = 2};
    launch.args[0].role = ANOLE_ROLE_OUTPUT;
    launch.args[1] = (struct anole_arg){.role = ANOLE_ROLE_INT, .value = 40};
    return launch;
}

static struct anole_kernel kernel_with(const char *source, const struct anole_launch *launch,
                                       const struct anole_task *task)
{
    return (struct anole_kernel){.size = sizeof(struct anole_kernel),
                                 .launch_count = 1,
                                 .source = source,
                                 .source_length = strlen(source),
                                 .options = "",
                                 .launches = launch,
                                 .task = task};
}

static void test_build_failure_shows_the_compilers_words(void **state)
{
    (void)state;
    struct anole_task task = small_task();
    struct anole_launch launch = fill_launch();
    struct anole_kernel kernel = kernel_with("kernel void fill(global float *out) { out[0] = "
                                             "no_such_name; }\n",
                                             &launch, &task);
    struct anole_build *build = NULL;
    assert_int_equal(fixture.plugin->build(fixture.session, &kernel, NULL, 0, &build, &message),
                     ANOLE_BUILD_FAILED);
    assert_non_null(strstr(message.text, "no_such_name"));
    assert_null(build);
}

static void test_build_failure_names_a_missing_kernel(void **state)
{
    (void)state;
    struct anole_task task = small_task();
    struct anole_launch launch = fill_launch();
    launch.kernel = "empty";
    struct anole_kernel kernel = kernel_with(fill, &launch, &task);
    struct anole_build *build = NULL;
    assert_int_equal(fixture.plugin->build(fixture.session, &kernel, NULL, 0, &build, &message),
                     ANOLE_BUILD_FAILED);
    assert_non_null(strstr(message.text, "empty"));
}

/* PoCL would end the process at the launch. */
static void test_build_refuses_more_local_memory_than_there_is(void **state)
{
    (void)state;
    struct anole_task task = small_task();
    task.kind = ANOLE_TASK_CUSTOM; /* of templates, constraints see to it */
    struct anole_launch launch = fill_launch();
    char source[512];
    snprintf(source, sizeof source,
             "kernel void fill(global float *out, int value)\n"
             "{\n"
             "    local float kept[%llu];\n"
             "    kept[get_local_id(0)] = out[0];\n"
             "    barrier(CLK_LOCAL_MEM_FENCE);\n"
             "    out[1] = kept[value];\n"
             "}\n",
             (unsigned long long)fixture.device.local_memory);
    struct anole_kernel kernel = kernel_with(source, &launch, &task);
    struct anole_build *build = NULL;
    assert_int_equal(fixture.plugin->build(fixture.session, &kernel, NULL, 0, &build, &message),
                     ANOLE_LAUNCH_FAILED);
    assert_non_null(strstr(message.text, "bytes of local memory"));
    assert_null(build);
}

static void test_build_refuses_arguments_of_more_local_memory_than_there_is(void **state)
{
    (void)state;
    struct anole_task task = small_task();
    struct anole_launch launch = fill_launch();
    struct anole_kernel kernel =
        kernel_with("kernel void fill(global float *out, local float *kept)\n"
                    "{\n"
                    "    local float more[16];\n"
                    "    kept[get_local_id(0)] = out[0];\n"
                    "    more[get_local_id(0) % 16] = out[1];\n"
                    "    barrier(CLK_LOCAL_MEM_FENCE);\n"
                    "    out[1] = kept[0] + more[0];\n"
                    "}\n",
                    &launch, &task);
    launch.args[1] = (struct anole_arg){.role = ANOLE_ROLE_LOCAL,
                                        .value = 2 * (int64_t)fixture.device.local_memory};
    struct anole_build *build = NULL;
    assert_int_equal(fixture.plugin->build(fixture.session, &kernel, NULL, 0, &build, &message),
                     ANOLE_LAUNCH_FAILED);
    assert_non_null(strstr(message.text, "bytes of local memory"));
    launch.args[1].value = 4096;
    assert_int_equal(fixture.plugin->build(fixture.session, &kernel, NULL, 0, &build, &message),
                     ANOLE_OK);
    fixture.plugin->release(fixture.session, build);
}

static struct anole_build *build_fill(const struct anole_launch *launch)
{
    struct anole_task task = small_task();
    struct anole_kernel kernel = kernel_with(fill, launch, &task);
    struct anole_build *build = NULL;
    if (fixture.plugin->build(fixture.session, &kernel, NULL, 0, &build, &message))
        fail_msg("%s", message.text);
    return build;
}

static void test_build_again_from_its_binary(void **state)
{
    (void)state;
    struct anole_task task = small_task();
    struct anole_launch launch = fill_launch();
    struct anole_kernel kernel = kernel_with(fill, &launch, &task);
    struct anole_build *first = build_fill(&launch), *second = NULL;
    size_t bytes = 0;
    assert_int_equal(fixture.plugin->binary(fixture.session, first, NULL, &bytes, &message),
                     ANOLE_OK);
    assert_true(bytes > 0);
    char *binary = malloc(bytes);
    assert_non_null(binary);
    assert_int_equal(fixture.plugin->binary(fixture.session, first, binary, &bytes, &message),
                     ANOLE_OK);
    assert_int_equal(
        fixture.plugin->build(fixture.session, &kernel, binary, bytes, &second, &message),
        ANOLE_OK);
    fixture.plugin->release(fixture.session, first);
    fixture.plugin->release(fixture.session, second);
    /* One that is of no use does no harm. */
    memset(binary, 0x55, bytes);
    assert_int_equal(
        fixture.plugin->build(fixture.session, &kernel, binary, bytes, &second, &message),
        ANOLE_OK);
    fixture.plugin->release(fixture.session, second);
    free(binary);
}

/* Builds a config that uses this algorithm. */
static void build_template(const struct anole_task *task, const char *algorithm)
{
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_generator *generator = kernel_generator(&fixture, &fixture.device, task);
    struct anole_generated *generated;
    struct anole_build *build;
    struct anole_rng rng;
    anole_rng_init(&rng, 1);
    uint64_t config = kernel_sample(generator, &rng, algorithm);
    assert_int_equal(anole_generator_kernel(&generated, generator, config, &error), ANOLE_DONE);
    if (fixture.plugin->build(fixture.session, &generated->kernel, NULL, 0, &build, &message))
        fail_msg("%s: %s", algorithm, message.text);
    fixture.plugin->release(fixture.session, build);
    anole_generated_destroy(generated);
    anole_generator_destroy(generator);
}

/* Templates come with declarations of all that they call: PoCL's header, which takes longer to
 * read than they do, is never needed. */
static void test_templates_do_without_the_compilers_header(void **state)
{
    (void)state;
    static const struct {
        const char *task, *algorithm;
    } templates[] = {
        {"conv2d n1 8x8x16 k3x3 s1x1 p1,1,1,1 d1x1 g1 o16 f32", "direct"},
        {"conv2d n1 8x8x16 k3x3 s1x1 p1,1,1,1 d1x1 g1 o16 f32", "winograd"},
        {"conv2d n1 8x8x16 k3x3 s1x1 p1,1,1,1 d1x1 g8 o16 f32", "grouped"},
        {"conv2d n1 8x8x16 k1x1 s1x1 p0,0,0,0 d1x1 g1 o16 f32", "pointwise"},
        {"depthwise_conv2d n1 8x8x16 k3x3 s1x1 p1,1,1,1 d1x1 g16 o16 f32", "depthwise"},
        {"conv_transpose2d n1 4x4x16 k3x3 s2x2 p1,1,1,1 d1x1 g1 o16 e0x0 f32", "transpose"},
        {"matmul n2 m8 i16 o8 f32", "matmul"},
        {"dense n1 i16 o16 f32", "dense"},
    };
    struct anole_task task;
    if (!strstr(fixture.driver, "pocl"))
        return;
    assert_non_null(fixture.session->declarations);
    const unsigned before = fixture.session->undeclared;
    for (size_t i = 0; i < sizeof templates / sizeof *templates; i++) {
        assert_int_equal(anole_task_parse_key(&task, templates[i].task, NULL), ANOLE_DONE);
        build_template(&task, templates[i].algorithm);
        if (fixture.session->undeclared != before)
            fail_msg("%s calls what kernels/declarations.cl does not declare",
                     templates[i].algorithm);
    }
#define VALUE(name, value, text, parameters, alpha, beta) ANOLE_ACT_##name,
    static const uint32_t activations[] = {ANOLE_ACTIVATION_MAP(VALUE)};
#undef VALUE
    for (size_t i = 0; i < sizeof activations / sizeof *activations; i++) {
        task.activation = activations[i];
        if (fixture.plugin->supports(&fixture.device, &task) != 1)
            continue;
        build_template(&task, "dense");
        if (fixture.session->undeclared != before)
            fail_msg("activation %u calls what kernels/declarations.cl does not declare",
                     activations[i]);
    }
}

/* What is declared for templates is not enough for others: they get it all. */
static void test_other_kernels_have_the_compilers_header(void **state)
{
    (void)state;
    struct anole_task task = small_task();
    struct anole_launch launch = fill_launch();
    struct anole_custom custom = {.size = sizeof custom, .language = ANOLE_OPENCL_C};
    struct anole_build *build;
    struct anole_kernel kernel =
        kernel_with("kernel void fill(global float *out, int value)\n"
                    "{\n    out[get_global_id(0)] = rsqrt((float)value);\n}\n",
                    &launch, &task);
    task.kind = ANOLE_TASK_CUSTOM;
    task.custom = &custom;
    custom.output_bytes = 8 * sizeof(float);
    if (fixture.plugin->build(fixture.session, &kernel, NULL, 0, &build, &message))
        fail_msg("%s", message.text);
    fixture.plugin->release(fixture.session, build);
}

/* --------------------------------------------------------------------- run */

static int run_fill(struct anole_build *build, struct anole_buffer *buffer, size_t offset,
                    size_t bytes)
{
    struct anole_binding bindings[ANOLE_ROLE_COUNT] = {0};
    double device[3] = {-2, -2, -2}, host = -2;
    bindings[ANOLE_ROLE_OUTPUT] = (struct anole_binding){buffer, offset, bytes};
    int code = fixture.plugin->run(fixture.session, build, bindings, ANOLE_ROLE_COUNT, 3, device,
                                   &host, &message);
    if (code)
        return code;
    assert_true(host > 0);
    for (int i = 0; i < 3; i++)
        assert_true(device[i] == -1 || (device[i] >= 0 && device[i] <= host));
    return ANOLE_OK;
}

static void test_run_writes_only_its_binding(void **state)
{
    (void)state;
    struct anole_launch launch = fill_launch();
    struct anole_build *build = build_fill(&launch);
    struct anole_buffer *buffer = NULL;
    float data[4096] = {0};
    assert_int_equal(fixture.plugin->buffer_create(fixture.session, sizeof data, &buffer, &message),
                     ANOLE_OK);
    assert_int_equal(
        fixture.plugin->buffer_write(fixture.session, buffer, 0, data, sizeof data, &message),
        ANOLE_OK);
    if (run_fill(build, buffer, 4096, 32))
        fail_msg("%s", message.text);
    assert_int_equal(
        fixture.plugin->buffer_read(fixture.session, buffer, 0, data, sizeof data, &message),
        ANOLE_OK);
    for (int i = 0; i < 4096; i++) {
        float expected = i >= 1024 && i < 1032 ? 40 + 0.5f * (float)(i % 2) : 0;
        assert_true(data[i] == expected);
    }
    fixture.plugin->buffer_destroy(fixture.session, buffer);
    fixture.plugin->release(fixture.session, build);
}

/* The value that `build` writes first into a buffer of 8 floats. */
static float first_of(struct anole_build *build, struct anole_buffer *buffer)
{
    float first = -1;
    if (run_fill(build, buffer, 0, 8 * sizeof(float)))
        fail_msg("%s", message.text);
    assert_int_equal(
        fixture.plugin->buffer_read(fixture.session, buffer, 0, &first, sizeof first, &message),
        ANOLE_OK);
    return first;
}

/* What a compiler would need to read is gone before the second build: it takes over what the
 * first is made of, but has launches and arguments of its own. */
static void test_share_a_program_as_long_as_a_build_lives(void **state)
{
    (void)state;
    char path[] = "/tmp/anole-test-XXXXXX", source[512];
    const int file = mkstemp(path);
    assert_true(file >= 0);
    assert_true(write(file, "#define HALF 0.5f\n", 18) == 18);
    close(file);
    snprintf(source, sizeof source,
             "#include \"%s\"\nkernel void fill(global float *out, int value)\n"
             "{\n    out[get_global_id(0)] = value + HALF;\n}\n",
             path);
    struct anole_task task = small_task();
    struct anole_launch launch = fill_launch(), other = fill_launch();
    other.args[1].value = 7;
    other.local[0] = 1;
    struct anole_kernel kernel = kernel_with(source, &launch, &task);
    struct anole_kernel second_kernel = kernel_with(source, &other, &task);
    struct anole_build *first, *second;
    struct anole_buffer *buffer;
    assert_int_equal(
        fixture.plugin->buffer_create(fixture.session, 8 * sizeof(float), &buffer, &message),
        ANOLE_OK);
    int code = fixture.plugin->build(fixture.session, &kernel, NULL, 0, &first, &message);
    unlink(path);
    assert_int_equal(code, ANOLE_OK);
    assert_int_equal(
        fixture.plugin->build(fixture.session, &second_kernel, NULL, 0, &second, &message),
        ANOLE_OK);
    assert_true(first_of(first, buffer) == 40.5f);
    assert_true(first_of(second, buffer) == 7.5f);
    assert_true(first_of(first, buffer) == 40.5f);
    fixture.plugin->release(fixture.session, first);
    assert_true(first_of(second, buffer) == 7.5f);
    fixture.plugin->release(fixture.session, second);
    assert_int_equal(fixture.plugin->build(fixture.session, &kernel, NULL, 0, &first, &message),
                     ANOLE_BUILD_FAILED);
    fixture.plugin->buffer_destroy(fixture.session, buffer);
}

static void test_refuse_a_tensor_that_is_not_there(void **state)
{
    (void)state;
    struct anole_launch launch = fill_launch();
    struct anole_build *build = build_fill(&launch);
    assert_int_equal(run_fill(build, NULL, 0, 0), ANOLE_BAD_REQUEST);
    fixture.plugin->release(fixture.session, build);
}

static void test_refuse_a_launch_that_does_not_fit(void **state)
{
    (void)state;
    struct anole_task task = small_task();
    struct anole_launch launch = fill_launch();
    launch.local[0] = 1u << 24;
    launch.global[0] = 1u << 24;
    struct anole_kernel kernel = kernel_with(fill, &launch, &task);
    struct anole_build *build = NULL;
    assert_int_equal(fixture.plugin->build(fixture.session, &kernel, NULL, 0, &build, &message),
                     ANOLE_LAUNCH_FAILED);
    assert_non_null(strstr(message.text, "work-groups of 16777216"));
}

/* -------------------------------------------------------------- its threads */

/* A thread that was there before the driver: it waits for the end of the pipe. */
static struct {
    pthread_t thread;
    int pipe[2];
    _Atomic pid_t id;
} bystander;

static void *stand_by(void *unused)
{
    char byte;
    bystander.id = gettid();
    while (read(bystander.pipe[0], &byte, 1) > 0)
        ;
    return unused;
}

static double property(const char *name)
{
    for (uint32_t i = 0; i < fixture.device.property_count; i++)
        if (!strcmp(fixture.device.properties[i].name, name))
            return fixture.device.properties[i].value;
    fail_msg("the device has no property %s", name);
    return 0;
}

static void test_run_pins_the_drivers_threads(void **state)
{
    (void)state;
    cpu_set_t ours, theirs, cores;
    size_t pinned = 0;
    struct anole_launch launch = fill_launch();
    struct anole_build *build = build_fill(&launch);
    struct anole_buffer *buffer = NULL;
    assert_int_equal(fixture.plugin->buffer_create(fixture.session, 16384, &buffer, &message),
                     ANOLE_OK);
    assert_int_equal(run_fill(build, buffer, 4096, 32), ANOLE_OK);

    assert_int_equal(sched_getaffinity(0, sizeof ours, &ours), 0);
    CPU_ZERO(&cores);
    DIR *threads = opendir("/proc/self/task");
    assert_non_null(threads);
    for (struct dirent *entry = readdir(threads); entry; entry = readdir(threads)) {
        pid_t id = (pid_t)atol(entry->d_name);
        if (id <= 0 || id == gettid() || sched_getaffinity(id, sizeof theirs, &theirs))
            continue;
        if (id == bystander.id) {
            assert_true(CPU_EQUAL(&ours, &theirs));
        } else if (CPU_COUNT(&theirs) == 1) {
            pinned++;
            CPU_OR(&cores, &cores, &theirs);
        }
    }
    closedir(threads);
    if (CPU_COUNT(&ours) > 1 && property("pinned_threads") > 0 && !getenv("ANOLE_TEST_DRIVER")) {
        assert_true((double)pinned == property("pinned_threads"));
        assert_int_equal(CPU_COUNT(&cores),
                         (int)pinned < CPU_COUNT(&ours) ? (int)pinned : CPU_COUNT(&ours));
    }
    fixture.plugin->buffer_destroy(fixture.session, buffer);
    fixture.plugin->release(fixture.session, build);
}

static int open_device(void **state)
{
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    /* LeakSanitizer's tracer crashes at the end, with PoCL's device without threads beside
     * its pool and the bystander: test_queues, without a bystander, has both here. */
    setenv("ANOLE_CPU_QUEUES", "pool", 1);
#endif
    assert_int_equal(pipe(bystander.pipe), 0);
    assert_int_equal(pthread_create(&bystander.thread, NULL, stand_by, NULL), 0);
    while (!bystander.id)
        sched_yield();
    if (!kernel_fixture_init(&fixture))
        exit(77); /* skipped, says Automake */
    return 0;
}

static int close_device(void **state)
{
    (void)state;
    kernel_fixture_fini(&fixture);
    close(bystander.pipe[1]);
    pthread_join(bystander.thread, NULL);
    close(bystander.pipe[0]);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list_drivers_by_name),
        cmocka_unit_test(test_list_drivers_by_bare_name),
        cmocka_unit_test(test_refuse_a_second_driver),
        cmocka_unit_test(test_describe_a_cpu),
        cmocka_unit_test(test_write_no_more_than_the_message_holds),
        cmocka_unit_test(test_buffer_keeps_what_is_written),
        cmocka_unit_test(test_build_failure_shows_the_compilers_words),
        cmocka_unit_test(test_build_failure_names_a_missing_kernel),
        cmocka_unit_test(test_build_refuses_more_local_memory_than_there_is),
        cmocka_unit_test(test_build_refuses_arguments_of_more_local_memory_than_there_is),
        cmocka_unit_test(test_build_again_from_its_binary),
        cmocka_unit_test(test_run_writes_only_its_binding),
        cmocka_unit_test(test_templates_do_without_the_compilers_header),
        cmocka_unit_test(test_other_kernels_have_the_compilers_header),
        cmocka_unit_test(test_share_a_program_as_long_as_a_build_lives),
        cmocka_unit_test(test_refuse_a_tensor_that_is_not_there),
        cmocka_unit_test(test_refuse_a_launch_that_does_not_fit),
        cmocka_unit_test(test_run_pins_the_drivers_threads),
    };
    return cmocka_run_group_tests(tests, open_device, close_device);
}
