/* SPDX-License-Identifier: MIT
 *
 * GPUs as OpenCL drivers offer them.
 *
 * What has no field in struct anole_device is a property:
 *
 *   local_real           1: local memory is a memory of its own; 0: made of the global one
 *   wave_preferred       work-items that a compiled kernel wants work-groups to be a multiple of
 *   registers_per_unit   32-bit registers of a compute unit
 *   local_per_unit       bytes of local memory of a compute unit
 *   items_per_unit       work-items that a compute unit holds at a time
 *   lanes_per_unit       fp32 multiply-adds that a compute unit starts in a clock
 *   fp16, sub_groups     1: the device has cl_khr_fp16, cl_khr_subgroups or the like
 *   compute_capability   NVIDIA's, as 8.6
 *   tensor_cores         1: its compiler takes the tensor cores' instructions (NVIDIA's PTX,
 *                        from capability 8.0 on); 2, on no device: what is made for them is
 *                        to run without, for tests
 *   unified_memory       1: shared with the host
 *   time_limit           1: the driver ends kernels that take seconds
 *
 * A property that the driver does not tell, and that cannot be derived, is absent.
 */
#ifndef ANOLE_GPU_DEVICE_H
#define ANOLE_GPU_DEVICE_H

#include <anole/plugin.h>

/* An environment variable.  Set to something else than 0 or nothing, it makes every
 * device with a compiler do as a GPU: for tests, and for work on the generators
 * where there is none. */
#define GPU_ANY_DEVICE "ANOLE_GPU_ANY_DEVICE"

/* Describes the GPUs of one driver; as anole_plugin.probe. */
int gpu_probe(const struct anole_host *host, const char *driver, struct anole_device *devices,
              uint32_t *count, struct anole_message *message) __attribute__((warn_unused_result));

/* Opens one of them; as anole_plugin.open. */
int gpu_open(const struct anole_host *host, const char *driver, uint32_t index,
             struct anole_session **session, struct anole_message *message)
    __attribute__((warn_unused_result));

#endif
