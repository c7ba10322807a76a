/* SPDX-License-Identifier: MIT
 *
 * What a device can do at most: fp32 multiply-adds that touch no memory, written
 * in OpenCL C and run as any kernel is.
 */
#ifndef BENCH_PEAK_H
#define BENCH_PEAK_H

#include "devices/registry.h"

/* *flops: operations a second (two a multiply-add), of the fastest of several
 * batches.  Opens the device for itself. */
enum anole_status bench_peak_measure(double *flops, const struct anole_backend *backend,
                                     const struct anole_registry_device *device, uint32_t threads,
                                     struct anole_error *error) __attribute__((warn_unused_result));

#endif
