/* SPDX-License-Identifier: MIT
 *
 * The parser of expressions: a function for each level of precedence, which
 * writes the program as it reads.
 */
#include "space/expression_private.h"
#include "space/expression_token.h"

#include <stdlib.h>
#include <string.h>

struct parser {
    struct anole_scanner in;
    struct anole_expression *expression;
    const char *const *names;
    size_t nesting;
    size_t stack; /* operands waiting, as over ranges */
    bool truth;   /* what was read last gives 0 or 1 */
};

static bool parse_any(struct parser *p);

/* ------------------------------------------------------------------ writing */

/* What an instruction does to the stack, over ranges. */
static int stack_effect(enum anole_op op)
{
    switch (op) {
    case OP_CONSTANT:
    case OP_NAME:
    case OP_IN_BEGIN:
        return 1;
    case OP_NEGATE ... OP_ABS:
    case OP_AND:
    case OP_OR:
    case OP_LINK:
        return 0;
    default:
        return -1;
    }
}

static bool emit(struct parser *p, struct anole_instruction instruction)
{
    struct anole_expression *e = p->expression;
    if (e->length == e->capacity) {
        size_t capacity = e->capacity ? 2 * e->capacity : 16;
        struct anole_instruction *code = reallocarray(e->code, capacity, sizeof *code);
        if (!code)
            return anole_scanner_fail_memory(&p->in);
        e->code = code;
        e->capacity = capacity;
    }
    p->stack += (size_t)stack_effect((enum anole_op)instruction.op);
    if (p->stack > MAX_STACK)
        return anole_scanner_fail_depth(&p->in, MAX_NESTING);
    e->code[e->length++] = instruction;
    p->truth = false;
    return true;
}

static bool emit_op(struct parser *p, enum anole_op op)
{
    return emit(p, (struct anole_instruction){.op = (uint8_t)op});
}

static bool emit_constant(struct parser *p, double constant)
{
    return emit(p, (struct anole_instruction){.op = OP_CONSTANT, .constant = constant});
}

/* A jump that _land sends to the end of what is written by then. */
static bool emit_jump(struct parser *p, enum anole_op op, enum anole_op comparison, size_t *jump)
{
    *jump = p->expression->length;
    return emit(p,
                (struct anole_instruction){.op = (uint8_t)op, .comparison = (uint8_t)comparison});
}

static void land(struct parser *p, size_t jump)
{
    p->expression->code[jump].target = (uint32_t)p->expression->length;
}

/* Writes an operation on the two operands written last; on constants, does it. */
static bool emit_binary(struct parser *p, enum anole_op op)
{
    struct anole_expression *e = p->expression;
    if (e->length >= 2) {
        struct anole_instruction *a = &e->code[e->length - 2], *b = &e->code[e->length - 1];
        double result;
        if (op <= OP_ROUND_UP && a->op == OP_CONSTANT && b->op == OP_CONSTANT &&
            anole_op_binary(op, a->constant, b->constant, &result)) {
            a->constant = result;
            e->length--;
            p->stack--;
            p->truth = false;
            return true;
        }
    }
    return emit_op(p, op);
}

static bool emit_unary(struct parser *p, enum anole_op op)
{
    struct anole_expression *e = p->expression;
    struct anole_instruction *last = &e->code[e->length - 1];
    if (last->op != OP_CONSTANT)
        return emit_op(p, op);
    last->constant = anole_op_unary(op, last->constant);
    p->truth = false;
    return true;
}

/* A jump to a jump that will be taken too goes on at once. */
static void thread_jumps(struct anole_expression *e)
{
    for (size_t i = e->length; i-- > 0;) {
        struct anole_instruction *from = &e->code[i];
        if ((from->op == OP_AND || from->op == OP_OR) && from->target < e->length &&
            e->code[from->target].op == from->op)
            from->target = e->code[from->target].target;
    }
}

/* ------------------------------------------------- the grammar, tightest first */

/* The arguments of a function, after its "(". */
static bool parse_arguments(struct parser *p, enum anole_op op, size_t least, size_t most)
{
    for (size_t n = 1;; n++) {
        if (!parse_any(p))
            return false;
        if (n >= 2 && !emit_binary(p, op))
            return false;
        if (p->in.token != TOKEN_COMMA || n == most) {
            if (n < least)
                return anole_scanner_fail(&p->in, "',' and one more argument");
            break;
        }
        if (!anole_scanner_advance(&p->in))
            return false;
    }
    if (op == OP_ABS && !emit_unary(p, op))
        return false;
    return anole_scanner_expect(&p->in, TOKEN_CLOSE, "')' after the arguments");
}

static bool parse_call(struct parser *p, const char *name, size_t length)
{
    static const struct {
        const char *name;
        enum anole_op op;
        size_t least, most;
    } functions[] = {
        {"min", OP_MIN, 2, SIZE_MAX},       {"max", OP_MAX, 2, SIZE_MAX},    {"abs", OP_ABS, 1, 1},
        {"ceil_div", OP_CEIL_DIVIDE, 2, 2}, {"round_up", OP_ROUND_UP, 2, 2},
    };
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        if (strlen(functions[i].name) != length || memcmp(functions[i].name, name, length) != 0)
            continue;
        if (!anole_scanner_advance(&p->in)) /* over the "(" */
            return false;
        return parse_arguments(p, functions[i].op, functions[i].least, functions[i].most);
    }
    return anole_scanner_fail(&p->in, "an operator, for what stands before the '(' is no function "
                                      "(these are: min, max, abs, ceil_div, round_up)");
}

static bool parse_name(struct parser *p)
{
    const char *name = p->in.text + p->in.start;
    size_t start = p->in.start, length = p->in.length;
    struct anole_expression *e = p->expression;
    if (!anole_scanner_advance(&p->in))
        return false;
    if (p->in.token == TOKEN_OPEN)
        return parse_call(p, name, length);
    for (size_t i = 0; i < e->name_count; i++) {
        if (strncmp(p->names[i], name, length) == 0 && p->names[i][length] == '\0') {
            e->used[i] = true;
            return emit(p, (struct anole_instruction){.op = OP_NAME, .target = (uint32_t)i});
        }
    }
    bool yes = length == 4 && memcmp(name, "True", 4) == 0;
    if (yes || (length == 5 && memcmp(name, "False", 5) == 0))
        return emit_constant(p, yes);
    p->in.token = TOKEN_NAME;
    p->in.start = start;
    p->in.length = length;
    return anole_scanner_fail_name(&p->in, p->names, e->name_count);
}

static bool parse_primary(struct parser *p)
{
    double number = p->in.number;
    switch (p->in.token) {
    case TOKEN_NUMBER:
        return anole_scanner_advance(&p->in) && emit_constant(p, number);
    case TOKEN_NAME:
        return parse_name(p);
    case TOKEN_OPEN:
        return anole_scanner_advance(&p->in) && parse_any(p) &&
               anole_scanner_expect(&p->in, TOKEN_CLOSE, "an operator or ')'");
    default:
        return anole_scanner_fail(&p->in, "a number, a name or '('");
    }
}

static bool parse_sign(struct parser *p);

static bool parse_power(struct parser *p)
{
    if (!parse_primary(p))
        return false;
    if (p->in.token != TOKEN_POWER)
        return true;
    if (++p->nesting > MAX_NESTING)
        return anole_scanner_fail_depth(&p->in, MAX_NESTING);
    if (!anole_scanner_advance(&p->in) || !parse_sign(p) || !emit_binary(p, OP_POWER))
        return false;
    p->nesting--;
    return true;
}

static bool parse_sign(struct parser *p)
{
    enum anole_token sign = p->in.token;
    if (sign != TOKEN_MINUS && sign != TOKEN_PLUS && sign != TOKEN_NOT_C)
        return parse_power(p);
    if (++p->nesting > MAX_NESTING)
        return anole_scanner_fail_depth(&p->in, MAX_NESTING);
    if (!anole_scanner_advance(&p->in) || !parse_sign(p))
        return false;
    p->nesting--;
    if (sign == TOKEN_PLUS) {
        p->truth = false;
        return true;
    }
    if (!emit_unary(p, sign == TOKEN_MINUS ? OP_NEGATE : OP_NOT))
        return false;
    p->truth = sign == TOKEN_NOT_C;
    return true;
}

static bool parse_product(struct parser *p)
{
    if (!parse_sign(p))
        return false;
    for (;;) {
        enum anole_op op;
        switch (p->in.token) {
        case TOKEN_TIMES:
            op = OP_MULTIPLY;
            break;
        case TOKEN_DIVIDE:
            op = OP_DIVIDE;
            break;
        case TOKEN_FLOOR_DIVIDE:
            op = OP_FLOOR_DIVIDE;
            break;
        case TOKEN_MODULO:
            op = OP_MODULO;
            break;
        default:
            return true;
        }
        if (!anole_scanner_advance(&p->in) || !parse_sign(p) || !emit_binary(p, op))
            return false;
    }
}

static bool parse_sum(struct parser *p)
{
    if (!parse_product(p))
        return false;
    while (p->in.token == TOKEN_PLUS || p->in.token == TOKEN_MINUS) {
        enum anole_op op = p->in.token == TOKEN_PLUS ? OP_ADD : OP_SUBTRACT;
        if (!anole_scanner_advance(&p->in) || !parse_product(p) || !emit_binary(p, op))
            return false;
    }
    return true;
}

/* After `x in`: the list, whose elements are all evaluated, as Python does. */
static bool parse_list(struct parser *p, bool negated)
{
    enum anole_token close = p->in.token == TOKEN_OPEN ? TOKEN_CLOSE : TOKEN_CLOSE_LIST;
    if (p->in.token != TOKEN_OPEN && p->in.token != TOKEN_OPEN_LIST)
        return anole_scanner_fail(&p->in, "'[' or '(' and a list of values after 'in'");
    if (!anole_scanner_advance(&p->in) || !emit_op(p, OP_IN_BEGIN))
        return false;
    while (p->in.token != close) {
        if (!parse_any(p) || !emit_op(p, OP_IN_EACH))
            return false;
        if (p->in.token != TOKEN_COMMA)
            break;
        if (!anole_scanner_advance(&p->in))
            return false;
    }
    if (!anole_scanner_expect(&p->in, close,
                              close == TOKEN_CLOSE ? "',' or ')' in the list"
                                                   : "',' or ']' in the list"))
        return false;
    return emit_op(p, OP_IN_END) && (!negated || emit_op(p, OP_NOT));
}

/* True and *op set if the next token compares two numbers. */
static bool is_comparison(const struct parser *p, enum anole_op *op)
{
    static const uint8_t ops[] = {[TOKEN_EQ] = OP_EQ, [TOKEN_NE] = OP_NE, [TOKEN_LE] = OP_LE,
                                  [TOKEN_GE] = OP_GE, [TOKEN_LT] = OP_LT, [TOKEN_GT] = OP_GT};
    if (p->in.token < TOKEN_EQ || p->in.token > TOKEN_GT)
        return false;
    *op = (enum anole_op)ops[p->in.token];
    return true;
}

/* The end of a chain of comparisons: `in` and a list, or the last comparison. */
static bool parse_membership(struct parser *p)
{
    bool negated = p->in.token == TOKEN_NOT;
    if (!anole_scanner_advance(&p->in))
        return false;
    if (negated && !anole_scanner_expect(&p->in, TOKEN_IN, "'in' after 'not'"))
        return false;
    enum anole_op op;
    if (!parse_list(p, negated))
        return false;
    if (is_comparison(p, &op) || p->in.token == TOKEN_IN)
        return anole_scanner_fail(&p->in, "'and', 'or' or the end after a list");
    return true;
}

static bool parse_comparison(struct parser *p)
{
    enum anole_op op, next;
    size_t first = p->expression->length, links = 0, jump;
    if (!parse_sum(p))
        return false;
    while (is_comparison(p, &op)) {
        if (!anole_scanner_advance(&p->in) || !parse_sum(p))
            return false;
        if (!is_comparison(p, &next) && p->in.token != TOKEN_IN && p->in.token != TOKEN_NOT) {
            if (!emit_binary(p, op))
                return false;
            goto end_chain;
        }
        if (!emit_jump(p, links++ ? OP_LINK_NEXT : OP_LINK, op, &jump))
            return false;
        p->expression->code[jump].target = UINT32_MAX; /* not landed yet */
    }
    if (p->in.token != TOKEN_IN && p->in.token != TOKEN_NOT)
        return true; /* no comparison at all */
    if (!parse_membership(p))
        return false;

end_chain:
    if (links && !emit_op(p, OP_JOIN_AND))
        return false;
    for (size_t i = first; links && i < p->expression->length; i++) {
        if (p->expression->code[i].target == UINT32_MAX)
            land(p, i);
    }
    p->truth = true;
    return true;
}

static bool parse_not(struct parser *p)
{
    if (p->in.token != TOKEN_NOT)
        return parse_comparison(p);
    if (++p->nesting > MAX_NESTING)
        return anole_scanner_fail_depth(&p->in, MAX_NESTING);
    if (!anole_scanner_advance(&p->in) || !parse_not(p) || !emit_unary(p, OP_NOT))
        return false;
    p->nesting--;
    p->truth = true;
    return true;
}

/* `x or y` (`x and y`), Python's or C's, with what binds tighter as operands. */
static bool parse_junction(struct parser *p, bool is_or)
{
    enum anole_token python = is_or ? TOKEN_OR : TOKEN_AND, c = is_or ? TOKEN_OR_C : TOKEN_AND_C;
    if (!(is_or ? parse_junction(p, false) : parse_not(p)))
        return false;
    while (p->in.token == python || p->in.token == c) {
        bool from_c = p->in.token == c, truth = p->truth;
        size_t jump;
        if (!emit_jump(p, is_or ? OP_OR : OP_AND, OP_EQ, &jump) || !anole_scanner_advance(&p->in) ||
            !(is_or ? parse_junction(p, false) : parse_not(p)))
            return false;
        truth = truth && p->truth;
        if (!emit_op(p, is_or ? OP_JOIN_OR : OP_JOIN_AND))
            return false;
        land(p, jump);
        if (from_c && !truth && !emit_op(p, OP_TRUTH))
            return false;
        p->truth = truth || from_c;
    }
    return true;
}

/* A whole expression, at the top or within brackets. */
static bool parse_any(struct parser *p)
{
    if (++p->nesting > MAX_NESTING)
        return anole_scanner_fail_depth(&p->in, MAX_NESTING);
    if (!parse_junction(p, true))
        return false;
    p->nesting--;
    return true;
}

/* On failure the caller frees what there is. */
static enum anole_status parse(struct anole_expression *expression, const char *text,
                               const char *const *names, struct anole_error *error)
{
    struct parser p = {
        .in = {.text = text, .error = error}, .expression = expression, .names = names};
    if (strnlen(text, MAX_LENGTH + 1) > MAX_LENGTH)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "an expression is too long: expected at most %d bytes, found more; "
                          "split it into several",
                          MAX_LENGTH);
    if (anole_scanner_advance(&p.in) && parse_any(&p) && p.in.token != TOKEN_END)
        anole_scanner_fail(&p.in, "an operator or the end");
    if (p.in.status == ANOLE_DONE)
        thread_jumps(expression);
    return p.in.status;
}

enum anole_status anole_expression_create(struct anole_expression **expression, const char *text,
                                          const char *const *names, size_t name_count,
                                          struct anole_error *error)
{
    enum anole_status status = ANOLE_ERR_MEMORY;
    struct anole_expression *made = calloc(1, sizeof *made);
    if (!made)
        return anole_fail_memory(error);
    made->name_count = name_count;
    made->used = calloc(name_count ? name_count : 1, sizeof *made->used);
    if (!made->used) {
        anole_fail_memory(error);
        goto destroy_made;
    }
    status = parse(made, text, names, error);
    if (status != ANOLE_DONE)
        goto destroy_made;
    *expression = made;
    return ANOLE_DONE;

destroy_made:
    anole_expression_destroy(made);
    return status;
}
