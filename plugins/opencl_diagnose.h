/* SPDX-License-Identifier: MIT
 *
 * The parts of the op `diagnose` that the OpenCL backends share.
 */
#ifndef ANOLE_OPENCL_DIAGNOSE_H
#define ANOLE_OPENCL_DIAGNOSE_H

#include "opencl_session.h"

/* Whether the loader knows of a driver at all.  `advice`: the command that installs
 * one that this backend can use. */
int opencl_diagnose_installation(struct anole_diagnosis *diagnosis, const char *advice);

/* Why a driver has no device for this backend. */
int opencl_diagnose_driver(struct anole_diagnosis *diagnosis, const char *driver);

/* What a device is examined with: the backend's own ops, which do more than those
 * of opencl_session.h. */
struct opencl_diagnose_options {
    struct anole_diagnosis *diagnosis;
    struct anole_session *session;
    bool shares_host; /* kernels run in threads of this process */
    int (*build)(struct anole_session *session, const struct anole_kernel *kernel,
                 const void *binary, size_t binary_bytes, struct anole_build **build,
                 struct anole_message *message);
    int (*run)(struct anole_session *session, struct anole_build *build,
               const struct anole_binding *bindings, uint32_t binding_count, uint32_t repeats,
               double *device_seconds, double *host_seconds, struct anole_message *message);
};

/* Runs a kernel, checks the event timer against the host's clock, measures how much
 * times scatter, and looks whether threads keep to their cores. */
int opencl_diagnose_device(const struct opencl_diagnose_options *options);

#endif
