/* SPDX-License-Identifier: MIT
 *
 * The compiler within a driver.  PoCL is linked to LLVM and Clang: their symbols and relocations,
 * which the loader reads, take some 55 MB of a process's memory, though a network whose kernels
 * come from a cache hardly calls them.
 */
#ifndef ANOLE_OPENCL_COMPILER_H
#define ANOLE_OPENCL_COMPILER_H

#include <stddef.h>

/* Gives back the pages of the compiler's code, as they are in the file; whoever runs it again gets
 * them from the system's cache.  Pages that somebody has changed (a debugger) stay.  Returns bytes:
 * 0 where there is no such compiler, or the system has no way to do it. */
size_t opencl_compiler_forget(void);

/* Calls load(context), which loads a driver, in this thread.  Meanwhile another one gives pages
 * back as above, and is gone when this returns: else the process's peak is all that the loader has
 * read, one library after the other.  Where there is no such thread, pages are given back at the
 * end. */
void opencl_compiler_load(void (*load)(void *), void *context);

#endif
