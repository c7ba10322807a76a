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
    cl_device_id device; /* runs a kernel in the thread that waits for it; or the first part */
    cl_device_id *parts; /* of the session's device, one a queue; NULL: all are of `device` */
    uint32_t count;      /* 0: there are none */
    cl_command_queue *items;
    struct opencl_claim *claims; /* [count] */
    struct opencl_thread_pool_options pool_options;
    int *cores;
    struct opencl_thread_pool *pool; /* NULL: nothing was run yet */
    unsigned loaded;                 /* kernels that the driver was made to load, so far */
};

/* A program that was built, for all kernels with the same source and options.  Programs are in
 * a list as long as something uses them. */
struct opencl_shared_program {
    struct opencl_shared_program *next;
    unsigned users;
    cl_program program;
    cl_device_id device; /* that it was built for */
    size_t length;       /* of the source */
    char *source;
    char *options;
};

#define OPENCL_LAST_PROGRAMS 2 /* kernels of a source are built one after another */

struct anole_session {
    cl_device_id device;
    cl_context context;
    cl_command_queue queue;   /* in order */
    bool owns_device;         /* it is a sub-device */
    bool no_binaries;         /* they are neither taken nor given away */
    bool quiet;               /* no warnings of compilers */
    const char *declarations; /* as the options of its queues have it */
    unsigned undeclared;      /* sources that they were not enough for */
    bool timer;               /* events carry times */
    unsigned number;          /* among the open sessions of the process: the lowest that is free */
    struct opencl_queues queues;
    struct opencl_shared_program *shared;
    struct opencl_shared_program
        *last[OPENCL_LAST_PROGRAMS]; /* of operators; used without a build */
    unsigned last_next;              /* the place of the next one */
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
    struct opencl_shared_program *shared; /* what it is held by; NULL: by this build alone */
    cl_device_id device;                  /* that it was built for */
    /* By launch, then by queue; NULL: the session's queue launches it. */
    struct opencl_share *shares;
    unsigned loaded_at;             /* queues.loaded when these were loaded last; 0: never */
    size_t bytes[ANOLE_ROLE_COUNT]; /* of each role's tensor */
    /* ANOLE_TASK_OPERATOR: of each of its tensors; NULL: its bindings are by role. */
    uint64_t *tensor_bytes;
    uint32_t tensor_count;
    struct opencl_queue_list *list; /* its launches, once queues have run them by themselves */
    uint32_t launch_count;
    struct {
        cl_kernel kernel;
        struct anole_launch launch; /* its .kernel is NULL: that text is the host's */
    } launches[ANOLE_MAX_LAUNCHES];
};

/* Parts of buffers that a launch uses; zero-initialised, released after it. */
struct opencl_parts {
    cl_mem memory[ANOLE_MAX_LAUNCHES * ANOLE_MAX_ARGS];
    uint32_t count;
};

/* Sets the arguments of kernels[build->launch_count]: those of the build, or others of the
 * same functions. */
int opencl_bind(const struct anole_build *build, const cl_kernel *kernels,
                const struct anole_binding *bindings, uint32_t binding_count,
                struct opencl_parts *parts, struct anole_message *message)
    __attribute__((warn_unused_result));
void opencl_parts_fini(struct opencl_parts *parts);

/* Enqueues one launch on the session's own queue; `event` may be NULL. */
cl_int opencl_enqueue(struct anole_session *session, cl_kernel kernel,
                      const struct anole_launch *launch, bool first_group, cl_event *event);
/* What the driver says of a launch that is over: 0, or its error. */
cl_int opencl_event_error(cl_event event);
/* Seconds from the start of the first to the end of the last; negative if the driver does
 * not say. */
double opencl_event_seconds(cl_event first, cl_event last);

#endif
