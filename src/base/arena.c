/* SPDX-License-Identifier: MIT */
#include "base/arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BLOCK ((size_t)4 << 10)
#define LARGEST_BLOCK ((size_t)1 << 20) /* but for what is larger than that alone */

struct anole_arena_block {
    struct anole_arena_block *next;
    size_t room;
    alignas(max_align_t) unsigned char memory[];
};

void anole_arena_fini(struct anole_arena *arena)
{
    struct anole_arena_block *block = arena->blocks;
    while (block) {
        struct anole_arena_block *next = block->next;
        free(block);
        block = next;
    }
    *arena = (struct anole_arena){0};
}

/* A block of at least `bytes`; each is twice the one before. */
static struct anole_arena_block *add_block(struct anole_arena *arena, size_t bytes)
{
    size_t room = arena->blocks ? arena->blocks->room * 2 : FIRST_BLOCK;
    if (room > LARGEST_BLOCK)
        room = LARGEST_BLOCK;
    if (room < bytes)
        room = bytes;
    struct anole_arena_block *block = calloc(1, sizeof *block + room);
    if (!block)
        return NULL;
    block->room = room;
    block->next = arena->blocks;
    arena->blocks = block;
    arena->used = 0;
    return block;
}

void *anole_arena_allocate(struct anole_arena *arena, size_t count, size_t size)
{
    const size_t unit = alignof(max_align_t);
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > (size_t)-1 / 4)
        return NULL;
    bytes = (bytes + unit - 1) / unit * unit;
    struct anole_arena_block *block = arena->blocks;
    if (!block || block->room - arena->used < bytes)
        block = add_block(arena, bytes);
    if (!block)
        return NULL;
    void *memory = block->memory + arena->used;
    arena->used += bytes;
    return memory;
}

char *anole_arena_text(struct anole_arena *arena, const void *data, size_t length)
{
    char *copy = anole_arena_allocate(arena, length + 1, 1);
    if (copy && length > 0)
        memcpy(copy, data, length);
    return copy;
}
