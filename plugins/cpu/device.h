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

/* Opens one of them; as anole_plugin.open. */
int cpu_open(const struct anole_host *host, const char *driver, uint32_t index,
             struct anole_session **session, struct anole_message *message);

/* Puts each thread of this process but the calling one on a core of its own, as
 * far as there are cores.  A kernel's threads that share a core by chance take
 * twice their time.  Not for processes that build: there, every process would
 * compile on the same core.  Does nothing where it cannot. */
void cpu_pin_threads(void);

#endif
