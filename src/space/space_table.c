/* SPDX-License-Identifier: MIT
 *
 * Truth tables.  A constraint over a few knobs is evaluated once for each
 * combination of their values; from then on a bit answers.  Constraints over the
 * same knobs, or some of them, share a table.
 */
#include "space/space_private.h"

#include <stdlib.h>

/* Constraints that shall share a table. */
struct group {
    uint64_t knobs;
    uint64_t bits;   /* combinations of values */
    uint64_t length; /* of its constraints, in instructions */
};

/* Combinations of the values of some knobs; UINT64_MAX if too many to matter. */
static uint64_t combinations(const struct anole_space *space, uint64_t knobs)
{
    uint64_t product = 1;
    for (size_t k = 0; k < space->knob_count; k++) {
        if ((knobs >> k & 1) && __builtin_mul_overflow(product, space->knobs[k].count, &product))
            return UINT64_MAX;
    }
    return product;
}

static bool is_in(const struct anole_space_constraint *constraint, const struct group *group)
{
    return (constraint->knobs & ~group->knobs) == 0;
}

static int more_bits_first(const void *a, const void *b)
{
    const struct group *x = a, *y = b;
    if (x->bits != y->bits)
        return x->bits > y->bits ? -1 : 1;
    return (x->knobs > y->knobs) - (x->knobs < y->knobs);
}

/* Groups for all constraints whose tables are small enough; returns how many.
 * groups[constraint_count]. */
static size_t make_groups(const struct anole_space *space, struct group *groups)
{
    size_t candidates = 0, count = 0;
    for (size_t c = 0; c < space->constraint_count; c++) {
        const struct anole_space_constraint *constraint = &space->constraints[c];
        struct group own = {.knobs = constraint->knobs,
                            .length = anole_expression_length(constraint->expression)};
        own.bits = combinations(space, own.knobs);
        if (own.bits <= space->limits.table_bits)
            groups[candidates++] = own;
    }
    /* Large ones first, to take in the others. */
    qsort(groups, candidates, sizeof *groups, more_bits_first);
    for (size_t i = 0; i < candidates; i++) {
        size_t g = 0;
        while (g < count && (groups[i].knobs & ~groups[g].knobs) != 0)
            g++;
        if (g == count)
            groups[count++] = groups[i];
        else
            groups[g].length += groups[i].length;
    }
    return count;
}

static enum anole_status make_terms(const struct anole_space *space,
                                    struct anole_space_table *table, struct anole_error *error)
{
    uint32_t stride = 1;
    size_t i = (size_t)__builtin_popcountll(table->knobs);
    table->term_count = i;
    table->terms = calloc(i ? i : 1, sizeof *table->terms);
    if (!table->terms)
        return anole_fail_memory(error);
    for (size_t k = space->knob_count; k-- > 0;) {
        if (!(table->knobs >> k & 1))
            continue;
        table->terms[--i] = (struct anole_space_term){.knob = (uint32_t)k, .stride = stride};
        stride *= space->knobs[k].count;
    }
    return ANOLE_DONE;
}

/* True if the values meet all constraints of the group. */
static bool meets_all(const struct anole_space *space, const struct group *group,
                      const int64_t *values)
{
    for (size_t c = 0; c < space->constraint_count; c++) {
        if (is_in(&space->constraints[c], group) && !anole_space_meets(space, c, values))
            return false;
    }
    return true;
}

static enum anole_status make_table(struct anole_space *space, const struct group *group,
                                    struct anole_error *error)
{
    struct anole_space_table *table = &space->tables[space->table_count++];
    int64_t values[ANOLE_MAX_KNOBS] = {0};
    uint32_t digits[ANOLE_MAX_KNOBS] = {0};
    uint64_t set = 0;
    table->knobs = group->knobs;
    table->bits = calloc(group->bits / 64 + 1, sizeof *table->bits);
    if (!table->bits)
        return anole_fail_memory(error);
    enum anole_status status = make_terms(space, table, error);
    if (status != ANOLE_DONE)
        return status;
    for (size_t i = 0; i < table->term_count; i++)
        values[table->terms[i].knob] = space->knobs[table->terms[i].knob].values[0];
    for (uint64_t index = 0; index < group->bits; index++) {
        if (meets_all(space, group, values)) {
            table->bits[index / 64] |= UINT64_C(1) << (index % 64);
            set++;
        }
        /* On to the next combination, the last knob fastest. */
        for (size_t i = table->term_count; i-- > 0;) {
            const struct anole_space_knob *knob = &space->knobs[table->terms[i].knob];
            digits[i] = digits[i] + 1 < knob->count ? digits[i] + 1 : 0;
            values[table->terms[i].knob] = knob->values[digits[i]];
            if (digits[i] != 0)
                break;
        }
    }
    table->share = (double)set / (double)group->bits;
    return ANOLE_DONE;
}

static int selective_first(const void *a, const void *b)
{
    const struct anole_space_table *x = a, *y = b;
    if (x->share != y->share)
        return x->share < y->share ? -1 : 1;
    return (x->knobs > y->knobs) - (x->knobs < y->knobs);
}

enum anole_status anole_space_list_programs(struct anole_space *space, struct anole_error *error)
{
    space->programs = calloc(space->constraint_count + 1, sizeof *space->programs);
    if (!space->programs)
        return anole_fail_memory(error);
    for (size_t c = 0; c < space->constraint_count; c++) {
        if (!space->constraints[c].tabled)
            space->programs[space->program_count++] = (uint16_t)c;
    }
    return ANOLE_DONE;
}

enum anole_status anole_space_make_tables(struct anole_space *space, struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    uint64_t left = space->limits.table_work;
    struct group *groups = calloc(space->constraint_count + 1, sizeof *groups);
    if (!groups)
        return anole_fail_memory(error);
    size_t count = make_groups(space, groups);
    space->tables = calloc(count + 1, sizeof *space->tables);
    if (!space->tables) {
        status = anole_fail_memory(error);
        goto free_groups;
    }
    /* The small ones, which come last, are served first. */
    for (size_t g = count; g-- > 0;) {
        uint64_t cost = groups[g].bits * groups[g].length;
        if (cost > left)
            continue;
        left -= cost;
        status = make_table(space, &groups[g], error);
        if (status != ANOLE_DONE)
            goto free_groups;
        for (size_t c = 0; c < space->constraint_count; c++)
            space->constraints[c].tabled |= is_in(&space->constraints[c], &groups[g]);
    }
    if (space->table_count > 1)
        qsort(space->tables, space->table_count, sizeof *space->tables, selective_first);
    status = anole_space_list_programs(space, error);

free_groups:
    free(groups);
    return status;
}
