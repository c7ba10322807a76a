/* SPDX-License-Identifier: MIT
 *
 * Expressions over ranges: what is certain while some names are still open.
 *
 * Every operand is a range of numbers, a flag that says that it may have no
 * value, and a hash of how it depends on the open names: the hash of a number
 * where it is known, else of the operation and its operands.  So the hash of the
 * whole names what is left to evaluate, whatever the decided names were: a * b
 * * c <= 64 is the same for a = 2, b = 8 and a = 4, b = 4.
 */
#include "space/expression_private.h"

#include "base/hash.h"

#include <string.h>

struct range {
    double low, high; /* low > high: no value at all */
    bool may_fail;
    uint64_t hash;
};

static const struct range no_value = {.low = 1.0, .high = 0.0, .may_fail = true};

static bool is_empty(struct range r)
{
    return r.low > r.high;
}

/* One number, for sure. */
static bool is_known(struct range r)
{
    return r.low == r.high && !r.may_fail;
}

static bool can_be_true(struct range r)
{
    return !is_empty(r) && (r.low != 0.0 || r.high != 0.0);
}

static bool can_be_false(struct range r)
{
    return r.low <= 0.0 && r.high >= 0.0;
}

static struct range known(double value)
{
    uint64_t bits;
    value += 0.0; /* -0 becomes 0 */
    memcpy(&bits, &value, sizeof bits);
    return (struct range){value, value, false, anole_hash_combine(1, bits)};
}

static struct range unknown_truth(void)
{
    return (struct range){.low = 0.0, .high = 1.0};
}

static struct range anything(void)
{
    return (struct range){.low = -INFINITY, .high = INFINITY, .may_fail = true};
}

/* Completes the result of an operation on a and b. */
static struct range derived(struct range result, enum anole_op op, struct range a, struct range b)
{
    result.may_fail |= a.may_fail || b.may_fail;
    if (is_known(result))
        return known(result.low);
    uint64_t hash = anole_hash_combine((uint64_t)op + 2, a.hash);
    result.hash = anole_hash_combine(hash, b.hash);
    return result;
}

/* From the corners, for operations that rise or fall with either operand. */
static struct range corners(enum anole_op op, struct range a, struct range b)
{
    const double x[4] = {a.low, a.low, a.high, a.high}, y[4] = {b.low, b.high, b.low, b.high};
    struct range result = {.low = INFINITY, .high = -INFINITY};
    for (int i = 0; i < 4; i++) {
        double corner;
        if (!isfinite(x[i]) || !isfinite(y[i]) || !anole_op_binary(op, x[i], y[i], &corner))
            return anything();
        result.low = fmin(result.low, corner);
        result.high = fmax(result.high, corner);
    }
    return result;
}

/* A little wider, for operations that are not rounded exactly. */
static struct range widened(struct range r)
{
    r.low -= fabs(r.low) * 1e-12;
    r.high += fabs(r.high) * 1e-12;
    return r;
}

static struct range modulo(struct range a, struct range b)
{
    struct range result = {.low = fmin(b.low, 0.0), .high = fmax(b.high, 0.0)};
    if (b.low > 0.0 && a.low >= 0.0 && a.high < b.low)
        return (struct range){.low = a.low, .high = a.high};
    if (b.low > 0.0 && a.low >= 0.0)
        result.high = fmin(result.high, a.high);
    result.may_fail = can_be_false(b) || !isfinite(b.low) || !isfinite(b.high) ||
                      !isfinite(a.low) || !isfinite(a.high);
    return result;
}

static struct range divide(enum anole_op op, struct range a, struct range b)
{
    if (!can_be_true(b))
        return no_value;
    if (op == OP_MODULO)
        return modulo(a, b);
    if (can_be_false(b))
        return anything();
    if (op != OP_ROUND_UP)
        return corners(op, a, b);
    struct range quotient = corners(OP_CEIL_DIVIDE, a, b),
                 result = corners(OP_MULTIPLY, quotient, b);
    if (b.low > 0.0 && !result.may_fail) {
        /* Neither below a, nor as far above as b: much tighter. */
        struct range tight =
            widened((struct range){.low = a.low, .high = corners(OP_ADD, a, b).high});
        result.low = fmax(result.low, tight.low);
        result.high = fmin(result.high, tight.high);
    }
    return result;
}

static struct range compare(enum anole_op op, struct range a, struct range b)
{
    bool apart = a.high < b.low || b.high < a.low;
    bool same = a.low == a.high && b.low == b.high && a.low == b.low;
    switch (op) {
    case OP_EQ:
    case OP_NE:
        return apart || same ? known(same == (op == OP_EQ)) : unknown_truth();
    case OP_LT:
    case OP_GE:
        if (a.high < b.low)
            return known(op == OP_LT);
        return a.low >= b.high ? known(op == OP_GE) : unknown_truth();
    default:
        if (a.high <= b.low)
            return known(op == OP_LE);
        return a.low > b.high ? known(op == OP_GT) : unknown_truth();
    }
}

static struct range binary(enum anole_op op, struct range a, struct range b)
{
    struct range result = no_value;
    double value;
    if (is_empty(a) || is_empty(b))
        return no_value;
    if (op >= OP_EQ)
        return derived(compare(op, a, b), op, a, b);
    if (a.low == a.high && b.low == b.high) {
        if (anole_op_binary(op, a.low, b.low, &value))
            result = (struct range){.low = value, .high = value};
        return derived(result, op, a, b);
    }
    switch (op) {
    case OP_MIN:
        result = (struct range){.low = fmin(a.low, b.low), .high = fmin(a.high, b.high)};
        break;
    case OP_MAX:
        result = (struct range){.low = fmax(a.low, b.low), .high = fmax(a.high, b.high)};
        break;
    case OP_ADD:
    case OP_SUBTRACT:
    case OP_MULTIPLY:
        result = corners(op, a, b);
        break;
    case OP_POWER:
        /* Of numbers that may be negative nothing is said. */
        if (a.low > 0.0 || (a.low == 0.0 && b.low >= 0.0))
            result = widened(corners(op, a, b));
        else
            result = anything();
        break;
    default:
        result = divide(op, a, b);
        break;
    }
    return derived(result, op, a, b);
}

static struct range unary(enum anole_op op, struct range a)
{
    struct range result = a;
    if (is_empty(a))
        return no_value;
    switch (op) {
    case OP_NEGATE:
        result.low = -a.high;
        result.high = -a.low;
        break;
    case OP_ABS:
        result.low = can_be_false(a) ? 0.0 : fmin(fabs(a.low), fabs(a.high));
        result.high = fmax(fabs(a.low), fabs(a.high));
        break;
    default: /* NOT and TRUTH */
        result.low = op == OP_NOT ? !can_be_true(a) : !can_be_false(a);
        result.high = op == OP_NOT ? can_be_false(a) : can_be_true(a);
        break;
    }
    return derived(result, op, a, a);
}

static struct range hull(struct range a, struct range b)
{
    if (is_empty(a) || is_empty(b))
        return is_empty(a) ? b : a;
    return (struct range){.low = fmin(a.low, b.low), .high = fmax(a.high, b.high)};
}

/* `a and b`, `a or b`: one of the two. */
static struct range join(enum anole_op op, struct range a, struct range b)
{
    bool can_stop = op == OP_JOIN_AND ? can_be_false(a) : can_be_true(a);
    bool can_go_on = op == OP_JOIN_AND ? can_be_true(a) : can_be_false(a);
    if (is_empty(a) || (!can_go_on && !a.may_fail))
        return a;
    if (!can_stop && !a.may_fail)
        return b;
    struct range stopped = op == OP_JOIN_AND ? known(0.0) : a, result;
    if (can_stop)
        result = can_go_on ? hull(stopped, b) : stopped;
    else
        result = b;
    return derived(result, op, a, b);
}

/* The topmost operands, after an element of a list: x found e -> x found. */
static struct range contained(struct range found, struct range x, struct range element)
{
    if (is_empty(found) || is_empty(x) || is_empty(element))
        return no_value;
    struct range equal = derived(compare(OP_EQ, x, element), OP_EQ, x, element);
    if (is_known(found) && !equal.may_fail)
        return found.low != 0.0 ? found : equal;
    struct range result = {.low = fmax(found.low, equal.low), .high = fmax(found.high, equal.high)};
    return derived(result, OP_IN_EACH, found, equal);
}

static struct range name_range(double low, double high, size_t index)
{
    if (low == high)
        return known(low);
    uint64_t hash = anole_hash_combine(0, index);
    return (struct range){.low = low, .high = high, .hash = hash};
}

/* Every instruction but those that push; returns the new top of the stack. */
static struct range *step(const struct anole_instruction *i, struct range *top)
{
    enum anole_op op = (enum anole_op)i->op;
    struct range link;
    switch (op) {
    case OP_NEGATE ... OP_ABS:
        *top = unary(op, *top);
        return top;
    case OP_ADD ... OP_GE:
        top[-1] = binary(op, top[-1], top[0]);
        return top - 1;
    case OP_JOIN_AND:
    case OP_JOIN_OR:
        top[-1] = join(op, top[-1], top[0]);
        return top - 1;
    case OP_LINK:
        top[-1] = binary((enum anole_op)i->comparison, top[-1], top[0]);
        return top;
    case OP_LINK_NEXT:
        link = binary((enum anole_op)i->comparison, top[-1], top[0]);
        top[-2] = join(OP_JOIN_AND, top[-2], link);
        top[-1] = top[0];
        return top - 1;
    case OP_IN_EACH:
        top[-1] = contained(top[-1], top[-2], top[0]);
        return top - 1;
    case OP_IN_END:
        if (!is_empty(top[-1]))
            top[-1] = derived(top[0], op, top[-1], top[0]);
        return top - 1;
    default: /* AND and OR: their JOIN decides */
        return top;
    }
}

void anole_expression_bound(const struct anole_expression *expression, const double *low,
                            const double *high, struct anole_expression_bound *bound)
{
    struct range stack[MAX_STACK + 1];
    struct range *top = stack;
    for (size_t pc = 0; pc < expression->length; pc++) {
        const struct anole_instruction *i = &expression->code[pc];
        if (i->op == OP_CONSTANT)
            *++top = known(i->constant);
        else if (i->op == OP_NAME)
            *++top = name_range(low[i->target], high[i->target], i->target);
        else if (i->op == OP_IN_BEGIN)
            *++top = known(0.0);
        else
            top = step(i, top);
    }
    bound->low = top->low;
    bound->high = top->high;
    bound->may_fail = top->may_fail;
    bound->residue = top->hash;
}
