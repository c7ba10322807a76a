/* SPDX-License-Identifier: MIT
 *
 * The CPU backend: OpenCL on the host's cores.  It is made for PoCL, and works
 * with other drivers for CPUs.
 */
#include "algorithms.h"
#include "device.h"
#include "threads.h"
#include "../opencl_binary.h"
#include "../opencl_device.h"
#include "../opencl_diagnose.h"
#include "../opencl_sequence.h"
#include "../opencl_session.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

static int list_drivers(const struct anole_host *host, struct anole_driver_list *list,
                        struct anole_message *message)
{
    (void)host;
    return opencl_list_drivers(list, message);
}

/* Workers of one run share PoCL's cache on disk, in the folder that the host has for them. */
static atomic_bool shares_cache;

static int open_device(const struct anole_host *host, const char *driver, uint32_t index,
                       struct anole_session **session, struct anole_message *message)
{
    shares_cache = opencl_has_scratch(host);
    return cpu_open(host, driver, index, session, message);
}

/* What travels between such workers instead of a binary. */
static const char token[] = "cached";

/* PoCL compiles twice: to its own form when a program is built, and to machine
 * code when a kernel is first launched.  Both belong here, not in a timing. */
static int build(struct anole_session *session, const struct anole_kernel *kernel,
                 const void *binary, size_t binary_bytes, struct anole_build **result,
                 struct anole_message *message)
{
    struct anole_build *built;
    if (binary_bytes <= sizeof token)
        binary = NULL;
    int code = opencl_build(session, kernel, binary, binary ? binary_bytes : 0, &built, message);
    if (code)
        return code;
    code = opencl_warm(session, built, kernel, message);
    if (code) {
        opencl_release(session, built);
        return code;
    }
    *result = built;
    return ANOLE_OK;
}

/* PoCL's binaries hold the kernel as it was launched, and, for any other size of work-groups, a
 * second variant, which is compiled for the purpose.  Between workers, which start all the time,
 * its cache on disk is the better way: there what travels is only the word that a build was done.
 * To a process that comes later, a binary saves the compiler's front end, which takes 30 ms a
 * kernel even where the cache has it. */
static int get_binary(struct anole_session *session, struct anole_build *built, void *data,
                      size_t *bytes, struct anole_message *message)
{
    if (!shares_cache)
        return opencl_binary(session, built, data, bytes, message);
    if (data)
        memcpy(data, token, *bytes < sizeof token ? *bytes : sizeof token);
    *bytes = sizeof token;
    return ANOLE_OK;
}

/* The pool's threads get their cores at the first run: a process that only builds
 * comes never here, and its compiler may use any core. */
static void pin_threads(void)
{
    static atomic_bool pinned; /* like the pool, it belongs to the process */
    if (!atomic_exchange(&pinned, true))
        cpu_pin_threads();
}

static int run(struct anole_session *session, struct anole_build *built,
               const struct anole_binding *bindings, uint32_t binding_count, uint32_t repeats,
               double *device_seconds, double *host_seconds, struct anole_message *message)
{
    pin_threads();
    return opencl_run(session, built, bindings, binding_count, repeats, device_seconds,
                      host_seconds, message);
}

static int run_sequence(struct anole_session *session, struct anole_sequence *sequence,
                        double *device_seconds, double *host_seconds, struct anole_message *message)
{
    pin_threads();
    return opencl_sequence_run(session, sequence, device_seconds, host_seconds, message);
}

static int diagnose(const struct anole_host *host, const char *driver, uint32_t index,
                    struct anole_diagnosis *diagnosis, struct anole_message *message)
{
    struct opencl_diagnose_options options = {
        .diagnosis = diagnosis, .shares_host = true, .build = build, .run = run};
    if (!driver)
        return opencl_diagnose_installation(diagnosis, "sudo apt-get install pocl-opencl-icd");
    if (index == ANOLE_ALL_DEVICES)
        return opencl_diagnose_driver(diagnosis, driver);
    int code = cpu_open(host, driver, index, &options.session, message);
    if (code)
        return code;
    code = cpu_report_launches(host, driver, index, diagnosis, message);
    if (!code)
        code = opencl_diagnose_device(&options);
    opencl_close(options.session);
    return code;
}

/* clang-format off */
ANOLE_PLUGIN("cpu", "0.1", 1,
             .drivers = list_drivers,
             .probe = cpu_probe,
             .supports = cpu_supports,
             .space = cpu_space,
             .valid = cpu_valid,
             .features = cpu_features,
             .feature_name = cpu_feature_name,
             .generate = cpu_generate,
             .pack = cpu_pack,
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
             .sequence_run = run_sequence,
             .sequence_destroy = opencl_sequence_destroy,
             .buffer_map = opencl_buffer_map,
             .buffer_unmap = opencl_buffer_unmap);
