/* SPDX-License-Identifier: MIT
 *
 * Kernels for tensor cores, without any: where they may be chosen, and that compilers
 * take the instructions.  Clang makes PTX of them; ptxas, which comes with CUDA,
 * assembles that for several architectures, if it is in PATH or named by ANOLE_PTXAS.
 * That what they compute is right is seen by tests/kernel_trials, with the instruction
 * emulated.
 */
#include "gpu_fixture.h"
#include "base/rng.h"

#include "gpu_mma_probe.cl.h"

static struct anole_device *find_gpu(const char *part)
{
    for (size_t g = 0; g < gpu_count; g++)
        if (strstr(gpus[g].name, part))
            return &gpus[g];
    fail_msg("no GPU of tests/data/gpus is called '%s'", part);
    return NULL;
}

static struct anole_generator *generator_for(const char *key, const struct anole_device *device)
{
    struct anole_task task;
    struct anole_error error = {0};
    if (anole_task_parse_key(&task, key, &error))
        fail_msg("%s", error.text);
    return generator_of(&task, device);
}

/* The value of `algorithm` that is called `name`, or -1. */
static int digit_of(const struct anole_space *space, const char *name)
{
    const size_t at = anole_space_find_knob(space, "algorithm");
    if (at >= anole_space_knob_count(space))
        return -1;
    const struct anole_space_knob *knob = anole_space_knob(space, at);
    for (size_t i = 0; i < knob->count; i++)
        if (!strcmp(knob->labels[i], name))
            return (int)i;
    return -1;
}

static bool uses(const struct anole_space *space, uint64_t config, int digit)
{
    uint16_t digits[ANOLE_MAX_KNOBS];
    anole_space_decode(space, config, digits);
    return digits[anole_space_find_knob(space, "algorithm")] == digit;
}

/* A layer in each precision: %s. */
static const char *const layers[] = {
    "conv2d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 %s bias relu",
    "conv2d n1 28x28x128 k3x3 s2x2 p1,1,1,1 d1x1 g1 o256 %s bias residual relu",
    "conv2d n1 224x224x3 k7x7 s2x2 p3,3,3,3 d1x1 g1 o64 %s bias relu",
    "conv2d n8 14x14x256 k1x1 s1x1 p0,0,0,0 d1x1 g1 o1024 %s bias relu6",
    "conv2d n1 7x7x512 k3x3 s1x1 p1,1,1,1 d1x1 g2 o512 %s",
    "dense n64 i512 o1000 %s bias",
};

#define LAYERS (sizeof layers / sizeof *layers)

static const char *key_of(char key[ANOLE_TASK_KEY], const char *layer, const char *type)
{
    const char *at = strstr(layer, "%s");
    snprintf(key, ANOLE_TASK_KEY, "%.*s%s%s", (int)(at - layer), layer, type, at + 2);
    return key;
}

/* ------------------------------------------------------------------ the choice */

static void test_tf32_is_for_those_who_ask(void **state)
{
    (void)state;
    char key[ANOLE_TASK_KEY];
    for (size_t i = 0; i < LAYERS; i++) {
        struct anole_generator *generator =
            generator_for(key_of(key, layers[i], "f32"), find_gpu("H100"));
        assert_int_equal(digit_of(anole_generator_space(generator), "tensor"), -1);
        anole_generator_destroy(generator);

        generator = generator_for(key_of(key, layers[i], "tf32"), find_gpu("H100"));
        const struct anole_space *space = anole_generator_space(generator);
        const int tensor = digit_of(space, "tensor");
        assert_true(tensor >= 0);
        assert_true(uses(space, anole_space_default(space), tensor));
        anole_generator_destroy(generator);
    }
}

static void test_devices_without_tensor_cores_do_as_in_fp32(void **state)
{
    (void)state;
    char key[ANOLE_TASK_KEY];
    for (size_t g = 0; g < gpu_count; g++) {
        struct anole_device device = gpus[g];
        for (uint32_t p = 0; p < device.property_count; p++)
            if (!strcmp(device.properties[p].name, "tensor_cores"))
                device.properties[p].value = 0;
        struct anole_generator *halves[2] = {
            generator_for(key_of(key, layers[0], "f32"), &device),
            generator_for(key_of(key, layers[0], "tf32"), &device)};
        bool exact;
        assert_int_equal(digit_of(anole_generator_space(halves[1]), "tensor"), -1);
        assert_true(anole_space_count(anole_generator_space(halves[0]), 2000, &exact) ==
                    anole_space_count(anole_generator_space(halves[1]), 2000, &exact));
        for (int i = 0; i < 2; i++)
            anole_generator_destroy(halves[i]);
    }
}

static void test_default_is_valid_and_space_large(void **state)
{
    (void)state;
    char key[ANOLE_TASK_KEY];
    for (size_t i = 0; i < 2 * LAYERS; i++) {
        struct anole_generator *generator =
            generator_for(key_of(key, layers[i / 2], i % 2 ? "f16" : "tf32"), find_gpu("H100"));
        const struct anole_space *space = anole_generator_space(generator);
        assert_true(uses(space, anole_space_default(space), digit_of(space, "tensor")));
        uint16_t digits[ANOLE_MAX_KNOBS];
        bool exact;
        for (size_t k = 0; k < anole_space_knob_count(space); k++)
            digits[k] = (uint16_t)anole_space_knob(space, k)->default_digit;
        const char *why = anole_space_violation(space, anole_space_encode(space, digits));
        if (why)
            fail_msg("%s: the default is not valid: %s", key, why);
        const double count = anole_space_count(space, 20000, &exact);
        if (count < 1e6 || count > 2e9)
            fail_msg("%s: the space has %g configs", key, count);
        anole_generator_destroy(generator);
    }
}

/* ----------------------------------------------------------------- compilers */

#define PTX                                                                                        \
    "-x cl -cl-std=CL1.2 -Xclang -finclude-default-header -target nvptx64-nvidia-nvcl "            \
    "-Xclang -target-cpu -Xclang sm_80 -Xclang -target-feature -Xclang +ptx71 -O3 -S "             \
    "-Dasm=__asm__ -Wno-pass-failed" /* without extensions Clang knows but that name of it */

static char folder[32];

static const char *ptxas(void)
{
    const char *own = getenv("ANOLE_PTXAS");
    if (own)
        return own;
    return system("command -v ptxas >/dev/null 2>&1") == 0 ? "ptxas" : NULL;
}

static bool run(const char *command)
{
    return system(command) == 0;
}

static void open_folder(void)
{
    strcpy(folder, "/tmp/anole-tensor-XXXXXX");
    assert_non_null(mkdtemp(folder));
}

static void close_folder(void)
{
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_true(run(command));
}

static void path_of(char path[64], const char *name)
{
    snprintf(path, 64, "%s/%s", folder, name);
}

/* The text of a file, to be freed. */
static char *text_of(const char *path)
{
    char *text = NULL;
    size_t size = 0;
    FILE *in = fopen(path, "r"), *out = open_memstream(&text, &size);
    assert_non_null(in);
    assert_non_null(out);
    for (int c; (c = fgetc(in)) != EOF;)
        fputc(c, out);
    fclose(in);
    fclose(out);
    return text;
}

static unsigned occurrences(const char *text, const char *part)
{
    unsigned count = 0;
    for (const char *at = text; (at = strstr(at, part)); at++)
        count++;
    return count;
}

static void write_source(const char *path, const char *source)
{
    const char *data = getenv("ANOLE_TEST_DATA");
    char prelude[4096];
    snprintf(prelude, sizeof prelude, "%s/nvptx.cl", data ? data : "tests/data");
    char *text = text_of(prelude);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    assert_true(fputs(text, out) >= 0 && fputs(source, out) >= 0);
    assert_int_equal(fclose(out), 0);
    free(text);
}

/* What `ptxas -v` says of the kernel `gemm`: registers, bytes spilled and of local
 * memory. */
static void read_report(const char *report, unsigned found[3])
{
    const char *at = strstr(report, "Function properties for gemm\n");
    unsigned stores = 0, loads = 0;
    assert_non_null(at);
    at = strstr(at, "stack frame");
    assert_int_equal(sscanf(at, "stack frame, %u bytes spill stores, %u", &stores, &loads), 2);
    at = strstr(at, "Used ");
    assert_non_null(at);
    found[0] = (unsigned)strtoul(at + 5, NULL, 10);
    found[1] = stores + loads;
    const char *end = strchr(at, '\n'), *shared = strstr(at, " bytes smem");
    while (shared && shared > at && shared[-1] >= '0' && shared[-1] <= '9')
        shared--;
    found[2] = shared && shared < end ? (unsigned)strtoul(shared, NULL, 10) : 0;
}

/* Those that this ptxas knows; a kernel for all to come must be taken by each. */
static void assemble(const char *ptx, const struct anole_generated *generated, const char *values,
                     bool standard)
{
    static const char *const architectures[] = {"sm_80", "sm_86", "sm_90", "sm_100", "sm_120"};
    char command[512], log[64];
    path_of(log, "log");
    for (size_t i = 0; i < sizeof architectures / sizeof *architectures; i++) {
        snprintf(command, sizeof command, "%s -v -arch=%s -o /dev/null %s >%s 2>&1", ptxas(),
                 architectures[i], ptx, log);
        const bool taken = run(command);
        char *report = text_of(log);
        if (!taken && strstr(report, "not defined for option 'gpu-name'")) {
            print_message("%s is unknown to this ptxas\n", architectures[i]);
            free(report);
            continue;
        }
        if (!taken)
            fail_msg("%s: ptxas takes it not for %s: %s", values, architectures[i], report);
        unsigned found[3];
        read_report(report, found);
        print_message("  %-7s %3u registers, %4u bytes spilled, %5u of local memory\n",
                      architectures[i], found[0], found[1], found[2]);
        assert_true(found[0] * generated->kernel.launches[0].local[0] <= 65536);
        assert_true(found[2] <= 49152);
        if (standard && found[1])
            fail_msg("%s: the default spills %u bytes", values, found[1]);
        free(report);
    }
}

static void compile(const struct anole_generator *generator, uint64_t config, bool standard)
{
    char source[64], ptx[64], command[512], values[640];
    struct anole_generated *generated = kernel_of(generator, config);
    path_of(source, "kernel.cl");
    path_of(ptx, "kernel.ptx");
    anole_space_describe(anole_generator_space(generator), values, sizeof values, config);
    print_message("%s\n", values);
    assert_null(strstr(generated->kernel.source, "#define MMA_EMULATED 1"));
    write_source(source, generated->kernel.source);
    snprintf(command, sizeof command, "%s " PTX " -o %s %s", clang(), ptx, source);
    if (!run(command))
        fail_msg("this does not compile: %s", values);
    char *text = text_of(ptx);
    /* Every instruction of a step, in one piece of code. */
    const struct anole_space *space = anole_generator_space(generator);
    uint16_t digits[ANOLE_MAX_KNOBS];
    int64_t expected = 1;
    static const char *const factors[] = {"mma_tiles_m", "mma_tiles_n", "mma_depth"};
    anole_space_decode(space, config, digits);
    for (size_t i = 0; i < 3; i++) {
        const size_t knob = anole_space_find_knob(space, factors[i]);
        expected *= anole_space_knob(space, knob)->values[digits[knob]];
    }
    const bool halves = anole_generator_task(generator)->dtype == ANOLE_F16;
    assert_true(occurrences(text, halves ? "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32"
                                         : "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32") >=
                expected / 8);
    assert_true(halves || occurrences(text, "cvt.rna.tf32.f32") > 0);
    assert_int_equal(occurrences(text, ".extern"), 0);
    assert_int_equal(occurrences(text, ".local "), 0); /* arrays have become registers */
    free(text);
    if (ptxas())
        assemble(ptx, generated, values, standard);
    anole_generated_destroy(generated);
}

static void test_compilers_take_the_instructions(void **state)
{
    (void)state;
    struct anole_rng rng;
    anole_rng_init(&rng, 11);
    if (!clang()) {
        print_message("no Clang here: nothing is compiled\n");
        skip();
    }
    if (!ptxas())
        print_message("no ptxas here (ANOLE_PTXAS names one): nothing is assembled\n");
    open_folder();
    for (size_t i = 0; i < 2 * LAYERS; i++) {
        char key[ANOLE_TASK_KEY];
        struct anole_generator *generator =
            generator_for(key_of(key, layers[i / 2], i % 2 ? "f16" : "tf32"), find_gpu("H100"));
        const struct anole_space *space = anole_generator_space(generator);
        const int tensor = digit_of(space, "tensor");
        uint64_t config = anole_space_default(space);
        print_message("%s\n", key);
        compile(generator, config, true);
        do
            assert_true(anole_space_sample(space, &rng, &config));
        while (!uses(space, config, tensor));
        compile(generator, config, false);
        anole_generator_destroy(generator);
    }
    close_folder();
}

/* By which a plugin finds out whether a driver does. */
static void test_probe_is_made_of_them(void **state)
{
    (void)state;
    char source[64], ptx[64], command[512];
    if (!clang())
        skip();
    open_folder();
    path_of(source, "probe.cl");
    path_of(ptx, "probe.ptx");
    write_source(source, kernel_gpu_mma_probe);
    snprintf(command, sizeof command, "%s " PTX " -o %s %s", clang(), ptx, source);
    assert_true(run(command));
    char *text = text_of(ptx);
    assert_int_equal(occurrences(text, "mma.sync"), 2);
    free(text);
    if (ptxas()) {
        snprintf(command, sizeof command, "%s -arch=sm_80 -o /dev/null %s", ptxas(), ptx);
        assert_true(run(command));
        /* Of an architecture without them, it must fail. */
        snprintf(command, sizeof command,
                 "sed 's/sm_80/sm_75/' %s >%s.75 && %s -arch=sm_75 -o /dev/null %s.75 2>/dev/null",
                 ptx, ptx, ptxas(), ptx);
        assert_false(run(command));
    }
    close_folder();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tf32_is_for_those_who_ask),
        cmocka_unit_test(test_devices_without_tensor_cores_do_as_in_fp32),
        cmocka_unit_test(test_default_is_valid_and_space_large),
        cmocka_unit_test(test_compilers_take_the_instructions),
        cmocka_unit_test(test_probe_is_made_of_them),
    };
    return cmocka_run_group_tests(tests, prepare, clean_up);
}
