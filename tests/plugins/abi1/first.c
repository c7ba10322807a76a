/* SPDX-License-Identifier: MIT
 *
 * A backend as it could be written when ABI 1 was new, against the header beside
 * it, which is that of the first release and is not to be changed.  For as long as
 * the number stands, it must load, keep the contract, and tune.
 */
#include "plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { UNROLL, INSIDE, KNOBS };

struct anole_session {
    const struct anole_host *host;
};

struct anole_buffer {
    size_t bytes;
    unsigned char data[];
};

struct anole_build {
    struct anole_task task;
    int unroll, inside;
};

static int fail(struct anole_message *message, int code, const char *text)
{
    snprintf(message->text, sizeof message->text, "%s", text);
    return code;
}

static int probe(const struct anole_host *host, const char *driver, struct anole_device *devices,
                 uint32_t *count, struct anole_message *message)
{
    (void)driver;
    (void)message;
    if (*count > 0) {
        devices[0] = (struct anole_device){.size = sizeof *devices,
                                           .type = ANOLE_DEVICE_CPU,
                                           .flags = ANOLE_DEVICE_SHARES_HOST,
                                           .name = "First Device",
                                           .driver = "first driver",
                                           .compute_units = 1,
                                           .cores = host->topology->cores};
    }
    *count = 1;
    return ANOLE_OK;
}

static int supports(const struct anole_device *device, const struct anole_task *task)
{
    (void)device;
    return task->kind == ANOLE_TASK_CONV2D && task->dtype == ANOLE_F32 && task->groups == 1;
}

static int space(const struct anole_device *device, const struct anole_task *task,
                 struct anole_space_builder *builder, struct anole_message *message)
{
    static const int64_t unrolls[] = {1, 2, 4, 8}, insides[] = {0, 1};
    static const char *const labels[] = {"rows", "channels"};
    const struct anole_knob unroll = {.size = sizeof unroll,
                                      .kind = ANOLE_KNOB_ORDINAL,
                                      .name = "unroll",
                                      .values = unrolls,
                                      .count = 4,
                                      .default_index = 1};
    const struct anole_knob inside = {.size = sizeof inside,
                                      .kind = ANOLE_KNOB_CATEGORICAL,
                                      .name = "inside",
                                      .values = insides,
                                      .count = 2,
                                      .labels = labels};
    if (!supports(device, task))
        return fail(message, ANOLE_UNSUPPORTED, "convolutions only");
    int code = builder->knob(builder, &unroll);
    if (code == ANOLE_OK)
        code = builder->knob(builder, &inside);
    if (code == ANOLE_OK)
        code = builder->constraint(builder, "unroll < 8 or inside == 0", "too many registers");
    return code;
}

static int generate(const struct anole_device *device, const struct anole_task *task,
                    const int64_t *values, uint32_t count, struct anole_kernel_builder *builder,
                    struct anole_message *message)
{
    char text[64];
    if (!supports(device, task) || count != KNOBS || values[INSIDE] < 0 || values[INSIDE] > 1 ||
        values[UNROLL] < 1 || values[UNROLL] > 8 || (values[UNROLL] & (values[UNROLL] - 1)))
        return fail(message, ANOLE_BAD_REQUEST, "no such task or config");
    int length = snprintf(text, sizeof text, "unroll %d inside %d\n", (int)values[UNROLL],
                          (int)values[INSIDE]);
    struct anole_launch launch = {.size = sizeof launch,
                                  .dimensions = 1,
                                  .kernel = "conv",
                                  .global = {1},
                                  .local = {1},
                                  .arg_count = 3,
                                  .args = {{.role = ANOLE_ROLE_INPUT},
                                           {.role = ANOLE_ROLE_WEIGHTS},
                                           {.role = ANOLE_ROLE_OUTPUT}}};
    int code = builder->source(builder, text, (size_t)length);
    if (code == ANOLE_OK)
        code = builder->options(builder, "-O2");
    return code == ANOLE_OK ? builder->launch(builder, &launch) : code;
}

static int open_device(const struct anole_host *host, const char *driver, uint32_t index,
                       struct anole_session **session, struct anole_message *message)
{
    (void)driver;
    if (index != 0)
        return fail(message, ANOLE_NO_DEVICE, "there is one device");
    *session = malloc(sizeof **session);
    if (!*session)
        return ANOLE_NO_MEMORY;
    (*session)->host = host;
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
    *buffer = malloc(sizeof **buffer + bytes);
    if (!*buffer)
        return fail(message, ANOLE_NO_MEMORY, "out of memory");
    (*buffer)->bytes = bytes;
    return ANOLE_OK;
}

static int buffer_write(struct anole_session *session, struct anole_buffer *buffer, size_t offset,
                        const void *data, size_t bytes, struct anole_message *message)
{
    (void)session;
    if (offset > buffer->bytes || bytes > buffer->bytes - offset)
        return fail(message, ANOLE_BAD_REQUEST, "beyond the buffer");
    memcpy(buffer->data + offset, data, bytes);
    return ANOLE_OK;
}

static int buffer_read(struct anole_session *session, struct anole_buffer *buffer, size_t offset,
                       void *data, size_t bytes, struct anole_message *message)
{
    (void)session;
    if (offset > buffer->bytes || bytes > buffer->bytes - offset)
        return fail(message, ANOLE_BAD_REQUEST, "beyond the buffer");
    memcpy(data, buffer->data + offset, bytes);
    return ANOLE_OK;
}

static void buffer_destroy(struct anole_session *session, struct anole_buffer *buffer)
{
    (void)session;
    free(buffer);
}

static int build(struct anole_session *session, const struct anole_kernel *kernel,
                 const void *binary, size_t binary_bytes, struct anole_build **made,
                 struct anole_message *message)
{
    (void)session;
    (void)binary;
    (void)binary_bytes;
    struct anole_build new = {.task = *kernel->task};
    if (sscanf(kernel->source, "unroll %d inside %d", &new.unroll, &new.inside) != 2)
        return fail(message, ANOLE_BUILD_FAILED, "this is no source");
    *made = malloc(sizeof **made);
    if (!*made)
        return ANOLE_NO_MEMORY;
    **made = new;
    return ANOLE_OK;
}

static void release(struct anole_session *session, struct anole_build *made)
{
    (void)session;
    free(made);
}

static float *tensor(const struct anole_binding *bindings, uint32_t role, size_t elements)
{
    const struct anole_binding *binding = &bindings[role];
    if (!binding->buffer || binding->bytes < elements * sizeof(float))
        return NULL;
    return (float *)(binding->buffer->data + binding->offset);
}

static float element(const struct anole_task *t, const float *x, const float *w, size_t row,
                     size_t column, size_t k)
{
    size_t image = row / t->out_h, y = row % t->out_h;
    float sum = 0;
    for (size_t r = 0; r < t->kernel_h; r++)
        for (size_t s = 0; s < t->kernel_w; s++) {
            int64_t h = (int64_t)(y * t->stride_h + r * t->dilation_h) - t->pad_top;
            int64_t v = (int64_t)(column * t->stride_w + s * t->dilation_w) - t->pad_left;
            if (h < 0 || h >= t->in_h || v < 0 || v >= t->in_w)
                continue;
            const float *from =
                x + ((image * t->in_h + (size_t)h) * t->in_w + (size_t)v) * t->in_c;
            const float *with = w + ((k * t->kernel_h + r) * t->kernel_w + s) * t->in_c;
            for (size_t c = 0; c < t->in_c; c++)
                sum += from[c] * with[c];
        }
    return sum;
}

struct tensors {
    const float *input, *weights, *bias, *residual;
    float *output;
};

static int take_tensors(const struct anole_task *t, const struct anole_binding *bindings,
                        struct tensors *tensors)
{
    size_t outputs = (size_t)t->batch * t->out_h * t->out_w * t->out_c;
    tensors->input = tensor(bindings, ANOLE_ROLE_INPUT, (size_t)t->batch * t->in_h * t->in_w * t->in_c);
    tensors->weights = tensor(bindings, ANOLE_ROLE_WEIGHTS,
                              (size_t)t->out_c * t->kernel_h * t->kernel_w * t->in_c);
    tensors->bias = tensor(bindings, ANOLE_ROLE_BIAS, t->out_c);
    tensors->residual = tensor(bindings, ANOLE_ROLE_RESIDUAL, outputs);
    tensors->output = tensor(bindings, ANOLE_ROLE_OUTPUT, outputs);
    return tensors->input && tensors->weights && tensors->output &&
           (!(t->flags & ANOLE_TASK_BIAS) || tensors->bias) &&
           (!(t->flags & ANOLE_TASK_RESIDUAL) || tensors->residual);
}

static void compute(const struct anole_build *made, const struct tensors *tensors)
{
    const struct anole_task *t = &made->task;
    size_t rows = (size_t)t->batch * t->out_h * t->out_w, channels = t->out_c;
    size_t all = rows * channels;
    for (size_t i = 0; i < all; i++) {
        size_t row = made->inside ? i / channels : i % rows;
        size_t k = made->inside ? i % channels : i / rows;
        size_t at = row * channels + k;
        float sum = element(t, tensors->input, tensors->weights, row / t->out_w, row % t->out_w, k);
        if (tensors->bias)
            sum += tensors->bias[k];
        if (tensors->residual)
            sum += tensors->residual[at];
        if (t->activation != ANOLE_ACT_NONE && sum < 0)
            sum = 0;
        if (t->activation == ANOLE_ACT_RELU6 && sum > 6)
            sum = 6;
        tensors->output[at] = sum;
    }
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
    if (binding_count < ANOLE_ROLE_COUNT || !take_tensors(&made->task, bindings, &tensors))
        return fail(message, ANOLE_BAD_REQUEST, "a tensor is missing or too small");
    double start = now();
    for (uint32_t i = 0; i < repeats; i++) {
        compute(made, &tensors);
        device_seconds[i] = -1;
    }
    *host_seconds = now() - start;
    return ANOLE_OK;
}

ANOLE_PLUGIN("first", "1.0", 1, .probe = probe, .supports = supports, .space = space,
             .generate = generate, .open = open_device, .close = close_device,
             .buffer_create = buffer_create, .buffer_write = buffer_write,
             .buffer_read = buffer_read, .buffer_destroy = buffer_destroy, .build = build,
             .release = release, .run = run);
