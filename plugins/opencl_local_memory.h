/* SPDX-License-Identifier: MIT
 *
 * How much local memory a launch takes, before a driver is asked to launch it: PoCL ends the
 * process where that is more than there is.
 */
#ifndef ANOLE_OPENCL_LOCAL_MEMORY_H
#define ANOLE_OPENCL_LOCAL_MEMORY_H

#include "opencl_session.h"

/* The arrays that the kernel of a launch declares, and the arguments that are local memory, in
 * bytes, as far as they can be found out; `kernel` is what the build was made of.  Of a template's
 * arrays PoCL 4 and later say nothing: 0. */
uint64_t opencl_local_memory(const struct anole_session *session, const struct anole_build *build,
                             uint32_t launch, const struct anole_kernel *kernel);

/* The same from a binary of PoCL, for the arrays of one kernel.  False: it does not say. */
bool opencl_local_arrays_in_binary(uint64_t *bytes, const unsigned char *binary, size_t size,
                                   const char *kernel, uint32_t arguments);

#endif
