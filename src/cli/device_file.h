/* SPDX-License-Identifier: MIT
 *
 * A device's description in a file: JSON, with the members of struct anole_device by their
 * names.  So a backend's pure half can be checked where the device is not.
 */
#ifndef ANOLE_DEVICE_FILE_H
#define ANOLE_DEVICE_FILE_H

#include "base/status.h"

#include <anole/plugin.h>

ANOLE_CHECKED enum anole_status anole_device_file_write(const char *path,
                                                        const struct anole_device *device,
                                                        struct anole_error *error);
/* What the file leaves out is 0 or empty.  ERR_INPUT if it is no description. */
ANOLE_CHECKED enum anole_status anole_device_file_read(struct anole_device *device,
                                                       const char *path, struct anole_error *error);

#endif
