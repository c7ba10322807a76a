/* SPDX-License-Identifier: MIT */
#include "measure/build_store.h"

#include <stdlib.h>
#include <string.h>

void anole_build_store_init(struct anole_build_store *store, size_t limit)
{
    memset(store, 0, sizeof *store);
    store->limit = limit;
}

static void forget(struct anole_build_store *store, struct anole_stored_build *entry)
{
    store->bytes -= entry->bytes;
    free(entry->binary);
    *entry = (struct anole_stored_build){.used = 0};
}

void anole_build_store_clear(struct anole_build_store *store)
{
    for (size_t i = 0; i < ANOLE_BUILD_STORE_ENTRIES; i++)
        forget(store, &store->entries[i]);
}

void anole_build_store_fini(struct anole_build_store *store)
{
    anole_build_store_clear(store);
}

static struct anole_stored_build *look_up(struct anole_build_store *store, uint64_t executable)
{
    for (size_t i = 0; i < ANOLE_BUILD_STORE_ENTRIES; i++)
        if (store->entries[i].used > 0 && store->entries[i].executable == executable)
            return &store->entries[i];
    return NULL;
}

const struct anole_stored_build *anole_build_store_find(struct anole_build_store *store,
                                                        uint64_t executable)
{
    struct anole_stored_build *entry = look_up(store, executable);
    if (entry)
        entry->used = ++store->uses;
    return entry;
}

/* A free place, or the one that was not used for longest; `with_binary`: of those that take
 * memory. */
static struct anole_stored_build *oldest(struct anole_build_store *store, bool with_binary)
{
    struct anole_stored_build *found = NULL;
    for (size_t i = 0; i < ANOLE_BUILD_STORE_ENTRIES; i++) {
        struct anole_stored_build *entry = &store->entries[i];
        if ((!with_binary || entry->binary) && (!found || entry->used < found->used))
            found = entry;
    }
    return found;
}

void anole_build_store_put(struct anole_build_store *store, uint64_t executable, const void *binary,
                           size_t bytes)
{
    struct anole_stored_build *entry = look_up(store, executable);
    if (!entry)
        entry = oldest(store, false);
    forget(store, entry);
    bool keep = binary && bytes > 0 && bytes <= store->limit;
    while (keep && store->bytes + bytes > store->limit)
        forget(store, oldest(store, true));
    entry->executable = executable;
    entry->used = ++store->uses;
    entry->binary = keep ? malloc(bytes) : NULL;
    if (!entry->binary)
        return;
    memcpy(entry->binary, binary, bytes);
    entry->bytes = bytes;
    store->bytes += bytes;
}
