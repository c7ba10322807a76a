/* SPDX-License-Identifier: MIT
 *
 * What a plugin says of its drivers and devices, brought into bounds: counts within
 * the replies' arrays, texts that end, failures as words.  Called in a worker.
 */
#ifndef ANOLE_DESCRIBE_H
#define ANOLE_DESCRIBE_H

#include "plugin/backend.h"
#include "worker/message.h"

/* Texts that end, counts within bounds: of a device that came from a plugin, or by a message. */
void anole_describe_tame(struct anole_device *device);

/* Adds the drivers to a reply that is empty but for the plugin's name; `problem`
 * says what went wrong, or was left out. */
void anole_describe_drivers(struct anole_vet_reply *reply, const struct anole_plugin *plugin,
                            uint32_t threads);

/* The devices of one driver.  Having none is no problem.  The reply is zeroed. */
void anole_describe_devices(struct anole_probe_reply *reply, const struct anole_plugin *plugin,
                            const struct anole_probe_request *request);

/* What the plugin finds when it examines itself, a driver, a device; nothing from a
 * plugin that cannot.  The reply is zeroed. */
void anole_describe_health(struct anole_diagnose_reply *reply, const struct anole_plugin *plugin,
                           const struct anole_diagnose_request *request);

#endif
