/* SPDX-License-Identifier: MIT
 *
 * A program (program/program.h) on an open device: kernels built, constants written, ready
 * to run.  All functions of one instance belong to one thread at a time; several instances
 * may work side by side where the driver lets sessions do so.
 */
#ifndef ANOLE_INSTANCE_H
#define ANOLE_INSTANCE_H

#include "program/program.h"

struct anole_instance;

/* What it took to make an instance, in seconds of wall time, and what of it came from the user's
 * cache (program/cache.h). */
struct anole_start {
    double open;         /* the device; its driver is loaded */
    double build;        /* kernels */
    double pack;         /* weights as kernels read them, or finding them in the cache */
    double upload;       /* constants, to the device */
    size_t source_count; /* with a kernel or more each */
    size_t kernel_count, cached_kernels;
    size_t worker_kernels;                /* built by worker processes */
    size_t weights_count, cached_weights; /* tensors that kernels lay out */
};

/* Opens the device in this process, which loads its driver: a worker has to have vetted the
 * plugin before.  `driver` and `threads` (of a CPU device; 0: all) as the registry and
 * struct anole_host have them.  The program must outlive the instance.  ERR_NO_DEVICE: it
 * cannot be opened; ERR_WORKER: the device fails at something, which is named. */
enum anole_status anole_instance_create(struct anole_instance **instance,
                                        const struct anole_program *program, const char *driver,
                                        uint32_t threads, struct anole_error *error)
    __attribute__((warn_unused_result));
void anole_instance_destroy(struct anole_instance *instance);

/* What that took. */
const struct anole_start *anole_instance_start(const struct anole_instance *instance);

/* Input i of the graph; `data` is copied: [bytes of the tensor], dense.  Inputs stay as they are
 * over runs. */
enum anole_status anole_instance_set_input(struct anole_instance *instance, size_t i,
                                           const void *data, struct anole_error *error)
    __attribute__((warn_unused_result));
/* Output i, after a run: [bytes of the tensor in the graph], of which what is there comes first. */
enum anole_status anole_instance_get_output(struct anole_instance *instance, size_t i, void *data,
                                            struct anole_error *error)
    __attribute__((warn_unused_result));

/* Its type as of the last run: where a size depends on data, the graph has the largest that can be.
 * `data` is meaningless. */
const struct anole_operand *anole_instance_output_type(const struct anole_instance *instance,
                                                       size_t i);

/* What an input holds: [bytes of the tensor]. */
enum anole_status anole_instance_get_input(struct anole_instance *instance, size_t i, void *data,
                                           struct anole_error *error)
    __attribute__((warn_unused_result));

/* Where an input or output of the graph lies, for the host to use until it is unmapped, which is
 * to be before the next run; *memory NULL: it must be copied. */
enum anole_status anole_instance_map(struct anole_instance *instance, size_t tensor, void **memory,
                                     struct anole_error *error) __attribute__((warn_unused_result));
enum anole_status anole_instance_unmap(struct anole_instance *instance, size_t tensor, void *memory,
                                       struct anole_error *error)
    __attribute__((warn_unused_result));

/* Runs the network once.  *seconds (may be NULL): wall time.  step_seconds: NULL, or
 * [program->step_count]: of each step, by the device's clock, or the host's for what runs on
 * it; NaN: not known.  Asking for them costs time.  A failed run leaves outputs undefined. */
enum anole_status anole_instance_run(struct anole_instance *instance, double *step_seconds,
                                     double *seconds, struct anole_error *error)
    __attribute__((warn_unused_result));

/* -- Steps that have several kernels (options.others of the program) --
 *
 * A variant runs each step with one of them.  All are built, and their weights are written, when
 * the instance is made: going from one variant to another costs nothing. */
struct anole_variant;

/* choices[program->step_count]: of each step, 0 for its own kernel, or i + 1 for others[i].  It
 * must be destroyed before the instance. */
enum anole_status anole_variant_create(struct anole_variant **variant,
                                       struct anole_instance *instance, const size_t *choices,
                                       struct anole_error *error)
    __attribute__((warn_unused_result));
void anole_variant_destroy(struct anole_variant *variant);

/* As anole_instance_run(), which runs each step with its own kernel; `variant` NULL: the same. */
enum anole_status anole_variant_run(struct anole_instance *instance,
                                    const struct anole_variant *variant, double *step_seconds,
                                    double *seconds, struct anole_error *error)
    __attribute__((warn_unused_result));

/* Bytes that the instance holds: on the device, and on the host for steps that run there. */
size_t anole_instance_device_bytes(const struct anole_instance *instance);
size_t anole_instance_host_bytes(const struct anole_instance *instance);
/* How many times a run waits for the device: 1 where nothing runs on the host. */
size_t anole_instance_submissions(const struct anole_instance *instance);

#endif
