/* SPDX-License-Identifier: MIT */
#include "record/history_set.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

void anole_history_set_init(struct anole_history_set *set)
{
    memset(set, 0, sizeof *set);
    anole_hash_draw_key(set->key);
}

void anole_history_set_fini(struct anole_history_set *set)
{
    free(set->slots);
    set->slots = NULL;
    set->room = set->used = 0;
}

/* The slot of a hash, or the free one where it belongs. */
static uint64_t *find(uint64_t *slots, size_t room, uint64_t hash)
{
    size_t i = hash & (room - 1);
    while (slots[i] && slots[i] != hash)
        i = (i + 1) & (room - 1);
    return &slots[i];
}

/* Room for one more; at most two thirds are used. */
static bool reserve(struct anole_history_set *set)
{
    if (3 * (set->used + 1) <= 2 * set->room)
        return true;
    size_t room = set->room ? 2 * set->room : 1024;
    uint64_t *slots = calloc(room, sizeof *slots);
    if (!slots)
        return false;
    for (size_t i = 0; i < set->room; i++)
        if (set->slots[i])
            *find(slots, room, set->slots[i]) = set->slots[i];
    free(set->slots);
    set->slots = slots;
    set->room = room;
    return true;
}

enum anole_status anole_history_set_add(struct anole_history_set *set, bool *known,
                                        struct anole_history_slice line, struct anole_error *error)
{
    if (!reserve(set))
        return anole_fail_memory(error);
    uint64_t hash = anole_hash_keyed(set->key, line.data, line.length);
    hash += !hash;
    uint64_t *slot = find(set->slots, set->room, hash);
    *known = *slot != 0;
    set->used += !*known;
    *slot = hash;
    return ANOLE_DONE;
}
