/* SPDX-License-Identifier: MIT
 *
 * newt - a backend for Anole: plain C loops on the host's own cores.
 *
 * It is whole, and works as it stands: it describes the host as a device, tunes
 * convolutions, depthwise convolutions and dense layers in fp32, and proves by
 * that what it is made of.  Make it yours by replacing its parts, in the order in
 * which they stand here and in anole/plugin.h:
 *
 *   Describe   which devices there are.            Ask your driver instead.
 *   Generate   knobs, and the kernel of a config.  Write your kernels instead.
 *   Time       memory, building, running.          Call your driver instead.
 *
 * newt_kernels.c is what runs; it goes when your device comes.
 *
 * After each part: make && anole plugin check ./newt.so
 */
#include "newt_kernels.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Every op that fails says in a sentence what was wrong. */
__attribute__((format(printf, 3, 4))) static int fail(struct anole_message *message, int code,
                                                      const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(message->text, sizeof message->text, format, args);
    va_end(args);
    return code;
}

/* ================================================================ describe */

/* Here the host itself is the one device, "" the one driver. */
static int probe(const struct anole_host *host, const char *driver, struct anole_device *devices,
                 uint32_t *count, struct anole_message *message)
{
    (void)driver;
    (void)message;
    const struct anole_topology *topology = host->topology;
    if (*count > 0) {
        struct anole_device *device = &devices[0];
        memset(device, 0, sizeof *device);
        device->size = sizeof *device;
        device->type = ANOLE_DEVICE_CPU;
        device->flags = ANOLE_DEVICE_SHARES_HOST;
        snprintf(device->name, sizeof device->name, "%s", topology->cpu_name);
        snprintf(device->driver, sizeof device->driver, "plain C loops");
        snprintf(device->driver_version, sizeof device->driver_version, "%s", __VERSION__);
        device->cores = topology->cores;
        device->compute_units = host->threads ? host->threads : topology->cores;
        device->clock_mhz = topology->clock_mhz;
        device->simd_width = topology->simd_bits / 32;
        device->registers = topology->simd_registers;
        device->global_memory = topology->memory;
        device->cache_l1 = topology->cache_l1d;
        device->cache_l2 = topology->cache_l2;
        device->cache_l3 = topology->cache_l3;
        device->cache_line = topology->cache_line;
    }
    *count = 1;
    return ANOLE_OK;
}

/* ================================================================ generate */

/* The knobs, in the order in which they are declared. */
enum { PIXELS, CHANNELS, ORDER, THREADS, KNOBS };

static int supports(const struct anole_device *device, const struct anole_task *task)
{
    (void)device;
    if (task->dtype != ANOLE_F32 || task->activation > ANOLE_ACT_RELU6 ||
        (task->flags & ~(uint32_t)(ANOLE_TASK_BIAS | ANOLE_TASK_RESIDUAL)) || task->in_pitch ||
        task->out_pitch || task->residual_pitch)
        return 0;
    switch (task->kind) {
    case ANOLE_TASK_CONV2D:
        return task->groups == 1;
    case ANOLE_TASK_DEPTHWISE_CONV2D:
        return task->in_c == task->out_c;
    case ANOLE_TASK_DENSE:
        return 1;
    default:
        return 0; /* also kinds that are younger than this file */
    }
}

static int add_ordinal(struct anole_space_builder *builder, const char *name, const int64_t *values,
                       uint32_t count, uint32_t default_index)
{
    const struct anole_knob knob = {.size = sizeof knob,
                                    .kind = ANOLE_KNOB_ORDINAL,
                                    .name = name,
                                    .values = values,
                                    .count = count,
                                    .default_index = default_index};
    return builder->knob(builder, &knob);
}

/* 1, 2, 4 ... as far as there are cores. */
static uint32_t thread_counts(const struct anole_device *device, int64_t *values)
{
    uint32_t count = 0;
    values[count++] = 1;
    while (values[count - 1] * 2 <= device->compute_units && values[count - 1] * 2 <= MAX_THREADS) {
        values[count] = values[count - 1] * 2;
        count++;
    }
    return count;
}

/* Wider tiles than the output would only waste work. */
static uint32_t pixel_counts(const struct anole_task *task)
{
    uint32_t count = 1, width = as_convolution(task).out_w;
    while (count < COUNT(all_pixels) && all_pixels[count] <= width)
        count++;
    return count;
}

/* The knobs, then what does not go together. */
static int space(const struct anole_device *device, const struct anole_task *task,
                 struct anole_space_builder *builder, struct anole_message *message)
{
    if (!supports(device, task))
        return fail(message, ANOLE_UNSUPPORTED, "There is no kernel for this task.");
    static const int64_t orders[ORDERS] = {ROWS_INSIDE, CHANNELS_INSIDE};
    static const char *const order_names[ORDERS] = {"rows-inside", "channels-inside"};
    const struct anole_knob order = {.size = sizeof order,
                                     .kind = ANOLE_KNOB_CATEGORICAL,
                                     .name = "order",
                                     .values = orders,
                                     .count = ORDERS,
                                     .labels = order_names};
    int64_t threads[MAX_THREADS];
    uint32_t thread_values = thread_counts(device, threads), pixel_values = pixel_counts(task);

    int code = add_ordinal(builder, "pixels", all_pixels, pixel_values, pixel_values / 2);
    if (code == ANOLE_OK)
        code = add_ordinal(builder, "channels", all_channels, COUNT(all_channels), 0);
    if (code == ANOLE_OK)
        code = builder->knob(builder, &order);
    if (code == ANOLE_OK)
        code = add_ordinal(builder, "threads", threads, thread_values, 0);

    char text[96];
    uint32_t lanes = device->simd_width ? device->simd_width : 4;
    uint32_t registers = device->registers ? device->registers : 16;
    snprintf(text, sizeof text, "pixels * ceil_div(channels, %u) <= %u", lanes, 2 * registers);
    if (code == ANOLE_OK)
        code = builder->constraint(builder, text, "the sums of a tile would not fit the registers");
    return code;
}

static bool is_among(int64_t value, const int64_t *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (values[i] == value)
            return true;
    return false;
}

/* Configs may come from anywhere, such as another version's history. */
static bool is_config(const struct anole_device *device, const struct anole_task *task,
                      const int64_t *values, uint32_t count)
{
    int64_t threads[MAX_THREADS];
    return count == KNOBS && is_among(values[PIXELS], all_pixels, pixel_counts(task)) &&
           is_among(values[CHANNELS], all_channels, COUNT(all_channels)) &&
           (values[ORDER] == ROWS_INSIDE || values[ORDER] == CHANNELS_INSIDE) &&
           is_among(values[THREADS], threads, thread_counts(device, threads));
}

/* Numbers that help a model of the time: the more telling, the fewer trials. */
static uint32_t features(const struct anole_device *device, const struct anole_task *task,
                         const int64_t *values, uint32_t count, double *out)
{
    (void)device;
    (void)count;
    if (out) {
        struct anole_task shape = as_convolution(task);
        uint64_t blocks = ceil_div(shape.out_c, (uint64_t)values[CHANNELS]);
        uint64_t tiles = ceil_div(shape.out_w, (uint64_t)values[PIXELS]);
        double items = (double)shape.batch * shape.out_h * (double)blocks;
        out[0] = items / (double)values[THREADS];
        out[1] = (double)(tiles * (uint64_t)values[PIXELS]) / shape.out_w;
        out[2] = (double)(blocks * (uint64_t)values[CHANNELS]) / shape.out_c;
    }
    return 3;
}

static const char *feature_name(uint32_t task_kind, uint32_t i)
{
    static const char *const names[] = {"items a thread", "pixels computed over needed",
                                        "channels computed over needed"};
    (void)task_kind;
    return i < COUNT(names) ? names[i] : "";
}

static size_t packed_bytes_of(const struct anole_task *task, int64_t channels)
{
    return packed_weights(task, channels) * sizeof(float);
}

static int generate(const struct anole_device *device, const struct anole_task *task,
                    const int64_t *values, uint32_t count, struct anole_kernel_builder *builder,
                    struct anole_message *message)
{
    if (!supports(device, task))
        return fail(message, ANOLE_UNSUPPORTED, "There is no kernel for this task.");
    if (!is_config(device, task, values, count))
        return fail(message, ANOLE_BAD_REQUEST, "A knob has a value that space() does not offer.");
    char text[128];
    int length = snprintf(text, sizeof text, SOURCE, (int)values[PIXELS], (int)values[CHANNELS],
                          (int)values[ORDER], (int)values[THREADS]);
    struct anole_launch launch = {
        .size = sizeof launch, .dimensions = 1, .kernel = "layer", .local = {1}};
    launch.global[0] = (uint64_t)values[THREADS];
    launch.args[launch.arg_count++].role = ANOLE_ROLE_INPUT;
    launch.args[launch.arg_count++].role = ANOLE_ROLE_WEIGHTS;
    if (task->flags & ANOLE_TASK_BIAS)
        launch.args[launch.arg_count++].role = ANOLE_ROLE_BIAS;
    if (task->flags & ANOLE_TASK_RESIDUAL)
        launch.args[launch.arg_count++].role = ANOLE_ROLE_RESIDUAL;
    launch.args[launch.arg_count++].role = ANOLE_ROLE_OUTPUT;

    int code = builder->source(builder, text, (size_t)length);
    if (code == ANOLE_OK)
        code = builder->packed_weights(builder, packed_bytes_of(task, values[CHANNELS]));
    if (code == ANOLE_OK)
        code = builder->launch(builder, &launch);
    return code;
}

/* [out_c][kernel_h][kernel_w][in_c] to [tile][kernel_h][kernel_w][in_c][channels]:
 * a tile's weights in the order in which its kernel reads them. */
static int pack(const struct anole_device *device, const struct anole_task *task,
                const int64_t *values, uint32_t count, const void *weights, size_t weights_bytes,
                void *packed, size_t packed_bytes, struct anole_message *message)
{
    if (!is_config(device, task, values, count) ||
        packed_bytes != packed_bytes_of(task, values[CHANNELS]))
        return fail(message, ANOLE_BAD_REQUEST, "These weights are not packed for this config.");
    size_t taps = (size_t)task->kernel_h * task->kernel_w * task->in_c;
    size_t channels = (size_t)values[CHANNELS];
    if (weights_bytes != task->out_c * taps * sizeof(float))
        return fail(message, ANOLE_BAD_REQUEST, "Expected %zu weights, found %zu bytes.",
                    task->out_c * taps, weights_bytes);
    const float *from = weights;
    float *to = packed;
    memset(packed, 0, packed_bytes);
    for (size_t k = 0; k < task->out_c; k++)
        for (size_t tap = 0; tap < taps; tap++)
            to[(k / channels * taps + tap) * channels + k % channels] = from[k * taps + tap];
    return ANOLE_OK;
}

/* ================================================================ time */

struct anole_session {
    const struct anole_host *host; /* a driver's context would be here */
};

struct anole_buffer {
    unsigned char *data;
    size_t bytes;
};

struct anole_build {
    struct kernel *kernel;
};

static int open_device(const struct anole_host *host, const char *driver, uint32_t index,
                       struct anole_session **session, struct anole_message *message)
{
    (void)driver;
    if (index != 0)
        return fail(message, ANOLE_NO_DEVICE, "There is one device, index 0; not %u.", index);
    struct anole_session *opened = calloc(1, sizeof *opened);
    if (!opened)
        return fail(message, ANOLE_NO_MEMORY, "Out of memory.");
    opened->host = host;
    *session = opened;
    return ANOLE_OK;
}

static void close_device(struct anole_session *session)
{
    free(session);
}

static int buffer_create(struct anole_session *session, size_t bytes, struct anole_buffer **buffer,
                         struct anole_message *message)
{
    (void)session;
    size_t rounded = bytes / 64 * 64 + 64; /* of a cache line, which vectors need, too */
    struct anole_buffer *created = bytes < rounded ? malloc(sizeof *created) : NULL;
    unsigned char *data = created ? aligned_alloc(64, rounded) : NULL;
    if (!data) {
        free(created);
        return fail(message, ANOLE_NO_MEMORY, "Out of memory for a buffer of %zu bytes.", bytes);
    }
    *created = (struct anole_buffer){data, bytes};
    *buffer = created;
    return ANOLE_OK;
}

static bool lies_within(const struct anole_buffer *buffer, size_t offset, size_t bytes)
{
    return offset <= buffer->bytes && bytes <= buffer->bytes - offset;
}

static int buffer_write(struct anole_session *session, struct anole_buffer *buffer, size_t offset,
                        const void *data, size_t bytes, struct anole_message *message)
{
    (void)session;
    if (!lies_within(buffer, offset, bytes))
        return fail(message, ANOLE_BAD_REQUEST, "A write of %zu bytes leaves its buffer.", bytes);
    memcpy(buffer->data + offset, data, bytes);
    return ANOLE_OK;
}

static int buffer_read(struct anole_session *session, struct anole_buffer *buffer, size_t offset,
                       void *data, size_t bytes, struct anole_message *message)
{
    (void)session;
    if (!lies_within(buffer, offset, bytes))
        return fail(message, ANOLE_BAD_REQUEST, "A read of %zu bytes leaves its buffer.", bytes);
    memcpy(data, buffer->data + offset, bytes);
    return ANOLE_OK;
}

static void buffer_destroy(struct anole_session *session, struct anole_buffer *buffer)
{
    (void)session;
    free(buffer->data);
    free(buffer);
}

/* "Compiles" the source.  There is no binary to load: reading a line is faster. */
static int build(struct anole_session *session, const struct anole_kernel *kernel,
                 const void *binary, size_t binary_bytes, struct anole_build **made,
                 struct anole_message *message)
{
    (void)session;
    (void)binary;
    (void)binary_bytes;
    const char *why;
    struct anole_build *new = malloc(sizeof *new);
    if (!new)
        return fail(message, ANOLE_NO_MEMORY, "Out of memory.");
    new->kernel = kernel_create(kernel->source, kernel->task, &why);
    if (!new->kernel) {
        free(new);
        return fail(message, ANOLE_BUILD_FAILED, "%s", why);
    }
    *made = new;
    return ANOLE_OK;
}

static void release(struct anole_session *session, struct anole_build *made)
{
    (void)session;
    kernel_destroy(made->kernel);
    free(made);
}

/* Where a role's tensor lies; NULL if it is absent or smaller than it must be. */
static void *tensor(const struct anole_binding *bindings, uint32_t role, size_t elements)
{
    const struct anole_binding *binding = &bindings[role];
    if (!binding->buffer || binding->bytes < elements * sizeof(float) ||
        !lies_within(binding->buffer, binding->offset, binding->bytes))
        return NULL;
    return binding->buffer->data + binding->offset;
}

static bool bind(const struct kernel *kernel, const struct anole_binding *bindings,
                 struct tensors *tensors)
{
    const struct anole_task *task = kernel_task(kernel);
    size_t pixels = (size_t)task->batch * task->out_h * task->out_w;
    size_t inputs = (size_t)task->batch * task->in_h * task->in_w * task->in_c;
    bool bias = task->flags & ANOLE_TASK_BIAS, residual = task->flags & ANOLE_TASK_RESIDUAL;
    *tensors = (struct tensors){
        .input = tensor(bindings, ANOLE_ROLE_INPUT, inputs),
        .weights = tensor(bindings, ANOLE_ROLE_WEIGHTS, kernel_weights(kernel)),
        .bias = bias ? tensor(bindings, ANOLE_ROLE_BIAS, task->out_c) : NULL,
        .residual = residual ? tensor(bindings, ANOLE_ROLE_RESIDUAL, pixels * task->out_c) : NULL,
        .output = tensor(bindings, ANOLE_ROLE_OUTPUT, pixels * task->out_c),
    };
    return tensors->input && tensors->weights && tensors->output && (!bias || tensors->bias) &&
           (!residual || tensors->residual);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int run(struct anole_session *session, struct anole_build *made,
               const struct anole_binding *bindings, uint32_t binding_count, uint32_t repeats,
               double *device_seconds, double *host_seconds, struct anole_message *message)
{
    (void)session;
    struct tensors tensors;
    if (binding_count < ANOLE_ROLE_COUNT || !bind(made->kernel, bindings, &tensors))
        return fail(message, ANOLE_BAD_REQUEST, "A tensor is missing, or too small.");
    double start = now();
    for (uint32_t i = 0; i < repeats; i++) {
        kernel_run(made->kernel, &tensors);
        device_seconds[i] = -1; /* no clock but the host's */
    }
    *host_seconds = now() - start;
    return ANOLE_OK;
}

/* ================================================================ the plugin */

/* clang-format off */
ANOLE_PLUGIN("newt", "0.1", 1,
             .probe = probe,
             .supports = supports,
             .space = space,
             .features = features,
             .feature_name = feature_name,
             .generate = generate,
             .pack = pack,
             .open = open_device,
             .close = close_device,
             .buffer_create = buffer_create,
             .buffer_write = buffer_write,
             .buffer_read = buffer_read,
             .buffer_destroy = buffer_destroy,
             .build = build,
             .release = release,
             .run = run);
