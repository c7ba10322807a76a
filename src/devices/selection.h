/* SPDX-License-Identifier: MIT
 *
 * From what a user types after --device to a device.
 */
#ifndef ANOLE_SELECTION_H
#define ANOLE_SELECTION_H

#include "devices/registry.h"

/* The one device that `selector` means: an id ("cpu:0"), a backend's name if it
 * has one device ("cpu"), part of a device's, vendor's or driver's name, not
 * minding case, or such a part and the number of one among those that it fits ("xyz:1").  NULL or
 * "": the only device there is.  ERR_NO_DEVICE with the list of what there is if none or several
 * match; ERR_NO_BACKEND, with the reasons for refusal, if no plugin loaded. */
ANOLE_CHECKED enum anole_status anole_registry_find(const struct anole_registry_device **device,
                                                    const struct anole_registry *registry,
                                                    const char *selector,
                                                    struct anole_error *error);

#endif
