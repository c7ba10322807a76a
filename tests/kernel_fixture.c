/* SPDX-License-Identifier: MIT */
#include "kernel_fixture.h"
#include "plugin/host.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GUARD 4096u           /* bytes before and behind a tensor */
#define GUARD_WORD 0x7fc07ead /* NaNs, for readers of halves, too: who reads it computes one */

unsigned kernel_rounds(void)
{
    const char *text = getenv("ANOLE_TEST_ROUNDS");
    int rounds = text ? atoi(text) : 1;
    return rounds > 0 ? (unsigned)rounds : 1;
}

uint64_t kernel_seed(uint64_t otherwise)
{
    const char *text = getenv("ANOLE_TEST_SEED");
    return text ? strtoull(text, NULL, 0) : otherwise;
}

/* ------------------------------------------------------------------- setup */

static int note_driver(struct anole_driver_list *list, const char *driver)
{
    char *chosen = list->host;
    if (!*chosen && strstr(driver, "pocl"))
        snprintf(chosen, 256, "%s", driver);
    return ANOLE_OK;
}

static bool find_driver(struct kernel_fixture *f, const struct anole_host *host)
{
    struct anole_message message = {.size = sizeof message};
    const char *wanted = getenv("ANOLE_TEST_DRIVER");
    uint32_t count = 1;

    snprintf(f->driver, sizeof f->driver, "%s", wanted ? wanted : "");
    if (!wanted) {
        struct anole_driver_list list = {
            .size = sizeof list, .host = f->driver, .add = note_driver};
        assert_int_equal(f->plugin->drivers(host, &list, &message), ANOLE_OK);
        if (!*f->driver) {
            fprintf(stderr, "no PoCL here: set ANOLE_TEST_DRIVER to another driver's .icd file\n");
            return false;
        }
    }
    if (f->plugin->probe(host, f->driver, &f->device, &count, &message))
        fail_msg("probing %s: %s", f->driver, message.text);
    if (!count)
        fprintf(stderr, "the driver %s has no CPU device\n", f->driver);
    return count > 0;
}

bool kernel_fixture_init(struct kernel_fixture *f)
{
    struct anole_error error = {0};
    struct anole_message message = {.size = sizeof message};
    enum anole_refusal refusal;
    const char *folder = getenv("ANOLE_PLUGIN_PATH"), *name = getenv("ANOLE_TEST_BACKEND");
    char path[4096];

    memset(f, 0, sizeof *f);
    snprintf(path, sizeof path, "%s/%s.so", folder ? folder : "plugins/.libs", name ? name : "cpu");
    if (anole_backend_load(&f->backend, &refusal, path, &error))
        fail_msg("%s", error.text);
    f->plugin = &f->backend->plugin;
    const struct anole_host *host = anole_host_get(0);
    if (!find_driver(f, host)) {
        kernel_fixture_fini(f);
        return false;
    }
    if (f->plugin->open(host, f->driver, 0, &f->session, &message))
        fail_msg("opening the device: %s", message.text);
    return true;
}

void kernel_fixture_fini(struct kernel_fixture *f)
{
    if (f->session)
        f->plugin->close(f->session);
    anole_backend_destroy(f->backend);
    memset(f, 0, sizeof *f);
}

struct anole_generator *kernel_generator(struct kernel_fixture *f,
                                         const struct anole_device *device,
                                         const struct anole_task *task)
{
    struct anole_generator *generator = NULL;
    struct anole_error error = {0};
    char key[ANOLE_TASK_KEY];
    anole_task_key(key, task);
    if (!anole_backend_supports(f->backend, device, task))
        fail_msg("%s: not supported", key);
    if (anole_generator_create(&generator, f->backend, device, task, &error))
        fail_msg("%s: %s", key, error.text);
    return generator;
}

static bool meets(const struct anole_space *space, uint64_t config, const char *algorithm,
                  const struct kernel_wish *wishes, size_t count)
{
    size_t knob = anole_space_find_knob(space, "algorithm");
    uint16_t digits[ANOLE_MAX_KNOBS];
    anole_space_decode(space, config, digits);
    if (algorithm && knob != SIZE_MAX &&
        strcmp(anole_space_knob(space, knob)->labels[digits[knob]], algorithm))
        return false;
    for (size_t i = 0; i < count; i++) {
        knob = anole_space_find_knob(space, wishes[i].knob);
        if (knob == SIZE_MAX ||
            anole_space_knob(space, knob)->values[digits[knob]] != wishes[i].value)
            return false;
    }
    return true;
}

bool kernel_sample_wish(uint64_t *config, const struct anole_generator *generator,
                        struct anole_rng *rng, const char *algorithm,
                        const struct kernel_wish *wishes, size_t count)
{
    const struct anole_space *space = anole_generator_space(generator);
    for (int i = 0; i < 1000; i++) {
        uint64_t drawn;
        if (!anole_space_sample(space, rng, &drawn))
            return false;
        if (meets(space, drawn, algorithm, wishes, count)) {
            *config = drawn;
            return true;
        }
    }
    return false;
}

uint64_t kernel_sample(const struct anole_generator *generator, struct anole_rng *rng,
                       const char *algorithm)
{
    uint64_t config = anole_space_default(anole_generator_space(generator));
    kernel_sample_wish(&config, generator, rng, algorithm, NULL, 0);
    return config;
}

/* ------------------------------------------------------------ crash report */

static char current[1024];

static void report_crash(int number)
{
    static const char head[] = "crashed in: ";
    ssize_t ignored = write(STDERR_FILENO, head, sizeof head - 1);
    ignored = write(STDERR_FILENO, current, strlen(current));
    ignored = write(STDERR_FILENO, "\n", 1);
    (void)ignored;
    signal(number, SIG_DFL);
    raise(number);
}

static void name_case(const struct anole_generator *generator, uint64_t config)
{
    char key[ANOLE_TASK_KEY], values[640];
    const struct anole_device *device = anole_generator_device(generator);
    anole_task_key(key, anole_generator_task(generator));
    anole_space_describe(anole_generator_space(generator), values, sizeof values, config);
    snprintf(current, sizeof current, "%s, %u lanes, %u registers: %s", key, device->simd_width,
             device->registers, values);
    signal(SIGSEGV, report_crash);
    signal(SIGBUS, report_crash);
    signal(SIGILL, report_crash);
    signal(SIGABRT, report_crash);
}

/* --------------------------------------------------------------------- run */

/* One tensor on the device and what it held at first, guards included. */
struct tensor {
    struct anole_buffer *buffer;
    size_t bytes; /* of the tensor; 0: there is none */
    size_t guard; /* bytes before and behind it */
    unsigned char *image;
};

static size_t image_bytes(const struct tensor *t)
{
    return 2 * t->guard + t->bytes;
}

static void tensor_init(struct tensor *t, struct kernel_fixture *f, const void *data, size_t bytes)
{
    struct anole_message message = {.size = sizeof message};
    t->bytes = bytes;
    t->guard = f->exact ? 0 : GUARD;
    if (!bytes)
        return;
    t->image = malloc(image_bytes(t));
    assert_non_null(t->image);
    for (size_t i = 0; i < image_bytes(t); i++)
        t->image[i] = (unsigned char)(GUARD_WORD >> i % 4 * 8);
    if (data)
        memcpy(t->image + t->guard, data, bytes);
    if (f->plugin->buffer_create(f->session, image_bytes(t), &t->buffer, &message))
        fail_msg("%s: %s", current, message.text);
    /* A driver that knows which bytes have been written is not told that all were. */
    if ((data || !f->exact) &&
        f->plugin->buffer_write(f->session, t->buffer, 0, t->image, image_bytes(t), &message))
        fail_msg("%s: %s", current, message.text);
}

static void tensor_fini(struct tensor *t, struct kernel_fixture *f)
{
    if (t->bytes)
        f->plugin->buffer_destroy(f->session, t->buffer);
    free(t->image);
}

/* Reads the tensor into its image, and checks that only `writable` bytes of it
 * have changed. */
static void tensor_check(struct tensor *t, struct kernel_fixture *f, bool writable,
                         const char *name)
{
    struct anole_message message = {.size = sizeof message};
    if (!t->bytes)
        return;
    unsigned char *now = malloc(image_bytes(t));
    assert_non_null(now);
    if (f->plugin->buffer_read(f->session, t->buffer, 0, now, image_bytes(t), &message))
        fail_msg("%s: %s", current, message.text);
    for (size_t i = 0; i < image_bytes(t); i++) {
        bool inside = i >= t->guard && i < t->guard + t->bytes;
        if (now[i] != t->image[i] && !(inside && writable))
            fail_msg("%s: wrote to %s at byte %ld of %zu", current, name, (long)i - (long)t->guard,
                     t->bytes);
    }
    free(t->image);
    t->image = now;
}

static long log_size(const struct kernel_fixture *f)
{
    struct stat info;
    return f->log && !stat(f->log, &info) ? (long)info.st_size : 0;
}

/* What the driver has reported since the log was `before` bytes long. */
static void check_log(const struct kernel_fixture *f, long before)
{
    char text[2048] = "";
    if (log_size(f) <= before)
        return;
    FILE *file = fopen(f->log, "r");
    assert_non_null(file);
    if (!fseek(file, before, SEEK_SET))
        text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    fail_msg("%s: the driver reports:\n%s", current, text);
}

static void run(struct kernel_fixture *f, const struct anole_kernel *kernel,
                const struct tensor *tensors)
{
    struct anole_message message = {.size = sizeof message};
    struct anole_binding bindings[ANOLE_ROLE_COUNT];
    struct anole_build *build = NULL;
    double device_seconds[2], host_seconds;

    for (int i = 0; i < ANOLE_ROLE_COUNT; i++)
        bindings[i] = (struct anole_binding){tensors[i].buffer, tensors[i].guard, tensors[i].bytes};
    if (f->plugin->build(f->session, kernel, NULL, 0, &build, &message))
        fail_msg("%s: %s", current, message.text);
    const long before = log_size(f);
    /* Twice: what the first run leaves behind must not matter. */
    if (f->plugin->run(f->session, build, bindings, ANOLE_ROLE_COUNT, 2, device_seconds,
                       &host_seconds, &message))
        fail_msg("%s: %s", current, message.text);
    assert_true(host_seconds > 0);
    check_log(f, before);
    f->plugin->release(f->session, build);
}

static void compare(const struct anole_task_data *data, const struct anole_task *task,
                    const void *output)
{
    size_t where = 0;
    double error = anole_task_data_error(data, task, output, &where);
    if (!(error <= 1))
        fail_msg("%s: output %zu (row %zu, column %zu, channel %zu) is %.9g, not %.9g: %.3g times "
                 "the tolerance",
                 current, where, where / task->out_c / task->out_w % task->out_h,
                 where / task->out_c % task->out_w, where % task->out_c,
                 anole_task_value(task, output, where), data->expected[where], error);
}

/* FNV-1a. */
static uint64_t digest(const unsigned char *bytes, size_t count)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

void kernel_check(struct kernel_fixture *f, const struct anole_generator *generator,
                  const struct anole_task_data *data, uint64_t config)
{
    static const char *const names[] = {"the input",    "the weights", "the bias",
                                        "the residual", "the output",  "the workspace"};
    const struct anole_task *task = anole_generator_task(generator);
    const size_t element = anole_task_element_bytes(task);
    const size_t weights = anole_task_weight_elements(task) * element;
    struct anole_generated *generated = NULL;
    struct anole_error error = {0};
    struct tensor tensors[ANOLE_ROLE_COUNT] = {0};

    name_case(generator, config);
    if (anole_generator_kernel(&generated, generator, config, &error))
        fail_msg("%s: %s", current, error.text);
    const struct anole_kernel *kernel = &generated->kernel;
    void *packed = malloc(kernel->packed_weights ? kernel->packed_weights : 1);
    assert_non_null(packed);
    if (kernel->packed_weights && anole_generator_pack(generator, config, data->weights, weights,
                                                       packed, kernel->packed_weights, &error))
        fail_msg("%s: %s", current, error.text);

    tensor_init(&tensors[ANOLE_ROLE_INPUT], f, data->input,
                anole_task_input_elements(task) * element);
    tensor_init(&tensors[ANOLE_ROLE_WEIGHTS], f, kernel->packed_weights ? packed : data->weights,
                kernel->packed_weights ? kernel->packed_weights : weights);
    tensor_init(&tensors[ANOLE_ROLE_BIAS], f, data->bias, anole_task_bias_elements(task) * element);
    tensor_init(&tensors[ANOLE_ROLE_RESIDUAL], f, data->residual,
                anole_task_residual_elements(task) * element);
    tensor_init(&tensors[ANOLE_ROLE_OUTPUT], f, NULL, anole_task_output_elements(task) * element);
    tensor_init(&tensors[ANOLE_ROLE_WORKSPACE], f, NULL, kernel->workspace);

    run(f, kernel, tensors);
    for (int i = 0; i < ANOLE_ROLE_COUNT; i++)
        tensor_check(&tensors[i], f, i >= ANOLE_ROLE_OUTPUT, names[i]);
    compare(data, task, tensors[ANOLE_ROLE_OUTPUT].image + tensors[ANOLE_ROLE_OUTPUT].guard);
    f->digest = digest((const unsigned char *)tensors[ANOLE_ROLE_OUTPUT].image +
                           tensors[ANOLE_ROLE_OUTPUT].guard,
                       tensors[ANOLE_ROLE_OUTPUT].bytes);

    for (int i = 0; i < ANOLE_ROLE_COUNT; i++)
        tensor_fini(&tensors[i], f);
    free(packed);
    anole_generated_destroy(generated);
}
