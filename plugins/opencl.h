/* SPDX-License-Identifier: MIT
 *
 * What the OpenCL backends share: finding drivers, describing devices, and the
 * time group of the ops.  A backend adds its generators, and what it knows about
 * the drivers it likes.
 *
 * A process speaks to one driver only.  The ICD loader reads its environment at
 * its first call, once; opencl_select_driver() sets that environment, so it must
 * come first, and a second driver in the same process is refused.
 */
#ifndef ANOLE_OPENCL_H
#define ANOLE_OPENCL_H

#include <anole/plugin.h>

#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>

#include <stdbool.h>

/* ---------------------------------------------------------------- messages */

/* Writes a sentence into `message` (may be NULL) and returns `code`. */
int opencl_say(struct anole_message *message, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same for an error of OpenCL: "`what` failed: CL_...".  Returns the
 * anole_code that it amounts to, or `code` if that is all one can say. */
int opencl_fail(struct anole_message *message, int code, cl_int error, const char *what);

/* ----------------------------------------------------------------- drivers */

/* Adds the .icd files that the loader would use, in order of their names,
 * without loading any of them.  Obeys OCL_ICD_VENDORS, OPENCL_VENDOR_PATH and
 * OCL_ICD_FILENAMES.  Adds nothing if there is none. */
int opencl_list_drivers(struct anole_driver_list *list, struct anole_message *message);

/* Points the loader at one driver: the path of an .icd file or of a library; ""
 * leaves the loader's own choice.  Before any call of OpenCL.  Sets environment
 * variables of this process. */
int opencl_select_driver(const char *driver, struct anole_message *message);

/* Fails, with the reason, if the selected driver's library cannot be loaded: the loader
 * is silent about that. */
int opencl_check_library(struct anole_message *message);

/* ----------------------------------------------------------------- devices */

/* The devices of the selected driver that are of a type (CL_DEVICE_TYPE_CPU,
 * ...).  devices[*count], *count as in anole_plugin.probe.  No driver, or a
 * driver without a platform, is no failure: *count is 0.  One whose library cannot
 * be loaded is. */
int opencl_find_devices(cl_device_type type, cl_device_id *devices, uint32_t *count,
                        struct anole_message *message);

/* Fills in what any OpenCL device says of itself; `index` is its position among
 * those found. */
void opencl_describe(cl_device_id id, uint32_t index, struct anole_device *device);

/* A device's answer, or `otherwise` if it gives none. */
uint64_t opencl_device_number(cl_device_id id, cl_device_info what, uint64_t otherwise);

/* -------------------------------------------------------------- time group */

/* As the ops of the same name in anole_plugin, for a device that was found. */
int opencl_open(cl_device_id id, struct anole_session **session, struct anole_message *message);
/* The same with a second device of the same driver, which shares memory with the first,
 * has no threads and runs kernels in the thread that waits for them.  Kernels that use
 * the macro FIRST_GROUP are launched by parts, on so many queues of it, by as many
 * threads; all others on the first device.  `cores`: one for each lane, or NULL. */
struct opencl_lanes_terms {
    cl_device_id device;
    uint32_t count; /* 0: all kernels run on the first device */
    bool spins;     /* waiting lanes have their cores for themselves */
    const int *cores;
};
int opencl_open_lanes(cl_device_id id, const struct opencl_lanes_terms *terms,
                      struct anole_session **session, struct anole_message *message);
void opencl_close(struct anole_session *session);
/* The device that a session is of. */
cl_device_id opencl_session_device(const struct anole_session *session);

int opencl_buffer_create(struct anole_session *session, size_t bytes, struct anole_buffer **buffer,
                         struct anole_message *message);
int opencl_buffer_write(struct anole_session *session, struct anole_buffer *buffer, size_t offset,
                        const void *data, size_t bytes, struct anole_message *message);
int opencl_buffer_read(struct anole_session *session, struct anole_buffer *buffer, size_t offset,
                       void *data, size_t bytes, struct anole_message *message);
void opencl_buffer_destroy(struct anole_session *session, struct anole_buffer *buffer);

int opencl_build(struct anole_session *session, const struct anole_kernel *kernel,
                 const void *binary, size_t binary_bytes, struct anole_build **build,
                 struct anole_message *message);
int opencl_binary(struct anole_session *session, struct anole_build *build, void *data,
                  size_t *bytes, struct anole_message *message);
void opencl_release(struct anole_session *session, struct anole_build *build);

int opencl_run(struct anole_session *session, struct anole_build *build,
               const struct anole_binding *bindings, uint32_t binding_count, uint32_t repeats,
               double *device_seconds, double *host_seconds, struct anole_message *message);

/* Runs the first work-group of each launch on buffers of its own, for drivers
 * that finish compiling at the first launch.  `kernel` is what was built. */
int opencl_warm(struct anole_session *session, struct anole_build *build,
                const struct anole_kernel *kernel, struct anole_message *message);

#endif
