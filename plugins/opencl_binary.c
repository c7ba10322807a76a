/* SPDX-License-Identifier: MIT */
#include "opencl_binary.h"
#include "opencl_error.h"
#include "opencl_session_private.h"

#include <stdlib.h>
#include <string.h>

/* The program may be of two devices, of which it was built for one.  PoCL then counts both, but
 * answers with one binary.  sizes[2]; *place: that of the binary; *count: how many there are. */
static cl_int find_binary(const struct anole_build *build, size_t *sizes, size_t *place,
                          size_t *count)
{
    cl_device_id devices[2];
    size_t bytes = 0;
    cl_int error =
        clGetProgramInfo(build->program, CL_PROGRAM_BINARY_SIZES, 2 * sizeof *sizes, sizes, &bytes);
    *count = bytes / sizeof *sizes;
    *place = 0;
    if (error || *count < 2)
        return error;
    error = clGetProgramInfo(build->program, CL_PROGRAM_DEVICES, sizeof devices, devices, NULL);
    *place = !error && devices[1] == build->device;
    return error;
}

int opencl_binary(const struct anole_session *session, const struct anole_build *build, void *data,
                  size_t *bytes, struct anole_message *message)
{
    size_t sizes[2] = {0}, place, count;
    if (session->no_binaries)
        return opencl_say(message, ANOLE_UNSUPPORTED, "What is built is for this session alone.");
    cl_int error = find_binary(build, sizes, &place, &count);
    if (error || !sizes[place])
        return opencl_fail(message, ANOLE_UNSUPPORTED, error, "Asking for the size of a binary");
    if (data) {
        unsigned char *binaries[2] = {NULL};
        unsigned char *whole = binaries[place] = malloc(sizes[place]);
        if (!whole)
            return opencl_say(message, ANOLE_NO_MEMORY, "Out of memory.");
        error = clGetProgramInfo(build->program, CL_PROGRAM_BINARIES, count * sizeof *binaries,
                                 binaries, NULL);
        if (!error)
            memcpy(data, whole, sizes[place] < *bytes ? sizes[place] : *bytes);
        free(whole);
        if (error)
            return opencl_fail(message, ANOLE_UNSUPPORTED, error, "Asking for a binary");
    }
    *bytes = sizes[place];
    return ANOLE_OK;
}
