/* SPDX-License-Identifier: MIT
 *
 * The decision diagram of a design space: that of no constraint at all, joined
 * with that of each constraint in turn, as far as it stays small.
 */
#include "space/space_private.h"

#include <stdlib.h>

#define NO_NODE ANOLE_SPACE_NO_NODE

/* -------------------------------------------------------------------- joining */

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
    if (status == ANOLE_DONE && !anole_space_diagram_count(space->diagram))
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
