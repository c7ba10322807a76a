/* SPDX-License-Identifier: MIT
 *
 * Inside expressions: the program that the parser writes and that the two
 * evaluators run.  For expression*.c only.
 *
 * One program serves both.  Run over numbers (expression.c), AND, OR and LINK
 * jump over what need not be evaluated, and the JOINs do nothing.  Run over
 * ranges (expression_bound.c), nothing jumps, both sides stay on the stack, and
 * the JOINs bring them together.
 */
#ifndef ANOLE_EXPRESSION_PRIVATE_H
#define ANOLE_EXPRESSION_PRIVATE_H

#include "space/expression.h"

#include <math.h>

#define MAX_LENGTH 65536
#define MAX_NESTING 64
/* A level of nesting keeps at most six operands waiting, two of them for a
 * chain of comparisons; checked all the same when a program is written. */
#define MAX_STACK (MAX_NESTING * 8)

enum anole_op {
    OP_CONSTANT,
    OP_NAME,
    /* x -> f(x) */
    OP_NEGATE,
    OP_NOT,
    OP_TRUTH,
    OP_ABS,
    /* x y -> f(x, y) */
    OP_ADD,
    OP_SUBTRACT,
    OP_MULTIPLY,
    OP_DIVIDE,
    OP_FLOOR_DIVIDE,
    OP_MODULO,
    OP_POWER,
    OP_MIN,
    OP_MAX,
    OP_CEIL_DIVIDE,
    OP_ROUND_UP,
    OP_EQ,
    OP_NE,
    OP_LT,
    OP_LE,
    OP_GT,
    OP_GE,
    /* x -> (over numbers) x and a jump, or nothing; (over ranges) x */
    OP_AND,
    OP_OR,
    /* (over ranges) x y -> x and y, x or y; (over numbers) nothing */
    OP_JOIN_AND,
    OP_JOIN_OR,
    /* A chain, a < b < c: a b -> (numbers) b, or 0 and a jump; (ranges) a<b b */
    OP_LINK,
    /* (numbers) as LINK; (ranges) t b c -> t and b<c, c */
    OP_LINK_NEXT,
    /* x -> x 0;  x found e -> x (found or x == e);  x found -> found */
    OP_IN_BEGIN,
    OP_IN_EACH,
    OP_IN_END,
};

struct anole_instruction {
    uint8_t op;
    uint8_t comparison; /* of a LINK: OP_EQ to OP_GE */
    uint32_t target;    /* of a jump; of NAME, the name's index */
    double constant;
};

struct anole_expression {
    struct anole_instruction *code;
    size_t length;
    size_t capacity;
    size_t name_count;
    bool *used; /* [name_count] */
};

static inline bool anole_op_compare(enum anole_op op, double a, double b)
{
    switch (op) {
    case OP_EQ:
        return a == b;
    case OP_NE:
        return a != b;
    case OP_LT:
        return a < b;
    case OP_LE:
        return a <= b;
    case OP_GT:
        return a > b;
    default:
        return a >= b;
    }
}

/* OP_NEGATE to OP_ABS; always has a value. */
static inline double anole_op_unary(enum anole_op op, double a)
{
    switch (op) {
    case OP_NEGATE:
        return -a;
    case OP_NOT:
        return a == 0.0;
    case OP_TRUTH:
        return a != 0.0;
    default:
        return fabs(a);
    }
}

/* OP_ADD to OP_ROUND_UP; the result is finite if it is true. */
bool anole_op_divide(enum anole_op op, double a, double b, double *result);

static inline bool anole_op_binary(enum anole_op op, double a, double b, double *result)
{
    switch (op) {
    case OP_ADD:
        *result = a + b;
        break;
    case OP_SUBTRACT:
        *result = a - b;
        break;
    case OP_MULTIPLY:
        *result = a * b;
        break;
    case OP_MIN:
        *result = b < a ? b : a;
        return true;
    case OP_MAX:
        *result = b > a ? b : a;
        return true;
    case OP_POWER:
        *result = pow(a, b);
        break;
    default:
        return anole_op_divide(op, a, b, result);
    }
    return isfinite(*result);
}

#endif
