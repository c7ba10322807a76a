/* SPDX-License-Identifier: MIT
 *
 * How much memory there is for this process.
 */
#ifndef ANOLE_MEMORY_H
#define ANOLE_MEMORY_H

#include <stdint.h>

/* Bytes that this process can still take without others having to give theirs up: what the kernel
 * says is available, and no more than the limits of the control groups (version 2) that it is in
 * leave. UINT64_MAX: not known. */
uint64_t anole_memory_available(void);

/* The same of files below `root` in the place of "" (for tests). */
uint64_t anole_memory_available_below(const char *root);

#endif
