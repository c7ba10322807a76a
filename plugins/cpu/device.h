/* SPDX-License-Identifier: MIT
 *
 * CPUs as OpenCL drivers offer them, and the environment that those drivers want.
 */
#ifndef ANOLE_CPU_DEVICE_H
#define ANOLE_CPU_DEVICE_H

#include <anole/plugin.h>

/* Describes the CPUs of one driver; as anole_plugin.probe. */
int cpu_probe(const struct anole_host *host, const char *driver, struct anole_device *devices,
              uint32_t *count, struct anole_message *message) __attribute__((warn_unused_result));

/* How the launches of one of them are made, and why, for `anole doctor`; reports nothing
 * where there is no such device. */
int cpu_report_launches(const struct anole_host *host, const char *driver, uint32_t index,
                        struct anole_diagnosis *diagnosis, struct anole_message *message)
    __attribute__((warn_unused_result));

/* Opens one of them; as anole_plugin.open. */
int cpu_open(const struct anole_host *host, const char *driver, uint32_t index,
             struct anole_session **session, struct anole_message *message)
    __attribute__((warn_unused_result));

#endif
