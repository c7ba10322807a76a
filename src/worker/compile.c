/* SPDX-License-Identifier: MIT */
#include "worker/compile.h"

#include "base/environment.h"
#include "plugin/host.h"
#include "plugin/plugin_message.h"

#include <stdlib.h>
#include <string.h>

#define MAX_SOURCE ((size_t)4 << 20)
#define MAX_OPTIONS ((size_t)64 << 10)
#define MAX_TENSORS 4096u
#define MAX_KERNELS 256u /* with one source */

/* --------------------------------------------------------------------- wire */

/* A text in a block, with its NUL. */
static void wire_text(struct anole_wire *wire, const char **text, size_t *length, size_t limit)
{
    const void *data = *text;
    size_t bytes = wire->reading ? 0 : *length + 1;
    anole_wire_block(wire, &data, &bytes, limit + 1);
    if (!wire->reading || wire->failed)
        return;
    if (!data || memchr(data, '\0', bytes) != (const char *)data + bytes - 1) {
        wire->failed = true;
        return;
    }
    *text = data;
    *length = bytes - 1;
}

static void wire_launch(struct anole_wire *wire, struct anole_launch *launch, char *name,
                        size_t name_size)
{
    anole_wire_text(wire, name, name_size);
    anole_wire_u32(wire, &launch->dimensions);
    for (int d = 0; d < 3; d++) {
        anole_wire_u64(wire, &launch->global[d]);
        anole_wire_u64(wire, &launch->local[d]);
    }
    anole_wire_count(wire, &launch->arg_count, ANOLE_MAX_ARGS);
    for (uint32_t i = 0; i < launch->arg_count && !wire->failed; i++) {
        anole_wire_u32(wire, &launch->args[i].role);
        anole_wire_u32(wire, &launch->args[i].bytes);
        anole_wire_i64(wire, &launch->args[i].value);
    }
}

static void wire_tensors(struct anole_wire *wire, struct anole_compiled_kernel *item)
{
    uint32_t count = item->custom.tensor_count;
    anole_wire_text(wire, item->operator_name, sizeof item->operator_name);
    anole_wire_count(wire, &count, MAX_TENSORS);
    if (wire->failed)
        return;
    if (wire->reading) {
        item->custom = (struct anole_custom){.size = sizeof item->custom,
                                             .language = ANOLE_OPENCL_C,
                                             .name = item->operator_name,
                                             .tensor_count = count};
        item->tensor_bytes = calloc((size_t)count + 1, sizeof *item->tensor_bytes);
        item->custom.tensor_bytes = item->tensor_bytes;
        if (!item->tensor_bytes) {
            wire->failed = true;
            return;
        }
    }
    for (uint32_t i = 0; i < count; i++)
        anole_wire_u64(wire, &item->tensor_bytes[i]);
}

/* An operator's tensors are with its task. */
static void wire_task(struct anole_wire *wire, struct anole_compiled_kernel *item)
{
    struct anole_task *task = &item->task;
    bool tensors = task->kind == ANOLE_TASK_OPERATOR;
    anole_wire_task(wire, task);
    anole_wire_bool(wire, &tensors);
    if (!wire->failed && tensors)
        wire_tensors(wire, item);
    if (wire->reading)
        task->custom = tensors ? &item->custom : NULL;
}

static void wire_kernel(struct anole_wire *wire, struct anole_compiled_kernel *item)
{
    struct anole_kernel *kernel = &item->kernel;
    size_t options = wire->reading ? 0 : strlen(kernel->options);
    uint64_t packed = kernel->packed_weights, workspace = kernel->workspace;
    wire_text(wire, &kernel->options, &options, MAX_OPTIONS);
    anole_wire_u64(wire, &packed);
    anole_wire_u64(wire, &workspace);
    anole_wire_count(wire, &kernel->launch_count, ANOLE_MAX_LAUNCHES);
    for (uint32_t i = 0; i < kernel->launch_count && !wire->failed; i++) {
        if (wire->reading)
            item->launches[i] =
                (struct anole_launch){.size = sizeof item->launches[i], .kernel = item->names[i]};
        wire_launch(wire, &item->launches[i], item->names[i], sizeof item->names[i]);
    }
    anole_wire_count(wire, &kernel->value_count, ANOLE_MAX_KNOBS);
    for (uint32_t i = 0; i < kernel->value_count && !wire->failed; i++)
        anole_wire_i64(wire, &item->values[i]);
    wire_task(wire, item);
    kernel->packed_weights = (size_t)packed;
    kernel->workspace = (size_t)workspace;
}

void anole_wire_compile_request(struct anole_wire *wire, struct anole_compile_request *message)
{
    anole_wire_text(wire, message->path, sizeof message->path);
    anole_wire_text(wire, message->driver, sizeof message->driver);
    anole_wire_u32(wire, &message->index);
    anole_wire_u32(wire, &message->threads);
    anole_wire_bool(wire, &message->guest);
}

/* ---------------------------------------------------------------------- ask */

void anole_compile_begin(struct anole_wire *wire, const char *path, const char *driver,
                         uint32_t index, uint32_t threads)
{
    const struct anole_environment *environment = anole_environment();
    struct anole_compile_request request = {
        .index = index, .threads = threads, .guest = environment && environment->guest};
    strncpy(request.path, path, sizeof request.path - 1);
    strncpy(request.driver, driver, sizeof request.driver - 1);
    anole_wire_writer_init(wire);
    anole_wire_compile_request(wire, &request);
}

/* The parts that a kernel points to, where they are written from. */
static void unfold(struct anole_compiled_kernel *item, const struct anole_kernel *kernel)
{
    item->kernel = *kernel;
    item->task = *kernel->task;
    for (uint32_t i = 0; i < kernel->launch_count && i < ANOLE_MAX_LAUNCHES; i++) {
        item->launches[i] = kernel->launches[i];
        strncpy(item->names[i], kernel->launches[i].kernel, sizeof item->names[i] - 1);
    }
    for (uint32_t i = 0; i < kernel->value_count && i < ANOLE_MAX_KNOBS; i++)
        item->values[i] = kernel->values[i];
    if (kernel->task->kind != ANOLE_TASK_OPERATOR)
        return;
    item->custom = *kernel->task->custom;
    item->tensor_bytes = (uint64_t *)(uintptr_t)item->custom.tensor_bytes; /* read only */
    strncpy(item->operator_name, item->custom.name, sizeof item->operator_name - 1);
}

bool anole_compile_add(struct anole_wire *wire, const struct anole_kernel *const *kernels,
                       size_t count)
{
    const size_t before = wire->length;
    const char *source = kernels[0]->source;
    size_t length = kernels[0]->source_length;
    uint32_t number = (uint32_t)count;
    if (length > MAX_SOURCE || length + MAX_OPTIONS > ANOLE_COMPILE_BYTES - before ||
        count > MAX_KERNELS)
        return false;
    struct anole_compiled_kernel *item = calloc(1, sizeof *item);
    if (!item)
        return false;
    anole_wire_count(wire, &number, MAX_KERNELS);
    wire_text(wire, &source, &length, MAX_SOURCE);
    for (size_t i = 0; i < count; i++) {
        *item = (struct anole_compiled_kernel){.kernel = {.size = 0}};
        unfold(item, kernels[i]);
        wire_kernel(wire, item);
    }
    free(item);
    if (wire->failed || wire->length > ANOLE_COMPILE_BYTES) {
        wire->length = before;
        wire->failed = false;
        return false;
    }
    return true;
}

void anole_compile_take(struct anole_wire *wire, const void **binary, size_t *bytes)
{
    *binary = NULL;
    *bytes = 0;
    anole_wire_block(wire, binary, bytes, ANOLE_MAX_BINARY);
    if (wire->failed)
        *binary = NULL;
}

/* ------------------------------------------------------------------- answer */

/* The binary of a build, on the heap; NULL: none. */
static void *take_binary(struct anole_session *session, const struct anole_plugin *plugin,
                         struct anole_build *built, size_t *bytes)
{
    struct anole_message message = {.size = sizeof message};
    void *binary = NULL;
    *bytes = 0;
    if (plugin->binary(session, built, NULL, bytes, &message) == ANOLE_OK && *bytes > 0 &&
        *bytes <= ANOLE_MAX_BINARY)
        binary = malloc(*bytes);
    const size_t room = *bytes;
    if (binary &&
        (plugin->binary(session, built, binary, bytes, &message) != ANOLE_OK || *bytes != room)) {
        free(binary);
        binary = NULL;
    }
    return binary;
}

/* Of kernels with one source: all are built before the last one's binary is taken. */
static void *build(struct anole_session *session, const struct anole_plugin *plugin,
                   const struct anole_compiled_kernel *items, size_t count, size_t *bytes)
{
    struct anole_message message = {.size = sizeof message};
    struct anole_build **built = calloc(count + 1, sizeof(struct anole_build *));
    void *binary = NULL;
    size_t done = 0;
    *bytes = 0;
    while (built && done < count &&
           plugin->build(session, &items[done].kernel, NULL, 0, &built[done], &message) == ANOLE_OK)
        done++;
    if (count > 0 && done == count)
        binary = take_binary(session, plugin, built[count - 1], bytes);
    for (size_t i = 0; i < done; i++)
        plugin->release(session, built[i]);
    free(built);
    return binary;
}

static void wire_items(struct anole_wire *wire, struct anole_compiled_kernel *items, uint32_t count,
                       const char *source, size_t length)
{
    for (uint32_t i = 0; i < count && !wire->failed; i++) {
        items[i].kernel = (struct anole_kernel){.size = sizeof items[i].kernel,
                                                .source = source,
                                                .source_length = length,
                                                .launches = items[i].launches,
                                                .values = items[i].values,
                                                .task = &items[i].task};
        wire_kernel(wire, &items[i]);
    }
}

/* Builds the next kernels of a request. */
static enum anole_status build_next(struct anole_wire *reply, struct anole_wire *wire,
                                    struct anole_session *session,
                                    const struct anole_plugin *plugin, struct anole_error *error)
{
    const char *source = NULL;
    size_t length = 0, bytes = 0;
    uint32_t count = 0;
    anole_wire_count(wire, &count, MAX_KERNELS);
    wire_text(wire, &source, &length, MAX_SOURCE);
    struct anole_compiled_kernel *items = calloc((size_t)count + 1, sizeof *items);
    if (!items)
        return anole_fail_memory(error);
    enum anole_status status = ANOLE_DONE;
    wire_items(wire, items, count, source, length);
    if (wire->failed) {
        status = anole_fail(error, ANOLE_ERR_INTERNAL, "a COMPILE request cannot be read");
    } else {
        void *binary = build(session, plugin, items, count, &bytes);
        const void *block = binary;
        if (!binary || reply->length + bytes > ANOLE_MAX_BINARY) {
            block = NULL;
            bytes = 0;
        }
        anole_wire_block(reply, &block, &bytes, ANOLE_MAX_BINARY);
        free(binary);
    }
    for (uint32_t i = 0; i < count; i++)
        free(items[i].tensor_bytes);
    free(items);
    return status;
}

enum anole_status anole_compile(struct anole_wire *reply, struct anole_wire *wire,
                                const struct anole_compile_request *request,
                                const struct anole_plugin *plugin, struct anole_error *error)
{
    struct anole_message message = {.size = sizeof message};
    struct anole_session *session;
    const struct anole_host *host = anole_host_get_as(request->threads, request->guest);
    if (!host)
        return anole_fail_memory(error);
    if (!plugin->binary)
        return anole_fail(error, ANOLE_ERR_INTERNAL, "the backend gives no binaries");
    int code = plugin->open(host, request->driver, request->index, &session, &message);
    if (code != ANOLE_OK)
        return anole_plugin_failure(error, ANOLE_ERR_NO_DEVICE, code, &message);
    enum anole_status status = ANOLE_DONE;
    while (status == ANOLE_DONE && !anole_wire_complete(wire))
        status = build_next(reply, wire, session, plugin, error);
    plugin->close(session);
    return status;
}
