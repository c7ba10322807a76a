/* SPDX-License-Identifier: MIT
 *
 * Kernels of the user's own, without a device: read, sent, generated, judged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "kernel/t1_kernel.h"
#include "plugin/kernel.h"
#include "exec/custom_data.h"
#include "worker/custom_wire.h"
#include "exec/guarded.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/anole-test-custom-XXXXXX";

static const char source[] = "__kernel void f(__global const float *a, __global float *b) {}\n";

/* ------------------------------------------------------------------- helpers */

static const char *in_folder(const char *name)
{
    static char paths[2][256];
    static int next;
    next = !next;
    snprintf(paths[next], sizeof paths[next], "%s/%s", folder, name);
    return paths[next];
}

static void put(const char *name, const void *data, size_t bytes)
{
    FILE *file = fopen(in_folder(name), "w");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, bytes, file), bytes);
    assert_int_equal(fclose(file), 0);
}

#define SPACE                                                                                      \
    "{\"TuningParameters\": ["                                                                     \
    "{\"Name\": \"WG\", \"Type\": \"int\", \"Values\": \"[1, 2, 4, 8]\", \"Default\": 2},"         \
    "{\"Name\": \"SCALE\", \"Type\": \"float\", \"Values\": \"[0.5, 0.25]\"},"                     \
    "{\"Name\": \"LAYOUT\", \"Type\": \"string\", \"Values\": \"['row', 'column']\"},"             \
    "{\"Name\": \"N\", \"Type\": \"int\", \"Values\": \"[64]\"}], \"Conditions\": ["               \
    "{\"Expression\": \"WG <= DEVICE_MAX_WORK_GROUP and LAYOUT == 'row'\"}]}"

#define LAUNCH                                                                                     \
    "\"Language\": \"OpenCL\", \"KernelName\": \"f\", \"KernelFile\": \"f.cl\","                   \
    "\"ProblemSize\": [64, \"2 * 8\"], \"CompilerOptions\": [\"-cl-mad-enable\", \"-DX=1\"],"      \
    "\"GlobalSize\": {\"X\": \"ProblemSize[0]\", \"Y\": \"max(WG) * ProblemSize[1]\"},"            \
    "\"LocalSize\": {\"X\": \"WG\", \"Y\": 2}"

#define A                                                                                          \
    "{\"Name\": \"a\", \"Type\": \"float\", \"MemoryType\": \"Vector\","                           \
    "\"AccessType\": \"ReadOnly\", \"Size\": \"ProblemSize[0] * N\"}"
#define B                                                                                          \
    "{\"Name\": \"b\", \"Type\": \"float2\", \"MemoryType\": \"Vector\","                          \
    "\"AccessType\": \"WriteOnly\", \"Size\": 3}"
#define C                                                                                          \
    "{\"Name\": \"c\", \"Type\": \"uint8\", \"MemoryType\": \"Vector\","                           \
    "\"AccessType\": \"ReadWrite\", \"Size\": 5, \"FillType\": \"Constant\", \"FillValue\": 7}"
#define REST                                                                                       \
    "{\"Name\": \"d\", \"Type\": \"float\", \"MemoryType\": \"Scalar\", \"FillValue\": \"SCALE * " \
    "WG\"},"                                                                                       \
    "{\"Name\": \"e\", \"Type\": \"int16\", \"MemoryType\": \"Scalar\", \"FillValue\": -3},"       \
    "{\"Name\": \"l\", \"Type\": \"float4\", \"MemoryType\": \"Local\", \"Size\": \"WG + 1\"}"

static enum anole_status load(struct anole_custom_kernel **custom, const char *space,
                              const char *specification, struct anole_error *error)
{
    static char text[16384];
    *error = (struct anole_error){.status = ANOLE_DONE};
    int length =
        snprintf(text, sizeof text,
                 "{\"General\": {\"BenchmarkName\": \"test\"}, \"ConfigurationSpace\": %s, "
                 "\"KernelSpecification\": {%s}}",
                 space, specification);
    put("T1.json", text, (size_t)length);
    return anole_t1_kernel_load(custom, in_folder("T1.json"), true, error);
}

static struct anole_custom_kernel *read_kernel(const char *specification)
{
    struct anole_custom_kernel *custom = NULL;
    struct anole_error error;
    if (load(&custom, SPACE, specification, &error) != ANOLE_DONE)
        fail_msg("%s", error.text);
    return custom;
}

static struct anole_custom_kernel *usual(void)
{
    return read_kernel(LAUNCH ", \"Arguments\": [" A ", " B ", " C ", " REST "]");
}

static const struct anole_device device = {.size = sizeof device,
                                           .max_work_group = 4,
                                           .max_work_items = {64, 64, 64},
                                           .local_memory = 1024};

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    put("f.cl", source, sizeof source - 1);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    static const char *const names[] = {"f.cl", "T1.json", "raw", "short", "nul.cl"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(in_folder(names[i]));
    return rmdir(folder);
}

/* ------------------------------------------------------------------- reading */

static void test_read_what_the_file_says(void **state)
{
    (void)state;
    struct anole_custom_kernel *custom = usual();
    const struct anole_custom_argument *a = custom->arguments;
    assert_string_equal(custom->base.name, "test");
    assert_int_equal(custom->base.language, ANOLE_OPENCL_C);
    assert_string_equal(custom->launch.options, "-cl-mad-enable -DX=1");
    assert_int_equal(custom->argument_count, 6);
    assert_int_equal(a[0].count, 64 * 64);
    assert_int_equal(a[0].fill, ANOLE_FILL_RANDOM);
    assert_int_equal(a[1].count, 6);
    assert_true(a[1].writable && a[1].checked && a[2].writable && a[2].checked);
    assert_true(a[1].fill == ANOLE_FILL_NONE && a[1].unread && !a[2].unread);
    assert_int_equal(a[2].element, ANOLE_ELEMENT_UINT8);
    assert_true(a[2].fill == ANOLE_FILL_CONSTANT && a[2].fill_value == 7);
    assert_true(a[1].tolerance == 1e-4 && a[2].tolerance == 0);
    /* Pages of their own, and one between. */
    assert_int_equal(custom->base.input_bytes, 4 * 4096 + 4096);
    assert_int_equal(a[2].offset, 8192);
    assert_int_equal(custom->base.output_bytes, 16384);
    assert_true(anole_custom_needs_run(custom));
    anole_custom_destroy(custom);
}

#define HEAD "\"Language\": \"OpenCL\", \"KernelName\": \"f\", \"KernelFile\": \"f.cl\", "
#define DATA(more) LAUNCH ", \"Arguments\": [" B "], \"ReferenceData\": {" more "}"
#define REFERENCE(target, more)                                                                    \
    LAUNCH ", \"Arguments\": [" A ", " B "], \"ReferenceArguments\": [{\"Name\": \"r\", "          \
           "\"TargetName\": \"" target "\"" more "}]"

static void test_refuse_what_cannot_be_run(void **state)
{
    (void)state;
    static const struct {
        const char *specification, *part;
    } cases[] = {
        {"", "KernelSpecification.Language"},
        {"\"Language\": \"CUDA\"", "\"CUDA\"; expected \"OpenCL\""},
        {"\"Language\": \"OpenCL\"", "KernelSpecification.KernelName"},
        {"\"Language\": \"OpenCL\", \"KernelName\": \"f\"", "KernelFile"},
        {"\"Language\": \"OpenCL\", \"KernelName\": \"f\", \"KernelFile\": \"none.cl\"",
         "none.cl: there is no such file"},
        {"\"Language\": \"OpenCL\", \"KernelName\": \"f\", \"KernelFile\": \"nul.cl\"", "NUL"},
        {"\"Language\": \"OpenCL\", \"KernelName\": \"f\", \"KernelFile\": []", "at least one"},
        {"\"Language\": \"OpenCL\", \"KernelName\": \"f\", \"KernelFile\": \"f.cl\"", "GlobalSize"},
        {"\"Language\": \"OpenCL\", \"KernelName\": \"f\", \"KernelFile\": \"f.cl\", "
         "\"GlobalSize\": {\"X\": \"Y\"}",
         "GlobalSize.X: expression \"Y\""},
        {"\"Language\": \"OpenCL\", \"KernelName\": \"f\", \"KernelFile\": \"f.cl\", "
         "\"GlobalSize\": {\"X\": \"ProblemSize[3]\"}",
         "ProblemSize[3]"},
        {"\"Language\": \"OpenCL\", \"KernelName\": \"f\", \"KernelFile\": \"f.cl\", "
         "\"ProblemSize\": [\"ProblemSize[0]\"], \"GlobalSize\": {\"X\": \"ProblemSize[0]\"}",
         "speaks of ProblemSize itself"},
        {"\"Language\": \"OpenCL\", \"KernelName\": \"f\", \"KernelFile\": \"f.cl\", "
         "\"GlobalSize\": 3",
         "GlobalSize: expected {"},
        {LAUNCH, "Arguments: expected an array of 1 to 16"},
        {LAUNCH ", \"Arguments\": [3]", "Arguments[0]"},
        {LAUNCH ", \"Arguments\": [" A "]", "no vector is written"},
        {LAUNCH ", \"Arguments\": [" B ", " B "]", "another of that name"},
        {LAUNCH ", \"Arguments\": [{\"Name\": \"x\", \"Type\": \"custom\"}]", "\"Type\""},
        {LAUNCH ", \"Arguments\": [{\"Name\": \"x\", \"Type\": \"float5\"}]", "\"Type\""},
        {LAUNCH ", \"Arguments\": [{\"Name\": \"x\", \"Type\": \"int\"}]", "\"MemoryType\""},
        {LAUNCH ", \"Arguments\": [{\"Name\": \"x\", \"Type\": \"float2\", \"MemoryType\": "
                "\"Scalar\", \"FillValue\": 1}]",
         "vector type"},
        {LAUNCH ", \"Arguments\": [{\"Name\": \"x\", \"Type\": \"int\", \"MemoryType\": "
                "\"Vector\", \"AccessType\": \"ReadOnly\"}]",
         "\"Size\""},
        {LAUNCH ", \"Arguments\": [{\"Name\": \"x\", \"Type\": \"int\", \"MemoryType\": "
                "\"Vector\", \"AccessType\": \"ReadOnly\", \"Size\": \"WG\"}]",
         "write max(WG)"},
        {LAUNCH ", \"Arguments\": [{\"Name\": \"x\", \"Type\": \"int\", \"MemoryType\": "
                "\"Vector\", \"AccessType\": \"WriteOnly\", \"Size\": 1e12}]",
         "more than 1 GiB"},
        {LAUNCH ", \"Arguments\": [{\"Name\": \"x\", \"Type\": \"int\", \"MemoryType\": "
                "\"Vector\", \"AccessType\": \"ReadOnly\", \"Size\": 1, \"FillType\": \"Script\"}]",
         "\"FillType\" is the text \"Script\""},
        {LAUNCH ", \"Arguments\": [{\"Name\": \"x\", \"Type\": \"int\", \"MemoryType\": "
                "\"Vector\", \"AccessType\": \"ReadOnly\", \"Size\": 1, \"Output\": 1}]",
         "it is an output"},
        {LAUNCH ", \"Arguments\": [{\"Name\": \"x\", \"Type\": \"int\", \"MemoryType\": "
                "\"Vector\", \"AccessType\": \"ReadOnly\", \"Size\": 4, \"FillType\": "
                "\"BinaryRaw\", \"DataSource\": \"short\"}]",
         "short has 3 bytes; expected 16"},
        {LAUNCH ", \"Arguments\": [" B "], \"Tolerance\": -1", "\"Tolerance\" is -1"},
        {LAUNCH ", \"Arguments\": [" B "], \"ReferenceKernel\": {}", "ReferenceKernel.KernelName"},
        {LAUNCH ", \"Arguments\": [" B "], \"ReferenceData\": {}", "\"ReferenceArguments\""},
        {LAUNCH ", \"Arguments\": [" B "], \"ReferenceData\": {\"ReferenceArguments\": "
                "[{\"Name\": \"z\"}]}",
         "it is for no output"},
        {DATA("\"Frobnicate\": 1"), "ReferenceData: \"Frobnicate\" is not understood"},
        {DATA("\"ValidationMethod\": \"Guess\""), "expected one of AbsoluteDifference, SideBy"},
        {DATA("\"ValidationThreshold\": -1"), "\"ValidationThreshold\" is -1"},
        {DATA("\"ValidationPairs\": {}"), "\"ValidationPairs\" is an object"},
        {LAUNCH ", \"Arguments\": [" B "], \"ReferenceArguments\": 3",
         "\"ReferenceArguments\" is the number 3"},
        {REFERENCE("b", ""), "\"FillType\" is nothing; expected one of Constant, BinaryRaw"},
        {REFERENCE("b", ", \"FillType\": \"Random\""), "expected one of Constant, BinaryRaw"},
        {REFERENCE("b", ", \"FillType\": \"\""), "expected one of Constant, BinaryRaw"},
        {REFERENCE("a", ", \"FillType\": \"Constant\""),
         "ReferenceArguments[0]: it is for no output"},
        {REFERENCE("b", ", \"FillType\": \"Constant\", \"ValidationRange\": 3"),
         "\"ValidationRange\" is not understood"},
        {REFERENCE("b", ", \"FillType\": \"Constant\", \"ValidationThreshold\": \"WG\""),
         "the same for every config"},
        {REFERENCE("b",
                   ", \"FillType\": \"Constant\"}, {\"Name\": \"b\", \"FillType\": \"Constant\""),
         "ReferenceArguments[1]: it is a second reference"},
        {LAUNCH ", \"Arguments\": [" B "], \"ReferenceClass\": \"x\"",
         "ReferenceClass: is not understood"},
        {LAUNCH ", \"Arguments\": [" B "], \"ValidationMethod\": \"x\"",
         "ValidationMethod: is not understood"},
        {LAUNCH ", \"Arguments\": [{\"Name\": \"x\", \"Type\": \"int\", \"MemoryType\": "
                "\"Vector\", \"AccessType\": \"WriteOnly\", \"Size\": 1, \"Output\": \"yes\"}]",
         "\"Output\" is the text \"yes\"; expected 1, 0, true or false"},
        {LAUNCH ", \"Arguments\": [{\"Name\": \"x\", \"Type\": \"int\", \"MemoryType\": "
                "\"Vector\", \"AccessType\": \"WriteOnly\", \"Size\": 1, \"Tolerance\": 0}], "
                "\"ReferenceArguments\": [{\"Name\": \"x\", \"FillType\": \"Constant\", "
                "\"ValidationThreshold\": 1}]",
         "not both"},
        {LAUNCH ", \"SharedMemory\": 1024", "SharedMemory: is the number 1024; expected 0"},
        {LAUNCH ", \"GlobalSizeType\": \"opencl\"", "GlobalSizeType: is the text \"opencl\""},
        {LAUNCH ", \"GridDivY\": [3.5]", "GridDivY: expected parameters, expressions and whole"},
        {LAUNCH ", \"GridDivZ\": [null]", "GridDivZ: expected parameters, expressions and whole"},
        {LAUNCH ", \"GridDivX\": {}", "GridDivX: expected parameters, expressions and whole"},
        {HEAD "\"ProblemSize\": {\"X\": 1}", "ProblemSize: expected numbers or expressions"},
        {HEAD "\"ProblemSize\": [1, true]", "ProblemSize[1]: expected numbers or expressions"},
        {HEAD "\"ProblemSize\": 64",
         "LocalSize: is missing, and there is no parameter block_size_x"},
        {HEAD "\"GridDivX\": [\"WG\"]", "ProblemSize: is missing"},
        {HEAD "\"CompilerOptions\": 3", "CompilerOptions: expected texts, found the number 3"},
        {HEAD "\"GlobalSize\": {\"x\": 64}",
         "GlobalSize: expected \"X\", \"Y\" and \"Z\", found \"x\""},
        {LAUNCH ", \"Arguments\": [{\"Name\": \"x\", \"Type\": \"float4\", \"TypeSize\": 4}]",
         "\"TypeSize\" is the number 4; expected 16"},
    };
    put("short", "abc", 3);
    put("nul.cl", "a\0b", 3);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct anole_custom_kernel *custom = NULL;
        struct anole_error error;
        if (load(&custom, SPACE, cases[i].specification, &error) != ANOLE_ERR_INPUT || custom)
            fail_msg("not refused: %s", cases[i].specification);
        if (!strstr(error.text, cases[i].part) || !strstr(error.text, "T1.json: "))
            fail_msg("\"%s\" is not in: %s", cases[i].part, error.text);
    }
}

static void test_change_the_key_with_all_that_matters(void **state)
{
    (void)state;
    struct anole_task first, second;
    struct anole_custom_kernel *custom = usual();
    char key[ANOLE_TASK_KEY], other[ANOLE_TASK_KEY];
    anole_custom_task(&first, custom);
    anole_task_key(key, &first);
    assert_int_equal(anole_task_check(&first, NULL), ANOLE_DONE);
    assert_int_equal(anole_task_parse_key(&second, key, NULL), ANOLE_DONE);
    assert_non_null(strstr(key, "custom test-"));
    struct anole_custom_kernel *again = usual();
    assert_true(again->base.digest == custom->base.digest);
    anole_custom_destroy(again);
    put("f.cl", "/* other */", 11);
    again = usual();
    anole_custom_task(&second, again);
    anole_task_key(other, &second);
    assert_string_not_equal(key, other);
    put("f.cl", source, sizeof source - 1);
    anole_custom_destroy(again);
    again = read_kernel(LAUNCH ", \"Arguments\": [" A ", " B ", " C "]");
    assert_true(again->base.digest != custom->base.digest);
    anole_custom_destroy(again);
    anole_custom_destroy(custom);
}

/* ------------------------------------------------------------------- elements */

static void test_store_and_load_elements(void **state)
{
    (void)state;
    static const struct {
        uint32_t element;
        double number, expected;
    } cases[] = {
        {ANOLE_ELEMENT_INT8, -128, -128},       {ANOLE_ELEMENT_INT8, -1000, -128},
        {ANOLE_ELEMENT_INT8, 127.4, 127},       {ANOLE_ELEMENT_UINT8, -1, 0},
        {ANOLE_ELEMENT_UINT8, 300, 255},        {ANOLE_ELEMENT_INT16, -3, -3},
        {ANOLE_ELEMENT_INT32, -2e9, -2e9},      {ANOLE_ELEMENT_INT32, 1e10, 2147483647},
        {ANOLE_ELEMENT_UINT32, 4e9, 4e9},       {ANOLE_ELEMENT_INT64, -0x1p63, -0x1p63},
        {ANOLE_ELEMENT_UINT64, 0x1p63, 0x1p63}, {ANOLE_ELEMENT_FLOAT, 0.1, (double)0.1f},
        {ANOLE_ELEMENT_DOUBLE, 0.1, 0.1},       {ANOLE_ELEMENT_HALF, 1.0 / 3, 0x1.554p-2},
        {ANOLE_ELEMENT_HALF, 65504, 65504},     {ANOLE_ELEMENT_HALF, -1e6, -INFINITY},
        {ANOLE_ELEMENT_HALF, 0x1p-24, 0x1p-24}, {ANOLE_ELEMENT_HALF, 0x1.ff8p-15, 0x1.ff8p-15},
        {ANOLE_ELEMENT_HALF, 0x1.002p0, 1.0},   {ANOLE_ELEMENT_HALF, 0x1.006p0, 0x1.008p0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t memory = 0;
        anole_element_store(&memory, cases[i].element, cases[i].number);
        double found = anole_element_load(&memory, cases[i].element);
        if (found != cases[i].expected)
            fail_msg("%s of %.17g: %.17g, not %.17g", anole_element_text(cases[i].element),
                     cases[i].number, found, cases[i].expected);
    }
}

/* ------------------------------------------------------------------- the wire */

static void test_send_and_receive(void **state)
{
    (void)state;
    struct anole_wire wire, reader, again;
    struct anole_custom_kernel *custom = usual(), *read = NULL;
    int refused = 0;
    anole_wire_writer_init(&wire);
    anole_wire_custom(&wire, &custom);
    assert_false(wire.failed);
    anole_wire_reader_init(&reader, wire.data, wire.length);
    anole_wire_custom(&reader, &read);
    assert_true(anole_wire_complete(&reader));
    assert_int_equal(read->base.output_bytes, custom->base.output_bytes);
    assert_string_equal(read->base.name, "test");
    anole_wire_writer_init(&again);
    anole_wire_custom(&again, &read);
    assert_int_equal(again.length, wire.length);
    assert_memory_equal(again.data, wire.data, wire.length);
    anole_custom_destroy(read);
    for (size_t length = 0; length < wire.length; length++) {
        anole_wire_reader_init(&reader, wire.data, length);
        anole_wire_custom(&reader, &read);
        assert_true(reader.failed);
        assert_null(read);
    }
    /* Only vectors are compared: the data of a scalar have no place. */
    for (size_t i = 0; i < custom->argument_count; i++) {
        struct anole_custom_argument *argument = &custom->arguments[i];
        if (argument->memory == ANOLE_CUSTOM_VECTOR)
            continue;
        for (int what = 0; what < 2; what++) {
            argument->checked = what == 0;
            argument->reference = what == 1 ? ANOLE_FILL_CONSTANT : ANOLE_FILL_NONE;
            anole_wire_fini(&again);
            anole_wire_writer_init(&again);
            anole_wire_custom(&again, &custom);
            anole_wire_reader_init(&reader, again.data, again.length);
            anole_wire_custom(&reader, &read);
            assert_true(reader.failed);
            refused++;
        }
        argument->checked = false;
        argument->reference = ANOLE_FILL_NONE;
    }
    assert_true(refused > 0);
    anole_wire_fini(&again);
    anole_wire_writer_init(&again);
    anole_wire_custom(&again, &custom);
    /* A byte changed anywhere is read, or refused; nothing worse. */
    for (size_t at = 0; at < wire.length; at++) {
        again.data[at] ^= 0x81;
        anole_wire_reader_init(&reader, again.data, again.length);
        anole_wire_custom(&reader, &read);
        anole_custom_destroy(read);
        again.data[at] ^= 0x81;
    }
    anole_wire_fini(&again);
    anole_wire_fini(&wire);
    anole_custom_destroy(custom);
}

/* ------------------------------------------------------------------ generation */

/* A plugin that generates nothing: its op must not be asked. */
static int never_generate(const struct anole_device *d, const struct anole_task *task,
                          const int64_t *values, uint32_t count,
                          struct anole_kernel_builder *builder, struct anole_message *message)
{
    (void)d, (void)task, (void)values, (void)count, (void)builder, (void)message;
    return ANOLE_UNSUPPORTED;
}

static const struct anole_backend backend = {
    .plugin = {.name = "none", .generate = never_generate}};

static void test_generate_the_kernel_of_a_config(void **state)
{
    (void)state;
    static const int64_t values[] = {2, 25, 0, 64};
    struct anole_error error = {0};
    struct anole_generated *generated = NULL;
    struct anole_custom_kernel *custom = usual();
    struct anole_task task;
    float scale;
    anole_custom_task(&task, custom);
    if (anole_backend_generate(&generated, &backend, &device, &task, values, 4, &error))
        fail_msg("%s", error.text);
    const struct anole_kernel *kernel = &generated->kernel;
    const struct anole_launch *launch = kernel->launches;
    assert_string_equal(kernel->source, "#define WG 2\n#define SCALE 0.25\n#define LAYOUT row\n"
                                        "#define N 64\n#line 1\n"
                                        "__kernel void f(__global const float *a, __global float "
                                        "*b) {}\n\n");
    assert_string_equal(kernel->options, "-cl-mad-enable -DX=1");
    assert_int_equal(kernel->launch_count, 1);
    assert_string_equal(launch->kernel, "f");
    assert_int_equal(launch->dimensions, 2);
    assert_int_equal(launch->global[0], 64);
    assert_int_equal(launch->global[1], 8 * 16);
    assert_int_equal(launch->local[0], 2);
    assert_int_equal(launch->local[1], 2);
    assert_int_equal(launch->arg_count, 6);
    assert_true(launch->args[0].role == ANOLE_ROLE_INPUT && launch->args[0].value == 0);
    assert_true(launch->args[2].role == ANOLE_ROLE_OUTPUT && launch->args[2].value == 8192);
    assert_true(launch->args[3].role == ANOLE_ROLE_VALUE && launch->args[3].bytes == 4);
    uint32_t bits = (uint32_t)launch->args[3].value;
    memcpy(&scale, &bits, sizeof scale);
    assert_true(scale == 0.5f);
    assert_int_equal((uint16_t)launch->args[4].value, 0xfffd);
    assert_true(launch->args[5].role == ANOLE_ROLE_LOCAL && launch->args[5].value == 48);
    anole_generated_destroy(generated);
    anole_custom_destroy(custom);
}

static void test_keep_the_space_within_the_device(void **state)
{
    (void)state;
    struct anole_space *space = NULL;
    struct anole_error error = {0};
    struct anole_custom_kernel *custom = usual();
    bool exact;
    if (anole_custom_space(&space, custom, &device, &error))
        fail_msg("%s", error.text);
    /* WG * 2 <= 4; row alone; both scales. */
    assert_true(anole_space_count(space, 1000, &exact) == 2 * 2);
    anole_space_destroy(space);
    struct anole_device small = device;
    small.local_memory = 2 * 16;
    if (anole_custom_space(&space, custom, &small, &error))
        fail_msg("%s", error.text);
    assert_true(anole_space_count(space, 1000, &exact) == 1 * 2);
    anole_space_destroy(space);
    struct anole_device unknown = {.size = sizeof unknown};
    if (anole_custom_space(&space, custom, &unknown, &error))
        fail_msg("%s", error.text);
    assert_true(anole_space_count(space, 1000, &exact) == 4 * 2);
    anole_space_destroy(space);
    anole_custom_destroy(custom);
}

static void test_refuse_sizes_that_are_none(void **state)
{
    (void)state;
    static const int64_t values[] = {4, 25, 0, 64};
    struct anole_generated *generated = NULL;
    struct anole_task task;
    struct anole_error error = {0};
    struct anole_custom_kernel *custom = usual();
    anole_custom_task(&task, custom);
    free(custom->launch.global[0]);
    custom->launch.global[0] = strdup("WG / 8");
    assert_int_equal(
        anole_backend_generate(&generated, &backend, &device, &task, values, 4, &error),
        ANOLE_ERR_INPUT);
    assert_non_null(strstr(error.text, "GlobalSize.X, WG / 8, is 0.5"));
    anole_custom_destroy(custom);
}

/* The work-items in X and Y, and the work-group's size in X, of WG = 4 or of block_size_x = 8
 * and block_size_y = 2. */
static void check_launch(const char *space, const char *sizes, int64_t x, int64_t y, int64_t local)
{
    char text[1024];
    static const int64_t values[] = {4, 25, 0, 64}, blocks[] = {8, 2};
    bool own = strstr(space, "block_size_x");
    snprintf(text, sizeof text,
             "\"Language\": \"OpenCL\", \"KernelName\": \"f\", \"KernelFile\": [\"f.cl\"], "
             "%s, \"Arguments\": [" B "]",
             sizes);
    struct anole_custom_kernel *custom = NULL;
    struct anole_generated *generated = NULL;
    struct anole_task task;
    struct anole_error error = {0};
    if (load(&custom, space, text, &error) != ANOLE_DONE)
        fail_msg("%s", error.text);
    anole_custom_task(&task, custom);
    struct anole_device wide = device;
    wide.max_work_group = 64;
    if (anole_backend_generate(&generated, &backend, &wide, &task, own ? blocks : values,
                               own ? 2 : 4, &error))
        fail_msg("%s: %s", sizes, error.text);
    const struct anole_launch *launch = &generated->kernel.launches[0];
    if (launch->global[0] != (uint64_t)x || launch->global[1] != (uint64_t)y ||
        launch->local[0] != (uint64_t)local)
        fail_msg("%s: %llu x %llu by %llu", sizes, (unsigned long long)launch->global[0],
                 (unsigned long long)launch->global[1], (unsigned long long)launch->local[0]);
    anole_generated_destroy(generated);
    anole_custom_destroy(custom);
}

#define BLOCKS                                                                                     \
    "{\"TuningParameters\": ["                                                                     \
    "{\"Name\": \"block_size_x\", \"Type\": \"int\", \"Values\": \"[8, 16]\"},"                    \
    "{\"Name\": \"block_size_y\", \"Type\": \"int\", \"Values\": \"[1, 2]\"}]}"

static void test_understand_kernel_tuners_grid(void **state)
{
    (void)state;
    static const char wg[] = "\"GridDivX\": [\"WG\", \"2\"], \"LocalSize\": {\"X\": \"WG\"}";
    static const char *const problems[] = {"[100]", "[\"WG * 25\"]", "[\"WG * 25 + 0.5\"]", "100",
                                           "\"WG * 25\""};
    char text[512];
    for (size_t i = 0; i < sizeof problems / sizeof *problems; i++) {
        snprintf(text, sizeof text, "\"ProblemSize\": %s, %s", problems[i], wg);
        check_launch(SPACE, text, 13 * 4, 1, 4); /* ceil(100 / 8) groups */
    }
    /* Numbers among the divisors, one that stands alone, and a bare ProblemSize. */
    check_launch(SPACE,
                 "\"ProblemSize\": 100, \"GridDivX\": [\"WG\", 2], \"LocalSize\": {\"X\": \"WG\"}",
                 13 * 4, 1, 4);
    check_launch(SPACE,
                 "\"ProblemSize\": 100, \"GridDivX\": \"WG * 2\", \"LocalSize\": {\"X\": \"WG\"}",
                 13 * 4, 1, 4);
    check_launch(SPACE,
                 "\"ProblemSize\": 100, \"GlobalSize\": {\"X\": \"ProblemSize\"}, "
                 "\"LocalSize\": {\"X\": \"WG\"}",
                 100, 1, 4);
    /* What is not said is divided by the work-group's size. */
    check_launch(BLOCKS, "\"ProblemSize\": [100, 5]", 13 * 8, 3 * 2, 8);
    check_launch(BLOCKS, "\"ProblemSize\": [100, 5], \"GridDivX\": []", 13 * 8, 3 * 2, 8);
    check_launch(BLOCKS, "\"ProblemSize\": [100, 5], \"GridDivX\": [\"block_size_x\", \"2\"]",
                 7 * 8, 3 * 2, 8);
    /* Sizes in Y alone come before GlobalSize, too. */
    check_launch(BLOCKS,
                 "\"ProblemSize\": [100, 5], \"GlobalSize\": {\"X\": \"16\"}, "
                 "\"GridDivY\": [\"1\"]",
                 13 * 8, 5 * 2, 8);
    /* "block_size_x" is divided by nothing where it is told so. */
    check_launch(BLOCKS, "\"ProblemSize\": [100, 5], \"GridDivX\": [\"1\"], \"GridDivY\": [\"1\"]",
                 100 * 8, 5 * 2, 8);
}

/* ------------------------------------------------------------------- judging */

static double judge(const struct anole_custom_kernel *custom, const char *expected,
                    const char *output, const char *part)
{
    char text[256] = "";
    struct anole_custom_flaw flaw;
    double error = anole_custom_error(custom, expected, output, &flaw);
    if (error > 1)
        anole_custom_flaw_text(text, sizeof text, &flaw, "now");
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in: %s", part, text);
    return error;
}

static void test_judge_outputs(void **state)
{
    (void)state;
    struct anole_custom_kernel *custom = usual();
    size_t bytes = (size_t)custom->base.output_bytes;
    char *expected = malloc(bytes), *output = malloc(bytes);
    assert_true(expected && output);
    assert_int_equal(anole_custom_fill(expected, custom, true, 1, NULL), ANOLE_DONE);
    float *b = (float *)output;
    for (int i = 0; i < 6; i++)
        ((float *)expected)[i] = i < 5 ? 1.0f : 0.0f;
    memcpy(output, expected, bytes);
    assert_true(judge(custom, expected, output, "") == 0);
    b[1] = 1.00005f;
    assert_true(judge(custom, expected, output, "") < 1);
    b[5] = 5e-5f; /* of the size of the others' errors: it cancels */
    assert_true(judge(custom, expected, output, "") < 1);
    b[1] = 1.001f;
    judge(custom, expected, output, "output b[1] is wrong now");
    b[1] = NAN;
    judge(custom, expected, output, "output b[1] is wrong now");
    anole_guarded_fill(&b[1], sizeof b[1]);
    judge(custom, expected, output, "output b[1] was never written");
    b[1] = 1.0f;
    b[6] = 1.0f;
    judge(custom, expected, output, "wrote behind its output b now: byte 1");
    memcpy(output, expected, bytes);
    output[8192 + 4] = 8; /* bytes are held to equality */
    judge(custom, expected, output, "output c[4] is wrong now: expected 7, found 8");
    output[8192 + 5] ^= 1;
    judge(custom, expected, output, "wrote behind its output c now: byte 1");
    free(expected);
    free(output);
    anole_custom_destroy(custom);
}

/* Four numbers that should be 0, 1, 2 and 4, by what T1 says of them. */
static struct anole_custom_kernel *read_validated(const char *validation)
{
    char text[2048];
    static const float raw[] = {0, 1, 2, 4};
    put("raw", raw, sizeof raw);
    snprintf(text, sizeof text,
             "%s, \"Arguments\": [{\"Name\": \"b\", \"Type\": \"float\", \"MemoryType\": "
             "\"Vector\", \"AccessType\": \"WriteOnly\", \"Size\": 4}], \"ReferenceArguments\": "
             "[{\"Name\": \"r\", \"TargetName\": \"b\", \"FillType\": \"BinaryRaw\", "
             "\"DataSource\": \"raw\"%s}]",
             LAUNCH, validation);
    return read_kernel(text);
}

static void check_validated(const char *validation, const float found[4], const char *part)
{
    struct anole_custom_kernel *custom = read_validated(validation);
    size_t bytes = (size_t)custom->base.output_bytes;
    char *expected = malloc(bytes), *output = malloc(bytes);
    assert_true(expected && output);
    assert_false(anole_custom_needs_run(custom));
    assert_int_equal(anole_custom_fill(expected, custom, true, 1, NULL), ANOLE_DONE);
    memcpy(output, expected, bytes);
    assert_int_equal(anole_custom_expect(expected, custom, NULL), ANOLE_DONE);
    memcpy(output, found, 4 * sizeof *found);
    assert_true((judge(custom, expected, output, part) > 1) == !!*part);
    free(expected);
    free(output);
    anole_custom_destroy(custom);
}

static void test_judge_by_the_methods_of_t1(void **state)
{
    (void)state;
    static const float exact[] = {0, 1, 2, 4}, all[] = {0.5f, 1.5f, 2.5f, 4.5f},
                       one[] = {0, 1, 2, 4.75f}, zero[] = {0.001f, 1, 2, 4};
    static const char sum[] = ", \"ValidationMethod\": \"AbsoluteDifference\", "
                              "\"ValidationThreshold\": 1",
                      each[] = ", \"ValidationMethod\": \"SideBySideComparison\", "
                               "\"ValidationThreshold\": 0.5",
                      ratio[] = ", \"ValidationMethod\": \"SideBySideRelativeComparison\", "
                                "\"ValidationThreshold\": 0.25",
                      only[] = ", \"ValidationThreshold\": 0.5",
                      method[] = ", \"ValidationMethod\": \"SideBySideComparison\"";
    check_validated("", exact, "");
    check_validated("", one, "output b[3] is wrong");
    check_validated(sum, one, "");
    check_validated(sum, all, "its elements are off by 2 together, allowed 1");
    check_validated(each, all, "");
    check_validated(each, one,
                    "output b[3] is wrong now: expected 4, found 4.75, allowed error 0.5");
    check_validated(only, all, "");
    check_validated(only, one, "output b[3] is wrong");
    check_validated(ratio, one, "");
    check_validated(ratio, all, "is wrong");
    check_validated(ratio, zero, "output b[0] is wrong now: expected 0");
    check_validated(method, zero, "allowed error 0.0001");
}

static void test_take_what_was_left_out_for_the_constant(void **state)
{
    (void)state;
    struct anole_custom_kernel *custom = read_kernel(
        LAUNCH
        ", \"Arguments\": [{\"Name\": \"b\", \"Type\": \"Float\", \"MemoryType\": \"Vector\","
        "\"AccessType\": \"WriteOnly\", \"Size\": 4, \"FillType\": \"Constant\", "
        "\"FillValue\": 2.0}]");
    size_t bytes = (size_t)custom->base.output_bytes;
    float *expected = malloc(bytes), *output = malloc(bytes);
    assert_true(expected && output);
    assert_int_equal(anole_custom_fill(output, custom, true, 1, NULL), ANOLE_DONE);
    assert_true(anole_guarded_is_poison(output, 0, sizeof *output));
    memcpy(expected, output, bytes);
    expected[0] = expected[1] = expected[2] = 2.0f;
    output[3] = 2.0f; /* and here the reference has left it out */
    assert_true(judge(custom, (char *)expected, (char *)output, "") == 0);
    expected[1] = 3.0f;
    judge(custom, (char *)expected, (char *)output,
          "output b[1] was never written now: expected 3");
    free(expected);
    free(output);
    anole_custom_destroy(custom);
}

static void test_fill_from_seed_constant_and_file(void **state)
{
    (void)state;
    static const float raw[] = {1, 2, 3, 4, 5, 6};
    put("raw", raw, sizeof raw);
    struct anole_custom_kernel *custom =
        read_kernel(LAUNCH ", \"Arguments\": [" A ", " B ", " C "], \"ReferenceData\": "
                           "{\"ReferenceArguments\": [{\"Name\": \"r\", \"FillType\": "
                           "\"BinaryRaw\", \"DataSource\": \"raw\"}, {\"Name\": \"c\", "
                           "\"FillType\": \"Constant\", \"FillValue\": 9}], \"ValidationPairs\": "
                           "[{\"ReferenceName\": \"r\", \"TargetName\": \"b\"}]}");
    assert_false(anole_custom_needs_run(custom));
    float *first = malloc((size_t)custom->base.input_bytes);
    float *second = malloc((size_t)custom->base.input_bytes);
    char *answer = calloc(1, (size_t)custom->base.output_bytes);
    assert_true(first && second && answer);
    assert_int_equal(anole_custom_fill(first, custom, false, 1, NULL), ANOLE_DONE);
    assert_int_equal(anole_custom_fill(second, custom, false, 1, NULL), ANOLE_DONE);
    assert_memory_equal(first, second, custom->base.input_bytes);
    assert_int_equal(anole_custom_fill(second, custom, false, 2, NULL), ANOLE_DONE);
    assert_memory_not_equal(first, second, 4096);
    for (size_t i = 0; i < 4096; i++)
        assert_true(first[i] >= 0 && first[i] < 1);
    assert_true(anole_guarded_is_poison(first, 4096, sizeof *first));
    assert_int_equal(anole_custom_expect(answer, custom, NULL), ANOLE_DONE);
    assert_memory_equal(answer, raw, sizeof raw);
    assert_int_equal(answer[8192 + 4], 9);
    unlink(in_folder("raw"));
    struct anole_error error = {0};
    assert_int_equal(anole_custom_expect(answer, custom, &error), ANOLE_ERR_SYSTEM);
    free(first);
    free(second);
    free(answer);
    anole_custom_destroy(custom);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_what_the_file_says),
        cmocka_unit_test(test_refuse_what_cannot_be_run),
        cmocka_unit_test(test_change_the_key_with_all_that_matters),
        cmocka_unit_test(test_store_and_load_elements),
        cmocka_unit_test(test_send_and_receive),
        cmocka_unit_test(test_generate_the_kernel_of_a_config),
        cmocka_unit_test(test_keep_the_space_within_the_device),
        cmocka_unit_test(test_refuse_sizes_that_are_none),
        cmocka_unit_test(test_understand_kernel_tuners_grid),
        cmocka_unit_test(test_judge_outputs),
        cmocka_unit_test(test_judge_by_the_methods_of_t1),
        cmocka_unit_test(test_take_what_was_left_out_for_the_constant),
        cmocka_unit_test(test_fill_from_seed_constant_and_file),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
