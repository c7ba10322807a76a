/* SPDX-License-Identifier: MIT
 *
 * Design spaces for tests: made in a line, and judged by brute force.
 */
#ifndef SPACE_FIXTURE_H
#define SPACE_FIXTURE_H

#include "space/space_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline struct anole_space *new_space(void)
{
    struct anole_space *space = NULL;
    assert_int_equal(anole_space_create(&space, NULL), ANOLE_DONE);
    return space;
}

/* Values as text: "1 2 4 8". */
static inline void add_knob(struct anole_space *space, const char *name, const char *values)
{
    int64_t list[256];
    size_t count = 0;
    char *end;
    for (const char *p = values; *p; p = end) {
        list[count++] = strtoll(p, &end, 10);
        while (*end == ' ')
            end++;
    }
    struct anole_error error = {0};
    if (anole_space_add_knob(space, name, false, list, NULL, count, 0, &error) != ANOLE_DONE)
        fail_msg("%s", error.text);
}

static inline void add_constraint(struct anole_space *space, const char *expression)
{
    struct anole_error error = {0};
    if (anole_space_add_constraint(space, expression, "a test", &error) != ANOLE_DONE)
        fail_msg("%s", error.text);
}

static inline void finish(struct anole_space *space)
{
    struct anole_error error = {0};
    if (anole_space_finish(space, &error) != ANOLE_DONE)
        fail_msg("%s", error.text);
}

/* By the constraints' own words, whatever the space made of them. */
static inline bool plainly_valid(const struct anole_space *space, uint64_t config)
{
    int64_t values[ANOLE_MAX_KNOBS];
    for (size_t k = space->knob_count; k-- > 0;) {
        values[k] = space->knobs[k].values[config % space->knobs[k].count];
        config /= space->knobs[k].count;
    }
    for (size_t c = 0; c < space->constraint_count; c++) {
        double result;
        if (!anole_expression_evaluate(space->constraints[c].expression, values, &result) ||
            result == 0)
            return false;
    }
    return !space->validity || space->validity(space->validity_context, values, space->knob_count);
}

/* What a space may know about itself, for tests of what it does without. */
enum knowledge { KNOWS_ALL, KNOWS_NO_TABLES, KNOWS_SOME, KNOWS_NO_DIAGRAM, KNOWLEDGE_COUNT };

static inline void limit(struct anole_space *space, enum knowledge knowledge)
{
    if (knowledge == KNOWS_NO_TABLES)
        space->limits.table_bits = 0;
    if (knowledge == KNOWS_SOME)
        space->limits.machine_edges = 40;
    if (knowledge == KNOWS_NO_DIAGRAM)
        space->limits.machine_edges = 0;
}

#endif
