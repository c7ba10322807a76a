/* SPDX-License-Identifier: MIT
 *
 * CPUs as OpenCL drivers offer them, and the environment that those drivers want.
 */
#ifndef ANOLE_CPU_DEVICE_H
#define ANOLE_CPU_DEVICE_H

#include "../opencl.h"

/* Describes the CPUs of one driver; as anole_plugin.probe. */
int cpu_probe(const struct anole_host *host, const char *driver, struct anole_device *devices,
              uint32_t *count, struct anole_message *message);

/* How the launches of one of them are made, and why, for `anole doctor`; reports nothing
 * where there is no such device. */
int cpu_report_launches(const struct anole_host *host, const char *driver, uint32_t index,
                        struct anole_diagnosis *diagnosis, struct anole_message *message);

/* Opens one of them; as anole_plugin.open. */
int cpu_open(const struct anole_host *host, const char *driver, uint32_t index,
             struct anole_session **session, struct anole_message *message);

/* Puts each thread that a driver has made in this process on a core of its own, as
 * far as there are cores: a kernel's threads that share a core by chance take twice
 * their time.  Not for processes that build: there, every process would compile on
 * the same core.  Does nothing where it cannot, or where the user decides: see
 * below. */
void cpu_pin_threads(void);

/* Whether that does anything: on Linux, unless POCL_AFFINITY is set.  Devices say so
 * by their property "pinned_threads": how many there are, 0 for none. */
bool cpu_pins_threads(void);

#endif
