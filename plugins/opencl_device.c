/* SPDX-License-Identifier: MIT
 *
 * Devices of the selected driver, and what any of them says of itself.
 */
#include "opencl.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define MAX_PLATFORMS 16
#define MAX_DEVICES 64

/* ---------------------------------------------------------------- messages */

int opencl_say(struct anole_message *message, int code, const char *format, ...)
{
    const size_t head = offsetof(struct anole_message, text);
    if (message && message->size > head) {
        va_list args;
        va_start(args, format);
        vsnprintf(message->text, message->size - head, format, args);
        va_end(args);
    }
    return code;
}

static const struct {
    cl_int error;
    int code; /* 0: what the caller says */
    const char *name;
} errors[] = {
    {CL_DEVICE_NOT_AVAILABLE, ANOLE_DEVICE_LOST, "CL_DEVICE_NOT_AVAILABLE"},
    {CL_DEVICE_NOT_FOUND, ANOLE_NO_DEVICE, "CL_DEVICE_NOT_FOUND"},
    {CL_COMPILER_NOT_AVAILABLE, 0, "CL_COMPILER_NOT_AVAILABLE"},
    {CL_MEM_OBJECT_ALLOCATION_FAILURE, ANOLE_NO_MEMORY, "CL_MEM_OBJECT_ALLOCATION_FAILURE"},
    {CL_OUT_OF_RESOURCES, 0, "CL_OUT_OF_RESOURCES"},
    {CL_OUT_OF_HOST_MEMORY, ANOLE_NO_MEMORY, "CL_OUT_OF_HOST_MEMORY"},
    {CL_BUILD_PROGRAM_FAILURE, ANOLE_BUILD_FAILED, "CL_BUILD_PROGRAM_FAILURE"},
    {CL_MISALIGNED_SUB_BUFFER_OFFSET, 0, "CL_MISALIGNED_SUB_BUFFER_OFFSET"},
    {CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST, 0,
     "CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST"},
    {CL_INVALID_VALUE, 0, "CL_INVALID_VALUE"},
    {CL_INVALID_BUFFER_SIZE, ANOLE_NO_MEMORY, "CL_INVALID_BUFFER_SIZE"},
    {CL_INVALID_MEM_OBJECT, 0, "CL_INVALID_MEM_OBJECT"},
    {CL_INVALID_BINARY, 0, "CL_INVALID_BINARY"},
    {CL_INVALID_BUILD_OPTIONS, 0, "CL_INVALID_BUILD_OPTIONS"},
    {CL_INVALID_PROGRAM_EXECUTABLE, 0, "CL_INVALID_PROGRAM_EXECUTABLE"},
    {CL_INVALID_KERNEL_NAME, 0, "CL_INVALID_KERNEL_NAME"},
    {CL_INVALID_KERNEL_DEFINITION, 0, "CL_INVALID_KERNEL_DEFINITION"},
    {CL_INVALID_ARG_INDEX, 0, "CL_INVALID_ARG_INDEX"},
    {CL_INVALID_ARG_VALUE, 0, "CL_INVALID_ARG_VALUE"},
    {CL_INVALID_ARG_SIZE, 0, "CL_INVALID_ARG_SIZE"},
    {CL_INVALID_KERNEL_ARGS, 0, "CL_INVALID_KERNEL_ARGS"},
    {CL_INVALID_WORK_DIMENSION, 0, "CL_INVALID_WORK_DIMENSION"},
    {CL_INVALID_WORK_GROUP_SIZE, 0, "CL_INVALID_WORK_GROUP_SIZE"},
    {CL_INVALID_WORK_ITEM_SIZE, 0, "CL_INVALID_WORK_ITEM_SIZE"},
    {CL_INVALID_GLOBAL_OFFSET, 0, "CL_INVALID_GLOBAL_OFFSET"},
    {CL_INVALID_GLOBAL_WORK_SIZE, 0, "CL_INVALID_GLOBAL_WORK_SIZE"},
    {CL_INVALID_OPERATION, 0, "CL_INVALID_OPERATION"},
};

int opencl_fail(struct anole_message *message, int code, cl_int error, const char *what)
{
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (errors[i].error == error)
            return opencl_say(message, errors[i].code ? errors[i].code : code, "%s failed: %s.",
                              what, errors[i].name);
    return opencl_say(message, code, "%s failed: OpenCL error %d.", what, (int)error);
}

/* ----------------------------------------------------------------- devices */

int opencl_find_devices(cl_device_type type, cl_device_id *devices, uint32_t *count,
                        struct anole_message *message)
{
    cl_platform_id platforms[MAX_PLATFORMS];
    cl_uint platform_count = 0;
    uint32_t found = 0;
    int code = ANOLE_OK;

    /* With no driver at all the loader says so with an error of an extension. */
    cl_int error = clGetPlatformIDs(MAX_PLATFORMS, platforms, &platform_count);
    if (error == CL_OUT_OF_HOST_MEMORY)
        return opencl_fail(message, ANOLE_NO_MEMORY, error, "clGetPlatformIDs");
    if (error)
        platform_count = 0;
    if (platform_count == 0)
        code = opencl_check_library(message);
    if (platform_count > MAX_PLATFORMS)
        platform_count = MAX_PLATFORMS;

    for (cl_uint p = 0; p < platform_count; p++) {
        cl_device_id ids[MAX_DEVICES];
        cl_uint n = 0;
        if (clGetDeviceIDs(platforms[p], type, MAX_DEVICES, ids, &n))
            continue;
        for (cl_uint i = 0; i < n && i < MAX_DEVICES; i++, found++)
            if (found < *count)
                devices[found] = ids[i];
    }
    *count = found;
    return code;
}

uint64_t opencl_device_number(cl_device_id id, cl_device_info what, uint64_t otherwise)
{
    union {
        cl_uint small;
        cl_ulong large;
    } answer = {.large = 0};
    size_t size = 0;
    if (clGetDeviceInfo(id, what, sizeof answer, &answer, &size))
        return otherwise;
    if (size == sizeof answer.small)
        return answer.small;
    return size == sizeof answer.large ? answer.large : otherwise;
}

/* A text as the device gives it, without blanks around it; "" if it gives none
 * or a longer one. */
static void device_text(cl_device_id id, cl_device_info what, char *out, size_t size)
{
    out[0] = 0;
    if (clGetDeviceInfo(id, what, size, out, NULL))
        out[0] = 0;
    out[size - 1] = 0;
    size_t blanks = strspn(out, " ");
    memmove(out, out + blanks, strlen(out + blanks) + 1);
    for (size_t n = strlen(out); n && out[n - 1] == ' '; n--)
        out[n - 1] = 0;
}

void opencl_describe(cl_device_id id, uint32_t index, struct anole_device *device)
{
    cl_platform_id platform;
    size_t items[8] = {0};
    cl_device_type type = opencl_device_number(id, CL_DEVICE_TYPE, 0);

    memset(device, 0, sizeof *device);
    device->size = sizeof *device;
    device->index = index;
    device->type = type & CL_DEVICE_TYPE_CPU   ? ANOLE_DEVICE_CPU
                   : type & CL_DEVICE_TYPE_GPU ? ANOLE_DEVICE_GPU
                                               : ANOLE_DEVICE_ACCELERATOR;
    if (opencl_device_number(id, CL_DEVICE_QUEUE_PROPERTIES, 0) & CL_QUEUE_PROFILING_ENABLE)
        device->flags |= ANOLE_DEVICE_EVENT_TIMER;
    device_text(id, CL_DEVICE_NAME, device->name, sizeof device->name);
    device_text(id, CL_DEVICE_VENDOR, device->vendor, sizeof device->vendor);
    device_text(id, CL_DRIVER_VERSION, device->driver_version, sizeof device->driver_version);
    if (!clGetDeviceInfo(id, CL_DEVICE_PLATFORM, sizeof platform, &platform, NULL) &&
        clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof device->driver, device->driver, NULL))
        device->driver[0] = 0;
    device->compute_units = (uint32_t)opencl_device_number(id, CL_DEVICE_MAX_COMPUTE_UNITS, 0);
    device->clock_mhz = (uint32_t)opencl_device_number(id, CL_DEVICE_MAX_CLOCK_FREQUENCY, 0);
    device->max_work_group = opencl_device_number(id, CL_DEVICE_MAX_WORK_GROUP_SIZE, 0);
    if (!clGetDeviceInfo(id, CL_DEVICE_MAX_WORK_ITEM_SIZES, sizeof items, items, NULL))
        for (int i = 0; i < 3; i++)
            device->max_work_items[i] = items[i];
    device->local_memory = opencl_device_number(id, CL_DEVICE_LOCAL_MEM_SIZE, 0);
    device->global_memory = opencl_device_number(id, CL_DEVICE_GLOBAL_MEM_SIZE, 0);
    device->max_allocation = opencl_device_number(id, CL_DEVICE_MAX_MEM_ALLOC_SIZE, 0);
    device->cache_line = opencl_device_number(id, CL_DEVICE_GLOBAL_MEM_CACHELINE_SIZE, 0);
}
