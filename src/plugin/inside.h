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

/* Where a plugin's file is mapped: [start, end).  From then on, for good: files stay open. */
void anole_inside_map(const char *backend, uintptr_t start, uintptr_t end);
/* The backend whose file is mapped there; NULL: none's.  May be called by a handler. */
const char *anole_inside_owner(uintptr_t address);

void anole_inside_enter(const char *backend, const char *op);
void anole_inside_leave(void);

#endif
