/* SPDX-License-Identifier: MIT
 *
 * A network on a device, whatever becomes of its kernels: where one is not built, the next best
 * takes its place.  Tuned, default, the operator's plain kernel, the host.
 */
#ifndef ANOLE_DEPLOY_H
#define ANOLE_DEPLOY_H

#include "program/instance.h"

/* Makes the program and an instance of it, of which each step whose kernel was replaced has a
 * problem (struct anole_step) and is warned of.  Errors are theirs: those of
 * anole_program_create() and anole_instance_create(); a build that fails is none of them, but
 * where the host has no reference either, running it fails. */
enum anole_status anole_deploy(struct anole_program **program, struct anole_instance **instance,
                               const struct anole_graph *graph, const struct anole_backend *backend,
                               const struct anole_device *device,
                               const struct anole_program_options *options, const char *driver,
                               uint32_t threads, struct anole_error *error)
    __attribute__((warn_unused_result));

#endif
