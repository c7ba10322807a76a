/* SPDX-License-Identifier: MIT
 *
 * Messages of the OpenCL backends, and what an error of OpenCL amounts to.
 */
#ifndef ANOLE_OPENCL_ERROR_H
#define ANOLE_OPENCL_ERROR_H

#include <anole/plugin.h>

#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>

/* Writes a sentence into `message` (may be NULL) and returns `code`. */
int opencl_say(struct anole_message *message, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same for an error of OpenCL: "`what` failed: CL_...".  Returns the
 * anole_code that it amounts to, or `code` if that is all one can say. */
int opencl_fail(struct anole_message *message, int code, cl_int error, const char *what);
/* The same for an error after a launch that the driver accepted.  The device did not come
 * back from it: with most drivers nothing works from then on in this process. */
int opencl_fail_running(struct anole_message *message, cl_int error, const char *what);

#endif
