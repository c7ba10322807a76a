/* SPDX-License-Identifier: MIT
 *
 * Inside a design space.  For space*.c, and for tests that want small limits.
 *
 *   space_make.c     knobs and constraints come in; finishing
 *   space.c          configs: digits, values, text, validity
 *   space_table.c    truth tables, which make validity fast
 *   space_order.c    the order in which walks decide the knobs
 *   space_diagram.c  decision diagrams, which count exactly
 *   space_machine.c  one constraint as such a diagram
 *   space_join.c     all of them in one
 *   space_walk.c     sampling, counting, enumerating
 */
#ifndef ANOLE_SPACE_PRIVATE_H
#define ANOLE_SPACE_PRIVATE_H

#include "space/expression.h"
#include "space/space.h"

struct anole_space_constraint {
    struct anole_expression *expression;
    char *text;      /* as it came */
    char *violation; /* "expression: why", printable */
    uint64_t knobs;  /* bit k: it mentions knob k */
    bool tabled;     /* a truth table knows it */
    bool drawn;      /* the diagram knows it */
};

/* A truth table over the digits of a few knobs: bit sum(digit x stride). */
struct anole_space_term {
    uint32_t knob;
    uint32_t stride;
};

struct anole_space_table {
    uint64_t knobs;
    struct anole_space_term *terms;
    size_t term_count;
    uint64_t *bits;
    double share; /* of the bits that are set */
};

#define ANOLE_SPACE_NO_NODE UINT32_MAX

/* A decision diagram: each level decides one knob, in the order of the walk.
 * Ways to decide the first knobs that leave the same to the others lead to one
 * node.  Each level holds only nodes from which some way leads to the end; there
 * are none at all if no config meets the constraints. */
struct anole_space_level {
    uint32_t knob;
    uint32_t width; /* values of the knob */
    uint32_t nodes;
    uint32_t *child; /* [nodes x width]: the node of the next level, or NO_NODE */
    uint64_t *sums;  /* NULL, or [nodes x (width + 1)]: ways that begin with a smaller digit */
};

struct anole_space_diagram {
    uint64_t total; /* ways in all, where there are sums */
    size_t level_count;
    struct anole_space_level levels[ANOLE_MAX_KNOBS];
};

/* How much a space may spend on knowing itself. */
struct anole_space_limits {
    uint64_t table_bits;    /* of one truth table */
    uint64_t table_work;    /* instructions to fill them all */
    uint64_t machine_edges; /* of one constraint's diagram */
    uint64_t machine_work;  /* instructions to build them all */
    uint64_t edges;         /* of the diagram of all */
    uint64_t work;          /* edges that are written on the way to it */
};

struct anole_space {
    bool finished;
    struct anole_space_limits limits;

    size_t knob_count;
    struct anole_space_knob knobs[ANOLE_MAX_KNOBS];
    uint64_t strides[ANOLE_MAX_KNOBS];     /* what one step of a digit adds to an index */
    uint64_t reciprocals[ANOLE_MAX_KNOBS]; /* 2^64 / count, rounded down; 0 for count 1 */

    struct anole_space_constraint *constraints;
    size_t constraint_count;
    anole_space_validity *validity; /* or NULL */
    void *validity_context;

    double low[ANOLE_MAX_KNOBS], high[ANOLE_MAX_KNOBS]; /* of the knobs' values */
    uint64_t size;
    uint64_t default_config;
    uint64_t fingerprint;

    struct anole_space_table *tables; /* the most selective first */
    size_t table_count;
    uint16_t *programs; /* constraints without a table */
    size_t program_count;

    /* The order in which walks decide the knobs, and of the constraints that are
     * not drawn those that mention the knob of each depth:
     * touch[touch_start[d]..touch_start[d+1]]. */
    uint8_t order[ANOLE_MAX_KNOBS];
    uint16_t *touch;
    size_t touch_start[ANOLE_MAX_KNOBS + 1];
    struct anole_space_diagram *diagram; /* of the constraints that are drawn; NULL: it is not to be
                                            walked */
    bool exact;                          /* they all are, and there is no callback */
};

/* What some decided knobs mean for a constraint. */
enum anole_space_verdict {
    ANOLE_SPACE_DEAD, /* it cannot be met any more */
    ANOLE_SPACE_OPEN,
    ANOLE_SPACE_MET, /* it cannot be violated any more */
};

/* -- space_order.c -- */

/* *residue: equal if what is left to decide is the same. */
enum anole_space_verdict anole_space_judge(const struct anole_space *space, size_t constraint,
                                           const double *low, const double *high,
                                           uint64_t *residue);
void anole_space_make_order(struct anole_space *space);
/* When it is known which constraints are drawn. */
enum anole_status anole_space_make_touch(struct anole_space *space, struct anole_error *error);

/* -- space_table.c -- */

/* Decides and remembers which constraints a table knows, and fills the tables. */
enum anole_status anole_space_make_tables(struct anole_space *space, struct anole_error *error);
/* Of the constraints that no table knows. */
enum anole_status anole_space_list_programs(struct anole_space *space, struct anole_error *error);

/* -- space_diagram.c -- */

/* Numbers keys from 0 on, in the order in which they come. */
struct anole_space_interner {
    uint64_t *keys; /* by number */
    size_t count, capacity;
    uint32_t *slots;   /* open addressing */
    size_t slot_count; /* a power of two, or 0 */
};

void anole_space_interner_fini(struct anole_space_interner *interner);
/* False without memory; *number == the count before if the key is new. */
bool anole_space_intern(struct anole_space_interner *interner, uint64_t key, uint32_t *number);

bool anole_space_level_init(struct anole_space_level *level, const struct anole_space *space,
                            size_t knob, size_t nodes);
/* Joins nodes that lead to the same, and removes those that lead nowhere. */
bool anole_space_diagram_reduce(struct anole_space_diagram *diagram);
void anole_space_diagram_destroy(struct anole_space_diagram *diagram);

/* Its ways, and the sums of its levels; false without memory. */
bool anole_space_diagram_count(struct anole_space_diagram *diagram);
/* The way number `rank` < total, in the order of the walk, as a config. */
uint64_t anole_space_diagram_config(const struct anole_space *space, uint64_t rank);

/* -- space_machine.c -- */

/* The diagram of one constraint, over the knobs that it mentions; NULL if it has
 * more edges than limits.machine_edges, or than *work allows; what was spent is
 * taken from that. */
enum anole_status anole_space_machine_create(struct anole_space_diagram **machine,
                                             const struct anole_space *space, size_t constraint,
                                             uint64_t *work, struct anole_error *error);

/* -- space_join.c -- */

/* Makes space->diagram, of as many constraints as the limits allow. */
enum anole_status anole_space_make_diagram(struct anole_space *space, struct anole_error *error);

/* -- space.c -- */

bool anole_space_meets(const struct anole_space *space, size_t constraint, const int64_t *values);
/* Validity by the callback alone; true without one. */
bool anole_space_callback_valid(const struct anole_space *space, const uint16_t *digits);

/* -- space_walk.c -- */

/* The first valid config that a walk from the knobs' defaults meets; false if
 * it gave up or there is none: *exhausted says which. */
bool anole_space_find_valid(const struct anole_space *space, uint64_t *config, bool *exhausted);

#endif
