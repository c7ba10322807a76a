/* SPDX-License-Identifier: MIT
 *
 * Arithmetic and conditions over named numbers, as in the constraints of a
 * design space: compiled once to a small stack program, evaluated many times.
 * A parser of its own; nothing is ever handed to an interpreter.  The grammar
 * is in anole/plugin.h (anole_space_builder.constraint); what it accepts
 * includes the conditions of T1 files (Python syntax).
 *
 * Precedence and meaning are Python's:
 *   - `and`, `or` give one of their operands, and do not evaluate the right one
 *     where the left one decides: `a == 0 or b % a == 0` has a value for a = 0.
 *     `&&`, `||` do the same, but give 0 or 1, as in C.
 *   - `not` binds looser than a comparison; `!` as tight as a sign, as in C.
 *   - Comparisons chain: `32 <= a * b <= 1024`.  Truth is 1 or 0; True and False
 *     are names of them.
 *   - `x in [1, 2]`, `x in (1, 2)`, `x not in [...]`: any expressions within.
 *   - `//` rounds down, `%` has the sign of the divisor, `/` never rounds, `**`
 *     binds to the right and tighter than a sign before it.
 *   - min, max (two or more), abs, ceil_div(a, b) = the least integer not below
 *     a / b, round_up(a, b) = the least multiple of b not below a (b > 0).
 * Numbers are decimal or 0x hexadecimal.  All arithmetic is in double:
 * integers are exact up to 2^53.
 *
 * An expression does not change once made: any number of threads may use it.
 */
#ifndef ANOLE_EXPRESSION_H
#define ANOLE_EXPRESSION_H

#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

struct anole_expression;

/* Names are resolved to indices 0..name_count-1 into the values given to
 * _evaluate.  A failure (ERR_INPUT) names the column, what was expected and what
 * was found, and the nearest name.  At most 64 KiB long and 64 levels deep. */
enum anole_status anole_expression_create(struct anole_expression **expression, const char *text,
                                          const char *const *names, size_t name_count,
                                          struct anole_error *error);
void anole_expression_destroy(struct anole_expression *expression);

/* False if it has no value: a division by zero, a root of a negative number, or
 * anything beyond the range of a double on the way. */
bool anole_expression_evaluate(const struct anole_expression *expression, const int64_t *values,
                               double *result);

/* True if the text mentions name `index`. */
bool anole_expression_uses(const struct anole_expression *expression, size_t index);

/* Instructions to evaluate at most: a measure of what an evaluation costs. */
size_t anole_expression_length(const struct anole_expression *expression);

/* True if the word cannot be a name: and, or, not, in, True, False. */
bool anole_expression_reserved(const char *word);

/* What is certain about an expression while some of its names are open. */
struct anole_expression_bound {
    double low, high; /* all values that it can take; low > high: it never has one */
    bool may_fail;    /* it may have no value */
    /* Equal for two sets of ranges that leave the same names open, with the same
     * ranges, if what is left to evaluate is the same.  (Up to a collision of
     * 64-bit hashes; the reverse need not hold.) */
    uint64_t residue;
};

/* `low` and `high` by name; a name is decided where they are equal.  The bounds
 * are safe, not tight.  With all names decided they are what _evaluate says. */
void anole_expression_bound(const struct anole_expression *expression, const double *low,
                            const double *high, struct anole_expression_bound *bound);

#endif
