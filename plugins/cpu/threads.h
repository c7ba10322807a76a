/* SPDX-License-Identifier: MIT
 *
 * The threads that a driver makes in this process, and their cores.
 */
#ifndef ANOLE_CPU_THREADS_H
#define ANOLE_CPU_THREADS_H

#include <stdbool.h>
#include <stdint.h>

/* Keeps this process, and with it all threads of a driver that is loaded afterwards, to so many
 * cores of those that it may use: which of them, is another choice in each process, so that
 * several that build do not share one.  For drivers that count threads in a way of their own.
 * False if that cannot be. */
bool cpu_keep_to_cores(uint32_t count);

/* Notes the threads that there are; before a driver is loaded.  Counts once. */
void cpu_note_threads(void);

/* Puts each thread that a driver has made in this process on a core of its own, as
 * far as there are cores: a kernel's threads that share a core by chance take twice
 * their time.  Only after cpu_note_threads(): a process that is not ours calls that not.  Not
 * for processes that build: there, every process would compile on
 * the same core.  Does nothing where it cannot, or where the user decides: see
 * below. */
void cpu_pin_threads(void);

/* Whether that does anything: on Linux, unless POCL_AFFINITY is set.  Devices say so
 * by their property "pinned_threads": how many there are, 0 for none. */
bool cpu_pins_threads(void);

#endif
