/* SPDX-License-Identifier: MIT */
#include "space/expression_private.h"

#include <stdlib.h>
#include <string.h>

void anole_expression_destroy(struct anole_expression *expression)
{
    if (!expression)
        return;
    free(expression->used);
    free(expression->code);
    free(expression);
}

bool anole_expression_uses(const struct anole_expression *expression, size_t index)
{
    return index < expression->name_count && expression->used[index];
}

size_t anole_expression_length(const struct anole_expression *expression)
{
    return expression->length;
}

bool anole_expression_reserved(const char *word)
{
    static const char *const words[] = {"and", "or", "not", "in", "True", "False"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(word, words[i]) == 0)
            return true;
    }
    return false;
}

/* floor(a / b) for b != 0, and its remainder, exactly as Python has them. */
static double floor_divide(double a, double b, double *remainder)
{
    double mod, quotient;
    if (fabs(a) < 0x1p53 && fabs(b) < 0x1p53 && a == (double)(int64_t)a &&
        b == (double)(int64_t)b) {
        /* Integers, as nearly always: much faster than fmod(). */
        int64_t x = (int64_t)a, y = (int64_t)b, q = x / y, r = x % y;
        if (r != 0 && (r < 0) != (y < 0)) {
            r += y;
            q--;
        }
        *remainder = (double)r;
        return (double)q;
    }
    mod = fmod(a, b);
    quotient = (a - mod) / b;
    if (mod != 0.0 && (mod < 0.0) != (b < 0.0)) {
        mod += b;
        quotient -= 1.0;
    }
    *remainder = mod;
    double whole = floor(quotient);
    return quotient - whole > 0.5 ? whole + 1.0 : whole;
}

bool anole_op_divide(enum anole_op op, double a, double b, double *result)
{
    double remainder;
    if (b == 0.0)
        return false;
    switch (op) {
    case OP_DIVIDE:
        *result = a / b;
        break;
    case OP_FLOOR_DIVIDE:
        *result = floor_divide(a, b, &remainder);
        break;
    case OP_MODULO:
        floor_divide(a, b, result);
        break;
    case OP_CEIL_DIVIDE:
        *result = -floor_divide(-a, b, &remainder);
        break;
    default: /* OP_ROUND_UP */
        *result = -floor_divide(-a, b, &remainder) * b;
        break;
    }
    return isfinite(*result);
}

/* A comparison within a chain: b stays for the next one, or 0 is the result. */
static bool link_holds(const struct anole_instruction *i, double **top)
{
    double b = (*top)[0];
    bool holds = anole_op_compare((enum anole_op)i->comparison, (*top)[-1], b);
    *--*top = holds ? b : 0.0;
    return holds;
}

bool anole_expression_evaluate(const struct anole_expression *expression, const int64_t *values,
                               double *result)
{
    double stack[MAX_STACK + 1];
    double *top = stack; /* the topmost operand; stack[0] stays unused */
    const struct anole_instruction *code = expression->code;
    const struct anole_instruction *end = code + expression->length;
    for (const struct anole_instruction *i = code; i < end; i++) {
        enum anole_op op = (enum anole_op)i->op;
        switch (op) {
        case OP_CONSTANT:
            *++top = i->constant;
            break;
        case OP_NAME:
            *++top = (double)values[i->target];
            break;
        case OP_NEGATE ... OP_ABS:
            *top = anole_op_unary(op, *top);
            break;
        case OP_ADD ... OP_ROUND_UP:
            top--;
            if (!anole_op_binary(op, top[0], top[1], top))
                return false;
            break;
        case OP_EQ ... OP_GE:
            top--;
            *top = anole_op_compare(op, top[0], top[1]);
            break;
        case OP_AND:
        case OP_OR:
            if ((*top != 0.0) == (op == OP_OR))
                i = code + i->target - 1;
            else
                top--;
            break;
        case OP_LINK:
        case OP_LINK_NEXT:
            if (!link_holds(i, &top))
                i = code + i->target - 1;
            break;
        case OP_IN_BEGIN:
            *++top = 0.0;
            break;
        case OP_IN_EACH:
            top--;
            if (top[-1] == top[1])
                *top = 1.0;
            break;
        case OP_IN_END:
            top--;
            top[0] = top[1];
            break;
        case OP_JOIN_AND:
        case OP_JOIN_OR:
            break;
        }
    }
    *result = *top;
    return true;
}
