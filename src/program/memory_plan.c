/* SPDX-License-Identifier: MIT */
#include "program/memory_plan.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MOST_BYTES (SIZE_MAX / 4)

/* An item on its way to a place. */
struct entry {
    size_t index, bytes; /* rounded up */
    size_t length;       /* of its life */
    size_t offset;
};

static int by_size(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    if (x->length != y->length)
        return x->length < y->length ? 1 : -1;
    return x->index < y->index ? -1 : 1;
}

static int by_length(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->length != y->length)
        return x->length < y->length ? 1 : -1;
    return by_size(a, b);
}

static bool meet(const struct anole_lifetime *a, const struct anole_lifetime *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* The smallest gap between those that live at the same time; behind them if there is none.
 * placed[count], by offset. */
static size_t find_place(const struct anole_lifetime *items, struct entry *const *placed,
                         size_t count, const struct entry *entry)
{
    size_t end = 0, best = SIZE_MAX, best_gap = SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        if (!meet(&items[placed[i]->index], &items[entry->index]))
            continue;
        size_t gap = placed[i]->offset > end ? placed[i]->offset - end : 0;
        if (gap >= entry->bytes && gap < best_gap) {
            best = end;
            best_gap = gap;
        }
        if (placed[i]->offset + placed[i]->bytes > end)
            end = placed[i]->offset + placed[i]->bytes;
    }
    return best != SIZE_MAX ? best : end;
}

/* Places all, in the order that they stand in; returns the peak. */
static size_t place_all(const struct anole_lifetime *items, struct entry *entries,
                        struct entry **placed, size_t count)
{
    size_t peak = 0;
    for (size_t i = 0; i < count; i++) {
        struct entry *entry = &entries[i];
        entry->offset = find_place(items, placed, i, entry);
        size_t at = i;
        while (at > 0 && placed[at - 1]->offset > entry->offset)
            at--;
        memmove(placed + at + 1, placed + at, (i - at) * sizeof *placed);
        placed[at] = entry;
        if (entry->offset + entry->bytes > peak)
            peak = entry->offset + entry->bytes;
    }
    return peak;
}

static size_t collect(struct entry *entries, const struct anole_lifetime *items, size_t count,
                      size_t alignment, size_t *total)
{
    size_t kept = 0;
    *total = 0;
    for (size_t i = 0; i < count; i++) {
        if (items[i].bytes == 0)
            continue;
        size_t bytes = items[i].bytes > MOST_BYTES
                           ? MOST_BYTES
                           : (items[i].bytes + alignment - 1) / alignment * alignment;
        entries[kept++] = (struct entry){
            .index = i, .bytes = bytes, .length = items[i].last - items[i].first + 1};
        *total = *total > MOST_BYTES - bytes ? MOST_BYTES : *total + bytes;
    }
    return kept;
}

enum anole_status anole_memory_plan(struct anole_lifetime *items, size_t count, size_t alignment,
                                    size_t *peak, struct anole_error *error)
{
    int (*const orders[])(const void *, const void *) = {by_size, by_length};
    struct entry *entries = calloc(count + 1, sizeof *entries);
    struct entry **placed = calloc(count + 1, sizeof(struct entry *));
    enum anole_status status = ANOLE_DONE;
    size_t total, kept, best = SIZE_MAX;
    if (!entries || !placed) {
        status = anole_fail_memory(error);
        goto done;
    }
    kept = collect(entries, items, count, alignment, &total);
    if (total >= MOST_BYTES) {
        status =
            anole_fail(error, ANOLE_ERR_INPUT, "the tensors take more than %zu bytes", MOST_BYTES);
        goto done;
    }
    for (size_t i = 0; i < count; i++)
        items[i].offset = 0;
    for (size_t o = 0; o < sizeof orders / sizeof *orders; o++) {
        qsort(entries, kept, sizeof *entries, orders[o]);
        size_t found = place_all(items, entries, placed, kept);
        if (found >= best)
            continue;
        best = found;
        for (size_t i = 0; i < kept; i++)
            items[entries[i].index].offset = entries[i].offset;
    }
    *peak = best;
done:
    free(placed);
    free(entries);
    return status;
}
