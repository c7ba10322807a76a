/* SPDX-License-Identifier: MIT
 *
 * Whether this process is within an op of a plugin right now, and which: for whoever handles the
 * signals, and the end, of a program that plugins may crash.  The core handles none itself.
 */
#ifndef ANOLE_INSIDE_H
#define ANOLE_INSIDE_H

#include <stdatomic.h>
#include <stdint.h>

struct anole_inside {
    _Atomic(const char *) backend; /* its name; a copy that outlives the plugin's file */
    _Atomic(const char *) op;      /* a literal; NULL: it is not within one */
    atomic_uint_fast64_t calls;    /* so far: tells one call from the next */
};

extern struct anole_inside anole_inside;

void anole_inside_enter(const char *backend, const char *op);
void anole_inside_leave(void);

#endif
