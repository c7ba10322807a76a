/* SPDX-License-Identifier: MIT
 *
 * The decision diagram of a design space: that of no constraint at all, joined
 * with that of each constraint in turn, as far as it stays small.  Counting the
 * ways from its end back makes sampling uniform and counting exact, in spaces of
 * any size.  (Multi-valued decision diagrams: Srinivasan et al., 1990.)
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

/* The diagram of no constraint. */
static struct anole_space_diagram *free_diagram(const struct anole_space *space)
{
    struct anole_space_diagram *diagram = calloc(1, sizeof *diagram);
    for (size_t d = 0; diagram && d < space->knob_count; d++) {
        diagram->level_count = d + 1;
        if (!anole_space_level_init(&diagram->levels[d], space, space->order[d], 1)) {
            anole_space_diagram_destroy(diagram);
            return NULL;
        }
    }
    return diagram;
}

/* Edges of one node of a product: those that both diagrams have.  `b` is NULL
 * where the machine does not mention the knob. */
static bool join_node(uint32_t *child, uint64_t pair, const struct anole_space_level *a,
                      const struct anole_space_level *b, struct anole_space_interner *next)
{
    const uint32_t *from_a = a->child + (size_t)(pair >> 32) * a->width;
    uint32_t state = (uint32_t)pair;
    const uint32_t *from_b = b ? b->child + (size_t)state * b->width : NULL;
    for (uint32_t digit = 0; digit < a->width; digit++) {
        uint32_t to_a = from_a[digit], to_b = from_b ? from_b[digit] : state;
        child[digit] = NO_NODE;
        if (to_a != NO_NODE && to_b != NO_NODE &&
            !anole_space_intern(next, (uint64_t)to_a << 32 | to_b, &child[digit]))
            return false;
    }
    return true;
}

/* The levels of a product, from the first; *fits is false if there are too many
 * edges. */
static bool join_levels(struct anole_space_diagram *product, const struct anole_space *space,
                        const struct anole_space_diagram *machine, uint64_t *work, bool *fits)
{
    const struct anole_space_diagram *diagram = space->diagram;
    struct anole_space_interner now = {0}, next = {0};
    uint64_t left = *work < space->limits.edges ? *work : space->limits.edges;
    uint32_t root;
    size_t used = 0; /* levels of the machine */
    bool done = anole_space_intern(&now, 0, &root);
    for (size_t d = 0; done && d < diagram->level_count; d++) {
        const struct anole_space_level *a = &diagram->levels[d], *b = NULL;
        uint64_t edges = now.count * a->width;
        *fits = edges <= left;
        if (!*fits)
            break;
        left -= edges;
        *work -= edges;
        if (used < machine->level_count && machine->levels[used].knob == a->knob)
            b = &machine->levels[used++];
        product->level_count = d + 1;
        struct anole_space_level *level = &product->levels[d];
        done = anole_space_level_init(level, space, a->knob, now.count);
        for (size_t node = 0; done && node < now.count; node++)
            done = join_node(level->child + node * a->width, now.keys[node], a, b, &next);
        anole_space_interner_fini(&now);
        now = next;
        next = (struct anole_space_interner){0};
    }
    anole_space_interner_fini(&now);
    anole_space_interner_fini(&next);
    return done;
}

/* Joins a constraint's machine to the diagram; leaves the diagram as it is if
 * that makes it too large. */
static enum anole_status join(struct anole_space *space, const struct anole_space_diagram *machine,
                              uint64_t *work, bool *fits, struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    struct anole_space_diagram *product = calloc(1, sizeof *product);
    if (!product)
        return anole_fail_memory(error);
    if (!join_levels(product, space, machine, work, fits) ||
        (*fits && !anole_space_diagram_reduce(product)))
        status = anole_fail_memory(error);
    if (status == ANOLE_DONE && *fits) {
        struct anole_space_diagram *old = space->diagram;
        space->diagram = product;
        product = old;
    }
    anole_space_diagram_destroy(product);
    return status;
}

/* ------------------------------------------------------------------- counting */

static bool count_ways(struct anole_space_diagram *diagram)
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

/* --------------------------------------------------------------------- making */

struct candidate {
    struct anole_space_diagram *machine;
    size_t constraint;
    uint64_t edges;
};

static int fewer_edges_first(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->edges != y->edges)
        return x->edges < y->edges ? -1 : 1;
    return (x->constraint > y->constraint) - (x->constraint < y->constraint);
}

static uint64_t edge_count(const struct anole_space_diagram *diagram)
{
    uint64_t edges = 0;
    for (size_t d = 0; d < diagram->level_count; d++)
        edges += (uint64_t)diagram->levels[d].nodes * diagram->levels[d].width;
    return edges;
}

/* Machines of the constraints that have a small one.  candidates[constraint_count]. */
static enum anole_status make_candidates(const struct anole_space *space,
                                         struct candidate *candidates, size_t *count,
                                         struct anole_error *error)
{
    uint64_t work = space->limits.machine_work;
    for (size_t c = 0; c < space->constraint_count; c++) {
        struct candidate own = {.constraint = c};
        enum anole_status status = anole_space_machine_create(&own.machine, space, c, &work, error);
        if (status != ANOLE_DONE)
            return status;
        if (!own.machine)
            continue;
        own.edges = edge_count(own.machine);
        candidates[(*count)++] = own;
    }
    if (*count > 1)
        qsort(candidates, *count, sizeof *candidates, fewer_edges_first);
    return ANOLE_DONE;
}

/* True if a constraint without knobs is violated: then nothing is valid. */
static bool contradicts_itself(const struct anole_space *space)
{
    int64_t none[ANOLE_MAX_KNOBS] = {0};
    for (size_t c = 0; c < space->constraint_count; c++) {
        if (space->constraints[c].knobs == 0 && !anole_space_meets(space, c, none))
            return true;
    }
    return false;
}

enum anole_status anole_space_make_diagram(struct anole_space *space, struct anole_error *error)
{
    size_t count = 0;
    uint64_t work = space->limits.work;
    struct candidate *candidates = calloc(space->constraint_count + 1, sizeof *candidates);
    if (!candidates)
        return anole_fail_memory(error);
    enum anole_status status = make_candidates(space, candidates, &count, error);
    space->diagram = free_diagram(space);
    if (status == ANOLE_DONE && !space->diagram)
        status = anole_fail_memory(error);
    for (size_t i = 0; status == ANOLE_DONE && i < count; i++)
        status = join(space, candidates[i].machine, &work,
                      &space->constraints[candidates[i].constraint].drawn, error);
    if (status == ANOLE_DONE && !count_ways(space->diagram))
        status = anole_fail_memory(error);
    if (status == ANOLE_DONE && contradicts_itself(space))
        space->diagram->total = 0;
    for (size_t i = 0; i < count; i++)
        anole_space_diagram_destroy(candidates[i].machine);
    free(candidates);
    space->exact = !space->validity;
    for (size_t c = 0; c < space->constraint_count; c++)
        space->exact &= space->constraints[c].drawn;
    return status;
}
