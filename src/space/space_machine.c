/* SPDX-License-Identifier: MIT
 *
 * One constraint as a decision diagram.  Ways to decide its first knobs with the
 * same residue share a node, so that tile_h * tile_w * channels <= 1024 needs a
 * node for each product, not for each combination.
 */
#include "space/space_private.h"

#include <stdlib.h>
#include <string.h>

/* The nodes of a level: their residues, and for each the digits of one of the
 * ways that lead to it, by level. */
struct frontier {
    struct anole_space_interner residues;
    uint16_t *paths; /* [capacity x depth] */
    size_t capacity, depth;
};

struct builder {
    const struct anole_space *space;
    size_t constraint;
    struct anole_space_diagram *machine;
    double low[ANOLE_MAX_KNOBS], high[ANOLE_MAX_KNOBS];
    struct frontier now, next;
    uint64_t limit; /* of edges */
    uint64_t edges;
};

static void frontier_fini(struct frontier *frontier)
{
    anole_space_interner_fini(&frontier->residues);
    free(frontier->paths);
}

/* *node: the node with this residue; a new one keeps the way, path and digit. */
static bool frontier_add(struct frontier *frontier, uint32_t *node, uint64_t residue,
                         const uint16_t *path, uint16_t digit)
{
    size_t before = frontier->residues.count;
    if (!anole_space_intern(&frontier->residues, residue, node))
        return false;
    if (*node < before)
        return true;
    if (before == frontier->capacity) {
        size_t capacity = before ? 2 * before : 16;
        uint16_t *paths = reallocarray(frontier->paths, capacity, frontier->depth * sizeof *paths);
        if (!paths)
            return false;
        frontier->paths = paths;
        frontier->capacity = capacity;
    }
    uint16_t *own = frontier->paths + before * frontier->depth;
    for (size_t d = 0; d + 1 < frontier->depth; d++)
        own[d] = path[d];
    own[frontier->depth - 1] = digit;
    return true;
}

static void decide(struct builder *b, size_t depth, uint16_t digit)
{
    size_t knob = b->machine->levels[depth].knob;
    b->low[knob] = b->high[knob] = (double)b->space->knobs[knob].values[digit];
}

/* Writes the edges of one node. */
static bool expand(struct builder *b, size_t depth, size_t node)
{
    const struct anole_space_level *level = &b->machine->levels[depth];
    const uint16_t *path = depth > 0 ? b->now.paths + node * depth : NULL;
    uint32_t *child = level->child + node * level->width;
    for (size_t d = 0; d < depth; d++)
        decide(b, d, path[d]);
    for (uint32_t digit = 0; digit < level->width; digit++) {
        uint64_t residue;
        decide(b, depth, (uint16_t)digit);
        enum anole_space_verdict verdict =
            anole_space_judge(b->space, b->constraint, b->low, b->high, &residue);
        child[digit] = ANOLE_SPACE_NO_NODE;
        if (verdict != ANOLE_SPACE_DEAD &&
            !frontier_add(&b->next, &child[digit], residue, path, (uint16_t)digit))
            return false;
    }
    /* Open again, for the next node. */
    b->low[level->knob] = b->space->low[level->knob];
    b->high[level->knob] = b->space->high[level->knob];
    return true;
}

/* Builds a level for each knob; *fits is false if there are too many edges. */
static bool build(struct builder *b, const uint8_t *knobs, size_t knob_count, bool *fits)
{
    uint32_t root;
    if (!anole_space_intern(&b->now.residues, 0, &root))
        return false;
    for (size_t d = 0; d < knob_count; d++) {
        struct anole_space_level *level = &b->machine->levels[d];
        uint64_t more = b->now.residues.count * b->space->knobs[knobs[d]].count;
        if (b->edges + more > b->limit) {
            *fits = false;
            return true;
        }
        b->edges += more;
        b->machine->level_count = d + 1;
        if (!anole_space_level_init(level, b->space, knobs[d], b->now.residues.count))
            return false;
        b->next = (struct frontier){.depth = d + 1};
        for (size_t node = 0; node < level->nodes; node++) {
            if (!expand(b, d, node))
                return false;
        }
        frontier_fini(&b->now);
        b->now = b->next;
        b->next = (struct frontier){0};
    }
    *fits = true;
    return anole_space_diagram_reduce(b->machine);
}

enum anole_status anole_space_machine_create(struct anole_space_diagram **machine,
                                             const struct anole_space *space, size_t constraint,
                                             uint64_t *work, struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    uint64_t length = anole_expression_length(space->constraints[constraint].expression);
    uint64_t affordable = *work / length;
    struct builder b = {.space = space, .constraint = constraint};
    uint8_t knobs[ANOLE_MAX_KNOBS];
    size_t knob_count = 0;
    bool fits = false;
    for (size_t d = 0; d < space->knob_count; d++) {
        uint8_t knob = space->order[d];
        if (space->constraints[constraint].knobs >> knob & 1)
            knobs[knob_count++] = knob;
    }
    memcpy(b.low, space->low, sizeof b.low);
    memcpy(b.high, space->high, sizeof b.high);
    b.limit = affordable < space->limits.machine_edges ? affordable : space->limits.machine_edges;
    b.machine = calloc(1, sizeof *b.machine);
    if (!b.machine || !build(&b, knobs, knob_count, &fits))
        status = anole_fail_memory(error);
    if (status != ANOLE_DONE || !fits) {
        anole_space_diagram_destroy(b.machine);
        b.machine = NULL;
    }
    if (status == ANOLE_DONE)
        *machine = b.machine;
    *work -= b.edges * length;
    frontier_fini(&b.now);
    frontier_fini(&b.next);
    return status;
}
