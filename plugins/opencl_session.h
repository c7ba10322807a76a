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
    uint32_t launch_count;
    struct {
        cl_kernel kernel;
        struct anole_launch launch; /* its .kernel is NULL: that text is the host's */
    } launches[ANOLE_MAX_LAUNCHES];
};

#endif
