/* SPDX-License-Identifier: MIT
 *
 * OpenCL drivers, and what their devices say of themselves.
 *
 * A worker speaks to one driver only.  The ICD loader reads its environment at
 * its first call, once; opencl_select_driver() sets that environment, so it must
 * come first, and a second driver in the same process is refused.  A process that is
 * not ours (ANOLE_HOST_GUEST) may use OpenCL itself: there, a driver is loaded beside
 * the loader, and the environment is left alone.
 */
#ifndef ANOLE_OPENCL_DEVICE_H
#define ANOLE_OPENCL_DEVICE_H

#include <anole/plugin.h>

#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>

#include <stdbool.h>

/* ----------------------------------------------------------------- drivers */

/* Adds the .icd files that the loader would use, in order of their names,
 * without loading any of them.  Obeys OCL_ICD_VENDORS, OPENCL_VENDOR_PATH and
 * OCL_ICD_FILENAMES.  Adds nothing if there is none. */
int opencl_list_drivers(struct anole_driver_list *list, struct anole_message *message)
    __attribute__((warn_unused_result));

/* Whether the host has a folder that processes of one run share, for drivers' caches. */
bool opencl_has_scratch(const struct anole_host *host);

/* Points the loader at one driver: the path of an .icd file or of a library; ""
 * leaves the loader's own choice.  Before any call of OpenCL.  Sets environment
 * variables of this process. */
/* The library of the driver that was selected; "" if that is not known. */
const char *opencl_driver_library(void);
int opencl_select_driver(const char *driver, struct anole_message *message)
    __attribute__((warn_unused_result));

/* Whether the process is not ours. */
bool opencl_is_guest(const struct anole_host *host);

/* Fails, with the reason, if the selected driver's library cannot be loaded: the loader
 * is silent about that. */
int opencl_check_library(struct anole_message *message) __attribute__((warn_unused_result));

/* ----------------------------------------------------------------- devices */

/* The devices of the selected driver that are of a type (CL_DEVICE_TYPE_CPU,
 * ...).  devices[*count], *count as in anole_plugin.probe.  No driver, or a
 * driver without a platform, is no failure: *count is 0.  One whose library cannot
 * be loaded is. */
int opencl_find_devices(cl_device_type type, cl_device_id *devices, uint32_t *count,
                        struct anole_message *message) __attribute__((warn_unused_result));

/* The same of any driver, named as for opencl_select_driver(), which must not be called. */
int opencl_find_devices_of(const char *driver, cl_device_type type, cl_device_id *devices,
                           uint32_t *count, struct anole_message *message)
    __attribute__((warn_unused_result));

/* Fills in what any OpenCL device says of itself; `index` is its position among
 * those found. */
void opencl_describe(cl_device_id id, uint32_t index, struct anole_device *device);

/* A device's answer, or `otherwise` if it gives none. */
uint64_t opencl_device_number(cl_device_id id, cl_device_info what, uint64_t otherwise);

#endif
