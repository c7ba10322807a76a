/* SPDX-License-Identifier: MIT
 *
 * The second half of the time group: running what was built.
 */
#include "opencl_session.h"

#include <stdlib.h>
#include <time.h>

/* Launches that wait for the device at a time.  Some drivers keep memory for each,
 * or stop taking them; this is enough for any device to find the next one. */
#define MAX_IN_FLIGHT 256

/* Parts of buffers that a run uses; released after it. */
struct parts {
    cl_mem memory[ANOLE_MAX_LAUNCHES * ANOLE_MAX_ARGS];
    uint32_t count;
};

static void release_parts(struct parts *parts)
{
    for (uint32_t i = 0; i < parts->count; i++)
        clReleaseMemObject(parts->memory[i]);
}

/* --------------------------------------------------------------- arguments */

/* The memory that a binding means, from `skip` bytes into it on. */
static int bind_memory(const struct anole_binding *binding, int64_t skip, struct parts *parts,
                       cl_mem *memory, struct anole_message *message)
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
                         struct parts *parts, struct anole_message *message)
{
    cl_int error;
    cl_int number = (cl_int)arg->value;
    cl_mem memory;

    if (arg->role == ANOLE_ROLE_INT) {
        error = clSetKernelArg(kernel, index, sizeof number, &number);
    } else if (arg->role == ANOLE_ROLE_VALUE) {
        error = set_value(kernel, index, arg);
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
static int check_tensor(const struct anole_build *build, uint32_t role,
                        const struct anole_binding *bindings, uint32_t binding_count,
                        struct anole_message *message)
{
    if (role >= binding_count || role >= ANOLE_ROLE_COUNT || !bindings[role].buffer ||
        bindings[role].bytes >= build->bytes[role])
        return ANOLE_OK; /* or found out below */
    return opencl_say(message, ANOLE_BAD_REQUEST,
                      "A launch needs the %zu bytes of role %u, but is bound to %zu.",
                      build->bytes[role], role, bindings[role].bytes);
}

static int bind(struct anole_build *build, const struct anole_binding *bindings,
                uint32_t binding_count, struct parts *parts, struct anole_message *message)
{
    int code = ANOLE_OK;
    for (uint32_t i = 0; i < build->launch_count && !code; i++) {
        const struct anole_launch *launch = &build->launches[i].launch;
        for (uint32_t a = 0; a < launch->arg_count && a < ANOLE_MAX_ARGS && !code; a++) {
            code = check_tensor(build, launch->args[a].role, bindings, binding_count, message);
            if (code)
                break;
            code = bind_argument(build->launches[i].kernel, a, &launch->args[a], bindings,
                                 binding_count, parts, message);
        }
    }
    return code;
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

/* All launches once, or only the first work-group of each.  `span` may be NULL. */
static cl_int enqueue(struct anole_session *session, struct anole_build *build, bool first_group,
                      struct span *span)
{
    for (uint32_t i = 0; i < build->launch_count; i++) {
        const struct anole_launch *launch = &build->launches[i].launch;
        size_t global[3], local[3];
        for (int d = 0; d < 3; d++) {
            local[d] = (size_t)launch->local[d];
            global[d] = first_group ? local[d] : (size_t)launch->global[d];
        }
        cl_event *event = NULL;
        if (span && i == 0)
            event = &span->first;
        else if (span && i + 1 == build->launch_count)
            event = &span->last;
        cl_int error =
            clEnqueueNDRangeKernel(session->queue, build->launches[i].kernel, launch->dimensions,
                                   NULL, global, local, 0, NULL, event);
        if (error)
            return error;
    }
    return CL_SUCCESS;
}

/* Seconds from the start of the first to the end of the last; negative if the
 * driver does not say. */
static double span_seconds(const struct span *span)
{
    cl_ulong start, end;
    cl_event last = span->last ? span->last : span->first;
    if (!span->first ||
        clGetEventProfilingInfo(span->first, CL_PROFILING_COMMAND_START, sizeof start, &start,
                                NULL) ||
        clGetEventProfilingInfo(last, CL_PROFILING_COMMAND_END, sizeof end, &end, NULL) ||
        end < start)
        return -1;
    return 1e-9 * (double)(end - start);
}

/* What the driver says of the last launch: 0, or its error. */
static cl_int span_error(const struct span *span)
{
    cl_int status;
    cl_event last = span->last ? span->last : span->first;
    if (!last ||
        clGetEventInfo(last, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof status, &status, NULL))
        return CL_SUCCESS;
    return status < 0 ? status : CL_SUCCESS;
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

/* After a launch that the driver accepted, the device did not come back from it:
 * with most drivers nothing works from then on in this process. */
int opencl_fail_running(cl_int error, const char *what, struct anole_message *message)
{
    switch (error) {
    case CL_OUT_OF_RESOURCES:
    case CL_INVALID_COMMAND_QUEUE:
    case CL_INVALID_CONTEXT:
    case CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST:
    case -9999: /* NVIDIA: an access outside of any buffer */
        return opencl_fail(message, ANOLE_DEVICE_LOST, error, what);
    default:
        return opencl_fail(message, ANOLE_LAUNCH_FAILED, error, what);
    }
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
        return opencl_fail_running(finish_error, "clFinish", message);
    if (error)
        return opencl_fail(message, ANOLE_LAUNCH_FAILED, error, "clEnqueueNDRangeKernel");
    for (uint32_t i = 0; i < repeats; i++)
        if ((error = span_error(&spans[i])))
            return opencl_fail_running(error, "The driver ended the kernel: a launch", message);
    *host_seconds = seconds;
    return ANOLE_OK;
}

int opencl_run(struct anole_session *session, struct anole_build *build,
               const struct anole_binding *bindings, uint32_t binding_count, uint32_t repeats,
               double *device_seconds, double *host_seconds, struct anole_message *message)
{
    struct parts parts = {.count = 0};
    struct span *spans = calloc(repeats ? repeats : 1, sizeof *spans);
    if (!spans)
        return opencl_say(message, ANOLE_NO_MEMORY, "Out of memory.");

    int code = bind(build, bindings, binding_count, &parts, message);
    if (!code && build->shares)
        code = opencl_lanes_run(session, build, repeats, device_seconds, host_seconds, message);
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
    release_parts(&parts);
    free(spans);
    return code;
}

/* -------------------------------------------------------------------- warm */

static bool has_kernel(const struct anole_task *task)
{
    return task->size >= offsetof(struct anole_task, custom) + sizeof task->custom && task->custom;
}

/* Zeros: what a kernel of unknown habits takes for an index is one. */
static int clear(struct anole_session *session, struct anole_buffer *buffer,
                 struct anole_message *message)
{
    const cl_uint zero = 0;
    cl_int error = clEnqueueFillBuffer(session->queue, buffer->memory, &zero, sizeof zero, 0,
                                       buffer->bytes, 0, NULL, NULL);
    return error ? opencl_fail(message, ANOLE_LAUNCH_FAILED, error, "clEnqueueFillBuffer")
                 : ANOLE_OK;
}

void opencl_role_bytes(const struct anole_kernel *kernel, size_t bytes[ANOLE_ROLE_COUNT])
{
    const struct anole_task *task = kernel->task;
    if (has_kernel(task)) {
        for (int i = 0; i < ANOLE_ROLE_COUNT; i++)
            bytes[i] = 0;
        bytes[ANOLE_ROLE_INPUT] = (size_t)task->custom->input_bytes;
        bytes[ANOLE_ROLE_OUTPUT] = (size_t)task->custom->output_bytes;
        return;
    }
    const size_t element = task->dtype == ANOLE_F16 ? 2 : 4;
    const size_t in = (size_t)task->batch * task->in_h * task->in_w * task->in_c;
    const size_t out = (size_t)task->batch * task->out_h * task->out_w * task->out_c;
    const size_t taps = (size_t)task->kernel_h * task->kernel_w;
    const size_t depth = task->kind == ANOLE_TASK_DEPTHWISE_CONV2D ? 1 : task->in_c / task->groups;

    bytes[ANOLE_ROLE_INPUT] = in * element;
    bytes[ANOLE_ROLE_WEIGHTS] =
        kernel->packed_weights ? kernel->packed_weights : task->out_c * taps * depth * element;
    bytes[ANOLE_ROLE_BIAS] = task->flags & ANOLE_TASK_BIAS ? task->out_c * element : 0;
    bytes[ANOLE_ROLE_RESIDUAL] = task->flags & ANOLE_TASK_RESIDUAL ? out * element : 0;
    bytes[ANOLE_ROLE_OUTPUT] = out * element;
    bytes[ANOLE_ROLE_WORKSPACE] = kernel->workspace;
}

int opencl_warm(struct anole_session *session, struct anole_build *build,
                const struct anole_kernel *kernel, struct anole_message *message)
{
    struct anole_binding bindings[ANOLE_ROLE_COUNT] = {0};
    size_t bytes[ANOLE_ROLE_COUNT];
    struct parts parts = {.count = 0};
    int code = ANOLE_OK;

    opencl_role_bytes(kernel, bytes);
    for (int i = 0; i < ANOLE_ROLE_COUNT && !code; i++) {
        bindings[i].bytes = bytes[i];
        if (bytes[i])
            code = opencl_buffer_create(session, bytes[i], &bindings[i].buffer, message);
        if (!code && bytes[i] && has_kernel(kernel->task))
            code = clear(session, bindings[i].buffer, message);
    }
    if (!code)
        code = bind(build, bindings, ANOLE_ROLE_COUNT, &parts, message);
    if (!code && build->shares) {
        code = opencl_lanes_warm(session, build, message);
    } else if (!code) {
        cl_int error = enqueue(session, build, true, NULL);
        cl_int finish_error = clFinish(session->queue);
        static const char what[] = "A first launch of one work-group";
        if (error)
            code = opencl_fail(message, ANOLE_LAUNCH_FAILED, error, what);
        else if (finish_error)
            code = opencl_fail_running(finish_error, what, message);
    }
    release_parts(&parts);
    for (int i = 0; i < ANOLE_ROLE_COUNT; i++)
        opencl_buffer_destroy(session, bindings[i].buffer);
    return code;
}
