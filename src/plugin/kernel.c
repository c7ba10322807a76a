/* SPDX-License-Identifier: MIT
 *
 * One generated kernel: what a plugin hands to its builder is copied, checked
 * against the task and the device, and completed.
 */
#include "base/hash.h"
#include "base/text.h"
#include "kernel/custom.h"
#include "op/roles.h"
#include "plugin/kernel.h"
#include "plugin/plugin_message.h"
#include "plugin/supports.h"

#include <stdlib.h>
#include <string.h>

#define MAX_KERNEL_NAME (ANOLE_MOST_KERNEL_NAME + 1)
#define MOST_ITEMS (UINT64_C(1) << 48)
#define LEAST_LAUNCH offsetof(struct anole_launch, args)

/* A generated kernel with everything it points to. */
struct draft {
    struct anole_generated generated; /* first: what others see of it */
    struct anole_kernel_builder builder;
    const struct anole_device *device;
    struct anole_task task;
    struct anole_task_sizes sizes;
    int64_t values[ANOLE_MAX_KNOBS];
    struct anole_text source, options;
    struct anole_launch launches[ANOLE_MAX_LAUNCHES];
    char names[ANOLE_MAX_LAUNCHES][MAX_KERNEL_NAME];
    /* Of a plain kernel: what comes with its task, and how many tensors it reads. */
    struct anole_custom custom;
    char *operator_name;
    uint64_t *tensor_bytes; /* NULL: it is none */
    uint32_t input_count;
    enum anole_status status; /* of the first failure */
    struct anole_error *error;
};

static struct draft *draft_of(struct anole_kernel_builder *builder)
{
    return builder->host;
}

/* ERR_PLUGIN: it breaks the rules.  ERR_INPUT: this config does not suit this
 * device.  Both are remembered, in case that the plugin ignores them. */
#define REFUSE(draft, why, ...)                                                                    \
    ((draft)->status = (draft)->status ? (draft)->status : ANOLE_##why,                            \
     anole_fail((draft)->error, ANOLE_##why, __VA_ARGS__), ANOLE_BAD_REQUEST)

static int add_text(struct draft *draft, struct anole_text *text, const char *what,
                    const char *data, size_t length, size_t limit)
{
    if (!data)
        return REFUSE(draft, ERR_PLUGIN, "the kernel's %s is NULL", what);
    if (memchr(data, 0, length))
        return REFUSE(draft, ERR_PLUGIN, "the kernel's %s has a NUL in it", what);
    if (length > limit - text->length)
        return REFUSE(draft, ERR_PLUGIN, "the kernel's %s is longer than %zu bytes", what, limit);
    anole_text_append(text, data, length);
    if (text->failed)
        return REFUSE(draft, ERR_MEMORY, "out of memory");
    return ANOLE_OK;
}

static int add_source(struct anole_kernel_builder *builder, const char *text, size_t length)
{
    struct draft *draft = draft_of(builder);
    return add_text(draft, &draft->source, "source", text, length, ANOLE_MOST_SOURCE);
}

static int add_options(struct anole_kernel_builder *builder, const char *text)
{
    struct draft *draft = draft_of(builder);
    if (draft->options.length > 0)
        anole_text_append(&draft->options, " ", 1);
    return add_text(draft, &draft->options, "option text", text,
                    text ? strnlen(text, ANOLE_MOST_OPTIONS + 1) : 0, ANOLE_MOST_OPTIONS);
}

static int set_packed(struct anole_kernel_builder *builder, size_t bytes)
{
    draft_of(builder)->generated.kernel.packed_weights = bytes;
    return ANOLE_OK;
}

static int set_workspace(struct anole_kernel_builder *builder, size_t bytes)
{
    draft_of(builder)->generated.kernel.workspace = bytes;
    return ANOLE_OK;
}

/* Copies as much of a launch as its author knew of. */
static int add_launch(struct anole_kernel_builder *builder, const struct anole_launch *launch)
{
    struct draft *draft = draft_of(builder);
    uint32_t at = draft->generated.kernel.launch_count;
    if (!launch || launch->size < LEAST_LAUNCH)
        return REFUSE(draft, ERR_PLUGIN,
                      "launch %u: its size is %u, expected %zu: set it to "
                      "sizeof (struct anole_launch)",
                      at, launch ? launch->size : 0, sizeof *launch);
    if (at == ANOLE_MAX_LAUNCHES)
        return REFUSE(draft, ERR_PLUGIN, "more than %d launches", ANOLE_MAX_LAUNCHES);
    if (launch->arg_count > ANOLE_MAX_ARGS ||
        launch->size < LEAST_LAUNCH + launch->arg_count * sizeof launch->args[0])
        return REFUSE(draft, ERR_PLUGIN, "launch %u: %u arguments, expected at most %d", at,
                      launch->arg_count, ANOLE_MAX_ARGS);
    if (!launch->kernel || !launch->kernel[0] ||
        strnlen(launch->kernel, MAX_KERNEL_NAME) == MAX_KERNEL_NAME)
        return REFUSE(draft, ERR_PLUGIN,
                      "launch %u: its kernel's name is missing or longer than %d bytes", at,
                      MAX_KERNEL_NAME - 1);
    struct anole_launch *copy = &draft->launches[at];
    memcpy(copy, launch, launch->size < sizeof *copy ? launch->size : sizeof *copy);
    strcpy(draft->names[at], launch->kernel);
    copy->size = sizeof *copy;
    copy->kernel = draft->names[at];
    draft->generated.kernel.launch_count++;
    return ANOLE_OK;
}

/* The tensor of a plain kernel that an argument means: inputs first, then outputs. */
static int check_tensor(struct draft *draft, uint32_t at, uint32_t i)
{
    struct anole_arg *arg = &draft->launches[at].args[i];
    bool output = arg->role == ANOLE_ROLE_OUTPUT;
    uint64_t first = output ? draft->input_count : 0;
    uint64_t behind = output ? draft->custom.tensor_count : draft->input_count;
    if (arg->value < 0 || (uint64_t)arg->value >= behind - first ||
        draft->tensor_bytes[first + (uint64_t)arg->value] == 0)
        return REFUSE(draft, ERR_PLUGIN, "launch %u, argument %u: there is no %s %lld", at, i,
                      output ? "output" : "input", (long long)arg->value);
    *arg = (struct anole_arg){.role = ANOLE_ROLE_TENSOR, .value = (int64_t)first + arg->value};
    return ANOLE_OK;
}

static int check_arg(struct draft *draft, uint32_t at, uint32_t i, uint64_t *local)
{
    const struct anole_arg *arg = &draft->launches[at].args[i];
    long long value = (long long)arg->value;
    if (draft->tensor_bytes && (arg->role == ANOLE_ROLE_INPUT || arg->role == ANOLE_ROLE_OUTPUT))
        return check_tensor(draft, at, i);
    if (arg->role == ANOLE_ROLE_INT) {
        if (arg->value < INT32_MIN || arg->value > INT32_MAX)
            return REFUSE(draft, ERR_PLUGIN, "launch %u, argument %u: %lld does not fit an int32",
                          at, i, value);
        return ANOLE_OK;
    }
    if (arg->role == ANOLE_ROLE_VALUE) {
        bool fits = arg->bytes == 1 || arg->bytes == 2 || arg->bytes == 4 || arg->bytes == 8;
        if (!draft->task.custom || !fits)
            return REFUSE(draft, ERR_PLUGIN,
                          "launch %u, argument %u: %u bytes by value: expected 1, 2, 4 or 8, of a "
                          "custom task",
                          at, i, arg->bytes);
        return ANOLE_OK;
    }
    if (arg->role == ANOLE_ROLE_LOCAL) {
        if (arg->value < 1)
            return REFUSE(draft, ERR_PLUGIN, "launch %u, argument %u: %lld bytes of local memory",
                          at, i, value);
        *local += (uint64_t)arg->value;
        return ANOLE_OK;
    }
    if (arg->role >= ANOLE_ROLE_COUNT)
        return REFUSE(draft, ERR_PLUGIN, "launch %u, argument %u: the unknown role %u", at, i,
                      arg->role);
    size_t bytes = anole_role_bytes(&draft->sizes, &draft->generated.kernel, arg->role);
    if (bytes == 0)
        return REFUSE(
            draft, ERR_PLUGIN,
            "launch %u, argument %u is bound to the %s, which this task or kernel does not "
            "have",
            at, i, anole_role_name(arg->role));
    if (arg->value < 0 || (uint64_t)arg->value >= bytes)
        return REFUSE(draft, ERR_PLUGIN,
                      "launch %u, argument %u: the offset %lld lies outside the %s of %zu bytes",
                      at, i, value, anole_role_name(arg->role), bytes);
    return ANOLE_OK;
}

static int check_shape(struct draft *draft, uint32_t at)
{
    struct anole_launch *launch = &draft->launches[at];
    const struct anole_device *device = draft->device;
    if (launch->dimensions < 1 || launch->dimensions > 3)
        return REFUSE(draft, ERR_PLUGIN, "launch %u: %u dimensions, expected 1 to 3", at,
                      launch->dimensions);
    uint64_t group = 1;
    for (uint32_t i = 0; i < launch->dimensions; i++) {
        uint64_t global = launch->global[i], local = launch->local[i];
        if (local == 0 || global == 0 || global % local != 0 || global > UINT64_C(1) << 48)
            return REFUSE(draft, ERR_PLUGIN,
                          "launch %u, dimension %u: a global size of %llu is no multiple of a "
                          "local size of %llu, both at least 1",
                          at, i, (unsigned long long)global, (unsigned long long)local);
        if (device->max_work_items[i] > 0 && local > device->max_work_items[i])
            return REFUSE(draft, ERR_INPUT,
                          "launch %u, dimension %u: %llu work-items in a group, the device takes "
                          "%llu",
                          at, i, (unsigned long long)local,
                          (unsigned long long)device->max_work_items[i]);
        if (local > UINT32_MAX || group > UINT32_MAX)
            return REFUSE(draft, ERR_INPUT, "launch %u: a work-group is too large", at);
        group *= local;
    }
    uint64_t items = 1;
    for (uint32_t i = 0; i < launch->dimensions; i++)
        if (__builtin_mul_overflow(items, launch->global[i], &items) || items > MOST_ITEMS)
            return REFUSE(
                draft, ERR_INPUT,
                "launch %u: more than 2^48 work-items: no driver counts so many, and some "
                "run none of them",
                at);
    for (uint32_t i = launch->dimensions; i < 3; i++)
        launch->global[i] = launch->local[i] = 1;
    if (device->max_work_group > 0 && group > device->max_work_group)
        return REFUSE(draft, ERR_INPUT,
                      "launch %u: %llu work-items in a group, the device takes "
                      "%llu",
                      at, (unsigned long long)group, (unsigned long long)device->max_work_group);
    return ANOLE_OK;
}

/* What can only be judged once everything is there. */
static int check_kernel(struct draft *draft, const struct anole_plugin *plugin)
{
    const struct anole_kernel *kernel = &draft->generated.kernel;
    const struct anole_device *device = draft->device;
    if (device->flags & ANOLE_DEVICE_SIMULATED)
        return ANOLE_OK; /* there may be nothing to run */
    if (kernel->packed_weights > 0 && !plugin->pack)
        return REFUSE(draft, ERR_PLUGIN, "packed weights are announced, but there is no op pack");
    size_t most = device->max_allocation ? (size_t)device->max_allocation : SIZE_MAX / 4;
    if (kernel->workspace > most || kernel->packed_weights > most)
        return REFUSE(draft, ERR_INPUT,
                      "%zu bytes of workspace and %zu of packed weights: the "
                      "device allocates at most %zu at once",
                      kernel->workspace, kernel->packed_weights, most);
    bool writes = false;
    for (uint32_t at = 0; at < kernel->launch_count; at++) {
        uint64_t local = 0;
        int code = check_shape(draft, at);
        for (uint32_t i = 0; code == ANOLE_OK && i < draft->launches[at].arg_count; i++) {
            writes |= draft->launches[at].args[i].role == ANOLE_ROLE_OUTPUT;
            code = check_arg(draft, at, i, &local);
        }
        if (code != ANOLE_OK)
            return code;
        if (device->local_memory > 0 && local > device->local_memory)
            return REFUSE(draft, ERR_INPUT,
                          "launch %u: %llu bytes of local memory, the device has %llu", at,
                          (unsigned long long)local, (unsigned long long)device->local_memory);
    }
    if (kernel->launch_count > 0 && !writes)
        return REFUSE(draft, ERR_PLUGIN, "no launch has an argument bound to the output");
    return ANOLE_OK;
}

/* Of a kernel that is not all there, but in a library behind the backend: what else `build` goes
 * by. */
static uint64_t hash_config(const struct anole_kernel *kernel)
{
    char key[ANOLE_TASK_KEY];
    anole_task_key(key, kernel->task);
    uint64_t hash = anole_hash_text(key);
    for (uint32_t i = 0; i < kernel->value_count; i++)
        hash = anole_hash_combine(hash, (uint64_t)kernel->values[i]);
    return hash;
}

static uint64_t hash_kernel(const struct anole_kernel *kernel)
{
    uint64_t hash =
        anole_hash_combine(anole_hash_text(kernel->source), anole_hash_text(kernel->options));
    hash = anole_hash_combine(hash, kernel->packed_weights);
    hash = anole_hash_combine(hash, kernel->workspace);
    for (uint32_t i = 0; i < kernel->launch_count; i++) {
        const struct anole_launch *launch = &kernel->launches[i];
        hash = anole_hash_combine(hash, anole_hash_text(launch->kernel));
        for (int d = 0; d < 3; d++) {
            hash = anole_hash_combine(hash, launch->global[d]);
            hash = anole_hash_combine(hash, launch->local[d]);
        }
        for (uint32_t a = 0; a < launch->arg_count; a++) {
            hash = anole_hash_combine(hash, launch->args[a].role);
            if (launch->args[a].bytes > 0)
                hash = anole_hash_combine(hash, launch->args[a].bytes);
            hash = anole_hash_combine(hash, (uint64_t)launch->args[a].value);
        }
    }
    return hash;
}

/* Launches and the values of arguments do not go into what a compiler makes. */
static uint64_t hash_executable(const struct anole_kernel *kernel)
{
    uint64_t hash =
        anole_hash_combine(anole_hash_text(kernel->source), anole_hash_text(kernel->options));
    for (uint32_t i = 0; i < kernel->launch_count; i++)
        hash = anole_hash_combine(hash, anole_hash_text(kernel->launches[i].kernel));
    return hash;
}

static struct draft *draft_create(const struct anole_device *device, const struct anole_task *task,
                                  const int64_t *values, size_t count, struct anole_error *error)
{
    struct draft *draft = calloc(1, sizeof *draft);
    if (!draft)
        return NULL;
    draft->builder = (struct anole_kernel_builder){.size = sizeof draft->builder,
                                                   .host = draft,
                                                   .source = add_source,
                                                   .options = add_options,
                                                   .launch = add_launch,
                                                   .packed_weights = set_packed,
                                                   .workspace = set_workspace};
    draft->device = device;
    draft->task = *task;
    draft->task.size = sizeof draft->task;
    anole_task_sizes(&draft->sizes, task);
    if (count > 0)
        memcpy(draft->values, values, count * sizeof *values);
    draft->error = error;
    return draft;
}

static bool is_whole(const struct anole_kernel *kernel)
{
    return kernel->source_length > 0 && kernel->launch_count > 0;
}

/* Points the kernel to what the draft holds. */
static void complete(struct draft *draft, size_t count)
{
    struct anole_kernel *kernel = &draft->generated.kernel;
    kernel->size = sizeof *kernel;
    kernel->source = draft->source.data ? draft->source.data : "";
    kernel->source_length = draft->source.length;
    kernel->options = draft->options.data ? draft->options.data : "";
    kernel->launches = draft->launches;
    kernel->task = &draft->task;
    kernel->values = draft->values;
    kernel->value_count = (uint32_t)count;
    draft->generated.source_hash = hash_kernel(kernel);
    draft->generated.executable = hash_executable(kernel);
    if (!is_whole(kernel) && !(draft->device->flags & ANOLE_DEVICE_SIMULATED)) {
        uint64_t config = hash_config(kernel);
        draft->generated.source_hash = anole_hash_combine(draft->generated.source_hash, config);
        draft->generated.executable = anole_hash_combine(draft->generated.executable, config);
    }
    draft->error = NULL;
    draft->device = NULL;
}

static void ask_plugin(struct draft *draft, const struct anole_plugin *plugin,
                       const struct anole_device *device, size_t count)
{
    struct anole_message message = {.size = sizeof message};
    int code = plugin->generate(device, &draft->task, draft->values, (uint32_t)count,
                                &draft->builder, &message);
    if (draft->status == ANOLE_DONE && code != ANOLE_OK)
        draft->status = anole_plugin_failure(draft->error, ANOLE_ERR_INPUT, code, &message);
}

/* The kernel is with the task: no plugin has a say in it. */
static void make_custom(struct draft *draft, const struct anole_device *device,
                        const struct anole_task *task, size_t count)
{
    const struct anole_custom_kernel *custom = anole_custom_of(task);
    enum anole_status status =
        count == custom->knob_count
            ? anole_custom_generate(custom, false, device, draft->values, &draft->builder,
                                    draft->error)
            : anole_fail(draft->error, ANOLE_ERR_INTERNAL, "%zu values for %zu knobs", count,
                         custom->knob_count);
    if (draft->status == ANOLE_DONE)
        draft->status = status;
}

/* The same of a process that is there for it.  False: `error` has it all. */
static bool ask_elsewhere(struct draft *draft, struct anole_pure *elsewhere,
                          const struct anole_device *device, size_t count)
{
    enum anole_status status = elsewhere->generate(elsewhere, device, &draft->task, draft->values,
                                                   count, &draft->builder, draft->error);
    if (draft->status == ANOLE_DONE)
        draft->status = status;
    return status == ANOLE_DONE;
}

static bool comes_along(const struct anole_device *device, const struct anole_task *task)
{
    return task->custom && !(device->flags & ANOLE_DEVICE_SIMULATED);
}

enum anole_status anole_backend_generate(struct anole_generated **generated,
                                         const struct anole_backend *backend,
                                         const struct anole_device *device,
                                         const struct anole_task *task, const int64_t *values,
                                         size_t count, struct anole_error *error)
{
    const struct anole_plugin *plugin = &backend->plugin;
    if (count > ANOLE_MAX_KNOBS)
        return anole_fail(error, ANOLE_ERR_INTERNAL, "a config of %zu knobs", count);
    struct draft *draft = draft_create(device, task, values, count, error);
    if (!draft)
        return anole_fail_memory(error);
    bool here = true; /* whose words they are is still to be said */
    if (comes_along(device, task))
        make_custom(draft, device, task, count);
    else if (backend->elsewhere)
        here = ask_elsewhere(draft, backend->elsewhere, device, count);
    else
        ask_plugin(draft, plugin, device, count);
    if (draft->status == ANOLE_DONE)
        check_kernel(draft, plugin);
    enum anole_status status = draft->status;
    if (status != ANOLE_DONE) {
        if (here)
            anole_error_prefix(error, "backend %s", plugin->name);
        anole_generated_destroy(&draft->generated);
        return status;
    }
    complete(draft, count);
    *generated = &draft->generated;
    return ANOLE_DONE;
}

/* The task that a plain kernel comes with. */
static bool adopt_plain(struct draft *draft, const struct anole_plain *plain)
{
    draft->operator_name = strdup(plain->name);
    draft->tensor_bytes = calloc(plain->tensor_count + 1, sizeof *draft->tensor_bytes);
    if (!draft->operator_name || !draft->tensor_bytes)
        return false;
    memcpy(draft->tensor_bytes, plain->tensor_bytes,
           plain->tensor_count * sizeof *plain->tensor_bytes);
    draft->input_count = plain->input_count;
    draft->custom = (struct anole_custom){.size = sizeof draft->custom,
                                          .language = ANOLE_OPENCL_C,
                                          .name = draft->operator_name,
                                          .tensor_count = plain->tensor_count,
                                          .tensor_bytes = draft->tensor_bytes};
    draft->task.custom = &draft->custom;
    return true;
}

enum anole_status anole_backend_generate_plain(struct anole_generated **generated,
                                               const struct anole_backend *backend,
                                               const struct anole_device *device,
                                               const struct anole_plain *plain,
                                               struct anole_error *error)
{
    const struct anole_plugin *plugin = &backend->plugin;
    const struct anole_task task = {.kind = ANOLE_TASK_OPERATOR, .dtype = plain->dtype};
    struct draft *draft = draft_create(device, &task, NULL, 0, error);
    if (!draft)
        return anole_fail_memory(error);
    enum anole_status status = ANOLE_DONE;
    if (!adopt_plain(draft, plain))
        status = anole_fail_memory(error);
    else if (!anole_backend_supports(backend, device, &draft->task))
        status = anole_fail(error, ANOLE_ERR_INPUT, "backend %s takes no plain kernels of \"%s\"",
                            plugin->name, plain->name);
    if (status == ANOLE_DONE) {
        status = plain->make(plain->context, &draft->builder, error);
        if (draft->status == ANOLE_DONE && status == ANOLE_DONE)
            check_kernel(draft, plugin);
        status = draft->status ? draft->status : status;
        if (status != ANOLE_DONE)
            anole_error_prefix(error, "the plain kernel of \"%s\"", plain->name);
    }
    if (status != ANOLE_DONE) {
        anole_generated_destroy(&draft->generated);
        return status;
    }
    complete(draft, 0);
    for (uint32_t i = 0; i < plain->tensor_count; i++)
        draft->generated.source_hash =
            anole_hash_combine(draft->generated.source_hash, draft->tensor_bytes[i]);
    *generated = &draft->generated;
    return ANOLE_DONE;
}

void anole_generated_destroy(struct anole_generated *generated)
{
    if (!generated)
        return;
    struct draft *draft = (struct draft *)generated;
    anole_text_fini(&draft->source);
    anole_text_fini(&draft->options);
    free(draft->operator_name);
    free(draft->tensor_bytes);
    free(draft);
}

enum anole_status anole_backend_pack(const struct anole_backend *backend,
                                     const struct anole_device *device,
                                     const struct anole_task *task, const int64_t *values,
                                     size_t count, const void *weights, size_t weights_bytes,
                                     void *packed, size_t packed_bytes, struct anole_error *error)
{
    const struct anole_plugin *plugin = &backend->plugin;
    struct anole_message message = {.size = sizeof message};
    if (!plugin->pack)
        return anole_fail(error, ANOLE_ERR_PLUGIN, "backend %s has no op pack", plugin->name);
    int code = plugin->pack(device, task, values, (uint32_t)count, weights, weights_bytes, packed,
                            packed_bytes, &message);
    if (code == ANOLE_OK)
        return ANOLE_DONE;
    enum anole_status status = anole_plugin_failure(error, ANOLE_ERR_INPUT, code, &message);
    anole_error_prefix(error, "backend %s: packing the weights", plugin->name);
    return status;
}
