/* SPDX-License-Identifier: MIT */
#include "plugin/inside.h"

#include <stddef.h>
#include <string.h>

struct anole_inside anole_inside;

/* Files that are mapped.  Plugins are loaded one after the other; a handler sees those that are
 * there as a whole. */
#define MOST_FILES 64
static struct {
    char backend[64];
    uintptr_t start, end;
} files[MOST_FILES];
static atomic_size_t file_count;

void anole_inside_map(const char *backend, uintptr_t start, uintptr_t end)
{
    size_t at = atomic_load(&file_count);
    if (at == MOST_FILES)
        return;
    strncpy(files[at].backend, backend, sizeof files[at].backend - 1);
    files[at].start = start;
    files[at].end = end;
    atomic_store(&file_count, at + 1);
}

const char *anole_inside_owner(uintptr_t address)
{
    for (size_t i = 0; i < atomic_load(&file_count); i++)
        if (address >= files[i].start && address < files[i].end)
            return files[i].backend;
    return NULL;
}

void anole_inside_enter(const char *backend, const char *op)
{
    atomic_store_explicit(&anole_inside.backend, backend, memory_order_relaxed);
    atomic_fetch_add_explicit(&anole_inside.calls, 1, memory_order_relaxed);
    atomic_store_explicit(&anole_inside.op, op, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
}

void anole_inside_leave(void)
{
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(&anole_inside.op, NULL, memory_order_relaxed);
}
