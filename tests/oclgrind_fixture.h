/* SPDX-License-Identifier: MIT
 *
 * Oclgrind (Price and McIntosh-Smith, "Oclgrind: an extensible OpenCL device
 * simulator", IWOCL 2015) as the driver: it interprets kernels, and reports every
 * access out of bounds, every race and every use of what was never written.
 */
#ifndef OCLGRIND_FIXTURE_H
#define OCLGRIND_FIXTURE_H

#include "kernel_fixture.h"

/* Makes Oclgrind the driver of this process, before any call of OpenCL: `library` is
 * its ICD, and it reports into the file `log`. */
void oclgrind_prepare(const char *library, const char *log);

/* Fails the test unless it reports a kernel that reads beyond a buffer, one that
 * writes there, one with a race and one that uses what it never set: a watchdog that
 * sleeps is worse than none. */
void oclgrind_prove(struct kernel_fixture *fixture);

#endif
