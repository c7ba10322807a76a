/* SPDX-License-Identifier: MIT
 *
 * Walking a design space knob by knob: sampling, counting, enumerating.  A walk
 * follows the diagram, where it meets no dead end; the few constraints that were
 * too intricate to be drawn there are asked, at each step, what the knobs decided
 * so far leave possible; the callback is asked at the end.
 */
#include "space/space_private.h"

#include <stdlib.h>
#include <string.h>

/* Tries before giving up, in the order in which the methods come. */
#define TRIES_REJECTION 4096 /* of what meets the constraints of the diagram */
#define TRIES_DESCENT 64
#define DESCENTS 8         /* of which one is drawn by its weight */
#define NODES_SEARCH 20000 /* of the search from a random corner */
#define NODES_DEFAULT 200000

#define LEAST_NODES 65536 /* to enumerate, however low the limit is */
#define ESTIMATE_DESCENTS 4096
#define ESTIMATE_SEED 1975

struct walk {
    const struct anole_space *space;
    uint16_t digits[ANOLE_MAX_KNOBS];                   /* by knob; 0 where open */
    uint32_t nodes[ANOLE_MAX_KNOBS + 1];                /* of the diagram, by depth */
    double low[ANOLE_MAX_KNOBS], high[ANOLE_MAX_KNOBS]; /* for what is not drawn */
};

/* False if no config is valid, for sure. */
static bool walk_init(struct walk *walk, const struct anole_space *space)
{
    uint64_t residue;
    walk->space = space;
    walk->nodes[0] = 0;
    memset(walk->digits, 0, sizeof walk->digits);
    if (!space->finished || !space->diagram || space->diagram->total == 0)
        return false;
    memcpy(walk->low, space->low, sizeof walk->low);
    memcpy(walk->high, space->high, sizeof walk->high);
    for (size_t c = 0; c < space->constraint_count; c++) {
        if (!space->constraints[c].drawn &&
            anole_space_judge(space, c, walk->low, walk->high, &residue) == ANOLE_SPACE_DEAD)
            return false;
    }
    return true;
}

/* Makes the knob of `depth` open again. */
static void walk_back(struct walk *walk, size_t depth)
{
    size_t knob = walk->space->order[depth];
    walk->digits[knob] = 0;
    walk->low[knob] = walk->space->low[knob];
    walk->high[knob] = walk->space->high[knob];
}

/* Ways that begin with what is decided, and this digit. */
static uint64_t walk_ways(const struct walk *walk, size_t depth, uint32_t digit)
{
    const struct anole_space_level *level = &walk->space->diagram->levels[depth];
    const uint64_t *sums = level->sums + (size_t)walk->nodes[depth] * (level->width + 1);
    return sums[digit + 1] - sums[digit];
}

/* Decides the knob of `depth`; false, and nothing done, if no valid config can
 * come of it. */
static bool walk_on(struct walk *walk, size_t depth, uint32_t digit)
{
    const struct anole_space *space = walk->space;
    const struct anole_space_level *level = &space->diagram->levels[depth];
    size_t knob = level->knob;
    uint64_t residue;
    if (walk_ways(walk, depth, digit) == 0)
        return false;
    walk->nodes[depth + 1] = level->child[(size_t)walk->nodes[depth] * level->width + digit];
    walk->digits[knob] = (uint16_t)digit;
    walk->low[knob] = walk->high[knob] = (double)space->knobs[knob].values[digit];
    for (size_t i = space->touch_start[depth]; i < space->touch_start[depth + 1]; i++) {
        if (anole_space_judge(space, space->touch[i], walk->low, walk->high, &residue) ==
            ANOLE_SPACE_DEAD) {
            walk_back(walk, depth);
            return false;
        }
    }
    return true;
}

/* ------------------------------------------------------------ depth-first search */

/* `ways`: how many configs begin with what is decided, by the diagram. */
typedef bool visitor(void *context, uint64_t config, uint64_t ways);

struct search {
    const uint16_t *first; /* the digit that each knob begins with; NULL: 0 */
    size_t depth;          /* how many knobs to decide; the others stay at digit 0 */
    uint64_t nodes;        /* digits to try at most; what is left of them, afterwards */
    visitor *visit;        /* false: stop */
    void *context;
};

/* Ways to decide the knobs from `depth` on. */
static uint64_t ways_below(const struct walk *walk, size_t depth)
{
    const struct anole_space_level *level = &walk->space->diagram->levels[depth];
    if (depth == walk->space->knob_count)
        return 1;
    return level->sums[(size_t)walk->nodes[depth] * (level->width + 1) + level->width];
}

/* Calls `visit` for each way to decide the knobs, valid if they are all decided.
 * False if the nodes ran out. */
static bool search_run(const struct anole_space *space, struct search *search)
{
    struct walk walk;
    uint32_t tried[ANOLE_MAX_KNOBS + 1] = {0};
    size_t depth = 0;
    if (!walk_init(&walk, space))
        return true;
    for (;;) {
        if (depth == search->depth) {
            bool wanted =
                depth < space->knob_count || anole_space_callback_valid(space, walk.digits);
            if (wanted && !search->visit(search->context, anole_space_encode(space, walk.digits),
                                         ways_below(&walk, depth)))
                return true;
        } else {
            uint32_t count = space->knobs[space->order[depth]].count;
            uint32_t first = search->first ? search->first[space->order[depth]] : 0;
            bool down = false;
            while (tried[depth] < count && !down) {
                if (search->nodes == 0)
                    return false;
                search->nodes--;
                down = walk_on(&walk, depth, (first + tried[depth]++) % count);
            }
            if (down) {
                tried[++depth] = 0;
                continue;
            }
        }
        if (depth == 0)
            return true;
        walk_back(&walk, --depth);
    }
}

/* A visitor that keeps the first config it gets. */
struct keeper {
    bool found;
    uint64_t config;
};

static bool keep_first(void *context, uint64_t config, uint64_t ways)
{
    (void)ways;
    *(struct keeper *)context = (struct keeper){true, config};
    return false;
}

/* `tries`, or fewer where constraints take long to judge: a bound on time, nearly. */
static uint64_t affordable(const struct anole_space *space, uint64_t tries)
{
    uint64_t length = 0;
    for (size_t c = 0; c < space->constraint_count; c++) {
        if (!space->constraints[c].drawn)
            length += anole_expression_length(space->constraints[c].expression);
    }
    return tries / (1 + length / 128) + 128;
}

/* The first valid config on a walk that begins with these digits. */
static bool find_from(const struct anole_space *space, const uint16_t *first, uint64_t nodes,
                      uint64_t *config, bool *exhausted)
{
    struct keeper keeper = {0};
    struct search search = {.first = first,
                            .depth = space->knob_count,
                            .nodes = affordable(space, nodes),
                            .visit = keep_first,
                            .context = &keeper};
    *exhausted = search_run(space, &search);
    if (keeper.found)
        *config = keeper.config;
    return keeper.found;
}

bool anole_space_find_valid(const struct anole_space *space, uint64_t *config, bool *exhausted)
{
    uint16_t first[ANOLE_MAX_KNOBS];
    for (size_t k = 0; k < space->knob_count; k++)
        first[k] = (uint16_t)space->knobs[k].default_digit;
    return find_from(space, first, NODES_DEFAULT, config, exhausted);
}

/* ----------------------------------------------------------------- sampling */

/* One random way down.  A digit is drawn by the ways that the diagram knows of;
 * what is not drawn there cuts some off.  *weight: the config's probability if
 * all were alike, over that of this way; 0 in a dead end. */
static uint64_t descend(const struct anole_space *space, struct anole_rng *rng, double *weight)
{
    struct walk walk;
    *weight = 0.0;
    if (!walk_init(&walk, space))
        return 0;
    double product = 1.0;
    for (size_t d = 0; d < space->knob_count; d++) {
        uint16_t possible[ANOLE_MAX_KNOB_VALUES];
        uint64_t ways = 0, all = 0;
        size_t count = 0;
        for (uint32_t digit = 0; digit < space->knobs[space->order[d]].count; digit++) {
            all += walk_ways(&walk, d, digit);
            if (!walk_on(&walk, d, digit))
                continue;
            walk_back(&walk, d);
            possible[count++] = (uint16_t)digit;
            ways += walk_ways(&walk, d, digit);
        }
        if (count == 0)
            return 0;
        product *= (double)ways / (double)all;
        uint64_t rank = anole_rng_below(rng, ways);
        size_t i = 0;
        while (rank >= walk_ways(&walk, d, possible[i]))
            rank -= walk_ways(&walk, d, possible[i++]);
        walk_on(&walk, d, possible[i]);
    }
    if (anole_space_callback_valid(space, walk.digits))
        *weight = product;
    return anole_space_encode(space, walk.digits);
}

/* Of several ways down, one drawn by weight: a single one favours configs that
 * few others are near to, by as much as its weight is too small; the more ways,
 * the closer to uniform. */
static bool sample_by_descent(const struct anole_space *space, struct anole_rng *rng,
                              uint64_t *config)
{
    double sum = 0.0;
    size_t found = 0;
    for (int i = 0; i < TRIES_DESCENT && found < DESCENTS; i++) {
        double weight;
        uint64_t candidate = descend(space, rng, &weight);
        if (weight == 0.0)
            continue;
        found++;
        sum += weight;
        if (anole_rng_uniform(rng) * sum < weight)
            *config = candidate;
    }
    return found > 0;
}

/* The first valid config from a random corner on: whatever there is. */
static bool sample_by_search(const struct anole_space *space, struct anole_rng *rng,
                             uint64_t *config)
{
    uint16_t first[ANOLE_MAX_KNOBS];
    bool exhausted;
    for (size_t k = 0; k < space->knob_count; k++)
        first[k] = (uint16_t)anole_rng_below(rng, space->knobs[k].count);
    return find_from(space, first, NODES_SEARCH, config, &exhausted);
}

/* A config that meets the constraints of the diagram, each as likely as any
 * other. */
static uint64_t sample_diagram(const struct anole_space *space, struct anole_rng *rng)
{
    return anole_space_diagram_config(space, anole_rng_below(rng, space->diagram->total));
}

bool anole_space_sample(const struct anole_space *space, struct anole_rng *rng, uint64_t *config)
{
    if (!space->finished || !space->diagram || space->diagram->total == 0)
        return false;
    bool drawn = space->touch_start[space->knob_count] == 0;
    for (int i = 0; i < TRIES_REJECTION; i++) {
        uint64_t candidate = sample_diagram(space, rng);
        if (space->exact || anole_space_valid(space, candidate)) {
            *config = candidate;
            return true;
        }
    }
    return (!drawn && sample_by_descent(space, rng, config)) ||
           sample_by_search(space, rng, config);
}

/* ----------------------------------------------------------------- counting */

static bool add_ways(void *context, uint64_t config, uint64_t ways)
{
    (void)config;
    *(uint64_t *)context += ways;
    return true;
}

/* How many knobs a walk must decide until only the diagram has a say. */
static size_t undrawn_depth(const struct anole_space *space)
{
    size_t depth = space->knob_count;
    while (!space->validity && depth > 0 &&
           space->touch_start[depth - 1] == space->touch_start[space->knob_count])
        depth--;
    return depth;
}

/* Knuth's estimate, from descents: a way's weight over its probability. */
static double estimate(const struct anole_space *space)
{
    struct anole_rng rng;
    double sum = 0.0, weight;
    uint64_t descents = affordable(space, ESTIMATE_DESCENTS);
    anole_rng_init(&rng, ESTIMATE_SEED);
    for (uint64_t i = 0; i < descents; i++) {
        descend(space, &rng, &weight);
        sum += weight;
    }
    return (double)space->diagram->total * sum / (double)descents;
}

double anole_space_count(const struct anole_space *space, uint64_t budget, bool *exact)
{
    uint64_t seen = 0;
    *exact = false;
    if (!space->diagram)
        return 0;
    struct search search = {
        .depth = undrawn_depth(space), .nodes = budget, .visit = add_ways, .context = &seen};
    *exact = search_run(space, &search);
    if (*exact)
        return (double)seen;
    double guess = estimate(space);
    return guess > (double)seen ? guess : (double)seen;
}

#define SMALL 16384
#define MOST_COUNTED 65536 /* nodes */

bool anole_space_is_small(const struct anole_space *space)
{
    bool exact;
    return anole_space_count(space, MOST_COUNTED, &exact) <= SMALL && exact;
}

/* -------------------------------------------------------------- enumerating */

struct listing {
    uint64_t *configs;
    size_t count, capacity;
    uint64_t limit;
    bool too_many, no_memory;
};

static bool append(void *context, uint64_t config, uint64_t ways)
{
    (void)ways;
    struct listing *listing = context;
    if (listing->count == listing->limit) {
        listing->too_many = true;
        return false;
    }
    if (listing->count == listing->capacity) {
        size_t capacity = listing->capacity ? 2 * listing->capacity : 256;
        uint64_t *configs = reallocarray(listing->configs, capacity, sizeof *configs);
        if (!configs) {
            listing->no_memory = true;
            return false;
        }
        listing->configs = configs;
        listing->capacity = capacity;
    }
    listing->configs[listing->count++] = config;
    return true;
}

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* All configs of the diagram, of which there are `total`. */
static bool list_diagram(struct listing *listing, const struct anole_space *space)
{
    uint64_t total = space->diagram->total;
    if (total > listing->limit || total > SIZE_MAX / sizeof *listing->configs) {
        listing->too_many = true;
        return true;
    }
    listing->configs = calloc(total ? total : 1, sizeof *listing->configs);
    if (!listing->configs)
        return false;
    for (uint64_t rank = 0; rank < total; rank++)
        listing->configs[listing->count++] = anole_space_diagram_config(space, rank);
    return true;
}

enum anole_status anole_space_enumerate(const struct anole_space *space, uint64_t limit,
                                        uint64_t **configs, size_t *count,
                                        struct anole_error *error)
{
    struct listing listing = {.limit = limit};
    struct search search = {.depth = space->knob_count, .visit = append, .context = &listing};
    if (!space->diagram) {
        listing.too_many = true;
    } else if (space->exact) {
        listing.no_memory = !list_diagram(&listing, space);
    } else {
        if (__builtin_mul_overflow(limit, UINT64_C(64), &search.nodes))
            search.nodes = UINT64_MAX;
        search.nodes += search.nodes < LEAST_NODES ? LEAST_NODES : 0;
        listing.too_many |= !search_run(space, &search);
    }
    if (listing.no_memory || listing.too_many) {
        free(listing.configs);
        if (listing.no_memory)
            return anole_fail_memory(error);
        *configs = NULL;
        *count = limit < SIZE_MAX ? (size_t)limit + 1 : SIZE_MAX;
        return ANOLE_DONE;
    }
    if (listing.count > 1)
        qsort(listing.configs, listing.count, sizeof *listing.configs, ascending);
    *configs = listing.configs;
    *count = listing.count;
    return ANOLE_DONE;
}
