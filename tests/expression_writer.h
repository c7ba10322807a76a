/* SPDX-License-Identifier: MIT
 *
 * Random expressions, and what they are worth: a writer for each level of
 * precedence writes the text, and says at once what a reader must make of it.
 */
#ifndef EXPRESSION_WRITER_H
#define EXPRESSION_WRITER_H

#include "base/rng.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define WRITER_NAMES 4
static const char *const writer_names[WRITER_NAMES] = {"a", "b", "c", "tile_w"};

struct worth {
    bool has;
    double value;
};

struct writer {
    struct anole_rng rng;
    char text[60000];
    size_t length;
    const int64_t *values;
};

static struct worth write_any(struct writer *w, int depth);

static void put(struct writer *w, const char *text)
{
    size_t n = strlen(text);
    assert_true(w->length + n < sizeof w->text);
    memcpy(w->text + w->length, text, n + 1);
    w->length += n;
}

static bool chance(struct writer *w, int percent)
{
    return anole_rng_below(&w->rng, 100) < (uint64_t)percent;
}

static struct worth worth_of(double value)
{
    return (struct worth){isfinite(value), value};
}

static double python_floor_divide(double a, double b)
{
    double rest = fmod(a, b);
    if (rest != 0 && (rest < 0) != (b < 0))
        rest += b;
    return nearbyint((a - rest) / b);
}

static struct worth apply(const char *op, struct worth a, struct worth b)
{
    struct worth none = {false, 0};
    if (!a.has || !b.has)
        return none;
    double x = a.value, y = b.value;
    bool divides = strcmp(op, "/") == 0 || strcmp(op, "//") == 0 || strcmp(op, "%") == 0 ||
                   strcmp(op, "ceil_div") == 0 || strcmp(op, "round_up") == 0;
    if (divides && y == 0)
        return none;
    if (strcmp(op, "+") == 0)
        return worth_of(x + y);
    if (strcmp(op, "-") == 0)
        return worth_of(x - y);
    if (strcmp(op, "*") == 0)
        return worth_of(x * y);
    if (strcmp(op, "/") == 0)
        return worth_of(x / y);
    if (strcmp(op, "//") == 0)
        return worth_of(python_floor_divide(x, y));
    if (strcmp(op, "%") == 0) {
        double rest = fmod(x, y);
        return worth_of(rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest);
    }
    if (strcmp(op, "**") == 0)
        return worth_of(pow(x, y));
    if (strcmp(op, "min") == 0)
        return worth_of(fmin(x, y));
    if (strcmp(op, "max") == 0)
        return worth_of(fmax(x, y));
    if (strcmp(op, "ceil_div") == 0)
        return worth_of(-python_floor_divide(-x, y));
    return worth_of(-python_floor_divide(-x, y) * y);
}

static struct worth write_call(struct writer *w, int depth)
{
    static const char *const functions[] = {"min", "max", "ceil_div", "round_up"};
    const char *function = functions[anole_rng_below(&w->rng, 4)];
    put(w, function);
    put(w, "(");
    struct worth first = write_any(w, depth - 1);
    put(w, ", ");
    struct worth result = apply(function, first, write_any(w, depth - 1));
    while (function[0] == 'm' && chance(w, 30)) {
        put(w, ",");
        result = apply(function, result, write_any(w, depth - 1));
    }
    put(w, ")");
    return result;
}

static struct worth write_atom(struct writer *w, int depth)
{
    char number[32];
    if (depth > 0 && chance(w, 15))
        return write_call(w, depth);
    if (depth > 0 && chance(w, 30)) {
        bool absolute = chance(w, 30);
        put(w, absolute ? "abs(" : "(");
        struct worth inner = write_any(w, depth - 1);
        put(w, ")");
        return absolute && inner.has ? worth_of(fabs(inner.value)) : inner;
    }
    if (chance(w, 60)) {
        size_t name = anole_rng_below(&w->rng, WRITER_NAMES);
        put(w, writer_names[name]);
        return worth_of((double)w->values[name]);
    }
    double value = (double)anole_rng_below(&w->rng, 40) / (chance(w, 20) ? 4 : 1);
    snprintf(number, sizeof number, "%g", value);
    put(w, number);
    return worth_of(value);
}

static struct worth write_sign(struct writer *w, int depth)
{
    if (chance(w, 8)) {
        put(w, "-");
        struct worth inner = write_sign(w, depth);
        return inner.has ? worth_of(-inner.value) : inner;
    }
    if (chance(w, 5)) {
        put(w, "!");
        struct worth inner = write_sign(w, depth);
        return inner.has ? worth_of(inner.value == 0) : inner;
    }
    struct worth base = write_atom(w, depth);
    if (!chance(w, 8))
        return base;
    put(w, "**");
    return apply("**", base, write_sign(w, depth - 1));
}

static struct worth write_product(struct writer *w, int depth)
{
    static const char *const ops[] = {"*", "/", "//", "%"};
    struct worth result = write_sign(w, depth);
    while (chance(w, 25)) {
        const char *op = ops[anole_rng_below(&w->rng, 4)];
        put(w, op);
        result = apply(op, result, write_sign(w, depth));
    }
    return result;
}

static struct worth write_sum(struct writer *w, int depth)
{
    struct worth result = write_product(w, depth);
    while (chance(w, 25)) {
        const char *op = chance(w, 50) ? "+" : "-";
        put(w, op);
        result = apply(op, result, write_product(w, depth));
    }
    return result;
}

static bool holds(const char *op, double a, double b)
{
    return (op[0] == '<' && a < b) || (op[0] == '>' && a > b) ||
           (op[0] != '!' && op[1] == '=' && a == b) || (op[0] == '!' && a != b);
}

static struct worth write_list(struct writer *w, int depth, struct worth left)
{
    bool negated = chance(w, 50), found = false, has = left.has;
    put(w, negated ? " not in [" : " in [");
    for (uint64_t n = anole_rng_below(&w->rng, 4); n > 0; n--) {
        struct worth element = write_any(w, depth - 1);
        has &= element.has;
        found |= element.has && left.has && element.value == left.value;
        put(w, n > 1 || chance(w, 20) ? "," : "");
    }
    put(w, "]");
    return (struct worth){has, found != negated};
}

static struct worth write_comparison(struct writer *w, int depth)
{
    static const char *const ops[] = {"<", "<=", ">", ">=", "==", "!="};
    struct worth left = write_sum(w, depth), result = {true, 1};
    bool compared = false;
    while (chance(w, 25)) {
        const char *op = ops[anole_rng_below(&w->rng, 6)];
        put(w, op);
        struct worth right = write_sum(w, depth);
        if (result.has && result.value != 0) {
            result.has = left.has && right.has;
            result.value = result.has && holds(op, left.value, right.value);
        }
        left = right;
        compared = true;
    }
    if (depth > 0 && chance(w, 8)) {
        struct worth contained = write_list(w, depth, left);
        return result.has && result.value != 0 ? contained : result;
    }
    return compared ? result : left;
}

static struct worth write_not(struct writer *w, int depth)
{
    if (!chance(w, 10))
        return write_comparison(w, depth);
    put(w, "not ");
    struct worth inner = write_not(w, depth);
    return inner.has ? worth_of(inner.value == 0) : inner;
}

static struct worth write_junction(struct writer *w, int depth, bool is_or)
{
    struct worth result = is_or ? write_junction(w, depth, false) : write_not(w, depth);
    while (chance(w, 15)) {
        bool c = chance(w, 40);
        put(w, is_or ? (c ? "||" : " or ") : (c ? "&&" : " and "));
        struct worth right = is_or ? write_junction(w, depth, false) : write_not(w, depth);
        if (result.has && (result.value != 0) != is_or)
            result = right;
        if (c && result.has)
            result.value = result.value != 0;
    }
    return result;
}

static struct worth write_any(struct writer *w, int depth)
{
    return write_junction(w, depth, true);
}

#endif
