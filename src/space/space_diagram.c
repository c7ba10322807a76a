/* SPDX-License-Identifier: MIT
 *
 * Decision diagrams (multi-valued ones: Srinivasan et al., 1990): numbering their
 * nodes, reducing them, and counting the ways from their end back, which makes
 * sampling uniform and counting exact, in spaces of any size.
 */
#include "space/space_private.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

#define NO_NODE ANOLE_SPACE_NO_NODE

/* ---------------------------------------------------------- numbering of keys */

void anole_space_interner_fini(struct anole_space_interner *interner)
{
    free(interner->keys);
    free(interner->slots);
    *interner = (struct anole_space_interner){0};
}

static uint32_t *find_slot(const struct anole_space_interner *in, uint64_t key)
{
    size_t mask = in->slot_count - 1, slot = anole_hash_combine(0, key) & mask;
    while (in->slots[slot] != NO_NODE && in->keys[in->slots[slot]] != key)
        slot = (slot + 1) & mask;
    return &in->slots[slot];
}

/* Room for one more key, with at most half of the slots taken. */
static bool make_room(struct anole_space_interner *in)
{
    if (in->count < in->capacity)
        return true;
    size_t capacity = in->capacity ? 2 * in->capacity : 16;
    uint64_t *keys = reallocarray(in->keys, capacity, sizeof *keys);
    if (!keys)
        return false;
    in->keys = keys;
    uint32_t *slots = reallocarray(NULL, 2 * capacity, sizeof *slots);
    if (!slots)
        return false;
    free(in->slots);
    in->slots = slots;
    in->slot_count = 2 * capacity;
    in->capacity = capacity;
    memset(slots, 0xff, in->slot_count * sizeof *slots);
    for (size_t i = 0; i < in->count; i++)
        *find_slot(in, keys[i]) = (uint32_t)i;
    return true;
}

bool anole_space_intern(struct anole_space_interner *in, uint64_t key, uint32_t *number)
{
    if (!make_room(in))
        return false;
    uint32_t *slot = find_slot(in, key);
    if (*slot == NO_NODE) {
        *slot = (uint32_t)in->count;
        in->keys[in->count++] = key;
    }
    *number = *slot;
    return true;
}

/* ------------------------------------------------------------------- diagrams */

bool anole_space_level_init(struct anole_space_level *level, const struct anole_space *space,
                            size_t knob, size_t nodes)
{
    *level = (struct anole_space_level){
        .knob = (uint32_t)knob, .width = space->knobs[knob].count, .nodes = (uint32_t)nodes};
    level->child = calloc(nodes * level->width + 1, sizeof *level->child);
    return level->child;
}

void anole_space_diagram_destroy(struct anole_space_diagram *diagram)
{
    if (!diagram)
        return;
    for (size_t d = 0; d < diagram->level_count; d++) {
        free(diagram->levels[d].child);
        free(diagram->levels[d].sums);
    }
    free(diagram);
}

static bool is_dead(const uint32_t *child, uint32_t width)
{
    for (uint32_t i = 0; i < width; i++) {
        if (child[i] != NO_NODE)
            return false;
    }
    return true;
}

/* Keeps one of each kind of node, at the front.  below[]: what became of the
 * nodes of the next level; now[]: of the nodes of this one. */
static void reduce_level(struct anole_space_level *level, const uint32_t *below, uint32_t *now,
                         uint32_t *slots, size_t slot_count)
{
    uint32_t kept = 0, width = level->width;
    size_t bytes = width * sizeof *level->child;
    memset(slots, 0xff, slot_count * sizeof *slots);
    for (uint32_t node = 0; node < level->nodes; node++) {
        uint32_t *child = level->child + (size_t)node * width;
        uint64_t hash = 0;
        for (uint32_t i = 0; i < width; i++) {
            child[i] = child[i] == NO_NODE ? NO_NODE : below[child[i]];
            hash = anole_hash_combine(hash, child[i]);
        }
        now[node] = NO_NODE;
        if (is_dead(child, width))
            continue;
        size_t slot = hash & (slot_count - 1);
        while (slots[slot] != NO_NODE &&
               memcmp(level->child + (size_t)slots[slot] * width, child, bytes) != 0)
            slot = (slot + 1) & (slot_count - 1);
        if (slots[slot] == NO_NODE) {
            memmove(level->child + (size_t)kept * width, child, bytes);
            slots[slot] = kept++;
        }
        now[node] = slots[slot];
    }
    level->nodes = kept;
}

bool anole_space_diagram_reduce(struct anole_space_diagram *diagram)
{
    size_t most = 1, slot_count = 2;
    for (size_t d = 0; d < diagram->level_count; d++)
        most = diagram->levels[d].nodes > most ? diagram->levels[d].nodes : most;
    while (slot_count < 2 * most)
        slot_count *= 2;
    uint32_t *maps = reallocarray(NULL, 2 * most, sizeof *maps);
    uint32_t *slots = reallocarray(NULL, slot_count, sizeof *slots);
    if (maps && slots) {
        uint32_t *below = maps, *now = maps + most;
        below[0] = 0; /* the one node after the last level */
        for (size_t d = diagram->level_count; d-- > 0;) {
            reduce_level(&diagram->levels[d], below, now, slots, slot_count);
            uint32_t *swap = below;
            below = now;
            now = swap;
        }
    }
    bool done = maps && slots;
    free(maps);
    free(slots);
    return done;
}

/* ------------------------------------------------------------------- counting */

bool anole_space_diagram_count(struct anole_space_diagram *diagram)
{
    diagram->total = 1; /* of the end */
    for (size_t d = diagram->level_count; d-- > 0;) {
        struct anole_space_level *level = &diagram->levels[d];
        const struct anole_space_level *below = level + 1;
        level->sums = calloc((size_t)level->nodes * (level->width + 1) + 1, sizeof *level->sums);
        if (!level->sums)
            return false;
        for (size_t node = 0; node < level->nodes; node++) {
            const uint32_t *child = level->child + node * level->width;
            uint64_t *sums = level->sums + node * (level->width + 1);
            for (uint32_t digit = 0; digit < level->width; digit++) {
                uint64_t ways = child[digit] != NO_NODE;
                if (ways && d + 1 < diagram->level_count)
                    ways = below->sums[(size_t)child[digit] * (below->width + 1) + below->width];
                sums[digit + 1] = sums[digit] + ways;
            }
        }
        diagram->total = level->nodes ? level->sums[level->width] : 0;
    }
    return true;
}

uint64_t anole_space_diagram_config(const struct anole_space *space, uint64_t rank)
{
    uint64_t config = 0;
    uint32_t node = 0;
    for (size_t d = 0; d < space->diagram->level_count; d++) {
        const struct anole_space_level *level = &space->diagram->levels[d];
        const uint64_t *sums = level->sums + (size_t)node * (level->width + 1);
        uint32_t low = 0, high = level->width; /* sums[low] <= rank < sums[high] */
        while (high - low > 1) {
            uint32_t middle = (low + high) / 2;
            if (sums[middle] <= rank)
                low = middle;
            else
                high = middle;
        }
        rank -= sums[low];
        node = level->child[(size_t)node * level->width + low];
        config += low * space->strides[level->knob];
    }
    return config;
}
