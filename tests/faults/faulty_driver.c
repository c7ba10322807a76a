/* SPDX-License-Identifier: MIT
 *
 * An OpenCL driver that fails: another one behind whose back some calls are replaced.
 * Named by an .icd file like any driver.
 *
 *   FAULTY_DRIVER  the library of the driver that does the work: libpocl.so.2
 *   FAULTY_PLAN    what goes wrong, entries separated by blanks:
 *                  CALL:FIRST-LAST:ACTION[:NUMBER], or CALL:FIRST-:... for all from then on;
 *                  @FILE: what the file says at the time of the call
 *   FAULTY_STATE   a file, empty at first: calls are counted over all processes in it
 *
 * A CALL is one of `calls` below.  Actions: `error` CODE (returned instead of doing it),
 * `late` CODE (returned after doing it), `hang`, `exit` CODE, `abort`, `value` N (what an
 * inquiry answers), `lose` SECONDS (for so long the device is gone, and what was open on it
 * is lost for good).
 */
#define CL_TARGET_OPENCL_VERSION 300
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#include <CL/cl.h>
#include <CL/cl_icd.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PAGE ((uintptr_t)4096)
#define MOST_PLATFORMS 4
#define PUBLIC __attribute__((visibility("default")))

enum call {
    DEVICES,
    CONTEXT,
    BUFFER,
    WRITE,
    READ,
    BUILD,
    LAUNCH,
    FINISH,
    EVENT,
    COMPILER,
    ALLOCATION,
    UNITS,
    GROUP,
    KERNEL_GROUP,
    CALLS
};

static const char *const calls[CALLS] = {
    "devices", "context", "buffer",   "write",      "read",  "build", "launch",
    "finish",  "event",   "compiler", "allocation", "units", "group", "kernel_group"};

/* Shared by all processes. */
struct state {
    atomic_uint counts[CALLS];
    _Atomic double gone_until; /* by the clock that all of them have */
    atomic_uint losses;
};

static struct state *state;
static unsigned losses_at_start; /* a process that saw a loss stays without its device */
static cl_icd_dispatch real;
static cl_icd_dispatch *patched;
static void *driver;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool gone(void)
{
    return now() < state->gone_until || state->losses != losses_at_start;
}

/* The plan as it is now; `text` has room for one from a file. */
static const char *find_plan(char *text, size_t size)
{
    const char *plan = getenv("FAULTY_PLAN");
    if (!plan || *plan != '@')
        return plan;
    FILE *file = fopen(plan + 1, "r");
    const bool read = file && fgets(text, (int)size, file);
    if (file)
        fclose(file);
    if (read)
        text[strcspn(text, "\n")] = '\0';
    return read ? text : NULL;
}

/* The entry for a call that is made now; false: there is none. */
static bool planned(enum call call, char *action, long *number)
{
    unsigned count = ++state->counts[call];
    char text[256], name[32];
    const char *plan = find_plan(text, sizeof text);
    unsigned first, last;
    while (plan && *plan) {
        int used = 0;
        last = UINT32_MAX;
        *number = 0;
        if (sscanf(plan, "%31[a-z_]:%u-%n", name, &first, &used) < 2 || used == 0)
            abort();
        const char *rest = plan + used;
        if (sscanf(rest, "%u%n", &last, &used) == 1)
            rest += used;
        if (sscanf(rest, ":%15[a-z]:%ld", action, number) < 1)
            abort();
        if (strcmp(name, calls[call]) == 0 && count >= first && count <= last)
            return true;
        plan = strchr(plan, ' ');
        plan += plan != NULL;
    }
    return false;
}

/* True if the call is not to be made; *error is what it returns then, or, if it is made,
 * after that (CL_SUCCESS: what it returns itself). */
static bool strike(enum call call, cl_int if_gone, cl_int *error)
{
    char action[16];
    long number;
    *error = CL_SUCCESS;
    if (gone()) {
        *error = if_gone;
        return true;
    }
    if (!planned(call, action, &number))
        return false;
    *error = (cl_int)number;
    if (strcmp(action, "error") == 0)
        return true;
    if (strcmp(action, "late") == 0)
        return false;
    if (strcmp(action, "hang") == 0)
        sleep(600);
    if (strcmp(action, "exit") == 0)
        _exit((int)number);
    if (strcmp(action, "lose") == 0) {
        state->gone_until = now() + (double)number;
        state->losses++;
        *error = if_gone;
        return true;
    }
    abort();
}

/* Another answer to an inquiry, if one is planned. */
static void lie(enum call call, size_t size, void *value)
{
    char action[16];
    long number;
    if (!planned(call, action, &number) || strcmp(action, "value") != 0 || !value)
        return;
    if (size == sizeof(cl_uint))
        *(cl_uint *)value = (cl_uint)number;
    else if (size == sizeof(cl_ulong))
        *(cl_ulong *)value = (cl_ulong)number;
}

/* ------------------------------------------------------------------- calls */

static cl_int CL_API_CALL platform_info(cl_platform_id platform, cl_platform_info what, size_t size,
                                        void *value, size_t *needed)
{
    static const char name[] = "Faulty driver";
    if (what != CL_PLATFORM_NAME)
        return real.clGetPlatformInfo(platform, what, size, value, needed);
    if (needed)
        *needed = sizeof name;
    if (value && size < sizeof name)
        return CL_INVALID_VALUE;
    if (value)
        memcpy(value, name, sizeof name);
    return CL_SUCCESS;
}

static cl_int CL_API_CALL device_ids(cl_platform_id platform, cl_device_type type, cl_uint room,
                                     cl_device_id *ids, cl_uint *count)
{
    cl_int error;
    bool instead = strike(DEVICES, CL_DEVICE_NOT_FOUND, &error);
    return instead ? error : real.clGetDeviceIDs(platform, type, room, ids, count);
}

static cl_int CL_API_CALL device_info(cl_device_id device, cl_device_info what, size_t size,
                                      void *value, size_t *needed)
{
    size_t actual = 0;
    cl_int error = real.clGetDeviceInfo(device, what, size, value, &actual);
    if (needed)
        *needed = actual;
    if (error)
        return error;
    if (what == CL_DEVICE_COMPILER_AVAILABLE)
        lie(COMPILER, actual, value);
    if (what == CL_DEVICE_MAX_MEM_ALLOC_SIZE)
        lie(ALLOCATION, actual, value);
    if (what == CL_DEVICE_MAX_COMPUTE_UNITS)
        lie(UNITS, actual, value);
    if (what == CL_DEVICE_MAX_WORK_GROUP_SIZE)
        lie(GROUP, actual, value);
    return CL_SUCCESS;
}

static cl_context CL_API_CALL create_context(const cl_context_properties *properties, cl_uint count,
                                             const cl_device_id *devices,
                                             void(CL_CALLBACK *notify)(const char *, const void *,
                                                                       size_t, void *),
                                             void *user, cl_int *result)
{
    cl_int error;
    if (!strike(CONTEXT, CL_DEVICE_NOT_AVAILABLE, &error))
        return real.clCreateContext(properties, count, devices, notify, user, result);
    if (result)
        *result = error;
    return NULL;
}

static cl_mem CL_API_CALL create_buffer(cl_context context, cl_mem_flags flags, size_t size,
                                        void *host, cl_int *result)
{
    cl_int error;
    if (!strike(BUFFER, CL_OUT_OF_RESOURCES, &error))
        return real.clCreateBuffer(context, flags, size, host, result);
    if (result)
        *result = error;
    return NULL;
}

static cl_int CL_API_CALL build_program(cl_program program, cl_uint count,
                                        const cl_device_id *devices, const char *options,
                                        void(CL_CALLBACK *notify)(cl_program, void *), void *user)
{
    cl_int error;
    bool instead = strike(BUILD, CL_DEVICE_NOT_AVAILABLE, &error);
    return instead ? error : real.clBuildProgram(program, count, devices, options, notify, user);
}

static cl_int CL_API_CALL enqueue_write(cl_command_queue queue, cl_mem memory, cl_bool wait,
                                        size_t offset, size_t size, const void *data, cl_uint count,
                                        const cl_event *events, cl_event *event)
{
    cl_int error;
    if (strike(WRITE, CL_OUT_OF_RESOURCES, &error))
        return error;
    return real.clEnqueueWriteBuffer(queue, memory, wait, offset, size, data, count, events, event);
}

static cl_int CL_API_CALL enqueue_read(cl_command_queue queue, cl_mem memory, cl_bool wait,
                                       size_t offset, size_t size, void *data, cl_uint count,
                                       const cl_event *events, cl_event *event)
{
    cl_int error;
    if (strike(READ, CL_OUT_OF_RESOURCES, &error))
        return error;
    return real.clEnqueueReadBuffer(queue, memory, wait, offset, size, data, count, events, event);
}

static cl_int CL_API_CALL enqueue_kernel(cl_command_queue queue, cl_kernel kernel,
                                         cl_uint dimensions, const size_t *from,
                                         const size_t *global, const size_t *local, cl_uint count,
                                         const cl_event *events, cl_event *event)
{
    cl_int error;
    if (strike(LAUNCH, CL_OUT_OF_RESOURCES, &error))
        return error;
    return real.clEnqueueNDRangeKernel(queue, kernel, dimensions, from, global, local, count,
                                       events, event);
}

static cl_int CL_API_CALL finish(cl_command_queue queue)
{
    cl_int error, result;
    if (strike(FINISH, CL_OUT_OF_RESOURCES, &error))
        return error;
    result = real.clFinish(queue);
    return error ? error : result;
}

/* Of an event, that the command ended with an error. */
static cl_int CL_API_CALL event_info(cl_event event, cl_event_info what, size_t size, void *value,
                                     size_t *needed)
{
    cl_int result = real.clGetEventInfo(event, what, size, value, needed);
    if (result == CL_SUCCESS && what == CL_EVENT_COMMAND_EXECUTION_STATUS)
        lie(EVENT, size, value);
    return result;
}

static cl_int CL_API_CALL kernel_group_info(cl_kernel kernel, cl_device_id device,
                                            cl_kernel_work_group_info what, size_t size,
                                            void *value, size_t *needed)
{
    cl_int result = real.clGetKernelWorkGroupInfo(kernel, device, what, size, value, needed);
    if (result == CL_SUCCESS && what == CL_KERNEL_WORK_GROUP_SIZE)
        lie(KERNEL_GROUP, size, value);
    return result;
}

/* ------------------------------------------------------------------- start */

/* All objects of a driver share a table of its calls: that is changed in place. */
static void patch(cl_icd_dispatch *table)
{
    uintptr_t begin = (uintptr_t)table & ~(PAGE - 1);
    size_t length = ((uintptr_t)(table + 1) - begin + PAGE - 1) & ~(PAGE - 1);
    if (table == patched)
        return;
    if (mprotect((void *)begin, length, PROT_READ | PROT_WRITE))
        abort();
    real = *table;
    patched = table;
    table->clGetPlatformInfo = platform_info;
    table->clGetDeviceIDs = device_ids;
    table->clGetDeviceInfo = device_info;
    table->clCreateContext = create_context;
    table->clCreateBuffer = create_buffer;
    table->clBuildProgram = build_program;
    table->clEnqueueWriteBuffer = enqueue_write;
    table->clEnqueueReadBuffer = enqueue_read;
    table->clEnqueueNDRangeKernel = enqueue_kernel;
    table->clFinish = finish;
    table->clGetEventInfo = event_info;
    table->clGetKernelWorkGroupInfo = kernel_group_info;
}

static bool start(void)
{
    const char *path = getenv("FAULTY_STATE"), *library = getenv("FAULTY_DRIVER");
    if (state)
        return driver != NULL;
    int file = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (file < 0 || ftruncate(file, sizeof *state))
        abort();
    state = mmap(NULL, sizeof *state, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (state == MAP_FAILED)
        abort();
    losses_at_start = state->losses;
    driver = library ? dlopen(library, RTLD_NOW | RTLD_LOCAL) : NULL;
    return driver != NULL;
}

PUBLIC cl_int CL_API_CALL clIcdGetPlatformIDsKHR(cl_uint room, cl_platform_id *ids, cl_uint *count)
{
    cl_platform_id found[MOST_PLATFORMS];
    cl_uint number = 0;
    if (!start())
        return CL_PLATFORM_NOT_FOUND_KHR;
    void *(*address)(const char *) = NULL;
    *(void **)&address = dlsym(driver, "clGetExtensionFunctionAddress");
    clIcdGetPlatformIDsKHR_fn get = NULL;
    if (address)
        *(void **)&get = address("clIcdGetPlatformIDsKHR");
    if (!get || get(MOST_PLATFORMS, found, &number) || number == 0)
        return CL_PLATFORM_NOT_FOUND_KHR;
    patch(*(cl_icd_dispatch **)found[0]);
    if (ids && room > 0)
        ids[0] = found[0];
    if (count)
        *count = 1;
    return CL_SUCCESS;
}

PUBLIC cl_int CL_API_CALL clGetPlatformInfo(cl_platform_id platform, cl_platform_info what,
                                            size_t size, void *value, size_t *needed)
{
    return platform_info(platform, what, size, value, needed);
}

PUBLIC void *CL_API_CALL clGetExtensionFunctionAddress(const char *name)
{
    if (strcmp(name, "clIcdGetPlatformIDsKHR") == 0)
        return (void *)clIcdGetPlatformIDsKHR;
    if (strcmp(name, "clGetPlatformInfo") == 0)
        return (void *)clGetPlatformInfo;
    return NULL;
}
