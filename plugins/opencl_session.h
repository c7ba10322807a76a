/* SPDX-License-Identifier: MIT
 *
 * What opencl.c makes and opencl_run.c uses.
 */
#ifndef ANOLE_OPENCL_SESSION_H
#define ANOLE_OPENCL_SESSION_H

#include "opencl.h"

struct anole_session {
    cl_device_id device;
    cl_context context;
    cl_command_queue queue; /* in order */
    bool timer;             /* events carry times */
};

struct anole_buffer {
    cl_mem memory;
    size_t bytes;
};

struct anole_build {
    cl_program program;
    size_t bytes[ANOLE_ROLE_COUNT]; /* of each role's tensor */
    uint32_t launch_count;
    struct {
        cl_kernel kernel;
        struct anole_launch launch; /* its .kernel is NULL: that text is the host's */
    } launches[ANOLE_MAX_LAUNCHES];
};

/* Bytes of each role's tensor; 0: the task has none. */
void opencl_role_bytes(const struct anole_kernel *kernel, size_t bytes[ANOLE_ROLE_COUNT]);

#endif
