/* SPDX-License-Identifier: MIT
 *
 * Reading a kernel from a T1 file: "KernelSpecification", as docs/kernel.md has it.
 */
#ifndef ANOLE_T1_KERNEL_H
#define ANOLE_T1_KERNEL_H

#include "kernel/custom.h"

/* Reads the file and those that it names (kernel.name is the file's name for it).
 * `whole` false: the name and the space alone, for devices that run nothing; the
 * kernel's language is then 0, and it has no arguments.  ERR_INPUT, with file and
 * place, if it is not a T1 file or describes no kernel that we can run. */
enum anole_status anole_t1_kernel_load(struct anole_custom_kernel **custom, const char *path,
                                       bool whole, struct anole_error *error);

/* The same from memory; `path` is for messages, and where other files are looked for. */
enum anole_status anole_t1_kernel_parse(struct anole_custom_kernel **custom, const char *text,
                                        size_t length, const char *path, bool whole,
                                        struct anole_error *error);

#endif
