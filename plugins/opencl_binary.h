/* SPDX-License-Identifier: MIT
 *
 * What a driver made of a kernel, as bytes.
 */
#ifndef ANOLE_OPENCL_BINARY_H
#define ANOLE_OPENCL_BINARY_H

#include "opencl_session.h"

/* The op `binary`: with `data` NULL, *bytes becomes the size. */
int opencl_binary(const struct anole_session *session, const struct anole_build *build, void *data,
                  size_t *bytes, struct anole_message *message) __attribute__((warn_unused_result));

#endif
