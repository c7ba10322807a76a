/* SPDX-License-Identifier: MIT
 *
 * The GPU backend: the vendor's OpenCL, whoever the vendor is.
 */
#include "algorithms.h"
#include "device.h"
#include "../opencl_binary.h"
#include "../opencl_device.h"
#include "../opencl_diagnose.h"
#include "../opencl_error.h"
#include "../opencl_sequence.h"
#include "../opencl_session.h"

#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

static int list_drivers(const struct anole_host *host, struct anole_driver_list *list,
                        struct anole_message *message)
{
    (void)host;
    return opencl_list_drivers(list, message);
}

/* Drivers for CPUs compile again when a kernel is first launched; those for GPUs
 * are done when the program is built. */
static bool compiles_late(struct anole_session *session)
{
    return opencl_device_number(opencl_session_device(session), CL_DEVICE_TYPE, 0) &
           CL_DEVICE_TYPE_CPU;
}

static int build(struct anole_session *session, const struct anole_kernel *kernel,
                 const void *binary, size_t binary_bytes, struct anole_build **result,
                 struct anole_message *message)
{
    struct anole_build *built;
    int code = opencl_build(session, kernel, binary, binary_bytes, &built, message);
    if (code)
        return code;
    if (compiles_late(session))
        code = opencl_warm(session, built, kernel, message);
    if (code) {
        opencl_release(session, built);
        return code;
    }
    *result = built;
    return ANOLE_OK;
}

/* Workers of one run share the driver's cache on disk, in the folder that the host has for them. */
static bool shares_cache;

static int open_device(const struct anole_host *host, const char *driver, uint32_t index,
                       struct anole_session **session, struct anole_message *message)
{
    shares_cache = opencl_has_scratch(host);
    return gpu_open(host, driver, index, session, message);
}

/* What a driver for CPUs hands out has another variant beside the one that it runs, made for the
 * purpose: between workers the source travels instead, and the driver's cache has the rest. */
static int get_binary(struct anole_session *session, struct anole_build *built, void *data,
                      size_t *bytes, struct anole_message *message)
{
    if (compiles_late(session) && shares_cache)
        return opencl_say(message, ANOLE_UNSUPPORTED, "This driver builds from source.");
    return opencl_binary(session, built, data, bytes, message);
}

/* --------------------------------------------------------------------- run */

#define IDLE 20e-3 /* seconds without work, after which clocks may have come down */
#define WARM 10e-3 /* of work, for them to go up again */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* A device that had nothing to do runs slowly at first: it gets the kernel some
 * more times before the runs that count.  They write what the run will write. */
static int run(struct anole_session *session, struct anole_build *built,
               const struct anole_binding *bindings, uint32_t binding_count, uint32_t repeats,
               double *device_seconds, double *host_seconds, struct anole_message *message)
{
    static double last; /* end of the last run: like the clocks, of the process */
    double ignored[8], seconds;
    double start = now();
    int code = ANOLE_OK;
    if (repeats > 1 && start - last > IDLE && !compiles_late(session))
        while (!code && now() - start < WARM)
            code =
                opencl_run(session, built, bindings, binding_count, 8, ignored, &seconds, message);
    if (!code)
        code = opencl_run(session, built, bindings, binding_count, repeats, device_seconds,
                          host_seconds, message);
    last = now();
    return code;
}

static int diagnose(const struct anole_host *host, const char *driver, uint32_t index,
                    struct anole_diagnosis *diagnosis, struct anole_message *message)
{
    struct opencl_diagnose_options options = {
        .diagnosis = diagnosis, .shares_host = false, .build = build, .run = run};
    if (!driver)
        return opencl_diagnose_installation(
            diagnosis, "the driver of the GPU, with its OpenCL part"
                       " (in a container: the image or the runtime that brings it in)");
    if (index == ANOLE_ALL_DEVICES)
        return opencl_diagnose_driver(diagnosis, driver);
    int code = gpu_open(host, driver, index, &options.session, message);
    if (code)
        return code;
    code = opencl_diagnose_device(&options);
    opencl_close(options.session);
    return code;
}

/* clang-format off */
ANOLE_PLUGIN("gpu", "0.1", 1,
             .drivers = list_drivers,
             .probe = gpu_probe,
             .supports = gpu_supports,
             .space = gpu_space,
             .valid = gpu_valid,
             .features = gpu_features,
             .feature_name = gpu_feature_name,
             .generate = gpu_generate,
             .pack = gpu_pack,
             .open = open_device,
             .close = opencl_close,
             .buffer_create = opencl_buffer_create,
             .buffer_write = opencl_buffer_write,
             .buffer_read = opencl_buffer_read,
             .buffer_destroy = opencl_buffer_destroy,
             .build = build,
             .binary = get_binary,
             .release = opencl_release,
             .run = run,
             .diagnose = diagnose,
             .sequence_create = opencl_sequence_create,
             .sequence_run = opencl_sequence_run,
             .sequence_destroy = opencl_sequence_destroy,
             .buffer_map = opencl_buffer_map,
             .buffer_unmap = opencl_buffer_unmap);
