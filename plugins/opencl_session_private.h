/* SPDX-License-Identifier: MIT
 *
 * The inside of a session, for opencl_session.c and opencl_queues.c.
 */
#ifndef ANOLE_OPENCL_SESSION_PRIVATE_H
#define ANOLE_OPENCL_SESSION_PRIVATE_H

#include "opencl_queues.h"
#include "opencl_split.h"
#include "opencl_thread_pool.h"

/* The first step whose share nobody has taken; a cache line of its own, or two. */
struct opencl_claim {
    _Alignas(128) atomic_uint next;
};

struct opencl_queues {
    cl_device_id device; /* runs a kernel in the thread that waits for it */
    uint32_t count;      /* 0: there are none */
    cl_command_queue *items;
    struct opencl_claim *claims; /* [count] */
    struct opencl_thread_pool_options pool_options;
    int *cores;
    struct opencl_thread_pool *pool; /* NULL: nothing was run yet */
    unsigned loaded;                 /* kernels that the driver was made to load, so far */
};

struct anole_session {
    cl_device_id device;
    cl_context context;
    cl_command_queue queue; /* in order */
    bool timer;             /* events carry times */
    struct opencl_queues queues;
};

struct anole_buffer {
    cl_mem memory;
    size_t bytes;
};

/* What one queue has of one launch. */
struct opencl_share {
    struct opencl_box boxes[OPENCL_MOST_BOXES];
    uint32_t count;
};

struct anole_build {
    cl_program program;
    cl_device_id device; /* that it was built for */
    /* By launch, then by queue; NULL: the session's queue launches it. */
    struct opencl_share *shares;
    unsigned loaded_at;             /* queues.loaded when these were loaded last; 0: never */
    size_t bytes[ANOLE_ROLE_COUNT]; /* of each role's tensor */
    uint32_t launch_count;
    struct {
        cl_kernel kernel;
        struct anole_launch launch; /* its .kernel is NULL: that text is the host's */
    } launches[ANOLE_MAX_LAUNCHES];
};

#endif
