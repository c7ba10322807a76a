/* SPDX-License-Identifier: MIT
 *
 * A launch made by several queues together, each driven by a thread of its own.
 */
#ifndef ANOLE_OPENCL_QUEUES_H
#define ANOLE_OPENCL_QUEUES_H

#include <anole/plugin.h>

#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>

#include <stdbool.h>
#include <stdint.h>

/* A second device of the session's driver, which shares memory with the session's own,
 * has no threads and runs kernels in the thread that waits for them.  Kernels that use
 * the macro FIRST_GROUP are launched by parts, on `count` queues of it, by as many threads;
 * all others on the first device. */
struct opencl_queues_options {
    cl_device_id device;
    /* Instead of one such device: a part of the first device for each queue, [count], sub-devices
     * which are released with the queues; `device` is then the first of them.  Or NULL. */
    const cl_device_id *parts;
    uint32_t count;   /* 0: all kernels run on the first device */
    bool no_binaries; /* what is built is of use to this process alone */
    bool quiet;       /* no warnings are wanted: compilers write them to stderr */
    /* Declares all of OpenCL C that templates call; for a driver whose compiler then leaves out
     * its own header if _OPENCL_H_ is defined, as Clang's is written; or NULL. */
    const char *declarations;
    bool spins;       /* waiting threads have their cores for themselves */
    const int *cores; /* the core of each queue's thread, [count], or NULL */
};

#define OPENCL_MOST_PARTS 64

/* Where the first group of all has its place, in each dimension, in kernels that these
 * queues launch: never 0, so that the driver compiles for launches with an offset only. */
#define OPENCL_FIRST_GROUP 1

struct opencl_queues;

/* In the caller's storage, which is all zero; with options->count 0 it stays so. */
int opencl_queues_init(struct opencl_queues *queues, cl_context context,
                       const struct opencl_queues_options *options, struct anole_message *message)
    __attribute__((warn_unused_result));
void opencl_queues_fini(struct opencl_queues *queues);

/* Whether the queues can make these launches together. */
bool opencl_queues_can_launch(const struct opencl_queues *queues,
                              const struct anole_kernel *kernel);

/* What goes in front of the source of an operator's kernel that these queues launch, so that
 * its work-items find their places. */
extern const char opencl_queues_prefix[];

/* Divides each launch among the queues; after the kernels were made.  False: no memory. */
bool opencl_queues_divide(const struct opencl_queues *queues, struct anole_build *build)
    __attribute__((warn_unused_result));

/* Runs what is bound, as opencl_run(); and the first group of each launch. */
int opencl_queues_run(struct opencl_queues *queues, struct anole_build *build, uint32_t repeats,
                      double *device_seconds, double *host_seconds, struct anole_message *message)
    __attribute__((warn_unused_result));
int opencl_queues_warm(struct opencl_queues *queues, struct anole_build *build,
                       struct anole_message *message) __attribute__((warn_unused_result));

/* -- Many launches, each after the one before -- */

struct opencl_queue_list;

/* Of kernels[i], which are bound, of a build each; `kernel_count` of them differ.  What is
 * handed over is copied, but for kernels and builds. */
int opencl_queue_list_create(struct opencl_queue_list **list, const struct opencl_queues *queues,
                             struct anole_build *const *builds, const uint32_t *launches,
                             const cl_kernel *kernels, uint32_t count, uint32_t kernel_count,
                             struct anole_message *message) __attribute__((warn_unused_result));
void opencl_queue_list_destroy(struct opencl_queue_list *list);

/* Runs it.  *begin: when, by CLOCK_MONOTONIC; ends[count]: when each launch was over. */
int opencl_queue_list_run(struct opencl_queues *queues, struct opencl_queue_list *list,
                          double *begin, double *ends, struct anole_message *message)
    __attribute__((warn_unused_result));

#endif
