/* SPDX-License-Identifier: MIT */
#include "opencl_error.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

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

int opencl_fail_running(struct anole_message *message, cl_int error, const char *what)
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
