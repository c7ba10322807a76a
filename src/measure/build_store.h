/* SPDX-License-Identifier: MIT
 *
 * What workers have built so far, by what determines it (anole_generated.executable), within a
 * bound: configs that share a build are tried without another.
 */
#ifndef ANOLE_BUILD_STORE_H
#define ANOLE_BUILD_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ANOLE_BUILD_STORE_ENTRIES 1024

struct anole_stored_build {
    uint64_t executable;
    uint64_t used; /* when, for what goes first; 0: this place is free */
    void *binary;  /* NULL: the timing worker builds it, or has it already */
    size_t bytes;
};

struct anole_build_store {
    struct anole_stored_build entries[ANOLE_BUILD_STORE_ENTRIES];
    uint64_t uses;
    size_t bytes, limit; /* of binaries */
};

void anole_build_store_init(struct anole_build_store *store, size_t limit);
void anole_build_store_fini(struct anole_build_store *store);
/* Forgets all. */
void anole_build_store_clear(struct anole_build_store *store);

/* NULL: it was not built yet, or so long ago that it is forgotten.  Valid until the next
 * call. */
const struct anole_stored_build *anole_build_store_find(struct anole_build_store *store,
                                                        uint64_t executable);
/* Notes a build; a copy of the binary (which may be NULL) is kept if there is room. */
void anole_build_store_put(struct anole_build_store *store, uint64_t executable, const void *binary,
                           size_t bytes);

#endif
