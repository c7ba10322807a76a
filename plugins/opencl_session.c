/* SPDX-License-Identifier: MIT
 *
 * The time group of the ops: an open device, its buffers, builds, and runs.
 */
#include "opencl_session.h"
#include "opencl_compiler.h"
#include "opencl_device.h"
#include "opencl_error.h"
#include "opencl_local_memory.h"
#include "opencl_session_private.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Launches that wait for the device at a time.  Some drivers keep memory for each,
 * or stop taking them; this is enough for any device to find the next one. */
#define MAX_IN_FLIGHT 256

/* ----------------------------------------------------------------- session */

/* Numbers that are taken.  Where a process has several sessions, each has kernels of its own:
 * what PoCL keeps of a kernel is mistaken for another (opencl_queues.c says how) where two
 * queues launch it at once over different grids.  A binary has the name that it was built under:
 * the first session alone takes any. */
#define MOST_NUMBERS 64
static struct {
    pthread_mutex_t mutex;
    uint64_t taken;
} numbers = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static unsigned take_number(void)
{
    unsigned number = 0;
    pthread_mutex_lock(&numbers.mutex);
    while (number < MOST_NUMBERS - 1 && numbers.taken >> number & 1)
        number++;
    numbers.taken |= UINT64_C(1) << number;
    pthread_mutex_unlock(&numbers.mutex);
    return number;
}

static void give_number(unsigned number)
{
    pthread_mutex_lock(&numbers.mutex);
    numbers.taken &= ~(UINT64_C(1) << number);
    pthread_mutex_unlock(&numbers.mutex);
}

static cl_context make_context(cl_device_id id, const struct opencl_queues_options *queues,
                               cl_int *error)
{
    cl_device_id devices[1 + OPENCL_MOST_PARTS] = {id, queues->device};
    cl_uint count = queues->count ? 2 : 1;
    for (; queues->parts && count <= queues->count && count <= OPENCL_MOST_PARTS; count++)
        devices[count] = queues->parts[count - 1];
    return clCreateContext(NULL, count, devices, NULL, NULL, error);
}

int opencl_open_queues(cl_device_id id, const struct opencl_queues_options *queues,
                       struct anole_session **session, struct anole_message *message)
{
    cl_int error;
    int code;
    struct anole_session *s = calloc(1, sizeof *s);
    if (!s)
        return opencl_say(message, ANOLE_NO_MEMORY, "Out of memory.");
    s->device = id;
    /* Else every kernel would fail to build, one after another. */
    if (!opencl_device_number(id, CL_DEVICE_COMPILER_AVAILABLE, CL_TRUE)) {
        opencl_say(message, ANOLE_UNSUPPORTED,
                   "The driver has no compiler (CL_DEVICE_COMPILER_AVAILABLE is false); install "
                   "the one that belongs to it, or choose another device.");
        free(s);
        return ANOLE_UNSUPPORTED;
    }
    s->timer = opencl_device_number(id, CL_DEVICE_QUEUE_PROPERTIES, 0) & CL_QUEUE_PROFILING_ENABLE;
    s->context = make_context(id, queues, &error);
    if (!s->context) {
        code = opencl_fail(message, ANOLE_DEVICE_LOST, error, "clCreateContext");
        goto free_session;
    }
    s->queue =
        clCreateCommandQueue(s->context, id, s->timer ? CL_QUEUE_PROFILING_ENABLE : 0, &error);
    if (!s->queue) {
        code = opencl_fail(message, ANOLE_DEVICE_LOST, error, "clCreateCommandQueue");
        goto release_context;
    }
    code = opencl_queues_init(&s->queues, s->context, queues, message);
    if (code)
        goto release_queue;
    s->number = take_number();
    s->no_binaries = queues->no_binaries || s->number > 0;
    s->quiet = queues->quiet;
    s->declarations = queues->declarations;
    (void)opencl_compiler_forget(); /* it has been loaded; whether it is used remains to be seen */
    *session = s;
    return ANOLE_OK;

release_queue:
    clReleaseCommandQueue(s->queue);
release_context:
    clReleaseContext(s->context);
free_session:
    free(s);
    return code;
}

int opencl_open(cl_device_id id, struct anole_session **session, struct anole_message *message)
{
    return opencl_open_queues(id, &(struct opencl_queues_options){.count = 0}, session, message);
}

/* One user less of a program, which may be NULL. */
static void leave_program(struct anole_session *session, struct opencl_shared_program *shared)
{
    struct opencl_shared_program **at = &session->shared;
    if (!shared || --shared->users > 0)
        return;
    while (*at != shared)
        at = &(*at)->next;
    *at = shared->next;
    clReleaseProgram(shared->program);
    free(shared->source);
    free(shared->options);
    free(shared);
}

void opencl_close(struct anole_session *session)
{
    if (!session)
        return;
    for (unsigned i = 0; i < OPENCL_LAST_PROGRAMS; i++)
        leave_program(session, session->last[i]);
    opencl_queues_fini(&session->queues);
    give_number(session->number);
    clReleaseCommandQueue(session->queue);
    clReleaseContext(session->context);
    if (session->owns_device)
        clReleaseDevice(session->device);
    free(session);
}

void opencl_session_own_device(struct anole_session *session)
{
    session->owns_device = true;
}

cl_device_id opencl_session_device(const struct anole_session *session)
{
    return session->device;
}

/* ----------------------------------------------------------------- buffers */

/* What takes so many bytes is worth a look at what else is resident. */
#define LARGE (1 << 20)

int opencl_buffer_create(struct anole_session *session, size_t bytes, struct anole_buffer **buffer,
                         struct anole_message *message)
{
    cl_int error;
    struct anole_buffer *b = calloc(1, sizeof *b);
    if (!b)
        return opencl_say(message, ANOLE_NO_MEMORY, "Out of memory.");
    /* A network gets its memory when its kernels are built: it can have what that took. */
    if (bytes >= LARGE)
        (void)opencl_compiler_forget();
    b->bytes = bytes;
    b->memory = clCreateBuffer(session->context, CL_MEM_READ_WRITE, bytes, NULL, &error);
    if (!b->memory) {
        free(b);
        char what[64];
        snprintf(what, sizeof what, "clCreateBuffer of %zu bytes", bytes);
        return opencl_fail(message, ANOLE_NO_MEMORY, error, what);
    }
    *buffer = b;
    return ANOLE_OK;
}

int opencl_buffer_write(struct anole_session *session, struct anole_buffer *buffer, size_t offset,
                        const void *data, size_t bytes, struct anole_message *message)
{
    cl_int error = clEnqueueWriteBuffer(session->queue, buffer->memory, CL_TRUE, offset, bytes,
                                        data, 0, NULL, NULL);
    return error ? opencl_fail(message, ANOLE_DEVICE_LOST, error, "clEnqueueWriteBuffer")
                 : ANOLE_OK;
}

int opencl_buffer_read(struct anole_session *session, struct anole_buffer *buffer, size_t offset,
                       void *data, size_t bytes, struct anole_message *message)
{
    cl_int error = clEnqueueReadBuffer(session->queue, buffer->memory, CL_TRUE, offset, bytes, data,
                                       0, NULL, NULL);
    return error ? opencl_fail(message, ANOLE_DEVICE_LOST, error, "clEnqueueReadBuffer") : ANOLE_OK;
}

void opencl_buffer_destroy(struct anole_session *session, struct anole_buffer *buffer)
{
    (void)session;
    if (!buffer)
        return;
    clReleaseMemObject(buffer->memory);
    free(buffer);
}

int opencl_buffer_map(struct anole_session *session, struct anole_buffer *buffer, size_t offset,
                      size_t bytes, void **memory, struct anole_message *message)
{
    cl_int error;
    void *mapped =
        clEnqueueMapBuffer(session->queue, buffer->memory, CL_TRUE, CL_MAP_READ | CL_MAP_WRITE,
                           offset, bytes, 0, NULL, NULL, &error);
    if (error)
        return opencl_fail(message, ANOLE_DEVICE_LOST, error, "clEnqueueMapBuffer");
    *memory = mapped;
    return ANOLE_OK;
}

int opencl_buffer_unmap(struct anole_session *session, struct anole_buffer *buffer, void *memory,
                        struct anole_message *message)
{
    cl_int error = clEnqueueUnmapMemObject(session->queue, buffer->memory, memory, 0, NULL, NULL);
    if (!error)
        error = clFinish(session->queue);
    return error ? opencl_fail(message, ANOLE_DEVICE_LOST, error, "clEnqueueUnmapMemObject")
                 : ANOLE_OK;
}

/* ------------------------------------------------------------------- build */

static bool is_operator(const struct anole_task *task)
{
    return task->kind == ANOLE_TASK_OPERATOR;
}

static bool has_kernel(const struct anole_task *task)
{
    return task->size >= offsetof(struct anole_task, custom) + sizeof task->custom && task->custom;
}

/* Bytes of each role's tensor; 0: the task has none. */
static void find_role_bytes(size_t bytes[ANOLE_ROLE_COUNT], const struct anole_kernel *kernel)
{
    const struct anole_task *task = kernel->task;
    if (has_kernel(task)) {
        for (int i = 0; i < ANOLE_ROLE_COUNT; i++)
            bytes[i] = 0;
        if (is_operator(task))
            return;
        bytes[ANOLE_ROLE_INPUT] = (size_t)task->custom->input_bytes;
        bytes[ANOLE_ROLE_OUTPUT] = (size_t)task->custom->output_bytes;
        return;
    }
    const size_t element = task->dtype == ANOLE_F16 ? 2 : 4;
    const size_t in = (size_t)task->batch * task->in_h * task->in_w * task->in_c;
    const size_t out = (size_t)task->batch * task->out_h * task->out_w * task->out_c;
    const size_t taps = (size_t)task->kernel_h * task->kernel_w;
    const size_t depth = task->kind == ANOLE_TASK_DEPTHWISE_CONV2D ? 1 : task->in_c / task->groups;
    const size_t matrices = task->kind == ANOLE_TASK_MATMUL ? task->batch : 1;

    bytes[ANOLE_ROLE_INPUT] = in * element;
    bytes[ANOLE_ROLE_WEIGHTS] = kernel->packed_weights
                                    ? kernel->packed_weights
                                    : matrices * task->out_c * taps * depth * element;
    bytes[ANOLE_ROLE_BIAS] = task->flags & ANOLE_TASK_BIAS ? task->out_c * element : 0;
    bytes[ANOLE_ROLE_RESIDUAL] = task->flags & ANOLE_TASK_RESIDUAL ? out * element : 0;
    /* With a pitch, up to the last channel of the last pixel. */
    bytes[ANOLE_ROLE_OUTPUT] =
        (task->out_pitch ? (out / task->out_c - 1) * task->out_pitch + task->out_c : out) * element;
    bytes[ANOLE_ROLE_WORKSPACE] = kernel->workspace;
}

/* The same of an operator's kernel, which has tensors of its own. */
static int keep_tensor_bytes(struct anole_build *build, const struct anole_kernel *kernel,
                             struct anole_message *message)
{
    const struct anole_custom *custom = kernel->task->custom;
    if (!is_operator(kernel->task))
        return ANOLE_OK;
    if (!has_kernel(kernel->task) ||
        custom->size < offsetof(struct anole_custom, tensor_bytes) + sizeof custom->tensor_bytes)
        return opencl_say(message, ANOLE_BAD_REQUEST, "An operator's kernel without its tensors.");
    build->tensor_bytes = calloc(custom->tensor_count + 1, sizeof *build->tensor_bytes);
    if (!build->tensor_bytes)
        return opencl_say(message, ANOLE_NO_MEMORY, "Out of memory.");
    memcpy(build->tensor_bytes, custom->tensor_bytes,
           custom->tensor_count * sizeof *build->tensor_bytes);
    build->tensor_count = custom->tensor_count;
    return ANOLE_OK;
}

#define TEXT_(a) #a
#define TEXT(a) TEXT_(a)
#define FIRST_GROUP_OPTION " -DFIRST_GROUP=" TEXT(OPENCL_FIRST_GROUP)

/* The compiler's log, after a sentence that says what failed. */
static void say_log(cl_device_id device, cl_program program, struct anole_message *message)
{
    size_t size = 0;
    char *log = NULL;
    if (!clGetProgramBuildInfo(program, device, CL_PROGRAM_BUILD_LOG, 0, NULL, &size) && size)
        log = calloc(1, size + 1);
    if (log && clGetProgramBuildInfo(program, device, CL_PROGRAM_BUILD_LOG, size, log, NULL))
        log[0] = 0;
    opencl_say(message, ANOLE_BUILD_FAILED, "The kernel does not compile.\n%s",
               log && *log ? log : "The compiler gave no reason.");
    free(log);
}

static cl_program program_from(struct anole_session *session, cl_device_id device,
                               const struct anole_kernel *kernel, const char *declarations,
                               const void *binary, size_t binary_bytes, cl_int *error)
{
    if (!binary) {
        const char *prefix = is_operator(kernel->task) && device == session->queues.device
                                 ? opencl_queues_prefix
                                 : "";
        if (declarations)
            prefix = declarations;
        return clCreateProgramWithSource(session->context, 2,
                                         (const char *[]){prefix, kernel->source},
                                         (size_t[]){strlen(prefix), kernel->source_length}, error);
    }
    return clCreateProgramWithBinary(session->context, 1, &device, &binary_bytes,
                                     (const unsigned char *[]){binary}, NULL, error);
}

/* What is to be compiled, and with what in front of it. */
struct text {
    const struct anole_kernel *kernel;
    const char *declarations; /* instead of the compiler's own header; NULL: with that */
    const void *binary;       /* instead of the source, or NULL */
    size_t binary_bytes;
};

/* Compiles for build->device; sets build->program only if that went well. */
static int compile(struct anole_session *session, const struct text *text,
                   struct anole_build *build, struct anole_message *message)
{
    cl_int error;
    char *options = NULL;
    const char *first = build->device == session->queues.device ? FIRST_GROUP_OPTION : "";
    char number[32] = "";
    if (session->number > 0)
        snprintf(number, sizeof number, " -DSESSION_NUMBER=%u", session->number);
    if (asprintf(&options, "%s%s%s%s%s", text->kernel->options, first, number,
                 session->quiet ? " -w" : "", text->declarations ? " -D_OPENCL_H_" : "") < 0)
        return opencl_say(message, ANOLE_NO_MEMORY, "Out of memory.");
    cl_program p = program_from(session, build->device, text->kernel, text->declarations,
                                text->binary, text->binary_bytes, &error);
    const struct opencl_queues *queues = &session->queues;
    const bool for_parts = build->device == queues->device && queues->parts;
    if (p)
        error = clBuildProgram(p, for_parts ? queues->count : 1,
                               for_parts ? queues->parts : &build->device, options, NULL, NULL);
    free(options);
    if (!p)
        return opencl_fail(message, ANOLE_BUILD_FAILED, error, "Making a program object");
    if (error) {
        int code = opencl_fail(message, ANOLE_BUILD_FAILED, error, "clBuildProgram");
        if (code == ANOLE_BUILD_FAILED)
            say_log(build->device, p, message);
        clReleaseProgram(p);
        return code;
    }
    build->program = p;
    return ANOLE_OK;
}

/* Users' kernels, and those of operators, may call any function. */
static bool is_template(const struct anole_kernel *kernel)
{
    return !is_operator(kernel->task) && kernel->task->kind != ANOLE_TASK_CUSTOM;
}

/* Where so many sources did not compile with the declarations but do with the compiler's own
 * header, it is another compiler than was thought. */
#define MOST_UNDECLARED 4

/* From source: what a template calls is declared with it. */
static int compile_source(struct anole_session *session, const struct anole_kernel *kernel,
                          struct anole_build *build, struct anole_message *message)
{
    struct text text = {.kernel = kernel};
    if (is_template(kernel) && session->undeclared < MOST_UNDECLARED)
        text.declarations = session->declarations;
    int code = compile(session, &text, build, message);
    if (code != ANOLE_BUILD_FAILED || !text.declarations)
        return code;
    text.declarations = NULL;
    code = compile(session, &text, build, message);
    session->undeclared += !code;
    return code;
}

/* Kernels that differ in launches alone, and the plain kernels of a network that come with one
 * source for several, are of one program. */
static bool find_shared(struct anole_session *session, const struct anole_kernel *kernel,
                        struct anole_build *build)
{
    struct opencl_shared_program *shared = session->shared;
    while (shared && !(shared->device == build->device && shared->length == kernel->source_length &&
                       memcmp(shared->source, kernel->source, shared->length) == 0 &&
                       strcmp(shared->options, kernel->options) == 0))
        shared = shared->next;
    if (!shared)
        return false;
    shared->users++;
    build->shared = shared;
    build->program = shared->program;
    return true;
}

/* Puts the program of a build into the list. */
static void share(struct anole_session *session, const struct anole_kernel *kernel,
                  struct anole_build *build)
{
    struct opencl_shared_program *shared = calloc(1, sizeof *shared);
    char *source = malloc(kernel->source_length + 1), *options = strdup(kernel->options);
    if (!shared || !source || !options) {
        free(shared);
        free(source);
        free(options);
        return; /* the next one is built for itself */
    }
    memcpy(source, kernel->source, kernel->source_length);
    *shared = (struct opencl_shared_program){.next = session->shared,
                                             .users = 1,
                                             .program = build->program,
                                             .device = build->device,
                                             .length = kernel->source_length,
                                             .source = source,
                                             .options = options};
    session->shared = build->shared = shared;
}

/* An operator's program is for those that are built next, even if this build ends before: those
 * of a network come and go one after another. */
static void remember(struct anole_session *session, const struct anole_kernel *kernel,
                     struct opencl_shared_program *shared)
{
    struct opencl_shared_program **place = &session->last[session->last_next];
    if (!shared || !is_operator(kernel->task))
        return;
    for (unsigned i = 0; i < OPENCL_LAST_PROGRAMS; i++)
        if (session->last[i] == shared)
            return;
    leave_program(session, *place);
    shared->users++;
    *place = shared;
    session->last_next = (session->last_next + 1) % OPENCL_LAST_PROGRAMS;
}

/* From what is there, from a binary, or from source. */
static int make_program(struct anole_session *session, const struct anole_kernel *kernel,
                        const void *binary, size_t binary_bytes, struct anole_build *build,
                        struct anole_message *message)
{
    int code = ANOLE_BUILD_FAILED;
    if (find_shared(session, kernel, build))
        return opencl_say(message, ANOLE_OK, "%s", "");
    const struct text stored = {.kernel = kernel, .binary = binary, .binary_bytes = binary_bytes};
    if (binary)
        code = compile(session, &stored, build, message);
    const bool refused = binary && code; /* it is of another version of the driver */
    if (code)
        code = compile_source(session, kernel, build, message);
    if (code)
        return code;
    share(session, kernel, build);
    remember(session, kernel, build->shared);
    return opencl_say(message, ANOLE_OK, "%s",
                      refused ? "The driver refuses the binary: built from source." : "");
}

/* The kernel object of each launch. */
static int make_kernels(struct anole_build *build, const struct anole_kernel *kernel,
                        struct anole_message *message)
{
    for (uint32_t i = 0; i < kernel->launch_count && i < ANOLE_MAX_LAUNCHES; i++) {
        /* The host's elements may be longer than ours. */
        const size_t size = kernel->launches[0].size;
        const char *at = (const char *)kernel->launches + i * size;
        struct anole_launch *launch = &build->launches[i].launch;
        memcpy(launch, at, size < sizeof *launch ? size : sizeof *launch);
        cl_int error;
        build->launches[i].kernel = clCreateKernel(build->program, launch->kernel, &error);
        if (error == CL_INVALID_KERNEL_NAME)
            return opencl_say(message, ANOLE_BUILD_FAILED, "The source has no kernel '%s'.",
                              launch->kernel);
        if (error)
            return opencl_fail(message, ANOLE_BUILD_FAILED, error, "clCreateKernel");
        launch->kernel = NULL; /* the text is the host's */
        build->launch_count++;
    }
    return ANOLE_OK;
}

/* What a built kernel may be launched with can be far below what the device
 * allows, for its registers.  Better said here than found out by a driver. */
static int check_limits(struct anole_session *session, const struct anole_build *build,
                        const struct anole_kernel *kernel, struct anole_message *message)
{
    const uint64_t local_limit =
        opencl_device_number(build->device, CL_DEVICE_LOCAL_MEM_SIZE, UINT64_MAX);
    for (uint32_t i = 0; i < build->launch_count; i++) {
        const struct anole_launch *launch = &build->launches[i].launch;
        size_t items = 1, limit = 0;
        for (uint32_t d = 0; d < 3 && d < launch->dimensions; d++) {
            if (!launch->local[d] || launch->global[d] % launch->local[d])
                return opencl_say(message, ANOLE_LAUNCH_FAILED,
                                  "Launch %u has %llu work-items in dimension %u, which is no "
                                  "multiple of its work-groups' %llu.",
                                  i, (unsigned long long)launch->global[d], d,
                                  (unsigned long long)launch->local[d]);
            items *= (size_t)launch->local[d];
        }
        if (!clGetKernelWorkGroupInfo(build->launches[i].kernel, build->device,
                                      CL_KERNEL_WORK_GROUP_SIZE, sizeof limit, &limit, NULL) &&
            limit && items > limit)
            return opencl_say(message, ANOLE_LAUNCH_FAILED,
                              "Launch %u has work-groups of %zu work-items; as compiled, the "
                              "kernel can have %zu of them: it takes too many registers.",
                              i, items, limit);
        const uint64_t local = opencl_local_memory(session, build, i, kernel);
        if (local > local_limit)
            return opencl_say(message, ANOLE_LAUNCH_FAILED,
                              "Launch %u takes %llu bytes of local memory, the device has %llu.", i,
                              (unsigned long long)local, (unsigned long long)local_limit);
    }
    return ANOLE_OK;
}

int opencl_build(struct anole_session *session, const struct anole_kernel *kernel,
                 const void *binary, size_t binary_bytes, struct anole_build **build,
                 struct anole_message *message)
{
    struct anole_build *b = calloc(1, sizeof *b);
    if (!b)
        return opencl_say(message, ANOLE_NO_MEMORY, "Out of memory.");

    bool shared = opencl_queues_can_launch(&session->queues, kernel);
    b->device = shared ? session->queues.device : session->device;
    if (session->no_binaries)
        binary = NULL;
    int code = make_program(session, kernel, binary, binary_bytes, b, message);
    if (!code)
        code = make_kernels(b, kernel, message);
    if (!code && shared && !opencl_queues_divide(&session->queues, b))
        code = opencl_say(message, ANOLE_NO_MEMORY, "Out of memory.");
    if (!code)
        code = check_limits(session, b, kernel, message);
    find_role_bytes(b->bytes, kernel);
    if (!code)
        code = keep_tensor_bytes(b, kernel, message);
    if (code) {
        opencl_release(session, b);
        return code;
    }
    *build = b;
    return ANOLE_OK;
}

void opencl_release(struct anole_session *session, struct anole_build *build)
{
    if (!build)
        return;
    for (uint32_t i = 0; i < build->launch_count; i++)
        clReleaseKernel(build->launches[i].kernel);
    if (build->shared)
        leave_program(session, build->shared);
    else if (build->program)
        clReleaseProgram(build->program);
    opencl_queue_list_destroy(build->list);
    free(build->shares);
    free(build->tensor_bytes);
    free(build);
}

/* --------------------------------------------------------------- arguments */

void opencl_parts_fini(struct opencl_parts *parts)
{
    for (uint32_t i = 0; i < parts->count; i++)
        clReleaseMemObject(parts->memory[i]);
    parts->count = 0;
}

/* The memory that a binding means, from `skip` bytes into it on. */
static int bind_memory(const struct anole_binding *binding, int64_t skip,
                       struct opencl_parts *parts, cl_mem *memory, struct anole_message *message)
{
    cl_int error;
    if (!binding->buffer)
        return opencl_say(message, ANOLE_BAD_REQUEST,
                          "A launch uses a tensor that the task does not have.");
    if (skip < 0 || (uint64_t)skip >= binding->bytes)
        return opencl_say(message, ANOLE_BAD_REQUEST,
                          "A launch begins %lld bytes into a tensor of %zu bytes.", (long long)skip,
                          binding->bytes);
    cl_buffer_region region = {binding->offset + (size_t)skip, binding->bytes - (size_t)skip};
    if (!region.origin && region.size == binding->buffer->bytes) {
        *memory = binding->buffer->memory;
        return ANOLE_OK;
    }
    *memory = clCreateSubBuffer(binding->buffer->memory, CL_MEM_READ_WRITE,
                                CL_BUFFER_CREATE_TYPE_REGION, &region, &error);
    if (!*memory)
        return opencl_fail(message, ANOLE_LAUNCH_FAILED, error, "clCreateSubBuffer");
    parts->memory[parts->count++] = *memory;
    return ANOLE_OK;
}

/* Some bytes by value, as memory has a number of that size. */
static cl_int set_value(cl_kernel kernel, cl_uint index, const struct anole_arg *arg)
{
    const cl_uchar one = (cl_uchar)arg->value;
    const cl_ushort two = (cl_ushort)arg->value;
    const cl_uint four = (cl_uint)arg->value;
    const cl_ulong eight = (cl_ulong)arg->value;
    switch (arg->bytes) {
    case 1:
        return clSetKernelArg(kernel, index, sizeof one, &one);
    case 2:
        return clSetKernelArg(kernel, index, sizeof two, &two);
    case 4:
        return clSetKernelArg(kernel, index, sizeof four, &four);
    default:
        return clSetKernelArg(kernel, index, sizeof eight, &eight);
    }
}

static int bind_argument(cl_kernel kernel, cl_uint index, const struct anole_arg *arg,
                         const struct anole_binding *bindings, uint32_t binding_count,
                         struct opencl_parts *parts, struct anole_message *message)
{
    cl_int error;
    cl_int number = (cl_int)arg->value;
    cl_mem memory;

    if (arg->role == ANOLE_ROLE_INT) {
        error = clSetKernelArg(kernel, index, sizeof number, &number);
    } else if (arg->role == ANOLE_ROLE_VALUE) {
        error = set_value(kernel, index, arg);
    } else if (arg->role == ANOLE_ROLE_TENSOR) {
        int code = bind_memory(&bindings[arg->value], 0, parts, &memory, message);
        if (code)
            return code;
        error = clSetKernelArg(kernel, index, sizeof memory, &memory);
    } else if (arg->role == ANOLE_ROLE_LOCAL) {
        error = clSetKernelArg(kernel, index, (size_t)arg->value, NULL);
    } else if (arg->role < binding_count) {
        int code = bind_memory(&bindings[arg->role], arg->value, parts, &memory, message);
        if (code)
            return code;
        error = clSetKernelArg(kernel, index, sizeof memory, &memory);
    } else {
        return opencl_say(message, ANOLE_BAD_REQUEST, "A launch has an argument of role %u.",
                          arg->role);
    }
    return error ? opencl_fail(message, ANOLE_LAUNCH_FAILED, error, "clSetKernelArg") : ANOLE_OK;
}

/* A kernel takes for granted that each tensor is whole. */
static int check_tensor(const struct anole_build *build, const struct anole_arg *arg,
                        const struct anole_binding *bindings, uint32_t binding_count,
                        struct anole_message *message)
{
    const bool by_index = arg->role == ANOLE_ROLE_TENSOR;
    uint64_t at = by_index ? (uint64_t)arg->value : arg->role;
    if (by_index && (at >= build->tensor_count || at >= binding_count))
        return opencl_say(message, ANOLE_BAD_REQUEST,
                          "A launch uses tensor %lld, of %u that are bound.", (long long)arg->value,
                          binding_count);
    if (!by_index && (at >= binding_count || at >= ANOLE_ROLE_COUNT))
        return ANOLE_OK; /* or found out below */
    uint64_t needed = by_index ? build->tensor_bytes[at] : build->bytes[at];
    if (!bindings[at].buffer || bindings[at].bytes >= needed)
        return ANOLE_OK;
    return opencl_say(message, ANOLE_BAD_REQUEST,
                      "A launch needs the %llu bytes of %s %llu, but is bound to %zu.",
                      (unsigned long long)needed, by_index ? "tensor" : "role",
                      (unsigned long long)at, bindings[at].bytes);
}

int opencl_bind(const struct anole_build *build, const cl_kernel *kernels,
                const struct anole_binding *bindings, uint32_t binding_count,
                struct opencl_parts *parts, struct anole_message *message)
{
    int code = ANOLE_OK;
    for (uint32_t i = 0; i < build->launch_count && !code; i++) {
        const struct anole_launch *launch = &build->launches[i].launch;
        for (uint32_t a = 0; a < launch->arg_count && a < ANOLE_MAX_ARGS && !code; a++) {
            code = check_tensor(build, &launch->args[a], bindings, binding_count, message);
            if (code)
                break;
            code = bind_argument(kernels[i], a, &launch->args[a], bindings, binding_count, parts,
                                 message);
        }
    }
    return code;
}

/* The same for the build's own kernels. */
static int bind(const struct anole_build *build, const struct anole_binding *bindings,
                uint32_t binding_count, struct opencl_parts *parts, struct anole_message *message)
{
    cl_kernel kernels[ANOLE_MAX_LAUNCHES];
    for (uint32_t i = 0; i < build->launch_count; i++)
        kernels[i] = build->launches[i].kernel;
    return opencl_bind(build, kernels, bindings, binding_count, parts, message);
}

/* --------------------------------------------------------------------- run */

/* The first and the last event of one repeat; one launch has the first alone. */
struct span {
    cl_event first, last;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

cl_int opencl_enqueue(struct anole_session *session, cl_kernel kernel,
                      const struct anole_launch *launch, bool first_group, cl_event *event)
{
    size_t global[3], local[3];
    for (int d = 0; d < 3; d++) {
        local[d] = (size_t)launch->local[d];
        global[d] = first_group ? local[d] : (size_t)launch->global[d];
    }
    return clEnqueueNDRangeKernel(session->queue, kernel, launch->dimensions, NULL, global, local,
                                  0, NULL, event);
}

/* All launches once, or only the first work-group of each.  `span` may be NULL. */
static cl_int enqueue(struct anole_session *session, struct anole_build *build, bool first_group,
                      struct span *span)
{
    for (uint32_t i = 0; i < build->launch_count; i++) {
        cl_event *event = NULL;
        if (span && i == 0)
            event = &span->first;
        else if (span && i + 1 == build->launch_count)
            event = &span->last;
        cl_int error = opencl_enqueue(session, build->launches[i].kernel,
                                      &build->launches[i].launch, first_group, event);
        if (error)
            return error;
    }
    return CL_SUCCESS;
}

double opencl_event_seconds(cl_event first, cl_event last)
{
    cl_ulong start, end;
    if (!first ||
        clGetEventProfilingInfo(first, CL_PROFILING_COMMAND_START, sizeof start, &start, NULL) ||
        clGetEventProfilingInfo(last, CL_PROFILING_COMMAND_END, sizeof end, &end, NULL) ||
        end < start)
        return -1;
    return 1e-9 * (double)(end - start);
}

static double span_seconds(const struct span *span)
{
    return opencl_event_seconds(span->first, span->last ? span->last : span->first);
}

cl_int opencl_event_error(cl_event event)
{
    cl_int status;
    if (!event ||
        clGetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof status, &status, NULL))
        return CL_SUCCESS;
    return status < 0 ? status : CL_SUCCESS;
}

static cl_int span_error(const struct span *span)
{
    return opencl_event_error(span->last ? span->last : span->first);
}

/* Enqueues everything, with so many launches in flight at most. */
static cl_int enqueue_all(struct anole_session *session, struct anole_build *build,
                          uint32_t repeats, struct span *spans)
{
    const uint32_t ahead = MAX_IN_FLIGHT / build->launch_count;
    cl_int error = CL_SUCCESS;
    for (uint32_t i = 0; i < repeats && !error; i++) {
        error = enqueue(session, build, false, &spans[i]);
        if (error || i < ahead)
            continue;
        const struct span *old = &spans[i - ahead];
        error = clWaitForEvents(1, old->last ? &old->last : &old->first);
    }
    return error;
}

/* Runs what is bound; spans[repeats], all zero. */
static int run_bound(struct anole_session *session, struct anole_build *build, uint32_t repeats,
                     struct span *spans, double *host_seconds, struct anole_message *message)
{
    double start = now();
    cl_int error = enqueue_all(session, build, repeats, spans);
    cl_int finish_error = clFinish(session->queue);
    double seconds = now() - start;

    if (finish_error)
        return opencl_fail_running(message, finish_error, "clFinish");
    if (error)
        return opencl_fail(message, ANOLE_LAUNCH_FAILED, error, "clEnqueueNDRangeKernel");
    for (uint32_t i = 0; i < repeats; i++)
        if ((error = span_error(&spans[i])))
            return opencl_fail_running(message, error, "The driver ended the kernel: a launch");
    *host_seconds = seconds;
    return ANOLE_OK;
}

int opencl_run(struct anole_session *session, struct anole_build *build,
               const struct anole_binding *bindings, uint32_t binding_count, uint32_t repeats,
               double *device_seconds, double *host_seconds, struct anole_message *message)
{
    struct opencl_parts parts = {.count = 0};
    struct span *spans = calloc(repeats ? repeats : 1, sizeof *spans);
    if (!spans)
        return opencl_say(message, ANOLE_NO_MEMORY, "Out of memory.");

    int code = bind(build, bindings, binding_count, &parts, message);
    if (!code && build->shares)
        code = opencl_queues_run(&session->queues, build, repeats, device_seconds, host_seconds,
                                 message);
    else if (!code)
        code = run_bound(session, build, repeats, spans, host_seconds, message);
    for (uint32_t i = 0; i < repeats; i++) {
        if (!code && !build->shares)
            device_seconds[i] = session->timer ? span_seconds(&spans[i]) : -1;
        if (spans[i].first)
            clReleaseEvent(spans[i].first);
        if (spans[i].last)
            clReleaseEvent(spans[i].last);
    }
    opencl_parts_fini(&parts);
    free(spans);
    return code;
}

/* -------------------------------------------------------------------- warm */

/* Zeros: what a kernel of unknown habits takes for an index is one. */
static int clear(struct anole_session *session, struct anole_buffer *buffer,
                 struct anole_message *message)
{
    const cl_uchar zero = 0; /* tensors may have any number of bytes */
    cl_int error = clEnqueueFillBuffer(session->queue, buffer->memory, &zero, sizeof zero, 0,
                                       buffer->bytes, 0, NULL, NULL);
    return error ? opencl_fail(message, ANOLE_LAUNCH_FAILED, error, "clEnqueueFillBuffer")
                 : ANOLE_OK;
}

/* Buffers for a first launch: of each role, or of each tensor. */
static int make_warm_buffers(struct anole_session *session, const struct anole_build *build,
                             const struct anole_kernel *kernel, struct anole_binding *bindings,
                             uint32_t count, struct anole_message *message)
{
    int code = ANOLE_OK;
    for (uint32_t i = 0; i < count && !code; i++) {
        bindings[i].bytes = build->tensor_bytes ? (size_t)build->tensor_bytes[i] : build->bytes[i];
        if (bindings[i].bytes)
            code = opencl_buffer_create(session, bindings[i].bytes, &bindings[i].buffer, message);
        if (!code && bindings[i].bytes && has_kernel(kernel->task))
            code = clear(session, bindings[i].buffer, message);
    }
    return code;
}

int opencl_warm(struct anole_session *session, struct anole_build *build,
                const struct anole_kernel *kernel, struct anole_message *message)
{
    const uint32_t count = build->tensor_bytes ? build->tensor_count : ANOLE_ROLE_COUNT;
    struct anole_binding *bindings = calloc(count + 1, sizeof *bindings);
    struct opencl_parts parts = {.count = 0};
    if (!bindings)
        return opencl_say(message, ANOLE_NO_MEMORY, "Out of memory.");

    int code = make_warm_buffers(session, build, kernel, bindings, count, message);
    if (!code)
        code = bind(build, bindings, count, &parts, message);
    if (!code && build->shares) {
        code = opencl_queues_warm(&session->queues, build, message);
    } else if (!code) {
        cl_int error = enqueue(session, build, true, NULL);
        cl_int finish_error = clFinish(session->queue);
        static const char what[] = "A first launch of one work-group";
        if (error)
            code = opencl_fail(message, ANOLE_LAUNCH_FAILED, error, what);
        else if (finish_error)
            code = opencl_fail_running(message, finish_error, what);
    }
    opencl_parts_fini(&parts);
    for (uint32_t i = 0; i < count; i++)
        opencl_buffer_destroy(session, bindings[i].buffer);
    free(bindings);
    return code;
}
