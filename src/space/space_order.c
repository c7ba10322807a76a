/* SPDX-License-Identifier: MIT
 *
 * What single constraints make of decided knobs, and the order in which walks
 * decide them: constraints are to be decided soon after they are begun.
 */
#include "space/space_private.h"

#include "base/hash.h"

#include <math.h>
#include <stdlib.h>

enum anole_space_verdict anole_space_judge(const struct anole_space *space, size_t constraint,
                                           const double *low, const double *high, uint64_t *residue)
{
    struct anole_expression_bound bound;
    anole_expression_bound(space->constraints[constraint].expression, low, high, &bound);
    if (bound.low > bound.high || (bound.low == 0.0 && bound.high == 0.0))
        return ANOLE_SPACE_DEAD;
    *residue = 0;
    if (!bound.may_fail && (bound.low > 0.0 || bound.high < 0.0))
        return ANOLE_SPACE_MET;
    *residue = anole_hash_combine(bound.residue, constraint);
    return ANOLE_SPACE_OPEN;
}

/* Combinations of the knobs, as a number that may be as large as it likes. */
static double open_combinations(const struct anole_space *space, uint64_t knobs)
{
    double product = 1.0;
    for (size_t k = 0; k < space->knob_count; k++) {
        if (knobs >> k & 1)
            product *= space->knobs[k].count;
    }
    return product;
}

/* Constraints that mention the knob. */
static size_t mentions(const struct anole_space *space, size_t knob)
{
    size_t count = 0;
    for (size_t c = 0; c < space->constraint_count; c++)
        count += space->constraints[c].knobs >> knob & 1;
    return count;
}

/* The undecided knobs of the constraint that is nearest to being decided. */
static uint64_t nearest_constraint(const struct anole_space *space, uint64_t decided)
{
    uint64_t nearest = 0;
    double least = HUGE_VAL;
    for (size_t c = 0; c < space->constraint_count; c++) {
        uint64_t open = space->constraints[c].knobs & ~decided;
        double product = open_combinations(space, open);
        if (open && product < least) {
            nearest = open;
            least = product;
        }
    }
    return nearest;
}

static size_t most_mentioned(const struct anole_space *space, uint64_t knobs)
{
    size_t best = SIZE_MAX, most = 0;
    for (size_t k = 0; k < space->knob_count; k++) {
        size_t count = knobs >> k & 1 ? mentions(space, k) : 0;
        if (count > most) {
            best = k;
            most = count;
        }
    }
    return best;
}

void anole_space_make_order(struct anole_space *space)
{
    size_t depth = 0;
    uint64_t decided = 0, open;
    while ((open = nearest_constraint(space, decided)) != 0) {
        size_t knob = most_mentioned(space, open);
        space->order[depth++] = (uint8_t)knob;
        decided |= UINT64_C(1) << knob;
    }
    for (size_t k = 0; k < space->knob_count; k++) {
        if (!(decided >> k & 1))
            space->order[depth++] = (uint8_t)k;
    }
}

enum anole_status anole_space_make_touch(struct anole_space *space, struct anole_error *error)
{
    size_t touches = 0;
    for (size_t k = 0; k < space->knob_count; k++)
        touches += mentions(space, k);
    space->touch = calloc(touches + 1, sizeof *space->touch);
    if (!space->touch)
        return anole_fail_memory(error);
    touches = 0;
    for (size_t d = 0; d < space->knob_count; d++) {
        space->touch_start[d] = touches;
        for (size_t c = 0; c < space->constraint_count; c++) {
            if (!space->constraints[c].drawn && space->constraints[c].knobs >> space->order[d] & 1)
                space->touch[touches++] = (uint16_t)c;
        }
    }
    space->touch_start[space->knob_count] = touches;
    return ANOLE_DONE;
}
