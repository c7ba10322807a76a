/* SPDX-License-Identifier: MIT
 *
 * The time group of the ops of the OpenCL backends: an open device, its buffers, what
 * is built and run on it.
 */
#ifndef ANOLE_OPENCL_SESSION_H
#define ANOLE_OPENCL_SESSION_H

#include "opencl_queues.h"

/* As the ops of the same name in anole_plugin, for a device that was found. */
int opencl_open(cl_device_id id, struct anole_session **session, struct anole_message *message)
    __attribute__((warn_unused_result));
/* The same; launches are made by several queues together where that is possible.
 * queues->count 0: they never are. */
int opencl_open_queues(cl_device_id id, const struct opencl_queues_options *queues,
                       struct anole_session **session, struct anole_message *message)
    __attribute__((warn_unused_result));
void opencl_close(struct anole_session *session);
/* Has it release its device, which is a sub-device, when it is closed. */
void opencl_session_own_device(struct anole_session *session);
/* The device that a session is of. */
cl_device_id opencl_session_device(const struct anole_session *session);

int opencl_buffer_create(struct anole_session *session, size_t bytes, struct anole_buffer **buffer,
                         struct anole_message *message) __attribute__((warn_unused_result));
int opencl_buffer_write(struct anole_session *session, struct anole_buffer *buffer, size_t offset,
                        const void *data, size_t bytes, struct anole_message *message)
    __attribute__((warn_unused_result));
int opencl_buffer_read(struct anole_session *session, struct anole_buffer *buffer, size_t offset,
                       void *data, size_t bytes, struct anole_message *message)
    __attribute__((warn_unused_result));
void opencl_buffer_destroy(struct anole_session *session, struct anole_buffer *buffer);

int opencl_buffer_map(struct anole_session *session, struct anole_buffer *buffer, size_t offset,
                      size_t bytes, void **memory, struct anole_message *message)
    __attribute__((warn_unused_result));
int opencl_buffer_unmap(struct anole_session *session, struct anole_buffer *buffer, void *memory,
                        struct anole_message *message) __attribute__((warn_unused_result));

int opencl_build(struct anole_session *session, const struct anole_kernel *kernel,
                 const void *binary, size_t binary_bytes, struct anole_build **build,
                 struct anole_message *message) __attribute__((warn_unused_result));
void opencl_release(struct anole_session *session, struct anole_build *build);

int opencl_run(struct anole_session *session, struct anole_build *build,
               const struct anole_binding *bindings, uint32_t binding_count, uint32_t repeats,
               double *device_seconds, double *host_seconds, struct anole_message *message)
    __attribute__((warn_unused_result));

/* Runs the first work-group of each launch on buffers of its own, for drivers
 * that finish compiling at the first launch.  `kernel` is what was built. */
int opencl_warm(struct anole_session *session, struct anole_build *build,
                const struct anole_kernel *kernel, struct anole_message *message)
    __attribute__((warn_unused_result));

#endif
