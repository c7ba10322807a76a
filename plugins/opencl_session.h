/* SPDX-License-Identifier: MIT
 *
 * What opencl.c makes and opencl_run.c uses.
 */
#ifndef ANOLE_OPENCL_SESSION_H
#define ANOLE_OPENCL_SESSION_H

#include "opencl.h"
#include "opencl_split.h"
#include "opencl_team.h"

/* The first step whose share nobody has taken; a cache line of its own, or two. */
struct opencl_claim {
    _Alignas(128) atomic_uint next;
};

/* Queues that make a launch together, a thread for each: see opencl_lanes.c. */
struct opencl_lanes {
    cl_device_id device; /* runs a kernel in the thread that waits for it */
    uint32_t count;      /* 0: there are none */
    cl_command_queue *queues;
    struct opencl_claim *claims; /* [count] */
    struct opencl_team_terms terms;
    int *cores;
    struct opencl_team *team; /* NULL: nothing was run yet */
    unsigned loaded;          /* kernels that the driver was made to load, so far */
};

struct anole_session {
    cl_device_id device;
    cl_context context;
    cl_command_queue queue; /* in order */
    bool timer;             /* events carry times */
    struct opencl_lanes lanes;
};

struct anole_buffer {
    cl_mem memory;
    size_t bytes;
};

/* What one lane has of one launch. */
struct opencl_share {
    struct opencl_box boxes[OPENCL_MOST_BOXES];
    uint32_t count;
};

struct anole_build {
    cl_program program;
    cl_device_id device; /* that it was built for */
    /* By launch, then by lane; NULL: the session's queue launches it. */
    struct opencl_share *shares;
    unsigned loaded_at;             /* lanes.loaded when these were loaded last; 0: never */
    size_t bytes[ANOLE_ROLE_COUNT]; /* of each role's tensor */
    uint32_t launch_count;
    struct {
        cl_kernel kernel;
        struct anole_launch launch; /* its .kernel is NULL: that text is the host's */
    } launches[ANOLE_MAX_LAUNCHES];
};

/* Where the first group of all has its place, in each dimension, in kernels that lanes
 * launch: never 0, so that the driver compiles for launches with an offset only. */
#define OPENCL_FIRST_GROUP 1

int opencl_lanes_init(struct anole_session *session, const struct opencl_lanes_terms *terms,
                      struct anole_message *message);
void opencl_lanes_fini(struct opencl_lanes *lanes);

/* Whether lanes can make these launches together. */
bool opencl_lanes_suit(const struct opencl_lanes *lanes, const struct anole_kernel *kernel);

/* Says who has what of each launch; after the kernels were made.  False: no memory. */
bool opencl_lanes_share(const struct opencl_lanes *lanes, struct anole_build *build);

/* Runs what is bound, as opencl_run(); and the first group of each launch. */
int opencl_lanes_run(struct anole_session *session, struct anole_build *build, uint32_t repeats,
                     double *device_seconds, double *host_seconds, struct anole_message *message);
int opencl_lanes_warm(struct anole_session *session, struct anole_build *build,
                      struct anole_message *message);

/* What an error after a launch that the driver accepted amounts to. */
int opencl_fail_running(cl_int error, const char *what, struct anole_message *message);

/* Bytes of each role's tensor; 0: the task has none. */
void opencl_role_bytes(const struct anole_kernel *kernel, size_t bytes[ANOLE_ROLE_COUNT]);

#endif
