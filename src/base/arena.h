/* SPDX-License-Identifier: MIT
 *
 * Memory that is given back all at once: for objects of many small parts that live and die
 * together.
 */
#ifndef ANOLE_ARENA_H
#define ANOLE_ARENA_H

#include <stddef.h>

struct anole_arena_block;

/* Zero-initialise; anole_arena_fini() frees all that was allocated. */
struct anole_arena {
    struct anole_arena_block *blocks; /* the newest first */
    size_t used;                      /* of the newest */
};

void anole_arena_fini(struct anole_arena *arena);

/* Room for `count` items of `size` bytes, zeroed, aligned for every type.  None at all still
 * gives a pointer.  NULL: out of memory, or the product is out of range. */
void *anole_arena_allocate(struct anole_arena *arena, size_t count, size_t size);

/* A copy of `length` bytes, with a NUL behind them.  NULL: out of memory. */
char *anole_arena_text(struct anole_arena *arena, const void *data, size_t length);

#endif
