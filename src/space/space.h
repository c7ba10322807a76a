/* SPDX-License-Identifier: MIT
 *
 * A design space: knobs, each with a list of values, and constraints.  A point
 * of it is a config.  A config is named by its index in the Cartesian product
 * of the knobs (mixed radix, the last knob varies fastest), a uint64_t; its
 * digits are the positions of its values in the lists.
 *
 * Immutable once finished; safe to read from several threads.  Before that, only
 * the knobs can be read.
 */
#ifndef ANOLE_SPACE_H
#define ANOLE_SPACE_H

#include "base/rng.h"
#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

#define ANOLE_MAX_KNOBS 64
#define ANOLE_MAX_KNOB_VALUES 4096
#define ANOLE_MAX_CONSTRAINTS 1024
#define ANOLE_KNOB_NAME 32

struct anole_space;

struct anole_space_knob {
    char name[ANOLE_KNOB_NAME];
    bool categorical; /* else the order of the values matters */
    const int64_t *values;
    const char *const *labels; /* NULL, or a name for each value */
    uint32_t count;
    uint32_t default_digit;
};

/* What constraints cannot say; asked only about configs that meet them all.
 * Pure, thread-safe. */
typedef bool anole_space_validity(void *context, const int64_t *values, size_t count);

/* -- Making one -- */

enum anole_status anole_space_create(struct anole_space **space, struct anole_error *error);
/* Copies everything.  Refuses duplicates, empty lists, bad names. */
enum anole_status anole_space_add_knob(struct anole_space *space, const char *name,
                                       bool categorical, const int64_t *values,
                                       const char *const *labels, size_t count,
                                       size_t default_digit, struct anole_error *error);
/* After all knobs; the grammar is in expression.h.  `why` may be NULL. */
enum anole_status anole_space_add_constraint(struct anole_space *space, const char *expression,
                                             const char *why, struct anole_error *error);
/* Before finishing. */
void anole_space_set_validity(struct anole_space *space, anole_space_validity *valid,
                              void *context);
/* Checks that the product fits 63 bits; works out all that makes the rest fast
 * (some milliseconds, rarely more than a hundred); picks the default config: the
 * knobs' defaults, or the first valid config that a bounded search finds if those
 * are invalid.  ERR_NOTHING_VALID if there is none.  After a failure the space
 * can only be destroyed. */
enum anole_status anole_space_finish(struct anole_space *space, struct anole_error *error);
/* The same for who only names, judges and describes configs: what makes walking fast is not worked
 * out (unless the knobs' defaults are invalid, so that a default is to be searched).  Such a space
 * draws no samples, and neither its count nor its configs are known. */
enum anole_status anole_space_finish_unwalked(struct anole_space *space, struct anole_error *error);
void anole_space_destroy(struct anole_space *space);

/* -- Reading it -- */

size_t anole_space_knob_count(const struct anole_space *space);
const struct anole_space_knob *anole_space_knob(const struct anole_space *space, size_t knob);
/* The knob's position, or SIZE_MAX. */
size_t anole_space_find_knob(const struct anole_space *space, const char *name);
/* Size of the Cartesian product. */
uint64_t anole_space_size(const struct anole_space *space);
uint64_t anole_space_default(const struct anole_space *space);
/* A number that is equal for equal spaces (names, values, constraints). */
uint64_t anole_space_fingerprint(const struct anole_space *space);

uint64_t anole_space_encode(const struct anole_space *space, const uint16_t *digits);
void anole_space_decode(const struct anole_space *space, uint64_t config, uint16_t *digits);
void anole_space_values(const struct anole_space *space, uint64_t config, int64_t *values);
/* The config with these values, given by knob name; ERR_INPUT if a knob is
 * missing, a value is not in its list, or a name is unknown. */
enum anole_status anole_space_lookup(const struct anole_space *space, uint64_t *config,
                                     const char *const *names, const int64_t *values, size_t count,
                                     struct anole_error *error);
/* "tile_w=14 block_k=32 ..."; labels where there are.  Returns out. */
const char *anole_space_describe(const struct anole_space *space, char *out, size_t size,
                                 uint64_t config);

bool anole_space_valid(const struct anole_space *space, uint64_t config);
bool anole_space_valid_digits(const struct anole_space *space, const uint16_t *digits);
/* Why a config is invalid: the first constraint it violates ("expression:
 * why"); NULL if it is valid. */
const char *anole_space_violation(const struct anole_space *space, uint64_t config);

/* -- Walking it -- */

/* A random valid config.  Uniform, exactly, nearly always: the constraints are
 * compiled into a decision diagram that counts, of which a config is drawn by
 * its number (a microsecond, however few are valid); what a constraint that is
 * too intricate for that, or the validity callback, refuses is drawn again.
 * Only where they refuse thousands in a row a weighted random descent follows,
 * which favours sparse corners a little; then a search from a random corner,
 * which favours them much.  False if that, too, found none. */
bool anole_space_sample(const struct anole_space *space, struct anole_rng *rng, uint64_t *config);

/* Number of valid configs: exact (*exact true) where at most `budget` nodes of
 * the search tree need to be visited (none, where a diagram holds all constraints
 * and there is no callback), else an estimate by sampling that tree (Knuth 1975),
 * from a fixed seed. */
double anole_space_count(const struct anole_space *space, uint64_t budget, bool *exact);
/* True if there are so few valid configs (16,384 at most) that a model can score all of
 * them for each batch.  Counts them. */
bool anole_space_is_small(const struct anole_space *space);

/* All valid configs in ascending order, if they are at most `limit`: *configs is
 * the caller's to free.  *count > limit and *configs NULL if there are more, or
 * if finding them needs many more nodes (64 x limit) than that. */
enum anole_status anole_space_enumerate(const struct anole_space *space, uint64_t limit,
                                        uint64_t **configs, size_t *count,
                                        struct anole_error *error);

#endif
