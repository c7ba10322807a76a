/* SPDX-License-Identifier: MIT
 *
 * What vendors' extensions tell of a GPU.
 */
#ifndef ANOLE_GPU_VENDOR_H
#define ANOLE_GPU_VENDOR_H

#include "../opencl_device.h"

#include <stdbool.h>

/* Adds what the extensions cl_nv_device_attribute_query, cl_amd_device_attribute_query
 * and cl_intel_required_subgroup_size tell, if the device has them: wave width,
 * registers, clocked lanes.  `extensions`: its list of them. */
void gpu_describe_vendor(cl_device_id id, const char *extensions, struct anole_device *device);

/* Appends a property; does nothing if there is no room. */
void gpu_add_property(struct anole_device *device, const char *name, double value);

/* Are there those that kernels/gpu_mma.cl is for?  As far as the description tells. */
bool gpu_has_tensor_cores(const struct anole_device *device);

#endif
