/* SPDX-License-Identifier: MIT
 *
 * The first half of the time group: an open device, its buffers, builds.
 */
#include "opencl_session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ----------------------------------------------------------------- session */

static cl_context make_context(cl_device_id id, const struct opencl_lanes_terms *terms,
                               cl_int *error)
{
    const cl_device_id devices[] = {id, terms->device};
    return clCreateContext(NULL, terms->count ? 2 : 1, devices, NULL, NULL, error);
}

int opencl_open_lanes(cl_device_id id, const struct opencl_lanes_terms *terms,
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
    s->context = make_context(id, terms, &error);
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
    code = opencl_lanes_init(s, terms, message);
    if (code)
        goto release_queue;
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
    return opencl_open_lanes(id, &(struct opencl_lanes_terms){.count = 0}, session, message);
}

void opencl_close(struct anole_session *session)
{
    if (!session)
        return;
    opencl_lanes_fini(&session->lanes);
    clReleaseCommandQueue(session->queue);
    clReleaseContext(session->context);
    free(session);
}

cl_device_id opencl_session_device(const struct anole_session *session)
{
    return session->device;
}

/* ----------------------------------------------------------------- buffers */

int opencl_buffer_create(struct anole_session *session, size_t bytes, struct anole_buffer **buffer,
                         struct anole_message *message)
{
    cl_int error;
    struct anole_buffer *b = calloc(1, sizeof *b);
    if (!b)
        return opencl_say(message, ANOLE_NO_MEMORY, "Out of memory.");
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

/* ------------------------------------------------------------------- build */

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
                               const struct anole_kernel *kernel, const void *binary,
                               size_t binary_bytes, cl_int *error)
{
    if (!binary)
        return clCreateProgramWithSource(session->context, 1, (const char *[]){kernel->source},
                                         &kernel->source_length, error);
    return clCreateProgramWithBinary(session->context, 1, &device, &binary_bytes,
                                     (const unsigned char *[]){binary}, NULL, error);
}

/* Compiles for build->device; sets build->program only if that went well. */
static int compile(struct anole_session *session, const struct anole_kernel *kernel,
                   const void *binary, size_t binary_bytes, struct anole_build *build,
                   struct anole_message *message)
{
    cl_int error;
    char *options = NULL;
    const char *first = build->device == session->lanes.device ? FIRST_GROUP_OPTION : "";
    if (asprintf(&options, "%s%s", kernel->options, first) < 0)
        return opencl_say(message, ANOLE_NO_MEMORY, "Out of memory.");
    cl_program p = program_from(session, build->device, kernel, binary, binary_bytes, &error);
    if (p)
        error = clBuildProgram(p, 1, &build->device, options, NULL, NULL);
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

/* Does the driver say truly how much local memory a kernel takes?  Mesa 22's rusticl
 * counts an array twice. */
static bool counts_local_memory(struct anole_session *session)
{
    static const char *const source = "kernel void probe(global float *out)\n"
                                      "{\n"
                                      "    local float kept[64];\n"
                                      "    kept[get_local_id(0)] = out[0];\n"
                                      "    barrier(CLK_LOCAL_MEM_FENCE);\n"
                                      "    out[1] = kept[get_local_id(1)];\n"
                                      "}\n";
    cl_ulong local = 0;
    cl_program program =
        clCreateProgramWithSource(session->context, 1, (const char **)&source, NULL, NULL);
    if (program && !clBuildProgram(program, 1, &session->device, "", NULL, NULL)) {
        cl_kernel kernel = clCreateKernel(program, "probe", NULL);
        if (kernel) {
            clGetKernelWorkGroupInfo(kernel, session->device, CL_KERNEL_LOCAL_MEM_SIZE,
                                     sizeof local, &local, NULL);
            clReleaseKernel(kernel);
        }
    }
    if (program)
        clReleaseProgram(program);
    return local == 64 * sizeof(cl_float);
}

/* What a built kernel may be launched with can be far below what the device
 * allows, for its registers.  Better said here than found out by a driver. */
static int check_limits(struct anole_session *session, const struct anole_build *build,
                        struct anole_message *message)
{
    const uint64_t local_limit =
        opencl_device_number(build->device, CL_DEVICE_LOCAL_MEM_SIZE, UINT64_MAX);
    for (uint32_t i = 0; i < build->launch_count; i++) {
        const struct anole_launch *launch = &build->launches[i].launch;
        size_t items = 1, limit = 0;
        cl_ulong local = 0;
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
        if (!clGetKernelWorkGroupInfo(build->launches[i].kernel, build->device,
                                      CL_KERNEL_LOCAL_MEM_SIZE, sizeof local, &local, NULL) &&
            local > local_limit && counts_local_memory(session))
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

    int code = ANOLE_BUILD_FAILED;
    bool shared = opencl_lanes_suit(&session->lanes, kernel);
    b->device = shared ? session->lanes.device : session->device;
    if (binary)
        code = compile(session, kernel, binary, binary_bytes, b, message);
    if (code) /* no binary, or one of another version of the driver */
        code = compile(session, kernel, NULL, 0, b, message);
    if (!code)
        code = make_kernels(b, kernel, message);
    if (!code && shared && !opencl_lanes_share(&session->lanes, b))
        code = opencl_say(message, ANOLE_NO_MEMORY, "Out of memory.");
    if (!code)
        code = check_limits(session, b, message);
    opencl_role_bytes(kernel, b->bytes);
    if (code) {
        opencl_release(session, b);
        return code;
    }
    *build = b;
    return ANOLE_OK;
}

int opencl_binary(struct anole_session *session, struct anole_build *build, void *data,
                  size_t *bytes, struct anole_message *message)
{
    size_t size = 0;
    (void)session;
    cl_int error =
        clGetProgramInfo(build->program, CL_PROGRAM_BINARY_SIZES, sizeof size, &size, NULL);
    if (error || !size)
        return opencl_fail(message, ANOLE_UNSUPPORTED, error, "Asking for the size of a binary");
    if (data) {
        unsigned char *whole = malloc(size);
        if (!whole)
            return opencl_say(message, ANOLE_NO_MEMORY, "Out of memory.");
        error = clGetProgramInfo(build->program, CL_PROGRAM_BINARIES, sizeof whole, &whole, NULL);
        if (!error)
            memcpy(data, whole, size < *bytes ? size : *bytes);
        free(whole);
        if (error)
            return opencl_fail(message, ANOLE_UNSUPPORTED, error, "Asking for a binary");
    }
    *bytes = size;
    return ANOLE_OK;
}

void opencl_release(struct anole_session *session, struct anole_build *build)
{
    (void)session;
    if (!build)
        return;
    for (uint32_t i = 0; i < build->launch_count; i++)
        clReleaseKernel(build->launches[i].kernel);
    if (build->program)
        clReleaseProgram(build->program);
    free(build->shares);
    free(build);
}
