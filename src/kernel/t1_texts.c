/* SPDX-License-Identifier: MIT
 *
 * Where texts may stand in an expression.  Behind this they are numbers of our own, which mean
 * nothing beside other numbers: `vec == 'x'` would compare with one of them.
 */
#include "kernel/t1_private.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum kind {
    EDGE,
    JOIN,
    TEXT,
    EQUAL,
    IN,
    NOT,
    WORD,
    COMMA,
    OPEN,
    CLOSE,
    OPEN_LIST,
    CLOSE_LIST,
    OTHER
};

struct piece {
    enum kind kind;
    size_t column; /* from 1 */
};

/* EDGE, the pieces of an expression, EDGE. */
struct pieces {
    struct piece *all;
    size_t count;
};

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static enum kind kind_of_word(const struct anole_t1 *t1, const char *at, size_t length)
{
    static const struct {
        const char *word;
        enum kind kind;
    } words[] = {{"and", JOIN}, {"or", JOIN}, {"not", NOT}, {"in", IN}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i].word) == length && memcmp(words[i].word, at, length) == 0)
            return words[i].kind;
    for (size_t i = 0; i < t1->parameter_count; i++)
        if (strlen(t1->parameters[i].name) == length &&
            memcmp(t1->parameters[i].name, at, length) == 0)
            return t1->parameters[i].kind == ANOLE_T1_TEXT ? TEXT : WORD;
    return WORD;
}

/* The piece that begins here; *length: of it. */
static enum kind read_piece(size_t *length, const struct anole_t1 *t1, const char *at)
{
    static const char signs[] = ",()[]";
    static const enum kind kinds[] = {COMMA, OPEN, CLOSE, OPEN_LIST, CLOSE_LIST};
    if (*at == '\'' || *at == '"') {
        const char *end = strchr(at + 1, *at);
        *length = end ? (size_t)(end + 1 - at) : strlen(at);
        return TEXT;
    }
    for (*length = 0; is_word(at[*length]);)
        ++*length;
    if (*length > 0)
        return kind_of_word(t1, at, *length);
    *length = 2;
    if (strncmp(at, "==", 2) == 0 || strncmp(at, "!=", 2) == 0)
        return EQUAL;
    if (strncmp(at, "&&", 2) == 0 || strncmp(at, "||", 2) == 0)
        return JOIN;
    *length = 1;
    const char *sign = strchr(signs, *at);
    return sign ? kinds[sign - signs] : OTHER;
}

/* A text in brackets of its own is that text: ('row'). */
static void take_brackets_off(struct pieces *pieces)
{
    struct piece *end = pieces->all + pieces->count;
    if (pieces->count >= 4 && end[-1].kind == CLOSE && end[-2].kind == TEXT &&
        end[-3].kind == OPEN && end[-4].kind != WORD && end[-4].kind != IN) {
        end[-3] = end[-2];
        pieces->count -= 2;
    }
}

static void split(struct pieces *pieces, const struct anole_t1 *t1, const char *text)
{
    const char *at = text;
    pieces->all[pieces->count++] = (struct piece){.kind = EDGE};
    while (*at) {
        size_t length = 1;
        if (*at != ' ' && *at != '\t' && *at != '\n' && *at != '\r') {
            enum kind kind = read_piece(&length, t1, at);
            pieces->all[pieces->count++] =
                (struct piece){.kind = kind, .column = (size_t)(at - text) + 1};
            take_brackets_off(pieces);
        }
        at += length;
    }
    pieces->all[pieces->count++] = (struct piece){.kind = EDGE, .column = (size_t)(at - text) + 1};
}

/* Of a list behind `in`, from its bracket on: whether it has texts alone, and whether any. */
static void look_at_list(const struct piece *at, bool *alone, bool *any)
{
    size_t depth = 0;
    bool wanted = true; /* an element begins here */
    *alone = true;
    *any = false;
    do {
        bool opens = at->kind == OPEN || at->kind == OPEN_LIST;
        bool closes = at->kind == CLOSE || at->kind == CLOSE_LIST;
        *any |= at->kind == TEXT;
        if (depth > 0 && !closes && at->kind != COMMA)
            *alone = *alone && wanted && at->kind == TEXT;
        wanted = at->kind == COMMA || opens;
        depth += opens;
        depth -= closes;
        at++;
    } while (depth > 0 && at[-1].kind != EDGE);
}

/* Whether a piece that compares has texts on both its sides, or on none. */
static bool sides_agree(const struct piece *piece)
{
    bool left = piece[-1].kind == TEXT || (piece[-1].kind == NOT && piece[-2].kind == TEXT);
    bool alone, any;
    if (piece->kind == EQUAL)
        return left == (piece[1].kind == TEXT);
    if (piece[1].kind != OPEN && piece[1].kind != OPEN_LIST)
        return true; /* refused by what reads the expression */
    look_at_list(piece + 1, &alone, &any);
    return left ? alone : !any;
}

/* What may stand before a text, and behind it; one of them compares it. */
static bool is_compared(const struct piece *piece)
{
    const struct piece *before = piece - 1, *behind = piece + 1;
    bool begins = before->kind == EDGE || before->kind == JOIN || before->kind == OPEN ||
                  before->kind == OPEN_LIST || before->kind == COMMA || before->kind == NOT;
    bool ends = behind->kind == EDGE || behind->kind == JOIN || behind->kind == CLOSE ||
                behind->kind == CLOSE_LIST || behind->kind == COMMA;
    bool compares = behind->kind == EQUAL || behind->kind == IN ||
                    (behind->kind == NOT && behind[1].kind == IN);
    return before->kind == EQUAL ? ends || compares : begins && compares;
}

static const char *fault_of(const struct piece *piece, size_t *listed)
{
    bool compares = piece->kind == EQUAL || piece->kind == IN;
    if (compares && !sides_agree(piece))
        return "compares a text with what is none, which is never equal: expected texts alone on "
               "both sides";
    if (piece->kind == IN && (piece[1].kind == OPEN || piece[1].kind == OPEN_LIST))
        *listed = 1; /* the texts in it have been looked at */
    else if (*listed && (piece->kind == OPEN || piece->kind == OPEN_LIST))
        ++*listed;
    else if (*listed && (piece->kind == CLOSE || piece->kind == CLOSE_LIST))
        *listed = *listed == 2 ? 0 : *listed - 1;
    if (piece->kind == TEXT && !*listed && !is_compared(piece))
        return "a text can be compared by ==, != and in alone, with other texts";
    return NULL;
}

enum anole_status anole_t1_check_texts(const struct anole_t1 *t1, const char *text,
                                       struct anole_error *error)
{
    char shown[160];
    const char *fault = NULL;
    size_t listed = 0;
    struct pieces pieces = {.all = calloc(strlen(text) + 2, sizeof *pieces.all)};
    if (!pieces.all)
        return anole_fail_memory(error);
    split(&pieces, t1, text);
    enum anole_status status = ANOLE_DONE;
    for (size_t i = 1; i + 1 < pieces.count && !fault; i++) {
        fault = fault_of(&pieces.all[i], &listed);
        if (fault)
            status = anole_fail(error, ANOLE_ERR_INPUT, "expression \"%s\", column %zu: %s",
                                anole_text_printable(shown, sizeof shown, text),
                                pieces.all[i].column, fault);
    }
    free(pieces.all);
    return status;
}
