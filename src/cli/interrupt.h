/* SPDX-License-Identifier: MIT
 *
 * Ctrl-C and SIGTERM as a flag that long work polls.  A second signal ends the
 * program at once.
 */
#ifndef ANOLE_INTERRUPT_H
#define ANOLE_INTERRUPT_H

#include <stdbool.h>

void anole_interrupt_install(void);
/* True once a signal came.  The argument is ignored: it fits the stop callbacks. */
bool anole_interrupted(void *unused);

#endif
